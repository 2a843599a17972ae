"""Alignment: which sentences of two texts tell the same, and which stand alone.

A sentence has a counterpart if one sentence of the other text, or two neighbouring ones,
hold enough of the weight of its distinct words.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.wording import Span, Wording

# The share of a sentence's weight that its counterpart holds.
COUNTERPART = 0.4


@dataclass(frozen=True, slots=True, eq=False)
class Alignment:
    """The sentences of two texts, side by side.

    Attributes
    ----------
    only_a, only_b : tuple of Span
        Sentences without a counterpart, in order.
    pairs : frozenset of (int, int)
        Numbers of sentences of which at least one is a counterpart of the other.
    mutual : frozenset of (int, int)
        Those of them that are counterparts of each other.
    """

    only_a: tuple[Span, ...]
    only_b: tuple[Span, ...]
    pairs: frozenset[tuple[int, int]]
    mutual: frozenset[tuple[int, int]]


def align(a: Wording, b: Wording) -> Alignment:
    """Find the counterpart of each sentence of two texts.

    Parameters
    ----------
    a, b : Wording

    Returns
    -------
    Alignment
    """
    common = np.intersect1d(a.hashes, b.hashes)
    ours, theirs = _matrix(a, common), _matrix(b, common)
    to_b, in_b = _counterparts(a, ours, theirs)
    to_a, in_a = _counterparts(b, theirs, ours)
    there = set(to_b.items())
    back = {(i, j) for j, i in to_a.items()}
    return Alignment(
        only_a=tuple(span for span, found in zip(a.sentences, in_b, strict=True) if not found),
        only_b=tuple(span for span, found in zip(b.sentences, in_a, strict=True) if not found),
        pairs=frozenset(there | back),
        mutual=frozenset(there & back),
    )


def _matrix(wording: Wording, common: NDArray[np.uint64]) -> NDArray[np.float32]:
    """Sentences by common words: the weight of each word in the sentences that have it."""
    matrix = np.zeros((len(wording.sentences), len(common)), dtype=np.float32)
    if len(common):
        place = np.minimum(np.searchsorted(common, wording.hashes), len(common) - 1)
        found = common[place] == wording.hashes
        matrix[wording.sentence[found], place[found]] = wording.weights[found]
    return matrix


def _counterparts(
    wording: Wording, ours: NDArray[np.float32], theirs: NDArray[np.float32]
) -> tuple[dict[int, int], NDArray[np.bool_]]:
    """For each sentence with a counterpart the single closest one; and which have one."""
    total = _total_weights(wording)
    if not ours.size or not theirs.size:
        return {}, np.zeros(len(total), dtype=bool)
    present = (theirs > 0).astype(np.float32)
    single = ours @ present.T
    best = single.max(axis=1)
    if len(present) > 1:
        best = np.maximum(best, (ours @ np.maximum(present[:-1], present[1:]).T).max(axis=1))
    found = (best > 0) & (best >= COUNTERPART * total)
    closest = single.argmax(axis=1)
    return {int(i): int(closest[i]) for i in np.flatnonzero(found)}, found


def _total_weights(wording: Wording) -> NDArray[np.float64]:
    """Weight of the distinct words of each sentence."""
    order = np.lexsort((wording.hashes, wording.sentence))
    hashes, sentence = wording.hashes[order], wording.sentence[order]
    first = np.ones(len(order), dtype=bool)
    first[1:] = (np.diff(hashes) != 0) | (np.diff(sentence) != 0)
    weights = wording.weights[order][first]
    return np.bincount(sentence[first], weights, minlength=len(wording.sentences))
