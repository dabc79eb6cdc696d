"""What an index holds, as the result of a run; what is boilerplate, learned as a run does.

Input    an index
Output   a `Result`, which `Result.write` makes an output of; the boilerplate of the index
Cost     of a result, a pass over all; of learning, a run over all texts
"""

from __future__ import annotations

import os
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from dupdetect._storage.context import Context
from dupdetect._storage.unfinished import temporary_folder
from dupdetect.index import batches, listing
from dupdetect.index.bodies import decompressed, read_bodies, read_texts_of
from dupdetect.index.changes import sketched
from dupdetect.index.evidence import COLUMNS, to_rows
from dupdetect.index.grouping import regroup
from dupdetect.index.searching import search
from dupdetect.io.checks import REJECTS
from dupdetect.io.rows import Rows
from dupdetect.matching.pairs import unpack
from dupdetect.pipeline import tables
from dupdetect.pipeline.dedup import dedup
from dupdetect.results.losses import lost_words
from dupdetect.results.result import Result
from dupdetect.sketches.build import sketch_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from dupdetect.index.holdings import Holdings
    from dupdetect.index.identifiers import Identifiers
    from dupdetect.index.stores import Session, Store

_TEXT = pa.schema([("text", pa.large_string())])


# ---- boilerplate ----


def add_boilerplate(session: Session, table: pa.Table) -> bool:
    """Add votes to those that are known; return whether there were any."""
    if table.num_rows == 0:
        return False
    shingles = table["shingle"].to_numpy().astype(np.uint64).view(np.int64).tolist()
    known: dict[int, int] = dict(session.find("SELECT shingle, margin FROM boilerplate", "shingle", shingles))
    rows = [
        (shingle, margin + known.get(shingle, 0))
        for shingle, margin in zip(shingles, table["margin"].to_pylist(), strict=True)
    ]
    session.delete("boilerplate", "shingle", [*known])
    session.insert("boilerplate", ("shingle", "margin"), rows)
    note_boilerplate(session)
    return True


def note_boilerplate(session: Session) -> None:
    """Note that what is known of shingles is another: by a number that none had, should this be rolled back."""
    session.state.boilerplate = time.time_ns()


def boilerplate(session: Session) -> pa.Table:
    """Return what is known of shingles, as `Result.boilerplate` has it."""
    rows = session.rows("SELECT shingle, margin FROM boilerplate")
    shingles = np.array([shingle for shingle, _ in rows], np.int64).view(np.uint64)
    order = np.argsort(shingles)
    margins = np.array([margin for _, margin in rows], np.int32)
    return pa.table({"shingle": shingles[order], "margin": margins[order]})


def learned(session: Session, holdings: Holdings) -> pa.Table:
    """Learn from all texts what is boilerplate: as a run over them does."""
    texts = _distinct_texts(session, holdings.identifiers)
    reader = pa.RecordBatchReader.from_batches(
        _TEXT, (pa.record_batch([batches.strings(raw)], schema=_TEXT) for _, raw in texts)
    )
    plain = holdings.settings.replace(canonical="cleanest", canonical_column=None, prefer=None)
    with temporary_folder("dupdetect", Path(tempfile.gettempdir())) as work:
        result = dedup(reader, settings=plain, workers=holdings.context.workers, work=work)
        table = result.boilerplate
        result.close()
    return table


def _distinct_texts(session: Session, identifiers: Identifiers) -> Iterator[tuple[list[int], list[bytes]]]:
    """Yield the texts of the index, some at a time: their numbers, and the bytes of the document that tells of each."""
    last = 0
    select = f"SELECT text FROM texts WHERE text > ? ORDER BY text LIMIT {batches.DOCUMENTS}"
    while numbers := [text for (text,) in session.rows(select, (last,))]:
        read = read_texts_of(session, numbers, identifiers)
        yield numbers, [read[number] for number in numbers]
        last = numbers[-1]


def verify_all(session: Session, holdings: Holdings) -> None:
    """Verify all candidates anew, by what is boilerplate now, and cluster all texts anew."""
    session.run("DELETE FROM matches")
    changed: set[int] = set()
    for numbers, raw in _distinct_texts(session, holdings.identifiers):
        sketches = holdings.sketched(batches.strings(raw))
        new = sketched(sketches, numbers)
        compared = search(session, holdings.keys, new, holdings.context)
        a, b = unpack(compared.pairs)
        later = np.maximum(compared.texts.numbers[a], compared.texts.numbers[b]) <= numbers[-1]
        verifier = holdings.verifier(session, compared.texts, dict(zip(numbers, raw, strict=True)))
        found = verifier.matches(compared.pairs[later])
        session.insert("matches", COLUMNS, to_rows(found, compared.texts, compared.origin(found.pairs)))
        changed |= set(compared.texts.numbers[np.concatenate([found.a, found.b])].tolist())
    changed |= {row[0] for row in session.rows("SELECT text FROM texts WHERE canonical <> text OR is_digest <> 0")}
    ordered = sorted(changed)
    for first in range(0, len(ordered), batches.DOCUMENTS):
        regroup(session, ordered[first : first + batches.DOCUMENTS], holdings, {})


