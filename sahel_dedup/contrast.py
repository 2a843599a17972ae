"""Temporal contrast: how alike an article is to texts that cannot be the same event.

A daily rupee report resembles every other rupee report; a report of an attack resembles
nothing published on other days. The bar of an article is its third-highest cosine to
articles published more than `GAP_DAYS` away. A pair is judged by how far it clears the
bars of both its articles.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.lsh import Layout, agreeing_slots, band_keys
from sahel_dedup.similarity import Similarity

GAP_DAYS = 1.5
# Below this lies ordinary likeness between strangers; an article without a date, or with
# nobody alike, is taken to have the bar of ordinary news.
LOWEST_BAR = 0.15
TYPICAL_BAR = 0.19
_RANK = 3
# Cosines are computed for the few articles that agree in most slots.
_COMPARED = 8


def bars(
    salience: NDArray[np.uint32],
    day: NDArray[np.float64],
    wanted: NDArray[np.int64],
    similarity: Similarity,
    layout: Layout,
) -> NDArray[np.float64]:
    """Measure the bar of articles.

    In each LSH bucket, which is a time line, an article meets the nearest article beyond
    the gap on either side, so the work per article is bounded by the number of bands.

    Parameters
    ----------
    salience : ndarray of uint32, shape (n, 128)
    day : ndarray of float64, shape (n,)
        Times in days, rising, after those that are NaN.
    wanted : ndarray of int64, shape (m,)
        Rows whose bar is needed, rising.
    similarity : Similarity
    layout : Layout

    Returns
    -------
    ndarray of float64, shape (n,)
        `LOWEST_BAR` or more; `TYPICAL_BAR` for articles without a date or not wanted.
    """
    n = len(day)
    bar = np.full(n, TYPICAL_BAR)
    need = np.zeros(n, dtype=bool)
    need[wanted] = True
    need &= ~np.isnan(day)
    if not need.any():
        return bar
    first, second = _meetings(salience, day, need, layout)
    agree = agreeing_slots(salience, first, second)
    order = np.lexsort((second, -agree, first))
    first, second = first[order], second[order]
    starts = np.searchsorted(first, np.arange(n))
    best = np.arange(len(first)) - starts[first] < _COMPARED
    first, second = first[best], second[best]
    cosine = similarity.cosines(first, second)
    order = np.lexsort((-cosine, first))
    first, cosine = first[order], cosine[order]
    starts = np.searchsorted(first, np.arange(n))
    third = np.arange(len(first)) - starts[first] == _RANK - 1
    bar[need] = LOWEST_BAR
    bar[first[third]] = np.maximum(cosine[third], LOWEST_BAR)
    return bar


def _meetings(
    salience: NDArray[np.uint32],
    day: NDArray[np.float64],
    need: NDArray[np.bool_],
    layout: Layout,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each needed article, who it meets beyond the gap, each once."""
    n = len(day)
    dated = np.flatnonzero(~np.isnan(day))
    span = day[dated[-1]] - day[dated[0]] + 4 * GAP_DAYS
    met: NDArray[np.int64] = np.zeros(0, dtype=np.int64)
    for band in range(layout.bands):
        key = band_keys(salience[dated], layout, band)
        order = np.argsort(key, kind="stable")
        rows = dated[order]
        bucket = np.cumsum(np.diff(key[order], prepend=key[order[0]]) != 0)
        # Buckets laid end to end on one line, further apart than the gap reaches.
        line = bucket * span + (day[rows] - day[dated[0]])
        asking = np.flatnonzero(need[rows])
        later = np.searchsorted(line, line[asking] + GAP_DAYS, side="right")
        sooner = np.searchsorted(line, line[asking] - GAP_DAYS, side="left") - 1
        for other in (later, sooner):
            inside = (other >= 0) & (other < len(rows))
            one, two = asking[inside], other[inside]
            same = bucket[one] == bucket[two]
            met = np.concatenate([met, rows[one[same]] * n + rows[two[same]]])
        if band % 8 == 7:
            met = np.unique(met)
    met = np.unique(met)
    return met // n, met % n
