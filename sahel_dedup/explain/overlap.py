"""The relation of one article to another, from the three-word shingles they share.

*exact*: the same words in the same order, ignoring case, punctuation, spacing and boilerplate
(`sahel_dedup.text.boilerplate`) such as a dateline or a credit. *near*: half of all shingles of the
two in common, or four fifths of the shorter one's. *reworded*: less than that. The shares are
estimated from the fingerprints, so that the batch, the index, Spark and an explanation of two
articles on their own give one answer.

A text *contains* another if it has nine tenths of the other's shingles. An original contains a
trimmed copy; a copy with added background contains its original.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.lsh import agreeing_slots
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.profiles import Traits
from sahel_dedup.text.tokenizer import SHINGLE_WORDS
from sahel_dedup.util.hashing import U64, splitmix64

Relation = Literal["exact", "near", "reworded"]

NEAR_JACCARD = 0.5
NEAR_CONTAINMENT = 0.8
HOLDS = 0.9

# An index keeps eight bits of each slot. Everything else compares only these eight bits too, so
# that all results agree.
_SLOT_VALUES = 256


def relations(
    traits: Traits, first: NDArray[np.int64], second: NDArray[np.int64]
) -> list[Relation]:
    """Return the relations of pairs of articles: the only place that decides them.

    Parameters
    ----------
    traits : Traits
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.

    Returns
    -------
    list of str
    """
    jaccard, containment = estimated_overlap(traits, first, second)
    near = (jaccard >= NEAR_JACCARD) | (containment >= NEAR_CONTAINMENT)
    same = traits.same_text(first, second)
    return [
        "exact" if exact else "near" if alike else "reworded"
        for exact, alike in zip(same.tolist(), near.tolist(), strict=True)
    ]


def estimated_overlap(
    traits: Traits, first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimate from the shingle fingerprints how much text the articles of each pair share.

    Parameters
    ----------
    traits : Traits
    first, second : ndarray of int64, shape (n,)

    Returns
    -------
    jaccard : ndarray of float64, shape (n,)
        Share of all three-word shingles of title and text that both have; the standard error is at
        most 0.045.
    containment : ndarray of float64, shape (n,)
        Share of the shorter article's shingles that both have.
    """
    if traits.shingles.dtype == np.uint8:
        same = agreeing_slots(traits.shingles, first, second) / SLOTS
    else:
        differ = (traits.shingles[first] ^ traits.shingles[second]) & (_SLOT_VALUES - 1) > 0
        same = 1.0 - (differ.mean(axis=1) if len(first) else np.zeros(0))
    # Different slots agree in eight bits once in 256 times (b-bit MinHash).
    jaccard = np.maximum((same * _SLOT_VALUES - 1) / (_SLOT_VALUES - 1), 0.0)
    one, two = traits.length[first], traits.length[second]
    jaccard[(one == 0) | (two == 0)] = 0.0
    shared = jaccard * (one + two) / (1 + jaccard)
    return jaccard, np.minimum(shared / np.maximum(np.minimum(one, two), 1), 1.0)


@dataclass(frozen=True, slots=True)
class Overlap:
    """How many of their distinct three-word shingles two texts share.

    Attributes
    ----------
    jaccard : float
        Share of all shingles that both have.
    a_in_b, b_in_a : float
        Share of one text's shingles that the other also has.
    """

    jaccard: float
    a_in_b: float
    b_in_a: float


def shingle_hashes(words: U64) -> U64:
    """Hash the runs of three words of a text.

    Parameters
    ----------
    words : ndarray of uint64, shape (n,)
        Hashes of the words in reading order, as in `Tokens.hashes`.

    Returns
    -------
    ndarray of uint64, shape (m,)
        Distinct and ascending. A text of one or two words is one shingle.
    """
    width = min(SHINGLE_WORDS, len(words))
    return np.unique(word_runs(words, width)) if width else words[:0]


def word_runs(words: U64, width: int) -> U64:
    """Hash each run of a number of words.

    Parameters
    ----------
    words : ndarray of uint64, shape (n,)
        Hashes of the words in reading order.
    width : int
        Words of a run, from 1 to n.

    Returns
    -------
    ndarray of uint64, shape (n - width + 1,)
        In reading order.
    """
    # Each word is scrambled once more than the next, because their order matters.
    runs = words[: len(words) - width + 1]
    for k in range(1, width):
        runs = splitmix64(runs) + words[k : len(words) - width + 1 + k]
    return runs


def overlap(a: U64, b: U64) -> Overlap:
    """Compare the words of two texts.

    Parameters
    ----------
    a, b : ndarray of uint64
        Hashes of the words in reading order.

    Returns
    -------
    Overlap
        All 0 if one text has no words.
    """
    one, other = shingle_hashes(a), shingle_hashes(b)
    if not len(one) or not len(other):
        return Overlap(0.0, 0.0, 0.0)
    both = len(np.intersect1d(one, other, assume_unique=True))
    return Overlap(both / (len(one) + len(other) - both), both / len(one), both / len(other))
