"""IDF of the whole archive, counted in one pass, and the term weights of every article."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, IntegerType, LongType, StructType

from sahel_dedup.scoring.tfidf import blended_idf
from sahel_dedup.spark.arrow import batches, cells, hashes, numbers, ragged
from sahel_dedup.spark.sketches import NUMBER

_TERM = "lang string, term long"


def corpus_idf(timeline: DataFrame) -> DataFrame:
    """Count the articles of its language in which each term occurs, and blend with the prior.

    Returns
    -------
    DataFrame
        `lang`, `term` and `idf`, which equals that of the local engine bit for bit.
    """
    counted = timeline.select("lang", "terms", "prior").mapInArrow(
        _count, f"{_TERM}, prior int, df long"
    )
    totals = F.sum("df").alias("df"), F.max("prior").alias("prior")
    seen = counted.groupBy("lang", "term").agg(*totals)
    sizes = timeline.groupBy("lang").agg(F.count("*").alias("articles"))
    return seen.join(F.broadcast(sizes), "lang").mapInArrow(_idf, f"{_TERM}, idf float")


def with_idf(timeline: DataFrame, idf: DataFrame) -> DataFrame:
    """Replace the prior of each article's terms by their IDF in the archive.

    Each block of articles receives only the terms that occur in it, which are far fewer than all
    occurrences.

    Returns
    -------
    DataFrame
        `timeline` with `idf` in place of `prior`, `number_count`, the number of distinct numbers in
        each article, and `archive_size`, the number of articles.
    """
    size = timeline.count()
    wanted = timeline.select("block", "lang", "terms").mapInArrow(_wanted, f"block long, {_TERM}")
    known = wanted.distinct().join(idf, ["lang", "term"])
    kept = [field for field in timeline.schema if field.name != "prior"]
    schema = StructType(kept).add("idf", BinaryType()).add("number_count", IntegerType())
    schema = schema.add("archive_size", LongType())
    columns = schema.names

    def work(articles: pa.Table, terms: pa.Table) -> pa.Table:
        found, indptr = ragged(articles, "terms", np.uint64)
        marks, _ = ragged(articles, "marks", np.uint8)
        lang, names = _numbered(articles.column("lang"))
        owner_lang = np.repeat(lang, np.diff(indptr))
        idf = np.zeros(len(found), dtype=np.float32)
        for number, name in enumerate(names):
            mine = owner_lang == number
            known = terms.filter(pc.field("lang") == name)
            known_term, value = hashes(known, "term"), numbers(known, "idf")
            order = np.argsort(known_term)
            idf[mine] = value[order][np.searchsorted(known_term[order], found[mine])]
        marked = np.concatenate([[0], np.cumsum(marks & NUMBER > 0)])
        return (
            articles.append_column("idf", cells(idf, indptr))
            .append_column("number_count", pa.array(np.diff(marked[indptr]).astype(np.int32)))
            .append_column("archive_size", pa.array(np.full(len(articles), size)))
            .select(columns)
        )

    return timeline.groupBy("block").cogroup(known.groupBy("block")).applyInArrow(work, schema)


def _count(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for chunk in chunks:
        terms, indptr = ragged(chunk, "terms", np.uint64)
        prior, _ = ragged(chunk, "prior", np.uint16)
        lang, names = _numbered(chunk.column("lang"))
        owner_lang = np.repeat(lang, np.diff(indptr))
        for number, name in enumerate(names):
            mine = owner_lang == number
            term, place, count = np.unique(terms[mine], return_index=True, return_counts=True)
            yield from batches({
                "lang": pa.array([name] * len(term), pa.string()),
                "term": term.view(np.int64),
                "prior": prior[mine][place].astype(np.int32),
                "df": count,
            })  # fmt: skip


def _idf(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for chunk in chunks:
        df, articles = numbers(chunk, "df"), numbers(chunk, "articles")
        idf = blended_idf(df, articles, numbers(chunk, "prior").astype(np.uint16))
        yield pa.RecordBatch.from_pydict(
            {"lang": chunk.column("lang"), "term": chunk.column("term"), "idf": pa.array(idf)}
        )


def _wanted(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for chunk in chunks:
        terms, indptr = ragged(chunk, "terms", np.uint64)
        lang, names = _numbered(chunk.column("lang"))
        group = numbers(chunk, "block") * len(names) + lang
        owner = np.repeat(group, np.diff(indptr))
        for value in np.unique(group).tolist():
            block, number = divmod(value, len(names))
            term = np.unique(terms[owner == value])
            yield from batches({
                "block": np.full(len(term), block),
                "lang": pa.array([names[number]] * len(term), pa.string()),
                "term": term.view(np.int64),
            })  # fmt: skip


def _numbered(column: pa.Array | pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    """Convert a column of few distinct strings to numbers and the list of strings."""
    names, number = np.unique(np.array(column.to_pylist(), dtype=object), return_inverse=True)
    return number, names.tolist()
