"""Average linkage: from the evidence on pairs to stories.

Two stories are one while the mean evidence over all pairs between them reaches the threshold
(UPGMA; Sokal and Michener, 1958). No pair is guessed: a mean of scores can only reach the
threshold if one of them does, so stories never reach beyond a connected component of the pairs
that do, and inside a component every pair is scored, proposed by LSH or not.

Among texts without dates, every text of an archive is compared with every other, and chance
finds pairs. So a story of which no two articles have dates needs one strong pair, `UNDATED_START`
above the threshold. An article without a date stays in a story only if pairs of `UNDATED_JOIN`
above the threshold hold it there, by way of other articles or not.

Of stories in which outlets repeat themselves more is asked (`sahel_dedup.clustering.outlets`).

The window bounds whole stories: of two stories whose articles, taken together, lie further
apart, none is joined to the other; an article without a date fits in anywhere.

A component of many articles is divided first and joined again
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
from sahel_dedup.scoring.evidence import LIMIT, Evidence, Pairs

ScorePairs = Callable[[NDArray[np.int64], NDArray[np.int64]], Pairs]

# With these, planted copies among a thousand undated texts keep to themselves.
UNDATED_START = 2.55
UNDATED_JOIN = 1.25
_WEIGHED_AT_ONCE = 2_000_000


def link_stories(
    pairs: Pairs, times: Times, evidence: Evidence, threshold: float
) -> tuple[NDArray[np.int64], Pairs]:
    """Group articles into stories.

    Parameters
    ----------
    pairs : Pairs
        Scored pairs, each once, the earlier article first.
    times : Times
        Of the articles.
    evidence : Evidence
        Scores the pairs that are not among `pairs`.
    threshold : float
        Mean log-odds that makes two stories one.

    Returns
    -------
    labels : ndarray of int64, shape (n,)
        Number of the story of each article.
    inside : Pairs
        The pairs inside stories, sorted: all of them, but for those between the parts of a
        component that was divided, of which those are there that were scored.
    """
    strong = pairs.where(pairs.score >= threshold)
    part, component = bounded_components(strong, len(times.first), threshold)
    score_pairs = scorer(pairs, len(times.first), evidence.score_unlikely_pairs)
    labels, inside = link_components(part, times, score_pairs, threshold)
    if part is not component:
        strong = strong.where(is_large(component)[strong.first])
        compared = [inside, strong]
        while True:
            # Stories that were joined are compared anew, until no more join.
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
        Number of the component of each article, from 0, none of them left out.
    times : Times
        Of the articles.
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
    bounds = np.append(np.flatnonzero(np.diff(component[order], prepend=-1)), n)
    sizes = np.diff(bounds)
    labels = component.copy()
    fresh = n
    kept: list[Pairs] = []
    for group in _groups(sizes):
        members = [order[bounds[c] : bounds[c + 1]] for c in group]
        corners = [_corner(len(m)) for m in members]
        scored = score_pairs(
            np.concatenate([m[i] for m, (i, _) in zip(members, corners, strict=True)]),
            np.concatenate([m[j] for m, (_, j) in zip(members, corners, strict=True)]),
        )
        place = 0
        for m in members:
            size = len(m) * (len(m) - 1) // 2
            scores = scored.score[place : place + size]
            labels[m] = fresh + average_link(scores, threshold, times.take(m))
            fresh += len(m)
            place += size
        kept.append(scored.where(labels[scored.first] == labels[scored.second]))
    return labels, Pairs.concatenate(kept)


def founded(
    labels: NDArray[np.int64], inside: Pairs, evidence: Evidence, threshold: float
) -> tuple[NDArray[np.int64], Pairs]:
    """Divide stories that are series of an outlet or held by no strong pair, and sort the pairs.

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
    dated = evidence.dated(inside.first, inside.second)
    if not dated.all():
        number = parts_held(
            inside.first, inside.second, inside.score, dated, len(labels), threshold
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
    dated: NDArray[np.bool_],
    n: int,
    threshold: float,
) -> NDArray[np.int64]:
    """Return the parts of stories, which fall apart where little holds articles without dates.

    Parameters
    ----------
    first, second, score : ndarray, shape (n_pairs,)
        All pairs inside stories, and their scores.
    dated : ndarray of bool, shape (n_pairs,)
        Whether the time between the two articles is known.
    n : int
        Number of articles.
    threshold : float

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    holding = dated | (score >= threshold + UNDATED_JOIN)
    part = components(first[holding], second[holding], n)
    inside = part[first] == part[second]
    founding = inside & (dated | (score >= threshold + UNDATED_START))
    firm = np.zeros(n, dtype=bool)
    firm[part[first[founding]]] = True
    return np.where(firm[part], part, n + np.arange(n))


def _distinct(pairs: Pairs) -> Pairs:
    """Leave out the pairs that come again."""
    n = int(pairs.second.max(initial=0)) + 1
    return pairs.where(np.unique(pairs.first * n + pairs.second, return_index=True)[1])


def average_link(scores: NDArray[np.float64], threshold: float, times: Times) -> NDArray[np.int64]:
    """Group a few articles by average linkage.

    Parameters
    ----------
    scores : ndarray of float64, shape (m * (m - 1) / 2,)
        Scores of all pairs, row by row of the upper triangle.
    threshold : float
        Least mean score at which two groups are joined.
    times : Times
        Of these articles. Groups whose articles lie further apart than the window are not
        joined.

    Returns
    -------
    ndarray of int64, shape (m,)
        Group of each article, from 0.
    """
    m = math.isqrt(2 * len(scores)) + 1
    if scores.min() >= threshold and times.within():  # as in most components
        return np.zeros(m, dtype=np.int64)
    # Only here: SciPy's clustering takes a fifth of a second to import.
    from scipy.cluster.hierarchy import linkage

    tree = linkage(LIMIT - scores, method="average")
    group = np.arange(2 * m - 1)
    # From the root down, a node at which two groups are joined hands its number to both.
    for node in np.flatnonzero(tree[:, 2] <= LIMIT - threshold)[::-1].tolist():
        group[tree[node, :2].astype(np.int64)] = group[m + node]
    label = np.asarray(np.unique(group[:m], return_inverse=True)[1])
    of_group = times.of_groups(label, int(label.max()) + 1)
    if not (of_group.last - of_group.first > times.window).any():
        # Then no join on the way was out of the window either.
        return label
    square = np.full((m, m), -LIMIT)
    square[_corner(m)] = scores
    label = link_within(np.maximum(square, square.T), threshold, *times)
    return np.asarray(np.unique(label, return_inverse=True)[1])


def scorer(pairs: Pairs, n: int, score_fresh: ScorePairs) -> ScorePairs:
    """Return a scorer of pairs that recalls the scores it knows already."""
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
    """Return the places of the upper triangle of a square matrix."""
    return np.triu_indices(size, 1)


def _groups(sizes: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Components of two articles or more, in groups whose pairs are scored together."""
    several = np.flatnonzero(sizes > 1)
    if not len(several):
        return []
    load = np.cumsum(sizes[several] * (sizes[several] - 1) // 2)
    return np.split(several, np.flatnonzero(np.diff(load // _WEIGHED_AT_ONCE)) + 1)
