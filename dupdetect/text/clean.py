"""A text to the same text without what typesetting put into it and a reader does not see.

Input    a text (str)
Output   the same text, cleaned: never longer
Cost     O(length of the text)

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

import regex

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
    r"""Take from a text what a reader does not see.

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
