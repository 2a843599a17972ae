"""TF-IDF similarity, computed for many pairs at a time, and what two articles share.

The weight of a term is ln(1 + count) times its IDF. The IDF blends the archive with a prior of the
language: ``ln((N + n0 + 1) / (df + n0 p + 1))``, as if `PRIOR_ARTICLES` articles of general news
had been read before. It is therefore sensible for two articles and approaches the archive's own as
the archive grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.scoring.copies import echoes_text, floor_near_copies, names_apart
from sahel_dedup.sketch.profiles import OPENING, Profiles
from sahel_dedup.sketch.sketcher import TF, Sketcher
from sahel_dedup.text.idf_prior import IDF_UNITS, PRIOR_ARTICLES
from sahel_dedup.util.jit import compiled
from sahel_dedup.util.lazy import LazyModule
from sahel_dedup.util.parallel import ordered_map, slices

if TYPE_CHECKING:
    import scipy.sparse as sp
else:
    sp = LazyModule("scipy.sparse")

_SHARED_AT_ONCE = 1 << 16
_ROWS_A_BLOCK = 1 << 12
# Weights are rounded to a grid so that products of two add up in 24 bits without further rounding.
# A cosine then does not depend on the order of the terms, which varies with the threads.
GRID = 4096.0
_PAIRS_A_THREAD = 1 << 17


@dataclass(frozen=True, slots=True)
class Shared:
    """What the articles of a block of pairs have in common.

    Attributes
    ----------
    cosine : ndarray of float64, shape (n_pairs,)
        TF-IDF cosine of title and text.
    number_count : ndarray of int64, shape (n_pairs,)
        Count of distinct numbers (terms that start with a digit) in both.
    title : ndarray of float64, shape (n_pairs,)
        TF-IDF cosine of the titles' distinct terms; 0 where a title is missing.
    opening : ndarray of float64, shape (n_pairs,)
        The same for the distinct terms of title and first words.
    """

    cosine: NDArray[np.float64]
    number_count: NDArray[np.int64]
    title: NDArray[np.float64]
    opening: NDArray[np.float64]

    @classmethod
    def concatenate(cls, parts: Iterable[Shared]) -> Shared:
        """Concatenate blocks of pairs; return no pairs if there are no parts."""
        none = np.zeros(0)
        columns = zip(
            (none, none.astype(np.int64), none, none),
            *((p.cosine, p.number_count, p.title, p.opening) for p in parts),
            strict=True,
        )
        return cls(*(np.concatenate(column) for column in columns))


class Similarity:
    """TF-IDF vectors of an archive and the products between them.

    Parameters
    ----------
    profiles : Profiles
        The articles.
    sketcher : Sketcher
        Its vocabulary numbered their terms.
    workers : int
        Number of threads; 0 uses all processors.

    Attributes
    ----------
    number_count : ndarray of int64, shape (n,)
        Count of distinct numbers in each article.
    """

    def __init__(self, profiles: Profiles, sketcher: Sketcher, workers: int = 1) -> None:
        self._workers = workers
        self._lay_out(profiles, _blend(profiles, sketcher), sketcher.vocabulary.is_number)

    @classmethod
    def with_idf(
        cls, profiles: Profiles, idf: NDArray[np.float32], is_number: NDArray[np.bool_]
    ) -> Similarity:
        """Compare some articles of an archive whose IDF is known.

        Parameters
        ----------
        profiles : Profiles
        idf : ndarray of float32, shape (n_langs, n_terms)
        is_number : ndarray of bool, shape (n_terms,)
            Whether each term starts with a digit.

        Returns
        -------
        Similarity
        """
        similarity = cls.__new__(cls)
        similarity._workers = 1
        similarity._lay_out(profiles, idf, is_number)
        return similarity

    def _lay_out(
        self, profiles: Profiles, idf: NDArray[np.float32], is_number: NDArray[np.bool_]
    ) -> None:
        p = profiles
        self._profiles, self._is_number = p, is_number
        self._idf = idf
        self._vectors = self._unit_vectors(p.indptr, p.terms, p.counts, p.lang)
        self._titles = self._unit_vectors(p.title_indptr, p.title_terms, None, p.lang)
        opening, indptr = _chosen(p.indptr, p.terms, lambda span: p.counts[span] >= OPENING)
        self._openings = self._unit_vectors(indptr, opening, None, p.lang)
        held, indptr = _chosen(p.indptr, p.terms, lambda span: is_number[p.terms[span]])
        self._numbers = _csr(np.ones(len(held), np.float32), held, indptr, len(is_number))
        self.number_count: NDArray[np.int64] = np.diff(self._numbers.indptr).astype(np.int64)

    @property
    def weights(self) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Arguments of `with_idf`: IDF, shape (n_langs, n_terms), and which terms are numbers."""
        return self._idf, self._is_number[: self._idf.shape[1]]

    def shared_terms(
        self, first: int, second: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the terms that two articles share, and what each adds to their cosine.

        Parameters
        ----------
        first, second : int
            Rows of the articles.

        Returns
        -------
        terms : ndarray of int64, shape (n,)
        products : ndarray of float64, shape (n,)
        """
        both = self._vectors[[first]].multiply(self._vectors[[second]]).tocsr()
        return both.indices.astype(np.int64), both.data.astype(np.float64)

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
            Their TF-IDF cosines, if known.

        Yields
        ------
        pairs : slice
            The pairs of the block.
        shared : Shared
        """
        for start in range(0, len(first), _SHARED_AT_ONCE):
            rows = slice(start, min(start + _SHARED_AT_ONCE, len(first)))
            one, two = first[rows], second[rows]
            titles = np.minimum(row_products(self._titles, one, two), 1.0)
            openings = np.minimum(row_products(self._openings, one, two), 1.0)
            number_count = self.shared_numbers(one, two)
            alike = self.cosines(one, two) if cosine is None else cosine[rows]
            yield rows, Shared(alike, number_count, titles, openings)

    def cosines(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the TF-IDF cosines of pairs of articles, shape (n_pairs,).

        For near copies it is at least `sahel_dedup.scoring.copies.COPY_COSINE`.
        """

        def products(rows: slice) -> NDArray[np.float64]:
            found = row_products(self._vectors, first[rows], second[rows])
            floor_near_copies(first[rows], second[rows], found, self._profiles, self)
            return found

        parts = slices(len(first), _PAIRS_A_THREAD)
        cosines = np.concatenate([np.zeros(0), *ordered_map(products, parts, self._workers)])
        # On the grid, the length of a vector is 1 to three digits only.
        return np.asarray(np.minimum(cosines, 1.0))

    def shared_numbers(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return how many distinct numbers the articles of each pair share, shape (n_pairs,)."""
        return row_products(self._numbers, first, second).astype(np.int64)

    def names_apart(self, one: int, other: int) -> bool:
        """See `sahel_dedup.scoring.copies.names_apart`."""
        p = self._profiles
        mine = slice(p.indptr[one], p.indptr[one + 1])
        return names_apart(
            p.title_terms[p.title_indptr[one] : p.title_indptr[one + 1]],
            p.terms[mine],
            p.counts[mine],
            p.terms[p.indptr[other] : p.indptr[other + 1]],
            self._is_number,
        )

    def echoes_text(self, row: int) -> bool:
        """See `sahel_dedup.scoring.copies.echoes_text`."""
        p = self._profiles
        mine = slice(p.indptr[row], p.indptr[row + 1])
        title = p.title_terms[p.title_indptr[row] : p.title_indptr[row + 1]]
        return echoes_text(title, p.terms[mine], p.counts[mine])

    def _unit_vectors(
        self,
        indptr: NDArray[np.int64],
        terms: NDArray[np.int32],
        counts: NDArray[np.uint8] | None,
        lang: NDArray[np.int16],
    ) -> sp.csr_array:
        """Weight the terms of articles; without counts, each term counts once."""
        data = np.empty(len(terms), dtype=np.float32)
        for rows, span in _row_blocks(indptr):
            sizes = np.diff(indptr[rows.start : rows.stop + 1])
            weights = np.full(len(terms[span]), TF[1]) if counts is None else TF[counts[span]]
            if len(self._idf) == 1:
                weights *= self._idf[0].take(terms[span])
            else:
                weights *= self._idf[np.repeat(lang[rows], sizes), terms[span]]
            owner = np.repeat(np.arange(len(sizes)), sizes)
            norms = np.sqrt(np.bincount(owner, weights**2, len(sizes)))
            unit = weights / np.where(norms > 0, norms, 1)[owner]
            data[span] = np.rint(unit * GRID) / GRID
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
    products = np.zeros(len(first))
    indptr, indices = _unsigned(matrix.indptr), _unsigned(matrix.indices)
    _multiply(indptr, indices, matrix.data, first, second, full, products)
    return products


def _unsigned(values: NDArray[Any]) -> NDArray[Any]:
    """View numbers from 0 on as unsigned: loops need not ask whether an index is negative."""
    return values.view(f"u{values.itemsize}")


@compiled
def _multiply(
    indptr: NDArray[Any],
    indices: NDArray[np.uint32],
    data: NDArray[np.float32],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    full: NDArray[np.float32],
    products: NDArray[np.float64],
) -> None:
    """Lay each row of `first` out in `full`, all zeros, and look up its partners' entries there.

    Merging mispredicts a branch at every entry and takes twice as long.
    """
    row, start, end = np.int64(-1), indptr[0], indptr[0]
    for pair in range(len(first)):
        if first[pair] != row:
            for i in range(start, end):
                full[indices[i]] = 0
            row = first[pair]
            start, end = indptr[row], indptr[row + 1]
            for i in range(start, end):
                full[indices[i]] = data[i]
        product = 0.0
        for i in range(indptr[second[pair]], indptr[second[pair] + 1]):
            product += full[indices[i]] * data[i]
        products[pair] = product


def _csr(
    data: NDArray[np.float32], terms: NDArray[np.int32], indptr: NDArray[np.int64], width: int
) -> sp.csr_array:
    """Make a sparse matrix; scipy copies indices whose type differs from that of indptr."""
    if indptr[-1] <= np.iinfo(np.int32).max:
        indptr = indptr.astype(np.int32)
    return sp.csr_array((data, terms, indptr), (len(indptr) - 1, width))


def _chosen(
    indptr: NDArray[np.int64],
    terms: NDArray[np.int32],
    choose: Callable[[slice], NDArray[np.bool_]],
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Keep some entries of a ragged array; return them, and where each row starts."""
    held, sizes = [terms[:0]], [indptr[:1]]
    for rows, span in _row_blocks(indptr):
        chosen = choose(span)
        held.append(terms[span][chosen])
        sums = np.concatenate([[0], np.cumsum(chosen)])
        sizes.append(np.diff(sums[indptr[rows.start : rows.stop + 1] - span.start]))
    return np.concatenate(held), np.cumsum(np.concatenate(sizes))


def _row_blocks(indptr: NDArray[np.int64]) -> Iterator[tuple[slice, slice]]:
    """Cut a ragged array into blocks of rows; yield the rows and the entries of each."""
    n = len(indptr) - 1
    for start in range(0, n, _ROWS_A_BLOCK):
        rows = slice(start, min(start + _ROWS_A_BLOCK, n))
        yield rows, slice(indptr[rows.start], indptr[rows.stop])


def _blend(profiles: Profiles, sketcher: Sketcher) -> NDArray[np.float32]:
    """Blend the archive's IDF with the prior, for each language (rows) and term (columns).

    The result is 0 for terms that no article of the language contains.
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
    """Blend the document frequencies of an archive with the prior of the language.

    Parameters
    ----------
    df : ndarray, shape (n,)
        Count of articles of the language that contain each term.
    articles : float or ndarray of int64, shape (n,)
        Count of all articles of the language.
    prior : ndarray of uint16, shape (n,)
        Prior IDF in units of 1 / `IDF_UNITS` (`Vocabulary.prior_idf`).

    Returns
    -------
    ndarray of float32, shape (n,)
        IDF, at least 0.
    """
    # The prior's IDF is ln((n0 + 1) / (n0 p + 1)); this takes n0 p + 1 back out of it.
    seen = df + np.exp(prior / -IDF_UNITS) * (PRIOR_ARTICLES + 1)
    idf = np.log((articles + PRIOR_ARTICLES + 1) / seen).astype(np.float32)
    return np.maximum(idf, np.float32(0))
