"""
An iterator to the same items, each made while the one before is used.

Input    an iterator whose work releases the interpreter's lock; or such work, piece by piece
Output   its items; or what the pieces make
Cost     a thread, and one item more in memory
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

_END = object()

#: What names of such threads begin with.
NAME = "dupdetect-reading"


def one_ahead(items: Iterator[Item], *, wait: bool = True) -> Iterator[Item]:
    """
    Iterate on a thread, one item ahead.

    What the iterator raises is raised here, in its place. Whoever stops early, or is interrupted, waits until the
    item that is being made is done; unless told not to, which is for iterators that are just let go of: a signal that
    comes while one waits there would be lost, for what a finaliser raises is.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix=NAME)
    try:
        coming = pool.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = pool.submit(next, items, _END)
            yield item  # type: ignore[misc]
    finally:  # which may come from the thread itself, where garbage is collected: it does not wait for its own end
        pool.shutdown(wait=wait and not threading.current_thread().name.startswith(NAME))


def made_ahead(jobs: Iterator[Callable[[], Item]]) -> Iterator[Item]:
    """
    Do jobs on a thread, one ahead of what is asked for; what jobs there are is asked on the caller's own.

    What a job raises is raised in its place, and what `jobs` raises behind what was made before.
    """
    pool = ThreadPoolExecutor(1, thread_name_prefix=NAME)
    failed: Exception | None = None
    try:
        before = None
        while failed is None:
            try:
                job = next(jobs, None)
            except Exception as error:
                failed, job = error, None
            coming = None if job is None else pool.submit(job)
            if before is not None:
                yield before.result()
            before = coming
            if coming is None:
                break
        if failed is not None:
            raise failed
    finally:  # which may come from the thread itself, as above; what it makes then is of no use
        pool.shutdown(wait=False, cancel_futures=True)
