"""Let processes read an index while one writes to it: none may see half an add, and none may fail.

    python tests/faults/index_readers.py --seconds 60 --readers 8

The writer adds, replaces and removes pairs of a text and a copy of it, each in one transaction. So whatever a reader
is told, both of a pair are there and in one cluster, or neither is.
"""

# ruff: noqa: T201 - a script that tells what it finds

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent.parent.parent)]

#: Pairs that come and go.
PAIRS = 200


def story(number, version):
    """Make a text of its own for each pair and version."""
    draw = random.Random(f"{number} {version}")
    return " ".join(f"word{draw.randrange(5000)}" for _ in range(150))


def pair(number, version):
    text = story(number, version)
    return {f"text {number}": text, f"copy {number}": f"{text} And so on."}


def read(where, until, seed, told):
    """Ask until the time is over; tell how often, and what was wrong."""
    from dupdetect import Index

    draw, asked, wrong = random.Random(seed), Counter(), []
    with Index(where, read_only=True, workers=1) as index:
        while time.time() < until:
            number = draw.randrange(PAIRS)
            try:
                seen = index.query(story(number, 0))
                asked["queries"] += 1
                if len(seen.matches) not in (0, 2):
                    wrong.append(f"{number}: {seen}")
                if asked["queries"] % 50 == 0:
                    rows = index.clusters().to_pylist()
                    asked["tables"] += 1
                    of_pair = Counter((row["id"].split()[1], row["cluster"].split()[1]) for row in rows)
                    wrong += [f"{which}: {count}" for which, count in of_pair.items() if count != 2]
            except Exception as error:
                wrong.append(repr(error))
    told.put((dict(asked), wrong[:5]))


def write(where, until, seed):
    """Add, replace and remove pairs until the time is over; return how often."""
    from dupdetect import Index

    draw, done = random.Random(seed), Counter()
    with Index(where, workers=1) as index:
        while time.time() < until:
            number = draw.randrange(PAIRS)
            if draw.random() < 0.3:
                index.remove(list(pair(number, 0)))
                done["removals"] += 1
            else:
                index.add_many(pair(number, draw.randrange(2)))
                done["adds"] += 1
        assert index.verify() == []
    return dict(done)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    from dupdetect import Index

    with tempfile.TemporaryDirectory() as folder:
        where, spawned = str(Path(folder, "x.dupindex")), multiprocessing.get_context("spawn")
        with Index(where) as index:
            for number in range(PAIRS):
                index.add_many(pair(number, 0))
        until, told = time.time() + given.seconds, spawned.Queue()
        readers = [spawned.Process(target=read, args=(where, until, seed, told)) for seed in range(given.readers)]
        for reader in readers:
            reader.start()
        done = write(where, until, given.seed)
        found = [told.get(timeout=60) for _ in readers]
        for reader in readers:
            reader.join()
    asked = sum((Counter(each) for each, _ in found), Counter())
    wrong = [each for _, some in found for each in some]
    print(f"{given.readers} readers, {given.seconds:g} s: {done}, {dict(asked)}; {len(wrong)} wrong")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
