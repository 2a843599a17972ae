"""Candidate pairs of an archive that has grown, from those that it had before.

LSH proposes pairs bucket by bucket, and the fingerprints of old articles are what they were. So
only buckets change to which an article has come, or from which one was left out as a copy. Where
such a bucket is not crowded, the pairs of these articles are the change. A crowded one is paired as
it was and as it is, and the difference is the change. The result is that of
`sahel_dedup.candidates.lsh.candidate_pairs`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates import lsh
from sahel_dedup.candidates.buckets import ArchiveBuckets, BucketMembers, bucket_keys
from sahel_dedup.candidates.lsh import agree, bucket_pairs, count_partners, distinct
from sahel_dedup.candidates.pair_table import PairTable
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.util.jit import compiled

# If more articles have come, proposing all pairs anew costs less.
MOST_MOVED = 1 << 14
# A bucket is numbered in the upper half of a key (`sahel_dedup.candidates.lsh.in_buckets`).
_NUMBER_SHIFT = np.uint64(32)


class Change(NamedTuple):
    """What has become of the candidate pairs of an archive.

    Attributes
    ----------
    lost : ndarray of int64, shape (n_lost,)
        Places of the former pairs that are none any more, rising.
    first, second : ndarray of int64, shape (n_new,)
        The pairs that are new, sorted, ``first < second``.
    """

    lost: NDArray[np.int64]
    first: NDArray[np.int64]
    second: NDArray[np.int64]


class _Archive(NamedTuple):
    """Articles as they are: see `changed_pairs`."""

    salience: NDArray[np.uint32]
    day: NDArray[np.float64]
    window: float
    layout: Layout

    def proposed(
        self, inside: BucketMembers, band: NDArray[np.int64], member: NDArray[np.bool_]
    ) -> NDArray[np.int64]:
        """Return the pairs that buckets propose, the first times n plus the second, sorted."""
        number, row = inside

        def keys(extra: int, places: NDArray[np.int64]) -> NDArray[np.uint64]:
            bucket = number[places]
            if extra:
                split = bucket_keys(self.salience, self.layout, row[places], band[bucket], extra)
                part = np.unique(split, return_inverse=True)[1]
                bucket = np.unique(bucket * len(part) + part, return_inverse=True)[1]
            return bucket.astype(np.uint64) << _NUMBER_SHIFT

        first, second = bucket_pairs(keys, np.flatnonzero(member[row]), self.day[row], self.window)
        return self.coded(row[first], row[second])

    def coded(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return pairs as numbers, sorted and without duplicates."""
        return distinct(first * len(self.day) + second)


def changed_pairs(
    salience: NDArray[np.uint32],
    day: NDArray[np.float64],
    window: float,
    layout: Layout,
    members: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    pairs: PairTable,
    workers: int = 1,
) -> Change | None:
    """Find out how the candidate pairs of an archive change.

    Parameters
    ----------
    salience, day, window, layout, workers
        Of the archive as it is: see `candidate_pairs`.
    members : two ndarrays of bool, shape (n,)
        Which articles were compared before, and which are now; none of them without words.
    pairs : PairTable
        The former pairs, by the rows that their articles have now.

    Returns
    -------
    Change or None
        None if so much has changed that proposing all pairs anew costs less.
    """
    archive, n = _Archive(salience, day, window, layout), len(salience)
    before, now = members
    moved, either = np.flatnonzero(before != now), np.flatnonzero(before | now)
    if len(moved) > MOST_MOVED:
        return None
    buckets = ArchiveBuckets.of(salience, layout, moved, layout.bands)
    inside = buckets.members(either, workers)
    crowded, first, second = _of_moved(inside, day, window, before, now)
    come = now[first] & now[second]
    new, old = (archive.coded(first[some], second[some]) for some in (come, ~come))
    inside = inside.where(crowded)
    was, is_now = (archive.proposed(inside, buckets.band, member) for member in (before, now))
    fresh = distinct(np.concatenate([new, without(is_now, was)]))
    fresh = fresh[pairs.find(*np.divmod(fresh, n)) < 0]
    fresh = fresh[agree(salience, day, *np.divmod(fresh, n))]
    doubtful = distinct(np.concatenate([old, without(was, is_now)]))
    place = pairs.find(*np.divmod(doubtful, n))
    doubtful, place = doubtful[place >= 0], place[place >= 0]
    if len(doubtful) > MOST_MOVED:
        return None
    lost = ~_among(doubtful, _still_proposed(archive, doubtful, now, either, workers))
    return Change(place[lost], *np.divmod(fresh, n))


def _still_proposed(
    archive: _Archive,
    doubtful: NDArray[np.int64],
    now: NDArray[np.bool_],
    rows: NDArray[np.int64],
    workers: int,
) -> NDArray[np.int64]:
    """Return the pairs that the buckets propose in which both articles of a doubtful one are."""
    salience, layout = archive.salience, archive.layout
    first, second = np.divmod(doubtful, len(salience))
    band = np.tile(np.arange(layout.bands), len(doubtful))
    one, other = (np.repeat(side, layout.bands) for side in (first, second))
    keys = (bucket_keys(salience, layout, side, band) for side in (one, other))
    shared = np.equal(*keys)
    buckets = ArchiveBuckets(salience, layout, one[shared], band[shared])
    return archive.proposed(buckets.members(rows, workers), buckets.band, now)


def without(values: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the sorted values that are not among others, sorted too."""
    return values[~_among(values, others)]


def _among(values: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
    place = np.searchsorted(others, values)
    place[place == len(others)] = 0
    return others[place] == values if len(others) else np.zeros(len(values), dtype=np.bool_)


def _of_moved(
    inside: BucketMembers,
    day: NDArray[np.float64],
    window: float,
    before: NDArray[np.bool_],
    now: NDArray[np.bool_],
) -> tuple[NDArray[np.bool_], NDArray[np.int64], NDArray[np.int64]]:
    """Mark the crowded buckets; pair the articles that have come or gone in the others."""
    crowded = _are_crowded(inside, day, window, before) | _are_crowded(inside, day, window, now)
    arguments = (*inside.where(~crowded), day, window, before, now)
    nothing = np.zeros(0, dtype=np.int64)
    size = _pair_moved(*arguments, nothing, nothing)
    first, second = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    _pair_moved(*arguments, first, second)
    return crowded, first, second


def _are_crowded(
    inside: BucketMembers, day: NDArray[np.float64], window: float, member: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mark the articles in buckets that are crowded, as `bucket_pairs` has it, by some of them."""
    bucket, row = inside.where(member[inside.row])
    crowded = np.zeros(inside.bucket.max(initial=-1) + 1, dtype=np.bool_)
    partners = count_partners(bucket.astype(np.uint64), day[row], window)
    crowded[bucket[partners == lsh.BUCKET_REACH]] = True
    return np.asarray(crowded[inside.bucket])


@compiled
def _pair_moved(
    bucket: NDArray[np.int64],
    rows: NDArray[np.int64],
    day: NDArray[np.float64],
    window: float,
    before: NDArray[np.bool_],
    now: NDArray[np.bool_],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
) -> int:
    """Fill in the pairs, as far as there is room; return how many there are."""
    size = 0
    for i in range(len(rows)):
        a = rows[i]
        for k in range(i + 1, len(rows)):
            b = rows[k]
            if bucket[k] != bucket[i] or day[b] - day[a] > window:
                break
            if before[a] == now[a] and before[b] == now[b]:
                continue
            if (before[a] and before[b]) or (now[a] and now[b]):
                if size < len(first):
                    first[size], second[size] = a, b
                size += 1
    return size
