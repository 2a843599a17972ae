"""Hashing: the scrambler of 64-bit values that all hashes use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.util.jit import compiled

U64 = NDArray[np.uint64]
# 2**64 divided by the golden ratio; its multiples spread evenly over all 64 bits.
GOLDEN_RATIO = np.uint64(0x9E3779B97F4A7C15)


def splitmix64(x: U64) -> U64:
    """Scramble 64-bit values by the SplitMix64 finalizer (Steele et al., OOPSLA 2014).

    Parameters
    ----------
    x : ndarray of uint64
        Any shape.

    Returns
    -------
    ndarray of uint64
        A bijection of the input, same shape.
    """
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


# The same for one value, in compiled loops.
splitmix64_one: Callable[[np.uint64], np.uint64] = compiled(cast("Any", splitmix64))
