"""
Finds the copies in a collection of texts: exact, lightly edited, and syndicated inside other pages.

The names in ``__all__`` are the contract. Each is imported when it is first asked for, so that
``import dupdetect`` itself stays quick: no numpy, pyarrow or compiler is loaded by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dupdetect.auditing import Audit, audit
    from dupdetect.comparison import Comparison, compare
    from dupdetect.errors import DupdetectError, InputError, MismatchError, OutputError, SettingsError
    from dupdetect.evaluation import evaluate
    from dupdetect.explaining import Explanation, explain
    from dupdetect.passages import Passage
    from dupdetect.pipeline import dedup, signatures, sketch
    from dupdetect.reporting import report
    from dupdetect.result import Cluster, Result
    from dupdetect.scores import Evaluation
    from dupdetect.settings import Settings
    from dupdetect.sketches import Sketches
    from dupdetect.sketchfiles import SketchFile, SketchWriter, read_sketches, write_sketches
    from dupdetect.tuning import Tuning, tune

__version__ = "0.1.0"

__all__ = [
    "Audit",
    "Cluster",
    "Comparison",
    "DupdetectError",
    "Evaluation",
    "Explanation",
    "InputError",
    "MismatchError",
    "OutputError",
    "Passage",
    "Result",
    "Settings",
    "SettingsError",
    "SketchFile",
    "SketchWriter",
    "Sketches",
    "Tuning",
    "audit",
    "compare",
    "dedup",
    "evaluate",
    "explain",
    "read_sketches",
    "report",
    "signatures",
    "sketch",
    "tune",
    "write_sketches",
]

_ROOM_OF = {
    "Audit": "auditing",
    "Cluster": "result",
    "Comparison": "comparison",
    "DupdetectError": "errors",
    "Evaluation": "scores",
    "Explanation": "explaining",
    "InputError": "errors",
    "MismatchError": "errors",
    "OutputError": "errors",
    "Passage": "passages",
    "Result": "result",
    "Settings": "settings",
    "SettingsError": "errors",
    "SketchFile": "sketchfiles",
    "SketchWriter": "sketchfiles",
    "Sketches": "sketches",
    "Tuning": "tuning",
    "audit": "auditing",
    "compare": "comparison",
    "dedup": "pipeline",
    "evaluate": "evaluation",
    "explain": "explaining",
    "report": "reporting",
    "read_sketches": "sketchfiles",
    "signatures": "pipeline",
    "sketch": "pipeline",
    "tune": "tuning",
    "write_sketches": "sketchfiles",
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
