"""Scores of sets in several releases, on a few made-up documents, and against a count of every pair."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest

releases = pytest.importorskip("releases")
scoring = releases.scoring

NOTHING = SimpleNamespace(pairs=None, near=None)


def matches(pairs, near):
    return SimpleNamespace(
        **{
            name: scoring.unique_pairs(np.array(list(of), dtype=np.int64))
            for name, of in (("pairs", pairs), ("near", near))
        }
    )


def canonicals(labels):
    """Take the first document of each cluster for its canonical."""
    first = {}
    return np.array([first.setdefault(label, number) for number, label in enumerate(labels.tolist())])


def naive(truth, labels, kept):
    """Count every pair, as the definitions say it."""
    file, near = truth.files, truth.near

    def strangers(a, b):
        files = tuple(sorted((file[a], file[b])))
        return file[a] != file[b] and files not in truth.ignored and (min(a, b), max(a, b)) not in near

    pairs = list(combinations(range(len(file)), 2))
    together = [(a, b) for a, b in pairs if labels[a] == labels[b]]
    true = [(a, b) for a, b in near if file[a] == file[b]]
    family = [(a, b) for a, b in pairs if file[a] == file[b]]
    false = [labels[a] for a, b in together if strangers(a, b)]
    clusters = [[file[i] for i in range(len(file)) if labels[i] == label] for label in set(labels.tolist())]
    return {
        "true": len(true),
        "right": len(set(true) & set(together)),
        "recall": len(set(true) & set(together)) / len(true) if true else 1.0,
        "families": len(set(family) & set(together)) / len(family) if family else 1.0,
        "false": len(false),
        "mixed": len(set(false)),
        "largest": max(len(set(files)) for files in clusters),
        "lost": sum(i != kept[i] and strangers(i, kept[i]) for i in range(len(file))),
    }


@pytest.mark.parametrize("seed", range(20))
def test_against_every_pair(seed):
    draw = np.random.default_rng(seed)
    files, labels = draw.integers(0, 8, 30), draw.integers(0, 6, 30)
    near = releases.ordered((int(a), int(b)) for a, b in draw.integers(0, 30, (25, 2)) if a != b)
    ignored = releases.ordered((int(a), int(b)) for a, b in draw.integers(0, 8, (3, 2)) if a != b)
    truth = releases.Truth(scoring.labels(files.tolist()), near, ignored, [""] * 30)
    labels = scoring.labels(labels.tolist())
    assert truth.score(labels, canonicals(labels), NOTHING) == naive(truth, labels, canonicals(labels))


@pytest.fixture
def folder(tmp_path):
    lines = {
        "files": ["id,file", "a1,a", "a2,a", "b1,b", "b2,b", "c1,c"],
        "near": ["a,b,jaccard", "a2,a1,0.9", "b1,c1,0.85"],
        "ignore": ["file_a,file_b", "c,a"],
    }
    for name, rows in lines.items():
        (tmp_path / f"{name}.csv").write_text("\n".join(rows), encoding="utf-8")
    return tmp_path


IDS = ["c1", "b2", "b1", "a2", "a1"]
WORDS = [f"word{number}" for number in range(13)]


def test_what_is_read(folder):
    truth = releases.read(folder, IDS, IDS)
    assert truth.files.tolist() == [0, 1, 1, 2, 2]
    assert truth.near == {(3, 4), (0, 2)}
    assert truth.ignored == {(0, 2)}
    (folder / "ignore.csv").unlink()
    assert releases.read(folder, IDS, IDS).ignored == frozenset()


def test_a_document_is_lost_for_a_stranger_alone(folder):
    truth = releases.read(folder, IDS, IDS)
    together = np.zeros(5, dtype=np.int64)
    for kept, lost in {
        0: [1],
        1: [0, 3, 4],
        2: [3, 4],
        3: [1, 2],
        4: [1, 2],
    }.items():  # c1 is near b1, and as good as a
        assert [document for document, _ in truth.lost(np.full(5, kept))] == lost
    assert truth.score(together, np.zeros(5, dtype=np.int64), NOTHING)["false"] == 5  # b with a, and c1 with b2


def test_near_pairs_that_are_not_found_and_matches_that_are_none(folder):
    texts = [" ".join(WORDS), "", " ".join([*WORDS, "more"]), " ".join(WORDS[:6]), " ".join(WORDS[5:])]
    truth = releases.read(folder, IDS, texts)
    apart = np.arange(5)
    score = truth.score(apart, apart, matches([], []))
    assert (score["recall"], score["unfound"]) == (0.0, 1)  # of the two listed, one is near by exact count
    score = truth.score(apart, apart, matches([(2, 0), (0, 3)], [(2, 0), (0, 3)]))
    assert (score["unfound"], score["misnamed"]) == (0, 1)
    assert "unfound" not in truth.score(apart, apart, NOTHING)


def test_the_exact_jaccard_is_that_of_clean_texts():
    truth = releases.Truth(
        np.arange(2), frozenset(), frozenset(), ["a line that is bro-\nken in two", "A LINE that is broken in two!"]
    )
    assert truth.jaccard(0, 1) == 1.0


def test_a_score_in_a_cell(folder):
    truth = releases.read(folder, IDS, IDS)
    labels = np.array([0, 1, 0, 2, 2])
    assert releases.cell(truth.score(labels, canonicals(labels), NOTHING)) == "1.000 / 0.500, 0, 0"
