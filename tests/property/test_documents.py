"""Nothing vanishes: each row read is accepted or rejected, once, whatever the mix of good and bad."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from dupdetect.io import checks, jsonlines, records
from dupdetect.io.documents import collect

texts = st.text(st.characters(exclude_categories=["Cs"]))
ids = st.integers(0, 5) | st.none()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda v: st.lists(v) | st.dictionaries(texts, v),
)


def rows_of(found):
    """The numbers of all rows, of documents without an id column."""
    accepted = [int(str(id).rsplit(":", 1)[-1]) for id in found.ids.to_pylist()]
    return sorted(accepted + found.rejects["row"].to_pylist())


def is_text(value):
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    return isinstance(value, str) and value.encode("utf-8", "replace").decode() == value


@given(st.lists(st.text() | st.binary() | st.none() | st.integers() | st.floats()), st.integers(1, 5))
def test_lists(items, at_once):
    with mock.patch.object(records, "STRINGS_AT_ONCE", at_once):
        found = collect(items)
    assert rows_of(found) == list(range(len(items)))
    good = [item.decode() if isinstance(item, bytes) else item for item in items if is_text(item)]
    assert found.texts.to_pylist() == good


@given(st.dictionaries(st.text() | st.none(), st.text() | st.none() | st.integers()))
def test_mappings(items):
    found = collect(items)
    assert len(found) + len(found.rejects) == len(items)
    assert dict(zip(found.ids.to_pylist(), found.texts.to_pylist(), strict=True)) == {
        id: text for id, text in items.items() if is_text(id) and is_text(text)
    }


@given(
    st.lists(st.tuples(ids, st.binary() | texts.map(str.encode) | st.none(), st.binary() | st.none())),
    st.integers(1, 4),
    st.data(),
)
def test_tables_of_any_bytes(rows, at_once, data):
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    string = lambda values: pa.array(values, pa.binary()).view(pa.string())  # noqa: E731
    table = pa.table({"id": pa.array(columns[0], pa.int64()), "text": string(columns[1]), "note": string(columns[2])})
    cut = data.draw(st.integers(0, len(rows)))
    table = pa.concat_tables([table.slice(0, cut), table.slice(cut)])
    with mock.patch.object(checks, "SEARCHED_AT_ONCE", at_once):
        found = collect(table)
    expected = {}
    for id, text, note in rows:
        if id is not None and is_text(text) and (note is None or is_text(note)):
            expected.setdefault(id, text.decode())
    assert dict(zip(found.ids.to_pylist(), found.texts.to_pylist(), strict=True)) == expected
    assert len(found) == len(expected) == found.table.num_rows
    assert len(found) + len(found.rejects) == len(rows)
    assert found.rejects["row"].to_pylist() == sorted(set(found.rejects["row"].to_pylist()))


good_lines = st.fixed_dictionaries({"text": texts}, optional={"n": json_values, "deep": json_values})
any_lines = st.one_of(
    good_lines.map(json.dumps),
    good_lines.map(lambda row: json.dumps(row, ensure_ascii=False)),
    st.fixed_dictionaries({"text": json_values}).map(json.dumps),
    st.sampled_from(["", " ", "{", "{}", "{}{}", "[]", "\0", '{"text": "2020-01-01"}', '{"text":1,"text":"a"}', "\r"]),
)


@given(
    st.lists(any_lines.map(lambda line: line.encode("utf-8", "surrogatepass")) | st.binary()),
    st.integers(1, 100),
    st.booleans(),
)
def test_json_lines(lines, block_bytes, ends):
    raw = b'{"text": "first"}\n' + b"\n".join(lines) + b"\n" * ends
    with TemporaryDirectory() as folder, mock.patch.object(jsonlines, "BLOCK_BYTES", block_bytes):
        path = Path(folder) / "x.jsonl"
        path.write_bytes(raw)
        found = collect(path)
    expected = [number for number, line in enumerate(raw.split(b"\n"), 1) if line.strip(b" \t\r")]
    assert rows_of(found) == expected
    assert found.texts[0].as_py() == "first"


@given(st.lists(good_lines), st.integers(1, 200))
def test_good_json_lines_are_all_accepted(rows, block_bytes):
    rows = [{"text": "first"}, *rows]
    with TemporaryDirectory() as folder, mock.patch.object(jsonlines, "BLOCK_BYTES", block_bytes):
        path = Path(folder) / "x.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        found = collect(path)
    bad = {number for number, row in enumerate(rows, 1) if not json.dumps(row, ensure_ascii=False).isprintable()}
    assert set(found.rejects["row"].to_pylist()) <= bad  # lone surrogates in other members
    accepted = [int(id.rsplit(":", 1)[1]) for id in found.ids.to_pylist()]
    assert found.texts.to_pylist() == [rows[number - 1]["text"] for number in accepted]


fields = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"))


@given(st.lists(st.lists(fields, min_size=1, max_size=4)))
def test_csv(rows):
    def record(values):
        return ",".join('"' + value.replace('"', '""') + '"' for value in values) + "\n"

    raw = "text,note,more\n" + "".join(map(record, rows))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_text(raw, encoding="utf-8", newline="")
        found = collect(path)
    line, expected, good = 2, [], []
    for row in rows:
        if len(row) != 3 or any(row):
            expected.append(line)
        if len(row) == 3 and any(row):
            good.append(row[0])
        line += record(row).count("\n")
    assert rows_of(found) == expected
    assert found.texts.to_pylist() == good


@given(st.lists(st.binary() | st.none(), min_size=1), st.integers(1, 9))
def test_parquet(values, row_group):
    table = pa.table({"text": pa.array(values, pa.binary()).view(pa.string())})
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.parquet"
        pq.write_table(table, path, row_group_size=row_group)
        found = collect(path)
    assert rows_of(found) == list(range(1, len(values) + 1))
    assert found.texts.to_pylist() == [value.decode() for value in values if is_text(value)]
