"""Estimate a share of the matches of all documents from a sample of documents, with an interval.

Input    how many matches each sampled document has, and how many of them were found
Output   `Recall`: the estimate and an interval
Cost     O(sampled documents)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]


@dataclass(frozen=True)
class Recall:
    """A share of the true matches, estimated from a sample.

    Attributes
    ----------
    found, pairs : int
        Of the sampled documents' matches, those found, and all; a match of two sampled documents counts for both.
    estimate : float or None
        ``found / pairs``; None where the sampled documents have no match.
    low, high : float
        The interval, in [0, 1].
    """

    found: int
    pairs: int
    estimate: float | None
    low: float
    high: float


def estimate(found: Int | Share, pairs: Int | Share, *, documents: int, confidence: float) -> Recall:
    """Estimate a share of the matches of all documents.

    Parameters
    ----------
    found, pairs : int64[n]
        Of each sampled document's matches, those found, and all.
    documents : int
        Those that the sample was drawn from.
    confidence : float
        In (0, 1).
    """
    total, right = int(pairs.sum()), int(found.sum())
    share = right / total if total else None
    return Recall(right, total, share, *interval(found, pairs, documents=documents, confidence=confidence))


def interval(found: Int | Share, pairs: Int | Share, *, documents: int, confidence: float) -> tuple[float, float]:
    """Return an interval for a share of the matches of all documents; parameters as for `estimate`.

    Documents are sampled, not pairs. The variance of the ratio gives the number of independent pairs that would vary as
    much, at most as many as if each document's matches were found all or none; an exact binomial interval on so many
    follows. A sample may lack the few documents with most of what is missed: the one furthest off counts twice, and
    the number of pairs is lessened by degrees of freedom (F. E. Satterthwaite, 1946).

    >>> low, high = interval(np.ones(50), np.ones(50), documents=10_000, confidence=0.95)
    >>> f"{low:.2f} {high:.2f}"
    '0.93 1.00'
    """
    total = float(pairs.sum())
    if not total:
        return 0.0, 1.0
    share = float(found.sum()) / total
    if len(pairs) >= documents:
        return share, share
    worth, degrees = _worth(np.asarray(found, float), np.asarray(pairs, float), documents)
    return _binomial(share, worth, degrees, (1 - confidence) / 2)


def _worth(found: Share, pairs: Share, documents: int) -> tuple[float, float]:
    """Return how many independent pairs would vary as much as these, and the degrees of freedom of that number."""
    n, total = len(pairs), pairs.sum()
    left = 1 - n / documents
    worth, degrees = total**2 / (pairs**2).sum() / left, float((pairs > 0).sum() - 1)
    share = found.sum() / total
    squares = (found - share * pairs) ** 2
    squares = np.append(squares, squares.max())
    variance = left * n / max(n - 1, 1) * squares.sum() / total**2
    if variance and share * (1 - share) / variance < worth:
        worth, degrees = share * (1 - share) / variance, min(degrees, 2 * squares.sum() ** 2 / (squares**2).sum())
    return float(worth), float(max(degrees, 1))


def _binomial(share: float, pairs: float, degrees: float, tail: float) -> tuple[float, float]:
    """Return the Clopper-Pearson interval of a share of pairs, their number having so many degrees of freedom."""
    from scipy.stats import beta, norm, t

    pairs *= float((norm.ppf(tail) / t.ppf(tail, degrees)) ** 2)
    found, missed = share * pairs, (1 - share) * pairs
    low = float(beta.ppf(tail, found, missed + 1)) if found else 0.0
    high = float(beta.ppf(1 - tail, found + 1, missed)) if missed else 1.0
    return low, high
