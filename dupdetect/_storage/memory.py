"""
Sizes of memory: as people write them, of the machine, and in use.

Input    a size such as 2GB, 500MiB or 60%
Output   bytes
Cost     nothing; what is in use is asked of the system, some ten microseconds
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from dupdetect.errors import SettingsError

_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?|\.[0-9]{1,15}"
_SIZE = re.compile(rf"\s*({_NUMBER})\s*(%|[kmgt]?b|[kmgt]ib)\s*", re.IGNORECASE | re.ASCII)

# Where a container is told its limit, by cgroups of version 2 and 1.
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


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
        raise SettingsError(f"{text!r} is no size of memory; write for example 2GB, 500MiB or 60%")
    number, unit = float(match[1]), match[2].lower()
    if unit == "%" and number > 100:
        raise SettingsError(f"{text!r} is more memory than there is; a percentage is at most 100%")
    base, power = (1024 if unit.endswith("ib") else 1000), "bkmgt".index(unit[0]) if unit != "%" else 0
    amount = int(number / 100 * machine() if unit == "%" else number * base**power)
    if amount < 1:
        raise SettingsError(f"{text!r} is no memory at all; write for example 2GB, 500MiB or 60%")
    return amount


def machine() -> int:
    """Bytes of memory that the machine has, or the container, if that is given less."""
    import psutil

    amounts = [psutil.virtual_memory().total]
    for file in _LIMITS:
        with suppress(OSError, ValueError):  # no such file; "max", where there is no limit
            amounts.append(int(Path(file).read_text(encoding="ascii")))
    return int(min(amounts))


def resident() -> int:
    """Bytes of memory that this process has in use (its resident set)."""
    import psutil

    return int(psutil.Process().memory_info().rss)


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
