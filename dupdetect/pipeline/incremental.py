"""New documents against earlier ones: what a run over both may change, and what it leaves as it was decided.

Input    the corpus of new documents, and the earlier canonicals related to it (`earlier_runs`)
Output   `AgainstEarlier`: the rules by which such a run is carried out, in place of `rules.Plain`
Cost     that of the related documents: those that share nothing with a new one are not among them

The rules:

- Two earlier documents were compared before. They are not compared again, and no new document merges them.
- An earlier canonical stays one, and takes the new documents that match it before any new one does. Policies that order
  all documents by something of their own (`earliest`, `priority`, a function) may put a new document in its place: the
  earlier is then *superseded*, and said to be. The cluster stays as it is.
- What an earlier run found to be a digest document is one still: a copy of none of the texts it contains.
- A new document that has the id of an earlier one is a copy of it if it has the same words. With other words it is
  rejected, for its id would stand for two texts.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dupdetect._storage.texts import PackedTexts, StoredTexts, are_elsewhere, packed
from dupdetect.clustering import canonical
from dupdetect.clustering.canonical import Rankable
from dupdetect.clustering.clusters import FIRST
from dupdetect.errors import InputError
from dupdetect.io.checks import REJECTS
from dupdetect.io.rejected import EARLIER_DOCUMENT, repeated_id, said
from dupdetect.io.schema import conform
from dupdetect.matching.boilerplate import Boilerplate
from dupdetect.matching.grouping import hashed
from dupdetect.matching.keys import Keys
from dupdetect.matching.pairs import unpack
from dupdetect.pipeline.corpus import FOOTPRINT
from dupdetect.pipeline.earlier_runs import Earlier, Given, as_type
from dupdetect.pipeline.related import KeySet
from dupdetect.pipeline.rules import Limits, Plain, TextSource, tied_by_policy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dupdetect._storage.arrays import Storage
    from dupdetect._storage.workspace import Workspace
    from dupdetect.matching.candidates import Candidates
    from dupdetect.matching.pairs import Pairs
    from dupdetect.pipeline.corpus import Corpus
    from dupdetect.pipeline.related import Related
    from dupdetect.pipeline.request import RunContext
    from dupdetect.settings import Settings
    from dupdetect.sketches.sketches import Ragged

    Int = NDArray[np.int64]
    Share = NDArray[np.float64]
    Bool = NDArray[np.bool_]
    Hashes = NDArray[np.uint64]

#: Keys that are sorted into buckets at a time.
KEYS_AT_ONCE = 1 << 24


class AgainstEarlier(Plain):
    """The rules of a run over new documents and the outputs of earlier runs.

    Parameters
    ----------
    earlier : Earlier
        Closed when the rules are left.
    settings : Settings
    """

    def __init__(self, earlier: Earlier, settings: Settings) -> None:
        super().__init__()
        self._earlier, self.files, self.temporary = earlier, earlier.files, earlier.temporary
        self._weighs = settings.weighs

    @classmethod
    def of(
        cls,
        given: Given | Iterable[Given],
        settings: Settings,
        text: str,
        workers: int,
        replaces: str | os.PathLike[str] | None = None,
    ) -> AgainstEarlier:
        """Open earlier outputs; parameters as `Earlier` has them."""
        return cls(Earlier(given, settings, text=text, workers=workers, replaces=replaces), settings)

    @cached_property
    def known(self) -> Boilerplate:  # type: ignore[override]
        """What the outputs say of shingles."""
        if not self._weighs:
            return Boilerplate.none()
        return replace(Boilerplate.none(), shingles=self._earlier.boilerplate[0], margin=self._earlier.boilerplate[1])

    def __exit__(self, *_: object) -> None:
        self._earlier.close()

    def join(self, corpus: Corpus, run: RunContext, strict: bool) -> Corpus:
        """Put the earlier documents that are related to the new ones behind these."""
        earlier, workspace = self._earlier, run.workspace
        with run.clock.stage("earlier", earlier.documents) as told:
            if FOOTPRINT * earlier.bytes > workspace.budget:
                workspace.open()
            keys = KeySet([*corpus.bands, *corpus.fingerprints], workspace.storage)
            related = earlier.related(keys, corpus.ids, workspace.storage, told)
            corpus, again = settle_ids(corpus, related, earlier, strict=strict)
            return join(corpus, related, again, workspace.storage)

    def representatives(self, corpus: Corpus, text_of: Int, rows: Int) -> Int:
        """Return a document of each text: a new one if one has it, whose text is at hand."""
        return canonical.of_least_id(corpus.ids, text_of, rows, np.arange(len(text_of)) >= corpus.new)

    def hashed(self, corpus: Corpus, column: str) -> Hashes:
        """Return a hash of each document's value in a column, those of the earlier ones from their outputs."""
        new, related = super().hashed(corpus, column), _related(corpus)
        if not len(related):
            return new
        return np.concatenate([new, hashed(self._earlier.rows(related, np.arange(len(related)), [column])[column])])

    def comparable(self, corpus: Corpus, text_of: Int, rows: Int, found: Candidates) -> Limits:
        """Say which texts may be compared: new ones, and those that are a candidate for one."""
        return NewWithEarlier(corpus, text_of, rows, found)

    def texts(self, corpus: Corpus, rows: Int, limits: Limits, workspace: Workspace) -> TextSource:
        """Read the earlier texts that may be compared; those that may not be are an empty one."""
        at, related = corpus.places[rows], _related(corpus)
        wanted = np.flatnonzero(limits.documents & (rows >= corpus.new))
        wanted = wanted[np.argsort(rows[wanted])]
        parts = self._earlier.texts(related, rows[wanted] - corpus.new)
        own = corpus.texts.parts if isinstance(corpus.texts, StoredTexts) else corpus.texts.chunks
        all_parts = [*own, *_spilled_texts(parts, workspace), pa.array([""], pa.large_string())]
        stored = any(are_elsewhere(part) for part in all_parts)
        texts = StoredTexts(all_parts) if stored else pa.chunked_array(all_parts, pa.large_string())
        at[~limits.documents] = len(texts) - 1
        at[wanted] = len(corpus.texts) + np.arange(len(wanted))
        return TextSource(texts, at)

    def rank(self, corpus: Corpus, settings: Settings, text_of: Int, clean: Share, limits: Limits) -> Int:
        """Rank documents; earlier ones that no new one is compared with come last, and represent but themselves."""
        tied, clean_of = tied_by_policy(settings, text_of), np.append(clean, 1.0)[text_of]
        related, rows = _related(corpus), corpus.rows
        chosen = np.flatnonzero(np.append(limits.documents, False)[text_of[corpus.new :]])
        at = np.concatenate([np.arange(corpus.new), corpus.new + chosen])
        columns = None if callable(settings.canonical) else settings.ranking_columns
        if columns is None or columns:
            rows = rows.below(_conformed(self._earlier.rows(related, chosen, columns), rows.schema))
        last = np.zeros(len(corpus), np.bool_)
        if corpus.again is not None:
            last[: corpus.new] = corpus.again
        ranks = np.full(len(corpus), -1, np.int64)
        ids = corpus.ids if len(at) == len(corpus) else corpus.ids.take(pa.array(at))
        documents = Rankable(rows, ids, corpus.words[at], clean_of[at], tied[at], at >= corpus.new, last[at])
        ranks[at] = canonical.rank(settings, documents)
        behind = np.flatnonzero(ranks < 0)
        ranks[behind] = len(at) + np.arange(len(behind))
        return ranks

    def said(self, corpus: Corpus, superseded: int) -> dict[str, Any]:
        """Return what the manifest is to say of these rules."""
        plans = self._earlier.plans
        against = {
            "outputs": list(map(str, plans)),
            "plans": list(plans.values()),
            "results": len(self._earlier.temporary),
            "documents": self._earlier.documents,
            "related": len(corpus) - corpus.new,
            "superseded": superseded,
        }
        return {"against": against}


