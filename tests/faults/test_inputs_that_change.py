"""An input that is changed while it is read is an error; one that grows is said."""

import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect.cli.main import main
from dupdetect.errors import InputError
from dupdetect.pipeline import dedup as driver

ROWS = "".join(json.dumps({"id": at, "text": f"the text number {at}"}) + "\n" for at in range(20))


@pytest.fixture
def meanwhile(monkeypatch):
    """Do something after the input was read and before the run ends."""

    def set_(what):
        decided = driver.decide
        monkeypatch.setattr(driver, "decide", lambda *given: what() or decided(*given))

    return set_


@pytest.mark.parametrize("how", ["cut", "rewritten", "removed"])
def test_an_input_that_is_changed_is_an_error(tmp_path, meanwhile, capsys, how):
    path = tmp_path / "a.jsonl"
    path.write_text(ROWS)

    def change():
        if how == "removed":
            path.unlink()
        else:
            path.write_text(ROWS[:200] if how == "cut" else ROWS.replace("text", "TEXT"))

    meanwhile(change)
    assert main(["dedup", str(path), "-o", str(tmp_path / "out"), "-q"]) == 1
    assert "a.jsonl: was changed while it was read" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_input_that_grows_is_said(tmp_path, meanwhile):
    path = tmp_path / "a.jsonl"
    path.write_text(ROWS)
    meanwhile(lambda: path.write_text(ROWS + ROWS[:30]) * 0)
    with pytest.warns(UserWarning, match=r"a\.jsonl has grown while it was read"):
        dupdetect.dedup(path)


def story(number, last):
    """Return one of many stories, all of one length."""
    words = np.random.default_rng(number).integers(10_000, size=80)
    return " ".join(f"w{word:04}" for word in [*words, last])


COPIES = [story(at % 20, at) for at in range(40)]
STRANGERS = [story(at, at) for at in range(40)]


def write_parquet(path, texts):
    table = pa.table({"text": texts, "n": range(len(texts))})
    pq.write_table(table, path, compression="none", use_dictionary=False, row_group_size=7)
    os.utime(path, ns=(10**18, 10**18))


def pretended(path, how):
    """Change a file behind its back: another of the same size and time."""
    before, other = path.stat(), path.with_name("other")
    write_parquet(other, STRANGERS)
    if how == "in place":
        path.write_bytes(other.read_bytes())
        os.utime(path, ns=(10**18, 10**18))
    elif how == "another file":
        other.replace(path)
    else:
        path.unlink()
        path.symlink_to(other)
    now = path.stat()
    assert (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


@pytest.mark.parametrize("how", ["in place", "another file", "another link"])
@pytest.mark.parametrize("when", ["meanwhile", "before it is gone on with"])
def test_a_parquet_file_that_hides_its_change_is_an_error(tmp_path, monkeypatch, meanwhile, how, when):
    monkeypatch.setattr("dupdetect.pipeline.request.PART_BYTES", 500)
    path, options = tmp_path / "a.parquet", {"work": tmp_path / "work", "resume": True}
    write_parquet(path, COPIES)

    def change():
        pretended(path, how)
        if when != "meanwhile":
            raise KeyboardInterrupt

    decided = driver.decide
    meanwhile(change)
    with pytest.raises(InputError if when == "meanwhile" else KeyboardInterrupt):
        dupdetect.dedup(path, **options)
    monkeypatch.setattr(driver, "decide", decided)
    with pytest.raises(InputError, match=r"a\.parquet: was changed since it was read"):
        dupdetect.dedup(path, **options)


def test_what_is_in_memory_does_not_change():
    assert len(dupdetect.dedup(["a text"]).clusters) == 1


def test_an_input_that_is_gone_is_one_sentence(tmp_path):
    with pytest.raises(InputError):
        dupdetect.dedup(tmp_path / "none.jsonl")
