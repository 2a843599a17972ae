"""The standing of live articles: story, exact copies and recurrence, as columns."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.scoring.recurrence import TYPICAL_RECURRENCE
from sahel_dedup.util.growing import with_room
from sahel_dedup.util.jit import compiled

NO_STORY = 0
_NO_ROW = -1


@dataclass(slots=True)
class Standing:
    """The standing of live articles, as arrays with one row each and room for more.

    Attributes
    ----------
    story : ndarray of uint64
        Number of the story; 0 for past articles.
    duplicate_of : ndarray of int32
        Row of the first article with the same words, or its own.
    when : ndarray of float64
        Day of publication or, without one, the day of the stream on arrival.
    nearest : ndarray of float32, shape (n, 3)
        Highest cosines to articles that must be about another event.
    recurrence : ndarray of float64
        The recurrence that follows from them (`sahel_dedup.scoring.recurrence`).
    serial : ndarray of int64
        Number of the article on disk, ascending.
    """

    story: NDArray[np.uint64]
    duplicate_of: NDArray[np.int32]
    when: NDArray[np.float64]
    nearest: NDArray[np.float32]
    recurrence: NDArray[np.float64]
    serial: NDArray[np.int64]

    @classmethod
    def empty(cls) -> Standing:
        """Make columns without rows."""
        return cls(
            story=np.zeros(0, dtype=np.uint64),
            duplicate_of=np.zeros(0, dtype=np.int32),
            when=np.zeros(0),
            nearest=np.zeros((0, 3), dtype=np.float32),
            recurrence=np.zeros(0),
            serial=np.zeros(0, dtype=np.int64),
        )

    def reserve(self, size: int) -> None:
        """Make room for a number of rows."""
        if len(self.story) < size:
            for item in fields(self):
                setattr(self, item.name, with_room(getattr(self, item.name), size))

    def stand_alone(self, first: int, day: NDArray[np.float64], today: float, serial: int) -> None:
        """Make new rows, with given days, into stories of their own.

        Parameters
        ----------
        first : int
        day : ndarray of float64, shape (n,)
            Their times; NaN where missing, which counts as `today`.
        today : float
        serial : int
            Number of the first in the file.
        """
        columns = self.duplicate_of, self.when, self.nearest, self.recurrence, self.serial
        _stand_alone(first, day, today, serial, columns)

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Keep some rows."""
        place = np.full(len(self.story), _NO_ROW, dtype=np.int32)
        place[rows] = np.arange(len(rows))
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name)[rows])
        # Whole stories are dropped, so exact duplicates stay together; a past article is alone.
        moved = place[self.duplicate_of]
        self.duplicate_of = np.where(moved == _NO_ROW, np.arange(len(rows), dtype=np.int32), moved)


@compiled
def _stand_alone(
    first: int,
    day: NDArray[np.float64],
    today: float,
    serial: int,
    columns: tuple[
        NDArray[np.int32],
        NDArray[np.float64],
        NDArray[np.float32],
        NDArray[np.float64],
        NDArray[np.int64],
    ],
) -> None:
    duplicate_of, when, nearest, recurrence, serials = columns
    for i in range(len(day)):
        row = first + i
        duplicate_of[row] = row
        when[row] = today if np.isnan(day[i]) else day[i]
        nearest[row] = 0
        recurrence[row] = TYPICAL_RECURRENCE
        serials[row] = serial + i


def story_number(name: str) -> int:
    """Convert the id of a story to its number."""
    if len(name) != 17 or name[0] != "s":
        raise ValueError(name)
    return int(name[1:], 16)


def story_name(number: int) -> str:
    """Convert the number of a story to its id."""
    return f"s{number:016x}"
