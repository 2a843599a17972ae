"""Fitting: the constants of the evidence from answers, with those of the release as a prior.

Logistic regression with a Gaussian prior around the present constants (maximum a posteriori), so
that few answers change little. A constant keeps its sign, and one of 0 stays 0, because the
direction of a piece of evidence is known and only its strength is not.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from sahel_dedup.scoring.features import FEATURES

# Strength of the prior: a constant that moves the log-odds of a typical doubtful pair by 1 costs
# half of this. Other values were tried (benchmarks/teach.py). The base costs less.
STRENGTH, BASE_STRENGTH = 10.0, 0.5
_BASE = FEATURES.index("base")


class Judged(NamedTuple):
    """Judged pairs of articles and their features.

    Attributes
    ----------
    features : ndarray of float64, shape (n, len(FEATURES))
    dated : ndarray of bool, shape (n,)
        Whether they are weighed by the constants of dated pairs.
    same : ndarray of bool, shape (n,)
        Whether they report one event.
    """

    features: NDArray[np.float64]
    dated: NDArray[np.bool_]
    same: NDArray[np.bool_]

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Judged:
        """Return some of the pairs."""
        return Judged(self.features[chosen], self.dated[chosen], self.same[chosen])


def log_odds(
    features: NDArray[np.float64], dated: NDArray[np.bool_], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Score pairs with constants of shape (2, len(FEATURES)), without bounds."""
    return np.asarray(np.where(dated, features @ weights[0], features @ weights[1]))


def probabilities(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convert log-odds to probabilities."""
    return np.asarray(1 / (1 + np.exp(-np.clip(odds, -50, 50))), dtype=np.float64)


def spreads(
    features: NDArray[np.float64], dated: NDArray[np.bool_], doubt: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Measure how much each piece of evidence varies among doubtful pairs of an archive.

    Parameters
    ----------
    features : ndarray of float64, shape (n, len(FEATURES))
        Pairs of the archive, judged or not.
    dated : ndarray of bool, shape (n,)
    doubt : ndarray of float64, shape (n,)
        Weight of each pair, above 0.

    Returns
    -------
    ndarray of float64, shape (2, len(FEATURES))
        Standard deviations for dated and for undated pairs; 1 for the base, and 0 for pieces that
        no pair has.
    """
    found = np.zeros((2, features.shape[1]))
    for row, chosen in enumerate((dated, ~dated)):
        if chosen.any():
            mean = np.average(features[chosen], axis=0, weights=doubt[chosen])
            square = (features[chosen] - mean) ** 2
            found[row] = np.sqrt(np.average(square, axis=0, weights=doubt[chosen]))
    found[:, _BASE] = 1
    return found


def fit_weights(
    judged: Judged, prior: NDArray[np.float64], spread: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Fit constants to answers.

    Parameters
    ----------
    judged : Judged
    prior : ndarray of float64, shape (2, len(FEATURES))
        The constants without any answers.
    spread : ndarray of float64, shape (2, len(FEATURES))
        See `spreads`.

    Returns
    -------
    ndarray of float64, shape (2, len(FEATURES))
        The constants. A row without answers keeps those of the prior.
    """
    fitted = prior.copy()
    for row, chosen in enumerate((judged.dated, ~judged.dated)):
        if chosen.any():
            part = judged.where(chosen)
            fitted[row] = _fit_row(part.features, part.same, prior[row], spread[row])
    return fitted


def _fit_row(
    features: NDArray[np.float64],
    same: NDArray[np.bool_],
    prior: NDArray[np.float64],
    spread: NDArray[np.float64],
) -> NDArray[np.float64]:
    is_base = np.arange(len(prior)) == _BASE
    free = np.flatnonzero(((prior != 0) | is_base) & (spread > 1e-9))
    start = prior[free]
    strength = np.where(free == _BASE, BASE_STRENGTH, STRENGTH) * spread[free] ** 2
    columns = features[:, free]
    fixed = features @ prior - columns @ start

    def loss(found: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = fixed + columns @ found
        away = found - start
        total = (np.logaddexp(0, odds) - same * odds).sum() + 0.5 * (strength * away**2).sum()
        return total, columns.T @ (probabilities(odds) - same) + strength * away

    bounds = [
        (None, None) if place == _BASE else (0, None) if prior[place] > 0 else (None, 0)
        for place in free
    ]
    fitted = prior.copy()
    fitted[free] = minimize(loss, start, jac=True, bounds=bounds, method="L-BFGS-B").x
    return fitted
