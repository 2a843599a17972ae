"""TF-IDF similarity of pairs, many pairs at a time, and what two articles share.

Weight of a term is ln(1 + count) times its IDF. IDF blends the archive with a prior of
the language: ``ln((N + n0 + 1) / (df + n0 p + 1))``, as if `PRIOR_ARTICLES` articles of
general news had been read before. So it is sane for two articles and becomes the
archive's own as that grows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sahel_dedup.sketching import TF, Profiles, Sketcher, ragged_rows
from sahel_dedup.threads import ordered_map, slices

PRIOR_ARTICLES = 1000.0
_SHARED_AT_ONCE = 1 << 16
_ROWS_A_BLOCK = 1 << 12
# Weights lie on a grid so that products of two add up without rounding in 24 bits: a cosine
# does not depend on the order of the words, which is that of their arrival in the threads.
_GRID = 4096.0
_PAIRS_AT_ONCE = 2048
_PAIRS_A_THREAD = 1 << 17
# Rows laid out in full together at most, and the pairs that each must have on average.
_ROWS_AT_ONCE = 64
_MANY_A_ROW = 4
# Blocks that one row alone may fill.
_LONGEST = 4


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
        held = [p.terms[:0]]
        self.figures = np.zeros(len(p), dtype=np.int64)
        for rows, span in _row_blocks(p.indptr):
            figure = is_figure[p.terms[span]]
            held.append(p.terms[span][figure])
            sums = np.concatenate([[0], np.cumsum(figure)])
            self.figures[rows] = np.diff(sums[p.indptr[rows.start : rows.stop + 1] - span.start])
        indptr = np.concatenate([[0], np.cumsum(self.figures)])
        ones = np.ones(indptr[-1], dtype=np.float32)
        self._figures = _csr(ones, np.concatenate(held), indptr, self._idf.shape[1])

    def idf(self, lang: int) -> NDArray[np.float32]:
        """Return the IDF of every term in a language of the archive."""
        return np.asarray(self._idf[lang])

    def shared(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> Iterator[tuple[slice, Shared]]:
        """Compare pairs of articles, block by block.

        Parameters
        ----------
        first, second : ndarray of int64, shape (n_pairs,)
            Rows of the articles; pairs of one `first` should be neighbours.

        Yields
        ------
        pairs : slice
            Which pairs.
        shared : Shared
        """
        for start in range(0, len(first), _SHARED_AT_ONCE):
            rows = slice(start, min(start + _SHARED_AT_ONCE, len(first)))
            one, two = first[rows], second[rows]
            titles = row_products(self._titles, one, two)
            yield (
                rows,
                Shared(
                    self.cosines(one, two), self.shared_figures(one, two), np.minimum(titles, 1.0)
                ),
            )

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

    def top_terms(self, row: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Return the terms of an article and their share of its unit vector, unordered."""
        places = slice(*self._vectors.indptr[row : row + 2])
        return self._vectors.indices[places], self._vectors.data[places]

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
    sizes = np.diff(matrix.indptr)
    held = np.flatnonzero((sizes[first] > 0) & (sizes[second] > 0))
    products = np.zeros(len(first))
    if not len(held):
        return products
    if len(held) < len(first):
        # Titles and figures are often missing.
        products[held] = row_products(matrix, first[held], second[held])
        return products
    changes = np.flatnonzero(np.diff(first, prepend=-1))
    many = len(first) >= _MANY_A_ROW * len(changes)
    column = np.zeros(matrix.shape[1], dtype=np.int32)
    cuts = np.arange(0, len(first), _PAIRS_AT_ONCE)
    if many:
        # Every block has a fixed cost: few blocks, but no more rows than fit the cache.
        rows = np.clip(_PAIRS_AT_ONCE * len(changes) // len(first), 1, _ROWS_AT_ONCE)
        cuts = np.union1d(cuts[::_LONGEST], changes[::rows])
    for low, high in itertools.pairwise([*cuts.tolist(), len(first)]):
        one, two = first[low:high], second[low:high]
        if many:
            products[low:high] = _laid_out_products(matrix, one, two, column)
        else:
            products[low:high] = matrix[one].multiply(matrix[two]).sum(axis=1)
    return products


def _laid_out_products(
    matrix: sp.csr_array,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    column: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Lay the few rows of `first` out in full and look up the entries of `second`.

    ``multiply`` merges two rows and mispredicts a branch at every entry: with sixty pairs
    to a row it takes three times as long as this, with five a little less.
    """
    change = np.diff(first, prepend=-1) != 0
    rows, place = first[change], np.cumsum(change) - 1
    entries, offsets = ragged_rows(matrix.indptr, rows)
    # The columns that the rows use, numbered anew; 0 stays for all others.
    column[matrix.indices[entries]] = np.arange(1, len(entries) + 1)
    width = len(entries) + 1
    full = np.zeros((len(rows), width), dtype=matrix.dtype)
    owner = np.repeat(np.arange(len(rows)), np.diff(offsets))
    full[owner, column[matrix.indices[entries]]] = matrix.data[entries]
    others = matrix[second]
    # Renumbered in place: a new matrix would be checked through and through.
    others.indices[:] = column.take(others.indices)
    others.indices += np.repeat((place * width).astype(np.int32), np.diff(others.indptr))
    others.resize(len(first), full.size)
    column[matrix.indices[entries]] = 0
    return np.asarray(others @ full.ravel())


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
