import gzip
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from dupdetect.errors import InputError
from dupdetect.io.checks import REJECTS
from dupdetect.io.documents import Documents, collect, stream

A, B = "The lamps went out.", "Über Nacht fiel Schnee."
NULL = "column 'text' is null, expected a string"


def check(documents: Documents, ids, texts, rejects=()):
    """Compare, and hold what always holds."""
    assert documents.ids.to_pylist() == ids
    assert documents.texts.to_pylist() == texts
    assert [tuple(row.values()) for row in documents.rejects.to_pylist()] == list(rejects)
    assert documents.texts.type == pa.large_string()
    assert documents.rejects.schema == REJECTS
    assert len(documents) == documents.table.num_rows == len(documents.texts)
    documents.table.validate(full=True)
    documents.texts.validate(full=True)


def raw_strings(*values, large=False):
    """Strings that may be no UTF-8, as Parquet files may hold."""
    if large:
        return pa.array(values, pa.large_binary()).view(pa.large_string())
    return pa.array(values, pa.binary()).view(pa.string())


# ---- kinds of data ----


@pytest.mark.parametrize(
    "data",
    [
        [A, B],
        (A, B),
        np.array([A, B]),
        np.array([A, B], object),
        pd.Series([A, B]),
        pl.Series([A, B]),
        pa.array([A, B]),
        pa.chunked_array([[A], [B]]),
        pa.array([A, B]).dictionary_encode(),
        [A.encode(), B],
    ],
    ids=lambda data: type(data).__name__,
)
def test_texts_alone_are_numbered_from_0(data):
    documents = collect(data)
    check(documents, [0, 1], [A, B])
    assert documents.ids.type == pa.int64()
    assert documents.table.column_names == ["id", "text"]
    assert documents.inputs == [type(data).__name__]


def test_a_generator_is_read_once_and_in_full():
    check(collect(str(i) for i in range(20_000)), list(range(20_000)), [str(i) for i in range(20_000)])


def test_a_set_of_one_text():
    check(collect({A}), [0], [A])


@pytest.mark.parametrize(
    "empty", [[], {}, iter([]), pa.table({"text": pa.array([], pa.string())}), pd.Series([], dtype=str)]
)
def test_nothing_is_no_documents(empty):
    check(collect(empty), [], [])


@pytest.mark.parametrize(("ids", "type_"), [(["x", "y"], pa.string()), ([2**40, -1], pa.int64())])
def test_keys_of_a_mapping_are_ids(ids, type_):
    documents = collect(dict(zip(ids, [A, B], strict=True)))
    check(documents, ids, [A, B])
    assert documents.ids.type == type_


TABLE = pa.table({"id": ["x", "y"], "n": [1, 2], "text": [A, B]})


@pytest.mark.parametrize(
    "frame",
    [
        TABLE,
        TABLE.to_batches()[0],
        TABLE.to_reader(),
        TABLE.to_struct_array(),
        TABLE.to_pandas(),
        pl.from_arrow(TABLE),
    ],
    ids=lambda frame: f"{type(frame).__module__}.{type(frame).__name__}",
)
def test_tables_keep_their_columns_and_ids(frame):
    documents = collect(frame)
    check(documents, ["x", "y"], [A, B])
    assert documents.table.select(["id", "n", "text"]).to_pylist() == TABLE.to_pylist()


