"""Arrays that grow at the end, with room after what is in use."""

from __future__ import annotations

import math
import mmap
import sys
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Scalar = TypeVar("_Scalar", bound=np.generic)

# From so many bytes on an array has memory of its own: freed, it would leave a hole of its
# size in the heap, too small for the one that takes its place; and room that has never been
# written to takes no memory.
_LARGE = 1 << 18


def zeros(shape: tuple[int, ...], dtype: np.dtype[_Scalar]) -> NDArray[_Scalar]:
    """Return an array of zeros whose memory goes back to the system with it."""
    size = math.prod(shape) * dtype.itemsize
    if size < _LARGE:
        return np.zeros(shape, dtype=dtype)
    # Shared with nobody after a fork. Windows has neither forks nor the flag.
    if sys.platform == "win32":
        memory = mmap.mmap(-1, size)
    else:
        memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE)
    return np.frombuffer(memory, dtype=dtype).reshape(shape)


def with_room(array: NDArray[_Scalar], size: int) -> NDArray[_Scalar]:
    """Return an array of at least `size` rows that starts with the rows given."""
    if len(array) >= size:
        return array
    room = max(size, 2 * len(array)) + 64
    grown = zeros((room, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
