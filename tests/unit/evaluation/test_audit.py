from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import dupdetect
from dupdetect import audit
from dupdetect.cli.main import main
from dupdetect.cli.scorecards import audit_cards
from dupdetect.errors import InputError, MismatchError, SettingsError
from dupdetect.evaluation import audit as auditing
from dupdetect.evaluation import exact_search as neighbours
from dupdetect.evaluation import intervals
from dupdetect.results.result import Result
from dupdetect.results.run import Run
from dupdetect.sketches import sketches

STORY = (
    "The council voted last night to keep the old swimming baths open until a new pool is built beside the river. "
    "Swimmers had gathered four thousand signatures, and the mayor said that nobody had expected so many."
)
TEXTS = {
    "story": STORY,
    "shout": STORY.upper(),
    "page": f"Home News Sport Contact About us {STORY} Read more Privacy Terms",
    "other": "A lorry with nine hundred pumpkins lost its way and its load on the hill road.",
    "empty": "",
}


def with_clusters(result: Result, clusters: dict[Any, Any], matches: pa.Table | None = None) -> Result:
    """Make another result of the same run."""
    table = pa.table({"id": list(clusters), "cluster": list(clusters.values())})
    for field in list(result.clusters.schema)[2:]:
        table = table.append_column(field, pa.nulls(len(table), field.type))
    return dataclasses.replace(result, clusters=table, matches=result.matches if matches is None else matches)


@pytest.fixture(scope="module")
def result() -> Result:
    return dupdetect.dedup(TEXTS)


def test_a_run_that_found_all(result: Result) -> None:
    found = audit(result, TEXTS)
    assert (found.documents, found.sampled, found.with_matches, found.missed, found.misses) == (5, 5, 3, 0, [])
    assert (found.together.found, found.together.pairs, found.together.estimate) == (6, 6, 1.0)  # 3 pairs, both ways
    assert found.verified == found.together
    assert (found.together.low, found.together.high) == (1.0, 1.0)  # nothing is left to estimate


def test_what_was_parted_is_missed_though_verified(result: Result) -> None:
    parted = with_clusters(
        result, {"story": "story", "shout": "story", "page": "page", "other": "other", "empty": "empty"}
    )
    found = audit(parted, TEXTS)
    assert (found.together.found, found.together.pairs, found.missed) == (2, 6, 4)
    assert found.verified.found == 6
    assert repr(found).endswith("; 4 missed, 0 of them by candidates)")
    assert audit_cards(found).notes[0].startswith("4 of the matches were verified and are not in one cluster: content")
    assert {frozenset((miss.a, miss.b)) for miss in found.misses} == {
        frozenset(("story", "page")),
        frozenset(("shout", "page")),
    }
    assert all(miss.verified for miss in found.misses)
    relation = {(miss.a, miss.b): miss.relation for miss in found.misses}
    assert set(relation.values()) <= {"contained", "contains"}
    assert all((relation[pair] == "contains") == (pair[0] == "page") for pair in relation)


def test_what_was_overlooked_is_missed(result: Result) -> None:
    found = audit(with_clusters(result, {name: name for name in TEXTS}, result.matches.slice(0, 0)), TEXTS)
    assert found.together.found == 0
    assert found.verified.found == 2  # story and shout have the same words: no search can overlook that
    assert [miss.verified for miss in found.misses].count(False) == 2
    comparison = dupdetect.compare(TEXTS[found.misses[0].a], TEXTS[found.misses[0].b])
    assert found.misses[0].jaccard == comparison.jaccard


def test_a_text_of_many_documents_stands_for_all_of_them() -> None:
    texts = {f"copy{i}": STORY for i in range(20)} | {f"page{i}": f"Home News {STORY} Terms" for i in range(20)}
    result = dupdetect.dedup(texts, hot_key_documents=10)
    assert result.manifest["caps"]["unlisted_pairs"] > 0
    apart = with_clusters(result, {name: name for name in texts})
    found = audit(apart, texts)
    assert found.together.found == 0
    assert found.verified.found == found.verified.pairs == 40 * 39


def test_settings_are_those_of_the_run() -> None:
    texts = {"a": "one two three four", "b": "one two three five"}
    strict, loose = (dupdetect.dedup(texts, shingle_size=1, threshold=threshold) for threshold in (0.9, 0.5))
    assert audit(strict, texts).together.pairs == 0
    assert audit(loose, texts).together.pairs == 2


