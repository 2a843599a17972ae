"""Asking: the choice of the pairs of an archive that a person should judge next.

A pair is drawn with a probability proportional to its doubt, p (1 - p). Pairs are sorted by kind
(dated or not, of one outlet or two) and by score and drawn systematically, so that every kind and
every score has its share.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def draw_doubtful(
    chance: NDArray[np.float64],
    kind: NDArray[np.int64],
    count: int,
    generator: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Draw pairs, each at most once.

    Parameters
    ----------
    chance : ndarray of float64, shape (n,)
        The present probability of each pair to report one event.
    kind : ndarray of int64, shape (n,)
        Strata.
    count : int
    generator : Generator

    Returns
    -------
    places : ndarray of int64, shape (min(count, n),)
        Positions of the drawn pairs, ascending.
    inclusion : ndarray of float64, the same shape
        The probability with which each was drawn.
    """
    if count >= len(chance):
        return np.arange(len(chance)), np.ones(len(chance))
    shares = _inclusion(chance * (1 - chance) + 1e-9, count)
    order = np.lexsort((generator.random(len(chance)), chance, kind))
    ends = np.cumsum(shares[order])
    # Rounding must not drop the last draw.
    marks = np.minimum(generator.random() + np.arange(count), ends[-1] * (1 - 1e-12))
    places = np.unique(order[np.searchsorted(ends, marks, side="right")])
    return places, shares[places]


def _inclusion(doubt: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Divide draws in proportion to doubt, with none above 1."""
    shares = np.zeros(len(doubt))
    certain = np.zeros(len(doubt), dtype=bool)
    while True:
        rest = ~certain
        shares[certain] = 1
        shares[rest] = doubt[rest] / doubt[rest].sum() * (count - np.count_nonzero(certain))
        beyond = rest & (shares > 1)
        if not beyond.any():
            return shares
        certain |= beyond
