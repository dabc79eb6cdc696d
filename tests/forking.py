"""Scripts that fork: what a child does, and what a thread of its parent holds meanwhile."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path


def run_script(path, script, *arguments):
    """Write a script, which finds this module, and run it."""
    begin = f"import sys\nsys.path.append({str(Path(__file__).parent)!r})\n"
    path.write_text(begin + textwrap.dedent(script), encoding="utf-8")
    return subprocess.run([sys.executable, path, *arguments], capture_output=True, text=True, timeout=200, check=False)


def forked(work, leave=os._exit):
    """Let a child do something, and leave; return its exit code."""
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        try:
            work()
        except SystemExit:
            raise
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(1)
        leave(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def fork_while(held, work):
    """Let a child do something that is forked while a thread of its parent is in what `held` gives."""
    begun, go_on = threading.Event(), threading.Event()

    def hold():
        with held():
            begun.set()
            go_on.wait(60)

    holding = threading.Thread(target=hold)
    holding.start()
    begun.wait(60)
    code = forked(work)
    go_on.set()
    holding.join()
    return code
