"""Recurrence: how similar an article is to texts that cannot report the same event.

A daily rupee report resembles every other rupee report; a report of an attack resembles
nothing published on other days. The recurrence of an article is its third-highest cosine to
articles that must be about another event. A pair is judged by how far its cosine exceeds the
recurrence of both its articles.

Which articles must be about another event? For a dated article, those published more than
`GAP_DAYS` away, and nearer ones that are other fillings of the same form. For an article without a
date, other texts of its outlet, which rarely reports one event twice, and texts with other numbers,
because a form appears with many sets of numbers.

A copy of the article itself never counts, whenever it was published: a column that is printed all
week is not a bulletin. Among several copies of another text only one counts.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.lsh import agreeing_slots, band_keys, distinct, in_buckets
from sahel_dedup.scoring.background import (
    GAP_DAYS,
    MIN_NUMBERS,
    background_pairs,
    repeated,
    weight_of,
)
from sahel_dedup.scoring.copies import copies, fillings
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.util.parallel import ordered_map

# The similarity of unrelated articles is usually below this. An article without a date, or without
# a similar text, has the recurrence of ordinary news.
LOWEST_RECURRENCE = 0.15
TYPICAL_RECURRENCE = 0.19
RANK = 3
# An article has many similar background articles, and half of the bands find three of them. The
# ones they miss lower one score in seven by a twentieth or more.
BANDS = 96
# Cosines are computed only for the few articles that agree in most slots.
COMPARED = 12


def recurrence_scores(
    profiles: Profiles,
    wanted: NDArray[np.int64],
    similarity: Similarity,
    layout: Layout,
    workers: int = 1,
    near: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> NDArray[np.float64]:
    """Measure the recurrence of articles.

    In each LSH bucket of the first `BANDS` bands an article meets one other on either side:
    the nearest in time beyond the gap or, without a date, its neighbour of the same outlet. The
    number of bands therefore bounds the work per article.

    Parameters
    ----------
    profiles : Profiles
        In order of time, articles without a date first.
    wanted : ndarray of int64, shape (m,)
        Rows whose recurrence is needed.
    similarity : Similarity
    layout : Layout
    workers : int
        Number of threads; 0 uses all processors.
    near : two ndarrays of int64, shape (n_pairs,), optional
        Pairs of fillings of one form (`sahel_dedup.scoring.copies.fillings`).

    Returns
    -------
    ndarray of float64, shape (n,)
        At least `LOWEST_RECURRENCE`; `TYPICAL_RECURRENCE` for articles that are not wanted.
    """
    nearest = nearest_background(profiles, wanted, similarity, layout, workers, near)
    return _recurrence(profiles, wanted, nearest)


def nearest_background(
    profiles: Profiles,
    wanted: NDArray[np.int64],
    similarity: Similarity,
    layout: Layout,
    workers: int = 1,
    near: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
) -> NDArray[np.float64]:
    """Return the highest cosines of articles to background: see `recurrence_scores`.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        In descending order; 0 where fewer exceed `LOWEST_RECURRENCE`.
    """
    need = np.zeros(len(profiles), dtype=bool)
    need[wanted] = True
    dated = ~np.isnan(profiles.day)
    met = [(wanted[:0], wanted[:0])]
    if near is not None:
        met += [near, near[::-1]]
    for timed in (True, False):
        rows = np.flatnonzero(dated == timed)
        if not timed:
            # An article without an outlet and without numbers has no background.
            known = (profiles.source >= 0) | (similarity.number_count >= MIN_NUMBERS)
            need[rows] &= known[rows]
        if need[rows].any():
            place = profiles.day if timed else profiles.source.astype(np.float64) * 4
            gap = GAP_DAYS if timed else 0.0
            met.append(_meetings(profiles.salience, rows, place, gap, need, layout, workers))
    first, second = (np.concatenate(side) for side in zip(*met, strict=True))
    return _highest(profiles, similarity, first, second)


def recurrence_of_pairs(
    profiles: Profiles,
    wanted: NDArray[np.int64],
    similarity: Similarity,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Compute the recurrence of articles from the most similar articles found for each.

    Parameters
    ----------
    profiles, wanted, similarity
        See `recurrence_scores`.
    first, second : ndarray of int64, shape (n_pairs,)
        Articles whose recurrence is wanted, and others. For an article with a date, these lie
        beyond the gap or fill the same form; for one without a date, they may be any.

    Returns
    -------
    ndarray of float64, shape (n,)
        See `recurrence_scores`.
    """
    return _recurrence(profiles, wanted, _highest(profiles, similarity, first, second))


