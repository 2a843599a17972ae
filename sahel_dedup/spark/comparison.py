"""Comparison of rows across tasks, where pairs meet their articles block by block.

A block contains the pairs of 4,096 neighbours in time. An article is sent once to each block that
has pairs with it, however many. In a dated archive these are its own block and the few others
within the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.candidates.lsh import agree, distinct
from sahel_dedup.scoring.features import Sketched
from sahel_dedup.scoring.meetings import closest_met, unpacked
from sahel_dedup.scoring.recurrence import recurrence_of_pairs
from sahel_dedup.scoring.survivors import surviving_pairs
from sahel_dedup.scoring.tfidf import Shared
from sahel_dedup.settings import Settings
from sahel_dedup.spark.arrow import batches, cell, matrix, numbers, ragged
from sahel_dedup.spark.ordering import BLOCK_BITS
from sahel_dedup.spark.sketches import SIGNED, to_profiles

# Pairs of rows whose first rows are in one block, as an int64 matrix of two columns.
PAIRS = "block long, pairs binary"
# Pairs that may report one event, or fill one form, with what the two share.
SURVIVING = """first long, second long, cosine double, number_count long, amounts double,
    title double, opening double, headline double, copy boolean, conflicts long, update boolean,
    numbers_apart double, form boolean, filled double"""
# The columns of a `sahel_dedup.scoring.tfidf.Shared`.
SHARED = tuple(item.name for item in fields(Shared))
RECURRENCE = "row long, recurrence double"
_Rows = NDArray[np.int64]
_BlockWork = Callable[[_Rows, _Rows, pa.Table], dict[str, Any]]


def agreeing(proposed: DataFrame, articles: DataFrame) -> DataFrame:
    """Keep the candidates that agree in enough slots.

    Parameters
    ----------
    proposed : DataFrame
        `sahel_dedup.spark.candidates.PROPOSALS`.
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
    return _compare(pairs, articles.select("row", "day", "salience"), work, PAIRS)


def surviving(agreed: DataFrame, articles: DataFrame, settings: Settings) -> DataFrame:
    """Compare candidates, and keep the pairs that may be one event.

    Parameters
    ----------
    agreed : DataFrame
        `PAIRS`.
    articles : DataFrame
    settings : Settings
        Pairs that cannot reach its merge threshold are left out.

    Returns
    -------
    DataFrame
        `SURVIVING`.
    """

    def work(first: _Rows, second: _Rows, rows: pa.Table) -> dict[str, Any]:
        profiles, similarity = to_profiles(rows)
        cosine = similarity.cosines(first, second)
        first, second, cosine, form = surviving_pairs(
            first, second, cosine, profiles, similarity, settings, settings.merge_threshold
        )
        shared = Shared.concatenate(s for _, s in similarity.shared(first, second, cosine))
        sketched = Sketched.of(first, second, shared, similarity.number_count, profiles, similarity)
        row = numbers(rows, "row")
        return {
            "first": row[first],
            "second": row[second],
            **{name: getattr(shared, name) for name in SHARED},
            "copy": sketched.copy,
            "conflicts": sketched.conflicts,
            "update": sketched.update,
            "numbers_apart": sketched.numbers_apart,
            "form": form,
            "filled": sketched.form,
        }

    return _compare(agreed, articles.select("row", *SIGNED), work, SURVIVING)


def closest(proposed: DataFrame, survivors: DataFrame, articles: DataFrame) -> DataFrame:
    """Keep, for each article of a pair, the few background articles that agree best with it.

    Parameters
    ----------
    proposed : DataFrame
        `sahel_dedup.spark.candidates.PROPOSALS`.
    survivors : DataFrame
        `SURVIVING`.
    articles : DataFrame

    Returns
    -------
    DataFrame
        `PAIRS`.
    """

    def asked(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for chunk in chunks:
            for place in range(chunk.num_rows):
                background = ragged(chunk.slice(place, 1), "background", np.int64)[0].reshape(-1, 2)
                asking = chunk.column("asking")[place].values.to_numpy()
                first, second = background[np.isin(background[:, 0], asking)].T
                block = chunk.column("block").slice(place, 1)
                yield from batches({"block": block, **_parcel(first, second)})

    def work(first: _Rows, second: _Rows, rows: pa.Table) -> dict[str, Any]:
        salience, row = matrix(rows, "salience", np.uint32), numbers(rows, "row")
        n = len(row)
        one, _, other = unpacked(closest_met(salience, first * n + second, first[:0]), n)
        return _parcel(row[one], row[other])

    both = survivors.select(F.explode(F.array("first", "second")).alias("row")).distinct()
    block = F.shiftright("row", BLOCK_BITS).alias("block")
    asking = both.groupBy(block).agg(F.collect_list("row").alias("asking"))
    background = proposed.join(asking, "block").select("block", "background", "asking")
    return _compare(
        background.mapInArrow(asked, PAIRS), articles.select("row", "salience"), work, PAIRS
    )


def recurrence_scores(nearest: DataFrame, survivors: DataFrame, articles: DataFrame) -> DataFrame:
    """Measure the recurrence of articles from their background articles.

    Parameters
    ----------
    nearest : DataFrame
        `PAIRS`: articles, and the background articles that agree best with each.
    survivors : DataFrame
        `SURVIVING`, in which fillings of one form are background too.
    articles : DataFrame

    Returns
    -------
    DataFrame
        `RECURRENCE`, only of articles with background articles.
    """

    def work(first: _Rows, second: _Rows, rows: pa.Table) -> dict[str, Any]:
        profiles, similarity = to_profiles(rows)
        asking = distinct(first)
        recurrence = recurrence_of_pairs(profiles, asking, similarity, first, second)
        return {"row": numbers(rows, "row")[asking], "recurrence": recurrence[asking]}

    def both_ways(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for chunk in chunks:
            one, two = numbers(chunk, "first"), numbers(chunk, "second")
            first, second = np.concatenate([one, two]), np.concatenate([two, one])
            block = first >> BLOCK_BITS
            order = np.argsort(block, kind="stable")
            for rows in np.split(order, np.flatnonzero(np.diff(block[order])) + 1):
                if len(rows):
                    parcel = _parcel(first[rows], second[rows])
                    yield from batches({"block": block[rows[:1]], **parcel})

    form = survivors.where("form").select("first", "second").mapInArrow(both_ways, PAIRS)
    return _compare(nearest.unionByName(form), articles.select("row", *SIGNED), work, RECURRENCE)


def _parcel(first: _Rows, second: _Rows) -> dict[str, Any]:
    return {"pairs": cell(np.column_stack([first, second]))}


def _compare(pairs: DataFrame, articles: DataFrame, work: _BlockWork, schema: str) -> DataFrame:
    """Send to each block the articles of its pairs, in order, and process both.

    `work` gets the pairs, as positions of their articles, and the articles.
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
