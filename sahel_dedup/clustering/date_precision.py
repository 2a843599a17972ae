"""Precision as times of publication alone show it, without labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Two articles more than FAR_DAYS apart are never one event, or seldom if they are half a short
# archive apart; NEAR_DAYS, or a quarter of it, is what chance pairs are scaled to.
NEAR_DAYS = 7.0
FAR_DAYS = 14.0


def estimate_precision(story_days: Sequence[NDArray[np.float64]]) -> float | None:
    """Estimate pairwise precision from times of publication alone.

    Pairs inside stories that lie more than two weeks apart cannot be right. If wrong
    pairs fall anywhere in time, those among pairs within a week are as many, scaled to
    the share that pairs of any two articles have there. In an archive of less than four
    weeks it is half of its time instead, and a quarter.

    Parameters
    ----------
    story_days : sequence of ndarray of float64
        For each story the times of its articles in days; NaN where missing.

    Returns
    -------
    float or None
        Between 0 and 1; ``None`` when no two articles of a story have dates, or all
        were published at one moment.
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
    """Count the pairs of dated articles at most so many days apart, without forming them."""
    dated = np.sort(days[~np.isnan(days)])
    reached = np.searchsorted(dated, dated + most, side="right")
    return int((reached - np.arange(len(dated)) - 1).sum())
