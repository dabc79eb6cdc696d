"""What is compared in a run, and who goes first: the rules of a run over documents of its own alone.

Input    a corpus, and the candidates in it
Output   `Plain`, which a run asks; a run against earlier outputs asks `incremental.AgainstEarlier` in its place
Cost     none, but for an order of the documents
"""

# ruff: noqa: ARG002 - the rules of a run against earlier outputs need what these do not

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from dupdetect.clustering import canonical
from dupdetect.clustering.canonical import Rankable
from dupdetect.clustering.clusters import Comparable
from dupdetect.errors import InputError
from dupdetect.io.schema import names_shown
from dupdetect.matching.boilerplate import Boilerplate
from dupdetect.matching.grouping import check_comparable, hashed

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from dupdetect._storage.texts import StoredTexts
    from dupdetect._storage.workspace import Workspace
    from dupdetect.matching.candidates import Candidates
    from dupdetect.pipeline.corpus import Corpus
    from dupdetect.pipeline.request import RunContext
    from dupdetect.settings import Settings

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]
    Hashes = NDArray[np.uint64]


class TextSource(NamedTuple):
    """Texts to compare.

    Attributes
    ----------
    texts : pyarrow.ChunkedArray or StoredTexts
        All texts.
    places : int64[n]
        Where in the first each text stands.
    """

    texts: pa.ChunkedArray | StoredTexts
    places: Int


class Limits(Comparable):
    """Which of n texts may be compared, and which go first: here, all alike.

    Attributes
    ----------
    documents : bool[n]
        The texts that may be compared.
    is_digest : bool[n], optional
        Those that are known to be digest documents.
    """

    is_digest: Bool | None = None

    def some(self, texts: Int) -> Limits:
        """Return what holds among some of the texts, by their numbers."""
        return Limits(len(texts))

    def candidates(self, found: Candidates) -> Candidates:
        """Return the candidates that may be compared."""
        return found.where(self.pairs)

    def ordered(self, clean: Share) -> Share:
        """Return by what texts are ordered, given how clean they are."""
        return clean


class Plain:
    """The rules of a run over documents of its own alone.

    Attributes
    ----------
    files : list of str
        Files, beside the inputs, that decide what is found.
    temporary : set of Path
        Folders of those of them that are written for this run alone.
    known : Boilerplate
        What is known of shingles before.

    Parameters
    ----------
    boilerplate : pyarrow.Table, optional
        What is known of shingles (`Result.boilerplate`), if nothing is to be learned beyond that.
    """

    def __init__(self, boilerplate: pa.Table | None = None) -> None:
        self.files: list[str] = []
        self.temporary: set[Path] = set()
        self.known = Boilerplate.none() if boilerplate is None else settled(boilerplate)

    def __enter__(self) -> Plain:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def join(self, corpus: Corpus, run: RunContext, strict: bool) -> Corpus:
        """Return the corpus of all documents to be compared."""
        return corpus

    def representatives(self, corpus: Corpus, text_of: Int, rows: Int) -> Int:
        """Return a document of each text, int64[n], in place of `rows`: the same in whatever order they come."""
        return canonical.of_least_id(corpus.ids, text_of, rows)

    def hashed(self, corpus: Corpus, column: str) -> Hashes:
        """Return a hash of each document's value in a column that says who may be compared: uint64[n]."""
        if not corpus.rows.has(column):
            shown = names_shown(corpus.rows.column_names)
            raise InputError(f"there is no column {column!r} to compare by; the columns are {shown}")
        values = corpus.rows.column(column)
        check_comparable(values.type, column)
        return hashed(values)

    def comparable(self, corpus: Corpus, text_of: Int, rows: Int, found: Candidates) -> Limits:
        """Say which texts may be compared, given a document of each and the candidates among them."""
        return Limits(len(rows))

    def texts(self, corpus: Corpus, rows: Int, limits: Limits, workspace: Workspace) -> TextSource:
        """Return the texts that may be compared, by a document of each: int64[n]."""
        return TextSource(corpus.texts, corpus.places[rows])

    def rank(self, corpus: Corpus, settings: Settings, text_of: Int, clean: Share, limits: Limits) -> Int:
        """Rank documents by the canonical policy: int64[n], 0 for whoever goes first.

        Ids count where documents have the same text, or the policy ties.
        """
        tied, clean_of = tied_by_policy(settings, text_of), np.append(clean, 1.0)[text_of]
        return canonical.rank(settings, Rankable(corpus.rows, corpus.ids, corpus.words, clean_of, tied))

    def said(self, corpus: Corpus, superseded: int) -> dict[str, Any]:
        """Return what the manifest is to say of these rules."""
        return {}


def settled(table: pa.Table) -> Boilerplate:
    """Return what a table `boilerplate` says as all that is to be known; refuse what is no such table."""
    expected = "expected one such as `Result.boilerplate`"
    if not isinstance(table, pa.Table):
        raise InputError(f"known_boilerplate: a {type(table).__name__} was given for a pyarrow.Table; {expected}")
    for name in ("shingle", "margin"):
        if name not in table.column_names:
            raise InputError(f"the table of boilerplate has no column {name!r}; {expected}")
        type_, nulls = table[name].type, table[name].null_count
        if nulls or not pa.types.is_integer(type_):
            raise InputError(f"column {name!r} of the table of boilerplate is {type_} with {nulls} nulls; {expected}")
    shingles, first = np.unique(table["shingle"].to_numpy().astype(np.uint64), return_index=True)
    return Boilerplate.settled(shingles, table["margin"].to_numpy().astype(np.int32)[first])


def tied_by_policy(settings: Settings, text_of: Int) -> Bool:
    """Mark the documents whose ties are broken by id: several have their text, or the policy may tie them."""
    copied = np.bincount(text_of + 1)[text_of + 1] > 1
    return np.asarray(copied | (settings.canonical != "cleanest") | (settings.prefer is not None))
