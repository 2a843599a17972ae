"""Average linkage against the textbook, and components that are too large for it."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sahel_dedup.clustering import large_components
from sahel_dedup.clustering.average_linkage import (
    DATED_JOIN,
    UNDATED_JOIN,
    UNDATED_START,
    average_link,
    link_stories,
    parts_held,
)
from sahel_dedup.clustering.large_components import bounded_components, is_large, speakers
from sahel_dedup.clustering.window import Times
from sahel_dedup.scoring.evidence import Evidence, Pairs
from sahel_dedup.scoring.log_odds import LIMIT

Matrix = NDArray[np.float64]


def any_time(n: int) -> Times:
    return Times(np.full(n, np.nan), np.full(n, np.nan), np.inf)


def slow_average_link(
    scores: Matrix, threshold: float, days: Sequence[float] = (), window: float = np.inf
) -> set[frozenset[int]]:
    """Join the two groups with the highest mean score that fit, while it reaches the threshold."""
    groups = [frozenset([i]) for i in range(len(scores))]

    def mean(pair: tuple[frozenset[int], frozenset[int]]) -> float:
        return float(np.mean([scores[i, j] for i in pair[0] for j in pair[1]]))

    def fit(pair: tuple[frozenset[int], frozenset[int]]) -> bool:
        known = [days[i] for i in pair[0] | pair[1] if days and not np.isnan(days[i])]
        return not known or max(known) - min(known) <= window

    while fitting := list(filter(fit, itertools.combinations(groups, 2))):
        best = max(fitting, key=mean)
        if mean(best) < threshold:
            break
        groups = [group for group in groups if group not in best] + [best[0] | best[1]]
    return set(groups)


def partition(labels: Sequence[int] | NDArray[np.int64]) -> set[frozenset[int]]:
    groups: dict[int, list[int]] = {}
    for article, label in enumerate(labels):
        groups.setdefault(int(label), []).append(article)
    return {frozenset(group) for group in groups.values()}


class Known(Evidence):
    """Known scores."""

    def __init__(self, scores: Matrix, times_known: bool = True) -> None:
        self.times_known = times_known
        self.scores = scores

    @property
    def outlets(self) -> NDArray[np.int32]:
        return np.full(len(self.scores), -1, dtype=np.int32)

    def known_dates(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.full(len(first), 2 if self.times_known else 0)

    def score_pairs(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        _known: NDArray[np.float64] | None = None,
    ) -> Pairs:
        assert (first < second).all()
        return Pairs(first, second, np.ones(len(first)), self.scores[first, second])

    score_unlikely_pairs = score_pairs


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
    return Known(scores).score_pairs(first.astype(np.int64), second.astype(np.int64))


RECURRENCE = st.sampled_from([-2.5, 0.0, 0.7, 2.5])


@given(st.integers(0, 2**32 - 1), st.integers(2, 12), RECURRENCE)
def test_average_link_is_that_of_the_textbook(seed: int, n: int, threshold: float) -> None:
    scores = some_scores(seed, n)
    labels = average_link(scores[np.triu_indices(n, 1)], threshold, any_time(n))
    assert partition(labels) == slow_average_link(scores, threshold)


@given(st.integers(0, 2**32 - 1), st.integers(1, 14), RECURRENCE)
def test_stories_are_those_of_average_link_over_everything(
    seed: int, n: int, threshold: float
) -> None:
    scores = some_scores(seed, n)
    labels, inside = link_stories(every_pair(scores), any_time(n), Known(scores), threshold)
    assert partition(labels) == slow_average_link(scores, threshold)
    expected = [(i, j) for i, j in itertools.combinations(range(n), 2) if labels[i] == labels[j]]
    assert list(zip(inside.first.tolist(), inside.second.tolist(), strict=True)) == expected
    assert inside.score.tolist() == [scores[i, j] for i, j in expected]


@given(st.integers(0, 2**32 - 1), st.integers(2, 10))
def test_stories_do_not_depend_on_the_order_of_the_pairs(seed: int, n: int) -> None:
    scores = some_scores(seed, n)
    pairs = every_pair(scores)
    shuffled = pairs.where(np.random.default_rng(seed).permutation(len(pairs)))
    one, two = (
        link_stories(given, any_time(n), Known(scores), 0.0)[0] for given in (pairs, shuffled)
    )
    assert partition(one) == partition(two)


def test_no_pairs_no_stories() -> None:
    labels, inside = link_stories(Pairs.concatenate([]), any_time(3), Known(np.zeros((3, 3))), 0.0)
    assert partition(labels) == {frozenset([0]), frozenset([1]), frozenset([2])}
    assert len(inside) == 0


def test_a_pair_that_was_not_proposed_counts_all_the_same() -> None:
    # b is similar to a and to c, which must not be joined, so it can only join one of them.
    scores = np.array([[0.0, 1.0, -3.0], [1.0, 0.0, 0.9], [-3.0, 0.9, 0.0]])
    proposed = every_pair(scores).where(np.array([True, False, True]))
    labels, _ = link_stories(proposed, any_time(3), Known(scores), 0.0)
    assert partition(labels) == {frozenset([0, 1]), frozenset([2])}


@pytest.mark.parametrize(("times_known", "stories"), [(True, 2), (False, 3)])
def test_a_story_without_dates_starts_with_a_strong_pair(times_known: bool, stories: int) -> None:
    scores = np.full((4, 4), -4.0)
    scores[0, 1] = scores[1, 0] = UNDATED_START + 0.1
    scores[2, 3] = scores[3, 2] = UNDATED_START - 0.1
    evidence = Known(scores, times_known)
    labels, inside = link_stories(every_pair(scores), any_time(4), evidence, 0.0)
    assert len(set(labels.tolist())) == stories
    assert len(inside) == 4 - stories


DAYS = st.one_of(st.just(np.nan), st.integers(-20, 20).map(float))


@given(st.integers(0, 2**32 - 1), st.lists(DAYS, min_size=2, max_size=12), RECURRENCE)
def test_no_story_reaches_beyond_the_window(seed: int, days: list[float], threshold: float) -> None:
    n = len(days)
    scores = some_scores(seed, n)
    times = Times(np.array(days), np.array(days), 7.0)
    expected = slow_average_link(scores, threshold, days, 7.0)
    assert partition(average_link(scores[np.triu_indices(n, 1)], threshold, times)) == expected
    labels, _ = link_stories(every_pair(scores), times, Known(scores), threshold)
    assert partition(labels) == expected


class TestLargeComponents:
    @pytest.fixture(autouse=True)
    def small(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(large_components, "MAX_COMPONENT", 6)
        monkeypatch.setattr(large_components, "PART", 6)

    def test_two_heaps_that_a_weak_pair_holds_together_are_two_stories(self) -> None:
        scores = np.full((10, 10), -1.0)
        scores[:5, :5] = scores[5:, 5:] = 3.0
        scores[4, 5] = scores[5, 4] = 0.2
        labels, _ = link_stories(every_pair(scores), any_time(10), Known(scores), 0.0)
        assert partition(labels) == {frozenset(range(5)), frozenset(range(5, 10))}

    def test_a_mass_of_equals_is_one_story(self) -> None:
        scores = np.full((40, 40), LIMIT)
        labels, inside = link_stories(every_pair(scores), any_time(40), Known(scores), 0.0)
        assert partition(labels) == {frozenset(range(40))}
        assert len(inside) == 40 * 39 // 2

    @pytest.mark.parametrize(("strength", "parts"), [(1.0, 1), (0.9999, 2)])
    def test_a_refused_part_is_joined_by_a_pair_half_as_strong(
        self, strength: float, parts: int
    ) -> None:
        # Rows 2 and 3 would join two parts of four; then row 8 asks to join one of them.
        chain = [(0, 1, 3.0), (1, 2, 3.0), (2, 3, 3.0), (4, 5, 3.0), (5, 6, 3.0), (6, 7, 3.0)]
        first, second, score = map(
            np.array, zip(*chain, (3, 4, 2.0), (7, 8, strength), strict=True)
        )
        pairs = Pairs(first, second, np.ones(len(first)), score)
        part, component = bounded_components(pairs, 9, 0.0)
        assert len(set(component.tolist())) == 1
        assert len(set(part[[7, 8]].tolist())) == parts

    @given(st.integers(0, 2**32 - 1), st.sampled_from([-1.0, 0.0, 1.5]))
    def test_parts_are_those_of_the_strongest_pairs(self, seed: int, threshold: float) -> None:
        draw = np.random.default_rng(seed)
        first, second = np.triu_indices(24, 1)
        chosen = np.flatnonzero(draw.random(len(first)) < 0.12)
        first, second = first[chosen].astype(np.int64), second[chosen].astype(np.int64)
        score = threshold + draw.permutation(len(chosen)) / 8
        pairs = Pairs(first, second, np.ones(len(chosen)), score)
        part, component = bounded_components(pairs, 24, threshold)
        # Slowly: sets of rows, and the strongest pair that each set refused.
        groups = {frozenset([row]): 0.0 for row in range(24)}
        large = is_large(component)
        for i in np.argsort(-score).tolist():
            one, other = (
                next(group for group in groups if row in group) for row in (first[i], second[i])
            )
            strength, refused = score[i] - threshold, max(groups[one], groups[other])
            if one == other or not large[first[i]]:
                continue
            if len(one | other) > 6:
                groups |= {group: max(groups[group], strength) for group in (one, other)}
            elif strength >= refused / 2:
                del groups[one], groups[other]
                groups[one | other] = refused
        rows = np.flatnonzero(large).tolist()
        expected = {group for group in groups if large[min(group)]}
        assert {frozenset(rows[i] for i in group) for group in partition(part[large])} == expected

    def test_a_story_is_represented_from_its_first_article_to_its_last(self) -> None:
        assert speakers(np.array([3, 5, 9])).tolist() == [3, 5, 9]
        rows = speakers(np.arange(100, 1000))
        assert rows[[0, -1]].tolist() == [100, 999]
        steps = np.diff(rows)
        assert 0 < steps.min() <= steps.max() <= steps.min() + 1

    def test_parts_are_joined_within_the_window_only(self) -> None:
        days = np.arange(30) / 2
        scores = np.full((30, 30), LIMIT)
        times = Times(days, days, 7.0)
        labels, _ = link_stories(every_pair(scores), times, Known(scores), 0.0)
        assert all(np.ptp(days[labels == label]) <= 7 for label in labels)
        assert len(set(labels.tolist())) < 6

    @given(seed=st.integers(0, 2**32 - 1), stories=st.integers(1, 6))
    def test_stories_that_are_plain_stay_whole_whatever_the_parts(
        self, seed: int, stories: int
    ) -> None:
        """A bound on work may join what is near; it never makes strangers of copies."""
        draw: Any = np.random.default_rng(seed)
        story = draw.integers(0, stories, 30)
        scores = np.where(story[:, None] == story, 3.0, -1.0) + draw.uniform(-0.5, 0.5, (30, 30))
        scores = np.triu(scores, 1) + np.triu(scores, 1).T
        # One component: a chain of pairs that just reach the threshold.
        for a, b in itertools.pairwise(range(30)):
            scores[a, b] = scores[b, a] = max(scores[a, b], 0.1)
        labels, _ = link_stories(every_pair(scores), any_time(30), Known(scores), 0.0)
        for members in partition(story):
            assert len(set(labels[sorted(members)].tolist())) == 1


def test_articles_without_dates_stay_where_strong_pairs_hold_them() -> None:
    # Articles 0 and 1 have dates; 2 is held by 1, 3 by nobody, 4 and 5 by each other.
    pairs = [(0, 1, -0.5), (0, 2, -1.0), (1, 2, DATED_JOIN), (2, 3, UNDATED_JOIN - 0.1)]
    pairs += [(4, 5, UNDATED_START), (6, 7, UNDATED_START - 0.1)]
    first, second, score = map(np.array, zip(*pairs, strict=True))
    known = np.array([2, 1, 1, 0, 0, 0])
    part = parts_held(first, second, score, known, 8, 0.0)
    assert part[0] == part[1] == part[2]
    assert part[4] == part[5]
    assert len(set(part.tolist())) == 5
