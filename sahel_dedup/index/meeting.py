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
    asking = np.arange(rows.start, rows.stop)
    asking = asking[profiles.salience[asking, 0] != EMPTY_SLOT]
    first, second, agree = _found(live, asking)
    if len(asking) > 1:
        first, second, agree = _with_each_other(live, asking, first, second, agree)
    apart = np.abs(profiles.day[first] - profiles.day[second])
    # What has expired has no story, and is there for contrast alone.
    near = (standing.story[second] != NO_STORY) & ~(apart > live.settings.window_days)
    far = apart > GAP_DAYS
    undated = np.isnan(apart)
    if undated.any():
        far |= np.isnan(profiles.day[first]) & np.isnan(profiles.day[second])
    strangers = _most_alike(first[far], second[far], agree[far])
    return Met(first[near], second[near]), strangers


def _found(live: Live, asking: _Rows) -> tuple[_Rows, _Rows, _Rows]:
    """Pairs of articles and those in their buckets, in order, and in how many slots they agree."""
    met = live.buckets.meet(live.profiles.salience[asking])
    one, band, place = (met >= 0).nonzero()
    first, second = _distinct(asking[one], met[one, band, place])
    agree = agreeing_slots(live.profiles.salience, first, second)
    enough = agree >= _MIN_AGREEMENT
    return first[enough], second[enough], agree[enough]


def _with_each_other(
    live: Live, asking: _Rows, first: _Rows, second: _Rows, agree: _Rows
) -> tuple[_Rows, _Rows, _Rows]:
    """Add the pairs that the arriving articles form among themselves, the later one first."""
    earlier, later = (asking[place] for place in np.triu_indices(len(asking), 1))
    slots = agreeing_slots(live.profiles.salience, later, earlier)
    enough = slots >= _MIN_AGREEMENT
    first = np.concatenate([first, later[enough]])
    second = np.concatenate([second, earlier[enough]])
    order = np.lexsort((second, first))
    return first[order], second[order], np.concatenate([agree, slots[enough]])[order]


def _most_alike(first: _Rows, second: _Rows, agree: _Rows) -> Met:
    """Of the pairs of each article the few that agree in most slots."""
    order = np.lexsort((second, -agree, first))
    first, second = first[order], second[order]
    closest = np.arange(len(first)) - first.searchsorted(first) < COMPARED
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
    if len(same) < MANY_HEADLINES - 1:
        return np.zeros(len(first), dtype=bool)
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
    # The bar of an article that is too old for new relatives does not matter any more. One
    # without a date may find relatives for ever, and look-alikes too: its bar is measured
    # once, as it comes, or it would rise without end.
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
