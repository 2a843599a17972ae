"""Scores of pairs, from the evidence with the recurrence of both articles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.scoring.features import NO_LIKENESS, Sketched, measure, measure_rest
from sahel_dedup.scoring.log_odds import scores
from sahel_dedup.scoring.recurrence import recurrence_of
from sahel_dedup.scoring.tfidf import Shared
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.profiles import Traits
from sahel_dedup.spark.arrow import batches, hashes, numbers
from sahel_dedup.spark.comparison import SHARED

_OF_BOTH = (
    "day", "outlet", "headline", "length", "number_count", "archive_size", "recurrence"
)  # fmt: skip


def with_recurrence(articles: DataFrame, recurrence: DataFrame) -> DataFrame:
    """Return what the evidence needs, besides words, for every article.

    Returns
    -------
    DataFrame
        `row`, `day`, `outlet`, `headline`, `length`, `number_count`, `archive_size` and
        `recurrence`.
    """
    # An article without background articles gets the lowest recurrence.
    undated, dated = recurrence_of(np.zeros(2), np.array([np.nan, 0.0])).tolist()
    usual = F.when(F.col("day").isNull(), undated).otherwise(dated)
    return (
        articles.select("row", *_OF_BOTH[:-1])
        .join(recurrence, "row", "left")
        .withColumn("recurrence", F.coalesce("recurrence", usual))
    )


def scored_pairs(surviving: DataFrame, traits: DataFrame, settings: Settings) -> DataFrame:
    """Score the pairs that may report one event.

    Parameters
    ----------
    surviving : DataFrame
        `sahel_dedup.spark.comparison.SURVIVING`.
    traits : DataFrame
        The result of `with_recurrence`.
    settings : Settings

    Returns
    -------
    DataFrame
        `first`, `second` (rows, in order of time), `cosine` and `score`.
    """

    def work(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for chunk in chunks:
            shared = Shared(*(numbers(chunk, name) for name in SHARED))
            yield from batches({
                "first": chunk.column("first"),
                "second": chunk.column("second"),
                "cosine": np.maximum(shared.cosine, NO_LIKENESS),
                "score": _scores(chunk, shared, settings),
            })  # fmt: skip

    pairs = surviving
    for side in ("first", "second"):
        of_side = [F.col(name).alias(f"{side}_{name}") for name in _OF_BOTH]
        pairs = pairs.join(traits.select(F.col("row").alias(side), *of_side), side)
    return pairs.mapInArrow(work, "first long, second long, cosine double, score double")


def _scores(chunk: pa.RecordBatch, shared: Shared, settings: Settings) -> NDArray[np.float64]:
    """Score pairs whose words and sketches have been compared already."""
    n = chunk.num_rows
    first, second = np.arange(n), n + np.arange(n)

    def both(name: str) -> NDArray[np.float64]:
        sides = (numbers(chunk, f"{side}_{name}") for side in ("first", "second"))
        return np.concatenate([side.astype(np.float64) for side in sides])

    titled = [hashes(chunk, f"{side}_headline") for side in ("first", "second")]
    # Words and sketches are not available here and not needed.
    traits = Traits(
        salience=np.zeros((2 * n, 0), dtype=np.uint32),
        shingles=np.zeros((2 * n, 0), dtype=np.uint32),
        number_contexts=np.zeros((2 * n, 0), dtype=np.uint16),
        opening_numbers=np.zeros(2 * n, dtype=np.uint64),
        day=both("day"),
        source=both("outlet").astype(np.int32),
        lang=np.zeros(2 * n, dtype=np.int16),
        body=np.zeros(2 * n, dtype=np.uint64),
        body_check=np.zeros(2 * n, dtype=np.uint64),
        headline=np.concatenate(titled),
        length=both("length").astype(np.int32),
    )
    copy, update = (
        chunk.column(name).to_numpy(zero_copy_only=False) for name in ("copy", "update")
    )
    conflicting, apart = numbers(chunk, "conflicts"), numbers(chunk, "numbers_apart")
    sketched = Sketched(copy, conflicting, update, apart, numbers(chunk, "filled"))
    size = int(numbers(chunk, "first_archive_size").max(initial=0))
    features = measure(first, second, shared.cosine, both("recurrence"), traits, size)
    number_count = both("number_count").astype(np.int64)
    measure_rest(features, first, second, shared, sketched, number_count, traits)
    return scores(features, first, second, traits.day, settings)
