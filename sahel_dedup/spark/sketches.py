"""Sketches on Spark: one row of a data frame per article.

Term numbers of the local engine are valid only within one process, so a row has the 64-bit hashes
of the terms. Where rows meet, terms are numbered again and the rows become the profiles that the
local code needs.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.candidates.exact_copies import headline_echoes
from sahel_dedup.errors import ArticleError
from sahel_dedup.io.article_reader import ArticleReader
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.sketch import number_contexts
from sahel_dedup.sketch.fingerprint import EMPTY_SLOT, SLOTS
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher, chunked
from sahel_dedup.spark.arrow import (
    batches,
    cells,
    hashes,
    matrix_cells,
    maybe,
    numbers,
    ragged,
)

_Slot = TypeVar("_Slot", np.uint16, np.uint32)

# Everything that is known about an article on its own.
SKETCH = (
    "id string, day double, source string, lang string, body long, body_check long, headline "
    "long, length int, opening_numbers long, echo double, salience binary, shingles binary, "
    "number_contexts binary, terms binary, counts binary, marks binary, prior binary, flags int, "
    "notes string"
)
# The columns that a comparison of articles needs.
COMPARISON_COLUMNS = (
    "day", "outlet", "lang", "body", "body_check", "headline", "length", "opening_numbers",
    "terms", "counts", "marks", "idf", "archive_size",
)  # fmt: skip
SIGNED = (*COMPARISON_COLUMNS, "number_contexts", "shingles")
# Bits of `marks`: the term starts with a digit, is in the title, or is a year.
NUMBER, TITLE, YEAR = 1, 2, 4


def sketch(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Sketch the articles of a task with the kernels of the local engine.

    Parameters
    ----------
    chunks
        Rows with ``id``, ``text`` and any others of `FIELDS`.

    Yields
    ------
    pyarrow.RecordBatch
        Rows of `SKETCH`.
    """
    sketcher = Sketcher()
    # Without a thread that sketches ahead, because the names behind the numbers are read here.
    noted: deque[tuple[int, str | None]] = deque()
    for articles in chunked(_articles(chunks, noted)):
        ids = [article.id for article in articles]
        columns = _columns(ids, sketcher.sketch(articles), sketcher)
        flags, notes = zip(*(noted.popleft() for _ in articles), strict=True)
        columns["flags"] = pa.array(flags, pa.int32())
        columns["notes"] = pa.array(notes, pa.string())
        yield from batches(columns)


def _articles(
    chunks: Iterable[pa.RecordBatch], noted: deque[tuple[int, str | None]]
) -> Iterator[Article]:
    """Read articles, and record what a summary counts of each: its flags, and any notes."""
    reader = ArticleReader()
    for chunk in chunks:
        for row in chunk.to_pylist():
            reader.summary = ReadSummary()
            try:
                article = reader.article(row)
            except ArticleError as error:
                raise ArticleError(f"article {row.get('id')!r}: {error}") from None
            notes = reader.summary.notes() | {"columns": []}
            noted.append(
                (ReadSummary.flags(article), json.dumps(notes) if any(notes.values()) else None)
            )
            yield article


