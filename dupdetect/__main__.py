"""``dupdetect`` and ``python -m dupdetect``: the command."""

import signal
import sys


def run() -> int:
    """Run the command; Ctrl-C is no traceback, neither while the modules are loaded nor after the work."""
    try:
        from dupdetect.cli.main import main

        code = main()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return code


if __name__ == "__main__":
    sys.exit(run())