def test_a_callable_as_policy_is_no_hindrance() -> None:
    result = dupdetect.dedup(TEXTS, canonical=len)
    assert audit(result, TEXTS).missed == 0


LIBERAL: dict[str, Any] = {"containment": 0.4, "window": 1, "min_shared_fingerprints": 0.1}
MENU = "Front page\nLocal news\nWeather"
TEASERS = [
    "The county will repair the bridge over the weir before winter sets in and asks all drivers to take the long way.",
    "A choir of eighty retired postal workers sang in the station hall, and four hundred people missed their train.",
    "The museum of clocks opens its cellar, where visitors may see the oldest pendulum of the whole province swing.",
]


def site(stories: int) -> dict[str, str]:
    """Give pages of one site, most of each the same boilerplate, and of every third story a text without it."""
    found = {}
    for number in range(stories):
        parts = [" ".join(f"s{number}p{part}w{n}" for n in range(20)) for part in range(3)]
        found[f"page{number}"] = "\n".join(
            f"{MENU}\n{teaser}\n{part}" for teaser, part in zip(TEASERS, parts, strict=True)
        )
        if number % 3 == 0:
            found[f"text{number}"] = "\n".join(parts)
    return found


def test_what_the_run_knew_for_boilerplate_makes_no_match(tmp_path: Path) -> None:
    texts = site(12)
    run = dupdetect.dedup(texts, **LIBERAL)
    assert run.manifest["counts"]["boilerplate_shingles"] > 0
    assert run.boilerplate["shingle"].to_pylist() == sorted(set(run.boilerplate["shingle"].to_pylist()))
    found = audit(run, texts)
    assert (found.together.pairs, found.missed) == (2 * 4, 0)  # each text and its page
    assert found.boilerplate_shingles == run.manifest["counts"]["boilerplate_shingles"]
    for format in ("parquet", "jsonl", "csv"):
        run.write(tmp_path / "out", format=format, overwrite=True)
        assert audit(tmp_path / "out", texts) == found


def test_the_input_is_what_the_run_has_read_if_none_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("in.jsonl").write_text("".join(json.dumps({"id": id, "text": text}) + "\n" for id, text in TEXTS.items()))
    dupdetect.dedup(Path("in.jsonl")).write("out")
    assert audit("out") == audit("out", Path("in.jsonl"))
    assert main(["audit", "out", "--json"]) == 0
    Path("in.jsonl").write_text('{"text": "another"}\n')
    with pytest.raises(InputError, match=r"out: .* is no file, or no longer as it was; give its input"):
        audit("out")
    with pytest.raises(InputError, match="result: what the run has read is no file"):
        audit(dupdetect.dedup(TEXTS))
    assert main(["audit", "out"]) == 1
    assert capsys.readouterr().err.count("give its input") == 1


def test_an_output_that_does_not_say_what_is_boilerplate(tmp_path: Path) -> None:
    texts = site(12)
    run = dupdetect.dedup(texts, **LIBERAL)
    run.write(tmp_path / "out")
    (tmp_path / "out" / "boilerplate.parquet").unlink()
    found = audit(tmp_path / "out", texts)
    assert found.boilerplate_shingles is None
    assert found.together.pairs >= 8
    (tmp_path / "out" / "boilerplate.parquet").write_text("no table")
    with pytest.raises(InputError, match=r"boilerplate\.parquet"):
        audit(tmp_path / "out", texts)


def test_a_run_from_before_there_was_boilerplate_is_audited_as_it_was_made(tmp_path: Path) -> None:
    texts = site(12)
    plain = dupdetect.dedup(texts, **LIBERAL, boilerplate=False)
    assert plain.boilerplate.num_rows == 0
    plain.write(tmp_path / "out")
    expected = audit(plain, texts)
    assert expected.boilerplate_shingles == 0
    assert expected.together.pairs > 8
    (tmp_path / "out" / "boilerplate.parquet").unlink()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    del manifest["settings"]["boilerplate"]
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(manifest))
    assert audit(tmp_path / "out", texts) == expected


WORDLESS = {
    "English": "***",
    "emoji": "👍👍",
    "zh": "。。。",
    "ja": "・・・",
    "th": "๏ ๏",
    "ar": "؟؟؟",
    "ru": "« — »",
    "hi": "।।",
}


