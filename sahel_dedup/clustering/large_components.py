"""Large components, which are divided, linked in parts, and joined again.

Linking a component takes the scores of all its pairs, and their number is quadratic. A component of
more than `MAX_COMPONENT` articles is therefore divided where its pairs are weakest. Each part is
linked on its own, and the stories of the parts are joined by the mean score between them, as
articles are. If two stories are large, the mean is that of a sample. Only stories connected by a
pair that reaches the threshold are compared; others get the lowest score. Joined stories are
compared again until no more stories join.
"""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.clustering.window import Times, fit
from sahel_dedup.scoring.evidence import Pairs
from sahel_dedup.scoring.log_odds import FLOOR
from sahel_dedup.util.jit import compiled

MAX_COMPONENT = 1000
# Larger parts take more work per article; smaller ones leave more to the samples.
PART = 250
# The part of the strength of a refused pair that a later pair needs to join what was refused.
_SETTLES = 0.5
# How many articles represent a story when it is compared with stories of other parts.
_SPEAKERS = 12


def bounded_components(
    pairs: Pairs, n: int, threshold: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find connected components, and divide those with more than `MAX_COMPONENT` articles.

    The strongest pairs stay together: pairs join parts one after another, the strongest first,
    unless the result would have more than `PART` articles. A part that was refused for that reason
    is not joined by a pair less than half as strong, so that the rest of a story is not added to
    another one.

    Parameters
    ----------
    pairs : Pairs
        All of them reach the threshold.
    n : int
        Number of articles.
    threshold : float

    Returns
    -------
    part, component : ndarray of int64, shape (n,)
        Number of the part and of the component of each article, from 0.
    """
    component = components(pairs.first, pairs.second, n)
    large = is_large(component)
    if not large.any():
        return component, component
    inside = pairs.where(large[pairs.first])
    order = np.lexsort((inside.second, inside.first, -inside.cosine, -inside.score))
    strength = inside.score[order] - threshold
    part, size = np.arange(n), np.ones(n, dtype=np.int64)
    refused = np.zeros(n)  # strength of the strongest pair refused by each group
    _join(inside.first[order], inside.second[order], strength, PART, part, size, refused)
    part = np.where(large, n + part, component)
    return np.unique(part, return_inverse=True)[1].astype(np.int64), component


def components(first: NDArray[np.int64], second: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """Return the connected component of each of `n` articles, given some pairs, shape (n,)."""
    head = np.arange(n)
    _connect(first, second, head)
    return np.unique(head, return_inverse=True)[1].astype(np.int64)


def is_large(component: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return whether the component of each article must be divided, shape (n,)."""
    return np.asarray(np.bincount(component, minlength=1)[component] > MAX_COMPONENT)


@compiled
def _join(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    strength: NDArray[np.float64],
    most: int,
    head: NDArray[np.int64],
    size: NDArray[np.int64],
    refused: NDArray[np.float64],
) -> None:
    """Join rows by pairs, in order, into groups of bounded size; fill in the head of each."""
    for i in range(len(first)):
        a, b = _head_of(first[i], head), _head_of(second[i], head)
        if a == b:
            continue
        if b < a:
            a, b = b, a
        most_refused = refused[a] if refused[a] > refused[b] else refused[b]
        if size[a] + size[b] > most:
            for group in (a, b):
                if strength[i] > refused[group]:
                    refused[group] = strength[i]
        elif strength[i] >= _SETTLES * most_refused:
            head[b] = a
            size[a] += size[b]
            refused[a] = most_refused
    for row in range(len(head)):
        head[row] = _head_of(row, head)


@compiled
def _connect(first: NDArray[np.int64], second: NDArray[np.int64], head: NDArray[np.int64]) -> None:
    """Join rows by pairs; fill in the head of each group, its first row."""
    for i in range(len(first)):
        a, b = _head_of(first[i], head), _head_of(second[i], head)
        if a < b:
            head[b] = a
        else:
            head[a] = b
    for row in range(len(head)):
        head[row] = _head_of(row, head)


@compiled
def _head_of(row: int, head: NDArray[np.int64]) -> int:
    """Return the head of the group of a row, and shorten the way to it."""
    while head[row] != row:
        head[row] = head[head[row]]
        row = head[row]
    return row


def between_parts(
    labels: NDArray[np.int64], strong: Pairs
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Choose the pairs with which to compare the stories of different parts.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        Number of the story of each article.
    strong : Pairs
        Pairs that reach the threshold.

    Returns
    -------
    first, second : ndarray of int64, shape (n_pairs,)
        Articles, in order of time.
    link : ndarray of int64, shape (n_pairs,)
        The numbers of their two stories packed into one: the lower times n, plus the higher.
    """
    n = int(labels.max(initial=-1)) + 1
    one, two = labels[strong.first], labels[strong.second]
    apart = one != two
    link = np.unique(np.minimum(one, two)[apart] * n + np.maximum(one, two)[apart])
    named = np.isin(labels, np.concatenate([link // n, link % n]))
    rows = np.flatnonzero(named)
    rows = rows[np.argsort(labels[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(labels[rows], prepend=-1))
    speaking = {
        int(labels[group[0]]): speakers(group) for group in np.split(rows, starts[1:]) if len(group)
    }
    first, second, links = [rows[:0]], [rows[:0]], [rows[:0]]
    for number in link.tolist():
        a, b = speaking[number // n], speaking[number % n]
        i, j = np.repeat(a, len(b)), np.tile(b, len(a))
        first.append(np.minimum(i, j))
        second.append(np.maximum(i, j))
        links.append(np.full(len(i), number))
    return np.concatenate(first), np.concatenate(second), np.concatenate(links)


def speakers(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Choose the articles that represent a story, evenly spread over its rows."""
    if len(rows) <= _SPEAKERS:
        return rows
    return rows[np.linspace(0, len(rows) - 1, _SPEAKERS).astype(np.int64)]


def join_parts(
    labels: NDArray[np.int64],
    link: NDArray[np.int64],
    score: NDArray[np.float64],
    threshold: float,
    times: Times,
) -> NDArray[np.int64]:
    """Join the stories of the parts by the mean score between them.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        Number of the story of each article.
    link : ndarray of int64, shape (n_pairs,)
        See `between_parts`.
    score : ndarray of float64, shape (n_pairs,)
        Scores of the pairs that `between_parts` chose.
    threshold : float
    times : Times
        Times of the articles.

    Returns
    -------
    ndarray of int64, shape (n,)
        Number of the story of each article; joined stories have the lowest of their numbers.
    """
    n = int(labels.max(initial=-1)) + 1
    number, place = np.unique(link, return_inverse=True)
    mean = np.bincount(place, score) / np.bincount(place)
    known, story = np.unique(labels, return_inverse=True)
    one, two = np.searchsorted(known, number // n), np.searchsorted(known, number % n)
    of_story = times.of_groups(story, len(known))
    return np.asarray(
        known[join_groups(np.bincount(story), of_story, one, two, mean, threshold)][story]
    )


def join_groups(
    size: NDArray[np.int64],
    times: Times,
    one: NDArray[np.int64],
    two: NDArray[np.int64],
    mean: NDArray[np.float64],
    threshold: float,
) -> NDArray[np.int64]:
    """Join groups of articles by the mean score between them.

    Parameters
    ----------
    size : ndarray of int64, shape (n,)
        Number of articles in each group.
    times : Times
        Times of the groups.
    one, two : ndarray of int64, shape (n_links,)
        Groups that were compared, each pair once.
    mean : ndarray of float64, shape (n_links,)
        Mean score between them.
    threshold : float

    Returns
    -------
    ndarray of int64, shape (n,)
        The lowest-numbered of the groups that each was joined with.
    """
    tree = _Tree(size, times)
    for a, b, value in zip(one.tolist(), two.tolist(), mean.tolist(), strict=True):
        tree.connect(a, b, value, threshold)
    return tree.join(threshold)


class _Tree:
    """Joins stories, the two with the highest mean first."""

    def __init__(self, size: NDArray[np.int64], times: Times) -> None:
        self._size = size.tolist()
        self._first, self._last = times.first.copy(), times.last.copy()
        self._window = times.window
        self._head = np.arange(len(size))
        self._near: dict[int, dict[int, float]] = {}
        self._heap: list[tuple[float, int, int]] = []

    def connect(self, a: int, b: int, mean: float, threshold: float) -> None:
        """Record the mean between two stories."""
        self._near.setdefault(a, {})[b] = mean
        self._near.setdefault(b, {})[a] = mean
        if mean >= threshold:
            heapq.heappush(self._heap, (-mean, min(a, b), max(a, b)))

    def join(self, threshold: float) -> NDArray[np.int64]:
        """Join what belongs together; return the lowest-numbered story of each group."""
        while self._heap:
            mean, a, b = heapq.heappop(self._heap)
            current = self._near.get(a, {}).get(b)
            if current == -mean and fit(a, b, self._first, self._last, self._window):
                self._merge(a, b, threshold)
        for story in range(len(self._head)):
            self._head[story] = self._head[self._head[story]]
        return self._head

    def _merge(self, a: int, b: int, threshold: float) -> None:
        """Merge story `b` into story `a`."""
        mine, theirs = self._near.pop(a), self._near.pop(b)
        share = self._size[a] / (self._size[a] + self._size[b])
        self._size[a] += self._size[b]
        self._first[a] = np.fmin(*self._first[[a, b]])
        self._last[a] = np.fmax(*self._last[[a, b]])
        self._head[b] = a
        for other in sorted((mine.keys() | theirs.keys()) - {a, b}):
            self._near[other].pop(a, None)
            self._near[other].pop(b, None)
            mean = share * mine.get(other, FLOOR) + (1 - share) * theirs.get(other, FLOOR)
            self.connect(a, other, mean, threshold)
