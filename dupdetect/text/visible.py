r"""Text from elsewhere to text that can be shown on a page.

Input    any str
Output   the same with what could deceive a reader, or break what stands around it, spelled out
Cost     one pass of a regular expression

A page escapes what means something to HTML by itself. What is left are characters that draw nothing and do something:
control characters, characters that turn the direction of writing until further notice, halves of surrogate pairs.
These come out as escapes such as ``\u202e``. Joiners, soft hyphens and marks of direction act on their neighbours
alone, and many languages are written with them: they stay.
"""

from __future__ import annotations

import re

_DECEIVING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]")


def shown(text: str) -> str:
    r"""Spell out what draws nothing and does something; line breaks and tabs stay.

    >>> shown("safe\u202egpj.exe\r\n")
    'safe\\u202egpj.exe\n'
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _DECEIVING.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def opening(text: str, length: int) -> str:
    r"""Give the beginning of a text as one line of at most `length` characters, runs of white space as one space.

    >>> opening("  A title\n\nand its text ", 12)
    'A title and…'
    """
    line = shown(" ".join(text[: 4 * length].split()))
    return line if len(line) <= length else line[: length - 1].rstrip() + "…"
