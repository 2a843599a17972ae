"""Who is in which story, so that to add an article costs the same in a story of any size."""

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
        All of them, rising.
    first : list of int
        Those that are no later copy of another, rising.
    start, end : float
        First and last day of publication, NaN where no article has a date.
    """

    rows: list[int]
    first: list[int]
    start: float
    end: float


class StoryMembers:
    """The articles of each story of several; an article that is alone is not listed.

    Parameters
    ----------
    window : float
        How many days apart the articles of a story may lie.
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self._members: dict[int, Members] = {}

    def of(self, number: int, row: int, day: float) -> Members:
        """Return the members of an article's story.

        Parameters
        ----------
        number : int
            Number of the story.
        row : int
            The article.
        day : float
            Its day, NaN for none.
        """
        return self._members.get(number) or Members([row], [row], day, day)

    def fit(self, one: Members, other: Members) -> bool:
        """Whether the articles of two stories lie within the window."""
        start, end = np.fmin(one.start, other.start), np.fmax(one.end, other.end)
        return not end - start > self._window

    def join(self, number: int, one: Members, other: Members, gone: Sequence[int]) -> None:
        """Make two stories one that bears a number; some numbers are borne no more."""
        for name in gone:
            self._members.pop(name, None)
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
        """Note the members of a story anew.

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
            self._members.pop(number, None)
            return
        days = day[rows]
        self._members[number] = Members(
            rows,
            [row for row in rows if duplicate_of[row] == row],
            float(np.fmin.reduce(days)),
            float(np.fmax.reduce(days)),
        )

    def clear(self) -> None:
        """Forget all of them."""
        self._members.clear()


def _merged(one: list[int], other: list[int]) -> list[int]:
    """Return the rows of two rising lists, which are used up."""
    if len(one) < len(other):
        one, other = other, one
    if len(other) > 1:
        return sorted(one + other)
    for row in other:
        bisect.insort(one, row)
    return one
