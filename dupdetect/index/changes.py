"""What changes an index: documents that come, are replaced, or go, within one transaction.

Input    documents with their sketches; numbers of documents that go
Output   the tables of the index, as they are to be
Cost     a look-up of each key, a verification of each candidate pair, and the clusters that are touched

All is done or nothing: the transaction is the caller's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect.clustering.clusters import blank
from dupdetect.index.bodies import Raw, checksum, first_documents, read_texts_of
from dupdetect.index.estimates import count_of_shingles
from dupdetect.index.evidence import COLUMNS, to_rows
from dupdetect.index.grouping import regroup, still_represented
from dupdetect.index.searching import Compared, New, search
from dupdetect.matching.pairs import unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dupdetect.index.grouping import Regrouped
    from dupdetect.index.holdings import Holdings
    from dupdetect.index.stores import Row, Session
    from dupdetect.sketches.sketches import Sketches


#: Pairs that are verified at a time: of each, up to two texts are in memory.
PAIRS = 1024


class Batch(NamedTuple):
    """Documents that come.

    Attributes
    ----------
    ids : list of str
        As the index stores them.
    texts : sequence of bytes
        As they came.
    bodies : list of bytes
        The same, compressed; empty where texts are left out.
    sketches : Sketches
        Of the cleaned texts.
    metadata : list of str or None
        JSON.
    expires : list of int or None
    """

    ids: list[str]
    texts: Sequence[Raw]
    bodies: list[bytes]
    sketches: Sketches
    metadata: list[str | None]
    expires: list[int | None]

    def some(self, rows: list[int], ids: list[str]) -> Batch:
        """Return some of them, under ids."""
        return Batch(
            ids,
            [self.texts[row] for row in rows],
            [self.bodies[row] for row in rows] if self.bodies else [],
            self.sketches.take(np.array(rows, np.int64)),
            [self.metadata[row] for row in rows],
            [self.expires[row] for row in rows],
        )


def sketched(sketches: Sketches, numbers: Sequence[int]) -> list[New]:
    """Return texts that were sketched, as such that are to be searched for, under numbers."""
    bounds, values = sketches.fingerprints.offsets.tolist(), sketches.fingerprints.values
    digests = sketches.digests.astype("<u8").tobytes()
    rows = zip(numbers, sketches.words.tolist(), sketches.band_keys, pairwise(bounds), strict=True)
    return [
        New(number, words, digests[16 * place : 16 * place + 16], np.concatenate((bands, values[start:end])))
        for place, (number, words, bands, (start, end)) in enumerate(rows)
    ]


@dataclass
class Change:
    """One change of an index.

    Attributes
    ----------
    session : Session
    holdings : Holdings
    is_due : bool
        Whether segments of keys may have to be merged.
    touched : set of int
        Texts whose clusters are to be made anew.
    """

    session: Session
    holdings: Holdings
    is_due: bool = False
    touched: set[int] = field(default_factory=set)
    _new: dict[int, New] = field(default_factory=dict)
    _bodies: dict[int, Raw] = field(default_factory=dict)
    _anew: set[int] = field(default_factory=set)
    _joined: set[int] = field(default_factory=set)

    # ---- documents that come ----

    def add(self, batch: Batch) -> list[int]:
        """Add documents; return the number of each. What is there already stays, what has another text is replaced."""
        session = self.session
        last = {id: place for place, id in enumerate(batch.ids)}  # of an id that comes twice, the last text counts
        sums = [checksum(text) for text in batch.texts]
        known = {row[0]: row[1:] for row in session.find("SELECT id, number, checksum FROM documents", "id", [*last])}
        numbers = {id: number for id, (number, there) in known.items() if there == sums[last[id]]}
        self.remove([number for id, (number, _) in known.items() if id not in numbers])
        come = sorted(place for id, place in last.items() if id not in numbers)
        if come:
            self._insert(batch, come, sums, numbers)
        return [numbers[id] for id in batch.ids]

    def _insert(self, batch: Batch, come: list[int], sums: list[int], numbers: dict[str, int]) -> None:
        session, state = self.session, self.session.state
        number = state.document
        texts = self._texts_of(batch, come, state.text, number)
        now, rows, bodies = time.time_ns() // 1000, [], []
        for step, (place, its_text) in enumerate(zip(come, texts, strict=True)):
            id, metadata, expires = batch.ids[place], batch.metadata[place], batch.expires[place]
            numbers[id] = number + step
            rows.append((number + step, id, its_text, now, expires, metadata, sums[place]))
            if self.holdings.keeps_texts:
                bodies.append((number + step, len(batch.texts[place]), batch.bodies[place]))
        columns = ("number", "id", "text", "added", "expires", "metadata", "checksum")
        before = self._tellers(sorted(self._joined))
        session.insert("documents", columns, rows)
        session.insert("bodies", ("number", "bytes", "content"), bodies)
        state.document += len(come)
        state.text += len(self._new)
        state.documents += len(come)
        self._told_anew(before)
        come_together = sorted(self._joined & self._new.keys())
        for text, teller in first_documents(session, come_together, self.holdings.identifiers).items():
            self._bodies[text] = batch.texts[come[teller - number]]

    def _texts_of(self, batch: Batch, come: list[int], next_text: int, number: int) -> list[int | None]:
        """Return the text of each document that comes; those that are new are inserted."""
        made = sketched(batch.sketches, [-1] * len(batch.ids))
        digests = [made[place].digest for place in come]
        empty = [False] * len(come)
        if not batch.sketches.words[come].all():  # one that has no words is empty, or has something else
            empty = blank(batch.sketches.digests[come]).tolist()
        wanted = list({digest for digest, none in zip(digests, empty, strict=True) if not none})
        there = {
            bytes(digest): text
            for text, digest in self.session.find("SELECT text, digest FROM texts", "digest", wanted)
        }
        found: list[int | None] = []
        rows = []
        for step, (place, digest) in enumerate(zip(come, digests, strict=True)):
            if empty[step]:
                found.append(None)
                continue
            text = there.get(digest)
            if text is None:
                text = there[digest] = next_text + len(self._new)
                self._new[text] = new = made[place]._replace(number=text)
                self._bodies[text] = batch.texts[place]
                rows.append(self._row(new, batch, place, number + step))
            else:
                self._joined.add(text)
            found.append(text)
        columns = (
            "text",
            "digest",
            "words",
            "fingerprints",
            "shingles",
            "document",
            "canonical",
            "is_digest",
            "sketch",
        )
        self.session.insert("texts", columns, rows)
        return found

    def _row(self, new: New, batch: Batch, place: int, number: int) -> Row:
        fingerprints = len(new.keys) - self.holdings.bands
        sketch = None
        if batch.sketches.signatures is not None:
            sketch = batch.sketches.signatures[place].astype("<u4").tobytes()
        shingles = count_of_shingles(new.words, self.holdings.settings)
        return new.number, new.digest, new.words, fingerprints, shingles, number, new.number, 0, sketch

    @property
    def is_alone(self) -> bool:
        """Whether all that came are new texts that match nothing."""
        return not self.touched and not self._anew and not self._joined

    # ---- documents that go ----

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove documents, by their numbers."""
        if not numbers:
            return
        session = self.session
        gone = set(numbers)
        texts = sorted({row[0] for row in session.find("SELECT text FROM documents", "number", numbers)} - {None})
        before = self._tellers(texts)
        for table in ("bodies", "documents"):
            session.delete(table, "number", numbers)
        session.state.documents -= len(gone)
        left = self._told_anew(before)
        self.touched |= left
        over = [text for text in texts if text not in left]
        self._part(over)
        session.delete("texts", "text", over)
        self.holdings.keys.forget(session, over)
        self.is_due |= len(over) > 0
        self.touched.difference_update(over)
        self._anew.difference_update(over)

    def _tellers(self, texts: list[int]) -> dict[int, int]:
        """Return the checksum of the document that tells where the lines of each text are."""
        first = first_documents(self.session, texts, self.holdings.identifiers)
        select = "SELECT number, checksum FROM documents"
        sums: dict[int, int] = dict(self.session.find(select, "number", [*first.values()]))
        return {text: sums[number] for text, number in first.items()}

    def _told_anew(self, before: dict[int, int]) -> set[int]:
        """Note which texts are told by a document of other bytes than before; return those that any document has."""
        after = self._tellers([*before])
        if self.holdings.keeps_texts:
            other = {text for text, checksum in after.items() if checksum != before[text]}
            self._anew |= other
            self.touched |= other
        return set(after)

    def _part(self, texts: list[int]) -> None:
        """Delete the matches of texts; those that they were with are touched."""
        for column, other in (("a", "b"), ("b", "a")):
            rows = self.session.find(f"SELECT {other} FROM matches", column, texts)
            self.touched |= {row[0] for row in rows}
        for column in ("a", "b"):
            self.session.delete("matches", column, texts)

    # ---- what follows ----

    def settle(self) -> Regrouped | None:
        """Match what is new, store its keys, and cluster what was touched; return what was clustered, if anything."""
        new = [*self._new.values(), *self._compared_anew()]
        if new:
            holdings, session = self.holdings, self.session
            compared = search(session, holdings.keys, new, holdings.context)
            if len(compared.pairs):
                self._match(compared)
            self.keep_keys()
        if self._joined - self.touched:
            self.touched |= self._joined - still_represented(self.session, self._joined, self.holdings)
        return regroup(self.session, self.touched, self.holdings, self._bodies) if self.touched else None

    def keep_keys(self) -> None:
        """Store the keys of what is new."""
        ordered = sorted(number for number, text in self._new.items() if text.words)
        if ordered:
            keys = [self._new[number].keys for number in ordered]
            self.is_due |= self.holdings.keys.add(self.session, ordered, keys)

    def _match(self, compared: Compared) -> None:
        """Verify candidates, and store those that match: some at a time, for their texts and shingles are in memory."""
        verifier = self.holdings.verifier(self.session, compared.texts, self._bodies)
        numbers, (a, b) = compared.texts.numbers, unpack(compared.pairs)
        later = np.argsort(np.where(numbers[a] > numbers[b], a, b), kind="stable")  # those of a new text are together
        for first in range(0, len(later), PAIRS):
            found = verifier.matches(np.sort(compared.pairs[later[first : first + PAIRS]]))
            self.session.insert("matches", COLUMNS, to_rows(found, compared.texts, compared.origin(found.pairs)))
            self.touched.update(*(numbers[side].tolist() for side in unpack(found.pairs)))

    def _compared_anew(self) -> list[New]:
        """Return texts that another document speaks for now, whose lines may be others."""
        anew = sorted(self._anew - self._new.keys())
        if not anew:
            return []
        self._part(anew)
        self._bodies |= read_texts_of(self.session, anew, self.holdings.identifiers)
        texts = pa.array([self._bodies[text] for text in anew], pa.large_binary()).cast(pa.large_string())
        sketches = self.holdings.sketched(texts, 1)
        return sketched(sketches, anew)
