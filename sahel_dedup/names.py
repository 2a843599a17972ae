"""Look-alike names: Nioro in one text where another has Niono.

One consonant for another, or one digit, tells two names apart: Iran and Iraq, Gambia and
Zambia. Other small differences are how two reporters spell one: in 653 judged pairs all 11
names that differed by a vowel, an added letter, or V and W were one name. A look-alike is a
hint for a reader, no proof.
"""

from __future__ import annotations

import itertools
import unicodedata
from dataclasses import dataclass

import numpy as np

from sahel_dedup.alignment import Alignment
from sahel_dedup.wording import Span, Wording

# Shorter words are alike by chance, and lighter ones are hardly names.
_LETTERS = 4
_TELLING = 2.5
# Of either text, so that a hostile one cannot make this take minutes.
_MOST = 300
_VOWELS = frozenset("aeiouy")


@dataclass(frozen=True, slots=True)
class NamePair:
    """A name of either text, all but the same."""

    a: Span
    b: Span


def look_alikes(a: Wording, b: Wording, alignment: Alignment) -> tuple[NamePair, ...]:
    """Find names of two texts that are easily taken for one another.

    Parameters
    ----------
    a, b : Wording
    alignment : Alignment

    Returns
    -------
    tuple of NamePair
        Words with a capital, of at least four letters, that differ in one consonant or
        digit. Neither is anywhere in the other text; they stand in sentences that are
        counterparts, with the same word before or behind them. Each pair once;
        of the first 300 such words of either text.
    """
    found: dict[tuple[int, int], NamePair] = {}
    for one, other in itertools.product(_names(a, b), _names(b, a)):
        if (
            (int(a.sentence[one]), int(b.sentence[other])) in alignment.pairs
            and _same_place(a, one, b, other)
            and _alike(a.word(one), b.word(other))
        ):
            words = int(a.hashes[one]), int(b.hashes[other])
            found.setdefault(words, NamePair(a.span(one, one), b.span(other, other)))
    return tuple(found.values())


def _names(wording: Wording, other: Wording) -> list[int]:
    """Words that may be names and are not in the other text."""
    long = wording.ends - wording.starts >= _LETTERS
    alone = ~np.isin(wording.hashes, other.hashes)
    tokens = np.flatnonzero(long & alone & (wording.weights >= _TELLING)).tolist()
    return [token for token in tokens if wording.word(token)[0].isupper()][:_MOST]


def _alike(one: str, other: str) -> bool:
    """Whether two words differ in one place, and there by no vowel and not by V and W."""
    letters, others = _bare(one), _bare(other)
    if len(letters) != len(others):
        return False
    differ = [pair for pair in zip(letters, others, strict=True) if len(set(pair)) > 1]
    return len(differ) == 1 and _VOWELS.isdisjoint(differ[0]) and set(differ[0]) != {"v", "w"}


def _bare(word: str) -> list[str]:
    """Letters of a word without case and accents."""
    return [unicodedata.normalize("NFD", letter)[0] for letter in word.lower()]


def _same_place(a: Wording, one: int, b: Wording, other: int) -> bool:
    """Whether the same word stands before or behind two words."""
    return any(
        0 <= one + step < len(a)
        and 0 <= other + step < len(b)
        and a.hashes[one + step] == b.hashes[other + step]
        for step in (-1, 1)
    )
