"""What is lost with the documents that were removed.

Input    the table `clusters`
Output   the largest losses, their sum, and what they count
Cost     a pass over the column `lost`
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa


class Loss(NamedTuple):
    """What is lost of one removed document.

    Attributes
    ----------
    id, canonical : id
        The document, and the one that stands for it.
    words : int
        Words that are nowhere in the canonical and are no boilerplate.
    share : float
        What share of the document's content these are, in [0, 1].
    """

    id: Any
    canonical: Any
    words: int
    share: float


def lost_words(clusters: pa.Table) -> int:
    """Return the sum of the words that are lost."""
    import pyarrow.compute as pc

    return int(pc.sum(clusters["lost"]).as_py() or 0)


def largest_losses(clusters: pa.Table, count: int) -> list[Loss]:
    """Return the documents of which the most words are lost, the most first; those of which none are, are left out.

    Parameters
    ----------
    clusters : pyarrow.Table
        `Result.clusters`.
    count : int
        How many at most.
    """
    import pyarrow.compute as pc

    from dupdetect.io.identifiers import as_type, workable_columns

    some = clusters.filter(pc.greater(clusters["lost"], 0)).select(["id", "cluster", "lost", "lost_share"])
    types = {name: some.schema.field(name).type for name in ("id", "cluster")}
    some = workable_columns(some, *types)
    order = [("lost", "descending"), ("lost_share", "descending"), ("id", "ascending")]
    some = some.sort_by(order).slice(0, count)
    columns = [
        as_type(some[name], types.get(name, some.schema.field(name).type)).to_pylist() for name in some.column_names
    ]
    return [Loss(*row) for row in zip(*columns, strict=True)]


def unit_of_loss(settings: Mapping[str, Any]) -> str:
    """Return what a loss counts: shingles, where words are not what is compared, or boilerplate is not known."""
    return "words" if settings.get("unit") == "word" and settings.get("boilerplate") else "shingles"


def counted(lost: int, settings: Mapping[str, Any]) -> str:
    """Return how much of a document is lost, as the beginning of a sentence.

    Examples
    --------
    >>> counted(2, {"unit": "character"})
    '2 shingles of it are'
    >>> counted(1, {"unit": "word", "boilerplate": True})
    '1 word of it is'
    """
    unit = unit_of_loss(settings)
    return f"1 {unit[:-1]} of it is" if lost == 1 else f"{lost:,} {unit} of it are"
