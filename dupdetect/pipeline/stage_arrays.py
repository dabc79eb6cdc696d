"""What has been found, as arrays that a journal can keep.

Input    matches, templates, a decision
Output   arrays by name, of one dimension; and from them the same again
Cost     none but for the copies of booleans
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from dupdetect.clustering.clusters import Contents
from dupdetect.matching.boilerplate import Templates
from dupdetect.matching.verify import Overlaps, Weights
from dupdetect.pipeline.tables import Decision

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Arrays = dict[str, NDArray[Any]]


def overlaps_to_arrays(overlaps: Overlaps) -> Arrays:
    """Lay out matches."""
    arrays = {name: getattr(overlaps, name) for name in ("pairs", "shared", "size_a", "size_b")}
    if overlaps.given is not None:
        arrays |= {f"weighed_{name}": values for name, values in overlaps.given._asdict().items()}
        arrays["weighed_framed"] = overlaps.given.framed.astype(np.uint8)
    return arrays


def overlaps_of_arrays(arrays: Arrays) -> Overlaps:
    """Return what `overlaps_to_arrays` laid out."""
    given = None
    if "weighed_shared" in arrays:
        given = Weights(*(arrays[f"weighed_{name}"] for name in Weights._fields))
        given = given._replace(framed=given.framed.astype(np.bool_))
    return Overlaps(arrays["pairs"], arrays["shared"], arrays["size_a"], arrays["size_b"], given)


def templates_to_arrays(templates: Templates) -> Arrays:
    """Lay out what a corpus says of its shingles."""
    arrays: Arrays = {"shingles": templates.shingles, "lead": templates.lead, "votes": templates.votes}
    return arrays if templates.pairs is None else arrays | {"voters": templates.pairs}


def templates_of_arrays(arrays: Arrays) -> Templates:
    """Return what `templates_to_arrays` laid out."""
    return Templates(arrays["shingles"], arrays["lead"], arrays.get("voters"), arrays["votes"])


def decision_to_arrays(decision: Decision, caps: dict[str, int]) -> Arrays:
    """Lay out a decision, and the caps that were reached on the way."""
    names = ("text_of", "ranks", "document_of", "canonical")
    return {
        **{name: getattr(decision, name) for name in names},
        "bridges": decision.bridges.astype(np.uint8),
        **{f"contents_{field.name}": getattr(decision.contents, field.name) for field in fields(Contents)},
        **{f"match_{name}": values for name, values in overlaps_to_arrays(decision.matches).items()},
        **{f"template_{name}": values for name, values in templates_to_arrays(decision.templates).items()},
        **{f"cap_{name}": np.array([value]) for name, value in caps.items()},
    }


def decision_of_arrays(arrays: Arrays) -> tuple[Decision, dict[str, int]]:
    """Return what `decision_to_arrays` laid out."""
    decision = Decision(
        arrays["text_of"],
        arrays["ranks"],
        arrays["document_of"],
        arrays["canonical"],
        overlaps_of_arrays(_below("match_", arrays)),
        arrays["bridges"].astype(np.bool_),
        Contents(**_below("contents_", arrays)),
        templates_of_arrays(_below("template_", arrays)),
    )
    return decision, {name: int(values[0]) for name, values in _below("cap_", arrays).items()}


def _below(prefix: str, arrays: Arrays) -> Arrays:
    return {name.removeprefix(prefix): values for name, values in arrays.items() if name.startswith(prefix)}
