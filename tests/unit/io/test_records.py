"""Rows that a caller has in Python, and datasets that are none of ours: all are read, or the run fails."""

import json
import sys
from collections import namedtuple
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from dupdetect import dedup
from dupdetect.cli.main import main
from dupdetect.errors import InputError
from dupdetect.io.documents import collect, stream

ROWS = [
    {"id": "a", "text": "The ferry was late again.", "n": 1},
    {"id": "b", "text": "A recipe for bread.", "m": [1, 2]},
    {"id": "c", "text": "THE FERRY WAS LATE AGAIN.", "n": 2**53 + 1},
]


class Dataset:
    """What is used of a `datasets.Dataset`: Arrow tables in batches, without the rows that were filtered out."""

    def __init__(self, table, chosen=None, *, names=True):
        self._table, self._chosen = table, chosen
        self.column_names = table.column_names if names else None  # those of a stream are not known

    def with_format(self, name):
        assert name == "arrow"
        return self

    def iter(self, batch_size):
        table = self._table if self._chosen is None else self._table.take(pa.array(self._chosen, pa.int64()))
        for batch in table.to_batches(max_chunksize=min(batch_size, 2)):
            yield pa.Table.from_batches([batch])

    def __iter__(self):
        raise AssertionError("row by row types would be lost")


class DatasetDict(dict):
    """Splits by name."""


def test_rows_are_read_with_all_their_columns():
    for data in (ROWS, iter(ROWS), (row for row in ROWS), tuple(ROWS)):
        result = dedup(data)
        assert result.clusters["cluster"].to_pylist() == ["a", "b", "a"]
        assert result.kept.to_pylist() == [
            {"id": "a", "text": ROWS[0]["text"], "n": 1, "m": None},
            {"id": "b", "text": ROWS[1]["text"], "n": None, "m": [1, 2]},
        ]
    assert collect(ROWS).table["n"].to_pylist() == [1, None, 2**53 + 1]


def test_named_columns_and_pairs():
    Row = namedtuple("Row", "url body")
    rows = [Row("x", "One text."), Row("y", "Another one.")]
    assert collect(rows, text="body", id="url").ids.to_pylist() == ["x", "y"]
    assert collect([tuple(row) for row in rows]).texts.to_pylist() == ["One text.", "Another one."]
    assert collect((n, f"text {n}") for n in range(20_000)).ids.to_pylist() == list(range(20_000))


def test_rows_without_ids_are_numbered():
    found = collect([{"text": "one"}, {"text": "two", "x": 1}])
    assert found.ids.to_pylist() == [0, 1]


def test_what_is_wrong_with_rows_is_said():
    bad = [
        {"id": 1, "text": "fine"},
        {"id": 2},
        {"id": 3, "text": 7},
        "a string",
        (1, 2, 3),
        {1: 2},
        {"id": 4, "text": "\ud800"},
    ]
    found = collect([*bad, {"id": None, "text": "no id"}])
    assert found.ids.to_pylist() == [1]
    assert found.rejects["row"].to_pylist() == list(range(1, 8))
    assert found.rejects["reason"].to_pylist() == [
        "column 'text' is null, expected a string",
        "column 'text' is of type int, expected a string",
        "the row is of type str, expected a mapping, or a tuple (id, text)",
        "the row is a tuple of 3 values, expected (id, text); or give rows as mappings",
        "the row has a column 1, expected names that are strings",
        "column 'text' holds a lone surrogate (U+D800, character 0), expected valid Unicode",
        "column 'id' is null, expected an id",
    ]


def test_ids_of_several_types_are_refused_also_far_apart():
    rows = [{"id": n, "text": f"text {n}"} for n in range(9000)]
    for mixed in ([*rows[:2], {"id": "1", "text": "x"}], [*rows, {"id": "1", "text": "x"}]):
        with pytest.raises(InputError, match="the ids are of types int and str"):
            dedup(mixed)


def test_values_of_several_types_become_text_and_others_are_refused():
    rows = [{"id": 1, "text": "x", "v": 1}, {"id": 2, "text": "y", "v": {"a": "é"}}, {"id": 3, "text": "z", "v": "s"}]
    assert collect(rows).table["v"].to_pylist() == ["1", '{"a": "é"}', "s"]
    with pytest.raises(InputError, match="column 'v' cannot be put into a table"):
        collect([{"id": 1, "text": "x", "v": object()}])


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="there is no column 'body'; the columns are 'id', 'text'"):
        collect([{"id": 1, "text": "x"}], text="body", id="id")


def test_datasets_are_read_as_arrow_without_what_was_filtered_out():
    table = pa.table({"id": pa.array([1, 2, 3], pa.uint64()), "text": ["one", "two", "three"]})
    for names in (True, False):
        found = collect(Dataset(table, [0, 2], names=names))
        assert found.table == table.take([0, 2])
        assert found.ids.type == pa.uint64()
    assert len(collect(Dataset(table, []))) == 0
    assert len(dedup(Dataset(table)).kept) == 3


