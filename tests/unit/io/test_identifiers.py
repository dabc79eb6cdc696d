"""Ids of any type: as they are in the tables, and one text for each."""

import datetime
import decimal
import uuid

import polars
import pyarrow as pa
import pytest

import dupdetect
from dupdetect.cli.main import main
from dupdetect.io.identifiers import as_spelled, as_type, spelled, workable
from dupdetect.results.run import Run

TEXTS = ["eins zwei drei", "vier fünf", "Eins, zwei, drei"]
MOMENTS = [datetime.datetime(2024, 1, 1, 0, 0, n) for n in range(3)]
COLUMNS = {
    "uuid": pa.ExtensionArray.from_storage(
        pa.uuid(), pa.array([uuid.UUID(int=n).bytes for n in range(3)], pa.binary(16))
    ),
    "bytes": pa.array([b"YQ==", b"a", b"\xff"]),
    "fixed": pa.array([b"ab", b"cd", b"\xff\x00"], pa.binary(2)),
    "category": pa.array(["x", "y", "z"]).dictionary_encode(),
    "uint64": pa.array([2**64 - 1, 2**64 - 2, 0], pa.uint64()),
    "decimal": pa.array([decimal.Decimal(n).scaleb(-1) for n in range(3)], pa.decimal32(5, 1)),
    "seconds": pa.array(MOMENTS, pa.timestamp("s")),
    "zone": pa.array(MOMENTS, pa.timestamp("ns", "Europe/Vienna")),
    "date": pa.array([datetime.date(2024, 1, n + 1) for n in range(3)], pa.date64()),
    "duration": pa.array([1, 2, 1000], pa.duration("ms")),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_an_id_is_the_id(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    ids = COLUMNS[name]
    table = pa.table({"id": ids, "text": TEXTS})
    result = dupdetect.dedup(table)
    assert result.clusters["id"].type == ids.type
    assert result.clusters["id"].to_pylist() == ids.to_pylist()
    assert [len(group) for group in result.groups()] == [2]
    printed = Run(result).ids.to_pylist()
    assert len(set(printed)) == 3
    for form in ("parquet", "jsonl", "csv"):
        result.write(form, format=form)
        assert Run(form).ids.to_pylist() == printed
        assert main(["explain", form, printed[2]]) == 0
    again = dupdetect.dedup(table, against=result)
    assert again.manifest["counts"]["kept"] == 0


@pytest.mark.parametrize("name", COLUMNS)
def test_ids_come_back_in_their_type(name):
    column = pa.chunked_array([COLUMNS[name]])
    assert as_type(workable(column), column.type).equals(column)


def test_how_ids_are_printed():
    def of(name):
        return spelled(pa.chunked_array([COLUMNS[name]])).to_pylist()

    assert of("uuid")[2] == "00000000-0000-0000-0000-000000000002"
    assert of("bytes") == ["WVE9PQ==", "YQ==", "/w=="]
    assert of("seconds")[1] == "2024-01-01T00:00:01"
    assert of("zone")[1] == "2024-01-01T00:00:01Z"
    assert of("duration") == ["0.001", "0.002", "1"]


@pytest.mark.parametrize("kind", [polars.Categorical, polars.Enum(["x", "y", "z"])])
@pytest.mark.parametrize("form", ["parquet", "jsonl", "csv"])
def test_categories_of_polars(tmp_path, kind, form):
    """They are dictionaries of views, which Arrow neither decodes nor writes as Parquet."""
    frame = polars.DataFrame(
        {"id": polars.Series(["x", "y", "z"], dtype=kind), "text": ["one text", "One text!", "another"]}
    )
    result = dupdetect.dedup(frame, canonical="first")
    result.write(tmp_path / "out", format=form)
    assert dupdetect.verify_output(tmp_path / "out", frame).holds
    assert result.clusters["cluster"].to_pylist() == ["x", "x", "z"]
    assert polars.from_arrow(result.kept).schema["id"] == frame.schema["id"]
    if form == "parquet":
        assert polars.read_parquet(tmp_path / "out" / "kept.parquet").schema == frame.schema
    assert dupdetect.dedup(frame.with_columns(polars.col("text").cast(polars.Categorical))).kept.num_rows == 2
    truth = frame.select("id", cluster=polars.Series([1, 1, 2]))
    assert dupdetect.evaluate(result, truth).pairs.f1 == 1


def test_categories_inside_of_lists_are_refused_for_parquet(tmp_path):
    frame = polars.DataFrame({"id": [1, 2], "text": ["one text", "another"], "kinds": [["a"], ["b"]]})
    frame = frame.with_columns(polars.col("kinds").cast(polars.List(polars.Categorical)))
    result = dupdetect.dedup(frame)
    with pytest.raises(dupdetect.OutputError, match=r"column 'kinds' is .*, which Parquet cannot hold"):
        result.write(tmp_path / "out")
    result.write(tmp_path / "out", format="jsonl")
    assert '"kinds": ["a"]' in (tmp_path / "out" / "kept.jsonl").read_text()


@pytest.mark.parametrize("name", COLUMNS)
def test_what_is_spelled_is_read_again(name):
    ids = pa.chunked_array([COLUMNS[name]])
    assert as_spelled(spelled(ids).to_pylist(), ids.type).equals(ids)


@pytest.mark.parametrize(("name", "text"), [("uuid", "7"), ("bytes", "?"), ("date", "May"), ("duration", "x")])
def test_what_is_no_id_of_a_type_is_an_error(name, text):
    with pytest.raises((ValueError, ArithmeticError, pa.ArrowException)):
        as_spelled([text], COLUMNS[name].type)
