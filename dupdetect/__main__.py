"""``python -m dupdetect`` is the command `dupdetect`."""

import sys

from dupdetect.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
