"""Log-odds: what the pieces of evidence of a pair of articles add up to.

A logistic regression adds the features of a pair (`sahel_dedup.scoring.features`), with one row of
constants for dated pairs and one for undated ones.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.errors import SettingsError
from sahel_dedup.scoring.features import FEATURES, RANGES, SAME_OUTLET, WORDING
from sahel_dedup.settings import Settings
from sahel_dedup.util.jit import compiled

# Fitted by benchmarks/fit_evidence.py. The first row is for dated pairs, the second for undated
# ones (`row_of_constants`).
WEIGHTS = np.array(
    [
        [1.88, 2.09, 0.0, -7.5, -3.22, 0.95, -2.74, -0.66, 2.01, -1.51, 0.0, 2.3, 3.83, -0.4, -0.8],
        [4.25, 3.68, 0.49, -3.67, -5.33, 1.51, -2.08, 0.0, 1.73, 0.0, 3.24, 0.0, 0.0, 0.0, 0.0],
    ]
)
# For topics, wording alone decides: at a cosine of 0.07 the odds are even.
TOPIC_WEIGHTS = np.zeros_like(WEIGHTS)
TOPIC_WEIGHTS[:, :2] = -np.log(0.07), 1.0
# The bounds of a score, because one pair must not outvote a whole story. Two reports of one event
# may have little in common, so an unrelated pair counts less than a pair of copies. Pairs outside
# the window score -LIMIT.
LIMIT = 4.0
FLOOR = -3.0
# Pairs with a lower cosine are never one event, or their words cannot show it. Without dates the
# least cosine is higher, because an article meets the whole archive and more pairs are similar by
# chance.
LEAST_COSINE, LEAST_COSINE_UNDATED = 0.10, 0.15
# Two dated articles with a lower cosine report two events, although they may share a name, a day
# and a number. Only topics may be that wide.
DISTINCT_COSINE = 0.17


def known_dates(
    day: NDArray[np.float64], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count the articles of each pair that have a date.

    Parameters
    ----------
    day : ndarray of float64, shape (n_articles,)
        Times; NaN where missing.
    first, second : ndarray of int64, shape (n_pairs,)

    Returns
    -------
    ndarray of int64, shape (n_pairs,)
        0, 1 or 2.
    """
    return 2 - np.isnan(day[first]) - np.isnan(day[second])


