"""Average linkage inside each component, and the stories told of it, by the local code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.evidence import Evidence, Pairs
from sahel_dedup.linkage import link_components
from sahel_dedup.settings import Settings
from sahel_dedup.spark.arrays import batches, numbers, whole_groups
from sahel_dedup.spark.articles import to_profiles
from sahel_dedup.spark.inside import recalled
from sahel_dedup.stories import Stories, twin_pairs

STORIES = "id string, story_id string, canonical boolean, relation string, similarity double"
_SCHEMA = pa.schema([
    ("id", pa.string()), ("story_id", pa.string()), ("canonical", pa.bool_()),
    ("relation", pa.string()), ("similarity", pa.float64()),
])  # fmt: skip
# What is told of articles; words have been compared by now.
_TOLD = ("id", "source", "day", "outlet", "lang", "body", "headline", "length")


def stories(
    articles: DataFrame,
    copies: DataFrame,
    components: DataFrame,
    inside: DataFrame,
    settings: Settings,
) -> DataFrame:
    """Group the articles of each component into stories.

    Parameters
    ----------
    articles : DataFrame
    copies : DataFrame
        Twins go where the first of them goes.
    components : DataFrame
        `row` and `component`; all others are alone.
    inside : DataFrame
        `sahel_dedup.spark.inside.INSIDE`, the pairs of all components.
    settings : Settings

    Returns
    -------
    DataFrame
        `STORIES`.
    """
    twins = copies.where(F.col("twin_of") != F.col("row")).select("row", "twin_of")
    placed = components.withColumnRenamed("row", "head")
    # Half a kilobyte that an article which is alone, or a twin, is not asked for.
    compared = F.col("component").isNotNull() & (F.col("head") == F.col("row"))
    members = (
        articles.select("row", *_TOLD, "shingles")
        .join(twins, "row", "left")
        .withColumn("head", F.coalesce("twin_of", "row"))
        .join(placed, "head", "left")
        .select("row", "head", *_TOLD, F.when(compared, F.col("shingles")).alias("shingles"),
                F.coalesce("component", "head").alias("component"))
    )  # fmt: skip

    def work(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for table in whole_groups(chunks, ("component",)):
            yield from batches(_told(table, settings))

    # What is known of a component comes to one task: rows of articles, and of their pairs.
    known = members.unionByName(inside, allowMissingColumns=True)
    return known.repartition("component").sortWithinPartitions("component").mapInArrow(
        work, STORIES
    )  # fmt: skip


def _told(table: pa.Table, settings: Settings) -> dict[str, Any]:
    """Group the articles of whole components, in order of time, and tell the stories."""
    articles = table.filter(pc.is_valid(table.column("row"))).sort_by("row")
    row, head = numbers(articles, "row"), numbers(articles, "head")
    twin_of = np.searchsorted(row, head)
    profiles, similarity = to_profiles(articles)
    sources, profiles.source = _sources(articles)
    # Of every pair inside a component the score is known; the bars are not asked for.
    evidence = Evidence(profiles, similarity, np.zeros(len(row)), settings)
    # Twins are no nodes of the tree: each is alone until it follows its first.
    apart = np.where(head == row, numbers(articles, "component"), -1 - np.arange(len(row)))
    component = np.unique(apart, return_inverse=True)[1]
    labels, inside = link_components(component, recalled(table, row), evidence, settings.bar)
    pairs = Pairs.concatenate([inside, twin_pairs(twin_of)])
    found = Stories(
        articles.column("id").to_pylist(),
        np.arange(len(row)),
        profiles,
        labels[twin_of],
        pairs.where(np.lexsort((pairs.second, pairs.first))),
        evidence,
        similarity,
        settings,
        sources,
    )
    told = list(found.rows())
    return {
        field.name: pa.array([article[field.name] for article in told], field.type)
        for field in _SCHEMA
    }


def _sources(table: pa.Table) -> tuple[dict[str, int], NDArray[np.int32]]:
    """Give numbers to the outlets of a table, -1 to no outlet."""
    names = table.column("source").to_pylist()
    sources = {name: number for number, name in enumerate(sorted(set(names) - {None}))}
    return sources, np.array([sources.get(name, -1) for name in names], dtype=np.int32)
