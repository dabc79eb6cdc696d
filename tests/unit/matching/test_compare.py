import pytest

import dupdetect
from dupdetect._compiled import dispatch, kernels
from dupdetect.cli.main import main
from dupdetect.errors import InputError, SettingsError
from dupdetect.matching import compare as comparing
from dupdetect.matching.compare import Comparison, compare
from dupdetect.settings import Settings

ARTICLE = " ".join(f"word{n}" for n in range(40))
CHROME = " ".join(f"menu{n}" for n in range(40))


def test_the_same_words_are_identical_whatever_is_between_them():
    assert compare("To be, or not!", "to be -- OR not") == Comparison("identical", 1.0, 1.0, 1.0, 1.0, False)
    assert compare("one", "One.") == Comparison("identical", 1.0, 1.0, 1.0, 1.0, False)


def test_the_same_shingles_in_other_places_are_near_duplicates():
    same = Comparison("near_duplicate", 1.0, 1.0, 1.0, 1.0, False)
    assert compare("a b a b a", "b a b a b", shingle_size=2) == same


def test_a_light_edit_is_a_near_duplicate():
    found = compare(ARTICLE, ARTICLE + " more")
    assert found.relation == "near_duplicate"
    assert (found.jaccard, found.containment_a, found.containment_b) == (36 / 37, 1.0, 36 / 37)


def test_a_page_contains_its_article_and_the_article_is_contained():
    page = f"{CHROME} {ARTICLE}"
    assert compare(page, ARTICLE) == Comparison("contains", 36 / 76, 36 / 76, 1.0, 1.0, False)
    assert compare(ARTICLE, page) == Comparison("contained", 36 / 76, 1.0, 36 / 76, 1.0, False)


def test_a_quotation_is_no_copy_however_well_it_is_contained():
    quotation = " ".join(ARTICLE.split()[:12])
    found = compare(quotation, ARTICLE)
    assert (found.relation, found.containment_a) == (None, 1.0)
    assert compare(quotation, ARTICLE, min_shingles=8, window=8).relation == "contained"
    assert compare(quotation, ARTICLE, min_shingles=8).relation is None  # a run on the two finds no key in common


SUIT = ["Front page\nLocal news\nWeather", "Most read today\nAll offers\nContact", "Imprint\nPrivacy\nTerms of use"]
TEASERS = [
    "The county will repair the bridge over the weir before winter sets in and asks all drivers to take the long way "
    "round by the mill until then.",
    "A choir of eighty retired postal workers sang in the station hall on Friday evening, and more than four hundred "
    "travellers missed their trains to listen to them.",
    "The museum of clocks opens its cellar for the first time, where visitors may see the oldest pendulum of the "
    "province swing beside the works of the old town hall.",
]


def dressed(story: str) -> str:
    """Put a story's sentences between menus and teasers."""
    parts = story.split(". ")
    return "\n".join(
        line for menu, teaser, part in zip(SUIT, TEASERS, parts, strict=True) for line in (menu, teaser, part)
    )


def told(word: str) -> str:
    return ". ".join(" ".join(f"{word}{part}{n}" for n in range(40)) for part in range(3))


def test_menus_weigh_next_to_nothing():
    """Of what two pages share, that menus of the same words are shared shows little."""
    menu = "\n".join(f"Item {n}\nOffer {n}" for n in range(30))
    a, b = (f"{menu}\n{' '.join(f'{word}{n}' for n in range(60))}" for word in ("own", "other"))
    found = compare(a, b)
    assert found.relation is None
    assert found.score < 0.2 < 0.4 < found.jaccard
    assert compare(a, b, boilerplate=False, containment=0.6).score == pytest.approx(found.containment_a)


def test_one_who_wears_the_same_suit_is_no_near_duplicate_by_that():
    found = compare(dressed(told("red")), dressed(told("blue")))
    assert (found.relation, found.strangers) == (None, True)
    assert compare(told("red"), dressed(told("red"))).relation == "contained"


def test_what_is_asked_first_makes_no_difference_but_for_the_direction():
    page, story = dressed(told("red")), told("red")
    there, back = compare(page, story), compare(story, page)
    assert (there.relation, back.relation) == ("contains", "contained")
    assert (there.containment_a, there.containment_b) == (back.containment_b, back.containment_a)
    assert (there.score, there.strangers, there.jaccard) == (back.score, back.strangers, back.jaccard)


def test_strangers_have_no_relation():
    assert compare(ARTICLE, CHROME) == Comparison(None, 0.0, 0.0, 0.0, 0.0, False)


@pytest.mark.parametrize(("a", "b"), [("", ""), ("", ARTICLE), (ARTICLE, ""), ("...", "!!!"), ("😀", "🎻")])
def test_a_text_without_words_has_nothing_in_common_with_any(a, b):
    assert compare(a, b) == Comparison(None, 0.0, 0.0, 0.0, 0.0, False)


