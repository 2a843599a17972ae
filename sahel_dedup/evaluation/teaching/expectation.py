"""Expectation: how far precision and recall will change, measured on left-out answers.

The constants are repeatedly fitted to nine tenths of the answers and tried on the other tenth.
Intervals are those of the Bayesian bootstrap, as in `sahel_dedup.evaluation.pair_scores`, with a
prior: in each draw, `_IMAGINED` further answers are imagined, as the learnt constants expect them.
Without them, what sixty answers happen not to show would count as impossible, above all a rare pair
of one event with a low score, and intervals of recall would be too narrow
(benchmarks/teach.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.evaluation.pair_scores import CONFIDENCE, Interval
from sahel_dedup.evaluation.teaching.fitting import Judged, fit_weights, log_odds, probabilities

_FOLDS, _ROUNDS, _DRAWS = 10, 5, 2000
# With 0, 5 and 10, fewer of the simulated intervals hold the truth.
_IMAGINED = 20
_SEED = 0
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """Expected precision and recall of pairs whose probability reaches the merge threshold.

    Attributes
    ----------
    precision_before, precision_after : Interval
        Share of the pairs reaching it that report one event, with the constants of the release and
        with those that were learnt.
    recall_before, recall_after : Interval
        Share of the pairs reporting one event that reach it.
    precision_change, recall_change : Interval
        After minus before, on the same answers.
    """

    precision_before: Interval
    precision_after: Interval
    precision_change: Interval
    recall_before: Interval
    recall_after: Interval
    recall_change: Interval

    def to_dict(self) -> dict[str, dict[str, float | None]]:
        """Return plain dictionaries of numbers that JSON can hold; unknown values are ``None``."""
        return {
            item.name: {
                part: None if math.isnan(value) else round(value, 4)
                for part, value in getattr(self, item.name)._asdict().items()
            }
            for item in fields(self)
        }


class Unasked(NamedTuple):
    """Pairs of the archive without an answer.

    Attributes
    ----------
    before, after : ndarray of float64, shape (m,)
        Log-odds by the constants of the release and by the learnt ones.
    weight : ndarray of float64, shape (m,)
        How many pairs of the archive each represents.
    """

    before: Floats
    after: Floats
    weight: Floats


def left_out_odds(judged: Judged, prior: Floats, spread: Floats) -> Floats:
    """Score each answer with constants fitted without it, averaged over some rounds."""
    generator = np.random.default_rng(_SEED)
    total = np.zeros(len(judged.same))
    for _ in range(_ROUNDS):
        fold = generator.permutation(len(total)) % _FOLDS
        for number in range(_FOLDS):
            out = fold == number
            weights = fit_weights(judged.where(~out), prior, spread)
            total[out] += log_odds(judged.features[out], judged.dated[out], weights)
    return total / _ROUNDS


def expect(
    before: Floats,
    after: Floats,
    same: NDArray[np.bool_],
    weight: Floats,
    threshold: float,
    unasked: Unasked | None = None,
) -> Expectation:
    """Estimate precision and recall before and after.

    Parameters
    ----------
    before, after : ndarray of float64, shape (n,)
        Log-odds of the answers.
    same : ndarray of bool, shape (n,)
    weight : ndarray of float64, shape (n,)
        How many pairs of the archive each represents.
    threshold : float
        Log-odds that a pair must reach.
    unasked : Unasked, optional
        The pairs among which further answers are imagined; none if not given.

    Returns
    -------
    Expectation
    """
    generator = np.random.default_rng(_SEED)
    draws = generator.exponential(size=(_DRAWS, len(same)))
    # The estimate itself comes first.
    masses = np.vstack([np.ones(len(same)), draws]) * weight
    imagined = None
    if unasked is not None and len(unasked.weight):
        imagined = _Imagination(unasked, float(weight.mean()), generator)
    found = {}
    for name, odds in (("before", before), ("after", after)):
        reached = odds >= threshold
        sums = [masses @ (reached & same), masses @ reached, masses @ same]
        if imagined is not None:
            more = imagined.sums(getattr(unasked, name) >= threshold)
            sums = [one + other for one, other in zip(sums, more, strict=True)]
        found[f"precision_{name}"] = _share(sums[0], sums[1])
        found[f"recall_{name}"] = _share(sums[0], sums[2])
    for name in ("precision", "recall"):
        found[f"{name}_change"] = found[f"{name}_after"] - found[f"{name}_before"]
    return Expectation(**{name: _interval(values) for name, values in found.items()})


class _Imagination:
    """Imagined answers, different ones in each draw.

    Parameters
    ----------
    unasked : Unasked
    weight : float
        Mean weight of an answer.
    generator : Generator
    """

    def __init__(self, unasked: Unasked, weight: float, generator: np.random.Generator) -> None:
        self._chance = probabilities(unasked.after)
        part = unasked.weight / unasked.weight.sum()
        # They are drawn like pairs to ask about: in proportion to their doubt.
        share = part * (self._chance * (1 - self._chance) + 1e-9)
        share /= share.sum()
        self._place = generator.choice(len(share), size=(_DRAWS, _IMAGINED), p=share)
        self._same = generator.random(self._place.shape) < self._chance[self._place]
        self._mass = generator.exponential(size=self._place.shape)
        self._mass *= weight * (part / share)[self._place]
        self._expected = weight * _IMAGINED * part

    def sums(self, reached: NDArray[np.bool_]) -> tuple[Floats, Floats, Floats]:
        """Sum the answers of one event that reach the threshold, those that do, and those of one.

        Returns
        -------
        tuple of (ndarray of float64, shape (1 + n_draws,))
            What is expected comes first.
        """
        drawn, known = reached[self._place], self._expected
        return (
            np.append(known @ (self._chance * reached), (self._mass * self._same * drawn).sum(1)),
            np.append(known @ reached, (self._mass * drawn).sum(1)),
            np.append(known @ self._chance, (self._mass * self._same).sum(1)),
        )


def _share(part: Floats, whole: Floats) -> Floats:
    share = np.full(len(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share


def _interval(values: Floats) -> Interval:
    tail = (1 - CONFIDENCE) / 2
    known = values[1:][~np.isnan(values[1:])]
    low, high = np.quantile(known, (tail, 1 - tail)).tolist() if len(known) else (math.nan,) * 2
    return Interval(float(values[0]), low, high)
