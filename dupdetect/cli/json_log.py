"""The JSON log: what happens in a run, as it happens, one JSON object a line.

Input    stages as they begin, go on and end; notes and errors; what was found
Output   lines such as {"time": "2024-05-01T07:30:00.000+00:00", "event": "stage", "stage": "sign", "state": "begin"}
Cost     a line at the beginning and the end of a stage and every five seconds between

Events and what they hold beside `time` (ISO 8601, UTC):

========  ==============================================================================================
start     command, version, and what it was given
stage     stage, state ("begin", "end"), done, total (null: unknown), rate (a second), seconds, memory (bytes)
progress  the same without state; at most one in five seconds for a stage
note      message: a warning
error     message, and exit_code that follows from it
end       the last line: exit_code, seconds, memory, peak (bytes); of a run that succeeded counts, timings, caps
========  ==============================================================================================
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from datetime import datetime, timezone
from time import perf_counter
from typing import TYPE_CHECKING, Any, TextIO

from dupdetect._storage import memory
from dupdetect.cli.standard_streams import discard, tell
from dupdetect.errors import OutputError

if TYPE_CHECKING:
    from dupdetect.pipeline.progress import Moment, Stage


#: What every line begins with.
_BEGINNING = '{"time": "'


def _is_log(path: str) -> bool:
    """Tell whether a log may be appended to a file: to one that is one, or empty, or no file but a pipe or a device."""
    if not os.path.isfile(path):  # noqa: PTH113 - takes any name
        return True
    with open(path, "rb") as file:  # noqa: PTH123
        beginning = file.read(len(_BEGINNING))
    return beginning in (b"", _BEGINNING.encode())


class Log:
    """The JSON log; nothing is written until it is opened, and it is false until then."""

    def __init__(self) -> None:
        self._file: TextIO | None = None
        self._path: str | None = None
        self._begun = perf_counter()
        self._findings: dict[str, Any] = {}

    def __bool__(self) -> bool:
        return self._file is not None

    def open(self, path: str | None = None) -> None:
        """Begin to write: to the end of a file, or to standard error.

        Raises
        ------
        OutputError
            The file cannot be written, or holds something else: an input, say, or an index.
        """
        try:
            if path is not None and not _is_log(path):
                raise OutputError(f"{path}: this file is there and is no log, nothing is appended; name another file")
            self._file = sys.stderr if path is None else open(path, "a", encoding="utf-8")  # noqa: PTH123, SIM115
        except OSError as error:
            raise OutputError(f"{path}: cannot be written as a log ({error.strerror}); name another file") from None
        self._path = path

    @property
    def on_stderr(self) -> bool:
        """Whether standard error is the log's alone."""
        return self._file is not None and self._path is None

    def write(self, event: str, **values: Any) -> None:
        """Write a line, at once."""
        if self._file is None:
            return
        time = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        line = json.dumps({"time": time, "event": event, **values}, default=str)
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            self._give_up(self._file, error)

    def tell(self, moment: Moment, stage: Stage) -> None:
        """Write of a stage that it begins, goes on or ends."""
        state = {} if moment == "progress" else {"state": moment}
        self.write(
            "progress" if moment == "progress" else "stage",
            stage=stage.name,
            **state,
            done=stage.done,
            total=stage.total or None,
            rate=None if stage.rate is None else round(stage.rate, 1),
            seconds=round(stage.seconds, 3),
            memory=memory.resident(),
        )

    def found(self, **findings: Any) -> None:
        """Keep what the last line is to tell."""
        self._findings.update(findings)

    def close(self, exit_code: int) -> None:
        """Write the last line, and no more after it."""
        if self._file is None:
            return
        seconds = round(perf_counter() - self._begun, 3)
        sizes = {"memory": memory.resident(), "peak": memory.peak()}
        self.write("end", exit_code=exit_code, seconds=seconds, **sizes, **self._findings)
        if self._file is not None and self._path is not None:
            self._file.close()
        self._file = None

    def _give_up(self, file: TextIO, error: OSError) -> None:
        """Go on without lines: who read them has gone, or their disk is full, and the run is worth more."""
        self._file = None
        if self._path is None:
            discard(file)
            return
        with suppress(OSError):  # the line it could not write
            file.close()
        tell(f"dupdetect: note: {self._path}: the log ends here ({error.strerror})")
