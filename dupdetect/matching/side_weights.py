"""What one document of a pair has, in words.

Input    the shingles of a document, which of them are shared, and how far they are boilerplate
Output   `SideWeights`: its words, by what they are
Cost     a pass over the runs of its shingles
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import compilable_helper
from dupdetect.matching.alignment import ELSEWHERE, SHARED
from dupdetect.matching.boilerplate import ALWAYS
from dupdetect.matching.interleaving import FULL, SHORT
from dupdetect.matching.own_lines import SENTENCE
from dupdetect.matching.own_texts import OwnText, is_no_furniture, with_line
from dupdetect.matching.removal import SHORT as SHORT_TEXT
from dupdetect.matching.shingle_rows import LINE_START, MAIN_CONTENT, SYMBOLS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int32 = NDArray[np.int32]
    Byte = NDArray[np.uint8]
    Hashes = NDArray[np.uint64]

_NONE = np.uint64(0)


class SideWeights(NamedTuple):
    """What one document of a pair has, in words.

    Attributes
    ----------
    content : int
        Shared words that are content, in hundredths.
    own, new : int
        Words that are not shared; those of them that are not boilerplate.
    lost : int
        What of `new` is not furniture, if the document is a page: edits, and texts of its own.
    main : int
        What of `new` is main content, in lines of few symbols.
    lines : int
        What of `own` is in lines of which more than half is.
    run : int
        The most of `new` between two shared words, or before or behind all of them.
    page_run : int
        The most of `new` in one text that is no furniture (`own_texts`), or in a row in one edit: if it is a page.
    paragraphs : int
        What of `new` is in lines of its own of `SENTENCE` words and more that are as long as the other document's.
    """

    content: int
    own: int
    new: int
    lost: int
    main: int
    lines: int
    run: int
    page_run: int
    paragraphs: int


@compilable_helper
def words_with(row: Hashes, first: int, end: int, marks: np.uint64, wanted: np.uint64) -> int:
    """Count the words, of those from `first` to `end`, that have of these marks the wanted ones, and no others.

    Words that begin no shingle are in the last one, and have its marks.
    """
    count = 0
    for position in range(first, min(end, len(row))):
        count += 1 if row[np.uint64(position)] & marks == wanted else 0
    behind = end - max(first, len(row))
    return count + behind if behind > 0 and row[-1] & marks == wanted else count


@compilable_helper
def last_place(shared: Byte) -> int:
    """Return the place of the last shingle that is shared, -1 where none is."""
    place = len(shared) - 1
    while place >= 0 and shared[place] != SHARED:
        place -= 1
    return place


@compilable_helper
def weigh_side(  # noqa: C901 - one pass
    row: Hashes,
    shared: Byte,
    grades: Byte,
    ends: Int32,
    runs: int,
    least: int,
    shingle_size: int,
    strangers: bool,
    line: int,
    is_cut: bool,
) -> SideWeights:
    """Weigh one document of a pair, given which of its shingles are shared, and where its runs end (`run_ends`).

    The lines of the other document have `line` words, which tells what of a page is a text and what is furniture.

    What is shared is boilerplate from the grade `least` on, and what is not from `ALWAYS` on; what stands `ELSEWHERE`
    in the other document is neither shared nor boilerplate. Of strangers, words that are neither main content nor in a
    line of many symbols weigh `SHORT`: menus are most of what two pages share. The last word of a text that `is_cut`
    is not new: it is a part of one.

    In a document of no more than `SHORT_TEXT` words, words between shared ones are new even where they are boilerplate.
    Of records and forms each value may stand in many, and what is said is which of them stand together.
    """
    content, own, new, lost, main, lines = 0, 0, 0, 0, 0, 0
    run, longest, in_line, most_in_line, page_run, text = 0, 0, 0, 0, 0, OwnText(0, 0, 0)
    last, last_content, last_boilerplate = -shingle_size, -shingle_size, -shingle_size
    begin, mine, fresh, paragraphs = 0, 0, 0, 0
    # A document of no words, which is removed for another like it, has no shingle that could be looked at.
    turn, word, count = 0, 0, len(row) + shingle_size - 1 if len(row) else -1
    last_shared = last_place(shared) if count <= SHORT_TEXT else -1
    while word <= count:
        if word == count or (0 < word < len(row) and row[word] & LINE_START):
            before, text = text, with_line(text, row, begin, word, mine, fresh, line)
            if 2 * mine <= word - begin:  # an edit, and no line of its own
                lost += fresh
                page_run = max(page_run, most_in_line)
            else:
                lines += mine
                paragraphs += fresh if word - begin >= max(line, SENTENCE) else 0
            if text.shorter == 0 and is_no_furniture(text, line):
                lost += fresh if is_no_furniture(before, line) else text.new
                page_run = max(page_run, text.new)
            begin, mine, fresh, in_line, most_in_line = word, 0, 0, 0, 0
        if word == count:
            break
        end = count
        if turn < runs:
            end, turn, grade = int(ends[turn]), turn + 1, grades[word]
            if shared[word] == SHARED:
                last = end - 1
                if grade < least:
                    last_content = last
            if grade >= ALWAYS and shared[word] != ELSEWHERE:
                last_boilerplate = end - 1
        # A word is shared, or boilerplate, if any of the shingles that it is in is.
        until_shared = min(end, max(word, last + shingle_size))
        until_content = min(end, max(word, last_content + shingle_size))
        until_boilerplate = min(end, max(until_shared, last_boilerplate + shingle_size))
        if last >= 0 and word < last_shared:
            until_boilerplate = until_shared
        if until_content > word:
            weighs_less = strangers and not row[begin] & SYMBOLS
            short = words_with(row, word, until_content, MAIN_CONTENT, _NONE) if weighs_less else 0
            content += FULL * (until_content - word) - (FULL - SHORT) * short
        if until_shared > word:
            run, in_line = 0, 0
        own += end - until_shared
        mine += end - until_shared
        is_part = is_cut and end == count and last + shingle_size == count - 1
        until_new = count - 1 if is_part else end
        if until_new > until_boilerplate:
            new += until_new - until_boilerplate
            fresh += until_new - until_boilerplate
            run += until_new - until_boilerplate
            in_line += until_new - until_boilerplate
            longest, most_in_line = max(longest, run), max(most_in_line, in_line)
            if not row[begin] & SYMBOLS:
                main += words_with(row, until_boilerplate, until_new, MAIN_CONTENT, MAIN_CONTENT)
        word = end
    return SideWeights(content, own, new, lost, main, lines, longest, page_run, paragraphs)


@compilable_helper
def without_joined(side: SideWeights, joined: int) -> SideWeights:
    """Return what a document has without so many words that are the other's, but for a space."""
    own, new, lost = max(0, side.own - joined), max(0, side.new - joined), max(0, side.lost - joined)
    return SideWeights(side.content, own, new, lost, side.main, side.lines, side.run, side.page_run, side.paragraphs)


@compilable_helper
def ends_alone(shared: Byte) -> bool:
    """Whether the last word of a document stands alone behind shared ones: it may be a part of one."""
    size = len(shared)
    return size > 1 and shared[size - 2] == SHARED and shared[size - 1] != SHARED
