"""A finished run into an index: its documents, and into an empty index what it found among them.

Input    the output of ``dedup --sketches``; what the run read, or what it kept
Output   the tables of the index
Cost     that of reading and storing; of sketching what the run has not kept; of verifying the matches that it found
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.errors import InputError, MismatchError
from dupdetect.index import batches
from dupdetect.index.bodies import compressed, read_texts_of
from dupdetect.index.changes import Batch
from dupdetect.index.evidence import BY_CHOICE, BY_HOT_KEY, BY_KEYS, COLUMNS, Texts, to_rows
from dupdetect.index.grouping import read_texts, regroup
from dupdetect.io.tables import comparable
from dupdetect.matching.candidates import are_enough
from dupdetect.matching.pairs import distinct, pack, unpack
from dupdetect.results.folder import SKETCHES
from dupdetect.results.read_again import as_read
from dupdetect.sketches.files import SketchFile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from dupdetect.index.holdings import Holdings
    from dupdetect.index.stores import Session
    from dupdetect.matching.overlaps import Overlaps
    from dupdetect.results.output import Output
    from dupdetect.results.run import Run

    Int = NDArray[np.int64]

#: Pairs that are verified at a time.
PAIRS = 2048


# ---- its documents ----


def documents_of(holdings: Holdings, output: Output, data: Any, metadata: list[str]) -> Iterator[Batch]:
    """Yield the documents of a run: all, if what it read can be read again; else those that it kept.

    Parameters
    ----------
    holdings : Holdings
    output : Output
    data : any
        What the run read; None: the files that it names, if they are as they were.
    metadata : list of str
        Columns to keep.
    """
    read = output.run.inputs if data is None else data
    if data is None and not read:
        if output.documents < len(output.run.own):
            warnings.warn(
                f"{output.folder}: what the run read is not here, or not as it was, so only what it kept is added, "
                f"{output.documents:,} of {len(output.run.own):,} documents; load it in the folder in which it ran, or "
                "give what it read (inputs=, --input)",
                stacklevel=2,
            )
        yield from _kept(holdings, output, metadata)
    else:
        yield from _read_again(holdings, output.run, read, metadata)


def _read_again(holdings: Holdings, run: Run, data: Any, metadata: list[str]) -> Iterator[Batch]:
    """Yield what a run read, without the rows that it could not use."""
    again = as_read(run)
    how: batches.Reading = {"input_format": again["how"].format, "encoding": again["how"].encoding}
    how |= {"delimiter": again["how"].delimiter, "metadata": metadata, "rejected": lambda _: None}
    how |= {"text": again["text"], "id": again["id"], "id_prefix": again["id_prefix"], "max_text": again["max_text"]}
    known, place = holdings.identifiers.encoded(run.own["id"]), 0
    named = run.id_column in (None, "none") or run.id_prefix is not None  # ids begin with the names of files
    for batch, _ in batches.of_stream(holdings, data, how):
        rows, ids = [], []
        for row, id in enumerate(batch.ids):
            # Text files of a folder were named from there.
            if place < len(known) and (id == known[place] or (named and id.endswith(f"/{known[place]}"))):
                rows.append(row)
                ids.append(known[place])
                place += 1
        if rows:
            yield batch if ids == batch.ids else batch.some(rows, ids)
    if place < len(known):
        raise MismatchError(
            f"{run.name}: its document {known[place]!r} is not where it was in what the run is said to have read; give "
            "the input that the run was made of"
        )


def _kept(holdings: Holdings, output: Output, metadata: list[str]) -> Iterator[Batch]:
    """Yield what a run kept; sketches are those that it wrote."""
    path = output.folder / SKETCHES
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; run dedup with --sketches, and load what that wrote")
    lacking = [name for name in metadata if not output.has(name)]
    if lacking:
        raise InputError(f"{output.where}: there is no column {lacking[0]!r} for metadata; name one that is there")
    with SketchFile(path, holdings.settings) as file:
        if len(file) != output.documents:
            raise MismatchError(f"{path}: it is of {len(file):,} documents, and {output.documents:,} were kept")
        ids, rows = output.ids(), _Tables(output.tables([output.text, *metadata]))
        for _, sketches in file.parts(signatures=not holdings.keeps_texts):
            for first in range(0, len(sketches), batches.DOCUMENTS):
                some = sketches.take(np.arange(first, min(first + batches.DOCUMENTS, len(sketches))))
                if not holdings.keeps_texts and some.signatures is None:
                    raise InputError(f"{path}: an index without texts needs signatures, and there are none")
                table = rows.next(len(some))
                own = holdings.identifiers.encoded(ids.next(len(some)), output.run.own.schema.field("id").type)
                raw = [text.encode() for text in table[output.text].to_pylist()]
                kept_rows = [batches.as_metadata(row) for row in table.select(metadata).to_pylist()]
                bodies = compressed(raw, holdings.context.workers) if holdings.keeps_texts else []
                told = holdings.identified(batches.strings(raw), some)
                yield Batch(own, raw, bodies, told, kept_rows if metadata else [None] * len(own), [None] * len(own))


class _Tables:
    """Tables, cut anew."""

    def __init__(self, tables: Iterator[pa.Table]) -> None:
        self._tables, self._waiting = tables, pa.table({})

    def next(self, n: int) -> pa.Table:
        parts = [self._waiting] if self._waiting.num_rows else []
        while sum(part.num_rows for part in parts) < n and (part := next(self._tables, None)) is not None:
            parts.append(part)
        whole = pa.concat_tables(parts, promote_options="permissive")
        self._waiting = whole.slice(n)
        return whole.slice(0, n)


# ---- what it found ----


def keep_findings(session: Session, holdings: Holdings, run: Run, numbers: Int) -> None:
    """Store what a run found among the documents of an index that has no others.

    Who represents whom is as the run says. Its matches are verified, by what it says is boilerplate: no table of an
    output tells all that an index keeps of them.

    Parameters
    ----------
    session : Session
    holdings : Holdings
    run : Run
    numbers : int64[n]
        The number of each document in `run.clusters`; -1 for those that are not there.
    """
    text_of = _texts_of(session, numbers)
    a, b = (_rows_of(run, run.matches[name]) for name in ("a", "b"))
    matched = _keep_matches(session, holdings, run, text_of[a], text_of[b])
    canonical = np.append(run.canonical, -1)[: len(numbers)]
    there = np.flatnonzero((text_of[:-1] >= 0) & (text_of[canonical] >= 0))
    texts, first = np.unique(text_of[there], return_index=True)
    represented = canonical[there[first]]
    canonical_text, document = text_of[represented], numbers[represented]
    own = canonical_text == texts
    for text, number in zip(texts[own].tolist(), document[own].tolist(), strict=True):
        session.run("UPDATE texts SET document = ? WHERE text = ? AND document <> ?", (number, text, number))
    pairs = zip(texts[~own].tolist(), canonical_text[~own].tolist(), strict=True)
    lacking = set()
    for text, other in pairs:
        if (text, other) in matched or (other, text) in matched:
            session.run("UPDATE texts SET canonical = ? WHERE text = ?", (other, text))
        else:
            lacking.add(text)
    for text in np.unique(text_of[_rows_of(run, run.digests["id"])]).tolist():
        session.run("UPDATE texts SET is_digest = 1 WHERE text = ?", (text,))
    if lacking:
        regroup(session, lacking, holdings, {})


def _texts_of(session: Session, numbers: Int) -> Int:
    """Return the text of each document, and -1 behind: for none, and for those that have none."""
    found = np.full(len(numbers) + 1, -1, np.int64)
    place = {number: row for row, number in enumerate(numbers.tolist()) if number >= 0}
    wanted = list(place)
    for first in range(0, len(wanted), batches.DOCUMENTS):
        some = wanted[first : first + batches.DOCUMENTS]
        for number, text in session.find("SELECT number, text FROM documents", "number", some):
            found[place[number]] = -1 if text is None else text
    return found


def _rows_of(run: Run, ids: pa.ChunkedArray) -> Int:
    """Return the rows of documents by their ids; -1 for one that is not there."""
    rows = pc.index_in(comparable(ids, "ids"), value_set=run.ids)
    return np.asarray(rows.fill_null(-1), np.int64)


def _keep_matches(session: Session, holdings: Holdings, run: Run, a: Int, b: Int) -> set[tuple[int, int]]:
    """Verify and store the matches of texts; return the pairs that match."""
    chosen = (a >= 0) & (b >= 0) & (a != b)
    pairs = np.unique(np.stack([np.minimum(a, b)[chosen], np.maximum(a, b)[chosen]], axis=1), axis=0)
    caps = run.manifest.get("caps")
    otherwise = BY_HOT_KEY if isinstance(caps, dict) and caps.get("hot_keys") else BY_CHOICE
    matched: set[tuple[int, int]] = set()
    for first in range(0, len(pairs), PAIRS):
        some = pairs[first : first + PAIRS]
        texts = read_texts(session, np.unique(some).tolist())
        bodies = {}
        if holdings.keeps_texts:
            bodies = read_texts_of(session, texts.numbers.tolist(), holdings.identifiers)
        verifier = holdings.verifier(session, texts, bodies)
        found = verifier.matches(distinct(pack(texts.places(some[:, 0]), texts.places(some[:, 1]))))
        origin = np.where(_have_keys(holdings, texts, bodies, found), BY_KEYS, otherwise)
        session.insert("matches", COLUMNS, to_rows(found, texts, origin))
        for x, y in zip(*(texts.numbers[side].tolist() for side in unpack(found.pairs)), strict=True):
            matched.add((x, y))
    return matched


def _have_keys(holdings: Holdings, texts: Texts, bodies: dict[int, bytes], found: Overlaps) -> NDArray[np.bool_]:
    """Mark the pairs that keys give; others were found while canonicals were chosen, or beyond hot keys."""
    if not bodies:
        return np.ones(len(found.pairs), np.bool_)
    sketches = holdings.sketched(batches.strings([bodies[number] for number in texts.numbers.tolist()]))
    a, b = unpack(found.pairs)
    by_band = (sketches.band_keys[a] == sketches.band_keys[b]).any(axis=1)
    rows, lengths = sketches.fingerprints.row, sketches.fingerprints.lengths
    shared = np.zeros(len(a), np.int64)
    for pair in np.flatnonzero(~by_band).tolist():
        shared[pair] = len(np.intersect1d(rows(int(a[pair])), rows(int(b[pair])), assume_unique=True))
    fewer = np.minimum(lengths[a], lengths[b])
    return np.asarray(by_band | are_enough(shared, fewer, holdings.settings.min_shared_fingerprints))