class NewWithEarlier(Limits):
    """Which of the texts of new and of earlier documents may be compared: no two earlier ones.

    Parameters
    ----------
    corpus : Corpus
    text_of, rows : int64[documents], int64[n]
        The text of each document, and a document of each text; a new one, if there is one.
    found : Candidates
        Among the n texts.
    """

    def __init__(self, corpus: Corpus, text_of: Int, rows: Int, found: Candidates) -> None:
        n, texts = len(rows), text_of[corpus.new :]
        self._earlier, self.is_digest = _marked(texts, n), _marked(texts[_related(corpus).is_digest], n)
        a, b = unpack(found.pairs)
        across = ~(self._earlier[a] & self._earlier[b])
        self.documents = (rows < corpus.new) | _marked(a[across], n) | _marked(b[across], n)

    def some(self, texts: Int) -> NewWithEarlier:
        """Return what holds among some of the texts, by their numbers."""
        part = copy(self)
        part._earlier, part.documents = self._earlier[texts], self.documents[texts]
        part.is_digest = None if self.is_digest is None else self.is_digest[texts]
        return part

    def pairs(self, pairs: Pairs) -> Pairs:
        """Return the pairs that are not of two earlier texts."""
        a, b = unpack(pairs)
        return pairs[~(self._earlier[a] & self._earlier[b])]

    def ordered(self, clean: Share) -> Share:
        """Let earlier texts go before all others, in order of cleanness like these."""
        return clean + FIRST * self._earlier


