"""Average linkage inside each component, and the stories told of it, by the local code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.evidence import Evidence, Pairs
from sahel_dedup.linkage import link_components
from sahel_dedup.settings import Settings
from sahel_dedup.spark.arrays import batches, numbers
from sahel_dedup.spark.articles import COMPARED, to_profiles
from sahel_dedup.stories import Stories, twin_pairs

STORIES = "id string, story_id string, canonical boolean, relation string, similarity double"
# Whole components are worked on together, about so many articles at a time.
_ROWS_AT_ONCE = 4096
_SCHEMA = pa.schema([
    ("id", pa.string()), ("story_id", pa.string()), ("canonical", pa.bool_()),
    ("relation", pa.string()), ("similarity", pa.float64()),
])  # fmt: skip
_HEAVY = ("shingles", "terms", "counts", "marks", "idf")


def stories(
    articles: DataFrame,
    copies: DataFrame,
    components: DataFrame,
    bars: DataFrame,
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
    bars : DataFrame
        `row` and `bar`.
    settings : Settings

    Returns
    -------
    DataFrame
        `STORIES`.
    """
    twins = copies.where(F.col("twin_of") != F.col("row")).select("row", "twin_of")
    placed = components.join(bars.select("row", "bar"), "row").withColumnRenamed("row", "head")
    heavy = F.col("component").isNotNull() & (F.col("head") == F.col("row"))
    light = [name for name in ("id", "source", *COMPARED) if name not in _HEAVY]
    members = (
        articles.select("row", *light, *_HEAVY)
        .join(twins, "row", "left")
        .withColumn("head", F.coalesce("twin_of", "row"))
        .join(placed, "head", "left")
        # The words of an article that is alone, and of a twin, are not asked for.
        .select("row", "head", *light, *(F.when(heavy, F.col(x)).alias(x) for x in _HEAVY),
                F.coalesce("component", "head").alias("component"),
                F.coalesce("bar", F.lit(1.0)).alias("bar"))
    )  # fmt: skip

    def work(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for table in _whole_components(chunks):
            yield from batches(_told(table.sort_by("row"), settings))

    return members.repartition("component").sortWithinPartitions("component").mapInArrow(
        work, STORIES
    )  # fmt: skip


def _whole_components(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Cut sorted rows into tables that no component lies across."""
    held: list[pa.RecordBatch] = []
    for chunk in chunks:
        held.append(chunk)
        if sum(batch.num_rows for batch in held) < _ROWS_AT_ONCE:
            continue
        table = pa.Table.from_batches(held)
        change = np.flatnonzero(np.diff(numbers(table, "component")))
        if len(change):
            yield table.slice(0, change[-1] + 1)
            held = table.slice(change[-1] + 1).to_batches()
    if held:
        yield pa.Table.from_batches(held)


def _told(table: pa.Table, settings: Settings) -> dict[str, Any]:
    """Group the articles of whole components, in order of time, and tell the stories."""
    row, head = numbers(table, "row"), numbers(table, "head")
    twin_of = np.searchsorted(row, head)
    profiles, similarity = to_profiles(table)
    sources, profiles.source = _sources(table)
    evidence = Evidence(profiles, similarity, numbers(table, "bar"), settings)
    # Twins are no nodes of the tree: each is alone until it follows its first.
    apart = np.where(head == row, numbers(table, "component"), -1 - np.arange(len(row)))
    component = np.unique(apart, return_inverse=True)[1]
    labels, inside = link_components(component, evidence, settings.bar)
    pairs = Pairs.concatenate([inside, twin_pairs(twin_of)])
    found = Stories(
        table.column("id").to_pylist(),
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
