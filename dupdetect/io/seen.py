"""What pieces of an input show of its columns, seen one by one.

Input    `readers.Piece`s
Output   the columns and types of all, and errors where a file lacks a column that is needed
Cost     none to speak of
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dupdetect.errors import InputError
from dupdetect.io.identifiers import check_id_type
from dupdetect.io.readers import Piece
from dupdetect.io.schema import Columns, large_integers, names_shown
from dupdetect.io.text_column import has_column, lacking

#: The `id` that leaves a column of ids aside.
NUMBERED = "none"

#: What may separate the values of CSV that is read as if another character did.
DELIMITERS = ";|\t,"


class Seen:
    """What a stream has seen of columns, across its files."""

    def __init__(self, text: str, id: str | None, needed: Mapping[str, str]) -> None:
        self.columns = Columns()
        self.inferred = True
        self.named = None if id == NUMBERED else id or "id"
        self._text, self._needed = text, needed
        self._wanted = id not in (None, NUMBERED)
        self._having: str | None = None  # the first file with ids
        self._lacking: list[str] | None = None  # the first without, and its columns
        self._file = Columns()  # the one that is being read

    @property
    def id(self) -> str | None:
        """The column of ids, if there is one."""
        return self.named if self.named is not None and self.named in self.columns.names else None

    @property
    def read(self) -> set[str]:
        """The columns that are read, and not only kept."""
        return {self._text, *self._needed, *([] if self.named is None else [self.named])}

    def see(self, piece: Piece) -> None:
        """See another piece."""
        self.inferred &= piece.inferred
        large = large_integers(piece.table) if piece.inferred else ()
        self.columns.add(piece.table.schema, piece.name, large)
        self._file.add(piece.table.schema, piece.name)
        if not piece.loose:
            self._check_file(piece.name)
            self._file = Columns()

    def _check_file(self, name: str) -> None:
        """Refuse a file that lacks a column that is needed."""
        names = self._file.names
        if not names:  # empty
            return
        shown = names_shown(names)
        if self.named is not None and self.named in names:
            self._having = self._having or name
            check_id_type(self._file.schema(inferred=True).field(self.named).type, self.named, name)
        else:
            self._lacking = self._lacking or [name, shown]
            if self._wanted and self.named is not None:
                raise _missing(name, self.named, names)
        absent = lacking(self._text, names)
        if absent is not None:
            raise _missing(name, absent, names)
        for column, reader in self._needed.items():
            if not has_column(self._file.schema(inferred=True), column):
                raise InputError(
                    f"{name}: {reader} reads column {column!r}, but the columns are {shown}; name one of these"
                )
        if self._having and self._lacking:
            raise InputError(
                f"{self._lacking[0]}: there is no column 'id', but {self._having} has one; its columns are "
                f"{self._lacking[1]}: give all files ids, or read them separately"
            )

    def note(self) -> dict[str, Any]:
        """Return what has been seen, as JSON."""
        return {
            "columns": self.columns.note(),
            "inferred": self.inferred,
            "having": self._having,
            "lacking": self._lacking,
            "file": self._file.note(),
        }

    def restore(self, note: Mapping[str, Any]) -> None:
        """Go on where `note` was taken."""
        self.columns, self._file = Columns.from_note(note["columns"]), Columns.from_note(note["file"])
        self.inferred, self._having, self._lacking = note["inferred"], note["having"], note["lacking"]


def _missing(where: str, name: str, names: list[str]) -> InputError:
    remedy = "name one of these"
    if len(names) == 1 and any(character in names[0] for character in DELIMITERS):
        found = max(DELIMITERS, key=names[0].count)
        shown = "tab" if found == "\t" else f"'{found}'"
        remedy = (
            f"if these are several, say what separates them (--delimiter {shown}), and if it is not UTF-8, --encoding"
        )
    return InputError(f"{where}: there is no column {name!r}; the columns are {names_shown(names)}: {remedy}")
