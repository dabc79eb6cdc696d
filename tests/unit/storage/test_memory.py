"""Sizes of memory: what people write, and what they cannot have meant."""

from __future__ import annotations

import ctypes
import mmap
import subprocess
import sys
from decimal import Decimal

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dupdetect._storage import memory
from dupdetect.cli.main import command
from dupdetect.errors import SettingsError

UNITS = {
    "B": 1,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}


@given(
    number=st.decimals(min_value=1, max_value=10**6, places=3),
    unit=st.sampled_from(sorted(UNITS)),
    case=st.sampled_from([str, str.lower, str.upper]),
    space=st.sampled_from(["", " ", "\t"]),
)
def test_a_size_is_its_number_times_its_unit(number: Decimal, unit: str, case: type[str], space: str) -> None:
    expected = number * UNITS[unit]
    assert memory.size(f"{space}{number}{space}{case(unit)}") == pytest.approx(float(expected), rel=1e-12, abs=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2GB", 2_000_000_000), ("500MiB", 524_288_000), (".5 kb", 500), ("1b", 1), ("007KiB", 7168), ("1.5TiB", 3 << 39)],
)
def test_sizes(text: str, expected: int) -> None:
    assert memory.size(text) == expected


def test_percentages_are_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "machine", lambda: 1000)
    assert [memory.size(text) for text in ("60%", "100 %", "12.5%", ".1%")] == [600, 1000, 125, 1]


@given(st.text(max_size=12) | st.from_regex(r"-?[0-9.,]*e?[0-9]* ?[a-z%]{0,3}", fullmatch=True))
def test_whatever_is_written_is_a_size_or_a_sentence(text: str) -> None:
    try:
        assert memory.size(text) >= 1
    except SettingsError as error:
        assert repr(text) in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    "text",
    ["", "2", "GB", "-2GB", "2 G B", "2gigs", "1e9B", "1,5GB", "nanGB", "0GB", "0%", "101%", "0.0001B", "٢GB", "二GB"],
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match=r"2GB|100%"):
        memory.size(text)


def test_what_is_no_size_is_wrong_usage_of_the_command() -> None:
    with pytest.raises(click.BadParameter, match="'lots' is no size: give a number and its unit, such as 2GB"):
        command.main(["dedup", "x", "-o", "out", "--memory", "lots"], standalone_mode=False)


def test_what_is_in_use_grows_with_what_is_held_and_its_peak_stays() -> None:
    before = memory.resident()
    with mmap.mmap(-1, 64 << 20) as held:  # pages of its own: what was freed before is not used again
        held.write(b"x" * (64 << 20))
        during = memory.resident()
    assert during - before > 48 << 20
    assert memory.peak() >= during - (1 << 20)
    assert memory._peak_of_usage() >= during - (1 << 20)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="this C library has no mallopt")
def test_large_blocks_go_back_to_the_system_when_they_are_freed() -> None:
    """Of glibc: once one of 32 MB was freed, blocks of up to as much would be kept in the heap."""
    code = """
import ctypes
from dupdetect._storage import memory
c = ctypes.CDLL(None)
c.malloc.restype, c.malloc.argtypes, c.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
memory.keep_no_large_blocks()
c.free(c.malloc(31 << 20))  # from here on, the allocator itself would keep as much
block, small = c.malloc(24 << 20), c.malloc(1000)
ctypes.memset(block, 1, 24 << 20)
before = memory.resident()
c.free(block)
print(before - memory.resident())
"""
    given_back = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
    assert given_back > 20 << 20
