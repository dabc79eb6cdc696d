"""Fail if a built page would load anything from elsewhere: `python .ci/offline.py SITE`."""

import re
import sys
from pathlib import Path

#: What a browser fetches by itself, unlike the target of a link: in src, in a <link>, in a style sheet.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc=["']?(?:https?:)?//[^>]*>"""
    r"""|<link\b(?![^>]*rel=["']?(?:canonical|prev|next))[^>]*href=["']?(?:https?:)?//[^>]*>"""
    r"""|@import\s*(?:url\()?["']?(?:https?:)?//[^;]*|url\(["']?(?:https?:)?//[^)]*\)""",
    re.IGNORECASE,
)


def loaded(site: Path) -> list[str]:
    """Return the places of a built site that load something from elsewhere."""
    files = sorted(path for path in site.rglob("*") if path.suffix in (".html", ".css", ".svg"))
    assert files, f"{site} has no pages"
    return [
        f"{path.relative_to(site)}: {found[0][:200]}"
        for path in files
        for found in LOADED.finditer(path.read_text(encoding="utf-8"))
    ]


if __name__ == "__main__":
    if found := loaded(Path(sys.argv[1])):
        sys.exit("pages load from elsewhere:\n" + "\n".join(found))
