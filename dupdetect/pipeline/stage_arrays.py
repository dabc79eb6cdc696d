"""What has been found, as arrays that checkpoints can store.

Input    matches, boilerplate, a decision
Output   arrays by name, of one dimension; and from them the same again
Cost     none but for the copies of booleans
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from dupdetect.clustering.digests import Contents
from dupdetect.matching.boilerplate import Boilerplate
from dupdetect.matching.overlaps import Overlaps, Weights
from dupdetect.matching.verify import Verified
from dupdetect.pipeline.tables import Decision

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]


def overlaps_to_arrays(overlaps: Overlaps) -> Arrays:
    """Return matches as arrays."""
    arrays = {name: getattr(overlaps, name) for name in ("pairs", "shared", "size_a", "size_b")}
    if overlaps.given is not None:
        arrays |= {f"weighed_{name}": values for name, values in overlaps.given._asdict().items()}
        arrays["weighed_strangers"] = overlaps.given.strangers.astype(np.uint8)
    if overlaps.verdicts is not None:
        arrays["verdicts"] = overlaps.verdicts
    return arrays


def overlaps_of_arrays(arrays: Arrays) -> Overlaps:
    """Return what became arrays by `overlaps_to_arrays`."""
    given = None
    if "weighed_strangers" in arrays:
        given = Weights(*(arrays[f"weighed_{name}"] for name in Weights._fields))
        given = given._replace(strangers=given.strangers.astype(np.bool_))
    pairs, shared, size_a, size_b = (arrays[name] for name in ("pairs", "shared", "size_a", "size_b"))
    return Overlaps(pairs, shared, size_a, size_b, given, None, arrays.get("verdicts"))


def boilerplate_to_arrays(boilerplate: Boilerplate) -> Arrays:
    """Return what a corpus says of its shingles as arrays."""
    arrays: Arrays = {"shingles": boilerplate.shingles, "margin": boilerplate.margin, "votes": boilerplate.votes}
    return arrays if boilerplate.pairs is None else arrays | {"voters": boilerplate.pairs}


def boilerplate_of_arrays(arrays: Arrays) -> Boilerplate:
    """Return what became arrays by `boilerplate_to_arrays`."""
    return Boilerplate(arrays["shingles"], arrays["margin"], arrays.get("voters"), arrays["votes"])


def verified_to_arrays(verified: Verified) -> Arrays:
    """Return what was verified as arrays."""
    learned = boilerplate_to_arrays(verified.boilerplate)
    return {**overlaps_to_arrays(verified.matches), **learned, "deferred": verified.deferred}


def verified_of_arrays(arrays: Arrays) -> Verified:
    """Return what became arrays by `verified_to_arrays`."""
    return Verified(overlaps_of_arrays(arrays), arrays["deferred"], boilerplate_of_arrays(arrays))


def decision_to_arrays(decision: Decision, caps: dict[str, int]) -> Arrays:
    """Return a decision as arrays, and the caps that were reached on the way."""
    names = ("text_of", "ranks", "document_of", "canonical")
    return {
        **{name: getattr(decision, name) for name in names},
        "digests": decision.is_digest.astype(np.uint8),
        **{f"contents_{field.name}": getattr(decision.contents, field.name) for field in fields(Contents)},
        **{f"match_{name}": values for name, values in overlaps_to_arrays(decision.matches).items()},
        **{f"boilerplate_{name}": values for name, values in boilerplate_to_arrays(decision.boilerplate).items()},
        **({} if decision.same is None else {"same": decision.same}),
        **({} if decision.wordless is None else {"wordless": decision.wordless}),
        **{f"cap_{name}": np.array([value]) for name, value in caps.items()},
    }


def decision_of_arrays(arrays: Arrays) -> tuple[Decision, dict[str, int]]:
    """Return what became arrays by `decision_to_arrays`."""
    decision = Decision(
        arrays["text_of"],
        arrays["ranks"],
        arrays["document_of"],
        arrays["canonical"],
        overlaps_of_arrays(_below("match_", arrays)),
        arrays["digests"].astype(np.bool_),
        Contents(**_below("contents_", arrays)),
        boilerplate_of_arrays(_below("boilerplate_", arrays)),
        arrays.get("same"),
        arrays.get("wordless"),
    )
    return decision, {name: int(values[0]) for name, values in _below("cap_", arrays).items()}


def _below(prefix: str, arrays: Arrays) -> Arrays:
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}
