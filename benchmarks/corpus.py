"""A seeded corpus of invented text with known copies, of any size.

    python benchmarks/corpus.py OUT.parquet --documents 100000 --seed 1

writes ``OUT.parquet`` (``id`` int64, ``text`` large_string) and ``OUT.truth.parquet`` (``id``,
``original``, ``form``, ``amount``, ``jaccard``); ``--text-file OUT.txt`` adds the same texts one after
another, for ``wc -w``.

Every token of every document is a pure function of (seed, article, position): a counter run through a
64-bit mixer, not a stream of random numbers. So any slice of the corpus can be made on its own, a copy is
made by making its original again, and the bytes are the same whatever the batch size. The words come from
one vocabulary of invented English-like words and common function words with Zipf-like frequencies, the same
for every seed.

Forms, as the truth table names them:

=========== ===========================================================================================
original    an article of its own
page        an article of its own inside a site's boilerplate (strangers to one another in one site)
exact       the same bytes as its original
edited      the share `amount` of its original's words replaced, deleted or inserted
truncated   the first share `amount` of its original
inside      its original inside a site's boilerplate: menu, ticker, related links, footer; `amount` is the
            share of the words that are the article
=========== ===========================================================================================

Cost: about 35 MB of text a second on one core (100,000 documents in 20 s); memory of one batch, and of the plan.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FORMS = ("original", "page", "exact", "edited", "truncated", "inside")
ORIGINAL, PAGE, EXACT, EDITED, TRUNCATED, INSIDE = range(len(FORMS))
SCHEMA = pa.schema([("id", pa.int64()), ("text", pa.large_string())])
ROW_GROUP_BYTES = 20_480_000  # mean; a file's bytes depend on the corpus alone
BATCH = 2048  # documents made at a time: about 10 MB of text, some 100 MB of working arrays

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """What to generate. Shares are fractions in [0, 1].

    Attributes
    ----------
    documents : int
        Number of documents.
    seed : int
        Another seed is another corpus in the same language.
    mean_bytes : int
        Mean size of an article (boilerplate comes on top).
    spread : float
        Sigma of the log-normal distribution of article lengths.
    copies : float
        Share of the documents that are copies, mixed as `mix`.
    mix : dict of str to float
        Relative weights of the copy forms.
    pages : float
        Share of the documents that are unrelated articles in pages of a site.
    pages_per_site : int
        Mean number of pages that share one site's boilerplate.
    max_edit : float
        Edited copies have 1 % to this share of their words edited, evenly spread.
    family : int
        This many of the documents (besides the shares above) are light edits (1-3 %) of one single article.
    identical : bool
        Every document is the same text.
    one_line : bool
        Paragraphs are sentences: every document is a single line.
    """

    documents: int = 100_000
    seed: int = 1
    mean_bytes: int = 5_000
    spread: float = 0.6
    copies: float = 0.30
    mix: dict[str, float] = field(
        default_factory=lambda: {"exact": 0.25, "edited": 0.40, "truncated": 0.15, "inside": 0.20}
    )
    pages: float = 0.07
    pages_per_site: int = 50
    max_edit: float = 0.10
    family: int = 0
    identical: bool = False
    one_line: bool = False

    @property
    def row_group(self) -> int:
        """Documents in a row group of the file."""
        return max(1, ROW_GROUP_BYTES // self.mean_bytes)

    def __post_init__(self) -> None:
        if self.documents < 1:
            raise ValueError(f"documents is {self.documents}, expected 1 or more")
        if not 0 <= self.copies + self.pages <= 1:
            raise ValueError(f"copies + pages is {self.copies + self.pages}, expected 0 to 1")
        if not 0 <= self.family <= self.documents:
            raise ValueError(f"family is {self.family}, expected 0 to {self.documents}, the size of the corpus")
        if unknown := set(self.mix) - set(FORMS[EXACT:]):
            raise ValueError(f"mix names {sorted(unknown)}, expected some of {list(FORMS[EXACT:])}")


#: Titles, messages, lines of a log: too short for a page around them, and copied whole or nearly so.
SHORT: dict[str, Any] = {
    "mean_bytes": 100, "one_line": True, "pages": 0.0, "mix": {"exact": 0.5, "edited": 0.35, "truncated": 0.15},
}  # fmt: skip


# ---------------------------------------------------------------------------------------------- randomness


def mixed(x: U64) -> U64:
    """SplitMix64's finaliser: an independent 64-bit number for every counter."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def keyed(seed: int, purpose: str, index: I64) -> U64:
    """One key for every index, independent between seeds and purposes."""
    salt = np.frombuffer(purpose.encode().ljust(8, b"\0")[:8], dtype=np.uint64)
    base = mixed(mixed(salt) ^ np.array([seed], dtype=np.uint64))
    return mixed(base ^ mixed(index.astype(np.uint64)))


