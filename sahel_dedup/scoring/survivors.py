"""Survivors: the compared pairs that may report one event, found before recurrence is measured.

Measuring recurrence is expensive, and few candidate pairs need it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.scoring.background import GAP_DAYS
from sahel_dedup.scoring.copies import fillings
from sahel_dedup.scoring.evidence import Evidence
from sahel_dedup.scoring.log_odds import FLOOR, least_cosine
from sahel_dedup.scoring.recurrence import LOWEST_RECURRENCE
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.profiles import Profiles


class Survivors(NamedTuple):
    """Pairs that may report one event.

    Attributes
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    cosine : ndarray of float64, shape (n,)
        Their TF-IDF cosines.
    form : ndarray of bool, shape (n,)
        Whether both are fillings of one form. Such pairs are kept whatever their score, because
        they raise the recurrence of their articles.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    cosine: NDArray[np.float64]
    form: NDArray[np.bool_]

    def where(self, kept: NDArray[np.bool_]) -> Survivors:
        """Return some of the pairs."""
        return Survivors(self.first[kept], self.second[kept], self.cosine[kept], self.form[kept])


def surviving_pairs(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    profiles: Profiles,
    similarity: Similarity,
    settings: Settings,
    least: float,
) -> Survivors:
    """Keep the pairs whose score can reach a threshold, and the fillings of one form.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    cosine : ndarray of float64, shape (n,)
        Their TF-IDF cosines.
    profiles : Profiles
    similarity : Similarity
    settings : Settings
    least : float
        Log-odds that a pair must be able to reach; `FLOOR` keeps every pair with a sufficient
        cosine.

    Returns
    -------
    Survivors
    """
    dated = ~np.isnan(profiles.day[first] - profiles.day[second])
    close = cosine >= least_cosine(dated)
    first, second, cosine = first[close], second[close], cosine[close]
    form = fillings(first, second, cosine, GAP_DAYS, profiles, similarity) > 0
    pairs = Survivors(first, second, cosine, form)
    if least > FLOOR:
        # A higher recurrence can only lower a score.
        lowest = np.full(len(profiles), LOWEST_RECURRENCE)
        optimistic = Evidence(profiles, similarity, lowest, settings)
        pairs = pairs.where(pairs.form | (optimistic.most(*pairs[:3]) >= least))
        pairs = pairs.where(pairs.form | (optimistic.score_pairs(*pairs[:3]).score >= least))
    return pairs