def _recurrence(
    profiles: Profiles, wanted: NDArray[np.int64], nearest: NDArray[np.float64]
) -> NDArray[np.float64]:
    recurrence = np.full(len(profiles), TYPICAL_RECURRENCE)
    recurrence[wanted] = recurrence_of(nearest[wanted, RANK - 1], profiles.day[wanted])
    return recurrence


def _highest(
    profiles: Profiles,
    similarity: Similarity,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.float64]:
    highest = np.zeros((len(profiles), RANK))
    cosine = similarity.cosines(first, second)
    common = similarity.shared_numbers(first, second)
    copy = copies(first, second, cosine, common, similarity.number_count, profiles)
    strange = background_pairs(
        first, second, common, copy, profiles.day, profiles.source, similarity.number_count
    )
    form = fillings(first, second, cosine, GAP_DAYS, profiles, similarity)
    cosine = np.where(form > 0, form, cosine)
    # Articles that are no more similar than the lowest recurrence cannot raise one.
    strange &= cosine > LOWEST_RECURRENCE
    first, second, cosine = first[strange], second[strange], cosine[strange]
    order = np.lexsort((second, -cosine, first))
    first, second, cosine = first[order], second[order], cosine[order]
    fresh = ~repeated(first, second, similarity, profiles)
    times = fresh * weight_of(first, second, profiles.day)
    first, cosine = np.repeat(first, times), np.repeat(cosine, times)
    rank = _rank(first)
    counted = rank < RANK
    highest[first[counted], rank[counted]] = cosine[counted]
    return highest


def recurrence_of(third: NDArray[np.float64], day: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the recurrence of articles.

    Parameters
    ----------
    third : ndarray of float64, shape (n,)
        Third-highest cosine of each article to its background articles; 0 if it has fewer.
    day : ndarray of float64, shape (n,)
        Times; NaN where missing.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    return np.maximum(third, np.where(np.isnan(day), TYPICAL_RECURRENCE, LOWEST_RECURRENCE))


def _rank(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the position of each element within its run of equal values."""
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    sizes = np.diff(np.append(starts, len(group)))
    return np.arange(len(group)) - np.repeat(starts, sizes)


def _meetings(
    salience: NDArray[np.uint32],
    rows: NDArray[np.int64],
    place: NDArray[np.float64],
    gap: float,
    need: NDArray[np.bool_],
    layout: Layout,
    workers: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find, for each needed article, those it meets that agree with it in most slots.

    Parameters
    ----------
    rows : ndarray of int64, shape (m,)
        The articles that meet.
    place : ndarray of float64, shape (n,)
        Position of each on a line.
    gap : float
        Articles nearer than this are skipped; 0 skips none.
    """
    n = len(salience)
    rows = rows[np.argsort(place[rows], kind="stable")]
    met: list[NDArray[np.int64]] = []
    closest = np.zeros(0, dtype=np.int64)
    bands = min(layout.bands, BANDS)

    def found_in(band: int) -> NDArray[np.int64]:
        keys = band_keys(salience, layout, band, rows=rows)
        both = neighbours(keys, place[rows], gap, need[rows])
        return np.concatenate([rows[one] * n + rows[two] for one, two in both])

    for band, found in enumerate(ordered_map(found_in, range(bands), workers)):
        met.append(found)
        if band % 8 == 7 or band == bands - 1:
            # Only the closest so far are kept; keeping all would take a kilobyte per article.
            closest = closest_met(salience, np.concatenate(met), closest)
            met = []
    return closest // (n * (SLOTS + 1)), closest % n


def neighbours(
    keys: NDArray[np.uint64], place: NDArray[np.float64], gap: float, asking: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
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

    Yields
    ------
    one, two : ndarray of int64
        Asking articles and the next one after each, then the next one before each.
    """
    order, key = in_buckets(keys)
    bucket = np.cumsum(np.diff(key, prepend=key[:1]) != 0)
    asks = np.flatnonzero(asking[order])
    if gap:
        # Put the buckets on one line, further apart than the gap.
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
    """Keep the few articles that agree best with each article.

    Parameters
    ----------
    met : ndarray of int64
        Pairs of rows: the first times n plus the second.
    ranked : ndarray of int64
        Earlier result: article, count of slots that disagree, and other article, packed into one
        number, ascending.
    """
    n = len(salience)
    first, second = np.divmod(distinct(met), n)
    apart = SLOTS - agreeing_slots(salience, first, second)
    ranked = distinct(np.concatenate([ranked, (first * (SLOTS + 1) + apart) * n + second]))
    return ranked[_rank(ranked // (n * (SLOTS + 1))) < COMPARED]
