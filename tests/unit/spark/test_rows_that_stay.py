"""Rows that stay, whatever they are called, however Spark compares them, and wherever it has them."""

import math

import pyarrow as pa
import pytest

import dupdetect
from dupdetect.errors import InputError
from dupdetect.spark import dedup

STORY = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."
TEXTS = [STORY, STORY.upper(), "今日は港の橋が閉鎖された。", "الجسر مغلق اليوم", "☂☂ ☂", "☂☂ ☂", "", "Nothing like it."]


def both(session, tmp_path, table, text="text", **settings):
    """Return the rows that stay, of a frame as a session makes it of a table and on one machine."""
    found = dedup(session.createDataFrame(table), work=str(tmp_path / "work"), text=text, **settings)
    here = dupdetect.dedup(table, text=text, **settings)
    names = here.kept.column_names
    assert found.kept.columns == names
    return [sorted(map(str, rows)) for rows in (found.kept.toArrow().to_pylist(), here.kept.to_pylist())]


@pytest.mark.parametrize("ids", [list("abcdefga"), None], ids=["an id repeats", "rows are numbered"])
def test_rows_at_hand_are_those_of_several_partitions(spark, tmp_path, ids):
    """Spark evaluates what it can of rows at hand before it divides them among tasks."""
    table = pa.table({"text": TEXTS} if ids is None else {"id": ids, "text": TEXTS})
    there, here = both(spark, tmp_path, table)
    assert there == here
    assert len(here) == (6 if ids is None else 5)


def test_an_id_may_read_like_a_reason(spark, tmp_path):
    table = pa.table({"id": ["a is null, expected an id"] * 2 + list("cdefgh"), "text": TEXTS})
    there, here = both(spark, tmp_path, table)
    assert there == here


def test_ids_that_are_numbers_are_apart_where_they_are_here(spark, tmp_path):
    table = pa.table({"id": [0.0, -0.0, math.inf, 1.5, 2.5, -2.5, 3.0, 4.0], "text": TEXTS})
    there, here = both(spark, tmp_path, table)
    assert there == here


@pytest.mark.parametrize("names", [("a.b", "c.d"), ("`id`", "te`xt")])
@pytest.mark.parametrize("last", ["h", "a"], ids=["by id", "by place"])
def test_names_of_columns_may_have_any_characters(spark, tmp_path, names, last):
    id, text = names
    table = pa.table({id: [*"abcdefg", last], text: TEXTS, "of.one": list("aabbccdd")})
    there, here = both(spark, tmp_path, table, text=text, id=id, within="of.one", prefer={"of.one": ["d"]})
    assert there == here


def test_a_collation_makes_no_ids_equal(spark, tmp_path):
    import pyspark.sql.functions as F  # noqa: N812 - as everybody does

    table = pa.table({"id": list("AaBbCcDd"), "text": TEXTS})
    frame = spark.createDataFrame(table).select(F.expr("id collate UTF8_LCASE").alias("id"), "text")
    found = dedup(frame, work=str(tmp_path / "work"))
    here = dupdetect.dedup(table)
    assert found.clusters.toArrow().sort_by("id").equals(here.clusters.sort_by("id"))
    assert sorted(row["id"] for row in found.kept.collect()) == sorted(here.kept["id"].to_pylist())


@pytest.mark.parametrize("last", ["h", "a"], ids=["by id", "by place"])
def test_names_of_columns_may_differ_in_case(spark, tmp_path, last):
    table = pa.table({"id": [*"abcdefg", last], "ID": list("zyxwvuts"), "text": TEXTS, "Text": TEXTS[::-1]})
    there, here = both(spark, tmp_path, table)
    assert there == here


@pytest.mark.parametrize("name", ["dupdetect_file", "dupdetect_row", "dupdetect_reason", "dupdetect_number"])
def test_a_name_that_is_made_here_is_refused(spark, tmp_path, name):
    frame = spark.createDataFrame(pa.table({"text": TEXTS, name: list("abcdefgh")}))
    with pytest.raises(InputError, match=f"a column '{name}' would be taken for one that is made here; rename it"):
        dedup(frame, work=str(tmp_path / "work"))


@pytest.mark.parametrize("last", ["h", "a"], ids=["by id", "by place"])
def test_a_frame_that_gives_other_rows_the_second_time_is_said_to_do_so(spark, tmp_path, last):
    again = tmp_path / "again"

    def rows(batches):
        return (batch.slice(0, 2) if again.exists() else batch for batch in batches)

    table = pa.table({"id": [*"abcdefg", last], "text": TEXTS})
    frame = spark.createDataFrame(table).coalesce(1)
    found = dedup(frame.mapInArrow(rows, frame.schema), work=str(tmp_path / "work"))
    found.write(str(tmp_path / "out"))
    again.touch()
    for ask in (found.to_result, lambda: found.write(str(tmp_path / "other"))):
        with pytest.raises(InputError, match=r"the frame: of its rows . stay, and . were to; it gives"):
            ask()
    assert not (tmp_path / "other" / "manifest.json").exists()
    with pytest.raises(InputError, match="the frame: of its rows"):
        found.write(str(tmp_path / "out"), overwrite=True)
    assert not (tmp_path / "out" / "manifest.json").exists()  # it was of other rows


def test_two_columns_of_the_name_that_is_asked_for_are_refused(spark, tmp_path):
    frame = spark.createDataFrame([("a", "one text", "another")], "id string, text string, other string")
    with pytest.raises(InputError, match=r"there are 2 columns 'text' \(texts\); rename all but one"):
        dedup(frame.toDF("id", "text", "text"), work=str(tmp_path / "work"))


@pytest.mark.filterwarnings("ignore:.*there is no sketches.parquet")
def test_a_night_of_which_no_row_stays_is_written(spark, tmp_path):
    table = pa.table({"id": list("abcd"), "text": TEXTS[:4]})
    dupdetect.dedup(table).write(tmp_path / "monday")
    again = spark.createDataFrame(table.set_column(0, "id", pa.array(list("wxyz"))))
    found = dedup(again, work=str(tmp_path / "work"), against=tmp_path / "monday")
    assert found.manifest["counts"]["kept"] == 0
    found.write(str(tmp_path / "out"))
    assert spark.read.parquet(str(tmp_path / "out" / "kept.parquet")).count() == 0
