import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from dupdetect._storage.arrays import DiskStorage
from dupdetect._storage.checkpoints import Checkpoints
from dupdetect.errors import MismatchError, OutputError

PLAN = {"settings": {"threshold": 0.8}, "inputs": [{"name": "news.jsonl", "bytes": 3}]}
TABLE = pa.table({"text": ["一つ", "สอง", "ثلاثة", "🙂"], "n": [1, None, 3, 4]})


made = []


@pytest.fixture(autouse=True)
def closed():
    yield
    while made:
        made.pop().close(remove=False)


def opened(folder, plan=PLAN, *, resume=True):
    made.append(Checkpoints(folder, plan, DiskStorage(folder, 1 << 30), resume=resume))
    return made[-1]


def test_what_was_put_is_there_now_and_in_a_later_run(tmp_path):
    folder = tmp_path / "a" / "work"
    checkpoints = opened(folder)
    assert checkpoints.get("rows") is None
    assert checkpoints.put("rows", TABLE).equals(TABLE)
    arrays = {"a": np.arange(5, dtype=np.uint64), "b": np.array([0.5]), "none": np.empty(0, np.int32)}
    put = checkpoints.put_arrays("arrays", arrays)
    checkpoints.close(remove=False)
    again = opened(folder)
    assert again.get("rows").equals(TABLE)
    for found in (put, again.get_arrays("arrays")):
        assert {name: (values.dtype, values.tolist()) for name, values in found.items()} == {
            name: (values.dtype, values.tolist()) for name, values in arrays.items()
        }
    assert again.bytes == sum(path.stat().st_size for path in folder.glob("*.arrow"))
    again.close(remove=True)
    assert not folder.exists()


def test_without_resuming_a_run_begins_anew(tmp_path):
    checkpoints = opened(tmp_path)
    checkpoints.put("rows", TABLE)
    checkpoints.close(remove=False)
    checkpoints = opened(tmp_path, resume=False)
    assert checkpoints.get("rows") is None
    assert not list(tmp_path.glob("*.arrow"))
    checkpoints.close(remove=False)


@pytest.mark.parametrize(
    ("plan", "named"),
    [
        ({"settings": {"threshold": 0.7}, "inputs": PLAN["inputs"]}, "settings.threshold 0.8, and is now 0.7"),
        ({"settings": {}, "inputs": PLAN["inputs"]}, "settings.threshold 0.8, and is now null"),
        ({**PLAN, "inputs": [{"name": "news.jsonl", "bytes": 4}]}, "inputs 1.bytes 3, and is now 4"),
        ({**PLAN, "inputs": []}, "inputs"),
    ],
)
def test_another_plan_is_refused_by_name(tmp_path, plan, named):
    opened(tmp_path).close(remove=False)
    with pytest.raises(MismatchError) as error:
        opened(tmp_path, plan)
    assert named in str(error.value)


def test_a_damaged_file_is_noticed_and_does_not_count(tmp_path):
    checkpoints = opened(tmp_path)
    checkpoints.put("rows", TABLE)
    checkpoints.close(remove=False)
    path = tmp_path / "rows.arrow"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    checkpoints = opened(tmp_path)
    with pytest.warns(UserWarning, match="not as it was written"):
        assert checkpoints.get("rows") is None
    assert checkpoints.put("rows", TABLE).equals(TABLE)
    checkpoints.close(remove=False)
    assert opened(tmp_path).get("rows").equals(TABLE)


def test_a_torn_line_counts_for_nothing_and_spoils_nothing(tmp_path):
    checkpoints = opened(tmp_path)
    checkpoints.put("one", TABLE)
    checkpoints.put("two", TABLE)
    checkpoints.close(remove=False)
    lines = (tmp_path / "done.jsonl").read_text()
    (tmp_path / "done.jsonl").write_text(lines[:-20])
    checkpoints = opened(tmp_path)
    assert "one" in checkpoints
    assert "two" not in checkpoints
    checkpoints.put("three", TABLE)
    checkpoints.close(remove=False)
    checkpoints = opened(tmp_path)
    assert "one" in checkpoints
    assert "three" in checkpoints
    assert [json.loads(line)["name"] for line in (tmp_path / "done.jsonl").read_text().splitlines()][-2:] == [
        "one",
        "three",
    ]


def test_two_runs_do_not_work_in_one_folder(tmp_path):
    checkpoints = opened(tmp_path)
    code = (
        "import sys; from pathlib import Path; from dupdetect._storage.checkpoints import Checkpoints\n"
        "from dupdetect._storage.arrays import DiskStorage\n"
        "Checkpoints(Path(sys.argv[1]), {}, DiskStorage(sys.argv[1], 1 << 30), resume=False)"
    )
    other = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "another run works in this folder" in other.stderr
    checkpoints.close(remove=False)


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OutputError, match=r"thesis\.txt"):
        opened(tmp_path, resume=False)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_full_disk_is_one_sentence(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "no room")

    checkpoints = opened(tmp_path)
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        checkpoints.put("rows", TABLE)
    assert "rows" not in checkpoints


def test_a_run_that_is_killed_while_its_folder_is_removed_leaves_nothing_finished(tmp_path, monkeypatch):
    folder = tmp_path / "work"
    checkpoints = opened(folder)
    checkpoints.put("rows", TABLE)
    unlink = Path.unlink

    def killed(path, **options):
        unlink(path, **options)
        if path.name == "rows.arrow":
            raise OSError

    monkeypatch.setattr(Path, "unlink", killed)
    checkpoints.close(remove=True)
    monkeypatch.undo()
    assert opened(folder).get("rows") is None  # and no warning, which would be an error here
