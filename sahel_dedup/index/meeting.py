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
from sahel_dedup.fingerprint import SLOTS
from sahel_dedup.furniture import MANY_HEADLINES, MANY_HEADLINES_ANYWHERE
from sahel_dedup.index.live import NO_STORY, Live
from sahel_dedup.index.moving import Compared
from sahel_dedup.lsh import agreeing_slots, distinct

_Rows = NDArray[np.int64]
# Slots that two articles must share to be compared, as those without a date in the batch.
# With 12 of them the labelled mix of benchmarks/stream.py loses .001 of B-cubed.
_MIN_AGREEMENT = 10


@dataclass(frozen=True, slots=True)
class Met:
    """Pairs of an arriving article and one that was there before it.

    Attributes
    ----------
    first : ndarray of int64, shape (n,)
        Rows of the arriving articles, rising.
    second : ndarray of int64, shape (n,)
        Rows of those they meet.
    near : ndarray of bool, shape (n,)
        Whether they may be one event. Pairs of twins are among these.
    far : ndarray of bool, shape (n,)
        Whether they may be strangers: see `are_strangers`. Without dates both may hold.
    """

    first: _Rows
    second: _Rows
    near: NDArray[np.bool_]
    far: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_]) -> Met:
        """Return some of the pairs."""
        return Met(self.first[chosen], self.second[chosen], self.near[chosen], self.far[chosen])


def meet(live: Live, rows: range) -> Met:
    """Find the pairs that arriving articles form.

    Parameters
    ----------
    live : Live
    rows : range
        The arriving articles: the last rows, not yet in the buckets.

    Returns
    -------
    Met
    """
    profiles, standing = live.profiles, live.standing
    asking = np.arange(rows.start, rows.stop)
    asking = asking[profiles.findable(asking)]
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
    far = _most_alike(far, first, agree)
    met = Met(first, second, near, far)
    return met.where(near | far)


def _found(live: Live, asking: _Rows) -> tuple[_Rows, _Rows, _Rows]:
    """Pairs of articles and those in their buckets, in order, and in how many slots they agree."""
    one, met = live.buckets.meet(live.profiles.salience[asking])
    first, second = np.divmod(distinct((asking[one] << 32) | met), 1 << 32)
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


def _most_alike(far: NDArray[np.bool_], first: _Rows, agree: _Rows) -> NDArray[np.bool_]:
    """Of the pairs of each article that are far apart the few that agree in most slots."""
    places = far.nonzero()[0]
    first = first[places]
    order = (first * (SLOTS + 1) - agree[places]).argsort(kind="stable")
    closest = np.arange(len(first)) - first.searchsorted(first) < COMPARED
    few = np.zeros_like(far)
    few[places[order[closest]]] = True
    return few


def are_strangers(live: Live, found: Compared) -> NDArray[np.bool_]:
    """Tell which pairs that are far apart must be about something else.

    See `sahel_dedup.contrast`.

    Parameters
    ----------
    live : Live
    found : Compared

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    p, first, second = live.profiles, found.first, found.second
    fewer = np.minimum(found.figures[first], found.figures[second])
    conflict = (fewer >= MIN_FIGURES) & (found.common <= SHARED_FIGURES * fewer)
    outlet = p.source[first]
    same_outlet = (outlet >= 0) & (outlet == p.source[second])
    return np.asarray(~np.isnan(p.day[first]) | conflict | same_outlet)


def are_pages(live: Live, met: Met) -> NDArray[np.bool_]:
    """Mark the pairs whose arriving article is one page under yet another headline.

    See `sahel_dedup.furniture.hollow`; here it is told by the articles that are met. What
    came before its kind was known stays where it is.

    Parameters
    ----------
    live : Live
    met : Met

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    p, first = live.profiles, met.first
    same = ((p.body[first] == p.body[met.second]) & (p.body[first] > 0) & met.near).nonzero()[0]
    if len(same) < MANY_HEADLINES - 1:
        return np.zeros(len(first), dtype=bool)
    headlines: dict[int, set[int]] = {}
    for row, other in zip(first[same].tolist(), met.second[same].tolist(), strict=True):
        if p.source[row] == p.source[other]:
            known = headlines.setdefault(row, {int(p.headline[row])})
            known.add(int(p.headline[other]))
    pages = [
        row
        for row, known in headlines.items()
        if len(known - {0}) >= (MANY_HEADLINES if p.source[row] >= 0 else MANY_HEADLINES_ANYWHERE)
    ]
    return np.isin(first, pages)


def set_bars(live: Live, strangers: Compared, rows: range) -> None:
    """Give arriving articles their bars.

    Parameters
    ----------
    live : Live
    strangers : Compared
    rows : range
        The arriving articles.
    """
    here = slice(rows.start, rows.stop)
    live.standing.bar[here] = bar_of(live.standing.nearest[here], live.profiles.day[here])
    _raise(live, strangers.first, strangers.cosine)


def raise_bars(live: Live, strangers: Compared) -> set[int]:
    """Raise the bars of the articles that were there before.

    Returns
    -------
    set of int
        Rows that changed.
    """
    day = live.profiles.day
    first, second, cosine = strangers.first, strangers.second, strangers.cosine
    # The bar of an article that is too old for new relatives does not matter any more. One
    # without a date may find relatives for ever, and look-alikes too: its bar is measured
    # once, as it comes, or it would rise without end.
    matters = (live.standing.story[second] != 0) & (cosine > LOWEST_BAR)
    matters &= np.abs(day[first] - day[second]) <= live.settings.window_days
    return set(_raise(live, second[matters], cosine[matters]).tolist())


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


def _raise(live: Live, rows: _Rows, cosine: NDArray[np.float64]) -> _Rows:
    """Note how alike articles are to strangers; return those to which that is news."""
    s = live.standing
    news = cosine > s.nearest[:, RANK - 1].take(rows)
    if not news.any():
        return rows[:0]
    rows, cosine = rows[news], cosine[news]
    order = np.lexsort((-cosine, rows))
    rows, cosine = rows[order], cosine[order]
    rank = np.arange(len(rows)) - rows.searchsorted(rows)
    raised: _Rows = rows[rank == 0]
    few = rank < RANK
    # The highest that are new to each, beside those that are known.
    highest = np.zeros((len(raised), 2 * RANK), dtype=np.float32)
    highest[:, :RANK] = s.nearest[raised]
    highest[raised.searchsorted(rows[few]), RANK + rank[few]] = cosine[few]
    highest.sort(axis=1)
    s.nearest[raised] = highest[:, : -RANK - 1 : -1]
    s.bar[raised] = np.maximum(s.bar[raised], s.nearest[raised, RANK - 1])
    return raised
