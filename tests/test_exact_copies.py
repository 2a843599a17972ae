"""Exact copies within the window, and placeholder pages under many headlines."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.candidates.exact_copies import (
    exact_duplicates,
    headline_echoes,
    placeholder_pages,
    spans,
)
from sahel_dedup.sketch.sketcher import Sketcher

PAGE = "Please sign in to continue. Subscribers of this newspaper have access to all reports."
REPORT = (
    "Gunmen attacked the camp at Tessarit on Monday, killing nine soldiers, the governor said. "
    "Survivors fled to Zorbila on foot, where the prefect opened a school to them."
)


def pages(*rows: tuple[int, int, int], echo: float = 0.0) -> list[bool]:
    body, headline, source = (np.array(column) for column in zip(*rows, strict=True))
    found = placeholder_pages(
        body.astype(np.uint64),
        headline.astype(np.uint64),
        source.astype(np.int32),
        lambda some: np.full(len(some), echo),
    )
    return [bool(page) for page in found]


def test_a_text_under_five_headlines_of_one_outlet_is_a_page() -> None:
    rows = [(7, h, 1) for h in range(1, 6)]
    assert pages(*rows, (8, 1, 1), (7, 9, 2)) == [True] * 5 + [False] * 2


def test_a_text_that_knows_its_headlines_is_no_page() -> None:
    assert not any(pages(*((7, h, 1) for h in range(1, 30)), echo=0.6))


def test_copies_in_other_outlets_or_under_one_headline_are_not() -> None:
    assert not any(pages(*((7, h, h) for h in range(1, 30))))
    assert not any(pages(*((7, 3, 1) for _ in range(30))))
    assert not any(pages(*((7, 0, 1) for _ in range(30))))


def test_without_outlets_it_takes_twenty_headlines() -> None:
    assert not any(pages(*((7, h, -1) for h in range(1, 20))))
    assert all(pages(*((7, h, -1) for h in range(1, 21))))


def test_articles_without_text_are_no_pages() -> None:
    assert not any(pages(*((0, h, 1) for h in range(1, 30))))


@pytest.mark.parametrize(
    ("title", "text", "least", "most"),
    [
        ("Nine soldiers killed in attack on Tessarit camp", REPORT, 0.6, 1.0),
        ("Tessarit, Tessarit, Tessarit", REPORT, 1.0, 1.0),
        ("Nine soldiers killed in attack on Tessarit camp", PAGE, 0.0, 0.15),
        ("Rice harvest fails in three districts of the delta", PAGE, 0.0, 0.15),
        ("", PAGE, 0.0, 0.0),
    ],
)
def test_a_headline_is_made_of_the_words_of_its_text(
    title: str, text: str, least: float, most: float
) -> None:
    sketcher = Sketcher()
    profiles = sketcher.sketch([Article("a", text, title=title, lang="en")])
    (echo,) = headline_echoes(profiles, list(sketcher.langs), sketcher.vocabulary)
    assert least <= echo <= most


DAYS = st.lists(st.one_of(st.none(), st.integers(-900, 900)), max_size=12)


def in_order(days: list[int | None]) -> NDArray[np.float64]:
    """Days of copies as the batch has them: those without one first, then in order."""
    known = sorted(day for day in days if day is not None)
    return np.array([np.nan] * (len(days) - len(known)) + known, dtype=np.float64)


@given(DAYS)
def test_copies_never_lie_further_apart_than_the_window(days: list[int | None]) -> None:
    day = in_order(days)
    same = np.ones(len(day), dtype=np.uint64)
    duplicate_of = exact_duplicates(same, same, day, 7.0)
    first, last = spans(duplicate_of, day)
    assert not (last - first > 7).any()
    # A copy is left out of a group only if it would not have fitted into it.
    heads = np.flatnonzero(duplicate_of == np.arange(len(day)))
    assert all(day[two] - first[one] > 7 for one, two in itertools.pairwise(heads))
