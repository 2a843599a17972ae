"""The summary of reading on Spark: that of the local engine, from the sketches of the articles."""

from __future__ import annotations

import json
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.sketch.repetition import MOST_TEXTS, repeating_outlets
from sahel_dedup.spark.arrow import ragged
from sahel_dedup.spark.sketches import add_notes
from sahel_dedup.util.names import NameTable

# More names of outlets would not be names, but addresses of pages.
_MOST_OUTLETS = 100_000
_HAS_DATE = 2


class _Texts(NamedTuple):
    """A sample of the articles: see `sahel_dedup.sketch.repetition.TextTraits`."""

    body: NDArray[np.uint64]
    source: NDArray[np.int32]
    length: NDArray[np.int32]
    shingles: NDArray[np.uint32]

    def __len__(self) -> int:
        return len(self.body)


def count_read(made: DataFrame, summary: ReadSummary) -> float | None:
    """Count the articles that were read, from their sketches.

    Parameters
    ----------
    made : DataFrame
        Rows of `sahel_dedup.spark.sketches.SKETCH`.
    summary : ReadSummary
        Receives the counts.

    Returns
    -------
    float or None
        Days between the first and the last article; None if none has a date.
    """
    for row in made.groupBy("flags").count().collect():
        summary.add_flags(np.array([row["flags"]], dtype=np.uint8), row["count"])
    noted = made.select("notes").mapInArrow(add_notes, "notes string").collect()
    # Tasks end in any order, and the first examples are shown.
    for notes in sorted(row["notes"] for row in noted):
        summary.add_notes(json.loads(notes))
    dated = F.col("flags").bitwiseAND(F.lit(_HAS_DATE)) > 0
    counted = made.agg(
        F.count_if(dated & F.col("day").isNull()).alias("implausible"),
        F.count_if(F.col("body") == 0).alias("wordless"),
        (F.max("day") - F.min("day")).alias("span"),
    ).first()
    assert counted is not None  # a table without rows has counts too
    summary.drop_dates(counted.implausible)
    found = made.select("source").where("source is not null").distinct().limit(_MOST_OUTLETS)
    outlets = NameTable(sorted(row.source for row in found.collect()))
    summary.add_outlets(outlets.keys(), ())
    summary.add_texts(counted.wordless, repeating_outlets(_sample(made, outlets)), outlets.names)
    span: float | None = counted.span
    return span


def _sample(made: DataFrame, outlets: NameTable) -> _Texts:
    """Return articles with different texts, chosen by the digests of these."""
    table = (
        made.where("body <> 0")
        .dropDuplicates(["body"])
        .orderBy("body")
        .limit(MOST_TEXTS)
        .select("body", "source", "length", "shingles")
        .toArrow()
    )
    slots, indptr = ragged(table, "shingles", np.uint32)
    has = np.diff(indptr) > 0
    width = len(slots) // max(1, int(has.sum()))
    body = table.column("body").to_numpy().view(np.uint64)
    source = np.array(
        [-1 if name is None else outlets[name] for name in table.column("source").to_pylist()],
        dtype=np.int32,
    )
    length = table.column("length").to_numpy()
    return _Texts(body[has], source[has], length[has], slots.reshape(-1, max(1, width)))
