"""Options of what is evaluated, checked before the work.

Input    the name of an option, and what was given
Output   an error that says what was expected
Cost     none
"""

from __future__ import annotations

from typing import Any

from dupdetect.errors import SettingsError


def check_whole(name: str, value: Any, least: int) -> None:
    """Refuse what is no whole number from `least` on; those of numpy are such.

    Raises
    ------
    SettingsError
    """
    if isinstance(value, bool) or not hasattr(value, "__index__") or value < least:
        raise SettingsError(f"{name} is {value!r}; expected a whole number from {least} on")
