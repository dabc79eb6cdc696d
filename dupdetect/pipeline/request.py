"""What travels through a run: what is asked for, and what it works with.

Input    the arguments of `dedup`
Output   `Request` and `RunContext`
Cost     none
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dupdetect._storage.context import Context
from dupdetect._storage.workspace import Workspace
from dupdetect.io import documents
from dupdetect.io.paths import AS_NAMED, ReadAs
from dupdetect.io.streams import MAX_TEXT
from dupdetect.pipeline.corpus import PART_BYTES
from dupdetect.pipeline.timing import Clock
from dupdetect.settings import Settings


@dataclass(frozen=True, eq=False)
class Request:
    """Which documents are to be read; as `dedup` has them.

    Attributes
    ----------
    data : any
    text : str
    id : str, optional
    strict : bool
    max_text : int
    id_prefix : str, optional
    needed : mapping of str to str
        Columns that the settings read, and which of them reads each.
    how : ReadAs
    """

    data: Any
    text: str
    id: str | None
    strict: bool
    max_text: int = MAX_TEXT
    id_prefix: str | None = None
    needed: Mapping[str, str] = field(default_factory=dict)
    how: ReadAs = AS_NAMED

    def stream(self, memory: int, after: dict[str, Any] | None = None) -> documents.Stream:
        """Return a stream of their parts, in a process of so many bytes; from some place on, if one is given."""
        part_bytes = min(PART_BYTES, memory // 32)
        ids = {"id": self.id, "id_prefix": self.id_prefix}
        return documents.stream(
            self.data,
            text=self.text,
            **ids,
            strict=self.strict,
            part_bytes=part_bytes,
            max_text=self.max_text,
            how=self.how,
            after=after,
            needed=self.needed,
        )


@dataclass(frozen=True, eq=False)
class RunContext:
    """What a run works with.

    Attributes
    ----------
    request : Request
    settings : Settings
    workers : int
    workspace : Workspace
    clock : Clock
    plan : dict
        All that decides what is found.
    """

    request: Request
    settings: Settings
    workers: int
    workspace: Workspace
    clock: Clock
    plan: dict[str, Any]

    @property
    def context(self) -> Context:
        """What stages work with, from here on: a run that moves to disk has another storage afterwards."""
        return Context(self.settings, self.workers, self.workspace.storage)
