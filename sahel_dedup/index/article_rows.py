"""Rows of articles in several tables: conversion between memory and the types of SQLite."""

from __future__ import annotations

import itertools
import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.errors import SahelError
from sahel_dedup.index.article_ids import to_bytes
from sahel_dedup.index.growable_profiles import TERM, TERM_BITS
from sahel_dedup.index.live import Live
from sahel_dedup.index.row_checks import (
    DAYS,
    MOST_32,
    blobs,
    check_rising,
    offsets,
    real_numbers,
    strings,
    whole_numbers,
)
from sahel_dedup.index.sqlite_file import TableRow
from sahel_dedup.index.standing import Standing
from sahel_dedup.index.term_numbers import TermNumbers
from sahel_dedup.io.tabular import plain_value, to_json
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.number_contexts import SLOTS as CONTEXT_SLOTS
from sahel_dedup.sketch.profiles import MAX_KEPT, Profiles
from sahel_dedup.text.language import KNOWN
from sahel_dedup.util.languages import UNKNOWN

logger = logging.getLogger("sahel_dedup.index")

# The types of numbers in the file.
_NUMBER, _SLOT, _COUNT = np.dtype("<i4"), np.dtype("<u2"), np.dtype("u1")
_COSINE = np.dtype("<f4")
# Number of rows that are converted one by one.
_FEW = 3
_SKETCHES = {"salience": 2 * SLOTS, "shingles": SLOTS, "number_contexts": 2 * CONTEXT_SLOTS}


def article_rows(live: Live, first: int, last: int, terms: TermNumbers) -> Iterator[TableRow]:
    """Yield the rows of some live articles.

    Parameters
    ----------
    live : Live
    first, last : int
        Their first row, and the row after their last one.
    terms : TermNumbers
        Must have all their terms.
    """
    if last - first <= _FEW:
        return _one_by_one(live, first, last, terms)
    return _by_column(live, first, last, terms)


def _one_by_one(live: Live, first: int, last: int, terms: TermNumbers) -> Iterator[TableRow]:
    """Yield few rows, for which a call per column and row is faster than arrays of one number."""
    p, ids, serials = live.profiles, live.ids, live.standing.serial
    outlets, langs = live.sketcher.sources.names, live.sketcher.langs.names
    # SQLite's integers are signed.
    hashes = [p.body.view(np.int64), p.body_check.view(np.int64), p.headline.view(np.int64)]
    numbers = p.opening_numbers.view(np.int64)
    for row in range(first, last):
        words = p.words[p.indptr.item(row) : p.indptr.item(row + 1)]
        titles = p.title_terms[p.title_indptr.item(row) : p.title_indptr.item(row + 1)]
        day, place = p.day.item(row), p.source.item(row)
        yield (
            serials.item(row),
            to_bytes(ids[row]),
            None if math.isnan(day) else day,
            None if place < 0 else to_bytes(outlets[place]),
            langs[p.lang.item(row)],
            *[column.item(row) for column in hashes],
            p.length.item(row),
            numbers.item(row),
            _blob(terms.filed(words & TERM), _NUMBER),
            _blob(words >> TERM_BITS, _COUNT),
            _blob(terms.filed(titles), _NUMBER),
            _blob(p.salience[row], _SLOT),
            _blob(p.shingles[row], _COUNT),
            _blob(p.number_contexts[row], _SLOT),
        )


def _by_column(live: Live, first: int, last: int, terms: TermNumbers) -> Iterator[TableRow]:
    """Yield many rows, column by column."""
    p, here = live.profiles, slice(first, last)
    outlets, langs = live.sketcher.sources.names, live.sketcher.langs.names
    starts = p.indptr[first : last + 1].tolist()
    title_starts = p.title_indptr[first : last + 1].tolist()
    words = p.words[starts[0] : starts[-1]]
    title_terms = p.title_terms[title_starts[0] : title_starts[-1]]
    sources = p.source[here].tolist()
    return zip(
        live.standing.serial[here].tolist(),
        map(to_bytes, live.ids[here]),
        [None if math.isnan(day) else day for day in p.day[here].tolist()],
        [None if place < 0 else to_bytes(outlets[place]) for place in sources],
        [langs[lang] for lang in p.lang[here].tolist()],
        # SQLite's integers are signed.
        p.body[here].view(np.int64).tolist(),
        p.body_check[here].view(np.int64).tolist(),
        p.headline[here].view(np.int64).tolist(),
        p.length[here].tolist(),
        p.opening_numbers[here].view(np.int64).tolist(),
        to_blobs(terms.filed(words & TERM), _NUMBER, starts),
        to_blobs(words >> TERM_BITS, _COUNT, starts),
        to_blobs(terms.filed(title_terms), _NUMBER, title_starts),
        to_blobs(p.salience[here], _SLOT),
        to_blobs(p.shingles[here], _COUNT),
        to_blobs(p.number_contexts[here], _SLOT),
        strict=True,
    )


def text_rows(
    serials: Sequence[int], articles: Sequence[Article], *, fields: bool
) -> Iterator[TableRow]:
    """Yield the rows of the texts of some articles, with their further fields if wanted."""
    for serial, article in zip(serials, articles, strict=True):
        title = None if article.title is None else to_bytes(article.title)
        # Uncompressed, because compression takes longer than writing everything else.
        yield serial, title, to_bytes(article.text), fields_to_bytes(article) if fields else None


