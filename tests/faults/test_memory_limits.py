"""The memory that a run takes, if nothing is said, is a share of the least that the process may have."""

import subprocess
import sys
from pathlib import Path

import pytest

from dupdetect._storage import memory
from dupdetect._storage.workspace import LEAST, SHARE, memory_limit

GB = 1 << 30


def group(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n")


@pytest.fixture
def groups(tmp_path, monkeypatch):
    """A machine of 64 GB, of which 32 are free, and no control groups yet."""

    class Amounts:
        total, available = 64 * GB, 32 * GB

    monkeypatch.setattr("psutil.virtual_memory", Amounts)
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "MEMBERSHIP", tmp_path / "membership")
    monkeypatch.setattr(memory, "_process_limits", lambda: iter(()))
    return tmp_path / "cgroup"


def member(groups, *lines):
    (groups.parent / "membership").write_text("".join(line + "\n" for line in lines))


def test_without_groups_it_is_the_machine(groups):
    assert (memory.machine(), memory.free()) == (64 * GB, 32 * GB)
    assert memory_limit(None) == int(SHARE * 32 * GB)


def test_the_groups_own_limit_of_version_2_and_what_is_used_of_it(groups):
    member(groups, "0::/system.slice/run.service")
    group(groups / "system.slice", memory__max="max", memory__current=1)
    stat = f"anon 1\ninactive_file {GB}\nactive_file 2"
    group(groups / "system.slice/run.service", memory__max=8 * GB, memory__current=3 * GB, memory__stat=stat)
    assert (memory.machine(), memory.free()) == (8 * GB, 6 * GB)
    assert memory_limit(None) == int(SHARE * 6 * GB)


def test_the_groups_own_limit_of_version_1(groups):
    member(groups, "9:name=systemd:/x", "4:cpu,memory:/jobs/one", "0::/")
    group(groups / "memory", memory__limit_in_bytes=9223372036854771712)
    group(groups / "memory/jobs", memory__limit_in_bytes=9 * GB, memory__usage_in_bytes=0)
    stat = f"inactive_file 0\ntotal_inactive_file {GB}"
    one = groups / "memory/jobs/one"
    group(one, memory__limit_in_bytes=4 * GB, memory__usage_in_bytes=2 * GB, memory__stat=stat)
    assert (memory.machine(), memory.free()) == (4 * GB, 3 * GB)


def test_a_limit_of_a_group_above_counts_too(groups):
    member(groups, "0::/a/b/c")
    group(groups / "a", memory__max=2 * GB)
    group(groups / "a/b/c", memory__max=8 * GB)
    assert memory.machine() == 2 * GB


@pytest.mark.parametrize("path", ["/docker/0123", "/../..", "/", ""])
def test_a_container_that_sees_its_own_group_as_the_topmost(groups, path):
    member(groups, f"0::{path}")
    group(groups, memory__max=GB)
    assert memory.machine() == GB


def test_groups_of_both_versions(groups):
    member(groups, "3:memory:/a", "0::/a")
    group(groups / "memory/a", memory__limit_in_bytes=5 * GB)
    group(groups / "unified/a", memory__max=3 * GB)
    assert memory.machine() == 3 * GB


@pytest.mark.parametrize("text", ["", "\n", "nonsense\n", "0::\n", "::::\n", "\x00\n"])
def test_what_cannot_be_understood_is_no_limit(groups, text):
    (groups.parent / "membership").write_text(text)
    group(groups, memory__max="much")
    assert memory.machine() == 64 * GB


@pytest.mark.skipif(sys.platform != "linux", reason="asks for limits as Linux has them")
@pytest.mark.parametrize("limit", ["v", "d"])
def test_the_shells_limit(limit):
    code = "from dupdetect._storage import memory; print(memory.machine(), memory.free())"
    script = f'ulimit -{limit} 1500000; exec "$0" -c "{code}"'
    ran = subprocess.run(["/bin/sh", "-c", script, sys.executable], capture_output=True, text=True, check=True)
    machine, free = map(int, ran.stdout.split())
    assert machine <= 1_500_000 * 1024
    assert 0 < free < machine


def test_this_process_has_some(tmp_path):
    assert Path("/").exists()
    assert 0 < memory.free() <= memory.machine()
    assert memory_limit(None) >= LEAST
