"""Average linkage against the textbook, and what is done to components too large for it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sahel_dedup import linkage
from sahel_dedup.evidence import LIMIT, Evidence, Pairs
from sahel_dedup.linkage import UNDATED_START, average_link, link_stories

Matrix = NDArray[np.float64]


def slow_average_link(scores: Matrix, bar: float) -> set[frozenset[int]]:
    """Join the two groups with the greatest mean score while that reaches the bar."""
    groups = [frozenset([i]) for i in range(len(scores))]

    def mean(pair: tuple[frozenset[int], frozenset[int]]) -> float:
        return float(np.mean([scores[i, j] for i in pair[0] for j in pair[1]]))

    while len(groups) > 1:
        best = max(itertools.combinations(groups, 2), key=mean)
        if mean(best) < bar:
            break
        groups = [group for group in groups if group not in best] + [best[0] | best[1]]
    return set(groups)


def partition(labels: Sequence[int] | NDArray[np.int64]) -> set[frozenset[int]]:
    groups: dict[int, list[int]] = {}
    for article, label in enumerate(labels):
        groups.setdefault(int(label), []).append(article)
    return {frozenset(group) for group in groups.values()}


class Known(Evidence):
    """Evidence that has been weighed already."""

    def __init__(self, scores: Matrix, times_known: bool = True) -> None:
        self.times_known = times_known
        self.scores = scores

    def dated(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.full(len(first), self.times_known)

    def weigh(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        _known: NDArray[np.float64] | None = None,
    ) -> Pairs:
        assert (first < second).all()
        return Pairs(first, second, np.ones(len(first)), self.scores[first, second])

    weigh_strangers = weigh


def some_scores(seed: int, n: int) -> Matrix:
    """Return symmetric scores of articles that lie in a few heaps."""
    draw = np.random.default_rng(seed)
    heap = draw.integers(0, max(1, n // 3), n)
    scores = np.where(heap[:, None] == heap, 1.5, -2.5) + draw.normal(0, 1.8, (n, n))
    # No two scores are equal: which of equals comes first is nobody's promise.
    scores = np.triu(scores.clip(-LIMIT, LIMIT) * draw.uniform(0.99, 1, (n, n)), 1)
    return np.asarray(scores + scores.T)


def every_pair(scores: Matrix) -> Pairs:
    first, second = np.triu_indices(len(scores), 1)
    return Known(scores).weigh(first.astype(np.int64), second.astype(np.int64))


BARS = st.sampled_from([-2.5, 0.0, 0.7, 2.5])


@given(st.integers(0, 2**32 - 1), st.integers(2, 12), BARS)
def test_average_link_is_that_of_the_textbook(seed: int, n: int, bar: float) -> None:
    scores = some_scores(seed, n)
    labels = average_link(scores[np.triu_indices(n, 1)], bar)
    assert partition(labels) == slow_average_link(scores, bar)


@given(st.integers(0, 2**32 - 1), st.integers(1, 14), BARS)
def test_stories_are_those_of_average_link_over_everything(seed: int, n: int, bar: float) -> None:
    scores = some_scores(seed, n)
    labels, inside = link_stories(every_pair(scores), n, Known(scores), bar)
    assert partition(labels) == slow_average_link(scores, bar)
    expected = [(i, j) for i, j in itertools.combinations(range(n), 2) if labels[i] == labels[j]]
    assert list(zip(inside.first.tolist(), inside.second.tolist(), strict=True)) == expected
    assert inside.score.tolist() == [scores[i, j] for i, j in expected]


@given(st.integers(0, 2**32 - 1), st.integers(2, 10))
def test_stories_do_not_depend_on_the_order_of_the_pairs(seed: int, n: int) -> None:
    scores = some_scores(seed, n)
    pairs = every_pair(scores)
    shuffled = pairs.where(np.random.default_rng(seed).permutation(len(pairs)))
    one, two = (link_stories(given, n, Known(scores), 0.0)[0] for given in (pairs, shuffled))
    assert partition(one) == partition(two)


def test_no_pairs_no_stories() -> None:
    labels, inside = link_stories(Pairs.concatenate([]), 3, Known(np.zeros((3, 3))), 0.0)
    assert partition(labels) == {frozenset([0]), frozenset([1]), frozenset([2])}
    assert len(inside) == 0


def test_a_pair_that_was_not_proposed_counts_all_the_same() -> None:
    # b stands between a and c, which speak against each other: it can only go with one.
    scores = np.array([[0.0, 1.0, -3.0], [1.0, 0.0, 0.9], [-3.0, 0.9, 0.0]])
    proposed = every_pair(scores).where(np.array([True, False, True]))
    labels, _ = link_stories(proposed, 3, Known(scores), 0.0)
    assert partition(labels) == {frozenset([0, 1]), frozenset([2])}


@pytest.mark.parametrize(("times_known", "stories"), [(True, 2), (False, 3)])
def test_a_story_without_dates_starts_with_a_strong_pair(times_known: bool, stories: int) -> None:
    scores = np.full((4, 4), -4.0)
    scores[0, 1] = scores[1, 0] = UNDATED_START + 0.1
    scores[2, 3] = scores[3, 2] = UNDATED_START - 0.1
    evidence = Known(scores, times_known)
    labels, inside = link_stories(every_pair(scores), 4, evidence, 0.0)
    assert len(set(labels.tolist())) == stories
    assert len(inside) == 4 - stories


class TestLargeComponents:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(linkage, "MAX_COMPONENT", 6)

    def test_they_are_divided_at_their_weakest_pairs(self) -> None:
        # Two heaps of five that a few weak pairs hold together.
        scores = np.full((10, 10), -1.0)
        scores[:5, :5] = scores[5:, 5:] = 3.0
        scores[4, 5] = scores[5, 4] = 0.2
        labels, _ = link_stories(every_pair(scores), 10, Known(scores), 0.0)
        assert partition(labels) == {frozenset(range(5)), frozenset(range(5, 10))}

    def test_a_mass_of_equals_is_cut_in_order(self) -> None:
        scores = np.full((20, 20), LIMIT)
        labels, inside = link_stories(every_pair(scores), 20, Known(scores), 0.0)
        assert sorted(map(sorted, partition(labels))) == [
            [0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11], [12, 13, 14, 15, 16, 17], [18, 19],
        ]  # fmt: skip
        assert len(inside) == 3 * 15 + 1

    @given(seed=st.integers(0, 2**32 - 1))
    def test_nothing_grows_beyond_the_bound(self, seed: int) -> None:
        draw: Any = np.random.default_rng(seed)
        scores = np.triu(draw.uniform(-1, LIMIT, (25, 25)), 1)
        scores += scores.T
        labels, _ = link_stories(every_pair(scores), 25, Known(scores), 0.0)
        assert max(map(len, partition(labels))) <= linkage.MAX_COMPONENT
