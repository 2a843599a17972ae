"""Loops over arrays, compiled to machine code when they are first called.

Where NumPy would take a dozen passes over an article, or a dozen calls for a single one, a plain
loop says what is done; Numba compiles it and keeps the machine code beside the module, or in
the user's cache where that is read-only. No fast arithmetic: every machine computes the same
bits. Compiled loops let go of the interpreter, and do not check bounds.

Numba makes machine code anew when the module of a loop changes, but not when another does from
which that takes a function or a constant: who edits one removes the ``.nbi`` files, as the tests
do.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numba

_P = ParamSpec("_P")
_R = TypeVar("_R")


def compiled(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Compile a function of arrays and numbers.

    Parameters
    ----------
    function : callable
        Loops over NumPy arrays, in the part of Python that Numba knows.

    Returns
    -------
    callable
        The same, compiled once for each combination of types it is called with.
    """
    dispatcher: Any = numba.njit(function, nogil=True, error_model="numpy")
    # Where there is nowhere to keep machine code, each process makes its own.
    with contextlib.suppress(RuntimeError):
        dispatcher.enable_caching()
    return cast("Callable[_P, _R]", dispatcher)
