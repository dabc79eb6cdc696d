"""The road from texts to clusters, top to bottom, once.

Input    documents, settings, how much memory there is
Output   `Result`
Cost     a pass over all texts, a sort of their keys, a second pass over the texts that may have copies

What is finished (each part of the corpus as it is signed, what was verified, the decision) goes through the run's
`Workspace`: on disk it is kept, and a run that resumes takes it from there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from dupdetect._storage import memory as memories
from dupdetect._storage.context import check_workers
from dupdetect._storage.workspace import Workspace
from dupdetect.clustering import canonical, clusters
from dupdetect.errors import InputError
from dupdetect.io import documents, remote
from dupdetect.matching import candidates
from dupdetect.matching.boilerplate import Boilerplate, Judge
from dupdetect.matching.verify import Overlaps, Verifier
from dupdetect.pipeline import incremental as rules
from dupdetect.pipeline import stage_arrays as checkpoints
from dupdetect.pipeline import tables
from dupdetect.pipeline.corpus import FOOTPRINT, PART_BYTES, Corpus, Signing
from dupdetect.pipeline.earlier_runs import Earlier, KeySet
from dupdetect.results.result import Result
from dupdetect.settings import Settings
from dupdetect.sketches.build import sketch_rows
from dupdetect.sketches.sketches import Sketches, sign_texts, sketch_texts

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Paths: TypeAlias = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

#: Told of each stage when it begins (done 0) and ends (done = total): stage, done, total in documents or pairs.
Progress = Callable[[str, int, int], None]

#: Times that canonicals are compared anew where frequent keys left pairs out. Families of 100,000 near copies took one.
ROUNDS = 8


def dedup(
    data: Any,
    *,
    text: str = "text",
    id: str | None = None,
    settings: Settings | None = None,
    workers: int | None = None,
    strict: bool = False,
    memory: int | None = None,
    work: str | os.PathLike[str] | None = None,
    resume: bool = False,
    against: Paths | None = None,
    sketches: bool = False,
    progress: Progress | None = None,
    **overrides: Any,
) -> Result:
    """Find the copies in a collection of texts.

    Parameters
    ----------
    data : iterable of str, mapping, Arrow stream, str, Path or list of Path
        Texts; ids and texts; a table (pandas, polars, pyarrow, duckdb, datasets); or files: a path, folder or
        glob, several of them as a list of `Path`.
    text : str
        The column of texts.
    id : str, optional
        The column of ids. By default "id" if there is one, else rows are numbered.
    settings : Settings, optional
        Default settings if left out.
    workers : int, optional
        Threads; by default one for each processor. The result does not depend on it.
    strict : bool
        Whether a row that cannot be used is an error. By default it becomes a row of `Result.rejects`.
    memory : int, optional
        Bytes that the process should keep to. What would not fit is worked on in files. By default a share of the
        memory that is free. The result does not depend on it.
    work : path, optional
        A folder for these files, in which what is finished stays until `Result.close`. By default a temporary one.
    resume : bool
        Go on with what an earlier run, interrupted, has left in `work`, if it has. Work there from the beginning, so
        that this run can be gone on with, even if all would fit in memory.
    against : path or iterable of paths, optional
        Outputs of earlier runs (`Result.write`, Parquet), or folders of such: copies of what they kept are found, too,
        and what they kept stays. The result is of the new documents alone, but their clusters may be earlier ones'.
    sketches : bool
        Whether `Result.write` is to write the sketches of what is kept, so that later runs held against this one need
        not sign it again.
    progress : callable, optional
        Called with (stage, done, total).
    **overrides
        Single settings, as `Settings` names them.

    Returns
    -------
    Result

    Raises
    ------
    InputError
        The data cannot be read, or a column is missing.
    SettingsError
        A setting is unknown or out of its range.
    MismatchError
        `resume`, but what is in `work` was begun with other inputs or settings.
    OutputError
        The files in `work` cannot be written.

    Examples
    --------
    >>> story = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."
    >>> result = dedup({"a": story, "b": "Nothing like it.", "c": story.upper()})
    >>> result.clusters.select(["id", "cluster", "relation"]).to_pylist()[2]
    {'id': 'c', 'cluster': 'a', 'relation': 'identical'}
    """
    chosen = (settings or Settings()).replace(**overrides)
    threads = check_workers(workers)
    clock = _Clock(progress)
    earlier = None if against is None else Earlier(against, chosen, text=text, workers=threads)
    names: list[str] = []
    workspace = Workspace(memory, work, resume, lambda: _plan(names, chosen, text, id, strict, earlier))
    try:
        corpus, resumed = _read(data, text, id, strict, chosen, threads, workspace, clock, names)
        if earlier is not None:
            corpus = _related(corpus, earlier, strict, workspace, clock)
        found = workspace.finished("decision", lambda: _decide(corpus, earlier, chosen, threads, workspace, clock))
        decision, caps = checkpoints.decision_of_arrays(found)
        sketched = (text, chosen, threads) if sketches else None
        result = _result(corpus, earlier, decision, caps, chosen, clock, workspace, resumed, text, sketched)
    except BaseException as error:
        workspace.close(remove=isinstance(error, InputError) and not resume)  # with these inputs nothing can go on
        raise
    finally:
        if earlier is not None:
            earlier.close()
    return result


def _related(corpus: Corpus, earlier: Earlier, strict: bool, workspace: Workspace, clock: _Clock) -> Corpus:
    """Put the earlier documents that are related to the new ones behind these."""
    with clock.stage("earlier", earlier.documents) as told:
        if FOOTPRINT * earlier.bytes > workspace.room:
            workspace.open()
        keys = KeySet([*corpus.bands, *corpus.fingerprints], workspace.storage)
        related = earlier.related(keys, corpus.ids, workspace.storage, told)
        corpus, again = rules.settle_ids(corpus, related, earlier, strict=strict)
        return rules.join(corpus, related, again, workspace.storage)


def _read(
    data: Any,
    text: str,
    id: str | None,
    strict: bool,
    settings: Settings,
    workers: int,
    workspace: Workspace,
    clock: _Clock,
    names: list[str],
) -> tuple[Corpus, int]:
    """Read and sign; return how many parts an earlier run had done, too."""
    with clock.stage("sign", 0) as told:
        signing = Signing(text, settings, workers, workspace.room, workspace.open, told)
        part_bytes = min(PART_BYTES, workspace.memory // 32)
        stream = documents.stream(data, text=text, id=id, strict=strict, part_bytes=part_bytes)
        names += stream.inputs
        if workspace.resume:
            if "-" in stream.inputs:
                raise InputError("standard input cannot be read again, so nothing can resume from it: give a file")
            note = signing.resume(workspace.open())
            if note is not None:
                stream = documents.stream(data, text=text, id=id, strict=strict, part_bytes=part_bytes, after=note)
        resumed = signing.parts
        corpus = signing.sign(stream)
    clock.seconds["read"] = round(signing.waited, 6)  # of the time for signing, that in which there was nothing to sign
    return corpus, resumed


def _result(
    corpus: Corpus,
    earlier: Earlier | None,
    decision: tables.Decision,
    caps: dict[str, int],
    settings: Settings,
    clock: _Clock,
    workspace: Workspace,
    resumed: int,
    text: str,
    sketched: tuple[str, Settings, int] | None,
) -> Result:
    """Make the tables, and say what was done."""
    with clock.stage("tables", len(corpus)):
        found, superseded = tables.clusters_tables(corpus, decision, settings)
        matches, caps["unlisted_pairs"] = tables.matches_table(corpus, decision, settings)
        bridges = tables.digests_table(corpus, decision, settings)
        kept = tables.kept_rows(corpus, decision)
        boilerplate = tables.boilerplate_table(decision.boilerplate, _known(earlier, settings))
    counts = {
        "documents": corpus.new,
        "rejected": corpus.rejects.num_rows,
        "empty": int((corpus.words[: corpus.new] == 0).sum()),
        "clusters": kept.num_rows,
        "duplicates": corpus.new - kept.num_rows,
        "kept": kept.num_rows,
        "matches": matches.num_rows,
        "digests": int((decision.bridge_documents < corpus.new).sum()),
        "boilerplate_shingles": int((boilerplate["margin"].to_numpy() > 0).sum()),
        "relations": tables.relation_counts(found),
    }
    manifest = {
        "settings": settings.as_dict(),
        "fingerprint": settings.fingerprint,
        "bands": dict(zip(("bands", "rows"), settings.banding, strict=True)),
        "versions": _versions(),
        "inputs": corpus.inputs,
        "columns": {"text": text, "id": corpus.id},
        "counts": counts,
        "timings": clock.seconds,
        "caps": caps,
        "memory": {
            "limit": workspace.memory,
            "peak": memories.peak(),
            "on_disk": 0 if workspace.checkpoints is None else workspace.checkpoints.bytes,
            "resumed_parts": resumed,
        },
    }
    if earlier is not None:
        manifest["against"] = {
            "outputs": [str(folder) for folder in earlier.folders],
            "documents": earlier.documents,
            "related": len(corpus) - corpus.new,
            "superseded": superseded.num_rows,
        }
    ids = found["id"].filter(found["canonical"])
    sketcher = None if sketched is None else partial(sketch_rows, kept, ids, *sketched)
    return Result(found, matches, bridges, kept, corpus.rejects, boilerplate, manifest, workspace, superseded, sketcher)


def _plan(
    inputs: list[str], settings: Settings, text: str, id: str | None, strict: bool, earlier: Earlier | None
) -> dict[str, Any]:
    """Return what decides the parts of a run, and what is found in them."""
    from dupdetect import __version__

    return {
        "version": __version__,
        "settings": settings.as_dict(),
        "text": text,
        "id": id,
        "strict": strict,
        "inputs": [_identity(name) for name in inputs],
        "against": [] if earlier is None else [_identity(name) for name in earlier.files],
    }


def _identity(name: str) -> dict[str, Any]:
    """Return what tells that an input is as it was."""
    if url := remote.as_url(name):
        size, stamp = remote.stamp(url)
        return {"name": name, "bytes": size, "stamp": stamp}
    path = Path(name)
    if not path.is_file():
        return {"name": name}
    known = path.stat()
    return {"name": name, "bytes": known.st_size, "modified": known.st_mtime_ns}


def signatures(
    texts: Iterable[str] | Any, *, settings: Settings | None = None, workers: int | None = None, **overrides: Any
) -> NDArray[np.uint32]:
    """Sign texts.

    Parameters
    ----------
    texts : iterable of str, or an Arrow array of strings
        Each must be a text: there are no rejects here.
    settings : Settings, optional
    workers : int, optional
        Threads; by default one for each processor.
    **overrides
        Single settings, as `Settings` names them.

    Returns
    -------
    uint32[n, num_perm]
        The `hashvalues` of the `datasketch.MinHash` of each text's shingles, scheme "affine32".

    Raises
    ------
    InputError
        An item is no text.

    Examples
    --------
    >>> signatures(["one two three", "one two three"], num_perm=64).shape
    (2, 64)
    """
    chosen, given, threads = _given(texts, settings, workers, overrides)
    return sign_texts(given, chosen, workers=threads)


def sketch(
    texts: Iterable[str] | Any, *, settings: Settings | None = None, workers: int | None = None, **overrides: Any
) -> Sketches:
    """Sketch texts: `Sketches`, with their signatures; parameters and errors as for `signatures`.

    Examples
    --------
    >>> mine = sketch(["one two three"], seed=1)
    >>> mine.jaccard(sketch(["one two three"], seed=1))
    array([[1.]])
    >>> mine.jaccard(sketch(["one two three"], seed=2))
    Traceback (most recent call last):
        ...
    dupdetect.errors.MismatchError: these sketches were made with different settings (seed: 1 and 2) and cannot be \
