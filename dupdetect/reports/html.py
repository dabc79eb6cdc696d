"""The report of a run: one HTML file that shows what it found, and why.

Input    what `dedup` returned, or the folder it wrote; its input, for the texts that it removed
Output   one HTML file that loads nothing: counts, charts, clusters side by side, digests, rejects, settings
Cost     one pass over the texts, and some seconds: at the most 100,000 documents are listed and 1,000 pairs shown
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from dupdetect._storage.atomic import write_text
from dupdetect.errors import InputError
from dupdetect.evaluation.thresholds import chance
from dupdetect.matching.overlaps import RELATIONS
from dupdetect.reports import charts
from dupdetect.reports.listing import Listing, sizes_of
from dupdetect.reports.marked_texts import Marker, Pair
from dupdetect.reports.of_index import index_of
from dupdetect.reports.pages import check_page, render
from dupdetect.reports.texts import Texts, pairs, read_texts
from dupdetect.results.losses import Loss, largest_losses, unit_of_loss
from dupdetect.results.run import Run
from dupdetect.text.escape import escape_for_page

#: Sources that the page lists, largest losses, and rows of digests and rejects.
SOURCES, LOSSES, ROWS = 25, 10, 1_000

#: Bytes of the page that pairs of texts may take; and beside these, their long parts that are folded.
PAIR_BYTES, FOLDED_BYTES = 7_000_000, 8_000_000

#: Characters of an id that a page shows.
ID = 300

#: The name of a report in the folder of its run.
NAME = "report.html"


def report(
    out: Any,
    path: str | os.PathLike[str] | None = None,
    data: Any = None,
    *,
    text: str | None = None,
    id: str | None = None,
    by: str | None = None,
) -> Path:
    """Write a page that shows what a run found, and why.

    Parameters
    ----------
    out : Result, Index, str or Path
        What `dedup` returned, or the folder it wrote; or an index, or the path or address of one.
    path : path, optional
        The file to write, by default ``report.html`` in that folder (of a `Result` or an index: here).
    data, text, id
        The input of that run, as `dedup` took it: only there are the texts that it removed. By default the files that
        the manifest names, if they are still what the run read.
    by : str, optional
        The column that says where a document came from; an address counts as its host. By default the first of
        ``source``, ``domain``, ``site``, ``host``, ``publisher``, ``url``, ``uri`` and ``link`` that there is, or else
        what the ids tell.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        The output or the input cannot be read, or they do not belong together.
    OutputError
        The file cannot be written, or holds something else than a page; or `dupdetect[report]` is not installed.
    """
    is_folder = _is_folder(out)
    if is_folder and not Path(out).exists():
        raise InputError(f"{out}: there is no such folder; expected the output folder of dedup, or an index")
    target = Path(path) if path is not None else Path(out) / NAME if is_folder else Path(NAME)
    check_page(target)
    return write_text(target, page(out, data, text=text, id=id, by=by))


def _is_folder(out: Any) -> bool:
    if not isinstance(out, str | os.PathLike):
        return False
    with index_of(out) as index:
        return index is None


def page(out: Any, data: Any = None, *, text: str | None = None, id: str | None = None, by: str | None = None) -> str:
    """Return the page as HTML; parameters and errors as those of `report`."""
    with index_of(out) as index:
        if index is not None:
            out, data = index.result(), index.documents() if data is None else data
        run = Run(out)
        listing = Listing.choose(run)
        texts = read_texts(run, listing, data, text=text, id=id, by=by)
    return _rendered(run, listing, texts)


# ---- what the page's script reads ----


def _documents(run: Run, listing: Listing, texts: Texts) -> dict[str, Any]:
    """Return the listed documents, a list for each of their properties; shares in thousandths, -1 for none."""
    rows = listing.rows
    margin = np.where(np.isfinite(run.margin[rows]), run.margin[rows], 9)
    return {
        "id": [_id(value) for value in run.ids.take(rows).to_pylist()],
        "of": listing.of.tolist(),
        "size": run.sizes[rows].tolist(),
        "relation": run.relation[rows].tolist(),
        "score": _thousandths(run.shares("score")[rows]),
        "jaccard": _thousandths(run.shares("jaccard")[rows]),
        "containment": _thousandths(run.shares("containment")[rows]),
        "lost": np.nan_to_num(run.shares("lost")[rows], nan=-1).astype(np.int64).tolist(),
        "margin": _thousandths(margin),
        "opening": texts.openings,
    }


def _thousandths(values: Any) -> list[int]:
    return np.floor(np.nan_to_num(values, nan=-0.001) * 1000 + 1e-9).astype(np.int64).tolist()  # type: ignore[no-any-return]


def _id(value: Any) -> str:
    name = escape_for_page(str(value))
    return name if len(name) <= ID else name[: ID - 1] + "…"


def _shown_pairs(run: Run, listing: Listing, texts: Texts) -> dict[int, Any]:
    """Mark pairs of texts, as many as there is room for: by the place of their member in the listing."""
    marker, room, folded = Marker(run.settings, run.boilerplate_shingles), PAIR_BYTES, FOLDED_BYTES
    marker.expect(texts.whole.values())
    place = np.full(len(run), -1, np.int64)
    place[listing.rows] = np.arange(len(listing))
    blocks: dict[int, Any] = {}
    for canonical, member in pairs(listing).tolist():
        if canonical not in texts.whole:
            continue
        if member in texts.whole:
            key, pair = int(place[member]), marker.pair(texts.whole[canonical], texts.whole[member])
        else:
            key, pair = int(place[canonical]), marker.alone(texts.whole[canonical])
        if key in blocks:
            continue
        short = pair.shortened()
        more = _bytes(pair) - _bytes(short)
        if more <= folded:
            folded -= more
        else:
            pair = short
        room -= _bytes(short)
        if room < 0:
            break
        blocks[key] = pair
    return blocks


def _bytes(pair: Pair) -> int:
    return len(json.dumps(pair, ensure_ascii=False).encode())


def _digests(run: Run) -> dict[str, Any]:
    """Return what digests hold."""
    held: dict[str, list[Any]] = {}
    for row in run.digests.slice(0, 20 * ROWS).to_pylist():
        if row["id"] not in held and len(held) == ROWS:
            break
        shares = [round(row[name], 3) for name in ("containment", "share")]
        held.setdefault(row["id"], []).append([_id(row["cluster"]), *shares])
    total = (run.manifest.get("counts") or {}).get("digests", len(held))
    return {"total": total, "rows": [[_id(id), contents] for id, contents in held.items()]}


def _rejects(run: Run) -> dict[str, Any]:
    rows = run.rejects.slice(0, ROWS).to_pylist()
    listed = [[escape_for_page(str(row.get("file") or "–")), row.get("row"), _id(row.get("reason"))] for row in rows]
    return {"total": run.rejects.num_rows, "rows": listed}


# ---- what it is made of ----


def _rendered(run: Run, listing: Listing, texts: Texts) -> str:
    blocks = _shown_pairs(run, listing, texts)
    duplicates = int((~run.stays).sum())
    unit = unit_of_loss(run.settings.as_dict())
    return render(
        "report.html",
        style="report.css",
        script="report.js",
        name=run.name,
        manifest=run.manifest,
        documents=run.new,
        kept=run.new - duplicates,
        duplicates=duplicates,
        clusters=int((run.sizes > 1).sum()),
        relations=_relations(run),
        losses=[(_id(loss.id), _id(loss.canonical), loss.words, loss.share) for loss in _losses(run)],
        sources=texts.sources[:SOURCES],
        more_sources=max(0, len(texts.sources) - SOURCES),
        by=texts.by,
        charts=_charts(run),
        notes=_notes(run, listing, texts, blocks),
        listed=len(listing),
        unit=unit,
        data={
            "documents": _documents(run, listing, texts) | {"unit": unit, "counted": f"{run.settings.unit}s"},
            "digests": _digests(run),
            "rejects": _rejects(run),
        },
        pairs=blocks,
    )


def _losses(run: Run) -> list[Loss]:
    return largest_losses(run.clusters.slice(0, run.new), LOSSES)


def _relations(run: Run) -> list[tuple[str, int]]:
    counts = np.bincount(run.relation[~run.stays], minlength=len(RELATIONS)).tolist()
    return list(zip(RELATIONS[1:], counts[1:], strict=True))


def _charts(run: Run) -> dict[str, Any]:
    """Draw what can be drawn, and give the numbers beside it."""
    drawn: dict[str, Any] = dict.fromkeys(("sizes", "similarities", "bands"))
    sizes = sizes_of(run)
    if sizes:
        names, counts, _ = zip(*sizes, strict=True)
        drawn["sizes"] = {"chart": charts.sizes_chart(names, counts), "rows": sizes}
        changed = ~run.stays & (run.relation != RELATIONS.index("identical"))
        measures = run.shares("jaccard")[changed], run.shares("containment")[changed]
        if len(measures[0]):
            drawn["similarities"] = {"chart": charts.similarities_chart(*measures), "rows": _histogram(*measures)}
    if run.manifest.get("settings"):
        shape, threshold = run.settings.banding, run.settings.threshold
        drawn["bands"] = {
            "chart": charts.bands_chart(*shape, threshold),
            "rows": [(f"{tenth / 10:.1f}", chance(tenth / 10, *shape)) for tenth in range(1, 11)],
            "at": chance(threshold, *shape),
            "bands": shape[0],
            "size": shape[1],
        }
    return drawn


def _histogram(jaccard: Any, containment: Any) -> list[tuple[str, int, int]]:
    edges = np.linspace(0, 1, 11)
    names = [f"{low:.1f} – {low + 0.1:.1f}" for low in edges[:-1]]
    columns = (np.histogram(values, edges)[0].tolist() for values in (jaccard, containment))
    return list(zip(names, *columns, strict=True))


def _notes(run: Run, listing: Listing, texts: Texts, blocks: dict[int, Any]) -> list[str]:
    """Say what the page does not show."""
    notes = [texts.note] if texts.note else []
    if len(listing) < len(run):
        notes.append(
            f"This page lists {len(listing):,} of {len(run):,} documents: first those of clusters, in turn the largest "
            "and the most doubtful ones; search finds only these. The tables of the run have all."
        )
    duplicates = int((~run.stays).sum())
    compared = sum(1 for pair in blocks.values() if pair.b)
    if not texts.note and compared < duplicates:
        notes.append(
            f"{compared:,} of {duplicates:,} copies are shown beside what represents them: those of the largest and "
            "the most doubtful clusters. The command dupdetect compare shows any two."
        )
    if texts.read and not texts.note and texts.read < len(run):
        notes.append(f"The input had the texts of {texts.read:,} of {len(run):,} documents.")
    return notes
