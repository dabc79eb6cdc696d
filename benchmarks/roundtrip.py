"""Files of every format, dialect, encoding and compression: what is kept of them is as it came.

Each case is a file, or a folder of some, made at random: texts, of which some are there again, beside columns of any
type. Which rows stay is known beforehand, for copies are exact and the first stays. So what is kept is held against
rows that nobody has parsed: byte for byte for JSON Lines, CSV and texts, by value, type, metadata and compression for
Parquet and Arrow. It says how many cases there were of each format, and each one that differs.

    python benchmarks/roundtrip.py --count 5000 --seed 1
"""

from __future__ import annotations

import argparse
import bz2
import datetime
import decimal
import gzip
import json
import random
import sys
import tempfile
import time
import uuid
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

import dupdetect

SCRIPTS = (
    "harbour bridge closed monday cracks cables repair spring ferry market stall roof glass lantern",
    "гавань мост трещины паром рынок весна фонарь крыша стекло утро",
    "λιμάνι γέφυρα πορθμείο αγορά άνοιξη φανάρι στέγη γυαλί",
    "پل بندر بازار بهار فانوس شیشه صبح نامه",
    "बंदरगाह पुल बाज़ार वसंत लालटेन सुबह चिट्ठी",
    "Straße Brücke Öl Käse naïve façade Ærø Łódź şehir",
)
ENCODINGS = {
    "cp1252": SCRIPTS[5].replace(" Łódź şehir", ""),
    "latin-1": SCRIPTS[5].replace(" Łódź şehir", ""),
    "cp1251": SCRIPTS[1],
    "koi8-r": SCRIPTS[1],
    "iso8859-7": SCRIPTS[2],
    "utf-16": SCRIPTS[4],
    "utf-16-le": SCRIPTS[0],
    "utf-32": SCRIPTS[3],
    "utf-8-sig": SCRIPTS[2],
    "shift_jis": "港 橋 市場 春 提灯 屋根 硝子 朝 手紙 鉄道 駅",
    "euc_jp": "港 橋 市場 春 提灯 屋根 硝子 朝 手紙 鉄道 駅",
    "gb18030": "港口 大桥 市场 春天 灯笼 屋顶 玻璃 早晨 信件 铁路",
    "big5": "港口 大橋 市場 春天 燈籠 屋頂 玻璃 早晨 信件 鐵路",
    "euc_kr": "항구 다리 시장 봄 등불 지붕 유리 아침 편지 철도",
}
COMPRESSIONS = ("", "", "", ".gz", ".zst", ".bz2", ".lz4")


@dataclass(frozen=True)
class File:
    """A file: its name, its bytes, and what is to be kept of it: bytes, or a table, and how it is read back."""

    name: str
    raw: bytes
    kept: Any
    read: Callable[[bytes], Any]


