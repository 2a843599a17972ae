"""Words, kept as letters in one array."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.util.growing import with_room
from sahel_dedup.util.jit import compiled


class Words(Sequence[str]):
    """Words concatenated in UTF-8, in a quarter of the memory that separate strings take.

    Parameters
    ----------
    words : iterable of str
        The first words.

    Attributes
    ----------
    letters : ndarray of uint8, shape (room,)
        Their bytes.
    ends : ndarray of int64, shape (room,)
        Word ``i`` owns the bytes ``ends[i]:ends[i + 1]``.
    """

    def __init__(self, words: Iterable[str] = ()) -> None:
        self.letters = np.zeros(0, dtype=np.uint8)
        self.ends = np.zeros(1, dtype=np.int64)
        self._size = 0
        self.extend(words)

    @classmethod
    def of(cls, letters: NDArray[np.uint8], ends: NDArray[np.int64], size: int) -> Words:
        """Take arrays over, with room after so many words."""
        words = cls()
        words.letters, words.ends, words._size = letters, ends, size
        return words

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> list[str]: ...

    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return self.take(range(*place.indices(len(self))))
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self.take([place])[0]

    def take(self, places: Iterable[int]) -> list[str]:
        """Return the words at some positions, which must exist."""
        # No word has a NUL, and decoding all at once takes half the time.
        chosen = np.fromiter(places, np.int64)
        encoded = self._cut(self.ends[chosen].tolist(), self.ends[chosen + 1].tolist())
        return b"\0".join(encoded).decode().split("\0") if encoded else []

    def encoded(self, first: int) -> list[bytes]:
        """Return the words from a position on, in UTF-8."""
        ends = self.ends[first : self._size + 1]
        letters = self.letters[ends[0] : ends[-1]].tobytes()
        return [letters[i:j] for i, j in itertools.pairwise((ends - ends[0]).tolist())]

    def extend(self, words: Iterable[str]) -> None:
        """Add words at the end."""
        encoded = [word.encode() for word in words]
        letters = np.frombuffer(b"".join(encoded), dtype=np.uint8)
        start, size = int(self.ends[self._size]), self._size + len(encoded)
        self.make_room(len(encoded), len(letters))
        self.letters[start : start + len(letters)] = letters
        lengths = np.fromiter(map(len, encoded), np.int64, len(encoded))
        self.ends[self._size + 1 : size + 1] = start + np.cumsum(lengths)
        self.grew(size)

    def make_room(self, words: int, letters: int) -> None:
        """Make room in both arrays for so many more words and letters."""
        self.letters = with_room(self.letters, int(self.ends[self._size]) + letters)
        self.ends = with_room(self.ends, self._size + words + 1)

    def grew(self, size: int) -> None:
        """Note how many words there are, once they are all in the arrays."""
        self._size = size

    def _cut(self, starts: list[int], ends: list[int]) -> list[bytes]:
        letters = self.letters.data
        # Lists of views would make the garbage collector scan all articles again and again.
        return [bytes(letters[start:end]) for start, end in zip(starts, ends, strict=True)]


def laid_out(words: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Encode words in UTF-8 with a NUL after each.

    Parameters
    ----------
    words : sequence of str

    Returns
    -------
    letters : ndarray of uint8
    letter_starts : ndarray of int64, shape (len(words) + 1,)
        Position of each word in `letters`, and where the last one ends.
    """
    encoded = [word.encode() + b"\0" for word in words]
    letter_starts = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum(np.fromiter(map(len, encoded), np.int64, len(encoded)), out=letter_starts[1:])
    return np.frombuffer(bytearray(b"".join(encoded)), dtype=np.uint8), letter_starts


@compiled
def decoded(letters: NDArray[np.uint8], place: int) -> np.int64:
    """Return the code point of the UTF-8 character at a place."""
    byte = np.int64(letters[place])
    if byte < 0x80:
        return byte
    more = 1 if byte < 0xE0 else 2 if byte < 0xF0 else 3
    code = byte & (0x3F >> more)
    for k in range(1, more + 1):
        code = code << 6 | np.int64(letters[place + k]) & 0x3F
    return code
