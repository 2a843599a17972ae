"""Features: what each piece of evidence measures of a pair of articles.

What is unknown (date, outlet, title) is 0 and is told by a column of its own.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.compiled import compiled
from sahel_dedup.fingerprint import SLOTS
from sahel_dedup.lsh import agreement
from sahel_dedup.profiles import Traits
from sahel_dedup.similarity import Shared
from sahel_dedup.tallies import SLOTS as TALLIES
from sahel_dedup.tallies import conflict

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
# Columns of the features.
_BASE, WORDING, _CONTRAST, _SAME_OUTLET, _OTHER_OUTLET = range(5)
_HOURS, _FIGURES_SHARED, _FIGURES_LACKING, _FIGURES_CONFLICTING = range(5, 9)
_TITLE, _TITLE_FIGURES, NO_TITLE, _VERBATIM, _RECURRING = range(9, 14)
# A bar above this is that of a form, seldom of a report.
_RECURRING_BAR = 0.4
# No pair is less alike than this: its logarithm is taken.
NO_LIKENESS = 0.01
# About three of 128 slots: what two texts of one language share by chance.
_FEW_SHINGLES = 0.02
# Between what the pieces lie that cost a look at both articles.
RANGES = {
    "figures_shared": (0.0, 1.0),
    "figures_lacking": (0.0, 1.0),
    "figures_conflicting": (0.0, math.log1p(TALLIES)),
    "title": (0.0, 1.0),
    "title_figures": (-1.0, 1.0),
    "verbatim": (math.log(_FEW_SHINGLES), math.log(1 + _FEW_SHINGLES)),
}
OF_TITLES = ("title", "title_figures")


def measure(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    bar: NDArray[np.float64],
    traits: Traits,
) -> NDArray[np.float64]:
    """Measure what takes no further look at the articles: wording, contrast, time, outlets.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    cosine : ndarray of float64, shape (n,)
        TF-IDF cosine.
    bar : ndarray of float64, shape (n_articles,)
        Temporal contrast of each article.
    traits : Traits

    Returns
    -------
    ndarray of float64, shape (n, len(FEATURES))
        The other columns are 0.
    """
    return _measure(first, second, cosine, bar, traits.day, traits.source, traits.headline)


def measure_rest(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    shared: Shared,
    figures: NDArray[np.int64],
    traits: Traits,
) -> None:
    """Fill in the columns that `measure` left 0.

    Parameters
    ----------
    features : ndarray of float64, shape (n, len(FEATURES))
        As `measure` returned them.
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    shared : Shared
        What they have in common.
    figures : ndarray of int64, shape (n_articles,)
        Distinct figures in each article.
    traits : Traits
    """
    _measure_rest(
        features, first, second, shared.title_cosine, shared.title_figures, shared.figures,
        figures, traits.day, traits.tallies, traits.shingles,
    )  # fmt: skip


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
        alike = max(cosine[i], NO_LIKENESS)
        told[_BASE] = 1
        told[WORDING] = math.log(alike)
        told[_CONTRAST] = math.log(alike / max(bar[a], bar[b]))
        if source[a] >= 0 and source[b] >= 0:
            told[_SAME_OUTLET if source[a] == source[b] else _OTHER_OUTLET] = 1
        days = abs(day[a] - day[b])
        if not np.isnan(days):
            told[_HOURS] = math.log1p(24 * days) - 2
        told[NO_TITLE] = headline[a] == 0 or headline[b] == 0
        # How far both bars lie above what news reaches: two issues of a daily bulletin.
        lower = min(bar[a], bar[b])
        if lower > _RECURRING_BAR:
            told[_RECURRING] = math.log(lower / _RECURRING_BAR)
    return features


@compiled
def _measure_rest(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    title_cosine: NDArray[np.float64],
    title_figures: NDArray[np.int64],
    shared: NDArray[np.int64],
    figures: NDArray[np.int64],
    day: NDArray[np.float64],
    tallies: NDArray[np.uint16],
    shingles: NDArray[Any],
) -> None:
    """Fill in what titles, figures and sketches tell.

    Without dates conflicts are no evidence. Of two undated pairs with the same cosine the one
    with more verbatim in common is a form filled in twice, or two digests that share an item.
    """
    for i in range(len(first)):
        a, b, told = first[i], second[i], features[i]
        told[_TITLE], told[_TITLE_FIGURES] = title_cosine[i], title_figures[i]
        fewer = min(figures[a], figures[b])
        told[_FIGURES_SHARED] = shared[i] / (fewer + 1)
        told[_FIGURES_LACKING] = (fewer - shared[i]) / (fewer + 1)
        if np.isnan(day[a] - day[b]):
            same = agreement(shingles, a, b)
            told[_VERBATIM] = math.log(same / SLOTS + _FEW_SHINGLES)
        else:
            told[_FIGURES_CONFLICTING] = math.log1p(conflict(tallies, a, b))
