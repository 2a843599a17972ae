"""Meetings: which articles are compared to find the background of an article.

In each LSH bucket of the first `BANDS` bands an article meets one other on either side: the nearest
in time beyond the gap or, without a date, its neighbour of the same outlet. The number of bands
therefore bounds the work per article.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.lsh import agreeing_slots, band_keys, distinct, in_buckets
from sahel_dedup.scoring.background import GAP_DAYS
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.util.jit import compiled
from sahel_dedup.util.parallel import ordered_map
from sahel_dedup.util.runs import places_in_runs

# An article has many similar background articles, and half of the bands find three of them. The
# ones they miss lower one score in seven by a twentieth or more.
BANDS = 96
# Cosines are computed only for the few articles that agree in most slots.
COMPARED = 12


class Line(NamedTuple):
    """Articles that may meet, on a line.

    Attributes
    ----------
    rows : ndarray of int64, shape (m,)
        The articles, in order of their places.
    place : ndarray of float64, shape (m,)
        The place of each, rising: its day or, without a date, the number of its outlet.
    gap : float
        Articles nearer than this are skipped; 0 skips none.
    """

    rows: NDArray[np.int64]
    place: NDArray[np.float64]
    gap: float

    @classmethod
    def of(cls, rows: NDArray[np.int64], place: NDArray[np.float64], gap: float) -> Line:
        """Put articles in order of their places, those of one place in order of rows."""
        order = np.argsort(place, kind="stable")
        return cls(rows[order], place[order], gap)

    @classmethod
    def both(cls, day: NDArray[np.float64], outlet: NDArray[np.int32]) -> tuple[Line, Line]:
        """Return the lines of the articles with a date and of those without.

        Parameters
        ----------
        day : ndarray of float64, shape (n,)
            NaN where there is none.
        outlet : ndarray of int32, shape (n,)
        """
        dated = ~np.isnan(day)
        timed, others = np.flatnonzero(dated), np.flatnonzero(~dated)
        return (
            cls.of(timed, day[timed], GAP_DAYS),
            cls.of(others, outlet[others].astype(np.float64), 0.0),
        )


def closest(
    salience: NDArray[np.uint32],
    line: Line,
    need: NDArray[np.bool_],
    layout: Layout,
    workers: int,
) -> NDArray[np.int64]:
    """Find, for each needed article, those it meets that agree with it in most slots.

    Parameters
    ----------
    salience : ndarray of uint32, shape (n, 128)
    line : Line
    need : ndarray of bool, shape (n,)
    layout : Layout
    workers : int
        Number of threads; 0 uses all processors.

    Returns
    -------
    ndarray of int64
        See `closest_met`.
    """
    n, rows = len(salience), line.rows
    met: list[NDArray[np.int64]] = []
    ranked = np.zeros(0, dtype=np.int64)
    bands = min(layout.bands, BANDS)

    def found_in(band: int) -> NDArray[np.int64]:
        keys = band_keys(salience, layout, band, rows=rows)
        one, two = neighbours(keys, line.place, line.gap, need[rows])
        return rows[one] * n + rows[two]

    for band, found in enumerate(ordered_map(found_in, range(bands), workers)):
        met.append(found)
        if band % 8 == 7 or band == bands - 1:
            # Only the closest so far are kept; keeping all would take a kilobyte per article.
            ranked = closest_met(salience, np.concatenate(met), ranked)
            met = []
    return ranked


def neighbours(
    keys: NDArray[np.uint64], place: NDArray[np.float64], gap: float, asking: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the neighbours of articles in their bucket.

    Parameters
    ----------
    keys : ndarray of uint64, shape (m,)
        Bucket of each article.
    place : ndarray of float64, shape (m,)
        Position of each on a line, ascending.
    gap : float
        Articles nearer than this are skipped; 0 skips none.
    asking : ndarray of bool, shape (m,)
        Articles whose neighbours to find.

    Returns
    -------
    one, two : ndarray of int64, shape (n_pairs,)
        Asking articles, and the next one before or after each.
    """
    order, bucket = in_buckets(keys)
    return neighbours_in(bucket.astype(np.int64), order, place, gap, asking)


def neighbours_in(
    bucket: NDArray[np.int64],
    order: NDArray[np.int64],
    place: NDArray[np.float64],
    gap: float,
    asking: NDArray[np.bool_],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the neighbours of articles that have been put into buckets.

    Parameters
    ----------
    bucket : ndarray of int64, shape (n_members,)
        Bucket of each member; those of one bucket are next to each other.
    order : ndarray of int64, shape (n_members,)
        The members, ascending in each bucket.
    place, gap, asking
        See `neighbours`.

    Returns
    -------
    one, two : ndarray of int64, shape (n_pairs,)
    """
    most = 2 * int(np.count_nonzero(asking[order]))
    one, two = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
    size = _meet(bucket, order, place, gap, asking, one, two)
    return one[:size], two[:size]


def closest_met(
    salience: NDArray[np.uint32], met: NDArray[np.int64], ranked: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Keep the few articles that agree best with each article.

    Parameters
    ----------
    salience : ndarray of uint32, shape (n, 128)
    met : ndarray of int64
        Pairs of rows: the first times n plus the second.
    ranked : ndarray of int64
        Earlier result: article, count of slots that disagree, and other article, packed into one
        number, ascending.

    Returns
    -------
    ndarray of int64
        The result with these pairs.
    """
    n = len(salience)
    first, second = np.divmod(distinct(met), n)
    apart = SLOTS - agreeing_slots(salience, first, second)
    ranked = distinct(np.concatenate([ranked, packed(first, apart, second, n)]))
    return ranked[rank_in_runs(ranked // (n * (SLOTS + 1))) < COMPARED]


def packed(
    first: NDArray[np.int64], apart: NDArray[np.int64], second: NDArray[np.int64], n: int
) -> NDArray[np.int64]:
    """Pack articles, counts of slots that disagree, and other articles; see `closest_met`."""
    return (first * (SLOTS + 1) + apart) * n + second


def unpacked(
    ranked: NDArray[np.int64], n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Undo `packed`."""
    rest, second = np.divmod(ranked, n)
    return *np.divmod(rest, SLOTS + 1), second


def rank_in_runs(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of each element within its run of equal values."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    return places_in_runs(np.diff(np.append(starts, len(group))))


@compiled
def _meet(
    bucket: NDArray[np.int64],
    order: NDArray[np.int64],
    place: NDArray[np.float64],
    gap: float,
    asking: NDArray[np.bool_],
    one: NDArray[np.int64],
    two: NDArray[np.int64],
) -> int:
    """Fill in what `neighbours_in` returns; return how many pairs there are."""
    size = start = 0
    while start < len(order):
        end = start + 1
        while end < len(order) and bucket[end] == bucket[start]:
            end += 1
        # The first article too near to lie before, and the first far enough to lie behind.
        near = far = start
        for i in range(start, end):
            if gap > 0:
                here = place[order[i]]
                while place[order[near]] < here - gap:
                    near += 1
                while far < end and place[order[far]] <= here + gap:
                    far += 1
            else:
                near, far = i, i + 1
            if asking[order[i]]:
                if far < end:
                    one[size], two[size] = order[i], order[far]
                    size += 1
                if near > start:
                    one[size], two[size] = order[i], order[near - 1]
                    size += 1
        start = end
    return size
