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

SLOTS = 32
EMPTY_SLOT = np.uint16(0)

_SLOT_BITS = 5
_WORD_BITS = 32
_FIGURE_BITS = 16
_BYTE = np.uint64(0xFF)
# A word before a figure and the same word behind it are two.
_SIDES = np.array([[1, -1]])
_SALTS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F], dtype=np.uint64)
# They stay in the cache.
_PAIRS_AT_ONCE = 1 << 12


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
        Article ``i`` owns the tokens ``offsets[i]:offsets[i + 1]``; at most 2048 articles.

    Returns
    -------
    ndarray of uint16, shape (n_articles, 32)
        Eight bits of a word, eight of the figure next to it; 0 where there is none.
    """
    slots = np.full((len(offsets) - 1, SLOTS), EMPTY_SLOT)
    figure = is_figure.nonzero()[0]
    if not len(figure):
        return slots
    article = offsets.searchsorted(figure, side="right") - 1
    beside = figure[:, None] + _SIDES
    known = (beside >= offsets[article, None]) & (beside < offsets[article + 1, None])
    known &= ~is_figure.take(beside, mode="clip")
    which, side = known.nonzero()
    word = hashes[beside[which, side]] * _SALTS[side]
    # Article (11 bits), slot, word and figure in one sortable number.
    key = article[which].astype(np.uint64) << np.uint64(_SLOT_BITS + _WORD_BITS + _FIGURE_BITS)
    key |= word >> np.uint64(64 - _SLOT_BITS - _WORD_BITS) << np.uint64(_FIGURE_BITS)
    key |= hashes[figure[which]] >> np.uint64(64 - _FIGURE_BITS)
    key.sort()
    place = (key >> np.uint64(_WORD_BITS + _FIGURE_BITS)).astype(np.int64)
    first = np.ones(len(key), dtype=bool)
    np.not_equal(place[1:], place[:-1], out=first[1:])
    least = key[first]
    kept = (least >> np.uint64(_FIGURE_BITS) & _BYTE) << np.uint64(8) | (least & _BYTE)
    slots.ravel()[place[first]] = kept
    return slots


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
    for start in range(0, len(first), _PAIRS_AT_ONCE):
        pairs = slice(start, start + _PAIRS_AT_ONCE)
        one, two = (tallies.take(side[pairs], axis=0) for side in (first, second))
        differ = one ^ two
        # The upper byte is the word, and both slots are filled.
        told = (differ > 0) & (differ < 256) & (one != EMPTY_SLOT) & (two != EMPTY_SLOT)
        found[pairs] = np.count_nonzero(told, axis=1)
    return found
