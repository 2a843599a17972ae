"""Candidate look-up for new articles: possible duplicates, and background articles.

Both come from the same buckets. Duplicates are within the window. Background articles must be about
another event (`sahel_dedup.scoring.recurrence`) and follow the rules of the batch: the nearest one
on either side in each bucket, and of all these the few that agree in most slots.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.exact_copies import (
    MANY_HEADLINES,
    headline_echo,
    is_placeholder,
    many_headlines,
)
from sahel_dedup.index.growable_profiles import TERM, TERM_BITS
from sahel_dedup.index.live import Live, findable
from sahel_dedup.index.online_tfidf import ComparedPairs
from sahel_dedup.index.standing import NO_STORY
from sahel_dedup.scoring.background import GAP_DAYS, background_pairs
from sahel_dedup.scoring.copies import copies, fillings
from sahel_dedup.scoring.evidence import least_cosine
from sahel_dedup.scoring.meetings import COMPARED
from sahel_dedup.scoring.recurrence import LOWEST_RECURRENCE
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.util.jit import compiled

_Rows = NDArray[np.int64]
# Slots that two articles must share to be compared, as undated ones in the batch. With 12, the
# labelled mix of benchmarks/stream.py loses .001 of B-cubed.
_MIN_AGREEMENT = 10
# In an index of at most this many articles, an arriving one is compared with all, because buckets
# would save no time and miss one pair of reworded reports in ten.
_FEW = 100


@dataclass(frozen=True, slots=True)
class CandidatePairs:
    """Pairs of an arriving article and an earlier one.

    Attributes
    ----------
    first : ndarray of int64, shape (n,)
        Rows of the arriving articles, ascending.
    second : ndarray of int64, shape (n,)
        Rows of the earlier ones.
    near : ndarray of bool, shape (n,)
        Whether they may report one event. Pairs of exact duplicates are included.
    far : ndarray of bool, shape (n,)
        Whether the second may be background of the first: see `judge`. Without dates, both may be
        true.
    """

    first: _Rows
    second: _Rows
    near: NDArray[np.bool_]
    far: NDArray[np.bool_]


def find_candidates(live: Live, rows: range) -> CandidatePairs:
    """Find the pairs of arriving articles.

    Parameters
    ----------
    live : Live
    rows : range
        The arriving articles, which are the last rows and not yet in the buckets.

    Returns
    -------
    CandidatePairs
    """
    profiles, standing = live.profiles, live.standing
    asking = profiles.findable(np.arange(rows.start, rows.stop), standing.duplicate_of)
    if rows.start <= _FEW:
        known = findable(live, rows.start)
        places, earlier = np.repeat(np.arange(len(asking)), len(known)), np.tile(known, len(asking))
    else:
        places, earlier = live.buckets.find(profiles.salience, asking)
    most = len(earlier) + len(asking) * (len(asking) - 1) // 2
    first, second, agree = np.empty((3, most), dtype=np.int64)
    size = _agreeing(profiles.salience, asking, places, earlier, first, second, agree)
    found = first[:size], second[:size], agree[:size]
    return CandidatePairs(*_sides(*found, profiles.day, standing.story, live.window))


@compiled
def _agreeing(
    salience: NDArray[Any],
    asking: _Rows,
    places: _Rows,
    earlier: _Rows,
    first: _Rows,
    second: _Rows,
    agree: _Rows,
) -> int:
    """Pair articles with earlier ones and those they came with; how many agree in enough slots.

    Those at `places` of `asking` share buckets with the rows `earlier`. The pairs, in order, and
    in how many slots they agree, are put into the last three.
    """
    size = at = 0
    for i in range(len(asking)):
        row, start = asking[i], at
        while at < len(earlier) and places[at] == i:
            at += 1
        for k in range(at - start + i):
            other = earlier[start + k] if start + k < at else asking[start + k - at]
            slots = 0
            for slot in range(SLOTS):
                slots += salience[row, slot] == salience[other, slot]
            if slots >= _MIN_AGREEMENT:
                first[size], second[size], agree[size] = row, other, slots
                size += 1
    return size


def _sides(
    first: _Rows,
    second: _Rows,
    agree: _Rows,
    day: NDArray[np.float64],
    story: NDArray[np.uint64],
    window: float,
) -> tuple[_Rows, _Rows, NDArray[np.bool_], NDArray[np.bool_]]:
    """Keep the pairs that may report one event or be background, and say which of the two.

    Of the distant pairs of an article, only the few that agree in most slots are kept.
    """
    near, far = np.zeros((2, len(first)), dtype=np.bool_)
    room = np.empty(SLOTS + 1, dtype=np.int64)
    size = _choose_sides(first, second, agree, day, story, window, near, far, room)
    return first[:size], second[:size], near[:size], far[:size]


@compiled
def _choose_sides(
    first: _Rows,
    second: _Rows,
    agree: _Rows,
    day: NDArray[np.float64],
    story: NDArray[np.uint64],
    window: float,
    near: NDArray[np.bool_],
    far: NDArray[np.bool_],
    with_agreement: _Rows,
) -> int:
    """Move what `_sides` returns to the front, and count it."""
    start = 0
    while start < len(first):
        end = start
        for slots in range(SLOTS + 1):
            with_agreement[slots] = 0
        while end < len(first) and first[end] == first[start]:
            one, other = day[first[end]], day[second[end]]
            apart = abs(one - other)
            # An expired article has no story and only serves as background.
            near[end] = story[second[end]] != NO_STORY and not apart > window
            far[end] = apart > GAP_DAYS or (np.isnan(one) and np.isnan(other))
            with_agreement[agree[end]] += far[end]
            end += 1
        # From the most slots down, including the first of those that agree in as many as the last.
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
    size = 0
    for pair in range(len(first)):
        if near[pair] or far[pair]:
            first[size], second[size] = first[pair], second[pair]
            near[size], far[size] = near[pair], far[pair]
            size += 1
    return size


def with_same_text(live: Live, candidates: CandidatePairs) -> _Rows:
    """Return which pairs may report one event and have the same text, as positions."""
    near = candidates.near.nonzero()[0]
    same = live.profiles.same_text(candidates.first[near], candidates.second[near])
    return near[same]


def mark_exact_duplicates(live: Live, candidates: CandidatePairs, same: _Rows) -> NDArray[np.bool_]:
    """Mark the arriving articles that are exact copies of earlier ones.

    An article does not count as a copy if the story would then exceed the window.

    Parameters
    ----------
    live : Live
    candidates : CandidatePairs
    same : ndarray of int64
        See `with_same_text`.

    Returns
    -------
    ndarray of bool, shape (n,)
        Pairs that may report one event otherwise.
    """
    p, duplicate_of = live.profiles, live.standing.duplicate_of
    same = same[p.headline[candidates.first[same]] == p.headline[candidates.second[same]]]
    for row, other in zip(
        candidates.first[same].tolist(), candidates.second[same].tolist(), strict=True
    ):
        head = int(duplicate_of[other])
        apart = abs(p.day[row] - p.day[head]) > live.window
        if duplicate_of[row] == row and not apart and live.fit(row, head):
            duplicate_of[row] = head
    single = duplicate_of[candidates.first] == candidates.first
    return np.asarray(
        candidates.near & single & (duplicate_of[candidates.second] == candidates.second)
    )


def judge(
    live: Live, found: ComparedPairs, near: NDArray[np.bool_], far: NDArray[np.bool_]
) -> tuple[ComparedPairs, ComparedPairs, NDArray[np.bool_]]:
    """Divide compared pairs into possible duplicates and background.

    Parameters
    ----------
    live : Live
    found : ComparedPairs
    near, far : ndarray of bool, shape (n,)
        Which pairs may be the one or the other: see `CandidatePairs`.

    Returns
    -------
    surviving, background : ComparedPairs
        Pairs worth scoring, and pairs that must be about different events and may raise a
        recurrence (`sahel_dedup.scoring.recurrence`), with the most similar pairs of an article
        first.
    news : ndarray of bool
        Marks background pairs whose arriving article is not a copy of an earlier one.
    """
    p, first, second = live.profiles, found.first, found.second
    copy = copies(first, second, found.cosine, found.common, found.number_count, p)
    surviving = near & (found.cosine >= least_cosine(~np.isnan(p.day[first] - p.day[second])))
    background = far & background_pairs(
        first, second, found.common, copy, p.day, p.source, found.number_count
    )
    form = fillings(first, second, found.cosine, GAP_DAYS, p, live.similarity)
    alike = found.cosine
    if form.any():
        background |= near & (form > 0)
        alike = np.where(form > 0, form, alike)
    # Others raise no recurrence.
    background &= alike > LOWEST_RECURRENCE
    order = np.lexsort((-alike, first))
    order = order[background[order]]
    met = replace(found, cosine=alike).where(order)
    news = ~np.isin(met.first, first[copy]) if copy.any() else ~copy[order]
    return found.where(surviving), met, news


def are_placeholders(live: Live, candidates: CandidatePairs, same: _Rows) -> NDArray[np.bool_]:
    """Mark the pairs whose arriving article is a placeholder page under yet another headline.

    See `sahel_dedup.candidates.exact_copies.placeholder_pages`; here the candidates show it.
    Articles that arrived before the page was recognised stay where they are.

    Parameters
    ----------
    live : Live
    candidates : CandidatePairs
    same : ndarray of int64
        See `with_same_text`.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    p, first = live.profiles, candidates.first
    if len(same) < MANY_HEADLINES - 1:
        return np.zeros(len(first), dtype=bool)
    # For each arriving article, one article of each headline, by number of the headline.
    headlines: dict[int, dict[int, int]] = {}
    for row, other in zip(first[same].tolist(), candidates.second[same].tolist(), strict=True):
        if p.source[row] == p.source[other]:
            known = headlines.setdefault(row, {int(p.headline[row]): row})
            known.setdefault(int(p.headline[other]), other)
    pages = []
    for row, known in headlines.items():
        titled = [other for headline, other in known.items() if headline]
        if len(titled) >= many_headlines(int(p.source[row])):
            echo = np.array([_headline_echo(live, other) for other in titled])
            pages += [row] if is_placeholder(echo) else []
    return np.isin(first, pages)


def _headline_echo(live: Live, row: int) -> float:
    p, sketcher = live.profiles, live.sketcher
    words = p.words[p.indptr[row] : p.indptr[row + 1]]
    title = p.title_terms[p.title_indptr[row] : p.title_indptr[row + 1]]
    lang = sketcher.langs.names[p.lang[row]]
    return headline_echo(
        lang, (words & TERM).view(np.int32), words >> TERM_BITS, title, sketcher.vocabulary
    )
