"""The numbers of terms in the file of an index, and their numbers in memory.

In the file, a number is never used twice. In memory, numbers change when the vocabulary is reduced,
and differ between processes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.errors import IndexStateError
from sahel_dedup.index.row_checks import (
    MOST_32,
    blobs,
    check_rising,
    offsets,
    whole_numbers,
)
from sahel_dedup.index.sqlite_file import TableRow
from sahel_dedup.text.vocabulary import Vocabulary
from sahel_dedup.util.growing import with_room

_MOST = MOST_32 - 1
_TERMS_A_ROW = 4096
# The types of numbers and hashes in the file, and what is between its words: no word has a NUL.
_NUMBER, _HASH, _END = np.dtype("<i4"), np.dtype("<u8"), "\0"


class TermNumbers:
    """The terms of a vocabulary that are in a file.

    Parameters
    ----------
    vocabulary : Vocabulary
        Empty.

    Attributes
    ----------
    last : int
        The highest number in the file; -1 before the first.
    size : int
        Number of terms of the vocabulary that were processed; later ones are new.
    read_so_far : int
        Number of terms that were read from the file.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.size = 0
        self.last = -1
        self.read_so_far = 0
        # The number in the file of each term in memory.
        self._filed = np.zeros(0, dtype=np.int32)
        # The reverse, plus one; 0 for missing terms. Pages of zeros take no memory, so numbers may
        # be far apart.
        self._number = np.zeros(0, dtype=np.int32)

    @classmethod
    def of(
        cls,
        vocabulary: Vocabulary,
        filed: NDArray[np.int32],
        number: NDArray[np.int32],
        last: int,
    ) -> TermNumbers:
        """Take over the arrays of all terms of a vocabulary, with room after them."""
        terms = cls(vocabulary)
        terms.size, terms.last, terms._filed, terms._number = len(vocabulary), last, filed, number
        return terms

    def arrays(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the number in the file of each term in memory, and the other way round.

        The latter are one more, and 0 for terms that are not there.
        """
        return self._filed[: self.size], self._number[: self.last + 1]

    def filed(self, numbers: NDArray[np.integer]) -> NDArray[np.int32]:
        """Return the numbers in the file of terms in memory."""
        return self._filed.take(numbers)

    def in_memory(self, filed: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return the numbers in memory of terms in the file.

        Raises
        ------
        ValueError
            If there is no such term.
        """
        if len(filed) and not 0 <= filed.min() <= filed.max() <= self.last:
            raise ValueError("terms: an unknown number")
        numbers = self._number[filed] - 1
        if (numbers < 0).any():
            raise ValueError("terms: an unknown number")
        return numbers

    def new_rows(self) -> list[TableRow]:
        """Assign numbers to the new terms since the last time, and return their rows."""
        vocabulary, first = self._vocabulary, self.size
        size = len(vocabulary)
        if first == size:
            return []
        if self.last + size - first > _MOST:
            raise IndexStateError(
                "an index has had too many terms: make it again with `index rebuild`"
            )
        before, self.last, self.size = self.last, self.last + size - first, size
        self._make_room()
        self._filed[first:size] = np.arange(before + 1, self.last + 1)
        self._number[before + 1 : self.last + 1] = np.arange(first + 1, size + 1)
        return self._rows_from(first)

    def read(self, rows: Sequence[TableRow]) -> None:
        """Load the next rows of a file.

        Raises
        ------
        ValueError
            If they are not valid terms.
        """
        firsts, numbers, hashes, words = zip(*rows, strict=True)
        for name, values in (("numbers", numbers), ("hashes", hashes), ("words", words)):
            blobs(name, values)
        starts = offsets("numbers", numbers, _NUMBER.itemsize)
        if (starts != offsets("hashes", hashes, _HASH.itemsize)).any() or not np.diff(starts).all():
            raise ValueError("terms and their hashes do not fit")
        filed = np.frombuffer(b"".join(numbers), _NUMBER).astype(np.int32)
        check_rising("numbers", np.insert(filed, 0, self.last), np.array([0, len(filed) + 1]))
        if (filed[starts[:-1]] != whole_numbers("first", firsts, 0, _MOST)).any():
            raise ValueError("first: not the first number of its row")
        unsigned = np.frombuffer(b"".join(hashes), _HASH).astype(np.uint64)
        if len(np.unique(unsigned)) < len(unsigned):
            raise ValueError("terms occur twice")
        named = [word for data in words for word in data.decode().split(_END)]
        if len(named) != len(filed):
            raise ValueError("terms and their words do not fit")
        entered = self._vocabulary.enter(unsigned, named)
        self.size, self.last = len(self._vocabulary), int(filed[-1])
        self._make_room()
        self._filed[entered] = filed
        self._number[filed] = entered + 1
        self.read_so_far += len(filed)

    def follow(self, vocabulary: Vocabulary) -> list[TableRow]:
        """Follow a reduction of the vocabulary.

        Returns
        -------
        list of tuple
            All rows of terms from now on; none if nothing was reduced.
        """
        before = self._vocabulary
        if before is vocabulary:
            return []
        former = before.enter(vocabulary.hashes, vocabulary.words)
        # Terms that only came from a query were never stored, neither in the file nor here.
        filed = self._filed[former]
        gone = np.setdiff1d(self._filed[: self.size], filed)
        self._vocabulary, self.size, self._filed = vocabulary, len(vocabulary), filed
        self._number[gone] = 0
        self._number[filed] = np.arange(1, len(filed) + 1)
        return self._rows_from(0)

    def _rows_from(self, first: int) -> list[TableRow]:
        """Return rows of the terms from one on, many in each."""
        hashes, rows = self._vocabulary.hashes, []
        words = self._vocabulary.words.encoded(first)
        for start in range(first, self.size, _TERMS_A_ROW):
            end = min(start + _TERMS_A_ROW, self.size)
            filed = self._filed[start:end]
            rows.append((
                int(filed[0]),
                filed.astype(_NUMBER, copy=False).tobytes(),
                hashes[start:end].astype(_HASH, copy=False).tobytes(),
                _END.encode().join(words[start - first : end - first]),
            ))  # fmt: skip
        return rows

    def _make_room(self) -> None:
        self._filed = with_room(self._filed, self.size)
        self._number = with_room(self._number, self.last + 1)
