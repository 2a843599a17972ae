"""From scored pairs to stories, one article at a time.

An arriving article joins the story with the highest mean score over all its members, if that
reaches the threshold; the grown story then joins others in the same way. This is average linkage
(`sahel_dedup.clustering.average_linkage`) in the order of arrival. No score is guessed here either:
pairs that LSH did not propose are scored before they count.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.clustering.average_linkage import (
    FOUNDING,
    HOLDING,
    average_link,
    parts_held,
)
from sahel_dedup.clustering.corrected import divide
from sahel_dedup.clustering.outlets import LEAST_ARTICLES, count_outlets, divide_series, surcharge
from sahel_dedup.clustering.window import Times
from sahel_dedup.index.live import Live
from sahel_dedup.index.online_corrections import (
    groups_among,
    is_held,
    must_be_apart,
    placed,
)
from sahel_dedup.scoring.evidence import Evidence, Pairs
from sahel_dedup.scoring.features import counted_outlets
from sahel_dedup.scoring.log_odds import known_dates

# Only the latest articles of a larger story represent it.
MAX_COMPARED = 200


class ScoredPairs:
    """Scores of pairs of rows, in either order."""

    def __init__(self, evidence: Callable[[], Evidence]) -> None:
        # Not a scorer yet, because most arriving articles need none for further pairs.
        self.evidence = evidence
        self._pairs: dict[tuple[int, int], tuple[float, float]] = {}
        self._entered: list[Pairs] = []
        # For those read so far: each row of a pair, ascending, and the other.
        self._partners: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
        self._read = 0

    def enter(self, pairs: Pairs) -> None:
        """Record pairs that were scored."""
        # Most arriving articles are not similar enough to any other for them to be read.
        self._entered.append(pairs)

    @property
    def pairs(self) -> dict[tuple[int, int], tuple[float, float]]:
        """Score and cosine by pair of rows, the later row first."""
        if self._read == len(self._entered):
            return self._pairs
        for pairs in self._entered[self._read :]:
            rows = np.maximum(pairs.first, pairs.second), np.minimum(pairs.first, pairs.second)
            keys = zip(*(side.tolist() for side in rows), strict=True)
            values = zip(pairs.score.tolist(), pairs.cosine.tolist(), strict=True)
            self._pairs.update(zip(keys, values, strict=True))
        self._read = len(self._entered)
        return self._pairs

    def score_pairs(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Score the pairs that have no score yet."""
        missing = {(a, b) if a > b else (b, a) for a, b in pairs} - self.pairs.keys()
        if missing:
            first, second = np.ascontiguousarray(np.array(sorted(missing)).T)
            self.enter(self.evidence().score_pairs(first, second))

    def get(self, one: int, other: int) -> tuple[float, float]:
        """Return score and cosine of a pair."""
        return self.pairs[(one, other) if one > other else (other, one)]

    def known(self, row: int, others: Callable[[int], bool]) -> list[tuple[float, float, int]]:
        """Return score, cosine and row of the others that were scored with a row."""
        pairs, partners = self.pairs, set[int]()
        for entered in self._entered[len(self._partners) :]:
            rows = np.concatenate([entered.first, entered.second])
            order = np.argsort(rows, kind="stable")
            both = np.concatenate([entered.second, entered.first])
            self._partners.append((rows[order], both[order]))
        for rows, both in self._partners:
            start, end = np.searchsorted(rows, (row, row + 1))
            partners.update(both[start:end].tolist())
        chosen = sorted(filter(others, partners))
        return [(*pairs[(row, o) if row > o else (o, row)], o) for o in chosen]

    def mean_score(self, one: Sequence[int], others: Sequence[int]) -> float:
        """Return the mean score between two groups of rows."""
        total = sum(self.get(a, b)[0] for a in one for b in others)
        return total / (len(one) * len(others))


def representatives(live: Live, row: int) -> list[int]:
    """Return the rows that represent an article's story: the latest, without exact duplicates."""
    return live.story_of(row).first[-MAX_COMPARED:]


def score_neighbourhoods(live: Live, strong: Pairs, scored: ScoredPairs) -> None:
    """Score every pair that the stories of some pairs may need to become one.

    Parameters
    ----------
    live : Live
    strong : Pairs
        Pairs that reach the threshold.
    scored : ScoredPairs
        Receives the pairs between any two stories that the strong ones connect.
    """
    if not len(strong):
        return
    number = live.standing.story
    groups: dict[int, dict[int, int]] = {}
    for a, b in zip(strong.first.tolist(), strong.second.tolist(), strict=True):
        one = groups.setdefault(int(number[a]), {int(number[a]): a})
        two = groups.setdefault(int(number[b]), {int(number[b]): b})
        if one is not two:
            one.update(two)
            groups.update(dict.fromkeys(two, one))
    distinct = {id(group): group for group in groups.values()}.values()
    scored.score_pairs(
        pair
        for group in distinct
        for one, two in itertools.combinations(
            [representatives(live, r) for r in group.values()], 2
        )
        for pair in itertools.product(one, two)
    )


