"""Corrections on Spark: the articles that they name, and the stories that must meet.

Stories follow corrections through `sahel_dedup.clustering.corrected.correct`, the function of the
local engine. It needs all stories of the named articles of one group, and those of the articles of
which they are exact copies. These stories go to one task; all others stay where they are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.util.groups import Groups


class Named(NamedTuple):
    """An article that a correction names.

    Attributes
    ----------
    row : int
    id : str
    original : int
        The row of the first article with the same text and title, or `row`.
    """

    row: int
    id: str
    original: int


@dataclass(frozen=True, slots=True)
class Followed:
    """Corrections, and the data of the stories that they affect.

    Attributes
    ----------
    corrections : Corrections
    gathered : DataFrame
        `story` and `gathered`, the lowest of the stories that go to one task; only for stories with
        a named article.
    recurrence : DataFrame
        `row` and `recurrence` of all articles.
    """

    corrections: Corrections
    gathered: DataFrame
    recurrence: DataFrame


def named_articles(
    timeline: DataFrame, copies: DataFrame, corrections: Corrections
) -> tuple[Named, ...]:
    """Find the articles that corrections name, in order of time.

    Parameters
    ----------
    timeline : DataFrame
    copies : DataFrame
        The result of `sahel_dedup.spark.ordering.copies`.
    corrections : Corrections

    Returns
    -------
    tuple of Named
        At most twice as many as corrections, so they can go to the driver.

    Warns
    -----
    SahelWarning
        If corrections name an id that no article has.
    """
    if not corrections:
        return ()
    names = [(name,) for name in sorted(corrections.names)]
    wanted = timeline.sparkSession.createDataFrame(names, "id string")
    found = (
        timeline.select("row", "id")
        .join(F.broadcast(wanted), "id")
        .join(copies.select("row", "duplicate_of"), "row", "left")
        .select("row", "id", F.coalesce("duplicate_of", "row").alias("original"))
    )
    named = tuple(sorted(Named(*row) for row in found.collect()))
    summary = ReadSummary()
    unknown = set(corrections.names).difference(article.id for article in named)
    summary.add_corrections(len(corrections), sorted(unknown))
    summary.warn()
    return named


def single_out(copies: DataFrame, named: Iterable[Named]) -> DataFrame:
    """Make no named article count as a later copy: see `sahel_dedup.clustering.corrected`."""
    rows = [article.row for article in named if article.original != article.row]
    if not rows:
        return copies
    own = F.when(F.col("row").isin(rows), F.col("row")).otherwise(F.col("duplicate_of"))
    return copies.withColumn("duplicate_of", own)


def gathered(named: Iterable[Named], linked: DataFrame, corrections: Corrections) -> dict[int, int]:
    """Return which stories must go to one task.

    Parameters
    ----------
    named : iterable of Named
    linked : DataFrame
        `sahel_dedup.spark.clustering.LINKED`; every other article is a story of its own.
    corrections : Corrections

    Returns
    -------
    dict of int to int
        The lowest of the stories that meet, by story.
    """
    articles = list(named)
    rows = {row for article in articles for row in (article.row, article.original)}
    wanted = linked.sparkSession.createDataFrame([(row,) for row in sorted(rows)], "row long")
    placed = linked.where("row is not null").join(F.broadcast(wanted), "row")
    story = {row: row for row in rows}
    story |= {found["row"]: found["story"] for found in placed.select("row", "story").collect()}
    together: Groups[int] = Groups()
    first: dict[str | None, int] = {}
    for article in articles:
        mine = story[article.row]
        together.join(mine, story[article.original])
        together.join(mine, first.setdefault(corrections.group(article.id), mine))
    return {number: together[number] for number in together.members()}


def digest(parts: Iterable[object]) -> str:
    """Name a folder of stages after everything they depend on."""
    return hashlib.blake2b(repr(list(parts)).encode(), digest_size=8).hexdigest()
