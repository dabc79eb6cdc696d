"""Which texts have a key: band keys and fingerprints, of all texts, on disk.

Input    keys of new texts, to be stored; keys of a text, to be looked up
Output   the texts that have each
Cost     of a look-up: a filter for each segment, in memory, and a page for each key that a filter knows; of storing:
         one row for a text, and some five times its keys again as segments are merged, at a million texts

A key is in a row of its own nowhere: sixty rows a text in random places would be most of a database, and most of its
writing. Keys of single texts are kept as they came, in the log. When the log is long, or many texts come at once, they
become a *segment*: their keys sorted, in pages. So a segment holds the keys of the texts from its first to its last,
and is never changed. Eight small ones are merged into one, together with those before them that are not much larger:
sizes fall from the first to the last, so that few have to be looked at, and none is written again for little.

What was removed stays in its segment until that is merged: whoever looks up drops texts that are there no more. Of a
key that very many texts have, the first `LISTED` are listed.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dupdetect.index.pages import (
    empty_filter,
    fill_filter,
    find_in_pages,
    joined,
    list_pages,
    mixed,
    pages_of,
    unpack_pages,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from dupdetect.index.stores import Session

    Int = NDArray[np.int64]
    Bool = NDArray[np.bool_]
    Hashes = NDArray[np.uint64]

#: Texts that the log holds before it becomes a segment, and as many at once as become one right away.
LOG_TEXTS, AT_ONCE = 2048, 256

#: Small segments that are merged into one, and keys from which on a segment is not small.
MERGED, SMALL = 8, 1 << 20

#: A segment is merged with all that are behind it if it has at most so many times their keys. More would be read less
#: often: keys that many texts have are in each segment; but all would be written more often.
GROWTH = 3

#: Texts of a key that are listed, as multiples of `Settings.hot_key_documents`.
LISTED = 4

#: Entries that are merged at a time, and keys that are hashed at a time, so that they stay in the processor's cache.
ENTRIES, IN_CACHE = 1 << 18, 1 << 14

#: Pages beyond two for each key for which there is room at first: a key is in several segments, or on several pages.
ROOM = 64

#: Pages that are in memory at a time: 2 MB, which stay in the processor's cache.
PAGES = 256

_NONE = np.empty(0, np.int64)

#: The version of segments that are kept for another.
_NO_VERSION = 0

#: Bits of a page's number within its segment; from which number on pages are of its filter, and words of such a page.
PAGE_BITS, FILTER_PAGES, FILTER_WORDS = 32, 1 << 31, 1 << 17


class Found(NamedTuple):
    """What was looked up: a text for each key that it has.

    Attributes
    ----------
    keys : int64[n]
        Which of the keys.
    texts : int64[n]
        A text that has it; perhaps one that was removed.
    """

    keys: Int
    texts: Int


@dataclass(eq=False)
class Segment:
    """Keys of texts that follow one another.

    Attributes
    ----------
    number : int
    first, last : int
        Texts; values are counted from the first.
    entries, texts, dead : int
        Keys, the texts that they are of, and those of them that were removed since.
    value_bytes : int
    fences : uint64[pages]
        The first key of each page.
    filter : uint64[...]
    """

    number: int
    first: int
    last: int
    entries: int
    texts: int
    dead: int
    value_bytes: int
    fences: Hashes
    filter: Hashes

    def between(self, session: Session, first: int, last: int) -> tuple[Hashes, Int]:
        """Return the entries of the pages from the first up to the last."""
        rows = session.rows(
            "SELECT entries FROM pages WHERE place >= ? AND place < ? ORDER BY place",
            ((self.number << PAGE_BITS) + first, (self.number << PAGE_BITS) + last),
        )
        data, bounds = joined([entries for (entries,) in rows])
        unpack = unpack_pages.faster_for(50.0 * len(data))
        return unpack(data, bounds, self.fences[first:last], self.value_bytes)


class _Layout:
    """The segments that there are, and the log: of one state of the index."""

    def __init__(self, segments: list[Segment]) -> None:
        self.segments = segments
        self.logged = 0
        # Most keys are of one text alone, and have its value; the others have a list of values.
        self.log: dict[int, int | list[int]] = {}

    def note(self, keys: list[int], value: int) -> None:
        """Put keys of one text into the log."""
        new: dict[int, int | list[int]] = dict.fromkeys(keys, value)
        for key in self.log.keys() & new.keys():
            before = self.log[key]
            new[key] = [before, value] if isinstance(before, int) else [*before, value]
        self.log.update(new)


class KeyTable:
    """The keys of all texts.

    Parameters
    ----------
    bands : int
        So many of the keys of a text are band keys, and stand first.
    hot : int
        `Settings.hot_key_documents`.
    """

    def __init__(self, bands: int, hot: int) -> None:
        self._bands, self._listed = bands, LISTED * hot
        self._layouts: dict[int, _Layout] = {}
        self._lock = threading.Lock()

    def after_fork(self) -> None:
        """Read all anew in a child: another thread of its parent may have been changing what is in memory."""
        self._layouts, self._lock = {}, threading.Lock()

    # ---- looking up ----

    def look_up(self, session: Session, keys: Hashes, is_band: Bool) -> Found:
        """Return the texts that have keys of the same sort: an entry for each key and text."""
        layout = self._layout(session)
        places: list[int] = []
        found: list[int] = []
        wanted = keys.tolist() if layout.log else []
        logged = layout.log.keys() & wanted  # few: most are looked for and not there
        for place, key in enumerate(wanted) if logged else ():
            if key in logged:
                of_key = layout.log[key]
                texts = [of_key] if isinstance(of_key, int) else of_key
                places += [place] * len(texts)
                found += texts
        at: list[Int] = [np.array(places, np.int64)]
        values: list[Int] = [np.array(found, np.int64)]
        if layout.segments:
            for parts, more in zip((at, values), _in_segments(session, layout.segments, keys), strict=True):
                parts.append(more)
        all_at, all_values = np.concatenate(at), np.concatenate(values)
        alike = (all_values & 1).astype(np.bool_) == is_band[all_at]
        return Found(all_at[alike], all_values[alike] >> 1)

    def _layout(self, session: Session) -> _Layout:
        """Return the segments and the log as a transaction sees them; what is there already is not read again."""
        version, logged = session.state.layout, session.state.logged
        with self._lock:
            layout = self._layouts.get(version)
            if layout is None:
                known = {each.number: each for former in self._layouts.values() for each in former.segments}
                self._layouts.clear()
                layout = _Layout(_segments(session, known))
                self._layouts = {version: layout}
            if layout.logged < logged:
                rows = session.rows("SELECT text, keys FROM log WHERE text > ?", (layout.logged,))
                for text, keys in sorted(rows):
                    own = np.frombuffer(keys, "<u8").tolist()
                    layout.note(own[: self._bands], 2 * text + 1)
                    layout.note(own[self._bands :], 2 * text)
                layout.logged = logged
        return layout

    # ---- storing ----

    def add(self, session: Session, texts: list[int], keys: list[Hashes]) -> bool:
        """Store the keys of new texts, whose numbers are greater than all before and ascend.

        Returns
        -------
        bool
            Whether there is a new segment, so that others may be `due`.
        """
        first = session.row("SELECT min(text) FROM log")[0]
        count = 0 if first is None else texts[0] - first
        if count + len(texts) < LOG_TEXTS and len(texts) < AT_ONCE:
            rows = [(text, row.astype("<u8").tobytes()) for text, row in zip(texts, keys, strict=True)]
            session.insert("log", ("text", "keys"), rows)
            session.state.logged = texts[-1]
            return False
        logged = session.rows("SELECT text, keys FROM log ORDER BY text") if count else []
        all_texts = [text for text, _ in logged] + texts
        all_keys = [np.frombuffer(row, "<u8") for _, row in logged] + keys
        self._add_segment(session, np.array(all_texts, np.int64), all_keys)
        session.run("DELETE FROM log")
        return True

    def _add_segment(self, session: Session, texts: Int, keys: list[Hashes]) -> None:
        first, lengths = int(texts[0]), np.array([len(row) for row in keys])
        is_band = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths) < self._bands
        values = 2 * np.repeat(texts - first, lengths) + is_band
        joined_keys = np.concatenate(keys)
        order = np.argsort(joined_keys, kind="stable")
        parts = iter([self._few_of_each(joined_keys[order], values[order])])
        _write(session, (first, int(texts[-1])), parts, len(order), len(texts))

    def _few_of_each(self, keys: Hashes, values: Int) -> tuple[Hashes, Int]:
        """Drop the entries of a key beyond those that are listed."""
        new = np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)]
        first = np.maximum.accumulate(np.where(new, np.arange(len(keys)), 0))
        kept = np.arange(len(keys)) - first < self._listed
        return (keys, values) if kept.all() else (keys[kept], values[kept])

    def forget(self, session: Session, texts: list[int]) -> None:
        """Note that texts were removed."""
        for text in texts:
            if not session.run("DELETE FROM log WHERE text = ?", (text,)):
                session.run(
                    "UPDATE segments SET dead = dead + 1 WHERE first_text <= ? AND last_text >= ?", (text, text)
                )

    def due(self, session: Session, *, all_of_them: bool = False) -> list[int]:
        """Return the segments that should be merged next: the last ones, or one that is half dead."""
        rows = session.rows("SELECT segment, entries, texts, dead FROM segments ORDER BY first_text")
        if all_of_them:
            return [row[0] for row in rows]
        begin, behind = len(rows), 0
        while begin > 0 and rows[begin - 1][1] < SMALL:
            begin -= 1
            behind += rows[begin][1]
        if len(rows) - begin >= MERGED:
            while begin > 0 and rows[begin - 1][1] <= GROWTH * behind:
                begin -= 1
                behind += rows[begin][1]
            return [row[0] for row in rows[begin:]]
        return next(([segment] for segment, _, texts, dead in rows if 2 * dead > texts), [])

    def merge(self, session: Session, numbers: list[int]) -> None:
        """Merge segments that follow one another into one, without the keys of removed texts."""
        with self._lock:  # filters of what was, and the one of what comes, would be too much together
            known = {each.number: each for former in self._layouts.values() for each in former.segments}
            self._layouts = {_NO_VERSION: _Layout([each for each in known.values() if each.number not in numbers])}
        chosen = sorted(_read_segments(session, numbers, filters=False).values(), key=lambda segment: segment.first)
        first, last = chosen[0].first, chosen[-1].last
        alive = np.zeros(last - first + 1, np.bool_)
        for low in range(first, last + 1, ENTRIES):
            rows = session.rows("SELECT text FROM texts WHERE text >= ? AND text < ?", (low, low + ENTRIES))
            inside = np.array([text for (text,) in rows], np.int64) - first
            alive[inside[inside <= last - first]] = True
        total = sum(each.entries for each in chosen)
        _write(session, (first, last), self._merged(session, chosen, alive), total, int(alive.sum()))
        for segment in chosen:
            low = segment.number << PAGE_BITS
            session.run("DELETE FROM pages WHERE place >= ? AND place < ?", (low, low + (1 << PAGE_BITS)))
            session.run("DELETE FROM segments WHERE segment = ?", (segment.number,))

    def _merged(self, session: Session, segments: list[Segment], alive: Bool) -> Iterator[tuple[Hashes, Int]]:
        """Yield the entries of segments together, some at a time; equal keys are in one part."""
        first = segments[0].first
        total = sum(each.entries for each in segments)
        fences = np.sort(np.concatenate([each.fences for each in segments]))
        step = max(1, len(fences) * ENTRIES // max(total, 1))
        limits = [*np.unique(fences[step::step]).tolist(), None]
        low = 0
        for limit in limits:
            parts = []
            for segment in segments:
                begin = max(int(np.searchsorted(segment.fences, np.uint64(low), "left")) - 1, 0)
                end = len(segment.fences)
                if limit is not None:
                    end = int(np.searchsorted(segment.fences, np.uint64(limit), "left"))
                keys, values = segment.between(session, begin, end)
                inside = keys >= np.uint64(low)
                if limit is not None:
                    inside &= keys < np.uint64(limit)
                inside &= alive[(values >> 1) + segment.first - first]
                parts.append((keys[inside], values[inside] + 2 * (segment.first - first)))
            keys, values = (np.concatenate(column) for column in zip(*parts, strict=True))
            order = np.argsort(keys, kind="stable")  # segments follow one another, and so do the values of a key
            yield self._few_of_each(keys[order], values[order])
            low = limit or 0


def _in_segments(session: Session, segments: list[Segment], keys: Hashes) -> tuple[Int, Int]:
    """Return which of the keys are in any segment, and the values that each has: their pages are read at once."""
    which, places, fences, counts = _listed(segments, keys)
    if len(which) == 0:
        return _NONE, _NONE
    widths = np.array([segment.value_bytes for segment in segments], np.int64)
    firsts = np.array([2 * segment.first for segment in segments], np.int64)
    distinct, one, at = np.unique(places, return_index=True, return_inverse=True)
    of_page = np.repeat(np.arange(len(counts)), counts)[one]
    if len(distinct) <= PAGES:
        pages = Pages(distinct, fences[one], widths[of_page], firsts[of_page])
        some, values = pages.find(session, at, keys[which])
        return which[some], values
    parts = []
    order = np.argsort(at, kind="stable")
    for first in range(0, len(distinct), PAGES):
        block = slice(first, first + PAGES)
        chosen = order[slice(*np.searchsorted(at[order], (first, first + PAGES)))]
        pages = Pages(distinct[block], fences[one[block]], widths[of_page[block]], firsts[of_page[block]])
        some, values = pages.find(session, at[chosen] - first, keys[which[chosen]])
        parts.append((which[chosen[some]], values))
    all_which, all_values = (np.concatenate(column) for column in zip(*parts, strict=True))
    return all_which, all_values


def _listed(segments: list[Segment], keys: Hashes) -> tuple[Int, Int, Hashes, list[int]]:
    """Return which of the keys may be on which page, the first key there, and how many of these each segment has."""
    hashes, room = mixed(keys), 2 * len(keys) + ROOM
    run = list_pages.faster_for(16.0 * len(keys) * len(segments))
    while True:
        which, places, fences = np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.uint64)
        count, counts = 0, []
        for segment in segments:
            before, base = count, segment.number << PAGE_BITS
            count = run(segment.filter, segment.fences, base, keys, *hashes, count, which, places, fences)
            counts.append(count - before)
        if count <= room:
            return which[:count], places[:count], fences[:count], counts
        room = count


class Pages(NamedTuple):
    """Pages that are looked at together.

    Attributes
    ----------
    places : int64[n]
    fences : uint64[n]
        The first key of each.
    widths, firsts : int64[n]
        How many bytes a value has there, and the value from which others are counted.
    """

    places: Int
    fences: Hashes
    widths: Int
    firsts: Int

    def find(self, session: Session, page_of: Int, keys: Hashes) -> tuple[Int, Int]:
        """Return which keys are there, given on which of these pages each is looked for, and the values of each."""
        wanted = self.places.tolist()
        read: dict[int, bytes] = dict(session.find("SELECT place, entries FROM pages", "place", wanted))
        data, bounds = joined([read[place] for place in wanted])
        find = find_in_pages.faster_for(100.0 * len(keys))
        found, values = find(data, bounds, self.fences, self.widths, page_of.astype(np.int64), keys)
        return found, values + self.firsts[page_of[found]]


def _segments(session: Session, known: dict[int, Segment]) -> list[Segment]:
    """Return all segments, in order; those that are known are not read."""
    numbers = [number for (number,) in session.rows("SELECT segment FROM segments ORDER BY first_text")]
    for number in known.keys() - set(numbers):  # their filters go before others are read
        del known[number]
    every = known | _read_segments(session, [number for number in numbers if number not in known])
    return [every[number] for number in numbers]


def _read_segments(session: Session, numbers: list[int], *, filters: bool = True) -> dict[int, Segment]:
    """Read segments, by their numbers; with their filters or without."""
    columns = "segment, first_text, last_text, entries, texts, dead, value_bytes, fences, filter_words"
    return {
        row[0]: Segment(
            *(*row[:7], np.frombuffer(row[7], "<u8"), _read_filter(session, row[0], row[8] if filters else 0))
        )
        for row in session.find(f"SELECT {columns} FROM segments", "segment", numbers)
    }


def _read_filter(session: Session, number: int, words: int) -> Hashes:
    """Read the filter of a segment, a page at a time: twice the memory of all of it would be much."""
    bits = np.empty(words, np.uint64)
    for first in range(0, words, FILTER_WORDS):
        place = (number << PAGE_BITS) + FILTER_PAGES + first // FILTER_WORDS
        (page,) = session.row("SELECT entries FROM pages WHERE place = ?", (place,))
        bits[first : first + FILTER_WORDS] = np.frombuffer(page, "<u8")
    return bits


def _write(
    session: Session, span: tuple[int, int], parts: Iterator[tuple[Hashes, Int]], entries: int, texts: int
) -> None:
    """Write a segment of the texts of a span, so many of them, of sorted parts with so many entries at the most."""
    number = session.state.segment
    value_bytes = max(2, -(-(2 * (span[1] - span[0]) + 1).bit_length() // 8))
    bits, count = empty_filter(entries), 0
    fences: list[int] = []
    for keys, values in parts:
        fill = fill_filter.faster_for(8.0 * len(keys))
        for first in range(0, len(keys), IN_CACHE):
            fill(bits, *mixed(keys[first : first + IN_CACHE]))
        rows = []
        for fence, page in pages_of(keys, values, value_bytes):
            rows.append(((number << PAGE_BITS) + len(fences), page))
            fences.append(fence)
        session.insert("pages", ("place", "entries"), rows)
        count += len(keys)
    filter_place = (number << PAGE_BITS) + FILTER_PAGES
    for first in range(0, len(bits), FILTER_WORDS):
        page = bits[first : first + FILTER_WORDS].astype("<u8", copy=False).tobytes()
        session.insert("pages", ("place", "entries"), [(filter_place + first // FILTER_WORDS, page)])
    session.insert(
        "segments",
        ("segment", "first_text", "last_text", "entries", "texts", "dead", "value_bytes", "fences", "filter_words"),
        [(number, *span, count, texts, 0, value_bytes, np.array(fences, "<u8").tobytes(), len(bits))],
    )
    session.state.segment += 1
    session.state.layout += 1
