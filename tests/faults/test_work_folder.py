"""A work folder is ours only by our own plan; of what is in it only files that a run wrote are ever removed."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pytest

import dupdetect
from dupdetect._storage.arrays import DiskStorage
from dupdetect._storage.checkpoints import Checkpoints
from dupdetect.cli.main import main
from dupdetect.errors import OutputError

TEXTS = ["the quick brown fox jumps over the lazy dog again and again", "nothing of the kind was ever seen here"]


def snapshot(folder):
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def stranger(folder, name):
    folder.mkdir()
    if name.endswith(".arrow"):
        table = pa.table({"text": TEXTS})
        with pa.ipc.new_file(folder / name, table.schema) as writer:
            writer.write_table(table)
    else:
        (folder / name).write_text(json.dumps({"format": 1, "settings": {}, "inputs": []}))


@pytest.mark.parametrize(
    "name",
    ["docs.arrow", "a.part", "plan.json", "done.jsonl", "lock", ".hidden", "verified.arrow", "part-000000.rows.arrow"],
)
@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_that_no_run_has_left_is_refused_and_not_touched(tmp_path, name, resume, capsys):
    data = tmp_path / "data"
    stranger(data, name)
    before = snapshot(data)
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    arguments = ["dedup", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out"), "--work", str(data), "-q"]
    assert main([*arguments, *(["--resume"] if resume else [])]) == 1
    assert snapshot(data) == before
    said = capsys.readouterr().err
    assert str(data) in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_the_input_is_not_removed_if_it_is_where_the_run_works(tmp_path):
    data = tmp_path / "data"
    stranger(data, "docs.arrow")
    before = snapshot(data)
    with pytest.raises(OutputError, match=r"docs\.arrow"):
        dupdetect.dedup(data / "docs.arrow", work=data, resume=True)
    assert snapshot(data) == before


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize("remove", [True, False])
def test_what_others_put_into_a_work_folder_stays(tmp_path, resume, remove):
    work, table = tmp_path / "work", pa.table({"n": [1]})
    checkpoints = Checkpoints(work, {}, DiskStorage(work, 1 << 30), resume=True)
    checkpoints.put("rows", table)
    checkpoints.close(remove=False)
    (work / "mine.arrow").write_bytes(b"mine")
    (work / "mine.part").write_bytes(b"mine")
    (work / ".rows.arrow.0123abcd.part").write_bytes(b"of a run that was killed")
    checkpoints = Checkpoints(work, {}, DiskStorage(work, 1 << 30), resume=resume)
    checkpoints.close(remove=remove)
    left = {path.name for path in work.iterdir()}
    assert {"mine.arrow", "mine.part"} <= left
    assert ".rows.arrow.0123abcd.part" not in left
    assert ("rows.arrow" in left) == (resume and not remove)
    if remove:
        assert left == {"mine.arrow", "mine.part"}


def test_a_list_that_names_paths_elsewhere_removes_nothing_there(tmp_path):
    work = tmp_path / "work"
    Checkpoints(work, {}, DiskStorage(work, 1 << 30), resume=True).close(remove=False)
    (tmp_path / "docs.arrow").write_bytes(b"mine")
    (work / "done.jsonl").write_text(
        "".join(json.dumps({"name": n}) + "\n" for n in ("../docs.arrow", str(tmp_path / "docs.arrow")))
    )
    Checkpoints(work, {}, DiskStorage(work, 1 << 30), resume=False).close(remove=True)
    assert (tmp_path / "docs.arrow").read_bytes() == b"mine"


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_a_damaged_plan_is_one_sentence(tmp_path, damage):
    work = tmp_path / "work"
    Checkpoints(work, {}, DiskStorage(work, 1 << 30), resume=True).close(remove=False)
    (work / "plan.json").write_bytes(damage)
    with pytest.raises(OutputError, match=r"plan\.json is damaged or another program's"):
        dupdetect.dedup(TEXTS, work=work, resume=True)
    assert (work / "plan.json").read_bytes() == damage


def test_a_run_killed_before_its_plan_was_whole_can_begin_again(tmp_path):
    work = tmp_path / "work"
    work.mkdir()
    (work / ".work.lock").touch()
    (work / ".plan.json.0123abcd.part").write_text("{")
    Checkpoints(work, {}, DiskStorage(work, 1 << 30), resume=True).close(remove=True)
    assert not work.exists()


# ---- the work folder beside the output, whose name can be guessed ----


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions as Unix has them")
@pytest.mark.parametrize("how", ["a link", "of another", "for all"])
def test_a_work_folder_that_others_have_made_is_refused(tmp_path, capsys, monkeypatch, how):
    (tmp_path / "in.jsonl").write_text('{"text": "a text"}\n')
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    work = tmp_path / ".out.work"
    if how == "a link":
        work.symlink_to(elsewhere)
    else:
        work.mkdir()
        work.chmod(0o777 if how == "for all" else 0o700)
    if how == "of another":
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert main(["dedup", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out"), "--resume", "-q"]) == 1
    assert ".out.work: the work folder is a link, or others may write into it" in capsys.readouterr().err
    assert not list(elsewhere.iterdir())
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="permissions as Unix has them")
def test_a_work_folder_is_for_its_owner_alone(tmp_path):
    checkpoints = Checkpoints(tmp_path / "work", {}, DiskStorage(tmp_path, 1 << 30), resume=False)
    assert (tmp_path / "work").stat().st_mode & 0o777 == 0o700
    checkpoints.close(remove=True)


GOES_ON = "the same command with --resume goes on from there"


@pytest.fixture
def interrupted(tmp_path, monkeypatch, capsys):
    """A run whose output cannot be written, so that its work stays."""
    monkeypatch.chdir(tmp_path)
    rows = "".join(json.dumps({"text": f"{text} {at}"}) + "\n" for at in range(50) for text in TEXTS)
    (tmp_path / "in.jsonl").write_text(rows)

    def fails(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("dupdetect.results.result.Result.write", fails)
        assert main(["dedup", "in.jsonl", "-o", "out", "-q", "--work", "work", "--resume"]) == 1
    assert GOES_ON in capsys.readouterr().err


@pytest.mark.filterwarnings("default:.*goes on from there")
def test_what_was_finished_is_said_where_it_can_be_gone_on_with(interrupted, capsys):
    assert main(["dedup", "in.jsonl", "-o", "out", "-q", "--work", "work", "--resume"]) == 0


@pytest.mark.filterwarnings("default:.*goes on from there")
def test_it_is_not_said_while_another_run_works_there(interrupted, capsys):
    held = Checkpoints(Path("work"), {}, DiskStorage(Path("work"), 1 << 20), resume=False)
    held.put("a", pa.table({"text": TEXTS}))
    assert main(["dedup", "in.jsonl", "-o", "out", "-q", "--work", "work", "--resume"]) == 1
    held.close(remove=False)
    said = capsys.readouterr().err
    assert "another run works in this folder" in said
    assert GOES_ON not in said


@pytest.mark.filterwarnings("default:.*goes on from there")
@pytest.mark.parametrize("other", [["--threshold", "0.7"], ["nothing.jsonl"], ["--text", "body"], ["--sample", "3"]])
def test_it_is_not_said_of_the_work_of_another_command(interrupted, capsys, other):
    resumed = [] if "--sample" in other else ["--resume"]
    assert (
        main(["dedup", "in.jsonl", "-o", "in.jsonl" if not resumed else "out", "--work", "work", *other, *resumed]) == 1
    )
    assert GOES_ON not in capsys.readouterr().err


def test_a_wrong_column_leaves_no_work_that_would_refuse_the_right_one(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("night.jsonl").write_text('{"doc": "a", "body": "渡し船は遅れた。"}\n', encoding="utf-8")
    assert main(["dedup", "night.jsonl", "-o", "out", "--resume"]) == 1
    told = capsys.readouterr().err
    assert "there is no column 'text'" in told
    assert GOES_ON not in told
    assert [path.name for path in tmp_path.iterdir()] == ["night.jsonl"]
    assert main(["dedup", "night.jsonl", "-o", "out", "--resume", "--text", "body", "--id", "doc"]) == 0


@pytest.mark.filterwarnings("default:.*remove it first")
def test_work_that_a_later_file_ended_is_not_said_to_go_on(tmp_path, monkeypatch, capsys):
    """Parts of the first file were finished; the second has a row that is an error, and will have it then."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dupdetect.pipeline.request.PART_BYTES", 500)
    for name, text in (("a", "渡し船は遅れた。"), ("b", None)):
        rows = [{"id": f"{name}{n}", "text": text and f"{n} {text}" * 30} for n in range(20)]
        Path(f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert main(["dedup", "a.jsonl", "b.jsonl", "-o", "out", "--resume", "--strict"]) == 1
    told = capsys.readouterr().err
    assert GOES_ON not in told
    assert ".out.work holds what was finished; to go on with other inputs, columns or settings, remove it first" in told
