"""Recurrence: how alike an article is to texts that cannot be the same event.

A daily rupee report resembles every other rupee report; a report of an attack resembles
nothing published on other days. The recurrence of an article is its third-highest cosine to
articles that must be about something else, and a pair is judged by how far it clears the
recurrence of both its articles.

What must be about something else: what was published more than `GAP_DAYS` away, and what was
published nearer but is another filling of the same form; for an article without a date, other
texts of its outlet, which rarely reports one event twice, and texts that differ in their
numbers: a form is seen with many sets of numbers.

A copy of the article itself is no such text, whenever it was published: a column that is
printed all week is not a bulletin. Of several copies of one other text only one counts.
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

# Below this lies the ordinary similarity of unrelated articles; an article without a date, or with
# no similar text, has the recurrence of ordinary news.
LOWEST_RECURRENCE = 0.15
TYPICAL_RECURRENCE = 0.19
RANK = 3
# Many background articles resemble an article: half of the bands find three of them. What they
# miss lowers one score in seven by a twentieth or more.
BANDS = 96
# Cosines are computed for the few articles that agree in most slots.
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
    the nearest in time beyond the gap or, without a date, its neighbour of the same outlet.
    So the work per article is bounded by the number of bands.

    Parameters
    ----------
    profiles : Profiles
        In order of time, articles without a date first.
    wanted : ndarray of int64, shape (m,)
        Rows whose recurrence is needed.
    similarity : Similarity
    layout : Layout
    workers : int
        Threads; 0 takes all processors.
    near : two ndarrays of int64, shape (n_pairs,), optional
        Pairs of fillings of one form (`sahel_dedup.scoring.copies.fillings`).

    Returns
    -------
    ndarray of float64, shape (n,)
        `LOWEST_RECURRENCE` or more; `TYPICAL_RECURRENCE` for articles not wanted.
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
        Falling; 0 where fewer exceed `LOWEST_RECURRENCE`.
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
            # An article without outlet and numbers has no background.
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
    """Set the recurrence of articles by those that each was found to be most alike to.

    Parameters
    ----------
    profiles, wanted, similarity
        See `recurrence_scores`.
    first, second : ndarray of int64, shape (n_pairs,)
        Articles whose recurrence is wanted, and others: of those with a date what lies beyond the
        gap or is a filling of the same form, of the others any.

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
    # What is no more alike than the lowest recurrence raises none.
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
        Third-highest cosine of each article to its background articles, 0 if it has fewer.
    day : ndarray of float64, shape (n,)
        Times, NaN where missing.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    return np.maximum(third, np.where(np.isnan(day), TYPICAL_RECURRENCE, LOWEST_RECURRENCE))


def _rank(group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Place of each element within its run of equal values."""
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

    def found_in(band: int) -> NDArray[np.int64]:
        keys = band_keys(salience, layout, band, rows=rows)
        both = neighbours(keys, place[rows], gap, need[rows])
        return np.concatenate([rows[one] * n + rows[two] for one, two in both])

    for band, found in enumerate(ordered_map(found_in, range(bands), workers)):
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
    return ranked[_rank(ranked // (n * (SLOTS + 1))) < COMPARED]