def join_surplus(
    live: Live, mine: Sequence[int], theirs: Sequence[int], scored: ScoredPairs
) -> float:
    """Return by how much the mean score between two stories exceeds the threshold.

    The threshold is higher if outlets repeat themselves: see `sahel_dedup.clustering.outlets`. If
    one of the stories has no date, one pair must exceed it by more: see
    `sahel_dedup.clustering.average_linkage`.
    """
    threshold, both = live.settings.merge_threshold, [*mine, *theirs]
    surplus = scored.mean_score(mine, theirs) - threshold
    if len(both) >= LEAST_ARTICLES:
        surplus -= surcharge(len(both), count_outlets(_outlets(live, both)))
    if not (any(_dated(live, mine)) and any(_dated(live, theirs))):
        # `parts_held` would leave the joined story whole, because it left both stories whole: one
        # pair between them is enough. It is not called, because it needs the scores inside both,
        # which an arriving article would have to compute again.
        margins = FOUNDING if len(both) == 2 else HOLDING
        ours, others = (zip(rows, _dated(live, rows), strict=True) for rows in (mine, theirs))
        strongest = max(
            scored.get(a, b)[0] - margins[one + two]
            for (a, one), (b, two) in itertools.product(ours, others)
        )
        surplus = min(surplus, strongest - threshold)
    return surplus


def _dated(live: Live, rows: Sequence[int]) -> Iterator[bool]:
    """Whether each of some articles has a date; the first usually has."""
    day = live.profiles.day
    return (not math.isnan(day[row]) for row in rows)


def join_stories(
    live: Live, row: int, partners: Sequence[int], scored: ScoredPairs
) -> list[tuple[int, int]]:
    """Join an article, and then its story, to the stories with which they belong.

    Parameters
    ----------
    live : Live
    row : int
        The article, which is still a story of its own.
    partners : sequence of int
        Rows whose pair with it reaches the threshold.
    scored : ScoredPairs

    Returns
    -------
    list of (int, int)
        Numbers of the older and the younger story, for each two earlier stories that became one.
    """
    merged: list[tuple[int, int]] = []
    alone = True
    while True:
        number = live.standing.story
        others = {
            speakers(live, p, scored)[0]: p
            for p in partners
            if number[p] != number[row] and may_join(live, row, p, scored)
        }
        if not others:
            return merged
        surplus, partner = max(
            (story_surplus(live, row, other, scored), other) for other in others.values()
        )
        if surplus < 0:
            return merged
        pair = live.join(row, partner)
        if not alone:
            merged.append(pair)
        alone = False


def may_join(live: Live, row: int, other: int, scored: ScoredPairs) -> bool:
    """Whether window and corrections allow the stories of two articles to become one."""
    if not is_held(live, row) and not is_held(live, other):
        return live.fit(row, other) and not must_be_apart(live, row, other)
    # The window does not limit what a person has joined, only what is added to it.
    days = live.profiles.day[speakers(live, row, scored) + speakers(live, other, scored)]
    span = np.fmax.reduce(days) - np.fmin.reduce(days)
    return not span > live.window and not must_be_apart(live, row, other)


def story_surplus(live: Live, row: int, other: int, scored: ScoredPairs) -> float:
    """Return `join_surplus` for the stories of two articles."""
    mine, theirs = speakers(live, row, scored), speakers(live, other, scored)
    if live.corrections:
        # Articles that a correction has joined may not have been scored with all others.
        scored.score_pairs(itertools.product(mine, theirs))
    return join_surplus(live, mine, theirs, scored)


def speakers(live: Live, row: int, scored: ScoredPairs) -> list[int]:
    """Return the rows that represent the story of an article when others may join it.

    If only corrections hold a story together, these are the articles that the evidence groups with
    the article, because reports that a person has joined may have little in common.
    """
    found = representatives(live, row)
    if not is_held(live, row):
        return found
    groups = evidence_groups(live, live.members(row), scored)
    part = next(set(group) for group in groups if row in group)
    return [other for other in found if other in part] or found


