"""Texts from wherever they are: nested fields, several columns, lines, databases, lazy frames, more file formats."""

from __future__ import annotations

import json
import lzma
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect import InputError
from dupdetect.cli.main import main

STORY = "Der Leuchtturmwärter schreibt jedes Schiff auf, das vorüberfährt, und jedes, das der Lampe nicht antwortet."
OTHER = "Маяк молчит, и корабли идут мимо."
ROWS = {"id": ["a", "b", "c"], "text": [STORY, STORY.upper(), OTHER]}


def clusters(result: dupdetect.Result) -> list[Any]:
    return result.clusters["cluster"].to_pylist()  # type: ignore[no-any-return]


def written(path: Path) -> Path:
    pq.write_table(pa.table(ROWS), path)
    return path


def sqlite() -> Any:
    database = sqlite3.connect(":memory:")
    database.execute("create table news (id text, text text)")
    database.executemany("insert into news values (?, ?)", list(zip(*ROWS.values(), strict=True)))
    return database.execute("select id, text from news order by id")


def adbc_like() -> Any:
    return duckdb.connect().execute(
        "select * from (values ('a', ?), ('b', ?), ('c', ?)) as news (id, text)", ROWS["text"]
    )


@pytest.mark.parametrize(
    "given",
    [
        lambda _: pl.LazyFrame(ROWS).filter(pl.col("id") != "z"),
        lambda folder: pyarrow.dataset.dataset(
            pq.write_table(pa.table(ROWS), folder / "x.parquet") or folder / "x.parquet"
        ),
        lambda _: pyarrow.dataset.dataset(pa.table(ROWS)).scanner(columns=["id", "text"]),
        lambda _: sqlite(),
        lambda _: adbc_like(),
    ],
)
def test_what_other_libraries_give(given: Callable[[Path], Any], tmp_path: Path) -> None:
    assert clusters(dupdetect.dedup(given(tmp_path))) == ["a", "a", "c"]


def test_a_cursor_without_a_query_is_refused() -> None:
    with pytest.raises(InputError, match="the cursor has no result: execute a query"):
        dupdetect.dedup(sqlite3.connect(":memory:").cursor())


NESTED = [
    {"id": "a", "content": {"body": STORY, "lang": "de"}, "title": "Eins"},
    {"id": "b", "content": {"body": STORY.upper(), "lang": "de"}, "title": None},
    {"id": "c", "content": {"body": OTHER}, "title": "Три"},
    {"id": "d", "content": None, "title": None},
]


@pytest.fixture
def nested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "nested.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in NESTED), encoding="utf-8")
    return path


def test_a_field_in_a_nested_column(nested: Path) -> None:
    for data in (nested, NESTED, pa.Table.from_pylist(NESTED)):
        result = dupdetect.dedup(data, text="content.body")
        assert clusters(result) == ["a", "a", "c"]
        assert result.kept.column_names == ["id", "content", "title"]
        assert result.removed["id"].to_pylist() == ["b"]
        assert result.annotated.column_names[:4] == ["id", "content", "title", "cluster"]
        assert result.rejects["reason"].to_pylist() == ["column 'content.body' is null, expected a string"]


def test_several_columns_are_joined(nested: Path) -> None:
    plain = dupdetect.dedup(NESTED, text=["title", "content.body"], threshold=0.5)
    assert len(set(clusters(plain))) == 2
    assert dupdetect.dedup([{"t": "one", "b": "two"}, {"t": "one", "b": None}], text=["t", "b"]).clusters.num_rows == 2
    same = [{"t": "one", "b": "two"}, {"t": "one two", "b": None}]
    assert clusters(dupdetect.dedup(same, text=["t", "b"])) == [0, 0]


def test_a_column_that_has_a_dot_in_its_name_is_that_column() -> None:
    rows = [{"a.b": "one", "a": {"b": "two"}}, {"a.b": "one", "a": {"b": "three"}}]
    result = dupdetect.dedup(rows, text="a.b")
    assert clusters(result) == [0, 0]
    assert result.kept.column_names == ["a.b", "a"]


def test_a_field_that_is_not_there_names_the_columns(nested: Path) -> None:
    for text in ("content.text", ["title", "body"], ["body", "title"], "body"):
        with pytest.raises(InputError, match=r"there is no column .*; the columns are 'id', 'content', 'title'"):
            dupdetect.dedup(nested, text=text)
    with pytest.raises(InputError, match=r"text is \[\]; expected the name of a column, or a list of names"):
        dupdetect.dedup(nested, text=[])
    with pytest.raises(InputError, match="a column of texts is int64; expected strings in each"):
        dupdetect.dedup(pa.table({"a": ["x"], "n": [1]}), text=["a", "n"])


