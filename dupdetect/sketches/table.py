"""Sketches as a table, and back: the one schema of sketch files.

Input    ids and `Sketches`; or a table of them
Output   an Arrow table with the columns that `dupdetect.sketches.files` documents; or the same ids and sketches
Cost     a copy at the most
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
import xxhash

from dupdetect.errors import InputError, MismatchError
from dupdetect.settings import SKETCH_FIELDS
from dupdetect.sketches.sketches import Ragged, Sketches

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa
    from numpy.typing import NDArray

    from dupdetect.settings import Settings

#: What a document counts at least, in bytes, ids among it.
_LEAST_BYTES = 64


def end_to_end(parts: list[Sketches]) -> Sketches:
    """Put parts end to end, at least one; all with signatures or all without."""
    signatures = [part.signatures for part in parts if part.signatures is not None]
    return Sketches(
        parts[0].settings,
        np.concatenate([part.words for part in parts]),
        np.concatenate([part.digests for part in parts]),
        np.concatenate([part.band_keys for part in parts]),
        Ragged.end_to_end([part.fingerprints for part in parts]),
        np.concatenate(signatures) if signatures else None,
    )


def check_settings(where: str, made: Settings, wanted: Settings, *, bands: bool) -> None:
    """Refuse sketches that cannot be compared with those that are wanted.

    Parameters
    ----------
    where : str
        What the message begins with.
    made, wanted : Settings
    bands : bool
        Whether the bands must be the same: without signatures there are no others to be had.

    Raises
    ------
    MismatchError
        It names what differs.
    """
    mine, theirs = made.sketching, wanted.sketching
    pairs = [(name, mine.get(name), theirs.get(name)) for name in SKETCH_FIELDS]
    different = [f"{name} {own}, where {other} is wanted" for name, own, other in pairs if own != other]
    if bands and made.banding != wanted.banding:
        # Bands that nobody gave follow from the threshold, which somebody did.
        follows = "" if wanted.bands else f" for threshold {wanted.threshold}"
        different.append(f"bands {made.banding}, where {wanted.banding} is wanted{follows}")
    if different:
        raise MismatchError(
            f"{where} were made with {' and '.join(different)}; sketch the texts anew, or use the same settings"
        )


def checked_ids(ids: Any, n: int) -> pa.ChunkedArray:
    """Return ids of n documents as a column; refuse what cannot be written."""
    import pyarrow as pa

    from dupdetect.io.schema import plain_column

    try:
        column = ids if isinstance(ids, pa.ChunkedArray) else pa.chunked_array([ids])
    except (pa.ArrowException, TypeError, ValueError, OverflowError, UnicodeEncodeError) as error:
        raise InputError(f"the ids cannot be written ({error}); expected all strings or all integers") from error
    if len(column) != n:
        raise InputError(f"{len(column)} ids were given for {n} sketches; give one for each")
    if column.null_count:
        raise InputError(f"{column.null_count} of the ids are null; give every document an id")
    if pa.types.is_nested(column.type):
        raise InputError(f"the ids are {column.type}; expected strings or integers")
    return plain_column(column)


def table_schema(id_type: pa.DataType, bands: int, num_perm: int | None) -> pa.Schema:
    """Return the columns of sketches: so many bands, and signatures of so many entries, if any."""
    import pyarrow as pa

    columns = [
        ("id", id_type),
        ("words", pa.int64()),
        ("digest", pa.binary(16)),
        ("band_keys", pa.list_(pa.uint64(), bands)),
        ("fingerprints", pa.large_list(pa.uint64())),
    ]
    if num_perm is not None:
        columns.append(("signature", pa.list_(pa.uint32(), num_perm)))
    return pa.schema(columns)


def id_kind(type_: pa.DataType) -> str:
    """Name what a type of ids is one of; others can become it without loss, or say that they cannot."""
    import pyarrow as pa

    if pa.types.is_integer(type_):
        return "integers"
    return str(type_).removeprefix("large_")


def as_stored(schema: pa.Schema) -> pa.Schema:
    """Return the types that come back from a Parquet file: it has no seconds, for one."""
    import pyarrow as pa
    import pyarrow.parquet

    file = BytesIO()
    try:
        pyarrow.parquet.ParquetWriter(file, schema).close()
    except pa.ArrowException as error:
        type_ = schema.field("id").type
        raise InputError(f"ids of type {type_} cannot be written; expected strings or integers") from error
    return pyarrow.parquet.read_schema(file).remove_metadata()


def to_table(ids: pa.ChunkedArray, sketches: Sketches) -> pa.Table:
    """Return ids and sketches as a table; only ids may be copied."""
    import pyarrow as pa

    def rows(matrix: NDArray[Any]) -> pa.Array:
        return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1)), matrix.shape[1])

    digests = np.ascontiguousarray(sketches.digests, "<u8")
    fingerprints = sketches.fingerprints
    columns = {
        "id": ids,
        "words": pa.array(sketches.words),
        "digest": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), len(digests), [None, pa.py_buffer(digests)]),
        "band_keys": rows(sketches.band_keys),
        "fingerprints": pa.LargeListArray.from_arrays(pa.array(fingerprints.offsets), pa.array(fingerprints.values)),
    }
    if sketches.signatures is not None:
        columns["signature"] = rows(sketches.signatures)
    return pa.table(columns)


def of_table(table: pa.Table, settings: Settings, bands: int) -> tuple[pa.Array, Sketches]:
    """Return the ids and the sketches of a table of one chunk a column."""
    columns = {name: table[name].combine_chunks() for name in table.column_names}
    fingerprints = columns["fingerprints"]
    offsets = np.zeros(len(fingerprints) + 1, np.int64)
    np.cumsum(fingerprints.value_lengths().to_numpy(), out=offsets[1:])
    signature = columns.get("signature")
    digests = np.frombuffer(b"".join(_pieces(columns["digest"])), "<u8")
    return columns["id"], Sketches(
        settings,
        columns["words"].to_numpy(),
        digests.astype(np.uint64, copy=False).reshape(-1, 2),
        columns["band_keys"].flatten().to_numpy().reshape(-1, bands),
        Ragged(offsets, fingerprints.flatten().to_numpy()),
        None if signature is None else signature.flatten().to_numpy().reshape(-1, settings.num_perm),
    )


def no_sketches(settings: Settings, signatures: bool) -> Sketches:
    """Return the sketches of no documents."""
    return Sketches(
        settings,
        np.empty(0, np.int64),
        np.empty((0, 2), np.uint64),
        np.empty((0, settings.banding[0]), np.uint64),
        Ragged.of([]),
        np.empty((0, settings.num_perm), np.uint32) if signatures else None,
    )


def document_bytes(sketches: Sketches) -> NDArray[np.int64]:
    """Return how many bytes each document takes, roughly: where parts end goes by it."""
    fixed = _LEAST_BYTES + sketches.band_keys.shape[1] * 8
    if sketches.signatures is not None:
        fixed += sketches.signatures.shape[1] * 4
    return fixed + 8 * sketches.fingerprints.lengths  # type: ignore[no-any-return]


def checksum(column: pa.ChunkedArray) -> str:
    """Return the XXH3-64 of a column's values, however they are cut into chunks."""
    hasher = xxhash.xxh3_64()
    for part in zip(*map(_pieces, column.chunks), strict=True):
        for piece in part:
            hasher.update(piece)
    return hasher.hexdigest()


def _pieces(array: pa.Array) -> Iterator[Any]:
    """Yield the bytes of an array without nulls: lengths first, if it has any, then values."""
    import pyarrow as pa
    import pyarrow.compute as pc

    type_ = array.type
    if isinstance(type_, pa.BaseExtensionType):
        yield from _pieces(array.storage)
    elif pa.types.is_fixed_size_list(type_):
        yield from _pieces(array.flatten())
    elif pa.types.is_large_list(type_):
        yield from _pieces(array.value_lengths())
        yield from _pieces(array.flatten())
    elif pa.types.is_string(type_) or pa.types.is_binary(type_):
        yield from _pieces(array.cast(pa.large_binary()))
    elif pa.types.is_large_string(type_) or pa.types.is_large_binary(type_):
        yield from _pieces(pc.binary_length(array).cast(pa.int64()))
        offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
        yield memoryview(array.buffers()[2] or b"")[offsets[0] : offsets[-1]]
    elif pa.types.is_boolean(type_):
        yield from _pieces(array.cast(pa.uint8()))
    else:
        width = type_.bit_width // 8
        yield memoryview(array.buffers()[1] or b"")[width * array.offset : width * (array.offset + len(array))]
