"""Settings: everything that decides a result, in one frozen object.

Input    values by keyword, or a TOML file
Output   a validated, comparable, printable `Settings`, with a fingerprint; the bands that follow from a threshold
Cost     nothing to speak of; some milliseconds for the first choice of bands, a second for each 4,000 of `num_perm`
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache
from hashlib import blake2b
from importlib import import_module
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypedDict

from dupdetect.errors import SettingsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Unpack

#: What shingles are made of; see `Settings.unit`.
UNITS = ("word", "character")

#: How a cluster's canonical is chosen; see `Settings.canonical`.
POLICIES = ("cleanest", "longest", "earliest", "latest", "priority", "first")

#: Policies that read a column, and the column they read unless told otherwise.
POLICY_COLUMNS = {"earliest": "date", "latest": "date", "priority": "priority"}

#: Settings that name a column by which documents are compared or not.
GROUPING = ("within", "between", "per")

#: A policy of the user's own: a document's row to its sort key.
SortKey = Callable[[dict[str, Any]], Any]

#: A tokenizer of the user's own: a line to its words; or the name of the one that cut the lists given.
Words = Callable[[str], Iterable[str | int]] | str

#: Values of a column, the best first: {"source": ["a", "b"]}, or ("source", ("a", "b")).
Preference = Mapping[str, Sequence[str]] | tuple[str, tuple[str, ...]]

#: What decides a sketch, as opposed to what is made of it.
SKETCH_FIELDS = ("shingle_size", "unit", "words", "num_perm", "seed", "window")

#: What a false positive and a false negative weigh in the choice of bands, as `datasketch` takes them. A false
#: positive costs one exact comparison, a false negative a copy.
BAND_WEIGHTS = (0.1, 0.9)

#: Nodes of the quadrature at the most, and pairs of bands and rows that it is done for at a time: some MB.
NODES, AT_ONCE = 512, 4096


@lru_cache(maxsize=256)
def choose_bands(threshold: float, num_perm: int) -> tuple[int, int]:
    """Return (bands, rows) for a Jaccard threshold: as ``datasketch.MinHashLSH(threshold, num_perm, BAND_WEIGHTS)``.

    Two documents of Jaccard similarity s have equal keys in at least one band with probability
    1 - (1 - s**rows)**bands (Leskovec, Rajaraman, Ullman: "Mining of Massive Datasets", section 3.4). The choice
    minimises the weighted area under this curve below the threshold and over it above.
    """
    import numpy as np

    # The curve is a polynomial of degree bands * rows, for which Gauss-Legendre quadrature on num_perm / 2 + 1 nodes is
    # exact, and a thousand times faster than the adaptive one of `datasketch`; of high degrees `NODES` are enough.
    pairs = [(b, r) for b in range(2, num_perm + 1) for r in range(1, num_perm // b + 1)]
    nodes, weights = np.polynomial.legendre.leggauss(min(num_perm // 2 + 1, NODES))

    def area_over(some: list[tuple[int, int]], low: float, high: float) -> NDArray[np.float64]:
        bands, rows = np.array(some, np.float64).T[:, :, None]
        similarity = (low + high) / 2 + (high - low) / 2 * nodes
        return (high - low) / 2 * ((1 - similarity**rows) ** bands @ weights)  # type: ignore[no-any-return]

    areas = []
    for some in (pairs[first : first + AT_ONCE] for first in range(0, len(pairs), AT_ONCE)):
        false_positive, false_negative = threshold - area_over(some, 0.0, threshold), area_over(some, threshold, 1.0)
        areas.append(BAND_WEIGHTS[0] * false_positive + BAND_WEIGHTS[1] * false_negative)
    return pairs[int(np.argmin(np.concatenate(areas)))]


class SettingsKeywords(TypedDict, total=False):
    """The fields of `Settings`, as keywords of the functions that take single settings."""

    shingle_size: int
    unit: str
    num_perm: int
    seed: int
    threshold: float
    containment: float
    max_lost: float
    min_shingles: int
    bands: tuple[int, int] | None
    window: int
    min_shared_fingerprints: float
    hot_key_documents: int
    boilerplate: bool
    canonical: str | SortKey
    canonical_column: str | None
    date_format: str | None
    prefer: Preference | None
    within: str | None
    between: str | None
    per: str | None
    words: Words | None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that decides a result.

    Parameters
    ----------
    shingle_size : int
        Units per shingle, at least 1.
    unit : str
        What shingles are made of and what is counted. "word": words (characters, in scripts written without spaces).
        "character": letters, marks and digits, whatever stands between them: for noisy texts, in which more characters
        are right than words. A word is some five characters: let `shingle_size`, `min_shingles` and `window` be larger.
    num_perm : int
        Length of a signature, at least 2.
    seed : int
        Of the permutations, 0 to 2**32 - 1.
    threshold : float
        Jaccard similarity from which on two documents are near duplicates, in (0, 1].
    containment : float
        Share of the content of a document inside another, larger one from which on the latter contains it, in (0, 1].
    max_lost : float
        Share of content, beyond 100 words, that may be lost when a document is removed, in [0, 1): words that are
        neither in its canonical nor boilerplate. The one of the two with less content counts. Of a near duplicate,
        ``1 - threshold`` may be; where boilerplate is not weighed, ``1 - containment``.
    min_shingles : int
        Shingles that a document needs for another to contain it, at least 1: less than that inside another
        document is a quotation, not a copy.
    bands : (int, int), optional
        Bands and rows of the LSH index; None chooses them for `threshold`, as `datasketch` does.
    window : int
        Winnowing window: a shared run of ``window + shingle_size - 1`` units is always noticed. At least 1.
    min_shared_fingerprints : float
        Share of the smaller document's fingerprints that makes a pair a candidate, in (0, 1]; less two standard
        deviations of the count, for fingerprints are a sample of the shingles, and a small one in a short text.
    hot_key_documents : int
        Documents from which on a key is hot: all of them are not compared with all, but each with a few of them (star
        sampling), and those that remain once more. At least 2.
    boilerplate : bool
        Whether text that comes with the page and not with the article is told from the latter, by its lines and by
        what other documents show, and weighs next to nothing (`dupdetect.matching.boilerplate`). With the unit "word"
        alone.
    canonical : str or callable
        Which member represents a cluster, of those that every other member matches and that can stand for all of them
        without a loss of content (`max_lost`): where only the longest can, it does. "cleanest": the one with the least
        text that is not the cluster's own. "longest": the most words. "earliest" and "priority": the
        least value in `canonical_column`; "latest": the greatest; a missing value comes last. Dates may be strings (ISO
        8601, RFC 2822, seconds since 1970), and are compared in UTC. "first": the first read. A callable takes
        a document's row (dict) and returns a sort key; the least wins, None comes last. Ties go to the cleanest, then
        to the least id.
    canonical_column : str, optional
        Column that "earliest" and "latest" (default: "date") and "priority" (default: "priority") read.
    date_format : str, optional
        How dates are written that "earliest" and "latest" read, as `datetime.strptime` has it: "%m/%d/%Y". Without a
        zone (%z) they are in UTC.
    prefer : mapping of str to sequence of str, optional
        A column, and its values, the best first: whose document represents a cluster before `canonical` is asked.
        Values that are not named come last. Values are compared as text.
    within : str, optional
        A column: only documents of the same value are compared, such as those of one site.
    between : str, optional
        A column: only documents of different values are compared, such as those of two sources; all others stay.
    per : str, optional
        A column: all documents are compared, and of each cluster one document of each value stays. Not with `between`.
    words : callable or str, optional
        A tokenizer of one's own: of a line of a text it returns the words (str or int), which are compared as they are,
        capitals and symbols too. Or the name of one, where texts are lists of words. Sketches and outputs must have its
        name in common, of a callable the qualified name. In Python, in `dedup` and its stages; with the unit "word".

    Raises
    ------
    SettingsError
        Where a value is of the wrong type or out of its range.

    Notes
    -----
    The defaults were measured, and so were settings for noisy and for short texts: see the page "Settings" of the
    documentation.

    Examples
    --------
    >>> Settings(shingle_size=3).shingle_size
    3
    >>> Settings(threshold=1.5)
    Traceback (most recent call last):
        ...
    dupdetect.errors.SettingsError: threshold is 1.5; expected a number above 0 and up to 1
    """

    shingle_size: int = 5
    unit: str = "word"
    num_perm: int = 128
    seed: int = 1
    threshold: float = 0.8
    containment: float = 0.8
    max_lost: float = 0.05
    min_shingles: int = 16
    bands: tuple[int, int] | None = None
    window: int = 32
    min_shared_fingerprints: float = 0.5
    hot_key_documents: int = 64
    boilerplate: bool = True
    canonical: str | SortKey = "cleanest"
    canonical_column: str | None = None
    date_format: str | None = None
    prefer: Preference | None = None
    within: str | None = None
    between: str | None = None
    per: str | None = None
    words: Words | None = None

    def __post_init__(self) -> None:
        self._check_integer("shingle_size", 1, 2**16)
        if not isinstance(self.unit, str) or self.unit not in UNITS:
            raise SettingsError(f"unit is {self.unit!r}; expected one of {', '.join(UNITS)}")
        self._check_integer("num_perm", 2, 2**16)
        self._check_integer("seed", 0, 2**32 - 1)
        for name, least in (("window", 1), ("hot_key_documents", 2), ("min_shingles", 1)):
            self._check_integer(name, least, 2**24)
        for name in ("threshold", "containment", "min_shared_fingerprints"):
            self._check_share(name, "above 0 and up to 1", lambda value: 0 < value <= 1)
        self._check_share("max_lost", "from 0 on and below 1", lambda value: 0 <= value < 1)
        if not isinstance(self.boilerplate, bool):
            raise SettingsError(f"boilerplate is {self.boilerplate!r}; expected True or False")
        self._check_bands()
        self._check_canonical()
        self._check_prefer()
        self._check_columns()
        self._check_words()

    def _check_integer(self, name: str, least: int, most: int) -> None:
        value = getattr(self, name)
        if not least <= (number := _number(value, index)) <= most:
            raise SettingsError(f"{name} is {value!r}; expected a whole number from {least} to {most}")
        object.__setattr__(self, name, number)

    def _check_share(self, name: str, expected: str, fits: Callable[[float], bool]) -> None:
        value = getattr(self, name)
        if not fits(number := _number(value, float)):
            raise SettingsError(f"{name} is {value!r}; expected a number {expected}")
        object.__setattr__(self, name, number)

    def _check_bands(self) -> None:
        if self.bands is None:
            return
        try:
            bands, rows = map(index, self.bands)
        except (TypeError, ValueError):
            raise SettingsError(f"bands is {self.bands!r}; expected a pair of whole numbers (bands, rows)") from None
        if bands < 1 or rows < 1 or bands * rows > self.num_perm:
            raise SettingsError(
                f"bands is {bands} bands of {rows} rows; expected both at least 1 and {bands} * {rows} "
                f"= {bands * rows} no more than num_perm, {self.num_perm}"
            )
        object.__setattr__(self, "bands", (bands, rows))

    def _check_canonical(self) -> None:
        if not callable(self.canonical) and not (isinstance(self.canonical, str) and self.canonical in POLICIES):
            policies = ", ".join(POLICIES)
            raise SettingsError(f"canonical is {self.canonical!r}; expected one of {policies}, or a callable")
        if self.date_format is not None:
            self._check_date_format()
        if self.canonical_column is None:
            return
        if not isinstance(self.canonical_column, str):
            raise SettingsError(f"canonical_column is {self.canonical_column!r}; expected a column's name")
        if callable(self.canonical) or self.canonical not in POLICY_COLUMNS:
            raise SettingsError(
                f"canonical_column is {self.canonical_column!r}, but canonical={self.canonical!r} reads no column; "
                f"leave it out, or set canonical to one of {', '.join(POLICY_COLUMNS)}"
            )

    def _check_date_format(self) -> None:
        if not isinstance(self.date_format, str) or "%" not in self.date_format:
            raise SettingsError(f"date_format is {self.date_format!r}; expected one such as '%m/%d/%Y'")
        if self.canonical not in ("earliest", "latest"):
            raise SettingsError(
                f"date_format is {self.date_format!r}, but canonical={self.canonical!r} reads no dates; leave it out, "
                "or set canonical to earliest or latest"
            )
        try:
            datetime.strptime("", self.date_format)
        except ValueError as error:
            if "does not match" not in str(error):
                raise SettingsError(f"date_format is {self.date_format!r}, which cannot be read by ({error})") from None

    def _check_prefer(self) -> None:
        given = self.prefer
        if given is None:
            return
        pair = next(iter(given.items())) if isinstance(given, Mapping) and len(given) == 1 else given
        column, values = pair if isinstance(pair, tuple | list) and len(pair) == 2 else (None, ())
        several = isinstance(values, Sequence) and not isinstance(values, str)
        if not isinstance(column, str) or not several or not all(isinstance(value, str) for value in values):
            raise SettingsError(
                f"prefer is {given!r}; expected a column and its values, as strings, the best first, such as "
                "{'source': ['a', 'b']} (--prefer source=a,b)"
            )
        if not values or len(set(values)) < len(values):
            raise SettingsError(f"prefer is {given!r}; expected one value or more, each once")
        object.__setattr__(self, "prefer", (column, tuple(values)))

    def _check_columns(self) -> None:
        for name in GROUPING:
            value = getattr(self, name)
            if value is not None and (not isinstance(value, str) or not value):
                raise SettingsError(f"{name} is {value!r}; expected a column's name")
        if self.between is not None and self.per is not None:
            raise SettingsError("between and per cannot be given together: between lets nobody of one value be removed")
        if self.within is not None and self.within in (self.between, self.per):
            other = "between" if self.within == self.between else "per"
            raise SettingsError(f"within is {self.within!r}, and so is {other}; give one")

    def _check_words(self) -> None:
        named = self.as_dict()["words"] if self.words != "" else 0
        if named is not None and (not isinstance(named, str) or named.endswith(("<lambda>", "functools:partial"))):
            expected = "a function with a name of its own, or the name of what cut the lists of words that are given"
            raise SettingsError(f"words is {self.words!r}; expected {expected}")
        if named is not None and self.unit != "word":
            raise SettingsError(f"words is given, and unit is {self.unit!r}: leave one of the two out")

    @property
    def ranking_columns(self) -> list[str]:
        """The columns by which a canonical is chosen, but for those that a callable reads."""
        preferred = self.prefer[0] if isinstance(self.prefer, tuple) else None
        return [name for name in (preferred, self.column) if name is not None]

    @property
    def columns(self) -> dict[str, str]:
        """The columns that the input must have for these settings, and the setting that reads each."""
        named = {self.column: f"canonical={self.canonical!r}", **{getattr(self, n): n for n in GROUPING}}
        if isinstance(self.prefer, tuple):
            named[self.prefer[0]] = "prefer"
        return {column: setting for column, setting in named.items() if column is not None}

    @property
    def column(self) -> str | None:
        """The column that the canonical policy reads, if it reads one."""
        if callable(self.canonical):
            return None
        return self.canonical_column or POLICY_COLUMNS.get(self.canonical)

    @property
    def weighs(self) -> bool:
        """Whether boilerplate is told from content: lines and interleaved pairs are made of words."""
        return self.boilerplate and self.unit == "word"

    @property  # no `cached_property`, whose lock a fork would leave held
    def banding(self) -> tuple[int, int]:
        """Bands and rows: `bands` where given, else as `datasketch` chooses them for the threshold."""
        return self.bands or choose_bands(self.threshold, self.num_perm)

    @property
    def listed(self) -> str | None:
        """The name of what cut texts into words, where they are lists of these."""
        return self.words if isinstance(self.words, str) else None

    @property
    def sketching(self) -> dict[str, Any]:
        """What decides a sketch, as JSON-ready values; without words that are not given."""
        values = self.as_dict()
        return {name: values[name] for name in SKETCH_FIELDS if name != "words" or self.words is not None}

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that differ where any setting does; a callable goes by its name."""
        return _fingerprint(self.as_dict())

    @property
    def sketch_fingerprint(self) -> str:
        """16 hexadecimal digits that differ where sketches cannot be compared."""
        return _fingerprint(self.sketching)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values; a callable by its qualified name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        values |= {name: _qualified(values[name]) for name in ("canonical", "words") if callable(values[name])}
        if isinstance(self.prefer, tuple):
            values["prefer"] = {self.prefer[0]: list(self.prefer[1])}
        return values

    @classmethod
    def of(cls, given: GivenSettings, **changes: Unpack[SettingsKeywords]) -> Settings:
        """Return the settings that a caller means: an object, or some by name, or the defaults; and single ones.

        Raises
        ------
        SettingsError
            They are something else, or a setting is unknown or out of its range.
        """
        if isinstance(given, Mapping):
            given = cls().replace(**{str(name): value for name, value in given.items()})
        if not isinstance(given, Settings | None):
            raise SettingsError(
                f"settings is of type {type(given).__name__}; expected Settings, or a mapping such as "
                "{'threshold': 0.7}; those of a file: Settings.load(path)"
            )
        return (given or cls()).replace(**changes)

    def replace(self, **changes: Unpack[SettingsKeywords]) -> Settings:
        """Return a copy with some values changed, validated anew."""
        names = [field.name for field in fields(self)]
        unknown = sorted(map(str, changes.keys() - set(names)))
        if unknown:
            near = "".join(f" (did you mean {name}?)" for name in get_close_matches(unknown[0], names, 1))
            raise SettingsError(f"unknown setting {', '.join(unknown)}{near}; the settings are {', '.join(names)}")
        return replace(self, **changes) if changes else self

    def save(self, path: str | os.PathLike[str], *, comment: str = "") -> None:
        """Write the settings to a TOML file, all of them, so that a later version's defaults change nothing.

        Parameters
        ----------
        path : path
            Replaced if it exists, whole or not at all.
        comment : str
            Lines for its top.

        Raises
        ------
        SettingsError
            `canonical` or `words` is a callable, which no file can hold.
        OutputError
            The file cannot be written.
        """
        import tomli_w

        from dupdetect._storage.atomic import write_text

        for name in ("canonical", "words"):
            if callable(getattr(self, name)):
                raise SettingsError(
                    f"{name} is the callable {self.as_dict()[name]}, which a file cannot hold; save settings without "
                    "it, and give it when they are used"
                )
        values = {name: value for name, value in self.as_dict().items() if value is not None}
        text = "".join(f"# {line}".rstrip() + "\n" for line in comment.splitlines()) + tomli_w.dumps(values)
        write_text(path, text)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Settings:
        """Read settings from a TOML file; those it does not name are the defaults.

        Parameters
        ----------
        path : path
            Of a file such as `save` writes, or written by hand.

        Raises
        ------
        SettingsError
            The file is missing or no TOML, names a setting that there is not, or a value that cannot be.
        """
        try:
            toml: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
            values = toml.loads(Path(path).read_text(encoding="utf-8-sig"))
            return cls().replace(**values)
        except OSError as error:
            raise SettingsError(f"{path}: the settings cannot be read: {error.strerror or error}") from error
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from None
        except ValueError as error:  # of TOML, and of UTF-8
            raise SettingsError(f"{path}: this is no TOML ({error}); expected lines such as threshold = 0.8") from None


def _number(value: Any, convert: Callable[[Any], float]) -> float:
    """Return a value as a number; NaN, which is in no range, of what is none, such as a class or an array."""
    try:
        return math.nan if isinstance(value, bool | str | bytes | bytearray) else convert(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _qualified(called: Any) -> str:
    """Return the name of a callable, of an object its class's: its repr holds an address, other in each process."""
    named = called if hasattr(called, "__qualname__") else type(called)
    return f"{getattr(named, '__module__', None) or 'builtins'}:{named.__qualname__}"  # methods of C have no module


#: What functions take as `settings`.
GivenSettings: TypeAlias = Settings | Mapping[str, Any] | None


def _fingerprint(values: dict[str, Any]) -> str:
    return blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=8).hexdigest()
