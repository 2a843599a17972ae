"""Evidence: the log-odds that two articles report one event, from what they share.

TF-IDF proposes, evidence confirms. The score is a logistic regression over a few pieces of
evidence, each of which can be shown to a person. It is fitted on pairs that people judged. Each is
weighted by the number of pairs in its archive that it represents, so that 1 / (1 + exp(-score)) is
the probability that a pair of an archive reports one event.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.errors import SettingsError
from sahel_dedup.scoring.copies import COPY_COSINE, Titles
from sahel_dedup.scoring.features import (
    FEATURES,
    NO_LIKENESS,
    RANGES,
    WORDING,
    Sketched,
    counted_outlets,
    measure,
    measure_rest,
)
from sahel_dedup.scoring.tfidf import Shared
from sahel_dedup.scoring.updates import marked_updates
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.profiles import Traits
from sahel_dedup.util.jit import compiled
from sahel_dedup.util.parallel import slices

# Fitted by benchmarks/fit_evidence.py. The first row is for pairs whose distance in time is known,
# the second for the others.
WEIGHTS = np.array(
    [
        [1.88, 2.09, 0.0, -7.5, -3.22, 0.95, -2.74, -0.66, 2.01, -1.51, 0.0, 2.3, 3.83],
        [4.25, 3.68, 0.49, -3.67, -5.33, 1.51, -2.08, 0.0, 1.73, 0.0, 3.24, 0.0, 0.0],
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
_BOUND_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True)
class Pairs:
    """Compared pairs of articles.

    Attributes
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    cosine : ndarray of float64, shape (n,)
        TF-IDF cosine.
    score : ndarray of float64, shape (n,)
        Log-odds that they report one event, from -3 to 4; -4 outside the window.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    cosine: NDArray[np.float64]
    score: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.first)

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Pairs:
        """Return some of the pairs."""
        return Pairs(
            self.first[chosen], self.second[chosen], self.cosine[chosen], self.score[chosen]
        )

    @classmethod
    def concatenate(cls, parts: Sequence[Pairs]) -> Pairs:
        """Concatenate pairs; return no pairs if there are no parts."""
        nothing = np.zeros(0, dtype=np.int64)
        none = cls(nothing, nothing, np.zeros(0), np.zeros(0))
        columns = zip(
            *((p.first, p.second, p.cosine, p.score) for p in (none, *parts)), strict=True
        )
        return cls(*(np.concatenate(column) for column in columns))


