"""Ids of any type: as they are in the tables, and one text for each."""

import csv
import datetime
import decimal
import json
import uuid

import polars
import pyarrow as pa
import pyarrow.parquet as pq
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


def told(path, name):
    """Return a column of a table of JSON Lines or CSV, as it is written."""
    if path.suffix == ".jsonl":
        return [str(json.loads(line)[name]) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row[name] for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines())]


@pytest.mark.parametrize("format", ["jsonl", "csv"])
@pytest.mark.parametrize("name", COLUMNS)
def test_rows_have_their_ids_as_the_tables_have_them(tmp_path, name, format):
    table = pa.table({"id": COLUMNS[name], "text": TEXTS})
    result = dupdetect.dedup(table)
    result.write(tmp_path / "out", format=format, annotated=True)
    clusters, rows = (tmp_path / "out" / f"{which}.{format}" for which in ("clusters", "annotated"))
    assert told(rows, "id") == told(clusters, "id")
    assert told(rows, "cluster") == told(clusters, "cluster")
    assert set(told(tmp_path / "out" / f"kept.{format}", "id")) == set(told(clusters, "cluster"))
    pq.write_table(table, tmp_path / "in.parquet")
    assert main(["dedup", str(tmp_path / "in.parquet"), "-o", str(tmp_path / f"one.{format}")]) == 0
    assert told(tmp_path / f"one.{format}", "id") == told(tmp_path / "out" / f"kept.{format}", "id")
    index = str(tmp_path / "documents.dupindex")
    new = tmp_path / "new.jsonl"
    assert main(["index", "add", index, str(tmp_path / "in.parquet"), "-q", "--new-only", str(new)]) == 0
    assert main(["index", "clusters", index, "-o", str(tmp_path / f"held.{format}")]) == 0
    assert set(told(new, "id")) == set(told(tmp_path / f"held.{format}", "cluster"))


@pytest.mark.parametrize("type_", [pa.binary(), pa.large_binary(), pa.binary_view()])
def test_bytes_are_base64_but_for_texts(tmp_path, type_):
    table = pa.table({"id": ["a"], "text": pa.array(["漢字 и €".encode()], pa.binary()).cast(type_), "more": [b"abc"]})
    dupdetect.dedup(table).write(tmp_path / "out", format="jsonl")
    assert told(tmp_path / "out" / "kept.jsonl", "text") == ["漢字 и €"]
    assert told(tmp_path / "out" / "kept.jsonl", "more") == ["YWJj"]


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
