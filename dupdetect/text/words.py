"""A text to its words.

Input    a text (str), and what a word is to be: a word, or a character
Output   its words (list of str), in reading order
Cost     O(length of the text); a regular expression's pass, some 10 MB/s in Python

A text is normalised (NFKC), casefolded, and cut. In scripts that are written without spaces one
character is a word, for no cut between words is certain there; elsewhere a word is a maximal run of
word characters. Punctuation, symbols and emoji are no words; the joiners and variation selectors inside
some emoji are, for Unicode counts them with the letters that they join in other scripts.

With the unit "character" every word character is a word on its own, and so is every symbol: signs of arithmetic and
currency, emoji. What is left of a text is then the string of these: where its words are cut does not count, a misread
letter spoils the few shingles around it, and C++ is not C.
"""

from __future__ import annotations

import unicodedata

import regex

#: Scripts written without spaces between words: those of Unicode's line-breaking classes
#: "ideographic" and "complex context" (UAX #14).
SCRIPTS_WITHOUT_SPACES = (
    *("Han", "Hiragana", "Katakana", "Bopomofo", "Yi", "Nushu", "Tangut", "Khitan_Small_Script"),
    *("Thai", "Lao", "Khmer", "Myanmar", "Tai_Le", "New_Tai_Lue", "Tai_Tham", "Tai_Viet", "Ahom"),
)

_SCRIPTS = "".join(rf"\p{{Script={name}}}" for name in SCRIPTS_WITHOUT_SPACES)

#: A word that is one character: a letter, mark or digit of a script written without spaces.
LONE_CHARACTER = regex.compile(rf"[\w&&[{_SCRIPTS}]]", regex.V1)

#: A word: a lone character, or a maximal run of other word characters.
WORD = regex.compile(rf"[\w&&[{_SCRIPTS}]]|[\w--[{_SCRIPTS}]]+", regex.V1)

#: What a word is, by the unit (see `Settings.unit`).
PATTERNS = {"word": WORD, "character": regex.compile(r"[\w\p{S}]")}


def normalize(text: str) -> str:
    """Return `text` in Unicode's compatibility form (NFKC), casefolded."""
    return unicodedata.normalize("NFKC", text).casefold()


def words(text: str, unit: str = "word") -> list[str]:
    """Cut a text into its words.

    Parameters
    ----------
    text : str
        Any text; lone surrogates are no word characters and are passed over.
    unit : str
        "word", or "character": then every word character and every symbol is a word.

    Returns
    -------
    list of str
        The words, normalised and casefolded, in reading order; empty where there are none.

    Examples
    --------
    >>> words("The FIrst Draft, again!")
    ['the', 'first', 'draft', 'again']
    >>> words("東京 2025")
    ['東', '京', '2025']
    >>> words("An e-mail", unit="character")
    ['a', 'n', 'e', 'm', 'a', 'i', 'l']
    """
    return PATTERNS[unit].findall(normalize(text))
