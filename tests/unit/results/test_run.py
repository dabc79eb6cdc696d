"""Outputs read back: all readers agree on settings, and damage is named in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect._storage.checksums import checksum
from dupdetect.errors import InputError
from dupdetect.results.run import COLUMNS, Run, clusters_of

STORY = "The harbour bridge was closed on Monday after an inspection found deep cracks in two of its pillars. " * 3
MENU = "Home\nNews\nSport\nWeather\nArts\nTravel\nMoney\nWine\nBooks\nJobs\nGames"
PAGE = f"{MENU}\n\n{STORY}\n\nRead more\nLetters to us\nContact us"
TEXTS = {"01": STORY, "1": STORY.upper(), "page": PAGE, "other": "One text.", "e": ""}


@pytest.fixture(scope="module")
def result() -> dupdetect.Result:
    return dupdetect.dedup(TEXTS)


@pytest.fixture
def out(result: dupdetect.Result, tmp_path: Path) -> Path:
    result.write(tmp_path / "out")
    return tmp_path / "out"


def change_manifest(out: Path, **changes: object) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps(manifest | changes))


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_a_folder_of_any_format_says_what_its_result_says(
    result: dupdetect.Result, tmp_path: Path, format: str
) -> None:
    result.write(tmp_path / "out", format=format)
    live, read = Run(result), Run(tmp_path / "out")
    for name in COLUMNS.keys() - {"superseded"}:
        mine, theirs = (
            pa.table({c: t[c].cast(pa.string()) if kind is None else t[c] for c, kind in COLUMNS[name].items()})
            for t in (live.table(name), read.table(name))
        )
        assert mine.equals(theirs), name
    assert read.ids.to_pylist() == list(TEXTS)
    assert read.settings == live.settings == dupdetect.Settings()
    for name in ("canonical", "stays", "sizes", "relation", "margin", "least_margin", "boilerplate_shingles"):
        assert np.array_equal(getattr(live, name), getattr(read, name)), name
    assert (live.name, read.name, len(read), read.new) == ("result", "out", 5, 5)


def test_what_spark_wrote_is_said_to_be(out: Path) -> None:
    (out / "clusters.parquet").unlink()
    (out / "clusters.parquet").mkdir()
    with pytest.raises(InputError, match="Spark wrote it, as folders of parts; write it anew with"):
        _ = Run(out).clusters
    with pytest.raises(InputError, match="Spark wrote it, as folders of parts; write it anew with"):
        dupdetect.dedup(TEXTS, against=out)


@pytest.mark.parametrize("look", [Run, lambda name: dupdetect.dedup(TEXTS, against=name)])
def test_an_empty_name_is_not_the_current_folder(
    out: Path, monkeypatch: pytest.MonkeyPatch, look: Callable[[str], object]
) -> None:
    monkeypatch.chdir(out)
    with pytest.raises(InputError, match="empty name"):
        look("")


def test_an_output_of_nothing(tmp_path: Path) -> None:
    for format in ("parquet", "jsonl", "csv"):
        dupdetect.dedup([]).write(tmp_path / format, format=format)
        run = Run(tmp_path / format)
        assert (len(run), run.matches.num_rows, run.digests.num_rows, run.rejects.num_rows) == (0, 0, 0, 0)
        assert run.largest().tolist() == run.doubtful().tolist() == []


def test_settings_are_those_of_the_run(out: Path) -> None:
    kept = dupdetect.Settings(bands=(20, 4), canonical="earliest", canonical_column="year", shingle_size=3)
    change_manifest(out, settings=kept.as_dict())
    assert Run(out).settings == kept
    change_manifest(out, settings={"threshold": 0.5, "canonical": "builtins:len"})
    assert Run(out).settings == dupdetect.Settings(threshold=0.5, boilerplate=False)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "the manifest has no settings"),
        (None, "the manifest has no settings"),
        ({"threshold": 7}, "the settings are not of this version .threshold is 7"),
        ({"least": 16}, "the settings are not of this version .unknown setting least"),
        ([0.8], "'settings' is no object, the file is damaged"),
    ],
)
def test_settings_that_cannot_be_are_refused(out: Path, settings: object, message: str) -> None:
    change_manifest(out, settings=settings)
    with pytest.raises(InputError, match=f"manifest.json: {message}"):
        _ = Run(out).settings


def test_what_an_old_output_lacks_is_refused_or_filled_by_all_alike(out: Path) -> None:
    change_manifest(out, settings={})
    for use in (lambda: dupdetect.audit(out, TEXTS), lambda: dupdetect.explain(out, "page", TEXTS)):
        with pytest.raises(InputError, match="the manifest has no settings"):
            use()


@pytest.mark.parametrize("text", ["{", "[]", '"x"', "\x00", "[" * 100_000, '{"a": NaN}', '{"a": [1e999]}'])
def test_a_damaged_manifest_is_named(out: Path, text: str) -> None:
    (out / "manifest.json").write_text(text)
    with pytest.raises(InputError, match=r"manifest\.json: the file (is damaged|holds)"):
        Run(out)


@pytest.mark.parametrize("name", ["clusters", "matches", "digests", "boilerplate"])
def test_a_damaged_table_is_named(out: Path, name: str) -> None:
    path = out / f"{name}.parquet"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(InputError, match=rf"{name}\.parquet: cannot be read"):
        getattr(Run(out), name)
    pq.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(InputError, match=rf"{name}\.parquet: there is no column '{next(iter(COLUMNS[name]))}'"):
        getattr(Run(out), name)


def test_a_column_of_another_type_is_named(out: Path) -> None:
    table = pq.read_table(out / "matches.parquet")
    place = table.column_names.index("score")
    scores = pa.array(["much"] * table.num_rows)
    pq.write_table(table.set_column(place, "score", scores), out / "matches.parquet")
    with pytest.raises(InputError, match=r"matches\.parquet: column 'score' is string, expected double"):
        _ = Run(out).matches


def test_what_a_folder_lacks(out: Path) -> None:
    for name in ("digests.parquet", "rejects.jsonl", "boilerplate.parquet"):
        (out / name).unlink()
    run = Run(out)
    assert run.digests.num_rows == run.rejects.num_rows == len(run.boilerplate_shingles) == 0
    assert run.boilerplate is None
    (out / "matches.parquet").unlink()
    with pytest.raises(InputError, match=r"there is no matches\.parquet, \.jsonl or \.csv in this folder, expected"):
        _ = run.matches


def test_what_the_manifest_names(out: Path, tmp_path: Path) -> None:
    assert (Run(out).text_column, Run(out).id_column, Run(out).inputs) == ("text", "id", [])
    assert Run(out).outputs_before == []
    (tmp_path / "in.csv").touch()
    change_manifest(out, inputs=[str(tmp_path / "in.csv")], columns={})
    assert Run(out).inputs == []  # a stranger may name any file
    change_manifest(out, input_checksums=[checksum(tmp_path / "in.csv")])
    assert Run(out).inputs == [tmp_path / "in.csv"]
    (tmp_path / "in.csv").write_text("other")
    assert Run(out).inputs == []
    assert Run(out).text_column is None
    change_manifest(out, inputs=7, columns="text")
    for name in ("inputs", "text_column"):
        with pytest.raises(InputError, match="the file is damaged; run dedup again"):
            getattr(Run(out), name)


def test_earlier_documents_that_are_named_stand_behind_the_new_ones(out: Path, tmp_path: Path) -> None:
    with pytest.warns(match="sketched again"):
        dupdetect.dedup({"late": STORY, "own": "Another text."}, against=out).write(tmp_path / "next")
    run = Run(tmp_path / "next")
    assert (len(run), run.new, run.ids.to_pylist()) == (3, 2, ["late", "own", "01"])
    assert run.stays.tolist() == [False, True, True]
    assert run.outputs_before == [out]


def test_what_is_no_output(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a dict was given for the output; expected a Result or the folder of one"):
        Run({})
    with pytest.raises(InputError, match=r"manifest\.json: there is no such file; expected the output folder"):
        Run(tmp_path)


def test_clusters_come_from_anything_that_has_them(result: dupdetect.Result, out: Path) -> None:
    assert clusters_of(result) is result.clusters
    for source in (out, out / "clusters.parquet", result.clusters, dict(zip("ab", "aa", strict=True))):
        assert clusters_of(source).column_names[:2] == ["id", "cluster"]
    with pytest.raises(InputError, match="no column 'cluster' in the clusters"):
        clusters_of(pa.table({"id": ["a"]}))


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_kept_documents_come_with_the_ids_of_the_run(tmp_path: Path, format: str) -> None:
    """A column ``id`` that the run did not use may be null, or repeat; no row is passed over for it."""
    table = pa.table(
        {"url": ["a", "b", "c"], "id": ["x", None, "x"], "body": ["One text.", "Another text.", "A third text."]}
    )
    result = dupdetect.dedup(table, text="body", id="url")
    result.write(tmp_path / "out", format=format)
    for out in (result, tmp_path / "out"):
        found = [
            pair for ids, texts, _ in Run(out).kept() for pair in zip(ids.to_pylist(), texts.to_pylist(), strict=True)
        ]
        assert found == list(zip(*(table[name].to_pylist() for name in ("url", "body")), strict=True))


@pytest.mark.parametrize("ending", [".txt", ".py", ".html"])
def test_files_without_a_word_keep_their_places(tmp_path: Path, ending: str) -> None:
    words = {"a": "", "b": STORY, "c": "", "d": "渡し船は今週休みます。", "e": "Паром не ходит.", "f": "📣", "g": ""}
    folder = tmp_path / "texts"
    folder.mkdir()
    for name, text in words.items():
        (folder / f"{name}{ending}").write_text(text, encoding="utf-8")
    (folder / "gone").mkdir()
    (folder / "gone" / f"b{ending}").write_text(STORY.upper(), encoding="utf-8")
    result = dupdetect.dedup(folder, input_format="text", sketches=True)
    result.write(tmp_path / "out")
    parts = [(ids.to_pylist(), texts.to_pylist()) for ids, texts, _ in Run(tmp_path / "out").kept()]
    told = {id: text for ids, texts in parts for id, text in zip(ids, texts, strict=True)}
    assert told == {f"{name}{ending}": text for name, text in words.items()}
    assert dupdetect.verify_output(tmp_path / "out", folder).holds
    tonight = dupdetect.dedup({"new": words["e"] + "!"}, against=[tmp_path / "out"])
    assert tonight.clusters["cluster"].to_pylist() == [f"e{ending}"]
