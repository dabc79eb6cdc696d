"""A process may fork while another thread of it is in its first call: the child can do the same."""

import os
import subprocess
import sys
import textwrap

import pytest

FORKING = """
    import os, signal, threading, time
    import dupdetect

    texts = [f"story {i} of the harbour and of the boats in it, number {i * i}" for i in range(40)] * 2

    def first():
        dupdetect.dedup(texts)
        dupdetect.compare(texts[0] * 9000, texts[1] * 9000)  # which is compiled

    def forked():
        child = os.fork()
        if child == 0:
            signal.alarm(40)
            found = dupdetect.dedup(texts)
            os._exit(0 if found.manifest["counts"]["kept"] == 40 else 1)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    other = threading.Thread(target=first)
    other.start()
    codes = []
    while other.is_alive() and len(codes) < 4:
        time.sleep(0.1)
        codes.append(forked())
    other.join()
    print(codes, forked())
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_child_is_not_held_up_by_a_thread_that_it_does_not_have(tmp_path):
    script = tmp_path / "forking.py"
    script.write_text(textwrap.dedent(FORKING), encoding="utf-8")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=200, check=True)
    assert done.stderr == ""
    codes, last = done.stdout.rsplit(" ", 1)
    assert set(codes.strip("[]").split(", ")) == {"0"}
    assert int(last) == 0
