"""Profiles that grow: the columns of the live articles, with room behind the last row."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.fingerprint import SLOTS
from sahel_dedup.sketching import Profiles

_Scalar = TypeVar("_Scalar", bound=np.generic)

# Arrays grow by this share of their size: less memory lies idle than if they doubled.
_GROWTH = 0.25
_RAGGED = {"terms": "indptr", "counts": "indptr", "title_terms": "title_indptr"}


def with_room(array: NDArray[_Scalar], size: int) -> NDArray[_Scalar]:
    """Return an array of at least `size` rows that starts with the rows given."""
    if len(array) >= size:
        return array
    room = max(size, int(len(array) * (1 + _GROWTH))) + 64
    larger = np.zeros((room, *array.shape[1:]), dtype=array.dtype)
    larger[: len(array)] = array
    return larger


def _bounds(
    indptr: NDArray[np.int64], rows: NDArray[np.int64]
) -> tuple[list[int], list[int], NDArray[np.int64]]:
    """Where some rows of a ragged array start and end, there and end to end."""
    low, high = indptr[rows], indptr[rows + 1]
    offsets = np.zeros(len(rows) + 1, dtype=np.int64)
    np.cumsum(high - low, out=offsets[1:])
    return low.tolist(), high.tolist(), offsets


@dataclass(slots=True)
class LiveProfiles(Profiles):
    """Profiles to which rows are added; the arrays reach beyond the last row.

    Attributes
    ----------
    rows : int
        Number of rows in use.
    """

    rows: int = 0

    def __len__(self) -> int:
        return self.rows

    @classmethod
    def empty(cls) -> LiveProfiles:
        """Make profiles without rows."""
        start = np.zeros(1, dtype=np.int64)
        return cls(
            indptr=start,
            terms=np.zeros(0, dtype=np.int32),
            counts=np.zeros(0, dtype=np.uint8),
            title_indptr=start.copy(),
            title_terms=np.zeros(0, dtype=np.int32),
            salience=np.zeros((0, SLOTS), dtype=np.uint32),
            shingles=np.zeros((0, SLOTS), dtype=np.uint32),
            day=np.zeros(0),
            source=np.zeros(0, dtype=np.int32),
            lang=np.zeros(0, dtype=np.int16),
            body=np.zeros(0, dtype=np.uint64),
            headline=np.zeros(0, dtype=np.uint64),
            length=np.zeros(0, dtype=np.int32),
        )

    def body_entries(
        self, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64]]:
        """Return terms and counts of some rows, end to end, and where each row starts."""
        low, high, offsets = _bounds(self.indptr, rows)
        terms = [self.terms[i:j] for i, j in zip(low, high, strict=True)]
        counts = [self.counts[i:j] for i, j in zip(low, high, strict=True)]
        return np.concatenate(terms), np.concatenate(counts), offsets

    def title_entries(
        self, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int32], NDArray[np.uint8], NDArray[np.int64]]:
        """Return the same of titles; every term counts once."""
        low, high, offsets = _bounds(self.title_indptr, rows)
        terms = [self.title_terms[i:j] for i, j in zip(low, high, strict=True)]
        return np.concatenate(terms), np.ones(offsets[-1], dtype=np.uint8), offsets

    def append(self, profiles: Profiles) -> None:
        """Add rows at the end."""
        first, last = self.rows, self.rows + len(profiles)
        ends = {name: int(getattr(self, name)[first]) for name in ("indptr", "title_indptr")}
        for item in fields(Profiles):
            new = getattr(profiles, item.name)
            if item.name in ends:
                start, new = first + 1, new[1:] + ends[item.name]
            elif item.name in _RAGGED:
                start = ends[_RAGGED[item.name]]
            else:
                start = first
            array = with_room(getattr(self, item.name), start + len(new))
            array[start : start + len(new)] = new
            setattr(self, item.name, array)
        self.rows = last

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Let go of all rows but some."""
        kept = self.take(rows)
        for item in fields(Profiles):
            setattr(self, item.name, getattr(kept, item.name))
        self.rows = len(rows)
