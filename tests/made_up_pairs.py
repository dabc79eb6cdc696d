"""Single pairs of documents, made up by what they share."""

import numpy as np

from dupdetect.matching.overlaps import RELATIONS, Overlaps, Weights
from dupdetect.matching.pairs import pack
from dupdetect.matching.removal import REMOVABLE_A, REMOVABLE_B, decided
from dupdetect.settings import Settings

SETTINGS = Settings(threshold=0.8, containment=0.8, max_lost=0.05)


def overlap(shared, size_a, size_b):
    return Overlaps(pack(np.array([0]), np.array([1])), *(np.array([n], np.int64) for n in (shared, size_a, size_b)))


def one(counts=(100, 120, 150), patterns=0, **weights):
    """Make up one pair that is weighed: by default a has 20 words of its own, b 50, and all is content."""
    made = {
        "content_a": 100, "content_b": 100, "own_a": 20, "own_b": 50, "new_a": 20, "new_b": 50, "lost_a": 20,
        "lost_b": 50, "main_a": 20, "main_b": 50, "run_a": 0, "run_b": 0, "boilerplate": 0, "in_place": 1,
        "strangers": False, **weights,
    }  # fmt: skip
    given = Weights(
        **{name: np.array([value if name == "strangers" else float(value)]) for name, value in made.items()}
    )
    sizes = (np.array([n]) for n in counts)
    return Overlaps(pack(np.array([0]), np.array([1])), *sizes, given, np.array([patterns], np.uint8))


def relation(**weights):
    return RELATIONS[one(**weights).relations(SETTINGS)[0]]


def removable(**weights):
    """Say of a and of b whether they may be removed, of a pair that is made a match."""
    found = one(**weights)
    verdicts = decided(found, SETTINGS).verdicts
    assert len(verdicts) == 1
    return tuple(bool(verdicts[0] & mark) for mark in (REMOVABLE_A, REMOVABLE_B))
