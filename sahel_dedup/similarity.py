"""TF-IDF similarity of pairs, many pairs at a time, and what two articles share.

Weight of a term is ln(1 + count) times its IDF. IDF blends the archive with a prior of
the language: ``ln((N + n0 + 1) / (df + n0 p + 1))``, as if `PRIOR_ARTICLES` articles of
general news had been read before. So it is sane for two articles and becomes the
archive's own as that grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sahel_dedup.compiled import compiled
from sahel_dedup.prior import PRIOR_ARTICLES
from sahel_dedup.profiles import Profiles
from sahel_dedup.sketching import TF, Sketcher
from sahel_dedup.threads import ordered_map, slices

_SHARED_AT_ONCE = 1 << 16
_ROWS_A_BLOCK = 1 << 12
# Weights lie on a grid so that products of two add up without rounding in 24 bits: a cosine
# does not depend on the order of the words, which is that of their arrival in the threads.
_GRID = 4096.0
_PAIRS_A_THREAD = 1 << 17


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
    title_figures : ndarray of int64, shape (n_pairs,)
        1 if both titles hold figures and share one, -1 if they share none, otherwise 0.
    """

    cosine: NDArray[np.float64]
    figures: NDArray[np.int64]
    title_cosine: NDArray[np.float64]
    title_figures: NDArray[np.int64]


