"""Features: what each piece of evidence measures about a pair of articles.

Unknown values (date, title) are 0. Two similar texts of one outlet are issues of a bulletin far
more often than repetitions. Three pieces are therefore measured only within one outlet: different
numbers next to one word, equal lengths, and missing titles. Between outlets these mean little. If
an outlet is unknown, all that counts within one outlet is multiplied by the chance that it is the
same (`UNKNOWN_OUTLET`).

One piece says how small the archive is. A small archive shows less of how rare words are, and
has few other issues that would show that a text is one of a bulletin.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.scoring.background import GAP_DAYS
from sahel_dedup.scoring.copies import Titles, copies, fillings, titles_differ
from sahel_dedup.scoring.recurrence import TYPICAL_RECURRENCE
from sahel_dedup.scoring.tfidf import Shared
from sahel_dedup.scoring.updates import reprints, updates
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.number_contexts import SLOTS as CONTEXT_SLOTS
from sahel_dedup.sketch.number_contexts import count_conflicts
from sahel_dedup.sketch.opening_numbers import how_far_apart
from sahel_dedup.sketch.profiles import REVISED, Traits, are_two_outlets, is_one_outlet
from sahel_dedup.util.jit import compiled

FEATURES = (
    "base",
    "wording",
    "contrast",
    "recurring",
    "same_outlet",
    "other_length",
    "untitled",
    "hours",
    "numbers_shared",
    "numbers_conflicting",
    "title",
    "opening",
    "headline",
    "small_archive",
    "numbers_apart",
)
# Columns of the features.
_BASE, WORDING, _CONTRAST, _RECURRING, SAME_OUTLET, _OTHER_LENGTH, _UNTITLED = range(7)
_HOURS, _NUMBERS_SHARED, _NUMBERS_CONFLICTING, _TITLE, _OPENING, _HEADLINE = range(7, 13)
_SMALL_ARCHIVE, _NUMBERS_APART = 13, 14
# What is measured within one outlet.
_WITHIN_OUTLET = (SAME_OUTLET, _OTHER_LENGTH, _UNTITLED, _NUMBERS_CONFLICTING)
# The chance that two similar articles are of one outlet if the outlet of one is unknown. Chosen by
# removing outlets from archives with judged pairs (`python -m benchmarks.precision missing`).
# It is no evidence that two articles lack both dates and outlets: the constants of undated pairs
# were fitted on such articles too.
UNKNOWN_OUTLET = 1 / 3
# With this many articles, the piece has half of its largest value. Chosen on parts of archives with
# judged pairs (`python -m benchmarks.precision smaller`).
_SMALL = 1500
# A lower bound of the cosine, because its logarithm is taken.
NO_LIKENESS = 0.01
# A recurrence above this is typical of forms and rare among reports.
_RECURRING_FROM = 0.3
# Fillings that begin more alike may be reports of one event with much common background.
_OTHER_OPENING = 0.3
# The mean similarity of the titles of two reports, as a square root. Below it there is doubt.
_TITLE_LIKENESS = 0.45
# The same for the part of a title that is in the opening of the other report. More than the most
# says no more: all issues of a bulletin have one title.
_HEADLINE_SHARE, _MOST_SHARE = 0.5, 0.7
# The range of the pieces that need a look at both articles.
RANGES = {
    "numbers_shared": (0.0, 1.0),
    "numbers_conflicting": (0.0, math.log1p(CONTEXT_SLOTS)),
    "title": (-_TITLE_LIKENESS, 1 - _TITLE_LIKENESS),
    "opening": (0.0, 1.0),
    "headline": (-_HEADLINE_SHARE, _MOST_SHARE - _HEADLINE_SHARE),
    "numbers_apart": (0.0, 1.0),
}


def counted_outlets(source: NDArray[np.int32], settings: Settings) -> NDArray[np.int32]:
    """Return the outlets that decide how much evidence a story needs.

    Parameters
    ----------
    source : ndarray of int32, shape (n,)
        Number of the outlet of each article; -1 where it is unknown.
    settings : Settings

    Returns
    -------
    ndarray of int32, shape (n,)
        All unknown where an outlet may report as often as it likes.
    """
    return source if settings.counts_outlets else np.full_like(source, -1)


def measure(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    recurrence: NDArray[np.float64],
    traits: Traits,
    archive_size: int,
) -> NDArray[np.float64]:
    """Measure what needs no further look at the words: wording, recurrence, time and outlets.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    cosine : ndarray of float64, shape (n,)
        TF-IDF cosine.
    recurrence : ndarray of float64, shape (n_articles,)
        Recurrence of each article.
    traits : Traits
    archive_size : int
        Count of the articles from which the IDF is computed.

    Returns
    -------
    ndarray of float64, shape (n, len(FEATURES))
        The other columns are 0.
    """
    features = np.zeros((len(first), len(FEATURES)))
    times_and_outlets = traits.day, traits.source, traits.length, traits.headline
    small = 1 / (1 + archive_size / _SMALL)
    _measure(features, first, second, cosine, recurrence, *times_and_outlets, small)
    return features


@dataclass(slots=True)
class Sketched:
    """What the sketches of pairs of articles show about them.

    Attributes
    ----------
    copy : ndarray of bool, shape (n_pairs,)
        Whether one is a copy of the other (`sahel_dedup.scoring.copies`) in another outlet.
    conflicts : ndarray of int64, shape (n_pairs,)
        Count of words that have different numbers next to them, for articles that may be of one
        outlet.
    update : ndarray of bool, shape (n_pairs,)
        Whether one is an update of the other (`sahel_dedup.scoring.updates`).
    numbers_apart : ndarray of float64, shape (n_pairs,)
        How clearly the numbers of both openings disagree (`sahel_dedup.sketch.opening_numbers`).
    form : ndarray of float64, shape (n_pairs,)
        For two fillings of one form that begin differently, such as two press releases of one
        company, the share of the form (`sahel_dedup.scoring.copies.fillings`); 0 for other pairs.
    """

    copy: NDArray[np.bool_]
    conflicts: NDArray[np.int64]
    update: NDArray[np.bool_]
    numbers_apart: NDArray[np.float64]
    form: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        first: NDArray[np.int64],
        second: NDArray[np.int64],
        shared: Shared,
        number_count: NDArray[np.int64],
        traits: Traits,
        titles: Titles,
    ) -> Sketched:
        """Compare the sketches of pairs of articles; parameters are those of `measure_rest`."""
        copy = copies(first, second, shared.cosine, shared.number_count, number_count, traits)
        update = updates(first, second, shared.cosine, traits, titles)
        update |= reprints(first, second, copy, traits, titles)
        conflicting = np.zeros(len(first), dtype=np.int64)
        apart = np.zeros(len(first))
        t = traits
        compare_numbers(
            first, second, t.source, t.day, t.number_contexts, t.opening_numbers, copy, conflicting,
            apart,
        )  # fmt: skip
        form = fillings(first, second, shared.cosine, GAP_DAYS, traits, titles)
        form[shared.opening > _OTHER_OPENING] = 0
        for pair in form.nonzero()[0].tolist():
            if not titles_differ(int(first[pair]), int(second[pair]), titles):
                form[pair] = 0
        return cls(copy, conflicting, update, apart, form)


@compiled
def compare_numbers(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    source: NDArray[np.int32],
    day: NDArray[np.float64],
    number_contexts: NDArray[np.uint16],
    opening_numbers: NDArray[np.uint64],
    copy: NDArray[np.bool_],
    conflicting: NDArray[np.int64],
    apart: NDArray[np.float64],
) -> None:
    """Fill in `conflicting`, for pairs that may be of one outlet, and `apart`, for all but copies.

    Both are 0 before. What an outlet prints again on another day is usually an issue of a series,
    and no `copy`.
    """
    for i in range(len(first)):
        chance = _chance_of_one_outlet(first[i], second[i], source, day)
        if chance == 1:
            copy[i] = False
        if chance > 0:
            conflicting[i] = count_conflicts(number_contexts, first[i], second[i])
        if not copy[i]:
            apart[i] = how_far_apart(opening_numbers[first[i]], opening_numbers[second[i]])


@compiled
def _chance_of_one_outlet(
    a: np.int64, b: np.int64, source: NDArray[np.int32], day: NDArray[np.float64]
) -> float:
    """Return the chance that two articles are of one outlet."""
    if is_one_outlet(a, b, source):
        return 1.0
    undated = np.isnan(day[a]) and np.isnan(day[b])
    if undated and source[a] < 0 and source[b] < 0:
        return 0.0
    return 0.0 if are_two_outlets(a, b, source) else UNKNOWN_OUTLET


def measure_rest(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    shared: Shared,
    sketched: Sketched,
    number_count: NDArray[np.int64],
    traits: Traits,
) -> None:
    """Fill in the columns that `measure` left 0.

    Parameters
    ----------
    features : ndarray of float64, shape (n, len(FEATURES))
        What `measure` returned.
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    shared : Shared
        What the articles of each pair have in common.
    sketched : Sketched
    number_count : ndarray of int64, shape (n_articles,)
        Count of distinct numbers in each article.
    traits : Traits
    """
    copy = sketched.copy.nonzero()[0]
    if len(copy):
        # A copy stays a copy even if texts of its kind recur.
        features[copy, _RECURRING] = 0
        usual = np.log(shared.cosine[copy] / TYPICAL_RECURRENCE)
        features[copy, _CONTRAST] = np.maximum(features[copy, _CONTRAST], usual)
    filled = (sketched.form > _RECURRING_FROM).nonzero()[0]
    if len(filled):
        recurring = np.log(sketched.form[filled] / _RECURRING_FROM)
        features[filled, _RECURRING] = np.maximum(features[filled, _RECURRING], recurring)
    words = shared.title, shared.opening, shared.headline
    numbers = shared.number_count, shared.amounts, sketched.conflicts, sketched.numbers_apart
    _measure_rest(
        features, first, second, words, numbers, number_count, traits.headline, traits.day
    )
    # What an outlet reports again on purpose is like a report of another outlet. A copy is one in
    # another outlet, even if an outlet is unknown.
    elsewhere = (sketched.update | sketched.copy).nonzero()[0]
    for column in _WITHIN_OUTLET if len(elsewhere) else ():
        features[elsewhere, column] = 0


@compiled
def _measure(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    recurrence: NDArray[np.float64],
    day: NDArray[np.float64],
    source: NDArray[np.int32],
    length: NDArray[np.int32],
    headline: NDArray[np.uint64],
    small: float,
) -> None:
    """Fill in what `measure` returns; leave the other features 0."""
    for i in range(len(first)):
        a, b, row = first[i], second[i], features[i]
        alike = cosine[i] if cosine[i] > NO_LIKENESS else NO_LIKENESS
        less, more = recurrence[a], recurrence[b]
        if less > more:
            less, more = more, less
        row[_BASE] = 1
        row[_SMALL_ARCHIVE] = small
        row[WORDING] = math.log(alike)
        row[_CONTRAST] = math.log(alike / more)
        # How much more recurrent both are than news is, as two issues of a daily bulletin are.
        if less > _RECURRING_FROM:
            row[_RECURRING] = math.log(less / _RECURRING_FROM)
        chance = _chance_of_one_outlet(a, b, source, day)
        if chance > 0:
            row[SAME_OUTLET] = chance
            one = length[a] if length[a] > 1 else 1
            other = length[b] if length[b] > 1 else 1
            row[_OTHER_LENGTH] = chance * abs(math.log(one / other))
            if headline[a] == 0 or headline[b] == 0:
                row[_UNTITLED] = chance
        days = abs(day[a] - day[b])
        if not np.isnan(days):
            row[_HOURS] = math.log1p(24 * days) - 2


@compiled
def _measure_rest(
    features: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    words: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    numbers: tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64], NDArray[np.float64]],
    number_count: NDArray[np.int64],
    headline: NDArray[np.uint64],
    day: NDArray[np.float64],
) -> None:
    """Fill in the features that depend on what pairs have in common.

    These are similar titles and openings, titles in openings, shared numbers, conflicting numbers,
    and openings that have no number in common. A year says little about two texts of one week, but
    much about two without dates.
    """
    title, opening, named = words
    shared, amounts, conflicting, apart = numbers
    for i in range(len(first)):
        a, b, row = first[i], second[i], features[i]
        revised = (headline[a] | headline[b]) & REVISED > 0
        fewer = number_count[a] if number_count[a] < number_count[b] else number_count[b]
        undated = np.isnan(day[a] - day[b])
        row[_NUMBERS_SHARED] = shared[i] / (fewer + 1) if undated else amounts[i]
        row[_NUMBERS_CONFLICTING] = row[SAME_OUTLET] * math.log1p(conflicting[i])
        if headline[a] > 0 and headline[b] > 0:
            alike = title[i] if title[i] > 0 else 0.0
            row[_TITLE] = math.sqrt(alike) - _TITLE_LIKENESS
            # No text has the words that mark a revision.
            if not revised:
                row[_HEADLINE] = min(named[i], _MOST_SHARE) - _HEADLINE_SHARE
        row[_OPENING] = opening[i]
        # What is revised are often the numbers.
        row[_NUMBERS_APART] = 0.0 if revised else apart[i]
