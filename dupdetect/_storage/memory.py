"""
Sizes of memory: as people write them, of the machine, and in use.

Input    a size such as 2GB, 800MiB or 60%
Output   bytes
Cost     nothing; what is in use is asked of the system, some ten microseconds
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dupdetect.errors import SettingsError

_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?|\.[0-9]{1,15}"
_SIZE = re.compile(rf"\s*({_NUMBER})\s*(%|[kmgt]?b|[kmgt]ib)\s*", re.IGNORECASE | re.ASCII)

#: Bytes of a block that is large, and what `mallopt` calls that (malloc.h).
LARGE, _MMAP_THRESHOLD = 8 << 20, -3

#: Which control groups this process is in, and where these are.
MEMBERSHIP, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")


def size(text: str) -> int:
    """
    Read a size of memory.

    Parameters
    ----------
    text
        A number and a unit: B, KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024), in either case;
        or a percentage of the machine's memory.

    Returns
    -------
    int
        Bytes, at least 1.

    Raises
    ------
    SettingsError
        It is no size, or none that there can be. A bare number is refused: nobody means two bytes.

    Examples
    --------
    >>> size("2GB"), size("1.5 GiB"), size("500MiB")
    (2000000000, 1610612736, 524288000)
    """
    match = _SIZE.fullmatch(text)
    if not match:
        raise SettingsError(f"{text!r} is no size: give a number and its unit, such as 2GB or 800MiB, or 60% of memory")
    number, unit = float(match[1]), match[2].lower()
    if unit == "%" and number > 100:
        raise SettingsError(f"{text!r} is more memory than there is; a percentage is at most 100%")
    base, power = (1024 if unit.endswith("ib") else 1000), "bkmgt".index(unit[0]) if unit != "%" else 0
    amount = int(number / 100 * machine() if unit == "%" else number * base**power)
    if amount < 1:
        raise SettingsError(f"{text!r} is no memory at all; write for example 2GB, 800MiB or 60%")
    return amount


def machine() -> int:
    """Bytes of memory that this process may have: the machine's, or less if its control group or `ulimit -v` say so."""
    import psutil

    groups = [limit for limit, _ in _group_limits()]
    return int(min([psutil.virtual_memory().total, *groups, *(limit for limit, _ in _process_limits())]))


def free() -> int:
    """Bytes of memory that this process may still take: what is free of each of the amounts of `machine`."""
    import psutil

    left = [limit - used for limit, used in (*_group_limits(), *_process_limits())]
    return max(0, int(min([psutil.virtual_memory().available, *left])))


def _group_limits() -> Iterator[tuple[int, int]]:
    """Yield the limit of each control group that this process is in, and of those above, and what is used of it.

    A container may see its own group as the topmost one, and may be told a path of outside: groups that are not there
    are passed over.
    """
    try:
        lines = MEMBERSHIP.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        lines = []
    paths = {"": "/", "memory": "/"}  # by controllers: none are named in version 2
    for line in lines:
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if not controllers or "memory" in controllers.split(","):
            paths["memory" if controllers else ""] = "/" if ".." in path.split("/") else path  # of outside
    two = ("memory.max", "memory.current", "inactive_file")
    one = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
    for top, names, path in (
        (GROUPS, two, paths[""]),
        (GROUPS / "unified", two, paths[""]),
        (GROUPS / "memory", one, paths["memory"]),
    ):
        group = top / path.strip("/")
        for folder in (group, *group.parents):
            found = _group_limit(folder, *names)
            if found is not None:
                yield found
            if folder == top:
                break


def _group_limit(folder: Path, limit: str, used: str, cached: str) -> tuple[int, int] | None:
    """Return the limit of a control group, and what is used of it but for files that are kept in memory; or None."""
    try:
        most = int((folder / limit).read_text(encoding="ascii"))
    except (OSError, ValueError):  # no such file; "max", where there is no limit
        return None
    taken = 0
    with suppress(OSError, ValueError):
        taken = int((folder / used).read_text(encoding="ascii"))
        files = re.search(rf"^{cached} (\d+)$", (folder / "memory.stat").read_text(encoding="ascii"), re.MULTILINE)
        taken -= int(files[1]) if files else 0
    return most, max(0, taken)


def _process_limits() -> Iterator[tuple[int, int]]:
    """Yield the limit of this process's address space (`ulimit -v`) and of its data, and what is used of them."""
    try:
        import resource  # not on Windows
    except ImportError:
        return
    import psutil

    for name in ("RLIMIT_AS", "RLIMIT_DATA"):
        limit = resource.getrlimit(getattr(resource, name))[0]
        if limit != resource.RLIM_INFINITY:
            info = psutil.Process().memory_info()
            yield limit, int(info.vms if name == "RLIMIT_AS" else getattr(info, "data", 0))


def resident() -> int:
    """Bytes of memory that this process has in use (its resident set)."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def give_back() -> None:
    """Give memory that is free within this process back to the system; allocators keep much of it otherwise."""
    import pyarrow as pa

    pa.default_memory_pool().release_unused()
    with suppress(OSError, AttributeError):  # of glibc alone
        ctypes.CDLL(None).malloc_trim(0)


def keep_no_large_blocks() -> None:
    """Have what is freed of large blocks go back to the system at once, in all of this process: for commands.

    The allocator of glibc takes more and more of them for small ones otherwise, and keeps what is between.
    """
    with suppress(OSError, AttributeError):  # of glibc alone
        ctypes.CDLL(None).mallopt(_MMAP_THRESHOLD, LARGE)


def peak() -> int:
    """Bytes of memory that this process had in use at the most."""
    with suppress(OSError):  # Linux; getrusage's figure there is that of whoever started this process, if larger
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        if match := re.search(r"^VmHWM:\s*(\d+) kB", status, re.MULTILINE):
            return int(match[1]) * 1024
    import psutil

    return int(getattr(psutil.Process().memory_info(), "peak_wset", 0)) or _peak_of_usage()


def _peak_of_usage() -> int:
    import resource  # not on Windows, which has the figure above
    import sys

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def shown(amount: int) -> str:
    """
    Write bytes as people read them.

    >>> shown(999), shown(1_536_000_000)
    ('999 bytes', '1.5 GB')
    """
    from rich.filesize import decimal

    return decimal(amount)
