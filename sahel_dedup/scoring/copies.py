"""Copies and forms: whether two texts with much common wording are copies or fill one form.

A copy has the numbers of its original, and cutting or adding a passage changes few of its words.
Two fillings of one form share long runs of words too, but they differ in what a report is about:
names and numbers. Their TF-IDF cosine, in which rare words weigh most, is therefore low for the
runs they share, and each names something in both its title and its text that the text of the other
lacks.

The TF-IDF cosine of copies can be low too: see `sahel_dedup.scoring.near_copies`.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.lsh import agreeing_slots, count_agreeing
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.number_contexts import conflicts
from sahel_dedup.sketch.profiles import Traits, are_in_text
from sahel_dedup.util.jit import compiled

# Copies are at least this similar, and fillings of a form are at most this similar.
COPY_COSINE = 0.8
# The shorter of two copies shares at least this part of its three-word shingles.
_COPY_SHARE = 0.7
# Fillings share this part of the shingles of both, and neither contains the other.
_FILLING_JACCARD = 0.35
_FILLING_SHARE = 0.9
# Forms whose fillings are less similar than this need no special treatment.
LEAST_FILLING = 0.3
# The cosine of two fillings exceeds that part by at most this much; by more if numbers conflict.
_FILLING_COSINE = 0.13
_FILLING_COSINE_CONFLICTING = 0.2
_MANY_CONFLICTS = 3
# A name is a word of a higher IDF: one that fewer than every tenth text has.
_NAME_IDF = 2.3


# A number, or an array of them: one rule for one pair and for many.
_Numbers: TypeAlias = Any


class Titles(Protocol):
    """Compares titles with texts: see `sahel_dedup.scoring.tfidf.Similarity`."""

    def echoes_text(self, row: int) -> bool:
        """Whether a title is about its own text; True without a title."""

    def names_apart(self, one: int, other: int) -> bool:
        """Whether a title names what its text speaks of and another text does not."""


class TitlesAndNumbers(Titles, Protocol):
    """Compares numbers and titles: see `sahel_dedup.scoring.tfidf.Similarity`."""

    @property
    def number_count(self) -> NDArray[np.int64]:
        """Count of distinct numbers in each article."""

    def shared_numbers(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Return how many numbers the articles of each pair share."""


def names_apart(
    title: NDArray[Any],
    idf: NDArray[np.float32],
    terms: NDArray[Any],
    counts: NDArray[Any],
    others: NDArray[Any],
    is_number: NDArray[np.bool_],
) -> bool:
    """Whether a title names what its text speaks of and another text does not.

    What nearly every text has, such as *in* and *after*, is no name.

    Parameters
    ----------
    title, terms, counts
        Those of the article: see `sahel_dedup.sketch.profiles.Profiles`.
    idf : ndarray of float32
        IDF of each term of the title.
    others : ndarray of int
        Terms of the other article, in ascending order.
    is_number : ndarray of bool
        Whether each term of the vocabulary starts with a digit.
    """
    words = title[~is_number[title] & (idf > _NAME_IDF)]
    words = words[are_in_text(words, terms, counts)]
    place = np.minimum(np.searchsorted(others, words), len(others) - 1)
    return bool((others[place] != words).any())


def echoes_text(title: NDArray[Any], terms: NDArray[Any], counts: NDArray[Any]) -> bool:
    """Whether at least half of the words of a title are in its own text.

    Headlines of a placeholder page have no words in common with it. Parameters are those of
    `names_apart`.
    """
    return bool(2 * are_in_text(title, terms, counts).sum() >= len(title))


def is_copy(
    cosine: _Numbers,
    shingles: _Numbers,
    conflicts: _Numbers,
    number_count: _Numbers,
    common: _Numbers,
    one_length: _Numbers,
    other_length: _Numbers,
) -> Any:
    """Whether one of two texts is a copy of the other, possibly shortened or extended.

    Parameters
    ----------
    cosine : float or ndarray of float64, shape (n,)
        TF-IDF cosine, or those of some pairs.
    shingles : int or ndarray of int, shape (n,)
        Count of slots in which the shingle signatures agree.
    conflicts : int or ndarray of int, shape (n,)
        Count of words that have different numbers next to them in the two texts.
    number_count : int or ndarray of int, shape (n,)
        Count of distinct numbers in the text that has fewer.
    common : int or ndarray of int, shape (n,)
        Numbers that both hold.
    one_length, other_length : int or ndarray of int, shape (n,)
        Count of tokens in each.

    Returns
    -------
    bool or ndarray of bool, shape (n,)
    """
    alike = (cosine >= COPY_COSINE) & (conflicts <= 0) & (2 * common >= number_count)
    return alike & (shared_part(shingles, one_length, other_length) >= _COPY_SHARE)


def is_filling(
    cosine: _Numbers,
    shingles: _Numbers,
    conflicts: _Numbers,
    one_length: _Numbers,
    other_length: _Numbers,
) -> Any:
    """Whether two texts are different fillings of one form; parameters are those of `is_copy`."""
    jaccard = shingles / SLOTS
    more = np.where(conflicts >= _MANY_CONFLICTS, _FILLING_COSINE_CONFLICTING, _FILLING_COSINE)
    alike = (jaccard >= _FILLING_JACCARD) & (cosine <= jaccard + more)
    alike &= (cosine >= LEAST_FILLING) & (cosine <= COPY_COSINE)
    return alike & (shared_part(shingles, one_length, other_length) < _FILLING_SHARE)


