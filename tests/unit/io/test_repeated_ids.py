"""Ids that repeat: in one file, across files, and what may be done about it."""

import json

import pytest

from dupdetect import dedup
from dupdetect.errors import InputError
from dupdetect.io.documents import collect


@pytest.fixture
def shards(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        rows = [{"id": n, "text": f"shard {name} has the text number {n}"} for n in range(3)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return [tmp_path.joinpath(f"{name}.jsonl").relative_to(tmp_path) for name in "ab"]


def test_many_repeated_ids_are_told(shards):
    with pytest.warns(
        UserWarning, match=r"3 of 6 rows are rejected.* b\.jsonl:1: .*repeats the id 0 of a\.jsonl:1.*--id-prefix file"
    ):
        assert dedup(shards).clusters.num_rows == 3
    with pytest.warns(UserWarning, match=r"1 of 2 rows is rejected, row 1: .* row 0: give id='none'"):
        dedup([{"id": 1, "text": "x"}, {"id": 1, "text": "y"}])
    with pytest.raises(InputError, match="repeats the id 0"):
        dedup(shards, strict=True)


def test_a_single_repeated_id_is_told():
    rows = [{"id": max(n, 1), "text": f"text {n}"} for n in range(200)]
    with pytest.warns(UserWarning, match="1 of 200 rows is rejected"):
        assert dedup(rows).rejects.num_rows == 1


def test_ids_may_be_left_aside(shards):
    assert collect(shards, id="none").ids.to_pylist() == [f"{name}.jsonl:{n}" for name in "ab" for n in (1, 2, 3)]
    rows = [{"id": None, "text": "x"}, {"id": 1, "text": "y"}, {"id": 1, "text": "z"}]
    found = collect(rows, id="none")
    assert found.ids.to_pylist() == [0, 1, 2]
    assert found.table["id"].to_pylist() == [None, 1, 1]
    assert collect({"a": "x", "b": "y"}, id="none").ids.to_pylist() == [0, 1]


def test_names_of_files_may_go_before_ids(shards, tmp_path):
    assert collect(shards, id_prefix="file").ids.to_pylist() == [f"{name}.jsonl:{n}" for name in "ab" for n in range(3)]
    (tmp_path / "c.jsonl").write_text('{"id": null, "text": "x"}\n{"id": "y", "text": "y"}\n')
    assert collect(tmp_path / "c.jsonl", id_prefix="file").ids.to_pylist() == [f"{tmp_path}/c.jsonl:y"]


def test_what_no_name_can_go_before_is_refused(shards):
    with pytest.raises(InputError, match="a list is of no files"):
        collect(["x"], id_prefix="file")
    with pytest.raises(InputError, match="id_prefix is 'row': expected 'file'"):
        collect(shards, id_prefix="row")


def test_outputs_say_how_ids_were_made(shards, tmp_path):
    result = dedup(shards, id_prefix="file", sketches=True)
    assert result.manifest["columns"] == {"text": "text", "id": "id", "id_prefix": "file"}
    result.write(tmp_path / "out")
    again = dedup(shards, id_prefix="file", against=tmp_path / "out")
    assert again.kept.num_rows == 0
    assert dedup(shards, id="none").manifest["columns"]["id"] == "none"
