import numpy as np
import pytest

from dupdetect.matching.interleaving import OWN, STRETCH
from dupdetect.matching.own_lines import (
    AROUND,
    CLASSES,
    ENDS,
    ENTRIES,
    FEW,
    ITEMS,
    PLACES,
    SENTENCE,
    SHORTER,
    OwnLines,
    is_at_one_end,
    length_class,
    read_own_lines,
    stands_amid,
    stands_whole,
)
from dupdetect.matching.shingle_rows import ITEM, LINE_START, SYMBOLS, run_ends


def read(lines, size=1):
    """Read lines of (words, whether they are shared, whether the line has many symbols)."""
    row, shared = [], []
    for words, is_shared, symbols in lines:
        first, others = LINE_START | np.uint64(SYMBOLS if symbols else 0), np.uint64(ITEM if words <= 2 else 0)
        row += [np.uint64(len(row) + place << 4) | (others if place else first) for place in range(words)]
        shared += [is_shared] * words
    return read_row(np.array(row, np.uint64), np.array(shared, np.uint8), size)


def read_row(row, shared, size):
    ends = np.empty(len(row), np.int32)
    runs = run_ends(row, shared, shared, ends)
    return read_own_lines(row, shared, ends, runs, size, *np.empty((2, CLASSES), np.int64))


ARTICLE = [(SENTENCE, True, False)] * 4
MENU = [(2, False, False)] * FEW
FOOT = [(3, False, False)] * ENDS
TITLE = [(SENTENCE - 1, True, False)]


def test_menus_around_an_article_are_furniture():
    assert read(MENU + ARTICLE + FOOT).furniture
    assert read(FOOT + ARTICLE + MENU).furniture
    assert read(MENU + ARTICLE + MENU).furniture


def test_furniture_has_menus():
    """A third of its lines and less may be others than those of one and two words."""
    teasers = [(5, False, False)] * int(len(MENU) / ITEMS)
    menu = teasers[len(MENU) :] + MENU
    assert read(menu + ARTICLE + FOOT[:1] + MENU[:1]).furniture
    assert not read(teasers + menu + ARTICLE + FOOT).furniture
    assert not read([(3, False, False)] * 2 * FEW + ARTICLE + FOOT).furniture
    assert read([(1, False, False)] * 2 * FEW + ARTICLE + FOOT).furniture


def test_a_menu_has_some_entries_one_behind_the_other():
    """Names above what is said, and four answers below a question, are no menu."""
    said = (3, False, False)

    def scene(names):
        return [*[(2, False, False)] * names, said] * 2 * FEW

    assert read(scene(ENTRIES) + ARTICLE + FOOT).furniture
    assert not read(scene(ENTRIES - 1) + ARTICLE + FOOT).furniture
    assert not read([line for _ in range(2 * FEW) for line in (said, (2, False, False))] + ARTICLE + FOOT).furniture
    shared = [(2, False, False)] * (ENTRIES - 1) + [(2, True, False)]
    assert not read(shared * (PLACES - 1) + [said] * 2 * FEW + ARTICLE + FOOT).furniture


def test_a_list_at_one_end_is_none():
    assert not read(MENU + ARTICLE).furniture
    assert not read(ARTICLE + MENU).furniture
    assert not read(MENU + ARTICLE + FOOT[1:]).furniture
    assert not read([(2, False, False)] * ENDS + ARTICLE + MENU).furniture  # of fewer words than AROUND
    assert not read(ARTICLE[:1] + FOOT + ARTICLE + MENU).furniture  # two lines were added to a text, and a list


def test_a_title_may_stand_further_out():
    assert read(TITLE + MENU + ARTICLE + FOOT + TITLE).furniture
    assert read(MENU + TITLE + FOOT + ARTICLE + FOOT).furniture
    assert not read(TITLE + MENU + ARTICLE + TITLE).furniture


def test_around_nothing_but_titles_there_is_none():
    assert not read(MENU + TITLE + FOOT + TITLE + FOOT).furniture


def test_a_page_has_a_few_lines_of_its_own_at_least():
    assert read(FOOT + ARTICLE + MENU[ENDS:]).furniture
    assert not read(FOOT + ARTICLE + MENU[ENDS + 1 :]).furniture
    assert not read(MENU[:3] + ARTICLE + MENU[4:]).furniture
    assert not read(ARTICLE).furniture
    assert not read([]).furniture


def test_furniture_stands_at_few_places():
    """A form that is filled in has a line of its own behind each one that it shares."""
    between = [line for _ in range(PLACES - 1) for line in ((SENTENCE, True, False), (2, False, False))]
    assert read(MENU + between + ARTICLE + FOOT).furniture
    assert not read(MENU + between + between[:2] + ARTICLE + FOOT).furniture
    assert read(MENU + ARTICLE + MENU * 3).furniture


