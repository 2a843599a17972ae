"""Fingerprints: two MinHash signatures of an article, from the article alone.

The *salience* fingerprint is a weighted MinHash over terms. Slot k keeps the term that
wins an exponential race: the least of -ln(u_k(term)) / w(term), with w the squared
TF-IDF weight, so that two articles agree in a slot with the probability Jaccard
similarity of their weights (Moulton and Jiang, ICDM 2018), which tracks the cosine. IDF is
the prior of the article's language, never the archive's.

The *shingle* fingerprint is the plain MinHash (Broder, 1997) of three-word shingles under
datasketch's ``affine32`` scheme: bit-identical to a `datasketch.MinHash` that is given
`shingle_hash` and the article's `shingles`.

All arithmetic is on integers, or on single IEEE operations, so that every machine
computes the same bits.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from datasketch import MinHash
from numpy.typing import NDArray

from sahel_dedup.errors import SahelError
from sahel_dedup.terms import SHINGLE_WORDS, Tokens, hash_word, mix64
from sahel_dedup.threads import slices

FINGERPRINT_VERSION = 1
SLOTS = 128
# Heaviest terms that take part in the race; the rest hold a few percent of the weight.
RACERS = 48
_RANKS = np.arange(RACERS)

_MAGIC = b"SDFP"
_RANK_BITS = 6
_HEAVIEST = np.uint64((1 << 21) - 1)
# Articles, and values of slots, worked on together: their arrays stay in the second-level
# cache.
_RANKED_AT_ONCE = 32
_RACED_AT_ONCE = 8
_SIGNED_AT_ONCE = 1 << 15
_U32 = NDArray[np.uint32]
_SHINGLE_FACTORS = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(1))
EMPTY_SLOT = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """The two signatures of one article.

    Attributes
    ----------
    salience : ndarray of uint32, shape (128,)
        Low half of the hash of the term that won each slot; all 0xFFFFFFFF for an
        article without terms.
    shingles : ndarray of uint32, shape (128,)
        MinHash values of the three-word shingles; all 0xFFFFFFFF for none.
    """

    salience: _U32
    shingles: _U32

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fingerprint) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return a portable form: magic, version, slots, then both signatures, little-endian."""
        head = struct.pack("<4sHH", _MAGIC, FINGERPRINT_VERSION, SLOTS)
        return head + self.salience.astype("<u4").tobytes() + self.shingles.astype("<u4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Fingerprint:
        """Read what `to_bytes` wrote.

        Raises
        ------
        SahelError
            If the bytes are no fingerprint, are cut short, or are of another version.
        """
        if len(data) < 8 or data[:4] != _MAGIC:
            raise SahelError("not a sahel_dedup fingerprint")
        version, slots = struct.unpack_from("<HH", data, 4)
        if version != FINGERPRINT_VERSION or slots != SLOTS:
            raise SahelError(
                f"fingerprint version {version} with {slots} slots; this release reads version "
                f"{FINGERPRINT_VERSION} with {SLOTS}: compute it again from the article"
            )
        if len(data) != 8 + 8 * SLOTS:
            raise SahelError(f"fingerprint cut short: {len(data)} of {8 + 8 * SLOTS} bytes")
        both = np.frombuffer(data, dtype="<u4", offset=8).astype(np.uint32).reshape(2, SLOTS)
        return cls(both[0], both[1])

    def to_minhash(self) -> MinHash:
        """Return the shingle signature as a `datasketch.MinHash` for datasketch's indexes."""
        return MinHash(
            num_perm=SLOTS,
            seed=1,
            hashfunc=shingle_hash,
            hashvalues=self.shingles.copy(),
            scheme="affine32",
        )

    def salience_agreement(self, other: Fingerprint) -> float:
        """Return the share of salience slots that agree, 0 for articles without terms."""
        agree = (self.salience == other.salience) & (self.salience != EMPTY_SLOT)
        return float(agree.mean())

    def shingle_jaccard(self, other: Fingerprint) -> float:
        """Estimate the Jaccard similarity of the shingles, 0 for articles without any."""
        agree = (self.shingles == other.shingles) & (self.shingles != EMPTY_SLOT)
        return float(agree.mean())


@functools.cache
def _race() -> tuple[_U32, _U32, NDArray[np.float32]]:
    """Multipliers and offsets of the slots, and -ln(u) for each 16-bit u."""
    seeds = mix64(np.arange(1, 2 * SLOTS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    multiply = seeds[:SLOTS].astype(np.uint32) | np.uint32(1)
    add = seeds[SLOTS:].astype(np.uint32)
    # float32 of a float64 logarithm: a last-bit difference between mathematics libraries
    # is rounded away.
    exponential = -np.log((np.arange(1 << 16) + 0.5) / (1 << 16))
    return multiply, add, exponential.astype(np.float32)


def salience_slots(
    hashes: NDArray[np.uint64], weights: NDArray[np.int64], offsets: NDArray[np.int64]
) -> _U32:
    """Sign articles by their salient terms.

    Parameters
    ----------
    hashes : ndarray of uint64, shape (n_terms,)
        Hashes of the distinct terms of each article, article by article.
    weights : ndarray of int64, shape (n_terms,)
        TF-IDF weight of each, a whole number below 2**21; terms of weight 0 do not race.
    offsets : ndarray of int64, shape (n_articles + 1,)
        Article ``i`` owns the terms ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of uint32, shape (n_articles, 128)
    """
    slots = np.full((len(offsets) - 1, SLOTS), EMPTY_SLOT, dtype=np.uint32)
    for first in range(0, len(slots), _RANKED_AT_ONCE):
        bounds = offsets[first : first + _RANKED_AT_ONCE + 1]
        span = slice(bounds[0], bounds[-1])
        low, pace = _racers(hashes[span], weights[span], bounds - bounds[0])
        winner = np.concatenate(
            [_winners(low[rows], pace[rows]) for rows in slices(len(low), _RACED_AT_ONCE)]
        )
        rows = (pace[:, 0] < np.inf).nonzero()[0]
        slots[first + rows] = low[rows[:, None], winner[rows]]
    return slots


def _winners(low: _U32, pace: NDArray[np.float32]) -> _U32:
    """Run the races of a few articles: rank of the winner of each slot, shape (n, 128)."""
    multiply, add, exponential = _race()
    draws = low[:, :, None] * multiply
    draws += add
    # Looked up by intp and clipped, NumPy makes no copy of the index.
    place = (draws >> np.uint32(16)).astype(np.intp)
    finish = exponential.take(place, mode="clip")
    finish *= pace[:, :, None]
    # Positive floats order like their bits. The lowest bits make room for the rank,
    # so that one minimum finds the winner and breaks ties the same way everywhere.
    bits = finish.view(np.uint32)
    bits &= np.uint32(0xFFFFFFFF << _RANK_BITS & 0xFFFFFFFF)
    bits |= _RANKS.astype(np.uint32)[:, None]
    return np.asarray(bits.min(axis=1) & np.uint32((1 << _RANK_BITS) - 1))


def _racers(
    hashes: NDArray[np.uint64], weights: NDArray[np.int64], offsets: NDArray[np.int64]
) -> tuple[_U32, NDArray[np.float32]]:
    """Pick the heaviest terms of each article, heaviest first; ties by hash.

    Returns the low halves of their hashes and the factors of their times, both of shape
    (n_articles, RACERS); an article with fewer is filled up with racers that take forever.
    """
    owner = np.arange(len(offsets) - 1, dtype=np.uint64).repeat(offsets[1:] - offsets[:-1])
    # Article (11 bits), weight falling (21), low half of the hash (32, its 23 lowest bits
    # first) in one number, which sorts four times as fast as places do.
    key = (owner << np.uint64(21)) | (_HEAVIEST - weights.astype(np.uint64))
    key = (key << np.uint64(32)) | (hashes << np.uint64(9) & np.uint64(0xFFFFFE00))
    key |= hashes >> np.uint64(23) & np.uint64(0x1FF)
    key.sort()
    place = offsets[:-1, None] + _RANKS
    # An article with fewer gets those of the next, which are stopped below.
    key = key.take(place, mode="clip") if len(key) else np.zeros(place.shape, dtype=np.uint64)
    low = (key >> np.uint64(9) & np.uint64(0x7FFFFF)) | (key << np.uint64(23))
    weight = (_HEAVIEST - (key >> np.uint64(32) & _HEAVIEST)).astype(np.float64)
    weight[place >= offsets[1:, None]] = 0
    pace = np.full(weight.shape, np.inf)
    np.divide(1.0, weight * weight, out=pace, where=weight > 0)
    return low.astype(np.uint32), pace.astype(np.float32)


@functools.cache
def _permutations() -> tuple[_U32, _U32]:
    """Multipliers and offsets of datasketch's ``affine32`` scheme, seed 1."""
    a, b = MinHash(num_perm=SLOTS, seed=1, scheme="affine32").permutations
    return np.asarray(a, dtype=np.uint32), np.asarray(b, dtype=np.uint32)


def _fmix32(x: _U32) -> _U32:
    """MurmurHash3's finalizer, the pre-mix of ``affine32``."""
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return x ^ (x >> np.uint32(16))


def shingle_slots(tokens: NDArray[np.uint64], offsets: NDArray[np.int64]) -> _U32:
    """Sign articles by their three-word shingles.

    Parameters
    ----------
    tokens : ndarray of uint64, shape (n_tokens,)
        Token hashes in reading order, article by article.
    offsets : ndarray of int64, shape (n_articles + 1,)
        Article ``i`` owns the tokens ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of uint32, shape (n_articles, 128)
        An article of one or two tokens has those as its only shingle.
    """
    n = len(offsets) - 1
    slots = np.full((n, SLOTS), EMPTY_SLOT, dtype=np.uint32)
    lengths = offsets[1:] - offsets[:-1]
    present = lengths.nonzero()[0]
    if not len(present):
        return slots
    # Two empty places behind each article: shingles that run over its end lie there.
    gaps = (SHINGLE_WORDS - 1) * np.arange(n)
    padded = np.zeros(len(tokens) + (SHINGLE_WORDS - 1) * n + 1, dtype=np.uint64)
    padded[np.arange(len(tokens)) + gaps.repeat(lengths)] = tokens
    first, second, third = _SHINGLE_FACTORS
    sums = padded[:-2] * first + padded[1:-1] * second + padded[2:] * third
    values = _fmix32((mix64(sums) >> np.uint64(32)).astype(np.uint32))
    starts = (offsets[:-1] + gaps)[present]
    # An article without a whole shingle has the one that its first token begins.
    bounds = starts.repeat(2)
    bounds[1::2] += np.maximum(lengths[present] - SHINGLE_WORDS + 1, 1)
    signed = np.empty((SLOTS, len(bounds)), dtype=np.uint32)
    multiply, add = (factors[:, None] for factors in _permutations())
    step = min(SLOTS, 1 << max(3, (_SIGNED_AT_ONCE // len(values)).bit_length() - 1))
    buffer = np.empty((step, len(values)), dtype=np.uint32)
    for k in range(0, SLOTS, step):
        rows = slice(k, k + step)
        np.multiply(values, multiply[rows], out=buffer)
        np.add(buffer, add[rows], out=buffer)
        np.minimum.reduceat(buffer, bounds, axis=1, out=signed[rows])
    slots[present] = signed[:, ::2].T
    return slots


def shingles(tokens: Tokens, article: int) -> Iterator[str]:
    """Yield the three-word shingles of one article of a chunk, as `shingle_hash` takes them."""
    words = tokens.words(np.arange(tokens.offsets[article], tokens.offsets[article + 1]))
    if words:
        for i in range(max(1, len(words) - SHINGLE_WORDS + 1)):
            yield " ".join(words[i : i + SHINGLE_WORDS])


def shingle_hash(shingle: bytes) -> int:
    """Hash one shingle: the ``hashfunc`` that makes a `datasketch.MinHash` equal to ours.

    Parameters
    ----------
    shingle : bytes
        UTF-8 of up to three case-folded words with one space between them.

    Returns
    -------
    int
        An unsigned 32-bit hash.
    """
    total = sum(
        hash_word(word) * int(factor)
        for word, factor in zip(shingle.decode().split(" "), _SHINGLE_FACTORS, strict=False)
    )
    return int(mix64(np.array([total % (1 << 64)], dtype=np.uint64))[0]) >> 32
