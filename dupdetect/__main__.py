"""``dupdetect`` and ``python -m dupdetect``: the command."""

import gc
import signal
import sys

#: Objects from which on circles among them are looked for. What takes the command's memory is arrays, which nothing
#: refers to in a circle; to look after every 700 objects, as Python does, takes 0.3 s of each run: a sixth of a small
#: one.
OBJECTS = 50_000


def run() -> int:
    """Run the command; Ctrl-C is no traceback, neither while the modules are loaded nor after the work."""
    gc.set_threshold(OBJECTS)
    try:
        from dupdetect.cli.main import main

        code = main()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        gc.freeze()  # what is left goes with the process: it need not be looked through at the end
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return code


if __name__ == "__main__":
    sys.exit(run())
