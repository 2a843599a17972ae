"""Compiled loops of the online TF-IDF: counts of terms, and cosines of pairs."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.index.growable_profiles import TERM, TERM_BITS
from sahel_dedup.sketch.profiles import OPENING
from sahel_dedup.sketch.sketcher import OPENING_TF
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
def mark_amounts(
    is_number: NDArray[np.bool_],
    hashes: NDArray[np.uint64],
    years: NDArray[np.uint64],
    first: int,
    amount: NDArray[np.bool_],
) -> None:
    """Mark the terms from one on that are numbers but no years."""
    for term in range(first, len(is_number)):
        amount[term] = is_number[term]
        # Most new terms are words.
        for year in years if is_number[term] else years[:0]:
            amount[term] = amount[term] and hashes[term] != year


@compiled
def add_counts(
    seen: NDArray[np.int32],
    log_seen: NDArray[np.float32],
    terms: NDArray[np.int32],
    times: int,
    prior: NDArray[np.uint16],
    chance: NDArray[np.float64],
    before: float,
) -> None:
    """Increase the counts of terms, some of which may occur several times."""
    for i in range(len(terms)):
        seen[terms[i]] += times
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
            for i in range(start, indptr[row + 1]):
                laid_out[words[i] & TERM] = 0
            row = first[pair]
            start, square = indptr[row], 0.0
            articles, seen = log_articles[lang[row]], log_seen[lang[row]]
            for i in range(start, indptr[row + 1]):
                weight = _weight(words[i], tf, articles, seen)
                # The weights of numbers are laid out as negative ones.
                laid_out[words[i] & TERM] = -weight if is_number[words[i] & TERM] else weight
                square += weight * weight
        other = second[pair]
        product, other_square, shared = 0.0, 0.0, 0
        articles, seen = log_articles[lang[other]], log_seen[lang[other]]
        for i in range(indptr[other], indptr[other + 1]):
            word = words[i]
            weight = _weight(word, tf, articles, seen)
            other_square += weight * weight
            here = laid_out[word & TERM] * weight
            product += abs(here)
            # Without a branch, which the processor would guess wrongly for one word in four.
            shared += here < 0
        number_count[pair] = shared
        if product > 0:
            cosine[pair] = product / math.sqrt(square * other_square)
    for i in range(start, indptr[row + 1]):
        laid_out[words[i] & TERM] = 0


@compiled
def _weight(
    word: np.uint32,
    tf: NDArray[np.float32],
    log_articles: np.float32,
    log_seen: NDArray[np.float32],
) -> float:
    """Return the TF-IDF weight of an entry."""
    return float(tf[word >> TERM_BITS] * _idf(word & TERM, log_articles, log_seen))


# The words of articles as above, and their titles: `lang`, `indptr`, `words`, `title_indptr` and
# `title_terms`.
WordColumns: TypeAlias = tuple[
    NDArray[np.int16],
    NDArray[np.int64],
    NDArray[np.uint32],
    NDArray[np.int64],
    NDArray[np.int32],
]
# Room for each term, all zeros between calls: its weight in an opening and in a title, and marks.
TermRoom: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]
# The marks of terms that are amounts, and of those in an opening.
_AMOUNT, _OPENS = np.uint8(1), np.uint8(2)
_OPENING_TF = np.float32(OPENING_TF[OPENING])


@compiled
def compare_further(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    of: WordColumns,
    counts: CountColumns,
    room: TermRoom,
    found: NDArray[np.float64],
) -> None:
    """Compare titles, openings and amounts of pairs; those with one first row should be together.

    Fills in the rows of `found`, which are 0: `title`, `opening`, `amounts` and `headline` of
    `sahel_dedup.scoring.tfidf.Shared`. In `counts`, amounts take the place of numbers.

    All of them in one loop over the words of a pair, because an arriving article forms few pairs.
    """
    row, count, opening, title, total = np.int64(-1), 0, 0.0, 0.0, 0.0
    for pair in range(len(first)):
        if first[pair] != row:
            if pair > 0:
                _clear(row, of, room)
            row = first[pair]
            count, opening, title, total = _lay_out(row, of, counts, room)
        amounts, common, product, square, held = _meet_text(second[pair], of, counts, room)
        found[1, pair] = _cosine(product, opening, square)
        found[2, pair] = common / ((count if count < amounts else amounts) + 1)
        if total > 0:
            found[3, pair] = held / total / 2
        product, square, held, whole = _meet_title(second[pair], of, counts, room)
        found[0, pair] = _cosine(product, title, square)
        if whole > 0:
            found[3, pair] += held / whole / 2
    if len(first) > 0:
        _clear(row, of, room)


@compiled
def _meet_text(
    row: np.int64, of: WordColumns, counts: CountColumns, room: TermRoom
) -> tuple[int, int, float, float, float]:
    """Compare the text of an article with what is laid out.

    Returns how many amounts it has, and how many both have; the product of both openings, and the
    square of its own; and the weight of the words of the other title that its opening has.
    """
    lang, indptr, words, _, _ = of
    log_articles, log_seen, is_amount = counts
    opened, titled, marks = room
    articles, seen = log_articles[lang[row]], log_seen[lang[row]]
    amounts, common, product, square, held = 0, 0, 0.0, 0.0, 0.0
    for i in range(indptr[row], indptr[row + 1]):
        word, term = words[i], words[i] & TERM
        if is_amount[term]:
            amounts += 1
            common += marks[term] & _AMOUNT
        if word >> TERM_BITS >= OPENING:
            weight = float(_OPENING_TF * _idf(term, articles, seen))
            square += weight * weight
            product += opened[term] * weight
            held += titled[term]
    return amounts, common, product, square, held


@compiled
def _meet_title(
    row: np.int64, of: WordColumns, counts: CountColumns, room: TermRoom
) -> tuple[float, float, float, float]:
    """Compare the title of an article with what is laid out.

    Returns the product of both titles, and the square of its own; the weight of its words that the
    other opening has, and of all.
    """
    lang, _, _, starts, titles = of
    log_articles, log_seen, _ = counts
    _, titled, marks = room
    articles, seen = log_articles[lang[row]], log_seen[lang[row]]
    product, square, held, whole = 0.0, 0.0, 0.0, 0.0
    for i in range(starts[row], starts[row + 1]):
        term = titles[i]
        weight = float(_idf(term, articles, seen))
        square += weight * weight
        product += titled[term] * weight
        whole += weight
        if marks[term] & _OPENS:
            held += weight
    return product, square, held, whole


@compiled
def _cosine(product: float, one: float, other: float) -> float:
    """Return the cosine of two vectors, given their product and the squares of their lengths."""
    return product / math.sqrt(one * other) if product > 0 else 0.0


@compiled
def _lay_out(
    row: np.int64, of: WordColumns, counts: CountColumns, room: TermRoom
) -> tuple[int, float, float, float]:
    """Lay out the weights and marks of the terms of an article.

    Returns how many are amounts, the sum of squares of the weights in its opening and in its title,
    and the sum of those in its title.
    """
    lang, indptr, words, starts, titles = of
    log_articles, log_seen, is_amount = counts
    opened, titled, marks = room
    articles, seen = log_articles[lang[row]], log_seen[lang[row]]
    amounts, opening, title, whole = 0, 0.0, 0.0, 0.0
    for i in range(indptr[row], indptr[row + 1]):
        word, term = words[i], words[i] & TERM
        if is_amount[term]:
            marks[term] |= _AMOUNT
            amounts += 1
        if word >> TERM_BITS >= OPENING:
            marks[term] |= _OPENS
            weight = float(_OPENING_TF * _idf(term, articles, seen))
            opened[term] = weight
            opening += weight * weight
    for i in range(starts[row], starts[row + 1]):
        term = titles[i]
        weight = float(_idf(term, articles, seen))
        titled[term] = weight
        title += weight * weight
        whole += weight
    return amounts, opening, title, whole


@compiled
def _clear(row: np.int64, of: WordColumns, room: TermRoom) -> None:
    """Make the room of the terms of an article 0 again."""
    _, indptr, words, starts, titles = of
    opened, titled, marks = room
    for i in range(indptr[row], indptr[row + 1]):
        opened[words[i] & TERM] = 0
        marks[words[i] & TERM] = 0
    for i in range(starts[row], starts[row + 1]):
        titled[titles[i]] = 0


@compiled
def _idf(term: Any, log_articles: np.float32, log_seen: NDArray[np.float32]) -> np.float32:
    """Return the IDF of a term."""
    idf = log_articles - log_seen[term]
    # Both of one type: a number of double precision here would change every cosine.
    return idf if idf > 0 else np.float32(0)
