"""A checksum of 64 bits, fast enough for every byte of an index."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.util.hashing import GOLDEN_RATIO
from sahel_dedup.util.jit import compiled

# The bytes of a file have the same checksum on every machine.
_WORD = np.dtype("<u8")


def checksum(data: bytes | NDArray[np.uint8], key: int = 0) -> int:
    """Return a checksum, which detects every single change, and others but for 2**-64.

    Parameters
    ----------
    data : bytes or ndarray of uint8
    key : int
        Below 2**63; another key gives another checksum.

    Returns
    -------
    int
        From -2**63 to 2**63 - 1, as SQLite's integers.
    """
    size = len(data)
    words = size >> 3
    rest = int.from_bytes(data[words << 3 :], "little")
    return int(_mix(np.frombuffer(data, _WORD, words), rest, size ^ key))


@compiled
def _mix(words: NDArray[np.uint64], rest: int, start: int) -> np.int64:
    """Mix words in four strands, each a bijection of its input."""
    a = b = c = d = np.uint64(start)
    for i in range(0, len(words) - 3, 4):
        a = _turned(a ^ words[i])
        b = _turned(b ^ words[i + 1])
        c = _turned(c ^ words[i + 2])
        d = _turned(d ^ words[i + 3])
    for i in range(len(words) // 4 * 4, len(words)):
        a = _turned(a ^ words[i])
    value = _turned(a ^ np.uint64(rest))
    for strand in (b, c, d):
        value = _turned(_turned(value) ^ strand)
    return np.int64(value)


@compiled
def _turned(value: np.uint64) -> np.uint64:
    value *= GOLDEN_RATIO
    return value << np.uint64(29) | value >> np.uint64(35)
