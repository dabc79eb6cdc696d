"""Two texts to the passages that they share.

Input    two texts (str), as they were written
Output   `Passage`: where a run of words stands in both, a few of them changed, added or dropped
Cost     O(length of the texts), whatever they repeat

1. Words, and where they stand in the text (`dupdetect.matching.spans`).
2. *Seeds*: runs worth `SEED` words that both texts have; of runs that one text repeats often, a few pairs only.
3. Each seed, the longest first, is *stretched* both ways: over equal words, and over edits, to the nearest place at
   which the texts agree again. An edit costs as many words as it touches; where that sum exceeds by `REACH` what was
   gained, the run has ended, where it was worth most (as in BLAST's extension of hits: Altschul et al. 1990).
4. Of runs that use the same words of the first text the one that is worth most has them; the others keep the rest.

A character that is a word on its own is worth half a word, a letter, where the unit is a character, a fifth.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count, pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect._compiled.dispatch import Compilable
from dupdetect.matching.pairs import spread
from dupdetect.matching.spans import find_spans
from dupdetect.text.shingles import BASE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Hashes = NDArray[np.uint64]
    Bool = NDArray[np.bool_]

# What is worth what, in tenths of a word.
WORD, ALONE, LETTER = 10, 5, 2

#: Least worth of a passage: words that are shared, less those that are not. Shorter runs are phrases of a language.
LEAST = 8 * WORD

#: Worth of a seed: of runs in which each tenth word is changed, two in three words stand in such a one.
SEED = 4 * WORD

#: Most that an edit may touch, and a run lose again of its worth.
REACH = 8 * WORD

#: Worth of the run with which texts agree again after an edit.
AGREED = 2 * WORD

#: Places in the second text that a seed is compared with at the most.
MOST = 8

#: Times that a word of the first text may be part of a run that is worth keeping, and of any: what bounds the work.
KEPT, TRIED = 4, 16


@dataclass(frozen=True)
class Passage:
    """A run of words that two texts a and b share.

    Attributes
    ----------
    a_start, a_end : int
        It is ``a[a_start:a_end]``, in characters of the text as it was given, from the first of a word to the last of
        one.
    b_start, b_end : int
        And ``b[b_start:b_end]``.
    words : int
        Words in it that both have; of texts that were compared by characters, characters.
    similarity : float
        What they are of all its words, in [0, 1]: those changed, added or dropped count too.
    boilerplate : float
        What of them, in [0, 1], stands in menus, tickers and the like in both texts, or came with pages elsewhere.
    """

    a_start: int
    a_end: int
    b_start: int
    b_end: int
    words: int
    similarity: float
    boilerplate: float


def find_passages(a: str, b: str, unit: str = "word", *, least: float = LEAST / WORD) -> tuple[Passage, ...]:
    """Find the passages that two texts share.

    Parameters
    ----------
    a, b : str
        Without lone surrogates.
    unit : str
        "word", or "character".
    least : float
        What a passage is worth at least: words that are shared, less those that are not. Texts of the same words share
        all of them, however few.

    Returns
    -------
    tuple of Passage
        The longest first. No character of a is in two of them; what b has once and a twice is in two.

    Examples
    --------
    >>> quote = "We shall repair the old weir before the winter comes"
    >>> (found,) = find_passages(f"The mayor: {quote}, she said.", f"{quote.replace('old', 'broken')}!")
    >>> found.words, found.similarity
    (9, 0.9)
    """
    return tuple(aligned.passage for aligned in align(a, b, unit, least=least))


class Aligned(NamedTuple):
    """A passage, and what of it is equal.

    Attributes
    ----------
    passage : Passage
    equal : int64[n, 4]
        Where runs of equal words begin and end in a, and in b: characters, in reading order. What stands between them
        in the passage was changed, added or dropped.
    """

    passage: Passage
    equal: Int


def align(a: str, b: str, unit: str = "word", *, least: float = LEAST / WORD) -> list[Aligned]:
    """Find the passages that two texts share, as `find_passages` does, and what of them is equal."""
    first, second = _Tokens.of(a, unit), _Tokens.of(b, unit)
    worth = round(least * WORD)
    if 0 < first.worth[-1] < worth and np.array_equal(first.hashes, second.hashes):
        # A short text is no phrase where it is all that both say.
        runs: Iterable[_Run] = [_Run(np.zeros(1, np.int64), np.zeros(1, np.int64), np.full(1, len(first.hashes)))]
    else:
        runs = _chosen(_candidates(first, second, worth), first, second, worth)
    found = (Aligned(_passage(first, second, run), _equal(first, second, run)) for run in runs)
    return sorted(found, key=lambda aligned: (-aligned.passage.words, aligned.passage.a_start))


class _Tokens(NamedTuple):
    """The words of a text, those that came from the same character as one.

    Attributes
    ----------
    starts, ends : int64[n]
        Characters of the text.
    hashes : uint64[n]
    words, worth : int64[n + 1]
        How many words there are before each, and before the end; and what they are worth.
    main_content : bool[n]
    """

    starts: Int
    ends: Int
    hashes: Hashes
    words: Int
    worth: Int
    main_content: Bool

    @classmethod
    def of(cls, text: str, unit: str) -> _Tokens:
        spans = find_spans(text, unit)
        worth = np.where(spans.alone, ALONE, WORD if unit == "word" else LETTER)
        first = np.flatnonzero(np.append(True, spans.starts[1:] >= spans.ends[:-1])[: len(worth)])
        if len(first) == len(worth):
            words = np.arange(len(worth) + 1)
            return cls(spans.starts, spans.ends, spans.hashes, words, _summed(worth), spans.main_content)
        last = np.append(first[1:], len(worth)) - 1
        place = np.arange(len(worth)) - np.repeat(first, last + 1 - first)
        return cls(
            spans.starts[first],
            spans.ends[last],
            np.add.reduceat(spans.hashes * _powers(BASE, place.max() + 1)[place], first),
            np.append(first, len(worth)),
            _summed(worth)[np.append(first, len(worth))],
            np.logical_or.reduceat(spans.main_content, first),
        )


def _summed(values: Int) -> Int:
    """Return the sums of the values before each, and of all."""
    return np.append(0, np.cumsum(values))


def _powers(base: int, count: int) -> Hashes:
    """Return base**0, base**1, ... modulo 2**64: uint64[count]."""
    powers = np.full(count, base, np.uint64)
    powers[:1] = 1
    return np.multiply.accumulate(powers)


class _Run(NamedTuple):
    """A run that two texts share: int64[n] each, `length` tokens from a on in the one and from b on in the other."""

    a: Int
    b: Int
    length: Int

    def within(self, start: int, end: int) -> _Run:
        """Return what of it stands in tokens [start:end] of the first text."""
        first, last = np.searchsorted(self.a + self.length, start, "right"), np.searchsorted(self.a, end)
        a, b, length = (column[first:last] for column in self)
        before, after = np.maximum(start - a, 0), np.maximum(a + length - end, 0)
        return _Run(a + before, b + before, length - before - after)

    def worth(self, a: Int, b: Int) -> int:
        """Return what its tokens are worth, less what the edits are."""
        return int((a[self.a + self.length] - a[self.a]).sum() - self.edits(a, b).sum())

    def edits(self, a: Int, b: Int) -> Int:
        """Return what stands between its parts: the more of what the texts have there, measured by sums."""
        ends_a, ends_b = (self.a + self.length)[:-1], (self.b + self.length)[:-1]
        return np.asarray(np.maximum(a[self.a[1:]] - a[ends_a], b[self.b[1:]] - b[ends_b]))


def _candidates(a: _Tokens, b: _Tokens, least: int) -> list[_Run]:
    """Return runs that the texts share; those that use the same tokens too."""
    seeds = _seeds(a, b)
    stretch = stretch_seeds.faster_for(float(300 * len(seeds[0]) + len(a.hashes) + len(b.hashes)))
    bounds, runs = stretch(a.hashes, b.hashes, a.worth, b.worth, *seeds, least, REACH, AGREED, KEPT, TRIED)
    return [_Run(*runs[first:last].T) for first, last in pairwise(bounds.tolist())]


def _passage(a: _Tokens, b: _Tokens, run: _Run) -> Passage:
    first_a, last_a, first_b, last_b = (
        int(place) for place in (run.a[0], run.a[-1] + run.length[-1], run.b[0], run.b[-1] + run.length[-1])
    )
    shared = int((a.words[run.a + run.length] - a.words[run.a]).sum())
    edited = int(run.edits(a.words, b.words).sum())
    main_content = a.main_content[spread(run.a, run.length)] | b.main_content[spread(run.b, run.length)]
    return Passage(
        int(a.starts[first_a]),
        int(a.ends[last_a - 1]),
        int(b.starts[first_b]),
        int(b.ends[last_b - 1]),
        shared,
        shared / (shared + edited),
        float(1 - main_content.mean()),
    )


def _equal(a: _Tokens, b: _Tokens, run: _Run) -> Int:
    end_a, end_b = run.a + run.length - 1, run.b + run.length - 1
    return np.stack([a.starts[run.a], a.ends[end_a], b.starts[run.b], b.ends[end_b]], axis=1)


def _chosen(candidates: list[_Run], a: _Tokens, b: _Tokens, least: int) -> Iterator[_Run]:
    """Choose runs that have no token of the first text in common, those that are worth most first.

    At first none of the second text either: what both have twice is shared twice.
    """
    used_a, used_b = np.zeros(len(a.hashes), np.bool_), np.zeros(len(b.hashes), np.bool_)
    serial = count()
    for once in (True, False):
        waiting: list[tuple[int, int, int, int, _Run]] = []

        def wait(run: _Run, waiting: list[tuple[int, int, int, int, _Run]] = waiting) -> None:
            if len(run.a) and (worth := run.worth(a.worth, b.worth)) >= least:
                heapq.heappush(waiting, (-worth, int(run.a[0]), int(run.b[0]), next(serial), run))

        for candidate in candidates:
            wait(candidate)
        while waiting:
            run = heapq.heappop(waiting)[-1]
            start, end = run.a[0], run.a[-1] + run.length[-1]
            taken = used_a[start:end].copy()
            if once:
                taken[spread(run.a - start, run.length)] |= used_b[spread(run.b, run.length)]
            if not taken.any():
                used_a[start:end] = used_b[run.b[0] : run.b[-1] + run.length[-1]] = True
                yield run
                continue
            edges = np.flatnonzero(np.diff(taken, prepend=True, append=True)) + start
            for first, last in edges.reshape(-1, 2).tolist():
                wait(run.within(first, last))


def _seeds(a: _Tokens, b: _Tokens) -> tuple[Int, Int]:
    """Return where the seeds stand in both texts: int64[n] each, the longest first."""
    grams_a, ends_a = _grams(a)
    grams_b, _ = _grams(b)
    order_a = _sorted(grams_a, _perhaps(grams_a, grams_b))
    order_b = _sorted(grams_b, _perhaps(grams_b, grams_a[order_a]))
    sorted_a, sorted_b = grams_a[order_a], grams_b[order_b]
    left, right = np.searchsorted(sorted_b, sorted_a), np.searchsorted(sorted_b, sorted_a, "right")
    partners = right - left
    # What the second text repeats often: the first of it to the first, the second to the second.
    often = partners > MOST
    rank = np.arange(len(sorted_a)) - np.searchsorted(sorted_a, sorted_a)
    left = np.where(often, left + rank % np.maximum(partners, 1), left)
    partners = np.where(often, 1, partners)
    place_a, place_b = np.repeat(order_a, partners), order_b[spread(left, partners)]
    if len(place_a) == 0:
        return place_a, place_b
    # Those of one diagonal, each a token after the other, are one.
    order = np.argsort((place_b - place_a) * len(a.worth) + place_a)
    place_a, place_b = place_a[order], place_b[order]
    goes_on = (np.diff(place_a) == 1) & (np.diff(place_b) == 1)
    first = np.flatnonzero(np.append(True, ~goes_on))
    last = np.append(first[1:], len(place_a)) - 1
    place_a, place_b, end = place_a[first], place_b[first], ends_a[place_a[last]]
    order = np.lexsort((place_b, place_a, a.worth[place_a] - a.worth[end]))
    return place_a[order], place_b[order]


def _perhaps(grams: Hashes, others: Hashes) -> Int:
    """Return where those stand that may be among the others; of those that are not, few."""
    slots = np.uint64((16 * len(others) + 1).bit_length())
    present = np.zeros(1 << int(slots), np.bool_)
    present[others >> (np.uint64(64) - slots)] = True
    return np.flatnonzero(present[grams >> (np.uint64(64) - slots)])


def _sorted(grams: Hashes, places: Int) -> Int:
    """Return places in the order of what stands there, equal ones in their own."""
    return places[np.argsort(grams[places], kind="stable")]


def _grams(tokens: _Tokens) -> tuple[Hashes, Int]:
    """Return for each token the hash of the shortest run from it on that is worth `SEED`, and where that ends.

    For the last ones there is none.
    """
    ends = np.searchsorted(tokens.worth, tokens.worth + SEED)
    count = int(np.searchsorted(ends, len(tokens.worth)))
    ends = ends[:count]
    powers = _powers(BASE, len(tokens.hashes) + 1)
    summed = np.append(np.uint64(0), np.cumsum(tokens.hashes * powers[:-1], dtype=np.uint64))
    return (summed[ends] - summed[:count]) * _powers(pow(BASE, -1, 1 << 64), count), ends


@Compilable
def stretch_seeds(  # noqa: C901 (one loop, compiled whole)
    a: Hashes,
    b: Hashes,
    worth_a: Int,
    worth_b: Int,
    seeds_a: Int,
    seeds_b: Int,
    least: int,
    reach: int,
    agreed: int,
    kept: int,
    tried: int,
) -> tuple[Int, Int]:
    """Stretch seeds over equal tokens and edits.

    Parameters
    ----------
    a, b : uint64[n], uint64[m]
        Hashes of tokens.
    worth_a, worth_b : int64[n + 1], int64[m + 1]
        Sums of what the tokens before are worth.
    seeds_a, seeds_b : int64[s]
        Where the seeds begin.
    least, reach, agreed, kept, tried : int
        `LEAST`, `REACH`, `AGREED`, `KEPT`, `TRIED`.

    Returns
    -------
    bounds : int64[c + 1]
    runs : int64[r, 3]
        Candidate i are the runs ``runs[bounds[i]:bounds[i + 1]]``: where each begins in a and b, and its length.
    """
    size_a, size_b = len(a), len(b)
    # For each token: the candidates and all that it was part of, and its partners in the candidates.
    used, tries = np.zeros(size_a, np.uint8), np.zeros(size_a, np.uint8)
    partners = np.empty((size_a, kept), np.int32)
    runs, total = np.empty((256, 3), np.int64), 0
    bounds, candidates = np.zeros(256, np.int64), 0
    for seed in range(len(seeds_a)):
        start_a, start_b = seeds_a[seed], seeds_b[seed]
        known = used[start_a] >= kept or tries[start_a] >= tried
        for slot in range(min(used[start_a], kept)):
            known = known or partners[start_a, slot] == start_b
        if known:
            continue
        worth = 0
        for step in (-1, 1):
            i, j = start_a, start_b
            if step < 0:
                i, j = i - 1, j - 1
            score, best, first, best_total = 0, 0, total, total
            while True:
                begin = i
                while 0 <= i < size_a and 0 <= j < size_b and a[i] == b[j] and used[i] < kept and tries[i] < tried:
                    score += worth_a[i + 1] - worth_a[i]
                    i += step
                    j += step
                length = (i - begin) * step
                if length > 0:
                    if total == len(runs):
                        more = np.empty((2 * total, 3), np.int64)
                        more[:total] = runs
                        runs = more
                    runs[total, 0], runs[total, 1] = (begin, j - length) if step > 0 else (i + 1, j + 1)
                    runs[total, 2] = length
                    total += 1
                if score > best:
                    best, best_total = score, total
                # The nearest place where the texts agree again.
                distance, found_a, found_b, cost = 0, -1, -1, 0
                cheap = True
                while cheap and found_a < 0:
                    distance += 1
                    cheap = False
                    for turn in range(2 * distance + 1):
                        # (d, d), then (d, d - 1), (d - 1, d), and so on.
                        other = distance - (turn + 1) // 2
                        x = i + step * (distance if turn % 2 == 1 or turn == 0 else other)
                        y = j + step * (other if turn % 2 == 1 or turn == 0 else distance)
                        if x < 0 or x >= size_a or y < 0 or y >= size_b:
                            continue
                        if step > 0:
                            cost = max(worth_a[x] - worth_a[i], worth_b[y] - worth_b[j])
                        else:
                            cost = max(worth_a[i + 1] - worth_a[x + 1], worth_b[j + 1] - worth_b[y + 1])
                        if cost > reach or score - cost < best - reach:
                            continue
                        cheap = True
                        gained, p, q = 0, x, y
                        while gained < agreed and 0 <= p < size_a and 0 <= q < size_b and a[p] == b[q]:
                            gained += worth_a[p + 1] - worth_a[p]
                            p += step
                            q += step
                        if gained >= agreed:
                            found_a, found_b = x, y
                            break
                if found_a < 0:
                    break
                score -= cost
                i, j = found_a, found_b
                if used[i] >= kept or tries[i] >= tried:
                    break
            total = best_total
            worth += best
            if step < 0:
                low, high = first, total - 1
                while low < high:
                    for column in range(3):
                        runs[low, column], runs[high, column] = runs[high, column], runs[low, column]
                    low += 1
                    high -= 1
        start = bounds[candidates]
        for row in range(start, total):
            for step in range(runs[row, 2]):
                i = runs[row, 0] + step
                tries[i] += 1
                if worth >= least:
                    partners[i, used[i]] = runs[row, 1] + step
                    used[i] += 1
        if worth < least:
            total = start
            continue
        candidates += 1
        if candidates == len(bounds):
            longer = np.zeros(2 * candidates, np.int64)
            longer[:candidates] = bounds
            bounds = longer
        bounds[candidates] = total
    return bounds[: candidates + 1].copy(), runs[:total].copy()
