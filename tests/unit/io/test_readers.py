import csv
import gzip
import io
import json
import lzma
import os
import random
import sys
from functools import partial
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from dupdetect.errors import InputError
from dupdetect.io import csv as csvfiles
from dupdetect.io import jsonlines, quotes
from dupdetect.io import paths as finding
from dupdetect.io import readers as reading
from dupdetect.io import schema as columns
from dupdetect.io import streams as opening

ROWS = [{"id": "a", "text": "The lamps went out."}, {"id": "b", "text": "Über Nacht fiel Schnee."}]


def read(*sources, **options):
    """All pieces, without those that say that a file ends."""
    return [piece for piece in read_all(*sources, **options) if piece.table.num_columns or piece.rejects]


def read_all(*sources, text="text", id="id", **options):
    return list(reading.read(finding.find(sources), text=text, id=id, **options))


def read_one(source, **options):
    """A file, its pieces put together."""
    pieces = read_all(source, **options)
    table = columns.unify([piece.table for piece in pieces], [piece.name for piece in pieces], inferred=True)
    rows = np.concatenate([piece.rows for piece in pieces])
    rejects = [reject for piece in pieces for reject in piece.rejects]
    assert len(rows) == len(table)
    return SimpleNamespace(table=table, rows=rows, rejects=rejects, name=pieces[0].name)


def lines(*rows):
    return b"".join(row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows)


def write(path, data):
    path.write_bytes(data)
    return path


CSV = "id,text\na,The lamps went out.\nb,Über Nacht fiel Schnee.\n".encode()


def arrow_stream(table):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def arrow_file(table, **options):
    sink = io.BytesIO()
    pyarrow.feather.write_feather(table, sink, **options)
    return sink.getvalue()


def parquet(table):
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


TABLE = pa.Table.from_pylist(ROWS)


# ---- formats ----


@pytest.mark.parametrize(
    ("name", "data", "first_row"),
    [
        ("x.jsonl", lines(*ROWS), 1),
        ("x.ndjson", lines(*ROWS), 1),
        ("x.JSONL", lines(*ROWS), 1),
        ("x.jsonl.gz", gzip.compress(lines(*ROWS), mtime=0), 1),
        ("two members.jsonl.gz", gzip.compress(lines(ROWS[0]), mtime=0) + gzip.compress(lines(ROWS[1]), mtime=0), 1),
        ("x.jsonl.zst", pa.compress(lines(*ROWS), codec="zstd", asbytes=True), 1),
        ("no newline at the end.jsonl", lines(*ROWS)[:-1], 1),
        ("byte order mark.jsonl", b"\xef\xbb\xbf" + lines(*ROWS), 1),
        ("windows.jsonl", lines(*ROWS).replace(b"\n", b"\r\n"), 1),
        ("x.csv", CSV, 2),
        ("x.csv.gz", gzip.compress(CSV, mtime=0), 2),
        ("x.tsv", CSV.replace(b",", b"\t"), 2),
        ("byte order mark.csv", b"\xef\xbb\xbf" + CSV, 2),
        ("windows.csv", CSV.replace(b"\n", b"\r\n"), 2),
        ("x.parquet", parquet(TABLE), 1),
        ("x.arrow", arrow_file(TABLE, compression="uncompressed"), 1),
        ("compressed.feather", arrow_file(TABLE, compression="zstd"), 1),
        ("stream.arrows", arrow_stream(TABLE), 1),
        ("x.arrow.gz", gzip.compress(arrow_stream(TABLE), mtime=0), 1),
    ],
)
def test_every_format_gives_the_same_rows(tmp_path, name, data, first_row):
    path = write(tmp_path / name, data)
    piece = read_one(path)
    assert piece.table.to_pylist() == ROWS
    assert piece.rows.tolist() == [first_row, first_row + 1]
    assert piece.name == str(path)
    assert piece.rejects == []


def test_standard_input_is_json_lines(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines(*ROWS, b"{\n"))))
    piece = read_one("-")
    assert piece.table.to_pylist() == ROWS
    assert [reject[:2] for reject in piece.rejects] == [("-", 3)]


