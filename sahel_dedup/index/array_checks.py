"""Checks of arrays from a file, before compiled loops use them as indices."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.util.jit import compiled

_NOBODY = -1
# In UTF-8, these bits of a byte show whether it begins a letter.
_KIND, _INNER = 0xC0, 0x80


def check_numbers(name: str, values: NDArray[Any], least: int, most: int) -> None:
    """Check that integers are in a range.

    Raises
    ------
    ValueError
        If one is not.
    """
    if len(values) and not (least <= values.min() and values.max() <= most):
        raise ValueError(f"{name}: a number out of range")


def check_reals(
    name: str, values: NDArray[Any], least: float, most: float, *, missing: bool = False
) -> None:
    """Check that numbers are in a range, or NaN if some may be missing."""
    right = (values >= least) & (values <= most)
    if missing:
        right |= np.isnan(values)
    if not right.all():
        raise ValueError(f"{name}: a number out of range")


def check_offsets(name: str, offsets: NDArray[np.int64], size: int) -> None:
    """Check that the rows of a ragged array follow each other and end at its end."""
    if offsets[0] != 0 or offsets[-1] != size or (np.diff(offsets) < 0).any():
        raise ValueError(f"{name}: rows do not follow each other")


def check_text(
    name: str, letters: NDArray[np.uint8], ends: NDArray[np.int64], errors: str = "strict"
) -> None:
    """Check texts in UTF-8 whose ends `check_offsets` has checked."""
    str(letters.data, "utf-8", errors)
    inner = ends[ends < len(letters)]
    if (letters[inner] & _KIND == _INNER).any():
        raise ValueError(f"{name}: a text ends within a letter")


def check_table(name: str, table: NDArray[np.int32], size: int) -> None:
    """Check an open-addressing table: it has each number below `size` once, and is half empty."""
    room = len(table)
    if room & (room - 1) or 2 * size > room:
        raise ValueError(f"{name}: a table of {room} slots")
    if not _holds(table, np.zeros(size, dtype=bool)):
        raise ValueError(f"{name}: a table with other numbers")


def check_bits(name: str, values: NDArray[Any], mask: np.unsignedinteger[Any], most: int) -> None:
    """Check that the value of some bits of numbers is at most a limit."""
    if len(values) and _highest(values, mask) > most:
        raise ValueError(f"{name}: a number out of range")


@compiled
def _holds(table: NDArray[np.int32], found: NDArray[np.bool_]) -> bool:
    """Whether a table has each number once, given that none has been found yet."""
    count = 0
    for number in table:
        if number != _NOBODY:
            if number < 0 or number >= len(found) or found[number]:
                return False
            found[number] = True
            count += 1
    return count == len(found)


@compiled
def _highest(values: NDArray[Any], mask: np.unsignedinteger[Any]) -> int:
    highest = mask & 0
    for value in values:
        highest = max(highest, value & mask)
    return int(highest)
