"""What a run would be, without running it: whether an output is already what it would write.

Input    what `dedup` is given
Output   the checksum of its plan
Cost     a look at each input file
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from dupdetect._storage.workspace import memory_limit
from dupdetect.io.paths import ReadAs
from dupdetect.io.streams import MAX_TEXT, check_max_text
from dupdetect.pipeline.incremental import AgainstEarlier
from dupdetect.pipeline.manifest import plan, plan_checksum
from dupdetect.pipeline.request import Request
from dupdetect.pipeline.rules import Plain

if TYPE_CHECKING:
    from dupdetect.pipeline.earlier_runs import Given
    from dupdetect.settings import Settings


def planned(
    data: Any,
    *,
    settings: Settings,
    text: str = "text",
    id: str | None = None,
    id_prefix: str | None = None,
    strict: bool = False,
    max_text: int = MAX_TEXT,
    input_format: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    against: Given | Iterable[Given] | None = None,
    replaces: str | os.PathLike[str] | None = None,
) -> str:
    """Return the checksum of the plan of a run, which its manifest has, without running it; parameters as `dedup`'s."""
    how = ReadAs(input_format, encoding, delimiter, settings.listed).checked()
    request = Request(data, text, id, strict, check_max_text(max_text), id_prefix, settings.columns, how)
    with Plain() if against is None else AgainstEarlier.of(against, settings, text, 1, replaces) as rules:
        return plan_checksum(plan(request, settings, request.stream(memory_limit(None)).inputs, rules.files))
