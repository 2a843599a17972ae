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
from sahel_dedup.scoring.recurrence import LOWEST_RECURRENCE, RANK, recurrence_of
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
    alike = background.where(background.cosine > LOWEST_RECURRENCE)
    fresh = ~repeated(alike.first, alike.second, live.similarity, live.profiles)
    times = fresh * weight_of(alike.first, alike.second, live.profiles.day)
    _enter(s.nearest, s.recurrence, np.repeat(alike.first, times), np.repeat(alike.cosine, times))


def raise_recurrence(live: Live, background: ComparedPairs) -> tuple[set[int], set[int]]:
    """Record new background articles for earlier articles.

    Parameters
    ----------
    live : Live
    background : ComparedPairs
        See `judge`; without those whose arriving article is a copy of an earlier one, which is
        already recorded.

    Returns
    -------
    noted, risen : set of int
        Rows whose highest cosines changed, and those of them whose recurrence changed.
    """
    s, second = live.standing, background.second
    if not len(second):
        return set(), set()
    matter = _matter(
        background.first, second, background.cosine, live.profiles.day, s.story,
        live.window,
    )  # fmt: skip
    times = matter * weight_of(background.first, second, live.profiles.day)
    second = np.repeat(second, times)
    noted, risen = _enter(s.nearest, s.recurrence, second, np.repeat(background.cosine, times))
    return set(second[noted].tolist()), set(second[risen].tolist())


def _matter(
    first: _Rows,
    second: _Rows,
    cosine: NDArray[np.float64],
    day: NDArray[np.float64],
    story: NDArray[np.uint64],
    window: float,
) -> NDArray[np.bool_]:
    """Return whether a background article matters for the second of each pair.

    The recurrence of an article that is too old for new duplicates no longer matters. An article
    without a date may find duplicates and look-alikes forever, so its recurrence is measured once,
    on arrival; otherwise it would rise endlessly.
    """
    recent = np.abs(day[first] - day[second]) <= window
    matter: NDArray[np.bool_] = (cosine > LOWEST_RECURRENCE) & recent & (story[second] != NO_STORY)
    return matter


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
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Record the highest cosines of rows; return which were recorded and raise a recurrence."""
    noted, risen = np.zeros((2, len(rows)), dtype=np.bool_)
    _enter_all(nearest, recurrence, rows, cosine, noted, risen)
    return noted, risen


@compiled
def _enter_all(
    nearest: NDArray[np.float32],
    recurrence: NDArray[np.float64],
    rows: _Rows,
    cosine: NDArray[np.float64],
    noted: NDArray[np.bool_],
    risen: NDArray[np.bool_],
) -> None:
    """Fill in what `_enter` returns."""
    for i in range(len(rows)):
        highest = nearest[rows[i]]
        if cosine[i] > highest[-1]:
            noted[i] = True
            place = RANK - 1
            while place > 0 and cosine[i] > highest[place - 1]:
                highest[place] = highest[place - 1]
                place -= 1
            highest[place] = cosine[i]
            if highest[-1] > recurrence[rows[i]]:
                risen[i] = True
                recurrence[rows[i]] = highest[-1]
