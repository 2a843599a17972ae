"""A higher threshold for stories in which outlets repeat themselves.

An outlet reports one event once or twice, with a report and an update. If a story has many articles
per outlet, they are far more often issues of a series, such as market reports every ten minutes or
the fixtures of a league. The merge threshold of a story therefore rises with the logarithm of its
articles per outlet over `ARTICLES_AN_OUTLET`. Small stories are left alone, and an article of an
unknown outlet counts as having an outlet of its own.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.scoring.log_odds import LIMIT

ARTICLES_AN_OUTLET = 2.0
# A report and its updates can be three or four articles.
LEAST_ARTICLES = 5
# Near copies stay one story, however many of them one outlet has, because pairs score at most 4.
_MOST = 2.5


def surcharge(articles: int, outlets: int) -> float:
    """Return how far the mean score inside a story must be above the merge threshold.

    Parameters
    ----------
    articles : int
        Count of different texts in the story.
    outlets : int
        Count of outlets that published them.

    Returns
    -------
    float
        0 for small stories and for at most two articles per outlet.
    """
    if articles < LEAST_ARTICLES:
        return 0.0
    return min(_MOST, math.log(max(1.0, articles / outlets / ARTICLES_AN_OUTLET)))


def count_outlets(source: NDArray[np.int32]) -> int:
    """Count outlets, given the outlet number of each article, -1 where it is unknown."""
    return len(np.unique(source[source >= 0])) + int(np.count_nonzero(source < 0))


def divide_series(
    labels: NDArray[np.int64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    score: NDArray[np.float64],
    source: NDArray[np.int32],
    threshold: float,
) -> NDArray[np.int64]:
    """Divide the stories of few outlets whose articles are not similar enough.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        Number of the story of each article.
    first, second, score : ndarray, shape (n_pairs,)
        Pairs inside stories, and their scores. A story with missing pairs stays whole.
    source : ndarray of int32, shape (n,)
        Number of the outlet of each article; -1 where unknown.
    threshold : float
        Merge threshold.

    Returns
    -------
    ndarray of int64, shape (n,)
        New numbers for the parts of the stories that were divided.
    """
    if len(labels) < LEAST_ARTICLES:
        return labels
    chosen = np.flatnonzero(_repeated(labels, source)[first])
    if not len(chosen):
        return labels
    labels = labels.copy()
    order = chosen[np.lexsort((second[chosen], first[chosen], labels[first[chosen]]))]
    starts = np.flatnonzero(np.diff(labels[first[order]]))
    for pairs in np.split(order, starts + 1):
        rows = np.unique(np.concatenate([first[pairs], second[pairs]]))
        if len(pairs) == len(rows) * (len(rows) - 1) // 2:
            group = _cut(score[pairs], source[rows], threshold)
            labels[rows] = np.where(group > 0, labels.max() + group, labels[rows])
    return labels


def _repeated(labels: NDArray[np.int64], source: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Whether the story of each article is large and of few outlets, shape (n,)."""
    story = np.unique(labels, return_inverse=True)[1]
    known = source >= 0
    # Each unknown outlet counts as a different one.
    outlet = np.where(known, source, source.max(initial=0) + 1 + np.arange(len(source)))
    pairs = np.unique(story * (int(outlet.max(initial=0)) + 1) + outlet)
    outlets = np.bincount(pairs // (int(outlet.max(initial=0)) + 1))
    articles = np.bincount(story)
    large = articles >= LEAST_ARTICLES
    return np.asarray((large & (articles > ARTICLES_AN_OUTLET * outlets))[story])


def _cut(
    score: NDArray[np.float64], source: NDArray[np.int32], threshold: float
) -> NDArray[np.int64]:
    """Group the articles of a story by average linkage, at a threshold for each group.

    The pairs are those of the upper triangle, row by row; groups are numbered from 0.
    """
    from scipy.cluster.hierarchy import linkage

    m = len(source)
    tree = linkage(LIMIT - score, method="average")
    members: list[list[int]] = [[i] for i in range(m)]
    for one, other in tree[:, :2].astype(np.int64).tolist():
        members.append(members[one] + members[other])
    group = np.arange(2 * m - 1)
    for node in range(m - 2, -1, -1):
        inside = members[m + node]
        needed = threshold + surcharge(len(inside), count_outlets(source[inside]))
        if group[m + node] != m + node or LIMIT - tree[node, 2] >= needed:
            group[tree[node, :2].astype(np.int64)] = group[m + node]
    return np.asarray(np.unique(group[:m], return_inverse=True)[1], dtype=np.int64)
