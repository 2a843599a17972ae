"""The members of each story; adding an article costs the same in a story of any size.

Those that an index was opened with are looked up in arrays, until their story changes.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Members:
    """The articles of one story.

    Attributes
    ----------
    rows : list of int
        All of its articles, ascending.
    first : list of int
        Those that are not later copies of another, ascending.
    start, end : float
        First and last day of publication; NaN if no article has a date.
    """

    rows: list[int]
    first: list[int]
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class MemberArrays:
    """The articles of stories, as they were at one time.

    Attributes
    ----------
    story : ndarray of uint64, shape (n,)
        Number of the story of each article, rising.
    rows : ndarray of int32, shape (n,)
        The articles; those of a story rise.
    """

    story: NDArray[np.uint64]
    rows: NDArray[np.int32]

    @classmethod
    def of(cls, story: NDArray[np.uint64], none: int) -> MemberArrays:
        """Make arrays of the stories of all rows; rows of story `none` have none."""
        rows = np.flatnonzero(story != none)
        rows = rows[np.argsort(story[rows], kind="stable")]
        return cls(story[rows], rows.astype(np.int32))

    def find(self, number: int) -> list[int]:
        """Return the rows of a story, none if there is no such story."""
        # For one number this takes a third of the time of NumPy's search.
        story = self.story.data
        first = bisect.bisect_left(story, number)
        if first == len(story) or story[first] != number:
            return []
        last = bisect.bisect_right(story, number, first)
        return [int(row) for row in self.rows[first:last]]


class StoryMembers:
    """The articles of each story of two or more; single articles are not listed.

    Parameters
    ----------
    window : float
        How many days apart the articles of a story may be.
    base : MemberArrays, optional
        Stories that are there from the beginning.
    """

    def __init__(self, window: float, base: MemberArrays | None = None) -> None:
        self._window = window
        self._base = base if base is not None and len(base.rows) else None
        # ``None`` for stories of the arrays that have one article, or none, by now.
        self._members: dict[int, Members | None] = {}

    def of(
        self,
        number: int,
        row: int,
        duplicate_of: NDArray[np.int32],
        day: NDArray[np.float64],
    ) -> Members:
        """Return the members of an article's story.

        Parameters
        ----------
        number : int
            Number of the story.
        row : int
            The article.
        duplicate_of, day
            As for `put`.
        """
        if self._base is not None and number not in self._members:
            rows = self._base.find(number)
            if len(rows) > 1:
                self.put(number, rows, duplicate_of, day)
        alone = float(day[row])
        return self._members.get(number) or Members([row], [row], alone, alone)

    def had(self, number: int) -> bool:
        """Whether a story had a number at the beginning."""
        return self._base is not None and bool(self._base.find(number))

    def fit(self, one: Members, other: Members) -> bool:
        """Whether the articles of two stories fit into the window."""
        start, end = np.fmin(one.start, other.start), np.fmax(one.end, other.end)
        return not end - start > self._window

    def join(self, number: int, one: Members, other: Members, gone: Sequence[int]) -> None:
        """Merge two stories into one with a given number; other numbers are no longer used."""
        for name in gone:
            self._drop(name)
        self._members[number] = Members(
            _merged(one.rows, other.rows),
            _merged(one.first, other.first),
            float(np.fmin(one.start, other.start)),
            float(np.fmax(one.end, other.end)),
        )

    def put(
        self,
        number: int,
        rows: Iterable[int],
        duplicate_of: NDArray[np.int32],
        day: NDArray[np.float64],
    ) -> None:
        """Record the members of a story again.

        Parameters
        ----------
        number : int
        rows : iterable of int
        duplicate_of : ndarray of int32
            First article with the same words, of each row.
        day : ndarray of float64
            Day of each row.
        """
        rows = sorted(rows)
        if len(rows) < 2:
            self._drop(number)
            return
        days = day[rows]
        self._members[number] = Members(
            rows,
            [row for row in rows if duplicate_of[row] == row],
            float(np.fmin.reduce(days)),
            float(np.fmax.reduce(days)),
        )

    def _drop(self, number: int) -> None:
        if self._base is None:
            self._members.pop(number, None)
        else:
            self._members[number] = None


def _merged(one: list[int], other: list[int]) -> list[int]:
    """Merge two ascending lists of rows, which are consumed."""
    if len(one) < len(other):
        one, other = other, one
    if len(other) > 1:
        return sorted(one + other)
    for row in other:
        bisect.insort(one, row)
    return one
