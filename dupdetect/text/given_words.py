r"""Words that are given, to a text that is cut into exactly these, and back.

Input    words (str, or whole numbers such as tokens), cut by whatever their owner cuts with
Output   a text of which `dupdetect.text.words` makes as many words, equal where these are equal and only there
Cost     O(length of the words); spellings are remembered

All that works on texts then works on given words. They stand between blanks, and one that `words` would cut, fold or
drop is spelled: letters a to z and digits stand for themselves, and every other character is its number, in hexadecimal
digits between underscores. What cannot be told from a spelling is spelled, too. A word of line breaks alone is none: it
ends a line, and lines tell what is boilerplate.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

import regex

from dupdetect.text.clean import clean
from dupdetect.text.words import WORD, normalize

_SPELLED = regex.compile("_([0-9a-f]+)_")


def join(words: Iterable[str | int]) -> str:
    r"""Return the text that is cut into these words.

    >>> join(["C++", "is", "not", "C", 42])
    '_43__2b__2b_ is not _43_ 42'

    Raises
    ------
    TypeError
        Something among them is no word.
    """
    return " ".join(map(spell, words))


@lru_cache(maxsize=1 << 16, typed=True)
def spell(word: str | int) -> str:
    """Return a word as it stands in such a text; nothing of an empty one."""
    if isinstance(word, bool) or not isinstance(word, str | int):
        raise TypeError(f"a word is of type {type(word).__name__}, expected a str or an int")
    word = str(word)
    if not word.strip("\r\n"):
        return "\n" if word else ""
    if "_" not in word and WORD.fullmatch(word) and normalize(clean(word)) == word:
        return word
    return "".join(one if one.isascii() and (one.islower() or one.isdigit()) else f"_{ord(one):x}_" for one in word)


def shown(text: str) -> str:
    r"""Return such a text as it is shown: its words as they were given.

    >>> shown(join(["C++", "is", "not", "C"]))
    'C++ is not C'
    """
    return _SPELLED.sub(lambda found: chr(int(found[1], 16)), text)


def cut(text: str, cutter: Callable[[str], Iterable[str | int]]) -> str:
    """Return the text that is cut into the words that a callable makes of each line of a text.

    >>> cut("Ein e-mail-Programm", str.split)
    '_45_in e_2d_mail_2d__50_rogramm'
    """
    return "\n".join(join(cutter(line)) for line in text.split("\n"))
