"""Mangle every file that is read: each mutation of each ends in a result or in one sentence, never otherwise.

    python tests/faults/fuzz.py --mutations 100000 --seed 1

The same seed makes the same mutations. Each target is a file that a parser reads, or that the library wrote itself and
reads back. Mutations run in processes of their own, so that one that crashes or hangs is found and named; what is found
is kept with --keep DIR (small ones belong into ``fixtures/findings``, which `test_fuzz.py` runs again).
"""

# ruff: noqa: T201, PT017 - a script that tells what it finds

import argparse
import faulthandler
import gzip
import io
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))  # as a script it stands where it stands

#: Seconds that one mutation may take.
MOST_SECONDS = 30

STORY = "The harbour bridge was closed on Monday after an inspection found cracks in two of its pillars. "
ROWS = [
    {"id": "a", "text": STORY, "date": "2024-05-01", "n": 1, "tags": ["x", None], "more": {"k": 1.5, "é": "漢字"}},
    {"id": "b", "text": STORY.upper(), "date": None, "n": -(2**60), "tags": [], "more": {"k": None, "é": ""}},
    {
        "id": "c",
        "text": "Home\nNews\n\n" + STORY + '\n"quoted", and more',
        "date": "",
        "n": 0,
        "tags": None,
        "more": None,
    },
    {"id": "d", "text": "Nothing of the kind \u202e \x07 🦆.", "date": "x", "n": 7, "tags": ["y"], "more": {"k": 2.0}},
]


# ---- seeds ----


def _table():
    import pyarrow as pa

    return pa.Table.from_pylist(ROWS)


def _parquet(**options):
    import pyarrow.parquet as pq

    made = io.BytesIO()
    pq.write_table(_table(), made, row_group_size=2, **options)
    return made.getvalue()


def _arrow(new):
    made = io.BytesIO()
    table = _table()
    with new(made, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)
    return made.getvalue()


def _arrow_file():
    import pyarrow as pa

    return _arrow(pa.ipc.new_file)


def _arrow_stream():
    import pyarrow as pa

    return _arrow(pa.ipc.new_stream)


def _json():
    return "".join(json.dumps(row, ensure_ascii=number % 2 == 0) + "\n" for number, row in enumerate(ROWS)).encode()


def _csv():
    quoted = ['"' + row["text"].replace('"', '""') + '"' for row in ROWS]
    return "".join(["id,text,n\n", *(f"{row['id']},{text},{row['n']}\n" for row, text in zip(ROWS, quoted))]).encode()  # noqa: B905


def _zstd():
    import pyarrow as pa

    return bytes(pa.compress(_json(), codec="zstd", asbytes=True))


# ---- what is done with a file ----


def _read(path):
    from dupdetect.io.documents import collect

    found = collect(path)
    if path.suffixes[-1] == ".jsonl":  # nothing is lost without a word: a record is a line
        lines = [line for line in path.read_bytes().split(b"\n") if line.strip(b" \t\r\n")]
        told = set(found.rejects["row"].to_pylist())
        assert len(found) + len(told) <= len(lines) + 1, "more rows than lines"
        assert len(found) + found.rejects.num_rows >= len(lines) - 1, "rows are unaccounted for"
    return found


def _dedup(path):
    import dupdetect

    dupdetect.dedup(path)


def _sketches(path):
    import dupdetect

    dupdetect.read_sketches(path)


def _settings(path):
    import dupdetect

    dupdetect.Settings.load(path)


def _truth(path):
    import dupdetect

    dupdetect.evaluate({"a": 1, "b": 1, "c": 2, "d": 2}, path)


def _index(path):
    import dupdetect

    with dupdetect.Index(path) as index:
        index.query(STORY)
        index.clusters()
        index.matches()
        index.add("z", "A new text.")
        index.remove(["a"])


class _Output:
    """An output folder of which one file is mangled; then all that reads outputs reads it."""

    def __init__(self, name, format="parquet"):
        self.name, self.format = name, format
        self.folder = None

    def _whole(self):
        import dupdetect

        self.folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        source = self.folder / "news.parquet"
        source.write_bytes(_parquet())
        for name, format in (("parquet", "parquet"), ("jsonl", "jsonl"), ("csv", "csv")):
            dupdetect.dedup(source, sketches=True).write(self.folder / name, format=format, kept=format)
        return self.folder / self.format

    def seed(self):
        return (self._whole() / self.name).read_bytes()

    def __call__(self, path):
        import dupdetect

        out = (self.folder / self.format) if self.folder else self._whole()
        before = (out / self.name).read_bytes()
        try:
            (out / self.name).write_bytes(path.read_bytes())
            for work in (
                lambda: dupdetect.verify_output(out),
                lambda: dupdetect.report(out, out / "page.html"),
                lambda: dupdetect.explain(out, "b"),
                lambda: dupdetect.dedup(["x", STORY], against=out),
                lambda: dupdetect.evaluate(out, {"a": 1, "b": 1}),
            ):
                _allowed(work)
        finally:
            (out / self.name).write_bytes(before)


