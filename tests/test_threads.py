"""Threads: results in order, parts read as they are needed, errors passed on."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import pytest

from sahel_dedup.candidates.lsh import candidate_pairs
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.util.parallel import ordered_map, slices


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_come_in_order_and_parts_as_they_are_needed(workers: int) -> None:
    read = []

    def parts() -> Iterator[int]:
        for part in range(50):
            read.append(part)
            yield part

    def work(part: int) -> int:
        time.sleep(0.001 * (part % 3))
        return part * part

    results = ordered_map(work, parts(), workers)
    assert next(results) == 0
    assert len(read) < 20
    assert list(results) == [part * part for part in range(1, 50)]


@pytest.mark.parametrize("workers", [1, 2])
def test_errors_are_raised(workers: int) -> None:
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(lambda part: 1 // part, [1, 0, 1], workers))


@pytest.mark.parametrize("size", [0, 1, 6, 7])
def test_slices_cover_all(size: int) -> None:
    assert [i for rows in slices(size, 3) for i in range(size)[rows]] == list(range(size))


def test_candidates_are_the_same_in_any_number_of_threads() -> None:
    draw = np.random.default_rng(0)
    salience = draw.integers(0, 9, (400, 128)).astype(np.uint32)
    day = np.sort(draw.uniform(0, 20, 400))
    one, three = (
        candidate_pairs(salience, day, 7.0, Layout(190, 2), workers) for workers in (1, 3)
    )
    assert len(one[0])
    assert np.array_equal(one, three)
