"""What a run says of itself: its plan, before, and its manifest, afterwards.

Input    settings, inputs, tables, timings
Output   mappings ready for JSON
Cost     a look at each input file
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import pyarrow.compute as pc
import xxhash

from dupdetect._compiled.dispatch import on_threads
from dupdetect._storage import memory as memories
from dupdetect._storage.checksums import checksum
from dupdetect.clustering.clusters import blank
from dupdetect.errors import InputError
from dupdetect.io import remote
from dupdetect.io.archives import on_disk
from dupdetect.io.seen import NUMBERED
from dupdetect.pipeline import tables
from dupdetect.results.losses import lost_words

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from dupdetect.pipeline.corpus import Corpus
    from dupdetect.pipeline.request import Request, RunContext
    from dupdetect.pipeline.tables import Decision
    from dupdetect.settings import Settings


def plan(request: Request, settings: Settings, inputs: list[str], earlier: list[str]) -> dict[str, Any]:
    """Return what decides the parts of a run, and what is found in them.

    Parameters
    ----------
    request : Request
    settings : Settings
    inputs, earlier : list of str
        Names of what is read, and files of earlier outputs.
    """
    from dupdetect import __version__

    return {
        "version": __version__,
        "settings": settings.as_dict(),
        "text": request.text,
        "id": request.id,
        "id_prefix": request.id_prefix,
        "strict": request.strict,
        "max_text": request.max_text,
        "read_as": request.how._asdict(),
        "inputs": [identity(name) for name in inputs],
        "against": [identity(name) for name in earlier],
    }


def plan_checksum(plan: dict[str, Any]) -> str:
    """Return a checksum of a plan: runs of one plan find the same."""
    return xxhash.xxh3_128_hexdigest(json.dumps(plan, sort_keys=True).encode())


def identity(name: str) -> dict[str, Any]:
    """Return what tells that an input is as it was."""
    if url := remote.as_url(name):
        size, stamp = remote.stamp(url)
        return {"name": name, "bytes": size, "stamp": stamp}
    path = on_disk(name)
    if not path.is_file():
        return {"name": name}
    known = path.stat()
    return {"name": name, "bytes": known.st_size, "modified": known.st_mtime_ns}


def check_unchanged(plan: dict[str, Any]) -> None:
    """Refuse what was read of files that were changed meanwhile; of one that has grown, such as a log, say it.

    Raises
    ------
    InputError
        A file is gone, shorter or another.
    """
    for before in plan["inputs"]:
        now = before if before.keys() == {"name"} else identity(before["name"])
        if now == before:
            continue
        if now.get("bytes", 0) <= before["bytes"]:
            raise InputError(
                f"{before['name']}: was changed while it was read, so what was found belongs to no file; run it again "
                "when nobody writes to it"
            )
        warnings.warn(f"{before['name']} has grown while it was read; what came later may be missing", stacklevel=2)


class Counted(Protocol):
    """Documents that are counted: a `Corpus`, or a part of one."""

    @property
    def new(self) -> int: ...  # noqa: D102
    @property
    def words(self) -> NDArray[np.int64]: ...  # noqa: D102
    @property
    def digests(self) -> NDArray[np.uint64]: ...  # noqa: D102
    @property
    def rejects(self) -> pa.Table: ...  # noqa: D102


def counts(corpus: Counted, decision: Decision, found: dict[str, pa.Table]) -> dict[str, Any]:
    """Count what was found.

    Parameters
    ----------
    corpus : Counted
    decision : Decision
    found : dict
        The tables ``clusters``, ``matches`` and ``boilerplate``.
    """
    kept = int(pc.sum(found["clusters"]["canonical"]).as_py() or 0)
    return {
        "documents": corpus.new,
        "rejected": corpus.rejects.num_rows,
        "empty": int((blank(corpus.digests) & (corpus.words == 0))[: corpus.new].sum()),
        "clusters": kept,
        "duplicates": corpus.new - kept,
        "kept": kept,
        "matches": found["matches"].num_rows,
        "digests": int((decision.digest_documents < corpus.new).sum()),
        "boilerplate_shingles": boilerplate_shingles(found["boilerplate"]),
        "relations": tables.relation_counts(found["clusters"]),
        "lost_words": lost_words(found["clusters"]),
    }


def boilerplate_shingles(table: pa.Table) -> int:
    """Count the shingles of a table `boilerplate` that are boilerplate."""
    return int((table["margin"].to_numpy() > 0).sum())


def manifest(run: RunContext, corpus: Corpus, resumed: int) -> dict[str, Any]:
    """Return what is to be said of a run, but for what it found.

    Parameters
    ----------
    run : RunContext
    corpus : Corpus
    resumed : int
        Parts that were taken from an earlier run.
    """
    workspace = run.workspace
    columns = {"text": run.request.text, "id": NUMBERED if run.request.id == NUMBERED else corpus.id}
    if run.request.id_prefix is not None:
        columns["id_prefix"] = run.request.id_prefix
    splits = {"splits": corpus.files} if isinstance(run.request.data, Mapping) and corpus.files != [None] else {}
    return {
        **made_with(run.settings),
        "plan": plan_checksum(run.plan),
        "inputs": corpus.inputs,
        **splits,
        # Who reads them again, as a report does, sees by these that they are what this run has read.
        "input_checksums": on_threads(checksum, [on_disk(name) for name in corpus.inputs], run.workers),
        "columns": columns,
        "max_text": run.request.max_text,
        "read_as": run.request.how._asdict(),
        "timings": run.clock.seconds,
        "memory": {
            "limit": workspace.memory,
            "peak": memories.peak(),
            "on_disk": 0 if workspace.checkpoints is None else workspace.checkpoints.bytes,
            "resumed_parts": resumed,
        },
    }


def made_with(settings: Settings) -> dict[str, Any]:
    """Return what is to be said of the settings of a run, and of the versions that it was made with."""
    return {
        "settings": settings.as_dict(),
        "fingerprint": settings.fingerprint,
        "bands": dict(zip(("bands", "rows"), settings.banding, strict=True)),
        "versions": versions(),
    }


def versions() -> dict[str, str]:
    """Return the versions of what decides a result."""
    import platform
    import unicodedata
    from importlib.metadata import version

    from dupdetect import __version__

    packages = ("datasketch", "numpy", "pyarrow", "regex", "xxhash")
    return {
        "dupdetect": __version__,
        "python": platform.python_version(),
        "unicode": unicodedata.unidata_version,
        **{name: version(name) for name in packages},
    }
