import pickle
import subprocess
import sys

import pyarrow as pa
import pytest

from dupdetect import dedup
from dupdetect.errors import OutputError
from dupdetect.results.result import Cluster, Result


def result_of(rows):
    ids = [id for id, _ in rows]
    table = pa.table({"id": ids, "cluster": [c for _, c in rows], "canonical": [i == c for i, c in rows]})
    kept = pa.table({"id": [id for id, cluster in rows if id == cluster]})
    none = pa.table({"id": ids[:0]})
    return Result(table, none, none, kept, pa.table({"file": ["x"]}), none, {"counts": {}})


def test_groups_are_the_clusters_of_two_and_more_largest_first():
    result = result_of([("z", "z"), ("b", "c"), ("y", "z"), ("s", "s"), ("c", "c"), ("e", "d"), ("d", "d"), ("a", "c")])
    assert result.groups() == [
        Cluster("c", ["c", "a", "b"]),
        Cluster("d", ["d", "e"]),
        Cluster("z", ["z", "y"]),
    ]
    first = result.groups()[0]
    assert (first.canonical, first.members, len(first), list(first)) == (
        "c",
        ["c", "a", "b"],
        3,
        ["c", "a", "b"],
    )


def test_groups_of_integers_and_of_nothing():
    assert result_of([(3, 1), (2, 2), (1, 1)]).groups() == [Cluster(1, [1, 3])]
    assert result_of([("a", "a")]).groups() == []
    assert result_of([]).groups() == []


def test_a_result_prints_in_a_line():
    assert (
        repr(result_of([("a", "a"), ("b", "a")])) == "Result(2 documents: 1 kept, 1 duplicates; 0 matches, 1 rejects)"
    )


def test_a_result_is_written_as_a_folder(tmp_path):
    result = result_of([("a", "a")])
    result.write(tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    tables = {f"{name}.parquet" for name in ("clusters", "matches", "digests", "kept")}
    assert names == {*tables, "boilerplate.parquet", "rejects.jsonl", "manifest.json"}
    with pytest.raises(OutputError, match="exists already"):
        result.write(tmp_path / "out")
    result.write(tmp_path / "out", format="csv", overwrite=True)
    assert (tmp_path / "out/kept.csv").exists()
    assert (tmp_path / "out/boilerplate.parquet").exists()


def test_importing_it_does_not_import_pyarrow():
    code = "import sys, dupdetect.results.result; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_result_pickles_with_all_that_it_can_do(tmp_path):
    story = "The lighthouse keeper writes down each ship that passes and each that does not answer the lamp."
    data = pa.table({"id": ["a", "b", "c"], "text": [story, story.upper(), "Another."], "year": [1, 2, 3]})
    result = dedup(data, sketches=True)
    assert result.kept.num_rows == 2
    again = pickle.loads(pickle.dumps(result))
    for name in ("clusters", "matches", "digests", "rejects", "boilerplate", "kept", "manifest"):
        assert getattr(again, name) == getattr(result, name), name
    assert again.groups() == result.groups()
    assert again.workspace is None
    for number, each in enumerate((result, again)):
        each.write(tmp_path / str(number))
    files = [sorted(path.name for path in (tmp_path / number).iterdir()) for number in "01"]
    assert files[0] == files[1]
    assert "sketches.parquet" in files[0]
    assert (tmp_path / "0/sketches.parquet").read_bytes() == (tmp_path / "1/sketches.parquet").read_bytes()
    assert again.annotated == result.annotated
    assert again.removed == result.removed