def test_lines_as_long_as_those_of_the_article_are_none():
    assert not read([(SENTENCE, False, False)] * FEW + ARTICLE + FOOT).furniture
    longer = [(SENTENCE + 40, False, False)] * FEW
    assert not read(longer + [(90, True, False)] * 4 + FOOT).furniture  # a sentence is a sentence


def test_code_is_none():
    assert not read([(2, False, True)] * FEW + ARTICLE + FOOT).furniture
    assert read([(2, False, True)] + MENU * 3 + ARTICLE + FOOT).furniture  # a line or two with symbols are


def test_lines_as_long_as_most_of_the_article_are_none_on_both_sides():
    """Three of four of the article's words are in longer lines than any of the page's own: a part of a longer list."""
    article = [(SENTENCE, True, False)] * 3 + [(3, True, False)] * (SENTENCE // 3)
    assert SHORTER > 3 / 4
    longer = [(6, False, False)] * FEW
    assert not read(longer + article + longer).furniture


def test_own_words_in_shared_lines_are_edits():
    edited = [(10, True, False), (1, False, False)]
    row = np.array([place << 4 for place in range(11)], np.uint64)
    row[0] |= LINE_START
    shared = np.array([1] * 10 + [0], np.uint8)
    found = read_row(row, shared, 1)
    assert (found.furniture, found.before, found.after, found.stretch) == (False, 0, 1, 10)
    assert read(edited).after == 1


def test_the_longest_stretch_may_have_short_own_text_within():
    found = read(
        [(5, False, False), (30, True, False), (STRETCH - 1, False, False), (30, True, False), (7, False, False)]
    )
    assert (found.before, found.after, found.stretch) == (5, 7, 60)
    found = read([(5, False, False), (30, True, False), (STRETCH, False, False), (31, True, False), (7, False, False)])
    assert (found.before, found.after, found.stretch) == (5 + STRETCH, 7, 31)


def test_a_word_is_shared_if_any_of_its_shingles_is():
    row = np.array([place << 4 for place in range(20)], np.uint64)
    shared = np.zeros(20, np.uint8)
    shared[4] = 1
    found = read_row(row, shared, 5)
    assert (found.before, found.stretch, found.after) == (4, 5, 24 - 9)


def test_where_nothing_is_shared_all_is_own():
    assert read([(9, False, False)])[1:] == (0, 9, 0)


def test_lengths_of_lines_have_classes():
    classes = [length_class(length) for length in range(200)]
    assert classes == sorted(classes)
    assert classes[1] == 0
    assert len({classes[length] for length in range(SENTENCE, 200)}) == 1
    assert max(classes) < CLASSES


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        ((0, OWN, 60), (0, OWN, 60), True),  # a header above two modules
        ((OWN, 0, 60), (OWN, 0, 60), True),  # a footer below two pages
        ((0, OWN, 60), (OWN, 0, 60), False),  # each goes on at an end of its own
        ((0, OWN - 1, 60), (0, OWN, 60), False),
        ((0, OWN, 60), (STRETCH, OWN, 60), False),
        ((0, OWN, 60), (STRETCH - 1, OWN, 60), True),
        ((0, OWN, 4 * OWN), (0, OWN, 60), True),
        ((0, OWN, 4 * OWN + 4), (0, OWN, 60), False),  # a long text, and a paragraph that one of them adds
    ],
)
def test_boilerplate_at_one_end_has_much_text_of_both_beside_it(one, two, expected):
    first, second = OwnLines(False, *one), OwnLines(False, *two)
    assert is_at_one_end(first, second) == is_at_one_end(second, first) == expected


@pytest.mark.parametrize(
    ("page", "other", "expected"),
    [
        ((20, 30, 200), (0, 0, 200), True),
        ((20, 30, 180), (0, 0, 200), True),  # its title stands further up
        ((20, 30, 150), (0, 0, 200), False),  # in two pieces
        ((20, 20, 200), (0, 0, 200), False),  # little else is there
        ((AROUND - 1, 90, 200), (0, 0, 200), False),
        ((20, 30, 200), (10, 10, 180), True),
        ((20, 30, 200), (30, 30, 140), False),  # it says something else, too
    ],
)
def test_a_document_stands_whole_in_another(page, other, expected):
    assert stands_whole(OwnLines(False, *page), OwnLines(False, *other)) == expected
    assert not stands_whole(OwnLines(False, *other), OwnLines(False, *page))


def test_what_has_own_text_before_and_after_it_stands_amid():
    assert stands_amid(OwnLines(False, AROUND, AROUND, 10))
    assert not stands_amid(OwnLines(False, AROUND - 1, 99, 10))
    assert not stands_amid(OwnLines(False, 99, AROUND - 1, 10))
