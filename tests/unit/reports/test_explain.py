from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

import dupdetect
from dupdetect import explain
from dupdetect.cli.main import main
from dupdetect.errors import InputError
from dupdetect.reports import explain as explaining
from dupdetect.reports import reasons
from dupdetect.reports.explain import texts_of
from dupdetect.results.run import Run

STORY = (
    "The harbour bridge was closed on Monday after an inspection found deep cracks in two of its pillars. Engineers of "
    "the county will look at them by boat before the end of the week. Until then all buses take the long way round by "
    "the mill, and the ferry runs twice an hour. The mayor said that nobody had been in danger at any time, and that "
    "the work would be paid for by the province."
)
CHOIR = (
    "A choir of eighty retired postal workers sang in the station hall on Friday evening, and more than four hundred "
    "travellers missed their trains to listen to them. The railway has asked them to come again on Sunday, when fewer "
    "trains run and the hall is not so full."
)
CLOCKS = (
    "The museum of clocks opens its cellar for the first time, where visitors may see the oldest pendulum of the "
    "province swing beside the works of the old town hall. A keeper winds all ninety of them each Monday, which takes "
    "him from breakfast to dusk, and knows which of them will be late before they are."
)
TEXTS = {
    "story": STORY,
    "shouted": STORY.upper(),
    "told": STORY.replace("Monday", "Tuesday"),
    "page": f"Home\nNews\nSport\n{STORY}\nImprint\nPrivacy",
    "near": " ".join(STORY.split()[:30])
    + " and nothing more of it was told that day to anybody who asked in the town hall or at the mill itself",
    "alone": "Nothing of all this is known here, nor does anybody ask.",
    "empty": "",
}


def deduped(**settings: Any) -> dupdetect.Result:
    return dupdetect.dedup(TEXTS, canonical="first", **settings)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    rows = [{"id": id, "text": text} for id, text in TEXTS.items()]
    lines = [*map(json.dumps, rows), json.dumps({"id": "story", "text": "again"})]
    (out / "docs.jsonl").write_text("\n".join(lines) + "\n")
    dupdetect.dedup(out / "docs.jsonl", canonical="first").write(out / "out")
    return out


def test_a_near_duplicate_is_told_its_score_and_what_would_have_kept_it() -> None:
    found = explain(deduped(), "told")
    assert (found.cluster, found.kept, found.size, found.relation) == ("story", False, 4, "near_duplicate")
    assert found.match is not None
    assert (found.match.id, found.match.relation) == ("story", "near_duplicate")
    assert found.why == "'told' was removed: it is a near duplicate of 'story', which was kept."
    score = f"{found.match.score:.3f}"
    assert found.otherwise.startswith(
        f"Score {score}; threshold 0.8: one above {score} would have kept them apart, were"
    )
    assert {other.id for other in found.others} == {"shouted", "page"}
    assert [other.score for other in found.others] == sorted((o.score for o in found.others), reverse=True)
    assert found.matches == 3


@pytest.mark.parametrize("name", ["told", "page"])
def test_what_would_have_kept_it_keeps_it(name: str) -> None:
    found = explain(deduped(), name)
    assert found.match is not None
    if "none would have kept" not in found.otherwise:
        near = found.relation == "near_duplicate"
        least = found.match.score + 1e-6
        assert explain(deduped(threshold=least, containment=1.0 if near else least), name).cluster != found.cluster


def test_the_same_words_no_threshold_parts() -> None:
    found = explain(deduped(), "shouted")
    assert found.why == "'shouted' was removed: it has the same words as 'story', which was kept."
    assert found.otherwise == "No threshold would have kept it."


def test_a_canonical_is_told_what_it_stands_for() -> None:
    found = explain(deduped(), "story")
    assert found.kept
    assert found.why == "'story' was kept: it stands for 3 other documents of its cluster."
    assert "The policy 'first' chose it." in found.otherwise
    assert found.match is not None
    assert found.match.id == "shouted"


def test_one_without_a_match_is_told_what_is_nearest_if_there_are_texts() -> None:
    result = deduped()
    assert explain(result, "near").match is None
    found = explain(result, "near", TEXTS)
    assert found.match is not None
    assert found.match.relation is None
    assert found.match.id in ("story", "shouted", "told")
    assert "where 0.8 is asked" in found.otherwise
    assert found.passages is not None
    assert found.passages[0].words >= 28
    assert explain(result, "alone", TEXTS).match is None
    assert explain(result, "empty", TEXTS).match is None


