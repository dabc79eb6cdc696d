"""Documents from anywhere to batches that an index takes.

Input    a document, or whatever `dedup` takes
Output   `Batch`: ids, texts and sketches, metadata, and when each expires
Cost     that of reading and sketching
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from datetime import time as clock
from decimal import Decimal
from functools import partial
from itertools import pairwise
from numbers import Real
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict
from uuid import UUID

import numpy as np
import pyarrow as pa

from dupdetect.clustering.dates import as_seconds
from dupdetect.errors import InputError
from dupdetect.index.bodies import Raw, compressed
from dupdetect.index.changes import Batch
from dupdetect.io.documents import stream
from dupdetect.io.paths import ReadAs
from dupdetect.io.read_ahead import made_ahead
from dupdetect.io.rejected import nothing_usable, warn_of_rejects
from dupdetect.io.schema import names_shown, plain_column
from dupdetect.io.streams import MAX_TEXT, check_max_text
from dupdetect.sketches.sketches import buffers

if TYPE_CHECKING:
    from dupdetect.index.holdings import Holdings
    from dupdetect.io.documents import Part, Stream
    from dupdetect.io.originals import Originals

#: Documents of a batch that is added, and bytes of text that are read at a time. In a large index each batch touches
#: pages all over it, which are read and written once for all of its documents.
ADDED, PART_BYTES = 4096, 24 << 20

#: Documents that are removed, or read again, at a time.
DOCUMENTS = 1024

#: Seconds from 1970 to the end of the year 9999, and some.
_MOST_SECONDS = 260_000_000_000


def one(
    holdings: Holdings, id: Any, text: Any, metadata: Mapping[str, Any] | None, expires: datetime | float | None
) -> Batch:
    """Return a batch of one document; of None for an id, one that is only asked about."""
    whose = "the text" if id is None else f"the text of {id!r}"
    if not isinstance(text, str):
        raise InputError(f"{whose} is of type {type(text).__name__}; expected a string")
    try:
        raw = text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{whose} cannot be UTF-8 ({error}); give a string without surrogates") from None
    when, kept = None if expires is None else moment(expires), as_metadata(metadata)
    ids = [] if id is None else holdings.identifiers.encoded([id])  # last: the first ids say of what type all are
    texts, stored = pa.array([text], pa.large_string()), id is not None
    return _batch(holdings, ids, texts, [raw], [kept], [when], stored=stored)


def _batch(
    holdings: Holdings,
    ids: list[str],
    texts: pa.Array,
    raw: Sequence[Raw],
    metadata: list[str | None],
    expires: list[int | None],
    *,
    stored: bool = True,
) -> Batch:
    workers = holdings.context.workers if len(raw) > 1 else 1
    sketches = holdings.sketched(texts, workers)
    bodies = compressed(raw, workers) if stored and holdings.keeps_texts else []
    return Batch(ids, raw, bodies, sketches, metadata, expires)


def as_metadata(metadata: Mapping[str, Any] | None) -> str | None:
    """Return metadata as JSON; dates as ISO 8601."""
    if not metadata:
        return None
    try:
        return json.dumps(dict(metadata), ensure_ascii=True, default=_written)
    except (TypeError, ValueError) as error:
        raise InputError(f"the metadata cannot be JSON ({error}); give numbers, strings, lists and mappings") from None


def _written(value: Any) -> Any:
    if isinstance(value, date):  # datetime is one
        return value.isoformat()
    if isinstance(value, np.datetime64 | np.timedelta64 | Decimal | UUID | clock | timedelta | PurePath):
        return str(value)
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, pa.Scalar):
        return value.as_py()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{'bytes are' if isinstance(value, bytes) else f'{type(value).__name__} is'} none of its types")


def moment(when: datetime | float) -> int:
    """Return a moment in microseconds since 1970, in UTC."""
    if isinstance(when, datetime):
        zoned = when if when.tzinfo else when.replace(tzinfo=timezone.utc)
        return int(zoned.timestamp() * 1e6)
    if isinstance(when, bool) or not isinstance(when, Real):
        raise InputError(f"a moment is {when!r}; expected a datetime, or seconds since 1970")
    if not abs(when) < _MOST_SECONDS:  # NaN too
        raise InputError(f"a moment is {when!r} seconds after 1970, which no calendar reaches; is it in milliseconds?")
    return int(float(when) * 1e6)


class Came(NamedTuple):
    """Rows of an input, as they came.

    Attributes
    ----------
    table : pyarrow.Table
    originals : Originals, optional
        Where they stand in the files that were read, if there they can be copied from.
    """

    table: pa.Table
    originals: Originals | None


class Reading(TypedDict, total=False):
    """How documents are read, as keywords of `Index.add_many`: what they mean stands there."""

    text: str
    id: str | None
    metadata: str | Iterable[str] | None
    expires: str | None
    strict: bool
    max_text: int | str
    rejected: Callable[[pa.Table], None] | None
    id_prefix: str | None
    input_format: str | None
    encoding: str | None
    delimiter: str | None


def of_stream(holdings: Holdings, data: Any, reading: Reading) -> Iterator[tuple[Batch, Came]]:
    """Yield the documents of an input in batches, with their rows as they came: one is made while another is stored."""
    unknown = sorted(reading.keys() - Reading.__annotations__.keys())
    if unknown:
        raise TypeError(f"unexpected keyword {unknown[0]!r}; there are {', '.join(Reading.__annotations__)}")
    reader = stream(
        data,
        text=reading.get("text", "text"),
        id=reading.get("id"),
        id_prefix=reading.get("id_prefix"),
        strict=reading.get("strict", False),
        part_bytes=PART_BYTES,
        max_text=check_max_text(reading.get("max_text", MAX_TEXT)),
        how=ReadAs(reading.get("input_format"), reading.get("encoding"), reading.get("delimiter")).checked(),
    )
    chosen, expires = reading.get("metadata"), reading.get("expires")
    names = columns_kept(holdings, chosen)
    rejects: list[pa.Table] = []
    documents = 0
    originals = reader.originals(np.empty(0, np.int32), np.empty(0, np.int64))

    def parts() -> Iterator[Callable[[], tuple[Batch, Came]]]:
        nonlocal documents
        for part in reader:
            documents += len(part)
            if part.rejects.num_rows:
                rejects.append(part.rejects)
            if not len(part):  # a part of rejects alone
                continue
            each = -(-len(part) // max(1, round(len(part) / ADDED)))  # no batch of the few that are left over
            for first in range(0, len(part), each):
                some = slice(first, first + each)
                here = originals and replace(originals, file=part.file[some], row=part.row[some])
                yield partial(_of_part, holdings, reader, part, some, names, expires, here)

    yield from made_ahead(parts())
    if rejects:
        _tell_rejects(pa.concat_tables(rejects), documents, reading.get("rejected"))


def columns_kept(holdings: Holdings, chosen: str | Iterable[str] | None) -> list[str]:
    """Return the columns that are kept as metadata: one or several that were named, else those that rank documents."""
    if chosen is None:
        return holdings.settings.ranking_columns
    return [chosen] if isinstance(chosen, str) else list(chosen)


def _tell_rejects(rejects: pa.Table, documents: int, told: Callable[[pa.Table], None] | None) -> None:
    """Hand on what could not be used, or warn of it; if that is all that came, it is an error."""
    if told is not None:
        told(rejects)
    if not documents:
        raise InputError(nothing_usable(rejects))
    if told is None:
        warn_of_rejects(rejects, documents + rejects.num_rows)


def _of_part(
    holdings: Holdings,
    reader: Stream,
    part: Part,
    some: slice,
    names: list[str],
    expires: str | None,
    originals: Originals | None,
) -> tuple[Batch, Came]:
    table, texts = (each.slice(some.start, some.stop - some.start) for each in (part.table, part.texts))
    lacking = [name for name in [*names, *([expires] if expires else [])] if name not in table.column_names]
    if lacking:
        columns = names_shown(table.column_names)
        raise InputError(f"there is no column {lacking[0]!r}; the columns are {columns}: name one of these")
    kept: list[str | None] = (
        [as_metadata(row) for row in table.select(names).to_pylist()] if names else [None] * len(table)
    )
    when: list[int | None] = _moments(plain_column(table[expires]), expires) if expires else [None] * len(table)
    ids = holdings.identifiers.encoded(reader.ids(table, part.file[some], part.row[some]), reader.id_type)
    return _batch(holdings, ids, texts, _views(texts), kept, when), Came(table, originals)


def _views(texts: pa.Array) -> list[memoryview]:
    """Return the bytes of each text where they are: a copy of all would be as much memory again."""
    data, offsets = buffers(texts)
    bounds, whole = offsets.tolist(), data.data
    return [whole[start:end] for start, end in pairwise(bounds)]


def _moments(column: pa.ChunkedArray, name: str) -> list[int | None]:
    """Return the moments of a column: dates, strings that are such, or seconds since 1970."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pa.chunked_array([as_seconds(column.cast(pa.string()), name)])
    if pa.types.is_null(column.type):  # of a file, or a part of it, in which nothing expires
        return [None] * len(column)
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        # What is finer than a microsecond is let go; seconds may be more than microseconds can count.
        whole = not (pa.types.is_timestamp(column.type) and column.type.unit == "ns")
        try:
            moments = column.cast(pa.timestamp("us", getattr(column.type, "tz", None)), safe=whole).cast(pa.int64())
        except pa.ArrowInvalid:
            raise InputError(f"column {name!r} ({column.type}) has a moment which no calendar reaches") from None
        return list(moments.to_pylist())
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return [None if value is None else moment(value) for value in column.to_pylist()]
    raise InputError(f"column {name!r} is {column.type}; expected dates, or seconds since 1970")


def strings(raw: list[bytes]) -> pa.Array:
    """Return texts, given as bytes, as stages take them."""
    return pa.array(raw, pa.large_binary()).cast(pa.large_string())
