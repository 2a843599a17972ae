"""Number contexts, against a slow and readable twin."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.sketch.number_contexts import EMPTY_SLOT, SLOTS, conflicts, number_context_slots
from sahel_dedup.sketch.sketcher import Sketcher

# Tokens: a hash, and whether it is that of a figure.
ARTICLES = st.lists(
    st.lists(st.tuples(st.integers(0, 2**64 - 1), st.booleans()), max_size=12), max_size=8
)
SALTS = {1: 0x9E3779B97F4A7C15, -1: 0xC2B2AE3D27D4EB4F}


def slowly(tokens: list[tuple[int, bool]]) -> list[int]:
    """Sketch one article."""
    least: dict[int, tuple[int, int]] = {}
    for place, (number, is_number) in enumerate(tokens):
        for side, salt in SALTS.items():
            if is_number and 0 <= place + side < len(tokens) and not tokens[place + side][1]:
                word = tokens[place + side][0] * salt % 2**64
                told = (word >> 27 & 0xFFFFFFFF, number >> 48)
                least[word >> 59] = min(told, least.get(word >> 59, told))
    slots = [int(EMPTY_SLOT)] * SLOTS
    for slot, (word, number) in least.items():
        slots[slot] = word % 256 * 256 + number % 256
    return slots


def of_text(*texts: str) -> NDArray[np.uint16]:
    """Sketch articles by the library's own path."""
    day = datetime(2025, 6, 3, tzinfo=UTC)
    articles = [Article(str(place), text, published=day) for place, text in enumerate(texts)]
    return Sketcher().sketch(articles).number_contexts


@given(ARTICLES)
def test_slots_are_those_of_the_slow_twin(articles: list[list[tuple[int, bool]]]) -> None:
    tokens = [token for article in articles for token in article]
    # Every other article has no date.
    day = np.where(np.arange(len(articles)) % 2, np.nan, 1.0)
    slots = number_context_slots(
        np.array([value for value, _ in tokens], dtype=np.uint64),
        np.arange(len(tokens), dtype=np.int32),
        np.array([number for _, number in tokens], dtype=bool),
        np.cumsum([0, *map(len, articles)]),
        day,
    )
    assert slots.dtype == np.uint16
    assert slots.tolist() == [
        slowly(article if dated else [])
        for article, dated in zip(articles, day == day, strict=True)
    ]


@given(st.lists(st.lists(st.sampled_from([0, 1, 256, 257, 258, 512, 65535]), min_size=SLOTS,
                         max_size=SLOTS), min_size=2, max_size=6))  # fmt: skip
def test_conflicts_are_counted(rows: list[list[int]]) -> None:
    number_contexts = np.array(rows, dtype=np.uint16)
    first, second = np.triu_indices(len(rows))
    for a, b, found in zip(first, second, conflicts(number_contexts, first, second), strict=True):
        told = [(x, y) for x, y in zip(rows[a], rows[b], strict=True) if x and y]
        assert found == sum(x // 256 == y // 256 and x != y for x, y in told)


def test_other_figures_of_the_same_things_are_in_conflict() -> None:
    number_contexts = of_text(
        "Gunmen killed 12 soldiers and took 3 trucks",
        "The gunmen killed 12 soldiers, and 3 trucks burnt",
        "Gunmen killed 47 soldiers and took 5 trucks",
        "It rained for 9 days over 4 regions",
    )
    first, second = np.triu_indices(4, 1)
    found = dict(zip(zip(first.tolist(), second.tolist(), strict=True),
                     conflicts(number_contexts, first, second).tolist(), strict=True))  # fmt: skip
    # "killed" before, "soldiers" behind; "took" before, "trucks" behind.
    assert found == {(0, 1): 0, (0, 2): 4, (0, 3): 0, (1, 2): 3, (1, 3): 0, (2, 3): 0}


def test_figures_are_read_as_the_tokeniser_folds_them() -> None:
    number_contexts = of_text(
        "cost 1,200 naira", "cost 1200 naira", "cost ١٢٠٠ naira", "cost 1300 naira"
    )
    assert (number_contexts[:3] == number_contexts[0]).all()
    assert conflicts(number_contexts, np.array([0]), np.array([3])).tolist() == [2]


def test_neighbours_do_not_cross_articles() -> None:
    alone = of_text("12")
    assert (alone == EMPTY_SLOT).all()
    assert (of_text("12", "killed", "47")[1:] == EMPTY_SLOT).all()


def test_articles_without_a_date_need_none() -> None:
    assert (Sketcher().sketch([Article("a", "12 killed")]).number_contexts == EMPTY_SLOT).all()


def test_golden_slots() -> None:
    slots = of_text("KAYES: 12 killed in 2 attacks on June 3, 2025")[0]
    held = {int(place): int(slots[place]) for place in np.flatnonzero(slots)}
    assert held == {7: 64326, 12: 52289, 14: 7635, 24: 61651, 29: 11078}
