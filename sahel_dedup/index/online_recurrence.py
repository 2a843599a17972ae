"""Recurrence scores in a stream, which rise with arriving articles.

The rules are those of `sahel_dedup.scoring.recurrence`. An article keeps its few highest
cosines to background articles, and its score follows from them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.index.live import Live
from sahel_dedup.index.online_tfidf import ComparedPairs
from sahel_dedup.index.standing import NO_STORY
from sahel_dedup.scoring.background import repeated, weight_of
from sahel_dedup.scoring.recurrence import RANK, recurrence_of
from sahel_dedup.util.jit import compiled

_Rows = NDArray[np.int64]


def set_recurrence(live: Live, background: ComparedPairs, rows: range) -> None:
    """Set the recurrence of arriving articles.

    Parameters
    ----------
    live : Live
    background : ComparedPairs
        See `judge`.
    rows : range
        The arriving articles.
    """
    s, here = live.standing, slice(rows.start, rows.stop)
    s.recurrence[here] = recurrence_of_nearest(s.nearest[here], live.profiles.day[here])
    first, second, p = background.first, background.second, live.profiles
    fresh = ~repeated(first, second, live.similarity, p)
    times = fresh * weight_of(first, second, p.day)
    _enter(s.nearest, s.recurrence, first, background.cosine, times)


def raise_recurrence(
    live: Live, background: ComparedPairs, news: NDArray[np.bool_]
) -> tuple[set[int], set[int]]:
    """Record new background articles for earlier articles.

    Parameters
    ----------
    live : Live
    background : ComparedPairs
        See `judge`.
    news : ndarray of bool
        Marks those whose arriving article is not a copy of an earlier one, which is already
        recorded.

    Returns
    -------
    noted, risen : set of int
        Rows whose highest cosines changed, and those of them whose recurrence changed.
    """
    s, first, second, day = live.standing, background.first, background.second, live.profiles.day
    if not len(second):
        return set(), set()
    matter = news & _matter(first, second, day, s.story, live.window)
    times = matter * weight_of(first, second, day)
    noted, risen = _enter(s.nearest, s.recurrence, second, background.cosine, times)
    return set(second[noted].tolist()), set(second[risen].tolist())


def _matter(
    first: _Rows,
    second: _Rows,
    day: NDArray[np.float64],
    story: NDArray[np.uint64],
    window: float,
) -> NDArray[np.bool_]:
    """Return whether a background article matters for the second of each pair.

    The recurrence of an article that is too old for new duplicates no longer matters. An article
    without a date may find duplicates and look-alikes forever, so its recurrence is measured once,
    on arrival; otherwise it would rise endlessly.
    """
    matter = np.empty(len(first), dtype=np.bool_)
    _mark_matter(first, second, day, story, window, matter)
    return matter


@compiled
def _mark_matter(
    first: _Rows,
    second: _Rows,
    day: NDArray[np.float64],
    story: NDArray[np.uint64],
    window: float,
    matter: NDArray[np.bool_],
) -> None:
    """Fill in what `_matter` returns."""
    for i in range(len(first)):
        recent = abs(day[first[i]] - day[second[i]]) <= window
        matter[i] = recent and story[second[i]] != NO_STORY


def recurrence_of_nearest(
    nearest: NDArray[np.float32], day: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the recurrence of articles, from their highest cosines to background articles.

    Parameters
    ----------
    nearest : ndarray of float32, shape (n, 3)
        The cosines, in descending order.
    day : ndarray of float64, shape (n,)
        Times; NaN where there is none.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    return recurrence_of(nearest[:, RANK - 1].astype(np.float64), day)


def _enter(
    nearest: NDArray[np.float32],
    recurrence: NDArray[np.float64],
    rows: _Rows,
    cosine: NDArray[np.float64],
    times: _Rows,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Record the highest cosines of rows, each so many times.

    Returns which were recorded, and which raise a recurrence.
    """
    noted, risen = np.zeros((2, len(rows)), dtype=np.bool_)
    _enter_all(nearest, recurrence, rows, cosine, times, noted, risen)
    return noted, risen


@compiled
def _enter_all(
    nearest: NDArray[np.float32],
    recurrence: NDArray[np.float64],
    rows: _Rows,
    cosine: NDArray[np.float64],
    times: _Rows,
    noted: NDArray[np.bool_],
    risen: NDArray[np.bool_],
) -> None:
    """Fill in what `_enter` returns."""
    for i in range(len(rows)):
        highest = nearest[rows[i]]
        for _ in range(times[i]):
            if not cosine[i] > highest[-1]:
                break
            noted[i] = True
            place = RANK - 1
            while place > 0 and cosine[i] > highest[place - 1]:
                highest[place] = highest[place - 1]
                place -= 1
            highest[place] = cosine[i]
            if highest[-1] > recurrence[rows[i]]:
                risen[i] = True
                recurrence[rows[i]] = highest[-1]
