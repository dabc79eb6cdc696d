"""Functions that run interpreted or compiled, from one source.

Input    a function in the subset of Python that numba compiles
Output   the same function, compiled where the work is large enough and numba is there
Cost     a first compiled call loads numba (half a second) and the code from its cache on disk, or compiles it (some
         seconds); where nothing is on disk yet, work runs interpreted until that would have taken about as long

Compiled functions release the interpreter's lock, so blocks of work run on threads of an ordinary pool: no threading
layer that a fork or a second pool could upset; see `forks`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Generic, ParamSpec, TypeVar

from dupdetect._compiled.forks import STARTING

P = ParamSpec("P")
R = TypeVar("R")
F = TypeVar("F", bound=Callable[..., Any])
Item = TypeVar("Item")

#: Steps of an interpreted loop that take about as long as loading numba and the compiled one: half a second.
BREAK_EVEN = 1_000_000

#: The same where numba is loaded already: some 20 ms.
BREAK_EVEN_LOADED = 40_000

#: Steps of interpreted loops after which a function that is not on disk is compiled: some seconds of each.
BREAK_EVEN_COLD = 3_000_000

#: Functions that compiled ones call and that have not been registered with numba yet.
_HELPERS: list[Callable[..., Any]] = []

#: Whether small work comes again and again in this process (`expect_many_calls`).
_MANY_CALLS = False


def expect_many_calls() -> None:
    """Say that small work will come again and again: from now on all of it is compiled, however small it is.

    The compiled code is then loaded once, and each call is a hundred times as fast. No result depends on it.
    """
    global _MANY_CALLS
    _MANY_CALLS = True


@contextmanager
def many_calls() -> Iterator[None]:
    """Expect many calls while the context is open."""
    global _MANY_CALLS
    before, _MANY_CALLS = _MANY_CALLS, True
    try:
        yield
    finally:
        _MANY_CALLS = before


class _Heard(logging.Handler):
    """Hands on what the cache says."""

    def __init__(self, told: Callable[[str], None]) -> None:
        super().__init__()
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        self._told(record.getMessage())


@contextmanager
def compilations_told(told: Callable[[str], None]) -> Iterator[None]:
    """Tell of each function that is not on disk when it is compiled, while the context is open."""
    logger = logging.getLogger("dupdetect._compiled.cache")
    heard, level = _Heard(told), logger.level
    logger.addHandler(heard)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.setLevel(level)
        logger.removeHandler(heard)


def many_calls_expected() -> bool:
    """Say whether `expect_many_calls` was called."""
    return _MANY_CALLS


def compilable_helper(function: F) -> F:
    """Let `Compilable` functions call a function once they are compiled; interpreted, it is what it is."""
    _HELPERS.append(function)
    return function


class Allowance:
    """Work that may be done interpreted while compiled code is not on disk: a little more than compiling it takes.

    Parameters
    ----------
    most : float
        Steps.
    on_disk : callable
        Whether the compiled code is on disk; asked once.
    """

    def __init__(self, most: float, on_disk: Callable[[], bool]) -> None:
        self._left, self._on_disk, self._asked = most, on_disk, False

    def covers(self, steps: float) -> bool:
        """Say whether so many steps are to be interpreted, and count them."""
        if self._left > 0 and not _MANY_CALLS and not self._asked:
            self._asked, self._left = True, 0 if self._on_disk() else self._left
        if self._left <= 0 or _MANY_CALLS:
            return False
        self._left -= steps
        return self._left > 0


class Compilable(Generic[P, R]):
    """A function that can be compiled; calling it runs it interpreted."""

    def __init__(self, function: Callable[P, R]) -> None:
        self.function = function
        self.__doc__ = function.__doc__
        self._interpreted, self._in_use = Allowance(BREAK_EVEN_COLD, self.is_on_disk), False
        self._compiled: Callable[P, R] | None = None

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run interpreted."""
        return self.function(*args, **kwargs)

    def faster_for(self, steps: float) -> Callable[P, R]:
        """Return the function, compiled if that pays for so many steps of its loops, or if it has been compiled."""
        enough = BREAK_EVEN_LOADED if "numba" in sys.modules else BREAK_EVEN
        pays = self._in_use or steps > enough or _MANY_CALLS
        self._in_use = pays and (self._in_use or not self._interpreted.covers(steps))
        return self.compiled if self._in_use else self.function

    def is_on_disk(self) -> bool:
        """Whether the compiled function is on disk, or nothing will be compiled."""
        from dupdetect._compiled import kernels

        if not kernels.available():
            return True  # nothing will be compiled
        from dupdetect._compiled.cache import is_on_disk

        return is_on_disk(self.compiled)

    @property
    def compiled(self) -> Callable[P, R]:
        """The function compiled, or itself where there is no compiler."""
        if self._compiled is None:  # no `cached_property`, whose lock a fork would leave held
            with STARTING:
                self._compiled = self._compiled or self._made()
        return self._compiled

    @compiled.setter
    def compiled(self, function: Callable[P, R]) -> None:
        self._compiled = function

    def _made(self) -> Callable[P, R]:
        from dupdetect._compiled import kernels

        if not kernels.available():
            return self.function
        from numba.extending import register_jitable

        from dupdetect._compiled.cache import cached_njit

        while _HELPERS:
            register_jitable(_HELPERS.pop())
        return cached_njit(self.function)  # type: ignore[no-any-return,no-untyped-call]


def on_threads(work: Callable[[Item], Any], items: Iterable[Item], workers: int) -> list[Any]:
    """Apply `work` to each item, on up to `workers` threads; results in the order of the items."""
    items = list(items)
    if workers <= 1 or len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(min(workers, len(items))) as pool:
        return list(pool.map(work, items))
