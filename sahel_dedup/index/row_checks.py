"""Checks of the content of the file of an index, before compiled loops use it.

Those loops do not check bounds: with a wrong length or number they would read or write anywhere in
memory. A seal does not protect from this, because anyone who crafts a file can seal it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# SQLite's integers are signed.
MOST = (1 << 63) - 1
MOST_32 = (1 << 31) - 1
# Cosines in single precision may be a little above 1.
HIGHEST_COSINE = 1.001
# The calendar of `datetime`, in days since 1970.
DAYS = (-719_162.0, 2_932_897.0)


def whole_numbers(
    name: str, values: Sequence[object], least: int = -MOST - 1, most: int = MOST
) -> NDArray[np.int64]:
    """Check a column of integers.

    Parameters
    ----------
    name : str
        The column, for messages.
    values : sequence
    least, most : int
        Its range.

    Returns
    -------
    ndarray of int64

    Raises
    ------
    ValueError
        If one has another type or is out of range.
    """
    _check_types(name, values, {int})
    numbers = np.array(values, dtype=np.int64)
    if len(numbers) and not (least <= numbers.min() and numbers.max() <= most):
        raise ValueError(f"{name}: a number out of range")
    return numbers


def rising_numbers(
    name: str, values: Sequence[object], after: int, most: int = MOST
) -> NDArray[np.int64]:
    """Check a column that names rows: ascending numbers above a given one."""
    numbers = whole_numbers(name, values, after + 1, most)
    if (np.diff(numbers) <= 0).any():
        raise ValueError(f"{name}: rows are out of order")
    return numbers


def real_numbers(
    name: str, values: Sequence[object], least: float, most: float, *, missing: bool = False
) -> NDArray[np.float64]:
    """Check a column of numbers, in which NaN marks missing ones."""
    _check_types(name, values, {float, type(None)} if missing else {float})
    numbers = np.array([math.nan if value is None else value for value in values])
    given = numbers if not missing else numbers[[value is not None for value in values]]
    # NaN is not in any range.
    if not ((given >= least) & (given <= most)).all():
        raise ValueError(f"{name}: a number out of range")
    return numbers


def blobs(
    name: str, values: Sequence[object], size: int | None = None, *, missing: bool = False
) -> None:
    """Check a column of bytes, of a given size if there is one."""
    _check_types(name, values, {bytes, type(None)} if missing else {bytes})
    if size is not None and {len(value) for value in values} - {size}:  # type: ignore[arg-type]
        raise ValueError(f"{name}: not {size} bytes")


def strings(name: str, values: Sequence[object], *, missing: bool = False) -> None:
    """Check a column of text."""
    _check_types(name, values, {str, type(None)} if missing else {str})


def offsets(name: str, values: Sequence[bytes], size: int) -> NDArray[np.int64]:
    """Return the start of each of several ragged rows, and the end of the last.

    Parameters
    ----------
    name : str
    values : sequence of bytes
        The rows.
    size : int
        Bytes per value.
    """
    lengths = np.array([0, *map(len, values)], dtype=np.int64)
    if (lengths % size).any():
        raise ValueError(f"{name}: a value is truncated")
    return np.cumsum(lengths // size)


def check_rising(name: str, values: NDArray[np.int32], starts: NDArray[np.int64]) -> None:
    """Check that the values of each ragged row are ascending."""
    falls = np.diff(values) <= 0
    inner = starts[1:-1]
    # They may fall between two rows.
    falls[inner[(inner > 0) & (inner < len(values))] - 1] = False
    if falls.any():
        raise ValueError(f"{name}: values are out of order")


def _check_types(name: str, values: Sequence[object], types: set[type]) -> None:
    if others := set(map(type, values)) - types:
        raise ValueError(f"{name}: {others.pop().__name__} is not a type of this column")
