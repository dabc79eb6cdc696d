"""Files that are not on this machine: in memory behind a URL, and on a server that speaks S3."""

import json
import sys
import uuid
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect.errors import InputError, OutputError
from dupdetect.io import remote
from dupdetect.io.documents import collect, stream
from dupdetect.results.folder import check_folder, write_folder

TEXTS = [
    "雪が降った。港の灯が消えた。",
    "الثلج يغطي الميناء كله هذا المساء.",
    "Снег лёг на крыши, и порт затих.",
    "หิมะตกที่ท่าเรือ 🌨️",
]
TABLE = pa.table({"id": ["a", "b", "c", "d"], "n": [1, 2, 3, 4], "text": TEXTS})


@pytest.fixture
def folder():
    """A new folder in memory, its URL."""
    url = f"memory://{uuid.uuid4().hex}"
    yield url
    system, path = fsspec.core.url_to_fs(url)
    if system.exists(path):
        system.rm(path, recursive=True)


def put(url, data):
    with fsspec.open(url, "wb") as file:
        if isinstance(data, pa.Table):
            pq.write_table(data, file, row_group_size=2)
        else:
            file.write(data)
    return url


def lines(table=TABLE):
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in table.to_pylist())


def names(url):
    system, path = fsspec.core.url_to_fs(url)
    system.invalidate_cache()
    return sorted(name.rsplit("/", 1)[1] for name in system.find(path))


# ---- which are URLs ----


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("s3://bucket/key", "s3://bucket/key"),
        ("s3:/bucket/key", "s3://bucket/key"),
        ("S3://bucket/key", "s3://bucket/key"),
        ("https://x.org/a?b=c", "https://x.org/a?b=c"),
        ("memory://", "memory://"),
        ("plain", None),
        ("folder/s3:/x", None),
        ("C:/texts", None),
        ("C:\\texts", None),
        ("s3:", None),
        ("-", None),
        ("", None),
    ],
)
def test_urls_are_told_from_paths(path, url):
    assert remote.as_url(path) == url


def test_a_folder_that_looks_like_a_url_without_a_slash_is_that_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:").mkdir()
    (tmp_path / "s3:" / "a.txt").write_text("Snow.")
    assert collect(Path("s3:/a.txt")).texts.to_pylist() == ["Snow."]


# ---- reading ----


def arrow(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.parquet", TABLE),
        ("x.jsonl", lines()),
        ("x.jsonl.zst", pa.compress(lines(), codec="zstd", asbytes=True)),
        (
            "x.csv",
            b"id,n,text\n"
            + b"".join(f'{i},{n},"{t}"\n'.encode() for i, n, t in zip("abcd", range(1, 5), TEXTS, strict=True)),
        ),
        ("x.arrow", arrow(TABLE)),
    ],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_every_format_is_read_from_a_url(folder, name, data, kind):
    url = put(f"{folder}/{name}", data)
    found = collect(kind(url))
    expected = TABLE.set_column(1, "n", TABLE["n"].cast(pa.string())) if name == "x.csv" else TABLE
    assert found.table.to_pylist() == expected.to_pylist()
    assert found.inputs == [url]


def test_parts_and_going_on_are_those_of_a_file_on_the_disk(folder, tmp_path):
    url = put(f"{folder}/x.jsonl", lines())
    path = tmp_path / "x.jsonl"
    path.write_bytes(lines())
    near, far = (list(stream(place, part_bytes=1)) for place in (path, url))
    assert [part.texts for part in near] == [part.texts for part in far]
    again = list(stream(url, part_bytes=1, after=far[0].note))
    assert [part.texts for part in again] == [part.texts for part in far[1:]]


def test_folders_and_globs_come_in_the_order_of_names(folder, tmp_path):
    for name in ["b.txt", "a/z.txt", "a/b/y.txt", ".hidden", "_SUCCESS", "a/.git/x.txt", "c.txt"]:
        put(f"{folder}/{name}", name.encode())
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    assert (
        collect(folder).ids.to_pylist()
        == collect(tmp_path).ids.to_pylist()
        == ["b.txt", "c.txt", "a/z.txt", "a/b/y.txt"]
    )
    assert collect(f"{folder}/").texts.to_pylist() == ["b.txt", "c.txt", "a/z.txt", "a/b/y.txt"]
    assert collect(f"{folder}/*.txt").texts.to_pylist() == ["b.txt", "c.txt"]


def test_of_parquet_only_what_is_read_is_fetched(folder, monkeypatch):
    rng = np.random.default_rng(1)
    wide = pa.table({"text": [rng.bytes(3000).hex() for _ in range(400)]})
    url = put(f"{folder}/x.parquet", b"")
    with fsspec.open(url, "wb") as file:
        pq.write_table(wide, file, row_group_size=40)
    size = fsspec.core.url_to_fs(url)[0].size(url)
    parts = stream(url, part_bytes=200_000)
    last = list(parts)[-2].note
    fetched = []
    real = remote.open_ranges

    def counted(url):
        file = real(url)
        read = file.read
        monkeypatch.setattr(file, "read", lambda length=-1: (fetched.append(length), read(length))[1], raising=False)
        return file

    monkeypatch.setattr("dupdetect.io.streams.open_ranges", counted)
    assert len(list(stream(url, part_bytes=200_000, after=last))) == 1
    assert 0 < sum(fetched) < size / 2


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("memory://nothing/x.jsonl", "'memory://nothing/x.jsonl' does not exist: expected a file, folder or glob"),
        ("memory://nothing/*.jsonl", r"no file matches 'memory://nothing/\*.jsonl'"),
        ("nonsense://x", "nonsense://x: there is no protocol 'nonsense'; expected s3, gs, hf, https"),
    ],
)
def test_files_that_are_not_there(url, message):
    with pytest.raises(InputError, match=message):
        collect(url)