def _related(corpus: Corpus) -> Related:
    assert corpus.related is not None  # as `join` leaves it
    return corpus.related


def _marked(texts: Int, n: int) -> Bool:
    marked = np.zeros(n, np.bool_)
    marked[texts[texts >= 0]] = True
    return marked


def _spilled_texts(
    parts: Iterator[pa.LargeStringArray], workspace: Workspace
) -> Iterator[pa.LargeStringArray | PackedTexts]:
    """Yield texts as they come: in memory while they fit, then from files."""
    total = 0
    for number, part in enumerate(parts):
        total += part.nbytes
        if FOOTPRINT * total > workspace.budget:
            workspace.open()
        if workspace.checkpoints is None:
            yield part
        else:
            arrays = workspace.checkpoints.put_arrays(f"earlier-{number:06}", packed(part))
            yield PackedTexts(arrays, workspace.checkpoints.storage)


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
    again, other, gone, neither = (np.zeros(n, np.bool_) for _ in range(4))
    again[new[same]] = True
    other[new[~same]] = True
    other &= ~again
    gone[new] = other[new] | (corpus.words[new] == 0)  # empty documents are copies of none
    neither[new] = (corpus.words[new] == 0) & (related.words[both] == 0)
    if not gone.any():
        return corpus, again
    first = int(np.flatnonzero(gone)[0])
    value = corpus.ids[first].as_py()
    folder = earlier.folders[int(related.output[both[np.flatnonzero(new == first)[0]]])]
    if other.any() and _numbered(corpus):
        there = "the Result" if folder in earlier.temporary else folder
        raise InputError(
            f"the documents have no ids but their row numbers, as those of {there} had: {value!r} stands for one text "
            "here and for another there; name a column of ids, of such as do not count the rows"
        )
    reasons = [
        repeated_id(corpus.id, id, EARLIER_DOCUMENT)
        + (", whose text has no words either" if wordless else ", whose text is another")
        for id, wordless in zip(corpus.ids.filter(pa.array(gone)).to_pylist(), neither[gone].tolist(), strict=True)
    ]
    rejects = _rejects(corpus, corpus.places[gone], reasons)
    if strict:
        raise InputError(f"{said(rejects, 1)[0]}; mend the row, or read without strict to have it rejected")
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
    type_ = related.ids.type
    return replace(
        corpus,
        ids=pa.chunked_array([*as_type(corpus.ids, type_).chunks, *related.ids.chunks], type_),
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
    """Sort keys into buckets for the search, some at a time; documents are numbered from `first` on."""
    cuts = np.searchsorted(ragged.offsets, np.arange(0, ragged.offsets[-1], KEYS_AT_ONCE))
    cuts = np.unique([*cuts, len(ragged.offsets) - 1])
    for start, stop in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
        keys = Keys.of(ragged.values, ragged.offsets[start : stop + 1], first + start)
        yield keys._replace(keys=_spilled(keys.keys, storage), documents=_spilled(keys.documents, storage))


def _spilled(values: NDArray[Any], storage: Storage) -> NDArray[Any]:
    column = storage.growing_array(values.dtype)
    column.append(values)
    return column.values
