"""Sparse vectors of the terms of articles, and the products of many pairs of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import TF
from sahel_dedup.util.jit import compiled
from sahel_dedup.util.lazy import LazyModule

if TYPE_CHECKING:
    import scipy.sparse as sp
else:
    sp = LazyModule("scipy.sparse")

# Weights are rounded to a grid so that products of two add up in 24 bits without further rounding.
# A cosine then does not depend on the order of the terms, which varies with the threads.
GRID = 4096.0
# A sparse matrix for loops: `indptr`, `indices` and `data`.
_Entries: TypeAlias = tuple[NDArray[Any], NDArray[np.uint32], NDArray[np.float32]]


def unit_vectors(
    indptr: NDArray[np.int64],
    terms: NDArray[np.int32],
    lang: NDArray[np.int16],
    idf: NDArray[np.float32],
    counts: NDArray[np.uint8] | None = None,
) -> sp.csr_array:
    """Weight the terms of articles by TF-IDF.

    Parameters
    ----------
    indptr : ndarray of int64, shape (n + 1,)
        Article ``i`` has the terms ``indptr[i]:indptr[i + 1]``.
    terms : ndarray of int32, shape (n_entries,)
    lang : ndarray of int16, shape (n,)
        Language of each article.
    idf : ndarray of float32, shape (n_langs, n_terms)
        With one row, it is that of all languages.
    counts : ndarray of uint8, shape (n_entries,), optional
        As in `Profiles`; otherwise each term counts once.

    Returns
    -------
    csr_array of float32, shape (n, n_terms)
        Rows of unit length, on a grid.
    """
    if counts is None:
        counts = np.ones(len(terms), dtype=np.uint8)
    data = np.empty(len(terms), dtype=np.float32)
    _weigh_all(indptr, terms, counts, lang, TF, idf, data)
    return csr(indptr, terms, data, idf.shape[1])


@compiled
def _weigh_all(
    indptr: NDArray[np.int64],
    terms: NDArray[np.int32],
    counts: NDArray[np.uint8],
    lang: NDArray[np.int16],
    tf: NDArray[np.float32],
    idf: NDArray[np.float32],
    data: NDArray[np.float32],
) -> None:
    """Fill in the weights of terms."""
    for row in range(len(indptr) - 1):
        spoken = lang[row] if len(idf) > 1 else 0
        squares = 0.0
        for i in range(indptr[row], indptr[row + 1]):
            data[i] = tf[counts[i]] * idf[spoken, terms[i]]
            squares += np.float64(data[i] * data[i])
        length = math.sqrt(squares) if squares > 0 else 1.0
        for i in range(indptr[row], indptr[row + 1]):
            data[i] = np.rint(np.float64(data[i]) / length * GRID) / GRID


def as_parts(vectors: sp.csr_array) -> sp.csr_array:
    """Scale the rows of a matrix so that the entries of each add up to 1, on a grid."""
    sizes = np.diff(vectors.indptr)
    sums = np.bincount(np.arange(len(sizes)).repeat(sizes), vectors.data, len(sizes))
    parts = vectors.data / np.where(sums > 0, sums, 1).repeat(sizes)
    data = (np.rint(parts * GRID) / GRID).astype(np.float32)
    return sp.csr_array((data, vectors.indices, vectors.indptr), vectors.shape)


def held_terms(profiles: Profiles, least: np.uint8, wanted: NDArray[np.bool_]) -> sp.csr_array:
    """Mark which of some terms each article has: 1 where `chosen_terms` chooses one."""
    indptr, terms = chosen_terms(profiles, least, wanted)
    return csr(indptr, terms, np.ones(len(terms), np.float32), len(wanted))


def chosen_terms(
    profiles: Profiles, least: np.uint8, wanted: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Choose terms of articles.

    Parameters
    ----------
    profiles : Profiles
    least : uint8
        The lowest count of a term to choose.
    wanted : ndarray of bool, shape (n_terms,)
        Terms to choose.

    Returns
    -------
    indptr : ndarray of int64, shape (n + 1,)
        Article ``i`` has the terms ``indptr[i]:indptr[i + 1]`` of those chosen.
    terms : ndarray of int32, shape (n_chosen,)
    """
    p, indptr, terms = profiles, np.zeros_like(profiles.indptr), np.zeros(0, dtype=np.int32)
    for _ in range(2):
        # The first pass only counts.
        terms = np.empty(indptr[-1], dtype=np.int32)
        _choose(p.indptr, p.terms, p.counts, least, wanted, indptr, terms)
    return indptr, terms


@compiled
def _choose(
    indptr: NDArray[np.int64],
    terms: NDArray[np.int32],
    counts: NDArray[np.uint8],
    least: np.uint8,
    wanted: NDArray[np.bool_],
    starts: NDArray[np.int64],
    chosen: NDArray[np.int32],
) -> None:
    """Fill in what `chosen_terms` returns; the terms only as far as there is room."""
    size = 0
    for row in range(len(indptr) - 1):
        for i in range(indptr[row], indptr[row + 1]):
            if counts[i] >= least and wanted[terms[i]]:
                if size < len(chosen):
                    chosen[size] = terms[i]
                size += 1
        starts[row + 1] = size


def csr(
    indptr: NDArray[np.int64], terms: NDArray[np.int32], data: NDArray[np.float32], width: int
) -> sp.csr_array:
    """Make a sparse matrix; scipy copies indices whose type differs from that of indptr."""
    if indptr[-1] <= np.iinfo(np.int32).max:
        indptr = indptr.astype(np.int32)
    return sp.csr_array((data, terms, indptr), (len(indptr) - 1, width))


def row_products(
    matrix: sp.csr_array,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    other: sp.csr_array | None = None,
) -> NDArray[np.float64]:
    """Multiply pairs of rows of a sparse matrix.

    Parameters
    ----------
    matrix : csr_array, shape (n, m)
    first, second : ndarray of int64, shape (n_pairs,)
    other : csr_array, shape (n, m), optional
        The matrix of the second rows, if it is another one.

    Returns
    -------
    ndarray of float64, shape (n_pairs,)
    """
    other = matrix if other is None else other
    full = np.zeros(max(matrix.shape[1], other.shape[1]), dtype=np.float32)
    products = np.zeros(len(first))
    _multiply(_entries(matrix), _entries(other), first, second, full, products)
    return products


def _entries(matrix: sp.csr_array) -> _Entries:
    return _unsigned(matrix.indptr), _unsigned(matrix.indices), matrix.data


def _unsigned(values: NDArray[Any]) -> NDArray[Any]:
    """View numbers from 0 on as unsigned: loops need not ask whether an index is negative."""
    return values.view(f"u{values.itemsize}")


@compiled
def _multiply(
    matrix: _Entries,
    other: _Entries,
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    full: NDArray[np.float32],
    products: NDArray[np.float64],
) -> None:
    """Lay each row of `first` out in `full`, all zeros, and look up its partners' entries there.

    Merging mispredicts a branch at every entry and takes twice as long.
    """
    indptr, indices, data = matrix
    starts, terms, weights = other
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
        for i in range(starts[second[pair]], starts[second[pair] + 1]):
            product += full[terms[i]] * weights[i]
        products[pair] = product
