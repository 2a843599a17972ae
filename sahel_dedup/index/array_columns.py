"""Conversion between the arrays of an engine and the columns of a file.

A process that opens an index maps them into memory and need not read their rows. A file may be
crafted, so every number that compiled loops use as an index is checked before an array is used,
because those loops do not check bounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.index.array_checks import (
    check_bits,
    check_numbers,
    check_offsets,
    check_reals,
    check_table,
    check_text,
)
from sahel_dedup.index.array_file import Arrays, Column
from sahel_dedup.index.article_ids import IdArrays, to_bytes
from sahel_dedup.index.article_rows import check_langs, to_text
from sahel_dedup.index.growable_profiles import TERM, LiveProfiles
from sahel_dedup.index.live import Live
from sahel_dedup.index.lsh_table import MAX_ROWS, WIDTH
from sahel_dedup.index.online_tfidf import PRIORS
from sahel_dedup.index.row_checks import (
    DAYS,
    HIGHEST_COSINE,
    MOST,
    MOST_32,
    real_numbers,
    whole_numbers,
)
from sahel_dedup.index.standing import NO_STORY, Standing
from sahel_dedup.index.story_members import MemberArrays
from sahel_dedup.index.term_counts import CountArrays
from sahel_dedup.index.term_numbers import TermNumbers
from sahel_dedup.sketch.profiles import Traits
from sahel_dedup.text.vocabulary import UNKNOWN_IDF, Vocabulary, VocabularyArrays
from sahel_dedup.util.names import NameTable
from sahel_dedup.util.version import data_versions, package_version

_TRAITS = tuple(item.name for item in fields(Traits))
_STANDING = tuple(item.name for item in fields(Standing))
_PRIOR = "prior "


def columns_of(live: Live, terms: TermNumbers) -> tuple[dict[str, Any], dict[str, Column]]:
    """Return a description of the arrays, and the used part of each array.

    Parameters
    ----------
    live : Live
    terms : TermNumbers
        Must have all terms of the vocabulary.

    Returns
    -------
    about : dict
    columns : dict of str to Column
    """
    p, s, n = live.profiles, live.standing, len(live)
    columns = {name: Column(getattr(p, name)[:n]) for name in _TRAITS}
    columns |= {
        "indptr": Column(p.indptr[: n + 1]),
        "words": Column(p.words[: p.indptr[n]]),
        "title_indptr": Column(p.title_indptr[: n + 1]),
        "title_terms": Column(p.title_terms[: p.title_indptr[n]]),
    }
    columns |= {name: Column(getattr(s, name)[:n]) for name in _STANDING}
    table, room, entered = live.buckets.arrays()
    vocabulary, counts = live.sketcher.vocabulary.arrays(), live.similarity.arrays()
    filed, number = terms.arrays()
    rows = np.flatnonzero(s.story[:n]).astype(np.int32)
    ids = IdArrays.of(live.ids.encoded(), rows)
    members = MemberArrays.of(s.story[:n], NO_STORY)
    columns |= {
        "buckets": Column(table, grows=False),
        "term_table": Column(vocabulary.table, grows=False),
        "term_hashes": Column(vocabulary.hashes),
        "term_digit": Column(vocabulary.digit),
        "term_letters": Column(vocabulary.letters),
        "term_ends": Column(vocabulary.ends),
        "term_filed": Column(filed),
        "term_number": Column(number),
        "seen": Column(counts.seen, grows=False),
        "log_seen": Column(counts.log_seen, grows=False),
        "log_articles": Column(counts.log_articles, grows=False),
        "number_count": Column(counts.number_count[:n]),
        "id_letters": Column(ids.letters, grows=False),
        "id_ends": Column(ids.ends, grows=False),
        "id_rows": Column(ids.rows, grows=False),
        "id_hashes": Column(ids.hashes, grows=False),
        "id_table": Column(ids.table, grows=False),
        "member_story": Column(members.story, grows=False),
        "member_rows": Column(members.rows, grows=False),
    }
    for lang, known in vocabulary.prior.items():
        columns[_PRIOR + lang] = Column(known, grows=False)
    about = {
        "versions": _versions(),
        "articles": n,
        "clock": None if np.isnan(live.clock) else live.clock,
        "sources": [to_bytes(name) for name in live.sketcher.sources.names],
        "langs": list(live.sketcher.langs.names),
        "counted": list(counts.articles),
        "before": list(counts.before),
        "terms": vocabulary.size,
        "term_salt": vocabulary.salt,
        "last_term": terms.last,
        "id_salt": ids.salt,
        "bucket_room": room,
        "bucket_entered": entered,
    }
    return about, columns


def fill_live(live: Live, arrays: Arrays) -> TermNumbers:
    """Fill an empty engine.

    Parameters
    ----------
    live : Live
    arrays : Arrays
        The result of `columns_of`.

    Returns
    -------
    TermNumbers
        The terms that are in the file.

    Raises
    ------
    LookupError, TypeError, ValueError
        If they are of another release, or invalid for an engine. Nothing has been filled then.
    """
    about = arrays.about
    if about["versions"] != _versions():
        raise ValueError("it was made by another release")
    counted = ("articles", "terms", "bucket_entered", "bucket_room")
    n, size, entered, room = whole_numbers(
        "sizes", [about[name] for name in counted], 0, MOST_32
    ).tolist()
    if n > MAX_ROWS or size > TERM:
        raise ValueError("more articles or terms than an index can have")
    check_langs(about["langs"])
    found = _Reader(arrays)
    sources = NameTable(to_text(name) for name in about["sources"])
    langs = NameTable(about["langs"])
    counts = _counts(found, n, size)
    profiles = _profiles(found, n, size)
    check_numbers("source", profiles.source[:n], -1, len(sources) - 1)
    check_numbers("lang", profiles.lang[:n], 0, len(counts.articles) - 1)
    standing = _standing(found, n)
    vocabulary = _vocabulary(found, size)
    terms = _terms(found, vocabulary)
    ids, members = _ids(found, n), _members(found, n)
    clock = real_numbers("clock", [about["clock"]], *DAYS, missing=True)
    live.buckets.take_over(found.take("buckets", np.uint32, None, WIDTH), room, entered, n)
    # From here on nothing may fail.
    sketcher = live.sketcher
    sketcher.vocabulary, sketcher.sources, sketcher.langs = vocabulary, sources, langs
    for item in fields(LiveProfiles):
        setattr(live.profiles, item.name, getattr(profiles, item.name))
    live.standing, live.clock = standing, float(clock[0])
    live.similarity.take_over(counts)
    live.take_over(ids, members)
    return terms


class _Reader:
    """Returns columns, and checks their types and shapes."""

    def __init__(self, arrays: Arrays) -> None:
        self.about = arrays.about
        self.rows = arrays.rows
        self._columns = arrays.columns

    def take(self, name: str, dtype: Any, rows: int | None = None, *shape: int) -> NDArray[Any]:
        """Return a column with a given number of used rows, and the room after it.

        Raises
        ------
        ValueError
            If it has another number of rows, another type or another shape.
        """
        array = self._columns[name]
        if rows is not None and self.rows[name] != rows:
            raise ValueError(f"{name}: another number of rows")
        if array.dtype != dtype or array.shape[1:] != shape:
            raise ValueError(f"{name}: numbers of another type or shape")
        return array

    def take_like(self, names: Iterable[str], empty: Any, rows: int) -> dict[str, NDArray[Any]]:
        """Return the columns with these names, which must have the types of those of `empty`."""
        like = {name: getattr(empty, name) for name in names}
        return {
            name: self.take(name, array.dtype, rows, *array.shape[1:])
            for name, array in like.items()
        }

    def width(self, name: str) -> int:
        """Return the number of columns of a table."""
        return int(self._columns[name].shape[1])

    def names(self, start: str) -> list[str]:
        """Return the names of columns with a prefix."""
        return [name for name in self._columns if name.startswith(start)]


def _counts(found: _Reader, n: int, size: int) -> CountArrays:
    articles, before = found.about["counted"], found.about["before"]
    langs = len(articles)
    if len(before) != langs:
        raise ValueError("before: another number of languages")
    if not size <= (wide := found.width("seen")) or langs > len(found.about["langs"]):
        raise ValueError("seen: too few terms or languages")
    whole_numbers("counted", articles, 0, MOST_32)
    real_numbers("before", before, 0.0, MOST_32)
    counts = CountArrays(
        tuple(articles),
        tuple(before),
        found.take("seen", np.int32, langs, wide),
        found.take("log_articles", np.float32, langs),
        found.take("log_seen", np.float32, langs, wide),
        found.take("number_count", np.int64, n),
    )
    check_numbers("seen", counts.seen, 0, MOST_32)
    return counts


def _profiles(found: _Reader, n: int, size: int) -> LiveProfiles:
    profiles = LiveProfiles(
        **found.take_like(_TRAITS, LiveProfiles.empty(), n),
        rows=n,
        indptr=found.take("indptr", np.int64, n + 1),
        words=found.take("words", np.uint32),
        title_indptr=found.take("title_indptr", np.int64, n + 1),
        title_terms=found.take("title_terms", np.int32),
    )
    words, titles = found.rows["words"], found.rows["title_terms"]
    check_offsets("indptr", profiles.indptr[: n + 1], words)
    check_offsets("title_indptr", profiles.title_indptr[: n + 1], titles)
    check_bits("words", profiles.words[:words], TERM, size - 1)
    check_numbers("title_terms", profiles.title_terms[:titles], 0, size - 1)
    check_numbers("length", profiles.length[:n], 0, MOST_32)
    check_reals("day", profiles.day[:n], *DAYS, missing=True)
    return profiles


def _standing(found: _Reader, n: int) -> Standing:
    standing = Standing(**found.take_like(_STANDING, Standing.empty(), n))
    check_numbers("duplicate_of", standing.duplicate_of[:n], 0, n - 1)
    check_reals("when", standing.when[:n], *DAYS)
    check_reals("nearest", standing.nearest[:n], 0.0, HIGHEST_COSINE)
    check_reals("recurrence", standing.recurrence[:n], 0.0, HIGHEST_COSINE)
    serial = standing.serial[:n]
    check_numbers("serial", serial, 1, MOST)
    if (np.diff(serial) <= 0).any():
        raise ValueError("serial: rows are out of order")
    return standing


def _vocabulary(found: _Reader, size: int) -> Vocabulary:
    start = len(_PRIOR)
    arrays = VocabularyArrays(
        size,
        _salt(found.about["term_salt"]),
        found.take("term_table", np.int32),
        found.take("term_hashes", np.uint64, size),
        found.take("term_digit", np.bool_, size),
        found.take("term_letters", np.uint8),
        found.take("term_ends", np.int64, size + 1),
        {name[start:]: found.take(name, np.uint16) for name in found.names(_PRIOR)},
    )
    letters = found.rows["term_letters"]
    check_table("term_table", arrays.table, size)
    check_numbers("term_digit", arrays.digit.view(np.uint8), 0, 1)
    check_offsets("term_ends", arrays.ends[: size + 1], letters)
    check_text("term_letters", arrays.letters[:letters], arrays.ends[: size + 1])
    for known in arrays.prior.values():
        check_numbers("prior", known[known != UNKNOWN_IDF], 0, PRIORS - 1)
    return Vocabulary.of(arrays)


def _terms(found: _Reader, vocabulary: Vocabulary) -> TermNumbers:
    (last,) = whole_numbers("last_term", [found.about["last_term"]], -1, MOST_32 - 1).tolist()
    size = len(vocabulary)
    filed = found.take("term_filed", np.int32, size)
    number = found.take("term_number", np.int32, last + 1)
    check_numbers("term_filed", filed[:size], 0, last)
    # Also in the room after it, where values are 0.
    check_numbers("term_number", number, 0, size)
    return TermNumbers.of(vocabulary, filed, number, last)


def _ids(found: _Reader, n: int) -> IdArrays:
    rows = found.take("id_rows", np.int32)
    ids = IdArrays(
        found.take("id_letters", np.uint8),
        found.take("id_ends", np.int64, n + 1),
        rows,
        found.take("id_hashes", np.uint64, len(rows)),
        found.take("id_table", np.int32),
        _salt(found.about["id_salt"]),
    )
    check_offsets("id_ends", ids.ends, len(ids.letters))
    check_text("id_letters", ids.letters, ids.ends, "surrogatepass")
    check_numbers("id_rows", rows, 0, n - 1)
    check_table("id_table", ids.table, len(rows))
    return ids


def _members(found: _Reader, n: int) -> MemberArrays:
    rows = found.take("member_rows", np.int32)
    check_numbers("member_rows", rows, 0, n - 1)
    return MemberArrays(found.take("member_story", np.uint64, len(rows)), rows)


def _salt(value: object) -> int:
    if type(value) is not int or not 0 <= value < 1 << 64:
        raise ValueError("a salt out of range")
    return value


def _versions() -> dict[str, str]:
    """Return the versions of everything on which the arrays depend."""
    return {"sahel_dedup": package_version(), **data_versions()}
