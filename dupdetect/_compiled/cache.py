"""Compiled functions to files, so that another process need not compile them again.

Input    a function in the subset of Python that numba compiles
Output   the same, compiled at its first call, or loaded if nothing that it is made of has changed
Cost     compiling takes seconds to a minute, loading some milliseconds

Numba by itself looks at the file of the function alone, and would load machine code into which an older version of a
function of another file is compiled. Here every entry of the cache carries a stamp of all that the function reaches.
"""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, ModuleType
from typing import Any

import llvmlite
import numpy as np
import xxhash
from numba import config, njit
from numba.core.caching import FunctionCache

_LOG = logging.getLogger(__name__)

#: Packages of which the version counts, and not what their functions do.
_FOREIGN = ("numba", "llvmlite", "numpy")


def cached_njit(function):
    """Compile a function at its first call and keep the code on disk, where there is a place for it.

    Numba tries NUMBA_CACHE_DIR, this folder, then the user's cache folder; then there is one of our own among temporary
    files; without any, each process compiles.
    """
    dispatcher: Any = njit(nogil=True)(function)
    with suppress(RuntimeError):  # "no locator available": no folder can be written
        try:
            dispatcher._cache = _Cache(function)
        except RuntimeError:
            folder = own_folder()
            if folder is not None:
                config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
                dispatcher._cache = _Cache(function)
    return dispatcher


def own_folder() -> Path | None:
    """Return a folder among temporary files that only this user can write, made if need be; None if there is none.

    What is in it is run. So it must be ours: made by this user, and closed to all others.
    """
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"dupdetect-{user}"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        known = folder.lstat()
        closed = not hasattr(os, "getuid") or (known.st_uid == user and not known.st_mode & 0o077)
        if stat.S_ISDIR(known.st_mode) and closed and os.access(folder, os.W_OK):
            return folder
    return None


def is_on_disk(dispatcher: Any) -> bool:
    """Whether code of a compiled function is on disk, and of what the function is made of now."""
    with suppress(Exception):
        cache = dispatcher._cache
        own = stamp(cache._py_func)
        return any(key[-1] == own for key in cache._cache_file._load_index())
    return False


class _Cache(FunctionCache):
    """Compiled code on disk that is never in the way.

    What cannot be read is compiled anew, what cannot be written is not: a full disk, a damaged file.
    """

    def _index_key(self, signature, codegen):
        return (*super()._index_key(signature, codegen), stamp(self._py_func))

    def load_overload(self, signature, target_context):
        found = None
        with suppress(Exception):
            found = super().load_overload(signature, target_context)
        if found is None:
            _LOG.info("compiling %s", self._py_func.__qualname__)
        return found

    def save_overload(self, signature, data):
        with suppress(Exception):
            super().save_overload(signature, data)


@lru_cache(maxsize=64)
def stamp(function: FunctionType) -> str:
    """Return a hash of all that a compiled function is made of: 32 hexadecimal digits.

    That is the byte code of the function and of every function that it reaches by name (compiled or plain, intrinsics
    and what builds them), the options that they are compiled with, the constants that they read, and the versions of
    numpy and llvmlite; of numba's own and Python's, numba itself takes care.
    """
    parts = sorted(_described(function))
    return xxhash.xxh3_128_hexdigest("\n".join([np.__version__, llvmlite.__version__, *parts]).encode())


def _described(function: FunctionType) -> Iterator[str]:
    """Yield a line for each function that is reached."""
    waiting: list[Any] = [function]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        plain = _plain(one)
        cells = {name: cell.cell_contents for name, cell in zip(*_closure(plain), strict=True)}
        named = {name: plain.__globals__[name] for name in _names(plain.__code__) if name in plain.__globals__}
        read = sorted((name, value) for name, value in {**named, **cells}.items() if not _followed(value))
        waiting += [value for value in (*named.values(), *cells.values()) if _followed(value)]
        constants = [f"{name}={_constant(value)}" for name, value in read]
        options = sorted(getattr(one, "targetoptions", {}).items())
        yield f"{plain.__qualname__} {options} {plain.__defaults__} {constants} {_code(plain.__code__)}"


def _plain(function: Any) -> FunctionType:
    """Return the function that a dispatcher, an intrinsic or a `Compilable` was made of."""
    for name in ("py_func", "_defn", "function"):
        function = getattr(function, name, function)
    return function  # type: ignore[no-any-return]


def _followed(value: Any) -> bool:
    plain = _plain(value)
    return isinstance(plain, FunctionType) and plain.__module__.partition(".")[0] not in _FOREIGN


def _closure(function: FunctionType) -> tuple[tuple[str, ...], tuple[Any, ...]]:
    return function.__code__.co_freevars, function.__closure__ or ()


def _names(code: CodeType) -> set[str]:
    """Return the global names that code mentions, that of functions within it too."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _code(code: CodeType) -> str:
    """Spell code out, without the places in files that it came from."""
    constants = [_code(value) if isinstance(value, CodeType) else _constant(value) for value in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"


def _constant(value: Any) -> str:
    """Spell a constant out, the same in every process."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype}{value.shape}{xxhash.xxh3_128_hexdigest(value.tobytes())}"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(_constant, value))})"
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_constant, value)))}}}"
    if isinstance(value, ModuleType | type | FunctionType | BuiltinFunctionType):
        return str(getattr(value, "__qualname__", value.__name__))
    plain = isinstance(value, bool | int | float | str | bytes | np.generic | np.dtype) or value is None
    return f"{type(value).__name__} {value!r}" if plain else type(value).__qualname__
