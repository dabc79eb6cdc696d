"""Fitting: what is found, how it is held out, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import dupdetect
from dupdetect import DupdetectError, InputError, Settings, SettingsError, Tuning, tune
from dupdetect.evaluation.fit import alike
from dupdetect.evaluation.tune import SIZES
from dupdetect.matching import candidates
from dupdetect.matching.pairs import packed
from dupdetect.sketches.sketches import sketch_texts

WORDS = [f"word{i}" for i in range(2000)]
QUICK: dict[str, Any] = {"shingle_sizes": [1, 3], "resamples": 30, "repeats": 2}


def family(number: int, random: np.random.Generator, shared: int = 0) -> list[str]:
    """Give a text of 60 words, and the same with every tenth word replaced; the first words all families share."""
    text = WORDS[:shared] + list(random.choice(WORDS, 60 - shared))
    copy = [f"other{number}{i}" if i % 10 == 5 else word for i, word in enumerate(text)]
    return [" ".join(text), " ".join(copy)]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    random = np.random.default_rng(5)
    found = {}
    for number in range(40):
        found[f"{number}a"], found[f"{number}b"] = family(number, random, shared=20)
    return found


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str, int]]:
    copies = [(f"{i}a", f"{i}b", 1) for i in range(40)]
    return copies + [(f"{i}a", f"{(i + 1) % 40}b", 0) for i in range(40)]


@pytest.fixture(scope="module")
def tuning(texts: dict[str, str], pairs: list[tuple[str, str, int]]) -> Tuning:
    return tune(texts, pairs, **QUICK)


def test_what_can_be_parted_is_parted_with_room_on_both_sides(
    tuning: Tuning, texts: dict[str, str], pairs: list[tuple[str, str, int]]
) -> None:
    assert tuning.fitted == tuning.run == (1.0, 1.0, 1.0)
    assert tuning.f1 == tuning.precision == tuning.recall == (1.0, 1.0, 1.0)
    assert tuning.warnings == []
    assert tuning.counts == {"copies": 40, "others": 40, "documents": 80, "groups": 40}
    assert tuning.threshold.low <= tuning.settings.threshold == tuning.threshold.value <= tuning.threshold.high
    similar = {1: [], 0: []}
    for a, b, label in pairs:
        similar[label].append(dupdetect.compare(texts[a], texts[b], settings=tuning.settings).jaccard)
    assert max(similar[0]) + 0.05 < tuning.settings.threshold < min(similar[1]) - 0.05


def test_every_size_tried_is_told(tuning: Tuning) -> None:
    assert tuning.sizes["shingle_size"].to_pylist() == [1, 3]
    assert sum(tuning.sizes["chosen"].to_pylist()) == pytest.approx(1)
    assert tuning.curve.num_rows == 1
    assert tuning.curve.to_pylist()[0]["f1"] == 1.0
    assert tuple(sorted(SIZES)) == SIZES
    assert f"shingle_size={tuning.settings.shingle_size}" in repr(tuning)


def test_the_same_again_whatever_the_workers(
    tuning: Tuning, texts: dict[str, str], pairs: list[tuple[str, str, int]]
) -> None:
    assert tune(texts, pairs, workers=1, **QUICK).as_dict() == tuning.as_dict()
    assert tune(texts, pairs[::-1], workers=3, **QUICK).settings == tuning.settings


def test_the_unit_is_as_given(pairs: list[tuple[str, str, int]], texts: dict[str, str]) -> None:
    """Of texts whose words are broken anywhere, characters are left."""
    broken = {name: " ".join(text[i : i + 7] for i in range(len(name), len(text), 7)) for name, text in texts.items()}
    found = tune(broken, pairs, unit="character", shingle_sizes=[4, 8], resamples=30, repeats=2)
    assert found.settings.unit == "character"
    assert found.run == (1.0, 1.0, 1.0)


def test_what_is_not_fitted_stays(texts: dict[str, str], pairs: list[tuple[str, str, int]]) -> None:
    given = Settings(window=8, num_perm=64, canonical="longest")
    found = tune(texts, pairs, settings=given, seed=9, run=False, **QUICK)
    assert (found.settings.window, found.settings.num_perm, found.settings.seed) == (8, 64, 9)
    assert found.settings.canonical == "longest"
    assert found.run is None


def test_pairs_come_in_many_forms(
    tuning: Tuning, texts: dict[str, str], pairs: list[tuple[str, str, int]], tmp_path: Path
) -> None:
    table = pa.table(dict(zip(("a", "b", "label"), map(list, zip(*pairs, strict=True)), strict=True)))
    csv = tmp_path / "pairs.csv"
    csv.write_text("a,b,label\n" + "".join(f"{a},{b},{'true' if label else 'false'}\n" for a, b, label in pairs))
    named = [{"a": b, "b": a, "label": bool(label)} for a, b, label in pairs]
    for form in (table, csv, str(csv), named, iter(pairs), pairs + pairs[:1]):
        assert tune(texts, form, run=False, **QUICK).settings == tuning.settings


def test_labels_in_words(tuning: Tuning, texts: dict[str, str], pairs: list[tuple[str, str, int]]) -> None:
    worded = [(a, b, ("unrelated", "cut", "light")[label + label * (a > "2")]) for a, b, label in pairs]
    assert tune(texts, worded, positive=["cut", "light"], run=False, **QUICK).settings == tuning.settings
    with pytest.raises(InputError, match="a pair is labelled"):
        tune(texts, worded, **QUICK)
    with pytest.raises(InputError, match="no pair of the truth is labelled 'heavy'; there are 'cut', 'light', 'unrel"):
        tune(texts, worded, positive="heavy", **QUICK)


def test_whole_numbers_name_documents(pairs: list[tuple[str, str, int]], texts: dict[str, str], tmp_path: Path) -> None:
    number = {name: i for i, name in enumerate(texts)}
    path = tmp_path / "pairs.csv"
    path.write_text("a,b,label\n" + "".join(f"{number[a]},{number[b]},{label}\n" for a, b, label in pairs))
    by_number = tune(list(texts.values()), path, run=False, **QUICK)
    assert by_number.counts["copies"] == 40
    table = pa.table({"id": [f"{i:03}" for i in range(80)], "text": list(texts.values())})
    path.write_text("a,b,label\n" + "".join(f"{number[a]:03},{number[b]:03},{label}\n" for a, b, label in pairs))
    assert tune(table, path, run=False, **QUICK).settings == by_number.settings


def test_clusters_are_a_truth_too(texts: dict[str, str], tmp_path: Path) -> None:
    clusters = {name: name[:-1] for name in texts}
    found = tune(texts, clusters, **QUICK)
    assert found.counts["copies"] == 40
    assert found.counts["others"] > 0  # the 20 words they share make them candidates
    assert found.run is not None
    assert found.run.f1 == found.f1.value == 1.0
    path = tmp_path / "clusters.csv"
    path.write_text("id,cluster\n" + "".join(f"{name},{cluster}\n" for name, cluster in clusters.items()))
    assert tune(texts, path, **QUICK).as_dict() == found.as_dict()
    path.write_text(path.read_text().replace("id,cluster", "id,story"))
    assert tune(texts, path, cluster_column="story", run=False, **QUICK).settings == found.settings


def test_most_pairs_may_be_drawn(texts: dict[str, str]) -> None:
    found = tune(texts, {name: name[:-1] for name in texts}, sample=30, run=False, **QUICK)
    assert found.counts["copies"] <= 30
    assert any("of 40 pairs within clusters were drawn" in warning for warning in found.warnings)
    assert any("hard pairs of different clusters were drawn" in warning for warning in found.warnings)


def test_a_precision_may_be_asked_for(texts: dict[str, str], pairs: list[tuple[str, str, int]]) -> None:
    same = {f"{i}c": texts[f"{i}a"] for i in range(20)}
    wrong = pairs + [(f"{i}a", f"{i}c", 0) for i in range(20)]  # no threshold can part what is identical
    strict = tune({**texts, **same}, wrong, precision=0.9, run=False, **QUICK)
    assert "no thresholds reach a precision of 0.9 on these pairs; best: 0.667" in strict.warnings
    easy = tune({**texts, **same}, wrong, precision=0.6, run=False, **QUICK)
    assert easy.fitted.recall == 1.0


def test_no_document_is_on_both_sides(texts: dict[str, str], pairs: list[tuple[str, str, int]]) -> None:
    """Copies of one family that are no copies by label: memorising documents would part them, thresholds cannot."""
    random = np.random.default_rng(0)
    noise = [(a, b, int(random.integers(2))) for a, b, _ in pairs]
    found = tune(texts, noise, run=False, shingle_sizes=[1, 2, 3], resamples=30, repeats=3)
    assert found.f1.value < found.fitted.f1 + 1e-9
    assert found.f1.low < 0.7


def parts(length: int, changed: int) -> tuple[dict[str, str], list[tuple[str, str, int]]]:
    """Make texts, the end of each, so long, with every so many words changed, and others that begin alike."""
    random = np.random.default_rng(2)
    texts, pairs = {}, []
    for i in range(40):
        words = random.choice(WORDS, 3600)
        part = [f"new{i}{j}" if j % changed == changed - 8 else word for j, word in enumerate(words[-length:])]
        texts[f"{i}"], texts[f"{i} part"] = " ".join(words), " ".join(part)
        texts[f"{i} alike"] = " ".join([*words[:960], *random.choice(WORDS, 2640)])
        pairs += [(f"{i}", f"{i} part", 1), (f"{i}", f"{i} alike", 0)]
    return texts, pairs


def test_copies_that_may_not_be_removed_are_not_promised() -> None:
    texts, pairs = parts(600, changed=9)
    found = tune(texts, pairs, shingle_sizes=[3], resamples=30, repeats=2, precision=0.99)
    assert (found.recall.value, found.run and found.run.recall) == (0.0, 0.0)
    found = tune(texts, pairs, shingle_sizes=[3], resamples=30, repeats=2, precision=0.99, max_lost=0.2)
    assert found.recall.value > 0.95
    assert found.run is not None
    assert found.run.recall > 0.95


def test_the_window_is_as_large_as_finds_what_is_contained() -> None:
    texts, pairs = parts(30, changed=100)
    found = tune(texts, pairs, shingle_sizes=[3], resamples=30, repeats=2)
    assert found.settings.window < Settings().window
    assert found.run is not None
    assert found.run.f1 > 0.95
    wide = dupdetect.dedup(texts, settings=found.settings.replace(window=32))
    assert wide.kept.num_rows > dupdetect.dedup(texts, settings=found.settings).kept.num_rows


def test_of_pairs_that_share_one_document_none_can_be_held_out() -> None:
    random = np.random.default_rng(1)
    text, _ = family(0, random)
    texts = {"source": text}
    pairs = []
    for i in range(40):
        words = text.split()
        for place in random.choice(60, 6 if i % 2 else 50, replace=False):
            words[place] = f"new{i}{place}"
        texts[f"{i}"] = " ".join(words)
        pairs.append(("source", f"{i}", i % 2))
    found = tune(texts, pairs, **QUICK)
    assert found.counts["groups"] == 41
    assert found.fitted.f1 == 1.0
    assert np.isnan(found.f1.value)
    assert found.warnings[0].startswith("nothing could be held out")


def test_few_labels_are_told_and_not_hidden(texts: dict[str, str], pairs: list[tuple[str, str, int]]) -> None:
    found = tune(texts, pairs[:3] + pairs[-3:], **QUICK)
    assert found.warnings[0] == "only 3 copies are labelled; below 30, intervals are rough"
    assert found.fitted.f1 == 1.0
    two = tune(texts, [pairs[0], pairs[-1]], **QUICK)
    assert np.isnan(two.f1.value)
    assert two.as_dict()["held_out"]["f1"] == {"value": None, "low": None, "high": None}
    assert any("nothing could be held out" in warning for warning in two.warnings)


def test_unknown_ids_are_left_out_and_told(texts: dict[str, str], pairs: list[tuple[str, str, int]]) -> None:
    found = tune(texts, [*pairs, ("0a", "nobody", 1), ("0a", "0a", 1)], **QUICK)
    assert found.warnings == [
        "1 of 82 pairs of the truth name ids that no document has (such as 'nobody'); left out",
        "1 pairs of a document with itself were left out",
    ]
    with pytest.raises(InputError, match="names none of these documents"):
        tune(texts, [("x", "y", 1)], **QUICK)


def test_empty_texts_are_alike_to_nothing(texts: dict[str, str], pairs: list[tuple[str, str, int]]) -> None:
    found = tune({**texts, "e": "", "f": "!"}, [*pairs, ("e", "f", 0), ("e", "0a", 0)], **QUICK)
    assert found.fitted.f1 == 1.0


@pytest.mark.parametrize(
    ("truth", "sentence"),
    [
        ([("0a", "0b", 1)], "expected both: add pairs that are none"),
        ([("0a", "1b", 0)], "expected both: add copies"),
        ([], "expected"),
        ([("0a", "0b")], r"expected \(a, b, label\)"),
        ([("0a", "0b", 1), ("0b", "0a", 0)], "labels the pair '0b', '0a' both a copy and none"),
        ({"0a": "x", "0b": "y"}, "expected both"),
        (pa.table({"a": ["0a"], "c": ["0b"]}), "no column 'b'"),
        (pa.table({"id": ["0a", "0a"], "cluster": ["0b", "1"]}), "names a document twice"),
        (7, "int was given for the truth"),
        ("missing.csv", "missing.csv"),
    ],
)
def test_a_truth_that_cannot_be(truth: Any, sentence: str, texts: dict[str, str]) -> None:
    with pytest.raises(InputError, match=sentence):
        tune(texts, truth, **QUICK)


@pytest.mark.parametrize(
    "options",
    [
        {"beta": 0},
        {"precision": 1.5},
        {"found": 0},
        {"folds": 1},
        {"repeats": 0},
        {"resamples": 0},
        {"sample": 0},
        {"shingle_sizes": []},
        {"shingle_sizes": [0]},
        {"workers": 0},
        {"tresholdd": 0.5},
    ],
)
def test_options_that_cannot_be(options: dict[str, Any], texts: dict[str, str], pairs: list[Any]) -> None:
    with pytest.raises(SettingsError):
        tune(texts, pairs, **options)


def test_the_settings_go_to_a_file_with_what_they_are_worth(tuning: Tuning, tmp_path: Path) -> None:
    tuning.save(tmp_path / "s.toml")
    assert Settings.load(tmp_path / "s.toml") == tuning.settings
    text = (tmp_path / "s.toml").read_text()
    assert text.startswith("# Fitted by `dupdetect tune` to 40 copies and 40 other pairs.\n# Held-out precision: 1.000")


def test_what_is_not_installed_is_named_with_how_to_install_it(
    texts: dict[str, str], pairs: list[tuple[str, str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dupdetect.evaluation.tune.find_spec", lambda _name: None)
    with pytest.raises(DupdetectError, match=r"python -m pip install 'dupdetect\[evaluate\]'"):
        tune(texts, pairs)


def test_fingerprints_find_what_the_search_finds() -> None:
    """The search asks for a share of the fingerprints less two standard deviations: of 25 for 1 and not for 5."""
    random = np.random.default_rng(0)
    settings = Settings(bands=(1, 128), shingle_size=1, window=4, min_shared_fingerprints=0.2)
    texts = []
    for number in range(12):
        words = random.choice(WORDS, 60 + number, replace=False)
        texts += [" ".join(words), " ".join([*words[: 2 * number], *(f"new{number}{i}" for i in range(80))])]
    sketches = sketch_texts(pa.array(sorted(texts, key=lambda text: text.count(" ")), pa.large_string()), settings)
    a, b = np.triu_indices(len(texts), 1)
    found = np.isin(packed(a, b), candidates.find(sketches).pairs)
    assert 0 < found.sum() < len(found)
    assert alike(sketches.fingerprints, a, b, 0.2).tolist() == found.tolist()


COLUMNS_READ = [
    {"prefer": ("site", ("a", "b"))},
    {"within": "site"},
    {"between": "site"},
    {"per": "site"},
    {"canonical": "priority", "canonical_column": "rank"},
    {"prefer": ("where.rank", ("1",))},
]


@pytest.mark.parametrize("reading", COLUMNS_READ, ids=str)
def test_settings_that_read_columns_are_run_with_them(reading: dict[str, Any]) -> None:
    texts = [f"page {i} of chapter {i * i}" for i in range(40)]
    rows = [{"id": f"{i}", "text": text, "site": "a", "rank": i} for i, text in enumerate(texts)]
    rows += [{**row, "id": f"{row['id']} again", "text": f"{row['text']} again", "site": "b"} for row in rows]
    table = pa.Table.from_pylist([{**row, "where": {"rank": "1"}} for row in rows])
    pairs = [(f"{i}", f"{i} again", 1) for i in range(40)] + [(f"{i}", f"{i + 1}", 0) for i in range(39)]
    quick = {"shingle_sizes": [1, 2], "resamples": 2, "repeats": 1}
    found = dupdetect.tune(table, pairs, **quick, **reading)
    # Copies are of two sites: where these are not compared, or keep one each, no copy is put together.
    are_put_together = not {"within", "per"} & reading.keys()
    assert found.run.recall == float(are_put_together)
    names = [name for name in table.column_names if name not in ("site", "rank", "where")]
    with pytest.raises(InputError, match=r"reads column .*, but the columns are 'id', 'text'"):
        dupdetect.tune(table.select(names), pairs, run=False, **quick, **reading)
