"""A corpus that does not fit in memory: the same tables, bit for bit, and nothing left behind."""

import json
from pathlib import Path

import generated_sites
import pyarrow as pa
import pyarrow.parquet
import pytest

import dupdetect
from dupdetect._storage import workspace as workspace
from dupdetect.errors import InputError, MismatchError, SettingsError

TABLES = ("clusters", "matches", "digests", "kept", "rejects", "boilerplate")


@pytest.fixture
def news(tmp_path):
    path = tmp_path / "news.parquet"
    pyarrow.parquet.write_table(pa.Table.from_pylist(generated_sites.mixture()), path, row_group_size=5)
    return path


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr("dupdetect.pipeline.request.PART_BYTES", 5_000)


def equal(one, other):
    return {name: getattr(one, name).equals(getattr(other, name)) for name in TABLES} == dict.fromkeys(TABLES, True)


def spilled(result):
    return result.manifest["memory"]["on_disk"] > 0


@pytest.mark.parametrize("workers", [1, 2])
def test_tables_are_the_same_in_memory_and_on_disk(news, tmp_path, small_parts, workers):
    whole = dupdetect.dedup(news, workers=1)
    assert whole.clusters.num_rows > 50
    assert whole.rejects.num_rows == 2
    assert not spilled(whole)
    disk = dupdetect.dedup(news, workers=workers, work=tmp_path / "work", resume=True)
    assert spilled(disk)
    assert equal(whole, disk)
    for result, name in ((whole, "whole"), (disk, "disk")):
        result.write(tmp_path / name)
    for path in (tmp_path / "whole").iterdir():
        if path.name != "manifest.json":
            assert path.read_bytes() == (tmp_path / "disk" / path.name).read_bytes(), path.name
    disk.close()
    assert not (tmp_path / "work").exists()


def test_a_corpus_moves_to_disk_when_it_would_not_fit(news, monkeypatch, small_parts):
    whole = dupdetect.dedup(news)
    monkeypatch.setattr(workspace, "PROGRAM", workspace.LEAST - 8 * 30_000)  # room for some parts
    moved = dupdetect.dedup(news, memory=workspace.LEAST)
    assert spilled(moved)
    folder = moved.workspace.checkpoints.folder
    assert equal(whole, moved)
    moved.close()
    assert not folder.exists()


def test_a_temporary_work_folder_goes_with_the_result(news, monkeypatch, small_parts):
    monkeypatch.setattr(workspace, "PROGRAM", workspace.LEAST)
    result = dupdetect.dedup(news, memory=workspace.LEAST)
    folder = result.workspace.checkpoints.folder
    assert folder.exists()
    del result
    assert not folder.exists()


@pytest.mark.parametrize("kind", ["parquet", "arrow", "csv", "texts"])
def test_parts_of_any_format_are_the_same(kind, tmp_path, small_parts):
    rows = [row for row in generated_sites.mixture() if row["text"] is not None]
    path = tmp_path / f"news.{kind}"
    table = pa.Table.from_pylist(rows)
    if kind == "parquet":
        pyarrow.parquet.write_table(table, path, row_group_size=7)
    elif kind == "arrow":
        with pa.ipc.new_file(str(path), table.schema) as file:
            file.write_table(table, max_chunksize=9)
    elif kind == "csv":
        pa.csv.write_csv(table, path)
    else:
        path.mkdir()
        for number, row in enumerate(rows):
            (path / f"{number:04}.txt").write_text(row["text"], encoding="utf-8")
    disk = dupdetect.dedup(path, work=tmp_path / "work", resume=True)
    assert len(list((tmp_path / "work").glob("part-*.rows.arrow"))) > (
        0 if kind == "csv" else 3
    )  # read in large blocks
    assert equal(dupdetect.dedup(path), disk)
    disk.close()


def test_one_policy_reads_a_column_on_disk_too(news, tmp_path, small_parts):
    settings = {"canonical": "priority", "canonical_column": "n"}
    disk = dupdetect.dedup(news, work=tmp_path / "work", resume=True, **settings)
    assert equal(dupdetect.dedup(news, **settings), disk)
    disk.close()


