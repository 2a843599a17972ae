"""Similarity that moves with the stream: IDF that is learnt as articles come.

The same cosine as `sahel_dedup.similarity`, from the same parts, for the few pairs that an
arriving article forms. Nothing is stored but how many articles held each term, so the
similarity of stored articles follows every step of the IDF.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.index.growing import LiveProfiles, with_room
from sahel_dedup.similarity import PRIOR_ARTICLES, Shared
from sahel_dedup.sketching import TF, Profiles, Sketcher, ragged_rows

# Rows laid out in full at a time: they stay in the second-level cache.
_ROWS_AT_ONCE = 16


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
        Logarithm of that with the prior's articles added, the denominator of the IDF.
    known : int
        Number of terms for which the above is filled in.
    """

    articles: int
    seen: NDArray[np.int32]
    log_seen: NDArray[np.float32]
    known: int


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

    def learn(self, profiles: Profiles, first: int) -> None:
        """Take account of new articles.

        Parameters
        ----------
        profiles : Profiles
            The articles.
        first : int
            Row of the first of them.
        """
        owner = np.repeat(np.arange(len(profiles)), np.diff(profiles.indptr))
        figure = self._sketcher.vocabulary.is_figure[profiles.terms]
        self.figures = with_room(self.figures, first + len(profiles))
        self.figures[first : first + len(profiles)] = np.bincount(
            owner[figure], minlength=len(profiles)
        )
        for lang in set(profiles.lang.tolist()):
            mine = profiles.lang == lang
            terms, held = np.unique(profiles.terms[mine[owner]], return_counts=True)
            self.count(lang, int(mine.sum()), terms, held)

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
        self.figures = self.figures[rows]
        if kept is not None:
            for counts in self.counted().values():
                counts.seen, counts.log_seen = counts.seen[kept], counts.log_seen[kept]
                counts.known = len(kept)
            self._column = np.zeros(len(kept), dtype=np.int32)

    def cosines(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the TF-IDF cosine of pairs of articles, shape (n_pairs,)."""
        p = self._profiles
        return self._products(p.indptr, p.terms, p.counts, first, second)[0]

    def shared(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> Iterator[tuple[slice, Shared]]:
        """Compare pairs of articles: see `sahel_dedup.similarity.Similarity.shared`."""
        if len(first):
            p = self._profiles
            cosine, figures = self._products(p.indptr, p.terms, p.counts, first, second)
            title_cosine, _ = self._products(p.title_indptr, p.title_terms, None, first, second)
            yield slice(0, len(first)), Shared(cosine, figures, title_cosine)

    def _products(
        self,
        indptr: NDArray[np.int64],
        terms: NDArray[np.int32],
        counts: NDArray[np.uint8] | None,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Cosines of pairs of rows, and the number of figures they share."""
        cosine, figures = np.zeros(len(first)), np.zeros(len(first), dtype=np.int64)
        order = np.argsort(first, kind="stable")
        rows, starts = np.unique(first[order], return_index=True)
        bounds = np.append(starts, len(first))
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            some = rows[start : start + _ROWS_AT_ONCE]
            ends = bounds[start : start + len(some) + 1]
            pairs = order[ends[0] : ends[-1]]
            asked = np.repeat(np.arange(len(some)), np.diff(ends))
            cosine[pairs], figures[pairs] = self._block(
                indptr, terms, counts, some, asked, second[pairs]
            )
        return cosine, figures

    def _block(
        self,
        indptr: NDArray[np.int64],
        terms: NDArray[np.int32],
        counts: NDArray[np.uint8] | None,
        asking: NDArray[np.int64],
        asked: NDArray[np.int64],
        second: NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Multiply a few rows with rows that each belong to one of them.

        The few are laid out in full, over the terms that occur in them, and looked up for
        the terms of the others.
        """
        vocabulary = self._sketcher.vocabulary
        if len(self._column) < len(vocabulary):
            self._column = with_room(self._column, len(vocabulary))
        held, weight, offsets, norm = self._weights(indptr, terms, counts, asking)
        self._column[held] = np.arange(1, len(held) + 1)
        table = np.zeros((len(asking), len(held) + 1), dtype=np.float32)
        table[np.repeat(np.arange(len(asking)), np.diff(offsets)), self._column[held]] = weight
        theirs, weight, offsets, norms = self._weights(indptr, terms, counts, second)
        column = self._column.take(theirs)
        self._column[held] = 0
        common = np.flatnonzero(column)
        bounds = np.searchsorted(common, offsets)
        place = column[common] + np.repeat(asked * table.shape[1], np.diff(bounds))
        product = table.ravel().take(place) * weight[common]
        figure = vocabulary.is_figure.take(theirs[common]) & (product > 0)
        length = norm[asked] * norms
        total = _sums(product, bounds)
        return np.divide(total, length, out=np.zeros(len(total)), where=length > 0), _sums(
            figure.astype(np.int64), bounds
        )

    def _weights(
        self,
        indptr: NDArray[np.int64],
        terms: NDArray[np.int32],
        counts: NDArray[np.uint8] | None,
        rows: NDArray[np.int64],
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int64], NDArray[np.float64]]:
        """Lay the vectors of some rows end to end; without counts every term counts once.

        Returns
        -------
        terms, weights
            The entries.
        offsets
            Where each row starts among them.
        norms
            Length of each vector.
        """
        places, offsets = ragged_rows(indptr, rows)
        held = terms.take(places)
        langs = self._profiles.lang[rows]
        distinct = set(langs.tolist())
        if len(distinct) == 1:
            weight = self._idf(distinct.pop(), held)
        else:
            weight = np.empty(len(held), dtype=np.float32)
            owner = np.repeat(langs, np.diff(offsets))
            for lang in distinct:
                mine = np.flatnonzero(owner == lang)
                weight[mine] = self._idf(lang, held[mine])
        if counts is not None:
            weight *= TF.take(counts.take(places))
        return held, weight, offsets, np.sqrt(_sums(weight * weight, offsets))

    def _idf(self, lang: int, terms: NDArray[np.int32]) -> NDArray[np.float32]:
        counts = self._up_to_date(lang)
        idf = counts.log_seen.take(terms)
        np.subtract(np.float32(np.log(counts.articles + PRIOR_ARTICLES + 1)), idf, out=idf)
        return np.maximum(idf, np.float32(0), out=idf)

    def _up_to_date(self, lang: int) -> TermCounts:
        """Return the counts of a language, for the whole vocabulary."""
        counts = self._counts.get(lang)
        if counts is None:
            nothing = np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.float32)
            counts = self._counts[lang] = TermCounts(0, *nothing, 0)
        size = len(self._sketcher.vocabulary)
        if counts.known < size:
            fresh = np.arange(counts.known, size)
            counts.seen = with_room(counts.seen, size)
            counts.log_seen = with_room(counts.log_seen, size)
            counts.seen[fresh] = 0
            counts.log_seen[fresh] = np.log(self._prior(lang, fresh))
            counts.known = size
        return counts

    def _prior(
        self, lang: int, terms: NDArray[np.int32] | NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Pseudo-articles of the prior that hold a term; see `sahel_dedup.similarity`."""
        name = self._names()[lang]
        prior = self._sketcher.vocabulary.prior_idf(name)[terms]
        return np.exp(prior / -64.0) * (PRIOR_ARTICLES + 1)

    def _names(self) -> list[str]:
        return list(self._sketcher.langs)


def _sums(values: NDArray[np.generic], offsets: NDArray[np.int64]) -> NDArray[Any]:
    """Sum a ragged array row by row."""
    # One value more, so that an empty last row has a place to start from.
    sums = np.add.reduceat(np.append(values, values.dtype.type(0)), offsets[:-1])
    sums[offsets[1:] == offsets[:-1]] = 0
    return sums
