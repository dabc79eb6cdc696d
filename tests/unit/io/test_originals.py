"""What is kept of files, where it stands, and what cannot be copied."""

import errno
import io
import json
import os
import uuid
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import polars
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect.cli.main import main
from dupdetect.errors import InputError, OutputError, SettingsError
from dupdetect.io import originals
from dupdetect.io.originals import places
from dupdetect.io.paths import find
from dupdetect.results.run import Run

ROWS = ['{"id": 1, "text": "eins zwei"}\n', '{"text":"Eins Zwei!" , "id":2}\r\n', '{"id": 3, "text": "trois"}\n']

LINES = "".join(ROWS)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(path, content=LINES):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def kept(data, out="out", write=None, **options):
    """Return what was written, by the paths in the output."""
    result = dupdetect.dedup(data, canonical="first", **options)
    result.write(out, overwrite=True, **(write or {}))
    found = [path for path in sorted(Path(out).rglob("*")) if path.is_file() and "kept" in path.as_posix()]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in found}


def test_the_lines_that_stay_are_copied(folder):
    assert kept(put("a.jsonl")) == {"kept.jsonl": (ROWS[0] + ROWS[2]).encode()}
    assert kept(put("a.json")) == {"kept.json": (ROWS[0] + ROWS[2]).encode()}


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        (["in"], ["kept/b.jsonl", "kept/deep/a.jsonl"]),
        (["in/deep"], ["kept/a.jsonl"]),
        (["in/deep/a.jsonl"], ["kept.jsonl"]),
        (["in/*.jsonl"], ["kept/b.jsonl"]),
        (["in/**/*.jsonl"], ["kept/b.jsonl", "kept/deep/a.jsonl"]),
        (["in/b.jsonl", "other/a.jsonl"], ["kept/in/b.jsonl", "kept/other/a.jsonl"]),
        (["other/a.jsonl", "other/c.jsonl"], ["kept/a.jsonl", "kept/c.jsonl"]),
        (["s3://bucket/x/a.jsonl?version=1"], ["kept.jsonl"]),
        (["-"], ["kept.jsonl"]),
        (["/dev/stdin"], ["kept.jsonl"]),
    ],
)
def test_where_files_have_their_rows(folder, named, expected):
    for path in ("in/b.jsonl", "in/deep/a.jsonl", "other/a.jsonl", "other/c.jsonl"):
        put(path)
    found = find(named) if "://" not in named[0] else [find(["-"])[0]._replace(path=named[0], piped=False)]
    assert places(found, named) == expected


@pytest.mark.parametrize("name", ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_standard_input_has_one_place_by_whatever_name(folder, name):
    put("other/a.jsonl")
    for others in ([], ["other/a.jsonl"]):
        assert places(find([name, *others]), [name, *others]) == places(find(["-", *others]), ["-", *others])


@pytest.mark.filterwarnings("ignore:.* rejected")
@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_of_a_file_that_is_named_twice_nothing_is_lost(folder, ending):
    """By a folder and by itself: its rows are there once, and the second reading, all rejects, has none."""
    table = pa.table({"id": [1, 2, 3], "text": ["港の橋が閉鎖された", "الجسر مغلق", "trois"]})
    path = Path("in", f"a.{ending}")
    path.parent.mkdir()
    if ending == "parquet":
        pq.write_table(table, path)
    else:
        rows = "".join(f"{row['id']},{row['text']}\n" for row in table.to_pylist())
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())
        path.write_text(lines if ending == "jsonl" else f"id,text\n{rows}", encoding="utf-8")
    dupdetect.dedup([Path("in"), path]).write("out")
    assert dupdetect.dedup(Path("out", "kept")).kept["text"].to_pylist() == table["text"].to_pylist()
    assert Run(Path("out")).kept_files == [Path("out", "kept", path.name)]


def test_files_of_one_place_have_one_each(folder):
    for name in (b"a\xff.jsonl", b"a\\xff.jsonl"):
        Path(os.fsdecode(name)).write_text(LINES)
    names = places(find(["."]), ["."])
    assert len(set(names)) == len(names) == 2


