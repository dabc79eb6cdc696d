"""Pages of the web to their text.

Input    a page's bytes; a WARC file
Output   the text that a reader sees, or its main part; tables of the pages of an archive
Cost     that of `resiliparse` and `fastwarc`, the extra ``dupdetect[web]``
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dupdetect.errors import InputError

#: Rows of a table of an archive's pages.
PAGES_AT_ONCE = 512


class Pages(NamedTuple):
    """Some pages of an archive: their table, and their numbers among its responses, from 1."""

    table: pa.Table
    rows: NDArray[np.int64]


def check_installed(where: str) -> None:
    """Refuse what cannot be read without the extra.

    Raises
    ------
    InputError
    """
    if find_spec("resiliparse") is None or find_spec("fastwarc") is None:
        raise InputError(
            f"{where}: reading pages needs resiliparse and fastwarc, which are not installed: python -m pip install "
            "'dupdetect[web]'; or read HTML as it stands, tags and all, with input_format='text' (--input-format text)"
        )


def text_of(content: bytes, *, main: bool) -> str:
    """Return the text of a page that a reader sees; or its `main` part, without menus and footers."""
    from resiliparse.extract.html2text import extract_plain_text
    from resiliparse.parse.encoding import bytes_to_str, detect_encoding

    page = bytes_to_str(content, detect_encoding(content) or "utf-8")
    return str(extract_plain_text(page, main_content=main, alt_texts=False, list_bullets=False))


def pages_of(stream: Any, text: str, *, most: int, main: bool = False) -> Iterator[Pages]:
    """Read the pages of a WARC file: of its responses those that are HTML, and were found.

    Parameters
    ----------
    stream : file
        Decompressed.
    text : str
        The column of texts; beside it there are ``id`` (WARC-Record-ID), ``url`` and ``date``.
    most : int
        Bytes that a page may have; longer ones are cut there.
    main : bool
    """
    from fastwarc.warc import ArchiveIterator, WarcRecordType

    waiting: list[tuple[int, dict[str, str | None]]] = []
    reading: Any = _Plain(stream)
    records = ArchiveIterator(reading, record_types=WarcRecordType.response, auto_decode="all")
    for number, record in enumerate(records, 1):
        if not _is_page(record):
            continue
        page = text_of(record.reader.read(most), main=main)
        row = {"id": record.record_id, "url": record.headers.get("WARC-Target-URI")}
        waiting.append((number, {**row, "date": record.headers.get("WARC-Date"), text: page}))
        if len(waiting) == PAGES_AT_ONCE:
            yield _table(waiting, text)
            waiting = []
    yield _table(waiting, text)


class _Plain:
    """A stream that can be read, and says how far it was: others `fastwarc` would have seek, which none of ours can."""

    def __init__(self, stream: Any) -> None:
        self._stream, self._read = stream, 0

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        content = bytes(self._stream.read(size))
        self._read += len(content)
        return content

    def tell(self) -> int:
        """Return how many bytes were read."""
        return self._read


def _is_page(record: Any) -> bool:
    if record.http_headers is None or record.http_headers.status_code != 200:
        return False
    return record.http_content_type in ("text/html", "application/xhtml+xml")


def _table(rows: list[tuple[int, dict[str, str | None]]], text: str) -> Pages:
    schema = pa.schema([*((name, pa.string()) for name in ("id", "url", "date")), (text, pa.large_string())])
    table = pa.Table.from_pylist([row for _, row in rows], schema)
    return Pages(table, np.array([number for number, _ in rows], np.int64))
