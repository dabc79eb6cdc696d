"""
Finds the copies in a collection of texts: exact, lightly edited, and syndicated inside other pages.

The names in ``__all__`` are the contract. Each is imported when it is first asked for, so that
``import dupdetect`` itself stays quick: no numpy, pyarrow or compiler is loaded by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dupdetect._compiled import forks as _forks

if TYPE_CHECKING:
    from dupdetect.errors import DupdetectError, InputError, MismatchError, OutputError, SettingsError
    from dupdetect.evaluation.audit import Audit, audit
    from dupdetect.evaluation.evaluate import evaluate
    from dupdetect.evaluation.output_checks import Check, Verified, verify_output
    from dupdetect.evaluation.scores import Evaluation
    from dupdetect.evaluation.tune import Tuning, tune
    from dupdetect.index.answers import Match, Seen
    from dupdetect.index.index import Index
    from dupdetect.matching.compare import Comparison, compare
    from dupdetect.matching.passages import Passage
    from dupdetect.pipeline.dedup import dedup
    from dupdetect.pipeline.stages import choose_canonicals, cluster, find_candidates, verify
    from dupdetect.reports.explain import explain
    from dupdetect.reports.explanation import Explanation
    from dupdetect.reports.html import report
    from dupdetect.results.result import Cluster, Result
    from dupdetect.settings import Settings
    from dupdetect.sketches.build import signatures, sketch
    from dupdetect.sketches.files import SketchFile, SketchWriter, read_sketches, write_sketches
    from dupdetect.sketches.minhash import from_datasketch, to_datasketch
    from dupdetect.sketches.sketches import Sketches

__version__ = "0.1.0"

_forks.register()

__all__ = [
    "Audit",
    "Check",
    "Cluster",
    "Comparison",
    "DupdetectError",
    "Evaluation",
    "Explanation",
    "Index",
    "InputError",
    "Match",
    "MismatchError",
    "OutputError",
    "Passage",
    "Result",
    "Seen",
    "Settings",
    "SettingsError",
    "SketchFile",
    "SketchWriter",
    "Sketches",
    "Tuning",
    "Verified",
    "audit",
    "choose_canonicals",
    "cluster",
    "compare",
    "dedup",
    "evaluate",
    "explain",
    "find_candidates",
    "from_datasketch",
    "read_sketches",
    "report",
    "signatures",
    "sketch",
    "to_datasketch",
    "tune",
    "verify",
    "verify_output",
    "write_sketches",
]

_MODULE_OF = {
    "Audit": "evaluation.audit",
    "Check": "evaluation.output_checks",
    "Cluster": "results.result",
    "Comparison": "matching.compare",
    "DupdetectError": "errors",
    "Evaluation": "evaluation.scores",
    "Explanation": "reports.explanation",
    "Index": "index.index",
    "InputError": "errors",
    "Match": "index.answers",
    "MismatchError": "errors",
    "OutputError": "errors",
    "Passage": "matching.passages",
    "Result": "results.result",
    "Seen": "index.answers",
    "Settings": "settings",
    "SettingsError": "errors",
    "SketchFile": "sketches.files",
    "SketchWriter": "sketches.files",
    "Sketches": "sketches.sketches",
    "Tuning": "evaluation.tune",
    "Verified": "evaluation.output_checks",
    "audit": "evaluation.audit",
    "choose_canonicals": "pipeline.stages",
    "cluster": "pipeline.stages",
    "compare": "matching.compare",
    "dedup": "pipeline.dedup",
    "evaluate": "evaluation.evaluate",
    "explain": "reports.explain",
    "find_candidates": "pipeline.stages",
    "from_datasketch": "sketches.minhash",
    "read_sketches": "sketches.files",
    "report": "reports.html",
    "signatures": "sketches.build",
    "sketch": "sketches.build",
    "to_datasketch": "sketches.minhash",
    "tune": "evaluation.tune",
    "verify": "pipeline.stages",
    "verify_output": "evaluation.output_checks",
    "write_sketches": "sketches.files",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'dupdetect' has no attribute {name!r}")
    from importlib import import_module

    with _forks.STARTING:
        value = getattr(import_module(f"dupdetect.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
