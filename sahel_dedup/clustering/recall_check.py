"""How much LSH finds: a check of a sample of articles against everything.

The promise is `Settings.expected_recall`; this is what came of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sahel_dedup.candidates.lsh import agree, band_keys
from sahel_dedup.scoring.evidence import Evidence, Pairs
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.util.hashing import splitmix64

# The most pairs scored at a time.
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
        Scores pairs of them.
    settings : Settings
    budget : int
        Pairs to compare; the sample has at least one article, and as many as that allows.

    Returns
    -------
    RecallCheck
    """
    n, day = len(profiles), profiles.day
    # Spread over the archive, and the same in every run.
    order = np.argsort(splitmix64(np.arange(1, n + 1, dtype=np.uint64)))
    articles = compared = 0
    # Every pair once: an article is not compared with those of the sample before it.
    left = np.ones(n, dtype=bool)
    kept: list[Pairs] = []
    for article in order.tolist():
        left[article] = False
        others = np.flatnonzero(left & ~(np.abs(day - day[article]) > settings.window_days))
        if articles and compared + len(others) > budget:
            break
        articles, compared = articles + 1, compared + len(others)
        for start in range(0, len(others), _BLOCK):
            second = others[start : start + _BLOCK]
            scored = evidence.score_unlikely_pairs(np.full(len(second), article), second)
            kept.append(scored.where(scored.score >= settings.merge_threshold))
    confirmed = Pairs.concatenate(kept)
    first, second = confirmed.first, confirmed.second
    shared = np.zeros(len(confirmed), dtype=bool)
    for band in range(settings.layout.bands):
        key = band_keys(profiles.salience, settings.layout, band)
        shared |= key[first] == key[second]
    shared &= agree(profiles.salience, day, first, second)
    return RecallCheck(articles, compared, len(confirmed), int(shared.sum()))
