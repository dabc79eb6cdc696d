"""Counters and verifiers of a few texts."""

import numpy as np
import pyarrow as pa

from dupdetect._storage.arrays import Storage
from dupdetect._storage.context import Context
from dupdetect.matching.counter import PairCounter
from dupdetect.matching.verify import Verifier


def counter(texts, settings, workers=1, rows=None, kept=None, storage=None):
    """Count what pairs of texts share."""
    texts = pa.array(texts, pa.large_string()) if isinstance(texts, list) else texts
    rows = np.arange(len(texts)) if rows is None else np.array(rows, np.int64)
    return PairCounter(texts, rows, Context(settings, workers, storage or Storage()), kept=kept)


def unweighed(texts, settings, workers=1, rows=None):
    """Verify pairs of texts, each shingle counting alike."""
    return Verifier(counter(texts, settings.replace(boilerplate=False), workers, rows))
