"""Small collections of all kinds, in all scripts: no document goes that says what its canonical does not say.

Whatever the policy, with and without boilerplate, and by each door: `dedup`, the public stages, `compare`.
"""

from __future__ import annotations

import itertools
import random

import oracles
import pytest
from collections_of_texts import KINDS, TONGUES, Tongue, an_article_and_what_readers_say, lost
from generated_sites import WITHOUT_SPACES

import dupdetect
from dupdetect.settings import Settings


def by_dedup(told, **overrides):
    result = dupdetect.dedup({name: one.text for name, one in told.items()}, workers=1, **overrides)
    return dict(zip(result.clusters["id"].to_pylist(), result.clusters["cluster"].to_pylist(), strict=True))


def by_stages(told, **overrides):
    names, texts = list(told), [one.text for one in told.values()]
    sketches = dupdetect.sketch(texts, **overrides)
    matches = dupdetect.verify(dupdetect.find_candidates(sketches), texts, **overrides)
    found = dupdetect.choose_canonicals(dupdetect.cluster(matches, sketches), matches, sketches)
    return {name: names[row] for name, row in zip(names, found["cluster"].to_pylist(), strict=True)}


DOORS = {
    "dedup": by_dedup,
    "longest": lambda told: by_dedup(told, canonical="longest"),
    "first": lambda told: by_dedup(told, canonical="first"),
    "without boilerplate": lambda told: by_dedup(told, boilerplate=False),
    "stages": by_stages,
    "stages, longest": lambda told: by_stages(told, canonical="longest"),
}


BY_POLICY = "near duplicates are represented by whom the policy prefers, and may lose 1 - threshold"
UNWEIGHED = "without boilerplate containment alone says what may be lost: 1 - containment of the smaller document"

#: What is lost all the same: {(door, kind): (why, in which languages)}.
LOST = {
    ("first", "clauses"): (BY_POLICY, TONGUES),
    ("first", "releases_of_a_changelog"): (BY_POLICY, TONGUES),
    ("first", "a_report_with_a_table_more"): (BY_POLICY, [one for one in TONGUES if one not in WITHOUT_SPACES]),
    ("without boilerplate", "releases_of_a_changelog"): (UNWEIGHED, TONGUES),
    ("without boilerplate", "a_report_with_a_table_more"): (UNWEIGHED, TONGUES),
    ("without boilerplate", "answers_of_two_words"): (UNWEIGHED, TONGUES),
    ("without boilerplate", "phrases_behind_questions"): (UNWEIGHED, WITHOUT_SPACES),
    ("without boilerplate", "theses_with_a_chapter_each"): (BY_POLICY, TONGUES),
    ("without boilerplate", "clauses"): (UNWEIGHED, TONGUES),
    ("without boilerplate", "code_under_a_header"): (UNWEIGHED, TONGUES),
    ("without boilerplate", "disclaimers"): (UNWEIGHED, TONGUES),
    ("without boilerplate", "few_pages_of_a_site"): (UNWEIGHED, TONGUES),
    ("without boilerplate", "forms"): (UNWEIGHED, WITHOUT_SPACES),
    ("without boilerplate", "two_cards"): (UNWEIGHED, WITHOUT_SPACES),
    ("without boilerplate", "credits_above_a_licence"): (UNWEIGHED, TONGUES),
    ("without boilerplate", "two_notices_of_one_licence"): (UNWEIGHED, TONGUES),
    ("without boilerplate", "records_with_one_abstract"): (UNWEIGHED, TONGUES),
}


def cases():
    """Give every door, kind and language; of what is lost, one language."""
    for door, kind, language in itertools.product(DOORS, KINDS, TONGUES):
        why, languages = LOST.get((door, kind.__name__), ("", ()))
        marks = pytest.mark.xfail(strict=True, reason=why) if language in languages else ()
        if language not in languages[1:]:
            yield pytest.param(door, kind, language, id=f"{door}-{kind.__name__}-{language}", marks=marks)


@pytest.mark.parametrize(("door", "kind", "language"), list(cases()))
def test_nothing_is_removed_that_says_what_its_canonical_does_not(door, kind, language):
    told = kind(language)
    assert lost(told, DOORS[door](told)) == {}


@pytest.mark.parametrize("language", TONGUES)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_compare_says_is_true_of_the_two_texts(kind, language):
    """Near duplicates reach the threshold; of what is contained, most is there; and a run on the two says the same."""
    settings = Settings()
    for a, b in itertools.combinations([one.text for one in kind(language).values()][:5], 2):
        found = dupdetect.compare(a, b)
        x, y = (oracles.shingles(oracles.clean(text), settings.shingle_size) for text in (a, b))
        assert found.jaccard == oracles.jaccard(x, y)
        assert (found.relation == "near_duplicate") <= (found.jaccard >= settings.threshold)
        if found.relation in ("contains", "contained"):
            part, whole = (x, y) if found.relation == "contained" else (y, x)
            one, other = sorted([part, whole], key=len)
            assert len(one & other) >= 0.6 * len(one)
        matches = dupdetect.dedup({"a": a, "b": b}, workers=1).matches["relation"].to_pylist()
        assert matches == [found.relation][: found.relation is not None] or matches == [turned(found.relation)]


