"""Average linkage: from the scores of pairs to stories.

Two stories are merged while the mean score of all pairs between them reaches the threshold (UPGMA;
Sokal and Michener, 1958). No score is guessed. A mean can reach the threshold only if one of its
scores does, so no story extends beyond a connected component of such pairs. Inside a component
every pair is scored, whether LSH proposed it or not.

Texts without dates are compared with all others of the archive, so some pairs are similar by
chance. A story without dates therefore needs one strong pair, `UNDATED_START` above the threshold.
An article without a date stays in a story only if pairs of `UNDATED_JOIN` above the threshold, or
of `DATED_JOIN` if one of the two has a date, connect it, directly or through other articles.

The threshold is higher for stories in which outlets repeat themselves
(`sahel_dedup.clustering.outlets`).

The window applies to whole stories: two stories are not merged if their articles, taken together,
would lie further apart. An article without a date fits anywhere.

A large component is divided first and its parts are joined again
(`sahel_dedup.clustering.large_components`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.clustering.large_components import (
    between_parts,
    bounded_components,
    components,
    is_large,
    join_parts,
)
from sahel_dedup.clustering.outlets import divide_series
from sahel_dedup.clustering.window import Times, link_within
from sahel_dedup.scoring.evidence import Evidence, Pairs
from sahel_dedup.scoring.log_odds import LIMIT

ScorePairs = Callable[[NDArray[np.int64], NDArray[np.int64]], Pairs]

# With these values, copies planted among a thousand undated texts form stories of their own.
UNDATED_START = 2.55
UNDATED_JOIN = 1.25
# At the default threshold, such a pair reports one event with odds of three to one.
DATED_JOIN = 1.75
# By how much a pair must exceed the threshold if 0, 1 or 2 of its articles have a date: to hold an
# article in a story, and to found a story.
HOLDING = (UNDATED_JOIN, DATED_JOIN, -math.inf)
FOUNDING = (UNDATED_START, DATED_JOIN, -math.inf)
_WEIGHED_AT_ONCE = 2_000_000


def link_stories(
    pairs: Pairs, times: Times, evidence: Evidence, threshold: float
) -> tuple[NDArray[np.int64], Pairs]:
    """Group articles into stories.

    Parameters
    ----------
    pairs : Pairs
        Scored pairs, each once, with the earlier article first.
    times : Times
        Times of the articles.
    evidence : Evidence
        Scores the pairs that are not among `pairs`.
    threshold : float
        Mean log-odds at which two stories are merged.

    Returns
    -------
    labels : ndarray of int64, shape (n,)
        Number of the story of each article.
    inside : Pairs
        All pairs inside stories, sorted. Between the parts of a divided component, only the pairs
        that were scored.
    """
    strong = pairs.where(pairs.score >= threshold)
    part, component = bounded_components(strong, len(times.first), threshold)
    score_pairs = scorer(pairs, len(times.first), evidence.score_unlikely_pairs)
    labels, inside = link_components(part, times, score_pairs, threshold)
    if part is not component:
        strong = strong.where(is_large(component)[strong.first])
        compared = [inside, strong]
        while True:
            # Compare joined stories again until no more of them join.
            first, second, link = between_parts(labels, strong)
            compared.append(score_pairs(first, second))
            former, labels = labels, join_parts(labels, link, compared[-1].score, threshold, times)
            if (labels == former).all():
                break
        found = Pairs.concatenate(compared)
        inside = _distinct(found.where(labels[found.first] == labels[found.second]))
    return founded(labels, inside, evidence, threshold)


def link_components(
    component: NDArray[np.int64], times: Times, score_pairs: ScorePairs, threshold: float
) -> tuple[NDArray[np.int64], Pairs]:
    """Group the articles of each component into stories.

    Parameters
    ----------
    component : ndarray of int64, shape (n,)
        Number of the component of each article: 0, 1, 2 and so on without gaps.
    times : Times
        Times of the articles.
    score_pairs : callable
        Scores pairs of articles.
    threshold : float

    Returns
    -------
    labels : ndarray of int64, shape (n,)
        Number of the story of each article.
    inside : Pairs
        All pairs inside stories.
    """
    n = len(component)
    order = np.argsort(component, kind="stable")
    starts = np.flatnonzero(np.diff(component[order], prepend=-1))
    sizes = np.diff(starts, append=n)
    labels = component.copy()
    kept: list[Pairs] = []
    for group in _groups(sizes):
        # The components of one size are the rows of one array.
        blocks = [
            order[starts[group[sizes[group] == size]][:, None] + np.arange(size)]
            for size in np.unique(sizes[group]).tolist()
        ]
        corners = [_corner(block.shape[1]) for block in blocks]
        scored = score_pairs(
            np.concatenate([m[:, i].ravel() for m, (i, _) in zip(blocks, corners, strict=True)]),
            np.concatenate([m[:, j].ravel() for m, (_, j) in zip(blocks, corners, strict=True)]),
        )
        place = 0
        for block, (corner, _) in zip(blocks, corners, strict=True):
            size = len(block) * len(corner)
            scores = scored.score[place : place + size].reshape(len(block), -1)
            place += size
            # The label of a story comes from one of its rows, so no other story has it.
            labels[block] = n + block[:, :1]
            for i in np.flatnonzero(~_whole(scores, threshold, times.take(block))).tolist():
                m = block[i]
                labels[m] = n + m[_divide(scores[i], threshold, times.take(m))]
        kept.append(scored.where(labels[scored.first] == labels[scored.second]))
    return labels, Pairs.concatenate(kept)


def founded(
    labels: NDArray[np.int64], inside: Pairs, evidence: Evidence, threshold: float
) -> tuple[NDArray[np.int64], Pairs]:
    """Divide series of one outlet and stories without a strong pair, and sort the pairs.

    Parameters
    ----------
    labels, inside
        See `link_components`.
    evidence : Evidence
    threshold : float

    Returns
    -------
    labels, inside
    """
    one, two, outlets = inside.first, inside.second, evidence.outlets
    labels = divide_series(labels, one, two, inside.score, outlets, threshold)
    inside = inside.where(labels[one] == labels[two])
    known = evidence.known_dates(inside.first, inside.second)
    if (known < 2).any():
        number = parts_held(
            inside.first, inside.second, inside.score, known, len(labels), threshold
        )
        several = np.zeros(len(labels), dtype=bool)
        several[inside.first] = several[inside.second] = True
        fresh = int(labels.max(initial=-1)) + 1
        labels[several] = fresh + number[several]
        inside = inside.where(labels[inside.first] == labels[inside.second])
    return labels, inside.where(np.lexsort((inside.second, inside.first)))


def parts_held(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    score: NDArray[np.float64],
    known: NDArray[np.int64],
    n: int,
    threshold: float,
) -> NDArray[np.int64]:
    """Return the parts of stories: articles without dates leave if no strong pair holds them.

    A stream asks the same of two stories that may join, in
    `sahel_dedup.index.online_linkage.join_surplus`.

    Parameters
    ----------
    first, second, score : ndarray, shape (n_pairs,)
        All pairs inside stories, and their scores.
    known : ndarray of int64, shape (n_pairs,)
        How many of the two articles have a date.
    n : int
        Number of articles.
    threshold : float

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    holding = score >= threshold + np.array(HOLDING)[known]
    part = components(first[holding], second[holding], n)
    inside = part[first] == part[second]
    founding = inside & (score >= threshold + np.array(FOUNDING)[known])
    firm = np.zeros(n, dtype=bool)
    firm[part[first[founding]]] = True
    return np.where(firm[part], part, n + np.arange(n))


