"""LSH buckets that take articles one at a time and forget the oldest.

One table serves all bands. A bucket is a ring of `WIDTH` places: it keeps the articles
that came last, so that neither a crowded bucket nor an endless stream makes a look-up
dearer. An entry is an article's row and eight bits of its key, which tell most strangers
that share the ring apart; the rest fall to the filter on agreeing slots.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.lsh import Layout
from sahel_dedup.terms import mix64

WIDTH = 8
# Mean number of entries in a ring at which the table grows.
_LOAD = 6
_GROWTH = 1.5
_ROW_BITS = 24
_ROW = np.uint32((1 << _ROW_BITS) - 1)
_EMPTY = np.uint32(0xFFFFFFFF)
_REBUILD_ROWS = 4096
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
MAX_ROWS = (1 << _ROW_BITS) - 1


class Buckets:
    """Which articles agree in a band.

    Parameters
    ----------
    layout : Layout
        How fingerprints are cut into bands.
    """

    def __init__(self, layout: Layout) -> None:
        # Slots of each band, one row of the array for each of a band's slots.
        slots = [layout.slots(band) for band in range(layout.bands)]
        self._slots = np.array(slots).T.copy()
        self._start = np.arange(layout.bands, dtype=np.uint64) * _FACTOR
        self._allocate(1024)

    @property
    def full(self) -> bool:
        """Whether the table should be built anew, for more articles."""
        return self._entered >= self._room

    def rebuild(self, salience: NDArray[np.uint32], rows: NDArray[np.int64]) -> None:
        """Start again with some articles, the oldest first, and room for more.

        Parameters
        ----------
        salience : ndarray of uint32, shape (n, 128)
            Fingerprints of all rows.
        rows : ndarray of int64, shape (m,)
        """
        room = 1024
        while room <= len(rows):
            room = int(room * _GROWTH)
        self._allocate(room)
        for start in range(0, len(rows), _REBUILD_ROWS):
            part = rows[start : start + _REBUILD_ROWS]
            self.add(salience[part], part)

    def add(self, salience: NDArray[np.uint32], rows: NDArray[np.int64]) -> None:
        """Enter articles.

        Parameters
        ----------
        salience : ndarray of uint32, shape (n, 128)
        rows : ndarray of int64, shape (n,)
        """
        ring, tag = self._places(salience)
        entry = (tag | rows.astype(np.uint32)[:, None]).ravel()
        order = ring.ravel().argsort(kind="stable")
        ring, entry = ring.ravel()[order], entry[order]
        # Where several enter one ring they take places one behind the other.
        new = np.ones(len(ring), dtype=bool)
        np.not_equal(ring[1:], ring[:-1], out=new[1:])
        first = new.nonzero()[0]
        count = np.append(first[1:], len(ring)) - first
        rank = np.arange(len(ring)) - first.repeat(count)
        self._table[ring, (self._next[ring] + rank) % WIDTH] = entry
        self._next[ring[first]] = (self._next[ring[first]] + count) % WIDTH
        self._entered += len(rows)

    def meet(self, salience: NDArray[np.uint32]) -> NDArray[np.int32]:
        """Find who shares a bucket with each of some articles.

        Parameters
        ----------
        salience : ndarray of uint32, shape (n, 128)

        Returns
        -------
        ndarray of int32, shape (n, bands, WIDTH)
            Rows of the articles in each band's bucket, -1 where there is none.
        """
        ring, tag = self._places(salience)
        entry = self._table[ring]
        known = ((entry ^ tag[:, :, None]) <= _ROW) & (entry != _EMPTY)
        return np.where(known, entry & _ROW, _EMPTY).view(np.int32)

    def _places(self, salience: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.uint32]]:
        """Ring and tag of each article in each band, shape (n, bands)."""
        key = self.keys(salience)
        ring = ((key >> np.uint64(32)) * np.uint64(len(self._table))) >> np.uint64(32)
        return ring.astype(np.int64), (key.astype(np.uint32) & ~_ROW)

    def keys(self, salience: NDArray[np.uint32]) -> NDArray[np.uint64]:
        """Bucket of each article in every band, cut as by `sahel_dedup.lsh.band_keys`.

        Parameters
        ----------
        salience : ndarray of uint32, shape (n, 128)

        Returns
        -------
        ndarray of uint64, shape (n, bands)
            Different ones in different bands.
        """
        key = self._start
        for slots in self._slots:
            key = key * _FACTOR + salience.take(slots, axis=1)
        return mix64(key)

    def _allocate(self, room: int) -> None:
        self._room = room
        self._entered = 0
        rings = room * len(self._start) // _LOAD
        self._table = np.full((rings, WIDTH), _EMPTY, dtype=np.uint32)
        self._next = np.zeros(rings, dtype=np.uint8)
