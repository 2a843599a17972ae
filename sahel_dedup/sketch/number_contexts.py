"""Number contexts: the numbers of an article with the words next to them.

Reports of one event give the same numbers for the same things; two issues of a bulletin, or reports
of two attacks, give different ones: "12 killed", "47 killed". To compare millions of pairs, each
article keeps a sketch of fixed size, a one-permutation MinHash (Li, Owen and Zhang, NIPS 2012).
Each word falls into one of 32 slots by its hash. Each slot keeps eight bits of the word with the
least hash, and eight bits of that word's number with the least hash.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.util.hashing import GOLDEN_RATIO
from sahel_dedup.util.jit import compiled

SLOTS = 32
EMPTY_SLOT = np.uint16(0)

_SLOT_BITS = np.uint64(5)
_WORD_BITS = np.uint64(32)
_NUMBER_BITS = np.uint64(16)
_BYTE = np.uint64(0xFF)
_NOTHING = np.uint64(0xFFFFFFFFFFFFFFFF)
# The same word before and after a number counts as two words.
_SALT_BEFORE, _SALT_AFTER = np.uint64(0xC2B2AE3D27D4EB4F), GOLDEN_RATIO


def number_context_slots(
    hashes: NDArray[np.uint64],
    terms: NDArray[np.int32],
    is_number: NDArray[np.bool_],
    offsets: NDArray[np.int64],
    day: NDArray[np.float64],
) -> NDArray[np.uint16]:
    """Sketch the number contexts of some articles.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n_tokens,)
        Token hashes in reading order, article by article.
    terms : ndarray of int32, shape (n_tokens,)
        Number of the term of each token.
    is_number : ndarray of bool, shape (n_terms,)
        Whether each term starts with a digit.
    offsets : ndarray of int64, shape (n_articles + 1,)
        Article ``i`` owns the tokens ``offsets[i]:offsets[i + 1]``.
    day : ndarray of float64, shape (n_articles,)
        Time of publication. An article of which it is NaN has no number contexts, because only
        conflicts between dated articles are evidence.

    Returns
    -------
    ndarray of uint16, shape (n_articles, 32)
        Eight bits of a word and eight bits of the number next to it; 0 where there is none.
    """
    slots = np.empty((len(day), SLOTS), dtype=np.uint16)
    least = np.empty(SLOTS, dtype=np.uint64)
    _sketch_contexts(hashes, terms, is_number, offsets, day, slots, least)
    return slots


@compiled
def _sketch_contexts(
    hashes: NDArray[np.uint64],
    terms: NDArray[np.int32],
    is_number: NDArray[np.bool_],
    offsets: NDArray[np.int64],
    day: NDArray[np.float64],
    slots: NDArray[np.uint16],
    least: NDArray[np.uint64],
) -> None:
    """Fill in what `number_context_slots` returns; `least` is room for one article."""
    for row in range(len(slots)):
        for k in range(SLOTS):
            least[k] = _NOTHING
        first, last = offsets[row], offsets[row + 1]
        for i in range(last if np.isnan(day[row]) else first, last):
            if not is_number[terms[i]]:
                continue
            if i + 1 < last and not is_number[terms[i + 1]]:
                _enter(least, hashes[i + 1] * _SALT_AFTER, hashes[i])
            if i > first and not is_number[terms[i - 1]]:
                _enter(least, hashes[i - 1] * _SALT_BEFORE, hashes[i])
        for k in range(SLOTS):
            word = least[k] >> _NUMBER_BITS & _BYTE
            slot = word << np.uint64(8) | (least[k] & _BYTE)
            slots[row, k] = slot if least[k] != _NOTHING else EMPTY_SLOT


@compiled
def _enter(least: NDArray[np.uint64], word: np.uint64, number: np.uint64) -> None:
    """Put a word and its number into the word's slot if they are less than its present content."""
    slot = word >> (np.uint64(64) - _SLOT_BITS)
    key = word << _SLOT_BITS >> (np.uint64(64) - _WORD_BITS) << _NUMBER_BITS
    key |= number >> (np.uint64(64) - _NUMBER_BITS)
    if key < least[slot]:
        least[slot] = key


def conflicts(
    number_contexts: NDArray[np.uint16], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count the words that have different numbers next to them in two articles.

    Parameters
    ----------
    number_contexts : ndarray of uint16, shape (n, 32)
    first, second : ndarray of int64, shape (n_pairs,)
        Rows of the articles.

    Returns
    -------
    ndarray of int64, shape (n_pairs,)
        Slots with one word and two numbers. In unrelated articles, that is one in 256 of the slots
        that both fill.
    """
    found = np.empty(len(first), dtype=np.int64)
    _count_conflicts(number_contexts, first, second, found)
    return found


@compiled
def _count_conflicts(
    number_contexts: NDArray[np.uint16],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    found: NDArray[np.int64],
) -> None:
    """Fill in what `conflicts` returns."""
    for i in range(len(first)):
        found[i] = count_conflicts(number_contexts, first[i], second[i])


@compiled
def count_conflicts(number_contexts: NDArray[np.uint16], one: np.int64, other: np.int64) -> int:
    """Count what `conflicts` counts in two articles."""
    conflicting = 0
    for k in range(SLOTS):
        mine, theirs = number_contexts[one, k], number_contexts[other, k]
        # The upper byte is the word, and both slots are filled.
        same_word = mine >> np.uint16(8) == theirs >> np.uint16(8)
        filled = mine != EMPTY_SLOT and theirs != EMPTY_SLOT
        conflicting += same_word and mine != theirs and filled
    return conflicting
