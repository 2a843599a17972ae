"""Runs: groups of elements that stand one after another in an array."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def places_in_runs(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the elements of each run from 0.

    Parameters
    ----------
    sizes : ndarray of int64, shape (n_runs,)

    Returns
    -------
    ndarray of int64, shape (sizes.sum(),)
    """
    return np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
