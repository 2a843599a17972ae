"""Rows to stories: what the report is about, and how much of it fits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from sahel_dedup.articles import Article, is_missing, parse_published, read_id
from sahel_dedup.audit import estimate_precision
from sahel_dedup.errors import ArticleError
from sahel_dedup.sketching import day_of

# A report of 30,000 articles is a file of some 30 MB; a browser still opens that at once.
LISTED_STORIES = 10_000


@dataclass(frozen=True, slots=True)
class Report:
    """One article of a story, with what clustering found out about it."""

    article: Article
    canonical: bool
    relation: str | None
    similarity: float | None


@dataclass(frozen=True, slots=True)
class Collected:
    """The stories of an archive.

    Attributes
    ----------
    articles : int
        Number of articles, singletons included.
    sizes : Counter of int
        Number of stories by number of articles, all of them.
    listed : list of (str, list of Report)
        Id and articles of the stories that the report lists, largest first.
    precision : float or None
        What `sahel_dedup.audit.estimate_precision` makes of the dates.
    """

    articles: int
    sizes: Counter[int]
    listed: list[tuple[str, list[Report]]]
    precision: float | None


def collect(rows: Iterable[Mapping[str, object]], *, singletons: bool) -> Collected:
    """Group rows into stories.

    Parameters
    ----------
    rows : iterable of Mapping
        As the ``cluster`` command writes them. Only ``id`` and ``story_id`` must be
        there.
    singletons : bool
        Whether stories of one article are listed.

    Returns
    -------
    Collected

    Raises
    ------
    ArticleError
        If a row has no id or no story, or its date cannot be read.
    """
    stories: dict[str, list[Report]] = {}
    count = 0
    for count, row in enumerate(rows, start=1):
        try:
            story = row.get("story_id")
            if is_missing(story) or story == "":
                raise ArticleError("missing: cluster writes it", "story_id")
            stories.setdefault(str(story), []).append(_report(row))
        except ArticleError as error:
            raise error.at(None, count) from None
    days = [np.array([day_of(r.article.published) for r in story]) for story in stories.values()]
    chosen = [item for item in stories.items() if singletons or len(item[1]) > 1]
    chosen.sort(key=lambda item: -len(item[1]))
    return Collected(
        articles=count,
        sizes=Counter(len(reports) for reports in stories.values()),
        listed=chosen[:LISTED_STORIES],
        precision=estimate_precision(days),
    )


def _report(row: Mapping[str, object]) -> Report:
    similarity = row.get("similarity")
    return Report(
        # Not `Article.from_mapping`: rows without a text are welcome here, and the
        # columns that are not shown need not be kept.
        article=Article(
            id=read_id(row),
            text=_string(row, "text") or "",
            title=_string(row, "title"),
            published=parse_published(row.get("published")),
            source=_string(row, "source"),
            lang=_string(row, "lang"),
        ),
        # CSV has strings only.
        canonical=row.get("canonical") in (True, "True", "true"),
        relation=_string(row, "relation"),
        similarity=None if is_missing(similarity) or similarity == "" else float(str(similarity)),
    )


def _string(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    return None if is_missing(value) or value == "" else str(value)
