"""Fingerprints: two MinHash signatures of an article, from the article alone.

The *salience* fingerprint is a weighted MinHash over terms. Slot k keeps the term that
wins an exponential race: the one with the least -ln(u_k(term)) / w(term), where w is the squared
TF-IDF weight. Two articles then agree in a slot with a probability equal to the probability Jaccard
similarity of their weights (Moulton and Jiang, ICDM 2018), which tracks the cosine. The IDF is the
prior of the article's language, never that of the archive.

The *shingle* fingerprint is the plain MinHash (Broder, 1997) of three-word shingles under
datasketch's ``affine32`` scheme: it is bit-identical to a `datasketch.MinHash` built with
`shingle_hash` from the article's `shingles`.

All arithmetic uses integers or single IEEE operations, so every machine computes the same bits.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.errors import FingerprintError
from sahel_dedup.text.tokenizer import SHINGLE_WORDS, Tokens, hash_word
from sahel_dedup.util.hashing import GOLDEN_RATIO, splitmix64, splitmix64_one
from sahel_dedup.util.jit import compiled

if TYPE_CHECKING:
    from datasketch import MinHash

FINGERPRINT_VERSION = 1
"""Version of the fingerprints. Stored fingerprints of another version are refused."""
SLOTS = 128
# How many terms, the heaviest first, take part in the race; the rest have a few percent of the
# weight.
RACERS = 48

_MAGIC = b"SDFP"
_RANK_BITS = np.uint32((1 << 6) - 1)
_LOW_BITS, _WEIGHT_BITS = np.uint64(32), np.uint64(21)
_HEAVIEST = (np.uint64(1) << _WEIGHT_BITS) - np.uint64(1)
_U32 = NDArray[np.uint32]
_SHINGLE_FACTORS = (GOLDEN_RATIO, np.uint64(0xC2B2AE3D27D4EB4F), np.uint64(1))
EMPTY_SLOT = np.uint32(0xFFFFFFFF)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Fingerprint:
    """The two signatures of one article.

    Attributes
    ----------
    salience : ndarray of uint32, shape (128,)
        Lower half of the hash of the term that takes each slot; all 0xFFFFFFFF for an article
        without terms.
    shingles : ndarray of uint32, shape (128,)
        MinHash values of the three-word shingles; all 0xFFFFFFFF if there are none.
    """

    salience: _U32
    shingles: _U32

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fingerprint) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def __repr__(self) -> str:
        return f"<Fingerprint: version {FINGERPRINT_VERSION}, two signatures of {SLOTS} slots>"

    def to_bytes(self) -> bytes:
        """Return a portable form: magic, version, slots, then both signatures, little-endian."""
        head = struct.pack("<4sHH", _MAGIC, FINGERPRINT_VERSION, SLOTS)
        return head + self.salience.astype("<u4").tobytes() + self.shingles.astype("<u4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Fingerprint:
        """Read what `to_bytes` wrote.

        Raises
        ------
        FingerprintError
            If the bytes are not a fingerprint, are cut short, or have another version.
        """
        if len(data) < 8 or data[:4] != _MAGIC:
            raise FingerprintError("not a sahel_dedup fingerprint")
        version, slots = struct.unpack_from("<HH", data, 4)
        if version != FINGERPRINT_VERSION or slots != SLOTS:
            raise FingerprintError(
                f"fingerprint version {version} with {slots} slots; this release reads version "
                f"{FINGERPRINT_VERSION} with {SLOTS}: compute it again from the article"
            )
        if len(data) != 8 + 8 * SLOTS:
            raise FingerprintError(f"fingerprint cut short: {len(data)} of {8 + 8 * SLOTS} bytes")
        both = np.frombuffer(data, dtype="<u4", offset=8).astype(np.uint32).reshape(2, SLOTS)
        return cls(both[0], both[1])

    def to_minhash(self) -> MinHash:
        """Return the shingle signature as a `datasketch.MinHash` for datasketch's indexes."""
        from datasketch import MinHash

        return MinHash(
            num_perm=SLOTS,
            seed=1,
            hashfunc=shingle_hash,
            hashvalues=self.shingles.copy(),
            scheme="affine32",
        )

    def salience_agreement(self, other: Fingerprint) -> float:
        """Return the share of salience slots that agree; 0 for articles without terms."""
        agree = (self.salience == other.salience) & (self.salience != EMPTY_SLOT)
        return float(agree.mean())

    def shingle_jaccard(self, other: Fingerprint) -> float:
        """Estimate the Jaccard similarity of the shingles; 0 for articles without any."""
        agree = (self.shingles == other.shingles) & (self.shingles != EMPTY_SLOT)
        return float(agree.mean())


