"""Background: texts that must be about another event than an article.

`sahel_dedup.scoring.recurrence` defines them. This module has the rule for one pair and the weight
of each text.
"""

from __future__ import annotations

import logging
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.scoring.copies import copies, may_be_copies
from sahel_dedup.sketch.profiles import Traits, is_one_outlet
from sahel_dedup.util.jit import compiled

_LOGGER = logging.getLogger("sahel_dedup")

GAP_DAYS = 1.5
# From this many articles on, people do not simply read the result.
MANY = 50
ONE_DAY = (
    f"all articles were published within {GAP_DAYS:g} days: bulletins and forms are recognised by "
    "comparison with other days, so some may be in one story by mistake"
)
# Two texts conflict if each has at least this many numbers and they share at most this part of
# them.
MIN_NUMBERS = 3
_SHARED_NUMBERS = 1 / 3
_NOTHING = np.empty(0, dtype=np.int64)


class TextComparison(Protocol):
    """Compares texts: see `sahel_dedup.scoring.tfidf.Similarity`."""

    @property
    def number_count(self) -> NDArray[np.int64]:
        """Count of distinct numbers in each article."""

    def cosines(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the TF-IDF cosines of pairs of articles."""

    def shared_numbers(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return how many numbers the articles of each pair share."""


def span_of(days: NDArray[np.float64]) -> float | None:
    """Return the days between the first and the last of some times; None if all are missing."""
    dated = days[~np.isnan(days)]
    return float(np.ptp(dated)) if len(dated) else None


def is_one_day(span: float | None) -> bool:
    """Whether articles are all of about one day, given what `span_of` returns.

    Then none is in the background of another, which hides most recurring texts.
    """
    return span is not None and span <= GAP_DAYS


def log_one_day(articles: int, span: float | None) -> None:
    """Log a warning if many articles are all of about one day; see `is_one_day`."""
    if articles >= MANY and is_one_day(span):
        _LOGGER.warning("%s", ONE_DAY)


def background_pairs(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    common: NDArray[np.int64],
    copy: NDArray[np.bool_],
    day: NDArray[np.float64],
    source: NDArray[np.int32],
    number_count: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Mark the texts that must be about another event.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Articles and other texts. The texts beside a dated article were published outside its time.
    common : ndarray of int64, shape (n,)
        Count of numbers that both contain.
    copy : ndarray of bool, shape (n,)
        Whether one is a copy of the other.
    day, source, number_count : ndarray, shape (n_articles,)
        Time and outlet of each article, and the count of its numbers.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    strange = np.empty(len(first), dtype=np.bool_)
    _mark_strangers(first, second, common, copy, day, source, number_count, strange)
    return strange


@compiled
def _mark_strangers(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    common: NDArray[np.int64],
    copy: NDArray[np.bool_],
    day: NDArray[np.float64],
    source: NDArray[np.int32],
    number_count: NDArray[np.int64],
    strange: NDArray[np.bool_],
) -> None:
    """Fill in what `background_pairs` returns."""
    for i in range(len(first)):
        known = are_strangers(first[i], second[i], common[i], day, source, number_count)
        strange[i] = known and not copy[i]


@compiled
def are_strangers(
    one: np.int64,
    other: np.int64,
    common: np.int64,
    day: NDArray[np.float64],
    source: NDArray[np.int32],
    number_count: NDArray[np.int64],
) -> bool:
    """Apply the rule of `background_pairs` to two articles that are no copies."""
    if not np.isnan(day[one]):
        return True
    a, b = number_count[one], number_count[other]
    fewer = a if a < b else b
    if fewer >= MIN_NUMBERS and common <= _SHARED_NUMBERS * fewer:
        return True
    return is_one_outlet(one, other, source)


def weight_of(
    first: NDArray[np.int64], second: NDArray[np.int64], day: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the weight of each background text.

    A text of another day counts once. Another filling of the same form, published at about the same
    time, counts twice, because three fillings are enough to show that there is a form.
    """
    weight = np.empty(len(first), dtype=np.int64)
    _weigh(first, second, day, weight)
    return weight


@compiled
def _weigh(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    weight: NDArray[np.int64],
) -> None:
    """Fill in what `weight_of` returns."""
    for i in range(len(first)):
        weight[i] = weight_of_pair(day[first[i]], day[second[i]])


@compiled
def weight_of_pair(one: float, other: float) -> int:
    """Apply the rule of `weight_of` to two times."""
    return 2 if abs(one - other) <= GAP_DAYS else 1


def repeated(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    similarity: TextComparison,
    traits: Traits,
) -> NDArray[np.bool_]:
    """Mark each background text that is a copy of an earlier one of the same article.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Articles, grouped, and their background texts, the most similar first.
    similarity : TextComparison
    traits : Traits

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    again = np.zeros(len(first), dtype=np.bool_)
    one, two = couples(first)
    if not len(one):
        return again
    # Shingles are compared in a fraction of the time that words take, and rule out most.
    likely = may_be_copies(second[one], second[two], traits).nonzero()[0]
    if not len(likely):
        return again
    a, b, two = second[one[likely]], second[two[likely]], two[likely]
    cosine, common = similarity.cosines(a, b), similarity.shared_numbers(a, b)
    again[two[copies(a, b, cosine, common, similarity.number_count, traits)]] = True
    return again


def couples(first: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair the positions within each run of equal values, the earlier position first.

    Parameters
    ----------
    first : ndarray of int64, shape (n,)

    Returns
    -------
    one, two : ndarray of int64, shape (n_pairs,)
        Positions in `first`, by the later one, then by the earlier.
    """
    size = _couple(first, _NOTHING, _NOTHING)
    one, two = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    _couple(first, one, two)
    return one, two


@compiled
def _couple(first: NDArray[np.int64], one: NDArray[np.int64], two: NDArray[np.int64]) -> int:
    """Fill in what `couples` returns, as far as there is room, and count it."""
    size = start = 0
    for later in range(len(first)):
        if first[later] != first[start]:
            start = later
        for earlier in range(start, later):
            if size < len(one):
                one[size], two[size] = earlier, later
            size += 1
    return size
