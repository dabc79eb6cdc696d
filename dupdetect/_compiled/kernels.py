"""Many texts at once, by compiled code on all cores.

Input    texts in the form of Arrow's large_string: UTF-8 end to end, and offsets
Output   arrays that equal those of the reference (`words`, `shingles`, `minhash`, `winnowing`, `bands`) bit for bit
Cost     O(bytes * num_perm / word length); some 400 MB/s a core with AVX-512

The documents are cut into blocks of about equal numbers of bytes, which threads take one after the other; the
compiled code holds no lock. What comes out depends on neither blocks nor threads.
"""

from __future__ import annotations

import itertools
import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from dupdetect._compiled.forks import STARTING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

Made = TypeVar("Made")

#: Bytes of text per block: large enough that handing out costs nothing, small enough to share evenly.
BLOCK_BYTES = 1 << 20

#: Bytes of text that threads share: what is less, one of them does sooner.
SHARED_BYTES = 1 << 16


@lru_cache(maxsize=1)
def available() -> bool:
    """Say whether compiled code can run here; if not, warn, once."""
    try:
        with STARTING:
            import numba  # noqa: F401
    except (ImportError, OSError) as error:  # not installed; too old for numpy; its libraries do not load
        warnings.warn(
            f"numba cannot be imported ({error}); the slow reference in Python is used instead: "
            "install numba for this Python to sign texts some hundred times faster",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True


def on_disk() -> bool:
    """Say whether the code that sketches is on disk, and need not be compiled."""
    from dupdetect._compiled import blocks
    from dupdetect._compiled.cache import is_on_disk

    return is_on_disk(blocks.sketch_block)


def sketch(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    *,
    unit: str = "word",
    shingle_size: int,
    window: int,
    factors: NDArray[np.uint32],
    terms: NDArray[np.uint32],
    bands: int,
    rows: int,
    workers: int,
    want_signatures: bool,
) -> tuple[
    NDArray[np.int64],
    NDArray[np.uint64],
    NDArray[np.uint64],
    NDArray[np.int64],
    NDArray[np.uint64],
    NDArray[np.uint32] | None,
]:
    """Sketch documents.

    Parameters
    ----------
    data : uint8[bytes]
        UTF-8, valid.
    offsets : int64[n + 1]
        Document i is ``data[offsets[i]:offsets[i + 1]]``; the first offset may be any.
    unit : str
        One of `settings.UNITS`.
    shingle_size, window : int
        Units per shingle; consecutive shingles of which one is a fingerprint, 0 for signatures alone: digests are
        then not filled, and there are no fingerprints.
    factors, terms : uint32[num_perm]
        From `minhash.permutations`.
    bands, rows : int
        With ``bands * rows <= num_perm``; 0 bands for no keys.
    workers : int
        Threads.
    want_signatures : bool

    Returns
    -------
    words : int64[n]
    digests : uint64[n, 2]
    band_keys : uint64[n, bands]
    fingerprint_offsets, fingerprints : int64[n + 1], uint64[m]
        Sorted and distinct per document.
    signatures : uint32[n, num_perm], or None if not wanted
    """
    from dupdetect._compiled import blocks
    from dupdetect._compiled import unicode_tables as characters
    from dupdetect._compiled.intrinsics import GROUP

    data, offsets = fixed(data, np.uint8), fixed(offsets, np.int64)
    count = len(offsets) - 1
    padding = -len(factors) % GROUP
    padded_factors, padded_terms = factors, terms
    if padding:
        padded_factors, padded_terms = np.pad(factors, (0, padding)), np.pad(terms, (0, padding))
    words = np.empty(count, np.int64)
    digests = np.empty((count, 2), np.uint64)
    band_keys = np.empty((count, bands), np.uint64)
    counts = np.empty(count, np.int64)
    signatures = np.empty((count if want_signatures else 0, len(padded_factors)), np.uint32)
    tables = characters.load(unit)
    single = unit == "character"

    def work(first: int, last: int) -> NDArray[np.uint64]:
        target = signatures if count > 1 and want_signatures else np.empty((1, len(padded_factors)), np.uint32)
        picked = blocks.sketch_block(
            data, offsets, first, last, single, shingle_size, window, padded_factors, padded_terms, bands, rows,
            tables, words, digests, band_keys, counts, target,
        )  # fmt: skip
        if want_signatures and target is not signatures:
            signatures[:] = target
        return picked  # type: ignore[no-any-return]

    fingerprints = _end_to_end(_run(work, offsets[1:] - offsets[:-1], workers))
    kept = np.ascontiguousarray(signatures[:, : len(factors)]) if want_signatures else None
    return words, digests, band_keys, _offsets(counts), fingerprints, kept


def shingles(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    documents: NDArray[np.int64],
    *,
    unit: str = "word",
    shingle_size: int,
    workers: int,
    distinct: bool,
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Return the shingle hashes of some documents.

    Parameters
    ----------
    data, offsets : uint8[bytes], int64[n + 1]
        As for `sketch`.
    documents : int64[m]
        Which, by number.
    unit : str
        One of `settings.UNITS`.
    shingle_size, workers : int
    distinct : bool
        Sorted and distinct per document; otherwise in reading order, repeats included.

    Returns
    -------
    offsets, values : int64[m + 1], uint64[...]
        Those of document ``documents[i]`` are ``values[offsets[i]:offsets[i + 1]]``.
    """
    from dupdetect._compiled.blocks import shingle_block

    counts, work, sizes = _of_documents(shingle_block, data, offsets, documents, unit, shingle_size, distinct)
    values = _end_to_end(_run(work, sizes, workers))
    return _offsets(counts), values


def marked(
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    documents: NDArray[np.int64],
    made: Callable[[NDArray[np.int64], NDArray[np.uint64]], Made],
    *,
    unit: str = "word",
    shingle_size: int,
    mark: bool = True,
    workers: int,
) -> Iterator[Made]:
    """Yield ``made(offsets, values)`` of some documents at a time, in order, called on the thread that cut them.

    `values` are the shingle hashes of these documents in reading order, with their marks in the lowest bits
    (`main_content.shingle_marks`); without `mark`, these are 0. Parameters are otherwise those of `shingles`.
    """
    from dupdetect._compiled.blocks import marked_block

    counts, work, sizes = _of_documents(marked_block, data, offsets, documents, unit, shingle_size, mark)

    def of_block(first: int, last: int) -> Made:
        values = work(first, last)
        return made(_offsets(counts[first:last]), values)

    return _run(of_block, sizes, workers)


def _of_documents(
    block: Callable[..., NDArray[np.uint64]],
    data: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    documents: NDArray[np.int64],
    unit: str,
    *options: int,
) -> tuple[NDArray[np.int64], Callable[[int, int], NDArray[np.uint64]], NDArray[np.int64]]:
    """Return what lets `block` make hashes of some documents: counts, which it fills, a call for some, and sizes."""
    from dupdetect._compiled import unicode_tables

    data, offsets, documents = fixed(data, np.uint8), fixed(offsets, np.int64), fixed(documents, np.int64)
    counts = np.empty(len(documents), np.int64)
    characters, single = unicode_tables.load(unit), unit == "character"

    def work(first: int, last: int) -> NDArray[np.uint64]:
        return block(data, offsets, documents, first, last, single, *options, characters, counts)

    return counts, work, offsets[documents + 1] - offsets[documents]


def fixed(array: NDArray[Any], dtype: type[np.generic]) -> NDArray[Any]:
    """Return an array as the code was compiled for: contiguous, aligned, read-only; a copy only if it is not."""
    flags = array.flags
    if array.dtype == dtype and flags.c_contiguous and flags.aligned:
        if not flags.writeable:
            return array
        view = array.view()
    else:
        view = np.require(array, dtype, ["C", "A"]).view()
    view.flags.writeable = False
    return view


def _run(work: Callable[[int, int], Made], sizes: NDArray[np.int64], workers: int) -> Iterator[Made]:
    """Give blocks of documents to threads; yield what `work` makes of them, in order."""
    cuts = cut(sizes, workers)
    if workers == 1 or len(cuts) == 1:
        yield from (work(first, last) for first, last in cuts)
    else:
        with ThreadPoolExecutor(workers) as pool:
            yield from pool.map(lambda block: work(*block), cuts)


def _end_to_end(parts: Iterator[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    found = list(parts)
    return found[0] if len(found) == 1 else np.concatenate([np.empty(0, np.uint64), *found])


def cut(sizes: NDArray[np.int64], workers: int = 1) -> list[tuple[int, int]]:
    """Cut documents of these sizes into blocks (first, last) of about `BLOCK_BYTES`: of fewer, so that each has one."""
    if len(sizes) <= 1:
        return [(0, 1)] if len(sizes) else []
    ends = np.cumsum(sizes + 64)  # an empty document costs something too
    block = max(SHARED_BYTES, min(BLOCK_BYTES, -(-int(ends[-1]) // workers)))
    if ends[-1] <= block:
        return [(0, len(ends))]
    cuts = np.searchsorted(ends, np.arange(block, int(ends[-1]), block), side="left") + 1
    bounds: list[Any] = [0, *np.unique(cuts[cuts < len(sizes)]).tolist(), len(sizes)]
    return list(itertools.pairwise(bounds))


def _offsets(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    offsets = np.zeros(len(counts) + 1, np.int64)
    counts.cumsum(out=offsets[1:])
    return offsets
