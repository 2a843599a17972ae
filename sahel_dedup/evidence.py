"""Evidence: from what two articles share to the log-odds that they report one event.

TF-IDF proposes, evidence confirms. The score is a logistic regression over a few pieces,
each of which can be shown to a person; the TF-IDF cosine and its ratio to the temporal
contrast carry most of it. The constants are fitted by ``benchmarks/fit_evidence.py``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.compiled import compiled
from sahel_dedup.fingerprint import SLOTS
from sahel_dedup.lsh import agreement
from sahel_dedup.settings import Settings
from sahel_dedup.similarity import Shared
from sahel_dedup.sketching import Traits
from sahel_dedup.tallies import SLOTS as TALLIES
from sahel_dedup.tallies import conflict
from sahel_dedup.threads import slices

FEATURES = (
    "base",
    "wording",
    "contrast",
    "same_outlet",
    "other_outlet",
    "hours",
    "figures_shared",
    "figures_lacking",
    "figures_conflicting",
    "title",
    "title_figures",
    "no_title",
    "verbatim",
    "recurring",
)
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
# A bar above this is that of a form, seldom of a report.
_RECURRING_BAR = 0.4
# No pair is less alike than this: its logarithm is taken.
_NO_LIKENESS = 0.01
# About three of 128 slots: what two texts of one language share by chance.
_FEW_SHINGLES = 0.02
# Between what the pieces lie that cost a look at both articles.
_RANGES = {
    "figures_shared": (0.0, 1.0),
    "figures_lacking": (0.0, 1.0),
    "figures_conflicting": (0.0, math.log1p(TALLIES)),
    "title": (0.0, 1.0),
    "title_figures": (-1.0, 1.0),
    "verbatim": (math.log(_FEW_SHINGLES), math.log(1 + _FEW_SHINGLES)),
}
_OF_TITLES = ("title", "title_figures")
_BOUND_AT_ONCE = 1 << 16
# Columns of the features.
_BASE, _WORDING, _CONTRAST, _SAME_OUTLET, _OTHER_OUTLET = range(5)
_HOURS, _FIGURES_SHARED, _FIGURES_LACKING, _FIGURES_CONFLICTING = range(5, 9)
_TITLE, _TITLE_FIGURES, _NO_TITLE, _VERBATIM, _RECURRING = range(9, 14)


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
            cosine[rows] = np.exp(features[:, _WORDING])
            score[rows] = _score(
                features, first[rows], second[rows], self._traits.day, self._weights, self._window
            )
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
        cosine = np.maximum(self._similarity.cosines(first, second), _NO_LIKENESS)
        hopeful = np.flatnonzero(self.most(first, second, cosine) > FLOOR)
        weighed = self.weigh(first[hopeful], second[hopeful], cosine[hopeful])
        score = np.full(len(first), FLOOR)
        score[hopeful] = weighed.score
        score = _bounded(first, second, score, self._traits.day, self._window)
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
        for rows in slices(len(first), _BOUND_AT_ONCE):
            a, b = first[rows], second[rows]
            features = self._known(a, b, cosine[rows])
            bound[rows] = _total(features, a, b, self._traits.day, self._weights)
            dated, untitled = self.dated(a, b), features[:, _NO_TITLE] > 0
            # What has yet to be measured lies between two values each.
            for name, (low, high) in _RANGES.items():
                weights = self._weights[:, FEATURES.index(name)]
                gain = np.where(dated, *np.maximum(low * weights, high * weights))
                bound[rows] += np.where(untitled, 0, gain) if name in _OF_TITLES else gain
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
            features = self._known(a, b, shared.cosine)
            features[:, _TITLE], features[:, _TITLE_FIGURES] = (
                shared.title_cosine,
                shared.title_figures,
            )
            _measure_figures(features, a, b, shared.figures, self._similarity.figures)
            _measure_sketches(features, a, b, traits.day, traits.tallies, traits.shingles)
            blocks.append((rows, features))
        return blocks

    def _known(
        self, first: NDArray[np.int64], second: NDArray[np.int64], cosine: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Measure the pieces of evidence that take no further look at the articles."""
        t = self._traits
        return _measure(first, second, cosine, self.bar, t.day, t.source, t.headline)

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
def _measure(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    bar: NDArray[np.float64],
    day: NDArray[np.float64],
    source: NDArray[np.int32],
    headline: NDArray[np.uint64],
) -> NDArray[np.float64]:
    """Fill in the features that cosine, time and outlet tell; leave the others 0."""
    features = np.zeros((len(first), len(FEATURES)))
    for i in range(len(first)):
        a, b, told = first[i], second[i], features[i]
        alike = max(cosine[i], _NO_LIKENESS)
        told[_BASE] = 1
        told[_WORDING] = math.log(alike)
        told[_CONTRAST] = math.log(alike / max(bar[a], bar[b]))
        if source[a] >= 0 and source[b] >= 0:
            told[_SAME_OUTLET if source[a] == source[b] else _OTHER_OUTLET] = 1
        days = abs(day[a] - day[b])
        if not np.isnan(days):
            told[_HOURS] = math.log1p(24 * days) - 2
        told[_NO_TITLE] = headline[a] == 0 or headline[b] == 0
        # How far both bars lie above what news reaches: two issues of a daily bulletin.
        lower = min(bar[a], bar[b])
        if lower > _RECURRING_BAR:
            told[_RECURRING] = math.log(lower / _RECURRING_BAR)
    return features


@compiled
def _measure_figures(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    shared: NDArray[np.int64],
    figures: NDArray[np.int64],
) -> None:
    """Fill in what share of the figures of the article with fewer are in both."""
    for i in range(len(first)):
        fewer = min(figures[first[i]], figures[second[i]])
        features[i, _FIGURES_SHARED] = shared[i] / (fewer + 1)
        features[i, _FIGURES_LACKING] = (fewer - shared[i]) / (fewer + 1)


@compiled
def _measure_sketches(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    tallies: NDArray[np.uint16],
    shingles: NDArray[Any],
) -> None:
    """Fill in how many figures conflict, with dates, and how much is verbatim, without.

    Without dates conflicts are no evidence. Of two undated pairs with the same cosine the one
    with more verbatim in common is a form filled in twice, or two digests that share an item.
    """
    for i in range(len(first)):
        a, b = first[i], second[i]
        if np.isnan(day[a] - day[b]):
            same = agreement(shingles, a, b)
            features[i, _VERBATIM] = math.log(same / SLOTS + _FEW_SHINGLES)
        else:
            features[i, _FIGURES_CONFLICTING] = math.log1p(conflict(tallies, a, b))


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


@compiled
def _score(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    day: NDArray[np.float64],
    weights: NDArray[np.float64],
    window: float,
) -> NDArray[np.float64]:
    """Turn features into scores."""
    return _bounded(first, second, _total(features, first, second, day, weights), day, window)


@compiled
def _bounded(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    total: NDArray[np.float64],
    day: NDArray[np.float64],
    window: float,
) -> NDArray[np.float64]:
    """Turn log-odds into scores, the lowest for pairs that lie outside the window."""
    score = np.empty(len(total))
    for i in range(len(total)):
        outside = abs(day[first[i]] - day[second[i]]) > window
        score[i] = -LIMIT if outside else min(max(total[i], FLOOR), LIMIT)
    return score
