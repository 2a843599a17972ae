"""Expectation: how far precision and recall will change, measured on left-out answers.

The constants are repeatedly fitted to nine tenths of the answers and tried on the other tenth.
Intervals are those of the Bayesian bootstrap, as in `sahel_dedup.evaluation.pair_scores`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.evaluation.pair_scores import CONFIDENCE, Interval
from sahel_dedup.evaluation.teaching.fitting import Judged, fit_weights, log_odds

_FOLDS, _ROUNDS, _DRAWS = 10, 5, 2000
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


def expect(before: Floats, after: Floats, same: NDArray[np.bool_], weight: Floats,
           threshold: float) -> Expectation:  # fmt: skip
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

    Returns
    -------
    Expectation
    """
    draws = np.random.default_rng(_SEED).exponential(size=(_DRAWS, len(same)))
    # The estimate itself comes first.
    masses = np.vstack([np.ones(len(same)), draws]) * weight
    found = {}
    for name, odds in (("before", before), ("after", after)):
        reached = odds >= threshold
        both = masses @ (reached & same)
        found[f"precision_{name}"] = _share(both, masses @ reached)
        found[f"recall_{name}"] = _share(both, masses @ same)
    for name in ("precision", "recall"):
        found[f"{name}_change"] = found[f"{name}_after"] - found[f"{name}_before"]
    return Expectation(**{name: _interval(values) for name, values in found.items()})


def _share(part: Floats, whole: Floats) -> Floats:
    share = np.full(len(whole), np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share


def _interval(values: Floats) -> Interval:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(values[1:], (tail, 1 - tail)).tolist()
    return Interval(float(values[0]), low, high)
