"""None of the words that the glossary replaced is used: in code, docstrings, messages, docs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from docpages import ROOT

#: What was given up, and what is said instead. A word is looked for by itself and inside names: snake_case, CamelCase.
GIVEN_UP = {
    "suit": "boilerplate",
    "chrome": "boilerplate",
    "prints": "fingerprints",
    "kind": "relation, or what it is",
    "kinds": "relations, or what they are",
    "template": "boilerplate",
    "templates": "boilerplate",
    "prose": "main content",
    "framed": "interleaved",
    "lead": "margin",
    "convict": "judge",
    "bridge": "digest document",
    "bridges": "digest documents",
    "frequent": "hot key",
    "sparse": "sampled",
    "sparsely": "by star sampling",
    "hub": "the document that others are linked to",
    "hubs": "the documents that others are linked to",
    "twin": "compiled",
    "twins": "compiled",
    "shelf": "storage",
    "shelves": "storage",
    "workshop": "workspace",
    "shop": "workspace",
    "journal": "checkpoints",
    "pane": "view",
    "panes": "views",
    "standings": "run",
    "pin": "fixed document",
    "pins": "fixed documents",
    "rooms": "packages",
}

#: Other things of the same name, by what stands around the word.
OTHERS = (
    r"kind=\"\w+\"|\bdtype\.kind\b|\.kind\b",  # numpy: how to sort, and what type a column has
    r"grid-template|<template|jinja2?\b.*|\.get_template|Template\(|templates/|autoescape.*",  # style sheets, and Jinja
    r"scipy\.sparse|\bsparse matri\w+|sparse products",  # matrices
    r"(?i:harbour bridge)|bridge over",  # of iron
    r"google-chrome|HF_HUB_OFFLINE|huggingface_hub",
    r"Journal of Island Studies",
    r"PRAGMA journal_\w+",  # SQLite's own word
    r"\b(and|it|what|scale|json`?|tables?) prints\b|\bprints (a|all|one|tables|for|the)\b",  # the verb
    r"about\[key\]\[\"kind\"\]",  # a column of a corpus that others made
)
READ = ("dupdetect", "docs", "benchmarks", "fixtures/README.md", "fixtures/measure.py", "README.md", "CONTRIBUTING.md")
FILES = ("CHANGELOG.md", "pyproject.toml", "mkdocs.yml", ".ci/run", *READ)


def texts() -> list[Path]:
    """Return the files that are read, in order."""
    endings = {".py", ".md", ".html", ".css", ".js", ".toml", ".yml", ""}
    found = {path for name in FILES for path in [ROOT / name, *(ROOT / name).rglob("*")]}
    return sorted(
        path for path in found if path.is_file() and path.suffix in endings and "__pycache__" not in path.parts
    )


def words(line: str) -> set[str]:
    """Return the words of a line, those inside names too."""
    for other in OTHERS:
        line = re.sub(other, " ", line)
    names = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", line)
    return {word.lower() for word in re.findall(r"[A-Za-z]+", names)}


#: The same, by where the word stands.
OTHERS_IN = {
    "kind": r"dupdetect/(io|sketches)/",  # of files, and of ids
    "lead": r"dupdetect/matching/spans\.py",  # the combining class that a character begins with
    "template": r"dupdetect/reports/(charts|pages|html)\.py",  # Jinja's
    "templates": r"dupdetect/reports/(charts|pages|html)\.py",
}

LINES = [
    (f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}", words(line))
    for path in texts()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
]


@pytest.mark.parametrize("word", GIVEN_UP)
def test_it_was_given_up(word: str) -> None:
    found = [place for place, used in LINES if word in used and not re.match(OTHERS_IN.get(word, "$"), place)]
    assert not found, f"say {GIVEN_UP[word]}:\n" + "\n".join(found)


def test_words_inside_names_are_seen() -> None:
    assert {"frequent", "keys", "pin"} <= words("def frequent_keys(self, Pin: bridgeless)")
    assert not words("np.argsort(x, kind='stable'") & {"template"}
    assert "bridge" not in words("The harbour bridge was closed.")
