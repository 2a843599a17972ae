"""Similarity that moves with the stream: IDF that is learnt as articles come.

The same cosine as `sahel_dedup.similarity`, from the same parts, for the few pairs that an
arriving article forms. Nothing is stored but how many articles held each term, so the
similarity of stored articles follows every step of the IDF.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.index.growing import LiveProfiles, with_room
from sahel_dedup.similarity import PRIOR_ARTICLES, Shared
from sahel_dedup.sketching import TF, Profiles, Sketcher, ragged_rows

_BLOCK_PAIRS = 2048


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
        parts = [shared.cosine for _, shared in self.shared(first, second, min_cosine=2.0)]
        return np.concatenate(parts) if parts else np.zeros(0)

    def shared(
        self, first: NDArray[np.int64], second: NDArray[np.int64], min_cosine: float = 0.0
    ) -> Iterator[tuple[slice, Shared]]:
        """Compare pairs of articles: see `sahel_dedup.similarity.Similarity.shared`."""
        for start in range(0, len(first), _BLOCK_PAIRS):
            block = slice(start, min(start + _BLOCK_PAIRS, len(first)))
            one, other = first[block], second[block]
            p = self._profiles
            cosine, figures = self._products(p.indptr, p.terms, p.counts, one, other)
            title_cosine = np.zeros(len(one))
            close = np.flatnonzero(cosine >= min_cosine)
            if len(close):
                title_cosine[close], _ = self._products(
                    p.title_indptr, p.title_terms, None, one[close], other[close]
                )
            yield block, Shared(cosine, figures, title_cosine)

    def _products(
        self,
        indptr: NDArray[np.int64],
        terms: NDArray[np.int32],
        counts: NDArray[np.uint8] | None,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Cosines of pairs of rows, and the figures they share.

        The vectors of the first ones are laid out in full, over the terms that occur in
        them, and looked up for every term of the second ones.
        """
        asking, asked = np.unique(first, return_inverse=True)
        places, offsets = ragged_rows(indptr, asking)
        held = terms[places]
        weight = self._weights(asking, np.diff(offsets), held, counts, places)
        self._column = with_room(self._column, len(self._sketcher.vocabulary))
        self._column[held] = np.arange(1, len(held) + 1)
        table = np.zeros((len(asking), len(held) + 1), dtype=np.float32)
        owner = np.repeat(np.arange(len(asking)), np.diff(offsets))
        table[owner, self._column[held]] = weight
        norm = np.sqrt(np.bincount(owner, weights=weight**2, minlength=len(asking)))

        places, offsets = ragged_rows(indptr, second)
        theirs = terms[places]
        weight = self._weights(second, np.diff(offsets), theirs, counts, places)
        pair = np.repeat(np.arange(len(second)), np.diff(offsets))
        product = table[asked[pair], self._column[theirs]] * weight
        self._column[held] = 0
        norms = norm[asked] * np.sqrt(np.bincount(pair, weights=weight**2, minlength=len(second)))
        total = np.bincount(pair, weights=product, minlength=len(second))
        common = self._sketcher.vocabulary.is_figure[theirs] & (product > 0)
        figures = np.bincount(pair[common], minlength=len(second))
        return np.divide(total, norms, out=np.zeros(len(total)), where=norms > 0), figures

    def _weights(
        self,
        rows: NDArray[np.int64],
        sizes: NDArray[np.int64],
        terms: NDArray[np.int32],
        counts: NDArray[np.uint8] | None,
        places: NDArray[np.int64],
    ) -> NDArray[np.float32]:
        """TF-IDF weights of the entries of some rows; without counts every term counts once."""
        langs = self._profiles.lang[rows]
        idf = np.empty(len(terms), dtype=np.float32)
        distinct = set(langs.tolist())
        for lang in distinct:
            table = self._up_to_date(lang)
            most = np.float32(np.log(table.articles + PRIOR_ARTICLES + 1))
            if len(distinct) == 1:
                idf = most - table.log_seen[terms]
            else:
                mine = np.repeat(langs == lang, sizes)
                idf[mine] = most - table.log_seen[terms[mine]]
        np.maximum(idf, 0, out=idf)
        return idf if counts is None else idf * TF[counts[places]]

    def _up_to_date(self, lang: int) -> TermCounts:
        """Counts of a language that cover the whole vocabulary."""
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
