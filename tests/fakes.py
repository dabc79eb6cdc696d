"""A library that does nothing, for tests of the command: in this process, and in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pyarrow as pa

from dupdetect.io.rows import Rows
from dupdetect.settings import Settings

TEXTS = ["The ferry was late. ", "A recipe\nfor [bold]bread[/bold]", "\x1b[31mred\x07 and \u202eturned"]


class FakeResult:
    """Three clusters of three, two and one documents."""

    def __init__(self, ids: list[Any] | None = None, texts: list[str] | None = None) -> None:
        a, b, c, d, e, f = ids or ["a", "b", "c", "d", "e", "f"]
        self.clusters = pa.table(
            {
                "id": [a, b, c, d, e, f],
                "cluster": [a, b, a, b, a, f],
                "canonical": [True, True, False, False, False, True],
                "lost": [None, None, 0, 3, 12, None],
                "lost_share": [None, None, 0.0, 0.015, 0.04, None],
            }
        )
        self.rows = Rows.of(pa.table({"id": [a, b, f], "text": texts or TEXTS}))
        self.rejects = pa.table({"file": ["x.csv"], "row": [2], "reason": ["text is null"]})
        self.manifest = {
            "settings": Settings().as_dict(),
            "timings": {"read": 0.25},
            "caps": {"hot_keys": 0},
            "counts": {"digests": 0, "boilerplate_shingles": 0},
        }

    def close(self) -> None:
        pass

    def write(self, path: Path, *, format: str = "parquet", overwrite: bool = False) -> None:
        path.mkdir(exist_ok=overwrite)
        (path / f"clusters.{format}").write_text("")


DRIVER = """
    import sys, time, warnings
    import dupdetect
    from dupdetect.cli import main as cli
    from fakes import FakeResult

    def dedup(data, *, progress=None, **options):
        {body}
        return FakeResult()

    vars(dupdetect)["dedup"] = dedup
    sys.exit(cli.main())
"""


def started(script: Path, body: str, *arguments: str | Path, **options: Any) -> subprocess.Popen[bytes]:
    """Start the command with a `dedup` of the given body."""
    script.write_text(textwrap.dedent(DRIVER).format(body=body), encoding="utf-8")
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": {}} | options
    here = Path(__file__).parent
    options["env"] = os.environ | {"PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])} | options["env"]
    return subprocess.Popen([sys.executable, str(script), *map(str, arguments)], **options)
