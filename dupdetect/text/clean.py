"""Texts to the same texts without what typesetting put into them and a reader does not see.

Input    texts (str; or Arrow large_string)
Output   the same texts, cleaned: never longer, and as they are where there is nothing to clean
Cost     O(length of the text); compiled some GB/s a core to see that there is nothing to clean, and no copy is made

Cleaned are the texts that are compared, never those that are kept. Copies that differ only so are then identical:

- characters that have no shape of their own (Unicode's Default_Ignorable_Code_Point): soft hyphens, zero-width spaces
  and joiners, marks of direction, byte order marks, variation selectors, tags. But not Hangul's fillers: they hold the
  place of a letter;
- the vowel points, cantillation and reading marks of Arabic, Hebrew, Syriac and Samaritan, which writers mostly leave
  out, and what lengthens an Arabic line (tatweel); characters that are a letter with such a mark become the letter.
  But not the hamza and madda of Arabic: they make other letters of those that they stand on;
- words broken at the end of a line: a small letter, a hyphen, one line break, perhaps blanks around it, and a small
  letter. Numbers ("1990-", "1995"), lists, dashes between blanks, names ("Anglo-", "American"), the hyphen after a
  capital ("UN-", "backed"), paragraphs and scripts without small letters are left alone. A compound that is broken at
  its own hyphen becomes one word: no rule can tell it from a word that has none.

Half and full width, ligatures, Arabic presentation forms and composed marks are made equal by `words`; typographic
quotes, dashes and ellipses belong to no word.
"""

from __future__ import annotations

import sys
import unicodedata
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import regex

from dupdetect._compiled import kernels
from dupdetect._compiled.dispatch import on_threads
from dupdetect.sketches.sketches import buffers, patient

if TYPE_CHECKING:
    import pyarrow as pa

    from dupdetect._compiled.clean import Kinds
    from dupdetect.io.documents import Documents

    Texts: TypeAlias = pa.Array | pa.ChunkedArray

#: Bytes of text that are cleaned at once, in each thread. If there is anything to clean, all of them are copied.
BLOCK_BYTES = 8 << 20

#: What has no shape of its own; a word may be broken at a soft hyphen, so that these go last.
_SHAPELESS = r"\p{Default_Ignorable_Code_Point}--\u00AD\u115F\u1160\u3164\uFFA0"
#: Marks and modifier letters that the readers of these scripts do without.
_POINTS = r"[\p{Mn}\p{Lm}]&&[\p{Script_Extensions=Arabic}\p{Hebrew}\p{Syriac}\p{Samaritan}]--\u0653-\u0655"

#: A character that is taken away.
UNSEEN = regex.compile(rf"[[{_SHAPELESS}][{_POINTS}]]", regex.V1)

#: Presentation forms of letters with such a mark, and of the marks: what is left of them.
POINTED = {
    form: UNSEEN.sub("", plain).strip(" ")
    for form in map(chr, range(0xFB1D, 0xFE80))
    if UNSEEN.search(plain := unicodedata.normalize("NFKC", form)) and not UNSEEN.match(form)
}

#: A character that is taken away, or that becomes another.
VEILED = regex.compile(rf"[{UNSEEN.pattern}{''.join(POINTED)}]", regex.V1)

#: Hyphens, as typed, as some readers of scans write those that end a line (¬), Armenian, as typeset, of Fraktur.
HYPHENS = "-¬֊‐⸗"

#: Where a word is broken: all that stands between its halves.
BREAK = regex.compile(
    rf"""(?=[{HYPHENS}\u00AD])(?<=\p{{Ll}}\p{{M}}*)
        (?:\u00AD++[{HYPHENS}]?|[{HYPHENS}])
        [ \t\u00AD]*+\r?+\u00AD*+\n[ \t\u00AD]*+
        (?=\p{{Ll}})""",
    regex.V1 | regex.VERBOSE,
)


def clean(text: str) -> str:
    r"""Take from a text what a reader does not see: the definition.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Cleaning it again changes nothing.

    Examples
    --------
    >>> clean("An exam-\nple of soft\u00adness")
    'An example of softness'
    >>> clean("مُحَمَّـــد")
    'محمد'
    """
    if not text.isascii():
        text = VEILED.sub(left_of, text)
    return BREAK.sub("", text).replace("\u00ad", "")


def left_of(veiled: regex.Match[str]) -> str:
    """Return what is left of a veiled character."""
    return POINTED.get(veiled[0], "")


