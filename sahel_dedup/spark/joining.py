"""Joining of the stories of divided components: see `sahel_dedup.clustering.large_components`.

Stories that a strong pair connects are compared by the articles that represent them, in any task.
Only the means between the stories of one component go to one task.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.clustering.large_components import join_groups, speakers
from sahel_dedup.clustering.window import Times
from sahel_dedup.scoring.evidence import Pairs
from sahel_dedup.settings import Settings
from sahel_dedup.spark.arrow import batches, numbers, ragged
from sahel_dedup.spark.clustering import LINKED, pair_cells
from sahel_dedup.spark.component_pairs import PAIR, inside
from sahel_dedup.spark.stages import Stages

_COMPARED = ("first", "second", "cosine", "score")
_FLAT = "link long, first long, second long, cosine double, score double"


def join_parts(
    linked: DataFrame,
    components: DataFrame,
    pairs: DataFrame,
    articles: DataFrame,
    recurrence: DataFrame,
    settings: Settings,
    stages: Stages,
) -> DataFrame:
    """Join the stories of the parts of each component that was divided.

    Parameters
    ----------
    linked : DataFrame
        `sahel_dedup.spark.clustering.LINKED`.
    components : DataFrame
        `sahel_dedup.spark.components.COMPONENTS`.
    pairs : DataFrame
        `first`, `second`, `cosine` and `score`.
    articles, recurrence
        See `sahel_dedup.spark.component_pairs.inside`.
    settings : Settings
    stages : Stages

    Returns
    -------
    DataFrame
        `LINKED`.
    """
    divided = components.where("component <> whole").select("whole").distinct()
    if divided.isEmpty():
        return linked
    for number in itertools.count(1):
        here = stages.at(f"round-{number}")
        members = linked.where("row is not null").join(divided, "whole", "left_semi")
        of = members.select("row", "story")
        strong = _between(pairs.where(F.col("score") >= settings.merge_threshold), of)
        between = here.keep("between", strong)
        links = here.keep("links", _numbered(between))
        spoken = here.keep("spoken", _spoken(links, members, articles, recurrence, settings))
        joined = here.keep("joined", _joined(links, spoken, members, settings, here))
        if joined.where("story <> joined").isEmpty():
            break
        more = between.select(*_COMPARED).unionByName(spoken.select(*_COMPARED)).distinct()
        linked = here.keep("linked", _renamed(linked, joined, more, of))
    return linked


def _between(pairs: DataFrame, of: DataFrame) -> DataFrame:
    """Keep the pairs between different stories, and add `first_story` and `second_story`."""
    for side in ("first", "second"):
        story = of.select(F.col("row").alias(side), F.col("story").alias(f"{side}_story"))
        pairs = pairs.join(story, side)
    return pairs.where("first_story <> second_story")


def _numbered(between: DataFrame) -> DataFrame:
    """Assign a number to each two stories that a strong pair connects."""
    ends = F.col("first_story"), F.col("second_story")
    two = between.select(F.least(*ends).alias("one"), F.greatest(*ends).alias("two")).distinct()
    return two.withColumn("link", F.monotonically_increasing_id())


def _spoken(
    links: DataFrame,
    members: DataFrame,
    articles: DataFrame,
    recurrence: DataFrame,
    settings: Settings,
) -> DataFrame:
    """Score the pairs between the articles that represent linked stories: `_FLAT`."""
    named = links.select(F.explode(F.array("one", "two")).alias("story")).distinct()

    def speak(table: pa.Table) -> pa.Table:
        table = table.sort_by("row")
        return table.take(pa.array(speakers(np.arange(table.num_rows))))

    chosen = (
        members.select("story", "row")
        .join(named, "story")
        .groupBy("story")
        .applyInArrow(speak, "story long, row long")
    )
    either = links.select("link", F.explode(F.array("one", "two")).alias("story"))
    meeting = either.join(chosen, "story").select("row", F.col("link").alias("component"))

    def flat(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for chunk in chunks:
            found, indptr = ragged(chunk, "pairs", PAIR)
            link = np.repeat(numbers(chunk, "component"), np.diff(indptr))
            yield from batches({"link": link, **{name: found[name].copy() for name in _COMPARED}})

    scored = inside(articles, meeting, recurrence, settings).mapInArrow(flat, _FLAT)
    # Pairs inside one story already have scores.
    return _between(scored, members.select("row", "story")).select("link", *_COMPARED)


def _joined(
    links: DataFrame, spoken: DataFrame, members: DataFrame, settings: Settings, stages: Stages
) -> DataFrame:
    """Join stories by the means between them; return `story` and `joined` for each of them."""
    whole = members.select("story", "whole").distinct()
    means = spoken.groupBy("link").agg(F.avg("score").alias("mean"))
    edges = links.join(means, "link").join(whole.withColumnRenamed("story", "one"), "one")
    groups = members.groupBy("whole", "story").agg(
        F.count("*").alias("size"), F.min("first").alias("first"), F.max("last").alias("last")
    )
    # Both derive from `members`; once stored, they are independent.
    edges = stages.keep("edges", edges.select("whole", "one", "two", "mean"))
    groups = stages.keep("groups", groups)

    def work(stories: pa.Table, between: pa.Table) -> pa.Table:
        stories = stories.sort_by("story")
        between = between.sort_by([("one", "ascending"), ("two", "ascending")])
        story = numbers(stories, "story")
        first, last = (numbers(stories, name).astype(np.float64) for name in ("first", "last"))
        one, two = (np.searchsorted(story, numbers(between, name)) for name in ("one", "two"))
        times = Times(first, last, settings.window_days)
        size, mean = numbers(stories, "size"), numbers(between, "mean")
        joined = join_groups(size, times, one, two, mean, settings.merge_threshold)
        return pa.table({"story": story, "joined": story[joined]})

    together = groups.groupBy("whole").cogroup(edges.groupBy("whole"))
    return together.applyInArrow(work, "story long, joined long")


def _renamed(linked: DataFrame, joined: DataFrame, more: DataFrame, of: DataFrame) -> DataFrame:
    """Assign new stories to articles and pairs, and add the pairs between the former stories."""
    renamed = linked.join(joined, "story", "left").withColumn(
        "story", F.coalesce("joined", "story")
    )
    now = of.join(joined, "story").select("row", "joined")
    for side in ("first", "second"):
        more = more.join(
            now.select(F.col("row").alias(side), F.col("joined").alias(f"{side}_story")), side
        )

    def pack(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for chunk in chunks:
            story, first, second = (
                numbers(chunk, name) for name in ("first_story", "first", "second")
            )
            pairs = Pairs(first, second, numbers(chunk, "cosine"), numbers(chunk, "score"))
            yield from batches(pair_cells(story, first, second, pairs))

    added = more.where("first_story = second_story").mapInArrow(pack, "story long, pairs binary")
    names = [column.split()[0] for column in LINKED.split(", ")]
    return renamed.select(*names).unionByName(added, allowMissingColumns=True)
