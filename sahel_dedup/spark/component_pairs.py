"""All pairs inside components, scored in tasks where their articles meet.

A component of 1,000 articles has half a million pairs, which is too many for a task that also has
other components. The articles of each component, in order of time, are therefore cut into groups of
`SIDE`, and each two groups meet in a tile, which any task may process. Most components are a single
tile.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from sahel_dedup.scoring.evidence import Evidence, Pairs
from sahel_dedup.settings import Settings
from sahel_dedup.spark.arrow import batches, beginnings, cells, numbers, ragged, whole_groups
from sahel_dedup.spark.sketches import SIGNED, to_profiles

# Scored pairs of rows of one tile, as an array of `PAIR`.
INSIDE = "component long, pairs binary"
# An eighth of the largest component, which gives 36 tiles of at most 16,384 pairs.
SIDE = 128
PAIR = np.dtype([("first", "i8"), ("second", "i8"), ("cosine", "f8"), ("score", "f8")])
_TILE = ("component", "one", "other")


def inside(
    articles: DataFrame, components: DataFrame, recurrence: DataFrame, settings: Settings
) -> DataFrame:
    """Score all pairs inside components, whether LSH proposed them or not.

    Parameters
    ----------
    articles : DataFrame
    components : DataFrame
        `row` and `component`.
    recurrence : DataFrame
        `row` and `recurrence`.
    settings : Settings

    Returns
    -------
    DataFrame
        `INSIDE`, one row for each tile.
    """

    def work(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for table in whole_groups(chunks, _TILE):
            yield from batches(_scored(table, settings))

    return (
        _tiles(components)
        .join(recurrence.select("row", "recurrence"), "row")
        .join(articles.select("row", *SIGNED), "row")
        .repartition(*_TILE)
        .sortWithinPartitions(*_TILE, "row")
        .mapInArrow(work, INSIDE)
    )


def _tiles(components: DataFrame) -> DataFrame:
    """Send every article to the tiles in which its group meets the groups of its component."""
    whole = Window.partitionBy("component")
    group = F.floor((F.row_number().over(whole.orderBy("row")) - 1) / SIDE)
    groups = F.ceil(F.count("*").over(whole) / SIDE)
    placed = components.select("row", "component", group.alias("group"), groups.alias("groups"))
    met = F.explode(F.sequence(F.lit(0), F.col("groups") - 1)).alias("met")
    return placed.select("row", "component", "group", met).select(
        "row",
        "component",
        F.least("group", "met").alias("one"),
        F.greatest("group", "met").alias("other"),
    )


def _scored(table: pa.Table, settings: Settings) -> dict[str, Any]:
    """Score the pairs of whole tiles; rows of a tile are in order of time."""
    starts = beginnings(table, _TILE)
    corners = [_corner(int(size)) for size in np.diff(starts, append=table.num_rows)]
    first, second = (
        np.concatenate([start + corner[k] for start, corner in zip(starts, corners, strict=True)])
        for k in (0, 1)
    )
    profiles, similarity = to_profiles(table)
    evidence = Evidence(profiles, similarity, numbers(table, "recurrence"), settings)
    scored, row = evidence.score_unlikely_pairs(first, second), numbers(table, "row")
    pairs = np.empty(len(scored), dtype=PAIR)
    pairs["first"], pairs["second"] = row[scored.first], row[scored.second]
    pairs["cosine"], pairs["score"] = scored.cosine, scored.score
    indptr = np.cumsum([0, *(len(corner[0]) for corner in corners)])
    return {
        "component": numbers(table, "component")[starts],
        "pairs": cells(pairs, indptr),
    }


def _corner(size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pairs of positions in a tile: of one group with itself, or with another."""
    if size <= SIDE:
        return np.triu_indices(size, 1)
    # Only the last group of a component has fewer than `SIDE` articles, and it comes second.
    first, second = np.divmod(np.arange(SIDE * (size - SIDE)), size - SIDE)
    return first, second + SIDE


def recalled(table: pa.Table, row: NDArray[np.int64]) -> Pairs:
    """Read the scored pairs of some components.

    Parameters
    ----------
    table : pyarrow.Table
        Rows of `INSIDE`; some may have no pairs.
    row : ndarray of int64, shape (n,)
        The articles of those components, ascending.

    Returns
    -------
    Pairs
        Given as positions of the articles in `row`.
    """
    pairs, _ = ragged(table, "pairs", PAIR)
    first, second = (np.searchsorted(row, pairs[side].copy()) for side in ("first", "second"))
    return Pairs(first, second, pairs["cosine"].copy(), pairs["score"].copy())
