"""TF-IDF similarity, computed for many pairs at a time, and what two articles share.

The weight of a term is ln(1 + count) times its IDF. The IDF blends the archive with a prior of the
language: ``ln((N + n0 + 1) / (df + n0 p + 1))``, as if `PRIOR_ARTICLES` articles of general news
had been read before. It is therefore sensible for two articles and approaches the archive's own as
the archive grows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.scoring.copies import echoes_text, names_apart
from sahel_dedup.scoring.near_copies import floor_near_copies
from sahel_dedup.scoring.vectors import (
    as_parts,
    chosen_terms,
    csr,
    held_terms,
    row_products,
    unit_vectors,
)
from sahel_dedup.sketch.profiles import OPENING, Profiles
from sahel_dedup.sketch.sketcher import Sketcher
from sahel_dedup.text.idf_prior import IDF_UNITS, PRIOR_ARTICLES
from sahel_dedup.util.jit import compiled
from sahel_dedup.util.parallel import ordered_map, slices

_SHARED_AT_ONCE = 1 << 16
_PAIRS_A_THREAD = 1 << 17


@dataclass(slots=True)
class Shared:
    """What the articles of a block of pairs have in common.

    Attributes
    ----------
    cosine : ndarray of float64, shape (n_pairs,)
        TF-IDF cosine of title and text.
    number_count : ndarray of int64, shape (n_pairs,)
        Count of distinct numbers (terms that start with a digit) in both.
    amounts : ndarray of float64, shape (n_pairs,)
        Count of distinct numbers in both that are not years, divided by one more than those of the
        article with fewer.
    title : ndarray of float64, shape (n_pairs,)
        TF-IDF cosine of the titles' distinct terms; 0 where a title is missing.
    opening : ndarray of float64, shape (n_pairs,)
        The same for the distinct terms of title and first words.
    headline : ndarray of float64, shape (n_pairs,)
        Part of the terms of a title, by their IDF, that are in the title or the first words of the
        other article; the mean of both directions.
    """

    cosine: NDArray[np.float64]
    number_count: NDArray[np.int64]
    amounts: NDArray[np.float64]
    title: NDArray[np.float64]
    opening: NDArray[np.float64]
    headline: NDArray[np.float64]

    @classmethod
    def concatenate(cls, parts: Iterable[Shared]) -> Shared:
        """Concatenate blocks of pairs; return no pairs if there are no parts."""
        none = np.zeros(0)
        columns = zip(
            (none, none.astype(np.int64), none, none, none, none),
            *(tuple(getattr(p, item.name) for item in fields(cls)) for p in parts),
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
    archive_size : int
        Count of the articles from which the IDF is computed.
    number_count : ndarray of int64, shape (n,)
        Count of distinct numbers in each article.
    """

    def __init__(self, profiles: Profiles, sketcher: Sketcher, workers: int = 1) -> None:
        self._workers, self.archive_size = workers, len(profiles)
        vocabulary = sketcher.vocabulary
        idf = _blend(profiles, sketcher)
        self._lay_out(profiles, idf, vocabulary.is_number, vocabulary.years())

    @classmethod
    def with_idf(
        cls,
        profiles: Profiles,
        idf: NDArray[np.float32],
        is_number: NDArray[np.bool_],
        years: NDArray[np.int32],
        archive_size: int,
    ) -> Similarity:
        """Compare some articles of an archive whose IDF is known.

        Parameters
        ----------
        profiles : Profiles
        idf : ndarray of float32, shape (n_langs, n_terms)
        is_number : ndarray of bool, shape (n_terms,)
            Whether each term starts with a digit.
        years : ndarray of int32, shape (n_years,)
            Numbers of the terms that are years.
        archive_size : int
            Count of the articles from which the IDF is computed.

        Returns
        -------
        Similarity
        """
        similarity = cls.__new__(cls)
        similarity._workers, similarity.archive_size = 1, archive_size
        similarity._lay_out(profiles, idf, is_number, years)
        return similarity

    def _lay_out(
        self,
        profiles: Profiles,
        idf: NDArray[np.float32],
        is_number: NDArray[np.bool_],
        years: NDArray[np.int32],
    ) -> None:
        p = profiles
        self._profiles, self._is_number, self._years = p, is_number, years
        self._idf = idf
        self._vectors = unit_vectors(p.indptr, p.terms, p.lang, idf, p.counts)
        self._titles = unit_vectors(p.title_indptr, p.title_terms, p.lang, idf)
        indptr, opening = chosen_terms(p, OPENING, np.ones_like(is_number))
        self._openings = unit_vectors(indptr, opening, p.lang, idf)
        self._opened = csr(indptr, opening, np.ones(len(opening), np.float32), idf.shape[1])
        self._headlines = as_parts(self._titles)
        self._numbers = held_terms(p, np.uint8(0), is_number)
        self.number_count: NDArray[np.int64] = np.diff(self._numbers.indptr).astype(np.int64)
        is_amount = is_number.copy()
        is_amount[years] = False
        self._amounts = held_terms(p, np.uint8(0), is_amount)
        self._amount_count = np.diff(self._amounts.indptr).astype(np.int64)

    @property
    def weights(self) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.int32]]:
        """IDF, which terms are numbers, and those that are years: see `with_idf`."""
        return self._idf, self._is_number[: self._idf.shape[1]], self._years

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
            headlines = row_products(self._opened, one, two, self._headlines)
            headlines += row_products(self._headlines, one, two, self._opened)
            number_count = self.shared_numbers(one, two)
            fewer = np.minimum(self._amount_count[one], self._amount_count[two])
            amounts = row_products(self._amounts, one, two) / (fewer + 1)
            alike = self.cosines(one, two) if cosine is None else cosine[rows]
            yield rows, Shared(alike, number_count, amounts, titles, openings, headlines / 2)

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
        title = p.title_terms[p.title_indptr[one] : p.title_indptr[one + 1]]
        return names_apart(
            title,
            self._idf[p.lang[one], title],
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


def _blend(profiles: Profiles, sketcher: Sketcher) -> NDArray[np.float32]:
    """Blend the archive's IDF with the prior, for each language (rows) and term (columns).

    The result is 0 for terms that no article of the language contains.
    """
    size = len(sketcher.vocabulary)
    df = np.zeros((max(1, len(sketcher.langs)), size))
    _count_articles(profiles.indptr, profiles.terms, profiles.lang, df)
    table = np.zeros(df.shape, dtype=np.float32)
    for name, number in sketcher.langs.items():
        articles = int(np.count_nonzero(profiles.lang == number))
        held = np.flatnonzero(df[number])
        prior = sketcher.vocabulary.prior_idf(name, held)
        table[number, held] = blended_idf(df[number, held], articles, prior)
    return table


@compiled
def _count_articles(
    indptr: NDArray[np.int64],
    terms: NDArray[np.int32],
    lang: NDArray[np.int16],
    df: NDArray[np.float64],
) -> None:
    """Add the articles of each language that contain each term."""
    for row in range(len(lang)):
        for i in range(indptr[row], indptr[row + 1]):
            df[lang[row], terms[i]] += 1


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
