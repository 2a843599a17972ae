"""Candidate look-up for new articles: possible duplicates, and background articles.

Both come from the same buckets. Duplicates are within the window. Background articles must be about
another event (`sahel_dedup.scoring.recurrence`) and follow the rules of the batch: the nearest one
on either side in each bucket, and of all these the few that agree in most slots.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.exact_copies import (
    MANY_HEADLINES,
    headline_echo,
    is_placeholder,
    many_headlines,
)
from sahel_dedup.candidates.lsh import count_agreeing
from sahel_dedup.index.growable_profiles import TERM, TERM_BITS
from sahel_dedup.index.live import Live, findable
from sahel_dedup.index.online_tfidf import ComparedPairs
from sahel_dedup.index.standing import NO_STORY
from sahel_dedup.scoring.background import GAP_DAYS, are_strangers
from sahel_dedup.scoring.copies import COPY_COSINE, LEAST_FILLING, copies, fillings
from sahel_dedup.scoring.log_odds import least_cosine_of_pair
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


@dataclass(slots=True)
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
    first, second, agree = _positions(most), _positions(most), _positions(most)
    near, far = np.empty(most, dtype=np.bool_), np.empty(most, dtype=np.bool_)
    pairs, when = (first, second, agree), (profiles.day, standing.story)
    size = _pair(
        profiles.salience, asking, places, earlier, when, live.window, pairs, near, far,
        _positions(SLOTS + 1),
    )  # fmt: skip
    return CandidatePairs(first[:size], second[:size], near[:size], far[:size])


def _positions(size: int) -> _Rows:
    """Return room for rows or positions."""
    return np.empty(size, dtype=np.int64)


@compiled
def _pair(
    salience: NDArray[Any],
    asking: _Rows,
    places: _Rows,
    earlier: _Rows,
    when: tuple[NDArray[np.float64], NDArray[np.uint64]],
    window: float,
    pairs: tuple[_Rows, _Rows, _Rows],
    near: NDArray[np.bool_],
    far: NDArray[np.bool_],
    with_agreement: _Rows,
) -> int:
    """Fill in the pairs of `find_candidates` and which are near and far, and count them."""
    first, second, agree = pairs
    day, story = when
    size = _agreeing(salience, asking, places, earlier, first, second, agree)
    found = first[:size], second[:size], agree[:size]
    return _keep_sides(found, day, story, window, near, far, with_agreement)


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
            slots = count_agreeing(salience, row, other)
            if slots >= _MIN_AGREEMENT:
                first[size], second[size], agree[size] = row, other, slots
                size += 1
    return size


@compiled
def _keep_sides(
    pairs: tuple[_Rows, _Rows, _Rows],
    day: NDArray[np.float64],
    story: NDArray[np.uint64],
    window: float,
    near: NDArray[np.bool_],
    far: NDArray[np.bool_],
    with_agreement: _Rows,
) -> int:
    """Move the pairs that may report one event or be background to the front, and count them.

    Fills in which of the two. Of the distant pairs of an article, only the few that agree in most
    slots are kept. `with_agreement` is room for their number by slots.
    """
    first, second, agree = pairs
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
    same = live.profiles.same_text(candidates.first, candidates.second)
    return (same & candidates.near).nonzero()[0]


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
    p, first, second, cosine = live.profiles, found.first, found.second, found.cosine
    n, numbers = len(first), found.number_count
    copy, form = np.zeros(n, dtype=np.bool_), np.zeros(n)
    # Most arriving articles are not similar enough to any other for one of the two.
    if (highest := _highest(cosine)) >= COPY_COSINE:
        copy = copies(first, second, cosine, found.common, numbers, p)
    if highest >= LEAST_FILLING:
        form = fillings(first, second, cosine, GAP_DAYS, p, live.similarity)
    alike, news = np.empty(n), np.empty(n, dtype=np.bool_)
    surviving, order = _positions(n), _positions(n)
    pairs, traits = (first, second, cosine, found.common), (p.day, p.source, numbers)
    kept, met = _divide(
        pairs, near, far, traits, copy, form, alike, surviving, order, news
    )  # fmt: skip
    others = order[:met]
    background = ComparedPairs(
        first[others], second[others], alike[others], found.common[others], found.similarity
    )
    return found.where(surviving[:kept]), background, news[:met]


@compiled
def _highest(values: NDArray[np.float64]) -> float:
    """Return the highest of some positive numbers, or 0 if there are none."""
    highest = 0.0
    for value in values:
        if value > highest:
            highest = value
    return highest


@compiled
def _divide(
    pairs: tuple[_Rows, _Rows, NDArray[np.float64], _Rows],
    near: NDArray[np.bool_],
    far: NDArray[np.bool_],
    traits: tuple[NDArray[np.float64], NDArray[np.int32], _Rows],
    copy: NDArray[np.bool_],
    form: NDArray[np.float64],
    alike: NDArray[np.float64],
    surviving: _Rows,
    order: _Rows,
    news: NDArray[np.bool_],
) -> tuple[int, int]:
    """Fill in what `judge` returns, as positions, and count the pairs of each kind.

    `form` is the share of the form that fillings have in common (0 for other pairs), and `alike`
    receives how similar each pair is as background.
    """
    first, second, cosine, common = pairs
    day, source, number_count = traits
    kept = met = start = 0
    for pair in range(len(first)):
        a, b = first[pair], second[pair]
        if a != first[start]:
            start = pair
        if near[pair] and cosine[pair] >= least_cosine_of_pair(day[a], day[b]):
            surviving[kept] = pair
            kept += 1
        alike[pair] = form[pair] if form[pair] > 0 else cosine[pair]
        strange = far[pair] and not copy[pair]
        strange = strange and are_strangers(a, b, common[pair], day, source, number_count)
        # Others raise no recurrence.
        if (strange or (near[pair] and form[pair] > 0)) and alike[pair] > LOWEST_RECURRENCE:
            place = met
            while place > 0 and order[place - 1] >= start and alike[order[place - 1]] < alike[pair]:
                order[place] = order[place - 1]
                place -= 1
            order[place] = pair
            met += 1
    start = copied = 0
    for k in range(met):
        row = first[order[k]]
        while start < len(first) and first[start] <= row:
            copied = start + 1 if copy[start] else copied
            start += 1
        news[k] = not (copied > 0 and first[copied - 1] == row)
    return kept, met


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
