"""Background: texts that must be about another event than an article.

`sahel_dedup.scoring.recurrence` defines them. This module has the rule for one pair and the weight
of each text.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.scoring.copies import COPY_COSINE, copies
from sahel_dedup.sketch.profiles import Traits

GAP_DAYS = 1.5
# Two texts conflict if each has at least this many numbers and they share at most this part of
# them.
MIN_NUMBERS = 3
_SHARED_NUMBERS = 1 / 3


class Comparison(Protocol):
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
    strange = ~copy
    undated = np.flatnonzero(np.isnan(day[first]))
    if len(undated):
        a, b = first[undated], second[undated]
        fewer = np.minimum(number_count[a], number_count[b])
        conflicting = (fewer >= MIN_NUMBERS) & (common[undated] <= _SHARED_NUMBERS * fewer)
        one_outlet = (source[a] >= 0) & (source[a] == source[b])
        strange[undated] &= conflicting | one_outlet
    return strange


def weight_of(
    first: NDArray[np.int64], second: NDArray[np.int64], day: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Return the weight of each background text.

    A text of another day counts once. Another filling of the same form, published at about the same
    time, counts twice, because three fillings are enough to show that there is a form.
    """
    return np.where(np.abs(day[first] - day[second]) <= GAP_DAYS, 2, 1)


def repeated(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    similarity: Comparison,
    traits: Traits,
) -> NDArray[np.bool_]:
    """Mark each background text that is a copy of an earlier one of the same article.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Articles, grouped, and their background texts, the most similar first.
    similarity : Comparison
    traits : Traits

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    one, two = couples(first)
    a, b = second[one], second[two]
    cosine = similarity.cosines(a, b)
    close = cosine >= COPY_COSINE
    a, b, two, cosine = a[close], b[close], two[close], cosine[close]
    common = similarity.shared_numbers(a, b)
    again = np.zeros(len(first), dtype=np.bool_)
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
    places = np.arange(len(first))
    start = np.zeros(len(first), dtype=np.int64)
    start[1:] = np.where(first[1:] == first[:-1], 0, places[1:])
    earlier = places - np.maximum.accumulate(start)  # how many of its run come before each
    two = np.repeat(places, earlier)
    within = np.arange(len(two)) - np.repeat(np.cumsum(earlier) - earlier, earlier)
    return two - earlier[two] + within, two
