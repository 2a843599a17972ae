"""The window: how far apart in time the articles of one story may be.

It applies to whole stories, not to pairs: with a window of seven days, reports of days 0, 5 and 10
are not one story, although each is near enough to the next. An article without a date fits
anywhere.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.util.jit import compiled


class Times(NamedTuple):
    """The times of articles, and how far apart the articles of one story may be.

    Attributes
    ----------
    first, last : ndarray of float64, shape (n,)
        First and last day of each article and its exact copies; NaN without a date.
    window : float
        In days.
    """

    first: NDArray[np.float64]
    last: NDArray[np.float64]
    window: float

    def take(self, rows: NDArray[np.int64]) -> Times:
        """Return the times of some articles."""
        return Times(self.first[rows], self.last[rows], self.window)

    def of_groups(self, group: NDArray[np.int64], n: int) -> Times:
        """Return the times of `n` groups of articles, given the group of each article."""
        first, last = np.full(n, np.nan), np.full(n, np.nan)
        np.fmin.at(first, group, self.first)
        np.fmax.at(last, group, self.last)
        return Times(first, last, self.window)

    def within(self) -> NDArray[np.bool_]:
        """Return whether all of them, or all of each row, are within the window."""
        last = np.fmax.reduce(self.last, axis=-1, initial=np.nan)
        first = np.fmin.reduce(self.first, axis=-1, initial=np.nan)
        return np.asarray(~(last - first > self.window))


@compiled
def fit(
    a: int, b: int, first: NDArray[np.float64], last: NDArray[np.float64], window: float
) -> bool:
    """Whether two groups, given by their first and last days, fit into one window."""
    return not np.fmax(last[a], last[b]) - np.fmin(first[a], first[b]) > window


def link_within(
    mean: NDArray[np.float64],
    threshold: float,
    first: NDArray[np.float64],
    last: NDArray[np.float64],
    window: float,
) -> NDArray[np.int64]:
    """Link articles by average linkage, as long as they fit into the window.

    Among the groups that fit, the two with the highest mean are joined first.

    Parameters
    ----------
    mean : ndarray of float64, shape (m, m)
        Scores of all pairs; changed in place.
    threshold : float
        Lowest mean at which two groups are joined.
    first, last, window
        See `Times`.

    Returns
    -------
    ndarray of int64, shape (m,)
        First article of the group of each.
    """
    head, best = np.arange(len(mean)), np.empty(len(mean), dtype=np.int64)
    size = np.ones(len(mean))
    _link(mean, threshold, first.copy(), last.copy(), window, head, size, best)
    return head


@compiled
def _link(
    mean: NDArray[np.float64],
    threshold: float,
    first: NDArray[np.float64],
    last: NDArray[np.float64],
    window: float,
    head: NDArray[np.int64],
    size: NDArray[np.float64],
    best: NDArray[np.int64],
) -> None:
    """Fill in the `head` of the group of each article; changes all arrays."""
    m = len(mean)
    for k in range(m):
        best[k] = _partner(k, mean, head, first, last, window)
    while True:
        a = _strongest(best, mean, head)
        if a < 0 or mean[a, best[a]] < threshold:
            return
        b = best[a]
        if b < a:
            a, b = b, a
        for k in range(m):
            mean[a, k] = (size[a] * mean[a, k] + size[b] * mean[b, k]) / (size[a] + size[b])
            mean[k, a] = mean[a, k]
            if head[k] == b:
                head[k] = a
        size[a] += size[b]
        first[a] = np.fmin(first[a], first[b])
        last[a] = np.fmax(last[a], last[b])
        for k in range(m):
            if k == a or best[k] == a or best[k] == b:
                best[k] = _partner(k, mean, head, first, last, window)
            elif best[k] >= 0 and mean[k, a] > mean[k, best[k]] and fit(a, k, first, last, window):
                best[k] = a


@compiled
def _strongest(best: NDArray[np.int64], mean: NDArray[np.float64], head: NDArray[np.int64]) -> int:
    """Return the group with the highest mean to its partner, or -1 if none has a partner."""
    strongest = -1
    for k in range(len(best)):
        higher = strongest < 0 or mean[k, best[k]] > mean[strongest, best[strongest]]
        if head[k] == k and best[k] >= 0 and higher:
            strongest = k
    return strongest


@compiled
def _partner(
    a: int,
    mean: NDArray[np.float64],
    head: NDArray[np.int64],
    first: NDArray[np.float64],
    last: NDArray[np.float64],
    window: float,
) -> int:
    """Return the group with the highest mean that fits into a window with `a`, or -1."""
    best = -1
    for k in range(len(mean)):
        higher = best < 0 or mean[a, k] > mean[a, best]
        if k != a and head[k] == k and higher and fit(a, k, first, last, window):
            best = k
    return best
