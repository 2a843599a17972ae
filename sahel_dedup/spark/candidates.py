"""LSH across tasks: articles are exploded into band keys, and each bucket goes to one task.

A task has whole buckets and calls the local engine's code on them, so crowded buckets are split by
the same extra rows, and the same pairs are proposed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.candidates.lsh import EXTRA_ROWS, band_keys, bucket_pairs, distinct
from sahel_dedup.scoring.meetings import BANDS, Line, neighbours
from sahel_dedup.sketch.fingerprint import EMPTY_SLOT
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.spark.arrow import batches, cell, hashes, matrix, numbers, ragged, whole
from sahel_dedup.spark.ordering import BLOCK_BITS
from sahel_dedup.util.hashing import GOLDEN_RATIO, splitmix64

# Pairs of rows whose first rows are in one block: each article with later candidates for one event,
# and with background articles, as int64 matrices of two columns.
PROPOSALS = "block long, ahead binary, background binary"
_ENTRY = "key long, further long, row long, day double, outlet int, single boolean, asking boolean"
# How many articles are expanded to keys together.
_ROWS_AT_ONCE = 512


def entries(articles: DataFrame, copies: DataFrame, layout: Layout) -> DataFrame:
    """Explode articles: return one row for each band of each article.

    Parameters
    ----------
    articles : DataFrame
        `row`, `day`, `outlet` and `salience`.
    copies : DataFrame
        Later exact copies and placeholder pages are background only.
    layout : Layout

    Returns
    -------
    DataFrame
        The key of the bucket, the slots that split it further, and the values that decide which of
        its articles are paired.
    """
    single = F.coalesce((F.col("duplicate_of") == F.col("row")) & ~F.col("page"), F.lit(True))

    def work(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for chunk in chunks:
            for start in range(0, chunk.num_rows, _ROWS_AT_ONCE):
                yield from batches(_explode(chunk.slice(start, _ROWS_AT_ONCE), layout))

    return (
        articles.select("row", "day", "outlet", "salience")
        .join(copies, "row", "left")
        .select("row", "day", "outlet", "salience", single.alias("single"))
        .mapInArrow(work, _ENTRY)
    )


def _explode(chunk: pa.RecordBatch, layout: Layout) -> dict[str, pa.Array]:
    salience = matrix(chunk, "salience", np.uint32)
    alive = np.flatnonzero(salience[:, 0] != EMPTY_SLOT)
    salience = salience[alive]
    keys, further = [], []
    # Each band has a different offset, so that its buckets differ from those of other bands.
    offsets = np.arange(layout.bands, dtype=np.uint64) * GOLDEN_RATIO
    for band, offset in enumerate(offsets):
        keys.append(splitmix64(band_keys(salience, layout, band) + offset))
        one, two = layout.slots(band, EXTRA_ROWS)[-EXTRA_ROWS:]
        high = salience[:, two].astype(np.uint64) << np.uint64(32)
        further.append(salience[:, one].astype(np.uint64) | high)
    repeated = {
        name: chunk.column(name).take(pa.array(np.tile(alive, layout.bands)))
        for name in ("row", "day", "outlet", "single")
    }
    asking = np.repeat(np.arange(layout.bands) < BANDS, len(alive))
    asking &= repeated["single"].to_numpy(zero_copy_only=False)
    return {
        "key": np.concatenate(keys).view(np.int64),
        "further": np.concatenate(further).view(np.int64),
        **repeated,
        "asking": asking,
    }


def proposals(exploded: DataFrame, window: float) -> DataFrame:
    """Pair the articles of each bucket.

    Returns
    -------
    DataFrame
        `PROPOSALS`, one row for each block; each pair occurs once.
    """

    def work(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        table = whole(chunks)
        if table is not None:
            yield from parcels_of(table.sort_by("row"), window)

    return exploded.repartition("key").mapInArrow(work, PROPOSALS).groupBy("block").applyInArrow(
        _merge, PROPOSALS
    )  # fmt: skip


def parcels_of(table: pa.Table, window: float) -> Iterator[pa.RecordBatch]:
    """Pair the entries of a task, and group the pairs by the block of their first row."""
    row, day = numbers(table, "row"), numbers(table, "day").astype(np.float64)
    key, further = hashes(table, "key"), hashes(table, "further")
    single, asking = (table.column(name).to_numpy() for name in ("single", "asking"))

    def keys(extra: int, members: NDArray[np.int64]) -> NDArray[np.uint64]:
        split = key[members]
        for k in range(extra):
            slot = further[members] >> np.uint64(32 * k) & np.uint64(0xFFFFFFFF)
            split = splitmix64(split + splitmix64(slot + np.uint64(1)))
        return split

    ahead = [bucket_pairs(keys, np.flatnonzero(single), day, window)]
    background = []
    for rows, place, gap in Line.both(day, numbers(table, "outlet")):
        if len(rows):
            one, two = neighbours(key[rows], place, gap, asking[rows])
            background.append((rows[one], rows[two]))
    parcels = {
        name: _by_block(row, found)
        for name, found in (("ahead", ahead), ("background", background))
    }
    for block in sorted({block for parcel in parcels.values() for block in parcel}):
        yield from batches({
            "block": np.array([block]),
            **{name: cell(parcel.get(block, row[:0])) for name, parcel in parcels.items()},
        })  # fmt: skip


def _by_block(
    row: NDArray[np.int64], found: list[tuple[NDArray[np.int64], NDArray[np.int64]]]
) -> dict[int, NDArray[np.int64]]:
    """Group pairs of entries by the block of the first, with each pair of rows once."""
    if not found:
        return {}
    known, place = np.unique(row, return_inverse=True)
    n = len(known)
    codes = [place[first] * n + place[second] for first, second in found]
    first, second = np.divmod(distinct(np.concatenate(codes)), n)
    if not len(first):
        return {}
    pairs = np.column_stack([known[first], known[second]])
    block = pairs[:, 0] >> BLOCK_BITS
    starts = np.flatnonzero(np.diff(block, prepend=-1))
    return dict(zip(block[starts].tolist(), np.split(pairs, starts[1:]), strict=True))


def _merge(table: pa.Table) -> pa.Table:
    """Combine the parcels of one block."""
    merged = {"block": table.column("block").slice(0, 1)}
    start = numbers(table, "block")[0] << BLOCK_BITS
    for name in ("ahead", "background"):
        first, second = ragged(table, name, np.int64)[0].reshape(-1, 2).T
        # Each pair becomes one number, because sorting numbers is far faster than sorting pairs.
        known = distinct(second)
        n = max(len(known), 1)
        first, place = np.divmod(distinct((first - start) * n + np.searchsorted(known, second)), n)
        merged[name] = cell(np.column_stack([start + first, known[place]]))
    return pa.table(merged)
