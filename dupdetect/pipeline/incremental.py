"""New documents among earlier ones: what a run over both may change, and what it leaves as it was decided.

Input    the corpus of new documents, and the earlier canonicals related to it (`earlier`)
Output   a corpus of both, and the rules by which it is clustered
Cost     that of the related documents: those that share nothing with a new one are not among them

The rules:

- Two earlier documents were compared before. They are not compared again, and no new document merges them.
- An earlier canonical stays one, and takes the new documents that match it before any new one does. Policies that order
  all documents by something of their own (`earliest`, `priority`, a function) may put a new document in its place: the
  earlier is then *superseded*, and said to be. The cluster stays as it is.
- What an earlier run found to be a bridge is one still: a copy of none of the texts it holds.
- A new document that has the id of an earlier one is a copy of it if it has the same words. With other words it is
  rejected, for its id would stand for two texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect.clustering import canonical
from dupdetect.errors import InputError
from dupdetect.io.checks import REJECTS
from dupdetect.io.schema import conform
from dupdetect.matching.candidates import Candidates, Keys, unpack
from dupdetect.pipeline.corpus import FOOTPRINT
from dupdetect.pipeline.earlier_runs import as_type

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect._storage.arrays import Storage
    from dupdetect._storage.workspace import Workspace
    from dupdetect.matching.candidates import Pairs
    from dupdetect.pipeline.corpus import Corpus
    from dupdetect.pipeline.earlier_runs import Earlier, Related
    from dupdetect.settings import Settings
    from dupdetect.sketches.sketches import Ragged

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]

#: Keys that are sorted into buckets at a time.
KEYS_AT_ONCE = 1 << 24


# ---- one corpus of both ----


def settle_ids(corpus: Corpus, related: Related, earlier: Earlier, *, strict: bool) -> tuple[Corpus, Bool]:
    """Part the new documents that have the id of an earlier one into copies and rejects.

    Parameters
    ----------
    corpus : Corpus
        Of n new documents.
    related : Related
        Those that have such an id are among them.
    earlier : Earlier
    strict : bool
        Whether a reject is an error.

    Returns
    -------
    Corpus
        Without the rejects.
    bool[m]
        Which of its documents are there already, the same words by the same id.

    Raises
    ------
    InputError
        There are rejects, and they are errors; or the documents have no ids of their own: they were numbered, and so
        were the earlier ones, and all that follows from their numbers is chance.
    """
    n = len(corpus)
    place = pc.index_in(related.ids, value_set=as_type(corpus.ids, related.ids.type))
    both = np.flatnonzero(place.is_valid().to_numpy())
    new = place.drop_null().to_numpy().astype(np.int64)
    same = (corpus.digests[new] == related.digests[both]).all(axis=1)
    again, other, gone = (np.zeros(n, np.bool_) for _ in range(3))
    again[new[same]] = True
    other[new[~same]] = True
    other &= ~again
    gone[new] = other[new] | (corpus.words[new] == 0)  # empty documents are copies of none
    if not gone.any():
        return corpus, again
    first = int(np.flatnonzero(gone)[0])
    value = corpus.ids[first].as_py()
    folder = earlier.folders[int(related.output[both[np.flatnonzero(new == first)[0]]])]
    if other.any() and _numbered(corpus):
        raise InputError(
            f"the documents have no ids but their row numbers, as those of {folder} had: {value!r} stands for one text "
            "here and for another there; name a column of ids"
        )
    reasons = [
        f"column {corpus.id!r} repeats the id {id!r} of an earlier document, "
        + ("whose text is another" if changed else "which is empty as well")
        for id, changed in zip(corpus.ids.filter(pa.array(gone)).to_pylist(), other[gone].tolist(), strict=True)
    ]
    rejects = _rejects(corpus, corpus.places[gone], reasons)
    if strict:
        file, row = (rejects[name][0].as_py() for name in ("file", "row"))
        where = f"row {row}" if file is None else f"{file}:{row}"
        raise InputError(f"{where}: {reasons[0]}; mend the row, or read without strict to have it rejected")
    return corpus.take(~gone, pa.concat_tables([corpus.rejects, rejects])), again[~gone]


def _numbered(corpus: Corpus) -> bool:
    """Whether ids are row numbers, made because there were no ids, or as good as that."""
    if corpus.id is None or corpus.files != [None] or not pa.types.is_integer(corpus.ids.type):
        return corpus.id is None
    return bool((corpus.ids.to_numpy() == corpus.row[corpus.places]).all())


def _rejects(corpus: Corpus, places: Int, reasons: list[str]) -> pa.Table:
    files = pa.array(corpus.files, pa.string()).take(pa.array(corpus.file[places]))
    return pa.table([files, pa.array(corpus.row[places]), pa.array(reasons, pa.string())], schema=REJECTS)


def join(corpus: Corpus, related: Related, again: Bool, storage: Storage) -> Corpus:
    """Put the related documents behind the new ones; their rows and texts are nowhere yet.

    Parameters
    ----------
    corpus : Corpus
        Of n new documents.
    related : Related
        m documents.
    again : bool[n]
        Which of the new ones are there already.
    storage : Storage
        Where keys stand.
    """
    rows, m = len(corpus.fingerprints_each), len(related)
    kind = related.ids.type
    return replace(
        corpus,
        ids=pa.chunked_array([*as_type(corpus.ids, kind).chunks, *related.ids.chunks], kind),
        places=np.concatenate([corpus.places, rows + np.arange(m)]),
        words=np.concatenate([corpus.words, related.words]),
        digests=np.concatenate([corpus.digests, related.digests]),
        bands=[*corpus.bands, *_keys(related.bands, rows, storage)],
        fingerprints=[*corpus.fingerprints, *_keys(related.fingerprints, rows, storage)],
        fingerprints_each=np.concatenate([corpus.fingerprints_each, related.fingerprints_each]),
        related=related,
        again=again,
    )


def _keys(ragged: Ragged, first: int, storage: Storage) -> Iterator[Keys]:
    """Lay out keys for the search, some at a time; documents are numbered from `first` on."""
    cuts = np.searchsorted(ragged.offsets, np.arange(0, ragged.offsets[-1], KEYS_AT_ONCE))
    cuts = np.unique([*cuts, len(ragged.offsets) - 1])
    for start, stop in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        keys = Keys.of(ragged.values, ragged.offsets[start : stop + 1], first + start)
        yield Keys(_shelved(keys.keys, storage), _shelved(keys.documents, storage), keys.bounds)


def _shelved(values: NDArray[Any], storage: Storage) -> NDArray[Any]:
    column = storage.column(values.dtype)
    column.append(values)
    return column.values


# ---- what of both is compared ----


def representatives(corpus: Corpus, text_of: Int, rows: Int) -> Int:
    """Return a document of each text, int64[n], in place of `rows`: a new one if one has it, whose text is at hand."""
    if corpus.related is None:
        return rows
    with_words = np.flatnonzero(text_of >= 0)
    return with_words[canonical.least(with_words, text_of[with_words], len(rows))]


@dataclass(frozen=True, eq=False)
class Pins:
    """What is settled of n texts before any is compared.

    Attributes
    ----------
    earlier : bool[n]
        The texts of earlier documents.
    bridges : bool[n]
        Those of them that are bridges.
    readable : bool[n]
        The texts that may be compared: those of new documents, and those that are a candidate for one.
    """

    earlier: Bool
    bridges: Bool
    readable: Bool

    @classmethod
    def of(cls, corpus: Corpus, text_of: Int, rows: Int, found: Candidates) -> Pins:
        """Say what is settled.

        Parameters
        ----------
        corpus : Corpus
        text_of, rows : int64[documents], int64[n]
            The text of each document, and a document of each text; a new one, if there is one.
        found : Candidates
            Among the n texts.
        """
        n = len(rows)
        if corpus.related is None:
            return cls(np.zeros(n, np.bool_), np.zeros(n, np.bool_), np.ones(n, np.bool_))
        texts = text_of[corpus.new :]
        earlier, bridges = _marked(texts, n), _marked(texts[corpus.related.bridges], n)
        a, b = unpack(found.pairs)
        across = ~(earlier[a] & earlier[b])
        return cls(earlier, bridges, (rows < corpus.new) | _marked(a[across], n) | _marked(b[across], n))

    def apart(self, found: Candidates) -> Candidates:
        """Return candidates without the pairs of two earlier texts."""
        return replace(found, pairs=self.open(found.pairs), sparse=self.open(found.sparse))

    def open(self, pairs: Pairs) -> Pairs:
        """Return the pairs that are not of two earlier texts."""
        if not self.earlier.any():
            return pairs
        a, b = unpack(pairs)
        return pairs[~(self.earlier[a] & self.earlier[b])]

    def first(self, clean: Share) -> Share:
        """Let earlier texts go before all others, in order of cleanness like these."""
        return clean + self.earlier


def _marked(texts: Int, n: int) -> Bool:
    marked = np.zeros(n, np.bool_)
    marked[texts[texts >= 0]] = True
    return marked


def texts(
    corpus: Corpus, earlier: Earlier | None, rows: Int, pins: Pins, workspace: Workspace
) -> tuple[pa.ChunkedArray, list[Any], Int]:
    """Read the earlier texts that may be compared.

    Parameters
    ----------
    corpus : Corpus
    earlier : Earlier, optional
    rows : int64[n]
        A document of each text.
    pins : Pins
    workspace : Workspace
        Where they may stay.

    Returns
    -------
    pyarrow.ChunkedArray
        All texts.
    list of Kept or None
        Shingles kept from signing, for each chunk.
    int64[n]
        Where in the first each text stands. Those that may not be compared are an empty one.
    """
    at = corpus.places[rows]
    if earlier is None or corpus.related is None:
        return corpus.texts, corpus.kept, at
    wanted = np.flatnonzero(pins.readable & (rows >= corpus.new))
    wanted = wanted[np.argsort(rows[wanted])]
    parts = earlier.texts(corpus.related, rows[wanted] - corpus.new)
    chunks = [*corpus.texts.chunks, *_held(parts, workspace), pa.array([""], pa.large_string())]
    held = pa.chunked_array(chunks, pa.large_string())
    at[~pins.readable] = len(held) - 1
    at[wanted] = len(corpus.texts) + np.arange(len(wanted))
    return held, [*corpus.kept, *[None] * (len(chunks) - len(corpus.kept))], at


def _held(parts: Iterator[pa.LargeStringArray], workspace: Workspace) -> Iterator[pa.LargeStringArray]:
    """Yield texts as they come: in memory while they fit, then from files."""
    total = 0
    for number, part in enumerate(parts):
        total += part.nbytes
        if FOOTPRINT * total > workspace.room:
            workspace.open()
        if workspace.checkpoints is None:
            yield part
        else:
            table = workspace.checkpoints.put(f"earlier-{number:06}", pa.table({"text": part}))
            yield table["text"].chunk(0)


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    try:
        return conform(table, schema)
    except pa.ArrowException as error:
        types = (
            f"column {name!r} is {table.schema.field(name).type} there and {schema.field(name).type} here"
            for name in table.column_names
            if name in schema.names and table.schema.field(name).type != schema.field(name).type
        )
        raise InputError(
            f"earlier and new documents cannot be put in one order: {', '.join(types)}; convert them to one type"
        ) from error


def rank(corpus: Corpus, earlier: Earlier | None, settings: Settings, text_of: Int, clean: Share, pins: Pins) -> Int:
    """Rank documents by the canonical policy; ids count where documents have the same text, or the policy ties.

    Earlier documents that no new one is compared with come last: they represent nobody but themselves.

    Parameters
    ----------
    corpus : Corpus
        Of n documents.
    earlier : Earlier, optional
    settings : Settings
    text_of, clean : int64[n], float64[texts]
    pins : Pins

    Returns
    -------
    int64[n]
        0 for whoever goes first.
    """
    copied = np.bincount(text_of + 1)[text_of + 1] > 1
    tied = copied | (settings.canonical != "cleanest")
    clean_of = np.append(clean, 1.0)[text_of]
    rows, at = corpus.rows, np.arange(len(corpus))
    if earlier is not None and corpus.related is not None:
        chosen = np.flatnonzero(np.append(pins.readable, False)[text_of[corpus.new :]])
        at = np.concatenate([at[: corpus.new], corpus.new + chosen])
        if callable(settings.canonical) or settings.column is not None:
            columns = None if settings.column is None else [settings.column]
            rows = rows.below(_conformed(earlier.rows(corpus.related, chosen, columns), rows.schema))
    last = np.zeros(len(corpus), np.bool_)
    if corpus.again is not None:
        last[: corpus.new] = corpus.again
    ranks = np.full(len(corpus), -1, np.int64)
    ids = corpus.ids if len(at) == len(corpus) else corpus.ids.take(pa.array(at))
    ranks[at] = canonical.rank(
        settings, rows, ids, corpus.words[at], clean_of[at], tied[at], standing=at >= corpus.new, last=last[at]
    )
    behind = np.flatnonzero(ranks < 0)
    ranks[behind] = len(at) + np.arange(len(behind))
    return ranks
