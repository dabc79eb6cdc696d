import pytest

import dupdetect
from dupdetect.comparison import Comparison, compare
from dupdetect.errors import InputError, SettingsError
from dupdetect.settings import Settings

ARTICLE = " ".join(f"word{n}" for n in range(40))
CHROME = " ".join(f"menu{n}" for n in range(40))


def test_the_same_words_are_identical_whatever_is_between_them():
    assert compare("To be, or not!", "to be -- OR not") == Comparison("identical", 1.0, 1.0, 1.0)
    assert compare("one", "One.") == Comparison("identical", 1.0, 1.0, 1.0)


def test_the_same_shingles_in_other_places_are_near_duplicates():
    assert compare("a b a b a", "b a b a b", shingle_size=2) == Comparison("near_duplicate", 1.0, 1.0, 1.0)


def test_a_light_edit_is_a_near_duplicate():
    found = compare(ARTICLE, ARTICLE + " more")
    assert found.relation == "near_duplicate"
    assert (found.jaccard, found.containment_a, found.containment_b) == (36 / 37, 1.0, 36 / 37)


def test_a_page_contains_its_article_and_the_article_is_contained():
    page = f"{CHROME} {ARTICLE}"
    assert compare(page, ARTICLE) == Comparison("contains", 36 / 76, 36 / 76, 1.0)
    assert compare(ARTICLE, page) == Comparison("contained", 36 / 76, 1.0, 36 / 76)


def test_a_quotation_is_no_copy_however_well_it_is_contained():
    quotation = " ".join(ARTICLE.split()[:12])
    found = compare(quotation, ARTICLE)
    assert (found.relation, found.containment_a) == (None, 1.0)
    assert compare(quotation, ARTICLE, least=8).relation == "contained"


def test_strangers_have_no_relation():
    assert compare(ARTICLE, CHROME) == Comparison(None, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("a", "b"), [("", ""), ("", ARTICLE), (ARTICLE, ""), ("...", "..."), ("😀", "😀")])
def test_a_text_without_words_has_nothing_in_common_with_any(a, b):
    assert compare(a, b) == Comparison(None, 0.0, 0.0, 0.0)


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
