"""The page of promises names tests, and these exist; what tests of faults there are is promised somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
ROWS = [
    line.split("|")[1:-1]
    for line in (ROOT / "docs" / "concepts" / "promises.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("|") and not line.startswith(("|---", "| promise |"))
]
HERE = Path(__file__).parent


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
def test_each_promise_names_tests_that_exist(row):
    names = re.findall(r"`([^`]+\.py)`", row[2])
    assert names
    for name in names:
        path = ROOT / name if "/" in name else HERE / name
        assert re.search(r"^def test_", path.read_text(encoding="utf-8"), re.MULTILINE), f"{path} holds no test"


def test_each_test_of_faults_belongs_to_a_promise():
    named = {name for row in ROWS for name in re.findall(r"`([^`]+\.py)`", row[2])}
    assert {path.name for path in HERE.glob("test_*.py")} - {Path(__file__).name} <= named
