"""LSH buckets to which articles are added one at a time and which drop the oldest.

One table serves all bands. A bucket is a line of `WIDTH` places with its latest articles, so that
neither a crowded bucket nor an endless stream makes a look-up slower. An entry is an article's row
and eight bits of its key, which separate most other buckets in the same line; the filter on
agreeing slots drops the rest.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.sketch.layout import Layout
from sahel_dedup.util.growing import zeros
from sahel_dedup.util.hashing import GOLDEN_RATIO, splitmix64_one
from sahel_dedup.util.jit import compiled

WIDTH = 8
# The table grows at this mean number of entries per line.
_LOAD = 6
# The gaps of Shell sort by Ciura, which are good for thousands of values.
_GAPS = (701, 301, 132, 57, 23, 10, 4, 1)
_GROWTH = 1.4
_LEAST_ROOM = 1024
_TAG_BITS = np.uint32(8)
_TAG = np.uint32(0xFF)
_LINE_BITS = np.uint64(32)
_EMPTY = np.uint32(0xFFFFFFFF)
MAX_ROWS = (1 << 24) - 1


class Buckets:
    """The buckets of articles that agree in a band.

    Parameters
    ----------
    layout : Layout
        The layout of bands.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._slots = np.array([layout.slots(band) for band in range(layout.bands)])
        # Room for the lines and entries of one article.
        self._entries = np.empty((2, layout.bands), dtype=np.int64)
        # The articles of `add_apart`, in a table of their own.
        self._later: Buckets | None = None
        self._apart: list[NDArray[np.int64]] = []
        self._allocate(_LEAST_ROOM)

    @property
    def full(self) -> bool:
        """Whether the table should be rebuilt for more articles."""
        return self._entered >= self._room

    def memory(self) -> int:
        """Return the size of the table in bytes."""
        return self._table.nbytes + (0 if self._later is None else self._later.memory())

    def arrays(self) -> tuple[NDArray[np.uint32], int, int]:
        """Return the table, for how many articles it has room, and how many were entered."""
        return self._table, self._room, self._entered

    def take_over(self, table: NDArray[np.uint32], room: int, entered: int, rows: int) -> None:
        """Continue from what `arrays` returned, in an index with a number of rows.

        Raises
        ------
        ValueError
            If the table is none of this layout and room, or of more rows.
        """
        if room < _LEAST_ROOM or table.shape != (self._lines(room), WIDTH):
            raise ValueError("the table of buckets has another size")
        if not _are_below(table, rows):
            raise ValueError("the table of buckets has articles that are not there")
        self._table, self._room, self._entered = table, room, entered

    def rebuild(self, salience: NDArray[Any], rows: NDArray[np.int64]) -> None:
        """Rebuild the table from some articles, the oldest first, with room for more.

        Parameters
        ----------
        salience : ndarray of uint16, shape (n, 128)
            Fingerprints of all rows.
        rows : ndarray of int64, shape (m,)
        """
        room = _LEAST_ROOM
        while room <= len(rows):
            room = int(room * _GROWTH)
        self._allocate(room)
        self.add(salience, rows)

    def add(self, salience: NDArray[Any], rows: NDArray[np.int64]) -> None:
        """Enter articles.

        Parameters
        ----------
        salience : ndarray of uint16, shape (n, 128)
            Fingerprints of all rows.
        rows : ndarray of int64, shape (m,)
        """
        _add(self._table, self._slots, salience, rows, self._entries)
        self._entered += len(rows)

    def add_apart(self, salience: NDArray[Any], rows: NDArray[np.int64]) -> None:
        """Enter articles, and leave the table as it is, which may be in memory that others share.

        Those who look find a few more in crowded buckets than if `add` had entered them.

        Parameters
        ----------
        salience : ndarray of uint16, shape (n, 128)
            Fingerprints of all rows.
        rows : ndarray of int64, shape (m,)
        """
        self._apart.append(rows)
        if self._later is None:
            self._later = Buckets(self._layout)
        self._later.add(salience, rows)
        if self._later.full:
            self._later.rebuild(salience, np.concatenate(self._apart))

    def find(
        self, salience: NDArray[Any], rows: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find the articles that share a bucket with each of some articles.

        Parameters
        ----------
        salience : ndarray of uint16, shape (n, 128)
            Fingerprints of all rows.
        rows : ndarray of int64, shape (m,)
            The asking articles.

        Returns
        -------
        asking : ndarray of int64, shape (n_found,)
            Positions in `rows` of the asking articles, ascending.
        found : ndarray of int64, shape (n_found,)
            Rows that share a bucket with them; ascending and without duplicates for each asking
            article.
        """
        room = len(rows) * len(self._slots) * WIDTH
        asking, found = np.empty(room, dtype=np.int64), np.empty(room, dtype=np.int64)
        size = _find(self._table, self._slots, salience, rows, asking, found)
        asking, found = asking[:size], found[:size]
        if self._later is not None:
            more, later = self._later.find(salience, rows)
            both = np.stack([np.append(asking, more), np.append(found, later)])
            asking, found = np.ascontiguousarray(np.unique(both, axis=1))
        return asking, found

    def _allocate(self, room: int) -> None:
        self._room = room
        self._entered = 0
        self._table = zeros((self._lines(room), WIDTH), np.dtype(np.uint32))
        self._table.fill(_EMPTY)

    def _lines(self, room: int) -> int:
        return room * len(self._slots) // _LOAD


@compiled
def band_key(slots: NDArray[np.int64], band: int, signature: NDArray[Any]) -> np.uint64:
    """Return the bucket of an article in a band, as in `sahel_dedup.candidates.lsh.band_keys`.

    All bands share one table, so the band is part of the key.
    """
    key = np.uint64(band) * GOLDEN_RATIO
    for slot in slots[band]:
        key = key * GOLDEN_RATIO + np.uint64(signature[slot])
    return splitmix64_one(key)


@compiled
def _line(key: np.uint64, lines: int) -> np.int64:
    """Return the line of a bucket in a table."""
    return np.int64((key >> _LINE_BITS) * np.uint64(lines) >> _LINE_BITS)


@compiled
def _add(
    table: NDArray[np.uint32],
    slots: NDArray[np.int64],
    salience: NDArray[Any],
    rows: NDArray[np.int64],
    entries: NDArray[np.int64],
) -> None:
    """Add articles at the head of the line of each of their buckets.

    Their lines are found before any is changed, so that the processor waits for several at once.
    """
    for row in rows:
        for band in range(len(slots)):
            key = band_key(slots, band, salience[row])
            entries[0, band] = _line(key, len(table))
            entries[1, band] = row << _TAG_BITS | (np.uint32(key) & _TAG)
        for band in range(len(slots)):
            line, entry = table[entries[0, band]], np.uint32(entries[1, band])
            for place in range(WIDTH):
                held = line[place]
                line[place] = entry
                entry = held


@compiled
def _sort(values: NDArray[np.int64]) -> None:
    """Sort in place with Shell sort, which Numba compiles a second faster than NumPy's sort."""
    for gap in _GAPS:
        for i in range(gap, len(values)):
            value, place = values[i], i
            while place >= gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value


@compiled
def _find(
    table: NDArray[np.uint32],
    slots: NDArray[np.int64],
    salience: NDArray[Any],
    rows: NDArray[np.int64],
    asking: NDArray[np.int64],
    found: NDArray[np.int64],
) -> int:
    """Find what shares a bucket with each of some articles: fill in the pairs and count them."""
    size = 0
    for i in range(len(rows)):
        first = last = size
        # First where to look, for which there is room in the result: the processor then waits for
        # several lines at once.
        for band in range(len(slots)):
            key = band_key(slots, band, salience[rows[i]])
            line_and_tag = _line(key, len(table)) << np.int64(_TAG_BITS)
            asking[first + band] = line_and_tag | np.int64(np.uint32(key) & _TAG)
        for band in range(len(slots)):
            tag = np.uint32(asking[first + band]) & _TAG
            line = table[asking[first + band] >> np.int64(_TAG_BITS)]
            # Most lines have no entry of the bucket, which a loop without a branch tells sooner.
            held = False
            for place in range(WIDTH):
                held |= line[place] & _TAG == tag
            for place in range(WIDTH if held else 0):
                if line[place] != _EMPTY and line[place] & _TAG == tag:
                    found[last] = line[place] >> _TAG_BITS
                    last += 1
        _sort(found[first:last])
        for k in range(first, last):
            if k == first or found[k] != found[size - 1]:
                asking[size], found[size] = i, found[k]
                size += 1
    return size


@compiled
def _are_below(table: NDArray[np.uint32], rows: int) -> bool:
    """Whether all entries of a table are of rows below a number."""
    for line in table:
        for entry in line:
            if entry != _EMPTY and entry >> _TAG_BITS >= rows:
                return False
    return True
