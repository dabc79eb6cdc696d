"""What is known of a document of a run, and of how it is related to others: the fields of `explain`.

Input    what `explain` found
Output   `Explanation` and `Likeness`, as dictionaries and as a sentence too
Cost     nothing to speak of
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dupdetect.matching.compare import Comparison
    from dupdetect.matching.passages import Passage


@dataclass(frozen=True)
class Likeness:
    """How a document is related to another.

    Attributes
    ----------
    id, cluster : id
        The other document, and the canonical that it was put with.
    relation : str or None
        Of the document to the other; None where they are no match.
    score, jaccard : float
        What was held against the threshold; Jaccard similarity, shingles unweighted.
    inside, around : float
        Share of the document inside the other, and of the other inside the document.
    boilerplate : float
        Share of what they have in common that is boilerplate.
    """

    id: Any
    cluster: Any
    relation: str | None
    score: float
    jaccard: float
    inside: float
    around: float
    boilerplate: float


@dataclass(frozen=True)
class Explanation:
    """Why a document of a run is where it is.

    Attributes
    ----------
    id, cluster : id
        The document, and the canonical of its cluster: itself, if it was kept.
    kept : bool
    size : int
        Documents in its cluster.
    relation : str or None
        To its canonical; None for a canonical.
    match : Likeness or None
        To its canonical; for a canonical to the document most like it. None where no match of it is listed.
    others : list of Likeness
        The runners-up, at the most `MOST`, the highest score first.
    matches : int
        All matches that are listed of it.
    holds : list of dict
        Of a digest document the canonicals that it holds: ``cluster``, ``containment`` (share of the canonical inside
        it), ``share`` (of it that the canonical accounts for).
    held_by : list of ids
        The digest documents that hold its canonical.
    lost, lost_share : int, float
        Words of it that are neither in its canonical nor boilerplate, and what share of its content they are; None for
        a canonical.
    lost_text : list of str or None
        These words, the longest runs of them first, at the most `EXCERPTS`; None where a text could not be found.
    rejects : list of dict
        Rows that were rejected for having its id: ``file``, ``row``, ``reason``.
    comparison : Comparison or None
        Of its text and that of `match`, by these two alone, if both texts could be found.
    why, otherwise : str
        The reason, and what would have had to differ, in sentences.
    """

    id: Any
    cluster: Any
    kept: bool
    size: int
    relation: str | None
    match: Likeness | None
    others: list[Likeness]
    matches: int
    holds: list[dict[str, Any]]
    held_by: list[Any]
    rejects: list[dict[str, Any]]
    lost: int | None = None
    lost_share: float | None = None
    lost_text: list[str] | None = None
    comparison: Comparison | None = field(default=None, repr=False)
    why: str = ""
    otherwise: str = ""

    @property
    def passages(self) -> tuple[Passage, ...] | None:
        """What it shares with the document of `match`, a being itself; None where a text could not be found."""
        return None if self.comparison is None else self.comparison.passages

    def as_dict(self) -> dict[str, Any]:
        """Return all of it as JSON has it; no texts, but where passages stand in them."""
        values = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "comparison"}
        values["match"] = None if self.match is None else asdict(self.match)
        values["others"] = [asdict(other) for other in self.others]
        values["passages"] = None if self.passages is None else [asdict(passage) for passage in self.passages]
        return values

    def __str__(self) -> str:
        return f"{self.why} {self.otherwise}"
