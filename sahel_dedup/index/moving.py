"""Similarity that moves with the stream: IDF that is learnt as articles come.

The same cosine as `sahel_dedup.similarity`, from the same parts, for the few pairs that an
arriving article forms. Nothing is stored but how many articles held each term, so the
similarity of stored articles follows every step of the IDF.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.compiled import compiled
from sahel_dedup.index.growing import TERM, TERM_BITS, LiveProfiles, with_room
from sahel_dedup.prior import LISTS, PRIOR_ARTICLES
from sahel_dedup.similarity import Shared
from sahel_dedup.sketching import TF, Profiles, Sketcher

# Articles of a grown archive, and by how many it grows before the IDF of all terms follows.
_GROWN = 5000
_STEP = 500
# The prior IDF of a term, in units of 1/64, is ln((n0 + 1) / (n0 p + 1)); this is p.
_CHANCE = (np.exp(np.arange(1 << 10) / -64.0) * (PRIOR_ARTICLES + 1) - 1) / PRIOR_ARTICLES

# Every term of a title counts once.
_ONCE = np.ones_like(TF)


@dataclass(slots=True)
class TermCounts:
    """How many articles of one language held each term.

    Attributes
    ----------
    articles : int
        Number of articles.
    before : float
        As if so many articles of general news had been read before.
    seen : ndarray of int32, shape (n_terms,)
        How many of them held each term.
    log_seen : ndarray of float32, shape (n_terms,)
        Logarithm of that with the prior's articles added, the denominator of the IDF; for
        terms that no article held it is not filled in.
    """

    articles: int
    before: float
    seen: NDArray[np.int32]
    log_seen: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Compared:
    """Pairs whose cosine is known, and what is yet to be known of them.

    Attributes
    ----------
    first, second : ndarray of int64, shape (n_pairs,)
        Rows of the articles.
    cosine : ndarray of float64, shape (n_pairs,)
        TF-IDF cosine.
    common : ndarray of int64, shape (n_pairs,)
        Figures that both hold.
    similarity : MovingSimilarity
        What compared them.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    cosine: NDArray[np.float64]
    common: NDArray[np.int64]
    similarity: MovingSimilarity

    def where(self, chosen: NDArray[np.bool_]) -> Compared:
        """Return some of the pairs."""
        return replace(
            self,
            first=self.first[chosen],
            second=self.second[chosen],
            cosine=self.cosine[chosen],
            common=self.common[chosen],
        )

    @property
    def figures(self) -> NDArray[np.int64]:
        """Distinct figures in each article."""
        return self.similarity.figures

    def cosines(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the TF-IDF cosines of any pairs."""
        return self.similarity.cosines(first, second)

    def shared(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        _cosine: NDArray[np.float64] | None = None,
    ) -> Iterator[tuple[slice, Shared]]:
        """Return what `MovingSimilarity.shared` does, of these very pairs."""
        if len(first):
            titles = self.similarity.titles(first, second)
            yield slice(0, len(first)), Shared(self.cosine, self.common, *titles)


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
        self.figures = np.zeros(0, dtype=np.int64)
        # Whether the title of each article holds a figure.
        self._titled_by_figures = np.zeros(0, dtype=bool)
        # Weight of each term in the article at hand; all zero between comparisons.
        self._laid_out = np.zeros(0, dtype=np.float32)

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
        is_figure = self._sketcher.vocabulary.is_figure
        self.figures = with_room(self.figures, size)
        figure = is_figure.take(profiles.terms)
        self.figures[first:size] = _sums(figure, profiles.indptr, np.int64)
        self._titled_by_figures = with_room(self._titled_by_figures, size)
        figure = is_figure.take(profiles.title_terms)
        self._titled_by_figures[first:size] = _sums(figure, profiles.title_indptr, np.int64) > 0
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

    def count(self, lang: int, articles: int, terms: NDArray[Any], held: NDArray[np.int64]) -> None:
        """Count articles of a language, and how many of them held some distinct terms."""
        counts = self._up_to_date(lang)
        counts.articles += articles
        counts.seen[terms] += held.astype(np.int32)
        name = list(self._sketcher.langs)[lang]
        before = _read_before(name, counts.articles)
        if before != counts.before:
            counts.before = before
            terms = counts.seen.nonzero()[0].astype(np.int32)
        prior = self._sketcher.vocabulary.prior_idf(name, terms)
        counts.log_seen[terms] = np.log(counts.seen.take(terms) + 1 + _CHANCE.take(prior) * before)

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
        self._titled_by_figures = self._titled_by_figures[rows]
        if kept is not None:
            for counts in self.counted().values():
                counts.seen, counts.log_seen = counts.seen[kept], counts.log_seen[kept]
            self._laid_out = self._laid_out[kept]

    def cosines(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the TF-IDF cosine of pairs of articles, shape (n_pairs,)."""
        return self.compare(first, second).cosine

    def compare(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> Compared:
        """Find the TF-IDF cosine of pairs, and how many figures they share."""
        p = self._profiles
        return Compared(first, second, *self._compare(p.indptr, p.words, TF, first, second), self)

    def shared(
        self,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        _cosine: NDArray[np.float64] | None = None,
    ) -> Iterator[tuple[slice, Shared]]:
        """Compare pairs of articles: see `sahel_dedup.similarity.Similarity.shared`."""
        yield from self.compare(first, second).shared(first, second)

    def titles(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Compare titles: see `sahel_dedup.similarity.Shared`."""
        p = self._profiles
        words = p.title_terms.view(np.uint32)
        cosine, shared = self._compare(p.title_indptr, words, _ONCE, first, second)
        held = self._titled_by_figures.take(first) & self._titled_by_figures.take(second)
        return cosine, np.where(held, np.where(shared > 0, 1, -1), 0)

    def _compare(
        self,
        indptr: NDArray[np.int64],
        words: NDArray[np.uint32],
        tf: NDArray[np.float32],
        first: NDArray[np.int64],
        second: NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Cosines of pairs, and the number of figures they share."""
        cosine, figures = np.zeros(len(first)), np.zeros(len(first), dtype=np.int64)
        is_figure = self._sketcher.vocabulary.is_figure
        self._laid_out = with_room(self._laid_out, len(is_figure))
        lang = self._profiles.lang
        langs = set(zip(lang.take(first).tolist(), lang.take(second).tolist(), strict=True))
        for one, other in langs:
            mine = (
                np.arange(len(first))
                if len(langs) == 1
                else np.flatnonzero((lang[first] == one) & (lang[second] == other))
            )
            _compare(
                mine, first, second, indptr, words, tf, *self._idf(one), *self._idf(other),
                is_figure, self._laid_out, cosine, figures,
            )  # fmt: skip
        return cosine, figures

    def _idf(self, lang: int) -> tuple[np.float32, NDArray[np.float32]]:
        """Logarithms of the numerator and of the denominators of the IDF of a language."""
        counts = self._up_to_date(lang)
        return np.float32(math.log(counts.articles + counts.before + 1)), counts.log_seen

    def _up_to_date(self, lang: int) -> TermCounts:
        """Return the counts of a language, with room for the whole vocabulary."""
        size = len(self._sketcher.vocabulary)
        counts = self._counts.get(lang)
        if counts is None:
            counts = self._counts[lang] = TermCounts(
                0, 0.0, np.zeros(size, dtype=np.int32), np.zeros(size, dtype=np.float32)
            )
        counts.seen = with_room(counts.seen, size)
        counts.log_seen = with_room(counts.log_seen, size)
        return counts


def _read_before(lang: str, articles: int) -> float:
    """Return how many articles the prior stands for, after so many of a stream.

    A batch blends the counts of all its articles with the prior. Those of a young stream say
    little, and its first articles are not compared again: where the prior knows the words of
    the language, it stands for as many articles as are missing to a grown archive.
    """
    missing = _GROWN - articles // _STEP * _STEP
    return max(PRIOR_ARTICLES, float(missing)) if lang in LISTS else PRIOR_ARTICLES


@compiled
def _compare(
    pairs: NDArray[np.int64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    indptr: NDArray[np.int64],
    words: NDArray[np.uint32],
    tf: NDArray[np.float32],
    log_articles: np.float32,
    log_seen: NDArray[np.float32],
    log_articles_other: np.float32,
    log_seen_other: NDArray[np.float32],
    is_figure: NDArray[np.bool_],
    laid_out: NDArray[np.float32],
    cosine: NDArray[np.float64],
    figures: NDArray[np.int64],
) -> None:
    """Compare some pairs, those of one first row behind each other.

    The vector of a first row is laid out in full, and looked up for the terms of those that it
    is compared with.
    """
    start, row, square = 0, np.int64(-1), 0.0
    for pair in pairs:
        if first[pair] != row:
            for word in words[start : indptr[row + 1]]:
                laid_out[word & TERM] = 0
            row = first[pair]
            start, square = indptr[row], 0.0
            for word in words[start : indptr[row + 1]]:
                weight = _weight(word, tf, log_articles, log_seen)
                laid_out[word & TERM] = weight
                square += weight * weight
        product, other_square, shared = 0.0, 0.0, 0
        for word in words[indptr[second[pair]] : indptr[second[pair] + 1]]:
            weight = _weight(word, tf, log_articles_other, log_seen_other)
            other_square += weight * weight
            here = laid_out[word & TERM] * weight
            product += here
            shared += here > 0 and is_figure[word & TERM]
        figures[pair] = shared
        if product > 0:
            cosine[pair] = product / math.sqrt(square * other_square)
    for word in words[start : indptr[row + 1]]:
        laid_out[word & TERM] = 0


@compiled
def _weight(
    word: np.uint32,
    tf: NDArray[np.float32],
    log_articles: np.float32,
    log_seen: NDArray[np.float32],
) -> float:
    """TF-IDF weight of an entry."""
    idf = max(np.float32(0), log_articles - log_seen[word & TERM])
    return float(tf[word >> TERM_BITS] * idf)


def _sums(values: NDArray[Any], offsets: NDArray[np.int64], dtype: Any = None) -> NDArray[Any]:
    """Sum a ragged array row by row."""
    starts, ends = offsets[:-1], offsets[1:]
    filled = starts < ends
    if filled.all():
        return np.add.reduceat(values, starts, dtype=dtype) if len(starts) else values[:0]
    sums = np.zeros(len(starts), dtype=dtype or values.dtype)
    if filled.any():
        sums[filled] = np.add.reduceat(values, starts[filled], dtype=dtype)
    return sums