# ---- which files ----


def test_a_folder_of_text_files_is_read_recursively_in_order_of_name(tmp_path):
    (tmp_path / "b" / ".git").mkdir(parents=True)
    for name in ["c.txt", "b/z.txt", "b/a.md", "b/.git/config", ".hidden", "_SUCCESS"]:
        (tmp_path / name).write_text(name)
    piece = read_one(tmp_path)
    assert piece.table["id"].to_pylist() == ["c.txt", "b/a.md", "b/z.txt"]
    assert piece.table["text"].to_pylist() == ["c.txt", "b/a.md", "b/z.txt"]
    (piece,) = read(tmp_path)
    assert piece.files.tolist() == [0, 1, 2]


def test_text_files_of_two_folders_have_different_ids(tmp_path):
    for folder in "ab":
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.txt").write_text(folder)
    piece = read_one_of_many(tmp_path / "a", tmp_path / "b")
    assert piece.table["id"].to_pylist() == [f"{tmp_path}/a/x.txt", f"{tmp_path}/b/x.txt"]


def read_one_of_many(*sources):
    (piece,) = read(*sources)
    return piece


def test_text_files_may_be_compressed_and_begin_with_a_byte_order_mark(tmp_path):
    write(tmp_path / "a.txt.gz", gzip.compress(b"\xef\xbb\xbfSnow.", mtime=0))
    assert read_one(tmp_path).table.to_pylist() == [{"id": "a.txt.gz", "text": "Snow."}]


def test_many_text_files_come_in_several_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "TEXT_FILES_AT_ONCE", 2)
    for name in "abcde":
        (tmp_path / f"{name}.txt").write_text(name)
    assert [piece.table["text"].to_pylist() for piece in read(tmp_path)] == [["a", "b"], ["c", "d"], ["e"]]


def test_globs(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ["b.jsonl", "a.jsonl", "deep/c.jsonl", "d.txt"]:
        write(tmp_path / name, lines({"text": name}))
    assert [piece.name for piece in read(f"{tmp_path}/*.jsonl")] == [f"{tmp_path}/{n}.jsonl" for n in "ab"]
    assert len(read(f"{tmp_path}/**/*.jsonl")) == 3


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path):
    write(tmp_path / "[1].jsonl", lines(*ROWS))
    assert len(read_one(tmp_path / "[1].jsonl").table) == 2


def test_file_names_of_any_bytes(tmp_path):
    try:
        write(tmp_path / os.fsdecode(b"caf\xe9.txt"), b"x")
    except OSError:
        pytest.skip("the file system takes only UTF-8 names")
    assert read_one(tmp_path).table["id"].to_pylist() == ["caf\\xe9.txt"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nothing.jsonl", "'.*nothing.jsonl' does not exist: expected a file, folder or glob"),
        ("*.parquet", r"no file matches '.*\*.parquet'"),
        ("empty", "'.*empty' holds no files"),
        (
            "mixed",
            r"holds tables \(.*a.csv\) and text files \(.*b.txt\): expected one kind; .*'.*/\*\*/\*.csv'",
        ),
    ],
)
def test_files_that_are_not_there(tmp_path, source, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "mixed").mkdir()
    write(tmp_path / "mixed/a.csv", CSV)
    write(tmp_path / "mixed/b.txt", b"x")
    with pytest.raises(InputError, match=message):
        read(tmp_path / source)


def test_no_files_at_all():
    with pytest.raises(InputError, match="no input files were given"):
        finding.find([])


def test_a_text_given_for_a_path_is_not_there():
    with pytest.raises(InputError, match="texts themselves go in a list") as caught:
        read("Snow fell on the harbour. " * 1000)
    assert len(str(caught.value)) < 400


