"""Whom arriving articles meet: possible relatives, and strangers for contrast.

Both come out of the same buckets. Relatives lie within the window; strangers must be
about something else (`sahel_dedup.contrast`), and the batch's rules for them hold: in each
bucket the nearest one on either side, of all those the few that agree in most slots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.batch import MIN_AGREEMENT
from sahel_dedup.contrast import _COMPARED as COMPARED
from sahel_dedup.contrast import _RANK as RANK
from sahel_dedup.contrast import GAP_DAYS, LOWEST_BAR, TYPICAL_BAR
from sahel_dedup.fingerprint import EMPTY_SLOT
from sahel_dedup.index.live import NO_STORY, Live
from sahel_dedup.lsh import agreeing_slots

_Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Met:
    """Pairs of an arriving article and one that was there before it.

    Attributes
    ----------
    first : ndarray of int64, shape (n,)
        Rows of the arriving articles, rising.
    second : ndarray of int64, shape (n,)
        Rows of those they meet.
    """

    first: _Rows
    second: _Rows


def meet(live: Live, rows: range) -> tuple[Met, Met]:
    """Find the pairs that arriving articles form.

    Parameters
    ----------
    live : Live
    rows : range
        The arriving articles: the last rows, not yet in the buckets.

    Returns
    -------
    relatives : Met
        Pairs that may be one event. A pair of twins is among them.
    strangers : Met
        Pairs that cannot.
    """
    profiles, standing = live.profiles, live.standing
    window = live.settings.window_days
    asking = np.arange(rows.start, rows.stop)
    asking = asking[profiles.salience[asking, 0] != EMPTY_SLOT]
    met = live.buckets.meet(profiles.salience[asking])
    there = met >= 0
    ahead = np.where(there, profiles.day[met] - profiles.day[asking, None, None], np.nan)
    near = there & (standing.story[met] != NO_STORY) & ~(np.abs(ahead) > window)
    inner = _among(live, asking)
    apart = np.abs(profiles.day[inner.first] - profiles.day[inner.second])

    one, band, place = np.nonzero(near)
    first, second = _distinct(asking[one], met[one, band, place])
    agree = agreeing_slots(profiles.salience, first, second) >= MIN_AGREEMENT
    first = np.concatenate([first[agree], inner.first[~(apart > window)]])
    second = np.concatenate([second[agree], inner.second[~(apart > window)]])
    order = np.lexsort((second, first))
    relatives = Met(first[order], second[order])

    first, second = _beyond_gap(asking, met, ahead)
    first = np.concatenate([first, inner.first[apart > GAP_DAYS]])
    second = np.concatenate([second, inner.second[apart > GAP_DAYS]])
    return relatives, _most_alike(live, first, second)


def _among(live: Live, asking: _Rows) -> Met:
    """Pairs among the arriving articles themselves, the later one first."""
    earlier, later = (asking[place] for place in np.triu_indices(len(asking), 1))
    agree = agreeing_slots(live.profiles.salience, later, earlier) >= MIN_AGREEMENT
    return Met(later[agree], earlier[agree])


def _beyond_gap(
    asking: _Rows, met: NDArray[np.int32], ahead: NDArray[np.float64]
) -> tuple[_Rows, _Rows]:
    """In each bucket the nearest articles beyond the gap, sooner and later."""
    firsts, seconds = [], []
    for sign in (1, -1):
        distance = np.where(sign * ahead > GAP_DAYS, sign * ahead, np.inf)
        nearest = distance.argmin(axis=2)[:, :, None]
        one, band = np.nonzero(np.take_along_axis(distance, nearest, 2)[:, :, 0] < np.inf)
        firsts.append(asking[one])
        seconds.append(met[one, band, nearest[one, band, 0]])
    return _distinct(np.concatenate(firsts), np.concatenate(seconds))


def _most_alike(live: Live, first: _Rows, second: _Rows) -> Met:
    """Of the pairs of each article the few that agree in most slots."""
    agree = agreeing_slots(live.profiles.salience, first, second)
    order = np.lexsort((second, -agree, first))
    first, second = first[order], second[order]
    closest = np.arange(len(first)) - np.searchsorted(first, first) < COMPARED
    return Met(first[closest], second[closest])


def set_bars(live: Live, strangers: Met, cosine: NDArray[np.float64], rows: range) -> None:
    """Give arriving articles their bars.

    Parameters
    ----------
    live : Live
    strangers : Met
    cosine : ndarray of float64, shape (n,)
        Cosine of each pair.
    rows : range
        The arriving articles.
    """
    here = slice(rows.start, rows.stop)
    live.standing.bar[here] = bar_of(live.standing.nearest[here], live.profiles.day[here])
    for row, value in zip(strangers.first.tolist(), cosine.tolist(), strict=True):
        _raise(live, row, value)


def raise_bars(live: Live, strangers: Met, cosine: NDArray[np.float64]) -> set[int]:
    """Raise the bars of the articles that were there before.

    Returns
    -------
    set of int
        Rows that changed.
    """
    day = live.profiles.day
    first, second = strangers.first, strangers.second
    # The bar of an article that is too old for new relatives does not matter any more.
    matters = (live.standing.story[second] != 0) & (cosine > LOWEST_BAR)
    matters &= np.abs(day[first] - day[second]) <= live.settings.window_days
    pairs = zip(second[matters].tolist(), cosine[matters].tolist(), strict=True)
    return {row for row, value in pairs if _raise(live, row, value)}


def bar_of(nearest: NDArray[np.float32], day: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bars of articles, from their highest cosines to strangers.

    Parameters
    ----------
    nearest : ndarray of float32, shape (n, 3)
        The cosines, falling.
    day : ndarray of float64, shape (n,)
        Times, NaN where there is none.

    Returns
    -------
    ndarray of float64, shape (n,)
    """
    bar = np.maximum(nearest[:, RANK - 1].astype(np.float64), LOWEST_BAR)
    return np.where(np.isnan(day), TYPICAL_BAR, bar)


def _raise(live: Live, row: int, cosine: float) -> bool:
    """Note how alike an article is to a stranger; tell whether that is news."""
    nearest = live.standing.nearest[row]
    if cosine <= nearest[RANK - 1]:
        return False
    nearest[RANK - 1] = cosine
    nearest[::-1].sort()
    live.standing.bar[row] = max(live.standing.bar[row], float(nearest[RANK - 1]))
    return True


def _distinct(first: _Rows, second: NDArray[np.int32]) -> tuple[_Rows, _Rows]:
    key = np.unique((first << 32) | second)
    return key >> 32, key & 0xFFFFFFFF
