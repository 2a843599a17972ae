"""Updates: what an outlet reports again because there is more to say, and says so in a title.

An outlet rarely reports one event twice, so what it publishes twice in much the same form is
usually a bulletin. Takes of an agency report, corrections and snapshots of a live page are the
exception. Their titles mark them (`sahel_dedup.text.revisions`), and they follow each other within
hours. If the title of each names something that the text of the other lacks, the two are updates of
different reports, unless they are similar and no fillings of one form.

A report whose title an outlet changes within these hours needs no mark, because the words are the
same. So are those of a page that takes the place of reports, but none of its titles is about it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.lsh import agreeing_slots
from sahel_dedup.scoring.copies import Titles, titles_differ
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.profiles import REVISED, Traits, are_two_outlets
from sahel_dedup.util.jit import compiled

# Updates follow within this time; the live page of a market is another one the next day.
_DAYS = 0.75
# Two reports with different names in their titles are similar from this cosine on, and fillings of
# a form from this share of common shingles on.
_SIMILAR = 0.35
_FORM_JACCARD = 0.15


def updates(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    traits: Traits,
    titles: Titles,
) -> NDArray[np.bool_]:
    """Find the pairs of which one article is an update of the other.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    cosine : ndarray of float64, shape (n,)
        Their TF-IDF cosines.
    traits : Traits
    titles : Titles
        Compares titles with texts.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    found = marked_updates(first, second, traits)
    for pair in found.nonzero()[0].tolist():
        one, other = int(first[pair]), int(second[pair])
        if titles_differ(one, other, titles):
            same = agreeing_slots(traits.shingles, first[pair : pair + 1], second[pair : pair + 1])
            found[pair] = cosine[pair] >= _SIMILAR and same[0] < _FORM_JACCARD * SLOTS
    return found


def reprints(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    copy: NDArray[np.bool_],
    traits: Traits,
    titles: Titles,
) -> NDArray[np.bool_]:
    """Find the pairs in which an outlet prints a report again word for word, with another title.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    copy : ndarray of bool, shape (n,)
        Whether one is a copy of the other.
    traits : Traits
    titles : Titles
        Compares titles with texts.

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    found = np.zeros_like(copy)
    again = copy.nonzero()[0]
    t, a, b = traits, first[again], second[again]
    likely = t.of_one_outlet(a, b) & t.same_text(a, b) & (abs(t.day[a] - t.day[b]) <= _DAYS)
    for pair in again[likely & (t.headline[a] > 0) & (t.headline[b] > 0)].tolist():
        one, other = int(first[pair]), int(second[pair])
        found[pair] = titles.echoes_text(one) or titles.echoes_text(other)
    return found


def marked_updates(
    first: NDArray[np.int64], second: NDArray[np.int64], traits: Traits
) -> NDArray[np.bool_]:
    """Find the pairs that may be updates: perhaps of one outlet, within hours, marked in a title.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    traits : Traits

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    found = np.empty(len(first), dtype=np.bool_)
    _mark_updates(first, second, traits.headline, traits.source, traits.day, found)
    return found


@compiled
def _mark_updates(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    headline: NDArray[np.uint64],
    source: NDArray[np.int32],
    day: NDArray[np.float64],
    found: NDArray[np.bool_],
) -> None:
    """Fill in what `marked_updates` returns."""
    for i in range(len(first)):
        a, b = first[i], second[i]
        titled = headline[a] > 0 and headline[b] > 0
        marked = titled and (headline[a] | headline[b]) & REVISED > 0
        elsewhere = are_two_outlets(a, b, source)
        found[i] = marked and not elsewhere and abs(day[a] - day[b]) <= _DAYS
