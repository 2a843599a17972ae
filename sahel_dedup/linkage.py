"""Average linkage: from the evidence on pairs to stories.

Two stories are one while the mean evidence over all pairs between them reaches the bar
(UPGMA; Sokal and Michener, 1958). No pair is guessed: a mean of scores can only reach the
bar if one of them does, so stories never reach beyond a connected component of the pairs
that do, and inside a component every pair is weighed, proposed by LSH or not.

Among texts without dates, every text of an archive is compared with every other, and chance
finds pairs. So a story of which no two articles have dates also needs one strong pair,
`UNDATED_START` above the bar; otherwise its articles stay alone.

A component of more than `MAX_COMPONENT` articles is divided first, by leaving out its
weakest pairs until the parts are small enough; parts are not joined again.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.cluster.hierarchy import linkage
from scipy.sparse.csgraph import connected_components

from sahel_dedup.evidence import LIMIT, Evidence, Pairs

MAX_COMPONENT = 1000
# Measured on undated sets: 12 of 15 wrong stories go, and .000 of B-cubed F1.
UNDATED_START = 1.25
RAISE = 0.25
_WEIGHED_AT_ONCE = 2_000_000


def link_stories(
    pairs: Pairs, n: int, evidence: Evidence, bar: float
) -> tuple[NDArray[np.int64], Pairs]:
    """Group articles into stories.

    Parameters
    ----------
    pairs : Pairs
        Weighed pairs, each once, the earlier article first.
    n : int
        Number of articles.
    evidence : Evidence
        Weighs the pairs that are not among `pairs`.
    bar : float
        Mean log-odds that makes two stories one.

    Returns
    -------
    labels : ndarray of int64, shape (n,)
        Number of the story of each article.
    inside : Pairs
        All pairs inside stories, sorted.
    """
    component = bounded_components(pairs.where(pairs.score >= bar), n, bar)
    return link_components(component, pairs, evidence, bar)


def link_components(
    component: NDArray[np.int64], pairs: Pairs, evidence: Evidence, bar: float
) -> tuple[NDArray[np.int64], Pairs]:
    """Group the articles of each component into stories.

    Parameters
    ----------
    component : ndarray of int64, shape (n,)
        Number of the component of each article, from 0, none of them left out.
    pairs, evidence, bar
        See `link_stories`.

    Returns
    -------
    labels, inside
        See `link_stories`.
    """
    n = len(component)
    weigh = _weigher(pairs, n, evidence)
    order = np.argsort(component, kind="stable")
    bounds = np.append(np.flatnonzero(np.diff(component[order], prepend=-1)), n)
    sizes = np.diff(bounds)
    labels = component.copy()
    fresh = n
    kept: list[Pairs] = []
    for group in _groups(sizes):
        members = [order[bounds[c] : bounds[c + 1]] for c in group]
        corners = [_corner(len(m)) for m in members]
        weighed = weigh(
            np.concatenate([m[i] for m, (i, _) in zip(members, corners, strict=True)]),
            np.concatenate([m[j] for m, (_, j) in zip(members, corners, strict=True)]),
        )
        place = 0
        for m in members:
            size = len(m) * (len(m) - 1) // 2
            labels[m] = fresh + average_link(weighed.score[place : place + size], bar)
            fresh += len(m)
            place += size
        kept.append(weighed.where(labels[weighed.first] == labels[weighed.second]))
    inside = Pairs.concatenate(kept)
    weak = _unfounded(labels[inside.first], inside, evidence, bar)
    loose = np.flatnonzero(np.isin(labels, weak))
    labels[loose] = fresh + np.arange(len(loose))
    inside = inside.where(~np.isin(labels[inside.first], labels[loose]))
    return labels, inside.where(np.lexsort((inside.second, inside.first)))


def average_link(scores: NDArray[np.float64], bar: float) -> NDArray[np.int64]:
    """Group a few articles by average linkage.

    Parameters
    ----------
    scores : ndarray of float64, shape (m * (m - 1) / 2,)
        Scores of all pairs, row by row of the upper triangle.
    bar : float
        Least mean score at which two groups are joined.

    Returns
    -------
    ndarray of int64, shape (m,)
        Group of each article, from 0.
    """
    m = math.isqrt(2 * len(scores)) + 1
    if scores.min() >= bar:  # as in most components
        return np.zeros(m, dtype=np.int64)
    tree = linkage(LIMIT - scores, method="average")
    group = np.arange(2 * m - 1)
    # From the root down, a node at which two groups are joined hands its number to both.
    for node in np.flatnonzero(tree[:, 2] <= LIMIT - bar)[::-1].tolist():
        group[tree[node, :2].astype(np.int64)] = group[m + node]
    return np.asarray(np.unique(group[:m], return_inverse=True)[1])


def _weigher(
    pairs: Pairs, n: int, evidence: Evidence
) -> Callable[[NDArray[np.int64], NDArray[np.int64]], Pairs]:
    """Return what weighs pairs that were not weighed before, and recalls those that were."""
    code = pairs.first * n + pairs.second
    order = np.argsort(code, kind="stable")
    known, code = pairs.where(order), code[order]

    def weigh(first: NDArray[np.int64], second: NDArray[np.int64]) -> Pairs:
        wanted = first * n + second
        place = np.searchsorted(code, wanted)
        fresh = np.append(code, -1)[place] != wanted
        weighed = Pairs(first, second, np.empty(len(first)), np.empty(len(first)))
        for rows, found in (
            (~fresh, known.where(place[~fresh])),
            (fresh, evidence.weigh_strangers(first[fresh], second[fresh])),
        ):
            weighed.cosine[rows], weighed.score[rows] = found.cosine, found.score
        return weighed

    return weigh


@functools.lru_cache(maxsize=64)
def _corner(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the places of the upper triangle of a square matrix."""
    return np.triu_indices(size, 1)


