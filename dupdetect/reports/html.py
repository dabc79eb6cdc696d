"""A run to a page that shows why.

Input    what `dedup` returned, or the folder it wrote; its input, for the texts that it removed
Output   one HTML file that loads nothing: counts, pictures, clusters side by side, digests, rejects, settings
Cost     one pass over the texts, and some seconds: at the most 100,000 documents are listed and 400 pairs shown

What stands in a corpus may have been written to deceive: every text of it is escaped, no text of it becomes markup,
and the page's own policy lets nothing run or load but the page's one script and one style, named by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dupdetect.errors import OutputError
from dupdetect.matching.verify import RELATIONS
from dupdetect.reports.listing import Listing, sizes_of
from dupdetect.reports.marked_texts import Marker
from dupdetect.reports.texts import Texts, pairs, read_texts
from dupdetect.results.result import Result
from dupdetect.results.run import Run
from dupdetect.text.escape import escape_for_page

if TYPE_CHECKING:
    from jinja2 import Environment

#: Sources that the page lists, and rows of digests and rejects.
SOURCES, ROWS = 25, 1_000

#: Bytes of the page that pairs of texts may take.
PAIR_BYTES = 7_000_000

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
    out : Result, str or Path
        What `dedup` returned, or the folder it wrote.
    path : path, optional
        The file to write, by default ``report.html`` in that folder (of a `Result`: here).
    data, text, id
        The input of that run, as `dedup` took it: only there are the texts that it removed. By default the files that
        the manifest names, if they are still there.
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
        The file cannot be written, or `dupdetect[report]` is not installed.
    """
    target = Path(path) if path is not None else Path(NAME) if isinstance(out, Result) else Path(out) / NAME
    require_libraries(target)
    return write_whole(target, page(out, data, text=text, id=id, by=by))


def require_libraries(path: Path) -> None:
    """Raise an `OutputError` that says how to install what a report needs, if it is not."""
    missing = [name for name in ("jinja2", "matplotlib") if find_spec(name) is None]
    if missing:
        raise OutputError(
            f"{path}: a report needs {' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not "
            "installed: python -m pip install 'dupdetect[report]'"
        )


def write_whole(file: Path, text: str) -> Path:
    """Write a file, whole or not at all."""
    part = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8", newline="\n")
        part.replace(file)
    except OSError as error:
        raise OutputError(f"{file}: cannot be written ({error.strerror}); choose another place") from error
    finally:
        part.unlink(missing_ok=True)
    return file


def page(out: Any, data: Any = None, *, text: str | None = None, id: str | None = None, by: str | None = None) -> str:
    """Return the page as HTML; parameters and errors as those of `report`."""
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
    marker, room = Marker(run.settings, run.boilerplate_shingles), PAIR_BYTES
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
        room -= len(json.dumps(pair, ensure_ascii=False).encode())
        if room < 0:
            break
        blocks[key] = pair
    return blocks


def _digests(run: Run) -> dict[str, Any]:
    """Return what digests hold."""
    held: dict[str, list[Any]] = {}
    for row in run.digests.slice(0, 20 * ROWS).to_pylist():
        if row["id"] not in held and len(held) == ROWS:
            break
        shares = [round(row[name], 3) for name in ("containment", "share")]
        held.setdefault(row["id"], []).append([_id(row["cluster"]), *shares])
    total = run.manifest.get("counts", {}).get("digests", len(held))
    return {"total": total, "rows": [[_id(id), contents] for id, contents in held.items()]}


def _rejects(run: Run) -> dict[str, Any]:
    rows = run.rejects.slice(0, ROWS).to_pylist()
    listed = [[escape_for_page(str(row.get("file") or "–")), row.get("row"), _id(row.get("reason"))] for row in rows]
    return {"total": run.rejects.num_rows, "rows": listed}


# ---- what it is made of ----


@dataclass(frozen=True)
class _Assets:
    """The page's template, and its one style and one script."""

    environment: Environment
    style: str
    script: str


@lru_cache(maxsize=1)
def _assets() -> _Assets:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("dupdetect.reports", "page")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    # Escapes what could end a script or begin markup; other characters stay as they are, for they are a third as long.
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":"), "allow_nan": False}
    environment.filters |= {"number": _number, "share": _share, "shown": lambda value: escape_for_page(str(value))}
    environment.filters["combine"] = lambda first, second: {**first, **second}
    style, script = (loader.get_source(environment, f"report.{kind}")[0] for kind in ("css", "js"))
    return _Assets(environment, style, script)


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _rendered(run: Run, listing: Listing, texts: Texts) -> str:
    from markupsafe import Markup

    assets = _assets()
    blocks = _shown_pairs(run, listing, texts)
    duplicates = int((~run.stays).sum())
    return assets.environment.get_template("report.html").render(
        name=run.name,
        style=Markup(assets.style),
        script=Markup(assets.script),
        style_hash=_hash(assets.style),
        script_hash=_hash(assets.script),
        manifest=run.manifest,
        documents=run.new,
        kept=run.new - duplicates,
        duplicates=duplicates,
        clusters=int((run.sizes > 1).sum()),
        relations=_relations(run),
        sources=texts.sources[:SOURCES],
        more_sources=max(0, len(texts.sources) - SOURCES),
        by=texts.by,
        charts=_charts(run),
        notes=_notes(run, listing, texts, blocks),
        listed=len(listing),
        data={"documents": _documents(run, listing, texts), "digests": _digests(run), "rejects": _rejects(run)},
        pairs=blocks,
    )


def _relations(run: Run) -> list[tuple[str, int]]:
    counts = np.bincount(run.relation[~run.stays], minlength=len(RELATIONS)).tolist()
    return list(zip(RELATIONS[1:], counts[1:], strict=True))


def _charts(run: Run) -> dict[str, Any]:
    """Draw what can be drawn, and give the numbers beside it."""
    from markupsafe import Markup

    from dupdetect.reports import charts

    drawn: dict[str, Any] = dict.fromkeys(("sizes", "similarities", "bands"))
    sizes = sizes_of(run)
    if sizes:
        names, counts, _ = zip(*sizes, strict=True)
        drawn["sizes"] = {"svg": Markup(charts.sizes_chart(names, counts)), "rows": sizes}
        changed = ~run.stays & (run.relation != RELATIONS.index("identical"))
        measures = run.shares("jaccard")[changed], run.shares("containment")[changed]
        if len(measures[0]):
            svg = charts.similarities_chart(*measures)
            drawn["similarities"] = {"svg": Markup(svg), "rows": _histogram(*measures)}
    settings, bands = run.manifest.get("settings") or {}, run.manifest.get("bands") or {}
    if bands and "threshold" in settings:
        shape = bands["bands"], bands["rows"]
        svg = charts.bands_chart(*shape, settings["threshold"])
        rows = [(f"{tenth / 10:.1f}", charts.found(tenth / 10, *shape)) for tenth in range(1, 11)]
        at = charts.found(settings["threshold"], *shape)
        drawn["bands"] = {"svg": Markup(svg), "rows": rows, "at": at, "bands": shape[0], "size": shape[1]}
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
