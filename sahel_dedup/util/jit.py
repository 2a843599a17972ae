"""Loops over arrays, compiled to machine code when they are first called.

NumPy would need a dozen passes over an article, or a dozen calls for a single one. A plain loop
is clearer and faster. Numba is imported, and compiles a loop, when the loop is first called. The
machine code is kept for the next process (`sahel_dedup.util.code_cache`). Fast-math is off, so
every machine computes the same bits. Compiled loops release the GIL and do not check bounds.

What a loop calls is compiled with it, so loops are kept plain: they fill arrays that they are
given, for they cannot make one, and compare numbers by ``if``. ``np.zeros``, ``np.empty``, ``min``
and ``max`` inside loops took a third of the time that compiling takes.

``NUMBA_DISABLE_JIT=1`` runs the same loops as Python, to step through them.
"""

from __future__ import annotations

import functools
import gc
import hashlib
import logging
import os
import platform
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from sahel_dedup.util.code_cache import CodeCache, digest_of_sources, open_folder
from sahel_dedup.util.notices import note

if TYPE_CHECKING:
    from numba.core.compiler import CompileResult

logger = logging.getLogger(__name__)

_P = ParamSpec("_P")
_R = TypeVar("_R")
_LOCK = threading.RLock()
# No loop is passed to C code, for which Numba would compile a second entry point. Nor does one make
# an array, so no references are counted ("NRT"): that took a tenth of the time of compiling, and
# half of the time of a call.
_OPTIONS = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True, "_nrt": False}


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function of arrays and numbers, when it is first called.

    Parameters
    ----------
    function : callable
        Loops over NumPy arrays, in the part of Python that Numba knows. It may call other
        compiled functions. Arguments are passed by position.

    Returns
    -------
    callable
        The same function, compiled once for each combination of argument types.
    """
    return cast("Callable[_P, _R]", Loop(function))


class Loop:
    """A function that is compiled when it is first called.

    Parameters
    ----------
    function : callable
    """

    # A slot holds what a call runs, so that Python adds no call of its own to the thousands of
    # each second.
    __slots__ = ("__call__", "__dict__")
    __call__: Callable[..., Any]

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._entry: Any = None
        self._inner: Any = None
        self.__call__ = self._first_run

    def __reduce__(self) -> str:
        # By name: what a process compiled stays in it.
        return self._function.__qualname__

    def _first_run(self, *args: Any) -> Any:
        with _LOCK:
            if self._entry is None:
                self._entry = _entry(self._function)
                self.__call__ = self._entry
        return self._entry(*args)

    @property
    def _numba_type_(self) -> Any:
        """The type by which Numba knows this when another compiled function calls it."""
        with _LOCK:
            if self._inner is None:
                # What Python has not called needs no entry for that.
                self._inner = self._entry or _dispatcher(self._function, no_cpython_wrapper=True)
        return self._inner._numba_type_


def _entry(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function that Python calls."""
    import numba

    if numba.config.DISABLE_JIT:
        return _as_python(function)
    dispatcher = _dispatcher(function)
    if function.__module__.startswith("sahel_dedup."):
        dispatcher._cache = _numba_cache(function)
    return cast("Callable[..., Any]", dispatcher)


def _dispatcher(function: Callable[..., Any], **options: Any) -> Any:
    import numba

    _listen()
    return numba.njit(function, **_OPTIONS, **options)


def _as_python(function: Callable[..., Any]) -> Callable[..., Any]:
    """Run a loop as Python, with 64-bit numbers that wrap around without a warning as well."""
    import numpy as np

    @functools.wraps(function)
    def run(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args)

    return run


@functools.cache
def code_cache() -> CodeCache:
    """Return the cache of machine code, which is found once per process."""
    import numba

    # Numba's own key, which includes the processor, is part of the name of a piece.
    settings = (f"{k}={v}" for k, v in sorted(os.environ.items()) if k.startswith("NUMBA_"))
    also = (
        numba.__version__,
        platform.python_implementation(),
        platform.python_version(),
        *(setting for setting in settings if not setting.startswith("NUMBA_CACHE_DIR=")),
    )
    return CodeCache(open_folder(digest_of_sources(also), numba.config.CACHE_DIR))


def _numba_cache(function: Callable[..., Any]) -> Any:
    """Return a cache for the machine code of one loop, with the interface that Numba expects."""
    from numba.core.caching import NullCache
    from numba.core.compiler import CompileResult
    from numba.core.serialize import dumps, loads

    class LoopCache(NullCache):  # type: ignore[misc]
        """A cache with a file for each combination of types."""

        @property
        def cache_path(self) -> str | None:
            folder = code_cache().folder
            return None if folder is None else str(folder)

        def load_overload(self, signature: Any, target: Any) -> CompileResult | None:
            target.refresh()
            payload = code_cache().read(_piece(function, signature, target.codegen()))
            return None if payload is None else CompileResult._rebuild(target, *loads(payload))

        def save_overload(self, signature: Any, result: CompileResult) -> None:
            if not result.library.has_dynamic_globals:
                piece = _piece(function, signature, result.codegen)
                code_cache().write(piece, dumps(result._reduce()))

    return LoopCache()


def _piece(function: Callable[..., Any], signature: Any, codegen: Any) -> str:
    """Return the name of the machine code of a loop for some types and processor."""
    whole = repr((function.__module__, function.__qualname__, signature, codegen.magic_tuple()))
    return f"{function.__name__}-{hashlib.blake2b(whole.encode(), digest_size=8).hexdigest()}"


@functools.cache
def _listen() -> None:
    """Announce the first compilation of this process, and make all of them faster."""
    from numba.core import event

    class Compilations(event.Listener):  # type: ignore[misc]
        def __init__(self) -> None:
            self.depth = 0
            self.announced = self.collects = False

        def on_start(self, started: Any) -> None:
            function = started.data["dispatcher"].py_func
            if not self.announced and function.__module__.startswith("sahel_dedup."):
                self.announced = True
                note(
                    logger,
                    "compiling loops to machine code, once after each installation",
                )
            if self.depth == 0:
                # The compiler makes millions of objects, and scanning them for garbage would take a
                # tenth of the time.
                self.collects = gc.isenabled()
                gc.disable()
            self.depth += 1

        def on_end(self, ended: Any) -> None:
            self.depth -= 1
            if self.depth == 0 and self.collects:
                gc.enable()

    event.register("numba:compile", Compilations())


_WARM = "all"


def is_warm() -> bool:
    """Whether `mark_warm` was called for these sources and this processor."""
    return code_cache().read(_WARM) is not None


def mark_warm() -> None:
    """Record that all loops have been compiled."""
    code_cache().write(_WARM, b"")
