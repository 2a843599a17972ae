"""Connected components of confirmed pairs, none too large for a task.

Large-star and small-star in turn (Kiveris et al., Connected Components in MapReduce and
Beyond, SoCC 2014) until every article points at the first of its component. Each task
first joins what it can by itself, which leaves few pairs to the rounds; pairs that one
task can hold are left to the local code.

A component of more than `MAX_COMPONENT` articles is divided as in `sahel_dedup.linkage`:
its pairs below a bar that rises in steps are left out until the parts are small enough;
what no bar divides is cut in order of time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from scipy.sparse.csgraph import connected_components

from sahel_dedup.evidence import LIMIT, Pairs
from sahel_dedup.linkage import MAX_COMPONENT, RAISE, bounded_components
from sahel_dedup.spark.arrays import batches, numbers, whole
from sahel_dedup.spark.checkpoint import Stages

# Pairs that one task may hold: half a gigabyte.
ONE_TASK = 4_000_000
_LINK = "child long, parent long"


def components(pairs: DataFrame, bar: float, stages: Stages) -> DataFrame:
    """Find the components of the pairs that score at least the bar.

    Parameters
    ----------
    pairs : DataFrame
        `first`, `second` and `score`.
    bar : float
    stages : Stages
        Where the rounds are kept.

    Returns
    -------
    DataFrame
        `row` and `component` (its first row), for rows in a component of several.
    """
    edges = pairs.where(F.col("score") >= bar).select("first", "second", "score")
    if edges.count() <= ONE_TASK:

        def work(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            table = whole(chunks)
            if table is not None and table.num_rows:
                yield from batches(_in_one_task(table, bar))

        once = edges.coalesce(1).mapInArrow(work, "row long, component long")
        return stages.keep("components", once)
    return _in_rounds(edges, bar, stages)


def _in_one_task(table: pa.Table, bar: float) -> dict[str, NDArray[np.int64]]:
    ends = np.column_stack([numbers(table, "first"), numbers(table, "second")])
    row, place = np.unique(ends, return_inverse=True)
    first, second = place.reshape(ends.shape).T
    score = numbers(table, "score")
    number = bounded_components(Pairs(first, second, score, score), len(row), bar)
    # Rows rise, so the first of a component to come is its least.
    _, least, component = np.unique(number, return_index=True, return_inverse=True)
    return {"row": row, "component": row[least[component]]}


def _in_rounds(edges: DataFrame, bar: float, stages: Stages) -> DataFrame:
    small: list[DataFrame] = []
    while True:
        name = f"components/{bar:g}"
        component = connected(edges, stages.at(name))
        size = component.groupBy("component").agg(F.count("*").alias("size"))
        large = stages.keep(f"{name}/large", size.where(F.col("size") > MAX_COMPONENT))
        small.append(component.join(large, "component", "left_anti"))
        if large.isEmpty():
            break
        component = component.join(large.select("component"), "component", "left_semi")
        bar += RAISE
        if bar > LIMIT:
            small.append(_cut(component))
            break
        inside = edges.join(component, F.col("first") == F.col("row"), "left_semi")
        edges = stages.keep(f"{name}/edges", inside.where(F.col("score") >= bar))
    union = small[0]
    for more in small[1:]:
        union = union.unionByName(more)
    return union


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
        # Done when whoever is pointed at points at nobody, and all point at one.
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


def _cut(component: DataFrame) -> DataFrame:
    """Cut components that no bar divides, masses of all but equal texts, in order of time."""
    line = Window.partitionBy("component").orderBy("row")
    part = F.floor((F.row_number().over(line) - 1) / MAX_COMPONENT)
    parts = component.withColumn("part", part)
    head = F.min("row").over(Window.partitionBy("component", "part"))
    return parts.select("row", head.alias("component"))
