"""Runs on Spark give what a run on one machine gives, byte for byte."""

import json
import re
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mixed_corpora import corpus, sources, with_rejects

import dupdetect
from dupdetect.errors import InputError, MismatchError, SettingsError
from dupdetect.spark import bundling, counter, decision, dedup, on_driver, partwise
from dupdetect.spark.output import TABLES
from dupdetect.spark.session import setting


@pytest.fixture(autouse=True)
def on_executors(monkeypatch):
    """Let nothing be so little that the driver does it."""
    monkeypatch.setattr(on_driver, "FEW", -1)
    monkeypatch.setattr(counter, "FEW", -1)
    monkeypatch.setattr(counter, "FETCHED", -1)


@pytest.fixture
def little(monkeypatch, on_executors):
    """Return what lets sketches, or texts too, be so little that the driver takes them."""

    def allow(*modules):
        for module in modules:
            monkeypatch.setattr(module, "FEW", 1 << 30)

    return allow


@pytest.mark.parametrize("data", [["a text"], pa.table({"text": ["a text"]})])
def test_what_is_no_frame_of_spark_is_refused_in_a_sentence(data, tmp_path):
    with pytest.raises(InputError, match=r"expected a DataFrame of Spark; other data are for dupdetect\.dedup"):
        dedup(data, work=str(tmp_path / "work"))


@pytest.mark.parametrize("partitions", [7, pytest.param(64, marks=pytest.mark.slow)])
def test_it_is_the_result_of_one_machine(framed, same, tmp_path, partitions):
    table = with_rejects(corpus())
    found = dedup(framed(table, partitions), work=str(tmp_path / "work"), hot_key_documents=8)
    results = same(found, table, hot_key_documents=8)
    assert results.here.manifest["caps"]["hot_keys"] > 0
    assert results.here.boilerplate.num_rows > 0
    assert results.here.matches.num_rows > 50
    clusters = results.here.clusters
    assert sum(str(row["id"]).startswith("symbols") and not row["canonical"] for row in clusters.to_pylist()) == 2
    assert found.manifest["spark"]["shuffled_bytes"]["texts"] > 0


@pytest.mark.parametrize("modules", [[on_driver, counter], [counter]], ids=["sketches and texts", "texts"])
def test_the_driver_does_what_is_little(framed, same, tmp_path, little, modules):
    little(*modules)
    table = with_rejects(corpus())
    found = dedup(framed(table, 3), work=str(tmp_path), hot_key_documents=8)
    same(found, table, hot_key_documents=8)
    assert not (tmp_path / "bundles").exists()
    assert (tmp_path / "keys").exists() == (on_driver not in modules)


@pytest.mark.parametrize(
    "settings",
    [{"within": "site"}, {"between": "part"}, {"per": "site", "within": "part"}, {"per": "site", "id": "none"}],
    ids=lambda settings: " ".join(settings),
)
@pytest.mark.parametrize("modules", [[on_driver, counter], []], ids=["driver", "executors"])
def test_documents_are_compared_where_they_may_be(framed, same, tmp_path, little, settings, modules):
    little(*modules)
    table = sources(with_rejects(corpus()))
    settings = {"hot_key_documents": 6, **settings}
    results = same(dedup(framed(table, 3), work=str(tmp_path), **settings), table, **settings)
    assert results.here.manifest["caps"]["hot_keys"] > 0
    assert 50 < results.here.manifest["counts"]["kept"] < table.num_rows


@pytest.mark.parametrize(
    "settings",
    [
        {"canonical": lambda row: (len(row["text"]) % 7, row["date"])},
        {"canonical": "earliest", "prefer": {"date": ["2024-05-09", "2024-05-02"]}},
    ],
    ids=lambda settings: " ".join(settings),
)
def test_settings_say_what_they_say_on_one_machine(framed, same, tmp_path, settings):
    table = corpus()
    same(dedup(framed(table, 3), work=str(tmp_path), **settings), table, **settings)