def test_digests_are_told_of_both_ends() -> None:
    three = {"story": STORY, "choir": CHOIR, "clocks": CLOCKS}
    result = dupdetect.dedup({**three, "round-up": "\n\n".join(three.values())})
    found = explain(result, "round-up")
    assert found.kept
    assert {held["cluster"] for held in found.holds} == set(three)
    assert found.why == "'round-up' was kept: it holds 3 different texts and is a copy of none (a digest document)."
    assert explain(result, "choir").held_by == ["round-up"]


def test_one_that_matches_what_was_put_elsewhere_is_told_so() -> None:
    words = STORY.split()
    chain = {"0": STORY}
    for step, place in enumerate((10, 25, 40), 1):
        words[place] = f"changed{step}"
        chain[str(step)] = " ".join(words)
    result = dupdetect.dedup(chain, max_lost=0.0)  # else the first and the last are edits of one text
    (alone,) = [id for id in ("0", "3") if explain(result, id).size == 1]
    found = explain(result, alone)
    assert found.why == f"{alone!r} was kept: it matches no canonical."
    assert "which it does not match itself" in found.otherwise
    assert found.matches == 1


def test_what_is_lost_is_told_and_shown() -> None:
    found = explain(deduped(), "told", TEXTS)
    assert (found.lost, found.lost_text) == (1, ["Tuesday"])
    assert found.lost_share is not None
    assert f"1 word of it is lost, {found.lost_share:.1%} of its content." in found.otherwise
    found = explain(deduped(), "shouted")
    assert (found.lost, found.lost_share, found.lost_text) == (0, 0.0, [])
    assert explain(deduped(), "told").lost_text is None
    assert explain(deduped(), "story").lost is None


def test_of_a_page_the_words_that_were_added_to_its_article_are_shown() -> None:
    menu = "\n".join(f"entry{n} item{n}" for n in range(12))
    page = f"{menu}\n{STORY.replace('the ferry', 'the old ferry')}\n{menu.replace('entry', 'teaser')}"
    both = {"story": STORY, "page": page}
    found = explain(dupdetect.dedup(both), "page", both)
    assert (found.cluster, found.lost, found.lost_text) == ("story", 1, ["old"])


def test_a_text_that_only_a_longer_one_can_stand_for_says_so() -> None:
    longer = f"{STORY} {CHOIR} {CLOCKS}"
    result = dupdetect.dedup({"story": STORY, "longer": longer}, canonical="first")
    found = explain(result, "longer")
    assert (found.kept, found.size) == (True, 2)
    assert "for 'story', which goes before it, cannot stand for all of them without loss" in found.otherwise
    found = explain(dupdetect.dedup({"longer": longer, "story": STORY}, canonical="first"), "longer")
    assert "of those that can stand for all of them without loss: 'story', for one, is a part of it" in found.otherwise


def test_passages_are_those_of_the_texts_of_the_input(folder: Path) -> None:
    found = explain(folder / "out", "page")
    assert found.passages is not None
    (passage,) = found.passages
    assert TEXTS["page"][passage.a_start : passage.a_end] == STORY.rstrip(".")
    assert found.as_dict()["passages"][0]["words"] == passage.words
    json.dumps(found.as_dict())