def cleaned(documents: Documents, *, workers: int = 1) -> Documents:
    """Return the same documents with cleaned texts; their table is left as it was read."""
    return replace(documents, texts=clean_texts(documents.texts, workers=workers))


def clean_texts(texts: Texts, *, workers: int = 1) -> Texts:
    """Clean texts: `clean`, compiled where they are many.

    Parameters
    ----------
    texts : pyarrow large_string array, chunked or not
        Valid UTF-8, no nulls.
    workers : int
        Threads; the result does not depend on it.

    Returns
    -------
    pyarrow large_string array, chunked or not
        The texts given, if there is nothing to clean; else perhaps in other chunks, of which those without anything to
        clean are not copied.
    """
    import pyarrow as pa

    chunked = isinstance(texts, pa.ChunkedArray)
    given = texts.chunks if chunked else [texts]
    if patient(texts):
        cleaned = [_define(chunk) for chunk in given]
    else:
        given = [block for chunk in given for block in _blocks(chunk)]
        cleaned = on_threads(_scrub, given, workers)
    if all(new is old for new, old in zip(cleaned, given, strict=True)):
        return texts
    return pa.chunked_array(cleaned, texts.type) if chunked else pa.concat_arrays(cleaned)


def _define(texts: pa.Array) -> pa.Array:
    """Clean some texts, by the definition."""
    import pyarrow as pa

    given = texts.to_pylist()
    cleaned = [clean(text) for text in given]
    return texts if cleaned == given else pa.array(cleaned, texts.type)


# ---- the compiled twin ----


def _blocks(texts: pa.Array) -> list[pa.Array]:
    """Cut texts into blocks of `BLOCK_BYTES` or, in the last place, more."""
    _, offsets = buffers(texts)
    starts = np.arange(offsets[0], offsets[-1] - BLOCK_BYTES, BLOCK_BYTES)[1:]
    bounds = pairwise([0, *np.unique(np.searchsorted(offsets, starts)), len(texts)])
    return [texts.slice(first, last - first) for first, last in bounds]


def _scrub(texts: pa.Array) -> pa.Array:
    """Clean some texts, compiled."""
    import pyarrow as pa

    from dupdetect._compiled import clean as scrubbing

    kinds, complete = _kinds()
    data, offsets = (kernels.fixed(buffer, buffer.dtype.type) for buffer in buffers(texts))
    marked = np.full(len(texts), not complete)
    if complete:
        scrubbing.mark_block(kinds, data, offsets, marked)
    if not marked.any():
        return texts
    target, starts = np.empty(offsets[-1] - offsets[0], np.uint8), np.empty_like(offsets)
    scrubbing.scrub_block(kinds, data, offsets, marked, target, starts)
    return pa.LargeStringArray.from_buffers(len(texts), pa.py_buffer(starts), pa.py_buffer(target))


@lru_cache(maxsize=1)
def _kinds() -> tuple[Kinds, bool]:
    """Return what the compiled code must know of each character, and whether it looks for all of them.

    Tables of another version of Unicode may hold characters that it does not; then it is to look at every text.
    """
    from dupdetect._compiled import clean as scrubbing

    entries = np.zeros(scrubbing.PAGES << scrubbing.PAGE_BITS, np.uint16)
    every = np.arange(sys.maxunicode + 1, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    for flag, pattern in (
        (scrubbing.TAKEN, UNSEEN.pattern),
        (scrubbing.SOFT, "\u00ad"),
        (scrubbing.HYPHEN, f"[{HYPHENS}]"),
        (scrubbing.MARK, r"\p{M}"),
        (scrubbing.SMALL, r"\p{Ll}"),
    ):
        for run in regex.finditer(f"(?:{pattern})+", every, regex.V1):
            entries[run.start() : run.end()] |= flag
    for form, letter in POINTED.items():
        entries[ord(form)] = scrubbing.TAKEN | (ord(letter) << scrubbing.LEFT_SHIFT if letter else 0)
    sought = entries & (scrubbing.TAKEN | scrubbing.SOFT | scrubbing.HYPHEN)
    sought[ord("-")] = 0
    complete = all(map(scrubbing.is_sought, {chr(code).encode()[:3] for code in np.flatnonzero(sought)}))
    numbers: dict[bytes, int] = {}
    rows = [row.tobytes() for row in entries.reshape(-1, 1 << scrubbing.PAGE_BITS)]
    pages = np.array([numbers.setdefault(row, len(numbers)) for row in rows], np.uint16)
    return scrubbing.Kinds(pages, np.frombuffer(b"".join(numbers), np.uint16)), complete
