"""Growable profiles: the columns of the live articles, with room after the last row.

Only the lower bits of fingerprint slots are kept (b-bit MinHash; Li and Koenig, WWW 2010): 16 bits
to find articles, and eight to compare found ones. Different slots agree in these bits once in
65,536 times and once in 256.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.errors import IndexStateError
from sahel_dedup.sketch.fingerprint import EMPTY_SLOT, SLOTS
from sahel_dedup.sketch.number_contexts import SLOTS as CONTEXT_SLOTS
from sahel_dedup.sketch.profiles import Profiles, Traits, ragged_rows, take_ragged
from sahel_dedup.util.growing import with_room
from sahel_dedup.util.jit import compiled

_ONE_A_ROW = tuple(item.name for item in fields(Traits))
_traits_of = operator.attrgetter(*_ONE_A_ROW)
TERM_BITS = np.uint32(24)
TERM = np.uint32((1 << 24) - 1)
_EMPTY_SLOT = EMPTY_SLOT.astype(np.uint16)


@dataclass(slots=True)
class LiveProfiles(Traits):
    """Profiles to which rows can be added; the arrays extend beyond the last row.

    Attributes
    ----------
    rows : int
        Number of used rows.
    indptr : ndarray of int64
        Article ``i`` owns ``indptr[i]:indptr[i + 1]`` of `words`.
    words : ndarray of uint32
        Distinct terms of each article in the lower 24 bits, ascending, and the count of each in the
        upper eight.
    title_indptr, title_terms
        See `sahel_dedup.sketch.profiles.Profiles`.
    """

    rows: int
    indptr: NDArray[np.int64]
    words: NDArray[np.uint32]
    title_indptr: NDArray[np.int64]
    title_terms: NDArray[np.int32]

    def __len__(self) -> int:
        return self.rows

    @classmethod
    def empty(cls) -> LiveProfiles:
        """Make profiles without rows."""
        start = np.zeros(1, dtype=np.int64)
        return cls(
            salience=np.zeros((0, SLOTS), dtype=np.uint16),
            shingles=np.zeros((0, SLOTS), dtype=np.uint8),
            number_contexts=np.zeros((0, CONTEXT_SLOTS), dtype=np.uint16),
            opening_numbers=np.zeros(0, dtype=np.uint64),
            day=np.zeros(0),
            source=np.zeros(0, dtype=np.int32),
            lang=np.zeros(0, dtype=np.int16),
            body=np.zeros(0, dtype=np.uint64),
            body_check=np.zeros(0, dtype=np.uint64),
            headline=np.zeros(0, dtype=np.uint64),
            length=np.zeros(0, dtype=np.int32),
            rows=0,
            indptr=start,
            words=np.zeros(0, dtype=np.uint32),
            title_indptr=start.copy(),
            title_terms=np.zeros(0, dtype=np.int32),
        )

    def body_entries(
        self, rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return the concatenated terms and counts of some rows, and where each row starts.

        All have the type that NumPy uses for indexing; other types would be cast on each use.
        """
        places, offsets = ragged_rows(self.indptr, rows)
        words = self.words.take(places)
        return (words & TERM).astype(np.int64), (words >> TERM_BITS).astype(np.int64), offsets

    def terms(self) -> NDArray[np.int32]:
        """Return the concatenated terms of all rows."""
        return (self.words[: self.indptr[self.rows]] & TERM).view(np.int32)

    def append(self, profiles: Profiles) -> None:
        """Add rows at the end.

        Raises
        ------
        IndexStateError
            If the number of a term needs more than 24 bits.
        """
        first, last = self.rows, self.rows + len(profiles)
        if len(self.body) < last:
            for name in _ONE_A_ROW:
                setattr(self, name, with_room(getattr(self, name), last))
        if min(len(self.indptr), len(self.title_indptr)) < last + 1:
            self.indptr = with_room(self.indptr, last + 1)
            self.title_indptr = with_room(self.title_indptr, last + 1)
        start, title_start = int(self.indptr[first]), int(self.title_indptr[first])
        self.words = with_room(self.words, start + profiles.indptr[-1])
        self.title_terms = with_room(self.title_terms, title_start + profiles.title_indptr[-1])
        for column, more in zip(_traits_of(self), _traits_of(profiles), strict=True):
            # Only the lower bits of the fingerprint slots.
            column[first:last] = more
        if not _put_words(self.words, start, profiles.terms, profiles.counts):
            raise IndexStateError(
                f"an index can have at most {TERM:,} terms: expire older articles"
            )
        self.title_terms[title_start : title_start + len(profiles.title_terms)] = (
            profiles.title_terms
        )
        self.indptr[first + 1 : last + 1] = profiles.indptr[1:] + start
        self.title_indptr[first + 1 : last + 1] = profiles.title_indptr[1:] + title_start
        self.rows = last

    def findable(
        self, rows: NDArray[np.int64], duplicate_of: NDArray[np.int32]
    ) -> NDArray[np.int64]:
        """Return the rows that can be found by others.

        They have terms with weight and are not duplicates of earlier rows, according to
        `duplicate_of`.
        """
        found = np.empty(len(rows), dtype=np.int64)
        return found[: _keep_findable(self.salience, duplicate_of, rows, found)]

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Keep some rows."""
        self._take_traits(rows)
        self.words, self.indptr = take_ragged(self.words, self.indptr, rows)
        self.title_terms, self.title_indptr = take_ragged(self.title_terms, self.title_indptr, rows)
        self.rows = len(rows)

    def renumber(self, number: NDArray[np.int32]) -> None:
        """Replace term numbers through a table of new ones by old number."""
        self.words = number.view(np.uint32)[self.words & TERM] | (self.words & ~TERM)
        self.title_terms = number[self.title_terms]


@compiled
def _keep_findable(
    salience: NDArray[np.uint16],
    duplicate_of: NDArray[np.int32],
    rows: NDArray[np.int64],
    found: NDArray[np.int64],
) -> int:
    """Keep rows that duplicate no other, with any of the first slots filled; count them."""
    size = 0
    for row in rows:
        # A single slot may look empty by chance.
        filled = False
        for k in range(4):
            filled = filled or salience[row, k] != _EMPTY_SLOT
        if filled and duplicate_of[row] == row:
            found[size] = row
            size += 1
    return size


@compiled
def _put_words(
    words: NDArray[np.uint32], start: int, terms: NDArray[np.int32], counts: NDArray[np.uint8]
) -> bool:
    """Store terms and their counts at their positions; return whether all terms fit."""
    fit = True
    for i in range(len(terms)):
        words[start + i] = np.uint32(counts[i]) << TERM_BITS | np.uint32(terms[i])
        fit = fit and bool(terms[i] <= np.int32(TERM))
    return fit
