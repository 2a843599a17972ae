"""Evidence: from what two articles share to the log-odds that they report one event.

TF-IDF proposes, evidence confirms. The score is a logistic regression over a few pieces,
each of which can be shown to a person; the TF-IDF cosine and its ratio to the temporal
contrast carry most of it. The constants are fitted by ``benchmarks/fit_evidence.py``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.fingerprint import SLOTS
from sahel_dedup.lsh import agreeing_slots
from sahel_dedup.settings import Settings
from sahel_dedup.similarity import Shared
from sahel_dedup.sketching import Traits
from sahel_dedup.tallies import SLOTS as TALLIES
from sahel_dedup.tallies import conflicts

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
_LEAST_COSINE = (0.10, 0.15)
# A bar above this is that of a form, seldom of a report.
_RECURRING = 0.4
# No pair is less alike than this: its logarithm is taken.
_NO_LIKENESS = 0.01
# About three of 128 slots: what two texts of one language share by chance.
_FEW_SHINGLES = 0.02
# Between what the pieces lie that cost a look at both articles.
_RANGES = {
    "figures_shared": (0.0, 1.0),
    "figures_lacking": (0.0, 1.0),
    "figures_conflicting": (0.0, np.log1p(TALLIES)),
    "title": (0.0, 1.0),
    "title_figures": (-1.0, 1.0),
    "verbatim": (np.log(_FEW_SHINGLES), np.log(1 + _FEW_SHINGLES)),
}
_OF_TITLES = ("title", "title_figures")
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
            cosine[rows] = np.exp(features[:, 1])
            dated = self.dated(first[rows], second[rows])
            score[rows] = self._log_odds(features, dated).sum(axis=1).clip(FLOOR, LIMIT)
        score[self._outside(first, second)] = -LIMIT
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
        score[self._outside(first, second)] = -LIMIT
        return Pairs(first, second, cosine, score)

    def _outside(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the articles of each pair are too far apart in time to be one event."""
        day = self._traits.day
        return np.asarray(np.abs(day[first] - day[second]) > self._window)

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
        for start in range(0, len(first), _BOUND_AT_ONCE):
            rows = slice(start, start + _BOUND_AT_ONCE)
            a, b = first[rows], second[rows]
            known = self._known(a, b, np.maximum(cosine[rows], _NO_LIKENESS))
            features = np.zeros((len(a), len(FEATURES)))
            for name, values in known.items():
                features[:, FEATURES.index(name)] = values
            dated = self.dated(a, b)
            bound[rows] = self._log_odds(features, dated).sum(axis=1)
            # What has yet to be measured lies between two values each.
            untitled = known["no_title"] > 0
            for name, (low, high) in _RANGES.items():
                place = FEATURES.index(name)
                best = np.maximum(low * self._weights[:, place], high * self._weights[:, place])
                gain = np.where(dated, *best)
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
        for rows, shared in self._similarity.shared(first, second, known):
            a, b = first[rows], second[rows]
            fewer = np.minimum(self._similarity.figures[a], self._similarity.figures[b])
            dated = self.dated(a, b)
            pieces = self._known(a, b, np.maximum(shared.cosine, _NO_LIKENESS)) | {
                "figures_shared": shared.figures / (fewer + 1),
                "figures_lacking": (fewer - shared.figures) / (fewer + 1),
                "figures_conflicting": self._conflicting(a, b, dated),
                "title": shared.title_cosine,
                "title_figures": shared.title_figures,
                "verbatim": self._verbatim(a, b, dated),
            }
            block = np.column_stack([pieces[name] for name in FEATURES])
            blocks.append((rows, block.astype(np.float64)))
        return blocks

    def _known(
        self, first: NDArray[np.int64], second: NDArray[np.int64], cosine: NDArray[np.float64]
    ) -> dict[str, NDArray[Any]]:
        """Measure the pieces of evidence that take no further look at the articles."""
        traits = self._traits
        days = np.abs(traits.day[first] - traits.day[second])
        dated = ~np.isnan(days)
        outlets = (traits.source[first] >= 0) & (traits.source[second] >= 0)
        same = traits.source[first] == traits.source[second]
        return {
            "base": np.ones(len(first)),
            "wording": np.log(cosine),
            "contrast": np.log(cosine / np.maximum(self.bar[first], self.bar[second])),
            "same_outlet": outlets & same,
            "other_outlet": outlets & ~same,
            "hours": np.where(dated, np.log1p(24 * np.where(dated, days, 0)) - 2, 0),
            "no_title": (traits.headline[first] == 0) | (traits.headline[second] == 0),
            "recurring": self._recurring(first, second),
        }

    def _conflicting(
        self, first: NDArray[np.int64], second: NDArray[np.int64], dated: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """How many figures conflict, as a logarithm; without dates it is no evidence."""
        conflicting = np.zeros(len(first))
        rows = np.flatnonzero(dated)
        conflicting[rows] = np.log1p(conflicts(self._traits.tallies, first[rows], second[rows]))
        return conflicting

    def _verbatim(
        self, first: NDArray[np.int64], second: NDArray[np.int64], dated: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Logarithm of the share of common shingles, where dates are missing.

        Of two undated pairs with the same cosine the one with more verbatim in common is
        a form filled in twice, or two digests that share an item.
        """
        verbatim = np.zeros(len(first))
        rows = np.flatnonzero(~dated)
        same = agreeing_slots(self._traits.shingles, first[rows], second[rows])
        verbatim[rows] = np.log(same / SLOTS + _FEW_SHINGLES)
        return verbatim

    def _recurring(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """How far both bars lie above what news reaches: two issues of a daily bulletin."""
        lower = np.minimum(self.bar[first], self.bar[second])
        return np.asarray(np.maximum(np.log(lower / _RECURRING), 0.0))

    def pieces(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> list[dict[str, float]]:
        """Tell what each piece of evidence adds to the log-odds of pairs of articles."""
        told: list[dict[str, float]] = []
        for rows, features in self.features(first, second):
            parts = self._log_odds(features, self.dated(first[rows], second[rows]))
            told += [dict(zip(FEATURES, row, strict=True)) for row in parts.tolist()]
        return told

    def _log_odds(
        self, features: NDArray[np.float64], dated: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Turn features into what each adds to the log-odds, shape (n, len(FEATURES))."""
        return np.asarray(features * np.where(dated[:, None], *self._weights))

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
    return np.where(dated, *_LEAST_COSINE)
