"""Candidates on the driver: of a frame whose sketches are few, or of new documents against the outputs of earlier runs.

Input    what was sketched, and the rules of the run
Output   the corpus of all documents, what was found among them, and where their texts stand
Cost     that of the same on one machine, but for the texts: the driver holds the sketches of all new documents

What is shuffled costs more than what is few: sketches of up to `FEW` bytes are searched as a run on one machine
searches them, by the same functions. So is a night against earlier outputs: it is small beside what was there before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute

from dupdetect._storage.texts import are_elsewhere
from dupdetect.matching.keys import Keys
from dupdetect.pipeline.decide import searched
from dupdetect.spark.counter import TextStore
from dupdetect.spark.sketching import compressed

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pyspark.sql import DataFrame

    from dupdetect.pipeline.corpus import Corpus
    from dupdetect.pipeline.decide import Search
    from dupdetect.pipeline.request import RunContext
    from dupdetect.pipeline.rules import Plain, TextSource
    from dupdetect.spark.work import Work

    Int = NDArray[np.int64]

#: Bytes of sketches that the driver searches, at the most, where there are no earlier outputs.
FEW = 256 << 20

#: The partition in which earlier texts stand.
EARLIER = -1


class Joined(NamedTuple):
    """New documents, and earlier ones.

    Attributes
    ----------
    corpus : Corpus
    search : Search
    store : TextStore
    """

    corpus: Corpus
    search: Search
    store: TextStore


def keys_of(table: pa.Table, name: str) -> tuple[Keys, Int]:
    """Return the keys of documents, and how many each has."""
    lengths = pa.compute.binary_length(table[name]).to_numpy().astype(np.int64) // 8
    values = np.frombuffer(b"".join(table[name].to_pylist()), np.uint64)
    return Keys.of(values, np.append(0, np.cumsum(lengths))), lengths


def joined(corpus: Corpus, table: pa.Table, rules: Plain, run: RunContext, where: tuple[Work, DataFrame]) -> Joined:
    """Put earlier documents to new ones, if there are any, and search for candidates.

    Parameters
    ----------
    corpus : Corpus
        Of n new documents, with their keys.
    table : pyarrow.Table
        Where each stands, and how many bytes it has.
    rules : Plain
    run : RunContext
        Of the driver alone.
    where : tuple of Work and DataFrame
        Where texts are to stand, and what was sketched.
    """
    corpus = rules.join(corpus, run, run.request.strict)
    search, rows = searched(corpus, rules, run)
    source = rules.texts(corpus, rows, search.limits, run.workspace)
    return Joined(corpus, search, _store(corpus, rows, table, source, where))


def _store(corpus: Corpus, rows: Int, table: pa.Table, source: TextSource, where: tuple[Work, DataFrame]) -> TextStore:
    """Say where the text stands that speaks for each text."""
    work, sketched = where
    columns = ("part", "place", "text")
    there, new = sketched.select(*columns), rows < corpus.new
    at = corpus.places[rows[new]]
    part, place, sizes = np.full(len(rows), EARLIER), source.places.copy(), np.empty(len(rows), np.int64)
    for column, name in ((part, "part"), (place, "place"), (sizes, "bytes")):
        column[new] = table[name].to_numpy()[at]
    if corpus.related is not None:
        given = source.texts
        given = given.some(np.arange(len(given.lengths))) if are_elsewhere(given) else given
        texts = pa.table({"text": given})["text"]
        sizes[~new] = pa.compute.binary_length(texts).to_numpy()[place[~new]]
        held = {"part": np.full(len(texts), EARLIER), "place": np.arange(len(texts))}
        chunks = [compressed(chunk) for chunk in texts.cast(pa.large_string()).chunks]
        own = pa.chunked_array(chunks, pa.large_binary())
        earlier = work.stage("earlier", lambda: work.session.frame(pa.table({**held, "text": own})))
        there = there.union(earlier.select(*columns))
    return TextStore(there, part, place, sizes)
