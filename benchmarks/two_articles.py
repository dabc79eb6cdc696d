"""Pages that carry two articles, of which one is a document, too: how many are removed for it, and the other with them.

    python benchmarks/two_articles.py --sample 150

Into pages of the set `pages` (environment variable DUPDETECT_SHARED, else ``../shared`` beside the repository) the
article of another page of the same source is put: behind all lines, or amid them. Each such page and its own article
are a collection of two. Shows a table in Markdown: how many pages there are, and are removed, by the words of the
article that was put there. None should be; `docs/concepts/boilerplate.md` says how short one may be to be seen.
"""

from __future__ import annotations

import argparse
import os
import random
from collections import Counter, defaultdict
from pathlib import Path

import releases
from quality import documents
from reporting import markdown

import dupdetect

HERE = Path(__file__).resolve().parent
SIZES = (100, 200, 500, 10**9)


def pages(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """Return pages and their articles, by source."""
    texts = dict(zip(*documents(folder), strict=True))
    about = {row["id"]: row for row in releases.rows(folder / "articles.csv")}
    both: dict[str, dict[str, str]] = defaultdict(dict)
    sources = {}
    for key, text in texts.items():
        article, is_page = about[key]["article"], about[key]["kind"] == "page"
        both[article]["page" if is_page else "clean"] = text
        sources[article] = about[key]["source"]
    found = defaultdict(list)
    for article, of_article in both.items():
        if len(of_article) == 2:
            found[sources[article]].append((of_article["page"], of_article["clean"]))
    return found


def measure(by_source: dict[str, list[tuple[str, str]]], sample: int) -> dict[int, tuple[int, int]]:
    """Return how many pages there were, and were removed, by the size of the article put there."""
    chance = random.Random(5)
    seen, removed = Counter[int](), Counter[int]()
    for some in by_source.values():
        for page, article in chance.sample(some, min(sample, len(some))):
            other = chance.choice(some)[1]
            if other == article:
                continue
            lines = page.split("\n")
            at = chance.choice([len(lines), 2 * len(lines) // 3])
            both = "\n".join([*lines[:at], other, *lines[at:]])
            result = dupdetect.dedup({"article": article, "page": both}, workers=1)
            size = next(size for size in SIZES if len(other.split()) < size)
            seen[size] += 1
            removed[size] += "page" in result.removed["id"].to_pylist()
    return {size: (seen[size], removed[size]) for size in SIZES}


def main() -> None:
    parser = argparse.ArgumentParser(description="Count pages of two articles that are removed for one of them.")
    parser.add_argument("--sample", type=int, default=150, help="pages of each source")
    given = parser.parse_args()
    folder = Path(os.environ.get("DUPDETECT_SHARED") or HERE.parents[1] / "shared") / "corpora" / "pages"
    if not folder.is_dir():
        parser.error(f"the pages are not in {folder}; let DUPDETECT_SHARED name the folder that has corpora/pages")
    found = measure(pages(folder), given.sample)
    rows = [
        [f"below {size:,}" if size < SIZES[-1] else "more", str(seen), str(removed)]
        for size, (seen, removed) in found.items()
    ]
    print(markdown(["words of the other article", "pages", "removed"], rows))


if __name__ == "__main__":
    main()
