"""Recall check: how many pairs LSH finds, measured by comparing a sample with everything.

The expectation is `Settings.expected_recall`; this module measures it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sahel_dedup.candidates.lsh import agree, band_keys
from sahel_dedup.scoring.evidence import Evidence, Pairs
from sahel_dedup.settings import Settings, check_count
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.util.hashing import splitmix64

# The most pairs that are scored at a time.
_BLOCK = 1_000_000


@dataclass(frozen=True, slots=True)
class RecallCheck:
    """The result of a sample check of LSH.

    Attributes
    ----------
    articles : int
        Number of articles in the sample.
    compared : int
        Number of pairs of a sampled article with any other within the window.
    confirmed : int
        Number of these pairs that report one event according to the evidence.
    proposed : int
        Number of confirmed pairs that share a band, so that LSH proposes them. In a crowded bucket,
        LSH leaves some of these to the linkage.
    """

    articles: int
    compared: int
    confirmed: int
    proposed: int

    @property
    def recall(self) -> float:
        """Share of the confirmed pairs that LSH proposes; 1 if there are none."""
        return self.proposed / self.confirmed if self.confirmed else 1.0


def check_recall(
    profiles: Profiles, evidence: Evidence, settings: Settings, budget: int
) -> RecallCheck:
    """Compare a sample of articles with everything.

    Parameters
    ----------
    profiles : Profiles
    evidence : Evidence
        Scores pairs of articles.
    settings : Settings
    budget : int
        Number of pairs to compare. The sample has as many articles as that allows, and at least
        one.

    Returns
    -------
    RecallCheck
    """
    budget = check_count("pairs", budget)
    n, day = len(profiles), profiles.day
    # The sample is spread over the archive and the same in every run.
    order = np.argsort(splitmix64(np.arange(1, n + 1, dtype=np.uint64)))
    articles = compared = 0
    # Take every pair once: an article is not compared with earlier ones of the sample.
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
