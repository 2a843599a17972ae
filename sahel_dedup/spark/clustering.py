"""Average linkage inside each component, and its stories, with the local code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sahel_dedup.candidates.exact_copies import spans
from sahel_dedup.clustering.average_linkage import founded, link_components, scorer
from sahel_dedup.clustering.corrected import Linked, correct
from sahel_dedup.clustering.partition import Grouped, StoryPartition
from sahel_dedup.clustering.window import Times
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.scoring.evidence import Evidence, Pairs
from sahel_dedup.settings import Settings
from sahel_dedup.spark.arrow import batches, cells, maybe, numbers, whole_groups
from sahel_dedup.spark.component_pairs import PAIR, recalled
from sahel_dedup.spark.corrected import Followed
from sahel_dedup.spark.sketches import to_profiles

# Rows of articles, each with its story (given by the lowest row in it) and the first and last day
# among its exact copies; and rows of pairs inside stories, several per row, as arrays of
# `sahel_dedup.spark.component_pairs.PAIR`.
LINKED = "row long, whole long, story long, first double, last double, pairs binary"
_LINKED = pa.schema([
    ("row", pa.int64()), ("whole", pa.int64()), ("story", pa.int64()),
    ("first", pa.float64()), ("last", pa.float64()), ("pairs", pa.binary()),
])  # fmt: skip
STORIES = "id string, story_id string, canonical boolean, relation string, similarity double"
_SCHEMA = pa.schema([
    ("id", pa.string()), ("story_id", pa.string()), ("canonical", pa.bool_()),
    ("relation", pa.string()), ("similarity", pa.float64()),
])  # fmt: skip
# The columns that are needed to report articles; their words have been compared by now.
_FOR_RESULTS = (
    "id", "source", "day", "outlet", "lang", "body", "body_check", "headline", "length",
    "opening_numbers", "archive_size",
)  # fmt: skip
# What pairs that corrections alone bring together are compared by.
_FOR_CORRECTIONS = ("terms", "counts", "marks", "idf", "number_contexts")


def link(
    articles: DataFrame,
    copies: DataFrame,
    components: DataFrame,
    inside: DataFrame,
    settings: Settings,
) -> DataFrame:
    """Group the articles of each component into stories.

    Parameters
    ----------
    articles : DataFrame
    copies : DataFrame
        Exact duplicates follow the first of them.
    components : DataFrame
        `sahel_dedup.spark.components.COMPONENTS`; every other article is a component of its own.
    inside : DataFrame
        `sahel_dedup.spark.component_pairs.INSIDE`, the pairs of all components.
    settings : Settings

    Returns
    -------
    DataFrame
        `LINKED`.
    """
    times = (
        _with_heads(articles.select("row", "day"), copies)
        .groupBy("head")
        .agg(F.min("day").alias("first"), F.max("day").alias("last"))
    )
    members = components.join(times, F.col("row") == F.col("head")).drop("head")

    def work(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for table in whole_groups(chunks, ("component",)):
            yield from batches(_linked(table, settings))

    # All data of a component goes to one task: rows of articles, and of their pairs.
    known = members.unionByName(inside, allowMissingColumns=True)
    together = known.repartition("component").sortWithinPartitions("component")
    return together.mapInArrow(work, LINKED)


def _with_heads(articles: DataFrame, copies: DataFrame) -> DataFrame:
    """Add to each article the first one with the same words, or itself."""
    duplicates = copies.where(F.col("duplicate_of") != F.col("row")).select("row", "duplicate_of")
    return articles.join(duplicates, "row", "left").withColumn(
        "head", F.coalesce("duplicate_of", "row")
    )


def _linked(table: pa.Table, settings: Settings) -> dict[str, Any]:
    """Group the articles of whole components, in order of time."""
    members = table.filter(pc.is_valid(table.column("row"))).sort_by("row")
    row = numbers(members, "row").astype(np.int64)
    component = np.unique(numbers(members, "component"), return_inverse=True)[1]
    first, last = (numbers(members, name).astype(np.float64) for name in ("first", "last"))
    score_pairs = scorer(recalled(table, row), len(row), _no_others)
    labels, inside = link_components(
        component, Times(first, last, settings.window_days), score_pairs, settings.merge_threshold
    )
    # Rows are ascending, so the first article of a story has its lowest row.
    _, least, place = np.unique(labels, return_index=True, return_inverse=True)
    story = row[least[place]]
    parcels = pair_cells(story[inside.first], row[inside.first], row[inside.second], inside)
    return beside(
        {"row": row, "whole": numbers(members, "whole"), "story": story,
         "first": maybe(first), "last": maybe(last)},
        parcels,
    )  # fmt: skip


def _no_others(first: NDArray[np.int64], _second: NDArray[np.int64]) -> Pairs:
    """Replace a scorer, because all pairs inside a component have a score."""
    if len(first):
        raise AssertionError("a pair inside a component has no score")
    return Pairs.concatenate([])


def pair_cells(
    story: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64], pairs: Pairs
) -> dict[str, Any]:
    """Convert pairs to cells, one for each story: the columns `story` and `pairs` of `LINKED`.

    Parameters
    ----------
    story, first, second : ndarray of int64, shape (n_pairs,)
        Story and rows of each pair.
    pairs : Pairs
        Their cosines and scores.
    """
    order = np.argsort(story, kind="stable")
    packed = np.empty(len(order), dtype=PAIR)
    packed["first"], packed["second"] = first[order], second[order]
    packed["cosine"], packed["score"] = pairs.cosine[order], pairs.score[order]
    starts = np.flatnonzero(np.diff(story[order], prepend=-1))
    indptr = np.append(starts, len(order))
    return {"story": story[order][starts], "pairs": cells(packed, indptr)}


def beside(members: dict[str, Any], parcels: dict[str, Any]) -> dict[str, Any]:
    """Concatenate rows of articles and rows of pairs, as in `LINKED`."""
    tables = [
        pa.Table.from_pydict(
            {
                field.name: pa.array(columns[field.name], field.type)
                if field.name in columns
                else pa.nulls(len(columns["story"]), field.type)
                for field in _LINKED
            },
            schema=_LINKED,
        )
        for columns in (members, parcels)
    ]
    table = pa.concat_tables(tables)
    return {name: table.column(name) for name in table.column_names}


def stories(
    articles: DataFrame,
    copies: DataFrame,
    linked: DataFrame,
    settings: Settings,
    followed: Followed | None = None,
) -> DataFrame:
    """Report the story of each article.

    Parameters
    ----------
    articles : DataFrame
    copies : DataFrame
        Exact duplicates follow the first of them.
    linked : DataFrame
        `LINKED`; every other article is a story of its own.
    settings : Settings
    followed : Followed, optional
        Corrections that the stories are to follow.

    Returns
    -------
    DataFrame
        `STORIES`.
    """
    members = linked.where("row is not null").select(F.col("row").alias("head"), "story")
    words = () if followed is None else _FOR_CORRECTIONS
    of_several = F.col("story").isNotNull().alias("of_several")
    placed = (
        _with_heads(articles.select("row", *_FOR_RESULTS, "shingles", *words), copies)
        .join(members, "head", "left")
        .withColumns({"of_several": of_several, "story": F.coalesce("story", "head")})
    )
    pairs = linked.where("row is null").select("story", "pairs")
    placed, pairs = (_gather(found, followed) for found in (placed, pairs))
    # Half a kilobyte that an article which is alone, or an exact duplicate, is not asked for; and
    # two more that only stories which corrections touch are.
    first = F.col("head") == F.col("row")
    touched = F.col("gathered").isNotNull()
    placed = placed.select(
        "row", "head", *_FOR_RESULTS, "story", "together",
        F.when(first & (F.col("of_several") | touched), F.col("shingles")).alias("shingles"),
        *(F.when(first & touched, F.col(name)).alias(name) for name in words),
    )  # fmt: skip
    corrections = Corrections()
    if followed is not None:
        corrections = followed.corrections
        placed = placed.join(followed.recurrence.select("row", "recurrence"), "row", "left")

    def work(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for table in whole_groups(chunks, ("together",)):
            yield from batches(_report(table, settings, corrections))

    # All data of a story goes to one task: rows of articles, and of their pairs.
    known = placed.unionByName(pairs.drop("gathered"), allowMissingColumns=True)
    together = known.repartition("together").sortWithinPartitions("together")
    return together.mapInArrow(work, STORIES)


def _gather(found: DataFrame, followed: Followed | None) -> DataFrame:
    """Add what stories come to one task: `together`, and `gathered` where corrections say so."""
    if followed is None:
        found = found.withColumn("gathered", F.lit(None).cast("long"))
    else:
        found = found.join(F.broadcast(followed.gathered), "story", "left")
    return found.withColumn("together", F.coalesce("gathered", "story"))


def _report(table: pa.Table, settings: Settings, corrections: Corrections) -> dict[str, Any]:
    """Report the articles of whole stories, in order of time."""
    articles = table.filter(pc.is_valid(table.column("row"))).sort_by("row")
    row, head = numbers(articles, "row"), numbers(articles, "head")
    duplicate_of = np.searchsorted(row, head)
    profiles, similarity = to_profiles(articles)
    sources, profiles.source = _sources(articles)
    # Without corrections the score of every pair that matters is known.
    recurrence = numbers(articles, "recurrence") if corrections else np.zeros(len(row))
    evidence = Evidence(profiles, similarity, recurrence, settings)
    # Exact duplicates are not nodes of the tree; each is alone until it follows its first copy.
    story = np.where(head == row, numbers(articles, "story"), -1 - np.arange(len(row)))
    labels = np.unique(story, return_inverse=True)[1]
    labels, inside = founded(labels, recalled(table, row), evidence, settings.merge_threshold)
    ids, position = articles.column("id").to_pylist(), np.arange(len(row))
    linked = Linked(labels, labels, inside)
    if corrections:
        score_pairs = scorer(inside, len(row), evidence.score_unlikely_pairs)
        times = Times(*spans(duplicate_of, profiles.day), settings.window_days)
        linked = correct(
            linked, ids, profiles, duplicate_of, score_pairs, times, settings.merge_threshold,
            corrections,
        )  # fmt: skip
    grouped = Grouped(
        ids, position, profiles, duplicate_of, *linked, settings, sources, Corrections()
    )
    reported = list(StoryPartition(grouped).rows())
    return {
        field.name: pa.array([article[field.name] for article in reported], field.type)
        for field in _SCHEMA
    }


def _sources(table: pa.Table) -> tuple[dict[str, int], NDArray[np.int32]]:
    """Assign numbers to the outlets of a table, -1 to no outlet."""
    names = table.column("source").to_pylist()
    sources = {name: number for number, name in enumerate(sorted(set(names) - {None}))}
    return sources, np.array([sources.get(name, -1) for name in names], dtype=np.int32)
