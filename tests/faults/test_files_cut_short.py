"""A file that is cut short while a run works with it is a sentence: no SIGBUS, and nothing is written."""

import os
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest

from dupdetect._storage import arrays, lost_pages
from dupdetect._storage.arrays import DiskStorage
from dupdetect.errors import InputError, OutputError
from dupdetect.io.documents import collect

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="maps files as Linux does")

ROWS = 40_000


@pytest.fixture
def large(tmp_path):
    """An Arrow file of one batch, larger than what is read at once."""
    path = tmp_path / "a.arrow"
    table = pa.table({"id": np.arange(ROWS), "text": [f"{at} " + "a text of some words " * 30 for at in range(ROWS)]})
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    assert path.stat().st_size > 16 << 20
    return path


CUT = """
import sys
from pathlib import Path
import dupdetect.io.readers as readers
from dupdetect.cli.main import main
path, share = Path(sys.argv[2]), float(sys.argv[1])
cut, seen = readers.cut, 0

def cutting(table, text, size):
    for part in cut(table, text, 1 << 20):
        global seen
        seen += 1
        if seen == 3:
            with path.open("r+b") as file:
                file.truncate(int(share * path.stat().st_size))
        yield part

readers.cut = cutting
sys.exit(main(["dedup", *sys.argv[2:], "-q"]))
"""


@pytest.mark.parametrize("share", [0.0, 0.9])
def test_an_input_that_is_cut_short(large, tmp_path, share):
    command = [sys.executable, "-c", CUT, str(share), str(large), "-o", str(tmp_path / "out")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    said = [line for line in ran.stderr.splitlines() if "note:" not in line]
    assert said == [f"dupdetect: {large}: was changed while it was read; run it again when nobody writes to it"]
    assert not (tmp_path / "out").exists()


def test_a_large_file_is_read_as_it_is(large):
    found = collect(large)
    assert len(found) == ROWS
    assert found.texts[ROWS - 1].as_py().startswith(f"{ROWS - 1} a text")


def test_a_small_file_that_is_cut_before_it_is_read(tmp_path):
    path = tmp_path / "a.arrow"
    table = pa.table({"text": ["a text of some words"] * 1000})
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table)
    os.truncate(path, 5000)
    with pytest.raises(InputError, match="cannot be read"):
        collect(path)


# ---- files that a run works with ----

WORK = """
import os, sys
from pathlib import Path
import dupdetect._storage.arrays as arrays
import dupdetect.pipeline.{module} as module
from dupdetect.cli.main import main
arrays.SMALL = 0
work, share, name = Path(sys.argv[3]), float(sys.argv[1]), sys.argv[2]
before = module.{function}

def cutting(*given, **options):
    found = before(*given, **options)
    for path in work.glob("*" + name + ".arrow"):
        os.truncate(path, int(share * path.stat().st_size))
    return found

module.{function} = cutting
sys.exit(main(["dedup", *sys.argv[4:], "--work", str(work), "--resume", "-q"]))
"""

MOMENTS = {
    "after reading": ("dedup", "_sketched"),
    "after deciding": ("dedup", "decide"),
}


@pytest.mark.parametrize(
    ("moment", "name", "share"),
    [
        ("after reading", "texts", 0.0),
        ("after reading", "keys", 0.6),
        ("after deciding", "texts", 0.6),
        ("after deciding", "rows", 0.0),
    ],
)
def test_a_work_file_that_is_cut_short(tmp_path, moment, name, share):
    path, work = tmp_path / "a.csv", tmp_path / "work"
    path.write_text("id,text\n" + "".join(f"{at},{at // 2} {'a text of words ' * 9}{at // 2}\n" for at in range(600)))
    module, function = MOMENTS[moment]
    code = WORK.format(module=module, function=function)
    command = [sys.executable, "-c", code, str(share), name, str(work), str(path), "-o", str(tmp_path / "out")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    said = [line for line in ran.stderr.splitlines() if "note:" not in line]
    assert len(said) == 1, ran.stderr
    assert f"{name}.arrow: was changed or removed by another program while the run worked with it" in said[0]
    assert not (tmp_path / "out").exists()
    again = subprocess.run(
        [sys.executable, "-m", "dupdetect", "dedup", *command[6:], "--work", str(work), "--resume", "-q"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 0, again.stderr
    assert not work.exists()


def test_lost_pages_are_zeros_and_the_file_is_told(tmp_path, monkeypatch):
    if lost_pages._installed() is None:
        pytest.skip("there is no compiler")
    monkeypatch.setattr(arrays, "SMALL", 0)
    path = tmp_path / "a"
    path.write_bytes(b"\1" * (1 << 20))
    storage = DiskStorage(tmp_path, 1 << 30)
    values = storage.array(path, "uint8")
    storage.check()
    os.truncate(path, 1 << 16)
    assert values[: 1 << 16].all()
    assert not values[1 << 16 :].any()
    with pytest.raises(OutputError, match="was changed or removed by another program"):
        storage.check()


def test_maps_of_others_are_as_they_were(tmp_path):
    code = (
        "import os, sys; import numpy as np; from dupdetect._storage import lost_pages; lost_pages.guard(1, 1)\n"
        "values = np.memmap(sys.argv[1], 'uint8', 'r'); os.truncate(sys.argv[1], 0); print(values.sum())"
    )
    (tmp_path / "a").write_bytes(bytes(1 << 20))
    ran = subprocess.run([sys.executable, "-c", code, str(tmp_path / "a")], capture_output=True, check=False)
    assert ran.returncode == -lost_pages.SIGBUS
