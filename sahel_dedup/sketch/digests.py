"""Digests of texts, which show whether two have the same words in the same order.

The hashes of words and shingles are fast and public, so somebody can write texts that share them.
Exact copies are therefore recognised by a cryptographic hash of the words themselves: 128 bits of
BLAKE2b (RFC 7693).
"""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np

from sahel_dedup.text.tokenizer import Tokens
from sahel_dedup.util.hashing import U64

_BYTES = 16
_NONE = bytes(_BYTES)


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
    letters = tokens.letters.data
    bounds = tokens.letter_starts[tokens.offsets].tolist()
    digests = b"".join(
        [
            hashlib.blake2b(letters[start:end], digest_size=_BYTES).digest()
            if end > start
            else _NONE
            for start, end in pairwise(bounds)
        ]
    )
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64).reshape(-1, 2)


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
