"""Checksums of the rows of an index, because SQLite has none and would not notice a flipped bit.

A seal is a keyed hash of all columns of a row. The key is the identity of the index, so rows of one
index are not valid in another. The sum of the seals of a table is written with each transaction, so
a row that is missing, doubled or left from another time is detected.

Seals detect accidents. Anyone who crafts a file can seal it, so everything is also checked as it is
read.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgpack  # type: ignore[import-untyped]

SEAL_BYTES = 8
_SUM = 1 << (8 * SEAL_BYTES)


class Sealer:
    """Computes the seals of the rows of one table.

    Parameters
    ----------
    identity : bytes
        Identity of the index.
    table : str
        Name of the table, at most sixteen letters.
    """

    def __init__(self, identity: bytes, table: str) -> None:
        self._start = hashlib.blake2b(key=identity, person=table.encode(), digest_size=SEAL_BYTES)
        # Keep one packer, because making one takes longer than packing a row.
        self._pack = msgpack.Packer(use_bin_type=True, unicode_errors="surrogatepass").pack

    def seal(self, row: tuple[Any, ...]) -> int:
        """Return the seal of a row, given without its seal, as an integer in SQLite's range."""
        state = self._start.copy()
        state.update(self._pack(row))
        return int.from_bytes(state.digest(), "big", signed=True)


def added(total: int, seals: int) -> int:
    """Add seals to a 64-bit sum, or subtract them."""
    return (total + seals) % _SUM