class Maker:
    """Makes cases at random."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.seen: list[str] = []

    def text(self, words: str) -> str:
        """Return a text that no other is like."""
        chosen = self.random.choices(words.split(), k=self.random.randint(12, 40))
        return " ".join(word + str(self.random.randrange(10**6)) * (n % 3 == 0) for n, word in enumerate(chosen))

    def texts(self, n: int, words: str) -> tuple[list[str], list[int]]:
        """Return texts, and the places of those that stay: what is there already is a copy."""
        found, stays = [], []
        for at in range(n):
            if self.seen and self.random.random() < 0.3:
                found.append(self.random.choice(self.seen))
            else:
                found.append(self.text(words))
                self.seen.append(found[-1])
                stays.append(at)
        return found, stays

    # ---- JSON Lines ----

    def value(self, depth: int = 0) -> str:
        """Return a value as JSON may spell it."""
        choose = self.random.choice
        plain = [
            lambda: str(choose([0, -1, 2**53 + 1, 2**64 - 1, -(2**63), 10**30, self.random.randrange(10**9)])),
            lambda: choose(["1.10", "-0.0", "1e3", "2E+5", "0.1000000000000000055511151231257827", "1e400"]),
            lambda: choose(["true", "false", "null"]),
            lambda: json.dumps(choose(["", "NA", "2024-01-01", "a\tb", "é", "\u2028", "👍", "01234", "\\"])),
            lambda: choose(['"\\u00e9\\/"', '"\\ud83d\\ude00"', '" "']),
        ]
        if depth < 3 and self.random.random() < 0.25:
            if self.random.random() < 0.5:
                return "[" + ", ".join(self.value(depth + 1) for _ in range(self.random.randrange(4))) + "]"
            members = (
                f'"{name}":{self.value(depth + 1)}' for name in self.random.sample("abcd", self.random.randrange(4))
            )
            return "{ " + " ,".join(members) + "}"
        return choose(plain)()

    def json_lines(self, name: str, words: str, encoding: str | None) -> File:
        """Return a file of JSON Lines."""
        ends = self.random.choice(["\n", "\n", "\r\n"])
        texts, stays = self.texts(self.random.randint(1, 12), words)
        mark = "\ufeff" if encoding is None and self.random.random() < 0.15 else ""
        lines, kept = [], []
        ascii_ = self.random.random() < 0.5
        for at, text in enumerate(texts):
            members = [(f'"{column}"', self.value()) for column in self.random.sample("nopq", self.random.randrange(5))]
            members.insert(self.random.randint(0, len(members)), ('"text"', json.dumps(text, ensure_ascii=ascii_)))
            space = self.random.choice(["", " ", "  "])
            if encoding is not None:
                members = [(name, value.encode(encoding, "ignore").decode(encoding)) for name, value in members]
            line = "{" + ("," + space).join(f"{name}:{space}{value}" for name, value in members) + space + "}"
            line += ends if at + 1 < len(texts) or self.random.random() < 0.8 else ""
            lines.append(line)
            if at in stays:
                kept.append(line)
            if line.endswith("\n") and self.random.random() < 0.1:
                lines.append(self.random.choice(["", " ", "\t"]) + "\n")
        return self.packed(name, mark, lines, kept, encoding)

    def packed(self, name: str, head: str, lines: list[str], kept: list[str], encoding: str | None) -> File:
        """Return a file of lines, encoded and compressed."""
        ending = self.random.choice(COMPRESSIONS)
        whole, some = (encoded(head + "".join(part), encoding) for part in (lines, kept))
        return File(name + ending, compressed(whole, ending), some, lambda raw: decompressed(raw, ending))

    # ---- CSV ----

    def csv(self, name: str, words: str, encoding: str | None, delimiter: str) -> File:
        """Return a file of CSV, in some dialect."""
        ends = self.random.choice(["\n", "\n", "\r\n", "\r"])
        texts, stays = self.texts(self.random.randint(1, 12), words)
        mark = "\ufeff" if encoding is None and self.random.random() < 0.15 else ""
        names = ["text", *self.random.sample(["zip", "phone", "price", "flag", "a b", "n"], self.random.randint(1, 4))]
        self.random.shuffle(names)
        always = self.random.random() < 0.3

        def spelled(value: str) -> str:
            must = any(character in value for character in (delimiter, '"', "\n", "\r"))
            return '"' + value.replace('"', '""') + '"' if must or always or self.random.random() < 0.1 else value

        odd = ["01234", "+49151", "1.10", "TRUE", "NA", "-0", "1e3", "18446744073709551615", "", " x ", "null", "09:05"]
        odd += ["a" + delimiter + "b", 'say "so"', "two\nlines", "five\r\nsix"]
        lines, kept = [], []
        for at, text in enumerate(texts):
            row = [text if name == "text" else self.random.choice(odd) for name in names]
            end = ends if at + 1 < len(texts) or self.random.random() < 0.8 else ""
            lines.append(delimiter.join(map(spelled, row)) + end)
            if at in stays:
                kept.append(lines[-1])
        return self.packed(name, mark + delimiter.join(map(spelled, names)) + ends, lines, kept, encoding)

    # ---- Parquet and Arrow ----

    def column(self, n: int, depth: int = 0) -> pa.Array:
        """Return a column of any type of Arrow."""
        make = self.random.choice(COLUMNS if depth < 2 else COLUMNS[:-NESTED])
        return make(self, n, depth)

    def table(self, words: str) -> tuple[pa.Table, list[int]]:
        """Return a table, with metadata, and the places of the rows that stay."""
        texts, stays = self.texts(self.random.randint(1, 12), words)
        type_ = self.random.choice(
            [pa.string(), pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
        )
        columns = {f"c{at}": self.column(len(texts)) for at in range(self.random.randint(0, 4))}
        plain = pa.array(texts)
        columns["text"] = plain.dictionary_encode() if pa.types.is_dictionary(type_) else plain.cast(type_)
        fields = [
            pa.field(name, column.type, metadata=self.random.choice([None, {"unit": "m"}]))
            for name, column in columns.items()
        ]
        metadata = self.random.choice([None, {"from": "somewhere", "pandas": "{}"}])
        return pa.table(list(columns.values()), schema=pa.schema(fields, metadata)), stays

    def parquet(self, name: str, words: str) -> File | None:
        """Return a Parquet file; None if its types cannot be in one."""
        table, stays = self.table(words)
        codec = self.random.choice(["snappy", "zstd", "gzip", "none", "lz4", "brotli"])
        sink = pa.BufferOutputStream()
        try:
            pq.write_table(
                table,
                sink,
                compression=codec,
                row_group_size=self.random.randint(1, 9),
                use_dictionary=self.random.random() < 0.5,
                version=self.random.choice(["1.0", "2.4", "2.6"]),
            )
        except (pa.ArrowException, ValueError):
            return None
        raw = sink.getvalue().to_pybytes()
        read = lambda data: (pq.read_table(pa.BufferReader(data)), codecs_of(data))  # noqa: E731
        whole, codecs = read(raw)
        return File(name, raw, (rows(whole, stays), codecs if stays else None), read)

    def arrow(self, name: str, words: str) -> File:
        """Return an Arrow file or stream."""
        table, stays = self.table(words)
        is_file = name.endswith(".arrow")
        codec = self.random.choice([None, "zstd", "lz4"])
        options = pa.ipc.IpcWriteOptions(compression=codec, unify_dictionaries=is_file)
        sink = pa.BufferOutputStream()
        with (pa.ipc.new_file if is_file else pa.ipc.new_stream)(sink, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=self.random.randint(1, 9))
        raw = sink.getvalue().to_pybytes()
        ending = self.random.choice(["", "", ".gz", ".zst"])

        def read(data: bytes) -> Any:
            opened = pa.ipc.open_file if is_file else pa.ipc.open_stream
            return opened(pa.BufferReader(decompressed(data, ending))).read_all(), None

        return File(name + ending, compressed(raw, ending), (rows(read(compressed(raw, ending))[0], stays), None), read)

    # ---- cases ----

    def file(self, name: str, form: str, words: str, encoding: str | None, delimiter: str) -> File:
        """Return a file of some format."""
        if form == "jsonl":
            return self.json_lines(name + self.random.choice([".jsonl", ".ndjson"]), words, encoding)
        if form == "csv":
            return self.csv(name + (".tsv" if delimiter == "\t" else ".csv"), words, encoding, delimiter)
        if form == "text":
            (text,), stays = self.texts(1, words)
            raw = encoded(text, encoding)
            return File(name + ".txt", raw, raw if stays else None, bytes)
        if form == "parquet":
            before = [*self.seen]
            found = self.parquet(name + ".parquet", words)
            if found is not None:
                return found
            self.seen = before
            return self.arrow(name + ".arrow", words)
        return self.arrow(name + self.random.choice([".arrow", ".arrows"]), words)

    def case(self) -> tuple[str, list[File], dict[str, Any]]:
        """Return what a case is called, its files, and how they are to be read."""
        self.seen = []
        form = self.random.choice(["jsonl", "csv", "parquet", "arrow", "text"])
        encoding = (
            self.random.choice(list(ENCODINGS))
            if form in ("jsonl", "csv", "text") and self.random.random() < 0.4
            else None
        )
        delimiter = self.random.choice([",", ",", ";", "|", "\t"])
        words = ENCODINGS[encoding] if encoding else self.random.choice(SCRIPTS)
        count = 1 if self.random.random() < 0.7 and form != "text" else self.random.randint(2, 4)
        names = [f"{self.random.choice(['', 'deep/', 'lang=en/'])}part-{at}" for at in range(count)]
        files = [
            self.file(name, form, words, encoding, delimiter)
            for name in sorted(names, key=lambda name: ("/" in name, name))
        ]
        options = {"encoding": encoding} if encoding else {}
        if form == "csv" and delimiter not in ",\t":
            options["delimiter"] = delimiter
        return f"{form}{f' in {encoding}' if encoding else ''}", files, options


def encoded(text: str, encoding: str | None) -> bytes:
    """Return a text in an encoding; utf-8 with its byte order mark, if it has one."""
    return text.encode(encoding or "utf-8")


def compressed(raw: bytes, ending: str) -> bytes:
    """Return bytes compressed as the end of a name says."""
    if ending == ".bz2":
        return bz2.compress(raw)
    if ending == ".gz":
        return gzip.compress(raw)
    return raw if not ending else pa.compress(raw, {".zst": "zstd", ".lz4": "lz4"}[ending], asbytes=True)


def decompressed(raw: bytes, ending: str) -> bytes:
    """Return the bytes that were compressed."""
    if not ending:
        return raw
    codec = {".zst": "zstd", ".lz4": "lz4", ".gz": "gzip", ".bz2": "bz2"}[ending]
    with pa.CompressedInputStream(pa.BufferReader(raw), codec) as stream:
        return bytes(stream.read())


def rows(table: pa.Table, places: list[int]) -> pa.Table:
    """Return some rows of a table."""
    return pa.concat_tables([table.slice(0, 0), *(table.slice(place, 1) for place in places)])


def codecs_of(raw: bytes) -> Any:
    """Return how the columns of a Parquet file are compressed."""
    metadata = pq.read_metadata(pa.BufferReader(raw))
    if not metadata.num_row_groups:
        return None
    return [metadata.row_group(0).column(at).compression for at in range(metadata.num_columns)]


# ---- columns ----


def _values(type_: pa.DataType, values: list[Any]) -> Callable[[Maker, int, int], pa.Array]:
    def make(maker: Maker, n: int, _depth: int) -> pa.Array:
        return pa.array([maker.random.choice([None, *values]) for _ in range(n)], type_)

    return make


def _extension(type_: pa.DataType, values: list[Any]) -> Callable[[Maker, int, int], pa.Array]:
    def make(maker: Maker, n: int, _depth: int) -> pa.Array:
        storage = pa.array([maker.random.choice(values) for _ in range(n)], type_.storage_type)
        return pa.ExtensionArray.from_storage(type_, storage)

    return make


def _dictionary(maker: Maker, n: int, _depth: int) -> pa.Array:
    indices = pa.array(
        [maker.random.choice([None, 0, 1, 2]) for _ in range(n)], maker.random.choice([pa.int8(), pa.int32()])
    )
    values = maker.random.choice(
        [pa.array(["x", "", "é"]), pa.array([5, 7, 9]), pa.array(["a", "b", "c"], pa.large_string())]
    )
    return pa.DictionaryArray.from_arrays(indices, values, ordered=maker.random.random() < 0.3)


def _runs(maker: Maker, n: int, _depth: int) -> pa.Array:
    ends = pa.array(sorted({maker.random.randint(1, n), n} if n else set()), pa.int32())
    return pa.RunEndEncodedArray.from_arrays(ends, pa.array(["x", None][: len(ends)], pa.string()))


def _union(maker: Maker, n: int, _depth: int) -> pa.Array:
    codes = [maker.random.randrange(2) for _ in range(n)]
    offsets = pa.array([codes[:at].count(code) for at, code in enumerate(codes)], pa.int32())
    children = [pa.array(range(codes.count(0) + 1)), pa.array([str(at) for at in range(codes.count(1) + 1)])]
    return pa.UnionArray.from_dense(pa.array(codes, pa.int8()), offsets, children)


def _list(maker: Maker, n: int, depth: int) -> pa.Array:
    lengths = [maker.random.randrange(3) for _ in range(n)]
    values = maker.column(sum(lengths), depth + 1)
    offsets = np.append(0, np.cumsum(lengths))
    of = maker.random.choice([pa.ListArray, pa.LargeListArray])
    return of.from_arrays(pa.array(offsets, pa.int32() if of is pa.ListArray else pa.int64()), values)


def _fixed_list(maker: Maker, n: int, depth: int) -> pa.Array:
    return pa.FixedSizeListArray.from_arrays(maker.column(2 * n, depth + 1), 2)


def _struct(maker: Maker, n: int, depth: int) -> pa.Array:
    return pa.StructArray.from_arrays([maker.column(n, depth + 1), maker.column(n, depth + 1)], ["a", "b"])


def _map(maker: Maker, n: int, _depth: int) -> pa.Array:
    values = [[("k", maker.random.randrange(9))] * maker.random.randrange(2) for _ in range(n)]
    return pa.array(values, pa.map_(pa.string(), pa.int32()))


_DAY = datetime.date(2024, 2, 29)
_TIME = datetime.time(9, 5, 1)
_MOMENT = datetime.datetime(2024, 2, 29, 9, 5, 1)
_AMOUNT = decimal.Decimal("1.10")

COLUMNS: list[Callable[[Maker, int, int], pa.Array]] = [
    *(
        _values(getattr(pa, name)(), [0, 1, 127])
        for name in ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
    ),
    _values(pa.uint64(), [0, 2**64 - 1]),
    _values(pa.int64(), [2**53 + 1, -(2**63)]),
    _values(pa.float32(), [0.0, -0.0, 1.5, float("inf")]),
    _values(pa.float64(), [0.1, -0.0, 1e300]),
    _values(pa.float16(), [np.float16(1.5), np.float16(0)]),
    _values(pa.bool_(), [True, False]),
    _values(pa.null(), []),
    *(_values(type_, ["01234", "", "é"]) for type_ in (pa.string(), pa.large_string(), pa.string_view())),
    *(_values(type_, [b"", b"\xff\0", b"a"]) for type_ in (pa.binary(), pa.large_binary(), pa.binary_view())),
    _values(pa.binary(3), [b"abc", b"\xff\xff\0"]),
    _values(pa.date32(), [_DAY]),
    _values(pa.date64(), [_DAY]),
    *(_values(type_, [_TIME]) for type_ in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"))),
    *(_values(pa.timestamp(unit, zone), [_MOMENT]) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC")),
    _values(pa.timestamp("us", "Europe/Vienna"), [_MOMENT]),
    *(_values(pa.duration(unit), [datetime.timedelta(1, 2)]) for unit in ("s", "ms", "us", "ns")),
    _values(pa.month_day_nano_interval(), [(1, 2, 3)]),
    *(_values(getattr(pa, f"decimal{bits}")(9, 2), [_AMOUNT]) for bits in (32, 64, 128, 256)),
    _dictionary,
    _dictionary,
    _extension(pa.uuid(), [uuid.UUID(int=5).bytes, uuid.UUID(int=2**127).bytes]),
    _extension(pa.json_(), ['{"a": 1.10}']),
    _extension(pa.bool8(), [0, 1]),
    _extension(pa.opaque(pa.binary(), "t", "v"), [b"x"]),
    _extension(pa.fixed_shape_tensor(pa.int8(), [2]), [[1, 2]]),
    _values(pa.list_view(pa.int16()), [[], [1, 2]]),
    _runs,
    _union,
    _map,
    _list,
    _list,
    _fixed_list,
    _struct,
    _struct,
]
NESTED = 5


# ---- the run ----


def check(files: list[File], options: dict[str, Any], folder: Path) -> str | None:
    """Run a case; say what differs."""
    source, out = folder / "in", folder / "out"
    for file in files:
        path = source / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.raw)
    single = len(files) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = dupdetect.dedup(
            source / files[0].name if single else source, canonical="first", id="none", workers=1, **options
        )
        result.write(out)
    for file in files:
        written = next(out.glob("kept.*"), None) if single else out / "kept" / file.name
        if file.kept is None and (written is None or not written.exists()):
            continue
        if written is None or not written.exists():
            return f"{file.name}: nothing was written"
        if single and not file.name.endswith(written.name.removeprefix("kept")):
            return f"{file.name}: written as {written.name}"
        problem = _differs(file.read(written.read_bytes()), file.kept)
        if problem:
            return f"{file.name}: {problem}"
    return None


def _differs(found: Any, expected: Any) -> str | None:
    if isinstance(expected, bytes):
        return None if found == expected else f"{found[:300]!r} and not {expected[:300]!r}"
    (table, codecs), (wanted, wanted_codecs) = found, expected
    if not table.schema.equals(wanted.schema, check_metadata=True):
        return f"the schema is {table.schema} and not {wanted.schema}"
    if repr(table.to_pylist()) != repr(wanted.to_pylist()):
        return f"{table.to_pylist()} and not {wanted.to_pylist()}"
    return (
        None if codecs == wanted_codecs or not table.num_rows else f"compressed with {codecs} and not {wanted_codecs}"
    )


def run(count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Run cases; return how many there were of each format, and what differs."""
    seen: Counter[str] = Counter()
    differing = []
    for number in range(seed, seed + count):
        name, files, options = Maker(number).case()
        seen[name.split(" ")[0]] += 1
        with tempfile.TemporaryDirectory() as folder:
            try:
                problem = check(files, options, Path(folder))
            except dupdetect.DupdetectError as error:
                problem = f"refused: {error}"
        if problem:
            differing.append(f"case {number}, {name}: {problem}")
    return seen, differing


def main() -> int:
    """Run the cases that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1, help="the number of the first case; each is made of its own")
    given = parser.parse_args()
    start = time.perf_counter()
    seen, differing = run(given.count, given.seed)
    print("\n".join(differing))
    seconds = time.perf_counter() - start
    print(f"{given.count} cases in {seconds:.0f} s: {dict(sorted(seen.items()))}; {len(differing)} differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
