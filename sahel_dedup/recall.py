"""How much LSH finds: a check of a sample of articles against everything.

The promise is `Settings.expected_recall`; this is what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.evidence import Evidence, Pairs
from sahel_dedup.lsh import Layout, agreeing_slots, band_keys
from sahel_dedup.terms import mix64

# The most pairs weighed at a time.
_BLOCK = 1_000_000


@dataclass(frozen=True, slots=True)
class RecallCheck:
    """What a sample check of LSH found.

    Attributes
    ----------
    articles : int
        Articles of the sample.
    compared : int
        Pairs of a sampled article with any other within the window.
    confirmed : int
        Those of them that the evidence says are one event.
    proposed : int
        Those of the confirmed that share a band, so that LSH proposes them. In a crowd of
        more articles than a bucket lets meet, some that do are left to linkage.
    """

    articles: int
    compared: int
    confirmed: int
    proposed: int

    @property
    def recall(self) -> float:
        """Share of the confirmed pairs that LSH proposes; 1 where there are none."""
        return self.proposed / self.confirmed if self.confirmed else 1.0


def check_recall(
    salience: NDArray[np.uint32],
    day: NDArray[np.float64],
    window: float,
    layout: Layout,
    min_agreement: int,
    evidence: Evidence,
    bar: float,
    budget: int,
) -> RecallCheck:
    """Compare a sample of articles with everything.

    Parameters
    ----------
    salience, day, window, layout, min_agreement
        See `sahel_dedup.lsh.candidate_pairs`.
    evidence : Evidence
    bar : float
        Score that confirms a pair.
    budget : int
        Pairs to compare; the sample has at least one article, and as many as that allows.

    Returns
    -------
    RecallCheck
    """
    n = len(day)
    # Spread over the archive, and the same in every run.
    order = np.argsort(mix64(np.arange(1, n + 1, dtype=np.uint64)))
    articles = compared = 0
    kept: list[Pairs] = []
    for article in order.tolist():
        others = np.flatnonzero(~(np.abs(day - day[article]) > window))
        others = others[others != article]
        if articles and compared + len(others) > budget:
            break
        articles, compared = articles + 1, compared + len(others)
        for start in range(0, len(others), _BLOCK):
            second = others[start : start + _BLOCK]
            weighed = evidence.weigh(np.full(len(second), article), second)
            kept.append(weighed.where(weighed.score >= bar))
    confirmed = Pairs.concatenate(kept)
    first, second = confirmed.first, confirmed.second
    shared = np.zeros(len(confirmed), dtype=bool)
    for band in range(layout.bands):
        key = band_keys(salience, layout, band)
        shared |= key[first] == key[second]
    shared &= agreeing_slots(salience, first, second) >= min_agreement
    return RecallCheck(articles, compared, len(confirmed), int(shared.sum()))