@pytest.mark.parametrize("text", WORDLESS.values(), ids=WORDLESS)
def test_with_documents_without_words_nothing_is_lost(text: str) -> None:
    texts = TEXTS | {"sign": text, "sign again": text}
    result = dupdetect.dedup(texts)
    assert [cluster.members for cluster in result.groups()][1:] == [["sign", "sign again"]]
    lost, before = audit(result, texts).lost, audit(dupdetect.dedup(TEXTS), TEXTS).lost
    assert lost == dataclasses.replace(before, removed=before.removed + 1)


def test_what_is_lost_is_checked_on_every_removed_document_of_the_sample(result: Result) -> None:
    more = (
        "Nobody swims there today, for the boiler has been cold since March and no part of it can be bought any more."
    )
    longer = f"{STORY} {more} A plumber of the town, who is eighty-one, will mend it for nothing but a ticket."
    texts = {"story": STORY, "shout": STORY.upper(), "edit": longer.replace("March", "May"), "longer": longer}
    run = dupdetect.dedup(texts)
    found = audit(run, texts).lost
    lost = run.clusters["lost"].to_pylist()
    assert (found.removed, found.words, found.over) == (sum(w is not None for w in lost), sum(filter(None, lost)), 0)
    assert found.share == max(filter(None, run.clusters["lost_share"].to_pylist()))
    assert audit(result, TEXTS).lost.over == 0
    wrong = dict.fromkeys(texts, "story")
    found = audit(with_clusters(run, wrong), texts).lost
    assert (found.removed, found.over, found.id, found.canonical) == (3, 2, "edit", "story")


def test_nothing_removed_is_nothing_lost() -> None:
    found = audit(dupdetect.dedup(["one text", "another"]), ["one text", "another"]).lost
    assert found == auditing.Lost(0, 0, 0.0, 0, None, None)


def test_the_sample_depends_on_the_seed_alone(result: Result) -> None:
    assert audit(result, TEXTS, documents=2, sampling_seed=3) == audit(
        result, TEXTS, documents=2, sampling_seed=3, workers=2
    )
    draws = {tuple(auditing.draw(5, 2, seed)) for seed in range(50)}
    assert len(draws) == 10
    assert auditing.draw(5, 9, 0).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("constant", ["BLOCK_BYTES", "BLOCK_PAIRS"])
