"""From stories to corrected stories: the one rule for the batch, Spark and the index.

Stories that share a group of articles become one, regardless of the evidence and the window. If
that would bring together two articles that must be apart, the articles of the group move from the
later story to the earlier one, and the rest of the later story stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.corrections.corrections import Corrections

_Rows = NDArray[np.int64]


def named_rows(ids: Sequence[str], corrections: Corrections) -> dict[int, str]:
    """Return the groups of the articles named by corrections, by row and in order of rows."""
    if not corrections:
        return {}
    found = ((row, corrections.group(name)) for row, name in enumerate(ids))
    return {row: group for row, group in found if group is not None}


def has_rivals(groups: Sequence[str], corrections: Corrections) -> bool:
    """Whether any two of the groups must be kept apart."""
    return corrections.are_rivals(groups, groups)


def place_groups(labels: _Rows, groups: dict[int, str], corrections: Corrections) -> _Rows:
    """Put the articles of each group into one story.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
        Number of the story of each article; no story contains articles that must be apart. Articles
        are in order of time, or of arrival.
    groups : dict of int to str
        The groups of the named articles, by row.
    corrections : Corrections

    Returns
    -------
    ndarray of int64, shape (n,)
        New labels. A merged story has the number of one of its parts.
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
    """Keep named articles together with their exact copies, unless they must be apart.

    Parameters
    ----------
    labels, groups, corrections
        See `place_groups`.
    copies : sequence of (int, int)
        Named articles, each with the first article of the same text.

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
        # The story into which each merged story went.
        self._taken: dict[int, int] = {}
        self.held: dict[int, dict[str, list[int]]] = defaultdict(dict)
        for row in sorted(groups):
            self.held[int(labels[row])].setdefault(groups[row], []).append(row)
        self._stories: dict[str, set[int]] = {}
        for story, held in self.held.items():
            for group in held:
                self._stories.setdefault(group, set()).add(story)

    def of(self, group: str) -> list[int]:
        """Return the stories with articles of a group, starting with that of the first article."""
        return sorted(self._stories[group], key=lambda story: min(self.held[story][group]))

    def at(self, row: int) -> int:
        """Return the story of an article."""
        return self._final(int(self._labels[row]))

    def move(self, group: str, story: int, to: int) -> None:
        """Move the articles of a group from one story to another."""
        rows = self.held[story].pop(group)
        self._labels[rows] = to
        self.held[to].setdefault(group, []).extend(rows)
        self._stories[group].remove(story)

    def merge(self, story: int, to: int) -> None:
        """Merge one story into another."""
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
