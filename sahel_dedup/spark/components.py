"""Connected components of confirmed pairs, small enough for one task each.

Large-star and small-star alternate (Kiveris et al., Connected Components in MapReduce and Beyond,
SoCC 2014) until every article points to the first of its component. Each task first joins what it
can on its own, so the rounds have few pairs. If one task can hold all pairs, the local code handles
them.

A large component is divided as in `sahel_dedup.clustering.large_components`, for which its pairs go
to one task. `sahel_dedup.spark.joining` joins the stories of the parts again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.clustering.large_components import MAX_COMPONENT, bounded_components
from sahel_dedup.clustering.large_components import components as local_components
from sahel_dedup.scoring.evidence import Pairs
from sahel_dedup.spark.arrow import batches, numbers, whole
from sahel_dedup.spark.stages import Stages

# How many pairs one task may hold: half a gigabyte.
ONE_TASK = 4_000_000
# The component of each row, given by its lowest row: `component` after division, `whole` before.
COMPONENTS = "row long, component long, whole long"
_LINK = "child long, parent long"


def components(pairs: DataFrame, threshold: float, stages: Stages) -> DataFrame:
    """Find the components of the pairs that score at least the threshold, and divide large ones.

    Parameters
    ----------
    pairs : DataFrame
        `first`, `second`, `cosine` and `score`.
    threshold : float
    stages : Stages
        Where the rounds are stored.

    Returns
    -------
    DataFrame
        `COMPONENTS`, for rows in components of two or more.
    """
    edges = pairs.where(F.col("score") >= threshold).select("first", "second", "cosine", "score")
    if edges.count() <= ONE_TASK:

        def work(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            table = whole(chunks)
            if table is not None and table.num_rows:
                yield from batches(_divided(table, threshold))

        once = edges.coalesce(1).mapInArrow(work, COMPONENTS)
        return stages.keep("components", once)
    return stages.keep("components", lambda: _in_rounds(edges, threshold, stages.at("rounds")))


def _divided(table: pa.Table, threshold: float) -> dict[str, NDArray[np.int64]]:
    """Find and divide the components of the pairs of a task."""
    ends = np.column_stack([numbers(table, "first"), numbers(table, "second")])
    row, place = np.unique(ends, return_inverse=True)
    first, second = place.reshape(ends.shape).T
    pairs = Pairs(first, second, numbers(table, "cosine"), numbers(table, "score"))
    part, component = bounded_components(pairs, len(row), threshold)
    heads = []
    for number in (part, component):
        # Rows are ascending, so the first one of a component is its lowest.
        _, least, place = np.unique(number, return_index=True, return_inverse=True)
        heads.append(row[least[place]])
    return {"row": row, "component": heads[0], "whole": heads[1]}


def _in_rounds(edges: DataFrame, threshold: float, stages: Stages) -> DataFrame:
    component = connected(edges, stages).withColumnRenamed("component", "whole")
    size = component.groupBy("whole").agg(F.count("*").alias("size"))
    large = size.where(F.col("size") > MAX_COMPONENT).select("whole")
    small = component.join(large, "whole", "left_anti")

    def divide(table: pa.Table) -> pa.Table:
        return pa.table(_divided(table.drop_columns("whole"), threshold))

    # All pairs of a component go to one task.
    placed = component.join(large, "whole").withColumnRenamed("row", "first")
    divided = edges.join(placed, "first").groupBy("whole").applyInArrow(divide, COMPONENTS)
    return small.select("row", F.col("whole").alias("component"), "whole").unionByName(divided)


def connected(edges: DataFrame, stages: Stages) -> DataFrame:
    """Find connected components.

    Parameters
    ----------
    edges : DataFrame
        `first` and `second`, numbers.
    stages : Stages

    Returns
    -------
    DataFrame
        `row` and `component`, the lowest number of its component, for all rows with an edge.
    """
    links = stages.keep("links", edges.select("first", "second").mapInArrow(_join_in_task, _LINK))
    for number in range(1, 100):
        # This is done when every target is a root and every node has one target.
        parents = links.select(F.col("parent").alias("child"))
        apart = links.groupBy("child").count().where("count > 1").select("child")
        if apart.union(links.join(parents, "child", "left_semi").select("child")).isEmpty():
            break
        links = stages.keep(f"round-{number}", _small_star(_large_star(links)).distinct())
    heads = links.select(F.col("parent").alias("row"), F.col("parent").alias("component"))
    return links.select(
        F.col("child").alias("row"), F.col("parent").alias("component")
    ).unionByName(heads.distinct())


def _join_in_task(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Point every row to the first row to which pairs of this task connect it."""
    table = whole(chunks)
    if table is None or not table.num_rows:
        return
    ends = np.column_stack([numbers(table, "first"), numbers(table, "second")])
    row, place = np.unique(ends, return_inverse=True)
    first, second = place.reshape(ends.shape).T
    # Rows are ascending, so the first one of a component is its lowest.
    component = local_components(first, second, len(row))
    _, least = np.unique(component, return_index=True)
    parent = row[least[component]]
    yield from batches({"child": row[row != parent], "parent": parent[row != parent]})


def _large_star(links: DataFrame) -> DataFrame:
    """Point the larger neighbours of each row to the lowest of its neighbourhood."""
    mirrored = links.unionByName(
        links.select(F.col("parent").alias("child"), F.col("child").alias("parent"))
    )
    least = mirrored.groupBy("child").agg(F.min("parent").alias("least"))
    return (
        mirrored.where(F.col("parent") > F.col("child"))
        .join(least, "child")
        .select(F.col("parent").alias("child"), F.least("child", "least").alias("parent"))
    )


def _small_star(links: DataFrame) -> DataFrame:
    """Point each row and its smaller neighbours to the lowest of them."""
    least = links.groupBy("child").agg(F.min("parent").alias("least"))
    joined = links.join(least, "child")
    moved = joined.where(F.col("parent") != F.col("least")).select(
        F.col("parent").alias("child"), F.col("least").alias("parent")
    )
    return moved.unionByName(least.withColumnRenamed("least", "parent"))