def uniform(bits: U64) -> npt.NDArray[np.float64]:
    """Numbers in (0, 1) from the upper 53 bits."""
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53


# ------------------------------------------------------------------------------------------------ the words

ENGLISH = """
the of and to a in that is was he for it with as his on be at by i this had not are but from or have an they
which one you were her all she there would their we him been has when who will more no if out so said what
up its about into than them can only other new some could time these two may then do first any my now such
like our over man me even most made after also did many before must through years where much your way well
down should because each just those people how too little state good very make world still own see men work
long get here between both life being under never day same another know while last might us great old year
off come since against go came right used
"""
FUNCTION_WORDS = ENGLISH.split()
SYLLABLES = """
b br bl c ch cl d dr f fl fr g gr h j k l l m m n n p pl pr r r s s sh sl sp st t t th tr v w
a e i o u a e i o a e i o ai ea ee ie oa ou
- - - - - - n r l s t m d st nt ck ng p x ll
- - - - - - - - - - s s ed ing er ly tion al ive able ity
"""
ONSETS, NUCLEI, CODAS, ENDINGS = ([part.strip("-") for part in line.split()] for line in SYLLABLES.strip().splitlines())
ACCENTED = {"e": "é", "a": "á", "o": "ö", "u": "ü", "i": "í"}
VOCABULARY = 24_000

# What may follow a word. The first four columns are plain running text; see `separators`.
SEPARATORS = (" ", ", ", ". ", ".\n\n", "\n", ".\n", "? ", "; ", ": ", "'s ", ' "', '." ', " - ", "... ")
SPACE, COMMA, STOP, PARAGRAPH, LINE, END, ASK, SEMICOLON, COLON, GENITIVE, OPEN, CLOSE, DASH, DOTS = range(14)
TYPOGRAPHIC = {GENITIVE: "’s ", OPEN: " “", CLOSE: ".” ", DASH: " – ", DOTS: "… "}
STYLES = (SEPARATORS, tuple(TYPOGRAPHIC.get(i, s) for i, s in enumerate(SEPARATORS)))
BREAKS = np.isin(np.arange(len(SEPARATORS)), (STOP, PARAGRAPH, LINE, END, ASK, CLOSE))  # a capital follows


@cache
def vocabulary() -> tuple[str, ...]:
    """Function words, then invented words from common (short) to rare (long); one in forty a number."""
    words: dict[str, None] = dict.fromkeys(FUNCTION_WORDS)
    bits = mixed(mixed(np.arange(VOCABULARY * 4 * 16, dtype=np.uint64))).reshape(-1, 16)
    for rank, row in enumerate(bits.tolist()):
        words.setdefault(_invented(rank, row))
        if len(words) == len(FUNCTION_WORDS) + VOCABULARY:
            break
    return tuple(words)


def _invented(rank: int, row: list[int]) -> str:
    if row[0] % 40 == 0:
        return str(1900 + row[1] % 130 if row[2] % 2 else row[1] % 10 ** (1 + row[2] % 5))
    # One or two syllables; rare words now and then three (7, 7 and 2 of 16). With what follows them words
    # then have 6.4 bytes; those of English web pages have 6 to 7.
    syllables = 1 + (row[0] >> 8) % (2 if rank < 2000 else 16) // (1 if rank < 2000 else 7)
    parts = []
    for i in range(syllables):
        onset, nucleus, coda = row[1 + 3 * i : 4 + 3 * i]
        parts += [ONSETS[onset % len(ONSETS)], NUCLEI[nucleus % len(NUCLEI)], CODAS[coda % len(CODAS)]]
    word = "".join(parts) + ENDINGS[row[13] % len(ENDINGS)]
    if row[14] % 60 == 0:  # a foreign name now and then
        word = next((word.replace(plain, mark, 1) for plain, mark in ACCENTED.items() if plain in word), word)
    return word.capitalize() if row[15] % 12 == 0 else word


