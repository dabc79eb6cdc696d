"""
An iterator to the same items, each made while the one before is used.

Input    an iterator whose work releases the interpreter's lock
Output   its items
Cost     a thread, and one item more in memory
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

_END = object()

#: What names of such threads begin with.
NAME = "dupdetect-reading"


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """
    Iterate on a thread, one item ahead.

    What the iterator raises is raised here, in its place. Whoever stops early, or is interrupted, waits until the
    item that is being made is done.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix=NAME)
    try:
        coming = pool.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = pool.submit(next, items, _END)
            yield item  # type: ignore[misc]
    finally:  # which may come from the thread itself, where garbage is collected: it does not wait for its own end
        pool.shutdown(wait=not threading.current_thread().name.startswith(NAME))
