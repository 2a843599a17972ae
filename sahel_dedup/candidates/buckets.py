"""The LSH buckets of a few articles, and all other articles in them.

What changes when an archive grows happens in the buckets to which articles have come. Looking these
up costs one pass over the fingerprints, where sorting all articles by bucket costs one for each
band.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.lsh import KEY_SHIFT
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.util.hashing import GOLDEN_RATIO, splitmix64_one
from sahel_dedup.util.jit import compiled
from sahel_dedup.util.parallel import ordered_map, slices

_ROWS_AT_ONCE = 1 << 12
# Places in the table for each key, and bits in the filter, which must fit into the cache.
_ROW_BITS = np.int64(KEY_SHIFT)
_ROW_MASK = (np.int64(1) << _ROW_BITS) - 1
_BYTE, _IN_BYTE, _ONE = np.uint64(3), np.uint64(7), np.uint64(1)
_ROOM = 2
_BITS = 32


class BucketMembers(NamedTuple):
    """The articles in some buckets.

    Attributes
    ----------
    bucket : ndarray of int64, shape (n,)
        Number of a bucket, rising.
    row : ndarray of int64, shape (n,)
        An article in it, rising in each bucket.
    """

    bucket: NDArray[np.int64]
    row: NDArray[np.int64]

    def where(self, kept: NDArray[np.bool_]) -> BucketMembers:
        """Return some of the members."""
        return BucketMembers(self.bucket[kept], self.row[kept])


class ArchiveBuckets:
    """Some buckets of an archive of up to a million articles.

    Parameters
    ----------
    salience : ndarray of uint32, shape (n, 128)
    layout : Layout
    rows, bands : ndarray of int64, shape (m,)
        Articles, and the bands in which their buckets are meant.

    Attributes
    ----------
    band : ndarray of int64, shape (n_buckets,)
        The band of each bucket, by its number.
    """

    def __init__(
        self,
        salience: NDArray[np.uint32],
        layout: Layout,
        rows: NDArray[np.int64],
        bands: NDArray[np.int64],
    ) -> None:
        self._salience = salience
        most = int(np.bincount(bands, minlength=1).max())
        room = 1 << (_ROOM * most).bit_length()
        height = int(bands.max(initial=-1)) + 1
        self._slots = _slots(layout, height)
        self._table = np.zeros((height, room), dtype=np.uint64)
        self._number = np.zeros((height, room), dtype=np.int32)
        self._filter = np.zeros((height, room * _BITS // _ROOM // 8), dtype=np.uint8)
        band = np.empty(len(rows), dtype=np.int64)
        keys = bucket_keys(salience, layout, rows, bands)
        size = _enter(keys, bands, self._table, self._number, self._filter, band)
        self.band = band[:size]

    @classmethod
    def of(
        cls, salience: NDArray[np.uint32], layout: Layout, rows: NDArray[np.int64], bands: int
    ) -> ArchiveBuckets:
        """Return all buckets of some articles in the first bands."""
        return cls(salience, layout, np.repeat(rows, bands), np.tile(np.arange(bands), len(rows)))

    def members(self, rows: NDArray[np.int64], workers: int = 1) -> BucketMembers:
        """Find the articles that are in the buckets.

        Parameters
        ----------
        rows : ndarray of int64, shape (m,)
            Which articles to look at.
        workers : int
            Number of threads; 0 uses all processors.

        Returns
        -------
        BucketMembers
        """

        def found_in(span: slice) -> NDArray[np.int64]:
            likely = np.empty(len(rows[span]) * len(self._slots) + 1, dtype=np.int64)
            size = _sift(self._salience, self._slots, rows[span], self._filter, likely)
            found = likely[:size].copy()
            size = _find(self._salience, self._slots, self._table, self._number, found)
            return found[:size]

        parts = ordered_map(found_in, slices(len(rows), _ROWS_AT_ONCE), workers)
        packed = np.concatenate([rows[:0], *parts])
        packed.sort()
        return BucketMembers(packed >> _ROW_BITS, packed & _ROW_MASK)


def bucket_keys(
    salience: NDArray[np.uint32],
    layout: Layout,
    rows: NDArray[np.int64],
    bands: NDArray[np.int64],
    extra: int = 0,
) -> NDArray[np.uint64]:
    """Return the bucket of each article in one band, as `band_keys` does for many.

    Parameters
    ----------
    salience : ndarray of uint32, shape (n, 128)
    layout : Layout
    rows, bands : ndarray of int64, shape (m,)
    extra : int
        See `sahel_dedup.candidates.lsh.band_keys`.

    Returns
    -------
    ndarray of uint64, shape (m,)
        Without the low bits that are ignored; never 0.
    """
    keys = np.empty(len(rows), dtype=np.uint64)
    _fill_keys(salience, _slots(layout, layout.bands, extra), rows, bands, keys)
    return keys


def _slots(layout: Layout, bands: int, extra: int = 0) -> NDArray[np.int64]:
    slots = [layout.slots(band, extra) for band in range(bands)]
    return np.array(slots, dtype=np.int64).reshape(bands, layout.rows + extra)


@compiled
def _key(salience: NDArray[np.uint32], slots: NDArray[np.int64], row: int, band: int) -> np.uint64:
    key = np.uint64(0)
    for k in range(slots.shape[1]):
        key = key * GOLDEN_RATIO + np.uint64(salience[row, slots[band, k]])
    return (splitmix64_one(key) >> KEY_SHIFT) + np.uint64(1)


@compiled
def _fill_keys(
    salience: NDArray[np.uint32],
    slots: NDArray[np.int64],
    rows: NDArray[np.int64],
    bands: NDArray[np.int64],
    keys: NDArray[np.uint64],
) -> None:
    for i in range(len(rows)):
        keys[i] = _key(salience, slots, rows[i], bands[i])


@compiled
def _enter(
    keys: NDArray[np.uint64],
    bands: NDArray[np.int64],
    table: NDArray[np.uint64],
    number: NDArray[np.int32],
    bits: NDArray[np.uint8],
    band_of: NDArray[np.int64],
) -> int:
    """Enter keys in the table and the filter of their band; return how many there are."""
    size, last = 0, table.shape[1] - 1
    for i in range(len(keys)):
        band, key = bands[i], keys[i]
        place = np.int64(key) & last
        while table[band, place] != 0 and table[band, place] != key:
            place = (place + 1) & last
        if table[band, place] == 0:
            table[band, place] = key
            number[band, place] = size
            band_of[size] = band
            bit = np.int64(key) & (8 * bits.shape[1] - 1)
            bits[band, bit >> 3] |= np.uint8(1) << (bit & 7)
            size += 1
    return size


@compiled
def _sift(
    salience: NDArray[np.uint32],
    slots: NDArray[np.int64],
    rows: NDArray[np.int64],
    bits: NDArray[np.uint8],
    likely: NDArray[np.int64],
) -> int:
    """Fill in the articles and bands that pass the filter; return how many there are."""
    size, last = 0, np.uint64(8 * bits.shape[1] - 1)
    for row in rows:
        for band in range(len(slots)):
            # As in `_key`, whose call would take as long as the rest.
            key = np.uint64(0)
            for k in range(slots.shape[1]):
                key = key * GOLDEN_RATIO + np.uint64(salience[row, slots[band, k]])
            bit = (splitmix64_one(key) >> KEY_SHIFT) + _ONE & last
            likely[size] = band << _ROW_BITS | row
            # A branch would be mispredicted.
            size += bits[band, bit >> _BYTE] >> (bit & _IN_BYTE) & _ONE
    return size


@compiled
def _find(
    salience: NDArray[np.uint32],
    slots: NDArray[np.int64],
    table: NDArray[np.uint64],
    number: NDArray[np.int32],
    found: NDArray[np.int64],
) -> int:
    """Replace bands by numbers of buckets, drop what is in none, and return how many are left."""
    size, last = 0, table.shape[1] - 1
    for i in range(len(found)):
        band, row = found[i] >> _ROW_BITS, found[i] & _ROW_MASK
        key = _key(salience, slots, row, band)
        place = np.int64(key) & last
        while table[band, place] != 0 and table[band, place] != key:
            place = (place + 1) & last
        if table[band, place] != 0:
            found[size] = np.int64(number[band, place]) << _ROW_BITS | row
            size += 1
    return size