@pytest.mark.parametrize("fetched", [5_000, 1 << 20])
def test_the_driver_answers_about_few_documents(framed, same, tmp_path, monkeypatch, fetched):
    monkeypatch.setattr(counter, "FETCHED", fetched)
    table = with_rejects(corpus())
    same(dedup(framed(table, 3), work=str(tmp_path), hot_key_documents=8), table, hot_key_documents=8)
    assert (tmp_path / "bundles").exists()


def test_everything_may_be_asked_of_executors(framed, same, tmp_path, monkeypatch):
    """Nothing comes to the driver, and components are cut: the result is the same."""
    monkeypatch.setattr(counter, "SENT", 1 << 12)
    cut = bundling.bundled
    monkeypatch.setattr(counter, "bundled", lambda pairs, sizes: cut(pairs, sizes, 4_000))
    table = corpus()
    same(dedup(framed(table, 2), work=str(tmp_path), hot_key_documents=4), table, hot_key_documents=4)


def test_of_matches_that_are_too_many_for_the_driver_parts_are_clustered(
    framed, same, tmp_path, monkeypatch, caplog, little
):
    little(on_driver)
    monkeypatch.setattr(decision, "MATCHES", 10)
    monkeypatch.setattr(partwise, "PART_MATCHES", 20)
    monkeypatch.setattr(partwise, "TASK_MATCHES", 8)
    table, settings = sources(with_rejects(corpus())), {"hot_key_documents": 6, "canonical": "longest", "per": "site"}
    with caplog.at_level("INFO", logger="dupdetect"):
        found = dedup(framed(table, 2), work=str(tmp_path), **settings)
    results = same(found, table, **settings)
    assert results.here.manifest["caps"]["rounds"] > 0
    assert re.search(r"matches, more than 10: executors cluster them in parts; .* take .*B", caplog.text)
    assert (tmp_path / "clustered-0").exists()


@pytest.mark.slow
def test_of_many_candidates_few_may_be_matches(framed, same, tmp_path, monkeypatch, caplog, little):
    little(on_driver)
    monkeypatch.setattr(decision, "MATCHES", 60)
    table = corpus().slice(0, 60)
    with caplog.at_level("INFO", logger="dupdetect"):
        found = dedup(framed(table, 1), work=str(tmp_path), hot_key_documents=6)
    same(found, table, hot_key_documents=6)
    assert "matches: the driver clusters, and takes about" in caplog.text


def test_rows_without_ids_are_numbered(framed, same, tmp_path):
    table = with_rejects(corpus())
    same(dedup(framed(table, 5), work=str(tmp_path), id="none"), table, id="none")


@pytest.mark.parametrize("modules", [[on_driver, counter], []], ids=["driver", "executors"])
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_moments_stay_as_they_are(spark, same, tmp_path, little, modules, zone):
    """Wherever the session is: on the night of 26 March the clocks of Berlin had no half past two."""
    little(*modules)
    table = corpus().select(["text"]).slice(0, 80)
    ids = [datetime(2000, 3, 26) + timedelta(minutes=5 * at) for at in range(80)]
    table = table.add_column(0, "id", pa.array(ids, pa.timestamp("us", zone)))
    pq.write_table(table, tmp_path / "in.parquet")
    with setting(spark, "spark.sql.session.timeZone", "Europe/Berlin"):
        same(dedup(spark.read.parquet(str(tmp_path / "in.parquet")), work=str(tmp_path / "work")), table)


def test_a_run_goes_on_where_it_was_stopped(framed, same, tmp_path, monkeypatch):
    table, work = corpus(), str(tmp_path / "work")

    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("dupdetect.spark.decision.decided", stopped)
        with pytest.raises(KeyboardInterrupt):
            dedup(framed(table, 2), work=work)
    for path in (tmp_path / "work" / "keys").glob("*.parquet"):  # a stage of which a part is lost
        path.unlink()
        (path.parent / f".{path.name}.crc").unlink()
        break
    with pytest.warns(UserWarning, match="keys is not as it was written"):
        found = dedup(framed(table, 2), work=work, resume=True)
    same(found, table)
    assert found.manifest["spark"]["resumed_stages"] == 3  # sketched, texts, bundles
    with pytest.raises(MismatchError, match="begun with settings"):
        dedup(framed(table, 2), work=work, resume=True, threshold=0.7)