# ---- a result ----


def result(session: Session, holdings: Holdings, number: int | None, work: str | None) -> Result:
    """Return what an index holds as the result of a run: of all documents, or of those connected with one.

    Parameters
    ----------
    session : Session
    holdings : Holdings
    number : int, optional
        A document.
    work : str, optional
        A folder that the kept rows are written to, and mapped from; by default they are in memory.
    """
    settings, (documents, decision) = holdings.settings, listing.listed(session, holdings, number)
    matches, unlisted = tables.matches_table(documents, decision, settings)
    found = (
        tables.clusters_table(documents, decision, settings),
        matches,
        tables.digests_table(documents, decision, settings),
    )
    clusters, matches, digests = (listing.as_given(table, holdings) for table in found)
    kept = decision.canonical_documents == np.arange(len(documents))
    rows = Rows(*_kept_rows(session, holdings, documents.numbers[kept], clusters["id"].filter(pa.array(kept)), work))
    manifest: dict[str, Any] = {
        "settings": settings.as_dict(),
        "fingerprint": settings.fingerprint,
        "inputs": [holdings.store.name],
        "columns": {"text": "text", "id": "id"},
        "counts": {
            "documents": len(documents),
            "kept": int(kept.sum()),
            "duplicates": int((~kept).sum()),
            "clusters": int(kept.sum()),
            "matches": matches.num_rows,
            "rejected": 0,
            "relations": tables.relation_counts(clusters),
            "lost_words": lost_words(clusters),
        },
        "caps": {"unlisted_pairs": unlisted},
    }
    ids = clusters["id"].filter(clusters["canonical"])
    sketcher = partial(sketch_rows, rows, ids, "text", Context(settings, holdings.context.workers))
    said = clusters, matches, digests, rows, REJECTS.empty_table(), boilerplate(session)
    return Result(*said, manifest, sketcher=sketcher if holdings.keeps_texts else None)


def _kept_rows(
    session: Session, holdings: Holdings, numbers: NDArray[np.int64], ids: pa.ChunkedArray, work: str | None
) -> tuple[list[pa.Table], pa.Schema, NDArray[np.int64]]:
    """Return documents as rows: their ids, texts, if these are kept, and metadata."""
    texts = list(_TEXT) if holdings.keeps_texts else []
    schema = pa.schema([pa.field("id", ids.type), *texts, pa.field("metadata", pa.string())])
    made = _row_tables(session, holdings, numbers.tolist(), ids, schema)
    if work is None:
        parts = list(made)
    else:
        path = Path(work) / "rows.arrow"
        with pa.ipc.new_file(path, schema) as writer:
            for table in made:
                writer.write_table(table)
        mapped = pa.ipc.open_file(pa.memory_map(os.fspath(path)))
        parts = [pa.Table.from_batches([mapped.get_batch(place)]) for place in range(mapped.num_record_batches)]
    return parts, schema, np.arange(len(numbers))


def _row_tables(
    session: Session, holdings: Holdings, numbers: list[int], ids: pa.ChunkedArray, schema: pa.Schema
) -> Iterator[pa.Table]:
    for first in range(0, len(numbers), batches.DOCUMENTS):
        some = numbers[first : first + batches.DOCUMENTS]
        metadata: dict[int, str | None] = dict(session.find("SELECT number, metadata FROM documents", "number", some))
        columns = {"id": ids.slice(first, len(some)), "metadata": [metadata[number] for number in some]}
        if holdings.keeps_texts:
            bodies = read_bodies(session, some)
            columns["text"] = batches.strings([bodies[number] for number in some])
        yield pa.table(columns, schema=schema)


def documents(store: Store, holdings: Holdings) -> pa.RecordBatchReader:
    """Return the ids and texts of all documents, some at a time; no transaction outlasts a batch."""
    schema = pa.schema([("id", holdings.identifiers.shown), ("text", pa.large_string())])

    def parts() -> Iterator[pa.RecordBatch]:
        last, more = 0, True
        while more:
            with store.read() as session:
                rows = session.rows(
                    "SELECT d.number, d.id, b.bytes, b.content FROM documents d JOIN bodies b ON b.number = d.number "
                    f"WHERE d.number > ? ORDER BY d.number LIMIT {batches.DOCUMENTS}",
                    (last,),
                )
            more = len(rows) > 0
            if more:
                last = rows[-1][0]
                texts = batches.strings([decompressed(row[0], row[2], row[3]) for row in rows])
                ids = holdings.identifiers.as_given(holdings.identifiers.decoded([row[1] for row in rows]))
                yield pa.record_batch([ids.combine_chunks(), texts], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, parts())


def texts_of(session: Session, holdings: Holdings, number: int) -> pa.Table:
    """Return the ids and texts of the documents that are connected with one: what a run over them would have read."""
    documents, _ = listing.listed(session, holdings, number)
    bodies = read_bodies(session, documents.numbers.tolist())
    texts = batches.strings([bodies[each] for each in documents.numbers.tolist()])
    return pa.table({"id": holdings.identifiers.as_given(documents.ids), "text": texts})
