"""`verify_output` finds what is wrong with an output, whatever was broken, and nothing in one that is right."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from generated_sites import mixture

import dupdetect
from dupdetect._storage.checksums import checksum
from dupdetect.cli.main import main

STORY = "The harbour bridge was closed on Monday after an inspection found deep cracks in two of its pillars. " * 3
ROWS = [
    {"id": "a", "text": STORY},
    {"id": "b", "text": STORY.upper()},
    {"id": "c", "text": "Home\nNews\nSport\n\n" + STORY + "\n\nRead more\nContact us"},
    {"id": "d", "text": "Nothing of the kind."},
    {"id": "e", "text": ""},
    {"id": "e", "text": "an id that was there"},
    {"id": "f", "text": None},
]


@pytest.fixture
def news(tmp_path: Path) -> Path:
    path = tmp_path / "news.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path


@pytest.fixture
def out(news: Path, tmp_path: Path) -> Path:
    dupdetect.dedup(news).write(tmp_path / "out")
    return tmp_path / "out"


def failing(out: Any, data: Any = None, **options: Any) -> dict[str, list[str]]:
    verified = dupdetect.verify_output(out, data, **options)
    found = {check.name: check.failures for check in verified.checks if check.failed}
    assert verified.holds == (not found)
    return found


def say(out: Path, **values: Any) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    (out / "manifest.json").write_text(json.dumps({**manifest, **values}))


def change(out: Path, name: str, **columns: Any) -> None:
    """Put other values into a table; its checksum is mended, so that what else is wrong is seen."""
    path = out / f"{name}.parquet"
    table = pq.read_table(path)
    for column, values in columns.items():
        place = table.column_names.index(column)
        table = table.set_column(place, column, pa.array(values, table.schema.field(column).type))
    put(out, name, table)


def put(out: Path, name: str, table: pa.Table) -> None:
    pq.write_table(table, out / f"{name}.parquet")
    files = json.loads((out / "manifest.json").read_text())["files"]
    say(out, files={**files, f"{name}.parquet": checksum(out / f"{name}.parquet")})


def test_an_output_that_is_right(out: Path, news: Path) -> None:
    assert failing(out) == {}
    verified = dupdetect.verify_output(out, news)
    assert verified.holds
    assert len(verified.checks) == 12
    assert all(check.looked_at for check in verified.checks)


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
@pytest.mark.parametrize("data", ["mixture", "numbers", "none"])
def test_outputs_that_are_right(tmp_path: Path, format: str, data: str) -> None:
    tables = {
        "mixture": lambda: pa.Table.from_pylist(mixture()),
        "numbers": lambda: pa.table({"id": [1, 11, 111, 2], "text": ["one text", "One text", "ONE TEXT", ""]}),
        "none": lambda: pa.table({"id": pa.array([], pa.string()), "text": pa.array([], pa.string())}),
    }
    table = tables[data]()
    result = dupdetect.dedup(table)
    assert failing(result, table) == {}
    result.write(tmp_path / "out", format=format)
    assert failing(tmp_path / "out", table) == {}


@pytest.mark.parametrize(
    "options", [{"unit": "character"}, {"boilerplate": False}, {"shingle_size": 2}, {"id": "none"}]
)
def test_other_settings(news: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    dupdetect.dedup(news, **options).write(tmp_path / "out")
    assert failing(tmp_path / "out", news, id=options.get("id")) == {}


@pytest.mark.parametrize("kept", [None, "none", "parquet", "csv"])
def test_kept_in_any_form_and_several_files(news: Path, tmp_path: Path, kept: str | None) -> None:
    (tmp_path / "data").mkdir()
    for name in ("x.jsonl", "y.jsonl"):
        (tmp_path / "data" / name).write_text(news.read_text())
    dupdetect.dedup(tmp_path / "data", id_prefix="file").write(tmp_path / "out", kept=kept)
    assert failing(tmp_path / "out", tmp_path / "data") == {}


def test_a_run_against_earlier_ones(out: Path, news: Path, tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dupdetect.dedup({"x": STORY, "y": "Another.", "z": "Another."}, against=out).write(tmp_path / "next")
    assert failing(tmp_path / "next", {"x": STORY, "y": "Another.", "z": "Another."}) == {}


# ---- each thing that may be broken ----

FILES = "every file is as it was written, by its checksum"


def test_a_file_that_is_changed_or_gone(out: Path) -> None:
    (out / "rejects.jsonl").write_text("")
    (out / "digests.parquet").unlink()
    assert failing(out)[FILES] == ["digests.parquet is not there", "rejects.jsonl is not what was written"]


@pytest.mark.parametrize("name", ["clusters", "matches"])
def test_a_table_that_cannot_be_read(out: Path, name: str) -> None:
    (out / f"{name}.parquet").write_bytes(b"PAR1")
    found = failing(out)
    assert f"{name}.parquet" in found["every table can be read, with its columns"][0]


BROKEN: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "an id twice": ("clusters", {"id": list("aacde")}, "every document has one row in clusters", "'a' has 2 rows"),
    "two canonicals": (
        "clusters",
        {"canonical": [True, True, False, True, True]},
        "every cluster has one canonical, whose id it bears",
        "'b' is in cluster",
    ),
    "a cluster of another name": (
        "clusters",
        {"cluster": list("ccczd")},
        "every cluster has one canonical, whose id it bears",
        "cluster 'z' of 'd' has no canonical",
    ),
    "a member of another cluster": (
        "clusters",
        {"cluster": ["a", "d", "a", "d", "e"]},
        "every member has a row in matches with its canonical, of the same figures",
        "'b' has none with 'd'",
    ),
    "a figure of clusters": (
        "clusters",
        {"jaccard": [None, 0.5, 0.5, None, None]},
        "every member has a row in matches with its canonical, of the same figures",
        "'b' has another jaccard in matches than in clusters",
    ),
    "a document that is none": (
        "matches",
        {"b": ["b", "z", "c"]},
        "every match is of two documents, and listed once",
        "'z' is no document",
    ),
    "a match with itself": (
        "matches",
        {"b": ["b", "a", "c"]},
        "every match is of two documents, and listed once",
        "'a' matches itself",
    ),
    "a match twice": (
        "matches",
        {"a": ["a", "b", "b"], "b": ["b", "a", "c"]},
        "every match is of two documents, and listed once",
        "has 2 rows",
    ),
    "a score below its threshold": (
        "matches",
        {"score": [1.0, 0.1, 1.0]},
        "every figure is a share, and every score reaches its threshold",
        "at 0.1",
    ),
    "a share above one": (
        "matches",
        {"containment_a": [1.5, 1.0, 1.0]},
        "every figure is a share, and every score reaches its threshold",
        "containment_a is 1.5",
    ),
    "a share that is no number": (
        "matches",
        {"boilerplate": [float("nan"), 0.0, 0.0]},
        "every figure is a share, and every score reaches its threshold",
        "boilerplate is nan",
    ),
    "a relation that is none": (
        "matches",
        {"relation": ["identical", "akin", "contained"]},
        "every table can be read, with its columns",
        "'akin' is no relation",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_table_that_is_broken(out: Path, what: str) -> None:
    name, columns, check, words = BROKEN[what]
    change(out, name, **columns)
    found = failing(out)
    assert FILES not in found
    assert any(words in failure for failure in found[check]), found


def test_counts_that_are_others(out: Path) -> None:
    counts = json.loads((out / "manifest.json").read_text())["counts"]
    for name in ("documents", "clusters", "kept", "duplicates", "matches", "rejected"):
        say(out, counts={**counts, name: counts[name] + 1})
        assert failing(out)["the manifest counts what the tables hold"][0].startswith(
            f"{name} is {counts[name] + 1} there"
        )
    say(out, counts={**counts, "relations": {"identical": 5}})
    assert list(failing(out)) == ["the manifest counts what the tables hold"]
    say(out, counts=None)
    assert len(failing(out)["the manifest counts what the tables hold"]) == 5


@pytest.mark.parametrize("how", ["one less", "one more", "another order"])
def test_kept_rows_that_are_others(out: Path, how: str) -> None:
    path = out / "kept.jsonl" if (out / "kept.jsonl").exists() else next((out / "kept").rglob("*.jsonl"))
    lines = path.read_text().splitlines(keepends=True)
    assert len(lines) == 3
    changed = {
        "one less": lines[:-1],
        "one more": [*lines, lines[0].replace('"a"', '"k"')],
        "another order": lines[::-1],
    }
    path.write_text("".join(changed[how]))
    found = failing(out)["what was kept are the canonicals"]
    assert found


def test_figures_that_brute_force_does_not_count(out: Path, news: Path) -> None:
    table = pq.read_table(out / "matches.parquet")
    before = table["containment_b"].to_pylist()
    change(out, "matches", containment_b=[value * 0.97 for value in before])
    assert failing(out, matches=0) == {}
    found = failing(out, news)
    assert list(found) == ["figures of sampled matches are what brute force counts"]
    assert "containment_b of 'a' and 'b' is 0.97, and by brute force 1.0" in found.popitem()[1][0]


def test_rows_of_the_input_that_are_nowhere(out: Path, news: Path) -> None:
    lines = news.read_text().splitlines(keepends=True)
    news.write_text("".join([*lines, '{"id": "new", "text": "a new one"}\n', "{\n"]))
    assert failing(out) == {}  # it is not what the run has read
    found = failing(out, news)
    assert found["every document of the input has its row in clusters, and no other has one"] == [
        "'new' is in the input alone"
    ]
    [failure] = found["every other row of the input is a reject, and no other is one"]
    assert "is in the input alone" in failure
    news.write_text("".join(lines[1:]))
    found = failing(out, news)
    assert found["every document of the input has its row in clusters, and no other has one"] == [
        "'a' is in clusters alone"
    ]


def test_no_more_failures_are_named_than_can_be_read(tmp_path: Path) -> None:
    result = dupdetect.dedup([f"text number {at}" for at in range(100)])
    table = result.clusters.set_column(1, "cluster", pc.add(result.clusters["cluster"], 100))
    vars(result)["clusters"] = table
    verified = dupdetect.verify_output(result)
    [check] = [check for check in verified.checks if check.name.startswith("every cluster")]
    assert (check.failed, len(check.failures)) == (200, 5)


# ---- the command ----


def test_the_command(out: Path, news: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(out), str(news)]) == 0
    said = capsys.readouterr().out
    assert said.count("holds ") == 12
    assert main(["verify", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["holds"] is True
    change(out, "clusters", cluster=list("ccczd"))
    assert main(["verify", str(out), str(news)]) == 1
    assert "FAILS" in (said := capsys.readouterr().out)
    assert "cluster 'z' of 'd' has no canonical" in said
    assert main(["verify", str(out), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["holds"] is False
    assert main(["verify", str(news.parent)]) == 1
    assert "expected the output folder of dedup" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given", [["box"], ["box/part"], ["box/part/b.txt"], ["box/part", "box/c.txt"], ["box/**/*.txt"]]
)
@pytest.mark.parametrize("packed", [False, True], ids=["folder", "archive"])
def test_outputs_of_text_files_that_are_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], packed: bool
) -> None:
    """Ids are paths, which are others in a folder that is read alone, and where the files that stay are copied to."""
    monkeypatch.chdir(tmp_path)
    texts = {
        "part/a.txt": b"\xff",
        "part/b.txt": "Мост закрыт.",
        "part/box/part/b.txt": "桥已关闭。",
        "c.txt": "Мост закрыт.",
    }
    for name, text in texts.items():
        path = Path("box", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    if packed:
        shutil.make_archive("box/part", "zip", "box/part")
        shutil.rmtree("box/part")
        given = [
            name.replace("box/part", "box/part.zip").replace("box/**/*.txt", "box/part.zip/**/*.txt") for name in given
        ]
    dupdetect.dedup([Path(name) for name in given]).write("out")
    assert failing(Path("out")) == {}
    assert failing(Path("out"), [Path(name) for name in given]) == {}
    first = next(Path("out/kept").rglob("*.txt")) if Path("out/kept").is_dir() else None
    if first is not None:
        first.write_text("")
        assert failing(Path("out"))


@pytest.mark.filterwarnings("ignore:.*there is no sketches.parquet")
def test_documents_that_come_again_under_their_ids(tmp_path: Path) -> None:
    """Each night has some of the last one: the two were said to be a cluster without a canonical, or kept."""
    texts = {
        number: f"Мост {number} закрыт, потому что в тросах нашли {number * 7} трещин, и так до весны."
        for number in range(8)
    }
    dupdetect.dedup({id: texts[id] for id in range(5)}).write(tmp_path / "monday")
    later = {id: texts[id] for id in range(3, 8)} | {9: texts[4].upper()}
    dupdetect.dedup(later, against=[tmp_path / "monday"]).write(tmp_path / "tuesday")
    assert failing(tmp_path / "tuesday") == {}
    assert failing(tmp_path / "tuesday", later) == {}
    explained = dupdetect.explain(tmp_path / "tuesday", 4)
    assert not explained.kept
    assert explained.why == "4 was removed: an earlier run kept a document of the same id (identical, score 1.000)."
    change(tmp_path / "tuesday", "clusters", canonical=[False] * 6)
    assert failing(tmp_path / "tuesday")


@pytest.mark.filterwarnings("ignore:.*there is no sketches.parquet")
def test_documents_whose_id_an_earlier_document_has(tmp_path: Path) -> None:
    """A right output failed: that these rows are rejects cannot be seen in the input alone."""
    texts = {
        number: f"На мосту {number} нашли трещины, и {number * 7} автобусов едут в объезд до весны."
        for number in range(9)
    }
    dupdetect.dedup({id: texts[id] for id in range(5)}).write(tmp_path / "monday")
    later = {0: texts[7], 1: texts[1], 2: texts[8], 5: texts[3], 6: texts[4].upper()}
    with pytest.warns(UserWarning, match="2 of 5 rows are rejected, the first of them row 0: .* give ids that no"):
        dupdetect.dedup(later, against=[tmp_path / "monday"]).write(tmp_path / "tuesday")
    assert failing(tmp_path / "tuesday", later) == {}
    assert failing(tmp_path / "tuesday", {id: text for id, text in later.items() if id != 2})  # a reject of no row
    assert failing(tmp_path / "tuesday", later | {7: texts[7]})


@pytest.mark.parametrize(
    "files",
    [
        {"a.jsonl": '{"id": 1, "text": "one text"}\n', "b.csv": "id,text\n2,One text!\n"},
        {"a.csv": "id,text\n2,One text!\n", "b.jsonl": '{"id": 1, "text": "one text"}\n'},
        {"a.jsonl": '{"id": 1, "text": "one text"}\n', "b.jsonl": '{"id": 2.5, "text": "One text!"}\n'},
    ],
)
def test_ids_of_several_files_may_be_of_several_types(tmp_path, files):
    """The first file's were taken for those of all: it ended in a traceback."""
    (tmp_path / "in").mkdir()
    for name, data in files.items():
        (tmp_path / "in" / name).write_text(data)
    dupdetect.dedup(tmp_path / "in").write(tmp_path / "out")
    verified = dupdetect.verify_output(tmp_path / "out", tmp_path / "in")
    assert [check for check in verified.checks if check.failed] == []
