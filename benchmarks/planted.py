"""Planted copies: an archive whose reworded copies are known.

Originals are disjoint pieces of bulk news of about 350 words. Copies of them come in
groups of one to eight, of three kinds:

======  =====  ====================================================================
kind    share  what is done to the original
======  =====  ====================================================================
light   40 %   dateline and credit line added, 2 % of the words replaced
medium  35 %   15 % of the sentences dropped, two sentences swapped, 6 % of the words
               replaced, 2 % dropped
heavy   25 %   cut to 65 % of its sentences, 13 % of the words replaced, 2 % dropped
======  =====  ====================================================================

A replacement is a word of the bulk news, drawn as often as it occurs there, so that no rare words
reveal a copy. The seed decides everything.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

WORDS = 350
KINDS = ("light", "medium", "heavy")
SHARES = (0.40, 0.35, 0.25)
LARGEST_GROUP = 8

SENTENCE = re.compile(r"(?<=[.!?])\s+")
_PLACES = ("BAMAKO", "LONDON", "COLOMBO", "NEW YORK", "NIAMEY", "PARIS", "DAKAR", "GENEVA")
_CREDITS = (
    "Reporting by our correspondent.",
    "With agency reports.",
    "© 2024. All rights reserved.",
)


@dataclass(frozen=True, slots=True)
class Planted:
    """One article of the archive.

    Attributes
    ----------
    text : str
    group : int
        Number of its original: the same for an original and its copies.
    kind : str
        ``original``, or the kind of copy.
    """

    text: str
    group: int
    kind: str


def segments(text: str, words: int = WORDS) -> Iterator[str]:
    """Cut a text into disjoint pieces of whole sentences with a given number of words."""
    piece: list[str] = []
    size = 0
    for sentence in SENTENCE.split(text):
        piece.append(sentence)
        size += sentence.count(" ") + 1
        if size >= words:
            yield " ".join(piece)
            piece, size = [], 0
    if size >= words // 2:
        yield " ".join(piece)


def reword(text: str, kind: str, words: Sequence[str], rng: random.Random) -> str:
    """Make a copy of a text.

    Parameters
    ----------
    text : str
    kind : str
        One of `KINDS`.
    words : sequence of str
        Words from which replacements are drawn.
    rng : random.Random
    """
    sentences = SENTENCE.split(text)
    if kind == "light":
        body = _edit(text, 0.02, 0.0, words, rng)
        return f"{rng.choice(_PLACES)} - {body} {rng.choice(_CREDITS)}"
    if kind == "medium":
        kept = [s for s in sentences if rng.random() >= 0.15] or sentences
        if len(kept) > 1:
            i, j = rng.sample(range(len(kept)), 2)
            kept[i], kept[j] = kept[j], kept[i]
        return _edit(" ".join(kept), 0.06, 0.02, words, rng)
    places = rng.sample(range(len(sentences)), len(sentences))
    ahead = itertools.accumulate((len(sentences[i]) + 1 for i in places), initial=0)
    cut = sorted(i for i, chars in zip(places, ahead, strict=False) if chars < 0.65 * len(text))
    return _edit(" ".join(sentences[i] for i in cut), 0.13, 0.02, words, rng)


def plant(originals: Sequence[str], copies: int, seed: int = 0) -> list[Planted]:
    """Make an archive of originals and copies, shuffled.

    Parameters
    ----------
    originals : sequence of str
    copies : int
        Total number of copies.
    seed : int
    """
    rng = random.Random(seed)
    words = [word for text in rng.sample(list(originals), min(500, len(originals)))
             for word in text.split()]  # fmt: skip
    archive = [Planted(text, group, "original") for group, text in enumerate(originals)]
    groups = iter(rng.sample(range(len(originals)), min(copies, len(originals))))
    left = copies
    while left:
        group = next(groups)
        for _ in range(min(left, rng.randint(1, LARGEST_GROUP))):
            kind = rng.choices(KINDS, SHARES)[0]
            archive.append(Planted(reword(originals[group], kind, words, rng), group, kind))
            left -= 1
    rng.shuffle(archive)
    return archive


def _edit(
    text: str, replaced: float, dropped: float, words: Sequence[str], rng: random.Random
) -> str:
    out = []
    for word in text.split():
        draw = rng.random()
        if draw < replaced:
            out.append(rng.choice(words))
        elif draw >= replaced + dropped:
            out.append(word)
    return " ".join(out)


def pairs_within(groups: np.ndarray[Any, Any]) -> int:
    """Count the pairs of items with the same group."""
    sizes = np.unique(groups, return_counts=True)[1]
    return int((sizes * (sizes - 1) // 2).sum())
