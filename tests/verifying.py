"""Counters, verifiers and clusters of a few texts."""

import numpy as np
import pyarrow as pa

from dupdetect._storage.arrays import Storage
from dupdetect._storage.context import Context
from dupdetect.clustering.clusters import cleanness, cluster
from dupdetect.clustering.digests import part_digests
from dupdetect.matching.boilerplate_votes import learn
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.overlaps import Overlaps
from dupdetect.matching.pairs import pack
from dupdetect.matching.removal import decided
from dupdetect.matching.verify import Verifier
from dupdetect.settings import Settings

#: Each word a shingle, so that what passages share is counted at a glance.
SINGLE_WORDS = Settings(shingle_size=1, containment=0.7, min_shingles=3)


def counter(texts, settings, workers=1, rows=None, storage=None):
    """Count what pairs of texts share."""
    texts = pa.array(texts, pa.large_string()) if isinstance(texts, list) else texts
    rows = np.arange(len(texts)) if rows is None else np.array(rows, np.int64)
    return PairCounter(texts, rows, Context(settings, workers, storage or Storage()))


def unweighed(texts, settings, workers=1, rows=None):
    """Verify pairs of texts, each shingle counting alike."""
    return Verifier(counter(texts, settings.replace(boilerplate=False), workers, rows))


def judged(texts, settings=None, workers=1, **options):
    """Judge all pairs of texts that share enough: a verifier by what they say is boilerplate, and the pairs weighed."""
    made = counter(texts, settings or Settings(), workers, **options)
    found = made.sharing(pack(*np.triu_indices(len(texts), 1)))
    verifier = Verifier(made, learn(made, found))
    return verifier, verifier.weigh(found)


def overlaps(*rows):
    """Make overlaps from rows of (a, b, shared, size_a, size_b)."""
    rows = sorted(rows)
    columns = np.array(rows, np.int64).reshape(-1, 5).T
    return Overlaps(pack(columns[0], columns[1]), *columns[2:])


def passage(name, words=10):
    """Write words that no passage of another name has."""
    return " ".join(f"{name}{n}" for n in range(words))


def clustered(texts):
    """Cluster texts whose every pair is a candidate: the canonical of each."""
    return parted(texts)[0].tolist()


def parted(texts):
    """Cluster texts: the canonical of each, which are digests, the matches, and what counts them."""
    n = len(texts)
    verifier = unweighed(texts, SINGLE_WORDS)
    matches = decided(verifier.overlaps(pack(*np.triu_indices(n, 1))), SINGLE_WORDS)
    clean = cleanness(n, matches)
    return *part_digests(cluster(clean, matches), clean, matches, verifier), matches, verifier
