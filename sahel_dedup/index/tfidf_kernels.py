"""Compiled loops of the online TF-IDF: counts of terms, and cosines of pairs."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.index.growable_profiles import TERM, TERM_BITS
from sahel_dedup.sketch.profiles import OPENING
from sahel_dedup.util.jit import compiled


@compiled
def count_held(
    wanted: NDArray[np.bool_],
    indptr: NDArray[np.int64],
    terms: NDArray[np.int32],
    held: NDArray[np.int64],
) -> None:
    """Count how many wanted terms each article contains."""
    for row in range(len(held)):
        held[row] = 0
        for term in terms[indptr[row] : indptr[row + 1]]:
            held[row] += wanted[term]


@compiled
def add_counts(
    seen: NDArray[np.int32],
    log_seen: NDArray[np.float32],
    terms: NDArray[np.int32],
    held: NDArray[np.int64],
    prior: NDArray[np.uint16],
    chance: NDArray[np.float64],
    before: float,
) -> None:
    """Increase the counts of terms, some of which may occur several times."""
    for i in range(len(terms)):
        seen[terms[i]] += held[i]
    take_logarithms(seen, log_seen, terms, prior, chance, before)


@compiled
def take_logarithms(
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


# The concatenated words of articles with their languages, and the weight of each number of
# occurrences: `lang`, `indptr`, `words` and `tf`.
Entries: TypeAlias = tuple[
    NDArray[np.int16], NDArray[np.int64], NDArray[np.uint32], NDArray[np.float32]
]
# The parts of the IDF of terms (logarithms, by language), and which terms are numbers:
# `log_articles`, `log_seen` and `is_number`. Plain tuples, because Numba looks at the type of a
# named one in Python on each call.
CountColumns: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]


@compiled
def compare(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    of: Entries,
    counts: CountColumns,
    laid_out: NDArray[np.float32],
    cosine: NDArray[np.float64],
    number_count: NDArray[np.int64],
) -> None:
    """Compare pairs; those with one first row should be consecutive.

    Fills in `cosine`, which is 0, and how many numbers the two share.

    The vector of a first row is expanded, and then read for the terms of the rows that it is
    compared with, as in `sahel_dedup.scoring.vectors.row_products`. There the weights are fixed;
    here they change with every article and are computed in the loop.
    """
    lang, indptr, words, tf = of
    log_articles, log_seen, is_number = counts
    start, row, square = 0, np.int64(-1), 0.0
    for pair in range(len(first)):
        if first[pair] != row:
            for word in words[start : indptr[row + 1]]:
                laid_out[word & TERM] = 0
            row = first[pair]
            start, square = indptr[row], 0.0
            articles, seen = log_articles[lang[row]], log_seen[lang[row]]
            for word in words[start : indptr[row + 1]]:
                weight = _weight(word, tf, articles, seen)
                laid_out[word & TERM] = weight
                square += weight * weight
        other = second[pair]
        product, other_square, shared = 0.0, 0.0, 0
        articles, seen = log_articles[lang[other]], log_seen[lang[other]]
        for word in words[indptr[other] : indptr[other + 1]]:
            weight = _weight(word, tf, articles, seen)
            other_square += weight * weight
            here = laid_out[word & TERM] * weight
            product += here
            # Without a branch, which the processor would guess wrongly for one word in four.
            shared += (here > 0) & is_number[word & TERM]
        number_count[pair] = shared
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
    """Return the TF-IDF weight of an entry."""
    idf = log_articles - log_seen[word & TERM]
    # Both of one type: a number of double precision here would change every cosine.
    return float(tf[word >> TERM_BITS] * (idf if idf > 0 else np.float32(0)))


@compiled
def compare_figures(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    indptr: NDArray[np.int64],
    words: NDArray[np.uint32],
    is_number: NDArray[np.bool_],
    years: NDArray[np.int32],
    figures: NDArray[np.float64],
) -> None:
    """Fill in which part of their numbers pairs share: see `sahel_dedup.scoring.tfidf.Shared`."""
    row, count = np.int64(-1), 0
    held = np.empty(0, dtype=np.int64)
    for pair in range(len(first)):
        if first[pair] != row:
            row, count = first[pair], 0
            held = np.empty(indptr[row + 1] - indptr[row], dtype=np.int64)
            for word in words[indptr[row] : indptr[row + 1]]:
                if _is_figure(word & TERM, is_number, years):
                    held[count] = word & TERM
                    count += 1
        other, common = 0, 0
        for word in words[indptr[second[pair]] : indptr[second[pair] + 1]]:
            if _is_figure(word & TERM, is_number, years):
                other += 1
                place = np.searchsorted(held[:count], np.int64(word & TERM))
                common += int(place < count and held[place] == word & TERM)
        figures[pair] = common / (min(count, other) + 1)


@compiled
def _is_figure(term: np.uint32, is_number: NDArray[np.bool_], years: NDArray[np.int32]) -> bool:
    """Whether a term is a number but no year."""
    if not is_number[term]:
        return False
    place = np.searchsorted(years, term)
    return not (place < len(years) and years[place] == term)


@compiled
def compare_headlines(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    lang: NDArray[np.int16],
    indptr: NDArray[np.int64],
    words: NDArray[np.uint32],
    titles: tuple[NDArray[np.int64], NDArray[np.int32]],
    counts: CountColumns,
    headlines: NDArray[np.float64],
) -> None:
    """Fill in the parts of titles in openings: see `sahel_dedup.scoring.tfidf.Shared`."""
    starts, terms = titles
    log_articles, log_seen, _ = counts
    for pair in range(len(first)):
        for one, other in ((first[pair], second[pair]), (second[pair], first[pair])):
            held, total = 0.0, 0.0
            for term in terms[starts[one] : starts[one + 1]]:
                idf = log_articles[lang[one]] - log_seen[lang[one], term]
                if idf > 0:
                    total += idf
                    if _opens(words[indptr[other] : indptr[other + 1]], term):
                        held += idf
            if total > 0:
                headlines[pair] += held / total / 2


@compiled
def _opens(words: NDArray[np.uint32], term: np.int32) -> bool:
    """Whether a term is in the title or the first words of an article, given its words."""
    low, high = 0, len(words)
    while low < high:
        middle = (low + high) // 2
        if np.int32(words[middle] & TERM) < term:
            low = middle + 1
        else:
            high = middle
    found = low < len(words) and np.int32(words[low] & TERM) == term
    return found and words[low] >> TERM_BITS >= OPENING
