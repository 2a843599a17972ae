"""From weighed pairs to stories, one article at a time.

An arriving article joins the story with the highest mean evidence over all its members, if
that reaches the bar; then the grown story joins others in the same way. This is average
linkage (`sahel_dedup.linkage`) in the order of arrival, and no pair is guessed either:
pairs that LSH did not propose are weighed before they count.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from sahel_dedup.evidence import Evidence, Pairs
from sahel_dedup.index.live import Live
from sahel_dedup.linkage import UNDATED_START, average_link

# Of a larger story the latest articles speak for all.
MAX_COMPARED = 200


class Weighed:
    """Evidence on pairs of rows, in either order."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self._pairs: dict[tuple[int, int], tuple[float, float]] = {}
        self._entered: list[Pairs] = []

    def enter(self, pairs: Pairs) -> None:
        """Note pairs that were weighed."""
        # Most arriving articles resemble none so much that anyone asks.
        self._entered.append(pairs)

    @property
    def pairs(self) -> dict[tuple[int, int], tuple[float, float]]:
        """Score and cosine by pair of rows, the later row first."""
        for pairs in self._entered:
            first, second = pairs.first.tolist(), pairs.second.tolist()
            values = zip(pairs.score.tolist(), pairs.cosine.tolist(), strict=True)
            for a, b, value in zip(first, second, values, strict=True):
                self._pairs[(a, b) if a > b else (b, a)] = value
        self._entered.clear()
        return self._pairs

    def weigh(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Weigh the pairs that were not yet."""
        missing = {(a, b) if a > b else (b, a) for a, b in pairs} - self.pairs.keys()
        if missing:
            rows = np.array(sorted(missing))
            self.enter(self.evidence.weigh(rows[:, 0], rows[:, 1]))

    def get(self, one: int, other: int) -> tuple[float, float]:
        """Return score and cosine of a pair."""
        return self.pairs[(one, other) if one > other else (other, one)]

    def known(self, row: int, others: Sequence[int]) -> list[tuple[float, float, int]]:
        """Return score, cosine and row of the others that were weighed with a row."""
        if not others:
            return []
        pairs = self.pairs
        keys = ((other, (row, other) if row > other else (other, row)) for other in others)
        return [(*pairs[key], other) for other, key in keys if key in pairs]

    def mean_score(self, one: Sequence[int], others: Sequence[int]) -> float:
        """Return the mean evidence between two groups of rows."""
        total = sum(self.get(a, b)[0] for a in one for b in others)
        return total / (len(one) * len(others))


def compared(live: Live, row: int) -> list[int]:
    """Return the rows that speak for an article's story: no twins, the latest ones."""
    return sorted(live.first_rows(live.members(row)))[-MAX_COMPARED:]


def weigh_neighbourhoods(live: Live, strong: Pairs, weighed: Weighed) -> None:
    """Weigh every pair that the stories of some pairs may need to become one.

    Parameters
    ----------
    live : Live
    strong : Pairs
        Pairs that reach the bar.
    weighed : Weighed
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
    weighed.weigh(
        pair
        for group in distinct
        for one, two in itertools.combinations([compared(live, r) for r in group.values()], 2)
        for pair in itertools.product(one, two)
    )


def join_surplus(live: Live, mine: Sequence[int], theirs: Sequence[int], weighed: Weighed) -> float:
    """Return by how much the mean evidence between two stories clears the bar.

    Two articles without dates found a story only if they clear it by
    `sahel_dedup.linkage.UNDATED_START`.
    """
    needed = live.settings.bar
    if len(mine) == len(theirs) == 1:
        days = live.profiles.day[[mine[0], theirs[0]]]
        needed += UNDATED_START if np.isnan(days).any() else 0
    return weighed.mean_score(mine, theirs) - needed


def join_stories(
    live: Live, row: int, partners: Sequence[int], weighed: Weighed
) -> list[tuple[int, int]]:
    """Let an article, and the story it comes to, join the stories they belong with.

    Parameters
    ----------
    live : Live
    row : int
        The article, still a story of its own.
    partners : sequence of int
        Rows with which it reaches the bar.
    weighed : Weighed

    Returns
    -------
    list of (int, int)
        Numbers of the older and the younger story, wherever two that were known before
        became one.
    """
    merged: list[tuple[int, int]] = []
    alone = True
    while True:
        number = live.standing.story
        others = {int(number[p]): p for p in partners if number[p] != number[row]}
        if not others:
            return merged
        mine = compared(live, row)
        surplus, partner = max(
            (join_surplus(live, mine, compared(live, other), weighed), other)
            for other in others.values()
        )
        if surplus < 0:
            return merged
        pair = live.join(row, partner)
        if not alone:
            merged.append(pair)
        alone = False


def story_pairs(live: Live, members: Sequence[int]) -> list[tuple[int, int]]:
    """Return the pairs on which it depends whether a story holds together."""
    rows = sorted(live.first_rows(members))[-MAX_COMPARED:]
    return list(itertools.combinations(rows, 2))


def split_story(live: Live, members: Sequence[int], weighed: Weighed) -> list[list[int]]:
    """Group the articles of a story anew.

    Parameters
    ----------
    live : Live
    members : sequence of int
        Rows of its articles.
    weighed : Weighed

    Returns
    -------
    list of list of int
        Rows of each group, that of the oldest article first.
    """
    pairs = story_pairs(live, members)
    if not pairs:
        return [list(members)]
    weighed.weigh(pairs)
    scores = np.array([weighed.get(a, b)[0] for a, b in pairs])
    rows = [pairs[0][0], *(b for a, b in pairs if a == pairs[0][0])]
    label = dict(zip(rows, average_link(scores, live.settings.bar).tolist(), strict=True))
    undated = np.isnan(live.profiles.day[rows]).sum() >= len(rows) - 1
    if undated and scores.max() < live.settings.bar + UNDATED_START:
        label = {row: row for row in rows}
    groups: dict[int, list[int]] = {}
    # Articles too many to be compared stay with the oldest that was.
    for row in sorted(members):
        first = int(live.standing.twin[row])
        groups.setdefault(label.get(first, label[rows[0]]), []).append(row)
    return list(groups.values())