def test_what_cannot_be_read_is_said_at_the_door(framed, tmp_path):
    frame, work = framed(pa.table({"id": ["a", "b"], "text": ["one text", None], "number": [1, 2]}), 1), str(tmp_path)
    for wrong, error, match in [
        ({"text": "body"}, InputError, "no column 'body'"),
        ({"id": "url"}, InputError, "no column 'url'"),
        ({"text": "number"}, InputError, "'number' is .*, expected string"),
        ({"canonical": "earliest"}, InputError, "no column 'date'"),
        ({"threshold": 2}, SettingsError, "threshold is 2"),
        ({"within": "site"}, InputError, "no column 'site' \\(within\\)"),
        ({"strict": True}, InputError, "row 1: column 'text' is null"),
    ]:
        with pytest.raises(error, match=match):
            dedup(frame, work=work, **wrong)
    with pytest.raises(InputError, match="no row could be used"):
        dedup(frame.where("text is null"), work=work)


def test_a_column_of_a_type_that_is_of_no_use_is_refused_at_the_door(spark, tmp_path):
    """Spark hashes no maps, hands out no intervals of months, and has no order of structs."""
    columns = "struct(id) as struct", "map(id, id) as map", "make_ym_interval(1) as months", "'a text' as text", "id"
    frame = spark.range(2).selectExpr(*columns)
    for column in ("struct", "map", "months"):
        for settings in ({"id": column}, {"within": column}, {"per": column}):
            with pytest.raises(InputError, match=f"the frame: column '{column}' is .*, expected .*strings, numbers"):
                dedup(frame, work=str(tmp_path / "work"), **settings)
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("modules", [[on_driver, counter], []], ids=["driver", "executors"])
def test_no_documents_are_no_copies(framed, same, tmp_path, little, modules):
    little(*modules)
    table = pa.table({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())})
    nothing = dedup(framed(table, 1), work=str(tmp_path / "none"))
    assert nothing.clusters.count() == nothing.kept.count() == nothing.manifest["counts"]["documents"] == 0
    table = pa.table({"id": ["a", "b"], "text": ["one text", "another"]})
    same(dedup(framed(table, 1), work=str(tmp_path / "two")), table)