def _unfounded(
    story: NDArray[np.int64], inside: Pairs, evidence: Evidence, bar: float
) -> NDArray[np.int64]:
    """Find the stories without dates that have no strong pair."""
    n = int(story.max(initial=-1)) + 1
    strongest = np.full(n, -LIMIT)
    np.maximum.at(strongest, story, inside.score)
    dated = np.zeros(n, dtype=bool)
    dated[story[evidence.dated(inside.first, inside.second)]] = True
    several = np.bincount(story, minlength=n) > 0
    return np.flatnonzero(several & ~dated & (strongest < bar + UNDATED_START))


def bounded_components(pairs: Pairs, n: int, bar: float) -> NDArray[np.int64]:
    """Find connected components of at most `MAX_COMPONENT` articles.

    Parameters
    ----------
    pairs : Pairs
        All of them score at least the bar.
    n : int
        Number of articles.
    bar : float

    Returns
    -------
    ndarray of int64, shape (n,)
        Number of the component of each article.
    """
    while True:
        graph = sp.coo_array((np.ones(len(pairs)), (pairs.first, pairs.second)), shape=(n, n))
        _, component = connected_components(graph, directed=False)
        size = np.bincount(component, minlength=1)
        large = size[component[pairs.first]] > MAX_COMPONENT
        if not large.any():
            return np.asarray(component, dtype=np.int64)
        bar += RAISE
        if bar > LIMIT:
            return _cut(np.asarray(component, dtype=np.int64), size)
        pairs = pairs.where(~large | (pairs.score >= bar))


def _cut(component: NDArray[np.int64], size: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cut components that no bar divides, masses of all but equal texts, in input order."""
    order = np.argsort(component, kind="stable")
    start = np.cumsum(size) - size
    rank = np.empty(len(component), dtype=np.int64)
    rank[order] = np.arange(len(component)) - start[component[order]]
    part = component * (len(component) + 1) + rank // MAX_COMPONENT
    return np.asarray(np.unique(part, return_inverse=True)[1], dtype=np.int64)


def _groups(sizes: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Components of two articles or more, in groups whose pairs are weighed together."""
    several = np.flatnonzero(sizes > 1)
    if not len(several):
        return []
    load = np.cumsum(sizes[several] * (sizes[several] - 1) // 2)
    return np.split(several, np.flatnonzero(np.diff(load // _WEIGHED_AT_ONCE)) + 1)
