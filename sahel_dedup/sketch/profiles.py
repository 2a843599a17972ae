"""Profiles: the data kept for each article once its text is discarded, in columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.util.jit import compiled

# A count above 127 is stored as 127; the highest bit marks the terms of title and opening.
OPENING = np.uint8(128)
MAX_KEPT = np.uint8(127)
# The bit of a headline that says that it marks a revision.
REVISED = np.uint64(1)
_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(slots=True)
class Traits:
    """The data kept for articles besides their words, as arrays with one row per article.

    Attributes
    ----------
    salience, shingles : ndarray of uint32, shape (n, 128)
        Fingerprints. An index keeps only the lower bits of their slots, as uint16 and uint8.
    number_contexts : ndarray of uint16, shape (n, 32)
        Number contexts (`sahel_dedup.sketch.number_contexts`) of articles that have a date.
    opening_numbers : ndarray of uint64, shape (n,)
        The numbers in title and opening (`sahel_dedup.sketch.opening_numbers`); 0 where there are
        none.
    day : ndarray of float64, shape (n,)
        Time of publication in days since 1970; NaN where missing or implausible.
    source : ndarray of int32, shape (n,)
        Number of the outlet; -1 where missing.
    lang : ndarray of int16, shape (n,)
        Number of the language.
    body, body_check : ndarray of uint64, shape (n,)
        The two halves of the digest of the text's words (`sahel_dedup.sketch.digests`); 0 for a
        text without words. Two texts are the same if both halves are: see `same_text`.
    headline : ndarray of uint64, shape (n,)
        The first half of the digest of the title. Its lowest bit is 1 if the title marks a revision
        (`sahel_dedup.text.revisions`). 0 for an article without a title.
    length : ndarray of int32, shape (n,)
        Number of tokens in title and text.
    """

    salience: NDArray[Any]
    shingles: NDArray[Any]
    number_contexts: NDArray[np.uint16]
    opening_numbers: NDArray[np.uint64]
    day: NDArray[np.float64]
    source: NDArray[np.int32]
    lang: NDArray[np.int16]
    body: NDArray[np.uint64]
    body_check: NDArray[np.uint64]
    headline: NDArray[np.uint64]
    length: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.body)

    def same_text(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether the articles of each pair have the same words in the same order (at least one).

        Parameters
        ----------
        first, second : ndarray of int64, shape (n_pairs,)
            Rows of the articles.

        Returns
        -------
        ndarray of bool, shape (n_pairs,)
        """
        same = np.empty(len(first), dtype=np.bool_)
        _compare_digests(first, second, self.body, self.body_check, same)
        return same

    def of_one_outlet(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Whether the articles of each pair are known to be of one outlet, shape (n_pairs,).

        Parameters
        ----------
        first, second : ndarray of int64, shape (n_pairs,)
            Rows of the articles.
        """
        source = self.source[first]
        return np.asarray((source >= 0) & (source == self.source[second]))

    def _take_traits(self, rows: NDArray[np.int64]) -> None:
        """Keep the traits of some articles, in the order given."""
        for item in fields(Traits):
            setattr(self, item.name, getattr(self, item.name)[rows])


@compiled
def _compare_digests(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    body: NDArray[np.uint64],
    check: NDArray[np.uint64],
    same: NDArray[np.bool_],
) -> None:
    """Fill in what `Traits.same_text` returns."""
    for i in range(len(first)):
        a, b = first[i], second[i]
        same[i] = body[a] == body[b] and body[a] > 0 and check[a] == check[b]


@compiled
def is_one_outlet(one: np.int64, other: np.int64, source: NDArray[np.int32]) -> bool:
    """Apply the rule of `Traits.of_one_outlet` to two articles."""
    return bool(source[one] >= 0 and source[one] == source[other])


@compiled
def are_two_outlets(one: np.int64, other: np.int64, source: NDArray[np.int32]) -> bool:
    """Whether two articles are known to be of different outlets."""
    return bool(source[one] >= 0 and source[other] >= 0 and source[one] != source[other])


def are_in_text(
    title_terms: NDArray[Any], terms: NDArray[Any], counts: NDArray[Any]
) -> NDArray[np.bool_]:
    """Whether each of some terms of a title is in the text of its article too, shape (n_terms,).

    Parameters
    ----------
    title_terms : ndarray of int, shape (n_terms,)
    terms, counts
        Those of the article: see `Profiles`.
    """
    # Each word of a title counts twice, so a word with a higher count is in the text too.
    return np.asarray(counts[np.searchsorted(terms, title_terms)] & MAX_KEPT > 2)


@dataclass(slots=True)
class Profiles(Traits):
    """The data kept for articles, including their words.

    Attributes
    ----------
    indptr : ndarray of int64, shape (n + 1,)
        Article ``i`` owns ``indptr[i]:indptr[i + 1]`` of `terms` and `counts`.
    terms : ndarray of int32, shape (n_entries,)
        Distinct terms of each article, in ascending order.
    counts : ndarray of uint8, shape (n_entries,)
        Occurrences of each, at most 127, where those in title and lead count twice. 128 is added if
        the term is in the title or the opening, which is the first words of the text.
    title_indptr, title_terms
        The same for the distinct terms of the titles, which are among `terms` too.
    """

    indptr: NDArray[np.int64]
    terms: NDArray[np.int32]
    counts: NDArray[np.uint8]
    title_indptr: NDArray[np.int64]
    title_terms: NDArray[np.int32]

    @classmethod
    def concatenate(cls, parts: Iterable[Profiles]) -> Profiles:
        """Concatenate one or more profiles; each may be discarded once the next is read."""
        columns: dict[str, _Column] = {}
        for part in parts:
            for item in fields(cls):
                values = getattr(part, item.name)
                column = columns.setdefault(item.name, _Column(values))
                if column.size and item.name.endswith("indptr"):
                    values = values[1:] + column.values[column.size - 1]
                column.extend(values)
        return cls(**{name: column.done() for name, column in columns.items()})

    def take(self, rows: NDArray[np.int64]) -> Profiles:
        """Return the profiles of some articles, in the order given."""
        taken = replace(self)
        taken._take_traits(rows)
        taken._take_words(rows)
        return taken

    def reorder(self, rows: NDArray[np.int64]) -> None:
        """Put all articles in another order.

        Traits are moved inside their arrays, because new memory takes longer than moving them.
        """
        done = np.empty(len(rows), dtype=np.bool_)
        for item in fields(Traits):
            values = getattr(self, item.name)
            held = np.empty(values.nbytes // max(1, len(values)), dtype=np.uint8)
            done.fill(False)
            _move(values.view(np.uint8).reshape(len(values), len(held)), rows, done, held)
        self._take_words(rows)

    def _take_words(self, rows: NDArray[np.int64]) -> None:
        self.terms, _ = take_ragged(self.terms, self.indptr, rows)
        self.counts, self.indptr = take_ragged(self.counts, self.indptr, rows)
        self.title_terms, self.title_indptr = take_ragged(self.title_terms, self.title_indptr, rows)


class _Column:
    """An array that can be appended to."""

    def __init__(self, like: NDArray[Any]) -> None:
        self.values: NDArray[Any] = np.empty((0, *like.shape[1:]), dtype=like.dtype)
        self.size = 0

    def extend(self, more: NDArray[Any]) -> None:
        start, self.size = self.size, self.size + len(more)
        if self.size > len(self.values):
            # Large arrays grow, and shrink in `done`, without a copy, because memory is remapped.
            self._resize(self.size + self.size // 8)
        self.values[start : self.size] = more

    def done(self) -> NDArray[Any]:
        self._resize(self.size)
        return self.values

    def _resize(self, size: int) -> None:
        self.values.resize((size, *self.values.shape[1:]), refcheck=False)


def ragged_rows(
    indptr: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find the positions of the entries of some rows of a ragged array.

    Parameters
    ----------
    indptr : ndarray of int64, shape (n + 1,)
    rows : ndarray of int64, shape (m,)

    Returns
    -------
    places : ndarray of int64
        Positions of the entries, row by row.
    offsets : ndarray of int64, shape (m + 1,)
        Where each row starts among them.
    """
    sizes = indptr[rows + 1] - indptr[rows]
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)])
    places = np.arange(offsets[-1]) + np.repeat(indptr[rows] - offsets[:-1], sizes)
    return places, offsets


