"""
The errors this library raises on purpose, all under one base class.

    DupdetectError
    ├── SettingsError   a setting that cannot be (also a ValueError)
    ├── InputError      data or a file that cannot be read
    ├── OutputError     a folder or file that cannot be written
    └── MismatchError   two sketches made with different settings

Every message is one sentence: what was got, what was expected, where, what to do. A bad row is none of these:
it becomes a row of the rejects, unless reading is strict.
"""

from __future__ import annotations

from typing import ClassVar


class DupdetectError(Exception):
    """
    Base class of all errors of this library.

    Attributes
    ----------
    exit_code : int
        What the command exits with: 2 for usage, 1 for the rest.
    """

    exit_code: ClassVar[int] = 1


class SettingsError(DupdetectError, ValueError):
    """A setting has a value, or a combination with another, that cannot be."""

    exit_code: ClassVar[int] = 2


class InputError(DupdetectError):
    """Data or a file cannot be read: missing, unreadable, damaged, without the column, of the wrong type."""


class OutputError(DupdetectError):
    """Output cannot be written: it exists, is not permitted, or the disk is full; nothing is left behind."""


class MismatchError(DupdetectError):
    """Two sketches were made with different settings and cannot be compared."""