def test_later_commands_find_such_texts_again(nested: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dedup", str(nested), "--text", "content.body", "-o", "out"]) == 0
    assert "x a" in capsys.readouterr().out
    kept = Path("out/kept.jsonl").read_bytes().splitlines()
    assert kept == [nested.read_bytes().splitlines()[at] for at in (0, 2)]
    assert main(["explain", "out", "b"]) == 0
    assert "it has the same words as 'a', which was kept" in capsys.readouterr().out
    again = [{"id": "z", "content": {"body": STORY.lower()}, "title": None}]
    with pytest.warns(UserWarning, match="sketched again"):
        assert clusters(dupdetect.dedup(again, text="content.body", against="out")) == ["a"]
    assert main(["dedup", str(nested), "--text", "title", "--text", "content.body", "-o", "two", "-q"]) == 0
    assert json.loads(Path("two/manifest.json").read_text())["columns"]["text"] == "title + content.body"


def test_each_line_is_a_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    raw = f"\ufeff{STORY}\r\n\n{OTHER}\n{STORY.upper()}\n{'x' * 400}\n{OTHER}".encode()
    Path("corpus.txt").write_bytes(raw)
    assert main(["dedup", "corpus.txt", "--lines", "-o", "out", "-q", "--max-text", "300B"]) == 0
    found = pq.read_table("out/clusters.parquet")
    assert found["row"].to_pylist() == [1, 2, 3, 4, 6]
    assert found["cluster"].to_pylist() == [f"corpus.txt:{n}" for n in (1, 2, 3, 1, 3)]
    assert "has 400 bytes, expected at most 300 (max_text)" in Path("out/rejects.jsonl").read_text()
    assert Path("out/kept.txt").read_bytes() == f"\ufeff{STORY}\r\n\n{OTHER}\n".encode()


def test_xz_and_orc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in pa.table(ROWS).to_pylist())
    with lzma.open("in.jsonl.xz", "wt", encoding="utf-8") as file:
        file.write(lines)
    assert main(["dedup", "in.jsonl.xz", "-o", "xz", "-q"]) == 0
    with lzma.open("xz/kept.jsonl.xz", "rt", encoding="utf-8") as file:
        assert file.read() == "".join(line for line in lines.splitlines(keepends=True) if '"b"' not in line)
    table = pa.table({**ROWS, "n": pa.array([1, None, 3], pa.int16())})
    pyarrow.orc.write_table(table, "in.orc", compression="zstd")
    assert main(["dedup", "in.orc", "-o", "orc", "-q"]) == 0
    assert pyarrow.orc.read_table("orc/kept.orc").equals(table.take([0, 2]))


def test_a_result_becomes_a_dataset(monkeypatch: pytest.MonkeyPatch) -> None:
    """`datasets` brings fifty packages: two of its names stand in for it here."""
    result = dupdetect.dedup(pa.table(ROWS))
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(dupdetect.DupdetectError, match="datasets is not installed: python -m pip install datasets"):
        result.to_dataset()
    monkeypatch.setitem(
        sys.modules, "datasets", SimpleNamespace(Dataset=lambda table: ("dataset", table), DatasetDict=dict)
    )
    monkeypatch.setitem(sys.modules, "datasets.table", SimpleNamespace(InMemoryTable=lambda table: table))
    assert result.to_dataset() == ("dataset", result.kept)


@pytest.mark.parametrize(
    ("index", "column", "stay"),
    [
        (pd.RangeIndex(100, 103, name="id"), "id", [100, 101]),
        (pd.RangeIndex(10, 16, 2), "__index_level_0__", [10, 12]),
        (pd.RangeIndex(3), None, [0, 1]),
        (pd.MultiIndex.from_arrays([["a", "b", "c"], [5, 6, 7]]), "__index_level_1__", [("a", 5), ("b", 6)]),
    ],
)
def test_an_index_of_pandas_that_says_something_stays(index: pd.Index, column: str | None, stay: list[Any]) -> None:
    """What was made the index is a range where its values happen to be one, and went away without a word."""
    result = dupdetect.dedup(pd.DataFrame({"text": ["eins", "zwei", "Eins"]}, index=index), canonical="first")
    assert column is None or column in result.kept.column_names
    assert result.kept.to_pandas().index.to_list() == stay
    assert result.clusters["id"].to_pylist() == (index.to_list() if column == "id" else [0, 1, 2])


def test_an_index_of_a_column_of_pandas_stays_as_that_of_a_frame() -> None:
    named = pd.Series(["eins", "zwei", "Eins"], index=pd.Index(["x", "y", "z"], name="id"))
    result = dupdetect.dedup(named, canonical="first")
    assert result.clusters["cluster"].to_pylist() == ["x", "y", "x"]
    assert result.kept.to_pylist() == [{"id": "x", "text": "eins"}, {"id": "y", "text": "zwei"}]
    assert dupdetect.dedup(named.rename_axis("url"), id="url").clusters["id"].to_pylist() == ["x", "y", "z"]
    assert dupdetect.dedup(named.rename_axis("url")).clusters["id"].to_pylist() == [0, 1, 2]
    assert dupdetect.dedup(named.rename_axis(None)).clusters["id"].to_pylist() == [0, 1, 2]


def test_a_delimiter_that_the_header_does_not_have_names_the_one_that_it_has(tmp_path: Path) -> None:
    for there, given in ((",", ";"), (";", ","), ("\t", ",")):
        (tmp_path / "a.csv").write_text(there.join(["id", "text"]) + "\n", encoding="utf-8")
        with pytest.raises(InputError, match=f"--delimiter {'tab' if there == chr(9) else repr(there)}"):
            dupdetect.dedup(tmp_path / "a.csv", delimiter=given)


def test_objects_in_a_frame_of_polars_are_refused() -> None:
    """Of them come their addresses, as bytes."""
    frame = pl.DataFrame({"text": ["a", "b"], "o": pl.Series([object(), "x"], dtype=pl.Object)})
    with pytest.raises(InputError, match="column 'o' holds Python objects"):
        dupdetect.dedup(frame)


def test_a_name_that_is_no_unicode_rejects_its_row() -> None:
    result = dupdetect.dedup([{"text": "a"}, {"text": "b", "\ud800": 1}])
    assert [reject["reason"] for reject in result.rejects.to_pylist()] == [
        "the row has a column '\\ud800', expected a name in valid Unicode"
    ]
