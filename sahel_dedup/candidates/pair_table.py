"""Pairs of articles by their first article: 10 million of them are looked up and merged quickly."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.util.jit import compiled


class PairTable(NamedTuple):
    """Pairs of articles, sorted, with a number for each.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n + 1,)
        Article ``i`` is the first of pairs ``indptr[i]:indptr[i + 1]``.
    second : ndarray of int32, shape (n_pairs,)
        The other article of each pair, rising for each first one.
    value : ndarray of uint16, shape (n_pairs,)
    """

    indptr: NDArray[np.int64]
    second: NDArray[np.int32]
    value: NDArray[np.uint16]

    @classmethod
    def of(
        cls,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        value: NDArray[np.uint16],
        n: int,
    ) -> PairTable:
        """Make a table of sorted pairs among `n` articles."""
        return cls(np.searchsorted(first, np.arange(n + 1)), second.astype(np.int32), value)

    def moved(self, row: NDArray[np.int64], n: int) -> PairTable:
        """Return the same pairs where each article has another row, in the same order, of `n`."""
        indptr = np.zeros(n + 1, dtype=np.int64)
        indptr[row + 1] = np.diff(self.indptr)
        return PairTable(np.cumsum(indptr), row.astype(np.int32)[self.second], self.value)

    def find(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the places of pairs in the table; -1 for those that are not in it."""
        places = np.empty(len(first), dtype=np.int64)
        _find(self.indptr, self.second, first, second, places)
        return places

    def changed(
        self, lost: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64],
        value: int,
    ) -> PairTable:  # fmt: skip
        """Return a table without some pairs and with others.

        Parameters
        ----------
        lost : ndarray of int64
            Places of pairs that are left out, rising.
        first, second : ndarray of int64, shape (n_new,)
            New pairs, sorted.
        value : int
            Number of the new pairs.
        """
        size = len(self.second) - len(lost) + len(first)
        table = PairTable(
            np.zeros_like(self.indptr), np.empty(size, np.int32), np.empty(size, np.uint16)
        )
        _merge(*self, lost, first, second, value, *table)
        return table


@compiled
def _find(
    indptr: NDArray[np.int64],
    others: NDArray[np.int32],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    places: NDArray[np.int64],
) -> None:
    for i in range(len(first)):
        low, end = indptr[first[i]], indptr[first[i] + 1]
        high = end
        while low < high:
            middle = (low + high) // 2
            if others[middle] < second[i]:
                low = middle + 1
            else:
                high = middle
        places[i] = low if low < end and others[low] == second[i] else -1


@compiled
def _merge(
    indptr: NDArray[np.int64],
    second: NDArray[np.int32],
    value: NDArray[np.uint16],
    lost: NDArray[np.int64],
    new_first: NDArray[np.int64],
    new_second: NDArray[np.int64],
    new_value: int,
    to_indptr: NDArray[np.int64],
    to_second: NDArray[np.int32],
    to_value: NDArray[np.uint16],
) -> None:
    size = new = gone = 0
    for row in range(len(indptr) - 1):
        end = new
        while end < len(new_first) and new_first[end] == row:
            end += 1
        for place in range(indptr[row], indptr[row + 1]):
            while new < end and new_second[new] < second[place]:
                to_second[size], to_value[size] = new_second[new], new_value
                size += 1
                new += 1
            if gone < len(lost) and lost[gone] == place:
                gone += 1
            else:
                to_second[size], to_value[size] = second[place], value[place]
                size += 1
        while new < end:
            to_second[size], to_value[size] = new_second[new], new_value
            size += 1
            new += 1
        to_indptr[row + 1] = size
