"""Planning: what to do with each article of a batch, decided before anything is done."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

import numpy as np

from sahel_dedup.articles import Article
from sahel_dedup.index.live import Live
from sahel_dedup.sketch.profiles import Profiles, Traits

# Times of publication nearer than this are the same: about 0.1 seconds. Days as floating-point
# numbers are exact to a microsecond.
_SAME_TIME = 1e-6


class Step(Enum):
    """What to do with an article of a batch."""

    ADD = auto()
    UPDATE = auto()
    NOTHING = auto()
    LATE = auto()
    REFUSED = auto()


def plan(
    articles: Sequence[Article],
    profiles: Profiles,
    live: Live,
    horizon: float | None,
    *,
    update: bool,
) -> list[Step]:
    """Decide what to do with each article.

    Parameters
    ----------
    articles : sequence of Article
    profiles : Profiles
        Profiles of the articles.
    live : Live
        The present articles of the index.
    horizon : float or None
        The day before which stories have expired.
    update : bool
        Whether a known id with other words is a corrected article and not a fault.

    Returns
    -------
    list of Step
        One per article.
    """
    steps = list[Step]()
    latest: dict[str, int] = {}
    for i, article in enumerate(articles):
        row, earlier = live.row_of.find(article.id), latest.get(article.id)
        if row is None and earlier is None:
            late = horizon is not None and profiles.day[i] < horizon
            step = Step.LATE if late else Step.ADD
        else:
            before: Traits = live.profiles if earlier is None else profiles
            place = row if earlier is None else earlier
            assert place is not None
            if update or _same_words(before, place, profiles, i):
                changed = _differs(article, before, place, profiles, i)
                step = Step.UPDATE if changed else Step.NOTHING
            else:
                step = Step.REFUSED
        if step in (Step.ADD, Step.UPDATE):
            latest[article.id] = i
        steps.append(step)
    return steps


def _same_words(before: Traits, place: int, profiles: Profiles, i: int) -> bool:
    """Whether an article has the same words as before; a first title does not count as a change."""
    if not _same_text(before, place, profiles, i):
        return False
    return before.headline[place] in (0, profiles.headline[i])


def _same_text(before: Traits, place: int, profiles: Profiles, i: int) -> bool:
    one = before.body[place], before.body_check[place]
    return one == (profiles.body[i], profiles.body_check[i])


def _differs(article: Article, before: Traits, place: int, profiles: Profiles, i: int) -> bool:
    """Whether an article differs from before; values that it omits do not count."""
    if not _same_text(before, place, profiles, i) or before.headline[place] != profiles.headline[i]:
        return True
    day = profiles.day[i]
    if not np.isnan(day) and not abs(day - before.day[place]) <= _SAME_TIME:
        return True
    if profiles.source[i] >= 0 and profiles.source[i] != before.source[place]:
        return True
    return article.lang is not None and bool(profiles.lang[i] != before.lang[place])
