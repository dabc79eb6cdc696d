"""Two texts to what they have in common.

Input    two texts
Output   `Comparison`: the relation, Jaccard, both containments
Cost     O(length of the texts)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dupdetect.errors import InputError

if TYPE_CHECKING:
    from dupdetect.settings import Settings


@dataclass(frozen=True)
class Comparison:
    """What two texts a and b have in common; the shares are exact, in [0, 1].

    Attributes
    ----------
    relation : str or None
        Of a to b: "identical" (the same words), "near_duplicate" (Jaccard reaches the threshold), "contains" or
        "contained" (the smaller is inside the larger); None where neither is a copy.
    jaccard : float
        Share of the distinct shingles of either that are of both.
    containment_a : float
        Share of a inside b.
    containment_b : float
        Share of b inside a.
    """

    relation: str | None
    jaccard: float
    containment_a: float
    containment_b: float


def compare(a: str, b: str, *, settings: Settings | None = None, **overrides: Any) -> Comparison:
    """Compare two texts.

    Parameters
    ----------
    a, b : str
    settings : Settings, optional
        Default settings if left out.
    **overrides
        Single settings, as `Settings` names them.

    Returns
    -------
    Comparison
        A text without words has nothing in common with any: all shares are 0.

    Raises
    ------
    InputError
        Where a or b is no str, or holds a lone surrogate.
    SettingsError
        Where a setting is unknown or out of its range.

    Examples
    --------
    >>> compare("to be or not to be that is the question", "To be, or not to be: that is the question.").relation
    'identical'
    """
    import numpy as np
    import pyarrow as pa

    from dupdetect.candidates import pack
    from dupdetect.cleaning import clean
    from dupdetect.settings import Settings
    from dupdetect.sketches import define
    from dupdetect.verify import RELATIONS, Verifier

    chosen = (settings or Settings()).replace(**overrides)
    for name, text in (("a", a), ("b", b)):
        _check(name, text)
    a, b = clean(a), clean(b)
    sketches = define([a, b], chosen, signatures=False)
    if not sketches.words.all():
        return Comparison(None, 0.0, 0.0, 0.0)
    verifier = Verifier(pa.array([a, b], pa.large_string()), np.arange(2), chosen, 1)
    overlap = verifier.overlaps(pack(np.array([0]), np.array([1])))
    code = int(overlap.relations(chosen)[0])
    same = (sketches.digests[0] == sketches.digests[1]).all()
    relation = "identical" if same else RELATIONS[code] if code else None
    return Comparison(
        relation, float(overlap.jaccard[0]), float(overlap.containment_a[0]), float(overlap.containment_b[0])
    )


def _check(name: str, text: object) -> None:
    if not isinstance(text, str):
        raise InputError(f"{name} is of type {type(text).__name__}; expected a str")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(
            f"{name} holds a lone surrogate (U+{ord(text[error.start]):04X}, character {error.start}); expected valid "
            "Unicode"
        ) from None
