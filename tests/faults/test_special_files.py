"""Only files are read from folders, and the others are said; a pipe is read where it is named, a device never."""

import gzip
import io
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from dupdetect.errors import InputError
from dupdetect.io.documents import collect

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")


@pytest.fixture(autouse=True)
def at_most_a_minute():
    """End a test that hangs."""

    def late(*_):
        raise TimeoutError("the test hangs")

    earlier = signal.signal(signal.SIGALRM, late)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, earlier)


ROWS = pa.table({"id": ["a", "b"], "text": ["one text", "another"]})


def parquet():
    made = io.BytesIO()
    pyarrow.parquet.write_table(ROWS, made)
    return made.getvalue()


def arrow():
    made = io.BytesIO()
    with pa.ipc.new_file(made, ROWS.schema) as writer:
        writer.write_table(ROWS)
    return made.getvalue()


JSON = b'{"id": "a", "text": "one text"}\n{"id": "b", "text": "another"}\n'
CSV = b"id,text\na,one text\nb,another\n"


def fed(path, data):
    """Make a pipe, and a thread that writes into it."""
    os.mkfifo(path)
    thread = threading.Thread(target=path.write_bytes, args=(data,), daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("glob", [False, True])
def test_what_is_no_file_in_a_folder_is_said_and_not_opened(tmp_path, glob):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.jsonl").write_bytes(JSON)
    os.mkfifo(folder / "b.jsonl")
    (folder / "c.jsonl").symlink_to("/dev/zero")
    listening = socket.socket(socket.AF_UNIX)
    here = Path.cwd()
    os.chdir(folder)  # for names of sockets are short
    try:
        listening.bind("d.jsonl")
    finally:
        os.chdir(here)
    with listening, pytest.warns(UserWarning, match=r"passed over .*b\.jsonl, which is a pipe .* and 2 more"):
        found = collect(str(folder / "*.jsonl") if glob else folder)
    assert found.ids.to_pylist() == ["a", "b"]


def test_links_to_files_are_read_and_links_to_folders_are_said(tmp_path):
    folder, other = tmp_path / "data", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    (tmp_path / "a.jsonl").write_bytes(JSON)
    (folder / "a.jsonl").symlink_to(tmp_path / "a.jsonl")
    (folder / "more").symlink_to(other)
    with pytest.warns(UserWarning, match="more, which is a folder"):
        assert len(collect(folder)) == 2


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/urandom"])
def test_devices_and_links_to_them_are_refused(tmp_path, device):
    link = tmp_path / "a.csv"
    link.symlink_to(device)
    for path in (link, Path(device)):
        with pytest.raises(InputError, match="is a device: expected a file"):
            collect(path)


def test_a_folder_of_nothing_but_other_things_holds_no_files(tmp_path):
    os.mkfifo(tmp_path / "a.txt")
    with pytest.warns(UserWarning, match="passed over"), pytest.raises(InputError, match="holds no files"):
        collect(tmp_path)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.jsonl", JSON),
        ("a.jsonl.gz", gzip.compress(JSON, mtime=0)),
        ("a.csv", CSV),
        ("a.csv.gz", gzip.compress(CSV, mtime=0)),
        ("a.parquet", parquet()),
        ("a.arrow", arrow()),
        ("large.jsonl", JSON * 20_000),
    ],
    ids=["jsonl", "jsonl.gz", "csv", "csv.gz", "parquet", "arrow", "large"],
)
def test_named_pipes_are_read(tmp_path, name, data):
    thread = fed(tmp_path / name, data)
    found = collect(tmp_path / name)
    thread.join()
    assert found.ids.to_pylist() == ["a", "b"]
    assert found.rejects.num_rows == (2 * 20_000 - 2 if name == "large.jsonl" else 0)


def test_a_text_may_come_from_a_pipe(tmp_path):
    thread = fed(tmp_path / "a.txt", b"one text")
    found = collect(tmp_path / "a.txt")
    thread.join()
    assert found.texts.to_pylist() == ["one text"]


def command(script, tmp_path, **options):
    line = [sys.executable, "-m", "dupdetect.cli.main"]
    environment = {**os.environ, "RUN": " ".join(line), "DIR": str(tmp_path)}
    return subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, check=False, timeout=100, **options
    )


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="needs bash")
@pytest.mark.parametrize(
    "script",
    [
        "cat $DIR/a.jsonl | $RUN dedup - -o $DIR/out",
        "cat $DIR/a.jsonl | $RUN dedup /dev/stdin -o $DIR/out",
        "$RUN dedup /dev/stdin -o $DIR/out < $DIR/a.jsonl",
        "$RUN dedup <(cat $DIR/a.jsonl) -o $DIR/out",
        "$RUN dedup <(head -1 $DIR/a.jsonl) <(tail -1 $DIR/a.jsonl) -o $DIR/out",
    ],
)
def test_pipes_of_a_shell_are_json_lines(tmp_path, script):
    (tmp_path / "a.jsonl").write_bytes(JSON)
    ran = command(script, tmp_path)
    assert ran.returncode == 0, ran.stderr
    ids = pyarrow.parquet.read_table(tmp_path / "out" / "clusters.parquet")["id"].to_pylist()
    assert ids == ["a", "b"]


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="needs bash")
def test_nothing_resumes_from_a_pipe(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(JSON)
    ran = command("$RUN dedup <(cat $DIR/a.jsonl) -o $DIR/out --resume", tmp_path)
    assert ran.returncode == 1
    assert "a pipe cannot be read again" in ran.stderr