def test_splits_of_a_dataset_are_what_files_are():
    table = pa.table({"text": ["one", "two", None]})
    splits = DatasetDict(train=Dataset(table), test=Dataset(table))
    found = collect(splits)
    assert found.ids.to_pylist() == ["train:0", "train:1", "test:0", "test:1"]
    assert found.rejects["file"].to_pylist() == ["train", "test"]
    first, *_ = stream(splits, part_bytes=1)
    rest = list(stream(splits, part_bytes=1, after=first.note))
    assert sum(map(len, [first, *rest])) == 4


def test_splits_become_splits_again(monkeypatch, tmp_path):
    texts = ["The ferry was late.", "渡し船は遅れた。", "Паром опоздал.", "เรือข้ามฟากมาสาย", "📣 late"]
    first, again = pa.table({"text": texts}), pa.table({"text": [text.upper() for text in texts[:4]] + ["new"]})
    splits = DatasetDict(train=Dataset(first), test=Dataset(again), none=Dataset(first.slice(0, 2)))
    names = SimpleNamespace(Dataset=lambda table: table, DatasetDict=dict)
    monkeypatch.setitem(sys.modules, "datasets", names)
    monkeypatch.setitem(sys.modules, "datasets.table", SimpleNamespace(InMemoryTable=lambda table: table))
    result = dedup(splits, canonical="first")
    made = result.to_dataset()
    assert {name: table["text"].to_pylist() for name, table in made.items()} == {
        "train": texts,
        "test": ["new"],
        "none": [],
    }
    assert result.manifest["splits"] == ["train", "test", "none"]
    assert isinstance(dedup(Dataset(first)).to_dataset(), pa.Table)
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "one"}))
    assert isinstance(dedup(tmp_path / "a.jsonl").to_dataset(), pa.Table)


def test_batches_of_tables_are_read_one_after_the_other():
    table = pa.table({"id": [1, 2], "text": ["one", "two"]})
    other = table.set_column(0, "id", pc.add(table["id"], 2))
    assert collect(iter([table, other])).ids.to_pylist() == [1, 2, 3, 4]
    assert collect(table.to_batches()).ids.to_pylist() == [1, 2]


# ---- nothing that can be used ----


def test_a_run_in_which_no_row_could_be_used_fails():
    columns = {"id": ["a", "b"], "text": ["one", "two"]}  # by column: a mapping goes from ids to texts
    with pytest.raises(
        InputError, match=r"no row could be used: all 2 were rejected \(row 0: column 'text' is of type list"
    ):
        dedup(columns)
    with pytest.raises(InputError, match="all 5 were rejected") as caught:
        dedup([1, 2.0, None, [], set()])
    assert str(caught.value).count("; row ") == 2  # three reasons
    with pytest.raises(InputError, match="row 0: column 'text' is null"):
        dedup(pa.table({"id": ["a"], "text": pa.array([None], pa.string())}))


def test_an_input_without_rows_is_an_empty_result(tmp_path):
    assert dedup([]).clusters.num_rows == 0
    (tmp_path / "none.jsonl").write_text("")
    assert main(["dedup", str(tmp_path / "none.jsonl"), "-o", str(tmp_path / "out"), "-q"]) == 0


def test_a_file_of_rejects_alone_fails_and_as_one_of_several_it_does_not(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.jsonl").write_text('{"text": ["a list"]}\n{"text": 7}\nnot json\n')
    (tmp_path / "good.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    assert main(["dedup", "bad.jsonl", "-o", "out"]) == 1
    said = capsys.readouterr().err
    assert "no row could be used: all 3 were rejected (bad.jsonl:1: " in said
    assert "bad.jsonl:2: " in said
    assert "bad.jsonl:3: the line is not valid JSON" in said
    assert not (tmp_path / "out").exists()
    for files in (["good.jsonl", "bad.jsonl"], ["bad.jsonl", "good.jsonl"]):
        assert main(["dedup", *files, "-o", "out", "--overwrite", "-q"]) == 0
        assert len((tmp_path / "out" / "rejects.jsonl").read_text().splitlines()) == 3


def test_what_a_dataset_says_of_its_columns_stays():
    """Names of classes and the like stand in the metadata of its features, and not of its tables."""
    data, said = Dataset(pa.Table.from_pylist(ROWS)), {b"huggingface": b'{"info": {}}'}
    data.features = SimpleNamespace(arrow_schema=data._table.schema.with_metadata(said))
    assert dedup(data).kept.schema.metadata == said


def test_arrays_are_no_texts():
    with pytest.raises(InputError, match="is of type ndarray, expected a string"):
        dedup(np.array([["one", "text"], ["and", "another"]]))
    found = collect(["one", None, float("nan"), np.float64("nan"), pd.NA, "\ud800"]).rejects["reason"].to_pylist()
    assert found[:4] == ["column 'text' is null, expected a string"] * 4


def test_json_over_many_lines_is_told_from_bad_rows(tmp_path):
    path = tmp_path / "one.json"
    path.write_text(json.dumps(ROWS[0], indent=2))
    with pytest.raises(InputError, match="one object over many lines, convert it with: jq -c"):
        dedup(path)
    path.write_bytes(json.dumps(ROWS[0]).encode("utf-16"))
    with pytest.raises(InputError, match="--encoding cp1252, utf-16 or such"):
        dedup(path)
    assert dedup(path, encoding="utf-16").kept.num_rows == 1
