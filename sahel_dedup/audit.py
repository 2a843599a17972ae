"""Audit: what can be said of a result without any labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.stories import Link, Stories, Story

# Two articles more than FAR_DAYS apart are never one event; NEAR_DAYS is what chance
# pairs are scaled to.
NEAR_DAYS = 7.0
FAR_DAYS = 14.0
# An article this alike to texts of other days is an issue of something that recurs.
TEMPLATE_BAR = 0.5


@dataclass(frozen=True, slots=True)
class Audit:
    """A result looked at from outside.

    Attributes
    ----------
    articles, stories : int
        How many there are.
    singletons : float
        Share of the articles that are alone in their story.
    estimated_precision : float or None
        Estimated share of the pairs inside stories that are no chance pairs; ``None``
        without dates. It is blind to what recurs within days: a bound from above.
    implausible_dates : int
        Dates before 1970-01-02 or in the future, which were not used.
    largest : tuple of Story
        The stories of most articles.
    longest : tuple of (Story, float)
        The stories that run longest, and for how many days.
    templates : tuple of (str, float)
        Articles most alike to texts that cannot be the same event (daily bulletins,
        forms), with that likeness, 0 to 1.
    template_share : float
        Share of the articles whose likeness of that kind is 0.5 or more.
    weakest : tuple of Link
        Pairs inside stories with the least evidence.
    """

    articles: int
    stories: int
    singletons: float
    estimated_precision: float | None
    implausible_dates: int
    largest: tuple[Story, ...]
    longest: tuple[tuple[Story, float], ...]
    templates: tuple[tuple[str, float], ...]
    template_share: float
    weakest: tuple[Link, ...]

    def to_dict(self) -> dict[str, object]:
        """Return it as plain dicts, lists and numbers."""
        return asdict(self)


def audit(stories: Stories, count: int = 10) -> Audit:
    """Look at a result without labels.

    Parameters
    ----------
    stories : Stories
        The result of `sahel_dedup.cluster`.
    count : int
        Length of the lists.

    Returns
    -------
    Audit
    """
    n = len(stories.ids)
    day, bar = stories.days, stories.bars
    ordered = list(stories)
    groups = [np.array([stories.row(a) for a in story.articles]) for story in ordered]
    spans = [float(_span(day[rows])) for rows in groups]
    longest = sorted(range(len(ordered)), key=lambda s: -spans[s])[:count]
    top = np.argsort(-bar, kind="stable")[:count]
    return Audit(
        articles=n,
        stories=len(ordered),
        singletons=sum(len(rows) == 1 for rows in groups) / n if n else 0.0,
        estimated_precision=estimate_precision([day[rows] for rows in groups]),
        implausible_dates=stories.implausible_dates,
        largest=tuple(ordered[:count]),
        longest=tuple((ordered[s], spans[s]) for s in longest),
        templates=tuple((stories.ids[row], float(bar[row])) for row in top),
        template_share=float((bar >= TEMPLATE_BAR).mean()) if n else 0.0,
        weakest=tuple(stories.weakest_links(count)),
    )


def estimate_precision(story_days: Sequence[NDArray[np.float64]]) -> float | None:
    """Estimate pairwise precision from times of publication alone.

    Pairs inside stories that lie more than two weeks apart cannot be right. If wrong
    pairs fall anywhere in time, those among pairs within a week are as many, scaled to
    the share that pairs of any two articles have there.

    Parameters
    ----------
    story_days : sequence of ndarray of float64
        For each story the times of its articles in days; NaN where missing.

    Returns
    -------
    float or None
        Between 0 and 1; ``None`` when no two articles of a story have dates, or the
        archive is too short to tell.
    """
    everything = np.sort(np.concatenate([np.zeros(0), *story_days]))
    everything = everything[~np.isnan(everything)]
    inside = [_distances(days[~np.isnan(days)]) for days in story_days if len(days) > 1]
    distances = np.concatenate([np.zeros(0), *inside])
    near = np.count_nonzero(distances <= NEAR_DAYS)
    far = np.count_nonzero(distances > FAR_DAYS)
    total = len(everything) * (len(everything) - 1) / 2
    within = (np.searchsorted(everything, everything + NEAR_DAYS, side="right")).sum()
    near_by_chance = within - len(everything) * (len(everything) + 1) / 2
    beyond = np.searchsorted(everything, everything + FAR_DAYS, side="right").sum()
    far_by_chance = total - (beyond - len(everything) * (len(everything) + 1) / 2)
    if not near or not far_by_chance:
        return None
    return float(max(0.0, 1 - far * near_by_chance / far_by_chance / near))


def _distances(days: NDArray[np.float64]) -> NDArray[np.float64]:
    one, two = np.triu_indices(len(days), 1)
    return np.abs(days[one] - days[two])


def _span(days: NDArray[np.float64]) -> float:
    dated = days[~np.isnan(days)]
    return float(np.ptp(dated)) if len(dated) else 0.0