def test_without_the_input_there_are_the_texts_that_were_kept(folder: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(folder / "out", tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    manifest["inputs"] = [str(tmp_path / "gone.jsonl")]
    (tmp_path / "out" / "manifest.json").write_text(json.dumps(manifest))
    assert explain(tmp_path / "out", "page").passages is None
    assert texts_of(Run(tmp_path / "out"), ["story", "near"]) == [STORY, TEXTS["near"]]
    with pytest.raises(InputError, match="the text of 'page' was not found: the run did not keep it; give the input"):
        texts_of(Run(tmp_path / "out"), ["page"])
    assert explain(tmp_path / "out", "page", folder / "docs.jsonl").passages


def test_rejects_are_told(folder: Path) -> None:
    (reject,) = explain(folder / "out", "story").rejects
    assert "repeats the id 'story'" in reject["reason"]


@pytest.mark.parametrize(
    ("id", "message"),
    [
        ("stori", r"has no document 'stori'; ids near it are .*'story'"),
        ("TOL", r"has no document 'TOL'; ids near it are 'told'"),
        ("", r"has no document ''; ids near it are "),
    ],
)
def test_an_unknown_id_is_told_what_is_near(folder: Path, id: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        explain(folder / "out", id)


def test_a_rejected_row_is_told_why(folder: Path) -> None:
    row = explain(folder / "out", "story").rejects[0]
    with pytest.raises(InputError, match=r"was rejected .*repeats the id 'story'"):
        explain(folder / "out", f"{row['file']}:{row['row']}")


def test_an_empty_run_has_no_documents() -> None:
    with pytest.raises(InputError, match="ids near it are none"):
        explain(dupdetect.dedup([]), 0)


@pytest.mark.parametrize(
    "ids", [[10, 20, 30], ["10", "20", "30"], [b"".join([b"x", bytes([65 + n])]).decode() for n in range(3)]]
)
def test_ids_of_any_type(ids: list[Any]) -> None:
    result = dupdetect.dedup(dict(zip(ids, [STORY, STORY.upper(), "else"], strict=True)))
    for id in (ids[1], str(ids[1])):
        found = explain(result, id)
        assert (found.id, found.cluster) == (ids[1], ids[0])
        assert found.match is not None
        assert found.match.id == ids[0]


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_outputs_of_any_format(format: str, tmp_path: Path) -> None:
    deduped().write(tmp_path / "out", format=format)
    found = explain(tmp_path / "out", "told", TEXTS)
    assert (found.cluster, found.matches) == ("story", 3)
    assert found.passages


def test_of_very_many_copies_not_all_matches_are_listed() -> None:
    result = dupdetect.dedup(dict.fromkeys(range(200), STORY), hot_key_documents=8)
    found = explain(result, 150)
    assert found.match is not None
    assert (found.match.id, found.match.relation) == (found.cluster, "identical")


@pytest.mark.parametrize("text", ["你好世界" * 20, "สวัสดีชาวโลก" * 9, "नमस्ते दुनिया " * 30, "مرحبا بالعالم " * 30])
def test_texts_in_any_script(text: str) -> None:
    texts = {"a": text, "b": f"{text} ２", "c": "😀"}
    found = explain(dupdetect.dedup(texts), "b", texts)
    assert found.match is not None
    assert found.passages


def numbered(first: int, last: int, letter: str = "слово") -> list[str]:
    return [f"{letter}{number * 7919 % 10007}" for number in range(first, last)]


def test_a_match_that_neither_may_stand_for_is_said_to_be_kept_for_what_would_be_lost() -> None:
    """Of a short text nothing may be lost: that was said to be a matter of where clusters are drawn."""
    short = numbered(0, 60)
    longer = [*short[:30], "другое", *short[31:], *numbered(100, 160)]
    result = dupdetect.dedup({"short": " ".join(short), "long": " ".join(longer)})
    assert result.matches["relation"].to_pylist() == ["contained"]
    assert result.kept.num_rows == 2
    for name in ("short", "long"):
        explained = explain(result, name)
        assert "Clusters are drawn" not in explained.otherwise
        assert "Neither may stand for the other: more of each would be lost" in explained.otherwise
        assert "max_lost 0.05 of what the one with less content has beyond 100 words" in explained.otherwise


@pytest.mark.filterwarnings("ignore:.*there is no sketches.parquet")
def test_a_document_that_stays_beside_an_earlier_one_that_it_matches(tmp_path: Path) -> None:
    """The earlier one is in no cluster of the run: it was said to be no document, by an id that nobody had given."""
    dupdetect.dedup({"old": STORY, "other": CLOCKS}).write(tmp_path / "monday")
    later = {"new": f"{STORY} {CHOIR}", "same": CLOCKS.upper()}
    dupdetect.dedup(later, against=[tmp_path / "monday"]).write(tmp_path / "tuesday")
    for explained in (explain(tmp_path / "tuesday", "new"), explain(tmp_path / "tuesday", "new", later)):
        assert explained.kept
        assert explained.match is not None
        assert explained.match.id == "old"
        assert explained.why.startswith("'new' was kept, though it matches 'old'")


@pytest.mark.parametrize("text", ["Closed.", "Two words", "We are closed on Monday", "港は月曜日", "ปิดวันนี้"])
@pytest.mark.parametrize("unit", ["word", "character"])
def test_the_same_words_are_shared_however_few_they_are(
    text: str, unit: str, capsys: pytest.CaptureFixture[str]
) -> None:
    result = dupdetect.dedup({"a": text, "b": f"  {text.upper()}\n"}, unit=unit)
    found = explain(result, "b")
    assert found.relation == "identical"
    assert found.passages is None  # its text is not known
    found = explain(result, "b", {"a": text, "b": f"  {text.upper()}\n"})
    assert found.passages is not None
    (passage,) = found.passages
    assert (passage.similarity, passage.a_start) == (1.0, 2)
    assert text.upper().rstrip(".") in f"  {text.upper()}\n"[passage.a_start : passage.a_end]
    assert main(["compare", "--literal", text, text.upper(), "--unit", unit]) == 0
    said = capsys.readouterr().out.split("~ boilerplate")[1]
    assert not [line for line in said.splitlines() if line.startswith(("<", ">")) and line not in ("< A", "> B")]


def test_characters_are_said_where_characters_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": "a", "text": STORY}, {"id": "b", "text": STORY.replace("Monday", "Mondav") + " More of it."}]
    path = tmp_path / "docs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    dupdetect.dedup(path, unit="character", canonical="first").write(tmp_path / "out")
    assert main(["explain", str(tmp_path / "out"), "b"]) == 0
    said = capsys.readouterr().out
    assert "characters" in said.split("passages ")[1].splitlines()[0]
    assert re.search(r"── passage 1: \d+ characters", said)
    assert re.search(r"lost +\d+ shingles? in neither", said)
    assert not re.search(r"\d words", said)
    assert main(["compare", "--literal", STORY, STORY + " More.", "--unit", "character"]) == 0
    assert not re.search(r"\d words", capsys.readouterr().out)


def test_a_pair_that_was_no_candidate_is_told_from_one_that_is_no_match() -> None:
    """One band of 64 rows finds next to nothing but equal signatures, and one fingerprint of a text is often lost."""

    def found_none(word: str) -> bool:
        texts["told"] = STORY.replace(word, "Tuesday", 1)
        return dupdetect.dedup(texts, bands=(1, 64), window=128).matches.num_rows == 0

    texts = {"story": STORY, "choir": CHOIR}
    assert any(map(found_none, STORY.split()))
    result = dupdetect.dedup(texts, bands=(1, 64), window=128)
    found = explain(result, "told", texts)
    assert found.why == "'told' was kept: the run has no match of it."
    assert found.comparison is not None
    assert f"it is a near duplicate of 'story' (Jaccard {found.comparison.jaccard:.3f})" in found.otherwise
    assert f"{(1 - found.comparison.jaccard**64):.2g} have no band in common" in found.otherwise
    assert explain(result, "choir", texts).why == "'choir' was kept: no other document matches it."


def test_a_pair_that_was_not_to_be_compared_is_said_to_be_such() -> None:
    rows = [{"id": str(n), "text": STORY, "site": "ab"[n]} for n in range(2)]
    found = explain(dupdetect.dedup(rows, within="site"), "0", rows)
    assert "compared only what 'within' allowed" in found.otherwise


def test_a_removed_document_of_which_only_its_relation_is_known() -> None:
    found = explain(dupdetect.dedup(TEXTS), "told", TEXTS)
    why, otherwise = reasons.of_removed(Run(dupdetect.dedup(TEXTS)), dataclasses.replace(found, match=None))
    assert why == found.why
    assert "none would have kept them apart" in otherwise


def test_matches_are_looked_up_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one, each was a pass over the ids: of 3,000 matches among 200,000 documents two seconds."""
    looked_up: list[Any] = []
    find_row = explaining.find_row
    monkeypatch.setattr(explaining, "find_row", lambda run, id: looked_up.append(id) or find_row(run, id))
    story = "The harbour was closed on Monday after an inspection found cracks in two of its walls, it was said"
    counts = []
    for copies in (5, 50):
        result = dupdetect.dedup({f"{i}": f"{story} {i}" for i in range(copies)})
        canonical = result.clusters["cluster"][0].as_py()
        looked_up.clear()
        assert dupdetect.explain(result, canonical).matches == copies - 1
        counts.append(len(looked_up))
    assert counts[0] == counts[1]