def _distinct(pairs: Pairs) -> Pairs:
    """Leave out duplicate pairs."""
    n = int(pairs.second.max(initial=0)) + 1
    return pairs.where(np.unique(pairs.first * n + pairs.second, return_index=True)[1])


def average_link(scores: NDArray[np.float64], threshold: float, times: Times) -> NDArray[np.int64]:
    """Group a few articles by average linkage.

    Parameters
    ----------
    scores : ndarray of float64, shape (m * (m - 1) / 2,)
        Scores of all pairs, row by row of the upper triangle.
    threshold : float
        Lowest mean score at which two groups are joined.
    times : Times
        Times of these articles. Groups are not joined if their articles would lie further apart
        than the window.

    Returns
    -------
    ndarray of int64, shape (m,)
        Group of each article, from 0.
    """
    if _whole(scores, threshold, times):
        return np.zeros(len(times.first), dtype=np.int64)
    return _divide(scores, threshold, times)


def _whole(scores: NDArray[np.float64], threshold: float, times: Times) -> NDArray[np.bool_]:
    """Whether articles, or those of each row, are one story at once, as most components are."""
    return np.asarray((scores.min(axis=-1) >= threshold) & times.within())


def _divide(scores: NDArray[np.float64], threshold: float, times: Times) -> NDArray[np.int64]:
    """Group articles that may be several stories: see `average_link`."""
    m, distance, most = len(times.first), LIMIT - scores, LIMIT - threshold
    if distance.min() > most:
        # As are most stories of two that the evidence no longer holds together.
        return np.arange(m)
    # Imported only here, because SciPy's clustering takes a fifth of a second to import.
    from scipy.cluster.hierarchy import linkage

    tree = linkage(distance, method="average")
    group = np.arange(2 * m - 1)
    # From the root down, each node at which two groups are joined passes its number to both.
    for node in np.flatnonzero(tree[:, 2] <= most)[::-1].tolist():
        group[tree[node, :2].astype(np.int64)] = group[m + node]
    label = np.asarray(np.unique(group[:m], return_inverse=True)[1])
    of_group = times.of_groups(label, int(label.max()) + 1)
    if not (of_group.last - of_group.first > times.window).any():
        # Then no join on the way exceeded the window either.
        return label
    square = np.full((m, m), -LIMIT)
    square[_corner(m)] = scores
    label = link_within(np.maximum(square, square.T), threshold, *times)
    return np.asarray(np.unique(label, return_inverse=True)[1])


def scorer(pairs: Pairs, n: int, score_fresh: ScorePairs) -> ScorePairs:
    """Return a scorer of pairs that looks up the scores it already has."""
    code = pairs.first * n + pairs.second
    order = np.argsort(code, kind="stable")
    known, code = pairs.where(order), code[order]

    def score_pairs(first: NDArray[np.int64], second: NDArray[np.int64]) -> Pairs:
        wanted = first * n + second
        place = np.searchsorted(code, wanted)
        fresh = np.append(code, -1)[place] != wanted
        scored = Pairs(first, second, np.empty(len(first)), np.empty(len(first)))
        for rows, found in (
            (~fresh, known.where(place[~fresh])),
            (fresh, score_fresh(first[fresh], second[fresh])),
        ):
            scored.cosine[rows], scored.score[rows] = found.cosine, found.score
        return scored

    return score_pairs


@functools.lru_cache(maxsize=64)
def _corner(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the indices of the upper triangle of a square matrix."""
    return np.triu_indices(size, 1)


def _groups(sizes: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Yield components of two or more articles, in groups whose pairs are scored together."""
    several = np.flatnonzero(sizes > 1)
    if not len(several):
        return []
    load = np.cumsum(sizes[several] * (sizes[several] - 1) // 2)
    return np.split(several, np.flatnonzero(np.diff(load // _WEIGHED_AT_ONCE)) + 1)
