"""Contrast: how alike an article is to texts that cannot be the same event.

A daily rupee report resembles every other rupee report; a report of an attack resembles
nothing published on other days. The bar of an article is its third-highest cosine to
articles that must be about something else, and a pair is judged by how far it clears the
bars of both its articles.

What must be about something else: what was published more than `GAP_DAYS` away; for an
article without a date, other texts of its outlet, which rarely tells one event twice, and
texts that differ in their figures: a template is seen under many sets of figures.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.fingerprint import SLOTS
from sahel_dedup.lsh import Layout, agreeing_slots, band_keys, distinct, in_buckets
from sahel_dedup.profiles import Profiles
from sahel_dedup.similarity import Similarity
from sahel_dedup.threads import ordered_map

GAP_DAYS = 1.5
# Below this lies ordinary likeness between strangers; an article without a date, or with
# nobody alike, is taken to have the bar of ordinary news.
LOWEST_BAR = 0.15
TYPICAL_BAR = 0.19
_RANK = 3
# Strangers that resemble an article are many: half of the bands find three of them, and what
# is missed lowers one bar in seven by a twentieth or more.
BANDS = 96
# Cosines are computed for the few articles that agree in most slots.
_COMPARED = 8
# Two texts of at least so many figures that share at most this part of them conflict.
_MIN_FIGURES = 3
_SHARED_FIGURES = 1 / 3


def bars(
    profiles: Profiles,
    wanted: NDArray[np.int64],
    similarity: Similarity,
    layout: Layout,
    workers: int = 1,
) -> NDArray[np.float64]:
    """Measure the bar of articles.

    In each LSH bucket of the first `BANDS` bands an article meets one other on either side:
    the nearest in time beyond the gap or, without a date, its neighbour of the same outlet.
    So the work per article is bounded by the number of bands.

    Parameters
    ----------
    profiles : Profiles
        In order of time, articles without a date first.
    wanted : ndarray of int64, shape (m,)
        Rows whose bar is needed.
    similarity : Similarity
    layout : Layout
    workers : int
        Threads; 0 takes all processors.

    Returns
    -------
    ndarray of float64, shape (n,)
        `LOWEST_BAR` or more; `TYPICAL_BAR` for articles not wanted.
    """
    need = np.zeros(len(profiles), dtype=bool)
    need[wanted] = True
    dated = ~np.isnan(profiles.day)
    met = [(wanted[:0], wanted[:0])]
    for timed in (True, False):
        rows = np.flatnonzero(dated == timed)
        if not timed:
            # Nothing strange is known of an article without outlet and figures.
            known = (profiles.source >= 0) | (similarity.figures >= _MIN_FIGURES)
            need[rows] &= known[rows]
        if need[rows].any():
            place = profiles.day if timed else profiles.source.astype(np.float64) * 4
            gap = GAP_DAYS if timed else 0.0
            met.append(_meetings(profiles.salience, rows, place, gap, need, layout, workers))
    first, second = (np.concatenate(side) for side in zip(*met, strict=True))
    return bars_of(profiles, wanted, similarity, first, second)


def bars_of(
    profiles: Profiles,
    wanted: NDArray[np.int64],
    similarity: Similarity,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Set the bars of articles by those that each was found to be most alike to.

    Parameters
    ----------
    profiles, wanted, similarity
        See `bars`.
    first, second : ndarray of int64, shape (n_pairs,)
        Articles whose bar is wanted, and others: of those with a date beyond the gap, of
        the others any.

    Returns
    -------
    ndarray of float64, shape (n,)
        See `bars`.
    """
    dated = ~np.isnan(profiles.day)
    bar = np.full(len(profiles), TYPICAL_BAR)
    bar[wanted[dated[wanted]]] = LOWEST_BAR
    cosine = similarity.cosines(first, second)
    outlet = profiles.source
    strange = dated[first] | ((outlet[first] >= 0) & (outlet[first] == outlet[second]))
    rest = np.flatnonzero(~strange)
    strange[rest] = _conflict(similarity, first[rest], second[rest])
    first, cosine = first[strange], cosine[strange]
    order = np.lexsort((-cosine, first))
    first, cosine = first[order], cosine[order]
    third = _rank(first) == _RANK - 1
    bar[first[third]] = np.maximum(cosine[third], bar[first[third]])
    return bar