@functools.cache
def _race() -> tuple[_U32, _U32, NDArray[np.float32]]:
    """Multipliers and offsets of the slots, and -ln(u) for each 16-bit u."""
    seeds = splitmix64(np.arange(1, 2 * SLOTS + 1, dtype=np.uint64) * GOLDEN_RATIO)
    multiply = seeds[:SLOTS].astype(np.uint32) | np.uint32(1)
    add = seeds[SLOTS:].astype(np.uint32)
    # Rounding a float64 logarithm to float32 removes last-bit differences between maths libraries.
    exponential = -np.log((np.arange(1 << 16) + 0.5) / (1 << 16))
    return multiply, add, exponential.astype(np.float32)


@compiled
def racer_key(article: int, hashed: np.uint64, weight: np.int64) -> np.uint64:
    """Encode a term as a number that sorts by article, then by falling weight, then by hash.

    Article (11 bits), weight falling (21), low half of the hash (32, its 23 lowest bits first).
    """
    key = np.uint64(article) << _WEIGHT_BITS | (_HEAVIEST - np.uint64(weight))
    low = hashed << np.uint64(9) & np.uint64(0xFFFFFE00)
    low |= hashed >> np.uint64(23) & np.uint64(0x1FF)
    return key << _LOW_BITS | low


def salience_slots(keys: NDArray[np.uint64], offsets: NDArray[np.int64]) -> _U32:
    """Compute the salience signatures of articles.

    Parameters
    ----------
    keys : ndarray of uint64, shape (n_terms,)
        The `racer_key` of each distinct term of each article, from its hash and its TF-IDF weight,
        a whole number below 2**21; terms of weight 0 do not take part. They are sorted in place.
    offsets : ndarray of int64, shape (n_articles + 1,)
        Article ``i`` owns the terms ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of uint32, shape (n_articles, 128)
    """
    # NumPy's sort of a whole chunk is faster than one of each article.
    keys.sort()
    slots = np.empty((len(offsets) - 1, SLOTS), dtype=np.uint32)
    lows, paces = np.empty(RACERS, dtype=np.uint32), np.empty(RACERS, dtype=np.float32)
    _race_all(keys, offsets, *_race(), lows, paces, slots)
    return slots


@compiled
def _race_all(
    keys: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    multiply: _U32,
    add: _U32,
    exponential: NDArray[np.float32],
    lows: _U32,
    paces: NDArray[np.float32],
    slots: _U32,
) -> None:
    """Run the races and fill in the winner of each slot; `lows` and `paces` are room for one."""
    for row in range(len(slots)):
        first = offsets[row]
        racers = 0
        for k in range(RACERS):
            # Who is not there never finishes.
            lows[k], paces[k] = 0, np.inf
        while racers < RACERS and first + racers < offsets[row + 1]:
            key = keys[first + racers]
            weight = np.float64(_HEAVIEST - (key >> _LOW_BITS & _HEAVIEST))
            if weight == 0:
                break
            paces[racers] = np.float32(1.0 / (weight * weight))
            lows[racers] = np.uint32(
                key >> np.uint64(9) & np.uint64(0x7FFFFF) | key << np.uint64(23)
            )
            racers += 1
        for k in range(SLOTS if racers else 0):
            best, factor, more = EMPTY_SLOT, multiply[k], add[k]
            # Always as many, and nothing is written to an array: so that this runs on vectors.
            for racer in range(RACERS):
                draw = np.uint32(np.uint32(lows[racer] * factor) + more)
                # Positive floats sort like their bits. The lowest bits hold the rank, so that one
                # minimum finds the winner and breaks ties the same way everywhere.
                finish = np.float32(exponential[draw >> np.uint32(16)] * paces[racer])
                ranked = (finish.view(np.uint32) & ~_RANK_BITS) | np.uint32(racer)
                best = ranked if ranked < best else best
            slots[row, k] = lows[best & _RANK_BITS]
        for k in range(0 if racers else SLOTS):
            slots[row, k] = EMPTY_SLOT


