"""Three hundred kinds of wrong use, in Python and on the command line.

Each is one sentence that says what was got and what was expected, or what to do; there is no traceback, and nothing is
written.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect import DupdetectError, Settings
from dupdetect.cli.main import main

TEXTS = ["the ferry to the island does not run on Sunday", "the choir sings in the old railway station"]

PAIRS = pa.table({"a": [0], "b": [1]})


def changed(column: str, values: Any) -> pa.Table:
    """Return matches with a column of other values."""
    matches = dupdetect.verify(PAIRS, [TEXTS[0], TEXTS[0].upper()])
    return matches.set_column(matches.column_names.index(column), column, pa.chunked_array([values]))


def chosen(change: Callable[[pa.Table], Any], documents: Any = None, **settings: Any) -> pa.Table:
    """Choose canonicals of clusters that have been changed."""
    matches, sketches = dupdetect.verify(PAIRS, TEXTS), dupdetect.sketch(TEXTS)
    found = change(dupdetect.cluster(matches, sketches))
    return dupdetect.choose_canonicals(found, matches, sketches, documents, **settings)


# ---- settings ----

NUMBERS = ("shingle_size", "num_perm", "window", "min_shingles", "hot_key_documents")
SHARES = ("threshold", "containment", "min_shared_fingerprints")
WRONG_NUMBERS = (0, -1, 2.5, "5", None, True, math.inf, [5], 2**40, np.array([5, 5]))
WRONG_SHARES = (0, -0.1, 1.01, 80, "0.8", b"0.8", None, True, math.nan, [0.8], np.array([0.8, 0.8]), 10**400)
SETTINGS: list[tuple[str, Any]] = [
    *((name, value) for name in NUMBERS for value in WRONG_NUMBERS),
    *((name, value) for name in SHARES for value in WRONG_SHARES),
    *(("max_lost", value) for value in (-0.1, 1, 5, "0", None, True, math.nan)),
    *(("seed", value) for value in (-1, 2**32, 1.5, "1", None, True)),
    *(("unit", value) for value in ("words", "char", None, 3, ["word"], np.array(["word", "word"]))),
    *(("bands", value) for value in (4, (4,), (0, 8), (4, 0), (99, 99), "16x8", (1.5, 2), ("a", "b"))),
    *(("boilerplate", value) for value in (None, 1, "yes")),
    *(("canonical", value) for value in ("newest", "Cleanest", None, 3, ["longest"], np.array([1, 2]))),
    *(("canonical_column", value) for value in ("date", 3)),
    *(("prefer", value) for value in ("source", {}, {"a": "b"}, {"a": []}, {"a": ["x", "x"]}, {"a": [1]}, ("a",), 3)),
    *((name, value) for name in ("within", "between", "per") for value in ("", 3, ["a"])),
    *((name, 1) for name in ("treshold", "shingle", "ngram", "num_perms", "jaccard", "language", "text_column")),
]

# ---- arguments of dedup ----

ARGUMENTS: list[dict[str, Any]] = [
    *({"workers": value} for value in (0, -1, 1.5, "2", True)),
    *({"memory": value} for value in (0, -1, 1000, 1.5, "much", "2", "200%", "1KB", True, [1])),
    *({"max_text": value} for value in (0, -1, 1.5, "long", True, None, 2**31, "1TB")),
    *({"progress": value} for value in ("yes", 3, [])),
    *({"settings": value} for value in ("fast", 3, ["threshold"], {"treshold": 1}, {"threshold": 2}, {3: 4})),
    *({"text": value} for value in ("body", "", None, 3, [], ["text", 3], ["text", "body"], "text.body")),
    *({"id": value} for value in ("url", "")),
    *({"id_prefix": value} for value in ("files", 3, "file")),
    *({"input_format": value} for value in ("xlsx", "JSONL", 3)),
    *({"encoding": value} for value in ("utf-9", "hex", "")),
    *({"delimiter": value} for value in (";;", "", "\n", "é", '"')),
    {"resume": True},
    {"against": "no/such/folder"},
    {"against": 3},
    {"against": [3]},
    {"canonical": "earliest"},
    {"canonical": "priority"},
    {"canonical": "latest", "canonical_column": "published"},
    {"canonical": lambda _: {}},
    {"within": "site"},
    {"between": "site", "per": "site"},
    {"within": "site", "per": "site"},
    {"prefer": {"site": ["a"]}},
    {"settings": Settings(canonical="earliest")},
]

# ---- data ----

DATA: list[tuple[str, Callable[[Path], Any]]] = [
    ("None", lambda _: None),
    ("a number", lambda _: 3),
    ("an object", lambda _: object()),
    ("bytes", lambda _: b"a text"),
    ("a class", lambda _: dict),
    ("a text in place of a path", lambda _: TEXTS[0]),
    ("an empty name", lambda _: ""),
    ("a name with NUL", lambda _: "a\0b"),
    ("a path that is not there", lambda folder: folder / "none.parquet"),
    ("a glob of nothing", lambda folder: str(folder / "*.parquet")),
    ("an empty folder", lambda folder: folder),
    ("numbers", lambda _: [1, 2, 3]),
    ("nulls", lambda _: [None, None]),
    ("lists", lambda _: [["a"], ["b"]]),
    ("tuples of three", lambda _: [("a", "b", "c")]),
    ("rows without texts", lambda _: [{"id": 1}, {"id": 2}]),
    ("rows of numbers", lambda _: [{"text": 1}, {"text": 2}]),
    ("rows with numbers for names", lambda _: [{1: "a"}]),
    ("ids of two types", lambda _: {"a": "x", 1: "y"}),
    ("ids that are lists", lambda _: [{"id": ["a"], "text": "x"}]),
    ("paths and texts", lambda folder: [_written(folder / "a.txt", b"text"), 3]),
    ("lone surrogates", lambda _: ["\ud800"]),
    ("a frame without texts", lambda _: pd.DataFrame({"body": TEXTS})),
    ("a frame of numbers", lambda _: pd.DataFrame({"text": [1, 2]})),
    ("columns of one name", lambda _: pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["text", "text"])),
    ("a polars series of numbers", lambda _: pl.Series([1, 2])),
    ("an array of numbers", lambda _: pa.array([1, 2])),
    ("texts that are lists", lambda _: pa.table({"text": [["a"], ["b"]]})),
    ("texts that are structs", lambda _: pa.table({"text": [{"a": 1}]})),
    ("ids that are structs", lambda _: pa.table({"id": [{"a": 1}], "text": ["x"]})),
    ("an empty Parquet file", lambda folder: _written(folder / "a.parquet", b"")),
    ("no Parquet", lambda folder: _written(folder / "a.parquet", b"a,b\n1,2\n")),
    ("half a Parquet file", lambda folder: _written(folder / "a.parquet", _parquet(folder)[:200])),
    ("no gzip", lambda folder: _written(folder / "a.jsonl.gz", b'{"text": "a"}\n')),
    ("no zstd", lambda folder: _written(folder / "a.jsonl.zst", b'{"text": "a"}\n')),
    ("no xz", lambda folder: _written(folder / "a.jsonl.xz", b'{"text": "a"}\n')),
    ("no ORC", lambda folder: _written(folder / "a.orc", b'{"text": "a"}\n')),
    ("no Arrow", lambda folder: _written(folder / "a.arrow", b'{"text": "a"}\n')),
    ("JSON Lines of arrays", lambda folder: _written(folder / "a.jsonl", b"[1]\n[2]\n")),
    ("one JSON array", lambda folder: _written(folder / "a.json", b'[\n{"text": "a"},\n{"text": "b"}\n]\n')),
    ("no JSON", lambda folder: _written(folder / "a.jsonl", b"a text\nanother\n")),
    ("JSON Lines of other columns", lambda folder: _written(folder / "a.jsonl", b'{"body": "a"}\n')),
    ("CSV of other columns", lambda folder: _written(folder / "a.csv", b"id;text\n1;a\n")),
    ("CSV in another encoding", lambda folder: _written(folder / "a.csv", "text\ncafé\n".encode("cp1252"))),
    ("a spreadsheet", lambda folder: _written(folder / "a.xlsx", b"PK\x03\x04")),
    ("an archive", lambda folder: _written(folder / "a.zip", b"PK\x03\x04")),
    ("tables and texts", lambda folder: _written(_written(folder / "a.txt", b"x").with_suffix(".csv"), b"y").parent),
    ("a result", lambda _: dupdetect.dedup(TEXTS)),
    ("settings", lambda _: Settings()),
]


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def _parquet(folder: Path) -> bytes:
    pq.write_table(pa.table({"text": TEXTS * 50}), folder.parent / "whole.parquet")
    return (folder.parent / "whole.parquet").read_bytes()


# ---- other functions ----

CALLS: list[Callable[[], Any]] = [
    lambda: dupdetect.compare(1, "a"),  # type: ignore[arg-type]
    lambda: dupdetect.compare("a", None),  # type: ignore[arg-type]
    lambda: dupdetect.compare(b"a", "b"),  # type: ignore[arg-type]
    lambda: dupdetect.compare("a", "\ud800"),
    lambda: dupdetect.compare("a", "b", treshold=0.8),  # type: ignore[call-arg]
    lambda: dupdetect.compare("a", "b", threshold=8),
    lambda: dupdetect.compare("a", "b", settings="fast"),  # type: ignore[arg-type]
    lambda: dupdetect.signatures([1, 2]),  # type: ignore[list-item]
    lambda: dupdetect.signatures(["a"], num_perm=1),
    lambda: dupdetect.signatures(["a"], workers=0),
    lambda: dupdetect.sketch(["a", None]),  # type: ignore[list-item]
    lambda: dupdetect.sketch(3),
    lambda: dupdetect.sketch(["a"]).jaccard(dupdetect.sketch(["a"], seed=2)),
    lambda: dupdetect.read_sketches("none.parquet"),
    lambda: dupdetect.verify(pa.table({"a": [0]}), TEXTS),
    lambda: dupdetect.verify(pa.table({"a": [0], "b": [9]}), TEXTS),
    lambda: dupdetect.verify(pa.table({"a": [0], "b": [-1]}), TEXTS),
    lambda: dupdetect.verify(pa.table({"a": ["x"], "b": ["y"]}), TEXTS),
    lambda: dupdetect.verify(pa.table({"a": [0], "b": [None]}), TEXTS),
    lambda: dupdetect.cluster(pa.table({"a": [0], "b": [1]}), dupdetect.sketch(TEXTS)),
    *(lambda wrong=wrong: dupdetect.verify(wrong, TEXTS) for wrong in (None, [(0, 1)], pd.DataFrame({"a": [0]}))),
    *(lambda wrong=wrong: dupdetect.find_candidates(wrong) for wrong in (None, TEXTS, pa.table({"a": [0]}))),
    *(
        lambda name=name: dupdetect.find_candidates(dupdetect.sketch(TEXTS, **{name: "site"}))
        for name in ("within", "between", "per")
    ),
    *(lambda name=name: dupdetect.verify(PAIRS, TEXTS, **{name: "site"}) for name in ("within", "between", "per")),
    *(
        lambda name=name: dupdetect.dedup([{"text": "a", "site": {"a": 1}}], **{name: "site"})
        for name in ("within", "between", "per")
    ),
    lambda: dupdetect.cluster(None, dupdetect.sketch(TEXTS)),
    lambda: dupdetect.cluster(dupdetect.verify(PAIRS, TEXTS), TEXTS),  # type: ignore[arg-type]
    lambda: dupdetect.cluster(changed("shared", ["x"]), dupdetect.sketch(TEXTS)),
    lambda: dupdetect.cluster(changed("shared", pa.array([None], pa.int64())), dupdetect.sketch(TEXTS)),
    lambda: chosen(lambda found: found.drop_columns(["digest"])),
    lambda: chosen(lambda found: found.slice(0, 1)),
    lambda: chosen(lambda _: None),
    lambda: chosen(lambda found: found, documents=pd.DataFrame({"id": ["a", "b"]})),
    lambda: chosen(lambda found: found, within="site"),
    lambda: dupdetect.sketch(TEXTS).jaccard(3),  # type: ignore[arg-type]
    lambda: dupdetect.write_sketches("s.parquet", 5),  # type: ignore[arg-type]
    lambda: dupdetect.from_datasketch(3, num_perm=128, seed=1),  # type: ignore[arg-type]
    *(lambda wrong=wrong: dupdetect.dedup(TEXTS, known_boilerplate=wrong) for wrong in (3, "b.parquet")),
    lambda: dupdetect.dedup(TEXTS, known_boilerplate=pa.table({"shingle": ["x"], "margin": [1]})),
    lambda: dupdetect.dedup(TEXTS, known_boilerplate=pa.table({"shingle": [1], "margin": pa.nulls(1, pa.int32())})),
    lambda: dupdetect.explain("no/such/folder", "a"),
    lambda: dupdetect.explain(3, "a"),
    lambda: dupdetect.explain(dupdetect.dedup({"a": TEXTS[0]}), "b"),
    lambda: dupdetect.explain(dupdetect.dedup({"a": TEXTS[0]}), None),
    lambda: dupdetect.report("no/such/folder", "page.html"),
    lambda: dupdetect.report(dupdetect.dedup(TEXTS), "no/such/folder/page.html"),
    lambda: dupdetect.evaluate(dupdetect.dedup({"a": TEXTS[0]}), {"z": 1}),
    lambda: dupdetect.evaluate(dupdetect.dedup({"a": TEXTS[0]}), 3),
    lambda: dupdetect.evaluate(dupdetect.dedup({"a": TEXTS[0]}), "none.csv"),
    lambda: dupdetect.evaluate(dupdetect.dedup({"a": TEXTS[0]}), pa.table({"id": ["a"]})),
    lambda: dupdetect.evaluate("no/such/folder", {"a": 1}),
    lambda: dupdetect.audit("no/such/folder", TEXTS),
    lambda: dupdetect.audit(dupdetect.dedup(TEXTS), TEXTS, documents=0),
    lambda: dupdetect.audit(dupdetect.dedup(TEXTS), TEXTS, documents=-1),
    lambda: dupdetect.audit(3, TEXTS),
    lambda: dupdetect.tune(TEXTS, []),
    lambda: dupdetect.tune(TEXTS, [("a", "b", "perhaps")]),
    lambda: dupdetect.tune(TEXTS, [(0, 1, 1)], folds=1),
    lambda: dupdetect.tune(TEXTS, [(0, 1, 1)], beta=0),
    lambda: dupdetect.tune(TEXTS, [(0, 1, 1)], shingle_sizes=[]),
    lambda: dupdetect.tune(TEXTS, "none.csv"),
    lambda: Settings.load("none.toml"),
    lambda: Settings(canonical=len).save("settings.toml"),
    lambda: Settings().save("no/such/folder/settings.toml"),
    lambda: dupdetect.dedup(TEXTS).write("no\0folder"),
    lambda: dupdetect.dedup(TEXTS).write("out", format="xlsx"),
    lambda: dupdetect.dedup(TEXTS).write("out", kept="arrow"),
    lambda: dupdetect.dedup(TEXTS).write("out", columns=["date"]),
    lambda: dupdetect.dedup(TEXTS).write("taken"),
    lambda: dupdetect.dedup(TEXTS).write("taken", overwrite=True),
]

# ---- the command ----

COMMANDS = """
dedup
dedup in.jsonl
dedup -o out
dedup none.jsonl -o out
dedup in.jsonl -o taken
dedup in.jsonl -o taken --overwrite
dedup in.jsonl -o in.jsonl
dedup in.jsonl -o out --text body
dedup in.jsonl -o out --text text.body
dedup in.jsonl -o out --text text --text body
dedup in.jsonl -o out --id url
dedup in.jsonl -o out --id-prefix folder
dedup in.jsonl -o out --format xlsx
dedup in.jsonl -o out --kept arrow
dedup in.jsonl -o out --columns date
dedup in.jsonl -o out --columns ,
dedup in.jsonl -o out --sample 0
dedup in.jsonl -o out --sample many
dedup in.jsonl -o out --workers 0
dedup in.jsonl -o out --workers two
dedup in.jsonl -o out --memory 2
dedup in.jsonl -o out --memory lots
dedup in.jsonl -o out --memory 1KB
dedup in.jsonl -o out --max-text 0B
dedup in.jsonl -o out --threshold 80
dedup in.jsonl -o out --threshold high
dedup in.jsonl -o out --threshold 0
dedup in.jsonl -o out --treshold 0.8
dedup in.jsonl -o out --containment 2
dedup in.jsonl -o out --max-lost 1
dedup in.jsonl -o out --shingle-size 0
dedup in.jsonl -o out --shingle-size 2.5
dedup in.jsonl -o out --unit char
dedup in.jsonl -o out --num-perm 1
dedup in.jsonl -o out --seed -1
dedup in.jsonl -o out --bands 4
dedup in.jsonl -o out --bands 99x99
dedup in.jsonl -o out --window 0
dedup in.jsonl -o out --hot-key-documents 1
dedup in.jsonl -o out --canonical newest
dedup in.jsonl -o out --canonical earliest
dedup in.jsonl -o out --canonical-column date
dedup in.jsonl -o out --prefer source
dedup in.jsonl -o out --prefer source=
dedup in.jsonl -o out --prefer source=a
dedup in.jsonl -o out --within site
dedup in.jsonl -o out --between site
dedup in.jsonl -o out --per site
dedup in.jsonl -o out --between id --per id
dedup in.jsonl -o out --input-format xlsx
dedup in.jsonl -o out --input-format parquet
dedup in.jsonl -o out --encoding utf-9
dedup in.jsonl -o out --delimiter ;;
dedup in.jsonl -o out --settings none.toml
dedup in.jsonl -o out --settings in.jsonl
dedup in.jsonl -o out --against none
dedup in.jsonl -o out --against in.jsonl
dedup in.jsonl -o out --against taken
dedup in.jsonl -o out --work in.jsonl
dedup in.jsonl -o out --work taken
dedup in.jsonl -o out --quiet --verbose
dedup in.jsonl -o kept.jsonl --sketches
dedup in.jsonl -o kept.parquet.gz
dedup in.jsonl -o - --kept csv
dedup in.jsonl -o - --resume
dedup in.jsonl -o out --log-file no/such/folder/log
dedup bad.jsonl -o out
dedup bad.jsonl -o out --strict
dedup in.jsonl bad.jsonl -o out --strict
dedup sheet.xlsx -o out
dedup unnamed -o out
compare
compare in.jsonl
compare in.jsonl none.txt
compare in.jsonl in.jsonl --threshold 2
explain
explain none a
explain taken a
explain in.jsonl a
evaluate
evaluate none in.jsonl
evaluate taken in.jsonl
audit
audit none in.jsonl
audit taken in.jsonl
audit none in.jsonl --documents -1
tune
tune in.jsonl none.csv -o settings.toml
tune in.jsonl in.jsonl -o settings.toml
report
report none -o page.html
report taken -o page.html
sketch
sketch in.jsonl
sketch none.jsonl -o sketches.parquet
sketch in.jsonl -o no/such/folder/sketches.parquet
sketch bad.jsonl -o sketches.parquet --strict
warm now
dedupe in.jsonl -o out
--version out out
-x
""".strip().splitlines()
USED = {"--version out out"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a good input, bad ones, and a folder that is somebody's."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def refused(call: Callable[[], Any]) -> None:
    before = sorted(Path().rglob("*"))
    with pytest.raises(DupdetectError) as raised:
        call()
    sentence(str(raised.value))
    assert sorted(Path().rglob("*")) == before


def sentence(message: str) -> None:
    """Hold a message to what a sentence says: what was got; what was expected, or what to do."""
    assert "\n" not in message.strip()
    assert 15 < len(message) < 900
    assert re.search("expected|; |: |needs|cannot|there is no|Missing|No such", message), message
    assert not re.search(r"0x[0-9a-f]{8}|Traceback|NoneType'? object|pyarrow\.lib|<class", message), message


@pytest.mark.parametrize(("name", "value"), SETTINGS)
def test_settings(name: str, value: Any) -> None:
    refused(lambda: dupdetect.dedup(TEXTS, **{name: value}))


@pytest.mark.parametrize("arguments", ARGUMENTS, ids=[str(number) for number in range(len(ARGUMENTS))])
def test_arguments(arguments: dict[str, Any]) -> None:
    refused(lambda: dupdetect.dedup(pa.table({"text": TEXTS}), **arguments))


@pytest.mark.parametrize("data", [make for _, make in DATA], ids=[name for name, _ in DATA])
@pytest.mark.filterwarnings("ignore")
def test_data(data: Callable[[Path], Any], here: Path) -> None:
    given = data(here)
    refused(lambda: dupdetect.dedup(given))


@pytest.mark.parametrize("call", CALLS, ids=[str(number) for number in range(len(CALLS))])
def test_other_functions(call: Callable[[], Any]) -> None:
    Path("taken").mkdir()
    Path("taken/letter.txt").write_text("dear")
    refused(call)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.filterwarnings("ignore")
def test_commands(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("taken").mkdir()
    Path("taken/letter.txt").write_text("dear")
    Path("in.jsonl").write_text("".join(json.dumps({"id": n, "text": text}) + "\n" for n, text in enumerate(TEXTS)))
    Path("bad.jsonl").write_text('{"text": 3}\n{"text"\n')
    Path("sheet.xlsx").write_bytes(b"PK\x03\x04")
    Path("unnamed").write_text("a text")
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    code = main(command.split())
    shown = capsys.readouterr()
    if command in USED:
        return
    assert code in (1, 2), shown
    assert not shown.out
    last = [line for line in shown.err.splitlines() if line.strip()]
    usage = " ".join(shown.err.partition("Error: ")[2].split())
    sentence(usage or last[-1])
    assert not usage or "Try 'dupdetect" in shown.err
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before


def test_these_are_three_hundred() -> None:
    assert len(SETTINGS) + len(ARGUMENTS) + len(DATA) + len(CALLS) + len(COMMANDS) >= 300
