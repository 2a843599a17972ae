"""Profiles that grow: the columns of the live articles, with room behind the last row.

Of a fingerprint the lower half of each slot is kept (b-bit MinHash; Li and Koenig, WWW 2010):
slots that differ are the same there once in 65,536 times.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.fingerprint import EMPTY_SLOT, SLOTS
from sahel_dedup.sketching import Profiles
from sahel_dedup.tallies import SLOTS as TALLIES

_Scalar = TypeVar("_Scalar", bound=np.generic)

# Arrays grow by this share of their size. The system moves large ones without copying them.
_GROWTH = 1 / 16
_COLUMNS = tuple(item.name for item in fields(Profiles))
_EMPTY_SLOT = EMPTY_SLOT.astype(np.uint16)
_RAGGED = {"terms": "indptr", "counts": "indptr", "title_terms": "title_indptr"}


def with_room(array: NDArray[_Scalar], size: int) -> NDArray[_Scalar]:
    """Return an array of at least `size` rows that starts with the rows given.

    It takes the place of the one given, which must own its memory.
    """
    if len(array) < size:
        room = max(size, int(len(array) * (1 + _GROWTH))) + 64
        array.resize((room, *array.shape[1:]), refcheck=False)
    return array


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
            salience=np.zeros((0, SLOTS), dtype=np.uint16),
            shingles=np.zeros((0, SLOTS), dtype=np.uint16),
            tallies=np.zeros((0, TALLIES), dtype=np.uint16),
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
        for name in _COLUMNS:
            new = getattr(profiles, name)
            if name in ends:
                start, new = first + 1, new[1:] + ends[name]
            elif name in _RAGGED:
                start = ends[_RAGGED[name]]
            else:
                start = first
            array = with_room(getattr(self, name), start + len(new))
            array[start : start + len(new)] = new.astype(array.dtype, copy=False)
            setattr(self, name, array)
        self.rows = last

    def findable(self, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which rows have terms of any weight, so that others may find them."""
        return np.asarray((self.salience[rows, :4] != _EMPTY_SLOT).any(axis=1))

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Let go of all rows but some."""
        kept = self.take(rows)
        for name in _COLUMNS:
            setattr(self, name, getattr(kept, name))
        self.rows = len(rows)