def test_blocks_do_not_matter(result: Result, constant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parted = with_clusters(result, {name: name for name in TEXTS})
    expected = audit(parted, TEXTS)
    monkeypatch.setattr(neighbours, constant, 4)
    assert audit(parted, TEXTS, workers=2) == expected
    assert audit(parted, TEXTS, workers=1) == expected


def test_texts_in_chunks_are_the_same() -> None:
    texts = [f"{STORY} {number // 3} {'word ' * (number % 5)}" for number in range(300)]
    whole = pa.table({"id": range(300), "text": texts})
    parts = pa.concat_tables([whole.slice(start, 50) for start in range(0, 300, 50)])
    run = dupdetect.dedup(whole)
    assert audit(run, parts, documents=100) == audit(run, whole, documents=100)


def test_compiled_or_not_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"{STORY} {number // 3} {'word ' * (number % 5)}" for number in range(100)] + ["", "one", "日本語 の 本"]
    run = dupdetect.dedup(texts)
    parted = with_clusters(run, {number: number // 2 for number in range(len(texts))})
    expected = audit(parted, texts, documents=50)
    monkeypatch.setattr(sketches, "BREAK_EVEN", 0)
    assert audit(parted, texts, documents=50) == expected


def test_settings_come_back_from_a_manifest(tmp_path: Path) -> None:
    data = pa.table({"id": list(TEXTS), "text": list(TEXTS.values()), "year": range(len(TEXTS))})
    settings = dupdetect.Settings(bands=(20, 4), canonical="earliest", canonical_column="year", shingle_size=3)
    run = dupdetect.dedup(data, settings=settings)
    run.write(tmp_path / "out")
    assert Run(tmp_path / "out").settings == Run(run).settings == settings


@pytest.mark.parametrize("texts", [{"a": "", "b": ""}, {"a": "!"}, {"a": "one", "b": "one"}, {"a": "one two"}])
def test_texts_of_few_words(texts: dict[str, str]) -> None:
    found = audit(dupdetect.dedup(texts), texts)
    assert found.together.pairs == (2 if "one" in texts.values() else 0)
    assert found.missed == 0


def test_without_matches_nothing_is_known() -> None:
    texts = [f"text number {i} has its own words {i * i} {i + 7} {i * 31}" for i in range(40)]
    found = audit(dupdetect.dedup(texts), texts, documents=20)
    assert (found.together.estimate, found.together.low, found.together.high) == (None, 0.0, 1.0)
    assert "no match" in repr(found)
    json.dumps(found.as_dict())


def test_documents_of_one_side_are_counted(result: Result) -> None:
    found = audit(result, {name: text for name, text in TEXTS.items() if name != "page"} | {"new": STORY})
    assert (found.documents, found.only_in_input, found.only_in_run) == (4, 1, 1)
    assert found.together.pairs == 2


def test_a_folder_and_files(result: Result, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, text in TEXTS.items():
        (tmp_path / "in" / name).with_suffix(".txt").write_text(text)
    run = dupdetect.dedup(tmp_path / "in")
    run.write(tmp_path / "out", format="jsonl")
    expected = audit(run, tmp_path / "in")
    assert expected.together.pairs == 6
    assert audit(tmp_path / "out", [tmp_path / "in"]) == expected


def test_an_empty_input_has_nothing_to_audit() -> None:
    empty: dict[str, str] = {}
    found = audit(dupdetect.dedup(empty), empty)
    assert (found.documents, found.sampled, found.together.pairs) == (0, 0, 0)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"documents": 0}, "documents is 0; expected a whole number from 1 on"),
        ({"documents": 2.5}, "documents is 2.5"),
        ({"sampling_seed": -1}, "sampling_seed is -1"),
        ({"workers": -1}, "workers is -1; expected a whole number from 1 on"),
        ({"workers": 0}, "workers is 0"),
        ({"confidence": 1.0}, "confidence is 1.0; expected a number above 0 and below 1"),
        ({"confidence": "high"}, "confidence is 'high'"),
    ],
)
def test_parameters_out_of_range_are_an_error(result: Result, parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        audit(result, TEXTS, **parameters)


def test_another_input_is_an_error(result: Result) -> None:
    with pytest.raises(MismatchError, match=r"no document of the input \('x'\) is in the output \('story', "):
        audit(result, {"x": "a text"})


def test_another_output_is_an_error(result: Result, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a dict was given for the output; expected a Result or the folder of one"):
        audit({}, TEXTS)
    with pytest.raises(InputError, match=r"manifest\.json: there is no such file; expected the output folder of dedup"):
        audit(tmp_path, TEXTS)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="expected the output folder of dedup"):
        audit(tmp_path / "file", TEXTS)
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read as JSON"):
        audit(tmp_path, TEXTS)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(InputError, match="holds a list, expected an object"):
        audit(tmp_path, TEXTS)


# ---- intervals ----


def test_an_interval_without_misses_is_that_of_independent_pairs_lessened() -> None:
    low, high = intervals.interval(np.ones(60), np.ones(60), documents=10**9, confidence=0.95)
    assert high == 1.0
    exact = 0.025 ** (1 / 60)  # Clopper and Pearson's for 60 independent pairs
    assert exact - 0.005 < low < exact


def test_pairs_of_one_document_are_no_more_than_one() -> None:
    many = intervals.interval(np.full(10, 100), np.full(10, 100), documents=10**9, confidence=0.95)
    few = intervals.interval(np.ones(10), np.ones(10), documents=10**9, confidence=0.95)
    assert many == pytest.approx(few)


def test_more_confidence_and_fewer_documents_widen_an_interval() -> None:
    rng = np.random.default_rng(0)
    pairs = rng.integers(0, 4, 2000)
    found = rng.binomial(pairs, 0.9)

    def width(n: int, confidence: float) -> float:
        low, high = intervals.interval(found[:n], pairs[:n], documents=100_000, confidence=confidence)
        assert 0 <= low <= found[:n].sum() / pairs[:n].sum() <= high <= 1
        return high - low

    assert width(2000, 0.8) < width(2000, 0.95) < width(2000, 0.99)
    assert width(2000, 0.95) < width(500, 0.95) < width(50, 0.95)


@pytest.mark.parametrize("share", [0.0, 0.5, 0.97])
def test_intervals_hold_the_share_of_a_made_up_population(share: float) -> None:
    rng = np.random.default_rng(1)
    pairs = np.minimum(rng.zipf(2.0, 5000), 50) - 1
    found = rng.binomial(pairs, share)
    true = found.sum() / pairs.sum()
    held = 0
    for seed in range(100):
        rows = auditing.draw(5000, 400, seed)
        low, high = intervals.interval(found[rows], pairs[rows], documents=5000, confidence=0.95)
        held += low <= true <= high
    assert held >= 90