def test_files_of_which_nothing_stays_are_there(folder):
    put("in/a.csv", "text,id\neins zwei,1\n")
    put("in/b.csv", "id;text\n")
    put("in/c.csv", "id,text\n2,EINS zwei\n")
    Path("in/b.csv").unlink()
    assert kept("in") == {"kept/a.csv": b"text,id\neins zwei,1\n", "kept/c.csv": b"id,text\n"}
    put("texts/a.txt", "one text")
    put("texts/b.txt", "One text.")
    assert kept("texts") == {"kept/a.txt": b"one text"}


@pytest.mark.parametrize("form", ["parquet", "jsonl", "csv"])
def test_another_format_is_asked_for(folder, form):
    put("in/a.jsonl")
    put("in/b.csv", "id,text\nx,quatre\n")
    (name,) = kept("in", write={"kept": form}, id="none")
    assert name == f"kept.{form}"
    assert [len(texts) for _, texts, _ in Run("out").kept()] == [3]
    assert kept("in", write={"kept": "none"}, id="none") == {}
    with pytest.raises(InputError, match="the rows that were kept are not in this folder"):
        list(Run("out").kept())
    with pytest.raises(OutputError, match=r"kept is 'xml'; expected parquet, jsonl, csv, none"):
        kept("in", write={"kept": "xml"}, id="none")


def test_a_file_that_has_changed_is_not_copied(folder):
    result = dupdetect.dedup(put("a.jsonl"))
    put("a.jsonl", "".join(ROWS[1:]))
    with pytest.raises(InputError, match=r"a\.jsonl: the file has changed since it was read.*kept='parquet'"):
        result.write("out")
    assert not Path("out").exists()
    result.write("out", kept="parquet")
    Path("a.jsonl").unlink()
    with pytest.raises(InputError, match="has changed"):
        result.write("again")


def test_a_log_that_grows_is_copied(folder):
    result = dupdetect.dedup(put("a.jsonl"), canonical="first")
    with Path("a.jsonl").open("a") as file:
        file.write('{"id": 9, "text": "later"}\n')
    result.write("out")
    assert Path("out/kept.jsonl").read_text() == ROWS[0] + ROWS[2]


def test_standard_input_is_kept_until_it_is_written(folder, monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO("".join(ROWS).encode())))
    assert main(["dedup", "-", "-o", "out", "-q", "--canonical", "first"]) == 0
    assert Path("out/kept.jsonl").read_text() == ROWS[0] + ROWS[2]


def test_what_is_kept_is_held_against_whatever_its_format(folder):
    put("in/a.jsonl.gz", pa.compress("".join(ROWS).encode(), codec="gzip", asbytes=True))
    kept("in")
    with pytest.warns(UserWarning, match="sketched again"):
        found = dupdetect.dedup([{"id": 7, "text": "trois"}], against="out")
    assert found.clusters["cluster"].to_pylist() == [3]


@pytest.mark.parametrize("name", ["a.xlsx", "a.warc.rar", "a", "folder/part-0"])
def test_types_that_a_name_does_not_say_are_refused(folder, name):
    put(name)
    with pytest.raises(InputError, match=r"its name does not say what it is; expected one that ends with \.parquet"):
        dupdetect.dedup(name.split("/")[0])
    found = dupdetect.dedup(name.split("/")[0], input_format="jsonl")
    assert len(found.clusters) == 3
    found.write("out")
    assert [len(texts) for _, texts, _ in Run("out").kept()] == [2]


@pytest.mark.parametrize("encoding", ["cp1251", "utf-16", "koi8-r"])
def test_encodings(folder, encoding):
    data = "имя|text\nа|раз два\nб|Раз, два\nв|три\n".encode(encoding)
    found = kept(put("a.csv", data), encoding=encoding, delimiter="|")
    assert found == {"kept.csv": "имя|text\nа|раз два\nв|три\n".encode(encoding)}
    assert [texts.to_pylist() for _, texts, _ in Run("out").kept()] == [["раз два", "три"]]


