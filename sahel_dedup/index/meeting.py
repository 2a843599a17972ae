"""Whom arriving articles meet: possible relatives, and strangers for contrast.

Both come out of the same buckets. Relatives lie within the window; strangers must be
about something else (`sahel_dedup.contrast`), and the batch's rules for them hold: in each
bucket the nearest one on either side, of all those the few that agree in most slots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.contrast import _COMPARED as COMPARED
from sahel_dedup.contrast import _MIN_FIGURES as MIN_FIGURES
from sahel_dedup.contrast import _RANK as RANK
from sahel_dedup.contrast import _SHARED_FIGURES as SHARED_FIGURES
from sahel_dedup.contrast import GAP_DAYS, LOWEST_BAR, TYPICAL_BAR
from sahel_dedup.fingerprint import EMPTY_SLOT
from sahel_dedup.furniture import MANY_HEADLINES, MANY_HEADLINES_ANYWHERE
from sahel_dedup.index.live import NO_STORY, Live
from sahel_dedup.lsh import agreeing_slots

_Rows = NDArray[np.int64]
# Slots that two articles must share to be compared. A tenth of all: 0.4 % of the pairs that
# are one event share fewer, and two fifths of all that meet.
_MIN_AGREEMENT = 12
# Further than any row: other outlets come after all of the same.
_FAR = 1e9


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
    agree = agreeing_slots(profiles.salience, first, second) >= _MIN_AGREEMENT
    first = np.concatenate([first[agree], inner.first[~(apart > window)]])
    second = np.concatenate([second[agree], inner.second[~(apart > window)]])
    order = np.lexsort((second, first))
    relatives = Met(first[order], second[order])

    first, second = _nearest_strangers(live, asking, met, ahead)
    far = apart > GAP_DAYS
    far |= np.isnan(profiles.day[inner.first]) & np.isnan(profiles.day[inner.second])
    first = np.concatenate([first, inner.first[far]])
    second = np.concatenate([second, inner.second[far]])
    return relatives, _most_alike(live, first, second)


def _among(live: Live, asking: _Rows) -> Met:
    """Pairs among the arriving articles themselves, the later one first."""
    if len(asking) < 2:
        return Met(asking[:0], asking[:0])
    earlier, later = (asking[place] for place in np.triu_indices(len(asking), 1))
    agree = agreeing_slots(live.profiles.salience, later, earlier) >= _MIN_AGREEMENT
    return Met(later[agree], earlier[agree])


def _nearest_strangers(
    live: Live, asking: _Rows, met: NDArray[np.int32], ahead: NDArray[np.float64]
) -> tuple[_Rows, _Rows]:
    """In each bucket the nearest articles beyond the gap, sooner and later.

    Where neither has a date, the latest article of the same outlet, or else of any.
    """
    p = live.profiles
    distances = [np.where(sign * ahead > GAP_DAYS, sign * ahead, np.inf) for sign in (1, -1)]
    undated = np.isnan(p.day[asking])
    if undated.any():
        both = (met >= 0) & undated[:, None, None] & np.isnan(p.day[met])
        other = p.source[met] != p.source[asking, None, None]
        back = asking[:, None, None] - met
        distances.append(np.where(both, back + np.where(other, _FAR, 0.0), np.inf))
    firsts, seconds = [], []
    for distance in distances:
        nearest = distance.argmin(axis=2)[:, :, None]
        one, band = np.nonzero(np.take_along_axis(distance, nearest, 2)[:, :, 0] < np.inf)
        firsts.append(asking[one])
        seconds.append(met[one, band, nearest[one, band, 0]])
    return _distinct(np.concatenate(firsts), np.concatenate(seconds))


def _most_alike(live: Live, first: _Rows, second: _Rows) -> Met:
    """Of the pairs of each article the few that agree in most slots."""
    agree = agreeing_slots(live.profiles.salience, first, second)
    enough = agree >= _MIN_AGREEMENT
    first, second, agree = first[enough], second[enough], agree[enough]
    order = np.lexsort((second, -agree, first))
    first, second = first[order], second[order]
    closest = np.arange(len(first)) - np.searchsorted(first, first) < COMPARED
    return Met(first[closest], second[closest])


def are_strangers(live: Live, met: Met, figures: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which pairs must be about something else; see `sahel_dedup.contrast`.

    Parameters
    ----------
    live : Live
    met : Met
        Pairs that `meet` gave as strangers.
    figures : ndarray of int64, shape (n,)
        Number of figures that each pair shares.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    p, held = live.profiles, live.similarity.figures
    fewer = np.minimum(held[met.first], held[met.second])
    conflict = (fewer >= MIN_FIGURES) & (figures <= SHARED_FIGURES * fewer)
    outlet = p.source[met.first]
    same_outlet = (outlet >= 0) & (outlet == p.source[met.second])
    dated = ~np.isnan(p.day[met.first])
    return np.asarray(dated | conflict | same_outlet)


def are_pages(live: Live, relatives: Met) -> NDArray[np.bool_]:
    """Mark the pairs whose arriving article is one page under yet another headline.

    See `sahel_dedup.furniture.hollow`; here it is told by the articles that are met. What
    came before its kind was known stays where it is.

    Parameters
    ----------
    live : Live
    relatives : Met
        Pairs within the window.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    p, first = live.profiles, relatives.first
    same = np.flatnonzero((p.body[first] == p.body[relatives.second]) & (p.body[first] > 0))
    headlines: dict[int, set[int]] = {}
    for row, other in zip(first[same].tolist(), relatives.second[same].tolist(), strict=True):
        if p.source[row] == p.source[other]:
            known = headlines.setdefault(row, {int(p.headline[row])})
            known.add(int(p.headline[other]))
    pages = [
        row
        for row, known in headlines.items()
        if len(known - {0}) >= (MANY_HEADLINES if p.source[row] >= 0 else MANY_HEADLINES_ANYWHERE)
    ]
    return np.isin(first, pages)


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
    matters &= ~(np.abs(day[first] - day[second]) > live.settings.window_days)
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
    least = np.where(np.isnan(day), TYPICAL_BAR, LOWEST_BAR)
    return np.maximum(nearest[:, RANK - 1], least)


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
    key = (first << 32) | second
    key.sort()
    new = np.ones(len(key), dtype=bool)
    np.not_equal(key[1:], key[:-1], out=new[1:])
    key = key[new]
    return key >> 32, key & 0xFFFFFFFF
