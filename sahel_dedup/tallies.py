"""Tallies: the figures of an article, each with the word next to it.

Reports of one event tell the same numbers of the same things; two issues of a bulletin, or two
attacks, tell other numbers of them: "12 killed", "47 killed". So that millions of pairs can be
compared, an article keeps a sketch of fixed size, a MinHash by one permutation (Li, Owen and
Zhang, NIPS 2012): each word falls into one of 32 slots by its hash, and each slot keeps the
word of least hash, and its figure of least hash, eight bits of either.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.compiled import compiled

SLOTS = 32
EMPTY_SLOT = np.uint16(0)

_SLOT_BITS = np.uint64(5)
_WORD_BITS = np.uint64(32)
_FIGURE_BITS = np.uint64(16)
_BYTE = np.uint64(0xFF)
_NOTHING = np.uint64(0xFFFFFFFFFFFFFFFF)
# A word before a figure and the same word behind it are two.
_SALT_BEFORE, _SALT_BEHIND = np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(0x9E3779B97F4A7C15)


@compiled
def tally_slots(
    hashes: NDArray[np.uint64], is_figure: NDArray[np.bool_], offsets: NDArray[np.int64]
) -> NDArray[np.uint16]:
    """Sketch what the figures of some articles count.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n_tokens,)
        Token hashes in reading order, article by article.
    is_figure : ndarray of bool, shape (n_tokens,)
        Whether each token starts with a digit.
    offsets : ndarray of int64, shape (n_articles + 1,)
        Article ``i`` owns the tokens ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of uint16, shape (n_articles, 32)
        Eight bits of a word, eight of the figure next to it; 0 where there is none.
    """
    slots = np.zeros((len(offsets) - 1, SLOTS), dtype=np.uint16)
    least = np.empty(SLOTS, dtype=np.uint64)
    for row in range(len(slots)):
        least[:] = _NOTHING
        first, last = offsets[row], offsets[row + 1]
        for i in range(first, last):
            if not is_figure[i]:
                continue
            if i + 1 < last and not is_figure[i + 1]:
                _enter(least, hashes[i + 1] * _SALT_BEHIND, hashes[i])
            if i > first and not is_figure[i - 1]:
                _enter(least, hashes[i - 1] * _SALT_BEFORE, hashes[i])
        for k in range(SLOTS):
            if least[k] != _NOTHING:
                word = least[k] >> _FIGURE_BITS & _BYTE
                slots[row, k] = word << np.uint64(8) | (least[k] & _BYTE)
    return slots


@compiled
def _enter(least: NDArray[np.uint64], word: np.uint64, figure: np.uint64) -> None:
    """Put a word and its figure into the word's slot, if they are less than what is there."""
    slot = word >> (np.uint64(64) - _SLOT_BITS)
    key = word << _SLOT_BITS >> (np.uint64(64) - _WORD_BITS) << _FIGURE_BITS
    key |= figure >> (np.uint64(64) - _FIGURE_BITS)
    least[slot] = min(least[slot], key)


@compiled
def conflicts(
    tallies: NDArray[np.uint16], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count the words beside which two articles have different figures.

    Parameters
    ----------
    tallies : ndarray of uint16, shape (n, 32)
    first, second : ndarray of int64, shape (n_pairs,)
        Rows of the articles.

    Returns
    -------
    ndarray of int64, shape (n_pairs,)
        Slots with one word and two figures; of strangers, one slot in 256 that both fill.
    """
    found = np.empty(len(first), dtype=np.int64)
    for i in range(len(first)):
        found[i] = conflict(tallies, first[i], second[i])
    return found


@compiled
def conflict(tallies: NDArray[np.uint16], first: int, second: int) -> int:
    """Count the words beside which two articles, given by row, have different figures."""
    found = 0
    for k in range(SLOTS):
        one, two = tallies[first, k], tallies[second, k]
        # The upper byte is the word, and both slots are filled.
        same_word = one >> np.uint16(8) == two >> np.uint16(8)
        found += same_word and one != two and one != EMPTY_SLOT and two != EMPTY_SLOT
    return found
