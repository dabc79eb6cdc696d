"""Which documents may be compared, and which may stand for one another, by what columns say of them.

Input    the values of columns, for n documents (`Settings.within`, `between`, `per`)
Output   `Grouping`: digests that keep texts apart, salts that keep keys apart, pairs that are let through
Cost     a hash of each distinct value; O(pairs)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from dupdetect.errors import InputError, SettingsError
from dupdetect.io.moments import as_python
from dupdetect.io.schema import as_json, plain_column
from dupdetect.matching.pairs import missing, unpack

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from dupdetect.matching.overlaps import Matcher, Overlaps
    from dupdetect.matching.pairs import Pairs
    from dupdetect.matching.verify import Verified
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]
    Hashes = NDArray[np.uint64]

#: What the hash of a missing value is made of: no text is.
MISSING = b"\xff"

#: An odd number by which hashes of several columns are kept apart.
MIXING = 0x9FB21C651E98DF25


def check_grouped(settings: Settings, grouping: Grouping | None) -> None:
    """Refuse settings that compare by columns, where nobody has looked at these."""
    if grouping is None and (settings.within or settings.between or settings.per):
        raise SettingsError("within, between and per work with dedup, in one process or on Spark; leave them out here")


def check_comparable(type_: pa.DataType, name: str, where: str = "") -> None:
    """Refuse a column to compare by whose values are made of several."""
    import pyarrow as pa

    if pa.types.is_nested(type_):
        raise InputError(
            f"{where}column {name!r} is {type_}, expected strings, numbers, dates or bytes to compare by; name another "
            "column, or convert it"
        )


def hashed(column: pa.ChunkedArray) -> Hashes:
    """Return a hash of each value, uint64[n]: equal where the values are, as text; missing values are equal."""
    import pyarrow as pa

    encoded = plain_column(column).combine_chunks().dictionary_encode()
    encoded = pa.concat_arrays(encoded.chunks) if isinstance(encoded, pa.ChunkedArray) else encoded
    values = [xxhash.xxh64_intdigest(_spelled(value)) for value in as_python(encoded.dictionary)]
    table = np.array([*values, xxhash.xxh64_intdigest(MISSING)], np.uint64)
    places = encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)
    return table[places.astype(np.int64)]  # type: ignore[no-any-return]


def _spelled(value: Any) -> bytes:
    return MISSING if value is None else (as_json(value) or "").encode("utf-8", "surrogatepass")


@dataclass(frozen=True, eq=False)
class Grouping:
    """What columns say of n documents, or of texts.

    Attributes
    ----------
    within, between, per : uint64[n], optional
        Hashes of the values in the columns that the settings of these names name.
    own : uint64[n], optional
        Hashes of the documents' ids, where `between` keeps those of one value apart that have the same words.
    same : int64[n], optional
        Of texts: equal for those of the same words.
    """

    within: Hashes | None = None
    between: Hashes | None = None
    per: Hashes | None = None
    own: Hashes | None = None
    same: Int | None = None

    @classmethod
    def of(cls, settings: Settings, values: Callable[[str], Hashes], ids: pa.ChunkedArray) -> Grouping | None:
        """Return what the settings ask for, None if nothing; `values` gives the hashes of a column."""
        named = settings.within, settings.between, settings.per
        if not any(named):
            return None
        within, between, per = (None if name is None else values(name) for name in named)
        return cls(within, between, per, None if between is None else hashed(ids))

    def of_texts(self, documents: Int, digests: Hashes) -> Grouping:
        """Return what is said of texts, by a document of each, given the digests of all documents."""
        within, between, per, own = (None if each is None else each[documents] for each in self._all)
        same = np.unique(digests[documents], axis=0, return_inverse=True)[1].reshape(-1)
        return Grouping(within, between, per, own, same)

    def some(self, documents: Int) -> Grouping:
        """Return what is said of some documents, by their numbers."""
        within, between, per, own = (None if each is None else each[documents] for each in self._all)
        return Grouping(within, between, per, own, None if self.same is None else self.same[documents])

    @property
    def _all(self) -> tuple[Hashes | None, ...]:
        return self.within, self.between, self.per, self.own

    def parted(self, digests: Hashes) -> Hashes:
        """Return digests, uint64[n, 2], that differ where documents of the same words are not one text here.

        The halves that order texts stay as they are: ties among texts of one value are broken as they are in a run
        over these alone.
        """
        apart = digests.copy()
        for turn, each in enumerate(self._all):
            if each is not None:
                apart[:, 1] ^= each * np.uint64(MIXING + 2 * turn)
        return apart

    def salts(self, *names: str) -> Hashes | None:
        """Return what keeps the keys of documents apart that differ in one of the columns; None if there is none."""
        given = [each for name in names if (each := getattr(self, name)) is not None]
        mixed = [each * np.uint64(MIXING + 2 * turn) for turn, each in enumerate(given)]
        return np.bitwise_xor.reduce(mixed) if mixed else None

    def comparable(self, pairs: Pairs) -> Pairs:
        """Return the pairs that may be compared: of one value `within`, of two values `between`."""
        a, b = unpack(pairs)
        kept = np.ones(len(pairs), np.bool_)
        if self.within is not None:
            kept &= self.within[a] == self.within[b]
        if self.between is not None:
            kept &= self.between[a] != self.between[b]
        return pairs[kept]

    def joinable(self, pairs: Pairs) -> Pairs:
        """Return the pairs of which one may stand for the other: of those, the ones of one value of `per`."""
        pairs = self.comparable(pairs)
        a, b = unpack(pairs)
        return pairs if self.per is None else pairs[self.per[a] == self.per[b]]

    def joined(self, verified: Verified, verifier: Matcher) -> tuple[Verified, Matcher]:
        """Return what was verified of pairs of which one may stand for the other, and a matcher for such alone."""
        matches = verified.matches
        known = matches.where(~missing(matches.pairs, self.joinable(matches.pairs)))
        kept = verified._replace(matches=known, deferred=self.joinable(verified.deferred))
        return kept, JoinableMatcher(verifier, self)


class JoinableMatcher:
    """A matcher for which pairs that may not stand for one another are no matches.

    Parameters
    ----------
    matcher : Matcher
    grouping : Grouping
        Of the documents that pairs name.
    """

    def __init__(self, matcher: Matcher, grouping: Grouping) -> None:
        self._matcher, self._grouping = matcher, grouping

    def overlaps(self, pairs: Pairs) -> Overlaps:
        """Count what each pair shares."""
        return self._matcher.overlaps(pairs)

    def matches(self, pairs: Pairs) -> Overlaps:
        """Return the pairs that are copies, and may be."""
        return self._matcher.matches(self._grouping.joinable(pairs))