class _Work(_Output):
    """A work folder of which one file is mangled: the run that goes on ends in the same tables, or in a sentence."""

    def _whole(self):
        import dupdetect

        self.folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        (self.folder / "news.parquet").write_bytes(_parquet())
        result = dupdetect.dedup(self.folder / "news.parquet", work=self.folder / "work", resume=True)
        self.expected = result.clusters
        shutil.copytree(self.folder / "work", self.folder / "kept")  # as a run that was killed leaves it
        result.close()
        return self.folder / "kept"

    def __call__(self, path):
        import dupdetect

        if self.folder is None:
            self._whole()
        work = self.folder / "work"
        shutil.rmtree(work, ignore_errors=True)
        shutil.copytree(self.folder / "kept", work)
        (work / self.name).write_bytes(path.read_bytes())
        result = dupdetect.dedup(self.folder / "news.parquet", work=work, resume=True)
        assert result.clusters.equals(self.expected), "other tables than before"
        result.close()


def _sketch_file():
    import dupdetect

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.parquet"
        texts = [row["text"] for row in ROWS]
        dupdetect.write_sketches(path, dupdetect.sketch(texts, num_perm=32, bands=(8, 4)), ["a", "b", "c", "d"])
        return path.read_bytes()


def _settings_file():
    import dupdetect

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.toml"
        dupdetect.Settings().save(path)
        return path.read_bytes()


def _index_file():
    import dupdetect

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.dupindex"
        with dupdetect.Index(path, num_perm=32, bands=(8, 4)) as index:
            for row in ROWS:
                index.add(row["id"], row["text"])
        return path.read_bytes()


#: Of each target: the file's name, a file that is right, what reads it, and how often it has its turn.
TARGETS = {
    "parquet": ("a.parquet", _parquet, _read, 12),
    "parquet, plain": ("a.parquet", lambda: _parquet(use_dictionary=False, compression="none"), _read, 6),
    "parquet, run": ("a.parquet", _parquet, _dedup, 2),
    "arrow file": ("a.arrow", _arrow_file, _read, 10),
    "arrow stream": ("a.arrow", _arrow_stream, _read, 6),
    "json lines": ("a.jsonl", _json, _read, 16),
    "json lines, run": ("a.jsonl", _json, _dedup, 2),
    "json lines, gzip": ("a.jsonl.gz", lambda: gzip.compress(_json(), mtime=0), _read, 6),
    "json lines, zstd": ("a.jsonl.zst", _zstd, _read, 6),
    "csv": ("a.csv", _csv, _read, 16),
    "csv, gzip": ("a.csv.gz", lambda: gzip.compress(_csv(), mtime=0), _read, 4),
    "text": ("a.txt", STORY.encode, _read, 2),
    "sketches": ("a.parquet", _sketch_file, _sketches, 6),
    "settings": ("a.toml", _settings_file, _settings, 6),
    "truth": ("a.csv", lambda: b"id,cluster\na,1\nb,1\nc,2\nd,\n", _truth, 3),
    "index": ("a.dupindex", _index_file, _index, 2),
    **{
        f"output, {name}": (name, (output := _Output(name, format)).seed, output, 1)
        for name, format in (
            *((f"{table}.parquet", "parquet") for table in ("clusters", "matches", "digests", "boilerplate", "kept")),
            ("sketches.parquet", "parquet"),
            ("manifest.json", "parquet"),
            ("rejects.jsonl", "parquet"),
            ("clusters.jsonl", "jsonl"),
            ("matches.csv", "csv"),
        )
    },
    **{
        f"work, {name}": (name, (work := _Work(name)).seed, work, 1)
        for name in ("plan.json", "done.jsonl", "decision.arrow", "part-000000.rows.arrow")
    },
}


# ---- mutations ----

_BYTES = [
    b"\0",
    b"\xff",
    b"\x7f\xff\xff\xff",
    b"\xff" * 8,
    b'"',
    b"\n",
    b",",
    b"{",
    b"[" * 50,
    b"\xed\xa0\x80",
    b"1e999",
]
_VALUES = [None, True, 0, -1, 2**63, 1e308, "", "x" * 300, [], {}, [[]], {"a": {}}, "\ud800", float("nan")]


def mutated(data, random_):
    """Return a mutation of some bytes: a few small changes, one after the other."""
    if random_.random() < 0.3 and data[:1] in b"{[" and (changed := _other_values(data, random_)) is not None:
        return changed
    for _ in range(random_.choice((1, 1, 1, 2, 5))):
        data = random_.choice((_flip, _overwrite, _cut, _insert, _swap, _repeat, _remove))(data, random_)
    return data


def _place(data, random_):
    """Draw a place; half of them near the ends, where formats keep what they know of themselves."""
    near = random_.choice((0, len(data))) + random_.randint(-80, 80)
    at = near if random_.random() < 0.4 else random_.randint(0, len(data))
    return min(max(at, 0), max(len(data) - 1, 0))


