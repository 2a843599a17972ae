"""Stories that follow the corrections of people, for the batch and Spark.

Two steps follow the linkage. First, a story with articles that must be apart is linked again on its
own, with the mean between groups of such articles set to minus infinity. Each of the other articles
then goes to the side to which the evidence assigns it. Second, the stories of articles that must be
together become one (`sahel_dedup.corrections.placing`). All other stories are the same as without
corrections.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.exact_copies import exact_duplicates
from sahel_dedup.clustering.average_linkage import ScorePairs
from sahel_dedup.clustering.large_components import MAX_COMPONENT, speakers
from sahel_dedup.clustering.window import Times, link_within
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.corrections.placing import has_rivals, join_copies, named_rows, place_groups
from sahel_dedup.scoring.evidence import Pairs
from sahel_dedup.scoring.log_odds import LIMIT
from sahel_dedup.sketch.digests import text_numbers
from sahel_dedup.sketch.profiles import Profiles

_Rows = NDArray[np.int64]


class Linked(NamedTuple):
    """Stories, and the pairs inside them.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,)
        Number of the story of each article; the values of later copies are ignored.
    parts : ndarray of int64, shape (n,)
        The same before corrections joined stories, from the evidence alone.
    inside : Pairs
        The pairs inside stories, sorted. Between the parts of a story with more than
        `MAX_COMPONENT` articles, only the pairs of some articles of each part.
    """

    labels: _Rows
    parts: _Rows
    inside: Pairs


def single_out(duplicate_of: _Rows, ids: Sequence[str], corrections: Corrections) -> _Rows:
    """Make sure that no article named by a correction counts as a later copy of another.

    Parameters
    ----------
    duplicate_of : ndarray of int64, shape (n,)
        See `sahel_dedup.candidates.exact_copies.exact_duplicates`.
    ids : sequence of str
    corrections : Corrections

    Returns
    -------
    ndarray of int64, shape (n,)
        Later copies of a named article still follow it.
    """
    named = list(named_rows(ids, corrections))
    if not named:
        return duplicate_of
    duplicate_of = duplicate_of.copy()
    duplicate_of[named] = named
    return duplicate_of


def correct(
    linked: Linked,
    ids: Sequence[str],
    profiles: Profiles,
    duplicate_of: _Rows,
    score_pairs: ScorePairs,
    times: Times,
    threshold: float,
    corrections: Corrections,
) -> Linked:
    """Apply corrections to stories.

    Parameters
    ----------
    linked : Linked
        The result of the linkage.
    ids : sequence of str
    profiles : Profiles
        In order of time.
    duplicate_of : ndarray of int64, shape (n,)
        The result of `single_out`.
    score_pairs : callable
        Scores pairs of articles.
    times : Times
    threshold : float
    corrections : Corrections

    Returns
    -------
    Linked
    """
    groups = named_rows(ids, corrections)
    if not groups:
        return linked
    single = duplicate_of == np.arange(len(duplicate_of))
    parts = linked.labels.copy()
    for rows in _stories_with_rivals(parts, single, groups, corrections):
        named = {place: groups[row] for place, row in enumerate(rows.tolist()) if row in groups}
        if len(rows) > MAX_COMPONENT:
            division = _named_leave(len(rows), named, corrections)
        else:
            first, second = np.triu_indices(len(rows), 1)
            scores = score_pairs(rows[first], rows[second]).score
            division = divide(scores, times.take(rows), threshold, named, corrections)
        parts[rows] = int(parts.max()) + 1 + division
    # The argument of `single_out`.
    text = text_numbers(profiles.body, profiles.body_check)
    first_of = exact_duplicates(text, profiles.headline, profiles.day, times.window)
    copies = [(row, int(first_of[row])) for row in groups if first_of[row] != row]
    parts = join_copies(parts, groups, corrections, copies)
    labels = place_groups(parts, groups, corrections)
    inside = linked.inside
    inside = inside.where(labels[inside.first] == labels[inside.second])
    fresh = score_pairs(*_between(labels, linked.labels, single, groups))
    inside = Pairs.concatenate([inside, fresh])
    return Linked(labels, parts, inside.where(np.lexsort((inside.second, inside.first))))


def divide(
    scores: NDArray[np.float64],
    times: Times,
    threshold: float,
    groups: dict[int, str],
    corrections: Corrections,
) -> _Rows:
    """Divide a story so that no part contains two articles that must be apart.

    Parameters
    ----------
    scores : ndarray of float64, shape (m * (m - 1) / 2,)
        Scores of all pairs, row by row of the upper triangle.
    times : Times
        Times of these articles.
    threshold : float
        Lowest mean score at which two groups are joined.
    groups : dict of int to str
        The correction group of each named article, by its position from 0.
    corrections : Corrections

    Returns
    -------
    ndarray of int64, shape (m,)
        The part of each article, given as the position of its first article.
    """
    m = len(times.first)
    square = np.full((m, m), -LIMIT)
    square[np.triu_indices(m, 1)] = scores
    square = np.maximum(square, square.T)
    places: dict[str, list[int]] = {}
    for place, group in groups.items():
        places.setdefault(group, []).append(place)
    for group, ours in places.items():
        for rival in corrections.rivals(group):
            square[np.ix_(ours, places.get(rival, []))] = -np.inf
    return np.asarray(link_within(square, threshold, *times))


def _stories_with_rivals(
    labels: _Rows, single: NDArray[np.bool_], groups: dict[int, str], corrections: Corrections
) -> list[_Rows]:
    """Return the articles of each story that contains some that must be apart."""
    held: dict[int, list[str]] = {}
    for row, group in groups.items():
        held.setdefault(int(labels[row]), []).append(group)
    wanted = [story for story, found in held.items() if has_rivals(found, corrections)]
    return _articles(labels, single, wanted)


def _articles(
    labels: _Rows, single: NDArray[np.bool_], stories: Sequence[int] | _Rows
) -> list[_Rows]:
    """Return the articles of some stories, story by story and without later copies."""
    rows = np.flatnonzero(single & np.isin(labels, stories))
    rows = rows[np.argsort(labels[rows], kind="stable")]
    return np.split(rows, np.flatnonzero(np.diff(labels[rows])) + 1) if len(rows) else []


def _named_leave(m: int, groups: dict[int, str], corrections: Corrections) -> _Rows:
    """Remove all but the first named articles from a story that is too large to link."""
    parts = np.zeros(m, dtype=np.int64)
    stay: dict[str, None] = {}
    leave: dict[str, int] = {}
    for place, group in groups.items():
        if group not in stay and corrections.are_rivals([group], stay):
            parts[place] = leave.setdefault(group, place)
        else:
            stay[group] = None
    return parts


def _between(
    labels: _Rows, parts: _Rows, single: NDArray[np.bool_], groups: dict[int, str]
) -> tuple[_Rows, _Rows]:
    """Return the pairs of articles that are in one story only because of corrections."""
    first: list[_Rows] = [np.zeros(0, dtype=np.int64)]
    second = list(first)
    for rows in _articles(labels, single, np.unique(labels[list(groups)])):
        held = np.unique(parts[rows])
        if len(held) == 1:
            continue
        if len(rows) > MAX_COMPONENT:
            named = np.intersect1d(rows, list(groups))
            some = [speakers(rows[parts[rows] == part]) for part in held]
            rows = np.unique(np.concatenate([*some, named]))
        i, j = np.triu_indices(len(rows), 1)
        apart = parts[rows[i]] != parts[rows[j]]
        first.append(rows[i[apart]])
        second.append(rows[j[apart]])
    return np.concatenate(first), np.concatenate(second)
