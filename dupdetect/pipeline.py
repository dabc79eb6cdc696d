"""The road from texts to clusters, top to bottom, once.

Input    documents, settings
Output   `Result`
Cost     a pass over all texts, a sort of their keys, a second pass over the texts that may have copies
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from dupdetect import candidates, canonical, clusters, tables
from dupdetect.cleaning import cleaned
from dupdetect.documents import collect
from dupdetect.errors import SettingsError
from dupdetect.loops import available_workers
from dupdetect.result import Result
from dupdetect.settings import Settings
from dupdetect.sketches import Sketches, sign_texts, sketch_texts
from dupdetect.templates import Judge
from dupdetect.verify import Overlaps, Verifier

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from dupdetect.documents import Documents

    Int = NDArray[np.int64]

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

    Examples
    --------
    >>> story = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars."
    >>> result = dedup({"a": story, "b": "Nothing like it.", "c": story.upper()})
    >>> result.clusters.select(["id", "cluster", "relation"]).to_pylist()[2]
    {'id': 'c', 'cluster': 'a', 'relation': 'identical'}
    """
    chosen = (settings or Settings()).replace(**overrides)
    threads = _workers(workers)
    clock = _Clock(progress)
    with clock.stage("read", 0):
        documents = cleaned(collect(data, text=text, id=id, strict=strict), workers=threads)
    with clock.stage("sign", len(documents)):
        sketches = sketch_texts(documents.texts, chosen, workers=threads, keep=True)
    decision, caps = _decide(documents, sketches, chosen, threads, clock)
    with clock.stage("tables", len(documents)):
        found = tables.clusters_table(documents, decision, chosen)
        matches, caps["unlisted_pairs"] = tables.matches_table(documents, decision, chosen)
        bridges = tables.bridges_table(documents, decision, chosen)
        kept = tables.kept_table(documents, decision)
        templates = tables.templates_table(decision.templates)
    counts = {
        "documents": len(documents),
        "rejected": documents.rejects.num_rows,
        "empty": int((sketches.words == 0).sum()),
        "clusters": kept.num_rows,
        "duplicates": len(documents) - kept.num_rows,
        "kept": kept.num_rows,
        "matches": matches.num_rows,
        "bridges": len(decision.bridge_documents),
        "template_shingles": int((decision.templates.lead > 0).sum()),
        "relations": tables.relation_counts(found),
    }
    manifest = {
        "settings": chosen.as_dict(),
        "fingerprint": chosen.fingerprint,
        "bands": dict(zip(("bands", "rows"), chosen.banding, strict=True)),
        "versions": _versions(),
        "inputs": documents.inputs,
        "counts": counts,
        "timings": clock.seconds,
        "caps": caps,
    }
    return Result(found, matches, bridges, kept, documents.rejects, templates, manifest)


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
    return chosen, collect(texts, strict=True).texts, _workers(workers)


def _decide(
    documents: Documents, sketches: Sketches, settings: Settings, workers: int, clock: _Clock
) -> tuple[tables.Decision, dict[str, int]]:
    """Walk from sketches to the canonical of each document."""
    text_of, rows = collapse(sketches)
    distinct = sketches.take(rows)
    verifier = Judge(documents.texts, rows, settings, workers, kept=sketches.kept)
    with clock.stage("candidates", len(distinct)):
        found = candidates.find(distinct, workers=workers)
    with clock.stage("verify", len(found.pairs)):
        matches, spared = verify(found, verifier, settings, len(distinct))
    with clock.stage("cluster", len(distinct)):
        clean = clusters.cleanness(len(distinct), matches)
        settled = clusters.settle(clean, _linked(matches, found.sparse))
        grouped, matches, rounds = _cluster(found, spared, settled, matches, verifier, settings, workers)
        parted, bridges = clusters.part_bridges(grouped, settled, matches, verifier)
        ranks = _ranks(documents, sketches, text_of, clean)
        with_words = np.flatnonzero(text_of >= 0)
        document_of = with_words[canonical.least(ranks[with_words], text_of[with_words], len(distinct))]
        text_ranks = canonical.cleanest(clean) if settings.canonical == "cleanest" else ranks[document_of]
        grouped, matches = canonical.choose(parted, text_ranks, matches, verifier, settings)
        contents = clusters.contents(bridges, parted, grouped, matches, verifier, settings)
    caps = {
        "frequent_keys": found.frequent,
        "sparse_pairs": len(found.sparse),
        "spared_pairs": len(spared),
        "rounds": rounds,
    }
    decision = tables.Decision(text_of, ranks, document_of, grouped, matches, bridges, contents, verifier.templates)
    return decision, caps


def _ranks(documents: Documents, sketches: Sketches, text_of: Int, clean: NDArray[np.float64]) -> Int:
    """Rank documents by the canonical policy; ids count where documents have the same text, or the policy ties."""
    settings = sketches.settings
    copied = np.bincount(text_of + 1)[text_of + 1] > 1
    tied = copied | (settings.canonical != "cleanest")
    clean_of = np.append(clean, 1.0)[text_of]
    return canonical.rank(settings, documents.table, documents.ids, sketches.words, clean_of, tied)


def collapse(sketches: Sketches) -> tuple[Int, Int]:
    """Collapse documents with the same words.

    Returns
    -------
    int64[n]
        The text that each document has: 0 for the shortest, ties in order of their digests, so that texts are
        numbered alike in whatever order documents come; -1 for documents without words.
    int64[m]
        A document that has it, for each text.
    """
    order = np.lexsort((sketches.digests[:, 1], sketches.digests[:, 0], sketches.words))
    order = order[np.searchsorted(sketches.words[order], 1) :]
    digests = sketches.digests[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (digests[1:] != digests[:-1]).any(axis=1)
    text_of = np.full(len(sketches), -1, np.int64)
    text_of[order] = np.cumsum(new) - 1
    return text_of, order[new]


def verify(
    found: candidates.Candidates, verifier: Judge, settings: Settings, n: int
) -> tuple[Overlaps, candidates.Pairs]:
    """Verify candidates: first what gathers families around their hubs, and then what families do not spare.

    Two documents of a family, of more than `Settings.frequent` members of one hub, will most likely be in one cluster
    whether they match or not. Their pairs are returned, to be looked at again where they are not. All others vote on
    what is template, and are weighed.
    """
    hubs = found.hubs()
    gathered = verifier.sharing(hubs, settings)
    rest = candidates.without(found.pairs, hubs)
    family = np.arange(n)
    alike = gathered.matches(settings)
    family[alike.b] = alike.a
    large = (np.bincount(family, minlength=n) > settings.frequent)[family]
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
        again = found.again(grouped == np.arange(len(grouped)), settings, workers=workers)
        sparse = candidates.union(sparse, again.sparse)
        proposed = candidates.without(_proper(candidates.union(*beyond, again.pairs)), tested)
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


def _workers(workers: int | None) -> int:
    if workers is None:
        return available_workers()
    if isinstance(workers, bool) or not isinstance(workers, int) or workers < 1:
        raise SettingsError(f"workers is {workers!r}; expected a whole number from 1 on, or None for all processors")
    return workers


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
    def stage(self, name: str, total: int) -> Iterator[None]:
        if self._progress:
            self._progress(name, 0, total)
        start = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - start, 6)
        if self._progress:
            self._progress(name, total, total)
