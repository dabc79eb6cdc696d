"""A signal is heard within a second, whatever the run is doing, and nothing unfinished is left."""

import os
import signal
import subprocess
import sys
import time

import pytest
from fakes import started

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has other signals")

MOST_SECONDS = 2  # a second is promised; the other is for a machine that is busy

SENT = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGXCPU, 128 + signal.SIGXCPU)]

#: What takes half a minute, and where Python looks at no signal meanwhile.
SLEEP = "import hashlib; hashlib.pbkdf2_hmac('sha256', b'x', b'y', 10**8)"
BUSY = {
    "a call that looks at nothing": SLEEP,
    "threads that are waited for": "from dupdetect._compiled.dispatch import on_threads; "
    "on_threads(time.sleep, [30, 30], 2)",
    "finalisers": "[type('Thing', (), {'__del__': lambda self: time.sleep(0.02)})() and None for _ in range(10**6)]",
    "Python": "[time.perf_counter() for _ in range(10**9)]",
    "an error handled slowly": "\n    ".join(["try:", "    time.sleep(30)", "finally:", "    " + SLEEP]),
    "a sort": "import numpy as np; import pyarrow.compute as pc; pc.sort_indices(np.random.rand(2 * 10**7))",
}


def stopped(process, sent):
    """Send a signal to a process that says it works; return its exit code, what it said, and after how long."""
    assert process.stdout.readline() == b"working\n"
    time.sleep(0.1)
    start = time.perf_counter()
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    return process.returncode, said, time.perf_counter() - start


@pytest.mark.parametrize("busy", BUSY)
@pytest.mark.parametrize(("sent", "code"), SENT[:2])
def test_a_signal_is_heard_within_a_second(tmp_path, busy, sent, code):
    body = "print('working', flush=True); " + BUSY[busy]
    if "\n" in BUSY[busy]:
        body = "print('working', flush=True)\n    " + BUSY[busy]
    with started(tmp_path / "driver.py", body, "dedup", "x", "-o", tmp_path / "out") as process:
        got, said, seconds = stopped(process, sent)
    assert got == code
    assert seconds < MOST_SECONDS
    assert len(said.splitlines()) == 1
    assert b"nothing was left half-written" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["driver.py"]


@pytest.mark.parametrize(("sent", "code"), SENT[2:])
def test_other_signals_that_end_a_process(tmp_path, sent, code):
    body = "print('working', flush=True); time.sleep(60)"
    with started(tmp_path / "driver.py", body, "dedup", "x", "-o", tmp_path / "out") as process:
        got, said, _ = stopped(process, sent)
    assert (got, said) == (code, b"dupdetect: terminated; nothing was left half-written\n")


def test_what_is_unfinished_is_removed_if_nothing_unwinds(tmp_path):
    body = (
        "from dupdetect._storage.atomic import Replacement; from pathlib import Path; "
        f"place = Path({str(tmp_path)!r}); "
        "one = Replacement(place / 'a', folder=True); (one.path / 'x').touch(); other = Replacement(place / 'b'); "
        "from dupdetect._storage.unfinished import temporary_folder; made = temporary_folder('c', place); "
        "made.__enter__(); print('working', flush=True); " + SLEEP
    )
    with started(tmp_path / "driver.py", body, "dedup", "x", "-o", tmp_path / "out") as process:
        code, _, seconds = stopped(process, signal.SIGTERM)
    assert (code, seconds < MOST_SECONDS) == (143, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["driver.py"]


def test_a_pipe_that_nobody_reads_does_not_keep_it(tmp_path):
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, bytes(1 << 12))
    except BlockingIOError:
        os.set_blocking(writing, True)
    body = "print('working', flush=True); print('x' * 10, file=sys.stderr, flush=True)"
    with started(tmp_path / "driver.py", body, "dedup", "x", "-o", tmp_path / "out", stderr=writing) as process:
        code, _, seconds = stopped(process, signal.SIGTERM)
    assert (code, seconds < MOST_SECONDS) == (143, True)
    os.close(reading)
    os.close(writing)


def test_a_signal_that_is_ignored_stays_so(tmp_path):
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    (tmp_path / "a.jsonl").write_text('{"text": "a text"}\n')
    code = "import os, signal, sys; from dupdetect.cli.main import main; import dupdetect.io.documents as d\n"
    code += "s = d.stream\ndef stream(*a, **k): os.kill(os.getpid(), signal.SIGHUP); return s(*a, **k)\n"
    code += "d.stream = stream\nsys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "dedup", str(tmp_path / "a.jsonl"), "-o", str(tmp_path / "out"), "-q"]
    heard = subprocess.run(command, capture_output=True, check=False)
    ignored = subprocess.run([sys.executable, "-c", ignoring, *command], capture_output=True, check=False)
    assert (heard.returncode, ignored.returncode) == (129, 0)


def test_ctrl_c_while_modules_are_loaded_is_no_traceback(tmp_path):
    code = (
        "import os, signal, sys\n"
        "class Loading:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'dupdetect.cli.main': os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Loading())\n"
        "from dupdetect.__main__ import run\n"
        "sys.exit(run())\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (ran.returncode, ran.stderr) == (130, b"")