def _flip(data, random_):
    at, changed = _place(data, random_), bytearray(data)
    if changed:
        changed[at] ^= 1 << random_.randrange(8)
    return bytes(changed)


def _overwrite(data, random_):
    at, put = _place(data, random_), random_.choice(_BYTES)
    return data[:at] + put + data[at + len(put) :]


def _cut(data, random_):
    return data[: _place(data, random_)]


def _insert(data, random_):
    at = _place(data, random_)
    return data[:at] + random_.choice(_BYTES) + data[at:]


def _swap(data, random_):
    a, b, c = sorted(_place(data, random_) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _repeat(data, random_):
    a, b = sorted(_place(data, random_) for _ in range(2))
    return data[:b] + data[a:b] + data[b:]


def _remove(data, random_):
    a, b = sorted(_place(data, random_) for _ in range(2))
    return data[:a] + data[b:]


def _other_values(data, random_):
    """Put values of another type into JSON; None if there is none."""
    try:
        lines = [json.loads(data)]
        one = True
    except ValueError:
        try:
            lines, one = [json.loads(line) for line in data.splitlines()], False
        except ValueError:
            return None
    if not lines:
        return None
    value = lines[at := random_.randrange(len(lines))]
    while isinstance(value, dict | list) and value:
        key = random_.choice(list(value) if isinstance(value, dict) else range(len(value)))
        if not isinstance(value[key], dict | list) or not value[key] or random_.random() < 0.3:
            value[key] = random_.choice(_VALUES)
            break
        value = value[key]
    else:
        lines[at] = random_.choice(_VALUES)
    return b"\n".join(json.dumps(line, indent=2 if one else None).encode() for line in lines) + b"\n"


# ---- running ----


def _allowed(work):
    """Do something; return whether it ended in one sentence of an error that is ours."""
    from dupdetect.errors import DupdetectError

    try:
        work()
    except DupdetectError as error:
        assert str(error).strip(), "an error that says nothing"
        assert "\n" not in str(error).strip(), "an error of several lines"
        return True
    return False


def run(target, data, folder):
    """Let a target read bytes; return whether it refused them. What is not allowed is raised."""
    name, _, work, _ = TARGETS[target]
    path = folder / name
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _allowed(lambda: work(path))


def _turns():
    return [target for target, (*_, weight) in TARGETS.items() for _ in range(weight)]


def mutation(number, seed, seeds):
    """Return the target of a mutation by its number, and its bytes."""
    turns = _turns()
    target = turns[number % len(turns)]
    if target not in seeds:
        seeds[target] = TARGETS[target][1]()
    return target, mutated(seeds[target], random.Random(f"{seed} {number}"))


def work(first, last, seed):
    """Run mutations, telling each before and after; for a process of its own."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    faulthandler.register(signal.SIGALRM, chain=True)  # tells where each thread is
    seeds, refused = {}, 0
    with tempfile.TemporaryDirectory() as folder:
        for number in range(first, last):
            target, data = mutation(number, seed, seeds)
            print(number, flush=True)
            signal.alarm(MOST_SECONDS)
            try:
                refused += run(target, data, Path(folder))
            except BaseException as error:  # a finding, whatever it is
                where = traceback.extract_tb(error.__traceback__)[-1]
                what = f"{type(error).__name__}: {str(error)[:200]!r} at {Path(where.filename).name}:{where.lineno}"
                print("found", json.dumps([number, target, what]), flush=True)
            signal.alarm(0)
    print("refused", refused, flush=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutations", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for what was found")
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.work:
        work(*given.work, given.seed)
        return 0
    start, next_, refused, found = time.perf_counter(), 0, 0, []
    while next_ < given.mutations:  # a block at a time, so that memory that leaks is seen by nobody
        last = min(next_ + 5_000, given.mutations)
        command = [sys.executable, __file__, "--seed", str(given.seed), "--work", str(next_), str(last)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout:
                if line.startswith("found"):
                    found.append(json.loads(line.removeprefix("found")))
                    print("found:", *found[-1], flush=True)
                elif line.startswith("refused"):
                    refused += int(line.split()[1])
                else:
                    next_ = int(line)
        next_ += 1
        if process.returncode != 0:
            target = _turns()[(next_ - 1) % len(_turns())]
            found.append([next_ - 1, target, f"the process ended with {process.returncode}"])
            print("found:", *found[-1], flush=True)
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
        seeds = {}
        for number, *_ in found:
            target, data = mutation(number, given.seed, seeds)
            (given.keep / f"{target.replace(', ', '-').replace(' ', '-')}.{given.seed}.{number}").write_bytes(data)
    seconds = time.perf_counter() - start
    print(
        f"{given.mutations:,} mutations of {len(TARGETS)} targets in {seconds:.0f} s: {len(found)} found, "
        f"{refused:,} refused"
    )
    for what, times in Counter(f"{target}: {what}" for _, target, what in found).most_common():
        print(f"{times:>6} {what}")
    return 1 if found else 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main())
