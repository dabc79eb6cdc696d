"""Corpora that are made to cost much, against as many strangers: time, memory, open files.

    python benchmarks/adversarial.py --documents 2000

Each runs in a process of its own. The bars: at most 64 open files, memory within the budget, and at
most 2.5 times as long as the same number of strangers (documents of equal length that share nothing). Times are of
processor, the least of three runs by one worker.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import threading
import time
from pathlib import Path

WORDS = 300
VOCABULARY = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("l", "n", "r", "st", "m", "k", "d", "p")]
BUDGET = 1 << 30


class Maker:
    """Makes texts of words drawn at random."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def words(self, count: int) -> list[str]:
        return [w + w2 for w, w2 in zip(*(self.random.choices(VOCABULARY, k=count) for _ in range(2)), strict=True)]

    def text(self, count: int = WORDS) -> str:
        return " ".join(self.words(count))


def strangers(m: Maker, n: int) -> list[str]:
    return [m.text() for _ in range(n)]


def half_articles(m: Maker, n: int) -> list[str]:
    halves = [m.text(WORDS // 2) for _ in range(max(2, int(n**0.5)))]
    return [" ".join(m.random.sample(halves, 2)) for _ in range(n)]


def paragraph_mixes(m: Maker, n: int) -> list[str]:
    paragraphs = [m.text(WORDS // 6) for _ in range(60)]
    return ["\n\n".join(m.random.sample(paragraphs, 6)) for _ in range(n)]


def family_trees(m: Maker, n: int) -> list[str]:
    texts = [m.words(WORDS)]
    while len(texts) < n:
        child = list(m.random.choice(texts))
        at = m.random.randrange(len(child) - 10)
        child[at : at + 10] = m.words(10)
        texts.append(child)
    return [" ".join(text) for text in texts]


def one_sentence(m: Maker, n: int) -> list[str]:
    shared = m.text(25)
    return [f"{m.text(WORDS - 25)} {shared}" for _ in range(n)]


def copies(m: Maker, n: int) -> list[str]:
    return [m.text()] * n


def near_copies(m: Maker, n: int) -> list[str]:
    base = m.words(WORDS)
    return [" ".join([*base[:-6], *m.words(6)]) for _ in range(n)]


def one_menu(m: Maker, n: int) -> list[str]:
    menu = "\n".join(m.text(3) for _ in range(40))
    return [f"{menu}\n\n{m.text(WORDS // 2)}" for _ in range(n)]


def chains(m: Maker, n: int) -> list[str]:
    long = m.words(WORDS + 30 * n)
    return [" ".join(long[30 * at : 30 * at + WORDS]) for at in range(n)]


def round_ups(m: Maker, n: int) -> list[str]:
    stories = [m.text(WORDS // 5) for _ in range(n // 2)]
    return [*stories, *("\n\n".join(m.random.sample(stories, 5)) for _ in range(n - len(stories)))]


def nested(m: Maker, n: int) -> list[str]:
    long = m.words(2 * WORDS)
    return [" ".join(long[: 20 + at * (2 * WORDS - 20) // n]) for at in range(n)]


def one_word(m: Maker, n: int) -> list[str]:
    return [" ".join([m.random.choice(VOCABULARY)] * WORDS) for _ in range(n)]


def few_words(m: Maker, n: int) -> list[str]:
    return [" ".join(m.random.choices(VOCABULARY[:3], k=WORDS)) for _ in range(n)]


def forms(m: Maker, n: int) -> list[str]:
    form = m.words(WORDS)
    return [" ".join(w if at % 12 else m.text(1) for at, w in enumerate(form)) for _ in range(n)]


def short(m: Maker, n: int) -> list[str]:
    return [m.text(m.random.randint(1, 6)) for _ in range(n)]


CORPORA = {
    f.__name__: f
    for f in (
        *(strangers, half_articles, paragraph_mixes, family_trees, one_sentence, copies, near_copies, one_menu, chains),
        *(round_ups, nested, one_word, few_words, forms, short),
    )
}


def measured(corpus: str, documents: int) -> dict[str, float]:
    """Run one in this process."""
    import dupdetect
    from dupdetect._storage import memory
    from dupdetect.pipeline.warm import warm

    texts = CORPORA[corpus](Maker(1), documents)
    warm()  # by what is interpreted until it would have been compiled, strangers seem slow, and all others fast
    dupdetect.dedup(CORPORA[corpus](Maker(2), 400), workers=1, memory=BUDGET)
    most, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(0.005):
            most[0] = max(most[0], len(list(Path("/proc/self/fd").iterdir())))

    looking = threading.Thread(target=look)
    looking.start()
    took = []
    for _ in range(3):
        start = time.process_time()
        result = dupdetect.dedup(texts, workers=1, memory=BUDGET)
        took.append(time.process_time() - start)
    done.set()
    looking.join()
    kept = result.manifest["counts"]["kept"]
    return {"seconds": min(took), "megabytes": memory.peak() / 1e6, "files": most[0], "kept": kept}


def main() -> None:
    """Measure all corpora, each in its own process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=2000)
    parser.add_argument("--corpus", choices=CORPORA)
    given = parser.parse_args()
    if given.corpus:
        print(json.dumps(measured(given.corpus, given.documents)))
        return
    print("corpus              seconds  x strangers  memory  files   kept")
    whole = 0.0
    for corpus in CORPORA:
        command = [sys.executable, __file__, "--documents", str(given.documents), "--corpus", corpus]
        found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
        whole = whole or found["seconds"]
        print(
            f"{corpus:16}{found['seconds']:>9.2f}{found['seconds'] / whole:>13.2f}{found['megabytes']:>6.0f} MB"
            f"{found['files']:>7}{found['kept']:>7}",
            flush=True,
        )


if __name__ == "__main__":
    main()
