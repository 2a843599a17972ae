"""Confusable names: Nioro in one text where another has Niono.

A different consonant or digit makes two names different: Iran and Iraq, Gambia and Zambia. Other
small differences are spellings of one name: in 653 judged pairs, all 11 names that differed by a
vowel, an added letter, or V and W were one name. A confusable name is a hint for a reader and not a
proof.
"""

from __future__ import annotations

import itertools
import unicodedata
from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from sahel_dedup.explain.document import DISTINCTIVE, Document, Span
from sahel_dedup.explain.sentence_alignment import Alignment

# Shorter words are similar by chance; longer and more common ones are hardly ever names.
_LETTERS = 4
_LONGEST = 40
# The most names of each text, so that a hostile text cannot make this take minutes.
_MOST = 300
_VOWELS = frozenset("aeiouy")


@dataclass(frozen=True, slots=True)
class NamePair:
    """Two names, one of each text, that are almost the same."""

    a: Span
    b: Span


def confusable_names(a: Document, b: Document, alignment: Alignment) -> tuple[NamePair, ...]:
    """Find names of two texts that are easily confused.

    Parameters
    ----------
    a, b : Document
    alignment : Alignment

    Returns
    -------
    tuple of NamePair
        Capitalised words of at least four letters that differ in one consonant or digit. Neither
        occurs in the other text. They are in sentences that are counterparts, next to the same
        word. Each pair is listed once, and only the first 300 such words of each text are compared.
    """
    theirs: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
    for other, letters in _names(b, a):
        theirs[len(letters)].append((other, letters))
    found: dict[tuple[int, int], NamePair] = {}
    for one, letters in _names(a, b):
        for other, others in theirs[len(letters)]:
            if (
                (int(a.sentence[one]), int(b.sentence[other])) in alignment.pairs
                and _same_place(a, one, b, other)
                and _alike(letters, others)
            ):
                words = int(a.hashes[one]), int(b.hashes[other])
                found.setdefault(words, NamePair(a.span(one, one), b.span(other, other)))
    return tuple(found.values())


def _names(document: Document, other: Document) -> list[tuple[int, str]]:
    """Return the words that may be names and do not occur in the other text, with their letters."""
    size = document.ends - document.starts
    alone = ~np.isin(document.hashes, other.hashes) & (document.weights >= DISTINCTIVE)
    tokens = np.flatnonzero((size >= _LETTERS) & (size <= _LONGEST) & alone).tolist()
    words = ((token, document.word(token)) for token in tokens)
    named = itertools.islice(((t, word) for t, word in words if word[0].isupper()), _MOST)
    return [(token, _bare(word)) for token, word in named]


def _alike(letters: str, others: str) -> bool:
    """Whether two words differ in one letter that is neither a vowel nor V against W."""
    differ = [pair for pair in zip(letters, others, strict=True) if len(set(pair)) > 1]
    return len(differ) == 1 and _VOWELS.isdisjoint(differ[0]) and set(differ[0]) != {"v", "w"}


def _bare(word: str) -> str:
    """Return the letters of a word without case and accents."""
    return "".join(unicodedata.normalize("NFD", letter)[0] for letter in word.lower())


def _same_place(a: Document, one: int, b: Document, other: int) -> bool:
    """Whether two words are next to the same word."""
    return any(
        0 <= one + step < len(a)
        and 0 <= other + step < len(b)
        and a.hashes[one + step] == b.hashes[other + step]
        for step in (-1, 1)
    )