class Similarity:
    """TF-IDF vectors of an archive and the products between them.

    Parameters
    ----------
    profiles : Profiles
        The articles.
    sketcher : Sketcher
        Whose vocabulary numbered their terms.
    workers : int
        Threads that compare; 0 takes all processors.

    Attributes
    ----------
    figures : ndarray of int64, shape (n,)
        Distinct figures in each article.
    """

    def __init__(self, profiles: Profiles, sketcher: Sketcher, workers: int = 1) -> None:
        self._workers = workers
        self._lay_out(profiles, _blend(profiles, sketcher), sketcher.vocabulary.is_figure)

    @classmethod
    def with_idf(
        cls, profiles: Profiles, idf: NDArray[np.float32], is_figure: NDArray[np.bool_]
    ) -> Similarity:
        """Compare some articles of an archive whose IDF is known.

        Parameters
        ----------
        profiles : Profiles
        idf : ndarray of float32, shape (n_langs, n_terms)
        is_figure : ndarray of bool, shape (n_terms,)
            Whether each term starts with a digit.

        Returns
        -------
        Similarity
        """
        similarity = cls.__new__(cls)
        similarity._workers = 1
        similarity._lay_out(profiles, idf, is_figure)
        return similarity

    def _lay_out(
        self, profiles: Profiles, idf: NDArray[np.float32], is_figure: NDArray[np.bool_]
    ) -> None:
        p = profiles
        self._idf = idf
        self._vectors = self._unit_vectors(p.indptr, p.terms, p.counts, p.lang)
        once = np.ones(len(p.title_terms), dtype=np.uint8)
        self._titles = self._unit_vectors(p.title_indptr, p.title_terms, once, p.lang)
        self._figures = self._held(is_figure, p.indptr, p.terms)
        self._title_figures = self._held(is_figure, p.title_indptr, p.title_terms)
        self.figures: NDArray[np.int64] = np.diff(self._figures.indptr).astype(np.int64)

    def idf(self, lang: int) -> NDArray[np.float32]:
        """Return the IDF of every term in a language of the archive."""
        return np.asarray(self._idf[lang])

    def shared(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        cosine: NDArray[np.float64] | None = None,
    ) -> Iterator[tuple[slice, Shared]]:
        """Compare pairs of articles, block by block.

        Parameters
        ----------
        first, second : ndarray of int64, shape (n_pairs,)
            Rows of the articles; pairs of one `first` should be neighbours.
        cosine : ndarray of float64, shape (n_pairs,), optional
            Their TF-IDF cosines, where they are known.

        Yields
        ------
        pairs : slice
            Which pairs.
        shared : Shared
        """
        for start in range(0, len(first), _SHARED_AT_ONCE):
            rows = slice(start, min(start + _SHARED_AT_ONCE, len(first)))
            one, two = first[rows], second[rows]
            titles = np.minimum(row_products(self._titles, one, two), 1.0)
            figures = self.shared_figures(one, two)
            alike = self.cosines(one, two) if cosine is None else cosine[rows]
            yield rows, Shared(alike, figures, titles, self._of_titles(one, two))

    def cosines(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the TF-IDF cosine of pairs of articles, shape (n_pairs,)."""

        def products(rows: slice) -> NDArray[np.float64]:
            return row_products(self._vectors, first[rows], second[rows])

        parts = slices(len(first), _PAIRS_A_THREAD)
        cosines = np.concatenate([np.zeros(0), *ordered_map(products, parts, self._workers)])
        # On the grid the length of a vector is 1 to three digits.
        return np.asarray(np.minimum(cosines, 1.0))

    def shared_figures(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return how many distinct figures pairs of articles share, shape (n_pairs,)."""
        return row_products(self._figures, first, second).astype(np.int64)

    def _of_titles(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        """Whether the figures of two titles agree: see `Shared`."""
        held = np.diff(self._title_figures.indptr) > 0
        shared = row_products(self._title_figures, first, second) > 0
        return np.asarray((held[first] & held[second]) * np.where(shared, 1, -1))

    def _held(
        self, wanted: NDArray[np.bool_], indptr: NDArray[np.int64], terms: NDArray[np.int32]
    ) -> sp.csr_array:
        """Tell which of the wanted terms articles hold, as a matrix of ones."""
        held, sizes = [terms[:0]], [indptr[:1]]
        for rows, span in _row_blocks(indptr):
            chosen = wanted[terms[span]]
            held.append(terms[span][chosen])
            sums = np.concatenate([[0], np.cumsum(chosen)])
            sizes.append(np.diff(sums[indptr[rows.start : rows.stop + 1] - span.start]))
        ends = np.cumsum(np.concatenate(sizes))
        return _csr(np.ones(ends[-1], np.float32), np.concatenate(held), ends, len(wanted))

    def _unit_vectors(
        self,
        indptr: NDArray[np.int64],
        terms: NDArray[np.int32],
        counts: NDArray[np.uint8],
        lang: NDArray[np.int16],
    ) -> sp.csr_array:
        data = np.empty(len(terms), dtype=np.float32)
        for rows, span in _row_blocks(indptr):
            sizes = np.diff(indptr[rows.start : rows.stop + 1])
            weights = TF[counts[span]]
            if len(self._idf) == 1:
                weights *= self._idf[0].take(terms[span])
            else:
                weights *= self._idf[np.repeat(lang[rows], sizes), terms[span]]
            owner = np.repeat(np.arange(len(sizes)), sizes)
            norms = np.sqrt(np.bincount(owner, weights**2, len(sizes)))
            unit = weights / np.where(norms > 0, norms, 1)[owner]
            data[span] = np.rint(unit * _GRID) / _GRID
        return _csr(data, terms, indptr, self._idf.shape[1])


def row_products(
    matrix: sp.csr_array, first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Multiply pairs of rows of a sparse matrix.

    Parameters
    ----------
    matrix : csr_array, shape (n, m)
    first, second : ndarray of int64, shape (n_pairs,)

    Returns
    -------
    ndarray of float64, shape (n_pairs,)
    """
    full = np.zeros(matrix.shape[1], dtype=np.float32)
    return _row_products(matrix.indptr, matrix.indices, matrix.data, first, second, full)


@compiled
def _row_products(
    indptr: NDArray[Any],
    indices: NDArray[np.int32],
    data: NDArray[np.float32],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    full: NDArray[np.float32],
) -> NDArray[np.float64]:
    """Lay each row of `first` out in `full`, all zeros, and look up its partners' entries there.

    Merging mispredicts a branch at every entry and takes twice as long.
    """
    products = np.zeros(len(first))
    row, laid_out = np.int64(-1), indices[:0]
    for pair in range(len(first)):
        if first[pair] != row:
            full[laid_out] = 0
            row = first[pair]
            start, end = indptr[row], indptr[row + 1]
            laid_out = indices[start:end]
            full[laid_out] = data[start:end]
        product = 0.0
        for i in range(indptr[second[pair]], indptr[second[pair] + 1]):
            product += full[indices[i]] * data[i]
        products[pair] = product
    return products


def _csr(
    data: NDArray[np.float32], terms: NDArray[np.int32], indptr: NDArray[np.int64], width: int
) -> sp.csr_array:
    """Make a sparse matrix; scipy copies indices whose type is not that of indptr."""
    if indptr[-1] <= np.iinfo(np.int32).max:
        indptr = indptr.astype(np.int32)
    return sp.csr_array((data, terms, indptr), (len(indptr) - 1, width))


def _row_blocks(indptr: NDArray[np.int64]) -> Iterator[tuple[slice, slice]]:
    """Cut a ragged array into blocks of rows: which rows, and which entries."""
    n = len(indptr) - 1
    for start in range(0, n, _ROWS_A_BLOCK):
        rows = slice(start, min(start + _ROWS_A_BLOCK, n))
        yield rows, slice(indptr[rows.start], indptr[rows.stop])


def _blend(profiles: Profiles, sketcher: Sketcher) -> NDArray[np.float32]:
    """IDF of each language (rows) and term (columns): the archive's blended with the prior.

    It is 0 for terms that no article of the language holds.
    """
    size = len(sketcher.vocabulary)
    df = np.zeros((max(1, len(sketcher.langs)), size))
    for rows, span in _row_blocks(profiles.indptr):
        lang, terms = profiles.lang[rows], profiles.terms[span]
        owner_lang = np.repeat(lang, np.diff(profiles.indptr[rows.start : rows.stop + 1]))
        for number in np.unique(lang):
            df[number] += np.bincount(terms[owner_lang == number], minlength=size)
    table = np.zeros(df.shape, dtype=np.float32)
    for name, number in sketcher.langs.items():
        articles = int(np.count_nonzero(profiles.lang == number))
        held = np.flatnonzero(df[number])
        prior = sketcher.vocabulary.prior_idf(name, held)
        table[number, held] = blended_idf(df[number, held], articles, prior)
    return table


def blended_idf(
    df: NDArray[np.float64] | NDArray[np.int64],
    articles: float | NDArray[np.int64],
    prior: NDArray[np.uint16],
) -> NDArray[np.float32]:
    """Blend what an archive tells of its terms with the prior of the language.

    Parameters
    ----------
    df : ndarray, shape (n,)
        Articles of the language that hold each term.
    articles : float or ndarray of int64, shape (n,)
        All articles of the language.
    prior : ndarray of uint16, shape (n,)
        Prior IDF in units of 1/64 (`Vocabulary.prior_idf`).

    Returns
    -------
    ndarray of float32, shape (n,)
        IDF, not below 0.
    """
    # The prior's IDF is ln((n0 + 1) / (n0 p + 1)); this takes n0 p + 1 back out of it.
    seen = df + np.exp(prior / -64.0) * (PRIOR_ARTICLES + 1)
    idf = np.log((articles + PRIOR_ARTICLES + 1) / seen).astype(np.float32)
    return np.maximum(idf, np.float32(0))
