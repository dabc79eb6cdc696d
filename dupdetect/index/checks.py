"""Whether an index is sound: what its tables say of one another, and of the texts that they are made from.

Input    an index
Output   a sentence for each fault; none, if there are none
Cost     a pass over all: texts are read and sketched again, unless they are left out
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dupdetect.clustering.clusters import blank
from dupdetect.errors import InputError
from dupdetect.index import batches
from dupdetect.index.bodies import checksum, decompressed
from dupdetect.index.changes import sketched
from dupdetect.index.evidence import EVIDENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dupdetect.index.holdings import Holdings
    from dupdetect.index.searching import New
    from dupdetect.index.stores import Row, Session

#: Faults of one sort that are told.
TOLD = 5

#: What must give no row, and what a row says.
_REFERENCES = (
    (
        "SELECT d.number FROM documents d LEFT JOIN texts t ON t.text = d.text "
        "WHERE d.text IS NOT NULL AND t.text IS NULL",
        "document number {} has a text that is not there",
    ),
    (
        "SELECT t.text FROM texts t LEFT JOIN documents d ON d.text = t.text WHERE d.number IS NULL",
        "text number {} is of no document",
    ),
    (
        "SELECT t.text FROM texts t LEFT JOIN documents d ON d.number = t.document "
        "WHERE d.text IS NULL OR d.text <> t.text",
        "text number {} is represented by a document that has another",
    ),
    (
        "SELECT t.text FROM texts t LEFT JOIN texts c ON c.text = t.canonical "
        "WHERE c.text IS NULL OR c.canonical <> c.text",
        "text number {} is in a cluster that is not there",
    ),
    (
        "SELECT t.text FROM texts t WHERE t.canonical <> t.text AND NOT EXISTS (SELECT 1 FROM matches m WHERE "
        "(m.a = t.text AND m.b = t.canonical) OR (m.b = t.text AND m.a = t.canonical))",
        "text number {} does not match the one that represents it",
    ),
    (
        "SELECT m.a, m.b FROM matches m LEFT JOIN texts x ON x.text = m.a LEFT JOIN texts y ON y.text = m.b "
        "WHERE x.text IS NULL OR y.text IS NULL",
        "texts number {} and {} match, and are not both there",
    ),
    (
        "SELECT p.place FROM pages p WHERE NOT EXISTS "
        "(SELECT 1 FROM segments s WHERE s.segment = p.place / 4294967296)",
        "page {} of keys is of no segment",
    ),
)


def faults(session: Session, holdings: Holdings, told: Callable[[int], None]) -> list[str]:
    """Return what is wrong with an index, a sentence each."""
    found = [
        sentence.format(*row)
        for statement, sentence in _REFERENCES
        for row in session.rows(f"{statement} LIMIT {TOLD}")
    ]
    (documents,) = session.row("SELECT count(*) FROM documents")
    counted = session.state.documents
    if documents != counted:
        found.append(f"there are {documents:,} documents, and {counted:,} were counted")
    bodies = session.row("SELECT count(*) FROM bodies")[0]
    if bodies != (documents if holdings.keeps_texts else 0):
        found.append(f"there are {bodies:,} texts of {documents:,} documents")
    wrong = session.row("SELECT count(*) FROM matches WHERE length(evidence) <> ?", (EVIDENCE.itemsize,))[0]
    if wrong:
        found.append(f"{wrong:,} matches are damaged")
    if holdings.keeps_texts:
        found += _texts(session, holdings, told)
    return found


def _texts(session: Session, holdings: Holdings, told: Callable[[int], None]) -> list[str]:
    """Hold all texts against their checksums, digests and keys."""
    found: list[str] = []
    done = 0
    for rows in _documents(session):
        raw, good = [], []
        for row in rows:
            try:
                body = decompressed(row[0], row[3], row[4])
            except InputError as error:
                found.append(str(error))
                continue
            if checksum(body) != row[2]:
                found.append(f"the text of document number {row[0]} is not the one that was added")
                continue
            raw.append(body)
            good.append(row)
        found += _sketches(session, holdings, good, raw)
        done += len(rows)
        told(done)
    return found


def _documents(session: Session) -> Iterator[list[Row]]:
    last = 0
    while rows := session.rows(
        "SELECT d.number, d.text, d.checksum, b.bytes, b.content FROM documents d JOIN bodies b ON b.number = d.number "
        f"WHERE d.number > ? ORDER BY d.number LIMIT {batches.DOCUMENTS}",
        (last,),
    ):
        yield rows
        last = rows[-1][0]


def _sketches(session: Session, holdings: Holdings, rows: list[Row], raw: list[bytes]) -> list[str]:
    """Hold digests and keys against the texts that they are of."""
    if not rows:
        return []
    found, sketches = [], holdings.sketched(batches.strings(raw))
    stored = {
        row[0]: row[1:]
        for row in session.find(
            "SELECT text, digest, words, fingerprints FROM texts",
            "text",
            [row[1] for row in rows if row[1] is not None],
        )
    }
    new: list[New] = []
    all_made = sketched(sketches, [-1 if row[1] is None else row[1] for row in rows])
    for place, (row, made) in enumerate(zip(rows, all_made, strict=True)):
        if row[1] is None:
            if not blank(sketches.digests[place : place + 1])[0]:
                found.append(f"document number {row[0]} is held to be blank, and is not")
        elif row[1] in stored:
            digest, *counts = stored[row[1]]
            if bytes(digest) != made.digest or counts != [made.words, len(made.keys) - holdings.bands]:
                found.append(f"the digest of text number {row[1]} is not that of document number {row[0]}")
            if made.words:
                new.append(made)
    return found + _keys(session, holdings, new)


def _keys(session: Session, holdings: Holdings, new: list[New]) -> list[str]:
    """Look up the keys of texts: each must be listed, unless very many texts have it."""
    if not new:
        return []
    lengths = np.array([len(each.keys) for each in new])
    keys = np.concatenate([each.keys for each in new])
    owner = np.repeat(np.array([each.number for each in new]), lengths)
    is_band = np.arange(len(keys)) - np.repeat(np.cumsum(lengths) - lengths, lengths) < holdings.bands
    distinct, first, place = np.unique(keys, return_index=True, return_inverse=True)
    found = holdings.keys.look_up(session, distinct, is_band[first])
    hot = np.bincount(found.keys, minlength=len(distinct)) >= holdings.settings.hot_key_documents
    listed = set(zip(found.keys.tolist(), found.texts.tolist(), strict=True))
    lacking = {
        text
        for key, text, is_hot in zip(place.tolist(), owner.tolist(), hot[place].tolist(), strict=True)
        if not is_hot and (key, text) not in listed
    }
    return [f"a key of text number {text} is not listed" for text in sorted(lacking)[:TOLD]]
