"""Evidence: from what two articles share to the log-odds that they report one event.

TF-IDF proposes, evidence confirms. The score is a logistic regression over a few pieces,
each of which can be shown to a person; the TF-IDF cosine and its ratio to the temporal
contrast carry most of it. The constants are fitted by ``benchmarks/fit_evidence.py``.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.compiled import compiled
from sahel_dedup.features import (
    FEATURES,
    NO_LIKENESS,
    NO_TITLE,
    OF_TITLES,
    RANGES,
    WORDING,
    measure,
    measure_rest,
)
from sahel_dedup.profiles import Traits
from sahel_dedup.settings import Settings
from sahel_dedup.similarity import Shared
from sahel_dedup.threads import slices

# One row for pairs whose distance in time is known, one for the others.
WEIGHTS = np.array(
    [
        [1.98, 1.46, 1.08, -3.62, 0.41, -0.57, 0.93, -1.36, -0.74, 4.57, 1.07, 2.14, 0.0, -7.88],
        [2.21, 4.78, 1.64, -3.63, 2.07, 0.0, 0.19, -1.72, 0.0, 3.09, 0.4, 0.03, -1.22, 0.0],
    ]
)
# Of a topic the wording alone decides: a cosine of 0.07 is as likely as not.
TOPIC_WEIGHTS = np.zeros_like(WEIGHTS)
TOPIC_WEIGHTS[:, :2] = -np.log(0.07), 1.0
# The bounds of a score: one pair must not outvote a whole story. Two reports of one event may
# have little in common, so that strangers weigh less than copies. Pairs that lie outside the
# window score -LIMIT.
LIMIT = 4.0
FLOOR = -1.5
# Pairs of a lower cosine are never one event, or not by their words; where dates are missing,
# an article meets the whole archive, and chance finds more.
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
        Log-odds that they report one event, between -1.5 and 4; -4 outside the window.
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
        """Put pairs one behind the other; of no parts, no pairs."""
        nothing = np.zeros(0, dtype=np.int64)
        none = cls(nothing, nothing, np.zeros(0), np.zeros(0))
        columns = zip(
            *((p.first, p.second, p.cosine, p.score) for p in (none, *parts)), strict=True
        )
        return cls(*(np.concatenate(column) for column in columns))


class Comparison(Protocol):
    """What compares pairs of articles: see `sahel_dedup.similarity.Similarity`."""

    @property
    def figures(self) -> NDArray[np.int64]:
        """Distinct figures in each article."""

    def cosines(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the TF-IDF cosines of pairs of articles."""

    def shared(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        cosine: NDArray[np.float64] | None = None,
    ) -> Iterator[tuple[slice, Shared]]:
        """Compare pairs of articles, block by block; their cosines may be known."""