def take_ragged(
    values: NDArray[_Scalar], indptr: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[NDArray[_Scalar], NDArray[np.int64]]:
    """Take some rows of a ragged array: their concatenated entries, and where each row starts."""
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(indptr[rows + 1] - indptr[rows], out=offsets[1:])
    taken = np.empty(offsets[-1], dtype=values.dtype)
    _take_runs(values, indptr[rows], offsets, taken)
    return taken, offsets


@compiled
def _take_runs(
    values: NDArray[Any],
    starts: NDArray[np.int64],
    offsets: NDArray[np.int64],
    taken: NDArray[Any],
) -> None:
    for row in range(len(starts)):
        shift = starts[row] - offsets[row]
        for place in range(offsets[row], offsets[row + 1]):
            taken[place] = values[place + shift]


@compiled
def _move(
    values: NDArray[np.uint8],
    rows: NDArray[np.int64],
    done: NDArray[np.bool_],
    held: NDArray[np.uint8],
) -> None:
    """Move each row ``rows[i]`` to row i, cycle by cycle."""
    width = values.shape[1]
    for start in range(len(rows)):
        if done[start]:
            continue
        for k in range(width):
            held[k] = values[start, k]
        place, source = np.int64(start), rows[start]
        while source != start:
            for k in range(width):
                values[place, k] = values[source, k]
            done[place] = True
            place, source = source, rows[source]
        for k in range(width):
            values[place, k] = held[k]
        done[place] = True
