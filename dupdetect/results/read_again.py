"""How the input of a run is read once more: as the run has read it, or rows are other documents than they were.

Input    a run, and the columns that the caller names
Output   what `io.documents.collect` and `stream` take
Cost     none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from dupdetect.io.streams import LARGEST_TEXT, MAX_TEXT

if TYPE_CHECKING:
    from dupdetect.io.paths import ReadAs
    from dupdetect.results.run import Run


class Reading(TypedDict):
    """How an input is read, as keywords of `collect`, where they are explained."""

    text: str
    id: str | None
    id_prefix: str | None
    max_text: int
    how: ReadAs


def columns(run: Run, text: str | None, id: str | None) -> tuple[str, str | None]:
    """Return the columns of texts and ids: those that the caller names, else those that the run had."""
    return text or run.text_column or "text", id or run.id_column


def as_read(run: Run, text: str | None = None, id: str | None = None) -> Reading:
    """Return how the input of a run is read; of the columns those that the caller names, if any."""
    text, id = columns(run, text, id)
    most = run.manifest.get("max_text")
    if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= LARGEST_TEXT:
        most = MAX_TEXT  # of a version that did not say it
    return {"text": text, "id": id, "id_prefix": run.id_prefix, "max_text": most, "how": run.read_as}
