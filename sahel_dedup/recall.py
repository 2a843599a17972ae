"""How much LSH finds: a check of a sample of articles against everything.

The promise is `Settings.expected_recall`; this is what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sahel_dedup.evidence import Evidence, Pairs
from sahel_dedup.lsh import agree, band_keys
from sahel_dedup.mixing import mix64
from sahel_dedup.profiles import Profiles
from sahel_dedup.settings import Settings

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
    profiles: Profiles, evidence: Evidence, settings: Settings, budget: int
) -> RecallCheck:
    """Compare a sample of articles with everything.

    Parameters
    ----------
    profiles : Profiles
    evidence : Evidence
        Weighs pairs of them.
    settings : Settings
    budget : int
        Pairs to compare; the sample has at least one article, and as many as that allows.

    Returns
    -------
    RecallCheck
    """
    n, day = len(profiles), profiles.day
    # Spread over the archive, and the same in every run.
    order = np.argsort(mix64(np.arange(1, n + 1, dtype=np.uint64)))
    articles = compared = 0
    kept: list[Pairs] = []
    for article in order.tolist():
        others = np.flatnonzero(~(np.abs(day - day[article]) > settings.window_days))
        others = others[others != article]
        if articles and compared + len(others) > budget:
            break
        articles, compared = articles + 1, compared + len(others)
        for start in range(0, len(others), _BLOCK):
            second = others[start : start + _BLOCK]
            weighed = evidence.weigh_strangers(np.full(len(second), article), second)
            kept.append(weighed.where(weighed.score >= settings.bar))
    confirmed = Pairs.concatenate(kept)
    first, second = confirmed.first, confirmed.second
    shared = np.zeros(len(confirmed), dtype=bool)
    for band in range(settings.layout.bands):
        key = band_keys(profiles.salience, settings.layout, band)
        shared |= key[first] == key[second]
    shared &= agree(profiles.salience, day, first, second)
    return RecallCheck(articles, compared, len(confirmed), int(shared.sum()))
