"""However an input is cut into parts, and wherever reading stops and goes on: the same documents."""

import json
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from dupdetect.errors import InputError
from dupdetect.io import csv as csvfiles
from dupdetect.io import jsonlines
from dupdetect.io.documents import Documents, collect, conform, stream
from dupdetect.io.duplicate_ids import find_duplicates

texts = st.sampled_from(["", "Snow.", "雪が降る港", "ثلج", "снег идёт", "หิมะ", "बर्फ़", "🌨️❄", "two\nlines", "2020-01-01"])
values = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(0, 1) | texts
nested = values | st.lists(values, max_size=2) | st.dictionaries(st.sampled_from("ab"), values, max_size=2)
ids = st.integers(0, 6) | st.sampled_from(["x", "1"]) | st.none()

json_rows = st.fixed_dictionaries({}, optional={"id": ids, "text": texts | st.none(), "n": nested}).map(json.dumps)
json_files = st.lists(json_rows | st.sampled_from(["", "{", "[]"]), max_size=8).map(
    lambda rows: ("jsonl", "\n".join(rows).encode())
)
cells = st.sampled_from(["1", "2", "007", "x", "", "1.5", "true", "2020-01-01", '"a\nb"', '"q""q"', "ثلج"])
csv_files = st.lists(st.lists(cells, min_size=2, max_size=4).map(",".join), max_size=8).map(
    lambda rows: ("csv", "\n".join(["id,text,n", *rows]).encode())
)
tables = st.lists(st.tuples(st.integers(0, 6), texts | st.none(), st.none() | st.floats(0, 1)), max_size=8).map(
    lambda rows: pa.Table.from_pylist(
        [dict(zip(("id", "text", "n"), row, strict=True)) for row in rows],
        pa.schema([("id", pa.int64()), ("text", pa.string()), ("n", pa.float64())]),
    )
)
files = json_files | csv_files | tables.map(lambda table: ("parquet", table))


def put(folder, contents):
    for number, (suffix, data) in enumerate(contents):
        path = Path(folder) / f"{number}.{suffix}"
        if suffix == "parquet":
            pq.write_table(data, path, row_group_size=3)
        else:
            path.write_bytes(data)


def outcome(read):
    """What is read, or what is said against it."""
    try:
        found = read()
    except InputError as error:
        return str(error)
    return tuple(column.to_pylist() for column in (found.table, found.ids, found.texts, found.rejects))


def in_parts(data, **options):
    """Read part by part; a new stream goes on after each."""
    parts, note = [], None
    while True:
        reader = stream(data, after=note, **options)
        with closing(iter(reader)) as items:
            part = next(items, None)
        if part is None:
            break
        parts.append(part)
        note = json.loads(json.dumps(part.note))
    file = np.concatenate([np.empty(0, np.int32), *(part.file for part in parts)])
    row = np.concatenate([np.empty(0, np.int64), *(part.row for part in parts)])
    tables = [conform(part.table, reader.schema) for part in parts]
    table = pa.concat_tables([reader.schema.empty_table(), *tables])
    found = [
        chunk
        for part, table_of in zip(parts, tables, strict=True)
        for chunk in reader.ids(table_of, part.file, part.row).chunks
    ]
    late, rejects = reader.late(pa.chunked_array(found or [pa.array([], pa.int64())]), file, row)
    keep = np.ones(len(row), np.bool_)
    keep[late] = False
    mask = pa.array(keep)
    whole = pa.chunked_array([part.texts for part in parts], pa.large_string())
    assert len(whole) == len(row) == len(table)
    joined = pa.chunked_array(found or [pa.array([], pa.int64())])
    return Documents(
        table.filter(mask),
        joined.filter(mask),
        whole.filter(mask),
        reader.rejects([*(p.rejects for p in parts), rejects]),
        [],
    )


@settings(max_examples=30)
@given(st.lists(files, min_size=1, max_size=3), st.integers(12, 80), st.sampled_from([1, 60, 400]))
def test_files_in_parts(contents, block, size):
    with (
        TemporaryDirectory() as folder,
        mock.patch.object(jsonlines, "BLOCK_BYTES", block),
        mock.patch.object(csvfiles, "BLOCK_BYTES", (block, 4000, 2**31 - 1)),
    ):
        put(folder, contents)
        whole = outcome(lambda: collect(folder))
        assert outcome(lambda: in_parts(folder, part_bytes=size)) == whole


@settings(max_examples=40)
@given(st.lists(texts | st.none() | st.integers() | st.just("\ud800")), st.sampled_from([1, 60, 400]))
def test_lists_and_mappings_in_parts(items, size):
    assert outcome(lambda: in_parts(items, part_bytes=size)) == outcome(lambda: collect(items))
    keyed = {f"k{number}": item for number, item in enumerate(items)}
    assert outcome(lambda: in_parts(keyed, part_bytes=size)) == outcome(lambda: collect(keyed))


@settings(max_examples=40)
@given(st.lists(tables, min_size=1, max_size=3), st.sampled_from([1, 60, 400]))
def test_tables_in_parts(some, size):
    table = pa.concat_tables(some)
    assert outcome(lambda: in_parts(table, part_bytes=size)) == outcome(lambda: collect(table))


any_ids = (
    st.lists(st.none() | st.integers(-5, 5)).map(lambda ids: pa.array(ids, pa.int64()))
    | st.lists(st.none() | st.text("ab\u00e9雪", max_size=20)).map(lambda ids: pa.array(ids, pa.string()))
    | st.lists(st.none() | st.binary(max_size=3)).map(lambda ids: pa.array(ids, pa.binary()))
    | st.lists(st.none() | st.floats(0, 1, width=16)).map(lambda ids: pa.array(ids, pa.float64()))
    | st.lists(st.none() | st.dates()).map(lambda ids: pa.array(ids, pa.date32()))
)


@given(any_ids, st.integers(0, 5))
def test_ids_that_repeat(ids, cut):
    seen, positions, firsts = {}, [], []
    for position, value in enumerate(ids.to_pylist()):
        if value is not None and seen.setdefault(value, position) != position:
            positions.append(position)
            firsts.append(seen[value])
    found = find_duplicates(pa.chunked_array([ids[:cut], ids[cut:]]))
    assert [each.tolist() for each in found] == [positions, firsts]
