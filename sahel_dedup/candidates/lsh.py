"""Locality-sensitive hashing: from fingerprints to candidate pairs.

The 128 slots are cut into bands of a few rows (Leskovec et al., Mining of Massive
Datasets, ch. 3). Articles that agree in a whole band share a bucket. Articles come in order of
time, so each is paired only with those that follow it in its bucket within the window.

A bucket that would give too many pairs is split by extra rows. Where that does not help, each
article is paired only with the next `BUCKET_REACH` articles of its bucket. An article therefore has
at most ``bands * BUCKET_REACH`` later candidates, however long the archive is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.sketch.fingerprint import EMPTY_SLOT, SLOTS
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.util.hashing import GOLDEN_RATIO, splitmix64
from sahel_dedup.util.jit import compiled
from sahel_dedup.util.parallel import ordered_map, slices
from sahel_dedup.util.runs import places_in_runs

_Integer = TypeVar("_Integer", bound=np.integer[Any])

# Slots that a candidate pair must share, if the time between the two is known and if it is not. A
# pair that shares fewer hardly ever reaches the least cosine that matters. Of 109 pairs per article
# among 50,000 undated articles, this leaves 46; in four archives without their dates, it loses .0
# to .9 % of the pairs that evidence confirms.
_LEAST_AGREEMENT = (6, 10)
BUCKET_REACH = 40
# Extra rows by which a crowded bucket is split before its reach is limited.
EXTRA_ROWS = 2
# This many low bits of a key are ignored, so that any subset of an archive of up to a million
# articles has the same buckets as the whole.
KEY_SHIFT = np.uint64(20)
_MERGED_AT_ONCE = 8_000_000
_COUNTED_AT_ONCE = 1 << 18


def band_keys(
    salience: NDArray[np.uint32],
    layout: Layout,
    band: int,
    extra: int = 0,
    rows: NDArray[np.int64] | slice = slice(None),
) -> NDArray[np.uint64]:
    """Return the bucket of each article in one band.

    Parameters
    ----------
    salience : ndarray of uint32, shape (n, 128)
    layout : Layout
    band : int
    extra : int
        Number of extra slots, from the next bands, that split the bucket.
    rows
        Rows of the articles; all by default.

    Returns
    -------
    ndarray of uint64, shape (n_rows,)
    """
    slots = layout.slots(band, extra)
    key = salience[:, slots[0]][rows].astype(np.uint64)
    for slot in slots[1:]:
        key *= GOLDEN_RATIO
        key += salience[:, slot][rows]
    return splitmix64(key)


def in_buckets(keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """Sort articles by bucket.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n,)
        Bucket of each article, evenly distributed over 64 bits.

    Returns
    -------
    order : ndarray of int64, shape (n,)
        The articles, with those of one bucket next to each other and ascending.
    bucket : ndarray of uint64, shape (n,)
        The bucket of each; two are equal if the upper bits of their keys are.
    """
    # Key and position are packed into one number, because sorting numbers is eight times as fast as
    # sorting positions by key. The probability that two of a million buckets share the remaining 44
    # bits of a key is 3 %.
    bits = max(KEY_SHIFT, np.uint64(len(keys).bit_length()))
    low = (np.uint64(1) << bits) - np.uint64(1)
    packed = np.sort((keys & ~low) | np.arange(len(keys), dtype=np.uint64))
    return (packed & low).astype(np.int64), packed >> bits


def distinct(values: NDArray[_Integer]) -> NDArray[_Integer]:
    """Sort numbers and drop duplicates, in a sixtieth of the time of ``numpy.unique``."""
    ordered: NDArray[_Integer] = np.sort(values)
    fresh = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    return ordered[fresh]


def candidate_pairs(
    salience: NDArray[np.uint32],
    day: NDArray[np.float64],
    window: float,
    layout: Layout,
    workers: int = 1,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Propose the pairs worth comparing.

    Parameters
    ----------
    salience : ndarray of uint32, shape (n, 128)
        Fingerprints, in order of time; articles without a date first.
    day : ndarray of float64, shape (n,)
        Times in days, rising; NaN, for no date, first.
    window : float
        In days; articles further apart are not paired.
    layout : Layout
    workers : int
        Threads; 0 takes all processors.
    on_progress : callable
        Called with the number of bands that are done and the number of all bands.

    Returns
    -------
    first, second : ndarray of int64, shape (n_pairs,)
        Each pair once, ``first < second``, sorted.
    """
    n = len(salience)
    alive = np.flatnonzero(salience[:, 0] != EMPTY_SLOT)
    # A pair is one number. At half the width, where that is enough, numbers sort in .6 of the time.
    nothing = found = np.zeros(0, dtype=np.uint32 if n < 1 << 16 else np.uint64)
    raw: list[NDArray[Any]] = []
    # Bands are read slot by slot.
    columns = np.asfortranarray(salience)

    def proposed(band: int) -> NDArray[Any]:
        keys = functools.partial(band_keys, columns, layout, band)
        first, second = bucket_pairs(keys, alive, day, window)
        return (first * n + second).astype(nothing.dtype)

    # Slots that agree also agree in their lowest bytes, which are only a quarter of the memory to
    # read.
    low = salience.astype(np.uint8)

    def agreeing(pairs: NDArray[Any]) -> NDArray[Any]:
        for slots in (low, salience):
            pairs = pairs[agree(slots, day, *rows_of(pairs))]
        return pairs

    def rows_of(pairs: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return (pairs // n).astype(np.int64), (pairs % n).astype(np.int64)

    for band, pairs in enumerate(ordered_map(proposed, range(layout.bands), workers)):
        raw.append(pairs)
        on_progress(band, layout.bands)
        # Merging every few million pairs keeps memory bounded for any archive.
        if sum(map(len, raw)) > _MERGED_AT_ONCE or band == layout.bands - 1:
            fresh = distinct(np.concatenate(raw))
            fresh = fresh[~_contains(found, fresh)]
            parts = (fresh[rows] for rows in slices(len(fresh), _COUNTED_AT_ONCE))
            found = np.concatenate([found, *ordered_map(agreeing, parts, workers)])
            found.sort()
            raw = []
    return rows_of(found)


def agree(
    salience: NDArray[Any],
    day: NDArray[np.float64],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """Whether each candidate pair agrees in enough slots to be worth comparing.

    Parameters
    ----------
    salience : ndarray of unsigned integers, shape (n, 128)
    day : ndarray of float64, shape (n,)
        Times in days, NaN for no date.
    first, second : ndarray of int64, shape (n_pairs,)

    Returns
    -------
    ndarray of bool, shape (n_pairs,)
    """
    dated = ~np.isnan(day[first] - day[second])
    return agreeing_slots(salience, first, second) >= np.where(dated, *_LEAST_AGREEMENT)


def agreeing_slots(
    signatures: NDArray[Any], first: NDArray[np.int64], second: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count the slots in which the articles of each pair agree.

    Parameters
    ----------
    signatures : ndarray of unsigned integers, shape (n, 128)
        Salience or shingle fingerprints.
    first, second : ndarray of int64, shape (n_pairs,)

    Returns
    -------
    ndarray of int64, shape (n_pairs,)
    """
    counts = np.empty(len(first), dtype=np.int64)
    _count_agreeing(signatures, first, second, counts)
    return counts


@compiled
def _count_agreeing(
    signatures: NDArray[Any],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> None:
    """Fill in what `agreeing_slots` returns."""
    for i in range(len(first)):
        counts[i] = count_agreeing(signatures, first[i], second[i])


@compiled
def count_agreeing(signatures: NDArray[Any], one: np.int64, other: np.int64) -> int:
    """Count the slots in which two articles agree."""
    agreeing = 0
    for k in range(SLOTS):
        agreeing += signatures[one, k] == signatures[other, k]
    return agreeing


def _contains(ordered: NDArray[_Integer], values: NDArray[_Integer]) -> NDArray[np.bool_]:
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    place = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return np.asarray(ordered[place] == values)


def bucket_pairs(
    keys: Callable[[int, NDArray[np.int64]], NDArray[np.uint64]],
    members: NDArray[np.int64],
    day: NDArray[np.float64],
    window: float,
    extra: int = 0,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair the articles that share a bucket; split crowded buckets and try again.

    Parameters
    ----------
    keys : callable
        Returns the buckets of some articles, split by a number of extra rows from 0 to
        `EXTRA_ROWS`.
    members : ndarray of int64, shape (m,)
        Articles, ascending, in order of time.
    day : ndarray of float64
        Time of each article; NaN where unknown.
    window : float
    extra : int
        Extra rows by which the buckets of `members` have been split already.

    Returns
    -------
    first, second : ndarray of int64, shape (n_pairs,)
        A pair of articles may occur more than once.
    """
    order, bucket = in_buckets(keys(extra, members))
    rows = members[order]
    partners = count_partners(bucket, day[rows], window)
    split = rows[:0], rows[:0]
    full = partners == BUCKET_REACH
    if extra < EXTRA_ROWS and full.any():
        number = np.cumsum(np.diff(bucket, prepend=bucket[:1]) != 0)
        crowded = np.zeros(number[-1] + 1, dtype=bool)
        crowded[number[full]] = True
        again = crowded[number]
        split = bucket_pairs(keys, np.sort(rows[again]), day, window, extra + 1)
        partners[again] = 0
    first = np.arange(len(rows)).repeat(partners)
    # The partners of an article are the next ones of its bucket.
    second = first + 1 + places_in_runs(partners)
    return np.concatenate([rows[first], split[0]]), np.concatenate([rows[second], split[1]])


def count_partners(
    bucket: NDArray[np.uint64], day: NDArray[np.float64], window: float
) -> NDArray[np.int64]:
    """Count the next articles of the bucket of each article that are in its window.

    A bucket in which an article has as many as `BUCKET_REACH` is crowded.

    Parameters
    ----------
    bucket : ndarray of uint64, shape (n,)
        Bucket of each article; those of one bucket are next to each other, in order of time.
    day : ndarray of float64, shape (n,)
    window : float

    Returns
    -------
    ndarray of int64, shape (n,)
        At most `BUCKET_REACH`.
    """
    partners = np.empty(len(bucket), dtype=np.int64)
    _count_partners(bucket, day, window, BUCKET_REACH, partners)
    return partners


@compiled
def _count_partners(
    bucket: NDArray[np.uint64],
    day: NDArray[np.float64],
    window: float,
    reach: int,
    partners: NDArray[np.int64],
) -> None:
    """Fill in what `count_partners` returns.

    Articles are in order of time, so the first that is too late is followed by no other.
    """
    for i in range(len(bucket)):
        k = i + 1
        while k < len(bucket) and k <= i + reach and bucket[k] == bucket[i]:
            if day[k] - day[i] > window:
                break
            k += 1
        partners[i] = k - i - 1