def shared_part(shingles: _Numbers, one_length: _Numbers, other_length: _Numbers) -> Any:
    """Estimate what part of its shingles the shorter of two texts shares with the longer."""
    shorter = np.maximum(1, np.minimum(one_length, other_length))
    return np.minimum(1.0, _share(shingles / SLOTS, one_length + other_length, shorter))


def _share(jaccard: _Numbers, together: _Numbers, shorter: _Numbers) -> Any:
    """Return what part of its shingles a text of some length shares, given both lengths."""
    return jaccard * together / ((1 + jaccard) * shorter)


_share_of_pair = compiled(_share)


def may_be_copies(
    first: NDArray[np.int64], second: NDArray[np.int64], traits: Traits
) -> NDArray[np.bool_]:
    """Find the pairs that share enough of their shingles for `copies`.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    traits : Traits

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    same = agreeing_slots(traits.shingles, first, second)
    part = shared_part(same, traits.length[first], traits.length[second])
    return np.asarray(part >= _COPY_SHARE)


@compiled
def may_be_copy(
    one: np.int64, other: np.int64, shingles: NDArray[Any], length: NDArray[np.int32]
) -> bool:
    """Apply the rule of `may_be_copies` to two articles, in loops of the stream."""
    a, b = np.int64(length[one]), np.int64(length[other])
    shorter = a if a < b else b
    jaccard = count_agreeing(shingles, one, other) / SLOTS
    part = _share_of_pair(jaccard, a + b, shorter if shorter > 1 else 1)
    return bool(part >= _COPY_SHARE)


def copies(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    common: NDArray[np.int64],
    number_count: NDArray[np.int64],
    traits: Traits,
) -> NDArray[np.bool_]:
    """Find the pairs in which one text is a copy of the other.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    cosine : ndarray of float64, shape (n,)
        Their TF-IDF cosines.
    common : ndarray of int64, shape (n,)
        Numbers that both hold.
    number_count : ndarray of int64, shape (n_articles,)
        Distinct numbers in each article.
    traits : Traits

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    found = np.zeros(len(first), dtype=np.bool_)
    close = (cosine >= COPY_COSINE).nonzero()[0]
    if not len(close):
        return found
    t, a, b, both = traits, first[close], second[close], common[close]
    fewer = np.minimum(number_count[a], number_count[b])
    differing = conflicts(t.number_contexts, a, b)
    # Without a date nothing is known of what the numbers count, so all must be shared.
    differing = np.where(np.isnan(t.day[a] - t.day[b]), fewer - both, differing)
    same = agreeing_slots(t.shingles, a, b)
    found[close] = is_copy(
        cosine[close], same, differing, fewer, both, t.length[a], t.length[b]
    )  # fmt: skip
    return found


def fillings(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    gap: float,
    traits: Traits,
    titles: Titles,
) -> NDArray[np.float64]:
    """Find the pairs of dated articles at most `gap` days apart that are fillings of one form.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    cosine : ndarray of float64, shape (n,)
        Their TF-IDF cosines.
    gap : float
    traits : Traits
    titles : Titles
        Compares titles with texts.

    Returns
    -------
    ndarray of float64, shape (n,)
        The share of the form in the shorter article, or the cosine if that is higher; 0 for other
        pairs.
    """
    t = traits
    likeness = np.zeros(len(first))
    likely, same = np.empty((2, len(first)), dtype=np.int64)
    # Most pairs are no fillings of a form whatever else they are.
    size = _list_formal(first, second, cosine, gap, t.day, t.shingles, likely, same)
    if not size:
        return likeness
    likely, same = likely[:size], same[:size]
    a, b = first[likely], second[likely]
    conflicting = conflicts(t.number_contexts, a, b)
    lengths = t.length[a], t.length[b]
    filling = is_filling(cosine[likely], same, conflicting, *lengths)
    part = np.maximum(cosine[likely], shared_part(same, *lengths))
    for i in filling.nonzero()[0].tolist():
        one, other, differing = int(a[i]), int(b[i]), int(conflicting[i])
        titled = t.headline[one] > 0 and t.headline[other] > 0
        named = titled and titles_differ(one, other, titles)
        if named or differing >= _MANY_CONFLICTS or (differing and not titled):
            likeness[likely[i]] = part[i]
    return likeness


@compiled
def _list_formal(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    gap: float,
    day: NDArray[np.float64],
    shingles: NDArray[Any],
    likely: NDArray[np.int64],
    same: NDArray[np.int64],
) -> int:
    """List the pairs that are near in time and as similar as fillings may be, and count them.

    Also fills in the number of slots in which their shingles agree.
    """
    size = 0
    for i in range(len(first)):
        near = abs(day[first[i]] - day[second[i]]) <= gap
        if near and LEAST_FILLING <= cosine[i] <= COPY_COSINE:
            likely[size], same[size] = i, count_agreeing(shingles, first[i], second[i])
            size += same[size] >= _FILLING_JACCARD * SLOTS
    return size


def titles_differ(one: int, other: int, titles: Titles) -> bool:
    """Whether the title of each article names something that the text of the other lacks.

    Parameters
    ----------
    one, other : int
        Rows of the articles.
    titles : Titles
        Compares titles with texts.

    Returns
    -------
    bool
    """
    return titles.names_apart(one, other) and titles.names_apart(other, one)
