"""Precision estimated from times of publication alone, without labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Two articles more than FAR_DAYS apart are never one event. In a short archive, half its length
# takes that place, at which one event is rare. Chance pairs are scaled to NEAR_DAYS, or to a
# quarter of a short archive.
NEAR_DAYS = 7.0
FAR_DAYS = 14.0


def estimate_precision(story_days: Sequence[NDArray[np.float64]]) -> float | None:
    """Estimate pairwise precision from times of publication alone.

    Pairs inside stories that are more than two weeks apart cannot be right. If wrong pairs are
    spread over time like pairs of any two articles, their number within a week follows from that.
    In an archive of less than four weeks, half and a quarter of its length replace two weeks and
    one week.

    Parameters
    ----------
    story_days : sequence of ndarray of float64
        Times of the articles of each story, in days; NaN where missing.

    Returns
    -------
    float or None
        From 0 to 1; ``None`` if no two articles of a story have dates, or all were published at one
        moment.
    """
    everything = np.sort(np.concatenate([np.zeros(0), *story_days]))
    everything = everything[~np.isnan(everything)]
    span = float(np.ptp(everything)) if len(everything) else 0.0
    near_days, far_days = min(NEAR_DAYS, span / 4), min(FAR_DAYS, span / 2)
    near = sum(_pairs_within(days, near_days) for days in story_days if len(days) > 1)
    far = sum(
        _pairs_within(days, np.inf) - _pairs_within(days, far_days)
        for days in story_days
        if len(days) > 1
    )
    total = len(everything) * (len(everything) - 1) / 2
    within = (np.searchsorted(everything, everything + near_days, side="right")).sum()
    near_by_chance = within - len(everything) * (len(everything) + 1) / 2
    beyond = np.searchsorted(everything, everything + far_days, side="right").sum()
    far_by_chance = total - (beyond - len(everything) * (len(everything) + 1) / 2)
    if not near or not far_by_chance:
        return None
    return float(max(0.0, 1 - far * near_by_chance / far_by_chance / near))


def _pairs_within(days: NDArray[np.float64], most: float) -> int:
    """Count the pairs of dated articles at most a number of days apart, without forming them."""
    dated = np.sort(days[~np.isnan(days)])
    reached = np.searchsorted(dated, dated + most, side="right")
    return int((reached - np.arange(len(dated)) - 1).sum())
