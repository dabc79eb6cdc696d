"""Texts to sketches: what the search for candidates knows of a document.

Input    texts (Arrow large_string), settings
Output   `Sketches`: lengths, digests, band keys, fingerprints and, on demand, signatures
Cost     O(bytes of text * num_perm / word length); compiled some 250 MB/s a core, the reference some 2 MB/s

`sketch_by_reference` is the reference, one document after the other; `dupdetect._compiled.kernels` is the same,
compiled, equal bit for bit. `sketch_texts` takes whichever is sooner done: a few texts never wait for a compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import xxhash

from dupdetect._compiled import kernels
from dupdetect._compiled.dispatch import Allowance, many_calls_expected
from dupdetect.errors import InputError, MismatchError
from dupdetect.settings import SKETCH_FIELDS
from dupdetect.sketches import bands, minhash
from dupdetect.sketches import winnowing as winnow
from dupdetect.text.main_content import MARK_BITS, line_marks, shingle_marks
from dupdetect.text.shingles import digest, shingle_hashes, word_hashes
from dupdetect.text.words import words

if TYPE_CHECKING:
    import pyarrow as pa
    from datasketch import MinHash
    from numpy.typing import NDArray

    from dupdetect.settings import Settings

    Texts: TypeAlias = pa.Array | pa.ChunkedArray

Made = TypeVar("Made")

#: Cost of the reference from which on the compiled code is worth loading, in bytes of text: about 0.4 s.
BREAK_EVEN = 1_000_000

#: What a document costs the reference beyond its bytes, in bytes.
OVERHEAD = 500

#: Bytes that are cleaned, sketched or cut by the reference while the compiled code is not on disk: compiling it takes
#: some fifteen seconds.
COLD = 60_000_000
_INTERPRETED = Allowance(COLD, kernels.on_disk)

#: Chunks of fewer bytes than this, on average, are made one: each costs two starts of the threads.
CHUNK = 4_000_000


#: The bits of a marked shingle that are its marks; the others are its hash.
MARKS = np.uint64(2**MARK_BITS - 1)


class Ragged(NamedTuple):
    """Rows of different lengths, end to end: row i is ``values[offsets[i]:offsets[i + 1]]``."""

    offsets: NDArray[np.int64]
    values: NDArray[np.uint64]

    @classmethod
    def of(cls, rows: Sequence[NDArray[np.uint64]]) -> Ragged:
        """Put rows end to end."""
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        return cls(offsets, np.concatenate([np.empty(0, np.uint64), *rows]))

    @classmethod
    def end_to_end(cls, parts: Sequence[Ragged]) -> Ragged:
        """Put the rows of several end to end."""
        if len(parts) == 1:
            return parts[0]
        if len(parts) == 0:
            return cls.of([])
        offsets = np.zeros(sum(len(part.offsets) - 1 for part in parts) + 1, np.int64)
        np.cumsum(np.concatenate([part.lengths for part in parts]), out=offsets[1:])
        return cls(offsets, np.concatenate([part.values for part in parts]))

    @property
    def lengths(self) -> NDArray[np.int64]:
        """The length of each row."""
        return self.offsets[1:] - self.offsets[:-1]

    def row(self, index: int) -> NDArray[np.uint64]:
        """Return one row."""
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def take(self, rows: NDArray[np.int64]) -> Ragged:
        """Return the rows at `rows`, in that order."""
        lengths = self.lengths[rows]
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        shift = np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return Ragged(offsets, self.values[shift + np.arange(offsets[-1])])


@dataclass(frozen=True, eq=False)
class Sketches:
    """What is kept of n documents.

    Attributes
    ----------
    settings : Settings
    words : int64[n]
        Number of words.
    digests : uint64[n, 2]
        128 bits that stand for the words: equal digests, identical documents.
    band_keys : uint64[n, bands]
        Equal in a band: a pair of the LSH index.
    fingerprints : Ragged
        Sorted, distinct.
    signatures : uint32[n, num_perm], optional
        Left out where only band keys are wanted.
    """

    settings: Settings
    words: NDArray[np.int64]
    digests: NDArray[np.uint64]
    band_keys: NDArray[np.uint64]
    fingerprints: Ragged
    signatures: NDArray[np.uint32] | None = None

    def __len__(self) -> int:
        return len(self.words)

    def take(self, rows: NDArray[np.int64]) -> Sketches:
        """Return the sketches of the documents at `rows`, in that order."""
        return Sketches(
            self.settings,
            self.words[rows],
            self.digests[rows],
            self.band_keys[rows],
            self.fingerprints.take(rows),
            None if self.signatures is None else self.signatures[rows],
        )

    def jaccard(self, other: Sketches) -> NDArray[np.float64]:
        """Estimate the Jaccard similarity of each document here with each of another set of sketches.

        Parameters
        ----------
        other : Sketches
            Of m documents, made with settings of the same `sketch_fingerprint`.

        Returns
        -------
        float64[n, m]
            Shares of equal signature entries, in [0, 1].

        Raises
        ------
        InputError
            `other` is something else.
        MismatchError
            Where the two were made with different settings, or without signatures.
        """
        check_sketches(other, "other")
        mine, theirs = self.settings, other.settings
        if mine.sketch_fingerprint != theirs.sketch_fingerprint:
            raise MismatchError(
                f"these sketches were made with different settings ({_differences(mine, theirs)}) and cannot be "
                "compared; sketch both with the same"
            )
        if self.signatures is None or other.signatures is None:
            raise MismatchError("sketches without signatures cannot be compared; make them with signatures=True")
        rows = [(row == other.signatures).mean(axis=1) for row in self.signatures]
        return np.array(rows).reshape(len(self), len(other))

    def to_datasketch(self, index: int) -> MinHash:
        """Return one document's signature as a `datasketch.MinHash`."""
        if self.signatures is None:
            raise MismatchError("these sketches have no signatures; make them with signatures=True")
        return minhash.to_datasketch(self.signatures[index], self.settings.seed)


