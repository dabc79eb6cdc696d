"""
Finds the copies in a collection of texts: exact, lightly edited, and syndicated inside other pages.

The names in ``__all__`` are the contract. Each is imported when it is first asked for, so that
``import dupdetect`` itself stays quick: no numpy, pyarrow or compiler is loaded by it.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dupdetect.compare import Comparison, compare
    from dupdetect.errors import DupdetectError, InputError, MismatchError, OutputError, SettingsError
    from dupdetect.pipeline import dedup, signatures
    from dupdetect.result import Cluster, Result
    from dupdetect.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "Cluster",
    "Comparison",
    "DupdetectError",
    "InputError",
    "MismatchError",
    "OutputError",
    "Result",
    "Settings",
    "SettingsError",
    "compare",
    "dedup",
    "signatures",
]

_ROOM_OF = {
    "Cluster": "result",
    "Comparison": "compare",
    "DupdetectError": "errors",
    "InputError": "errors",
    "MismatchError": "errors",
    "OutputError": "errors",
    "Result": "result",
    "Settings": "settings",
    "SettingsError": "errors",
    "compare": "compare",
    "dedup": "pipeline",
    "signatures": "pipeline",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'dupdetect' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"dupdetect.{_ROOM_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """A package in which `compare` is the function: importing the module of that name does not replace it."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "compare" and isinstance(value, ModuleType):
            value = value.compare  # the import system binds what it has loaded to its name in the package
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
