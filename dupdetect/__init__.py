"""
Finds the copies in a collection of texts: exact, lightly edited, and syndicated inside other pages.

The names in ``__all__`` are the contract. Each is imported when it is first asked for, so that
``import dupdetect`` itself stays quick: no numpy, pyarrow or compiler is loaded by it.
"""

from __future__ import annotations

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

    room = _ROOM_OF[name]
    module = import_module(f"dupdetect.{room}")
    # All names of that room at once: `compare` the function thus takes the place of `compare` the module.
    globals().update({n: getattr(module, n) for n, r in _ROOM_OF.items() if r == room})
    return globals()[name]


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
