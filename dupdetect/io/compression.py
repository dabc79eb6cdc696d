"""Streams of bytes, compressed or not.

Input    a stream, and how it is compressed
Output   what it holds; or a file to be written so
Cost     that of the compressor; a block is in memory at a time
"""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def decompressed(raw: Any, compression: str) -> Any:
    """A stream of what a compressed one holds."""
    import pyarrow as pa  # heavy

    if compression == "xz":  # which Arrow does not know
        return pa.PythonFile(lzma.open(raw), mode="r")
    return pa.CompressedInputStream(raw, compression)


@contextmanager
def compressed(path: Path, compression: str | None) -> Iterator[Any]:
    """Open a file to be written, compressed."""
    import pyarrow as pa  # heavy

    with path.open("wb") as raw:
        if compression is None:
            yield raw
        elif compression == "xz":
            with lzma.open(raw, "wb") as packed:
                yield packed
        else:
            with pa.PythonFile(raw, mode="w") as file, pa.CompressedOutputStream(file, compression) as stream:
                yield stream
