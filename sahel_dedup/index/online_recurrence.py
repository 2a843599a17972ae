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
from sahel_dedup.scoring.background import repeated, weight_of_pair
from sahel_dedup.scoring.copies import may_be_copy
from sahel_dedup.scoring.recurrence import RANK, least_recurrence, recurrence_of
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
    s, p = live.standing, live.profiles
    first, second = background.first, background.second
    texts, highest = (p.day, p.shingles, p.length), (s.nearest, s.recurrence)
    pairs, again = (first, second, background.cosine), np.zeros(len(first), dtype=np.bool_)
    if not _set(rows.start, rows.stop, pairs, again, True, texts, highest):
        s.nearest[rows.start : rows.stop] = 0
        again = repeated(first, second, live.similarity, p)
        _set(rows.start, rows.stop, pairs, again, False, texts, highest)


@compiled
def _set(
    start: int,
    stop: int,
    pairs: tuple[_Rows, _Rows, NDArray[np.float64]],
    again: NDArray[np.bool_],
    look: bool,
    texts: tuple[NDArray[np.float64], NDArray[np.uint8], NDArray[np.int32]],
    highest: tuple[NDArray[np.float32], NDArray[np.float64]],
) -> bool:
    """Set the recurrence of arriving articles by those background texts that are not `again`.

    With `look`, stop and return False if two background texts may be copies of each other. A text
    that is not similar enough to be recorded may be a copy or not. As the most similar come first,
    few are compared.
    """
    first, second, cosine = pairs
    day, shingles, length = texts
    nearest, recurrence = highest
    for row in range(start, stop):
        recurrence[row] = least_recurrence(day[row])
    for i in range(len(first)):
        row = first[i]
        if not again[i] and cosine[i] > nearest[row, RANK - 1]:
            k = i - 1
            while look and k >= 0 and first[k] == row:
                if may_be_copy(second[k], second[i], shingles, length):
                    return False
                k -= 1
            times = weight_of_pair(day[row], day[second[i]])
            _enter(nearest, recurrence, row, cosine[i], times)
    return True


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
    first, second = background.first, background.second
    if not len(second):
        return set(), set()
    noted, risen = np.zeros((2, len(second)), dtype=np.bool_)
    s, day = live.standing, live.profiles.day
    columns = day, s.story, s.nearest, s.recurrence
    if not _raise(first, second, background.cosine, news, columns, live.window, noted, risen):
        return set(), set()
    return set(second[noted].tolist()), set(second[risen].tolist())


@compiled
def _raise(
    first: _Rows,
    second: _Rows,
    cosine: NDArray[np.float64],
    news: NDArray[np.bool_],
    columns: tuple[
        NDArray[np.float64], NDArray[np.uint64], NDArray[np.float32], NDArray[np.float64]
    ],
    window: float,
    noted: NDArray[np.bool_],
    risen: NDArray[np.bool_],
) -> bool:
    """Do what `raise_recurrence` does, and return whether a row changed."""
    day, story, nearest, recurrence = columns
    changed = False
    for i in range(len(first)):
        if news[i] and _matters(first[i], second[i], day, story, window):
            times = weight_of_pair(day[first[i]], day[second[i]])
            steps = _enter(nearest, recurrence, second[i], cosine[i], times)
            noted[i], risen[i] = steps > 0, steps > 1
            changed = changed or steps > 0
    return changed


@compiled
def _matters(
    arriving: np.int64,
    row: np.int64,
    day: NDArray[np.float64],
    story: NDArray[np.uint64],
    window: float,
) -> bool:
    """Whether an arriving article matters as background of an earlier one.

    The recurrence of an article that is too old for new duplicates no longer matters. An article
    without a date may find duplicates and look-alikes forever, so its recurrence is measured once,
    on arrival; otherwise it would rise endlessly.
    """
    return bool(abs(day[arriving] - day[row]) <= window and story[row] != NO_STORY)


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


@compiled
def _enter(
    nearest: NDArray[np.float32],
    recurrence: NDArray[np.float64],
    row: np.int64,
    cosine: float,
    times: int,
) -> int:
    """Record a cosine of a row; return 0 if it is too low, 2 if it raises the recurrence, or 1."""
    highest, steps = nearest[row], 0
    for _ in range(times):
        if not cosine > highest[-1]:
            break
        place = RANK - 1
        while place > 0 and cosine > highest[place - 1]:
            highest[place] = highest[place - 1]
            place -= 1
        highest[place] = cosine
        steps = steps if steps > 1 else 1
        if highest[-1] > recurrence[row]:
            steps = 2
            recurrence[row] = highest[-1]
    return steps
