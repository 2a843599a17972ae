"""Similarity that moves with the stream: IDF that is learnt as articles come.

The same cosine as `sahel_dedup.similarity`, from the same parts, for the few pairs that an
arriving article forms. Nothing is stored but how many articles held each term, so the
similarity of stored articles follows every step of the IDF.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.compiled import compiled
from sahel_dedup.index.growing import TERM, TERM_BITS, LiveProfiles, with_room, zeros
from sahel_dedup.prior import LISTS, PRIOR_ARTICLES
from sahel_dedup.profiles import Profiles
from sahel_dedup.similarity import Shared
from sahel_dedup.sketching import TF, Sketcher

_Scalar = TypeVar("_Scalar", bound=np.generic)

# Articles of a grown archive, and by how many it grows before the IDF of all terms follows.
_GROWN = 5000
_STEP = 500
# The prior IDF of a term, in units of 1/64, is ln((n0 + 1) / (n0 p + 1)); this is p.
_CHANCE = (np.exp(np.arange(1 << 10) / -64.0) * (PRIOR_ARTICLES + 1) - 1) / PRIOR_ARTICLES

# Every term of a title counts once.
_ONCE = np.ones_like(TF)


class TermCounts(NamedTuple):
    """How many articles of one language held each term.

    Attributes
    ----------
    articles : int
        Number of articles.
    seen : ndarray of int32, shape (room,)
        How many of them held each term.
    """

    articles: int
    seen: NDArray[np.int32]


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
        return Compared(
            self.first[chosen],
            self.second[chosen],
            self.cosine[chosen],
            self.common[chosen],
            self.similarity,
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
        # Of each language: articles, and as if so many of general news had been read before; ...
        self._articles: list[int] = []
        self._before: list[float] = []
        # ... how many held each term, and the logarithms of what the IDF is a ratio of; those
        # of terms that no article held are not filled in.
        self._seen = np.zeros((0, 0), dtype=np.int32)
        self._log_articles = np.zeros(0, dtype=np.float32)
        self._log_seen = np.zeros((0, 0), dtype=np.float32)
        self.figures = np.zeros(0, dtype=np.int64)
        self._title_figures = np.zeros(0, dtype=np.int64)
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
        _count_held(is_figure, profiles.indptr, profiles.terms, self.figures[first:size])
        self._title_figures = with_room(self._title_figures, size)
        held = self._title_figures[first:size]
        _count_held(is_figure, profiles.title_indptr, profiles.title_terms, held)
        langs = set(profiles.lang.tolist())
        for lang in langs:
            terms, articles = profiles.terms, len(profiles)
            if len(langs) > 1:
                mine = profiles.lang == lang
                terms = terms[np.repeat(mine, np.diff(profiles.indptr))]
                articles = int(mine.sum())
            self.count(lang, articles, terms, np.ones(len(terms), dtype=np.int64))

    def count(
        self, lang: int, articles: int, terms: NDArray[np.int32], held: NDArray[np.int64]
    ) -> None:
        """Count articles of a language, and how many of them held some terms."""
        self._make_room(lang)
        seen, log_seen = self._seen[lang], self._log_seen[lang]
        self._articles[lang] += articles
        name = list(self._sketcher.langs)[lang]
        before = _read_before(name, self._articles[lang])
        prior = self._sketcher.vocabulary.prior_idf(name, terms)
        _add_counts(seen, log_seen, terms, held, prior, _CHANCE, before)
        if before != self._before[lang]:
            self._before[lang] = before
            terms = seen.nonzero()[0].astype(np.int32)
            prior = self._sketcher.vocabulary.prior_idf(name, terms)
            _take_logarithms(seen, log_seen, terms, prior, _CHANCE, before)
        self._log_articles[lang] = math.log(self._articles[lang] + before + 1)

    def counted(self) -> list[TermCounts]:
        """Return what was counted, by number of language."""
        return [TermCounts(*counts) for counts in zip(self._articles, self._seen, strict=True)]

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
        self._title_figures = self._title_figures[rows]
        if kept is not None:
            self._seen, self._log_seen = self._seen[:, kept], self._log_seen[:, kept]
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
        return cosine, _of_titles(first, second, shared, self._title_figures)

    def _compare(
        self,
        indptr: NDArray[np.int64],
        words: NDArray[np.uint32],
        tf: NDArray[np.float32],
        first: NDArray[np.int64],
        second: NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Cosines of pairs, and the number of figures they share."""
        return _compare(
            first, second, self._profiles.lang, indptr, words, tf, self._log_articles,
            self._log_seen, self._sketcher.vocabulary.is_figure, self._laid_out,
        )  # fmt: skip

    def _make_room(self, lang: int) -> None:
        """Make room for a language, and for the terms of the whole vocabulary."""
        size, langs = len(self._sketcher.vocabulary), max(len(self._articles), lang + 1)
        if len(self._laid_out) < size:
            self._laid_out = with_room(self._laid_out, size)
        shape = langs, len(self._laid_out)
        if self._seen.shape != shape:
            new = langs - len(self._articles)
            self._articles += [0] * new
            self._before += [0.0] * new
            self._log_articles = np.append(self._log_articles, np.zeros(new, dtype=np.float32))
            self._seen, self._log_seen = (
                _enlarged(self._seen, shape),
                _enlarged(self._log_seen, shape),
            )


