"""What is written appears whole or not at all, with the permissions of any other file."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from dupdetect._storage.atomic import Replacement, reported, write_text
from dupdetect.errors import OutputError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("sync", [False, True])
def test_a_file_is_made_and_replaced(tmp_path: Path, sync: bool) -> None:
    for text in ("one\n", "اثنان\n", "three\r\n"):
        write_text(tmp_path / "a.txt", text, sync=sync)
        assert (tmp_path / "a.txt").read_bytes() == text.encode()
        assert names(tmp_path) == ["a.txt"]


def test_permissions_are_those_of_any_file_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain").write_text("")
    (tmp_path / "plain folder").mkdir()
    monkeypatch.delattr(os, "umask")  # it belongs to the whole process, other threads too
    write_text(tmp_path / "a.txt", "")
    with Replacement(tmp_path / "folder", folder=True):
        pass
    for mine, plain in (("a.txt", "plain"), ("folder", "plain folder")):
        assert (tmp_path / mine).stat().st_mode == (tmp_path / plain).stat().st_mode


@pytest.mark.parametrize("folder", [False, True])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_was_there_stays_when_a_block_fails(tmp_path: Path, folder: bool, error: type[BaseException]) -> None:
    target = tmp_path / "there"
    if folder:
        target.mkdir()
        (target / "old").write_text("old")
    else:
        target.write_text("old")
    with pytest.raises(error), Replacement(target, folder=folder) as beside:  # noqa: PT012
        (beside / "new" if folder else beside).write_text("new")
        raise error
    assert names(tmp_path) == ["there"]
    assert (target / "old" if folder else target).read_text() == "old"


def test_a_folder_replaces_one_that_is_not_empty_and_its_parents_are_made(tmp_path: Path) -> None:
    for text in ("one", "two"):
        with Replacement(tmp_path / "a" / "b", folder=True) as beside:
            (beside / text).write_text(text)
        assert names(tmp_path / "a" / "b") == [text]
        assert names(tmp_path) == ["a"]


def test_a_folder_that_fails_leaves_no_parents(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"b: cannot be written \(No space left on device\), nothing was left behind"):  # noqa: SIM117
        with Replacement(tmp_path / "a" / "b", folder=True):
            raise OSError(errno.ENOSPC, "no room")
    assert names(tmp_path) == []


def test_a_parent_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"a\.txt: cannot be written \(No such file or directory\)"):
        write_text(tmp_path / "none" / "a.txt", "")


def test_a_name_as_long_as_names_can_be(tmp_path: Path) -> None:
    write_text(tmp_path / ("é" * 127), "text")
    assert names(tmp_path) == ["é" * 127]


def test_errors_of_arrow_are_reported_too() -> None:
    pa = pytest.importorskip("pyarrow")
    with pytest.raises(OutputError, match=r"out: cannot be written \(no reason\)"), reported("out"):
        raise pa.ArrowInvalid("no reason")
