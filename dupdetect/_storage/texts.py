"""Texts that may be larger than memory: compressed in blocks, of which those are read that are asked for.

Input    Arrow arrays of texts (large_string, without nulls)
Output   `packed`: arrays that a checkpoint keeps; `PackedTexts`: from these the same texts again, some or all
Cost     to pack some 250 MB/s on a core; to read a block is to read and decompress it whole, some 800 MB/s

Natural text takes less than half the room then, so that less goes to the disk and comes from it. A block is small
beside what a stage holds, and large beside what is lost by compressing it apart from the others.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from dupdetect._compiled.dispatch import on_threads

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from numpy.typing import NDArray
    from typing_extensions import TypeIs

    from dupdetect._storage.arrays import DiskStorage

    Int = NDArray[np.int64]
    Arrays = dict[str, NDArray[Any]]

#: Bytes of text in a block: it ends with the text that reaches so many.
BLOCK = 1 << 16

#: How blocks are compressed: the fastest level of zstd.
CODEC, LEVEL = "zstd", 1

#: Blocks that a thread compresses or reads in one go.
RUN = 16


def packed(texts: pa.LargeStringArray, workers: int = 1) -> Arrays:
    """Compress texts.

    Returns
    -------
    dict of str to array
        ``lengths``, int64[n]: bytes of each text. ``counts``, int64[blocks]: how many texts each block has. ``ends``,
        int64[blocks]: where each block ends in ``data``, uint8[...].
    """
    import pyarrow as pa

    _, offsets, data = texts.buffers()
    n, data = len(texts), data or pa.py_buffer(b"")
    bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + n + 1] if n else np.zeros(1, np.int64)
    counts = _counts(bounds)
    cuts = bounds[np.append(0, np.cumsum(counts))]
    codec = pa.Codec(CODEC, LEVEL)

    def compress(first: int) -> list[NDArray[np.uint8]]:
        some = cuts[first : first + RUN + 1].tolist()
        blocks = (data.slice(start, end - start) for start, end in pairwise(some))
        return [np.frombuffer(codec.compress(block, asbytes=False), np.uint8) for block in blocks]

    runs = on_threads(compress, range(0, len(counts), RUN), workers)
    blocks = [block for run in runs for block in run]
    return {
        "lengths": np.diff(bounds),
        "counts": counts,
        "ends": np.cumsum([len(block) for block in blocks], dtype=np.int64),
        "data": np.concatenate([np.empty(0, np.uint8), *blocks]),
    }


def _counts(bounds: Int) -> Int:
    """Return how many texts each block has, given where texts begin and end."""
    number = (bounds[1:] - bounds[0] - 1).clip(0) // BLOCK
    _, counts = np.unique(number, return_counts=True)
    return counts.astype(np.int64)


class TextsElsewhere(Protocol):
    """Texts that are not at hand, but can be had, some at a time.

    Attributes
    ----------
    lengths : int64[n]
        Bytes of each text.
    """

    @property
    def lengths(self) -> Int: ...
    def some(self, places: Int, workers: int = 1) -> Any: ...


def are_elsewhere(texts: Any) -> TypeIs[TextsElsewhere]:
    """Tell texts that can be had from those of an array of Arrow, which are at hand."""
    return hasattr(texts, "some")


class PackedTexts:
    """Texts that were packed.

    Parameters
    ----------
    arrays : dict of str to array
        What `packed` returned, now in files.
    storage : DiskStorage
        It has the files.

    Attributes
    ----------
    lengths : int64[n]
        Bytes of each text.
    """

    def __init__(self, arrays: Arrays, storage: DiskStorage) -> None:
        self.lengths: Int = arrays["lengths"]
        self._data, self._storage = arrays["data"], storage
        self._first = np.append(0, np.cumsum(arrays["counts"]))  # text of each block
        self._bounds = np.append(0, arrays["ends"])

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def nbytes(self) -> int:
        """Bytes of all texts, as they were."""
        return int(self.lengths.sum())

    def all(self, workers: int = 1) -> pa.LargeStringArray:
        """Return all texts."""
        return self.some(np.arange(len(self)), workers)

    def some(self, places: Int, workers: int = 1) -> pa.LargeStringArray:
        """Return some texts, by their places, ascending; a copy."""
        import pyarrow as pa

        lengths = self.lengths[places]
        ends = np.cumsum(lengths, dtype=np.int64)
        into = np.empty(ends[-1] if len(ends) else 0, np.uint8)
        of_block = np.searchsorted(self._first, places, side="right") - 1
        blocks, firsts = np.unique(of_block, return_index=True)
        bounds = np.append(firsts, len(places))
        codec = pa.Codec(CODEC, LEVEL)

        def read(start: int) -> None:
            here = blocks[start : start + RUN]
            starts, stops = self._bounds[here], self._bounds[here + 1]
            found = self._storage.gathered(self._data, starts, stops)
            at = 0
            for place, (block, size) in enumerate(zip(here.tolist(), (stops - starts).tolist(), strict=True), start):
                inside = slice(bounds[place], bounds[place + 1])
                self._unpack(codec, found[at : at + size], block, places[inside], into[: ends[bounds[place + 1] - 1]])
                at += size

        on_threads(read, range(0, len(blocks), RUN), workers)
        offsets = pa.py_buffer(np.append(0, ends))
        return pa.LargeStringArray.from_buffers(len(places), offsets, pa.py_buffer(into))

    def _unpack(
        self, codec: pa.Codec, data: NDArray[np.uint8], block: int, places: Int, into: NDArray[np.uint8]
    ) -> None:
        """Decompress a block, and put some of its texts to the end of an array."""
        first, last = self._first[block], self._first[block + 1]
        ends = np.cumsum(self.lengths[first:last])
        text = np.frombuffer(codec.decompress(data.data, int(ends[-1]), asbytes=False), np.uint8)
        ends, starts = ends[places - first], (ends - self.lengths[first:last])[places - first]
        # Texts that follow one another are copied as one.
        cuts = np.flatnonzero(starts[1:] != ends[:-1]) + 1
        begin = len(into) - int((ends - starts).sum())
        for start, end in zip(starts[np.append(0, cuts)].tolist(), ends[np.append(cuts - 1, -1)].tolist(), strict=True):
            into[begin : begin + end - start] = text[start:end]
            begin += end - start


class StoredTexts:
    """Texts in parts, some in memory and some elsewhere.

    Parameters
    ----------
    parts : sequence of LargeStringArray or TextsElsewhere
    """

    def __init__(self, parts: Sequence[pa.LargeStringArray | TextsElsewhere]) -> None:
        self.parts = list(parts)
        sizes = [len(part.lengths if are_elsewhere(part) else part) for part in self.parts]
        self._ends = np.cumsum(sizes, dtype=np.int64)

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    @cached_property
    def lengths(self) -> Int:
        """Bytes of each text."""
        return np.concatenate([np.empty(0, np.int64), *map(text_lengths, self.parts)])

    def some(self, places: Int, workers: int = 1) -> pa.ChunkedArray:
        """Return some texts, by their places, ascending."""
        import pyarrow as pa

        cuts = np.searchsorted(places, np.append(0, self._ends))
        found = []
        starts = np.append(0, self._ends)[:-1]
        for part, start, begin, end in zip(self.parts, starts, cuts[:-1], cuts[1:], strict=True):
            if end > begin:
                inside = places[begin:end] - start
                found.append(part.some(inside, workers) if are_elsewhere(part) else part.take(pa.array(inside)))
        return pa.chunked_array(found, pa.large_string())


def text_lengths(texts: Any) -> Int:
    """Return how many bytes each text has: of an array of Arrow, chunked or not, or of texts that are stored."""
    import pyarrow.compute as pc

    if are_elsewhere(texts):
        return texts.lengths
    parts = [np.asarray(pc.binary_length(part), np.int64) for part in getattr(texts, "chunks", [texts])]
    return parts[0] if len(parts) == 1 else np.concatenate([np.empty(0, np.int64), *parts])
