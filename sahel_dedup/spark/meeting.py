"""Where two rows meet: pairs and the articles they name are brought together by blocks.

A block holds the pairs of 4,096 neighbours in time. An article is shipped once to each
block that has a pair with it, however many pairs those are; in a dated archive that is
its own block and the few within the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.contrast import LOWEST_BAR, bars_of, closest_met
from sahel_dedup.evidence import FLOOR, Evidence, least_cosine
from sahel_dedup.fingerprint import SLOTS
from sahel_dedup.lsh import agree, agreeing_slots, distinct
from sahel_dedup.settings import Settings
from sahel_dedup.spark.arrays import batches, cell, matrix, numbers, ragged
from sahel_dedup.spark.articles import COMPARED, to_profiles
from sahel_dedup.spark.timeline import BLOCK_BITS
from sahel_dedup.tallies import conflicts

# Pairs of rows, those of one block of first rows, as an int64 matrix of two columns.
PAIRS = "block long, pairs binary"
# Pairs that may be one event, with what the two share.
HOPES = """first long, second long, cosine double, shared long, title double,
    title_figures long, verbatim long, conflicts long"""
BARS = "row long, bar double"
_Rows = NDArray[np.int64]
_Work = Callable[[_Rows, _Rows, pa.Table], dict[str, Any]]


def agreeing(proposed: DataFrame, articles: DataFrame) -> DataFrame:
    """Keep the candidates that agree in enough slots.

    Parameters
    ----------
    proposed : DataFrame
        `sahel_dedup.spark.buckets.PROPOSALS`.
    articles : DataFrame

    Returns
    -------
    DataFrame
        `PAIRS`.
    """

    def work(first: _Rows, second: _Rows, rows: pa.Table) -> dict[str, Any]:
        salience, row = matrix(rows, "salience", np.uint32), numbers(rows, "row")
        enough = agree(salience, numbers(rows, "day").astype(np.float64), first, second)
        return _parcel(row[first[enough]], row[second[enough]])

    pairs = proposed.select("block", F.col("ahead").alias("pairs"))
    return _meet(pairs, articles.select("row", "day", "salience"), work, PAIRS)


def hopes(agreed: DataFrame, articles: DataFrame, settings: Settings) -> DataFrame:
    """Compare candidates, and keep the pairs that may be one event.

    Parameters
    ----------
    agreed : DataFrame
        `PAIRS`.
    articles : DataFrame
    settings : Settings
        Pairs that cannot reach its bar are left out.

    Returns
    -------
    DataFrame
        `HOPES`.
    """
    # Half a kilobyte an article that only pairs without dates need.
    undated = articles.where(F.col("day").isNull()).head() is not None
    columns = ("row", *COMPARED, "tallies", *(["shingles"] if undated else []))

    def work(first: _Rows, second: _Rows, rows: pa.Table) -> dict[str, Any]:
        profiles, similarity = to_profiles(rows)
        dated = ~np.isnan(profiles.day[first] - profiles.day[second])
        cosine = similarity.cosines(first, second)
        close = cosine >= least_cosine(dated)
        first, second, dated, cosine = first[close], second[close], dated[close], cosine[close]
        if settings.bar > FLOOR:
            # A higher bar only lowers a score: see sahel_dedup.batch.
            lowest = np.full(len(profiles), LOWEST_BAR)
            pairs = Evidence(profiles, similarity, lowest, settings).weigh(first, second, cosine)
            hopeful = pairs.score >= settings.bar
            first, second, dated = first[hopeful], second[hopeful], dated[hopeful]
            cosine = cosine[hopeful]
        verbatim = np.zeros(len(first), dtype=np.int64)
        verbatim[~dated] = agreeing_slots(profiles.shingles, first[~dated], second[~dated])
        shared = [block for _, block in similarity.shared(first, second, cosine)]
        none, row = np.zeros(0), numbers(rows, "row")
        return {
            "first": row[first],
            "second": row[second],
            "cosine": np.concatenate([none, *(block.cosine for block in shared)]),
            "shared": np.concatenate([row[:0], *(block.figures for block in shared)]),
            "title": np.concatenate([none, *(block.title_cosine for block in shared)]),
            "title_figures": np.concatenate([row[:0], *(block.title_figures for block in shared)]),
            "verbatim": verbatim,
            "conflicts": conflicts(profiles.tallies, first, second),
        }

    return _meet(agreed, articles.select(*columns), work, HOPES)


def closest(proposed: DataFrame, hoped: DataFrame, articles: DataFrame) -> DataFrame:
    """Keep, for each article of a pair, the few strangers that agree best with it.

    Parameters
    ----------
    proposed : DataFrame
        `sahel_dedup.spark.buckets.PROPOSALS`.
    hoped : DataFrame
        `HOPES`.
    articles : DataFrame

    Returns
    -------
    DataFrame
        `PAIRS`.
    """

    def asked(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for chunk in chunks:
            for place in range(chunk.num_rows):
                met = ragged(chunk.slice(place, 1), "met", np.int64)[0].reshape(-1, 2)
                asking = chunk.column("asking")[place].values.to_numpy()
                first, second = met[np.isin(met[:, 0], asking)].T
                block = chunk.column("block").slice(place, 1)
                yield from batches({"block": block, **_parcel(first, second)})

    def work(first: _Rows, second: _Rows, rows: pa.Table) -> dict[str, Any]:
        salience, row = matrix(rows, "salience", np.uint32), numbers(rows, "row")
        n = len(row)
        ranked = closest_met(salience, first * n + second, first[:0])
        return _parcel(row[ranked // (n * (SLOTS + 1))], row[ranked % n])

    both = hoped.select(F.explode(F.array("first", "second")).alias("row")).distinct()
    block = F.shiftright("row", BLOCK_BITS).alias("block")
    asking = both.groupBy(block).agg(F.collect_list("row").alias("asking"))
    met = proposed.join(asking, "block").select("block", "met", "asking")
    return _meet(met.mapInArrow(asked, PAIRS), articles.select("row", "salience"), work, PAIRS)


def bars(nearest: DataFrame, articles: DataFrame) -> DataFrame:
    """Measure how alike articles are to strangers.

    Parameters
    ----------
    nearest : DataFrame
        `PAIRS`: articles, and the strangers that agree best with each.
    articles : DataFrame

    Returns
    -------
    DataFrame
        `BARS`, of the articles that met somebody.
    """

    def work(first: _Rows, second: _Rows, rows: pa.Table) -> dict[str, Any]:
        profiles, similarity = to_profiles(rows)
        asking = distinct(first)
        bar = bars_of(profiles, asking, similarity, first, second)
        return {"row": numbers(rows, "row")[asking], "bar": bar[asking]}

    return _meet(nearest, articles.select("row", *COMPARED), work, BARS)


def _parcel(first: _Rows, second: _Rows) -> dict[str, Any]:
    return {"pairs": cell(np.column_stack([first, second]))}


def _meet(pairs: DataFrame, articles: DataFrame, work: _Work, schema: str) -> DataFrame:
    """Ship to each block the articles that its pairs name, in order, and work on both.

    `work` is given the pairs by the places of their articles, and the articles.
    """
    in_blocks = schema == PAIRS

    def together(parcels: pa.Table, rows: pa.Table) -> pa.Table:
        rows = rows.sort_by("row")
        named = ragged(parcels, "pairs", np.int64)[0].reshape(-1, 2)
        first, second = np.searchsorted(numbers(rows, "row"), named).T
        found = work(first, second, rows)
        return pa.table({"block": parcels.column("block"), **found} if in_blocks else found)

    wanted = pairs.mapInArrow(_wanted, "block long, row long")
    shipped = wanted.join(articles, "row")
    return pairs.groupBy("block").cogroup(shipped.groupBy("block")).applyInArrow(together, schema)


def _wanted(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for chunk in chunks:
        for place, block in enumerate(numbers(chunk, "block").tolist()):
            row = distinct(ragged(chunk.slice(place, 1), "pairs", np.int64)[0])
            yield from batches({"block": np.full(len(row), block), "row": row})
