"""Votes to weights: which shared text came with the page, and not with the article.

Input    what candidate pairs share, and the documents' texts
Output   the same with `Weights`: what it is worth as evidence of a copy
Cost     a pass over the texts of pairs in doubt, and O(shingles) for each such pair

Two strangers in the same suit share its menus, teasers and legal notices; one article in two suits shares little else
than its text. Four things tell the one from the other, all learned from the corpus itself:

* **Lines.** Menus are short lines among short lines; sentences are prose (`dupdetect.lines`). A shingle that is of
  prose in neither document weighs `SHORT`: what they share anywhere, what a document has of its own where that stands
  both before and behind what is shared, for chrome stands around a text.
* **Frames.** Where a suit is worn by two, each has text of its own *between* what they share; where an article is, its
  pages differ around it. A pair is *framed* if both documents have so `OWN` words of prose of their own, in stretches
  of `STRETCH` shingles and more, and it is, in one of them at least, a `PART` of the longest stretch that they share (a
  long story with a teaser or two inside is no suit). Fewer than `EDGE` shared shingles in a row are chance, and no
  frame. What they share must not stand *within*, that is, text of its own before it in one of them, and behind it in
  one: chrome reaches an edge of both. Nor may the longest stretch stand *amid* own text in both, `AMID` times as long:
  that is a story between an outlet's teasers, whatever else the outlets have in common. And edits are no text of one's
  own: where more than `BITS` of that comes in shorter stretches, one must have more than the other, by `TURN`.
* **Votes.** A framed pair says of each shingle it shares: *template*. One whose smaller document lies inside the other,
  more than `INSIDE` of its prose, says: *content*; and so does one of which `HALF` of the prose of either is shared and
  stands within, with no `PART` of it own text between. With more than two thirds of the votes for it, a shingle is
  template, and weighs `TEMPLATE`. A pair's own vote is left out when it is judged itself, lest it convict itself.
* **The threshold.** A framed pair is no text inside another: as much of it must be shared as of any two near
  duplicates (`Settings.threshold`), and not `Settings.containment`.

A pair of which the smaller has next to nothing of its own is judged as it is, unless shingles of it are template. So
a family of copies is never in doubt, and where no pair is in doubt nothing is laid out and nothing voted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np

from dupdetect.candidates import missing, spread, unpack
from dupdetect.layouts import BLOCK, Layouts, Met, find_partners, read_frames, weigh_pairs
from dupdetect.loops import Loop, on_threads
from dupdetect.verify import NONE, ROUNDED, Overlaps, Verifier, is_inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from dupdetect.candidates import Pairs
    from dupdetect.settings import Settings
    from dupdetect.sketches import Kept, Texts

    Int = NDArray[np.int64]
    Int32 = NDArray[np.int32]
    Hashes = NDArray[np.uint64]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]

R = TypeVar("R")

# The figures below were measured on 3,908 web pages and clean texts, and on the 1,954 pages alone, as they are and with
# their lines broken at 72 characters; each is from the middle of a range in which little changes.

#: Weight of a shingle that is of prose in neither document (0.02 to 0.2 do the same).
SHORT = 0.05

#: Weight of a shingle that is template. Not nothing: two pages that are template and no more are still copies.
TEMPLATE = 0.02

#: Words of prose of its own that a framed document has at least (25 to 50).
OWN = 32

#: Shingles in a row that are text of its own (16 to 24).
STRETCH = 16

#: What of the longest shared stretch this must be (0.2 to 0.33).
PART = 0.25

#: How many times as long as the own text between shared ones a story amid teasers is, at least (1 to 2).
AMID = 2.0

#: What of its own between shared text comes in shorter stretches, at the most, unless one has more than the other.
BITS = 0.5

#: How much more own text one of them has than the other, where it comes in bits (a word changed leaves both as long).
TURN = 0.1

#: Shingles in a row that are shared where a frame begins and ends (1 to 3).
EDGE = 3

#: Share of the prose of the smaller document that makes it content of the larger (0.9 to 0.95).
INSIDE = 0.9

#: Share of the prose of either that makes what stands within content (0.5; at 0.6 fewer articles are kept).
HALF = 0.5

#: Votes for template that one for content outweighs.
AGAINST = 2

#: Share of the smaller document below which a pair is no match whatever its weights (0.2 to 0.4).
FLOOR = 0.25

#: Votes of each kind that a document takes part in at the most: a large family votes no more often than a small one.
VOTES = 16

#: The lead of a shingle that no framed pair shares: whatever its other votes, it is content.
NO_LEAD = np.int32(-(2**30))

#: An odd number that makes of pairs an order that has nothing to do with them.
_SHUFFLE = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Templates:
    """What a corpus says of its shingles.

    Attributes
    ----------
    shingles : uint64[n]
        Those that a framed pair shares: hashes, their lowest bit cleared; sorted, distinct.
    lead : int32[n]
        Votes for template, less `AGAINST` times those for content.
    pairs : uint64[m], optional
        The pairs that voted, packed; sorted. None where this is not known: each pair then counts as one that voted.
    votes : int32[m]
        What each of them added to the lead of the shingles it shares.
    """

    shingles: Hashes
    lead: Int32
    pairs: Pairs | None
    votes: Int32

    @cached_property
    def lookup(self) -> Lookup:
        """Finds where shingles stand among `shingles`."""
        return Lookup(self.shingles)

    @classmethod
    def none(cls) -> Templates:
        """Return what a corpus says that has no framed pairs."""
        empty = np.empty(0, np.uint64)
        return cls(empty, np.empty(0, np.int32), empty, np.empty(0, np.int32))

    def votes_of(self, pairs: Pairs, read: _Read) -> Int32:
        """Return what each pair voted itself, 0 if it did not."""
        if self.pairs is None:
            return np.select([read.framed, read.inside], [1, -AGAINST], 0).astype(np.int32)
        votes = np.zeros(len(pairs), np.int32)
        voted = ~missing(pairs, self.pairs)
        votes[voted] = self.votes[np.searchsorted(self.pairs, pairs[voted])]
        return votes


class _Read(NamedTuple):
    """What was read of pairs, bool[n]: whether they are clear, framed, and one inside the other."""

    clear: Bool
    framed: Bool
    inside: Bool

    def where(self, chosen: Int) -> _Read:
        """Return some of the pairs."""
        return _Read(*(column[chosen] for column in self))


class Judge(Verifier):
    """A verifier that weighs what pairs share.

    Parameters
    ----------
    texts, rows, settings, workers, kept
        As `Verifier` has them; with ``settings.weighs`` false it is no more than that.
    templates : Templates, optional
        What the corpus says; until `learn` is called, nothing.
    """

    def __init__(
        self,
        texts: Texts,
        rows: Int,
        settings: Settings,
        workers: int,
        *,
        kept: Kept | None = None,
        templates: Templates | None = None,
    ) -> None:
        super().__init__(texts, rows, settings, workers, kept=kept)
        self._layouts = Layouts(texts, rows, settings, workers)
        self._adopt(templates or Templates.none())

    def _adopt(self, templates: Templates) -> None:
        self.templates = templates
        # Beside the layouts' values, as far as they have been looked up: the lead of each shingle, and how many up to
        # it are template.
        self._lead, self._until = np.empty(0, np.int32), np.zeros(1, np.int64)

    def matches(self, pairs: Pairs, settings: Settings) -> Overlaps:
        """Return the pairs that are copies, weighed by what has been learned."""
        found = self.sharing(pairs, settings)
        return self.weighed(found).matches(settings)

    def sharing(self, pairs: Pairs, settings: Settings, *, floor: float = FLOOR) -> Overlaps:
        """Return the pairs that share enough to be judged."""
        return super().sharing(pairs, settings, floor=floor if settings.weighs else 1.0)

    def weighed(self, found: Overlaps) -> Overlaps:
        """Weigh pairs, from `sharing`, by what has been learned."""
        return self._weighed(found, self._read(found)) if self._settings.weighs else found

    def certain(self, found: Overlaps) -> Bool:
        """Mark pairs, from `sharing`, that are matches however they are weighed: what `weighed` would find, for less.

        Where a document has next to nothing of its own, what it shares weighs at least what all of it weighs at worst,
        less one for each shingle of its own. So a family of copies is known by its members, and not by their pairs.
        """
        clear = _clear(found)
        if not self._settings.weighs or len(self.templates.shingles) == 0:
            return np.asarray(clear & (found.relations(self._settings) != NONE))
        rows = np.flatnonzero(clear)
        some = found.where(rows)
        lead, pages = self._leads(some.pairs), self._layouts.pages
        template = lead > -AGAINST  # whatever a pair's own vote
        weight = np.where(pages.prose, 1.0, SHORT)
        weights = np.append(0, np.cumsum(np.where(template, np.minimum(weight, TEMPLATE), weight)))
        contents = np.append(0, np.cumsum(~template))
        start = pages.starts[np.where(some.size_a <= some.size_b, some.a, some.b)]
        end, own = start + some.smaller, some.smaller - some.shared
        least, content = weights[end] - weights[start] - own, contents[end] - contents[start] - own
        share = least / np.maximum(least + own, TEMPLATE)
        clear[rows] = is_inside(share - ROUNDED, some.smaller, content - ROUNDED, False, self._settings)
        return clear

    def learn(self, found: Overlaps) -> Overlaps:
        """Let pairs vote; return them weighed.

        Parameters
        ----------
        found : Overlaps
            Candidates, from `sharing`.
        """
        if not self._settings.weighs:
            return found
        read = self._read(found)
        template, content = (_sample(found.pairs[chosen]) for chosen in (read.framed, read.inside))
        if len(template):
            shingles, votes = self._tally(template)
            self._adopt(Templates(shingles, votes, np.empty(0, np.uint64), np.empty(0, np.int32)))
            lead = votes - AGAINST * self._known(content)
            pairs = np.concatenate([template, content])
            cast = np.repeat(np.array([1, -AGAINST], np.int32), [len(template), len(content)])
            order = np.argsort(pairs)
            self._adopt(Templates(shingles, lead.astype(np.int32), pairs[order], cast[order]))
        return self._weighed(found, read)

    def _read(self, found: Overlaps) -> _Read:
        """Read how the pairs in doubt share what they share."""
        clear = _clear(found)
        framed, inside = np.zeros(len(clear), np.bool_), clear.copy()
        doubtful = np.flatnonzero(~clear)
        read = read_frames.worth(_steps(found.where(doubtful)))
        parts = self._each(found.pairs[doubtful], lambda _, met: read(*met, SHORT, STRETCH, EDGE))
        rows = np.concatenate([np.empty((0, 16)), *parts])
        share, stretch, between, before, behind, bits, ahead, after = (rows[:, 2 * n : 2 * n + 2] for n in range(8))
        within = before.any(axis=1) & behind.any(axis=1)
        wide = (between >= PART * stretch).any(axis=1)
        own_text = between + bits
        turned = own_text.max(axis=1) - own_text.min(axis=1) >= TURN * own_text.max(axis=1)
        suit = (between >= OWN).all(axis=1) & (turned | (bits <= BITS * between).all(axis=1))
        amid = ((ahead > 0) & (after > 0) & (stretch >= AMID * between)).all(axis=1)
        framed[doubtful] = suit & wide & ~within & ~amid
        most = share.max(axis=1)
        inside[doubtful] = ((most > INSIDE) | (within & ~wide & (most >= HALF))) & ~framed[doubtful]
        return _Read(clear, framed, inside)

    def _tally(self, pairs: Pairs) -> tuple[Hashes, Int32]:
        """Count the pairs that share each shingle: uint64[n], sorted, and int32[n]."""
        parts = self._shared(pairs, lambda values: _counted(values, None))
        shingles, votes = _counted(*(np.concatenate(part) for part in zip(*parts, strict=True)))
        return shingles, votes.astype(np.int32)

    def _known(self, pairs: Pairs) -> Int:
        """Count the pairs that share each shingle of `templates.shingles`: int64[n]."""
        n, lookup = len(self.templates.shingles), self.templates.lookup

        def count(values: Hashes) -> Int:
            places = lookup(values)
            return np.bincount(places[places >= 0], minlength=n)

        return np.sum([np.zeros(n, np.int64), *self._shared(pairs, count)], axis=0)  # type: ignore[no-any-return]

    def _shared(self, pairs: Pairs, work: Callable[[Hashes], R]) -> list[R]:
        """Give the shingles that pairs share, those of a block of pairs end to end, to threads."""

        def block(_: slice, met: Met) -> R:
            values = met.pages.values[spread(met.pages.starts[met.b], np.diff(met.bounds))]
            return work(values[met.partners >= 0])

        return self._each(pairs, block)

    def _weighed(self, found: Overlaps, read: _Read) -> Overlaps:
        """Weigh pairs: those in doubt, and those that hold template."""
        weighed = ~read.clear
        if len(self.templates.shingles):
            weighed |= self._touched(found, np.flatnonzero(read.clear))
        chosen = np.flatnonzero(weighed)
        if len(chosen) == 0:
            return found
        pairs = found.pairs[chosen]
        lead, votes = self._leads(pairs), self.templates.votes_of(pairs, read.where(chosen))
        weigh = weigh_pairs.worth(_steps(found.where(chosen)))
        rows = np.concatenate(self._each(pairs, lambda part, met: weigh(*met, lead, votes[part], SHORT, TEMPLATE)))
        weights = found.weights
        for column, values in zip(weights, rows.T, strict=False):
            column[chosen] = values
        weights.template[chosen] /= np.maximum(found.shared[chosen], 1)
        weights.framed[chosen] = read.framed[chosen]
        return Overlaps(found.pairs, found.shared, found.size_a, found.size_b, weights)

    def _touched(self, found: Overlaps, rows: Int) -> Bool:
        """Mark those pairs at `rows` of which either document holds template."""
        pairs = found.pairs[rows]
        self._leads(pairs)
        pages, until = self._layouts.pages, self._until
        touched = np.zeros(len(found.pairs), np.bool_)
        for side in unpack(pairs):
            start = pages.starts[side]
            touched[rows] |= until[start + pages.sizes[side]] > until[start]
        return touched

    def _leads(self, pairs: Pairs) -> Int32:
        """Return the lead of each shingle that is laid out, those of the pairs' documents among them."""
        self._layouts.meet(np.concatenate(unpack(pairs)))
        values = self._layouts.pages.values[len(self._lead) :]
        if len(values):
            lead = np.append(self.templates.lead, NO_LEAD)
            lookup = self.templates.lookup
            blocks = np.array_split(values, 8 * self._workers)
            leads = on_threads(lambda v: lead[lookup(v)], blocks, self._workers)
            self._lead = np.concatenate([self._lead, *leads])
            template = np.cumsum(np.concatenate(leads) > 0) + self._until[-1]
            self._until = np.concatenate([self._until, template])
        return self._lead

    def _each(self, pairs: Pairs, work: Callable[[slice, Met], R]) -> list[R]:
        """Lay pairs out, and give blocks of them to threads: which of the pairs, and how they meet."""
        if len(pairs) == 0:
            return []
        self._layouts.meet(np.concatenate(unpack(pairs)))
        pages = self._layouts.pages
        a, b = unpack(pairs)
        ends = np.cumsum(pages.sizes[b])
        find = find_partners.worth(float(ends[-1] + pages.sizes[a].sum()))
        most = min(BLOCK, int(ends[-1]) // (4 * self._workers) + 1)
        cuts = np.unique([0, *np.searchsorted(ends, np.arange(most, int(ends[-1]), most)), len(pairs)])

        def block(cut: tuple[int, int]) -> R:
            part = slice(*cut)
            bounds = np.concatenate([[0], np.cumsum(pages.sizes[b[part]])])
            met = pages, a[part], b[part], bounds
            return work(part, Met(*met, find(*met)))

        return on_threads(block, pairwise(cuts.tolist()), self._workers)


def _clear(found: Overlaps) -> Bool:
    """Mark pairs of which the smaller has next to nothing of its own."""
    return (found.smaller - found.shared < OWN) & (found.containment > INSIDE)


def _steps(found: Overlaps) -> float:
    """Return how many steps a loop over pairs takes."""
    return 3.0 * float((found.size_a + found.size_b).sum())


class Lookup:
    """Finds where values stand among sorted distinct hashes.

    Parameters
    ----------
    hashes : uint64[n]
    """

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = hashes
        self._table = fill_table.worth(2.0 * len(hashes))(hashes, 1 << (4 * len(hashes)).bit_length())

    def __call__(self, values: Hashes) -> Int32:
        """Return the place of each value, int32[m]; -1 for those that are not there."""
        return find_values.worth(2.0 * len(values))(self._hashes, self._table, values)


@Loop
def fill_table(hashes: Hashes, size: int) -> Int32:
    """Return a table of `size` places, a power of two, that leads from a hash to its number; -1 where there is none."""
    table = np.full(size, np.int32(-1), np.int32)
    for number in range(len(hashes)):
        place = np.int64(hashes[number] >> np.uint64(1)) & (size - 1)
        while table[place] >= 0:
            place = (place + 1) & (size - 1)
        table[place] = number
    return table


@Loop
def find_values(hashes: Hashes, table: Int32, values: Hashes) -> Int32:
    """Return the number of each value among the hashes that fill the table, or -1."""
    found = np.empty(len(values), np.int32)
    mask = len(table) - 1
    for index in range(len(values)):
        place = np.int64(values[index] >> np.uint64(1)) & mask
        while table[place] >= 0 and hashes[table[place]] != values[index]:
            place = (place + 1) & mask
        found[index] = table[place]
    return found


def _counted(values: Hashes, counts: Int | None) -> tuple[Hashes, Int]:
    """Return the distinct values, sorted, and the sum of the counts of each, one each if not given."""
    order = np.argsort(values) if counts is not None else slice(None)
    values = np.sort(values)
    first = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]])[: len(values)])
    if counts is None:
        return values[first], np.diff(np.append(first, len(values)))
    return values[first], np.add.reduceat(counts[order], first) if len(first) else counts


def _sample(pairs: Pairs) -> Pairs:
    """Return pairs such that no document is in more than `VOTES` of them; which, depends on the pairs alone."""
    shuffled = pairs[np.argsort(pairs * _SHUFFLE)]
    documents = np.stack(unpack(shuffled), axis=1).ravel()
    order = np.argsort(documents, kind="stable")
    start = np.searchsorted(documents[order], documents[order])
    turn = np.empty(len(documents), np.int64)
    turn[order] = np.arange(len(documents)) - start
    return np.sort(shuffled[turn.reshape(-1, 2).max(axis=1) < VOTES])