@functools.cache
def _permutations() -> tuple[_U32, _U32]:
    """Multipliers and offsets of datasketch's ``affine32`` scheme, seed 1."""
    # Drawn as datasketch draws them, from a generator whose numbers NumPy promises never to change.
    # Importing datasketch would take half a second.
    generator = np.random.RandomState(1)
    half = generator.randint(0, 1 << 31, SLOTS, dtype=np.uint32)
    add = generator.randint(0, 1 << 32, SLOTS, dtype=np.uint32)
    return half * np.uint32(2) + np.uint32(1), add


@compiled
def _fmix32(x: np.uint32) -> np.uint32:
    """MurmurHash3's finalizer, the pre-mix of ``affine32``."""
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    x = np.uint32((x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.uint32(x ^ (x >> np.uint32(16)))


def shingle_slots(tokens: NDArray[np.uint64], offsets: NDArray[np.int64]) -> _U32:
    """Compute the shingle signatures of articles.

    Parameters
    ----------
    tokens : ndarray of uint64, shape (n_tokens,)
        Token hashes in reading order, article by article.
    offsets : ndarray of int64, shape (n_articles + 1,)
        Article ``i`` owns the tokens ``offsets[i]:offsets[i + 1]``.

    Returns
    -------
    ndarray of uint32, shape (n_articles, 128)
        The only shingle of an article of one or two tokens is the whole article.
    """
    slots = np.empty((len(offsets) - 1, SLOTS), dtype=np.uint32)
    _sign_all(tokens, offsets, *_permutations(), slots)
    return slots


@compiled
def _sign_all(
    tokens: NDArray[np.uint64],
    offsets: NDArray[np.int64],
    multiply: _U32,
    add: _U32,
    slots: _U32,
) -> None:
    """Fill in the least values of the shingles of articles under some permutations."""
    for row in range(len(slots)):
        first, last = offsets[row], offsets[row + 1]
        for k in range(SLOTS):
            slots[row, k] = EMPTY_SLOT
        # An article shorter than a shingle has the one that begins at its first token.
        words = SHINGLE_WORDS if last - first > SHINGLE_WORDS else last - first
        last = last - words if words > 0 else first - 1
        # Two at a time, because each slot is then read and written half as often.
        for start in range(first, last + 1, 2):
            one = _shingle_value(tokens, start, words)
            two = _shingle_value(tokens, start + 1, words) if start < last else one
            for k in range(SLOTS):
                factor, more, least = multiply[k], add[k], slots[row, k]
                hashed = np.uint32(np.uint32(one * factor) + more)
                least = hashed if hashed < least else least
                hashed = np.uint32(np.uint32(two * factor) + more)
                slots[row, k] = hashed if hashed < least else least


@compiled
def _shingle_value(tokens: NDArray[np.uint64], start: int, words: int) -> np.uint32:
    """Hash the shingle that begins at a token."""
    total = np.uint64(0)
    for k in range(words):
        total += tokens[start + k] * _SHINGLE_FACTORS[k]
    return _fmix32(np.uint32(splitmix64_one(total) >> np.uint64(32)))


def shingles(tokens: Tokens, article: int) -> Iterator[str]:
    """Yield the three-word shingles of one article of a chunk, as `shingle_hash` takes them."""
    words = tokens.words(np.arange(tokens.offsets[article], tokens.offsets[article + 1]))
    if words:
        for i in range(max(1, len(words) - SHINGLE_WORDS + 1)):
            yield " ".join(words[i : i + SHINGLE_WORDS])


def shingle_hash(shingle: bytes) -> int:
    """Hash one shingle: the ``hashfunc`` that makes a `datasketch.MinHash` equal to this one.

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
    return int(splitmix64(np.array([total % (1 << 64)], dtype=np.uint64))[0]) >> 32
