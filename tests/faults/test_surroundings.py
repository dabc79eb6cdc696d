"""Odd surroundings: no HOME, another locale, a read-only install, limits, a small disk, a folder that is gone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import dupdetect

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="sets limits as Linux has them")

ROWS = 20


@pytest.fixture
def news(tmp_path):
    return made(tmp_path / "ñews.csv", ROWS)


def made(path, rows):
    text = "ein Text über alles und 漢字 " * 5
    path.write_text("id,text\n" + "".join(f"é{at},{at // 2} {text}{at // 2}\n" for at in range(rows)))
    return path


def ran(script, tmp_path, news, **environment):
    """Run the command by a shell: $RUN is the command, $IN the input."""
    command = f'"{sys.executable}" -m dupdetect'
    given = {**os.environ, "PYTHONPATH": str(Path(dupdetect.__file__).parent.parent), "RUN": command, "IN": str(news)}
    given |= {"OUT": str(tmp_path / "out"), **environment}
    script = script.replace("$RUN", command)
    done = subprocess.run(
        ["bash", "-c", script], env=given, capture_output=True, check=False, timeout=200, cwd=tmp_path
    )
    said = done.stderr.decode("utf-8", "backslashreplace")
    assert "Traceback" not in said, said
    return done.returncode, said


def written(tmp_path):
    return pq.read_table(tmp_path / "out" / "clusters.parquet").num_rows == ROWS


WORKS = {
    "no home": "env -u HOME -u NUMBA_CACHE_DIR -u XDG_CACHE_HOME $RUN dedup $IN -o $OUT",
    "a home that is not there": "HOME=/nonexistent NUMBA_CACHE_DIR=/nonexistent/x $RUN dedup $IN -o $OUT",
    "the locale C": "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 $RUN dedup $IN -o $OUT",
    "ASCII": "LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 PYTHONIOENCODING=ascii $RUN dedup $IN -o $OUT",
    "no folder for temporary files": "TMPDIR=/nonexistent $RUN dedup $IN -o $OUT",
    "a current folder that is gone": "mkdir gone; cd gone; rmdir ../gone; $RUN dedup $IN -o $OUT",
    "24 open files": "ulimit -n 24; $RUN dedup $IN -o $OUT",
    "no core files": "ulimit -c 0; $RUN dedup $IN -o $OUT",
    "a small stack": "ulimit -s 512; $RUN dedup $IN -o $OUT",
    "a mask for new files": "umask 0777; $RUN dedup $IN -o $OUT",
}


@pytest.mark.parametrize("where", WORKS)
def test_it_works(tmp_path, news, where):
    code, said = ran(WORKS[where] + " -q", tmp_path, news)
    assert code == 0, said
    assert written(tmp_path)


FAILS = {
    "files that may have 1 KB": "ulimit -f 1; $RUN dedup $IN -o $OUT",
    "a process that may have 300 MB": "ulimit -v 300000; $RUN dedup $IN -o $OUT",
    "no output that is a file": "touch out; $RUN dedup $IN -o $OUT",
    "an output in a current folder that is gone": "mkdir gone; cd gone; rmdir ../gone; $RUN dedup $IN -o out",
}


@pytest.mark.parametrize("where", FAILS)
def test_it_is_one_sentence(tmp_path, news, where):
    code, said = ran(FAILS[where] + " -q", tmp_path, news)
    assert code == 1, said
    assert len([line for line in said.splitlines() if "note:" not in line]) == 1, said
    assert not (tmp_path / "out" / "manifest.json").exists()
    assert not list(tmp_path.glob(".*.part"))


def test_an_install_that_is_read_only(tmp_path, news):
    package = tmp_path / "site" / "dupdetect"
    shutil.copytree(Path(dupdetect.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (*package.rglob("*"), package):
        path.chmod(0o555 if path.is_dir() else 0o444)
    environment = {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": ""}
    code, said = ran("env -u HOME -u NUMBA_CACHE_DIR $RUN dedup $IN -o $OUT -q", tmp_path, news, **environment)
    for path in (*package.rglob("*"), package):
        path.chmod(0o755)
    assert code == 0, said
    assert written(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small disk, which only root may")
@pytest.mark.parametrize("size", ["64k", "4m"])
def test_a_disk_that_is_full(tmp_path, news, size):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("this system lets nobody mount a small disk")
    try:
        made(news, 500)
        for number, options in enumerate(["", "--resume --sketches"]):
            code, said = ran(f"$RUN dedup $IN -o $OUT -q {options}", tmp_path, news, OUT=str(disk / f"out{number}"))
            whole = (disk / f"out{number}" / "manifest.json").exists()
            assert (code == 0) == whole, said
            assert code == 0 or "No space left on device" in said
            assert not list(disk.glob(".*.part"))
            for left in disk.iterdir():
                if left.name.endswith(".work"):
                    assert left.name in said
                    shutil.rmtree(left)
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
