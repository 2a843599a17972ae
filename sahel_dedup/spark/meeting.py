"""Where two rows meet: pairs and the articles they name are brought together by blocks.

A block holds the pairs of 4,096 neighbours in time. An article is shipped once to each
block that has a pair with it, however many pairs those are; in a dated archive that is
its own block and the few within the window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame

from sahel_dedup.batch import MIN_COSINE
from sahel_dedup.contrast import LOWEST_BAR, bars_of, closest_met
from sahel_dedup.evidence import LIMIT, Evidence
from sahel_dedup.fingerprint import SLOTS
from sahel_dedup.lsh import MIN_AGREEMENT, agreeing_slots, distinct
from sahel_dedup.spark.arrays import batches, cell, matrix, numbers, ragged
from sahel_dedup.spark.articles import COMPARED, to_profiles
from sahel_dedup.spark.buckets import PAIRS

# What is found of each article: its bar, and the articles behind it in time that may
# report its event, with what the two share.
FOUND = (
    "row long, bar double, second array<long>, cosine array<double>, shared array<long>, "
    "title array<double>"
)
_Work = Callable[[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], pa.Table], pa.Table]


def agreeing(proposed: DataFrame, articles: DataFrame) -> DataFrame:
    """Keep the pairs that agree in enough slots.

    Returns
    -------
    DataFrame
        `PAIRS`: candidates that share `MIN_AGREEMENT` slots, and the few strangers that
        agree best with each article.
    """

    def work(
        block: NDArray[np.int64], ahead: NDArray[np.int64], met: NDArray[np.int64], rows: pa.Table
    ) -> pa.Table:
        salience = matrix(rows, "salience", np.uint32)
        n = len(salience)
        enough = agreeing_slots(salience, ahead[:, 0], ahead[:, 1]) >= MIN_AGREEMENT
        ranked = closest_met(salience, met[:, 0] * n + met[:, 1], np.zeros(0, dtype=np.int64))
        closest = np.column_stack([ranked // (n * (SLOTS + 1)), ranked % n])
        row = numbers(rows, "row")
        return pa.table({
            "block": block, "ahead": cell(row[ahead[enough]]), "met": cell(row[closest])
        })  # fmt: skip

    return _meet(proposed, articles.select("row", "salience"), work, PAIRS)


def found(agreed: DataFrame, articles: DataFrame, window: float, least: float) -> DataFrame:
    """Compare articles: find their bars, and the pairs that may be one event.

    Parameters
    ----------
    agreed : DataFrame
        `PAIRS`.
    articles : DataFrame
    window : float
        In days.
    least : float
        Pairs that cannot score so much are left out.

    Returns
    -------
    DataFrame
        `FOUND`.
    """

    def work(
        _block: NDArray[np.int64], ahead: NDArray[np.int64], met: NDArray[np.int64], rows: pa.Table
    ) -> pa.Table:
        profiles, similarity = to_profiles(rows)
        first, second = ahead.T
        close = similarity.cosines(first, second) >= MIN_COSINE
        first, second = first[close], second[close]
        if least > -LIMIT:
            lowest = np.full(len(profiles), LOWEST_BAR)
            hopes = Evidence(profiles, similarity, lowest, window).weigh(first, second)
            first, second = first[hopes.score >= least], second[hopes.score >= least]
        shared = [block for _, block in similarity.shared(first, second)]
        asking = distinct(np.concatenate([ahead[:, 0], met[:, 0]]))
        bar = bars_of(profiles, asking, similarity, met[:, 0], met[:, 1])
        row = numbers(rows, "row")
        bounds = np.searchsorted(first, np.append(asking, len(row))).astype(np.int32)
        columns = {
            "second": row[second],
            **{
                name: np.concatenate([none, *(getattr(block, field) for block in shared)])
                for name, field, none in (
                    ("cosine", "cosine", np.zeros(0)),
                    ("shared", "figures", row[:0]),
                    ("title", "title_cosine", np.zeros(0)),
                )
            },
        }
        return pa.table({
            "row": row[asking],
            "bar": bar[asking],
            **{name: pa.ListArray.from_arrays(bounds, values) for name, values in columns.items()},
        })  # fmt: skip

    return _meet(agreed, articles.select("row", *COMPARED), work, FOUND)


def _meet(pairs: DataFrame, articles: DataFrame, work: _Work, schema: str) -> DataFrame:
    """Ship to each block the articles that its pairs name, in order, and work on both."""

    def together(parcels: pa.Table, rows: pa.Table) -> pa.Table:
        rows = rows.sort_by("row")
        row = numbers(rows, "row")
        ahead, met = (
            np.searchsorted(row, ragged(parcels, name, np.int64)[0].reshape(-1, 2))
            for name in ("ahead", "met")
        )
        return work(numbers(parcels, "block"), ahead, met, rows)

    wanted = pairs.mapInArrow(_wanted, "block long, row long")
    shipped = wanted.join(articles, "row")
    return pairs.groupBy("block").cogroup(shipped.groupBy("block")).applyInArrow(together, schema)


def _wanted(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for chunk in chunks:
        for place, block in enumerate(numbers(chunk, "block").tolist()):
            parcel = chunk.slice(place, 1)
            named = [ragged(parcel, name, np.int64)[0] for name in ("ahead", "met")]
            row = distinct(np.concatenate(named))
            yield from batches({"block": np.full(len(row), block), "row": row})
