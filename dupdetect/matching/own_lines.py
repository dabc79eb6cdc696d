"""What a document has of its own beside what it shares with another, line by line.

Input    the shingles of a document in reading order, and which of them are shared
Output   `OwnLines`: its own words, where they stand, and whether they are the furniture of a page
Cost     a pass over the shingles of the document

A page carries an article among menus, teasers and footers: its *furniture*. A later version, a module under a licence
or an answer above a quoted mail carries a text, too, but what stands around that is content. What tells them apart
holds in every language and needs no list of words:

* A line is a document's *own* if more than half of its words are not shared. Own words in other lines are *edits*, and
  are never furniture.
* Furniture stands in shorter lines than what is shared: the line of a word that is shared is longer than an own line
  with a probability of `SHORTER` and more. A line of `SENTENCE` words and more is as long as any.
* Furniture has few symbols: no more than `SYMBOL_WORDS` of its words are in lines that have as many symbols as words,
  as lines of code and of figures do.
* It has `FEW` lines at least: an answer around a quoted mail, with a name and an address below, has less.
* It has menus: of its lines `ITEMS` and more have two words at most. What goes into a dish, what is asked for in a job,
  who says what in a chat, and verse, are longer.
* `ENTRIES` of these lines and more stand one behind the other: names above what is said in a play, and what may be
  ticked below a question, stand among longer ones.
* It is around the article: `ENDS` lines of it and more, of `AROUND` words, stand before what is shared, and as many
  behind. Less than `SENTENCE` shared words in a row may be further out, such as the title of a page. A list that goes
  with a text stands at one end of it.
* It is in the article at few places: fewer than `PLACES`. A form that is filled in, and a text with remarks between its
  paragraphs, have something of their own behind each line of the other.

Where both documents go on with much text of their own at the same end of what they share, that is boilerplate at *one
end*: a licence above two modules, a footer below two pages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import compilable_helper
from dupdetect.matching.interleaving import OWN, PART, STRETCH
from dupdetect.matching.shingle_rows import ITEM, LINE_START, SYMBOLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]

#: Classes of the length of a line, each some 1.4 times as long as the one before.
CLASSES = 16

#: Words from which on a line is as long as any.
SENTENCE = 24

#: How likely the line of a shared word is longer than an own line of furniture, at least.
SHORTER = 0.8

#: Own words on either side that count.
AROUND = 5

#: What of a document is in one piece, in itself and in another, if it stands there whole.
PIECE = 0.8

#: Share of the words of furniture that are in lines of as many symbols as words, at the most.
SYMBOL_WORDS = 0.18

#: Lines of furniture, at least; share of them that are items of a menu; and of these one behind the other.
FEW = 12
ITEMS = 0.3
ENTRIES = 5

#: Lines of furniture on either side of what is shared, at least.
ENDS = 2

#: Places between shared lines at which it does not stand.
PLACES = 8


class OwnLines(NamedTuple):
    """What a document has of its own.

    Attributes
    ----------
    furniture : bool
        Whether its own lines are the furniture of a page.
    before, after : int
        Own words before and after the longest stretch of shared words.
    stretch : int
        Shared words of that stretch, in which fewer than `STRETCH` own words in a row may stand.
    """

    furniture: bool
    before: int
    after: int
    stretch: int


@compilable_helper
def length_class(length: int) -> int:
    """Return the class of the length of a line in words."""
    found, bound = 0, 1
    while bound < min(length, SENTENCE) and found < CLASSES - 1:
        found += 1
        bound = max(bound + 1, bound * 7 // 5)
    return found


@compilable_helper
def read_own_lines(  # noqa: C901 - one pass
    row: Hashes, shared: Byte, ends: Int32, runs: int, shingle_size: int, own_lines: Int, shared_words: Int
) -> OwnLines:
    """Read what is a document's own, given which of its shingles are shared, and where its runs end (`run_ends`).

    A word is shared if any of the shingles that it is in is. `own_lines` and `shared_words` are buffers for `CLASSES`
    counts: own lines, and shared words in other lines, by the length of the line.
    """
    own_lines[:] = 0
    shared_words[:] = 0
    last, begin, mine, symbols = -shingle_size, 0, 0, False
    own, lines, line_words, symbol_words, items, menu, longest_menu = 0, 0, 0, 0, 0, 0, 0
    places, open_place, any_shared = 0, False, False
    # Own lines, and own words in them, before and behind what is shared; and how much is since the last own line.
    lines_before, words_before, lines_behind, words_behind, together, inside = 0, 0, 0, 0, 0, False
    # Of stretches: the longest, own words before it and up to its end; where the present one started, and its length.
    longest, before, until, started, length, gap = 0, 0, 0, 0, 0, STRETCH
    turn, word, count = 0, 0, len(row) + shingle_size - 1
    while word <= count:
        if word == count or (0 < word < len(row) and row[word] & LINE_START):
            words = word - begin
            if 2 * mine > words:
                own_lines[length_class(words)] += 1
                lines += 1
                line_words += words
                symbol_words += words if symbols else 0
                is_item = words == 1 or (begin + 1 < len(row) and row[begin + 1] & ITEM != 0)
                items, menu = items + is_item, menu + 1 if is_item else 0
                longest_menu = max(longest_menu, menu)
                open_place, together = any_shared, 0
                lines_behind, words_behind = lines_behind + 1, words_behind + mine
                if not inside:
                    lines_before, words_before = lines_behind, words_behind
            else:
                menu = 0
                shared_words[length_class(words)] += words - mine
                places += 1 if open_place else 0
                open_place, any_shared = False, True
                together += words - mine
                if together >= SENTENCE:
                    lines_behind, words_behind, inside = 0, 0, True
            begin, mine = word, 0
        if word == count:
            break
        end = count  # the last words of a document begin no shingle: they are in the last ones
        if turn < runs:
            end, turn = int(ends[turn]), turn + 1
            if word == begin:
                symbols = row[word] & SYMBOLS != 0
            if shared[word]:
                last = end - 1
        until_shared = min(end, max(word, last + shingle_size))
        if until_shared > word:
            if gap >= STRETCH:
                started, length = own, 0
            length += until_shared - word
            gap = 0
            if length > longest:
                longest, before, until = length, started, own
        own += end - until_shared
        mine += end - until_shared
        gap += end - until_shared
        word = end
    # How likely the line of a random shared word is longer than a random own line; half, where both are of one class.
    likely, shorter, words = 0.0, 0.0, 0
    for place in range(CLASSES):
        likely += shared_words[place] * (shorter + own_lines[place] / 2)
        shorter += own_lines[place]
        words += shared_words[place]
    likely /= max(1, words * lines)
    after = own - until
    # The last words begin no shingle, so that nothing tells where lines begin among them: they may be of several.
    lines_behind += 1 if lines_behind > 0 and words_behind < 2 * shingle_size else 0
    furniture = lines >= FEW and items >= ITEMS * lines and longest_menu >= ENTRIES and likely >= SHORTER
    furniture = furniture and places < PLACES and symbol_words <= SYMBOL_WORDS * line_words
    furniture = furniture and inside and min(lines_before, lines_behind) >= ENDS
    furniture = furniture and min(words_before, words_behind) >= AROUND
    return OwnLines(furniture, before, after, longest)


@compilable_helper
def is_at_one_end(one: OwnLines, two: OwnLines) -> bool:
    """Whether both documents go on with much text of their own behind what they share, or before it."""
    stretch = PART * max(one.stretch, two.stretch)
    before, after = min(one.before, two.before), min(one.after, two.after)
    behind = after >= OWN and after >= stretch and max(one.before, two.before) < STRETCH
    ahead = before >= OWN and before >= stretch and max(one.after, two.after) < STRETCH
    return behind or ahead


@compilable_helper
def stands_whole(page: OwnLines, other: OwnLines) -> bool:
    """Whether a document stands in another in one piece, amid much text of its own, and has next to nothing else.

    A page of menus alone is in every page of its site, too, but in pieces, around what each of these says.
    """
    in_one_piece = min(page.stretch, other.stretch) >= PIECE * (other.before + other.stretch + other.after)
    return in_one_piece and stands_amid(page) and page.before + page.after >= PART * page.stretch


@compilable_helper
def stands_amid(lines: OwnLines) -> bool:
    """Whether the longest shared stretch stands amid own words."""
    return min(lines.before, lines.after) >= AROUND
