"""From rows to stories: the content of the report, and how much of it fits."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from sahel_dedup.articles import Article, parse_published, read_id
from sahel_dedup.clustering.date_precision import estimate_precision
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import ArticleError
from sahel_dedup.io.readers import Place
from sahel_dedup.io.seen_ids import SeenIds
from sahel_dedup.report.decisions import Decision, decisions
from sahel_dedup.sketch.sketcher import day_of
from sahel_dedup.util.values import is_missing

# A report of 30,000 articles is a file of about 30 MB, which a browser still opens at once.
LISTED_STORIES = 10_000
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Report:
    """One article of a story, with the result of clustering for it."""

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
        Number of stories by number of articles, including stories that are not listed.
    listed : list of (str, list of Report)
        Id and articles of the stories that the report lists, largest first.
    decided : dict of str to list of Decision
        What people decided, by the id of the story.
    precision : float or None
        The result of `sahel_dedup.clustering.date_precision.estimate_precision`.
    unknown : list of str
        Ids in corrections that no row has.
    """

    articles: int
    sizes: Counter[int]
    listed: list[tuple[str, list[Report]]]
    decided: dict[str, list[Decision]]
    precision: float | None
    unknown: list[str]


def collect(
    rows: Iterable[tuple[Place, Mapping[str, object]]],
    *,
    singletons: bool,
    most: int | None = LISTED_STORIES,
    corrections: Corrections | None = None,
) -> Collected:
    """Group rows into stories.

    Parameters
    ----------
    rows : iterable of (Place, Mapping)
        Rows that the ``cluster`` command writes, with the place of each. Only ``id`` and
        ``story_id`` are required.
    singletons : bool
        Whether stories of one article are listed.
    most : int or None
        Number of stories to list; ``None`` for all.
    corrections : Corrections, optional
        Those that the stories follow.

    Returns
    -------
    Collected

    Raises
    ------
    ArticleError
        If a row has no id or no story, repeats an id, or has a similarity that cannot be read.
        The error names the place.
    """
    stories: dict[str, list[Report]] = {}
    seen = SeenIds()
    for place, row in rows:
        try:
            if not isinstance(row, Mapping):
                raise ArticleError(
                    f"not a mapping: {type(row).__name__}; give the rows that cluster wrote, or "
                    "{**article, **found} for each article and each of stories.rows()"
                )
            story = row.get("story_id")
            if is_missing(story) or story == "":
                raise ArticleError("missing: give the output of cluster", "story_id")
            report = _report(row)
            seen.add(report.article.id, place)
            stories.setdefault(str(story), []).append(report)
        except ArticleError as error:
            raise error.at(*place) from None
    days = [np.array([day_of(r.article.published) for r in story]) for story in stories.values()]
    decided, unknown = {}, list[str]()
    if corrections:
        story_of = {r.article.id: story for story, reports in stories.items() for r in reports}
        decided = decisions(corrections, story_of)
        unknown = sorted(set(corrections.names).difference(story_of))
    chosen = [item for item in stories.items() if singletons or len(item[1]) > 1]
    chosen.sort(key=lambda item: -len(item[1]))
    return Collected(
        articles=sum(map(len, stories.values())),
        sizes=Counter(len(reports) for reports in stories.values()),
        listed=chosen[:most],
        decided=decided,
        precision=estimate_precision(days),
        unknown=unknown,
    )


def _report(row: Mapping[str, object]) -> Report:
    return Report(
        # Not `Article.from_mapping`, because rows without a text are accepted here, and columns
        # that are not shown need not be kept.
        article=Article(
            id=read_id(row),
            text=_string(row, "text") or "",
            title=_string(row, "title"),
            published=_date(row),
            source=_string(row, "source"),
            lang=_string(row, "lang"),
        ),
        # CSV has strings only.
        canonical=row.get("canonical") in (True, "True", "true"),
        relation=_string(row, "relation"),
        similarity=_similarity(row),
    )


def _date(row: Mapping[str, object]) -> datetime | None:
    try:
        return parse_published(row.get("published"))
    except ArticleError:
        # The cluster command has already reported it and ignored it.
        return None


def _similarity(row: Mapping[str, object]) -> float | None:
    value = row.get("similarity")
    if is_missing(value) or value == "":
        return None
    try:
        # CSV has strings only.
        similarity = float(str(value))
    except ValueError:
        similarity = math.nan
    # Rounding may have exceeded the range slightly.
    if not -_ROUNDING <= similarity <= 1 + _ROUNDING:
        raise ArticleError(f"not a number from 0 to 1: {str(value)[:80]!r}", "similarity")
    return min(max(similarity, 0.0), 1.0)


def _string(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    return None if is_missing(value) or value == "" else str(value)
