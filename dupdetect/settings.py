"""Settings: everything that decides a result, in one frozen object.

Input    values by keyword
Output   a validated, comparable, printable `Settings`, with a fingerprint
Cost     nothing to speak of
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cached_property
from hashlib import blake2b
from operator import index
from pathlib import Path
from typing import Any

from dupdetect.errors import SettingsError

#: What shingles are made of; see `Settings.unit`.
UNITS = ("word", "character")

#: How a cluster's canonical is chosen; see `Settings.canonical`.
POLICIES = ("cleanest", "longest", "earliest", "priority", "first")

#: Policies that read a column, and the column they read unless told otherwise.
POLICY_COLUMNS = {"earliest": "date", "priority": "priority"}

#: A policy of the user's own: a document's row to its sort key.
SortKey = Callable[[dict[str, Any]], Any]

#: What decides a sketch, as opposed to what is made of it.
SKETCH_FIELDS = ("shingle_size", "unit", "num_perm", "seed", "window")


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
        Share of the smaller document inside the larger from which on one contains the other, in (0, 1].
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
        Documents from which on a key is too frequent to compare all of them with all, at least 2. Such
        documents are linked to a few of them instead, and the survivors once more.
    boilerplate : bool
        Whether text that comes with the page and not with the article is told from the latter, by its lines and by
        what other documents show, and weighs next to nothing (`dupdetect.matching.boilerplate`). With the unit "word" alone.
    canonical : str or callable
        Which member represents a cluster, of those that every other member matches. "cleanest": the one with
        the least text that is not the cluster's own. "longest": the most words. "earliest" and "priority": the
        least value in `canonical_column`; a missing value comes last. "first": the first read. A callable takes
        a document's row (dict) and returns a sort key; the least wins. Ties go to the cleanest, then to the
        least id.
    canonical_column : str, optional
        Column that "earliest" (default: "date") and "priority" (default: "priority") read.

    Raises
    ------
    SettingsError
        Where a value is of the wrong type or out of its range.

    Notes
    -----
    Defaults were measured on the development corpora (`benchmarks/quality.py`; 3,908 web pages and clean texts, and the
    1,954 pages alone). Of ``containment`` 0.5, 0.6, 0.7, 0.8 and 0.9 the pairwise F1 of the clusters is 0.994, 0.994,
    0.990, 0.987 and 0.972, the precision 1.000; on the pages alone 0.55 to 0.65 find 42 of 45 pairs and one false one,
    0.5 eight false ones, 0.9 37 pairs. With ``min_shared_fingerprints`` up to 0.55 none of the matches is lost that 0.3 finds on four
    corpora (web pages, manuals, newswire, generated), and 0.5 makes up to 53 % fewer candidates; from 0.6 on, matches
    are lost. ``min_shingles`` 16 loses one pair of 2,134, 24 loses seven. ``window`` 32 keeps 7 % of the shingles.

    For noisy texts, measured on 806 scanned pages beside their corrections: ``unit="character", shingle_size=5,
    threshold=0.55, containment=0.9, min_shingles=100`` has F1 0.993 where less than a tenth of the characters are wrong, 0.81
    from there to a fifth (words do best with 2-shingles and a threshold of 0.5: 0.977 and 0.60). Thresholds of 0.5 to
    0.65 keep the first above 0.975. Texts of a megabyte share many short shingles by chance: let `shingle_size` be 7
    there, and the threshold 0.5.

    For short texts, measured on three sets of bibliographic records: ``unit="character", shingle_size=3,
    threshold=0.625, containment=0.85, min_shingles=100, window=8`` has F1 0.985, 0.959 and 0.963. A text of less than
    `shingle_size` units is one shingle, of all of them: it has exact copies only. One of less than `min_shingles` shingles
    can be a near duplicate of another, but not contained in one.

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
    containment: float = 0.6
    min_shingles: int = 16
    bands: tuple[int, int] | None = None
    window: int = 32
    min_shared_fingerprints: float = 0.5
    hot_key_documents: int = 64
    boilerplate: bool = True
    canonical: str | SortKey = "cleanest"
    canonical_column: str | None = None

    def __post_init__(self) -> None:
        self._check_integer("shingle_size", 1, 2**16)
        if self.unit not in UNITS:
            raise SettingsError(f"unit is {self.unit!r}; expected one of {', '.join(UNITS)}")
        self._check_integer("num_perm", 2, 2**16)
        self._check_integer("seed", 0, 2**32 - 1)
        self._check_integer("window", 1, 2**24)
        self._check_integer("hot_key_documents", 2, 2**24)
        self._check_integer("min_shingles", 1, 2**24)
        for name in ("threshold", "containment", "min_shared_fingerprints"):
            self._check_share(name)
        if not isinstance(self.boilerplate, bool):
            raise SettingsError(f"boilerplate is {self.boilerplate!r}; expected True or False")
        self._check_bands()
        self._check_canonical()

    def _check_integer(self, name: str, least: int, most: int) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not hasattr(value, "__index__") or not least <= int(value) <= most:
            raise SettingsError(f"{name} is {value!r}; expected a whole number from {least} to {most}")
        object.__setattr__(self, name, int(value))

    def _check_share(self, name: str) -> None:
        value = getattr(self, name)
        if isinstance(value, bool) or not hasattr(value, "__float__") or not 0 < float(value) <= 1:
            raise SettingsError(f"{name} is {value!r}; expected a number above 0 and up to 1")
        object.__setattr__(self, name, float(value))

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
        if not callable(self.canonical) and self.canonical not in POLICIES:
            raise SettingsError(
                f"canonical is {self.canonical!r}; expected one of {', '.join(POLICIES)}, or a callable"
            )
        if self.canonical_column is None:
            return
        if not isinstance(self.canonical_column, str):
            raise SettingsError(f"canonical_column is {self.canonical_column!r}; expected a column's name")
        if callable(self.canonical) or self.canonical not in POLICY_COLUMNS:
            raise SettingsError(
                f"canonical_column is {self.canonical_column!r}, but canonical={self.canonical!r} reads no column; "
                f"leave it out, or set canonical to one of {', '.join(POLICY_COLUMNS)}"
            )

    @property
    def column(self) -> str | None:
        """The column that the canonical policy reads, if it reads one."""
        if callable(self.canonical):
            return None
        return self.canonical_column or POLICY_COLUMNS.get(self.canonical)

    @property
    def weighs(self) -> bool:
        """Whether shingles are weighed: lines and frames are made of words."""
        return self.boilerplate and self.unit == "word"

    @cached_property
    def banding(self) -> tuple[int, int]:
        """Bands and rows: `bands` where given, else as `datasketch` chooses them for the threshold."""
        if self.bands is not None:
            return self.bands
        from dupdetect.sketches.bands import choose

        return choose(self.threshold, self.num_perm)

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that differ where any setting does."""
        return _fingerprint(self.as_dict())

    @property
    def sketch_fingerprint(self) -> str:
        """16 hexadecimal digits that differ where sketches cannot be compared."""
        return _fingerprint({name: getattr(self, name) for name in SKETCH_FIELDS})

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as JSON-ready values; a callable by its qualified name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if callable(self.canonical):
            # An object that is called goes by its class: its repr would hold an address, other in each process.
            named = self.canonical if hasattr(self.canonical, "__qualname__") else type(self.canonical)
            values["canonical"] = f"{named.__module__}:{named.__qualname__}"
        return values

    def replace(self, **changes: Any) -> Settings:
        """Return a copy with some values changed, validated anew."""
        unknown = changes.keys() - {field.name for field in fields(self)}
        if unknown:
            names = ", ".join(field.name for field in fields(self))
            raise SettingsError(f"unknown setting {', '.join(sorted(unknown))}; the settings are {names}")
        return replace(self, **changes)

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
            `canonical` is a callable, which no file can hold.
        OutputError
            The file cannot be written.
        """
        import tomli_w

        from dupdetect._storage.atomic import write_text

        if callable(self.canonical):
            raise SettingsError(
                f"canonical is the callable {self.as_dict()['canonical']}, which a file cannot hold; save settings "
                f"with one of {', '.join(POLICIES)}, and give the callable when they are used"
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
            values = _toml().loads(Path(path).read_text(encoding="utf-8-sig"))
            return cls().replace(**values)
        except OSError as error:
            raise SettingsError(f"{path}: the settings cannot be read: {error.strerror or error}") from error
        except SettingsError as error:
            raise SettingsError(f"{path}: {error}") from None
        except ValueError as error:  # of TOML, and of UTF-8
            raise SettingsError(f"{path}: this is no TOML ({error}); expected lines such as threshold = 0.8") from None


def _toml() -> Any:
    """Return the reader of TOML, which Python has from 3.11 on."""
    import importlib

    try:
        return importlib.import_module("tomllib")
    except ModuleNotFoundError:
        return importlib.import_module("tomli")


def _fingerprint(values: dict[str, Any]) -> str:
    text = json.dumps(values, sort_keys=True)
    return blake2b(text.encode(), digest_size=8).hexdigest()