@cache
def spellings() -> pa.LargeStringArray:
    """Every word, in lower and title case, with every separator: (word * 2 + capital) * 28 + separator."""
    ends = pa.array([separator for style in STYLES for separator in style], pa.large_string())
    forms = [form for word in vocabulary() for form in (word, word[:1].upper() + word[1:])]
    form, end = np.divmod(np.arange(len(forms) * len(ends)), len(ends))
    between = pa.scalar("", pa.large_string())
    return pc.binary_join_element_wise(pa.array(forms, pa.large_string()).take(form), ends.take(end), between)


@cache
def quantiles(first: int, size: int, bits: int, shift: float) -> npt.NDArray[np.int32]:
    """Inverse of the Zipf-Mandelbrot distribution over words ``first ... first + size``, tabulated."""
    weights = 1.0 / (np.arange(size) + shift)
    steps = (np.arange(2**bits) + 0.5) / 2**bits
    ranks = np.searchsorted(np.cumsum(weights) / weights.sum(), steps)
    words: npt.NDArray[np.int32] = (first + np.minimum(ranks, size - 1)).astype(np.int32)
    return words


# ------------------------------------------------------------------------------------------------- the plan


@dataclass(frozen=True)
class Plan:
    """Who is a copy of whom: one row a document, in file order."""

    form: npt.NDArray[np.int8]
    original: I64
    amount: npt.NDArray[np.float64]
    words: I64  # length of the article
    site: I64  # -1: no boilerplate


