"""LSH buckets that take articles one at a time and forget the oldest.

One table serves all bands. A bucket is a ring of `WIDTH` places: it keeps the articles
that came last, so that neither a crowded bucket nor an endless stream makes a look-up
dearer. An entry is an article's row and eight bits of its key, which tell most strangers
that share the ring apart; the rest fall to the filter on agreeing slots.

Places are packed into 64 bits, ring above entry and row above tag: sorting numbers is
several times as fast as sorting places by them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.index.growing import zeros
from sahel_dedup.lsh import Layout
from sahel_dedup.terms import mix64

WIDTH = 8
# Mean number of entries in a ring at which the table grows.
_LOAD = 6
_GROWTH = 1.4
_TAG_BITS = np.uint64(8)
_TAG = np.uint64(0xFF)
_RING_BITS = np.uint64(32)
_EMPTY = np.uint32(0xFFFFFFFF)
_REBUILD_ROWS = 4096
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
MAX_ROWS = (1 << 24) - 1


class Buckets:
    """Which articles agree in a band.

    Parameters
    ----------
    layout : Layout
        How fingerprints are cut into bands.
    """

    def __init__(self, layout: Layout) -> None:
        # The first slot of each band, then the second of each, ...
        slots = [layout.slots(band) for band in range(layout.bands)]
        self._slots = np.array(slots).T.ravel()
        self._shape = -1, layout.rows, layout.bands
        self._start = np.arange(layout.bands, dtype=np.uint64) * _FACTOR
        self._allocate(1024)

    @property
    def full(self) -> bool:
        """Whether the table should be built anew, for more articles."""
        return self._entered >= self._room

    def rebuild(self, salience: NDArray[Any], rows: NDArray[np.int64]) -> None:
        """Start again with some articles, the oldest first, and room for more.

        Parameters
        ----------
        salience : ndarray of uint16, shape (n, 128)
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

    def add(self, salience: NDArray[Any], rows: NDArray[np.int64]) -> None:
        """Enter articles.

        Parameters
        ----------
        salience : ndarray of uint16, shape (n, 128)
        rows : ndarray of int64, shape (n,)
        """
        place = self._places(salience) | (rows.astype(np.uint64) << _TAG_BITS)[:, None]
        place = place.ravel()
        place.sort()
        ring = (place >> _RING_BITS).view(np.int64)
        # Where several enter one ring they take places one behind the other.
        edge = np.ones(len(ring) + 1, dtype=bool)
        np.not_equal(ring[1:], ring[:-1], out=edge[1:-1])
        bounds = edge.nonzero()[0]
        first, count = bounds[:-1], bounds[1:] - bounds[:-1]
        behind = self._next.take(ring) + np.arange(len(ring)) - first.repeat(count)
        self._table[ring * WIDTH + behind % WIDTH] = place.astype(np.uint32)
        ring = ring.take(first)
        self._next[ring] = (self._next.take(ring) + count) % WIDTH
        self._entered += len(rows)

    def meet(self, salience: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find who shares a bucket with each of some articles.

        Parameters
        ----------
        salience : ndarray of uint16, shape (n, 128)

        Returns
        -------
        asking : ndarray of int64, shape (n_met,)
            Places of the articles that ask, rising.
        met : ndarray of int64, shape (n_met,)
            Rows of those they meet, some several times.
        """
        place = self._places(salience)
        entry = self._table.reshape(-1, WIDTH).take((place >> _RING_BITS).view(np.int64), axis=0)
        known = entry.astype(np.uint8) == place.astype(np.uint8)[:, :, None]
        known &= entry != _EMPTY
        found = known.ravel().nonzero()[0]
        met = (entry.ravel().take(found) >> np.uint32(_TAG_BITS)).astype(np.int64)
        return found // (place.shape[1] * WIDTH), met

    def _places(self, salience: NDArray[Any]) -> NDArray[np.uint64]:
        """Ring and tag of each article in each band, shape (n, bands)."""
        key = self.keys(salience)
        place = key >> _RING_BITS
        place *= np.uint64(len(self._next))
        place &= ~((np.uint64(1) << _RING_BITS) - np.uint64(1))
        key &= _TAG
        place |= key
        return place

    def keys(self, salience: NDArray[Any]) -> NDArray[np.uint64]:
        """Bucket of each article in every band, cut as by `sahel_dedup.lsh.band_keys`.

        Parameters
        ----------
        salience : ndarray of uint16, shape (n, 128)

        Returns
        -------
        ndarray of uint64, shape (n, bands)
            Different ones in different bands.
        """
        key = self._start
        for slots in salience.take(self._slots, axis=1).reshape(self._shape).swapaxes(0, 1):
            key = key * _FACTOR + slots
        return mix64(key)

    def _allocate(self, room: int) -> None:
        self._room = room
        self._entered = 0
        rings = room * len(self._start) // _LOAD
        self._table = zeros((rings * WIDTH,), np.dtype(np.uint32))
        self._table.fill(_EMPTY)
        self._next = zeros((rings,), np.dtype(np.uint8))
