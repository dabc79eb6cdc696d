"""Texts that are worth comparing with new ones: what `matching.candidates` finds, over stored keys.

Input    the keys of new texts
Output   `Pairs`: the new texts with those of the index that are candidates, and which are pairs
Cost     a look-up of each key; for many texts at once the candidates stage over what was found

A pair is a candidate if a band key is equal, or enough fingerprints are (`candidates.needed_fingerprints`). A key that
more than `Settings.hot_key_documents` texts have is hot, and is sampled: a new text is compared with the two of the
first texts of its hot keys that share most of these with it, and with the best of the last ones.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect.index.evidence import BY_HOT_KEY, BY_KEYS, Texts
from dupdetect.matching.candidates import are_enough, find_by_keys, needed_fingerprints
from dupdetect.matching.keys import Keys, Source
from dupdetect.matching.pairs import missing, pack, unpack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from dupdetect._storage.context import Context
    from dupdetect.index.keys import Found, KeyTable
    from dupdetect.index.stores import Row, Session
    from dupdetect.matching.pairs import Pairs

    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]
    Hashes = NDArray[np.uint64]

_TEXTS = "SELECT text, words, digest, fingerprints FROM texts"
_NONE = np.empty(0, np.uint64)


class New(NamedTuple):
    """A text that is new, or is to be compared anew.

    Attributes
    ----------
    number : int
        Its number in the index; -1 for one that is only asked about.
    words : int
    digest : bytes
    keys : uint64[n]
        Band keys, then fingerprints.
    """

    number: int
    words: int
    digest: bytes
    keys: Hashes


class Compared(NamedTuple):
    """What is to be compared.

    Attributes
    ----------
    texts : Texts
    pairs : uint64[n]
        Candidates, by the places of texts; each has a new one.
    sampled : uint64[m]
        Those of them that hot keys gave.
    """

    texts: Texts
    pairs: Pairs
    sampled: Pairs

    def origin(self, pairs: Pairs) -> Int:
        """Return how each of the pairs was found."""
        return np.where(missing(pairs, self.sampled), BY_KEYS, BY_HOT_KEY)


def search(session: Session, table: KeyTable, new: list[New], context: Context) -> Compared:
    """Find the candidates of new texts, among one another too; one without words has none."""
    bands, new = context.settings.banding[0], [each for each in new if each.words]
    if not new:
        return Compared(Texts.of([]), _NONE, _NONE)
    if len(new) == 1:
        rows, sampled = _partners(session, table, new[0], bands, context)
        if not rows:
            return Compared(Texts.of([]), _NONE, _NONE)
        texts = Texts.of([new[0], *rows])
        is_new = texts.numbers == new[0].number
        place, others = int(is_new.argmax()), np.flatnonzero(~is_new)
        pairs, by_hot_key = pack(np.full(len(others), place), others), _NONE
        if sampled:
            places = texts.places(sorted(sampled))
            by_hot_key = pack(np.full(len(places), place), places)
        return Compared(texts, pairs, by_hot_key)
    return _search_many(session, table, new, bands, context)


# ---- one ----


def _partners(session: Session, table: KeyTable, new: New, bands: int, context: Context) -> tuple[list[Row], set[int]]:
    """Return the rows of the texts that are candidates for one, and which of them hot keys gave."""
    is_band = np.arange(len(new.keys)) < bands
    found = table.look_up(session, new.keys, is_band)
    distinct = set(found.texts.tolist())
    numbers = sorted(distinct - {new.number})
    if not numbers:
        return [], set()
    rows = {row[0]: row for row in session.find(_TEXTS, "text", numbers)}
    keys, texts = found.keys, found.texts
    if len(rows) < len(distinct):  # some are there no more, or the new text itself was found
        there = np.isin(texts, np.array(list(rows), np.int64))
        keys, texts = keys[there], texts[there]
    hot = np.bincount(keys, minlength=len(new.keys)) >= context.settings.hot_key_documents
    chosen = set(texts[is_band[keys] & ~hot[keys]].tolist())
    chosen |= _by_fingerprints(texts[~is_band[keys] & ~hot[keys]], rows, hot[bands:], context)
    sampled: set[int] = set()
    if hot.any():
        for band in (True, False):
            which = hot[keys] & (is_band[keys] == band)
            share = 0.0 if band else context.settings.min_shared_fingerprints
            sampled |= _sampled(keys[which], texts[which], share)
    return [rows[number] for number in sorted(chosen | sampled)], sampled


def _by_fingerprints(texts: Int, rows: dict[int, Row], hot: Bool, context: Context) -> set[int]:
    """Return the texts that share enough fingerprints that are not hot.

    A text that is in the index is taken to have as many hot ones as the new text, but no less than nothing beside what
    it shares: which of its keys are hot by now, nobody keeps.
    """
    numbers, shared = np.unique(texts, return_counts=True)
    count = int(hot.sum())
    lengths = np.array([rows[number][3] for number in numbers.tolist()], np.int64)
    fewer = np.minimum(np.maximum(lengths - count, shared), len(hot) - count)
    return set(numbers[are_enough(shared, fewer, context.settings.min_shared_fingerprints)].tolist())


def _sampled(keys: Int, texts: Int, share: float) -> set[int]:
    """Return the best of the first two texts of each hot key, two of them, and the best of the last ones."""
    if len(keys) == 0:
        return set()
    order = np.lexsort((texts, keys))
    keys, texts = keys[order], texts[order]
    distinct, first = np.unique(keys, return_index=True)
    last = np.append(first[1:], len(keys)) - 1
    need = needed_fingerprints(float(len(distinct)), share)
    chosen: set[int] = set()
    for places, most in ((np.concatenate([first, first + 1]), 2), (last, 1)):
        counted = Counter(texts[places].tolist())
        best = sorted(counted, key=lambda text: (-counted[text], text))[:most]
        chosen |= {text for text in best if counted[text] >= need}
    return chosen


# ---- many ----


def _search_many(session: Session, table: KeyTable, new: list[New], bands: int, context: Context) -> Compared:
    lengths = np.array([len(each.keys) for each in new])
    keys = np.concatenate([each.keys for each in new])
    is_band = np.arange(len(keys)) - np.repeat(np.cumsum(lengths) - lengths, lengths) < bands
    distinct, first = np.unique(keys, return_index=True)
    found = table.look_up(session, distinct, is_band[first])
    rows = _there(session, found, new)
    texts = Texts.of([*new, *rows])
    stored = np.array([row[0] for row in rows], np.int64)
    number = texts.places(np.concatenate([np.array([each.number for each in new]), stored])).astype(np.int32)
    at = np.flatnonzero(np.isin(found.texts, stored))
    order = at[np.argsort(found.texts[at], kind="stable")]
    hit, whose = found.keys[order], np.searchsorted(stored, found.texts[order])
    sources = []
    for band, share in ((True, 0.0), (False, context.settings.min_shared_fingerprints)):
        mine = is_band == band
        own = Keys.of(keys[mine], _offsets(lengths, bands, band))
        theirs = is_band[first][hit] == band
        counts = np.bincount(whose[theirs], minlength=len(stored))
        others = Keys.of(distinct[hit[theirs]], np.append(0, np.cumsum(counts)), len(new))
        each = np.full(len(number), bands)
        if not band:
            each = np.concatenate([lengths - bands, np.array([row[3] for row in rows], np.int64)])
        sources.append(Source([own, others], each, share))
    candidates = find_by_keys(sources, number, context)
    is_new = np.zeros(len(texts), np.bool_)
    is_new[number[: len(new)]] = True

    def with_new(pairs: Pairs) -> Pairs:
        a, b = unpack(pairs)
        return pairs[is_new[a] | is_new[b]]

    return Compared(texts, with_new(candidates.pairs), with_new(candidates.sampled))


def _offsets(lengths: Int, bands: int, band: bool) -> Int:
    return np.append(0, np.cumsum(np.full(len(lengths), bands) if band else lengths - bands))


def _there(session: Session, found: Found, new: Iterable[New]) -> list[Row]:
    """Return the rows of the texts that were found, are still there, and are none of the new ones; in order."""
    numbers = np.setdiff1d(found.texts, np.array([each.number for each in new], np.int64))
    return sorted(session.find(_TEXTS, "text", numbers.tolist()))