def test_a_relation_of_duckdb_keeps_its_columns_and_ids():
    # In a process of its own: duckdb's bindings complain at exit, after the last line of the test run.
    script = """
import duckdb
from dupdetect.io.documents import collect

documents = collect(duckdb.sql("select 'x' as id, 1 as n, 'one text' as text union all select 'y', 2, 'another'"))
assert sorted(documents.ids.to_pylist()) == ["x", "y"]
assert sorted(documents.texts.to_pylist()) == ["another", "one text"]
assert documents.table.column_names == ["id", "n", "text"]
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_columns_may_have_other_names():
    documents = collect(TABLE.rename_columns(["url", "n", "body"]), text="body", id="url")
    check(documents, ["x", "y"], [A, B])
    check(collect([A], text="body", id="url"), [0], [A])


def test_a_table_without_ids_is_numbered_and_stays_as_it_is():
    documents = collect(TABLE.drop_columns("id"))
    check(documents, [0, 1], [A, B])
    assert documents.table.column_names == ["n", "text"]


def test_arrow_strings_are_not_copied():
    table = pa.table({"text": pa.array([A, B], pa.large_string())})
    texts = collect(table).texts
    assert texts.chunk(0).buffers()[2].address == table["text"].chunk(0).buffers()[2].address


@pytest.mark.parametrize(
    "type_",
    [
        pa.string(),
        pa.large_string(),
        pa.binary(),
        pa.large_binary(),
        pa.dictionary(pa.int8(), pa.string()),
        pa.string_view(),
    ],
    ids=str,
)
def test_every_type_of_string_is_text_and_id(type_):
    column = pa.array([A, B, None]).cast(type_)
    table = pa.table({"text": column, "id": column})
    ids = [A, B] if "binary" not in str(type_) else [A.encode(), B.encode()]
    check(collect(table), ids, [A, B], [(None, 2, NULL)])


def test_a_slice_of_a_table():
    check(
        collect(pa.table({"text": ["no", None, A, None, B, "no"]}).slice(1, 4)),
        [1, 3],
        [A, B],
        [(None, 0, NULL), (None, 2, NULL)],
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (3, "the data are of type int: expected an iterable of str or of rows"),
        (None, "the data are of type NoneType"),
        (b"text", "the data are of type bytes"),
        ([Path("x"), "y"], "does not exist"),
        ([Path("x"), 3], "the list of paths holds a int"),
        ({"x": A, 3: B}, "the ids are of types int and str: expected all strings or all integers"),
        ({2**70: A}, "the ids are of types int"),
        (
            {("x",): A},
            "the data: column 'id' is list<item: string>, expected ids that are strings, numbers, dates",
        ),
        (
            TABLE.drop_columns("text"),
            "the data: there is no column 'text'; the columns are 'id', 'n': name one of these",
        ),
        (pa.table({"text": [1, 2]}), "the data: column 'text' is int64, expected string"),
        (pa.table({"text": [["a"]]}), "column 'text' is list<item: string>, expected string"),
        (pa.table([[A], [B]], ["text", "text"]), "the data: column 'text' occurs twice"),
    ],
)
def test_data_that_cannot_be_read(data, message):
    with pytest.raises(InputError, match=message):
        collect(data)


def test_an_id_column_that_was_asked_for_must_be_there():
    with pytest.raises(InputError, match="there is no column 'url'; the columns are 'id', 'n', 'text'"):
        collect(TABLE, id="url")


# ---- bad rows ----


def test_bad_texts_in_a_list():
    bad = [None, 3, float("nan"), "x\ud800", b"x\xff", ["a"]]
    documents = collect([A, *bad, B])
    reasons = [
        NULL,
        "column 'text' is of type int, expected a string",
        NULL,
        "column 'text' holds a lone surrogate (U+D800, character 1), expected valid Unicode",
        "column 'text' is not valid UTF-8 (byte 1: 0xFF)",
        "column 'text' is of type list, expected a string",
    ]
    check(documents, [0, 7], [A, B], [(None, row, reason) for row, reason in enumerate(reasons, 1)])
    check(
        collect(dict(enumerate([A, *bad, B]))),
        [0, 7],
        [A, B],
        [(None, row, reason) for row, reason in enumerate(reasons, 1)],
    )


def test_bad_rows_far_into_a_list():
    documents = collect([A] * 20_000 + [None] + [B])
    check(documents, [*range(20_000), 20_001], [A] * 20_000 + [B], [(None, 20_000, NULL)])


def test_bad_keys_of_a_mapping():
    reason = "column 'id' holds a lone surrogate (U+DC80, character 0), expected valid Unicode"
    null = "column 'id' is null, expected an id"
    check(
        collect({"x": A, "\udc80": A, None: A, "y": B}),
        ["x", "y"],
        [A, B],
        [(None, 1, reason), (None, 2, null)],
    )


def test_invalid_utf8_in_a_column_of_texts():
    table = pa.table({"text": raw_strings(A.encode(), b"caf\xe9", None, B.encode())})
    rejects = [(None, 1, "column 'text' is not valid UTF-8 (byte 3: 0xE9)"), (None, 2, NULL)]
    check(collect(table), [0, 3], [A, B], rejects)


@pytest.mark.parametrize("large", [False, True])
def test_invalid_utf8_in_another_column_or_the_ids(large):
    table = pa.table(
        {
            "id": raw_strings(b"x", b"\xff", b"y", large=large),
            "n": raw_strings(None, b"ok", b"\xc3", large=large),
            "text": [A, A, A],
        }
    )
    rejects = [
        (None, 1, "column 'id' is not valid UTF-8 (byte 0: 0xFF)"),
        (None, 2, "column 'n' is not valid UTF-8 (byte 0: 0xC3)"),
    ]
    check(collect(table), ["x"], [A], rejects)


def test_invalid_utf8_among_many_rows_and_in_a_dictionary():
    values = [b"fine"] * 5000
    values[4321] = b"\x80"
    column = raw_strings(*values)
    for table in (pa.table({"text": column}), pa.table({"text": column.dictionary_encode()})):
        assert collect(table).rejects["row"].to_pylist() == [4321]


def test_the_later_of_two_rows_with_one_id_is_rejected():
    table = pa.table({"id": [7, 8, 7, 9, 7, 8], "text": ["a", None, "c", "d", "e", "f"]})
    rejects = [
        (None, 1, NULL),
        (None, 2, "column 'id' repeats the id 7 of row 0"),
        (None, 4, "column 'id' repeats the id 7 of row 0"),
    ]
    check(collect(table), [7, 9, 8], ["a", "d", "f"], rejects)


def test_null_ids():
    null = "column 'id' is null, expected an id"
    check(collect(pa.table({"id": [None, 1], "text": [A, B]})), [1], [B], [(None, 0, null)])
    check(collect(pa.table({"id": [None], "text": [A]})), [], [], [(None, 0, null)])


def test_a_nul_character_is_text():
    check(collect(["a\0b", "\0"]), [0, 1], ["a\0b", "\0"])


def test_nothing_but_nulls():
    check(collect([None, None]), [], [], [(None, 0, NULL), (None, 1, NULL)])
    check(collect(pa.table({"text": [None]})), [], [], [(None, 0, NULL)])


def test_strict_names_the_first_bad_row():
    with pytest.raises(InputError, match=r"^row 1: column 'text' is null, expected a string \(1 more row"):
        collect([A, None, 3], strict=True)
    assert len(collect([A, B], strict=True)) == 2


# ---- files ----


def write_lines(path, *rows):
    path.write_bytes(b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows))
    return path


def test_rows_of_files_without_ids_are_named_after_file_and_row(tmp_path):
    path = write_lines(tmp_path / "x.jsonl", {"text": A}, b"oops", {"text": B})
    documents = collect(path)
    reason = "the line is not valid JSON (Expecting value, column 1)"
    check(documents, [f"{path}:1", f"{path}:3"], [A, B], [(str(path), 2, reason)])
    assert documents.table.column_names == ["text"]
    assert documents.inputs == [str(path)]


def test_files_with_ids(tmp_path):
    a = write_lines(tmp_path / "a.jsonl", {"id": 1, "text": A, "n": 1}, {"id": 2, "text": B})
    b = write_lines(tmp_path / "b.jsonl", {"id": 3, "text": A, "by": "Ann"}, {"id": 1, "text": B})
    documents = collect(f"{tmp_path}/*.jsonl")
    check(documents, [1, 2, 3], [A, B, A], [(str(b), 2, f"column 'id' repeats the id 1 of {a}:1")])
    assert documents.table.column_names == ["id", "text", "n", "by"]
    assert collect([a, b]).table == documents.table


def test_files_of_several_formats(tmp_path):
    pq.write_table(pa.table({"text": [A], "id": pa.array(["p"]).dictionary_encode()}), tmp_path / "a.parquet")
    (tmp_path / "b.csv").write_text(f"id,text\nc,{B}\n", encoding="utf-8")
    write_lines(tmp_path / "c.jsonl", {"id": "j", "text": A})
    check(collect(tmp_path), ["p", "c", "j"], [A, B, A])


def test_text_files_have_their_path_for_an_id(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.txt").write_text(A, encoding="utf-8")
    (tmp_path / "b.txt").write_bytes(b"caf\xe9")
    (tmp_path / "deep/c.txt").write_text(B, encoding="utf-8")
    rejects = [(str(tmp_path / "b.txt"), 1, "column 'text' is not valid UTF-8 (byte 3: 0xE9)")]
    check(collect(tmp_path), ["a.txt", "deep/c.txt"], [A, B], rejects)
    check(
        collect(tmp_path, text="body", id="path"),
        ["a.txt", "deep/c.txt"],
        [A, B],
        [(*rejects[0][:2], rejects[0][2].replace("text", "body"))],
    )


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
def test_invalid_utf8_in_files(tmp_path, format):
    path = tmp_path / f"x.{format}"
    if format == "jsonl":
        path.write_bytes(b'{"text": "a"}\n{"text": "\xff"}\n')
    elif format == "csv":
        path.write_bytes(b"text\na\n\xff\n")
    else:
        pq.write_table(pa.table({"text": raw_strings(b"a", b"\xff")}), path)
    first = 2 if format == "csv" else 1
    reason = "column 'text' is not valid UTF-8 (byte 0: 0xFF)"
    check(collect(path), [f"{path}:{first}"], ["a"], [(str(path), first + 1, reason)])


def test_files_must_have_the_columns(tmp_path):
    path = write_lines(tmp_path / "x.jsonl", {"body": A, "url": "x"})
    with pytest.raises(InputError, match=r"x.jsonl: there is no column 'text'; the columns are 'body', 'url'"):
        collect(path)
    with pytest.raises(InputError, match=r"x.jsonl: there is no column 'id'; the columns are"):
        collect(path, text="body", id="id")
    check(collect(path, text="body", id="url"), ["x"], [A])


def test_either_all_files_have_ids_or_none(tmp_path):
    a = write_lines(tmp_path / "a.jsonl", {"text": A})
    b = write_lines(tmp_path / "b.jsonl", {"text": A, "id": 1})
    empty = write_lines(tmp_path / "empty.jsonl")
    with pytest.raises(InputError, match=r"a.jsonl: there is no column 'id', but .*b.jsonl has one"):
        collect([a, b])
    check(collect([empty, b]), [1], [A])
    check(collect([empty, a]), [f"{a}:1"], [A])
    check(collect(empty), [], [])


def test_types_that_disagree(tmp_path):
    for name, value in [("a", 1), ("b", "late")]:
        pq.write_table(pa.table({"text": [A], "n": [value]}), tmp_path / f"{name}.parquet")
        write_lines(tmp_path / f"{name}.jsonl", {"text": A, "n": value})
    with pytest.raises(InputError, match=r"column 'n' is int64 in .*a.parquet and string in .*b.parquet"):
        collect(f"{tmp_path}/*.parquet", id="n")
    for ending in ("parquet", "jsonl"):
        assert collect(f"{tmp_path}/*.{ending}").table["n"].to_pylist() == ["1", "late"]


def test_integers_of_64_bits_beside_floats_are_text_and_not_rounded(tmp_path):
    for name, values in [("a", [2**53 + 1]), ("b", [0.5])]:
        pq.write_table(pa.table({"text": [A], "n": values}), tmp_path / f"{name}.parquet")
    assert collect(tmp_path).table["n"].to_pylist() == [str(2**53 + 1), "0.5"]


def test_strict_names_file_and_row(tmp_path):
    path = write_lines(tmp_path / "x.jsonl", {"text": A}, {"text": None})
    with pytest.raises(InputError, match=r"x.jsonl:2: column 'text' is null, expected a string; mend"):
        collect(path, strict=True)


# ---- size ----


@pytest.mark.parametrize("format", ["list", "jsonl", "jsonl.gz", "csv", "parquet", "txt"])
def test_a_text_of_100_megabytes(tmp_path, format):
    text = "snow " * 20_000_000
    data = [text, B]
    if format != "list":
        data = path = tmp_path / f"x.{format}"
        if format == "parquet":
            pq.write_table(pa.table({"text": [text, B]}), path)
        elif format == "txt":
            path.write_text(text)
        elif format == "csv":
            path.write_text(f"text\n{text}\n{B}\n", encoding="utf-8")
        else:
            raw = f'{{"text": "{text}"}}\n{{"text": "{B}"}}\n'.encode()
            path.write_bytes(gzip.compress(raw, 1) if format.endswith("gz") else raw)
    texts = collect(data).texts
    assert pc.binary_length(texts)[0].as_py() == 100_000_000
    assert texts[1:].to_pylist() == [B][: len(texts) - 1]


@pytest.mark.slow
def test_more_than_2_gigabytes_of_text(tmp_path):
    text = "snow " * 4_000_000
    table = pa.table({"text": pa.chunked_array([[text]] * 120)})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=120)
    documents = collect(tmp_path / "x.parquet")
    assert len(documents) == 120
    assert pc.sum(pc.binary_length(documents.texts)).as_py() == 2_400_000_000


def test_a_file_without_rows_before_one_of_other_columns_is_passed_over(tmp_path):
    rows = pa.table({"id": [1, 2], "text": ["the ferry is late", "the market moves"]})
    pq.write_table(rows, tmp_path / "0.parquet")
    pq.write_table(rows.slice(0, 0), tmp_path / "1.parquet")
    (tmp_path / "2.csv").write_text("id,text\nq,hello\n")
    found, note = [], None
    for _ in range(5):
        part = next(iter(stream(tmp_path, part_bytes=1, after=note)), None)
        if part is None:
            break
        found += part.texts.to_pylist()
        note = json.loads(json.dumps(part.note))
    assert part is None
    assert found == ["the ferry is late", "the market moves", "hello"]
