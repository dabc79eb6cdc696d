"""Kill runs at random, and send them signals at random: each next one goes on, and all end in the same bytes.

    python tests/faults/kill.py --runs 500 --seed 1

A run is the command, in a fork of its own. Between runs nothing may be left beside the input but the work folder, which
the message names, and what a ``kill -9`` leaves unfinished, which the next run removes. Half of the runs replace an
output, which must be there, whole, at every moment.
"""

# ruff: noqa: T201 - a script that tells what it finds

import argparse
import contextlib
import io
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent.parent.parent)]

SIGNALS = {signal.SIGKILL: None, signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}

#: Seconds after which a run that was sent a signal is taken for one that does not hear it, on a machine that is busy.
MOST_SECONDS = 10

COMMAND = ("dedup", "news.parquet", "-o", "out", "--resume", "--sketches", "--overwrite", "-q", "--workers", "2")


def started():
    """Run the command in a fork; return its process."""
    from dupdetect.cli.main import main

    process = os.fork()
    if process == 0:
        code = 99
        try:
            log = os.open("log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(log, 2)
            sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", 0), write_through=True)
            code = main(COMMAND)
        except KeyboardInterrupt:  # before the command was there: `dupdetect.__main__` hears it
            code = 130
        finally:
            os._exit(code)
    return process


def ended(process):
    """Wait for a run; return its exit code, negative for the signal that ended it, and how long that took."""
    start = time.perf_counter()
    while (found := os.waitpid(process, os.WNOHANG))[0] == 0:
        if time.perf_counter() - start > 60:
            os.kill(process, signal.SIGKILL)
        time.sleep(0.002)
    return os.waitstatus_to_exitcode(found[1]), time.perf_counter() - start


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}


def left():
    """Return the names of what is beside input and output."""
    return {path.name for path in Path().iterdir()} - {"news.parquet", "out", "log"}


def check(code, sent, expected, seconds, before=frozenset()):
    """Say what is wrong with how a run ended; what was left before it stays if it ends before it works."""
    names = left()
    log = Path("log").read_text()
    if "Traceback" in log or "Error" in log:
        yield f"it said {log[-300:]!r}"
    if (Path("out").exists() and contents(Path("out")) != expected) or not Path("out").exists():
        yield "the output is not whole"
    if sent is not None and code not in (0, SIGNALS[sent] or -sent, -sent):
        yield f"it ended with {code} after {sent.name}"
    if sent is None and code != 0:
        yield f"it ended with {code}: {log[-300:]!r}"
    if sent not in (None, signal.SIGKILL) and seconds > MOST_SECONDS:
        yield f"it heard {sent.name} after {seconds:.1f} s"
    unfinished = {name for name in names if name.endswith(".part")}
    if sent is not signal.SIGKILL and code != -(sent or 0) and unfinished - before:
        yield f"{unfinished - before} are left"
    others = names - unfinished - {".out.work"}
    if others or (code == 0 and names):
        yield f"{names} are left after exit code {code}"


def runs(number, seed):
    """Run, and send signals, so many times; return what was wrong, and what became of the runs."""
    import pyarrow as pa
    import pyarrow.parquet
    from generated_sites import mixture

    import dupdetect.pipeline.request
    from dupdetect.cli.main import main

    pa.set_cpu_count(1)
    dupdetect.pipeline.request.PART_BYTES = 20_000  # so that there are many
    pyarrow.parquet.write_table(pa.Table.from_pylist(mixture()), "news.parquet", row_group_size=9)
    with contextlib.redirect_stderr(io.StringIO()):
        start = time.perf_counter()
        assert main(COMMAND) == 0
        whole = time.perf_counter() - start
    expected = contents(Path("out"))
    rng, wrong, became, slowest = random.Random(seed), [], Counter(), 0.0
    for at in range(number):
        sent, before = rng.choice(list(SIGNALS)), left()
        process = started()
        time.sleep(rng.random() * 1.1 * whole)
        os.kill(process, sent)
        code, seconds = ended(process)
        became[f"{sent.name}: {code}"] += 1
        if sent is not signal.SIGKILL:
            slowest = max(slowest, seconds)
        for what in check(code, sent, expected, seconds, before):
            wrong.append(f"run {at}: {what}")
            print(wrong[-1], flush=True)
        if rng.random() < 0.3 or at == number - 1:  # and now undisturbed
            wrong += [f"run {at}, gone on with: {what}" for what in check(ended(started())[0], None, expected, 0)]
    return wrong, became, slowest


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    start = time.perf_counter()
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            wrong, became, slowest = runs(given.runs, given.seed)
        finally:
            os.chdir(here)
    seconds = time.perf_counter() - start
    print(f"{given.runs} runs in {seconds:.0f} s: {len(wrong)} wrong; a signal was heard after {slowest:.2f} s at most")
    for what, times in sorted(became.items()):
        print(f"{times:>6} {what}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