def test_encodings_and_delimiters_that_are_none(folder):
    put("a.csv", "a;text\n")
    for options, message in [
        ({"encoding": "utf-9"}, "encoding is 'utf-9', which is not known"),
        ({"encoding": "base64"}, "encoding is 'base64'"),
        ({"delimiter": ";;"}, "delimiter is ';;'; expected one character"),
        ({"input_format": "xlsx"}, "input_format is 'xlsx'; expected parquet, jsonl"),
    ]:
        with pytest.raises(SettingsError, match=message):
            dupdetect.dedup("a.csv", **options)
    with pytest.raises(InputError, match="--delimiter"):
        dupdetect.dedup("a.csv")
    with pytest.raises(InputError, match="bytes that cp932 would write otherwise"):
        dupdetect.dedup(put("b.csv", b"text\n\xfa\x54\n"), encoding="cp932")


def test_columns_that_folders_name(folder):
    for language, text in (("en", "one text"), ("de", "ein Text"), ("__HIVE_DEFAULT_PARTITION__", "?")):
        path = put(f"in/lang={language}/id=4/a.parquet")
        pq.write_table(pa.table({"text": [text], "n": [1]}), path)
    result = dupdetect.dedup("in")
    assert sorted(map(str, result.kept["lang"].to_pylist())) == ["None", "de", "en"]
    assert result.kept.column_names == ["text", "n", "lang"]
    result.write("out")
    assert Path("out/kept/lang=en/id=4/a.parquet").is_file()


def test_a_table_keeps_its_types_and_metadata(folder):
    schema = pa.schema([("text", pa.string_view()), ("n", pa.dictionary(pa.int8(), pa.string()))], {"from": "here"})
    table = pa.table(
        [pa.array(["a b", "A b"], pa.string_view()), pa.array(["x", "y"]).dictionary_encode().cast(schema[1].type)],
        schema,
    )
    assert dupdetect.dedup(table).kept.schema.equals(schema, check_metadata=True)


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string()])
def test_of_one_parquet_file_in_memory_the_same_bytes_are_written_without_reading_it_again(folder, monkeypatch, type_):
    texts = pa.array(["eins zwei", "Eins Zwei!", None, "trois", "vier"], type_)
    columns = {"text": texts, "id": pa.array([1, 2, 3, 4, 5]), "tags": [["a"], [], None, ["b", None], ["c"]]}
    pq.write_table(pa.table(columns).replace_schema_metadata({"by": "me"}), "a.parquet", row_group_size=2)
    found = kept(Path("a.parquet"))["kept.parquet"]
    with monkeypatch.context() as patch:
        patch.setattr(originals.Rows, "are_at_hand", False)
        assert kept(Path("a.parquet"), "again")["kept.parquet"] == found
    monkeypatch.setattr(originals._RowGroups, "__iter__", None)
    assert kept(Path("a.parquet"), "held")["kept.parquet"] == found
    assert pq.read_table("held/kept.parquet").schema.metadata[b"by"] == b"me"


def test_values_of_a_dictionary_are_read_again(folder):
    colours = pa.array(["red", "blue", "red"]).dictionary_encode()
    pq.write_table(pa.table({"text": ["eins", "zwei", "Eins"], "colour": colours}), "a.parquet", row_group_size=1)
    held = dupdetect.dedup(Path("a.parquet"), canonical="first").rows
    assert not originals._are_as_read(held.schema, pq.read_schema("a.parquet"))


def test_lines_that_are_too_long_or_blank_count(folder):
    put("a.jsonl", json.dumps({"text": "x " * 500}) + "\n\n" + ROWS[0] + " \n" + ROWS[2])
    assert kept("a.jsonl", max_text=100) == {"kept.jsonl": (ROWS[0] + ROWS[2]).encode()}


def test_a_tab_may_be_spelled(folder, capsys):
    put("a.csv", "id\ttext\n1\tone text\n2\tOne text!\n")
    with pytest.raises(InputError, match="--delimiter tab"):
        dupdetect.dedup("a.csv")
    for number, delimiter in enumerate(("tab", "\\t", "\t")):
        assert main(["dedup", "a.csv", "-o", f"out{number}", "--delimiter", delimiter, "-q"]) == 0
        assert Path(f"out{number}/kept.csv").read_text() == "id\ttext\n1\tone text\n"
    assert main(["dedup", "a.csv", "-o", "out0", "--delimiter", "tab", "-q", "--resume"]) == 0
    put("b.csv", "id|text\n1|one text\n")
    with pytest.raises(InputError, match=r"--delimiter '\|'"):
        dupdetect.dedup("b.csv")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
