"""The archive in order of time, as in the local engine, and its exact copies."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.candidates.exact_copies import exact_duplicates, placeholder_pages
from sahel_dedup.sketch.digests import text_numbers
from sahel_dedup.spark.arrow import batches, hashes, numbers, whole

# A block is 2**12 neighbours in time; pairs meet their articles block by block.
BLOCK_BITS = 12


def in_order(sketches: DataFrame) -> DataFrame:
    """Sort sketched articles: those without a date first, then by time, ties by id.

    Parameters
    ----------
    sketches : DataFrame
        Rows of `sahel_dedup.spark.sketches.SKETCH`.

    Returns
    -------
    DataFrame
        The same with `row`, a number that is ascending in that order, `block`, and `outlet`, the
        rank of the outlet's name, -1 for none.
    """
    # One task ranks all outlets, because there are only some ten thousand in the world.
    names = sketches.select("source").distinct().where("source is not null").coalesce(1)
    outlets = names.mapInArrow(_ranked, "source string, outlet int")
    order = F.col("day").asc_nulls_first(), F.col("id").asc()
    # Numbers that increase with partition and position keep the order without any counting.
    return (
        sketches.join(F.broadcast(outlets), "source", "left")
        .withColumn("outlet", F.coalesce("outlet", F.lit(-1)))
        .repartitionByRange(*order)
        .sortWithinPartitions(*order)
        .withColumn("row", F.monotonically_increasing_id())
        .withColumn("block", F.shiftright("row", BLOCK_BITS))
    )


def copies_and_pages(timeline: DataFrame, window: float) -> DataFrame:
    """Find exact duplicates and placeholder pages.

    Returns
    -------
    DataFrame
        `row`, `duplicate_of` (the first with the same text and title, or the row itself) and
        `page`, only for rows that are one or the other.
    """

    def work(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        table = whole(chunks)
        if table is None:
            return
        table = table.sort_by("row")
        row, day = numbers(table, "row"), numbers(table, "day").astype(np.float64)
        text = text_numbers(hashes(table, "body"), hashes(table, "body_check"))
        headline, echo = hashes(table, "headline"), numbers(table, "echo")
        duplicate_of = exact_duplicates(text, headline, day, window)
        page = placeholder_pages(text, headline, numbers(table, "outlet"), echo.take)
        noted = np.flatnonzero((duplicate_of != np.arange(len(row))) | page)
        yield from batches(
            {"row": row[noted], "duplicate_of": row[duplicate_of[noted]], "page": page[noted]}
        )

    return (
        timeline.select("row", "day", "body", "body_check", "headline", "outlet", "echo")
        .where("body <> 0")
        .repartition("body")
        .mapInArrow(work, "row long, duplicate_of long, page boolean")
    )


def _ranked(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Assign numbers to outlets in the order of their names."""
    names = sorted(name for chunk in chunks for name in chunk.column("source").to_pylist())
    rank = np.arange(len(names), dtype=np.int32)
    yield from batches({"source": pa.array(names, pa.string()), "outlet": rank})
