"""The numbers of terms in the file of an index, and their numbers in memory.

In the file, a number is never used twice. In memory, numbers change when the vocabulary is reduced,
and differ between processes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.errors import IndexStateError
from sahel_dedup.index.row_checks import MOST_32, blobs, rising_numbers, whole_numbers
from sahel_dedup.index.sqlite_file import TableRow
from sahel_dedup.text.vocabulary import Vocabulary
from sahel_dedup.util.growing import with_room

_MOST = MOST_32 - 1


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

    def new_rows(self) -> Iterator[TableRow]:
        """Assign numbers to the new terms since the last time, and yield their rows."""
        vocabulary, first = self._vocabulary, self.size
        if first == len(vocabulary):
            return iter(())
        numbers = np.arange(first, len(vocabulary), dtype=np.int32)
        if self.last + len(numbers) > _MOST:
            raise IndexStateError(
                "an index has had too many terms: make it again with `index rebuild`"
            )
        filed = numbers + np.int32(self.last + 1 - first)
        self._note(numbers, filed)
        hashes = vocabulary.hashes[first:].view(np.int64).tolist()
        return zip(filed.tolist(), hashes, vocabulary.words.encoded(first), strict=True)

    def read(self, rows: Sequence[TableRow]) -> None:
        """Load the next rows of a file.

        Raises
        ------
        ValueError
            If they are not valid terms.
        """
        filed, hashes, words = zip(*rows, strict=True)
        numbered = rising_numbers("number", filed, self.last, _MOST).astype(np.int32)
        unsigned = whole_numbers("hash", hashes).view(np.uint64)
        blobs("word", words)
        if len(np.unique(unsigned)) < len(unsigned):
            raise ValueError("terms occur twice")
        numbers = self._vocabulary.enter(unsigned, [word.decode() for word in words])
        self._note(numbers, numbered)
        self.read_so_far += len(numbers)

    def follow(self, vocabulary: Vocabulary) -> list[int]:
        """Follow a reduction of the vocabulary; return the numbers to delete from the file."""
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
        return [int(number) for number in gone]

    def _note(self, numbers: NDArray[np.int32], filed: NDArray[np.int32]) -> None:
        if len(filed):
            self.size = len(self._vocabulary)
            self.last = int(filed[-1])
            self._filed = with_room(self._filed, self.size)
            self._filed[numbers] = filed
            self._number = with_room(self._number, self.last + 1)
            self._number[filed] = numbers + 1