def test_a_copy_that_has_no_room_is_not_the_fault_of_the_file(folder, monkeypatch, number):
    result = dupdetect.dedup(put("a.jsonl"))

    def compressed(path, _compression):
        raise OSError(number, "no room", str(path))

    monkeypatch.setattr(originals, "compressed", compressed)
    with pytest.raises(OutputError, match=r"^out: cannot be written"):
        result.write("out")


@pytest.mark.parametrize("compression", ["uncompressed", "lz4", "zstd"])
def test_a_file_of_polars_is_copied(folder, compression):
    """Its footer alone says where its batches are: what is before it is no stream."""
    frame = polars.DataFrame(
        {
            "id": polars.Series(["x", "y", "z"], dtype=polars.Enum(["x", "y", "z"])),
            "text": ["one text", "One text!", "another " * 50],
            "list": [[1], [], None],
        }
    )
    frame.write_ipc("a.arrow", compression=compression)
    assert set(kept(Path("a.arrow"))) == {"kept.arrow"}
    written = polars.read_ipc("out/kept.arrow")
    assert written.equals(frame[[0, 2]])
    assert written.schema == frame.schema
    raw = Path("out/kept.arrow").read_bytes()
    assert (b"another another" in raw) == (compression == "uncompressed")


TABLE = pa.table({"id": [1, 2, 3], "text": ["eins zwei", "Eins Zwei!", "trois"]})


@pytest.mark.parametrize("compression", ["zstd", {"id": "gzip", "text": "snappy", "lists.list.item.list.item": "zstd"}])
def test_lists_have_the_names_and_the_compression_that_they_had(folder, compression):
    table = TABLE.append_column("lists", pa.array([[["a"], []], None, [["b"], None]]))
    pq.write_table(table, "a.parquet", use_compliant_nested_type=False, compression=compression)
    kept("a.parquet")
    found, expected = pq.ParquetFile("out/kept.parquet"), pq.ParquetFile("a.parquet")
    assert str(found.schema).splitlines()[1:] == str(expected.schema).splitlines()[1:]
    assert found.read().equals(expected.read().take([0, 2]), check_metadata=True)
    for place in range(3):
        codecs = [file.metadata.row_group(0).column(place).compression for file in (found, expected)]
        assert codecs[0] == codecs[1] != "UNCOMPRESSED"


DAYS = {
    "of nanoseconds": [datetime(2024, 2, 29, 1, 2, 3, 4), None, datetime(1700, 1, 1)],
    "far away": [datetime(9999, 12, 31), datetime(1, 1, 1), datetime(1, 1, 1, 23, 59, 59, 999999)],
}


@pytest.mark.parametrize("days", DAYS.values(), ids=DAYS)
@pytest.mark.parametrize("type_", [pa.timestamp("us"), pa.list_(pa.timestamp("us"))], ids=["plain", "in lists"])
@pytest.mark.parametrize("rows", [1, 3])
def test_moments_as_spark_writes_them(folder, days, type_, rows):
    values = [[day] for day in days] if pa.types.is_list(type_) else days
    table = TABLE.append_column("changed", pa.array(values, type_))
    pq.write_table(table, "a.parquet", use_deprecated_int96_timestamps=True, store_schema=False, row_group_size=rows)
    result = dupdetect.dedup("a.parquet", canonical="first")
    assert result.kept["changed"].cast(type_).to_pylist() == [values[0], values[2]]
    assert result.removed["changed"].cast(type_).to_pylist() == [values[1]]
    result.write("out")
    assert pq.read_metadata("out/kept.parquet").schema.column(2).physical_type == "INT96"
    assert pq.read_table("out/kept.parquet", coerce_int96_timestamp_unit="us")["changed"].to_pylist() == [
        values[0],
        values[2],
    ]


def test_nanoseconds_of_int96_are_not_rounded(folder):
    table = TABLE.append_column("changed", pa.array([1, 2, 3], pa.timestamp("ns")))
    pq.write_table(table, "a.parquet", use_deprecated_int96_timestamps=True, store_schema=False)
    assert dupdetect.dedup("a.parquet").kept["changed"].cast(pa.int64()).to_pylist() == [1, 3]