def test_a_finished_run_is_taken_up_whole(news, tmp_path, small_parts):
    first = dupdetect.dedup(news, work=tmp_path / "work", resume=True)
    first.workspace.close()
    again = dupdetect.dedup(news, work=tmp_path / "work", resume=True)
    assert again.manifest["memory"]["resumed_parts"] > 3
    assert not {"candidates", "verify"} & again.manifest["timings"].keys()
    assert equal(first, again)
    again.close()


def by_length(sign):
    return lambda row: sign * len(row["text"])


def test_what_a_function_of_the_same_name_has_decided_is_decided_anew(news, tmp_path, small_parts):
    first = dupdetect.dedup(news, work=tmp_path / "work", resume=True, canonical=by_length(-1))
    first.workspace.close()
    again = dupdetect.dedup(news, work=tmp_path / "work", resume=True, canonical=by_length(1))
    assert again.manifest["memory"]["resumed_parts"] > 3
    assert equal(dupdetect.dedup(news, canonical=by_length(1)), again)
    assert again.clusters["cluster"] != first.clusters["cluster"]
    again.close()


def test_a_changed_setting_and_a_changed_input_are_named(news, tmp_path, small_parts):
    dupdetect.dedup(news, work=tmp_path / "work", resume=True).workspace.close()
    with pytest.raises(MismatchError, match=r"settings\.threshold 0\.8, and is now 0\.7"):
        dupdetect.dedup(news, work=tmp_path / "work", resume=True, threshold=0.7)
    pyarrow.parquet.write_table(
        pa.Table.from_pylist([*generated_sites.mixture(), {"id": "late", "text": "One more."}]), news
    )
    with pytest.raises(MismatchError, match=r"inputs 1\.bytes"):
        dupdetect.dedup(news, work=tmp_path / "work", resume=True)
    anew = dupdetect.dedup(news, work=tmp_path / "work")  # does not resume, and need not work there
    assert "late" in anew.clusters["id"].to_pylist()


def test_a_bad_input_leaves_nothing_behind(tmp_path, monkeypatch, small_parts):
    monkeypatch.setattr(workspace, "PROGRAM", workspace.LEAST)
    good, bad = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    good.write_text("".join(json.dumps({"text": f"text {n} " * 99}) + "\n" for n in range(99)))
    bad.write_text(json.dumps({"title": "no text"}) + "\n")
    with pytest.raises(InputError, match="no column 'text'"):
        dupdetect.dedup([Path(good), Path(bad)], memory=workspace.LEAST, work=tmp_path / "work")
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("memory", [0, 1000, True, "2MB", 1.5])
def test_too_little_memory_is_refused(memory):
    with pytest.raises(SettingsError, match="expected a number of bytes"):
        dupdetect.dedup(["text"], memory=memory)


def test_resuming_wants_a_folder():
    with pytest.raises(SettingsError, match="give work="):
        dupdetect.dedup(["text"], resume=True)


@pytest.mark.slow
def test_real_pages_are_the_same_in_memory_and_on_disk_on_one_core_and_two(shared, tmp_path, monkeypatch):
    monkeypatch.setattr("dupdetect.pipeline.request.PART_BYTES", 2 << 20)
    pages = shared / "corpora" / "pages" / "docs.jsonl.gz"
    if not pages.exists():
        pytest.skip(f"{pages} is not there")
    results = [
        dupdetect.dedup(pages, workers=workers, **options)
        for workers in (1, 2)
        for options in ({}, {"work": tmp_path / f"work-{workers}", "resume": True, "memory": workspace.LEAST})
    ]
    assert [spilled(result) for result in results] == [False, True, False, True]
    assert all(equal(results[0], result) for result in results[1:])
    for result in results:
        result.close()


def test_rows_are_there_when_the_work_folder_is_gone(news, tmp_path, small_parts, monkeypatch):
    monkeypatch.setattr("dupdetect._storage.arrays.SMALL", 0)  # files are mapped, however small
    disk = dupdetect.dedup(news, work=tmp_path / "work", resume=True)
    disk.close()
    assert not (tmp_path / "work").exists()
    assert disk.kept.equals(dupdetect.dedup(news).kept)
