"""Whom arriving articles meet: possible relatives, and strangers for contrast.

Both come out of the same buckets. Relatives lie within the window; strangers must be
about something else (`sahel_dedup.contrast`), and the batch's rules for them hold: in each
bucket the nearest one on either side, of all those the few that agree in most slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.compiled import compiled
from sahel_dedup.contrast import _COMPARED as COMPARED
from sahel_dedup.contrast import _MIN_FIGURES as MIN_FIGURES
from sahel_dedup.contrast import _RANK as RANK
from sahel_dedup.contrast import _SHARED_FIGURES as SHARED_FIGURES
from sahel_dedup.contrast import GAP_DAYS, LOWEST_BAR, TYPICAL_BAR
from sahel_dedup.evidence import LEAST_COSINE, LEAST_COSINE_UNDATED
from sahel_dedup.fingerprint import SLOTS
from sahel_dedup.furniture import MANY_HEADLINES, MANY_HEADLINES_ANYWHERE
from sahel_dedup.index.live import NO_STORY, Live
from sahel_dedup.index.moving import Compared
from sahel_dedup.lsh import agreement

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
        Whether they may be strangers: see `judge`. Without dates both may hold.
    """

    first: _Rows
    second: _Rows
    near: NDArray[np.bool_]
    far: NDArray[np.bool_]


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
    asking = profiles.findable(np.arange(rows.start, rows.stop), standing.twin)
    places, met = live.buckets.meet(profiles.salience, asking)
    return Met(
        *_pairs(
            profiles.salience, asking, places, met, profiles.day, standing.story,
            live.window,
        )
    )  # fmt: skip


@compiled
def _pairs(
    salience: NDArray[Any],
    asking: _Rows,
    places: _Rows,
    met: _Rows,
    day: NDArray[np.float64],
    story: NDArray[np.uint64],
    window: float,
) -> tuple[_Rows, _Rows, NDArray[np.bool_], NDArray[np.bool_]]:
    """Pair articles with those they met or came with: see `Met`.

    Those at `places` of `asking` met the earlier rows `met`.
    """
    first, second, agree = _agreeing(salience, asking, places, met)
    return _sides(first, second, agree, day, story, window)


@compiled
def _agreeing(
    salience: NDArray[Any], asking: _Rows, places: _Rows, met: _Rows
) -> tuple[_Rows, _Rows, _Rows]:
    """Pairs that agree in enough slots, in order, and in how many."""
    most = len(met) + len(asking) * (len(asking) - 1) // 2
    first = np.empty(most, dtype=np.int64)
    second = np.empty(most, dtype=np.int64)
    agree = np.empty(most, dtype=np.int64)
    size = at = 0
    for i in range(len(asking)):
        start = at
        while at < len(met) and places[at] == i:
            at += 1
        for others in (met[start:at], asking[:i]):
            for other in others:
                slots = agreement(salience, asking[i], other)
                if slots >= _MIN_AGREEMENT:
                    first[size], second[size], agree[size] = asking[i], other, slots
                    size += 1
    return first[:size].copy(), second[:size].copy(), agree[:size].copy()


@compiled
def _sides(
    first: _Rows,
    second: _Rows,
    agree: _Rows,
    day: NDArray[np.float64],
    story: NDArray[np.uint64],
    window: float,
) -> tuple[_Rows, _Rows, NDArray[np.bool_], NDArray[np.bool_]]:
    """Keep the pairs that may be one event or strangers, with which of them they may be.

    Of the pairs of an article that are far apart, the few that agree in most slots.
    """
    near = np.zeros(len(first), dtype=np.bool_)
    far = np.zeros(len(first), dtype=np.bool_)
    start = 0
    while start < len(first):
        end = start
        with_agreement = np.zeros(SLOTS + 1, dtype=np.int64)
        while end < len(first) and first[end] == first[start]:
            one, other = day[first[end]], day[second[end]]
            apart = abs(one - other)
            # What has expired has no story, and is there for contrast alone.
            near[end] = story[second[end]] != NO_STORY and not apart > window
            far[end] = apart > GAP_DAYS or (np.isnan(one) and np.isnan(other))
            with_agreement[agree[end]] += far[end]
            end += 1
        # From the most slots down, and the first of those that agree in as many as the last.
        least, room = SLOTS, COMPARED
        while least > 0 and with_agreement[least] < room:
            room -= with_agreement[least]
            least -= 1
        for pair in range(start, end):
            if far[pair] and agree[pair] == least:
                far[pair] = room > 0
                room -= 1
            elif agree[pair] < least:
                far[pair] = False
        start = end
    kept = near | far
    return first[kept], second[kept], near[kept], far[kept]


