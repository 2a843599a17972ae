"""Similarity that moves with the stream: IDF that is learnt as articles come.

The same cosine as `sahel_dedup.similarity`, from the same parts, for the few pairs that an
arriving article forms. Nothing is stored but how many articles held each term, so the
similarity of stored articles follows every step of the IDF.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.index.growing import LiveProfiles, with_room
from sahel_dedup.similarity import PRIOR_ARTICLES, Shared
from sahel_dedup.sketching import TF, Profiles, Sketcher

# Rows laid out in full at a time: they stay in the second-level cache.
_ROWS_AT_ONCE = 16
# Lengths of vectors move with the IDF, by a tenth while the first thousand articles come.
_CERTAINLY = 0.7

# Terms and counts of some rows end to end, and where each row starts among them.
_Entries = Callable[
    [NDArray[np.int64]], tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64]]
]


@dataclass(slots=True)
class TermCounts:
    """How many articles of one language held each term.

    Attributes
    ----------
    articles : int
        Number of articles.
    seen : ndarray of int32, shape (n_terms,)
        How many of them held each term.
    log_seen : ndarray of float32, shape (n_terms,)
        Logarithm of that with the prior's articles added, the denominator of the IDF; for
        terms that no article held it is not filled in.
    """

    articles: int
    seen: NDArray[np.int32]
    log_seen: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class _LaidOut:
    """A few vectors in full, to be looked up for the terms of others.

    Attributes
    ----------
    column : ndarray of int32
        Column of each term of the vocabulary in `table`, 0 for those that occur in none.
    terms : ndarray of int32
        Those that have a column.
    table : ndarray of float32, shape (n_rows, n_columns)
    norm : ndarray of float64, shape (n_rows,)
        Lengths of the vectors.
    """

    column: NDArray[np.int32]
    terms: NDArray[np.int32]
    table: NDArray[np.float32]
    norm: NDArray[np.float64]

    def look_up(
        self, terms: NDArray[np.int32], offsets: NDArray[np.int64], asked: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
        """Find the terms that other rows have in common with the one each belongs to.

        Returns
        -------
        common : ndarray of int64
            Places in `terms` that any of the vectors has too.
        bounds : ndarray of int64
            Where each row starts among them.
        weight : ndarray of float32
            Their weight in the vector asked for.
        """
        column = self.column.take(terms)
        common = column.nonzero()[0]
        bounds = common.searchsorted(offsets)
        place = column.take(common)
        if len(self.table) > 1:
            place = place + (asked * self.table.shape[1]).repeat(bounds[1:] - bounds[:-1])
        return common, bounds, self.table.ravel().take(place)

    def clear(self) -> None:
        """Make the columns free for other rows."""
        self.column[self.terms] = 0


class MovingSimilarity:
    """TF-IDF cosines between live articles.

    Parameters
    ----------
    profiles : LiveProfiles
        The articles, present and to come.
    sketcher : Sketcher
        Whose vocabulary numbers their terms.

    Attributes
    ----------
    figures : ndarray of int64, shape (room,)
        Distinct figures in each article.
    """

    def __init__(self, profiles: LiveProfiles, sketcher: Sketcher) -> None:
        self._profiles = profiles
        self._sketcher = sketcher
        self._counts: dict[int, TermCounts] = {}
        # Column of each term among the terms of the articles at hand, 0 for none.
        self._column = np.zeros(0, dtype=np.int32)
        self.figures = np.zeros(0, dtype=np.int64)
        # Lengths of the vectors as they were when the articles came.
        self._norm = np.zeros(0)

    def learn(self, profiles: Profiles, first: int) -> None:
        """Take account of new articles.

        Parameters
        ----------
        profiles : Profiles
            The articles.
        first : int
            Row of the first of them.
        """
        size = first + len(profiles)
        figure = self._sketcher.vocabulary.is_figure.take(profiles.terms)
        self.figures = with_room(self.figures, size)
        self.figures[first:size] = _sums(figure.astype(np.int64), profiles.indptr)
        langs = set(profiles.lang.tolist())
        for lang in langs:
            terms, articles = profiles.terms, len(profiles)
            if len(langs) > 1:
                mine = profiles.lang == lang
                terms = terms[np.repeat(mine, np.diff(profiles.indptr))]
                articles = int(mine.sum())
            if articles > 1:
                self.count(lang, articles, *np.unique(terms, return_counts=True))
            else:
                self.count(lang, 1, terms, np.ones(len(terms), dtype=np.int64))
        self._norm = with_room(self._norm, size)
        weight = self._weights(profiles.terms, profiles.counts, profiles.lang, profiles.indptr)
        self._norm[first:size] = np.sqrt(_sums(weight * weight, profiles.indptr))

    def count(
        self, lang: int, articles: int, terms: NDArray[np.int32], held: NDArray[np.int64]
    ) -> None:
        """Count articles of a language, and how many of them held some distinct terms."""
        counts = self._up_to_date(lang)
        counts.articles += articles
        prior = self._prior(lang, terms)
        counts.seen[terms] += held.astype(np.int32)
        counts.log_seen[terms] = np.log(counts.seen[terms] + prior)

    def counted(self) -> dict[int, TermCounts]:
        """Return what was counted, by language."""
        return {lang: self._up_to_date(lang) for lang in list(self._counts)}

    def renumber(
        self,
        kept: NDArray[np.int64] | None,
        rows: NDArray[np.int64],
    ) -> None:
        """Follow the profiles to other numbers of terms and rows.

        Parameters
        ----------
        kept : ndarray of int64 or None
            Former number of each term; ``None`` if they keep their numbers.
        rows : ndarray of int64
            Former row of each article.
        """
        self.figures, self._norm = self.figures[rows], self._norm[rows]
        if kept is not None:
            for counts in self.counted().values():
                counts.seen, counts.log_seen = counts.seen[kept], counts.log_seen[kept]
            self._column = np.zeros(len(kept), dtype=np.int32)

    def resembling(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        least: NDArray[np.float64],
    ) -> NDArray[np.bool_]:
        """Rule out pairs whose cosine is certainly too low, at a third of its cost.

        Parameters
        ----------
        first, second : ndarray of int64, shape (n_pairs,)
        least : ndarray of float64, shape (n_pairs,)
            The cosine that matters.

        Returns
        -------
        ndarray of bool, shape (n_pairs,)
            False only below it.
        """
        entries, lang = self._profiles.body_entries, self._profiles.lang
        alike = np.zeros(len(first), dtype=bool)
        for pairs, asking, asked in _blocks(first):
            other = second[pairs]
            vectors = self._lay_out(entries, asking)
            terms, offsets = self._profiles.body_terms(other)
            common, bounds, product = vectors.look_up(terms, offsets, asked)
            counts = self._profiles.body_counts(other, offsets, common, bounds)
            product *= self._weights(terms.take(common), counts, lang.take(other), bounds)
            vectors.clear()
            length = self._norm.take(asking).take(asked) * self._norm.take(other)
            alike[pairs] = _sums(product, bounds) >= _CERTAINLY * least[pairs] * length
        return alike

    def cosines(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the TF-IDF cosine of pairs of articles, shape (n_pairs,)."""
        return self.cosines_and_figures(first, second)[0]

    def cosines_and_figures(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the TF-IDF cosine of pairs, and how many figures they share."""
        return self._cosines(self._profiles.body_entries, first, second)

    def shared(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> Iterator[tuple[slice, Shared]]:
        """Compare pairs of articles: see `sahel_dedup.similarity.Similarity.shared`."""
        if len(first):
            cosine, figures = self.cosines_and_figures(first, second)
            title_cosine, _ = self._cosines(self._profiles.title_entries, first, second)
            yield slice(0, len(first)), Shared(cosine, figures, title_cosine)

    def _cosines(
        self, entries: _Entries, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Cosines of pairs, and the number of figures they share."""
        cosine, figures = np.zeros(len(first)), np.zeros(len(first), dtype=np.int64)
        is_figure = self._sketcher.vocabulary.is_figure
        for pairs, asking, asked in _blocks(first):
            other = second[pairs]
            vectors = self._lay_out(entries, asking)
            terms, counts, offsets = entries(other)
            weight = self._weights(terms, counts, self._profiles.lang.take(other), offsets)
            common, bounds, product = vectors.look_up(terms, offsets, asked)
            vectors.clear()
            shared = is_figure.take(terms.take(common)) & (product > 0)
            figures[pairs] = _sums(shared.astype(np.int64), bounds)
            product *= weight.take(common)
            length = vectors.norm.take(asked) * np.sqrt(_sums(weight * weight, offsets))
            cosine[pairs] = _sums(product, bounds) / np.where(length > 0, length, 1)
        return cosine, figures

    def _lay_out(self, entries: _Entries, rows: NDArray[np.int64]) -> _LaidOut:
        """Lay the vectors of a few rows out in full, over the terms that occur in them."""
        size = len(self._sketcher.vocabulary)
        if len(self._column) < size:
            self._column = with_room(self._column, size)
        terms, counts, offsets = entries(rows)
        weight = self._weights(terms, counts, self._profiles.lang.take(rows), offsets)
        self._column[terms] = np.arange(1, len(terms) + 1)
        table = np.zeros((len(rows), len(terms) + 1), dtype=np.float32)
        owner = np.arange(len(rows)).repeat(offsets[1:] - offsets[:-1])
        table[owner, self._column.take(terms)] = weight
        return _LaidOut(self._column, terms, table, np.sqrt(_sums(weight * weight, offsets)))

    def _weights(
        self,
        terms: NDArray[np.int32],
        counts: NDArray[np.uint8],
        langs: NDArray[np.int16],
        offsets: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """TF-IDF weights of the entries of rows in some languages."""
        distinct = set(langs.tolist())
        if len(distinct) == 1:
            weight = self._idf(distinct.pop(), terms)
        else:
            weight = np.zeros(len(terms), dtype=np.float32)
            owner = np.repeat(langs, np.diff(offsets))
            for lang in distinct:
                mine = np.flatnonzero(owner == lang)
                weight[mine] = self._idf(lang, terms[mine])
        weight *= TF.take(counts)
        return weight

    def _idf(self, lang: int, terms: NDArray[np.int32]) -> NDArray[np.float32]:
        counts = self._up_to_date(lang)
        idf = counts.log_seen.take(terms)
        np.subtract(np.float32(math.log(counts.articles + PRIOR_ARTICLES + 1)), idf, out=idf)
        return np.maximum(idf, np.float32(0), out=idf)

    def _up_to_date(self, lang: int) -> TermCounts:
        """Return the counts of a language, with room for the whole vocabulary."""
        size = len(self._sketcher.vocabulary)
        counts = self._counts.get(lang)
        if counts is None:
            counts = self._counts[lang] = TermCounts(
                0, np.zeros(size, dtype=np.int32), np.zeros(size, dtype=np.float32)
            )
        counts.seen = with_room(counts.seen, size)
        counts.log_seen = with_room(counts.log_seen, size)
        return counts

    def _prior(self, lang: int, terms: NDArray[np.int32]) -> NDArray[np.float64]:
        """Pseudo-articles of the prior that hold a term; see `sahel_dedup.similarity`."""
        name = list(self._sketcher.langs)[lang]
        prior = self._sketcher.vocabulary.prior_idf(name, terms)
        return np.exp(prior / -64.0) * (PRIOR_ARTICLES + 1)


def _blocks(
    first: NDArray[np.int64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Cut pairs into blocks of few first rows.

    Yields
    ------
    pairs
        Which pairs.
    asking
        Their distinct first rows.
    asked
        Place of each pair's first row among them.
    """
    if not len(first):
        return
    # As for an article that comes alone.
    if first[0] == first[-1] and (first == first[0]).all():
        yield np.arange(len(first)), first[:1], np.zeros(len(first), dtype=np.int64)
        return
    order = np.argsort(first, kind="stable")
    ordered = first[order]
    bounds = np.flatnonzero(np.diff(ordered, prepend=-1, append=-1))
    for start in range(0, len(bounds) - 1, _ROWS_AT_ONCE):
        ends = bounds[start : start + _ROWS_AT_ONCE + 1]
        asked = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
        yield order[ends[0] : ends[-1]], ordered[ends[:-1]], asked


def _sums(values: NDArray[np.generic], offsets: NDArray[np.int64]) -> NDArray[Any]:
    """Sum a ragged array row by row."""
    starts, ends = offsets[:-1], offsets[1:]
    filled = starts < ends
    if filled.all():
        return np.add.reduceat(values, starts) if len(starts) else values[:0]
    sums = np.zeros(len(starts), dtype=values.dtype)
    if filled.any():
        sums[filled] = np.add.reduceat(values, starts[filled])
    return sums