class Evidence:
    """Weighs pairs of articles of one archive.

    Parameters
    ----------
    traits : Traits
    similarity : Comparison
    bar : ndarray of float64, shape (n,)
        Temporal contrast of each article (`sahel_dedup.contrast.bars`).
    settings : Settings
        The window, beyond which two articles are never one event, and what a story is.
    """

    def __init__(
        self,
        traits: Traits,
        similarity: Comparison,
        bar: NDArray[np.float64],
        settings: Settings,
    ) -> None:
        self._traits = traits
        self._similarity = similarity
        self.bar = bar
        self._window = settings.window_days
        self._weights = TOPIC_WEIGHTS if settings.granularity == "topic" else WEIGHTS

    def weigh(
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
            score[rows] = _score(
                features, first[rows], second[rows], self._traits.day, self._weights, self._window,
                FLOOR,
            )  # fmt: skip
        return Pairs(first, second, cosine, score)

    def weigh_strangers(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> Pairs:
        """Score pairs most of which have little in common: the same as `weigh`, but faster.

        Parameters
        ----------
        first, second : ndarray of int64, shape (n,)

        Returns
        -------
        Pairs
        """
        cosine = np.maximum(self._similarity.cosines(first, second), NO_LIKENESS)
        hopeful = np.flatnonzero(self.most(first, second, cosine) > FLOOR)
        weighed = self.weigh(first[hopeful], second[hopeful], cosine[hopeful])
        score = np.full(len(first), FLOOR)
        score[hopeful] = weighed.score
        score = _bounded(first, second, score, self._traits.day, self._window, FLOOR)
        return Pairs(first, second, cosine, score)

    def most(
        self, first: NDArray[np.int64], second: NDArray[np.int64], cosine: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Bound the log-odds of pairs by what costs nothing: wording, contrast, time, outlets.

        Parameters
        ----------
        first, second : ndarray of int64, shape (n,)
        cosine : ndarray of float64, shape (n,)
            Their TF-IDF cosines.

        Returns
        -------
        ndarray of float64, shape (n,)
            No score is higher, unless it is at the floor.
        """
        bound = np.empty(len(first))
        gains = _gains(self._weights.tobytes())
        for rows in slices(len(first), _BOUND_AT_ONCE):
            a, b = first[rows], second[rows]
            features = measure(a, b, cosine[rows], self.bar, self._traits)
            bound[rows] = _most(features, a, b, self._traits.day, self._weights, gains)
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
            See `weigh`.

        Returns
        -------
        list of (slice, ndarray of float64, shape (n_block, len(FEATURES)))
            Blocks of pairs with their features, in the order of `FEATURES`. What is
            unknown (date, outlet, title) contributes 0 and is told by its own column.
        """
        blocks = []
        traits = self._traits
        for rows, shared in self._similarity.shared(first, second, known):
            a, b = first[rows], second[rows]
            features = measure(a, b, shared.cosine, self.bar, traits)
            measure_rest(features, a, b, shared, self._similarity.figures, traits)
            blocks.append((rows, features))
        return blocks

    def pieces(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> list[dict[str, float]]:
        """Tell what each piece of evidence adds to the log-odds of pairs of articles."""
        told: list[dict[str, float]] = []
        for rows, features in self.features(first, second):
            dated = self.dated(first[rows], second[rows])
            parts = features * np.where(dated[:, None], *self._weights)
            told += [dict(zip(FEATURES, row, strict=True)) for row in parts.tolist()]
        return told

    def dated(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the time between the articles of each pair is known, shape (n_pairs,)."""
        day = self._traits.day
        return ~np.isnan(day[first] - day[second])


def least_cosine(dated: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the cosine below which pairs are not worth weighing.

    Parameters
    ----------
    dated : ndarray of bool, shape (n,)
        Whether the time between the two articles is known.
    """
    return np.where(dated, LEAST_COSINE, LEAST_COSINE_UNDATED)


@compiled
def _total(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    weights: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Sum what the features of each pair add to its log-odds."""
    total = np.zeros(len(first))
    for i in range(len(first)):
        undated = np.isnan(day[first[i]] - day[second[i]])
        for k in range(features.shape[1]):
            total[i] += features[i, k] * weights[1 if undated else 0, k]
    return total


@functools.lru_cache(maxsize=8)
def _gains(weights: bytes) -> NDArray[np.float64]:
    """Most that what has yet to be measured adds: by date known or not, and titles or not."""
    gains = np.zeros((2, 2))
    for dated, row in enumerate(np.frombuffer(weights).reshape(2, -1)):
        for name, (low, high) in RANGES.items():
            most = max(low * row[FEATURES.index(name)], high * row[FEATURES.index(name)])
            gains[dated, 0] += most
            gains[dated, 1] += 0 if name in OF_TITLES else most
    return gains


@compiled
def _most(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    weights: NDArray[np.float64],
    gains: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Bound the log-odds of pairs by the features that `measure` fills in."""
    most = _total(features, first, second, day, weights)
    for i in range(len(first)):
        undated = np.isnan(day[first[i]] - day[second[i]])
        most[i] += gains[1 if undated else 0, 1 if features[i, NO_TITLE] else 0]
    return most


@compiled
def _score(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    weights: NDArray[np.float64],
    window: float,
    floor: float,
) -> NDArray[np.float64]:
    """Turn features into scores."""
    total = _total(features, first, second, day, weights)
    return _bounded(first, second, total, day, window, floor)


@compiled
def _bounded(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    total: NDArray[np.float64],
    day: NDArray[np.float64],
    window: float,
    floor: float,
) -> NDArray[np.float64]:
    """Turn log-odds into scores, the lowest for pairs that lie outside the window."""
    score = np.empty(len(total))
    for i in range(len(total)):
        outside = abs(day[first[i]] - day[second[i]]) > window
        score[i] = -LIMIT if outside else min(max(total[i], floor), LIMIT)
    return score
