"""The errors that this library raises on purpose.

::

    Exception
    └── DupdetectError
        ├── SettingsError   a setting that cannot be; also a ValueError
        ├── InputError      data or a file that cannot be read
        ├── OutputError     a folder or file that cannot be written
        └── MismatchError   two things that do not belong together: made with different settings, or from other data

Every message is one sentence: what was got, what was expected, where, what to do. A row that cannot be used is no
error: it becomes a row of the rejects, unless reading is strict.
"""

from __future__ import annotations

from typing import ClassVar


class DupdetectError(Exception):
    """Base class of all errors of this library.

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
    """Two things do not belong together.

    Sketches or sketch files made with different settings; an output and documents it was not made from; a work folder
    begun with another input or other settings than the run that is to go on in it.
    """
