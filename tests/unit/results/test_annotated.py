"""Every input row comes back with what was found of it, under names that the input does not have."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq
import pytest

import dupdetect
from dupdetect.cli.main import main
from dupdetect.errors import InputError
from dupdetect.results.result import Result

STORY = "Der Leuchtturmwärter schreibt jedes Schiff auf, das vorüberfährt, und jedes, das der Lampe nicht antwortet."


def test_rows_have_their_verdict_and_keep_their_columns() -> None:
    data = pa.table({"url": ["u1", "u2", "u3"], "text": [STORY, "Другой текст.", STORY.upper()], "n": [1, None, 3]})
    result = dupdetect.dedup(data, id="url")
    assert result.annotated.schema.names == ["url", "text", "n", "cluster", "canonical", "relation", "score", "copies"]
    assert result.annotated.select(data.column_names).to_pylist() == data.to_pylist()
    assert result.annotated.select(["cluster", "canonical", "relation", "score", "copies"]).to_pylist() == [
        {"cluster": "u1", "canonical": True, "relation": None, "score": None, "copies": 1},
        {"cluster": "u2", "canonical": True, "relation": None, "score": None, "copies": 0},
        {"cluster": "u1", "canonical": False, "relation": "identical", "score": 1.0, "copies": 1},
    ]
    assert result.removed.to_pylist() == data.slice(2).to_pylist()
    assert result.removed.schema == result.kept.schema


def test_rows_without_ids_are_told_which_they_were_given() -> None:
    result = dupdetect.dedup(pa.table({"text": [STORY, None, STORY]}))
    assert result.annotated.drop_columns(["text", "score", "relation", "canonical"]).to_pylist() == [
        {"id": 0, "file": None, "row": 0, "cluster": 0, "copies": 1},
        {"id": 2, "file": None, "row": 2, "cluster": 0, "copies": 1},
    ]


def test_a_column_of_the_input_keeps_its_name() -> None:
    data = pa.table({"id": ["a", "b"], "text": [STORY, STORY], "cluster": ["mine", "mine"], "score": [7, 8]})
    annotated = dupdetect.dedup(data).annotated
    assert annotated.select(data.column_names).to_pylist() == data.to_pylist()
    assert annotated["dupdetect_cluster"].to_pylist() == ["a", "a"]
    assert annotated["dupdetect_score"].to_pylist() == [None, 1.0]


def test_copies_of_an_earlier_canonical_are_counted_without_it() -> None:
    first = dupdetect.dedup({"m": STORY})
    second = dupdetect.dedup({"t1": STORY, "t2": STORY.upper(), "t3": "A text of its own."}, against=first)
    assert second.annotated["copies"].to_pylist() == [2, 2, 0]


def test_clusters_say_where_each_document_was_read(tmp_path: Path) -> None:
    for number in (1, 2):
        rows = [{"text": STORY}, {"text": None}, {"text": f"Nummer {number}"}]
        (tmp_path / f"{number}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    result = dupdetect.dedup([tmp_path / "1.jsonl", tmp_path / "2.jsonl"])
    where = list(zip(result.clusters["file"].to_pylist(), result.clusters["row"].to_pylist(), strict=True))
    assert where == [(str(tmp_path / f"{n}.jsonl"), row) for n in (1, 2) for row in (1, 3)]
    assert result.clusters["id"].to_pylist() == [f"{file}:{row}" for file, row in where]


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_the_command_writes_them(format: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a", "b"], "text": [STORY, STORY]}), tmp_path / "in.parquet")
    arguments = ["dedup", str(tmp_path / "in.parquet"), "-o", str(tmp_path / "out"), "--format", format, "-q"]
    assert main([*arguments, "--annotate"]) == 0
    path = tmp_path / f"out/annotated.{format}"
    reader = {"parquet": pq.read_table, "jsonl": pyarrow.json.read_json, "csv": pyarrow.csv.read_csv}[format]
    assert reader(path)["cluster"].to_pylist() == ["a", "a"]
    assert main([*arguments, "--overwrite"]) == 0
    assert not path.exists()


def test_they_may_be_larger_than_memory(tmp_path: Path) -> None:
    rows = pa.table({"id": [f"d{n}" for n in range(3000)], "text": [f"{n % 1500} {STORY}" for n in range(3000)]})
    in_memory = dupdetect.dedup(rows)
    on_disk = dupdetect.dedup(rows, work=tmp_path / "work", resume=True)
    assert on_disk.annotated == in_memory.annotated
    assert on_disk.removed.num_rows + on_disk.kept.num_rows == 3000


def test_a_result_made_of_tables_alone_has_no_rows_to_annotate() -> None:
    whole = dupdetect.dedup({"a": STORY})
    bare = Result(whole.clusters, whole.matches, whole.digests, whole.rows, whole.rejects, whole.boilerplate, {})
    with pytest.raises(InputError, match="no rows of all documents"):
        _ = bare.removed


def test_what_was_annotated_may_be_annotated_again():
    rows = [{"id": "a", "text": "one text"}, {"id": "b", "text": "One text!"}]
    table = dupdetect.dedup(rows).annotated
    for times in range(1, 4):
        table = dupdetect.dedup(table).annotated
        assert len(set(table.column_names)) == len(table.column_names) == 2 + 5 * (times + 1)
        assert table["dupdetect_" * times + "cluster"].to_pylist() == ["a", "a"]


def test_columns_that_are_compared_may_hold_what_python_cannot(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)  # which would know nanoseconds
    for type_, day in (("us", 2**60), ("ns", 1)):
        when = pa.array([day, 3 * day, day], pa.timestamp(type_))
        table = pa.table({"id": ["a", "b", "c"], "text": [STORY] * 3, "when": when})
        assert dupdetect.dedup(table, within="when").kept["id"].to_pylist() == ["a", "b"]
        assert len(dupdetect.dedup(table, prefer={"when": ["1"]}).kept) == 1
