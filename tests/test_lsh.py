"""LSH: the pairs that share a band, no more work than promised, and the promised recall."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sahel_dedup.candidates.lsh import (
    BUCKET_REACH,
    agreeing_slots,
    band_keys,
    candidate_pairs,
)
from sahel_dedup.errors import SahelError
from sahel_dedup.sketch.fingerprint import EMPTY_SLOT, SLOTS
from sahel_dedup.sketch.layout import Layout, layout_for, slot_agreement

LAYOUT = Layout(64, 2)


def slow_pairs(
    salience: NDArray[np.uint32],
    day: NDArray[np.float64],
    window: float,
    layout: Layout,
) -> set[tuple[int, int]]:
    """Compare every band of every pair."""
    keys = np.stack([band_keys(salience, layout, band) for band in range(layout.bands)])
    found = set()
    for i, j in itertools.combinations(range(len(salience)), 2):
        if EMPTY_SLOT in (salience[i, 0], salience[j, 0]):
            continue
        apart = abs(day[j] - day[i])
        agree = int((salience[i] == salience[j]).sum())
        least = 10 if math.isnan(apart) else 6
        if not apart > window and (keys[:, i] == keys[:, j]).any() and agree >= least:
            found.add((i, j))
    return found


def as_set(pairs: tuple[NDArray[np.int64], NDArray[np.int64]]) -> set[tuple[int, int]]:
    return set(zip(pairs[0].tolist(), pairs[1].tolist(), strict=True))


def in_time(draw: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Return rising days, some of them unknown."""
    day = np.sort(draw.uniform(0, 30, n))
    day[: n // 5] = np.nan
    return day


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, BUCKET_REACH),
    st.sampled_from([0.5, 7.0, math.inf]),
    st.sampled_from([Layout(64, 2), Layout(42, 3), Layout(16, 8), Layout(128, 1)]),
)
def test_candidates_are_the_pairs_that_share_a_band(
    seed: int, n: int, window: float, layout: Layout
) -> None:
    draw = np.random.default_rng(seed)
    # Few values a slot, so that some pairs share a band and some do not.
    salience = draw.integers(0, 12, (n, SLOTS)).astype(np.uint32)
    salience[draw.random(n) < 0.1] = EMPTY_SLOT
    day = in_time(draw, n)
    pairs = candidate_pairs(salience, day, window, layout)
    assert as_set(pairs) == slow_pairs(salience, day, window, layout)
    assert (pairs[0] < pairs[1]).all()
    order = pairs[0] * n + pairs[1]
    assert (np.diff(order) > 0).all()


def test_every_slot_belongs_to_a_band_of_its_own() -> None:
    draw = np.random.default_rng(1)
    row = draw.integers(0, 2**32, SLOTS).astype(np.uint32)
    changed = np.tile(row, (SLOTS, 1))
    changed[np.arange(SLOTS), np.arange(SLOTS)] += np.uint32(1)
    keys = np.stack([band_keys(changed, LAYOUT, band) for band in range(LAYOUT.bands)])
    original = np.stack([band_keys(row[None], LAYOUT, band) for band in range(LAYOUT.bands)])
    assert ((keys != original).sum(axis=0) == 1).all()
    assert ((keys != original).sum(axis=1) == LAYOUT.rows).all()


@pytest.mark.parametrize("dated", [True, False])
def test_a_crowd_of_equals_costs_each_a_bounded_number_of_pairs(dated: bool) -> None:
    n = 10 * BUCKET_REACH
    salience = np.tile(np.arange(SLOTS, dtype=np.uint32), (n, 1))
    day = np.linspace(0, 1, n) if dated else np.full(n, np.nan)
    first, second = candidate_pairs(salience, day, 7.0, LAYOUT)
    assert np.bincount(first).max() <= LAYOUT.bands * BUCKET_REACH
    # Each still meets the next, so that the crowd hangs together.
    neighbours = set(zip(range(n - 1), range(1, n), strict=True))
    assert neighbours <= as_set((first, second))


def test_a_crowded_bucket_is_split_by_what_else_its_articles_share() -> None:
    # All agree in the first band; twins agree everywhere. Though the twins stand far apart
    # in the crowd, they meet.
    n = 20 * BUCKET_REACH
    draw = np.random.default_rng(2)
    salience = draw.integers(1, 2**32 - 1, (n, SLOTS)).astype(np.uint32)
    salience[:, : LAYOUT.rows] = 7
    salience[n // 2 :] = salience[: n // 2]
    pairs = as_set(candidate_pairs(salience, np.zeros(n), 7.0, LAYOUT))
    assert pairs == {(i, i + n // 2) for i in range(n // 2)}


def test_the_window_and_the_undated() -> None:
    salience = np.tile(np.arange(SLOTS, dtype=np.uint32), (5, 1))
    day = np.array([np.nan, 1.0, 2.0, 8.5, 20.0])
    found = as_set(candidate_pairs(salience, day, 7.0, LAYOUT))
    assert found == {(0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3)}
    assert len(as_set(candidate_pairs(salience, day, math.inf, LAYOUT))) == 10


@pytest.mark.parametrize("n", [0, 1])
def test_nothing_to_pair(n: int) -> None:
    salience = np.zeros((n, SLOTS), dtype=np.uint32)
    assert as_set(candidate_pairs(salience, np.zeros(n), 7.0, LAYOUT)) == set()


@given(st.integers(0, 2**32 - 1))
def test_agreeing_slots(seed: int) -> None:
    draw = np.random.default_rng(seed)
    salience: Any = draw.integers(0, 3, (6, SLOTS)).astype(np.uint32)
    first, second = draw.integers(0, 6, (2, 20))
    counts = agreeing_slots(salience, first, second)
    assert counts.tolist() == [
        sum(x == y for x, y in zip(salience[i], salience[j], strict=True))
        for i, j in zip(first, second, strict=True)
    ]


# Recall -------------------------------------------------------------------------------


@given(st.floats(0.05, 0.99), st.floats(0.1, 0.95))
def test_a_layout_keeps_its_promise(recall: float, similarity: float) -> None:
    try:
        layout = layout_for(recall, similarity)
    except SahelError as error:
        assert "ask for less recall" in str(error)  # noqa: PT017
        return
    assert layout.expected_recall(similarity) >= recall
    assert layout.expected_recall(min(1.0, similarity + 0.1)) >= layout.expected_recall(similarity)
    assert 1 <= layout.rows <= 8


def test_agreement_rises_with_similarity() -> None:
    steps = [slot_agreement(x / 100) for x in range(101)]
    assert steps == sorted(steps)
    assert (steps[0], steps[-1]) == (0, 1)


@pytest.mark.parametrize("agreement", [0.1, 0.2, 0.3])
def test_recall_at_an_agreement_is_the_share_of_pairs_found(agreement: float) -> None:
    draw = np.random.default_rng(4)
    tries = 1500
    one = draw.integers(1, 2**32 - 1, (tries, SLOTS)).astype(np.uint32)
    other = draw.integers(1, 2**32 - 1, (tries, SLOTS)).astype(np.uint32)
    same = draw.random((tries, SLOTS)) < agreement
    other[same] = one[same]
    salience = np.concatenate([one, other])
    pairs = as_set(candidate_pairs(salience, np.zeros(2 * tries), 7.0, LAYOUT, 1))
    found = sum((i, i + tries) in pairs for i in range(tries)) / tries
    expected = LAYOUT.recall_at_agreement(agreement)
    assert abs(found - expected) < 4 * math.sqrt(expected * (1 - expected) / tries) + 0.002