@pytest.mark.parametrize("modules", [[on_driver, counter], []], ids=["driver", "executors"])
def test_boilerplate_may_be_known(framed, same, tmp_path, little, modules):
    little(*modules)
    table, work = corpus(), str(tmp_path)
    learned = dupdetect.dedup(table).boilerplate
    known = learned.slice(0, learned.num_rows // 2)
    found = dedup(framed(table, 3), work=work, known_boilerplate=known)
    here = same(found, table, known_boilerplate=known).here
    assert not here.clusters.equals(dupdetect.dedup(table).clusters)
    with pytest.raises(MismatchError, match="begun with known_boilerplate"):
        dedup(framed(table, 3), work=work, known_boilerplate=learned, resume=True)
    with pytest.raises(SettingsError, match="known_boilerplate cannot be given together with against"):
        dedup(framed(table, 3), work=work, known_boilerplate=known, against="monday")


@pytest.mark.filterwarnings("ignore:.*there is no sketches.parquet")
def test_new_documents_are_compared_with_earlier_ones(framed, same, tmp_path):
    """Those of a run on one machine, and those of a run on Spark."""
    table, settings = corpus(), {"hot_key_documents": 8, "canonical": "latest"}
    old, new = table.slice(0, 60), pa.concat_tables([table.slice(60), table.slice(0, 3)])
    first = dedup(framed(old, 2), work=str(tmp_path / "first"), **settings).to_result()
    changed = pa.table({"id": first.kept["id"].slice(7, 1), "text": ["another text"], "date": ["2024-01-01"]})
    new = pa.concat_tables([new, changed])
    first.write(tmp_path / "monday")
    found = dedup(framed(new, 3), work=str(tmp_path / "second"), against=tmp_path / "monday", **settings)
    results = same(found, new, against=tmp_path / "monday", **settings)
    assert results.here.manifest["against"]["related"] > 0
    assert found.superseded.count() == results.here.superseded.num_rows
    assert results.here.rejects.num_rows == 1


@pytest.mark.filterwarnings("ignore:.*there is no sketches.parquet")
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_what_spark_wrote_is_compared_with(framed, same, tmp_path, scheme):
    """By its folder, by a URL, or amid a folder of nights; the third night as one machine has it."""
    table, settings = corpus(), {"hot_key_documents": 8, "canonical": "latest"}
    nights = table.slice(0, 60), table.slice(60, 40), table.slice(100)
    dedup(framed(nights[0], 2), work=str(tmp_path / "work 1"), **settings).write(f"{scheme}{tmp_path}/spark/1")
    dupdetect.dedup(nights[0], **settings).write(tmp_path / "here" / "1")
    one = f"{scheme}{tmp_path}/spark/1"
    second = dedup(framed(nights[1], 2), work=str(tmp_path / "work 2"), against=one, **settings)
    second.write(f"{scheme}{tmp_path}/spark/2")
    dupdetect.dedup(nights[1], against=tmp_path / "here", **settings).write(tmp_path / "here" / "2")
    both = [one, f"{scheme}{tmp_path}/spark/2"] if scheme else tmp_path / "spark"
    given = {"work": str(tmp_path / "work 3"), "against": both, **settings}
    third = dedup(framed(nights[2], 3), **given)
    results = same(third, nights[2], against=tmp_path / "here", **settings)
    assert third.superseded.count() == results.here.superseded.num_rows
    assert results.here.manifest["against"]["related"] > 0
    assert dedup(framed(nights[2], 3), resume=True, **given).manifest["counts"] == third.manifest["counts"]


def test_what_is_no_output_of_spark_is_refused(spark, framed, tmp_path, monkeypatch):
    frame, work = framed(corpus().slice(0, 5), 1), str(tmp_path / "work")
    with pytest.raises(InputError, match=r"nowhere: cannot be read .*; expected the output of an earlier run"):
        dedup(frame, work=work, against=f"file://{tmp_path}/nowhere")
    spark.createDataFrame([("[]",)], "value string").coalesce(1).write.text(f"{tmp_path}/other/manifest.json")
    with pytest.raises(InputError, match=r"other: manifest\.json is not that of a run"):
        dedup(frame, work=work, against=f"file://{tmp_path}/other")
    (tmp_path / "other" / "clusters.parquet").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="against has an empty name"):
        dedup(frame, work=work, against="")


@pytest.mark.parametrize("scheme", ["", "file:", "file://"])
def test_a_result_is_written_to_paths_and_urls(spark, tmp_path, little, scheme):
    little(on_driver, counter)
    rows = [("a", "The ferry to the island is late."), ("b", "THE FERRY TO THE ISLAND IS LATE!")]
    frame = spark.createDataFrame(rows, "id string, text string")
    result = dedup(frame, work=f"{scheme}{tmp_path}/work")
    result.write(f"{scheme}{tmp_path}/out")
    lines = spark.read.text(f"{scheme}{tmp_path}/out/manifest.json").collect()
    assert json.loads("".join(row.value for row in lines))["counts"]["kept"] == 1
    assert (tmp_path / "out" / "manifest.json").is_file() == (scheme == "")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "manifest.json", "kept.parquet", *(f"{name}.parquet" for name in TABLES[:-1]),
    }  # fmt: skip
    for folder in (f"file:{tmp_path}/out", str(tmp_path / "out")):  # either way over what was written either way
        result.write(folder, overwrite=True)
        text = "\n".join(row.value for row in spark.read.text(f"{tmp_path}/out/manifest.json").collect())
        assert json.loads(text)["counts"]["kept"] == 1