class Comparison(Titles, Protocol):
    """Compares pairs of articles: see `sahel_dedup.scoring.tfidf.Similarity`."""

    @property
    def number_count(self) -> NDArray[np.int64]:
        """Count of distinct numbers in each article."""

    def cosines(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the TF-IDF cosines of pairs of articles."""

    def shared(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        cosine: NDArray[np.float64] | None = None,
    ) -> Iterator[tuple[slice, Shared]]:
        """Compare pairs of articles block by block, with their cosines if these are known."""


class Evidence:
    """Scores pairs of articles of one archive.

    Parameters
    ----------
    traits : Traits
    similarity : Comparison
    recurrence : ndarray of float64, shape (n,)
        Recurrence of each article (`sahel_dedup.scoring.recurrence`).
    settings : Settings
        Among others the window, outside which two articles are never one event, and the
        granularity.
    """

    def __init__(
        self,
        traits: Traits,
        similarity: Comparison,
        recurrence: NDArray[np.float64],
        settings: Settings,
    ) -> None:
        self._traits = traits
        self._similarity = similarity
        self.recurrence = recurrence
        self._window = settings.window_days
        self._settings = settings
        self._weights = weights_of(settings)

    def score_pairs(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        known: NDArray[np.float64] | None = None,
    ) -> Pairs:
        """Score pairs of articles.

        Parameters
        ----------
        first, second : ndarray of int64, shape (n,)
        known : ndarray of float64, shape (n,), optional
            Their TF-IDF cosines, if they have been computed before.

        Returns
        -------
        Pairs
        """
        cosine = np.empty(len(first))
        score = np.empty(len(first))
        for rows, features in self.features(first, second, known):
            cosine[rows] = np.exp(features[:, WORDING])
            total = _total(features, first[rows], second[rows], self._traits.day, self._weights)
            score[rows] = _bounded(
                first[rows], second[rows], total, self._traits.day, self._window
            )  # fmt: skip
        return Pairs(first, second, cosine, score)

    def score_unlikely_pairs(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> Pairs:
        """Score pairs that mostly have little in common: like `score_pairs`, but faster.

        Parameters
        ----------
        first, second : ndarray of int64, shape (n,)

        Returns
        -------
        Pairs
        """
        cosine = np.maximum(self._similarity.cosines(first, second), NO_LIKENESS)
        hopeful = np.flatnonzero(self.most(first, second, cosine) > FLOOR)
        scored = self.score_pairs(first[hopeful], second[hopeful], cosine[hopeful])
        score = np.full(len(first), FLOOR)
        score[hopeful] = scored.score
        score = _bounded(first, second, score, self._traits.day, self._window)
        return Pairs(first, second, cosine, score)

    def most(
        self, first: NDArray[np.int64], second: NDArray[np.int64], cosine: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Bound the log-odds of pairs by what is cheap: wording, recurrence, time and outlets.

        Parameters
        ----------
        first, second : ndarray of int64, shape (n,)
        cosine : ndarray of float64, shape (n,)
            Their TF-IDF cosines.

        Returns
        -------
        ndarray of float64, shape (n,)
            No score is higher, except those at the floor. The bound of a pair that may be a copy
            or an update is the highest score.
        """
        bound = np.empty(len(first))
        gains = _gains(self._weights.tobytes())
        for rows in slices(len(first), _BOUND_AT_ONCE):
            a, b = first[rows], second[rows]
            features = measure(a, b, cosine[rows], self.recurrence, self._traits)
            day, headline = self._traits.day, self._traits.headline
            undated = np.isnan(day[a] - day[b])
            untitled = (headline[a] == 0) | (headline[b] == 0)
            bound[rows] = _total(features, a, b, day, self._weights)
            bound[rows] += gains[undated.astype(np.int64), untitled.astype(np.int64)]
            may_be_more = (cosine[rows] >= COPY_COSINE) | marked_updates(a, b, self._traits)
            bound[rows][may_be_more] = LIMIT
        return bound

    def features(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        known: NDArray[np.float64] | None = None,
    ) -> list[tuple[slice, NDArray[np.float64]]]:
        """Measure the pieces of evidence.

        Parameters
        ----------
        first, second : ndarray of int64, shape (n,)
        known : ndarray of float64, shape (n,), optional
            See `score_pairs`.

        Returns
        -------
        list of (slice, ndarray of float64, shape (n_block, len(FEATURES)))
            Blocks of pairs with their features, in the order of `FEATURES`. Unknown values (date,
            outlet, title) contribute 0 and have columns of their own.
        """
        blocks = []
        traits = self._traits
        for rows, shared in self._similarity.shared(first, second, known):
            a, b = first[rows], second[rows]
            features = measure(a, b, shared.cosine, self.recurrence, traits)
            number_count = self._similarity.number_count
            sketched = Sketched.of(a, b, shared, number_count, traits, self._similarity)
            measure_rest(features, a, b, shared, sketched, number_count, traits)
            blocks.append((rows, features))
        return blocks

    def pieces(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> list[dict[str, float]]:
        """Return what each piece of evidence adds to the log-odds of pairs of articles."""
        pieces: list[dict[str, float]] = []
        for rows, features in self.features(first, second):
            dated = self.dated(first[rows], second[rows])
            parts = features * np.where(dated[:, None], *self._weights)
            pieces += [dict(zip(FEATURES, row, strict=True)) for row in parts.tolist()]
        return pieces

    @property
    def outlets(self) -> NDArray[np.int32]:
        """Number of the outlet of each article; -1 where unknown or of no importance."""
        return counted_outlets(self._traits.source, self._settings)

    def dated(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return whether the time between the articles of each pair is known, shape (n_pairs,)."""
        day = self._traits.day
        return ~np.isnan(day[first] - day[second])


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
    total = _total(features, first, second, day, weights_of(settings))
    return _bounded(first, second, total, day, settings.window_days)


def least_cosine(dated: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the cosine below which a pair is not worth scoring.

    Parameters
    ----------
    dated : ndarray of bool, shape (n,)
        Whether the time between the two articles is known.
    """
    return np.where(dated, LEAST_COSINE, LEAST_COSINE_UNDATED)


def _total(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Sum what the features of each pair add to its log-odds."""
    total = np.zeros(len(first))
    _add_all(features, first, second, day, weights, total)
    return total


@compiled
def _add_all(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    weights: NDArray[np.float64],
    total: NDArray[np.float64],
) -> None:
    for i in range(len(first)):
        undated = np.isnan(day[first[i]] - day[second[i]])
        for k in range(features.shape[1]):
            total[i] += features[i, k] * weights[1 if undated else 0, k]


@functools.lru_cache(maxsize=8)
def _gains(weights: bytes) -> NDArray[np.float64]:
    """Return the most that unmeasured features can add, by whether date and titles are known."""
    gains = np.zeros((2, 2))
    for dated, row in enumerate(np.frombuffer(weights).reshape(2, -1)):
        for name, (low, high) in RANGES.items():
            most = max(low * row[FEATURES.index(name)], high * row[FEATURES.index(name)])
            gains[dated, 0] += most
            gains[dated, 1] += 0 if name in ("title", "headline") else most
    return gains


def _bounded(
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
        bound = FLOOR if total[i] < FLOOR else LIMIT if total[i] > LIMIT else total[i]
        score[i] = -LIMIT if abs(day[first[i]] - day[second[i]]) > window else bound
