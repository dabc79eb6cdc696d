"""A command in a process of its own, watched: its seconds, its memory, what it has on disk, what it prints."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
POLL = 0.05  # seconds between two looks at a process
SHARES = 10  # looks from one count of shared memory to the next: it walks all pages


@dataclass(frozen=True)
class Watched:
    """What a command took.

    Attributes
    ----------
    seconds : float
        From its start to its end.
    cpu_seconds : float
        Of all its processes, user and system.
    peak_bytes : int
        Most resident memory of all its processes together; what they share counts for each of them.
    proportional_bytes : int
        The same, shared memory counted once; with one process, or where the system does not tell, `peak_bytes`.
    spilled_bytes : int
        Most bytes of files in the watched folder, those without a name among them.
    printed : str
        Its standard output.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    proportional_bytes: int
    spilled_bytes: int
    printed: str


def run(
    command: Sequence[str | Path],
    threads: int,
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    folder: Path | None = None,
) -> Watched:
    """Run a command on `threads` cores, and watch the files it has in `folder`.

    Raises
    ------
    RuntimeError
        With the last line of its standard error, when it fails.
    """
    if taskset := shutil.which("taskset"):
        command = [taskset, "-c", ",".join(map(str, sorted(os.sched_getaffinity(0))[:threads])), *command]
    before, start = _used(), time.perf_counter()
    process = subprocess.Popen(
        list(map(str, command)),
        env=_environment(threads) | dict(env or {}),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watch = _Watch(process.pid, folder)
    output = ("", "")
    while True:
        try:
            output = process.communicate(timeout=POLL)
            break
        except subprocess.TimeoutExpired:
            watch.look()
    seconds = time.perf_counter() - start
    if process.returncode:
        last = (output[1].strip().splitlines() or ["no message"])[-1]
        raise RuntimeError(f"exit code {process.returncode}: {last}")
    proportional = watch.proportional or watch.peak
    return Watched(seconds, _used() - before, watch.peak, proportional, watch.spilled, output[0])


def _environment(threads: int) -> dict[str, str]:
    env = os.environ | dict.fromkeys(("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"), str(threads))
    env |= {"PYTHONPATH": f"{HERE.parent}{os.pathsep}{HERE}", "TOKENIZERS_PARALLELISM": "false"}
    return env | {"DAFT_ANALYTICS_ENABLED": "0", "DO_NOT_TRACK": "1", "DAFT_PROGRESS_BAR": "0"}


def _used() -> float:
    """Seconds of the processors that this process's ended children have used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class _Watch:
    """Looks at a process and its children, and keeps the most of what it saw."""

    def __init__(self, pid: int, folder: Path | None) -> None:
        import psutil

        self._process = psutil.Process(pid)
        self._folder = folder.resolve() if folder else None
        self._looks = 0
        self.peak = self.proportional = self.spilled = 0

    def look(self) -> None:
        import psutil

        self._looks += 1
        try:
            members = [self._process, *self._process.children(recursive=True)]
            self._weigh(members)
            if self._folder:
                self.spilled = max(self.spilled, sum(files(self._folder, [member.pid for member in members]).values()))
        except psutil.NoSuchProcess:  # it ended while we looked
            pass

    def _weigh(self, members: list[Any]) -> None:
        resident = sum(member.memory_info().rss for member in members)
        most = max(resident, *(_high_water(member.pid) for member in members))
        self.peak = max(self.peak, most)
        if len(members) == 1:
            self.proportional = max(self.proportional, most)
        elif self._looks % SHARES == 1:
            infos = [member.memory_full_info() for member in members]
            self.proportional = max(self.proportional, sum(getattr(info, "pss", info.rss) for info in infos))


def _high_water(pid: int) -> int:
    """Most bytes that a process has ever had resident: the kernel misses no peak between two looks."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def files(folder: Path, pids: Sequence[int]) -> dict[tuple[int, int], int]:
    """Bytes of every file in a folder, and of the files there that have no name but are open."""
    sizes = {}
    for path in (*_named(folder), *_nameless(folder, pids)):
        try:
            facts = path.stat()
        except OSError:  # it went while we looked
            continue
        sizes[facts.st_dev, facts.st_ino] = facts.st_size
    return sizes


def _named(folder: Path) -> Iterator[Path]:
    for place, _, names in os.walk(folder):
        yield from (Path(place, name) for name in names)


def _nameless(folder: Path, pids: Sequence[int]) -> Iterator[Path]:
    for pid in pids:
        try:
            numbers = list(Path(f"/proc/{pid}/fd").iterdir())
        except OSError:
            continue
        for number in numbers:
            try:
                target = str(number.readlink())
            except OSError:
                continue
            if target.endswith(" (deleted)") and target.startswith(f"{folder}{os.sep}"):
                yield number
