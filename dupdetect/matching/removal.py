"""Which document of a match may be removed, and which of the two should rather be.

Input    what pairs share, and what each document would lose (`overlaps`)
Output   the matches among them, with a verdict each
Cost     O(pairs)

What a document would lose is its new words that are neither boilerplate nor furniture of a page. It may be removed if
these are no more than `max_lost` of what the one with less content has beyond `SHORT` words, and nowhere a passage of
`PASSAGE` words; or if they are `FEW_WORDS` of a page; of a near duplicate that has `AS_LARGE` of its size, if they are
no more than ``1 - threshold``, but of strangers who both have `overlaps.ARTICLE` new words of main content only if the
similarity of their content reaches `threshold`, too. A text amid a longer one, a part or a quotation, is removed only
if nothing is lost.

The document that says more stays, whatever a policy prefers: the other one *yields*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dupdetect.matching.overlaps import NONE, PASSAGE, ROUNDED, Overlaps
from dupdetect.matching.patterns import AMID_A, AMID_B

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from dupdetect.matching.overlaps import Limits

    Byte = NDArray[np.uint8]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]

#: What is decided of a match: a may be removed, b may be; of two near duplicates, that a should rather be, that b
#: should; that they are near duplicates.
REMOVABLE_A, REMOVABLE_B, YIELDS_A, YIELDS_B, NEAR = 1, 2, 4, 8, 16

#: Words that a page may lose beside the article that it carries, however short that is: they stand in its lines. The
#: article may have as many in lines that are not on the page.
FEW_WORDS = 8

#: Words in a row for which a near duplicate is not removed, if they would be lost and are more than the share that
#: may be lost of any; of other documents none is removed that would lose a `PASSAGE`.
LONG_PASSAGE = 128

#: Words of a document that count one by one, for each may be the fact that it is about: of a document of so many words
#: nothing may be lost, and of a longer one a share of what it has beyond them.
SHORT = 100

#: Share of a document's size that a near duplicate has at least which may stand for it, however low the threshold is;
#: of 0.8 and above it follows. By errors of recognition each lacks some words of the other; half a page lacks the rest.
AS_LARGE = 0.8

#: How much less similar near duplicates that may stand for one another may be by what stands at the same place in both.
LESS_ALIKE = 0.05

#: What a document that says more than another, so that this goes if either may, has of its own: so many words of main
#: content and such a share of the content, or a passage; or a passage of other content, such as a table, that is such a
#: share. A page has such a share of the article that it carries.
MORE, MORE_SHARE, MORE_PAGE = 16, 0.05, 0.2


def turned_verdicts(verdicts: Byte) -> Byte:
    """Turn verdicts on a and b into verdicts on b and a."""
    of_a, of_b = np.uint8(REMOVABLE_A | YIELDS_A), np.uint8(REMOVABLE_B | YIELDS_B)
    return (verdicts & np.uint8(NEAR) | (verdicts & of_a) << 1 | (verdicts & of_b) >> 1).astype(np.uint8)


def decided(found: Overlaps, limits: Limits) -> Overlaps:
    """Return the pairs that are copies of one another, and what is decided of them."""
    matches = found.where(found.relations(limits) != NONE)
    counts = matches.pairs, matches.shared, matches.size_a, matches.size_b
    verdicts = _verdicts(matches, limits) if len(matches.pairs) else np.empty(0, np.uint8)
    return Overlaps(*counts, matches.given, matches.patterns, verdicts)


def is_decided(matches: Overlaps, mark: int) -> Bool:
    """Whether each match has a verdict; where nothing was decided, either document may be removed, and none yields."""
    if matches.verdicts is None:
        return np.full(len(matches.pairs), mark in (REMOVABLE_A, REMOVABLE_B))
    return np.asarray(matches.verdicts & np.uint8(mark) != 0)


def _verdicts(matches: Overlaps, limits: Limits) -> Byte:
    """Decide of matches which document may be removed, and which should rather be: uint8[n]."""
    w, lost, near = matches.weights, matches.shares_lost, _near(matches, limits)
    lost_a, lost_b = lost
    page_a, page_b = pages = _pages(matches)  # where nothing is weighed, all that is new is lost, and none is a page
    if matches.given is None:
        smaller = matches.size_a <= matches.size_b
        may_a, may_b = near | smaller, near | ~smaller
    else:
        amid_a, amid_b = _amid(matches)
        may_a = near | page_a | (w.content_a >= w.own_b) | ~amid_b | (lost_a == 0)
        may_b = near | page_b | (w.content_b >= w.own_a) | ~amid_a | (lost_b == 0)
    few_a, few_b = _tolerated(matches, limits, near, lost, pages)
    gone_a, gone_b = may_a & few_a, may_b & few_b
    more_a, more_b = _says_more(matches, pages)
    yields_a, yields_b = gone_a & more_b, gone_b & more_a
    marks = (gone_a, REMOVABLE_A), (gone_b, REMOVABLE_B), (yields_a, YIELDS_A), (yields_b, YIELDS_B), (near, NEAR)
    return sum((column * np.uint8(mark) for column, mark in marks), np.zeros(len(near), np.uint8))


def tolerated(overlaps: Overlaps, limits: Limits) -> tuple[Bool, Bool]:
    """Whether no more of a, and of b, would be lost than may be, if only the other stayed: bool[n] each."""
    return _tolerated(overlaps, limits, _near(overlaps, limits), overlaps.shares_lost, _pages(overlaps))


def _near(overlaps: Overlaps, limits: Limits) -> Bool:
    """Whether near duplicates are so by what stands at the same place, and are no articles under a common text."""
    in_place = overlaps.weights.in_place * overlaps.shared
    either = np.maximum(overlaps.size_a + overlaps.size_b - in_place, 1)
    alike = in_place / either >= limits.threshold - LESS_ALIKE
    return np.asarray(alike & (np.minimum(overlaps.jaccard, overlaps.weighted_jaccard) >= limits.threshold))


def _pages(overlaps: Overlaps) -> tuple[Bool, Bool]:
    """Whether a, and b, is a page: most of what is new in it is its furniture."""
    w = overlaps.weights
    return 2 * w.lost_a < w.new_a, 2 * w.lost_b < w.new_b


def _amid(overlaps: Overlaps) -> tuple[Bool, Bool]:
    """Whether what is shared stands amid a, and amid b; not where that was not read."""
    if overlaps.patterns is None:
        nowhere = np.zeros(len(overlaps.pairs), np.bool_)
        return nowhere, nowhere
    return overlaps.patterns & AMID_A != 0, overlaps.patterns & AMID_B != 0


def _tolerated(
    overlaps: Overlaps, limits: Limits, near: Bool, lost: tuple[Share, Share], pages: tuple[Bool, Bool]
) -> tuple[Bool, Bool]:
    """Return what `tolerated` does, given which pairs are near duplicates, `Overlaps.shares_lost`, and the pages."""
    w, (lost_a, lost_b), (page_a, page_b) = overlaps.weights, lost, pages
    alike = 1 - min(limits.threshold, limits.containment) + ROUNDED
    near_a = near & (overlaps.size_b >= AS_LARGE * overlaps.size_a - ROUNDED)
    near_b = near & (overlaps.size_a >= AS_LARGE * overlaps.size_b - ROUNDED)
    if overlaps.given is None:  # without boilerplate, containment alone says what may be lost
        most = max(limits.max_lost, 1 - limits.containment) + ROUNDED
        return lost_a <= np.where(near_a, alike, most), lost_b <= np.where(near_b, alike, most)
    words_a, words_b = w.content_a + w.lost_a, w.content_b + w.lost_b
    # What a document repeats, the other may have once: it is no reason to lose more.
    allowed = _most(np.minimum(words_a, words_b), limits)
    few_a = (page_a & (w.lost_a <= FEW_WORDS)) | ((w.lost_a <= allowed) & (w.run_a < PASSAGE))
    few_b = (page_b & (w.lost_b <= FEW_WORDS)) | ((w.lost_b <= allowed) & (w.run_b < PASSAGE))
    near_a &= w.run_a < np.maximum(LONG_PASSAGE, limits.max_lost * words_a)
    near_b &= w.run_b < np.maximum(LONG_PASSAGE, limits.max_lost * words_b)
    return few_a | (near_a & (lost_a <= alike)), few_b | (near_b & (lost_b <= alike))


def _most(words: Share, limits: Limits) -> Share:
    """Return how many words may be lost of documents with so many words of content."""
    return limits.max_lost * np.maximum(words - SHORT, 0) + ROUNDED


def _says_more(overlaps: Overlaps, pages: tuple[Bool, Bool]) -> Iterator[Bool]:
    """Yield whether a, and b, says more than the other, given which of them are pages."""
    w = overlaps.weights
    lost, main = w.lost_a - 2 * w.lost_b, np.minimum(w.lost_a, w.main_a) - 2 * w.main_b
    others = w.lost_b - 2 * w.lost_a, np.minimum(w.lost_b, w.main_b) - 2 * w.main_a
    sides = (w.content_a, w.run_a, lost, main), (w.content_b, w.run_b, *others)
    for page, (content, run, new, new_main) in zip(pages, sides, strict=True):
        much = (run >= PASSAGE) & (new >= MORE_SHARE * content)
        much |= new_main >= np.clip(MORE_SHARE * content, MORE, PASSAGE)
        yield np.where(page, new_main >= np.maximum(MORE, MORE_PAGE * content), much)
