import numpy as np
import pytest
from generated_sites import LANGUAGES, Writer
from verifying import counter, judged

from dupdetect.matching.interleaving import CLEAR, INTERLEAVED, ONE_END, PATTERN, WITHIN
from dupdetect.matching.pairs import pack
from dupdetect.matching.patterns import AMID_A, AMID_B, FURNITURE_A, FURNITURE_B, TRIFLE, WHOLE
from dupdetect.settings import Settings


def pattern(a, b):
    """Read a pair that shares enough."""
    found = counter([a, b], Settings()).sharing(pack(np.array([0]), np.array([1])))
    assert len(found.pairs) == 1
    return int(found.patterns[0])


def story(seed, count=4, language="en"):
    return Writer(language, seed).story(count, 60)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("end", ["above", "below"])
def test_what_two_texts_share_at_one_end_is_a_pattern_of_its_own(language, end):
    notice = Writer(language, "notice").paragraph(120)
    texts = [story(seed, 2, language) for seed in range(2)]
    parts = [[notice, text] if end == "above" else [text, notice] for text in texts]
    assert pattern(*("\n\n".join(both) for both in parts)) & PATTERN == ONE_END


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_article_inside_its_page_is_clear_and_the_page_has_furniture(language):
    article, menus = story("a", 3, language), [Writer(language, n).menu(20) for n in range(2)]
    page = f"{menus[0]}\n\n{article}\n\n{menus[1]}"
    assert pattern(article, page) == CLEAR | FURNITURE_B | AMID_B | WHOLE
    assert pattern(page, article) == CLEAR | FURNITURE_A | AMID_A | WHOLE


def test_near_copies_are_not_read_further():
    text = story("a", 3)
    menu = "\n".join(f"more {n}" for n in range(2 * TRIFLE))
    assert pattern(text, f"{text} more") == CLEAR
    assert pattern(text, f"{text}\n{menu}") == CLEAR
    assert pattern(text, f"{menu}\n{text}\n{menu}") == CLEAR | FURNITURE_B | AMID_B | WHOLE


def test_a_later_version_has_no_furniture():
    early = story("a", 2)
    assert pattern(early, f"{early}\n\n{Writer('en', 'later').paragraph(90)}") == CLEAR


def test_own_text_between_shared_text_is_interleaved():
    tops = [Writer("en", n).paragraph(60) for n in range(3)]
    pages = ["\n\n".join([tops[0], story(n, 1), tops[1], story(n + 5, 1), tops[2]]) for n in range(2)]
    assert pattern(*pages) & PATTERN == INTERLEAVED


def test_what_interleaved_documents_have_of_their_own_is_marked_when_they_are_weighed():
    """Of a page in menus, whichever of the two it is; a count alone does not tell."""
    shared = [story(f"shared{n}", 2) for n in range(3)]
    menus = [f"{Writer('en', f'menu{n}').paragraph(60)}\n{Writer('en', n).menu(60)}" for n in range(2)]
    page, other = (
        "\n\n".join([shared[0], one, shared[1], two, shared[2]]) for one, two in (menus, (story("a"), story("b")))
    )
    page = f"Home page\nAll the news\n{page}\nAbout us\nTerms of use\nAll about this page"
    for texts, marks in ([page, other], FURNITURE_A), ([other, page], FURNITURE_B):
        verifier, weighed = judged(texts, Settings())
        assert pattern(*texts) == INTERLEAVED
        assert [marked & ~(AMID_A | AMID_B) for marked in weighed.patterns.tolist()] == [INTERLEAVED | marks]
        assert verifier.matches(weighed.pairs).pairs.tolist() == []


def test_a_quotation_among_other_text_is_within():
    quoted = Writer("en", "quoted").paragraph(120)
    texts = [f"{Writer('en', 1).paragraph(80)}\n\n{quoted}", f"{quoted}\n\n{Writer('en', 2).paragraph(80)}"]
    assert pattern(*texts) & PATTERN == WITHIN
