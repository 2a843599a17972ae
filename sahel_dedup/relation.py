"""How one text relates to another, from the three-word shingles they share.

*exact*: the same words in the same order, whatever case, punctuation and spacing.
*near*: half of all shingles of the two in common, or four fifths of the shorter one's.
*reworded*: less than that. A text *holds* another that has nine tenths of its shingles
in it: a trimmed copy lies in its original, an original in a copy that adds background.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from sahel_dedup.mixing import U64, mix64
from sahel_dedup.terms import SHINGLE_WORDS

Relation = Literal["exact", "near", "reworded"]

NEAR_JACCARD = 0.5
NEAR_CONTAINMENT = 0.8
HOLDS = 0.9


@dataclass(frozen=True, slots=True)
class Overlap:
    """What two texts share of their distinct three-word shingles.

    Attributes
    ----------
    jaccard : float
        Share of all shingles that are in both.
    a_in_b, b_in_a : float
        Share of the one's shingles that the other has too.
    """

    jaccard: float
    a_in_b: float
    b_in_a: float

    @property
    def near(self) -> bool:
        """Whether the two are near copies."""
        containment = max(self.a_in_b, self.b_in_a)
        return self.jaccard >= NEAR_JACCARD or containment >= NEAR_CONTAINMENT


def shingles(words: U64) -> U64:
    """Hash the runs of three words of a text.

    Parameters
    ----------
    words : ndarray of uint64, shape (n,)
        Hashes of the words in reading order, as in `Tokens.hashes`.

    Returns
    -------
    ndarray of uint64, shape (m,)
        Distinct and rising. A text of one or two words is one shingle.
    """
    width = min(SHINGLE_WORDS, len(words))
    if not width:
        return words[:0]
    # The order of the words counts: each is scrambled once more than the one behind it.
    runs = words[: len(words) - width + 1]
    for k in range(1, width):
        runs = mix64(runs) + words[k : len(words) - width + 1 + k]
    return np.unique(runs)


def overlap(a: U64, b: U64) -> Overlap:
    """Compare the words of two texts.

    Parameters
    ----------
    a, b : ndarray of uint64
        Hashes of the words in reading order.

    Returns
    -------
    Overlap
        All 0 if one has no words.
    """
    one, other = shingles(a), shingles(b)
    if not len(one) or not len(other):
        return Overlap(0.0, 0.0, 0.0)
    both = len(np.intersect1d(one, other, assume_unique=True))
    return Overlap(both / (len(one) + len(other) - both), both / len(one), both / len(other))
