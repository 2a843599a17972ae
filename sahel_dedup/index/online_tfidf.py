"""Online TF-IDF: the IDF is learnt as articles arrive.

The same cosine as `sahel_dedup.scoring.tfidf`, from the same parts, for the few pairs that an
arriving article forms. Only the number of articles with each term is stored, so the similarity of
stored articles follows every change of the IDF.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.index.growable_profiles import TERM, TERM_BITS, LiveProfiles
from sahel_dedup.index.term_counts import CountArrays, TermCounts
from sahel_dedup.index.tfidf_kernels import (
    add_counts,
    compare,
    compare_further,
    count_held,
    mark_amounts,
    take_logarithms,
)
from sahel_dedup.scoring.copies import echoes_text, names_apart
from sahel_dedup.scoring.near_copies import floor_near_copies
from sahel_dedup.scoring.tfidf import Shared
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import TF, Sketcher
from sahel_dedup.text.idf_prior import IDF_UNITS, LISTS, PRIOR_ARTICLES
from sahel_dedup.text.vocabulary import year_hashes
from sahel_dedup.util.growing import with_room, zeros

_Scalar = TypeVar("_Scalar", bound=np.generic)

# Number of articles of a grown archive, and by how many it grows before the IDF of all terms is
# updated.
_GROWN = 5000
_STEP = 500
# The prior IDF of a term, in units of 1 / `IDF_UNITS` and below `PRIORS`, is
# ln((n0 + 1) / (n0 p + 1)); this is p.
PRIORS = 1 << 10
_CHANCE = (np.exp(np.arange(PRIORS) / -IDF_UNITS) * (PRIOR_ARTICLES + 1) - 1) / PRIOR_ARTICLES


@dataclass(slots=True)
class ComparedPairs:
    """Pairs with known cosines, and access to their other comparisons.

    Attributes
    ----------
    first, second : ndarray of int64, shape (n_pairs,)
        Rows of the articles.
    cosine : ndarray of float64, shape (n_pairs,)
        TF-IDF cosine.
    common : ndarray of int64, shape (n_pairs,)
        Count of numbers that both contain.
    similarity : OnlineTfidf
        The object that compared them.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    cosine: NDArray[np.float64]
    common: NDArray[np.int64]
    similarity: OnlineTfidf

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> ComparedPairs:
        """Return some of the pairs."""
        one, two = self.first[chosen], self.second[chosen]
        return ComparedPairs(one, two, self.cosine[chosen], self.common[chosen], self.similarity)

    @property
    def archive_size(self) -> int:
        """Count of the articles from which the IDF is computed."""
        return self.similarity.archive_size

    @property
    def number_count(self) -> NDArray[np.int64]:
        """Count of distinct numbers in each article."""
        return self.similarity.number_count

    def cosines(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the TF-IDF cosines of any pairs."""
        return self.similarity.cosines(first, second)

    def names_apart(self, one: int, other: int) -> bool:
        """See `sahel_dedup.scoring.copies.names_apart`."""
        return self.similarity.names_apart(one, other)

    def echoes_text(self, row: int) -> bool:
        """See `sahel_dedup.scoring.copies.echoes_text`."""
        return self.similarity.echoes_text(row)

    def shared(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        _cosine: NDArray[np.float64] | None = None,
    ) -> Iterator[tuple[slice, Shared]]:
        """Return `OnlineTfidf.shared` for exactly these pairs."""
        if len(first):
            titles, openings, amounts, headlines = self.similarity.further(first, second)
            shared = Shared(self.cosine, self.common, amounts, titles, openings, headlines)
            yield slice(0, len(first)), shared


class OnlineTfidf:
    """TF-IDF cosines between live articles.

    Parameters
    ----------
    profiles : LiveProfiles
        The articles, to which more will be added.
    sketcher : Sketcher
        Its vocabulary numbers their terms.

    Attributes
    ----------
    number_count : ndarray of int64, shape (room,)
        Count of distinct numbers in each article.
    """

    def __init__(self, profiles: LiveProfiles, sketcher: Sketcher) -> None:
        self._profiles = profiles
        self._sketcher = sketcher
        # For each language: the number of articles, including the pseudo-articles of the prior; ...
        self._articles: list[int] = []
        self._before: list[float] = []
        # ... how many contain each term, and the logarithms whose difference is the IDF; those of
        # terms without articles are not filled in.
        self._seen = np.zeros((0, 0), dtype=np.int32)
        self._log_articles = np.zeros(0, dtype=np.float32)
        self._log_seen = np.zeros((0, 0), dtype=np.float32)
        self.number_count = np.zeros(0, dtype=np.int64)
        # Weight of each term in the first article of a comparison; all zero between comparisons.
        self._laid_out = np.zeros(0, dtype=np.float32)
        self._reset()

    def arrays(self) -> CountArrays:
        """Return what was counted, with room for a quarter more terms."""
        terms = len(self._sketcher.vocabulary)
        shape = len(self._articles), max(len(self._laid_out), terms + terms // 4)
        return CountArrays(
            tuple(self._articles),
            tuple(self._before),
            _enlarged(self._seen, shape),
            self._log_articles,
            _enlarged(self._log_seen, shape),
            self.number_count,
        )

    def take_over(self, arrays: CountArrays) -> None:
        """Continue from what was counted."""
        self._articles, self._before = list(arrays.articles), list(arrays.before)
        self._seen, self._log_seen = arrays.seen, arrays.log_seen
        self._log_articles, self.number_count = arrays.log_articles, arrays.number_count
        self._laid_out = zeros(arrays.seen.shape[1:], np.dtype(np.float32))
        self._reset()

    def _reset(self) -> None:
        """Make what is kept for each term anew, after terms got other numbers."""
        size = len(self._laid_out)
        # The same for titles, and marks of terms.
        self._titled = zeros((size,), np.dtype(np.float32))
        self._marks = zeros((size,), np.dtype(np.uint8))
        # Which terms are numbers but no years, and of how many terms this is known.
        self._amount = np.zeros(0, dtype=np.bool_)
        self._amounts_known = 0

    def learn(self, profiles: Profiles, first: int) -> None:
        """Include new articles.

        Parameters
        ----------
        profiles : Profiles
            The articles.
        first : int
            Row of the first of them.
        """
        size = first + len(profiles)
        is_number = self._sketcher.vocabulary.is_number
        self.number_count = with_room(self.number_count, size)
        count_held(is_number, profiles.indptr, profiles.terms, self.number_count[first:size])
        langs = set(profiles.lang.tolist())
        for lang in langs:
            terms, articles = profiles.terms, len(profiles)
            if len(langs) > 1:
                mine = profiles.lang == lang
                terms = terms[np.repeat(mine, np.diff(profiles.indptr))]
                articles = int(mine.sum())
            self.count(lang, articles, terms, 1)

    def count_former(
        self, lang: int, articles: int, terms: NDArray[np.int32], held: NDArray[np.int64]
    ) -> None:
        """Count former articles of a language, given how many of them contained each term."""
        self._make_room(lang)
        np.add.at(self._seen[lang], terms, held)
        self.count(lang, articles, terms, 0)

    def count(self, lang: int, articles: int, terms: NDArray[np.int32], times: int) -> None:
        """Count articles of a language, and each of their terms so many times."""
        self._make_room(lang)
        seen, log_seen = self._seen[lang], self._log_seen[lang]
        self._articles[lang] += articles
        name = self._sketcher.langs.names[lang]
        before = _read_before(name, self._articles[lang])
        prior = self._sketcher.vocabulary.prior_idf(name, terms)
        add_counts(seen, log_seen, terms, times, prior, _CHANCE, before)
        if before != self._before[lang]:
            self._before[lang] = before
            terms = seen.nonzero()[0].astype(np.int32)
            prior = self._sketcher.vocabulary.prior_idf(name, terms)
            take_logarithms(seen, log_seen, terms, prior, _CHANCE, before)
        self._log_articles[lang] = math.log(self._articles[lang] + before + 1)

    @property
    def archive_size(self) -> int:
        """Count of the articles from which the IDF is computed."""
        return sum(self._articles)

    def memory(self) -> int:
        """Return the size of the counts in bytes."""
        tables = self._seen, self._log_seen, self._laid_out, self._titled, self._marks, self._amount
        return sum(table.nbytes for table in tables)

    def counted(self) -> list[TermCounts]:
        """Return the counts, by number of language."""
        return [TermCounts(*counts) for counts in zip(self._articles, self._seen, strict=True)]

    def renumber(self, kept: NDArray[np.int64] | None, rows: NDArray[np.int64]) -> None:
        """Follow a renumbering of terms and rows in the profiles.

        Parameters
        ----------
        kept : ndarray of int64 or None
            Former number of each term; ``None`` if they keep their numbers.
        rows : ndarray of int64
            Former row of each article.
        """
        self.number_count = self.number_count[rows]
        if kept is not None:
            self._seen, self._log_seen = self._seen[:, kept], self._log_seen[:, kept]
            self._laid_out = self._laid_out[kept]
            self._reset()

    def cosines(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the TF-IDF cosines of pairs of articles, shape (n_pairs,)."""
        return self.compare(first, second).cosine

    def compare(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> ComparedPairs:
        """Return the TF-IDF cosines of pairs, and how many numbers they share."""
        cosine, common = self._compare(first, second)
        floor_near_copies(first, second, cosine, self._profiles, self)
        return ComparedPairs(first, second, cosine, common, self)

    def shared_numbers(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return how many distinct numbers the articles of each pair share, shape (n_pairs,)."""
        return self._compare(first, second)[1]

    def shared_terms(
        self, first: int, second: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return what each term adds: see `sahel_dedup.scoring.tfidf.Similarity.shared_terms`."""
        (one, ours, _), (other, theirs, _) = (
            self._unit_vectors(np.array([row])) for row in (first, second)
        )
        terms, i, j = np.intersect1d(one, other, assume_unique=True, return_indices=True)
        return terms, (ours[i] * theirs[j]).astype(np.float64)

    def centrality(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the sum of the cosines of each of some articles to the others.

        Each is compared with the sum of all vectors, because a story may have thousands of
        articles.
        """
        terms, weights, article = self._unit_vectors(rows)
        terms, place = np.unique(terms, return_inverse=True)
        total = np.bincount(place, weights, len(terms))
        with_all = np.bincount(article, weights * total[place], len(rows))
        alone = np.bincount(article, weights * weights, len(rows))
        return np.asarray(with_all - alone, dtype=np.float64)

    def _unit_vectors(
        self, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """Return the terms of articles, their weights, and the position of the article of each."""
        p = self._profiles
        terms, counts, offsets = p.body_entries(rows)
        article = np.repeat(np.arange(len(rows)), np.diff(offsets))
        lang = p.lang[rows][article]
        idf = np.maximum(self._log_articles[lang] - self._log_seen[lang, terms], 0.0)
        weight = TF[counts].astype(np.float64) * idf
        length = np.sqrt(np.bincount(article, weight * weight, len(rows)))
        return terms, weight / np.maximum(length, 1e-9)[article], article

    def shared(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        _cosine: NDArray[np.float64] | None = None,
    ) -> Iterator[tuple[slice, Shared]]:
        """Compare pairs of articles: see `sahel_dedup.scoring.tfidf.Similarity.shared`."""
        yield from self.compare(first, second).shared(first, second)

    def names_apart(self, one: int, other: int) -> bool:
        """See `sahel_dedup.scoring.copies.names_apart`."""
        p = self._profiles
        lang, title = p.lang[one], p.title_terms[p.title_indptr[one] : p.title_indptr[one + 1]]
        mine, theirs = (p.words[p.indptr[row] : p.indptr[row + 1]] for row in (one, other))
        idf = self._log_articles[lang] - self._log_seen[lang, title]
        counted, is_number = (mine & TERM, mine >> TERM_BITS), self._sketcher.vocabulary.is_number
        return names_apart(title, idf, *counted, theirs & TERM, is_number)

    def echoes_text(self, row: int) -> bool:
        """See `sahel_dedup.scoring.copies.echoes_text`."""
        p = self._profiles
        mine = p.words[p.indptr[row] : p.indptr[row + 1]]
        title = p.title_terms[p.title_indptr[row] : p.title_indptr[row + 1]]
        return echoes_text(title, mine & TERM, mine >> TERM_BITS)

    def further(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Compare titles, openings and amounts of pairs of articles.

        Returns
        -------
        ndarray of float64, shape (4, n_pairs)
            `title`, `opening`, `amounts` and `headline` of `sahel_dedup.scoring.tfidf.Shared`.
        """
        p, found = self._profiles, np.zeros((4, len(first)))
        texts = p.lang, p.indptr, p.words, p.title_indptr, p.title_terms
        counts = self._log_articles, self._log_seen, self._amounts()
        room = self._laid_out, self._titled, self._marks
        compare_further(first, second, texts, counts, room, found)
        return found

    def _amounts(self) -> NDArray[np.bool_]:
        """Return which terms are numbers but no years, shape (room,)."""
        vocabulary, known = self._sketcher.vocabulary, self._amounts_known
        size = len(vocabulary)
        if known < size:
            self._amount = with_room(self._amount, size)
            years = year_hashes()
            mark_amounts(vocabulary.is_number, vocabulary.hashes, years, known, self._amount)
            self._amounts_known = size
        return self._amount

    def _compare(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the cosines of pairs, and how many numbers they share."""
        p, is_number = self._profiles, self._sketcher.vocabulary.is_number
        counts = self._log_articles, self._log_seen, is_number
        entries = p.lang, p.indptr, p.words, TF
        cosine, number_count = np.zeros(len(first)), np.zeros(len(first), dtype=np.int64)
        compare(first, second, entries, counts, self._laid_out, cosine, number_count)
        return cosine, number_count

    def _make_room(self, lang: int) -> None:
        """Make room for a language, and for the terms of the whole vocabulary."""
        size, langs = len(self._sketcher.vocabulary), max(len(self._articles), lang + 1)
        if len(self._laid_out) < size:
            self._laid_out = with_room(self._laid_out, size)
            self._titled = with_room(self._titled, len(self._laid_out))
            self._marks = with_room(self._marks, len(self._laid_out))
        shape = langs, len(self._laid_out)
        if self._seen.shape != shape:
            new = langs - len(self._articles)
            self._articles += [0] * new
            self._before += [0.0] * new
            self._log_articles = np.append(self._log_articles, np.zeros(new, dtype=np.float32))
            self._seen = _enlarged(self._seen, shape)
            self._log_seen = _enlarged(self._log_seen, shape)


def _read_before(lang: str, articles: int) -> float:
    """Return for how many articles the prior counts, after a number of articles of a stream.

    A batch blends the counts of all its articles with the prior. The counts of a young stream say
    little, and its first articles are not compared again. If the prior knows the words of the
    language, it therefore counts for as many articles as are missing to a grown archive.
    """
    missing = _GROWN - articles // _STEP * _STEP
    return max(PRIOR_ARTICLES, float(missing)) if lang in LISTS else PRIOR_ARTICLES


def _enlarged(table: NDArray[_Scalar], shape: tuple[int, int]) -> NDArray[_Scalar]:
    """Return a table of zeros that starts with the given rows and columns."""
    larger = zeros(shape, table.dtype)
    larger[: table.shape[0], : table.shape[1]] = table
    return larger
