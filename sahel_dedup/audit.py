"""Audit: what can be said of a result without any labels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.stories import Link, Stories, Story

# Two articles more than FAR_DAYS apart are never one event, or seldom if they are half a short
# archive apart; NEAR_DAYS, or a quarter of it, is what chance pairs are scaled to.
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
    ids, day, recurrence = stories.ids, stories.days, stories.recurrence
    spans = np.array([_span(day[rows]) for rows in stories.members])
    longest = np.argsort(-spans, kind="stable")[:count]
    top = np.argsort(-recurrence, kind="stable")[:count]
    return Audit(
        articles=len(ids),
        stories=len(stories),
        singletons=sum(len(rows) == 1 for rows in stories.members) / max(len(ids), 1),
        estimated_precision=estimate_precision([day[rows] for rows in stories.members]),
        largest=tuple(itertools.islice(stories, count)),
        longest=tuple(
            (stories.story_of(ids[stories.members[story][0]]), float(spans[story]))
            for story in longest
        ),
        templates=tuple((ids[row], float(recurrence[row])) for row in top),
        template_share=float((recurrence >= TEMPLATE_BAR).mean()) if len(ids) else 0.0,
        weakest=tuple(stories.weakest_links(count)),
    )


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
    inside = [_distances(days[~np.isnan(days)]) for days in story_days if len(days) > 1]
    distances = np.concatenate([np.zeros(0), *inside])
    near = np.count_nonzero(distances <= near_days)
    far = np.count_nonzero(distances > far_days)
    total = len(everything) * (len(everything) - 1) / 2
    within = (np.searchsorted(everything, everything + near_days, side="right")).sum()
    near_by_chance = within - len(everything) * (len(everything) + 1) / 2
    beyond = np.searchsorted(everything, everything + far_days, side="right").sum()
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
