"""Files that are mangled are read, or refused in one sentence; what was once found stays mended."""

import subprocess
import sys
from pathlib import Path

import pytest
from faults import fuzz

FINDINGS = sorted((Path(__file__).parent.parent.parent / "fixtures" / "findings").iterdir())
NAMED = {target.replace(", ", "-").replace(" ", "-"): target for target in fuzz.TARGETS}

CODE = """
import sys, tempfile
sys.path.insert(0, sys.argv[1])
import fuzz
from pathlib import Path
with tempfile.TemporaryDirectory() as folder:
    print(fuzz.run(sys.argv[2], Path(sys.argv[3]).read_bytes(), Path(folder)))
"""


@pytest.mark.parametrize("finding", FINDINGS, ids=lambda path: path.name)
def test_what_was_found_stays_mended(finding):
    target = NAMED[finding.name.rpartition(".")[0]]
    command = [sys.executable, "-c", CODE, str(Path(__file__).parent), target, str(finding)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)  # it ended the process, or may
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""


def test_mangled_files_of_every_kind():
    """A minute of what `fuzz.py` does for as long as one lets it."""
    command = [sys.executable, str(Path(fuzz.__file__)), "--mutations", "1200", "--seed", "1"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert "Traceback" not in ran.stderr
    refused = int(ran.stdout.split(" found, ")[1].split()[0].replace(",", ""))
    assert 300 < refused < 1100  # else the mutations do nothing, or everything


def test_mutations_are_the_same_for_the_same_seed():
    seeds = {}
    for number in range(len(fuzz._turns())):
        target, data = fuzz.mutation(number, 1, seeds)
        assert (target, data) == fuzz.mutation(number, 1, seeds)
        assert target in fuzz.TARGETS
    assert seeds.keys() == fuzz.TARGETS.keys()