@pytest.mark.parametrize(("protocol", "package"), [("s3", "s3fs"), ("gs", "gcsfs"), ("hf", "huggingface_hub")])
def test_a_package_that_is_not_installed_is_named(monkeypatch, protocol, package):
    def lacking(url):
        raise ImportError(package)

    monkeypatch.setattr("fsspec.core.url_to_fs", lacking)
    with pytest.raises(InputError, match=f"{protocol}:// needs the package {package}: pip install {package}"):
        collect(f"{protocol}://bucket/x.jsonl")
    with pytest.raises(OutputError, match=f"{protocol}:// needs the package {package}: pip install {package}"):
        check_folder(f"{protocol}://bucket/out")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(InputError, match=r"needs fsspec, which is not installed; install dupdetect\[remote\]"):
        collect(f"{protocol}://bucket/x.jsonl")


def test_damaged_files(folder):
    with pytest.raises(InputError, match=r"memory://.*x.parquet: cannot be read .*expected Parquet"):
        collect(put(f"{folder}/x.parquet", b"no Parquet at all"))
    with pytest.raises(InputError, match=r"memory://.*y.parquet: the file is empty, expected Parquet"):
        collect(put(f"{folder}/y.parquet", b""))


# ---- writing ----

TABLES = {"kept": TABLE, "rejects": pa.table({"row": [3]})}
FILES = ["kept.parquet", "manifest.json", "rejects.jsonl"]


def test_a_folder_is_written_manifest_last(folder, monkeypatch):
    system = fsspec.filesystem("memory")
    order = []
    real = type(system).put_file
    monkeypatch.setattr(
        type(system),
        "put_file",
        lambda self, near, far: (order.append(far.rsplit("/", 1)[1]), real(self, near, far)),
    )
    write_folder(folder, TABLES, {"run": 1})
    assert order == ["kept.parquet", "rejects.jsonl", "manifest.json"]
    assert names(folder) == FILES
    assert collect(f"{folder}/kept.parquet").table == TABLE


def test_an_earlier_output_is_replaced_only_if_asked_and_nothing_else_ever(folder):
    write_folder(folder, TABLES, {"run": 1}, format="csv")
    with pytest.raises(OutputError, match="exists already; name another folder, or overwrite it"):
        write_folder(folder, TABLES, {"run": 2})
    write_folder(folder, TABLES, {"run": 2}, overwrite=True)
    assert names(folder) == FILES
    fsspec.filesystem("memory").rm(f"{folder.removeprefix('memory:/')}/manifest.json")
    with pytest.raises(OutputError, match=r"holds no manifest\.json, so it is no earlier output and stays"):
        write_folder(folder, TABLES, {"run": 3}, overwrite=True)
    with pytest.raises(OutputError, match="exists and is no folder"):
        check_folder(f"{folder}/kept.parquet")


def test_what_fails_half_way_leaves_nothing(folder, monkeypatch):
    system = fsspec.filesystem("memory")
    real = type(system).put_file

    def refuse(self, near, far, **options):
        if far.endswith("rejects.jsonl"):
            raise PermissionError("no")
        real(self, near, far)

    monkeypatch.setattr(type(system), "put_file", refuse)
    with pytest.raises(OutputError, match=r"memory://.*: cannot be written \(access denied: no\); check the address"):
        write_folder(folder, TABLES, {})
    assert names(folder) == []


# ---- S3 ----


@pytest.fixture(scope="module")
def bucket():
    """A bucket on a server that speaks S3, on this machine."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        import s3fs

        s3fs.S3FileSystem.clear_instance_cache()
        s3fs.S3FileSystem().mkdir("texts")
        yield "s3://texts"
        s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_from_s3_to_s3(bucket):
    copies = pa.table({"id": ["e", "f"], "n": [5, 6], "text": [TEXTS[0], "Etwas ganz anderes steht hier."]})
    put(f"{bucket}/in/a.parquet", TABLE)
    put(f"{bucket}/in/b.jsonl", lines(copies))
    result = dupdetect.dedup(f"{bucket}/in", workers=1)
    assert [group.members for group in result.groups()] == [["a", "e"]]
    result.write(f"{bucket}/out")
    assert "manifest.json" in names(f"{bucket}/out")
    assert collect(Path(f"{bucket}/out/kept")).ids.to_pylist() == ["a", "b", "c", "d", "f"]
    assert collect(Path(f"{bucket}/out/kept/b.jsonl")).ids.to_pylist() == ["f"]
    with pytest.raises(OutputError, match="exists already"):
        result.write(f"{bucket}/out")
    result.write(f"{bucket}/out", overwrite=True)


def test_a_bucket_that_is_not_there(bucket):
    with pytest.raises(InputError, match=r"'?s3://nowhere/x.parquet.*does not exist"):
        collect("s3://nowhere/x.parquet")
    with pytest.raises(OutputError, match=r"s3://nowhere/out: cannot be written \(.*bucket does not exist"):
        write_folder("s3://nowhere/out", TABLES, {})
