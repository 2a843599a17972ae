"""Comparison of a few articles without an archive, with the code that compares archives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.explain.document import TermWeights
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher
from sahel_dedup.text.idf_prior import IDF_UNITS
from sahel_dedup.text.words import Words


@dataclass(frozen=True, slots=True)
class ComparedArticles:
    """Articles, and the object that compares them.

    Attributes
    ----------
    profiles : Profiles
        Profiles, in the order of the articles.
    similarity : Similarity
        Compares them, with the given term weights or those of general news.
    words : Words
        The terms by number.
    is_number : ndarray of bool, shape (n_terms,)
        Whether each term starts with a digit.
    """

    profiles: Profiles
    similarity: Similarity
    words: Words
    is_number: NDArray[np.bool_]

    def title_numbers(self, row: int) -> tuple[str, ...]:
        """Return the numbers in the title of an article, in ascending order."""
        start, end = self.profiles.title_indptr[row : row + 2]
        terms = self.profiles.title_terms[start:end]
        return tuple(sorted(self.words.take(terms[self.is_number[terms]].tolist())))


def compare_articles(
    articles: Sequence[Article], weights: TermWeights | None = None, lang: str | None = None
) -> ComparedArticles:
    """Prepare articles for comparison with each other.

    Parameters
    ----------
    articles : sequence of Article
    weights : callable, optional
        Returns the weights (IDF) of words in their folded form. The default weights are those of
        general news in their language.
    lang : str, optional
        Language tag of all articles. By default each has its own, or it is detected.

    Returns
    -------
    ComparedArticles
    """
    sketcher = Sketcher()
    if lang is not None:
        articles = [replace(article, lang=lang) for article in articles]
    profiles = sketcher.sketch(articles)
    vocabulary = sketcher.vocabulary
    terms = np.arange(len(vocabulary))
    idf = np.zeros((max(1, len(sketcher.langs)), len(terms)), dtype=np.float32)
    for name, number in sketcher.langs.items():
        if weights is None:
            idf[number] = vocabulary.prior_idf(name, terms) / IDF_UNITS
        else:
            idf[number] = weights(vocabulary.words[:])
    similarity = Similarity.with_idf(
        profiles, idf, vocabulary.is_number, vocabulary.years(), len(profiles)
    )
    return ComparedArticles(profiles, similarity, vocabulary.words, vocabulary.is_number)
