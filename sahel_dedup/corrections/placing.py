"""From stories to corrected stories: the one rule for the batch, Spark and the index.

Stories that a group of articles lies in become one, whatever the evidence and the window say.
Where that would bring two articles together that must be apart, the articles of the group leave
the later story for the earlier one, and the rest of the later story stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.corrections.corrections import Corrections

_Rows = NDArray[np.int64]


def named_rows(ids: Sequence[str], corrections: Corrections) -> dict[int, str]:
    """Return the groups of the articles that corrections name, by row, in order of rows."""
    if not corrections:
        return {}
    found = ((row, corrections.group(name)) for row, name in enumerate(ids))
    return {row: group for row, group in found if group is not None}


def has_rivals(groups: Sequence[str], corrections: Corrections) -> bool:
    """Whether two of the groups must be kept apart."""
    return corrections.are_rivals(groups, groups)


def place_groups(labels: _Rows, groups: dict[int, str], corrections: Corrections) -> _Rows:
    """Bring the articles of each group into one story.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        Number of the story of each article; no story holds articles that must be apart.
        Articles are in order of time, or of arrival.
    groups : dict of int to str
        The groups of the articles that are named, by row.
    corrections : Corrections

    Returns
    -------
    ndarray of int64, shape (n,)
        The number of a story that took in others is that of one of them.
    """
    stories = _Named(labels, groups)
    for group in dict.fromkeys(groups[row] for row in sorted(groups)):
        first, *others = stories.of(group)
        for other in others:
            if corrections.are_rivals(stories.held[first], stories.held[other]):
                stories.move(group, other, first)
            else:
                stories.merge(other, first)
    return stories.labels()


def join_copies(
    labels: _Rows,
    groups: dict[int, str],
    corrections: Corrections,
    copies: Sequence[tuple[int, int]],
) -> _Rows:
    """Let named articles stay with what they are exact copies of, unless they must be apart.

    Parameters
    ----------
    labels, groups, corrections
        See `place_groups`.
    copies : sequence of (int, int)
        Named articles, each with the first of its text.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    stories = _Named(labels, groups)
    for row, original in copies:
        one, other = stories.at(original), stories.at(row)
        if one != other and not corrections.are_rivals(stories.held[one], stories.held[other]):
            stories.merge(other, one)
    return stories.labels()


class _Named:
    """Stories, and the named articles in each, by group."""

    def __init__(self, labels: _Rows, groups: dict[int, str]) -> None:
        self._labels = labels.copy()
        # Into which story another was merged.
        self._taken: dict[int, int] = {}
        self.held: dict[int, dict[str, list[int]]] = defaultdict(dict)
        for row in sorted(groups):
            self.held[int(labels[row])].setdefault(groups[row], []).append(row)
        self._stories: dict[str, set[int]] = {}
        for story, held in self.held.items():
            for group in held:
                self._stories.setdefault(group, set()).add(story)

    def of(self, group: str) -> list[int]:
        """Return the stories that hold articles of a group, that of the first article first."""
        return sorted(self._stories[group], key=lambda story: min(self.held[story][group]))

    def at(self, row: int) -> int:
        """Return the story of an article."""
        return self._final(int(self._labels[row]))

    def move(self, group: str, story: int, to: int) -> None:
        """Let the articles of a group leave a story for another one."""
        rows = self.held[story].pop(group)
        self._labels[rows] = to
        self.held[to].setdefault(group, []).extend(rows)
        self._stories[group].remove(story)

    def merge(self, story: int, to: int) -> None:
        """Let a story take in another."""
        self._taken[story] = to
        for group, rows in self.held.pop(story).items():
            self.held[to].setdefault(group, []).extend(rows)
            self._stories[group].remove(story)
            self._stories[group].add(to)

    def labels(self) -> _Rows:
        """Return the story of each article."""
        moved = np.flatnonzero(np.isin(self._labels, list(self._taken)))
        self._labels[moved] = [self._final(story) for story in self._labels[moved].tolist()]
        return self._labels

    def _final(self, story: int) -> int:
        while story in self._taken:
            story = self._taken[story]
        return story
