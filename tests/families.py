"""Families: many versions of one text."""

import numpy as np


def near_copies(n, seed=0, length=300, edits=2, vocabulary=1000):
    """Make n versions of one text, each with some words changed, no two alike; any two match."""
    random = np.random.default_rng(seed)
    words = [f"w{n}" for n in random.integers(0, vocabulary, length)]
    texts = []
    for copy in range(n):
        version = list(words)
        for edit, place in enumerate(random.integers(0, length, edits)):
            version[place] = f"edit{copy}x{edit}"
        texts.append(" ".join(version))
    return texts
