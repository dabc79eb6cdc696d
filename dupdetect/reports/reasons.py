"""The sentences that say why a document of a run is where it is.

Input    a run, and what is known of the document (`explanation.Explanation`)
Output   why it was removed or kept, and what would have had to differ
Cost     nothing to speak of
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dupdetect.matching.overlaps import CONTAINED
from dupdetect.matching.removal import SHORT
from dupdetect.reports.explanation import Likeness
from dupdetect.reports.lookup import digests_of, find_row
from dupdetect.results.losses import counted

if TYPE_CHECKING:
    from dupdetect.matching.compare import Comparison
    from dupdetect.reports.explanation import Explanation
    from dupdetect.results.run import Run
    from dupdetect.settings import Settings

#: A share that is 1 but for rounding, as it is shown.
WHOLE = 0.9995

#: What each relation says.
MEANT = {
    "identical": "has the same words as",
    "near_duplicate": "is a near duplicate of",
    "contains": "contains",
    "contained": "is contained in",
    "syndicated": "is, but for what comes with their pages, the same as",
}

#: What is said where nothing is known of what is most like a document.
UNKNOWN = "What is nearest to it is told if the run's input is given (--input)."
NOTHING = "Nothing in the input shares a run of words with it."


def of_removed(run: Run, explained: Explanation) -> tuple[str, str]:
    """Return why a document was removed, and what would have had to differ."""
    settings, match = run.settings, explained.match
    if match is None:  # its relation says all that is known
        match = Likeness(explained.cluster, explained.cluster, explained.relation, 1.0, 1.0, 1.0, 1.0, 0.0)
    lost, near = explained.lost or 0, explained.relation == "near_duplicate"
    reason = MEANT[explained.relation or "identical"]
    why = f"{explained.id!r} was removed: it {reason} {explained.cluster!r}, which was kept."
    if explained.relation == "identical":
        return why, "No threshold would have kept it."
    said = f"Score {match.score:.3f}"
    if explained.relation in ("contains", "contained"):
        said += ", the share of the content of one that is in the other"
        asked = f"containment {settings.containment:g}"
    else:
        said += ", of their content" * (not near)
        asked = f"threshold {settings.threshold:g}"
    if match.score > WHOLE or (near and max(match.inside, match.around) > WHOLE):
        otherwise = f"{said}; {asked}: none would have kept them apart{', for one holds the other' * near}."
    else:
        otherwise = f"{said}; {asked}: one above {match.score:.3f} would have kept them apart"
        otherwise += ", were the content of neither in the other." if near else "."
    if lost:
        otherwise += f" {counted(lost, settings.as_dict())} lost, {explained.lost_share or 0:.1%} of its content."
    else:
        otherwise += " Nothing of it is lost."
    if match.boilerplate:
        otherwise += f" Of what they share {match.boilerplate:.0%} is boilerplate, and weighs next to nothing."
    return why, otherwise


def of_repeated(run: Run, explained: Explanation) -> tuple[str, str]:
    """Return why a document was removed for one of its own id."""
    score = run.clusters["score"][find_row(run, explained.id)].as_py()
    what = f"{str(explained.relation).replace('_', ' ')}, score {score:.3f}"
    why = f"{explained.id!r} was removed: an earlier run kept a document of the same id ({what})."
    return why, "Without that run it would be compared as a new one."


def of_kept(run: Run, explained: Explanation) -> tuple[str, str]:
    """Return why a document was kept, and what would have had to differ."""
    id, size, match = explained.id, explained.size, explained.match
    if explained.holds:
        held = f"it holds {len(explained.holds)} different texts and is a copy of none (a digest document)"
        return f"{id!r} was kept: {held}.", _distance(run, match)
    if size > 1:
        rest = "another document" if size == 2 else f"{size - 1} other documents"
        policy = (run.manifest.get("settings") or {}).get("canonical", "cleanest")
        return (
            f"{id!r} was kept: it stands for {rest} of its cluster.",
            f"The policy {policy!r} chose it{_passed_over(run, explained, policy)}. {_distance(run, match)}",
        )
    if match is not None and match.relation is not None:
        listed = [match, *explained.others]
        own = next((each for each in listed if each.id == each.cluster), None)
        if own is not None:
            return (
                f"{id!r} was kept, though it matches {own.id!r} (score {own.score:.3f}).",
                _apart(run, own),
            )
        return (
            f"{id!r} was kept: it matches no canonical.",
            f"{match.id!r} (score {match.score:.3f}) was put with {match.cluster!r}, which it does not match itself.",
        )
    if match is not None and explained.comparison is not None and explained.comparison.relation is not None:
        return f"{id!r} was kept: the run has no match of it.", _overlooked(run, match, explained.comparison)
    return f"{id!r} was kept: no other document matches it.", _distance(run, match)


def _overlooked(run: Run, other: Likeness, alone: Comparison) -> str:
    """Say why a run has no match of two documents that are one by themselves."""
    meant = MEANT[alone.relation or "identical"]
    said = f"By these two texts alone it {meant} {other.id!r} (Jaccard {alone.jaccard:.3f}). "
    bands, rows = run.settings.banding
    apart = [name for name in ("within", "between", "per") if getattr(run.settings, name, None)]
    if apart:
        said += f"The run compared only what {' and '.join(map(repr, apart))} allowed. "
    said += "Either what they share is boilerplate among the others, or the two were no candidates: "
    if alone.jaccard >= run.settings.threshold:
        missed = (1 - alone.jaccard**rows) ** bands
        return f"{said}of pairs as alike as they are {missed:.2g} have no band in common, and more bands find them."
    return f"{said}of a text of fewer than {run.settings.window} shingles a part may not be found."


def _apart(run: Run, other: Likeness) -> str:
    """Say why a document is in no cluster with a canonical that it matches."""
    row, settings = find_row(run, other.id), run.settings
    if digests_of(run, row, row)[0]:
        return "That one holds several texts, and is a copy of none (a digest document)."
    if other.relation == "near_duplicate":
        most = f"1 - threshold, {1 - settings.threshold:g}"
    elif settings.boilerplate:
        most = f"max_lost {settings.max_lost:g} of what the one with less content has beyond {SHORT} words"
    else:
        most = f"1 - containment, {1 - settings.containment:g}"
    if run.sizes[row] == 1:
        return f"Neither may stand for the other: more of each would be lost than may be ({most})."
    return (
        f"More of it would be lost than may be ({most}); or that one's cluster was drawn around a document it does not "
        "match, before canonicals were chosen."
    )


def _passed_over(run: Run, explained: Explanation, policy: str) -> str:
    """Say that others could not stand for all of a cluster, if the policy put one of them first or any is a part."""
    row = find_row(run, explained.id)
    members = np.flatnonzero(run.canonical == row)
    part = members[run.relation[members] == CONTAINED]
    if policy == "first" and members[0] < row:
        named = run.clusters["id"][int(members[0])].as_py()
        return f", for {named!r}, which goes before it, cannot stand for all of them without loss"
    if len(part):
        named = run.clusters["id"][int(part[0])].as_py()
        return f" of those that can stand for all of them without loss: {named!r}, for one, is a part of it"
    return ""


def _distance(run: Run, match: Likeness | None) -> str:
    """Return what is most like a document, and how far from a match."""
    settings = run.settings
    if match is None:
        return UNKNOWN
    if match.relation is not None:
        return f"Most like it is {match.id!r}, score {match.score:.3f}."
    share = max(match.inside, match.around)
    return (
        f"Nearest is {match.id!r}: score {match.score:.3f}; Jaccard {match.jaccard:.3f}, where {settings.threshold:g} "
        f"is asked, and {share:.3f} of the smaller in the larger, where {settings.containment:g} is."
        f"{not_contained(share, match.score, settings)}"
    )


def not_contained(share: float, score: float, settings: Settings) -> str:
    """Say what else is asked of a text of which so much is in another that is no match; nothing if too little is."""
    if share < settings.containment:
        return ""
    asked = f" So much makes the smaller a copy only if it has {settings.min_shingles} shingles, and"
    if score >= settings.containment:
        return f"{asked} a run finds the two by a band or by fingerprints that both have (bands, window)."
    return (
        f"{asked} the larger twice as much of its own, or next to nothing would be lost with it (max_lost, "
        f"{settings.max_lost:g}); boilerplate aside."
    )
