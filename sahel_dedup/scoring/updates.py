"""Updates: what an outlet reports again because there is more to say, and says so in a title.

An outlet rarely reports one event twice, so what it publishes twice in much the same form is
usually a bulletin. Takes of an agency report, corrections and snapshots of a live page are the
exception. Their titles mark them (`sahel_dedup.text.revisions`), and they follow each other within
hours. If the title of each names something that the text of the other lacks, the two are updates of
different reports, unless they are similar and no fillings of one form.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.lsh import agreeing_slots
from sahel_dedup.scoring.copies import Titles, titles_differ
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.profiles import REVISED, Traits

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


def marked_updates(
    first: NDArray[np.int64], second: NDArray[np.int64], traits: Traits
) -> NDArray[np.bool_]:
    """Find the pairs that may be updates: one outlet, within hours, with a title that says so.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    traits : Traits

    Returns
    -------
    ndarray of bool, shape (n,)
    """
    t = traits
    found = ((t.headline[first] | t.headline[second]) & REVISED) > 0
    # Few titles say so.
    marked = found.nonzero()[0]
    if len(marked):
        a, b = first[marked], second[marked]
        titled = (t.headline[a] > 0) & (t.headline[b] > 0)
        one_outlet = (t.source[a] >= 0) & (t.source[a] == t.source[b])
        found[marked] = titled & one_outlet & (np.abs(t.day[a] - t.day[b]) <= _DAYS)
    return np.asarray(found)
