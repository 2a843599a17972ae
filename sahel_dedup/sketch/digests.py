"""Digests of texts, which show whether two have the same words in the same order.

The hashes of words and shingles are fast and public, so somebody can write texts that share them.
Exact copies are therefore recognised by a cryptographic hash of the words themselves: 128 bits of
BLAKE2b (RFC 7693).
"""

from __future__ import annotations

import hashlib
import struct

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.text.tokenizer import Tokens
from sahel_dedup.text.unicode_tables import character_tables
from sahel_dedup.util.hashing import U64
from sahel_dedup.util.jit import compiled

_BYTES = 16
_HALVES = struct.Struct("<QQ")


def text_digests(tokens: Tokens) -> U64:
    """Digest the words of each text of a chunk.

    Parameters
    ----------
    tokens : Tokens

    Returns
    -------
    ndarray of uint64, shape (n_texts, 2)
        The two halves of each digest; zeros for a text without words.
    """
    tables = character_tables()
    # A character takes four bytes at most.
    room = len(tokens.starts) + 4 * int((tokens.ends - tokens.starts).sum())
    letters = np.empty(room, dtype=np.uint8)
    ends = np.empty(len(tokens.offsets) - 1, dtype=np.int64)
    _lay_out(
        tokens.starts, tokens.ends, tokens.offsets, tokens.codes, tables.folded, tables.values,
        letters, ends,
    )  # fmt: skip
    found = np.zeros((len(tokens.offsets) - 1, 2), dtype=np.uint64)
    data, start = letters.data, 0
    for text, end in enumerate(ends.tolist()):
        if end > start:
            digest = hashlib.blake2b(data[start:end], digest_size=_BYTES).digest()
            found[text] = _HALVES.unpack(digest)
            start = end
    return found


def text_numbers(body: U64, check: U64) -> U64:
    """Assign numbers to texts by their digests; equal texts get the same number.

    Parameters
    ----------
    body, check : ndarray of uint64, shape (n,)
        The halves of the digests.

    Returns
    -------
    ndarray of uint64, shape (n,)
        Numbers from 1 on; 0 for a text without words.
    """
    order = np.lexsort((check, body))
    new = np.zeros(len(order), dtype=np.uint64)
    one, other = body[order], check[order]
    new[:1] = one[:1] > 0
    new[1:] = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    numbers = np.empty_like(new)
    numbers[order] = np.cumsum(new)
    return numbers


@compiled
def _lay_out(
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    offsets: NDArray[np.int64],
    codes: NDArray[np.uint32],
    folded: NDArray[np.uint32],
    values: U64,
    letters: NDArray[np.uint8],
    text_ends: NDArray[np.int64],
) -> None:
    """Concatenate the case-folded words of texts, and find where those of each text end.

    The result is UTF-8 with a NUL after each word; it is compact, because the time of a hash
    depends on the bytes it reads.
    """
    size = 0
    for text in range(len(text_ends)):
        for token in range(offsets[text], offsets[text + 1]):
            for code in codes[starts[token] : ends[token]]:
                if not values[code]:
                    continue
                char = folded[code]
                if char < 0x80:
                    letters[size] = char
                    size += 1
                    continue
                if char < 0x800:
                    letters[size] = 0xC0 | char >> 6
                    size += 1
                else:
                    if char < 0x10000:
                        letters[size] = 0xE0 | char >> 12
                    else:
                        letters[size] = 0xF0 | char >> 18
                        letters[size + 1] = 0x80 | char >> 12 & 0x3F
                        size += 1
                    letters[size + 1] = 0x80 | char >> 6 & 0x3F
                    size += 2
                letters[size] = 0x80 | char & 0x3F
                size += 1
            letters[size] = 0
            size += 1
        text_ends[text] = size
