"""Confirmed pairs: the evidence for each pair, with the bars of both its articles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.contrast import LOWEST_BAR, TYPICAL_BAR
from sahel_dedup.evidence import Evidence
from sahel_dedup.fingerprint import SLOTS
from sahel_dedup.profiles import Traits
from sahel_dedup.settings import Settings
from sahel_dedup.similarity import Shared
from sahel_dedup.spark.arrays import batches, hashes, numbers
from sahel_dedup.tallies import SLOTS as TALLIES

_OF_BOTH = ("day", "outlet", "headline", "figures", "bar")


def with_bars(articles: DataFrame, bars: DataFrame) -> DataFrame:
    """Tell of every article what evidence is made of, besides its words.

    Returns
    -------
    DataFrame
        `row`, `day`, `outlet`, `headline`, `figures` and `bar`.
    """
    # An article that met nobody has the bar of one that is like nobody.
    usual = F.when(F.col("day").isNull(), TYPICAL_BAR).otherwise(LOWEST_BAR)
    return (
        articles.select("row", "day", "outlet", "headline", "figures")
        .join(bars, "row", "left")
        .withColumn("bar", F.coalesce("bar", usual))
    )


def weighed_pairs(hopes: DataFrame, told: DataFrame, settings: Settings) -> DataFrame:
    """Weigh the pairs that may be one event.

    Parameters
    ----------
    hopes : DataFrame
        `sahel_dedup.spark.meeting.HOPES`.
    told : DataFrame
        What `with_bars` tells of every article.
    settings : Settings

    Returns
    -------
    DataFrame
        `first`, `second` (rows, in order of time), `cosine` and `score`.
    """

    def work(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for chunk in chunks:
            evidence, n = _evidence(chunk, settings), chunk.num_rows
            pairs = evidence.weigh(np.arange(n), n + np.arange(n))
            yield from batches({
                "first": chunk.column("first"),
                "second": chunk.column("second"),
                "cosine": pairs.cosine,
                "score": pairs.score,
            })  # fmt: skip

    pairs = hopes
    for side in ("first", "second"):
        of_side = [F.col(name).alias(f"{side}_{name}") for name in _OF_BOTH]
        pairs = pairs.join(told.select(F.col("row").alias(side), *of_side), side)
    return pairs.mapInArrow(work, "first long, second long, cosine double, score double")


@dataclass(frozen=True, slots=True)
class _Recalled:
    """A comparison that was made before, where the words of both articles were at hand."""

    figures: NDArray[np.int64]
    found: Shared

    def cosines(self, _first: NDArray[np.int64], _second: NDArray[np.int64]) -> NDArray[np.float64]:
        return self.found.cosine

    def shared(
        self,
        first: NDArray[np.int64],
        _second: NDArray[np.int64],
        _cosine: NDArray[np.float64] | None = None,
    ) -> Iterator[tuple[slice, Shared]]:
        yield slice(0, len(first)), self.found


def _evidence(chunk: pa.RecordBatch, settings: Settings) -> Evidence:
    """Make what weighs the pairs of a chunk: first all first articles, then all second."""

    def both(name: str) -> NDArray[np.float64]:
        sides = (numbers(chunk, f"{side}_{name}") for side in ("first", "second"))
        return np.concatenate([side.astype(np.float64) for side in sides])

    titled = [hashes(chunk, f"{side}_headline") for side in ("first", "second")]
    n = 2 * chunk.num_rows
    # Signatures that agree in as many slots as those that were compared.
    differs = np.arange(SLOTS) >= numbers(chunk, "verbatim")[:, None]
    shingles = np.concatenate([np.zeros_like(differs), differs]).astype(np.uint32)
    # Figures that differ beside as many words.
    other = np.arange(TALLIES) < numbers(chunk, "conflicts")[:, None]
    tallies = np.concatenate([np.ones_like(other), other * 2]).astype(np.uint16)
    # No words are at hand, and none are needed.
    traits = Traits(
        salience=np.zeros((n, 0), dtype=np.uint32),
        shingles=shingles,
        tallies=tallies,
        day=both("day"),
        source=both("outlet").astype(np.int32),
        lang=np.zeros(n, dtype=np.int16),
        body=np.zeros(n, dtype=np.uint64),
        headline=np.concatenate(titled),
        length=np.zeros(n, dtype=np.int32),
    )
    found = Shared(
        *(numbers(chunk, name) for name in ("cosine", "shared", "title", "title_figures"))
    )
    recalled = _Recalled(both("figures").astype(np.int64), found)
    return Evidence(traits, recalled, both("bar"), settings)
