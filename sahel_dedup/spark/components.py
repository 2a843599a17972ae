"""Connected components of confirmed pairs, none too large for a task.

Large-star and small-star in turn (Kiveris et al., Connected Components in MapReduce and
Beyond, SoCC 2014) until every article points at the first of its component. Each task
first joins what it can by itself, which leaves few pairs to the rounds; pairs that one
task can hold are left to the local code.

A component of many articles is divided as in `sahel_dedup.clustering.large_components`; its
pairs come to one task for that. `sahel_dedup.spark.joining` joins the stories of the parts again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy.sparse.csgraph import connected_components

from sahel_dedup.clustering.large_components import MAX_COMPONENT, bounded_components
from sahel_dedup.scoring.evidence import Pairs
from sahel_dedup.spark.arrow import batches, numbers, whole
from sahel_dedup.spark.stages import Stages

# Pairs that one task may hold: half a gigabyte.
ONE_TASK = 4_000_000
# What component a row is in, by its least row: of the parts that it was divided into, and whole.
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
        Where the rounds are kept.

    Returns
    -------
    DataFrame
        `COMPONENTS`, for rows in a component of several.
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
        # Rows rise, so the first of a component to come is its least.
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

    # The pairs of one component come to one task.
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
        `row` and `component`, the least number of its component; of all that have an edge.
    """
    links = stages.keep("links", edges.select("first", "second").mapInArrow(_join_in_task, _LINK))
    for number in range(1, 100):
        # Done when every target is a root and every node has one target.
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
    """Point every row at the first of those that it is connected to by pairs of this task."""
    table = whole(chunks)
    if table is None or not table.num_rows:
        return
    ends = np.column_stack([numbers(table, "first"), numbers(table, "second")])
    row, place = np.unique(ends, return_inverse=True)
    first, second = place.reshape(ends.shape).T
    graph = sp.coo_array((np.ones(len(ends), np.int8), (first, second)), shape=(len(row), len(row)))
    _, component = connected_components(graph, directed=False)
    # Rows rise, so the first of a component to come is its least.
    _, least = np.unique(component, return_index=True)
    parent = row[least[component]]
    yield from batches({"child": row[row != parent], "parent": parent[row != parent]})


def _large_star(links: DataFrame) -> DataFrame:
    """Point the larger neighbours of each row at the least of its neighbourhood."""
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
    """Point the smaller neighbours of each row, and the row, at the least of them."""
    least = links.groupBy("child").agg(F.min("parent").alias("least"))
    joined = links.join(least, "child")
    moved = joined.where(F.col("parent") != F.col("least")).select(
        F.col("parent").alias("child"), F.col("least").alias("parent")
    )
    return moved.unionByName(least.withColumnRenamed("least", "parent"))
