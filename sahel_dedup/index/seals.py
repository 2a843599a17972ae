"""Checksums of the rows of an index: SQLite keeps none, and a flipped bit changes what it holds.

A seal is a keyed hash of all columns of a row. The key is the identity of the index, so rows
of one index are no rows of another. The seals of a table are added up, and the sum is written
with each transaction: a row that is missing, doubled or left from another time shows.

Seals find accidents. Whoever writes a file on purpose can seal it, which is why everything is
also checked as it is read.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgpack  # type: ignore[import-untyped]

SEAL_BYTES = 8
_SUM = 1 << (8 * SEAL_BYTES)


class Sealer:
    """Seals the rows of one table.

    Parameters
    ----------
    identity : bytes
        Of the index.
    table : str
        At most sixteen letters.
    """

    def __init__(self, identity: bytes, table: str) -> None:
        self._start = hashlib.blake2b(key=identity, person=table.encode(), digest_size=SEAL_BYTES)
        # One packer, as making one takes longer than packing a row.
        self._pack = msgpack.Packer(use_bin_type=True, unicode_errors="surrogatepass").pack

    def seal(self, row: tuple[Any, ...]) -> int:
        """Return the seal of a row without its seal, as an integer of SQLite's range."""
        state = self._start.copy()
        state.update(self._pack(row))
        return int.from_bytes(state.digest(), "big", signed=True)


def added(total: int, seals: int) -> int:
    """Add seals, or subtract them, in a sum of 64 bits."""
    return (total + seals) % _SUM
