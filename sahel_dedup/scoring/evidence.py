"""Evidence: the log-odds that two articles report one event, from what they share.

TF-IDF proposes, evidence confirms. The score is a logistic regression over a few pieces of
evidence, each of which can be shown to a person. It is fitted on pairs that people judged. Each is
weighted by the number of pairs in its archive that it represents, so that 1 / (1 + exp(-score)) is
the probability that a pair of an archive reports one event.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.scoring.copies import COPY_COSINE, Titles
from sahel_dedup.scoring.features import (
    FEATURES,
    NO_LIKENESS,
    WORDING,
    Sketched,
    counted_outlets,
    measure,
    measure_rest,
)
from sahel_dedup.scoring.log_odds import (
    FLOOR,
    LIMIT,
    bounded,
    bounded_odds,
    known_dates,
    least_wording,
    most_gains,
    row_of_constants,
    rule_out,
    total_odds,
    weights_of,
)
from sahel_dedup.scoring.tfidf import Shared
from sahel_dedup.scoring.updates import marked_updates
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.profiles import Traits
from sahel_dedup.util.parallel import slices

_BOUND_AT_ONCE = 1 << 16


@dataclass(slots=True)
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

    def beside(self, chosen: NDArray[np.int64]) -> Pairs:
        """Return all pairs of those first articles that the pairs at some positions have.

        First articles must ascend.
        """
        if not len(chosen):
            return self.where(chosen)
        first, start = self.first, self.first[0]
        if first[-1] == start:
            return self
        # Rows of articles that arrived together are near each other.
        wanted = np.zeros(first[-1] + 1 - start, dtype=np.bool_)
        wanted[first[chosen] - start] = True
        return self.where(wanted[first - start])

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
    def archive_size(self) -> int:
        """Count of the articles from which the IDF is computed."""

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


class KnownPairs(Comparison, Protocol):
    """Pairs with known cosines of at least `NO_LIKENESS`, and their further comparison."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    cosine: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> KnownPairs:
        """Return some of the pairs."""


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
        self._least = least_wording(settings)

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
            score[rows] = bounded_odds(
                features, first[rows], second[rows], self._traits.day, self._weights, self._least,
                self._window,
            )  # fmt: skip
        return Pairs(first, second, cosine, score)

    def score_compared(self, pairs: KnownPairs) -> Pairs:
        """Score pairs that were compared: like `score_pairs`.

        Those whose wording alone shows that they report two events are not compared further.
        """
        first, second, day = pairs.first, pairs.second, self._traits.day
        possible, wording, score = rule_out(
            first, second, pairs.cosine, day, self._least, self._window
        )
        if len(possible):
            likely = pairs.where(possible)
            evidence = Evidence(self._traits, likely, self.recurrence, self._settings)
            score[possible] = evidence.score_pairs(likely.first, likely.second).score
        return Pairs(first, second, np.exp(wording), score)

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
        score = bounded(first, second, score, self._traits.day, self._window)
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
        gains = most_gains(self._weights.tobytes())
        size = self._similarity.archive_size
        for rows in slices(len(first), _BOUND_AT_ONCE):
            a, b = first[rows], second[rows]
            features = measure(a, b, cosine[rows], self.recurrence, self._traits, size)
            day, headline = self._traits.day, self._traits.headline
            row = row_of_constants(features, day, a, b)
            untitled = (headline[a] == 0) | (headline[b] == 0)
            bound[rows] = total_odds(features, a, b, day, self._weights, self._least)
            bound[rows] += gains[row, untitled.astype(np.int64)]
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
        traits, size = self._traits, self._similarity.archive_size
        for rows, shared in self._similarity.shared(first, second, known):
            a, b = first[rows], second[rows]
            features = measure(a, b, shared.cosine, self.recurrence, traits, size)
            number_count = self._similarity.number_count
            sketched = Sketched.of(a, b, shared, number_count, traits, self._similarity)
            measure_rest(features, a, b, shared, sketched, number_count, traits)
            blocks.append((rows, features))
        return blocks

    def pieces(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> list[dict[str, float]]:
        """Return what each piece of evidence adds to the log-odds of pairs of articles."""
        pieces: list[dict[str, float]] = []
        for rows, features in self.features(first, second):
            row = self.row_of_constants(features, first[rows], second[rows])
            # Nothing times a negative constant is -0, which people would read.
            parts = features * self._weights[row] + 0.0
            pieces += [dict(zip(FEATURES, part, strict=True)) for part in parts.tolist()]
        return pieces

    @property
    def outlets(self) -> NDArray[np.int32]:
        """Number of the outlet of each article; -1 where unknown or of no importance."""
        return counted_outlets(self._traits.source, self._settings)

    def known_dates(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        """Count the articles of each pair that have a date: see `log_odds.known_dates`."""
        return known_dates(self._traits.day, first, second)

    def row_of_constants(
        self,
        features: NDArray[np.float64],
        first: NDArray[np.int64],
        second: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Return which constants weigh pairs: see `log_odds.row_of_constants`."""
        return row_of_constants(features, self._traits.day, first, second)