compared; sketch both with the same
    """
    chosen, given, threads = _given(texts, settings, workers, overrides)
    return sketch_texts(given, chosen, workers=threads, signatures=True)


def _given(
    texts: Iterable[str] | Any, settings: Settings | None, workers: int | None, overrides: dict[str, Any]
) -> tuple[Settings, pa.ChunkedArray, int]:
    """Read what `signatures` and `sketch` are given."""
    chosen = (settings or Settings()).replace(**overrides)
    return chosen, documents.collect(texts, strict=True).texts, check_workers(workers)


def _decide(
    corpus: Corpus, earlier: Earlier | None, settings: Settings, workers: int, workspace: Workspace, clock: _Clock
) -> dict[str, Any]:
    """Walk from sketches to the canonical of each document."""
    text_of, rows = collapse(corpus.words, corpus.digests)
    rows = rules.representatives(corpus, text_of, rows)
    n, storage = len(rows), workspace.storage
    number = np.full(len(corpus.fingerprints_each), -1, np.int32)
    number[corpus.places[rows]] = np.arange(n, dtype=np.int32)
    with clock.stage("candidates", n):
        bands = candidates.Source(corpus.bands, np.full(len(number), settings.banding[0]), 0.0)
        fingerprints = candidates.Source(
            corpus.fingerprints, corpus.fingerprints_each, settings.min_shared_fingerprints
        )
        found = candidates.find_by_keys((bands, fingerprints), number, n, settings, storage, workers=workers)
        pins = rules.Pins.of(corpus, text_of, rows, found)
        found = pins.apart(found)
    with clock.stage("verify", len(found.pairs)):
        texts, kept, at = rules.texts(corpus, earlier, rows, pins, workspace)
        known = _known(earlier, settings)
        verifier = Judge(texts, at, settings, workers, kept=kept, storage=storage, boilerplate=known)
        verified = workspace.finished("verified", lambda: _verified(*verify(found, verifier, settings, n), verifier))
        verifier.adopt(checkpoints.boilerplate_of_arrays(verified))
        matches, spared = checkpoints.overlaps_of_arrays(verified), verified["spared"]
    with clock.stage("cluster", n):
        clean = clusters.cleanness(n, matches)
        settled = pins.first(clusters.settle(clean, _linked(matches, found.sparse)))
        grouped, matches, rounds = _cluster(found, spared, settled, matches, verifier, pins, settings, workers)
        parted, bridges = clusters.part_bridges(grouped, settled, matches, verifier, pins.bridges)
        ranks = rules.rank(corpus, earlier, settings, text_of, clean, pins)
        with_words = np.flatnonzero(text_of >= 0)
        document_of = with_words[canonical.least(ranks[with_words], text_of[with_words], n)]
        text_ranks = canonical.cleanest(pins.first(clean)) if settings.canonical == "cleanest" else ranks[document_of]
        grouped, matches = canonical.choose(parted, text_ranks, matches, verifier, settings)
        contents = clusters.contents(bridges, parted, grouped, matches, verifier, settings)
    caps = {
        "hot_keys": found.frequent,
        "sampled_pairs": len(found.sparse),
        "deferred_pairs": len(spared),
        "rounds": rounds,
    }
    decision = tables.Decision(text_of, ranks, document_of, grouped, matches, bridges, contents, verifier.boilerplate)
    return checkpoints.decision_to_arrays(decision, caps)


def _known(earlier: Earlier | None, settings: Settings) -> Boilerplate:
    """Return what earlier outputs say is boilerplate."""
    if earlier is None or not settings.weighs:
        return Boilerplate.none()
    return replace(Boilerplate.none(), shingles=earlier.boilerplate[0], margin=earlier.boilerplate[1])


def _verified(matches: Overlaps, spared: candidates.Pairs, verifier: Judge) -> dict[str, Any]:
    """Lay out what was verified, for a checkpoints."""
    learned = checkpoints.boilerplate_to_arrays(verifier.boilerplate)
    return {**checkpoints.overlaps_to_arrays(matches), **learned, "spared": spared}


def collapse(words: Int, digests: NDArray[np.uint64]) -> tuple[Int, Int]:
    """Collapse documents with the same words.

    Parameters
    ----------
    words : int64[n]
    digests : uint64[n, 2]

    Returns
    -------
    int64[n]
        The text that each document has: 0 for the shortest, ties in order of their digests, so that texts are
        numbered alike in whatever order documents come; -1 for documents without words.
    int64[m]
        A document that has it, for each text.
    """
    first = words.astype(np.uint64) << np.uint64(32) | digests[:, 0] >> np.uint64(32)
    order = np.argsort(first)
    order = order[np.searchsorted(words[order], 1) :]
    same = first[order[1:]] == first[order[:-1]]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    some = order[tied]
    order[tied] = some[np.lexsort((digests[some, 1], digests[some, 0], first[some]))]
    ordered = digests[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    text_of = np.full(len(words), -1, np.int64)
    text_of[order] = np.cumsum(new) - 1
    return text_of, order[new]


def verify(
    found: candidates.Candidates, verifier: Judge, settings: Settings, n: int
) -> tuple[Overlaps, candidates.Pairs]:
    """Verify candidates: first what gathers families around their hubs, and then what families do not spare.

    Two documents of a family, of more than `Settings.hot_key_documents` members of one hub, will most likely be in one cluster
    whether they match or not. Their pairs are returned, to be looked at again where they are not. All others vote on
    what is boilerplate, and are weighed.
    """
    hubs = found.hubs()
    gathered = verifier.sharing(hubs, settings)
    rest = candidates.without(found.pairs, hubs)
    family = np.arange(n)
    alike = gathered.matches(settings)
    family[alike.b] = alike.a
    large = (np.bincount(family, minlength=n) > settings.hot_key_documents)[family]
    a, b = candidates.unpack(rest)
    within = (family[a] == family[b]) & large[a]
    judged = verifier.learn(gathered | verifier.sharing(rest[~within], settings))
    return judged.matches(settings), rest[within]


def _cluster(
    found: candidates.Candidates,
    spared: candidates.Pairs,
    clean: NDArray[np.float64],
    matches: Overlaps,
    verifier: Verifier,
    pins: rules.Pins,
    settings: Settings,
    workers: int,
) -> tuple[Int, Overlaps, int]:
    """Cluster; where frequent keys left pairs out, compare canonicals with what they may have missed, and repeat."""
    grouped = clusters.cluster(clean, matches)
    tested, sparse = candidates.without(found.pairs, spared), found.sparse
    for done in range(ROUNDS):
        if len(sparse) == 0:
            return grouped, matches, done
        linked = _linked(matches, sparse)
        beyond = [candidates.pack(grouped[x], y) for x, y in ((linked.a, linked.b), (linked.b, linked.a))]
        active = pins.readable & (grouped == np.arange(len(grouped)))
        again = pins.apart(found.again(active, settings, workers=workers))
        sparse = candidates.union(sparse, again.sparse)
        proposed = candidates.without(pins.open(_proper(candidates.union(*beyond, again.pairs))), tested)
        more = verifier.matches(proposed, settings)
        tested = candidates.union(tested, proposed)
        if len(more.pairs) == 0:
            a, b = candidates.unpack(spared)
            proposed = candidates.without(spared[grouped[a] != grouped[b]], tested)
            more = verifier.matches(proposed, settings)
            tested = candidates.union(tested, proposed)
        if len(more.pairs) == 0:
            return grouped, matches, done + 1
        matches = matches | more
        grouped = clusters.cluster(clean, matches)
    return grouped, matches, ROUNDS


def _linked(matches: Overlaps, sparse: candidates.Pairs) -> Overlaps:
    """Return the matches that came from frequent keys."""
    return matches.where(~candidates.missing(matches.pairs, sparse))


def _proper(pairs: candidates.Pairs) -> candidates.Pairs:
    """Drop pairs of a document with itself."""
    a, b = candidates.unpack(pairs)
    return pairs[a != b]  # type: ignore[no-any-return]


def _versions() -> dict[str, str]:
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


class _Clock:
    """Times the stages and tells of them."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self.seconds: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, total: int) -> Iterator[Callable[[int], None]]:
        """Time a stage; give what it may tell how much is done."""
        last = total

        def tell(done: int) -> None:
            nonlocal last
            last = max(last, done)
            if self._progress:
                self._progress(name, done, total)

        tell(0)
        start = time.perf_counter()
        yield tell
        self.seconds[name] = round(time.perf_counter() - start, 6)
        if self._progress:
            self._progress(name, last, last)
