"""Everything compiled beforehand: for an image, or a machine that should answer at once.

Input    none
Output   compiled code on disk, where every later process finds it
Cost     some twenty seconds, once for each version and machine
"""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

from dupdetect._compiled import dispatch, kernels
from dupdetect._storage.unfinished import temporary_folder
from dupdetect.matching.compare import compare
from dupdetect.pipeline.dedup import dedup

#: Documents of a corpus that takes every road: pages that share boilerplate, copies, hot keys, round-ups.
DOCUMENTS = 400


def warm() -> int:
    """Compile all that a run needs, and keep it on disk; what is there already is only loaded.

    Returns
    -------
    int
        How many functions were compiled.
    """
    if not kernels.available():
        return 0
    compiled: list[str] = []
    with dispatch.many_calls(), dispatch.compilations_told(compiled.append):
        texts = _texts()
        dedup(texts)
        dedup(texts, unit="character", shingle_size=12)
        dedup(texts, boilerplate=False, canonical="longest")
        with temporary_folder("dupdetect", Path(tempfile.gettempdir())) as folder:
            dedup(texts, work=folder, resume=True).close()  # arrays that are mapped are other types to the compiler
            earlier = dedup({f"old {n}": text for n, text in enumerate(texts[::2])}, sketches=True)
            earlier.write(f"{folder}/earlier")
            dedup({f"new {n}": text for n, text in enumerate(texts)}, against=f"{folder}/earlier")
        compare(texts[0], texts[1])
    return len(compiled)


def _texts() -> list[str]:
    chance = random.Random(1)
    words = [f"{stem}{ending}" for stem in ("har", "bo", "ur", "li", "gh", "ma", "ré", "ج") for ending in range(400)]

    def written(count: int) -> str:
        return " ".join(chance.choices(words, k=count)).capitalize() + "."

    menu = "\n".join(written(3) for _ in range(20))
    articles = [f"{written(60)}\n{written(80)}" for _ in range(DOCUMENTS // 4)]
    pages = [f"{menu}\n{article}\n{menu}" for article in articles]
    edited = [article.replace("a", "á", 1) + f"\n{written(4)}" for article in articles]
    round_ups = ["\n".join(chance.sample(articles, 3)) for _ in range(DOCUMENTS // 8)]
    family = [f"{articles[0]} {number}" for number in range(DOCUMENTS // 8)]
    return [*articles, *pages, *edited, *round_ups, *family, "caf\u00e9 cafe\u0301 \u200bhidden co-\noperate"]
