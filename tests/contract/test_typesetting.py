"""Copies that differ only in typesetting are copies to every function, in every script; what is kept is the input."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

import dupdetect

NEWSROOM = Path(__file__).resolve().parents[2] / "fixtures" / "newsroom"
LANGUAGES = sorted(folder.name for folder in NEWSROOM.iterdir())


def every(characters: int, inserted: str) -> Callable[[str], str]:
    """Insert something after every so many letters, inside of words, never before a mark."""

    def insert(text: str) -> str:
        pieces = []
        for place, (character, following) in enumerate(zip(text, [*text[1:], " "], strict=True)):
            inside = character.isalpha() and following.isalpha() and not unicodedata.combining(following)
            pieces += [character, inserted] if inside and place % characters == 0 else [character]
        return "".join(pieces)

    return insert


#: Ways to set a text. The last breaks words at the end of lines, in scripts that have small letters and thus hyphens.
SET = {
    "soft hyphens": every(3, "\u00ad"),
    "zero width spaces": every(4, "\u200b"),
    "zero width non-joiners": every(5, "\u200c"),
    "word joiners": every(7, "\u2060"),
    "marks of direction": lambda text: "\u202b" + text.replace(" ", " \u200e") + "\u202c",
    "variation selectors": every(6, "\ufe00"),
    "decomposed": lambda text: unicodedata.normalize("NFD", text),
    "Arabic marks and tatweel": every(3, "\u0640\u064e"),
    "broken lines": lambda text: "".join(
        character + "-\n"
        if place % 40 == 0 and character.islower() and text[place + 1 : place + 2].islower()
        else character
        for place, character in enumerate(text)
    ),
}


def article(language: str, name: str = "article") -> str:
    return (NEWSROOM / language / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_dedup_finds_them_and_keeps_the_input_as_it_is(language: str) -> None:
    text = article(language)
    copies = {name: typeset(text) for name, typeset in SET.items()} | {"another": article(language, "rewrite")}
    result = dupdetect.dedup(copies)
    relations = dict(zip(*(result.clusters[name].to_pylist() for name in ("id", "relation")), strict=True))
    assert list(relations.values()).count("identical") == len(SET) - 1, relations
    assert relations["another"] is None
    assert sorted(result.kept["text"].to_pylist()) == sorted(copies[id] for id in result.kept["id"].to_pylist())


@pytest.mark.parametrize("typeset", SET)
def test_compare_finds_them(typeset: str) -> None:
    for language in LANGUAGES:
        text = article(language)
        assert dupdetect.compare(text, SET[typeset](text)).relation == "identical"


def typeset_pairs() -> tuple[dict[str, str], list[tuple[str, str, bool]]]:
    """Lay out every language's short texts, a copy of each, and which of them are pairs."""
    names = ("family_1", "other_story_1", "other_story_2", "rewrite")
    plain = {f"{language} {name}": article(language, name) for language in LANGUAGES for name in names}
    ways = list(SET.values())
    copies = {f"{name} again": ways[place % len(ways)](text) for place, (name, text) in enumerate(plain.items())}
    others = [(a, f"{b} again", False) for a, b in zip(plain, [*list(plain)[1:], *list(plain)[:1]], strict=True)]
    return plain | copies, [(name, f"{name} again", True) for name in plain] + others


def test_audit_misses_none() -> None:
    texts, pairs = typeset_pairs()
    found = dupdetect.audit(dupdetect.dedup(texts), texts)
    assert (found.missed, found.together.pairs) == (0, 2 * sum(copy for *_, copy in pairs))


def test_tune_sees_the_copies_as_the_same() -> None:
    texts, pairs = typeset_pairs()
    assert dupdetect.tune(texts, pairs, shingle_sizes=[3], resamples=20, repeats=1).fitted.f1 == 1


def test_signatures_are_of_the_text_as_it_is() -> None:
    """They are datasketch's, of the words as they stand: cleaning is of `dedup` and what measures it."""
    plain, soft = dupdetect.signatures(["softness " * 20, "soft\u00adness " * 20])
    assert plain.tolist() != soft.tolist()
