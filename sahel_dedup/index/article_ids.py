"""The ids of articles by row, and the rows by id.

Ids with which an index was opened stay in its arrays, in memory that processes share. Later changes
are in lists and dicts.
"""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.text.vocabulary import find_listed, place_numbers
from sahel_dedup.util.hashing import splitmix64_one
from sahel_dedup.util.jit import compiled

# At most half of the table is used.
_LOAD = 0.5
_NOBODY = np.int32(-1)
# Stands for the row of an article that has not changed since the arrays were written.
_UNCHANGED = -1


@dataclass(frozen=True, slots=True)
class IdArrays:
    """Concatenated ids, and a table for looking them up.

    Attributes
    ----------
    letters : ndarray of uint8
        The ids in UTF-8.
    ends : ndarray of int64, shape (n + 1,)
        Row ``i`` has the bytes ``ends[i]:ends[i + 1]``; none if its article was removed.
    rows : ndarray of int32, shape (n_live,)
        The rows of live articles.
    hashes : ndarray of uint64, shape (n_live,)
        A hash of the id of each; all are different.
    table : ndarray of int32
        Open-addressing table of positions in `rows`.
    salt : int
        Salt of the hashes.
    """

    letters: NDArray[np.uint8]
    ends: NDArray[np.int64]
    rows: NDArray[np.int32]
    hashes: NDArray[np.uint64]
    table: NDArray[np.int32]
    salt: int

    @classmethod
    def of(cls, ids: Sequence[bytes], rows: NDArray[np.int32]) -> IdArrays:
        """Make arrays of ids in which those of some rows can be looked up."""
        letters = np.frombuffer(b"".join(ids), dtype=np.uint8)
        ends = np.zeros(len(ids) + 1, dtype=np.int64)
        np.cumsum(np.fromiter(map(len, ids), np.int64, len(ids)), out=ends[1:])
        hashes = np.empty(len(rows), dtype=np.uint64)
        while True:
            salt = secrets.randbits(64)
            _hash_all(letters, ends, rows, np.uint64(salt), hashes)
            ordered = np.sort(hashes)
            if (ordered[1:] != ordered[:-1]).all():
                break
        table = np.full(1 << int(len(rows) / _LOAD + 1).bit_length(), _NOBODY)
        place_numbers(table, hashes, np.uint64(salt), 0)
        return cls(letters, ends, rows, hashes, table, salt)

    def __len__(self) -> int:
        return len(self.ends) - 1

    def id_of(self, row: int) -> str:
        """Return the id of a row."""
        return _decode(self.letters.data[self.ends[row] : self.ends[row + 1]])

    def find(self, name: str) -> int | None:
        """Return the row of a live article, or ``None`` if no live article has that id."""
        data = np.frombuffer(to_bytes(name), dtype=np.uint8)
        salt = np.uint64(self.salt)
        ends = np.array([0, len(data)], dtype=np.int64)
        sought = np.empty(1, dtype=np.uint64)
        _hash_all(data, ends, np.zeros(1, dtype=np.int32), salt, sought)
        place = int(find_listed(self.table, self.hashes, sought, salt)[0])
        if place < 0:
            return None
        row = int(self.rows[place])
        return row if self.id_of(row) == name else None


