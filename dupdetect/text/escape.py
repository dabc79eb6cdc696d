r"""Escapes for text from elsewhere that is shown: no text can drive a terminal, or deceive the reader of a page.

Input    any str
Output   the same, with characters that draw nothing and do something as escapes such as ``\x1b`` and ``\u202e``
Cost     one pass over the text

Joiners stay in both, for many languages are written with them. A page keeps soft hyphens, marks of direction and tags
too: they act on their neighbours alone, and browsers know them. Markup is escaped by what writes the page.
"""

from __future__ import annotations

import re
import unicodedata

#: Control characters but tab and line feed, line and paragraph separators, characters that turn the direction of
#: writing until further notice, halves of surrogate pairs, interlinear annotation.
_ON_A_PAGE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]")

#: Zero-width non-joiner and joiner, which Persian, Hindi and others are written with; tab and line feed.
_IN_A_TERMINAL = "\u200c\u200d\t\n"


def escape_for_page(text: str) -> str:
    r"""Escape what a page should not pass on; line breaks become ``\n``.

    >>> escape_for_page("safe\u202egpj.exe\r\n")
    'safe\\u202egpj.exe\n'
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _ON_A_PAGE.sub(lambda found: _escape(found[0]), text)


def escape_for_terminal(text: str) -> str:
    r"""Escape control and format characters, lone surrogates and separators of lines; line feeds and tabs stay.

    >>> escape_for_terminal("red: \x1b[31m")
    'red: \\x1b[31m'
    """
    return "".join(character if _is_harmless(character) else _escape(character) for character in text)


def one_line(text: str, length: int) -> str:
    r"""Return the beginning of a text as one line of at most `length` characters, runs of white space as one space.

    It is escaped as for a page.

    >>> one_line("  A title\n\nand its text ", 12)
    'A title and…'
    """
    line = escape_for_page(" ".join(text[: 4 * length].split()))
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _is_harmless(character: str) -> bool:
    return character in _IN_A_TERMINAL or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