def standing_rows(
    standing: Standing, rows: range | NDArray[np.int64], change: int
) -> Iterator[TableRow]:
    """Yield rows of the table `standing`.

    Parameters
    ----------
    standing : Standing
    rows : range or ndarray of int64
        The rows in memory.
    change : int
        Number of the transaction.
    """
    s, stories = standing, standing.story.view(np.int64)
    if len(rows) <= _FEW:
        for row in rows:
            yield (
                s.serial.item(row),
                stories.item(row),
                s.serial.item(s.duplicate_of.item(row)),
                s.when.item(row),
                _blob(s.nearest[row], _COSINE),
                change,
            )
        return
    chosen = slice(rows.start, rows.stop) if isinstance(rows, range) else rows
    yield from zip(
        s.serial[chosen].tolist(),
        stories[chosen].tolist(),
        s.serial[s.duplicate_of[chosen]].tolist(),
        s.when[chosen].tolist(),
        to_blobs(s.nearest[chosen], _COSINE),
        itertools.repeat(change, len(rows)),
        strict=True,
    )


def articles_of_rows(
    columns: Sequence[tuple[Any, ...]], live: Live, terms: TermNumbers
) -> tuple[list[str], Profiles]:
    """Convert columns of the table, from `id` on, to ids and profiles.

    Raises
    ------
    ValueError
        If anything in them is invalid.
    """
    ids, day, source, lang, body, body_check, headline, length, numbers, *others = columns
    terms_, counts, titles, *sketches = others
    for name, values in (("id", ids), ("terms", terms_), ("counts", counts), ("title", titles)):
        blobs(name, values)
    blobs("source", source, missing=True)
    check_langs(lang)
    for (name, width), values in zip(_SKETCHES.items(), sketches, strict=True):
        blobs(name, values, width)
    indptr, places = offsets("terms", terms_, 4), offsets("counts", counts, 1)
    if (indptr != places).any():
        raise ValueError("terms and their counts do not fit")
    often = np.frombuffer(b"".join(counts), "u1")
    if len(often) and not (often & MAX_KEPT).min():
        raise ValueError("counts: a number out of range")
    title_indptr = offsets("title", titles, 4)
    salience, shingles, number_contexts = map(b"".join, sketches)
    sketcher, n = live.sketcher, len(ids)
    names = [to_text(data) for data in ids]
    if not all(names):
        raise ValueError("id: empty")
    return names, Profiles(
        indptr=indptr,
        terms=_terms("terms", terms_, indptr, terms),
        counts=often,
        title_indptr=title_indptr,
        title_terms=_terms("title", titles, title_indptr, terms),
        salience=np.frombuffer(salience, "<u2").reshape(n, SLOTS),
        shingles=np.frombuffer(shingles, "u1").reshape(n, SLOTS),
        number_contexts=np.frombuffer(number_contexts, "<u2").reshape(n, CONTEXT_SLOTS),
        opening_numbers=whole_numbers("opening_numbers", numbers).view(np.uint64),
        day=real_numbers("day", day, *DAYS, missing=True),
        source=np.array(
            [-1 if s is None else _number(sketcher.sources, to_text(s)) for s in source],
            dtype=np.int32,
        ),
        lang=np.array([_number(sketcher.langs, name) for name in lang], dtype=np.int16),
        body=whole_numbers("body", body).view(np.uint64),
        body_check=whole_numbers("body_check", body_check).view(np.uint64),
        headline=whole_numbers("headline", headline).view(np.uint64),
        length=whole_numbers("length", length, 0, MOST_32).astype(np.int32),
    )


def check_langs(langs: Sequence[object]) -> None:
    """Check a column of languages, each of which costs the engine a row as long as the vocabulary.

    Raises
    ------
    ValueError
        If `sahel_dedup.text.language.detect` never returns one of them.
    """
    strings("lang", langs)
    if not KNOWN.union([UNKNOWN]).issuperset(langs):
        raise ValueError("lang: not a known language")


def to_blobs(
    values: NDArray[Any], dtype: np.dtype[Any], starts: Sequence[int] | None = None
) -> list[bytes]:
    """Convert the rows of an array to bytes; of a ragged one, the starts of rows are given.

    They count from any number, which is that of the first row.
    """
    values = values.astype(dtype, copy=False)
    data = values.tobytes()
    if starts is None:
        size = len(data) // len(values) if data else 1
        return [data[start : start + size] for start in range(0, len(data), size)]
    size, before = values.itemsize, values.itemsize * starts[0]
    ends = itertools.pairwise(starts)
    return [data[size * start - before : size * end - before] for start, end in ends]


def _blob(values: NDArray[Any], dtype: np.dtype[Any]) -> bytes:
    return values.astype(dtype, copy=False).tobytes()


def to_text(data: bytes) -> str:
    """Decode bytes to the original text."""
    return data.decode("utf-8", "surrogatepass")


def fields_to_bytes(article: Article) -> bytes | None:
    """Pack the further fields of an article; return None if there are none.

    A field that JSON cannot hold is left out and logged.
    """
    packed = []
    for name, value in article.extra.items():
        try:
            packed.append(f"{to_json(str(name))}:{to_json(plain_value(value))}")
        except SahelError as error:
            logger.warning("field %r of %r is not kept: %s", name, article.id, error)
    return to_bytes(f"{{{','.join(packed)}}}") if packed else None


def read_fields(data: bytes | None) -> Mapping[str, object]:
    """Unpack further fields.

    Raises
    ------
    ValueError
        If they are not a JSON object.
    """
    found = {} if data is None else json.loads(to_text(data))
    if not isinstance(found, dict):
        raise ValueError("extra: not an object")
    return found


def _terms(
    name: str, values: Sequence[bytes], starts: NDArray[np.int64], terms: TermNumbers
) -> NDArray[np.int32]:
    filed = np.frombuffer(b"".join(values), "<i4")
    check_rising(name, filed, starts)
    return terms.in_memory(filed)


def _number(numbers: dict[str, int], name: str) -> int:
    return numbers.setdefault(name, len(numbers))