def story_pairs(live: Live, members: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs that decide whether a story holds together."""
    rows = sorted(live.first_rows(members))[-MAX_COMPARED:]
    return list(itertools.combinations(rows, 2))


def doubtful(
    live: Live, stories: Sequence[Sequence[int]], scored: ScoredPairs
) -> list[Sequence[int]]:
    """Score the pairs of some stories, and return the stories that may fall apart.

    Parameters
    ----------
    live : Live
    stories : sequence of sequence of int
        Rows of the articles of each; at least two have different words.
    scored : ScoredPairs
        Receives the pairs.

    Returns
    -------
    list of sequence of int
    """
    if not stories:
        return []
    compared = [sorted(live.first_rows(members))[-MAX_COMPARED:] for members in stories]
    later = [row for rows in compared for i, row in enumerate(rows) for _ in range(i)]
    earlier = [other for rows in compared for i in range(len(rows)) for other in rows[:i]]
    pairs = scored.evidence().score_pairs(np.array(later), np.array(earlier))
    scored.enter(pairs)
    scores, found = iter(pairs.score.tolist()), list[Sequence[int]]()
    for members, rows in zip(stories, compared, strict=True):
        least = min(itertools.islice(scores, len(rows) * (len(rows) - 1) // 2))
        if not _is_plain(live, members, rows, least):
            found.append(members)
    return found


def split_story(live: Live, members: Sequence[int], scored: ScoredPairs) -> list[list[int]]:
    """Group the articles of a story again; those that corrections join stay together.

    Parameters, returns: see `evidence_groups`.
    """
    groups = evidence_groups(live, members, scored)
    if len(groups) == 1 or not live.corrections:
        return groups
    label = {row: number for number, group in enumerate(groups) for row in group}
    rows = sorted(members)
    return placed(live, rows, np.array([label[row] for row in rows], dtype=np.int64))


def divide_story(live: Live, members: Sequence[int], scored: ScoredPairs) -> list[list[int]]:
    """Divide a story that contains articles which must be apart.

    Parameters
    ----------
    live : Live
    members : sequence of int
        Rows of its articles.
    scored : ScoredPairs

    Returns
    -------
    list of list of int
        Rows of each group, that of the oldest article first.
    """
    named = groups_among(live, members)
    rows = sorted({*live.first_rows(members)[-MAX_COMPARED:], *named})
    pairs = list(itertools.combinations(rows, 2))
    scored.score_pairs(pairs)
    scores = np.array([scored.get(a, b)[0] for a, b in pairs])
    groups = {place: named[row] for place, row in enumerate(rows) if row in named}
    times = _times(live, members, rows)
    part = divide(scores, times, live.settings.merge_threshold, groups, live.corrections)
    return placed(live, sorted(members), _parts_of_all(live, members, rows, part))


def evidence_groups(live: Live, members: Sequence[int], scored: ScoredPairs) -> list[list[int]]:
    """Group the articles of a story again by the evidence alone.

    Parameters
    ----------
    live : Live
    members : sequence of int
        Rows of its articles.
    scored : ScoredPairs

    Returns
    -------
    list of list of int
        Rows of each group, that of the oldest article first.
    """
    pairs = story_pairs(live, members)
    if not pairs:
        return [list(members)]
    scored.score_pairs(pairs)
    found = [scored.get(a, b)[0] for a, b in pairs]
    rows = [pairs[0][0], *(b for a, b in pairs if a == pairs[0][0])]
    if _is_plain(live, members, rows, min(found)):
        return [sorted(members)]
    scores = np.array(found)
    times = _times(live, members, rows)
    threshold, source = live.settings.merge_threshold, _outlets(live, rows)
    one, two = np.triu_indices(len(rows), 1)
    group = average_link(scores, threshold, times)
    group = divide_series(group, one, two, scores, source, threshold)
    day = live.profiles.day[rows]
    together = group[one] == group[two]
    one, two, scores = one[together], two[together], scores[together]
    known = known_dates(day, one, two)
    part = parts_held(one, two, scores, known, len(rows), threshold)
    groups: dict[int, list[int]] = {}
    for row, label in zip(sorted(members), _parts_of_all(live, members, rows, part), strict=True):
        groups.setdefault(int(label), []).append(row)
    return list(groups.values())


def _parts_of_all(
    live: Live, members: Sequence[int], rows: Sequence[int], part: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the part of each article of a story, ascending, from the parts of those compared.

    Later copies follow the first; articles too many to be compared stay with the oldest that was.
    """
    label = dict(zip(rows, part.tolist(), strict=True))
    originals = live.standing.duplicate_of[sorted(members)].tolist()
    return np.array([label.get(row, label[rows[0]]) for row in originals], dtype=np.int64)


def _is_plain(live: Live, members: Sequence[int], rows: Sequence[int], least: float) -> bool:
    """Whether a story obviously stays whole, as most do.

    If each pair reaches the threshold, every mean does. Only a large story is divided as a series,
    and only articles without dates need stronger pairs.
    """
    if len(rows) >= LEAST_ARTICLES or least < live.settings.merge_threshold:
        return False
    days = live.profiles.day[members].tolist()
    return not any(map(math.isnan, days)) and not max(days) - min(days) > live.window


def _times(live: Live, members: Sequence[int], rows: Sequence[int]) -> Times:
    """Return the times of some rows of a story; those of later copies are included in the first."""
    day, place = live.profiles.day, {row: i for i, row in enumerate(rows)}
    first, last = day[rows].copy(), day[rows].copy()
    for member in members:
        i = place.get(int(live.standing.duplicate_of[member]))
        if i is not None:
            first[i], last[i] = np.fmin(first[i], day[member]), np.fmax(last[i], day[member])
    return Times(first, last, live.window)


def _outlets(live: Live, rows: Sequence[int]) -> NDArray[np.int32]:
    return counted_outlets(live.profiles.source[rows], live.settings)
