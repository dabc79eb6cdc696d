"""Loops that run interpreted or compiled, from one source.

Input    a function in the subset of Python that numba compiles
Output   the same function, compiled where the work is worth the wait and numba is there
Cost     a first compiled call loads numba (half a second) and the code from its cache on disk, or compiles it

Compiled loops release the interpreter's lock, so blocks of work run on threads of an ordinary pool: no threading
layer that a fork or a second pool could upset.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any, Generic, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
Item = TypeVar("Item")

#: Steps of an interpreted loop that take about as long as loading numba and the compiled loop: half a second.
PATIENCE = 1_000_000

#: The same where numba is loaded already: some 20 ms.
SHORT_PATIENCE = 40_000

#: Parts of loops that have not been shown to the compiler.
_PARTS: list[Callable[..., Any]] = []
_COMPILING = threading.Lock()


def part(function: F) -> F:
    """Let compiled loops call a function; interpreted, it is what it is."""
    _PARTS.append(function)
    return function


class Loop(Generic[P, R]):
    """A function with a compiled twin; calling it runs it as it reads."""

    def __init__(self, function: Callable[P, R]) -> None:
        self.function = function
        self.__doc__ = function.__doc__

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run interpreted."""
        return self.function(*args, **kwargs)

    def worth(self, steps: float) -> Callable[P, R]:
        """Return whichever twin is sooner done with so many steps."""
        patience = SHORT_PATIENCE if "numba" in sys.modules else PATIENCE
        return self.compiled if steps > patience or "compiled" in self.__dict__ else self.function

    @cached_property
    def compiled(self) -> Callable[P, R]:
        """The compiled twin; the function itself where there is no compiler."""
        from dupdetect._compiled import kernels

        if not kernels.available():
            return self.function
        from numba.extending import register_jitable

        from dupdetect._compiled.blocks import kept

        with _COMPILING:
            while _PARTS:
                register_jitable(_PARTS.pop())
        return kept(self.function)  # type: ignore[no-any-return,no-untyped-call]


def on_threads(work: Callable[[Item], Any], items: Iterable[Item], workers: int) -> list[Any]:
    """Apply `work` to each item, on up to `workers` threads; results in the order of the items."""
    items = list(items)
    if workers <= 1 or len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(workers, len(items))) as pool:
        return list(pool.map(work, items))