def plan(corpus: Corpus) -> Plan:
    """The truth of a corpus, without its texts. 60 bytes a document."""
    n = corpus.documents
    index = np.arange(n)
    order = np.argsort(keyed(corpus.seed, "order", index), kind="stable")  # roles lie scattered over the file
    form = np.full(n, ORIGINAL, dtype=np.int8)
    rest = n - corpus.family
    copies, pages = round(rest * corpus.copies), round(rest * corpus.pages)
    form[order[:copies]] = _forms(corpus, copies)
    form[order[copies : copies + pages]] = PAGE
    form[order[rest:]] = EDITED
    if corpus.identical:
        form[:] = EXACT
    sources = np.flatnonzero(form == ORIGINAL)
    if not len(sources):  # every text needs a first one
        form[0] = ORIGINAL
        sources = np.array([0])
    copy = form >= EXACT
    u = uniform(keyed(corpus.seed, "source", index))
    original = index.copy()
    # The square makes some articles much copied (a hundred times in a corpus of 100,000) and most never or
    # once.
    original[copy] = sources[(u[copy] ** 2 * len(sources)).astype(np.int64)]
    family = order[rest:]
    original[family[form[family] == EDITED]] = sources[0]
    words = _lengths(corpus, index)[original]
    amount = _amounts(corpus, form, index, family)
    dressed = (form == PAGE) | (form == INSIDE)
    sites = max(1, int(dressed.sum()) // corpus.pages_per_site)
    site = np.where(dressed, (keyed(corpus.seed, "site", index) % np.uint64(sites)).astype(np.int64), -1)
    inside = np.flatnonzero(form == INSIDE)
    around = sum(_boilerplate_lengths(corpus, site[inside]))
    amount[inside] = words[inside] / (words[inside] + around)
    return Plan(form, original, amount, words, site)


def _forms(corpus: Corpus, copies: int) -> npt.NDArray[np.int8]:
    weights = np.array([corpus.mix.get(name, 0.0) for name in FORMS[EXACT:]])
    steps = (np.arange(copies) + 0.5) / max(copies, 1)
    return (EXACT + np.searchsorted(np.cumsum(weights) / weights.sum(), steps)).astype(np.int8)


def _lengths(corpus: Corpus, index: I64) -> I64:
    angle, radius = (uniform(keyed(corpus.seed, purpose, index)) for purpose in ("angle", "radius"))
    normal = np.sqrt(-2.0 * np.log(radius)) * np.cos(2.0 * np.pi * angle)
    mean = corpus.mean_bytes / bytes_per_word()
    words = mean * np.exp(corpus.spread * normal - corpus.spread**2 / 2)
    return np.maximum(1, words).astype(np.int64)


def _amounts(corpus: Corpus, form: npt.NDArray[np.int8], index: I64, family: I64) -> npt.NDArray[np.float64]:
    u = uniform(keyed(corpus.seed, "amount", index))
    amount = np.ones(len(form))
    amount[form == EDITED] = 0.01 + (corpus.max_edit - 0.01) * u[form == EDITED]
    amount[form == TRUNCATED] = 0.4 + 0.5 * u[form == TRUNCATED]
    light = family[form[family] == EDITED]
    amount[light] = 0.01 + 0.02 * u[light]
    return amount


def _boilerplate_lengths(corpus: Corpus, site: I64) -> tuple[I64, I64, I64]:
    """Words of a site's menu, of its ticker and related links, of its footer."""
    bits = keyed(corpus.seed, "size", site)
    menu = 40 + (bits & np.uint64(0xFF)).astype(np.int64)
    ticker = 40 + ((bits >> np.uint64(8)) & np.uint64(0x7F)).astype(np.int64)
    footer = 30 + ((bits >> np.uint64(16)) & np.uint64(0x7F)).astype(np.int64)
    return menu, ticker, footer


# ------------------------------------------------------------------------------------------------- the texts

ARTICLE, HEADLINES, MENU = range(3)
MEAN_LINE = (0, 9, 3)  # words a line in headlines and menus


@dataclass
class Segments:
    """Stretches of text of one layout, in document order."""

    document: I64  # row within the batch
    key: U64
    words: I64
    layout: I64

    def take(self, order: I64) -> Segments:
        return Segments(self.document[order], self.key[order], self.words[order], self.layout[order])


def texts(corpus: Corpus, rows: I64, planned: Plan) -> pa.LargeStringArray:
    """The texts of some documents. Shape (len(rows),)."""
    segments = _segments(corpus, rows, planned)
    starts = np.cumsum(segments.words) - segments.words
    segment = np.repeat(np.arange(len(segments.words)), segments.words)
    position = np.arange(len(segment)) - starts[segment]
    bits = mixed(segments.key[segment] + position.astype(np.uint64))
    word = _words(bits, position, segments.key[segment])
    separator = _separators(bits, position, segments.layout[segment])
    if corpus.one_line:
        separator[separator == PARAGRAPH] = STOP
    document = segments.document[segment]
    repeats = _truncation(rows, planned, document, segments.layout[segment], position).astype(np.int64)
    kept, word = _edited(corpus, rows, planned, document, position, repeats, word)
    return _spelled(corpus, rows, planned, document[kept], segment[kept], word, separator[kept])


def _segments(corpus: Corpus, rows: I64, planned: Plan) -> Segments:
    here = np.arange(len(rows))
    article = Segments(
        here,
        keyed(corpus.seed, "article", planned.original[rows]),
        planned.words[rows],
        np.full(len(rows), ARTICLE),
    )
    dressed = here[planned.site[rows] >= 0]
    site = planned.site[rows[dressed]]
    day = (keyed(corpus.seed, "day", rows[dressed]) % np.uint64(8)).astype(np.int64)  # a ticker lives for a while
    menu, ticker, footer = _boilerplate_lengths(corpus, site)
    issue = site * 8 + day
    lists, headlines = np.full(len(dressed), MENU), np.full(len(dressed), HEADLINES)
    parts = [
        Segments(dressed, keyed(corpus.seed, "menu", site), menu, lists),
        Segments(dressed, keyed(corpus.seed, "ticker", issue), ticker // 2, headlines),
        article,
        Segments(dressed, keyed(corpus.seed, "related", issue), ticker - ticker // 2, headlines),
        Segments(dressed, keyed(corpus.seed, "footer", site), footer, lists),
    ]
    joined = Segments(
        np.concatenate([part.document for part in parts]),
        np.concatenate([part.key for part in parts]),
        np.concatenate([part.words for part in parts]),
        np.concatenate([part.layout for part in parts]),
    )
    return joined.take(np.argsort(joined.document, kind="stable"))


def _words(bits: U64, position: I64, key: U64) -> npt.NDArray[np.int32]:
    """Function words and content words in turn; one content word in five is one of the article's own."""
    functions = quantiles(0, len(FUNCTION_WORDS), 12, 2.0)
    contents = quantiles(len(FUNCTION_WORDS), VOCABULARY, 20, 8.0)
    chance = bits & np.uint64(0xFF)
    after_function = np.concatenate(([False], chance[:-1] < 128)) & (position > 0)
    function = chance < np.where(after_function, 70, 160).astype(np.uint64)
    word: npt.NDArray[np.int32] = contents[bits >> np.uint64(44)]
    word[function] = functions[(bits[function] >> np.uint64(8)) & np.uint64(0xFFF)]
    own = np.flatnonzero(~function & ((bits >> np.uint64(8)) % np.uint64(5) == 0))
    topic = mixed(key[own] ^ ((bits[own] >> np.uint64(20)) & np.uint64(0x1F)))
    word[own] = len(FUNCTION_WORDS) + 300 + (topic % np.uint64(VOCABULARY - 300)).astype(np.int32)
    return word


def _separators(bits: U64, position: I64, layout: I64) -> npt.NDArray[np.int8]:
    draw = ((mixed(bits) >> np.uint64(48)).astype(np.int64) * 1000) >> 16  # 0 ... 999
    forms = np.full(1000, SPACE, dtype=np.int8)
    for form, first, size in (
        (STOP, 0, 32), (PARAGRAPH, 32, 13), (ASK, 45, 3), (CLOSE, 48, 4), (COMMA, 100, 50),
        (SEMICOLON, 150, 3), (COLON, 153, 3), (GENITIVE, 156, 8), (OPEN, 164, 5), (DASH, 169, 4),
        (DOTS, 173, 1),
    ):  # fmt: skip
        forms[first : first + size] = form
    separator: npt.NDArray[np.int8] = forms[draw]
    early = (position < 3) & BREAKS[separator]
    separator[early] = SPACE
    for form, words in enumerate(MEAN_LINE):
        if words:
            lines = layout == form
            separator[lines] = np.where(draw[lines] < 1000 // words, LINE, SPACE)
    return separator


def _truncation(rows: I64, planned: Plan, document: I64, layout: I64, position: I64) -> npt.NDArray[np.bool_]:
    share = np.where(planned.form[rows] == TRUNCATED, planned.amount[rows], 1.0)
    limit = np.maximum(1, np.ceil(planned.words[rows] * share)).astype(np.int64)
    kept: npt.NDArray[np.bool_] = (layout != ARTICLE) | (position < limit[document])
    return kept


def _edited(
    corpus: Corpus,
    rows: I64,
    planned: Plan,
    document: I64,
    position: I64,
    repeats: I64,
    word: npt.NDArray[np.int32],
) -> tuple[I64, npt.NDArray[np.int32]]:
    """Of five edits three replace a word, one deletes it, one inserts one; `repeats` is 0 for cut words."""
    edited = planned.form[rows] == EDITED
    tokens = np.flatnonzero(edited[document])  # edited documents have neither boilerplate nor truncation
    bits = mixed(keyed(corpus.seed, "edits", rows)[document[tokens]] + position[tokens].astype(np.uint64))
    hit = uniform(bits) < planned.amount[rows][document[tokens]]
    tokens, bits = tokens[hit], mixed(bits[hit])
    action = (bits & np.uint64(0xFF)) % np.uint64(5)
    fresh = quantiles(len(FUNCTION_WORDS), VOCABULARY, 20, 8.0)[bits >> np.uint64(44)]
    action[(action == 3) & (position[tokens] == 0)] = 0  # never delete a document's first word, nor so all of them
    replaced = action < 3
    word[tokens[replaced]] = fresh[replaced]
    repeats[tokens[action == 3]] = 0
    repeats[tokens[action == 4]] = 2
    kept = np.repeat(np.arange(len(word)), repeats)
    result = word[kept]
    first = np.searchsorted(kept, tokens[action == 4])  # the first of the two is the new word
    result[first] = fresh[action == 4]
    return kept, result


def _spelled(
    corpus: Corpus, rows: I64, planned: Plan, document: I64, segment: I64,
    word: npt.NDArray[np.int32], separator: npt.NDArray[np.int8],
) -> pa.LargeStringArray:  # fmt: skip
    """Tokens to texts: one gather from the table of spellings, whose values then lie end to end."""
    last = np.concatenate((segment[1:] != segment[:-1], [True]))
    separator = np.where(last, END, separator)
    capital = np.concatenate(([True], BREAKS[separator[:-1]]))
    typographic = keyed(corpus.seed, "style", planned.original[rows]) % np.uint64(3) == 0
    style = typographic[document] * len(SEPARATORS)
    token = (word.astype(np.int64) * 2 + capital) * (2 * len(SEPARATORS)) + style + separator
    spelled = spellings().take(pa.array(token))
    offsets = np.frombuffer(spelled.buffers()[1], dtype=np.int64, count=len(token) + 1)
    bounds = np.concatenate((np.searchsorted(document, np.arange(len(rows))), [len(document)]))
    return pa.LargeStringArray.from_buffers(len(rows), pa.py_buffer(offsets[bounds]), spelled.buffers()[2])


@cache
def bytes_per_word() -> float:
    """Mean bytes of a word of an article with what follows it, counted on a fixed sample."""
    one = np.ones(20, dtype=np.int64)
    sample = Plan(np.zeros(20, dtype=np.int8), np.arange(20), np.ones(20), 1000 * one, -one)
    made = texts(Corpus(documents=20), np.arange(20), sample)
    return float(made.buffers()[2].size) / 20_000


# ------------------------------------------------------------------------------------------------- the files


def batches(corpus: Corpus, size: int = BATCH, planned: Plan | None = None) -> Iterator[pa.RecordBatch]:
    """The documents in file order; `size` has no influence on them."""
    planned = planned or plan(corpus)
    for first in range(0, corpus.documents, size):
        rows = np.arange(first, min(first + size, corpus.documents))
        yield pa.record_batch([pa.array(rows), texts(corpus, rows, planned)], schema=SCHEMA)


def generate(corpus: Corpus) -> tuple[pa.Table, pa.Table]:
    """The documents and their truth, in memory."""
    planned = plan(corpus)
    return pa.Table.from_batches(batches(corpus, planned=planned), SCHEMA), truth(planned)


def truth(planned: Plan) -> pa.Table:
    """Who belongs together: documents with the same ``original`` are one family.

    Columns ``id``, ``original``, ``form``, ``amount`` and ``jaccard``, the Jaccard similarity with the
    original that is to be expected of word 5-shingles (all five words of one are spared with (1 -
    amount)^5).
    """
    forms = pa.DictionaryArray.from_arrays(pa.array(planned.form), pa.array(FORMS)).cast(pa.string())
    ids = np.arange(len(planned.form))
    intact = (1.0 - planned.amount) ** 5
    jaccard = np.where(planned.form == EDITED, intact / (2.0 - intact), planned.amount)
    return pa.table(
        {"id": ids, "original": planned.original, "form": forms, "amount": planned.amount, "jaccard": jaccard}
    )


def write(corpus: Corpus, path: Path, text_file: Path | None = None) -> int:
    """Write the documents, their truth beside them, and perhaps the bare text. Returns the bytes of text."""
    planned = plan(corpus)
    total = 0
    path.parent.mkdir(parents=True, exist_ok=True)
    stream = text_file.open("wb") if text_file else None
    try:
        with pq.ParquetWriter(path, SCHEMA, compression="zstd", use_dictionary=["id"]) as writer:
            for batch in batches(corpus, corpus.row_group, planned):
                data = batch.column(1).buffers()[2]
                total += data.size
                writer.write_batch(batch, row_group_size=corpus.row_group)
                if stream:
                    stream.write(data)
    finally:
        if stream:
            stream.close()
    pq.write_table(truth(planned), truth_path(path), compression="zstd")
    return total


def truth_path(path: Path) -> Path:
    """``news.parquet`` -> ``news.truth.parquet``."""
    return path.with_suffix(".truth.parquet")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Write a seeded corpus of invented text with known copies.")
    parser.add_argument("out", type=Path, help="Parquet file to write; the truth goes to OUT.truth.parquet")
    parser.add_argument("--documents", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--mean-bytes", type=int, default=5_000, help="of an article")
    parser.add_argument("--spread", type=float, default=0.6, help="sigma of the log-normal article lengths")
    parser.add_argument("--copies", type=float, default=0.30, help="share of the documents that are copies")
    parser.add_argument("--pages", type=float, default=0.07, help="share that are strangers in pages of a site")
    parser.add_argument("--family", type=int, default=0, metavar="N", help="N light edits of one article")
    parser.add_argument("--identical", action="store_true", help="every document the same text")
    parser.add_argument(
        "--short", action="store_true", help="texts of one line, of 100 bytes in the mean, no boilerplate"
    )
    parser.add_argument("--text-file", type=Path, help="also write the bare texts here")
    options = vars(parser.parse_args())
    out, text_file, short = (options.pop(name) for name in ("out", "text_file", "short"))
    corpus = Corpus(**(options | SHORT if short else options))
    total = write(corpus, out, text_file)
    print(f"{out}: {corpus.documents:,} documents, {total:,} bytes of text")


if __name__ == "__main__":
    main()