def check_sketches(given: Any, name: str = "sketches") -> None:
    """Raise an `InputError` if what is given is no `Sketches`."""
    if not isinstance(given, Sketches):
        raise InputError(f"{name}: a {type(given).__name__} was given; expected Sketches, as sketch returns them")


def identities(texts: Texts, sketches: Sketches) -> NDArray[np.uint64]:
    """Return the digests of words, and of texts without words, but for blank ones, those of their bytes.

    Parameters
    ----------
    texts : pyarrow large_string array
        Those that were sketched.
    sketches : Sketches
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    wordless = np.flatnonzero(sketches.words == 0)
    if len(wordless) == 0:
        return sketches.digests
    digests, trimmed = sketches.digests.copy(), pc.utf8_trim_whitespace(texts.take(pa.array(wordless)))
    for place in wordless[pc.binary_length(trimmed).to_numpy() > 0].tolist():
        digests[place] = divmod(xxhash.xxh3_128_intdigest(texts[place].as_py().encode()), 1 << 64)
    return digests


def _differences(mine: Settings, theirs: Settings) -> str:
    one, other = mine.sketching, theirs.sketching
    values = ((name, one.get(name), other.get(name)) for name in SKETCH_FIELDS)
    return ", ".join(f"{name}: {a} and {b}" for name, a, b in values if a != b)


def sketch_texts(texts: Texts, settings: Settings, *, workers: int = 1, signatures: bool = False) -> Sketches:
    """Sketch texts.

    Parameters
    ----------
    texts : pyarrow large_string array, chunked or not
        Valid UTF-8, no nulls.
    settings : Settings
    workers : int
        Threads; the result does not depend on it.
    signatures : bool
        Whether to keep the signatures, 4 * num_perm bytes a document.
    """
    if reference_is_faster(texts):
        return sketch_by_reference(texts.to_pylist(), settings, signatures=signatures)
    factors, terms = minhash.permutations(settings.num_perm, settings.seed)
    band_count, rows = settings.banding
    parts = [
        kernels.sketch(
            *buffers(chunk),
            unit=settings.unit,
            shingle_size=settings.shingle_size,
            window=settings.window,
            factors=factors,
            terms=terms,
            bands=band_count,
            rows=rows,
            workers=workers,
            want_signatures=signatures,
        )
        for chunk in chunks(texts)
    ]
    if len(parts) == 1:  # nothing to copy
        words_of, digests_of, bands_of, bounds, fingerprints, signature = parts[0]
        return Sketches(settings, words_of, digests_of, bands_of, Ragged(bounds, fingerprints), signature)
    n_words, digests, band_keys, starts, values, signed = zip(*parts, strict=True)
    return Sketches(
        settings,
        np.concatenate(n_words),
        np.concatenate(digests),
        np.concatenate(band_keys),
        Ragged.end_to_end([Ragged(*row) for row in zip(starts, values, strict=True)]),
        np.concatenate(signed) if signatures else None,
    )


def sign_texts(texts: Texts, settings: Settings, *, workers: int = 1) -> NDArray[np.uint32]:
    """Sign texts, and no more: uint32[n, num_perm]; parameters as for `sketch_texts`."""
    factors, terms = permutations = minhash.permutations(settings.num_perm, settings.seed)
    if reference_is_faster(texts):
        hashes = (word_hashes(words(text, settings.unit)) for text in texts.to_pylist())
        rows = [minhash.signature(shingle_hashes(row, settings.shingle_size), permutations) for row in hashes]
        return np.array(rows, np.uint32).reshape(len(texts), settings.num_perm)
    parts = [
        kernels.sketch(
            *buffers(chunk),
            unit=settings.unit,
            shingle_size=settings.shingle_size,
            window=0,
            factors=factors,
            terms=terms,
            bands=0,
            rows=0,
            workers=workers,
            want_signatures=True,
        )[-1]
        for chunk in chunks(texts)
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)  # type: ignore[arg-type,return-value]


def sketch_by_reference(texts: Sequence[str], settings: Settings, *, signatures: bool = True) -> Sketches:
    """Sketch texts by the reference."""
    hashes = [word_hashes(words(text, settings.unit)) for text in texts]
    shingles = [shingle_hashes(row, settings.shingle_size) for row in hashes]
    permutations = minhash.permutations(settings.num_perm, settings.seed)
    signed = [minhash.signature(row, permutations) for row in shingles]
    matrix = np.array(signed, np.uint32).reshape(len(texts), settings.num_perm)
    return Sketches(
        settings,
        np.array([len(row) for row in hashes], np.int64),
        np.array([digest(row) for row in hashes], np.uint64).reshape(len(texts), 2),
        bands.keys(matrix, *settings.banding),
        Ragged.of([winnow.fingerprints(row, settings.window) for row in shingles]),
        matrix if signatures else None,
    )


def shingle_sets(texts: Texts, documents: NDArray[np.int64], settings: Settings, *, workers: int = 1) -> Ragged:
    """Return the sorted, distinct shingle hashes of some documents, a row each.

    Parameters
    ----------
    texts : pyarrow large_string array, chunked or not
    documents : int64[m]
        Which of them, ascending.
    settings : Settings
        They say what a shingle is.
    workers : int
    """
    if reference_is_faster(texts):
        cut = (words(texts[int(index)].as_py(), settings.unit) for index in documents)
        return Ragged.of([np.unique(shingle_hashes(word_hashes(row), settings.shingle_size)) for row in cut])
    sets, first = [], 0
    for chunk in chunks(texts):
        inside = documents[np.searchsorted(documents, first) : np.searchsorted(documents, first + len(chunk))] - first
        first += len(chunk)
        found = kernels.shingles(
            *buffers(chunk),
            inside,
            unit=settings.unit,
            shingle_size=settings.shingle_size,
            workers=workers,
            distinct=True,
        )
        sets.append(Ragged(*found))
    return Ragged.end_to_end(sets)


def marked_shingles(texts: Texts, documents: NDArray[np.int64], settings: Settings, *, workers: int = 1) -> Ragged:
    """Return the shingle hashes of some documents in reading order, a row each.

    The lowest bits of a hash, `MARKS`, tell of its line (`dupdetect.text.main_content.shingle_marks`); they are 0 where
    nothing is weighed (`Settings.weighs`). Parameters as for `shingle_sets`.
    """
    return Ragged.end_to_end(list(marked_parts(texts, documents, settings, lambda part: part, workers=workers)))


def marked_parts(
    texts: Texts,
    documents: NDArray[np.int64],
    settings: Settings,
    made: Callable[[Ragged], Made],
    *,
    workers: int = 1,
) -> Iterator[Made]:
    """Yield what is made of what `marked_shingles` returns, some documents at a time, on the thread that cut them."""
    if reference_is_faster(texts):
        yield made(Ragged.of([_marked(texts[int(index)].as_py(), settings) for index in documents]))
        return
    first = 0
    for chunk in chunks(texts):
        inside = documents[np.searchsorted(documents, first) : np.searchsorted(documents, first + len(chunk))] - first
        first += len(chunk)
        if len(inside):
            yield from kernels.marked(
                *buffers(chunk),
                inside,
                lambda offsets, values: made(Ragged(offsets, values)),
                unit=settings.unit,
                shingle_size=settings.shingle_size,
                mark=settings.weighs,
                workers=workers,
            )


def _marked(text: str, settings: Settings) -> NDArray[np.uint64]:
    """Return the marked shingles of a text, by the reference."""
    shingles = shingle_hashes(word_hashes(words(text, settings.unit)), settings.shingle_size) & ~MARKS
    if settings.weighs:
        shingles |= shingle_marks(line_marks(text), settings.shingle_size)
    return shingles


def reference_is_faster(texts: Texts) -> bool:
    """Whether the reference is done with these texts before the compiled code would be loaded."""
    if many_calls_expected():
        return not kernels.available()
    bounds = (buffers(chunk)[1] for chunk in chunks(texts))
    cost = sum(int(offsets[-1] - offsets[0]) for offsets in bounds) + OVERHEAD * len(texts)
    return cost < BREAK_EVEN or not kernels.available() or _INTERPRETED.covers(cost)


def chunks(texts: Texts) -> list[pa.Array]:
    """Return the chunks of an array, at least one; where they are small, all of them as one."""
    parts = getattr(texts, "chunks", [texts])
    if len(parts) == 1:
        return parts
    if len(parts) == 0 or texts.nbytes < CHUNK * len(parts):
        return [texts.combine_chunks()]
    return parts


def buffers(texts: pa.Array) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return an Arrow array's UTF-8 (uint8[...]) and where each text begins and ends in it (int64[n + 1])."""
    _, offsets, data = texts.buffers()
    first = texts.offset
    bounds = np.frombuffer(offsets, np.int64)[first : first + len(texts) + 1] if offsets else np.zeros(1, np.int64)
    content: Any = data if data is not None else b""
    return np.frombuffer(content, np.uint8), bounds
