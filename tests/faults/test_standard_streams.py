"""Closed, full and broken standard streams: no traceback, nothing written elsewhere, the exit code as documented."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="closes and fills streams as Linux does")

DRIVER = """
import sys
import dupdetect
from dupdetect.cli import main as cli
from fakes import FakeResult

def dedup(data, **options):
    print("noise", file=sys.stderr)
    open(sys.argv[-1], "a").write("opened")
    return FakeResult()

vars(dupdetect)["dedup"] = dedup
sys.exit(cli.main(sys.argv[1:-1]))
"""

DEDUP, COMPARE, USAGE, MISSING = "dedup x -o out", "compare --literal x y", "dedup --nope", "explain none a"

#: What is done with the streams, a command, the exit code, and what is said if anybody hears it.
CASES = [
    (">&-", DEDUP, 0, "noise\n"),
    (">&-", COMPARE, 0, ""),
    (">&-", "--help", 0, ""),
    ("2>&-", DEDUP, 0, ""),
    ("2>&-", USAGE, 2, ""),
    ("2>&-", MISSING, 1, ""),
    (">&- 2>&-", DEDUP, 0, ""),
    (">&- 2>&-", USAGE, 2, ""),
    ("<&-", DEDUP, 0, "noise\n"),
    ("<&-", "compare - x", 1, "dupdetect: -: standard input is closed; name a file\n"),
    ("<&- >&- 2>&-", DEDUP, 0, ""),
    ("<&- >&- 2>&-", MISSING, 1, ""),
    ("<&- >&-", "--version", 0, ""),
    (">/dev/full", DEDUP, 1, "noise\ndupdetect: No space left on device\n"),
    (">/dev/full", "--help", 1, "dupdetect: No space left on device\n"),
    (">/dev/full", USAGE, 2, None),
    ("2>/dev/full", USAGE, 2, ""),
    ("2>/dev/full", MISSING, 1, ""),
    (">/dev/full 2>/dev/full", COMPARE, 1, ""),
    ("| true", COMPARE, None, ""),
]


@pytest.mark.parametrize(("streams", "command", "code", "said"), CASES)
def test_a_standard_stream_that_cannot_be_used(tmp_path, streams, command, code, said):
    (tmp_path / "driver.py").write_text(DRIVER)
    here = Path(__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parent)]), "PYTHON": sys.executable}
    script = f'{{ "$PYTHON" driver.py {command} opened; echo $? > code; }} {streams}'
    ran = subprocess.run(
        ["sh", "-c", script], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, stdin=subprocess.PIPE, check=False
    )
    got = int((tmp_path / "code").read_text())
    assert got == code if code is not None else got in (0, 1)
    if said is not None:
        assert ran.stderr.decode() == said
    assert b"Traceback" not in ran.stderr
    if command == DEDUP:
        assert (tmp_path / "opened").read_text() == "opened"  # no other file's number was that of a stream
        assert (tmp_path / "out").is_dir()
