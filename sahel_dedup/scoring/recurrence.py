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

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.scoring.background import (
    GAP_DAYS,
    MIN_NUMBERS,
    background_pairs,
    repeated,
    weight_of,
)
from sahel_dedup.scoring.copies import copies, fillings
from sahel_dedup.scoring.kept_meetings import KeptMeetings
from sahel_dedup.scoring.meetings import Line, closest, rank_in_runs, unpacked
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.util.jit import compiled

# The similarity of unrelated articles is usually below this. An article without a date, or without
# a similar text, has the recurrence of ordinary news.
LOWEST_RECURRENCE = 0.15
TYPICAL_RECURRENCE = 0.19
RANK = 3


def recurrence_scores(
    profiles: Profiles,
    wanted: NDArray[np.int64],
    similarity: Similarity,
    layout: Layout,
    workers: int = 1,
    near: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
    kept: KeptMeetings | None = None,
) -> NDArray[np.float64]:
    """Measure the recurrence of articles.

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
    kept : KeptMeetings, optional
        What the last run over the archive found, and what the next one is to know.

    Returns
    -------
    ndarray of float64, shape (n,)
        At least `LOWEST_RECURRENCE`; `TYPICAL_RECURRENCE` for articles that are not wanted.
    """
    nearest = nearest_background(profiles, wanted, similarity, layout, workers, near, kept)
    return _recurrence(profiles, wanted, nearest)


def nearest_background(
    profiles: Profiles,
    wanted: NDArray[np.int64],
    similarity: Similarity,
    layout: Layout,
    workers: int = 1,
    near: tuple[NDArray[np.int64], NDArray[np.int64]] | None = None,
    kept: KeptMeetings | None = None,
) -> NDArray[np.float64]:
    """Return the highest cosines of articles to background: see `recurrence_scores`.

    Returns
    -------
    ndarray of float64, shape (n, 3)
        In descending order; 0 where fewer exceed `LOWEST_RECURRENCE`.
    """
    find = closest if kept is None else kept.closest
    need = np.zeros(len(profiles), dtype=bool)
    need[wanted] = True
    # An article without a date, an outlet and numbers has no background.
    need &= (
        ~np.isnan(profiles.day) | (profiles.source >= 0) | (similarity.number_count >= MIN_NUMBERS)
    )
    met = [(wanted[:0], wanted[:0])]
    if near is not None:
        met += [near, near[::-1]]
    for line in Line.both(profiles.day, profiles.source):
        if need[line.rows].any():
            ranked = find(profiles.salience, line, need, layout, workers)
            one, _, other = unpacked(ranked, len(profiles))
            met.append((one, other))
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
    rank = rank_in_runs(first)
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
    recurrence = np.empty(len(third))
    _recur(third, day, recurrence)
    return recurrence


@compiled
def _recur(
    third: NDArray[np.float64], day: NDArray[np.float64], recurrence: NDArray[np.float64]
) -> None:
    """Fill in what `recurrence_of` returns."""
    for i in range(len(third)):
        least = least_recurrence(day[i])
        recurrence[i] = third[i] if third[i] > least else least


@compiled
def least_recurrence(day: float) -> float:
    """Return the recurrence of an article of a time (NaN if missing) without background."""
    return TYPICAL_RECURRENCE if np.isnan(day) else LOWEST_RECURRENCE
