"""Candidate pairs of an archive that has grown, from those that it had before.

LSH proposes pairs bucket by bucket, and the fingerprints of old articles are what they were. So
only buckets change to which an article has come, or from which one was left out as a copy. These
are paired as they were and as they are, and the difference is the change. The result is that of
`sahel_dedup.candidates.lsh.candidate_pairs`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.lsh import KEY_SHIFT, agree, band_keys, bucket_pairs, distinct
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.util.parallel import ordered_map

_TABLE = np.uint64((1 << 16) - 1)


class Change(NamedTuple):
    """What has become of the candidate pairs of an archive.

    Attributes
    ----------
    lost : ndarray of bool, shape (n_pairs,)
        Which of the former pairs are none any more.
    first, second : ndarray of int64, shape (n_new,)
        The pairs that are new, sorted, ``first < second``.
    """

    lost: NDArray[np.bool_]
    first: NDArray[np.int64]
    second: NDArray[np.int64]


def changed_pairs(
    salience: NDArray[np.uint32],
    day: NDArray[np.float64],
    window: float,
    layout: Layout,
    members: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    pairs: tuple[NDArray[np.int64], NDArray[np.int64]],
    workers: int = 1,
) -> Change:
    """Find out how the candidate pairs of an archive change.

    Parameters
    ----------
    salience, day, window, layout, workers
        Of the archive as it is: see `candidate_pairs`.
    members : two ndarrays of bool, shape (n,)
        Which articles were compared before, and which are now; none of them without words.
    pairs : two ndarrays of int64, shape (n_pairs,)
        The former pairs, sorted, by the rows that their articles have now.

    Returns
    -------
    Change
    """
    n = len(salience)
    before, now = members
    columns = np.asfortranarray(salience)
    moved = np.flatnonzero(before != now)
    either = np.flatnonzero(before | now)
    code = pairs[0] * n + pairs[1]

    def found(
        keys: Callable[..., NDArray[np.uint64]], rows: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        parts = bucket_pairs(keys, rows, day, window)
        return np.sort(np.concatenate([np.zeros(0, np.int64), *(i * n + j for i, j in parts)]))

    def difference(band: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        keys = functools.partial(band_keys, columns, layout, band)
        rows = _in_buckets_of(keys(0, either), keys(0, moved), either)
        old, new = found(keys, rows[before[rows]]), found(keys, rows[now[rows]])
        return without(old, new), without(new, old)

    gone, come = [code[:0]], [code[:0]]
    for old, new in ordered_map(difference, range(layout.bands), workers):
        gone.append(old)
        come.append(new)
    fresh = without(distinct(np.concatenate(come)), code)
    fresh = fresh[agree(salience, day, *np.divmod(fresh, n))]
    doubtful = distinct(np.concatenate(gone))
    doubtful = doubtful[_among(doubtful, code)]

    def proposed(band: int) -> NDArray[np.int64]:
        """Which doubtful pairs this band proposes still."""
        keys = functools.partial(band_keys, columns, layout, band)
        one, two = (keys(0, side) for side in np.divmod(doubtful, n))
        inside = one[one >> KEY_SHIFT == two >> KEY_SHIFT]
        rows = _in_buckets_of(keys(0, either), inside, either)
        new = found(keys, rows[now[rows]])
        return doubtful[_among(doubtful, new)]

    held = [code[:0]]
    if len(doubtful):
        held += ordered_map(proposed, range(layout.bands), workers)
    lost = np.zeros(len(code), dtype=np.bool_)
    lost[np.searchsorted(code, without(doubtful, distinct(np.concatenate(held))))] = True
    return Change(lost, *np.divmod(fresh, n))


def without(values: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sorted values that are not among others, sorted too."""
    return values[~_among(values, others)]


def _among(values: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    place = np.searchsorted(others, values)
    place[place == len(others)] = 0
    return others[place] == values if len(others) else np.zeros(len(values), dtype=np.bool_)


def _in_buckets_of(
    keys: NDArray[np.uint64], wanted: NDArray[np.uint64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the rows in whose buckets there are articles that are wanted."""
    wanted = distinct(wanted >> KEY_SHIFT)
    table = np.zeros(int(_TABLE) + 1, dtype=np.bool_)
    table[wanted & _TABLE] = True
    bucket = keys >> KEY_SHIFT
    likely = np.flatnonzero(table[bucket & _TABLE])
    return rows[likely[np.isin(bucket[likely], wanted)]]