def add_notes(chunks: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Add up the notes of a task, given its rows of `SKETCH`; yield one row of JSON."""
    summary = ReadSummary()
    for chunk in chunks:
        for notes in chunk.column("notes").drop_null().to_pylist():
            summary.add_notes(json.loads(notes))
    yield pa.RecordBatch.from_pydict({"notes": [json.dumps(summary.notes())]})


def _columns(ids: list[str], profiles: Profiles, sketcher: Sketcher) -> dict[str, Any]:
    p, vocabulary = profiles, sketcher.vocabulary
    owner = np.repeat(np.arange(len(p)), np.diff(p.indptr))
    title_owner = np.repeat(np.arange(len(p)), np.diff(p.title_indptr))
    term, lang = vocabulary.hashes[p.terms], p.lang[owner]
    in_title = np.isin((owner << 32) | p.terms, (title_owner << 32) | p.title_terms)
    marks = vocabulary.is_number[p.terms] * np.uint8(NUMBER) + in_title * np.uint8(TITLE)
    marks += np.isin(p.terms, vocabulary.years()) * np.uint8(YEAR)
    langs, sources = sketcher.langs.names, sketcher.sources.names
    prior = np.zeros(len(term), dtype=np.uint16)
    for number in np.unique(lang).tolist():
        mine = lang == number
        prior[mine] = vocabulary.prior_idf(langs[number], p.terms[mine])
    # Sorted by hash, so that numbers assigned in this order are ascending within each article.
    order = np.lexsort((term, owner))
    return {
        "id": pa.array(ids, pa.string()),
        "day": maybe(p.day),
        "source": pa.array([None if n < 0 else sources[n] for n in p.source.tolist()], pa.string()),
        "lang": pa.array([langs[number] for number in p.lang.tolist()], pa.string()),
        "body": p.body.view(np.int64),
        "body_check": p.body_check.view(np.int64),
        "headline": p.headline.view(np.int64),
        "length": p.length,
        "opening_numbers": p.opening_numbers.view(np.int64),
        "echo": headline_echoes(p, sketcher.langs.names, vocabulary),
        "salience": matrix_cells(p.salience),
        "shingles": matrix_cells(p.shingles),
        "number_contexts": matrix_cells(p.number_contexts),
        "terms": cells(term[order], p.indptr),
        "counts": cells(p.counts[order], p.indptr),
        "marks": cells(marks[order].astype(np.uint8), p.indptr),
        "prior": cells(prior[order], p.indptr),
    }


def to_profiles(table: pa.Table) -> tuple[Profiles, Similarity]:
    """Convert rows that have met in a task to the input of the local engine.

    Parameters
    ----------
    table : pyarrow.Table
        Columns of `COMPARISON_COLUMNS`, possibly without the words; `salience`, `shingles` and
        `number_contexts` are used if they exist.

    Returns
    -------
    profiles : Profiles
        In the order of the rows.
    similarity : Similarity
        With the IDF of the whole archive.
    """
    n = table.num_rows
    found, indptr = ragged(table, "terms", np.uint64)
    idf, _ = ragged(table, "idf", np.float32)
    marks, _ = ragged(table, "marks", np.uint8)
    counts, _ = ragged(table, "counts", np.uint8)
    known, terms = np.unique(found, return_inverse=True)
    langs, lang = np.unique(table.column("lang").to_pylist(), return_inverse=True)
    weights = np.zeros((max(len(langs), 1), len(known)), dtype=np.float32)
    weights[np.repeat(lang, np.diff(indptr)), terms] = idf
    is_number = np.zeros(len(known), dtype=bool)
    is_number[terms[marks & NUMBER > 0]] = True
    in_title = marks & TITLE > 0
    profiles = Profiles(
        indptr=indptr,
        terms=terms.astype(np.int32),
        counts=counts,
        title_indptr=np.concatenate([[0], np.cumsum(in_title)])[indptr],
        title_terms=terms[in_title].astype(np.int32),
        salience=_signature(table, "salience", EMPTY_SLOT, SLOTS),
        shingles=_signature(table, "shingles", EMPTY_SLOT, SLOTS),
        number_contexts=_signature(
            table, "number_contexts", number_contexts.EMPTY_SLOT, number_contexts.SLOTS
        ),
        opening_numbers=hashes(table, "opening_numbers"),
        day=numbers(table, "day").astype(np.float64),
        source=numbers(table, "outlet").astype(np.int32),
        lang=lang.astype(np.int16),
        body=hashes(table, "body"),
        body_check=hashes(table, "body_check"),
        headline=hashes(table, "headline"),
        length=numbers(table, "length").astype(np.int32),
    )
    assert len(profiles) == n
    years = np.unique(terms[marks & YEAR > 0]).astype(np.int32)
    # All rows have the same; tables without rows have no pairs either.
    size = int(numbers(table, "archive_size").max(initial=0))
    return profiles, Similarity.with_idf(profiles, weights, is_number, years, size)


def _signature(table: pa.Table, name: str, empty: _Slot, width: int) -> NDArray[_Slot]:
    slots = np.full((table.num_rows, width), empty)
    values, indptr = ragged(table, name, slots.dtype)
    slots[np.diff(indptr) > 0] = values.reshape(-1, width)
    return slots
