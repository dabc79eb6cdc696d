"""Reading the README and the pages of docs/: their code blocks, and the commands in them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def pages() -> dict[str, str]:
    """Return every page that users read, by its path, in order."""
    found = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in found}


def blocks(page: str, language: str) -> list[str]:
    """Return the code blocks of a page that are in this language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """Return the arguments of each `dupdetect` command in a page's console blocks, the last one of a line."""
    lines = "".join(blocks(page, "console")).splitlines()
    used = [re.split(r"&&|\|", line)[-1].strip() for line in lines if re.search(r"dupdetect \w", line)]
    return [shlex.split(line, comments=True)[1:] for line in used if not line.startswith("#")]
