"""Audit: what can be said about a result without labels."""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from sahel_dedup.clustering.date_precision import estimate_precision
from sahel_dedup.clustering.stories import Stories
from sahel_dedup.clustering.story import Link, Story
from sahel_dedup.errors import no_result
from sahel_dedup.explain.overview import TextTable, render, share, text
from sahel_dedup.explain.plots import Plot, overview
from sahel_dedup.scoring.background import ONE_DAY, is_one_day, span_of
from sahel_dedup.settings import check_count

# An article this similar to texts of other days is an issue of something that recurs.
TEMPLATE_RECURRENCE = 0.5


@dataclass(frozen=True, slots=True, repr=False)
class Audit:
    """Findings about a result.

    Attributes
    ----------
    articles, stories : int
        Number of articles, and of stories.
    singletons : float
        Share of the articles that are the only article of their story.
    estimated_precision : float or None
        Estimated share of the pairs inside stories that did not match by chance; ``None`` without
        dates. It is an upper bound, because texts that recur within days are not noticed.
    largest : tuple of Story
        The stories with the most articles.
    longest : tuple of (Story, float)
        The stories that span the longest time, in days.
    templates : tuple of (str, float)
        Articles with the highest recurrence (daily bulletins, forms), with its value, 0 to 1.
    template_share : float
        Share of the articles whose recurrence is 0.5 or more.
    weakest : tuple of Link
        Pairs inside stories with the lowest scores.
    plots : tuple of Plot
        Story sizes, articles over time, and probabilities of the pairs inside stories.
    corrections : int
        Number of corrections that the stories follow.
    held_by_corrections : tuple of Story
        Stories that only corrections hold together, at most as many as in the other lists.
    span : float or None
        Days between the first and the last article; ``None`` without dates.
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
    plots: tuple[Plot, ...] = ()
    corrections: int = 0
    held_by_corrections: tuple[Story, ...] = ()
    span: float | None = None

    @property
    def lacks_other_days(self) -> bool:
        """Whether all articles are from about one day, which hides most recurring texts."""
        return self.articles > 1 and is_one_day(self.span)

    def to_dict(self) -> dict[str, object]:
        """Return plain dicts, lists and numbers, without the texts of articles."""
        bare = replace(
            self,
            largest=tuple(replace(story, details=()) for story in self.largest),
            longest=tuple((replace(story, details=()), days) for story, days in self.longest),
            held_by_corrections=tuple(
                replace(story, details=()) for story in self.held_by_corrections
            ),
        )
        plain: dict[str, Any] = asdict(bare)
        longest = (story for story, _ in plain["longest"])
        for story in [*plain["largest"], *longest, *plain["held_by_corrections"]]:
            del story["details"]
        return plain

    def __repr__(self) -> str:
        precision = self.estimated_precision
        estimate = "unknown" if precision is None else f"{precision:.3f}"
        return (
            f"<Audit: {self.articles} articles, {self.stories} stories, "
            f"{self.singletons:.1%} alone, estimated precision {estimate}>"
        )

    def _repr_html_(self) -> str:
        facts = [
            ("articles", f"{self.articles:,}"),
            ("stories", f"{self.stories:,}"),
            ("alone", share(self.singletons)),
            ("recurring", share(self.template_share)),
            ("estimated precision", share(self.estimated_precision)),
        ]
        tables = [
            TextTable("Largest stories", ("articles", "canonical article", "story"), [
                (f"{len(story):,}", text(story.canonical), story.id) for story in self.largest
            ]),
            TextTable("Longest stories", ("days", "articles", "canonical article", "story"), [
                (f"{days:.1f}", f"{len(story):,}", text(story.canonical), story.id)
                for story, days in self.longest
            ]),
            TextTable("Articles most like texts of other events", ("likeness", "article"), [
                (f"{likeness:.2f}", text(article)) for article, likeness in self.templates
            ]),
            TextTable("Weakest links", ("log-odds", "similarity", "first", "second"), [
                (f"{link.score:+.1f}", f"{link.similarity:.2f}", text(link.first),
                 text(link.second))
                for link in self.weakest
            ]),
        ]  # fmt: skip
        if self.lacks_other_days:
            facts.append(("caution", ONE_DAY))
        return render("Audit", facts, self.plots, tables)


def audit(stories: Stories, *, count: int = 10) -> Audit:
    """Examine a result without labels.

    Parameters
    ----------
    stories : Stories
        The result of `sahel_dedup.cluster`.
    count : int
        Length of the lists.

    Returns
    -------
    Audit

    Raises
    ------
    SettingsError
        If `stories` is anything else.
    """
    if not isinstance(stories, Stories):
        raise no_result(stories, "audit(cluster(articles))")
    check_count("count", count, least=0)
    ids, day, recurrence = stories.ids, stories.days, stories.recurrence
    spans = np.array([span_of(day[rows]) or 0.0 for rows in stories.members])
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
        template_share=float((recurrence >= TEMPLATE_RECURRENCE).mean()) if len(ids) else 0.0,
        weakest=tuple(stories.weakest_links(count)),
        plots=overview(map(len, stories.members), day, stories.probabilities),
        corrections=len(stories.corrections),
        held_by_corrections=tuple(map(stories.story, stories.held_by_corrections[:count])),
        span=span_of(day),
    )
