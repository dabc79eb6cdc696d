import csv
import datetime
import decimal
import json
import sys
import weakref

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect.errors import OutputError
from dupdetect.io import writers
from dupdetect.io.writers import write_table

EVERYTHING = pa.table(
    {
        "text": pa.array(['say "a",\nb', "", "\0é"], pa.large_string()),
        "view": pa.array(["x", None, "y"], pa.string_view()),
        "kind": pa.array(["x", "x", None]).dictionary_encode(),
        "raw": pa.array([b"x", b"\xff", None]),
        "n": [1.5, float("nan"), float("inf")],
        "when": [datetime.datetime(2020, 1, 2, 3), None, None],
        "price": [decimal.Decimal("1.10"), None, None],
        "deep": [{"a": [1.0, float("nan")]}, None, {"a": []}],
    }
)


def test_json_lines_of_every_type(tmp_path):
    write_table(EVERYTHING, tmp_path / "x.jsonl", "jsonl")
    rows = [json.loads(line) for line in (tmp_path / "x.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows[0] == {
        "text": 'say "a",\nb',
        "view": "x",
        "kind": "x",
        "raw": "eA==",
        "n": 1.5,
        "when": "2020-01-02T03:00:00",
        "price": "1.10",
        "deep": {"a": [1.0, None]},
    }
    assert (rows[1]["raw"], rows[1]["n"], rows[2]["n"], rows[2]["text"]) == ("/w==", None, None, "\0é")


def test_csv_of_every_type(tmp_path):
    write_table(EVERYTHING, tmp_path / "x.csv", "csv")
    with (tmp_path / "x.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line.replace("\0", "␀") for line in file))
    assert len(rows) == 3
    assert list(rows[0].values())[:5] == ['say "a",\nb', "x", "x", "eA==", "1.5"]
    assert rows[0]["deep"] == '{"a": [1.0, null]}'
    assert rows[1]["raw"] == "/w=="


@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_a_table_without_rows(tmp_path, format):
    write_table(EVERYTHING.slice(0, 0), tmp_path / "x", format)
    assert (tmp_path / "x").read_text().count("\n") == (format == "csv")


def test_parquet_keeps_the_table(tmp_path, monkeypatch):
    monkeypatch.setattr(writers, "ROW_GROUP_BYTES", 1000)
    table = pa.table({"id": range(1000), "text": ["snow"] * 1000})
    write_table(table, tmp_path / "x.parquet", "parquet")
    assert pq.read_table(tmp_path / "x.parquet") == table
    assert pq.ParquetFile(tmp_path / "x.parquet").num_row_groups > 10
    write_table(EVERYTHING, tmp_path / "y.parquet", "parquet")
    write_table(pa.table({}), tmp_path / "z.parquet", "parquet")


def test_the_same_rows_make_the_same_file_in_whatever_parts_they_come(tmp_path, monkeypatch):
    monkeypatch.setattr(writers, "ROW_GROUP_BYTES", 3000)
    texts = [f"{n} " * (n * 7 % 90) for n in range(300)]
    table = pa.table({"text": texts, "n": pa.array([None, *range(299)]), "tags": [["a"] * (n % 3) for n in range(300)]})

    class Parts:
        schema = table.schema

        def __init__(self, size):
            self.size = size

        def __iter__(self):
            return (table.slice(first, self.size) for first in range(0, 300, self.size))

    files = []
    for rows in (table, Parts(1), Parts(7), Parts(299)):
        write_table(rows, tmp_path / "rows.parquet", "parquet")
        files.append((tmp_path / "rows.parquet").read_bytes())
        assert pq.read_table(tmp_path / "rows.parquet").equals(table)
    assert set(files) == {files[0]}
    assert pq.ParquetFile(tmp_path / "rows.parquet").num_row_groups > 5


def test_row_groups_are_about_equally_large_and_texts_have_no_dictionary(tmp_path, monkeypatch):
    monkeypatch.setattr(writers, "ROW_GROUP_BYTES", 100_000)
    table = pa.table({"site": ["a.org", "b.org"] * 500, "text": [f"{i} " + "x" * 1000 for i in range(1000)]})
    write_table(table, tmp_path / "x.parquet", "parquet")
    metadata = pq.read_metadata(tmp_path / "x.parquet")
    rows = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    assert sum(rows) == 1000
    assert max(rows) <= 100
    site, text = (metadata.row_group(0).column(place) for place in (0, 1))
    assert (site.has_dictionary_page, text.has_dictionary_page) == (True, False)


@pytest.mark.parametrize("memory", [None, 1 << 29])
def test_categories_of_many_files_are_more_than_one_file_has(tmp_path, memory):
    """pandas numbers up to 127 of them with a byte."""
    (tmp_path / "in").mkdir()
    for file in range(3):
        names = pa.array([f"{file}: {row}" for row in range(100)]).dictionary_encode()
        table = pa.table(
            {
                "text": [f"glacier {file} lantern {row}" for row in range(100)],
                "kind": names.cast(pa.dictionary(pa.int8(), pa.string())),
                "kinds": pa.ListArray.from_arrays(range(101), names.cast(pa.dictionary(pa.int8(), pa.string()))),
            }
        )
        pq.write_table(table, tmp_path / "in" / f"{file}.parquet")
    found = dupdetect.dedup(tmp_path / "in", memory=memory)
    expected = [f"{file}: {row}" for file in range(3) for row in range(100)]
    found.write(tmp_path / "out", kept="parquet")
    for kept in (found.kept, pq.read_table(tmp_path / "out" / "kept.parquet")):
        assert kept["kind"].to_pylist() == expected
        assert kept["kinds"].to_pylist() == [[name] for name in expected]
        assert kept.combine_chunks()["kind"].type == pa.dictionary(pa.int32(), pa.string())


def test_a_table_without_rows_has_no_row_group(tmp_path):
    """`datasets` refuses a row group without rows, and so a shard of which nothing stays."""
    write_table(EVERYTHING.slice(0, 0), tmp_path / "x.parquet", "parquet")
    written = pq.ParquetFile(tmp_path / "x.parquet")
    assert (written.num_row_groups, written.schema_arrow.names) == (0, EVERYTHING.column_names)


def test_a_row_group_is_let_go_of_before_the_next_is_put_together(tmp_path, monkeypatch):
    monkeypatch.setattr(writers, "ROW_GROUP_BYTES", 1000)
    made, alive, groups = [], [], writers._groups

    def watched(table):
        for group in groups(table):
            alive.append(sum(one() is not None for one in made))
            made.append(weakref.ref(group))
            yield group
            del group

    monkeypatch.setattr(writers, "_groups", watched)
    table = pa.table({"text": ["a text of some words" * 9] * 40})
    with (tmp_path / "a.parquet").open("wb") as file:
        writers.write_parquet(table, file)
    assert len(alive) > 5
    assert set(alive) == {0}
    assert pq.read_table(tmp_path / "a.parquet").equals(table)


def test_dictionaries_with_nulls_among_their_values_are_written_to_parquet(tmp_path):
    names = pa.DictionaryArray.from_arrays(pa.array([2, 1, None, 0], pa.int8()), ["a", None, "c"], ordered=True)
    write_table(pa.table({"name": names}), tmp_path / "a", "parquet")
    found = pq.read_table(tmp_path / "a")["name"]
    assert found.type == names.type
    assert found.to_pylist() == ["c", None, None, "a"]


def test_decimals_that_parquet_cannot_hold_are_refused_by_name(tmp_path):
    table = pa.table({"price": pa.array([1000], pa.decimal128(10, -3))})
    with pytest.raises(OutputError, match="column 'price' is decimal128"):
        write_table(table, tmp_path / "a", "parquet")


def test_categories_of_many_parts_of_one_table_are_more_than_their_numbers(tmp_path):
    names = [pa.array([f"{part}: {row}" for row in range(100)]).dictionary_encode() for part in range(3)]
    column = pa.chunked_array([part.cast(pa.dictionary(pa.int8(), pa.string())) for part in names])
    table = pa.table({"text": [f"glacier lantern {row}" for row in range(300)], "name": column})
    with pq.ParquetWriter(tmp_path / "a.parquet", table.schema) as writer:
        for first in range(0, 300, 100):
            writer.write_table(table.slice(first, 100))
    for number, data in enumerate((table, tmp_path / "a.parquet")):
        found = dupdetect.dedup(data)
        found.write(tmp_path / str(number))
        kept = pq.ParquetFile(tmp_path / str(number) / "kept.parquet")
        groups = [kept.read_row_group(group)["name"] for group in range(kept.num_row_groups)]
        assert [name for group in groups for name in group.to_pylist()] == column.to_pylist()
        assert {group.type for group in groups} == {column.type}
        assert found.kept["name"].to_pylist() == column.to_pylist()


MOMENTS = {
    "nanoseconds": (pa.array([1, -1, 10**9], pa.timestamp("ns")), ["00:00:00.000000001", None, "00:00:01"]),
    "zones": (pa.array([1500000, 0, 0], pa.timestamp("us", "Asia/Kolkata")), ["1970-01-01T00:00:01.5Z", None, None]),
    "beyond": (pa.array([253402300800, 0, 0], pa.timestamp("s")), ["10000-01-01T00:00:00", None, None]),
    "far beyond": (pa.array([2**60, 0, -(2**60)], pa.timestamp("us")), ["38504-08-17T21:30:06.846976", None, "153024"]),
    "far days": (pa.array([2932897, 0, 1], pa.date32()), ["10000-01-01", "1970-01-01", "1970-01-02"]),
    "times": (pa.array([1, 86399999999999, 0], pa.time64("ns")), ["00:00:00.000000001", "23:59:59.999999999", None]),
    "durations": (pa.array([1, -1, 2**62], pa.duration("ns")), ["0.000000001", "-0.000000001", "4611686018.427387904"]),
    "long durations": (pa.array([2**62, 1, 0], pa.duration("s")), [str(2**62), "1", "0"]),
}


@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize(("values", "expected"), MOMENTS.values(), ids=MOMENTS)
def test_moments_are_written_to_the_last_digit(tmp_path, monkeypatch, values, expected, nested):
    monkeypatch.setitem(sys.modules, "pandas", None)  # which would know nanoseconds
    column = pa.StructArray.from_arrays([pa.ListArray.from_arrays([0, 1, 2, 3], values)], ["at"]) if nested else values
    for table in (
        pa.table({"when": column}),
        pa.table({"when": column}).slice(1),
        pa.table({"when": column}).slice(0, 0),
    ):
        first = 3 - len(table) if len(table) else 3
        write_table(table, tmp_path / "a", "jsonl")
        found = [json.loads(line)["when"] for line in (tmp_path / "a").read_text().splitlines()]
        write_table(table, tmp_path / "a", "csv")
        with (tmp_path / "a").open(newline="") as file:
            in_csv = [row["when"] for row in csv.DictReader(file)]
        if nested:
            assert [json.loads(value) for value in in_csv] == found
            found = [value["at"][0] for value in found]
        assert len(found) == len(in_csv) == 3 - first
        for value, wanted in zip(found, expected[first:], strict=True):
            assert wanted is None or value.endswith(wanted)


def test_moments_in_maps_and_dictionaries(tmp_path):
    when = pa.array([1, None, 1], pa.timestamp("ns"))
    entries = pa.array([[("a", 1)], None, [("b", None)]], pa.map_(pa.string(), pa.timestamp("ns")))
    write_table(pa.table({"when": when.dictionary_encode(), "more": entries}), tmp_path / "a", "jsonl")
    at = "1970-01-01T00:00:00.000000001"
    assert [json.loads(line) for line in (tmp_path / "a").read_text().splitlines()] == [
        {"when": at, "more": [["a", at]]},
        {"when": None, "more": None},
        {"when": at, "more": [["b", None]]},
    ]


def test_strings_of_runs_are_strings_in_csv(tmp_path):
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int32()), ["è", None])
    write_table(pa.table({"name": runs}), tmp_path / "a", "csv")
    assert (tmp_path / "a").read_text() == '"name"\n"è"\n"è"\n\n'