@compiled
def set_twins(
    first: _Rows,
    second: _Rows,
    near: NDArray[np.bool_],
    body: NDArray[np.uint64],
    headline: NDArray[np.uint64],
    twin: NDArray[np.int32],
) -> NDArray[np.bool_]:
    """Note who is a verbatim copy of whom; mark the pairs that may be one event otherwise.

    Parameters
    ----------
    first, second, near
        See `Met`.
    body, headline
        See `sahel_dedup.profiles.Traits`.
    twin : ndarray of int32, shape (n_rows,)
        Row of the first article with the same words; changed.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    for i in range(len(first)):
        a, b = first[i], second[i]
        same = near[i] and body[a] > 0 and body[a] == body[b] and headline[a] == headline[b]
        if same and twin[a] == a:
            twin[a] = twin[b]
    otherwise = near.copy()
    for i in range(len(first)):
        otherwise[i] &= twin[first[i]] == first[i] and twin[second[i]] == second[i]
    return otherwise


def judge(
    live: Live, found: Compared, near: NDArray[np.bool_], far: NDArray[np.bool_]
) -> tuple[Compared, Compared]:
    """Tell relatives and strangers by what the comparison found.

    Parameters
    ----------
    live : Live
    found : Compared
    near, far : ndarray of bool, shape (n,)
        Which may be the one or the other: see `Met`.

    Returns
    -------
    kin, strangers : Compared
        Pairs worth weighing, and pairs that must be about something else
        (`sahel_dedup.contrast`).
    """
    p = live.profiles
    kin, strangers = _judge(
        found.first, found.second, found.cosine, found.common, near, far, p.day, p.source,
        found.figures,
    )  # fmt: skip
    return found.where(kin), found.where(strangers)


@compiled
def _judge(
    first: _Rows,
    second: _Rows,
    cosine: NDArray[np.float64],
    common: _Rows,
    near: NDArray[np.bool_],
    far: NDArray[np.bool_],
    day: NDArray[np.float64],
    source: NDArray[np.int32],
    figures: _Rows,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which pairs are worth weighing, and which must be about something else."""
    kin, strangers = near.copy(), far.copy()
    for i in range(len(first)):
        a, b = first[i], second[i]
        undated = np.isnan(day[a] - day[b])
        kin[i] &= cosine[i] >= (LEAST_COSINE_UNDATED if undated else LEAST_COSINE)
        if np.isnan(day[a]):
            fewer = min(figures[a], figures[b])
            conflict = fewer >= MIN_FIGURES and common[i] <= SHARED_FIGURES * fewer
            strangers[i] &= conflict or (source[a] >= 0 and source[a] == source[b])
    return kin, strangers


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
    same = _same_text(first, met.second, met.near, p.body)
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


@compiled
def _same_text(
    first: _Rows, second: _Rows, near: NDArray[np.bool_], body: NDArray[np.uint64]
) -> _Rows:
    """Which pairs near in time have one text."""
    same = np.zeros(len(first), dtype=np.bool_)
    for i in range(len(first)):
        same[i] = near[i] and body[first[i]] > 0 and body[first[i]] == body[second[i]]
    return same.nonzero()[0]


def set_bars(live: Live, strangers: Compared, rows: range) -> None:
    """Give arriving articles their bars.

    Parameters
    ----------
    live : Live
    strangers : Compared
    rows : range
        The arriving articles.
    """
    s, here = live.standing, slice(rows.start, rows.stop)
    s.bar[here] = bar_of(s.nearest[here], live.profiles.day[here])
    _enter(s.nearest, s.bar, strangers.first, strangers.cosine)


def raise_bars(live: Live, strangers: Compared) -> tuple[set[int], set[int]]:
    """Note at the articles that were there before which strangers have come.

    Returns
    -------
    noted, risen : set of int
        Rows of which the highest cosines changed, and those among them of which the bar did.
    """
    s, second = live.standing, strangers.second
    if not len(second):
        return set(), set()
    matter = _matter(
        strangers.first, second, strangers.cosine, live.profiles.day, s.story,
        live.window,
    )  # fmt: skip
    second = second[matter]
    noted, risen = _enter(s.nearest, s.bar, second, strangers.cosine[matter])
    return set(second[noted].tolist()), set(second[risen].tolist())


@compiled
def _matter(
    first: _Rows,
    second: _Rows,
    cosine: NDArray[np.float64],
    day: NDArray[np.float64],
    story: NDArray[np.uint64],
    window: float,
) -> NDArray[np.bool_]:
    """Whether it matters that the second of each pair has met a stranger.

    The bar of an article that is too old for new relatives does not matter any more. One
    without a date may find relatives for ever, and look-alikes too: its bar is measured once,
    as it comes, or it would rise without end.
    """
    matter = cosine > LOWEST_BAR
    for i in range(len(first)):
        recent = abs(day[first[i]] - day[second[i]]) <= window
        matter[i] &= recent and story[second[i]] != NO_STORY
    return matter


@compiled
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
    bar = np.empty(len(day))
    for i in range(len(day)):
        least = TYPICAL_BAR if np.isnan(day[i]) else LOWEST_BAR
        bar[i] = max(np.float64(nearest[i, RANK - 1]), least)
    return bar


@compiled
def _enter(
    nearest: NDArray[np.float32],
    bar: NDArray[np.float64],
    rows: _Rows,
    cosine: NDArray[np.float64],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Put cosines among the highest of their rows; return which are, and which raise a bar."""
    noted = np.zeros(len(rows), dtype=np.bool_)
    risen = np.zeros(len(rows), dtype=np.bool_)
    for i in range(len(rows)):
        highest = nearest[rows[i]]
        if cosine[i] > highest[-1]:
            noted[i] = True
            place = RANK - 1
            while place > 0 and cosine[i] > highest[place - 1]:
                highest[place] = highest[place - 1]
                place -= 1
            highest[place] = cosine[i]
            risen[i] = highest[-1] > bar[rows[i]]
            bar[rows[i]] = max(bar[rows[i]], np.float64(highest[-1]))
    return noted, risen
