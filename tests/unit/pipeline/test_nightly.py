"""A nightly job: each night held against those before, from the first night on, and any night once more."""

import json
import warnings
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from generated_sites import Writer

from dupdetect.cli.main import main
from dupdetect.errors import InputError
from dupdetect.io.writers import plain
from dupdetect.pipeline.dedup import dedup

pytestmark = pytest.mark.filterwarnings("default")  # notes, in the command

STORIES = [Writer("en", number).story(2) for number in range(4)]


def lines(path, texts):
    import json

    path.write_text("".join(json.dumps({"id": id, "text": text}, default=plain) + "\n" for id, text in texts.items()))
    return path


def tables(folder):
    """Give all that a run found, but for its manifest."""
    found = {path.name: pq.read_table(path) for path in Path(folder).glob("*.parquet")}
    return found | {"rejects.jsonl": (Path(folder) / "rejects.jsonl").read_text()}


@pytest.fixture
def nights(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines(tmp_path / "n1.jsonl", {"m0": STORIES[0], "m1": STORIES[1]})
    lines(tmp_path / "n2.jsonl", {"t0": STORIES[0], "t1": STORIES[0].upper(), "t2": STORIES[2]})
    lines(tmp_path / "n3.jsonl", {"w0": STORIES[2], "w1": STORIES[3]})
    return tmp_path


def night(number, name, *more):
    return main(["dedup", f"n{number}.jsonl", "-o", f"outputs/{name}", "--sketches", "--against", "outputs", *more])


def test_the_first_night_has_nothing_to_be_held_against(nights, capsys):
    assert night(1, "mon") == 0  # there is no folder yet
    assert "outputs: there is no earlier output yet" in capsys.readouterr().err
    assert len(Path("outputs/mon/kept.jsonl").read_text().splitlines()) == 2
    (nights / "empty").mkdir()
    with pytest.warns(UserWarning, match="empty: there is no earlier output yet"):
        assert len(dedup({"a": STORIES[0]}, against=nights / "empty").kept) == 1


def test_a_folder_that_is_not_there_is_an_error_unless_the_output_stands_in_it(nights):
    with pytest.raises(InputError, match="there is no such folder"):
        dedup({"a": STORIES[0]}, against=nights / "outptus", replaces=nights / "outputs" / "mon")


def test_two_copies_of_one_earlier_document_are_summed_up(nights, capsys):
    assert night(1, "mon") == 0
    assert night(2, "tue") == 0  # IndexError, once
    clusters = pq.read_table("outputs/tue/clusters.parquet").to_pydict()
    assert clusters["cluster"] == ["m0", "m0", "t2"]
    assert "2 x m0" in capsys.readouterr().out


def test_a_night_that_is_repeated_is_not_held_against_itself(nights):
    assert night(1, "mon") == night(2, "tue") == 0
    before = {name: tables(f"outputs/{name}") for name in ("mon", "tue")}
    assert night(2, "tue", "--overwrite") == 0
    assert tables("outputs/tue") == before["tue"]
    assert [json.loads(line)["id"] for line in Path("outputs/tue/kept.jsonl").read_text().splitlines()] == ["t2"]


def test_an_earlier_night_that_is_repeated_is_not_held_against_later_ones(nights, capsys):
    assert night(1, "mon") == night(2, "tue") == night(3, "wed") == 0
    before = {name: tables(f"outputs/{name}") for name in ("mon", "tue", "wed")}
    for number, name in enumerate(before, 1):
        assert night(number, name, "--overwrite") == 0
        assert tables(f"outputs/{name}") == before[name]
    assert "outputs/tue, outputs/wed: made against mon, which is to be replaced" in capsys.readouterr().err


def test_outputs_that_were_moved_together_still_know_each_other(nights):
    assert night(1, "mon") == night(2, "tue") == 0
    before = tables("outputs/mon")
    (nights / "outputs").rename(nights / "moved")
    assert main(["dedup", "n1.jsonl", "-o", "moved/mon", "--sketches", "--against", "moved", "--overwrite"]) == 0
    assert tables("moved/mon") == before


def test_a_run_that_was_finished_may_be_repeated_with_resume(nights):
    assert night(1, "mon", "--resume") == 0
    before = tables("outputs/mon")
    assert night(1, "mon", "--resume") == 0
    assert tables("outputs/mon") == before
    assert night(2, "mon", "--resume") == 1  # of another input: not to be replaced
    assert night(1, "mon", "--resume", "--threshold", "0.7") == 1
    assert tables("outputs/mon") == before


def test_hidden_folders_beside_outputs_are_not_outputs(nights):
    assert night(1, "mon") == 0
    (nights / "outputs" / "mon").rename(nights / "outputs" / ".mon.old")
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        assert len(dedup({"a": STORIES[0]}, against=nights / "outputs").kept) == 1


def test_a_result_in_memory_is_an_earlier_run_too():
    first = dedup({"m0": STORIES[0], "m1": STORIES[1]})
    second = dedup({"t0": STORIES[0], "t2": STORIES[2]}, against=first)
    assert second.clusters["cluster"].to_pylist() == ["m0", "t2"]
    third = dedup({"w0": STORIES[2], "w1": STORIES[1], "w2": STORIES[3]}, against=[first, second])
    assert third.clusters["cluster"].to_pylist() == ["t2", "m1", "w2"]
    assert third.manifest["against"]["results"] == 2
    assert third.manifest["against"]["outputs"] == []
