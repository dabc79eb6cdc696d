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

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

import regex

if TYPE_CHECKING:
    import pyarrow as pa

    from dupdetect.documents import Documents

    Texts: TypeAlias = pa.Array | pa.ChunkedArray

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

_VEILED = regex.compile(rf"[{UNSEEN.pattern}{''.join(POINTED)}]", regex.V1)

#: Where a word is broken: all that stands between its halves.
BREAK = regex.compile(
    r"""(?<=[\p{Ll}\p{M}])
        (?:\u00AD++[-¬֊‐⸗]?|[-¬֊‐⸗])
        [ \t\u00AD]*+\r?+\u00AD*+\n[ \t\u00AD]*+
        (?=\p{Ll})""",
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
        text = _VEILED.sub(lambda found: POINTED.get(found[0], ""), text)
    return BREAK.sub("", text).replace("\u00ad", "")


def cleaned(documents: Documents, *, workers: int = 1) -> Documents:
    """Return the same documents with cleaned texts; their table is left as it was read."""
    return replace(documents, texts=clean_texts(documents.texts, workers=workers))


def clean_texts(texts: Texts, *, workers: int = 1) -> Texts:  # noqa: ARG001
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
        Chunks without anything to clean are those of the input, not copied.
    """
    import pyarrow as pa

    if isinstance(texts, pa.ChunkedArray):
        return pa.chunked_array([_define(chunk) for chunk in texts.chunks], texts.type)
    return _define(texts)


def _define(texts: pa.Array) -> pa.Array:
    import pyarrow as pa

    given = texts.to_pylist()
    cleaned = [clean(text) for text in given]
    return texts if cleaned == given else pa.array(cleaned, texts.type)
