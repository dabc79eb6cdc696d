"""Choose the documents of a run that a page lists.

Input    a `Run`
Output   `Listing`: the documents that a page lists; `sizes_of`: how many clusters there are of each size
Cost     a sort of the documents; no text is looked at
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect.results.run import Run

    Int = NDArray[np.int64]

#: Documents that a page lists, and of one cluster before others have theirs. All are searched in a tenth of a second.
DOCUMENTS, MEMBERS = 100_000, 1_000


@dataclass(frozen=True, eq=False)
class Listing:
    """The documents that a page lists.

    Attributes
    ----------
    rows : int64[m]
        Which they are: a cluster's canonical, then its members, the most doubtful first; then those without copies.
    of : int64[m]
        Where the canonical of each stands in `rows`.
    """

    rows: Int
    of: Int

    @classmethod
    def choose(cls, run: Run, most: int = DOCUMENTS, members: int = MEMBERS) -> Listing:
        """List clusters, in turn the largest and the most doubtful ones, then documents that have no copies.

        Of a cluster all members are listed if there is room for them when each other one has `members` of its own.
        """
        turn = np.full(len(run), len(run), np.int64)  # of the cluster that a document represents
        both = [row for row in chain.from_iterable(zip_longest(run.largest(), run.doubtful())) if row is not None]
        np.minimum.at(turn, np.array(both, np.int64), np.arange(len(both)))
        turn[run.sizes == 1] = len(both) + 1
        margin = np.where(run.stays, -np.inf, run.margin)
        order = np.lexsort((np.arange(len(run)), margin, run.canonical, turn[run.canonical]))
        canonical = run.canonical[order]
        first = np.flatnonzero(np.append(True, canonical[1:] != canonical[:-1])[: len(order)])
        place = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
        listed = place < members
        room = most - int(listed.sum())
        if room < 0:
            listed[np.flatnonzero(listed)[most:]] = False
        listed[np.flatnonzero(~listed)[: max(0, room)]] = True
        rows = order[listed]
        where = np.empty(len(run), np.int64)
        where[rows] = np.arange(len(rows))
        return cls(rows, where[run.canonical[rows]])

    def __len__(self) -> int:
        return len(self.rows)


def sizes_of(run: Run) -> list[tuple[str, int, int]]:
    """Count clusters of two and more by their size.

    Returns
    -------
    list of (str, int, int)
        Sizes 2, 3, 4, 5 to 8, 9 to 16 and so on: their name, how many clusters and how many documents they are.
    """
    sizes = run.sizes[run.sizes > 1]
    groups = np.where(sizes > 4, np.ceil(np.log2(sizes)).astype(np.int64) + 2, sizes)  # 5 to 8: group 5
    counted = []
    for group in range(2, int(groups.max(initial=1)) + 1):
        inside = sizes[groups == group]
        name = f"{group}" if group < 5 else f"{2 ** (group - 3) + 1:,}–{2 ** (group - 2):,}"
        counted.append((name, len(inside), int(inside.sum())))
    return counted
