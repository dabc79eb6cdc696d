"""Spark is a driver: it brings stages what they ask for, and decides nothing about similarity itself."""

import ast
from pathlib import Path

import pytest

import dupdetect

FILES = sorted((Path(dupdetect.__file__).parent / "spark").glob("*.py"))

#: What says whether texts are alike: words of it are for the stages.
DECIDED = {
    *("jaccard", "containment", "containment_a", "containment_b", "weighted_jaccard", "weighted_containment"),
    *(
        "threshold",
        "max_lost",
        "min_shingles",
        "relations",
        "scores",
        "tolerated",
        "shares_lost",
        "needed_fingerprints",
    ),
}


def names(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.ImportFrom | ast.Import):
            yield from (alias.name for alias in node.names)


def test_there_is_something_to_read():
    assert {"run", "counter", "counting", "candidates", "sketching"} <= {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_there_is_no_arithmetic_of_similarity(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not DECIDED & set(names(tree))
    divisions = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
    assert not divisions, "a share of something is a rule"
    constants = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not any(isinstance(value, float) and 0 < value < 1 for value in constants)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_needs_no_more_than_spark_connect_has(path):
    used = set(names(ast.parse(path.read_text(encoding="utf-8"))))
    assert not used & {"rdd", "sparkContext", "SparkContext", "parallelize", "_jvm", "_jdf", "persist", "cache"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_clusters_by_what_all_drivers_call(path):
    """Of clustering itself no more is imported than which digests are those of blank texts."""
    used = {
        (node.module, alias.name)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dupdetect.clustering")
        for alias in node.names
    }
    assert used <= {("dupdetect.clustering.clusters", "blank")}