# ---- files that cannot be read ----


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("x.parquet", b"not parquet at all", "x.parquet: its first bytes say that it is plain text, expected Parquet"),
        (
            "x.parquet",
            b"\0not parquet at all",
            r"x.parquet: cannot be read \(Parquet magic bytes not found.*expected Parquet",
        ),
        ("x.parquet", b"", "x.parquet: the file is empty, expected Parquet"),
        ("x.parquet", parquet(TABLE)[:-20], "x.parquet: cannot be read .*expected Parquet"),
        ("x.arrow", b"\0not arrow at all", "x.arrow: cannot be read .*expected Arrow"),
        ("x.arrow", b"", "x.arrow: the file is empty"),
        ("x.arrow", arrow_file(TABLE)[:-20], "x.arrow: cannot be read .*expected Arrow"),
        ("x.jsonl.gz", b"\0not gzip", "x.jsonl.gz: cannot be read .*expected JSON Lines compressed with gzip"),
        ("x.csv.zst", b"\0not zstd", "x.csv.zst: cannot be read .*expected CSV compressed with zstd"),
        (
            "x.txt.gz",
            gzip.compress(b"x" * 99, mtime=0)[:-9],
            "x.txt.gz: cannot be read .the compressed data end too early",
        ),
        ("x.csv.gz", gzip.compress(CSV, mtime=0)[:-9], "x.csv.gz: cannot be read .the compressed data end too early"),
        ("x.csv", b"id,text,id\n1,b,c\n", "x.csv: column 'id' occurs twice"),
        ("x.json", b'[{"text": "a"}]', "x.json: the file is one JSON array, expected JSON Lines.*jq"),
    ],
)
def test_damaged_files(tmp_path, name, data, message):
    path = write(tmp_path / name, data)
    with pytest.raises(InputError, match=message):
        read(path)