def turned(relation):
    return {"contains": "contained", "contained": "contains"}.get(relation, relation)


CARRIED = {
    "an article": lambda language: Tongue(language, "article").paragraph(150),
    "an article of lines": lambda language: "\n".join(Tongue(language, n).line(18) for n in range(9)),
    "a poem": lambda language: Tongue(language, "poem").verse(40),
    "a program": lambda language: Tongue(language, "program").code(40),
    "a table": lambda language: Tongue(language, "table").table(40),
}


@pytest.mark.parametrize("language", TONGUES)
@pytest.mark.parametrize("carried", CARRIED)
def test_what_a_page_carries_among_its_menus_is_found(carried, language):
    """The other side: a page's own lines are furniture, and it matches what it carries."""
    text = CARRIED[carried](language)
    menus = ["\n".join(Tongue(language, (side, n)).line(1 + n % 2) for n in range(14)) for side in range(2)]
    page = "\n\n".join([menus[0], text, menus[1]])
    result = dupdetect.dedup({"text": text, "page": page}, workers=1)
    assert result.matches.num_rows == 1
    assert len(set(result.clusters["cluster"].to_pylist())) == 1


@pytest.mark.parametrize("language", TONGUES)
def test_one_article_among_the_menus_of_many_sites_is_one_cluster(language):
    text = CARRIED["an article"](language)
    pages = {"article": text}
    for site in range(6):
        menus = ["\n".join(Tongue(language, (site, side, n)).line(1 + n % 2) for n in range(14)) for side in range(2)]
        pages[f"page{site}"] = "\n\n".join([menus[0], text, menus[1]])
    clusters = dupdetect.dedup(pages, workers=1).clusters
    assert set(clusters["cluster"].to_pylist()) == {"article"}
    assert max(value or 0 for value in clusters["lost_share"].to_pylist()) <= Settings().max_lost


@pytest.mark.parametrize("language", TONGUES)
def test_one_page_with_comments_leaves_the_article_to_the_others(language):
    """It stays, for readers say something there; the other pages go for the article all the same."""
    told = an_article_and_what_readers_say(language)
    article = told["article"].text
    pages = {"article": article, "commented": told["page"].text}
    for site in range(6):
        menus = ["\n".join(Tongue(language, (site, side, n)).line(2) for n in range(14)) for side in range(2)]
        pages[f"page{site}"] = "\n\n".join([menus[0], article, menus[1]])
    clusters = dupdetect.dedup(pages, workers=1).clusters.to_pylist()
    assert {row["id"] for row in clusters if row["cluster"] != "article"} == {"commented"}


@pytest.mark.parametrize("language", TONGUES)
@pytest.mark.parametrize("words", [40, 80, 300])
def test_a_text_that_is_cut_short_goes_for_the_whole(language, words):
    """Wherever it is cut: what is left of the last word is no word that would be lost."""
    whole = Tongue(language, "whole").paragraph(2 * words)
    for end in range(len(whole) // 2, len(whole) // 2 + 6):
        result = dupdetect.dedup({"whole": whole, "cut": whole[:end]})
        assert result.clusters["cluster"].to_pylist() == ["whole", "whole"]
        assert result.clusters["lost"].to_pylist() == [None, 0]


SCRIPTS = {
    "English": "the keeper of the lighthouse rings its bell in fog and tells the boats their way home by day and night",
    "Russian": "смотритель маяка звонит в колокол когда туман и лодки находят дорогу домой и днём и ночью",
    "Chinese": "守塔人在大雾里敲钟船只靠钟声找到回家的路白天黑夜都是这样从来没有人迷失方向",
    "Arabic": "يقرع حارس المنارة الجرس في الضباب فتجد القوارب طريقها إلى البيت ليلا ونهارا",
    "Hindi": "प्रकाशस्तंभ का रखवाला कोहरे में घंटी बजाता है और नावें घर का रास्ता पाती हैं",
}


@pytest.mark.parametrize("unit", ["character", "word"])
@pytest.mark.parametrize("script", SCRIPTS)
def test_however_low_the_threshold_no_whole_text_goes_for_a_half(script: str, unit: str) -> None:
    """At 0.4, as for scans, a page went for half of it: all that it has beyond was said to be less than may be lost."""
    rng, letters = random.Random(3), sorted(set(SCRIPTS[script]) - {" "})
    whole = " ".join("".join(rng.choices(letters, k=rng.randint(2, 7))) for _ in range(160))
    told = {"a half": whole[: len(whole) * 55 // 100], "whole": whole, "scan": misread(whole, letters, rng)}
    for threshold in (0.3, 0.4, 0.55):
        settings = Settings(unit=unit, shingle_size=5 if unit == "character" else 2, threshold=threshold)
        found = dupdetect.dedup(told, settings=settings)
        cluster = dict(zip(found.clusters["id"].to_pylist(), found.clusters["cluster"].to_pylist(), strict=True))
        assert "a half" not in (cluster["whole"], cluster["scan"])
        assert threshold > 0.4 or cluster["whole"] == cluster["scan"]  # errors of recognition are no loss


def misread(text: str, letters: list[str], rng: random.Random) -> str:
    """Return a text of which every thirtieth letter is another."""
    return "".join(rng.choice(letters) if at % 30 == 7 and letter != " " else letter for at, letter in enumerate(text))