class Ids(Sequence[str]):
    """The id of each row; empty for removed articles.

    Parameters
    ----------
    base : IdArrays, optional
        The ids of the first rows.
    """

    def __init__(self, base: IdArrays | None = None) -> None:
        self._base = base
        self._first = 0 if base is None else len(base)
        self._changed: dict[int, str] = {}
        self._new: list[str] = []

    def __len__(self) -> int:
        return self._first + len(self._new)

    @overload
    def __getitem__(self, row: int) -> str: ...

    @overload
    def __getitem__(self, row: slice) -> list[str]: ...

    def __getitem__(self, row: int | slice) -> str | list[str]:
        if isinstance(row, slice):
            start, stop, step = row.indices(len(self))
            if start >= self._first:
                return self._new[start - self._first : stop - self._first : step]
            return [self[place] for place in range(start, stop, step)]
        if row >= self._first:
            return self._new[row - self._first]
        if self._base is None or row < 0:
            raise IndexError(row)
        found = self._changed.get(row)
        return self._base.id_of(row) if found is None else found

    def __setitem__(self, row: int, name: str) -> None:
        if row >= self._first:
            self._new[row - self._first] = name
        else:
            self._changed[row] = name

    def extend(self, names: Iterable[str]) -> None:
        """Add rows."""
        self._new += names

    def cut(self, size: int) -> None:
        """Keep the first rows, which must include all those of the arrays."""
        del self._new[size - self._first :]

    def encoded(self) -> list[bytes]:
        """Return the ids of all rows in UTF-8."""
        found = list[bytes]()
        if self._base is not None:
            letters = self._base.letters.tobytes()
            places = itertools.pairwise(self._base.ends.tolist())
            found = [letters[start:end] for start, end in places]
            for row, name in self._changed.items():
                found[row] = to_bytes(name)
        return found + [to_bytes(name) for name in self._new]

    def present(self, end: int) -> NDArray[np.bool_]:
        """Return which of the first rows have an id, shape (end,)."""
        found = np.ones(end, dtype=bool)
        if self._base is not None:
            first = min(self._first, end)
            found[:first] = np.diff(self._base.ends[: first + 1]) > 0
            changed = [row for row in self._changed if row < first]
            found[changed] = [bool(self._changed[row]) for row in changed]
        new = self._new[: max(0, end - self._first)]
        found[self._first :] = np.fromiter(map(bool, new), bool, len(new))
        return found


class RowOf(MutableMapping[str, int]):
    """The row of each live article.

    Parameters
    ----------
    base : IdArrays, optional
        Arrays with the articles that were live when they were made.
    """

    def __init__(self, base: IdArrays | None = None) -> None:
        self._base = base
        # ``None`` for articles of the arrays that are no longer live.
        self._changed: dict[str, int | None] = {}
        self._size = 0 if base is None else len(base.rows)

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, name: str) -> int:
        row = self._find(name)
        if row is None:
            raise KeyError(name)
        return row

    def find(self, name: str) -> int | None:
        """Return the row of an article, or ``None`` if there is no such live article."""
        return self._find(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def __setitem__(self, name: str, row: int) -> None:
        self._size += self._find(name) is None
        self._changed[name] = row

    def __delitem__(self, name: str) -> None:
        if self._find(name) is None:
            raise KeyError(name)
        self._size -= 1
        if self._base is None:
            del self._changed[name]
        else:
            self._changed[name] = None

    def __iter__(self) -> Iterator[str]:
        if self._base is not None:
            for row in self._base.rows.tolist():
                if (name := self._base.id_of(row)) not in self._changed:
                    yield name
        yield from (name for name, row in self._changed.items() if row is not None)

    def _find(self, name: str) -> int | None:
        row = self._changed.get(name, _UNCHANGED)
        if row != _UNCHANGED:
            return row
        return self._base.find(name) if self._base is not None and isinstance(name, str) else None


def to_bytes(name: str) -> bytes:
    """Return an id in UTF-8; it may contain anything, including lone surrogates."""
    return name.encode("utf-8", "surrogatepass")


def _decode(data: memoryview) -> str:
    return str(data, "utf-8", "surrogatepass")


@compiled
def _hash_all(
    letters: NDArray[np.uint8],
    ends: NDArray[np.int64],
    rows: NDArray[np.int32],
    salt: np.uint64,
    found: NDArray[np.uint64],
) -> None:
    """Hash the bytes of some rows, with a salt so that nobody can make ids with one hash."""
    for i in range(len(rows)):
        value = splitmix64_one(salt)
        for place in range(ends[rows[i]], ends[rows[i] + 1]):
            value = splitmix64_one(value ^ np.uint64(letters[place])) + salt
        found[i] = splitmix64_one(value)