def _rank(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of each element within its run of equal values."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    sizes = np.diff(np.append(starts, len(group)))
    return np.arange(len(group)) - np.repeat(starts, sizes)


def _conflict(
    similarity: Similarity, first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether two texts hold figures and hardly share them."""
    shared = similarity.shared_figures(first, second)
    fewer = np.minimum(similarity.figures[first], similarity.figures[second])
    return (fewer >= _MIN_FIGURES) & (shared <= _SHARED_FIGURES * fewer)


def _meetings(
    salience: NDArray[np.uint32],
    rows: NDArray[np.int64],
    place: NDArray[np.float64],
    gap: float,
    need: NDArray[np.bool_],
    layout: Layout,
    workers: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each needed article, those it meets that agree with it in most slots.

    Parameters
    ----------
    rows : ndarray of int64, shape (m,)
        The articles that meet.
    place : ndarray of float64, shape (n,)
        Where each stands on a line.
    gap : float
        Those nearer than this are passed over; 0 passes over none.
    """
    n = len(salience)
    rows = rows[np.argsort(place[rows], kind="stable")]
    met: list[NDArray[np.int64]] = []
    closest = np.zeros(0, dtype=np.int64)
    bands = min(layout.bands, BANDS)

    def strangers(band: int) -> NDArray[np.int64]:
        keys = band_keys(salience, layout, band, rows=rows)
        both = neighbours(keys, place[rows], gap, need[rows])
        return np.concatenate([rows[one] * n + rows[two] for one, two in both])

    for band, found in enumerate(ordered_map(strangers, range(bands), workers)):
        met.append(found)
        if band % 8 == 7 or band == bands - 1:
            # Only the closest so far are kept: all would take a kilobyte an article.
            closest = closest_met(salience, np.concatenate(met), closest)
            met = []
    return closest // (n * (SLOTS + 1)), closest % n


def neighbours(
    keys: NDArray[np.uint64], place: NDArray[np.float64], gap: float, asking: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Find who stands next to articles in their bucket.

    Parameters
    ----------
    keys : ndarray of uint64, shape (m,)
        Bucket of each article.
    place : ndarray of float64, shape (m,)
        Where each stands on a line, rising.
    gap : float
        Those nearer than this are passed over; 0 passes over none.
    asking : ndarray of bool, shape (m,)
        Whose neighbours to find.

    Yields
    ------
    one, two : ndarray of int64
        Articles that ask, and the next ahead of each, then the next behind.
    """
    order, key = in_buckets(keys)
    bucket = np.cumsum(np.diff(key, prepend=key[:1]) != 0)
    asks = np.flatnonzero(asking[order])
    if gap:
        # Buckets laid end to end on one line, further apart than the gap reaches.
        line = bucket * (place[-1] - place[0] + 4 * gap + 1) + (place[order] - place[0])
        later = np.searchsorted(line, line[asks] + gap, side="right")
        sooner = np.searchsorted(line, line[asks] - gap, side="left") - 1
    else:
        later, sooner = asks + 1, asks - 1
    for other in (later, sooner):
        inside = (other >= 0) & (other < len(order))
        one, two = asks[inside], other[inside]
        same = bucket[one] == bucket[two]
        yield order[one[same]], order[two[same]]


def closest_met(
    salience: NDArray[np.uint32], met: NDArray[np.int64], ranked: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Keep the few that agree best with each article.

    Parameters
    ----------
    met : ndarray of int64
        Pairs of rows, the first times n, plus the second.
    ranked : ndarray of int64
        What this returned before: article, slots of disagreement and other article in one
        number, rising.
    """
    n = len(salience)
    first, second = np.divmod(distinct(met), n)
    apart = SLOTS - agreeing_slots(salience, first, second)
    ranked = distinct(np.concatenate([ranked, (first * (SLOTS + 1) + apart) * n + second]))
    return ranked[_rank(ranked // (n * (SLOTS + 1))) < _COMPARED]