def test_truncated_gzip_says_where(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonlines, "BLOCK_BYTES", 10_000)
    data = lines(*({"text": os.urandom(50).hex()} for _ in range(1000)))
    compressed = gzip.compress(data, mtime=0)
    path = write(tmp_path / "x.jsonl.gz", compressed[: len(compressed) // 2])
    with pytest.raises(InputError, match=r"the compressed data end too early, after line \d\d+\), expected JSON"):
        read(path)


@pytest.mark.parametrize("name", ["x.jsonl", "x.jsonl.gz", "x.csv", "x.parquet", "x.arrow", "x.txt"])
def test_no_permission(tmp_path, name, monkeypatch):
    path = write(tmp_path / name, b"x")
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything

        def refuse(*args, **kwargs):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(opening.pa, "OSFile", refuse)
        monkeypatch.setattr(opening.Path, "open", refuse)
    with pytest.raises(InputError, match=rf"{name}: cannot be opened \(Permission denied\); check who may read it"):
        read(path)


@pytest.mark.parametrize("name", ["x.jsonl", "x.csv", "x.jsonl.gz"])
def test_an_empty_file_has_no_rows(tmp_path, name):
    piece = read_one(write(tmp_path / name, b""))
    assert (piece.table.num_rows, piece.table.num_columns, len(piece.rows), piece.rejects) == (0, 0, 0, [])


def test_an_empty_text_file_is_an_empty_text(tmp_path):
    assert read_one(write(tmp_path / "x.txt", b"")).table["text"].to_pylist() == [""]


# ---- JSON Lines ----

BAD_LINES = [
    (b'{"text": "a"\n', "the line is not valid JSON"),
    (b'{"text": "a"} {"text": "b"}\n', "the line is not valid JSON (Extra data"),
    (b"\x00\n", "the line is not valid JSON"),
    (b'{"text": "a\x00b"}\n', "the line is not valid JSON (Invalid control character"),
    (b"[1]\n", "the line is a JSON array, expected an object"),
    (b"3\n", "the line is a JSON number, expected an object"),
    (b"null\n", "the line is a JSON null, expected an object"),
    (b'{"text": 3}\n', "column 'text' is a JSON number, expected a string"),
    (b'{"text": ["a"]}\n', "column 'text' is a JSON array, expected a string"),
    (b'{"text": "\\ud800"}\n', "the line holds a lone surrogate (U+D800)"),
    (b'{"text": {"\xff": 1}}\n', "the line is not valid UTF-8 (byte 11)"),
    (b'{"text": ' + b"[" * 100_000 + b"\n", "the line is JSON nested more than 40 deep"),
    (b'{"text": ' + b"1" * 5_000 + b"}\n", "the line is not JSON that can be read"),
]


@pytest.mark.parametrize(("line", "reason"), BAD_LINES)
def test_a_bad_line_is_a_reject_and_the_others_are_read(tmp_path, line, reason):
    path = write(tmp_path / "x.jsonl", lines(ROWS[0], b"\n", line, ROWS[1]))
    piece = read_one(path)
    assert piece.table.to_pylist() == ROWS
    assert piece.table.schema == TABLE.schema
    assert piece.rows.tolist() == [1, 4]
    ((file, row, why),) = piece.rejects
    assert (file, row) == (str(path), 3)
    assert why.startswith(reason)


def test_nothing_but_bad_lines(tmp_path):
    piece = read_one(write(tmp_path / "x.jsonl", b"".join(line for line, _ in BAD_LINES)))
    assert piece.table.num_rows == 0
    assert [reject.row for reject in piece.rejects] == list(range(1, len(BAD_LINES) + 1))


def test_text_of_numbers_alone_is_no_text(tmp_path):
    piece = read_one(write(tmp_path / "x.jsonl", lines({"text": 1}, {"text": 2})))
    assert [reject.row for reject in piece.rejects] == [1, 2]


def test_what_looks_like_a_date_stays_a_string(tmp_path):
    rows = [{"text": "2020-01-01", "when": "2020-01-01", "deep": {"at": ["2020-01-01 10:00:00"]}}] * 2
    piece = read_one(write(tmp_path / "x.jsonl", lines(*rows)))
    assert piece.table.to_pylist() == rows


@pytest.mark.parametrize("zone", ["2", '"x"', "1e400"], ids=["alike", "mixed", "large"])
def test_columns_are_in_the_order_of_the_file(tmp_path, zone):
    rows = [f'{{"id": "a", "text": "b", "date": "2024-01-02", "zone": {each}}}\n'.encode() for each in ("1", zone)]
    assert read_one(write(tmp_path / "a.jsonl", lines(*rows))).table.column_names == ["id", "text", "date", "zone"]


def test_a_column_of_mixed_kinds_becomes_text(tmp_path):
    rows = [{"text": "a", "year": 2020, "by": "Ann"}, {"text": "b", "year": "2020?", "by": ["Ann", "Bo"]}]
    piece = read_one(write(tmp_path / "x.jsonl", lines(*rows)))
    assert piece.table.to_pylist() == [rows[0] | {"year": "2020"}, rows[1] | {"by": '["Ann", "Bo"]'}]
    assert piece.rejects == []


@pytest.mark.parametrize("block_bytes", [1, 60, 1 << 20])
def test_blocks_make_no_difference(tmp_path, monkeypatch, block_bytes):
    rows = [
        {
            "id": i,
            "text": f"text {i} " * (i % 7),
            "year": 2000 + i if i < 30 else "late",
            "n": [i] if i % 2 else {"i": i},
        }
        for i in range(40)
    ]
    expected = [row | {"year": str(row["year"]), "n": json.dumps(row["n"])} for row in rows]
    mixed = lines(*rows[:10], b"nonsense\n", b"\n", *rows[10:])
    monkeypatch.setattr(jsonlines, "BLOCK_BYTES", block_bytes)
    piece = read_one(write(tmp_path / "x.jsonl", mixed))
    assert piece.table.to_pylist() == expected
    assert piece.rows.tolist() == [*range(1, 11), *range(13, 43)]
    assert [reject.row for reject in piece.rejects] == [11]


def test_objects_without_members_are_rows(tmp_path):
    assert read_one(write(tmp_path / "x.jsonl", b"{}\n{}\n")).table.to_pylist() == [{"text": None}] * 2
    piece = read_one(write(tmp_path / "x.jsonl", b'{}\n{"id": 1}\n'))
    assert piece.table.to_pylist() == [{"id": None}, {"id": 1}]


def test_a_list_of_nulls(tmp_path):
    piece = read_one(write(tmp_path / "x.jsonl", lines({"text": "a", "n": [None, None]}, {"text": "b"})))
    piece.table.validate(full=True)
    assert piece.table["n"].to_pylist() == ["[null, null]", None]


def test_a_member_that_occurs_twice_counts_once(tmp_path):
    piece = read_one(write(tmp_path / "x.jsonl", b'{"text": "a", "text": "b"}\n'))
    assert piece.table.to_pylist() == [{"text": "b"}]


def test_a_nul_character_is_text(tmp_path):
    path = write(tmp_path / "x.jsonl", b'{"text": "a\\u0000b"}\n')
    assert read_one(path).table["text"].to_pylist() == ["a\0b"]
    path = write(tmp_path / "x.csv", b"text,n\na\0b,1\n")
    assert read_one(path).table["text"].to_pylist() == ["a\0b"]


# ---- CSV ----


def test_rows_of_csv_are_lines_though_values_span_several(tmp_path):
    data = b'id,text,n\n1,"two\nlines",1\n\n2,b\n"3","x\n\ny",2\n4,too,many,"\n"\n5,z,3\n'
    piece = read_one(write(tmp_path / "x.csv", data))
    assert piece.table.to_pylist() == [
        {"id": "1", "text": "two\nlines", "n": "1"},
        {"id": "3", "text": "x\n\ny", "n": "2"},
        {"id": "5", "text": "z", "n": "3"},
    ]
    assert piece.rows.tolist() == [2, 6, 11]
    assert [reject[1:] for reject in piece.rejects] == [
        (5, "the row has 2 columns, expected 3"),
        (9, "the row has 4 columns, expected 3"),
    ]


def test_values_of_csv_are_as_written(tmp_path):
    piece = read_one(write(tmp_path / "x.csv", b"id,text,n\n007,NA,NA\n8,2020-01-01,1\n9,,2\n,5,3\n"))
    assert piece.table["id"].to_pylist() == ["007", "8", "9", None]
    assert piece.table["text"].to_pylist() == ["NA", "2020-01-01", "", "5"]
    assert piece.table["n"].to_pylist() == ["NA", "1", "2", "3"]


def test_a_csv_of_one_column(tmp_path):
    piece = read_one(write(tmp_path / "x.csv", b"text\na\n\nb\n"))
    assert piece.table["text"].to_pylist() == ["a", "b"]
    assert piece.rows.tolist() == [2, 4]


def test_a_csv_of_a_header_alone(tmp_path):
    piece = read_one(write(tmp_path / "x.csv", b"id,text\n"))
    assert piece.table.column_names == ["id", "text"]
    assert piece.table.num_rows == 0


def test_a_csv_record_larger_than_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(csvfiles, "BLOCK_BYTES", (100, 400, 2000))
    data = b"id,text\n1,a\n2,b,c\n3," + b"x" * 1000 + b"\n"
    piece = read_one(write(tmp_path / "x.csv", data))
    assert piece.table["id"].to_pylist() == ["1", "3"]
    assert [reject.row for reject in piece.rejects] == [3]


# ---- unify ----


def unify(*tables, inferred=False):
    return columns.unify([pa.table(t) for t in tables], "abc"[: len(tables)], inferred=inferred)


def test_columns_that_one_lacks_are_null_and_numbers_widen():
    assert unify({"a": [1]}, {"a": [1.5], "b": ["x"]}).to_pylist() == [
        {"a": 1, "b": None},
        {"a": 1.5, "b": "x"},
    ]


def test_dictionaries_and_views_go_with_plain_strings():
    plain = pa.array(["x"])
    table = unify({"a": plain}, {"a": plain.dictionary_encode()}, {"a": plain.cast(pa.string_view())})
    assert table["a"].to_pylist() == ["x", "x", "x"]


def test_types_that_do_not_go_together():
    with pytest.raises(InputError, match=r"column 'a' is int64 in a and string in b: expected one type"):
        unify({"a": [1]}, {"a": ["x"]})
    assert unify({"a": [1]}, {"a": ["x"]}, {"a": [[2]]}, inferred=True)["a"].to_pylist() == ["1", "x", "[2]"]


def test_nothing_to_unify():
    assert unify().num_columns == 0
    assert unify({}, {"a": [1]}).to_pylist() == [{"a": 1}]


def test_objects_that_become_text_do_not_depend_on_other_rows(tmp_path):
    rows = [{"text": "a", "n": {"b": 1, "a": None}}, {"text": "b", "n": {"c": [None]}}, {"text": "c", "n": 7}]
    expected = ['{"b": 1}', '{"c": [null]}', "7"]
    path = write(tmp_path / "x.jsonl", lines(*rows))
    for size in (1, 1 << 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(jsonlines, "BLOCK_BYTES", size)
            assert read_one(path).table["n"].to_pylist() == expected


def test_a_date_and_later_something_else_in_one_column(tmp_path, monkeypatch):
    monkeypatch.setattr(jsonlines, "BLOCK_BYTES", 1)
    rows = [{"text": "a", "m": ["2020-01-01"]}, {"text": "b", "m": {"a": 1}}]
    piece = read_one(write(tmp_path / "x.jsonl", lines(*rows)))
    assert piece.table["m"].to_pylist() == ['["2020-01-01"]', '{"a": 1}']
    assert piece.rejects == []


# ---- bit by bit ----


def sizes(pieces):
    return [len(piece.table) for piece in pieces]


def test_a_large_parquet_file_is_read_in_pieces_and_from_any_on(tmp_path):
    table = pa.table({"text": [f"{i} " + "x" * 1000 for i in range(1000)]})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=300)
    pieces = read(tmp_path / "x.parquet", size=100_000)
    assert max(sizes(pieces)) <= 100
    assert np.concatenate([piece.rows for piece in pieces]).tolist() == list(range(1, 1001))
    for at in (0, 2, len(pieces) - 1):
        rest = read(tmp_path / "x.parquet", size=100_000, start=pieces[at].end)
        assert [piece.rows.tolist() for piece in rest] == [piece.rows.tolist() for piece in pieces[at + 1 :]]


def test_texts_that_a_dictionary_holds_once_are_unfolded_bit_by_bit(tmp_path):
    table = pa.table({"text": ["x" * 100_000] * 2000, "n": np.arange(2000)})  # 200 MB in some KB
    pq.write_table(table, tmp_path / "x.parquet")
    pieces = read(tmp_path / "x.parquet", size=1 << 20)
    assert max(sizes(pieces)) <= 11
    assert pieces[0].table.schema.field("text").type == pa.string()
    assert sum(sizes(pieces)) == 2000


def test_arrow_files_are_cut_without_a_copy(tmp_path):
    table = pa.table({"text": ["x" * 1000] * 1000})
    path = write(tmp_path / "x.arrow", arrow_file(table, compression="uncompressed"))
    pieces = read(path, size=100_000)
    assert max(sizes(pieces)) <= 100
    addresses = {piece.table["text"].chunk(0).buffers()[2].address for piece in pieces}
    assert len(addresses) == 1
    rest = read(path, size=100_000, start=pieces[3].end)
    assert rest[0].rows.tolist() == pieces[4].rows.tolist()


def test_csv_is_read_by_blocks_and_all_of_it_is_text(tmp_path, monkeypatch):
    monkeypatch.setattr(csvfiles, "BLOCK_BYTES", (1000, 100_000))
    rows = "".join(f'{i},"line\nof {i}",{i if i < 900 else i + 0.5},,{i % 2 == 0}\n' for i in range(1000))
    path = write(tmp_path / "x.csv", f"id,text,n,none,even\n{rows}".encode())
    pieces = read(path)
    assert len(pieces) > 20
    assert {str(field.type) for piece in pieces for field in piece.table.schema} == {"string"}
    assert np.concatenate([piece.rows for piece in pieces]).tolist() == list(range(2, 2002, 2))
    rest = read(path, start=pieces[7].end)
    assert [piece.rows.tolist() for piece in rest] == [piece.rows.tolist() for piece in pieces[8:]]


def test_a_large_row_group_is_never_whole_in_memory(tmp_path):
    path = tmp_path / "x.parquet"
    rng = np.random.default_rng(1)
    table = pa.table({"text": [rng.bytes(10_000).hex() for _ in range(2000)]})  # 40 MB
    pq.write_table(table, path, use_dictionary=False, write_batch_size=16)  # with small pages: a reader holds one whole
    del table
    before = most = pa.total_allocated_bytes()
    for piece in reading.read(finding.find([path]), size=1 << 20):
        most = max(most, pa.total_allocated_bytes())
        del piece
    assert most - before < 12 << 20


def test_lists_of_nothing_go_below_lists_of_objects_without_members():
    seen = columns.Columns()
    for items in ([[]], [[{}]]):
        seen.add(pa.table({"n": items}).schema, "x")
    assert seen.type("n") == pa.list_(pa.struct([]))


@pytest.mark.parametrize("between", [b"", b"\0" * 8])
def test_what_follows_an_arrow_stream_is_refused_and_not_passed_over(tmp_path, between):
    stream = arrow_stream(TABLE)
    assert sum(len(piece.rows) for piece in read(write(tmp_path / "a.arrows", stream + between))) == 2
    with pytest.raises(InputError, match=r"b\.arrows: further data follow the end of the stream"):
        read(write(tmp_path / "b.arrows", stream + between + stream))


@pytest.mark.parametrize("padding", [0, 4, 8])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_streams_of_xz_may_have_padding_behind_them(tmp_path, padding, count):
    lines = [json.dumps({"text": f"text {number}"}).encode() + b"\n" for number in range(count)]
    data = b"".join(lzma.compress(line) + bytes(padding) for line in lines)
    assert sum(len(piece.rows) for piece in read(write(tmp_path / "a.jsonl.xz", data))) == count


@pytest.mark.parametrize("behind", [b"\0" * 3, b"garbage", lzma.compress(b"x" * 99)[:-9], b"\0" * 4 + b"\xfd7zXZ"])
def test_what_follows_xz_and_is_none_is_an_error(tmp_path, behind):
    data = lzma.compress(b'{"text": "one"}\n')
    with pytest.raises(InputError, match=r"a\.jsonl\.xz: cannot be read"):
        read(write(tmp_path / "a.jsonl.xz", data + behind))


@pytest.mark.parametrize("begin", ["\n", "\r\n", "\r", "\n\n"])
def test_a_csv_that_begins_with_a_blank_line_is_refused(tmp_path, begin):
    with pytest.raises(InputError, match=r"a\.csv: the first line is blank, expected the names of columns"):
        read(write(tmp_path / "a.csv", f"{begin}id,text\n1,one text\n".encode()))


def test_a_csv_of_blank_lines_is_empty(tmp_path):
    assert sum(len(piece.rows) for piece in read(write(tmp_path / "a.csv", b"\n\r\n\n"))) == 0


def test_rows_of_csv_are_lines_though_names_of_columns_span_several(tmp_path):
    data = b'id,text,"two\nlines"\n1,one text,x\n2,"a quote that never ends,x\n3,another,x\n'
    file = write(tmp_path / "a.csv", data)
    (piece,) = [each for each in read(file) if len(each.rows)]
    assert piece.rows.tolist() == [3, 5]
    assert [reject.row for each in read(file) for reject in each.rejects] == [4]
    kept = [record.rows.tolist() for record in csvfiles.records(lambda: file.open("rb"), "a.csv", ",")]
    assert [row for rows in kept for row in rows][:2] == [0, 3]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("empty", [",", '"",""', ',""', ",\n\n,"])
@pytest.mark.parametrize("block", [None, 32])
def test_csv_records_of_empty_values_are_rows_and_blank_lines_are_none(tmp_path, monkeypatch, end, empty, block):
    if block:
        monkeypatch.setattr(csvfiles, "BLOCK_BYTES", (block, block << 20))
        monkeypatch.setattr(quotes, "BLOCK_BYTES", block)
    lines = ["x,text", "1,one text", *empty.split("\n"), "", '2,"a text', ",", "", 'of lines"', *empty.split("\n"), ""]
    file = write(tmp_path / "a.csv", end.join(lines).encode())
    pieces = [piece for piece in read(file) if len(piece.rows)]
    rows = [row for piece in pieces for row in piece.rows.tolist()]
    texts = [text for piece in pieces for text in piece.table["text"].to_pylist()]
    expected = {place + 1: "" for place, line in enumerate(lines) if line in empty.split("\n") and line}
    inside = lines.index('2,"a text') + 2
    expected.pop(inside, None)  # what stands in a value is no record
    expected |= {2: "one text", inside - 1: end.join(["a text", ",", "", "of lines"])}
    assert dict(zip(rows, texts, strict=True)) == dict(sorted(expected.items()))


def test_csv_lines_of_nothing_in_place_of_a_quote_that_never_ends_are_no_rows(tmp_path):
    pieces = list(read(write(tmp_path / "a.csv", b'x,text\n1,"never ends\n,\n2,b\n')))
    assert [row for piece in pieces for row in piece.rows.tolist()] == [3, 4]
    assert [reject.row for piece in pieces for reject in piece.rejects] == [2]


@pytest.mark.parametrize("value", ["two\r\nlines", "zwölf\r\nZeilen", "\udcff\r\nno UTF-8"])
def test_no_line_feed_of_a_value_of_csv_is_lost_between_two_blocks(tmp_path, monkeypatch, value):
    """`pyarrow.csv` drops one at the beginning of a block; the rows behind it were then counted a line too early."""
    for block in range(24, 60):
        monkeypatch.setattr(csvfiles, "BLOCK_BYTES", (block, block << 20))
        data = "".join(["id,text\r\n", *(f'{number},"{value}"\r\n' for number in range(9))])
        file = write(tmp_path / "a.csv", data.encode("utf-8", "surrogateescape"))
        blocks = list(csvfiles.read_blocks(partial(file.open, "rb"), "a.csv", ",", "id"))
        tables = [each.table["text"].cast(pa.binary()) for each in blocks if len(each.lines)]
        texts = [text for table in tables for text in table.to_pylist()]
        assert texts == [value.encode("utf-8", "surrogateescape")] * 9, block
        assert [line for each in blocks for line in each.lines.tolist()] == list(range(2, 20, 2))


def test_csv_is_read_as_python_reads_it_wherever_blocks_end(monkeypatch):
    for seed in range(300):
        chance = random.Random(seed)
        end, columns = chance.choice(["\n", "\r\n"]), chance.choice([1, 2, 3])
        monkeypatch.setattr(csvfiles, "BLOCK_BYTES", (chance.choice([24, 64, 1 << 20]), 1 << 28))
        monkeypatch.setattr(quotes, "BLOCK_BYTES", chance.choice([16, 64, 4 << 20]))
        records, expected, line = [",".join("abc"[:columns])], [], 2
        for _ in range(chance.randrange(30)):
            values = chance.choices(["", '""', "x", '"y\n,\n\nz"', '"\n"', '" "', "word"], k=columns)
            records.append(chance.choice(["", ",".join(values).replace("\n", end)]))
            if records[-1]:
                expected.append((line, next(csv.reader(io.StringIO(records[-1], newline="")))))
            line += 1 + records[-1].count("\n")
        data = (end.join(records) + chance.choice(["", end])).encode()
        blocks = list(csvfiles.read_blocks(partial(io.BytesIO, data), "a.csv", ",", "none"))
        read_rows = [
            (row, list(values.values()))
            for block in blocks
            for row, values in zip(block.lines.tolist(), block.table.to_pylist(), strict=True)
        ]
        assert read_rows == expected, (seed, data)


def test_records_that_are_copied_leave_no_list_of_empty_ones():
    stream = quotes.ClosedQuotes(io.BytesIO(b"a,b\n" + b",\n" * 1000), "a.csv", ",")
    assert sum(len(ends) for _, ends in stream.records()) == 1001
    assert stream.empty == []
