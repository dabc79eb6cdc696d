"""What is named on the command line as a text, or comes as lines: a file, or - for standard input.

Input    the name of a file, or -
Output   its text, line ends and all; or lines
Cost     that of reading it, whole
"""

from __future__ import annotations

from pathlib import Path

from dupdetect.errors import InputError


def text_of(name: str, hint: str = "name a file, or - for standard input") -> str:
    """Return the text of a file in UTF-8, as it stands there but for a byte order mark.

    Parameters
    ----------
    name : str
        The file; -: standard input.
    hint : str
        What to do, if there is no such file.

    Raises
    ------
    InputError
        There is none, it is no UTF-8, or standard input is closed.
    """
    from dupdetect.io.streams import standard_input

    try:
        data = standard_input().read() if name == "-" else Path(name).read_bytes()
    except FileNotFoundError:
        raise InputError(f"{name}: there is no such file; {hint}") from None
    try:
        return str(data, "utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name}: byte {error.start} is not UTF-8 ({error.reason}); convert the file to UTF-8."
        ) from None


def lines_of_standard_input() -> list[str]:
    r"""Return the lines of standard input without what ends them, ``\n`` or ``\r\n``; errors as of `text_of`."""
    lines = text_of("-").split("\n")
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]
