"""
An iterator to the same items, each made while the one before is used.

Input    an iterator whose work releases the interpreter's lock; or such work, piece by piece
Output   its items; or what the pieces make
Cost     a thread, and one item more in memory
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")

_END = object()


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """
    Iterate on a thread, one item ahead.

    What the iterator raises is raised here, in its place. Whoever stops early, or is interrupted, does not wait for
    the item that is being made: it is made to its end, no other follows, and the thread ends.
    """
    pool = ThreadPoolExecutor(1)
    try:
        coming = pool.submit(next, items, _END)
        while (item := coming.result()) is not _END:
            coming = pool.submit(next, items, _END)
            yield item  # type: ignore[misc]
    finally:
        # This may come from any thread, wherever garbage is collected: from one that the item waits for, or that holds
        # a lock which the item needs. Who waited there would wait for ever; and a signal that came would be lost.
        pool.shutdown(wait=False, cancel_futures=True)


def made_ahead(jobs: Iterator[Callable[[], Item]]) -> Iterator[Item]:
    """
    Do jobs on a thread, one ahead of what is asked for; what jobs there are is asked on the caller's own.

    What a job raises is raised in its place, and what `jobs` raises behind what was made before.
    """
    pool = ThreadPoolExecutor(1)
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
        pool.shutdown()  # nothing is being made; what the thread took, allocators give back once it has ended
        if failed is not None:
            raise failed
    finally:  # which may come from any thread, as above
        pool.shutdown(wait=False, cancel_futures=True)
