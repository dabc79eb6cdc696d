"""How the buffers of an Arrow file or stream are compressed, which no function of pyarrow tells.

Input    a mapped file or stream
Output   "zstd", "lz4", or None
Cost     its footer and the head of one message, flatbuffers, in which a few members are looked up by number
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow.ipc

if TYPE_CHECKING:
    from dupdetect.io.streams import Mapped

#: Of an Arrow file: bytes behind its footer, and which member of that lists its batches.
_TAIL, _BATCHES = 10, 3


def body_compression(mapped: Mapped, is_file: bool) -> str | None:
    """Return how the buffers of the first batch are compressed: no function of Arrow tells."""
    if is_file:
        message = _first_of_file(mapped.source)
        codec = _codec_of(message, nested=False) if message else None
    else:
        codec = None
        for found in iter(pyarrow.ipc.MessageReader.open_stream(mapped.source).read_next_message, None):
            if found.type in ("record batch", "dictionary"):
                codec = _codec_of(found.metadata.to_pybytes(), nested=found.type == "dictionary")
                break
    mapped.source.seek(0)
    return codec


def _first_of_file(source: Any) -> bytes | None:
    """Return the message of the first batch of a file; None if it has none.

    Its footer says where that is: what is before it need be no stream (polars writes none).
    """
    source.seek(source.size() - _TAIL)
    length = int.from_bytes(source.read(4), "little")
    source.seek(source.size() - _TAIL - length)
    footer = source.read(length)
    blocks = _member(footer, _offset(footer, 0), _BATCHES)
    if not blocks or footer[blocks : blocks + 4] == bytes(4):
        return None
    offset = int.from_bytes(footer[blocks + 4 : blocks + 12], "little")
    size = int.from_bytes(footer[blocks + 12 : blocks + 16], "little")
    source.seek(offset)
    message = source.read(size)
    return message[8 if message.startswith(b"\xff\xff\xff\xff") else 4 :]  # type: ignore[no-any-return]


def _codec_of(message: bytes, *, nested: bool) -> str | None:
    """Look up, in a message as flatbuffers has it, the member `compression` of its batch."""
    batch = _member(message, _offset(message, 0), 2)
    if nested and batch:
        batch = _member(message, batch, 1)
    body = _member(message, batch, 3) if batch else 0
    if not body:
        return None
    place = _field(message, body, 0)
    return "zstd" if place and message[place] == 1 else "lz4"


def _offset(data: bytes, place: int) -> int:
    return place + int.from_bytes(data[place : place + 4], "little")


def _field(data: bytes, table: int, number: int) -> int:
    """Return the place of a member of a table; 0 if it has none."""
    vtable = table - int.from_bytes(data[table : table + 4], "little", signed=True)
    entry = 4 + 2 * number
    if entry >= int.from_bytes(data[vtable : vtable + 2], "little"):
        return 0
    within = int.from_bytes(data[vtable + entry : vtable + entry + 2], "little")
    return table + within if within else 0


def _member(data: bytes, table: int, number: int) -> int:
    """Return the table that is a member of a table; 0 if it has none."""
    place = _field(data, table, number)
    return _offset(data, place) if place else 0