def test_uuids_and_json_of_other_writers_are_what_the_file_says(folder):
    ids = [uuid.UUID(int=number) for number in range(3)]
    table = pa.table({"id": pa.array([each.bytes for each in ids], pa.uuid()), "text": TABLE["text"]})
    table = table.append_column("more", pa.array(['{"a": 1}', "[]", "1"], pa.json_()))
    pq.write_table(table, "a.parquet", store_schema=False)
    result = dupdetect.dedup("a.parquet", canonical="first")
    assert result.kept.schema.types == table.schema.types
    assert result.clusters["id"].to_pylist() == ids
    result.write("out", format="csv")
    assert f'"{ids[2]}"' in Path("out/clusters.csv").read_text()
    assert pq.read_table("out/kept.parquet").equals(pq.read_table("a.parquet").take([0, 2]))


def test_moments_that_files_have_in_two_units(folder):
    for name, type_, day in (("a", "ns", datetime(2024, 1, 1)), ("b", "us", datetime(9999, 12, 31))):
        put(f"in/{name}.parquet", b"")
        rows = pa.table({"id": [name], "text": [f"{name} text"], "day": pa.array([day], pa.timestamp(type_))})
        pq.write_table(rows, f"in/{name}.parquet")
    result = dupdetect.dedup("in")
    result.write("out")
    assert pq.read_table("out/kept/b.parquet")["day"].to_pylist() == [datetime(9999, 12, 31)]
    with pytest.raises(
        InputError, match=r"column 'day' is timestamp\[us\] in one place and timestamp\[ns\] in another"
    ):
        _ = result.kept


def test_decimals_are_not_rounded_by_numbers_of_another_file(folder):
    exact = Decimal("0.10000000000000000000000000000000000001")
    for name, values in (("a", pa.array([exact])), ("b", pa.array([1.5]))):
        put(f"in/{name}.parquet", b"")
        pq.write_table(pa.table({"id": [name], "text": [f"{name} text"], "n": values}), f"in/{name}.parquet")
    assert dupdetect.dedup("in").kept["n"].to_pylist() == [str(exact), "1.5"]


@pytest.mark.parametrize("name", ["a.arrow", "a.arrows"])
def test_batches_keep_what_their_writer_said_of_them(folder, name):
    table = pa.table({"text": ["eins", "zwei", "Eins"]})
    new = pa.ipc.new_file if name == "a.arrow" else pa.ipc.new_stream
    with new(name, table.schema) as writer:
        for number, batch in enumerate(table.to_batches(max_chunksize=2)):
            writer.write_batch(batch, custom_metadata={"number": str(number)})
        writer.write_batch(pa.record_batch({"text": ["vier"]}))
    dupdetect.dedup(Path(name), canonical="first").write("out")
    if name == "a.arrow":
        reader = pa.ipc.open_file(f"out/kept.{name[2:]}")
        batches = [reader.get_batch_with_custom_metadata(at) for at in range(reader.num_record_batches)]
    else:
        batches = list(pa.ipc.open_stream(f"out/kept.{name[2:]}").iter_batches_with_custom_metadata())
    assert [(batch["text"].to_pylist(), metadata and metadata[b"number"]) for batch, metadata in batches] == [
        (["eins", "zwei"], b"0"),
        (["vier"], None),
    ]


@pytest.mark.skipif(not hasattr(pa.ipc.RecordBatchFileReader, "metadata"), reason="older pyarrow has none")
def test_an_arrow_file_keeps_what_its_writer_said_of_it(folder):
    table = pa.table({"text": ["eins", "zwei", "Eins"]})
    with pa.ipc.new_file("a.arrow", table.schema, metadata={"by": "me"}) as writer:
        writer.write_table(table)
    dupdetect.dedup(Path("a.arrow"), canonical="first").write("out")
    assert pa.ipc.open_file("out/kept.arrow").metadata == {b"by": b"me"}


def test_names_in_another_codec_are_no_encoding_of_files(folder):
    put("a.jsonl")
    with pytest.raises(dupdetect.SettingsError, match="encoding is 'punycode', which is not known"):
        dupdetect.dedup(Path("a.jsonl"), encoding="punycode")