def row_of_constants(
    features: NDArray[np.float64],
    day: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return which constants weigh the evidence of pairs.

    Parameters
    ----------
    features : ndarray of float64, shape (n_pairs, len(FEATURES))
    day : ndarray of float64, shape (n_articles,)
        Times; NaN where missing.
    first, second : ndarray of int64, shape (n_pairs,)

    Returns
    -------
    ndarray of int64, shape (n_pairs,)
        0 for dated pairs, and for articles not known to be of one outlet if one of them has a date:
        such pairs are like dated ones whose distance in time is unknown. 1 for undated pairs: both
        articles lack a date, or one does and both are of one outlet, whose texts of other days may
        be issues of one bulletin.
    """
    row = np.empty(len(first), dtype=np.int64)
    _rows(features, day, first, second, row)
    return row


@compiled
def _rows(
    features: NDArray[np.float64],
    day: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    row: NDArray[np.int64],
) -> None:
    """Fill in what `row_of_constants` returns."""
    for i in range(len(first)):
        row[i] = _row(day[first[i]], day[second[i]], features[i, SAME_OUTLET])


@compiled
def _row(one: float, other: float, same_outlet: float) -> int:
    """Apply the rule of `row_of_constants` to the times of two articles."""
    if not np.isnan(one - other):
        return 0
    return 1 if same_outlet == 1 or (np.isnan(one) and np.isnan(other)) else 0


def weights_of(settings: Settings) -> NDArray[np.float64]:
    """Return the constants with which pairs are scored, shape (2, len(FEATURES)).

    Raises
    ------
    SettingsError
        If the settings have constants of a release with other pieces of evidence.
    """
    if settings.granularity == "topic":
        return TOPIC_WEIGHTS
    if (model := settings.model) is None:
        return WEIGHTS
    if model.features != FEATURES:
        raise SettingsError(
            "model: made by a release with other evidence; teach again with the same answers"
        )
    return np.array([model.dated, model.undated])


def scores(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    settings: Settings,
) -> NDArray[np.float64]:
    """Convert the features of pairs of articles to scores.

    Parameters
    ----------
    features : ndarray of float64, shape (n, len(FEATURES))
    first, second : ndarray of int64, shape (n,)
    day : ndarray of float64, shape (n_articles,)
    settings : Settings

    Returns
    -------
    ndarray of float64, shape (n,)
        See `Pairs`.
    """
    weights, least = weights_of(settings), least_wording(settings)
    return bounded_odds(features, first, second, day, weights, least, settings.window_days)


def bounded_odds(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    weights: NDArray[np.float64],
    least: float,
    window: float,
) -> NDArray[np.float64]:
    """Return the same, given what follows from the settings."""
    score = np.empty(len(first))
    _score_all(features, first, second, day, weights, least, window, score)
    return score


@compiled
def _score_all(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    weights: NDArray[np.float64],
    least: float,
    window: float,
    score: NDArray[np.float64],
) -> None:
    for i in range(len(first)):
        one, other = day[first[i]], day[second[i]]
        score[i] = _bound(_total(features[i], one, other, weights, least), one, other, window)


def least_wording(settings: Settings) -> float:
    """Return the least wording of two dated articles that can report one event."""
    return -math.inf if settings.granularity == "topic" else math.log(DISTINCT_COSINE)


def least_cosine(dated: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the cosine below which a pair is not worth scoring.

    Parameters
    ----------
    dated : ndarray of bool, shape (n,)
        Whether the time between the two articles is known.
    """
    return np.where(dated, LEAST_COSINE, LEAST_COSINE_UNDATED)


@compiled
def least_cosine_of_pair(one: float, other: float) -> float:
    """Apply the rule of `least_cosine` to the times of two articles; NaN where missing."""
    return LEAST_COSINE_UNDATED if np.isnan(one - other) else LEAST_COSINE


def total_odds(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    weights: NDArray[np.float64],
    least: float,
) -> NDArray[np.float64]:
    """Sum what the features of each pair add to its log-odds; -inf if the words rule it out."""
    total = np.empty(len(first))
    _add_all(features, first, second, day, weights, least, total)
    return total


@compiled
def _add_all(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    weights: NDArray[np.float64],
    least: float,
    total: NDArray[np.float64],
) -> None:
    for i in range(len(first)):
        total[i] = _total(features[i], day[first[i]], day[second[i]], weights, least)


@compiled
def _total(
    features: NDArray[np.float64],
    one: float,
    other: float,
    weights: NDArray[np.float64],
    least: float,
) -> float:
    """Apply the rule of `total_odds` to the features and times of two articles."""
    if _rules_out(features[WORDING], one, other, least):
        return -math.inf
    row, total = _row(one, other, features[SAME_OUTLET]), 0.0
    for k in range(len(features)):
        total += features[k] * weights[row, k]
    return total


@compiled
def _rules_out(wording: float, one: float, other: float, least: float) -> bool:
    """Whether the wording alone shows that articles of two times report two events."""
    return bool(not np.isnan(one - other) and wording < least)


def rule_out(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    day: NDArray[np.float64],
    least: float,
    window: float,
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Find the pairs that may report one event according to their wording.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
    cosine : ndarray of float64, shape (n,)
        Their TF-IDF cosines, positive.
    day : ndarray of float64, shape (n_articles,)
    least, window : float
        See `bounded_odds`.

    Returns
    -------
    possible : ndarray of int64
        Positions of these pairs.
    wording, score : ndarray of float64, shape (n,)
        The feature `wording` of all pairs, and the scores of those that are ruled out.
    """
    possible = np.empty(len(first), dtype=np.int64)
    wording, score = np.empty(len(first)), np.empty(len(first))
    size = _rule_out(first, second, cosine, day, least, window, possible, wording, score)
    return possible[:size], wording, score


@compiled
def _rule_out(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    day: NDArray[np.float64],
    least: float,
    window: float,
    possible: NDArray[np.int64],
    wording: NDArray[np.float64],
    score: NDArray[np.float64],
) -> int:
    """Fill in what `rule_out` returns, and count the possible pairs."""
    size = 0
    for i in range(len(first)):
        one, other = day[first[i]], day[second[i]]
        wording[i], score[i] = math.log(cosine[i]), _bound(-math.inf, one, other, window)
        if not _rules_out(wording[i], one, other, least):
            possible[size] = i
            size += 1
    return size


@functools.lru_cache(maxsize=8)
def most_gains(weights: bytes) -> NDArray[np.float64]:
    """Return the most that unmeasured features can add, by whether date and titles are known."""
    gains = np.zeros((2, 2))
    for dated, row in enumerate(np.frombuffer(weights).reshape(2, -1)):
        for name, (low, high) in RANGES.items():
            most = max(low * row[FEATURES.index(name)], high * row[FEATURES.index(name)])
            gains[dated, 0] += most
            gains[dated, 1] += 0 if name in ("title", "headline") else most
    return gains


def bounded(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    total: NDArray[np.float64],
    day: NDArray[np.float64],
    window: float,
) -> NDArray[np.float64]:
    """Convert log-odds to scores; pairs outside the window get the lowest."""
    score = np.empty(len(total))
    _bound_all(first, second, total, day, window, score)
    return score


@compiled
def _bound_all(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    total: NDArray[np.float64],
    day: NDArray[np.float64],
    window: float,
    score: NDArray[np.float64],
) -> None:
    for i in range(len(total)):
        score[i] = _bound(total[i], day[first[i]], day[second[i]], window)


@compiled
def _bound(total: float, one: float, other: float, window: float) -> float:
    """Apply the rule of `bounded` to the log-odds and times of two articles."""
    if abs(one - other) > window:
        return -LIMIT
    return FLOOR if total < FLOOR else LIMIT if total > LIMIT else total
