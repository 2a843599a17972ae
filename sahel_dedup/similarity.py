"""TF-IDF similarity of pairs, many pairs at a time, and what two articles share.

Weight of a term is ln(1 + count) times its IDF. IDF blends the archive with a prior of
the language: ``ln((N + n0 + 1) / (df + n0 p + 1))``, as if `PRIOR_ARTICLES` articles of
general news had been read before. So it is sane for two articles and becomes the
archive's own as that grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sahel_dedup.sketching import TF, Profiles, Sketcher, ragged_rows

PRIOR_ARTICLES = 1000.0
_BLOCK_PAIRS = 8192


@dataclass(frozen=True, slots=True)
class Shared:
    """What the articles of a block of pairs have in common.

    Attributes
    ----------
    cosine : ndarray of float64, shape (n_pairs,)
        TF-IDF cosine of title and text.
    figures : ndarray of int64, shape (n_pairs,)
        Distinct figures (terms that start with a digit) in both.
    title_cosine : ndarray of float64, shape (n_pairs,)
        TF-IDF cosine of the titles' distinct terms; 0 where a title is missing.
    """

    cosine: NDArray[np.float64]
    figures: NDArray[np.int64]
    title_cosine: NDArray[np.float64]


class Similarity:
    """TF-IDF vectors of an archive and the products between them.

    Parameters
    ----------
    profiles : Profiles
        The articles.
    sketcher : Sketcher
        Whose vocabulary numbered their terms.

    Attributes
    ----------
    figures : ndarray of int64, shape (n,)
        Distinct figures in each article.
    """

    def __init__(self, profiles: Profiles, sketcher: Sketcher) -> None:
        self._lang = profiles.lang
        self._is_figure = sketcher.vocabulary.is_figure
        self._idf = _blend(profiles, sketcher)
        shape = (len(profiles), len(sketcher.vocabulary))
        # Index arrays of one type with the data spare scipy a copy.
        self._tf = sp.csr_array((TF[profiles.counts], profiles.terms, profiles.indptr), shape)
        ones = np.ones(len(profiles.title_terms), dtype=np.float32)
        self._titles = sp.csr_array((ones, profiles.title_terms, profiles.title_indptr), shape)
        self._norm = self._norms(self._tf)
        self._title_norm = self._norms(self._titles)
        figure = self._is_figure[profiles.terms]
        self.figures = _row_sums(profiles.indptr, figure).astype(np.int64)

    def idf(self, lang: int) -> NDArray[np.float32]:
        """Return the IDF of every term in a language of the archive."""
        return self._idf[lang]

    def shared(
        self, first: NDArray[np.int64], second: NDArray[np.int64], min_cosine: float = 0.0
    ) -> Iterator[tuple[slice, Shared]]:
        """Compare pairs of articles, block by block.

        Parameters
        ----------
        first, second : ndarray of int64, shape (n_pairs,)
            Rows of the articles.
        min_cosine : float
            Pairs below it need only their cosine; the rest of `Shared` may be 0.

        Yields
        ------
        pairs : slice
            Which pairs.
        shared : Shared
        """
        for start in range(0, len(first), _BLOCK_PAIRS):
            rows = slice(start, min(start + _BLOCK_PAIRS, len(first)))
            yield rows, self._shared(first[rows], second[rows], min_cosine)

    def cosines(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the TF-IDF cosine of pairs of articles, shape (n_pairs,)."""
        parts = [shared.cosine for _, shared in self.shared(first, second, min_cosine=2.0)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def nearest(self, rows: NDArray[np.int64]) -> sp.csr_array:
        """Return the cosines of some articles to all articles, shape (len(rows), n)."""
        vectors = self._weighted()
        return vectors[rows] @ vectors.T

    def top_terms(self, row: int) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Return the terms of an article and their share of its unit vector, unordered."""
        low, high = self._tf.indptr[row], self._tf.indptr[row + 1]
        terms = self._tf.indices[low:high]
        weight = self._tf.data[low:high] * self._idf[self._lang[row]][terms]
        return terms, weight / self._norm[row]

    def _weighted(self) -> sp.csr_array:
        data = self._tf.data * self._entry_idf(self._tf)
        data /= np.repeat(self._norm, np.diff(self._tf.indptr))
        return sp.csr_array((data, self._tf.indices, self._tf.indptr), self._tf.shape)

    def _entry_idf(self, matrix: sp.csr_array) -> NDArray[np.float32]:
        if len(self._idf) == 1:
            return self._idf[0][matrix.indices]
        lang = np.repeat(self._lang, np.diff(matrix.indptr))
        return self._idf[lang, matrix.indices]

    def _norms(self, matrix: sp.csr_array) -> NDArray[np.float64]:
        squares = (matrix.data * self._entry_idf(matrix)).astype(np.float64) ** 2
        norms = np.sqrt(_row_sums(matrix.indptr, squares))
        return np.where(norms > 0, norms, np.inf)

    def _shared(
        self, first: NDArray[np.int64], second: NDArray[np.int64], min_cosine: float
    ) -> Shared:
        cosine, common = self._products(self._tf, self._norm, first, second)
        figures = np.zeros(len(first), dtype=np.int64)
        title_cosine = np.zeros(len(first))
        close = np.flatnonzero(cosine >= min_cosine)
        if len(close):
            in_both = _row_sums(common.indptr, self._is_figure[common.indices])
            figures[close] = in_both[close]
            title_cosine[close], _ = self._products(
                self._titles, self._title_norm, first[close], second[close]
            )
        return Shared(cosine, figures, title_cosine)

    def _products(
        self,
        matrix: sp.csr_array,
        norm: NDArray[np.float64],
        first: NDArray[np.int64],
        second: NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], sp.csr_array]:
        """Cosines of pairs of rows, and the products term by term."""
        common = matrix[first].multiply(matrix[second]).tocsr()
        if len(self._idf) == 1:
            idf = self._idf[0][common.indices] ** 2
        else:
            sizes = np.diff(common.indptr)
            one = np.repeat(self._lang[first], sizes)
            other = np.repeat(self._lang[second], sizes)
            idf = self._idf[one, common.indices] * self._idf[other, common.indices]
        products = common.data.astype(np.float64) * idf
        return _row_sums(common.indptr, products) / (norm[first] * norm[second]), common


def _row_sums(indptr: NDArray[np.int64], values: NDArray[np.generic]) -> NDArray[np.float64]:
    """Sum a ragged array row by row."""
    owner = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    return np.bincount(owner, weights=values, minlength=len(indptr) - 1)


def _blend(profiles: Profiles, sketcher: Sketcher) -> NDArray[np.float32]:
    """IDF of each language (rows) and term (columns): the archive's blended with the prior."""
    size = len(sketcher.vocabulary)
    table = np.zeros((max(1, len(sketcher.langs)), size), dtype=np.float32)
    for name, lang in sketcher.langs.items():
        mine = np.flatnonzero(profiles.lang == lang)
        places, _ = ragged_rows(profiles.indptr, mine)
        df = np.bincount(profiles.terms[places], minlength=size)
        prior = np.exp(sketcher.vocabulary.prior_idf(name) / -64.0)
        # The prior's IDF is ln((n0 + 1) / (n0 p + 1)); this takes n0 p + 1 back out of it.
        seen = df + prior * (PRIOR_ARTICLES + 1)
        table[lang] = np.log((len(mine) + PRIOR_ARTICLES + 1) / seen)
    return np.maximum(table, 0)
