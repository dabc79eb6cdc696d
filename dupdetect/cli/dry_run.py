"""`dupdetect dedup --dry-run`: what would be read, and about what it would take.

Input    files, and the options of a run
Output   lines on standard output; nothing is written
Cost     a run over the first rows; of larger files compiling before it, once for each machine
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

import dupdetect
from dupdetect._storage import memory
from dupdetect.cli.writing import read_as
from dupdetect.text.escape import escape_for_terminal

#: Rows that are read to tell by, if --sample does not say how many.
ROWS = 20_000

#: Bytes of files, compressed as they are, of which a run need not wait for compiled code, nor then what tells of one.
SMALL = 1 << 18

#: Files that are listed.
LISTED = 5


def show_plan(paths: list[Path], options: dict[str, Any]) -> None:
    """Print files, rows, memory and time of a run, estimated by its first rows."""
    from dupdetect._storage.workspace import memory_limit
    from dupdetect.io.paths import find, label
    from dupdetect.io.sample import First
    from dupdetect.io.streams import size_of
    from dupdetect.pipeline.corpus import FOOTPRINT
    from dupdetect.pipeline.warm import warm as compile_all

    found = find(paths, read_as(options))
    if any(file.piped for file in found):
        raise click.UsageError("--dry-run reads the first rows, and a pipe cannot be read again; give a file.")
    sizes = [size_of(file) for file in found]
    click.echo(f"{len(found):,} files, {memory.shown(sum(sizes))}")
    for file, size in list(zip(found, sizes, strict=True))[:LISTED]:
        packed = f", {file.compression}" if file.compression else ""
        click.echo(f"  {escape_for_terminal(label(file.path))}: {file.format}{packed}, {memory.shown(size)}")
    if len(found) > LISTED:
        click.echo(f"  and {len(found) - LISTED:,} more")
    rows = options.pop("sample", None) or ROWS
    if sum(sizes) > SMALL:
        compile_all()  # what is compiled once is not the pace of the rest
    start = time.perf_counter()
    tried = {name: value for name, value in options.items() if name not in ("work", "resume", "against", "sketches")}
    result = dupdetect.dedup(First(paths, rows), **tried)
    seconds = time.perf_counter() - start
    read, rejected = result.clusters.num_rows, result.rejects.num_rows
    text = _text_bytes(result, options.get("text", "text"))
    of_all = max(1.0, sum(sizes) / max(1, _bytes_read(found, sizes, result)))
    click.echo(f"\nThe first {read + rejected:,} rows took {seconds:,.1f} seconds")
    click.echo(f"  {read:,} documents, {read - result.rows.num_rows:,} of them copies; {rejected:,} rows rejected")
    for reject in result.rejects.slice(0, 3).to_pylist():
        click.echo(escape_for_terminal(f"    {reject['file']}:{reject['row']}: {reject['reason']}"))
    if read + rejected < rows:
        click.echo("  that is all")
        return
    limit, needed = memory_limit(options.get("memory")), int(FOOTPRINT * text * of_all)
    where = "in memory" if needed < limit else "in files, in a folder beside the output"
    click.echo("\nAll, if the rest is like it")
    click.echo(f"  about {(read + rejected) * of_all:,.0f} rows, {memory.shown(int(text * of_all))} of text")
    click.echo(f"  {where}: {memory.shown(limit)} may be used")
    click.echo(f"  about {seconds * of_all:,.0f} seconds; more copies are found among more documents")


def _text_bytes(result: Any, text: str) -> int:
    import pyarrow.compute as pc

    return sum(int(pc.sum(pc.binary_length(table[text])).as_py() or 0) for table in result.documents)


def _bytes_read(found: Any, sizes: list[int], result: Any) -> float:
    """Return about how many bytes of the files the rows had: whole files, and a share of the last."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    from dupdetect.io.paths import label
    from dupdetect.io.streams import as_file

    names = [label(file.path) for file in found]
    seen = {entry["values"]: entry["counts"] for entry in pc.value_counts(result.clusters["file"]).to_pylist()}
    last = max((names.index(name) for name in seen), default=0)
    whole = float(sum(sizes[:last]))
    file, size = found[last], sizes[last]
    if file.format == "text":
        return whole + size
    rows = int(pc.max(result.clusters["row"].filter(pc.equal(result.clusters["file"], names[last]))).as_py() or 1)
    if file.format == "Parquet" and file.compression is None:
        return float(whole + size * min(1.0, rows / max(1, pq.read_metadata(as_file(file)).num_rows)))
    return float(whole + min(size, _bytes_of_lines(file, rows)))


def _bytes_of_lines(file: Any, rows: int) -> float:
    """Return about how many bytes of a file its first rows take, compressed as they are."""
    from dupdetect.io.streams import as_stream, size_of

    lines = read = 0
    with as_stream(file) as stream:
        while lines < rows and (block := stream.read(1 << 16)):
            ended = block.count(b"\n")
            share = min(1.0, (rows - lines) / ended) if ended else 1.0
            lines, read = lines + ended, read + int(len(block) * share)
        if not file.compression:
            return float(read)
        rest = 0
        while (block := stream.read(1 << 20)) and rest < 64 << 20:
            rest += len(block)
        whole = not block
    size = size_of(file)
    return size * read / (read + rest) if whole else min(float(size), read / 4)