@pytest.mark.parametrize("text", ["...", "😀", "⠓⠑⠇⠇⠕", "→ ←"])
def test_equal_texts_are_identical_whether_or_not_they_have_words(text):
    assert compare(text, text) == Comparison("identical", 1.0, 1.0, 1.0, 1.0, False)


def test_settings_come_as_an_object_or_one_by_one():
    assert compare("a b", "a c", settings=Settings(shingle_size=1, threshold=0.3)).relation == "near_duplicate"
    assert compare("a b", "a c", settings=Settings(shingle_size=1), threshold=0.3).relation == "near_duplicate"
    with pytest.raises(SettingsError, match="unknown setting shingles"):
        compare("a", "b", shingles=1)


@pytest.mark.parametrize(("a", "b", "name"), [(3, "x", "a"), ("x", None, "b"), (b"x", "x", "a")])
def test_what_is_no_str_is_refused_by_name(a, b, name):
    with pytest.raises(InputError, match=rf"^{name} is of type \w+; expected a str"):
        compare(a, b)


def test_a_lone_surrogate_is_refused_with_its_place():
    with pytest.raises(InputError, match=r"b holds a lone surrogate \(U\+D800, character 2\)"):
        compare("ab", "ab\ud800")


def test_compare_is_the_function_of_the_package():
    assert dupdetect.compare is compare


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("北京欢迎你来看我们今天的表演", "北京欢迎你来看我们今天的节目"),
        ("สวัสดีชาวโลกทั้งหลาย", "สวัสดีชาวโลกทั้งหลายครับ"),
        ("यह एक छोटा सा वाक्य है जो हम लिखते हैं", "यह एक छोटा सा वाक्य है जो हम लिखते हैं आज"),
        ("هذه جملة قصيرة نكتبها هنا اليوم", "هذه جملة قصيرة نكتبها هنا اليوم معا"),
    ],
)
def test_texts_in_any_script_are_compared(a, b):
    found = compare(a, b, threshold=0.3)
    assert found.relation == "near_duplicate"
    assert 0.3 <= found.jaccard < 1


def test_comparing_a_few_texts_needs_no_compiler_and_no_datasketch():
    import subprocess
    import sys

    code = (
        "import sys, dupdetect; dupdetect.compare('a b', 'a c'); "
        "assert not {'numba', 'datasketch', 'rich', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("on_disk", [True, False])
def test_compiled_code_is_loaded_for_many_comparisons_if_nobody_waits_for_it(monkeypatch, on_disk):
    expected = []
    monkeypatch.setattr(comparing, "MANY", 100)
    monkeypatch.setattr(comparing, "_compared", 0)
    monkeypatch.setattr(kernels, "on_disk", lambda: on_disk)
    monkeypatch.setattr(dispatch.Compilable, "is_on_disk", lambda _: on_disk)
    monkeypatch.setattr(dispatch, "expect_many_calls", lambda: expected.append(1))
    first = compare("The ferry is late again.", "The ferry is late.")
    assert expected == []
    for _ in range(5):
        assert compare("The ferry is late again.", "The ferry is late.") == first
    assert expected == [1] * on_disk


def test_which_of_two_may_be_removed_for_the_other():
    """Two edited copies that both stay were said to be near, and nothing told that both stay."""
    words = [
        f"{first}{second}" for first in ("har", "mol", "tan", "ves", "ril") for second in "abcdefghijklmnopqrstuvwxyz"
    ]
    text = " ".join(words)
    near, longer = text.replace("molc", "other words"), f"{text} {' '.join(reversed(words))}"
    assert compare(text, text.upper()).removable == ("a", "b")
    assert compare(text, near, threshold=0.9).removable == ("a", "b")
    assert compare(text, longer).removable == ("a",)
    assert compare(longer, text).removable == ("b",)
    edited = compare(text, " ".join([*words[:60], "six", "words", "more", *words[66:], *reversed(words)]))
    assert (edited.relation, edited.removable) == ("contained", ())
    assert compare(text, "Nothing of the kind.").removable == ()


def test_the_command_says_that_both_of_two_copies_stay(tmp_path, capsys):
    words = [
        f"{first}{second}" for first in ("har", "mol", "tan", "ves", "ril") for second in "abcdefghijklmnopqrstuvwxyz"
    ]
    texts = {
        "text": words,
        "edited": [*words[:60], "six", "words", "more", *words[66:], *reversed(words)],
        "longer": [*words, *reversed(words)],
    }
    text, edited, longer = (tmp_path / name for name in texts)
    for name, each in texts.items():
        (tmp_path / name).write_text(" ".join(each), encoding="utf-8")

    def said(a, b):
        assert main(["compare", str(a), str(b)]) == 0
        (line,) = (line for line in capsys.readouterr().out.splitlines() if line.startswith("  removable"))
        return line.split(maxsplit=1)[1]

    assert said(text, text) == "either for the other"
    assert said(text, edited) == "neither: more of each would be lost than may be (max_lost)"
    assert said(text, longer) == said(longer, text) == str(text)
