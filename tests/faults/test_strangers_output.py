"""What is made of a stranger's output never carries files of this machine out."""

import json
import os
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect._storage.checksums import checksum
from dupdetect.cli.main import main
from dupdetect.errors import DupdetectError, InputError
from dupdetect.results.run import Run

PUBLIC = "A story that anybody may read, about a ferry that was late again because of the ice on the river."
SECRET = "The code of the safe is seven three one nine, and the key lies under the third flower pot by the door."


@pytest.fixture
def secret(tmp_path):
    """A file of this machine."""
    (tmp_path / "private").mkdir()
    path = tmp_path / "private" / "notes.jsonl"
    path.write_text("".join(json.dumps({"id": id, "text": SECRET}) + "\n" for id in ("a", "b")))
    return path


@pytest.fixture
def out(tmp_path):
    """An output of a stranger, with the ids of the file."""
    given = tmp_path / "given.jsonl"
    given.write_text("".join(json.dumps({"id": id, "text": PUBLIC}) + "\n" for id in ("a", "b")))
    dupdetect.dedup(given).write(tmp_path / "out")
    given.unlink()
    return tmp_path / "out"


def say(out, **values):
    path = out / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def shown(out, tmp_path, capsys):
    """Return all that a report and the other commands show of an output."""
    capsys.readouterr()
    commands = [
        ["report", str(out), "-o", str(tmp_path / "page.html")],
        ["explain", str(out), "b", "--full", "--view", "unified"],
        ["compare", "--in", str(out), "a", "b", "--full", "--view", "unified"],
        ["explain", str(out), "b", "--json"],
    ]
    for command in commands:
        main(command)
    page = tmp_path / "page.html"
    said = capsys.readouterr()
    return (page.read_text(encoding="utf-8") if page.exists() else "") + said.out + said.err


def leaks(text):
    return "flower" in re.sub(r"<[^>]*>|[^a-z<>]", "", text)


@pytest.mark.parametrize("link", [False, True])
def test_inputs_that_the_manifest_names_are_not_read(out, secret, tmp_path, capsys, link):
    named = secret
    if link:
        named = tmp_path / "out" / "data.jsonl"
        named.symlink_to(secret)
    for sums in ({}, {"input_checksums": ["0" * 32]}, {"input_checksums": [None]}, {"input_checksums": []}):
        say(out, inputs=[str(named)], **sums)
        assert not leaks(shown(out, tmp_path, capsys))
        assert Run(out).inputs == []


def test_they_are_read_if_the_person_names_them(out, secret, tmp_path, capsys):
    assert main(["report", str(out), "--input", str(secret), "-o", str(tmp_path / "page.html")]) == 0
    assert leaks((tmp_path / "page.html").read_text(encoding="utf-8"))


def test_they_are_read_if_the_run_was_ones_own(tmp_path, secret, capsys):
    dupdetect.dedup(secret).write(tmp_path / "own")
    assert leaks(shown(tmp_path / "own", tmp_path, capsys))
    assert "are not shown" not in (tmp_path / "page.html").read_text(encoding="utf-8")
    secret.write_text(secret.read_text() + "\n")
    shown(tmp_path / "own", tmp_path, capsys)
    assert "is not there as it was" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_a_run_of_links_in_a_folder_is_ones_own_too(tmp_path, secret):
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "a.jsonl").symlink_to(secret)
    dupdetect.dedup(tmp_path / "links").write(tmp_path / "own")
    assert Run(tmp_path / "own").inputs == [tmp_path / "links" / "a.jsonl"]


def test_special_files_that_the_manifest_names_are_not_opened(out, tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe.jsonl")
    for name in (tmp_path / "pipe.jsonl", "/dev/zero", "/dev/stdin", "x" * 5000):
        say(out, inputs=[str(name)], input_checksums=["0" * 32])
        assert Run(out).inputs == []
        shown(out, tmp_path, capsys)
    say(out, inputs=["\0"], input_checksums=["0" * 32])
    with pytest.raises(InputError, match="what no file can be named"):
        Run(out)


@pytest.mark.parametrize("name", ["kept.parquet", "clusters.parquet", "matches.parquet", "kept.jsonl"])
@pytest.mark.parametrize("whole", [False, True])
def test_links_out_of_the_folder_are_refused(out, secret, tmp_path, capsys, name, whole):
    table = pa.table({"id": ["a"], "text": [SECRET]})
    if name == "kept.parquet":
        dupdetect.dedup({"a": PUBLIC}).write(out, overwrite=True)
    if name == "clusters.parquet":
        table = pq.read_table(out / name)
        table = table.set_column(0, "id", pa.array([SECRET, "b"]))
    if name == "matches.parquet":
        table = pq.read_table(out / name).set_column(0, "a", pa.array([SECRET]))
    elsewhere = tmp_path / "private" / name
    (out / name).unlink()
    if name == "kept.jsonl":
        elsewhere = secret
    else:
        pq.write_table(table, elsewhere)
    if whole:  # by a folder
        (tmp_path / "private" / "deep").mkdir()
        elsewhere = elsewhere.rename(elsewhere.parent / "deep" / name)
    (out / name).symlink_to(elsewhere)
    assert not leaks(shown(out, tmp_path, capsys))
    with pytest.raises(DupdetectError, match="is a link to"):
        list(Run(out).kept()), Run(out).matches, Run(out).clusters
    if name.startswith("kept"):
        with pytest.raises(InputError):
            dupdetect.dedup(["x"], against=out)


def test_links_to_what_the_run_has_written_are_followed(out, tmp_path):
    (tmp_path / "blobs").mkdir()
    for path in list(out.iterdir()):
        path.symlink_to(path.rename(tmp_path / "blobs" / path.name))
    assert [texts.to_pylist() for _, texts, _ in Run(out).kept()] == [[PUBLIC]]
    moved = out.rename(tmp_path / "moved")
    (tmp_path / "link").symlink_to(moved)
    assert [texts.to_pylist() for _, texts, _ in Run(tmp_path / "link").kept()] == [[PUBLIC]]


def test_earlier_outputs_that_the_manifest_names_are_not_read(out, secret, tmp_path, capsys):
    dupdetect.dedup({"c": SECRET}).write(tmp_path / "private" / "night")
    night = str(tmp_path / "private" / "night")
    table = pq.read_table(out / "clusters.parquet")
    pq.write_table(table.set_column(1, "cluster", pa.array(["c", "c"])), out / "clusters.parquet")
    for plans in ([], [None], ["0" * 32], ["null"]):
        say(out, against={"outputs": [night], "plans": plans})
        assert not leaks(shown(out, tmp_path, capsys))


def test_earlier_outputs_of_ones_own_are_read(tmp_path):
    dupdetect.dedup({"c": SECRET}).write(
        tmp_path / "mon",
    )
    with pytest.warns(match="sketched again"):
        dupdetect.dedup({"d": SECRET}, against=tmp_path / "mon").write(tmp_path / "tue")
    [before] = Run(tmp_path / "tue").runs_before
    assert before.out == tmp_path / "mon"


def test_a_checksum_is_that_of_the_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 10_000_000)
    (tmp_path / "b").write_bytes(b"x" * 10_000_000)
    assert checksum(tmp_path / "a") == checksum(tmp_path / "b") != checksum(tmp_path / "none") is None
    (tmp_path / "b").write_bytes(b"x" * 9_999_999 + b"y")
    assert checksum(tmp_path / "a") != checksum(tmp_path / "b")