def _read_before(lang: str, articles: int) -> float:
    """Return how many articles the prior stands for, after so many of a stream.

    A batch blends the counts of all its articles with the prior. Those of a young stream say
    little, and its first articles are not compared again: where the prior knows the words of
    the language, it stands for as many articles as are missing to a grown archive.
    """
    missing = _GROWN - articles // _STEP * _STEP
    return max(PRIOR_ARTICLES, float(missing)) if lang in LISTS else PRIOR_ARTICLES


def _enlarged(table: NDArray[_Scalar], shape: tuple[int, int]) -> NDArray[_Scalar]:
    """Return a table of zeros that starts with the rows and columns given."""
    larger = zeros(shape, table.dtype)
    larger[: table.shape[0], : table.shape[1]] = table
    return larger


@compiled
def _count_held(
    wanted: NDArray[np.bool_],
    indptr: NDArray[np.int64],
    terms: NDArray[np.int32],
    held: NDArray[np.int64],
) -> None:
    """Count how many wanted terms each article holds."""
    for row in range(len(held)):
        held[row] = 0
        for term in terms[indptr[row] : indptr[row + 1]]:
            held[row] += wanted[term]


@compiled
def _add_counts(
    seen: NDArray[np.int32],
    log_seen: NDArray[np.float32],
    terms: NDArray[np.int32],
    held: NDArray[np.int64],
    prior: NDArray[np.uint16],
    chance: NDArray[np.float64],
    before: float,
) -> None:
    """Add to the counts of terms, some of which may come several times."""
    for i in range(len(terms)):
        seen[terms[i]] += held[i]
    _take_logarithms(seen, log_seen, terms, prior, chance, before)


@compiled
def _take_logarithms(
    seen: NDArray[np.int32],
    log_seen: NDArray[np.float32],
    terms: NDArray[np.int32],
    prior: NDArray[np.uint16],
    chance: NDArray[np.float64],
    before: float,
) -> None:
    """Fill in the denominators of the IDF of some terms."""
    for i in range(len(terms)):
        log_seen[terms[i]] = math.log(seen[terms[i]] + 1 + chance[prior[i]] * before)


@compiled
def _of_titles(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    shared: NDArray[np.int64],
    held: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Whether the figures of two titles agree: see `sahel_dedup.similarity.Shared`."""
    told = np.zeros(len(first), dtype=np.int64)
    for i in range(len(first)):
        if held[first[i]] and held[second[i]]:
            told[i] = 1 if shared[i] else -1
    return told


@compiled
def _compare(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    lang: NDArray[np.int16],
    indptr: NDArray[np.int64],
    words: NDArray[np.uint32],
    tf: NDArray[np.float32],
    log_articles: NDArray[np.float32],
    log_seen: NDArray[np.float32],
    is_figure: NDArray[np.bool_],
    laid_out: NDArray[np.float32],
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Compare pairs, those of one first row best behind each other.

    The vector of a first row is laid out in full, and looked up for the terms of those that it
    is compared with.
    """
    cosine = np.zeros(len(first))
    figures = np.zeros(len(first), dtype=np.int64)
    start, row, square = 0, np.int64(-1), 0.0
    for pair in range(len(first)):
        if first[pair] != row:
            for word in words[start : indptr[row + 1]]:
                laid_out[word & TERM] = 0
            row = first[pair]
            start, square = indptr[row], 0.0
            for word in words[start : indptr[row + 1]]:
                weight = _weight(word, tf, log_articles[lang[row]], log_seen[lang[row]])
                laid_out[word & TERM] = weight
                square += weight * weight
        other = second[pair]
        product, other_square, shared = 0.0, 0.0, 0
        for word in words[indptr[other] : indptr[other + 1]]:
            weight = _weight(word, tf, log_articles[lang[other]], log_seen[lang[other]])
            other_square += weight * weight
            here = laid_out[word & TERM] * weight
            product += here
            shared += here > 0 and is_figure[word & TERM]
        figures[pair] = shared
        if product > 0:
            cosine[pair] = product / math.sqrt(square * other_square)
    for word in words[start : indptr[row + 1]]:
        laid_out[word & TERM] = 0
    return cosine, figures


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
