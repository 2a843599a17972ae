"""Checksums of the rows of an index, because SQLite has none and would not notice a flipped bit.

A seal is a keyed checksum of all columns of a row. The key depends on the identity of the index, so
rows of one index are not valid in another. Each transaction that writes to a table also writes the
sum of the seals of its rows, so a row that is missing, doubled or left from another time is
detected.

The header has cryptographic seals, because the checksum is compiled code, which takes long to load
for who reads the header alone.

Seals detect accidents. Anyone who crafts a file can seal it, so everything is also checked as it is
read.
"""

from __future__ import annotations

import hashlib
from typing import Any

import msgpack  # type: ignore[import-untyped]

from sahel_dedup.index.checksums import checksum

_SUM = 1 << 64


class HeaderSealer:
    """Computes the seals of the rows of the header.

    Parameters
    ----------
    identity : bytes
        Identity of the index.
    """

    def __init__(self, identity: bytes) -> None:
        self._start = hashlib.blake2b(key=identity, person=b"header", digest_size=8)

    def seal(self, row: tuple[Any, ...]) -> int:
        """Return the seal of a row, given without its seal, as an integer in SQLite's range."""
        state = self._start.copy()
        state.update(msgpack.packb(row, unicode_errors="surrogatepass"))
        return int.from_bytes(state.digest(), "big", signed=True)


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
        key = hashlib.blake2b(key=identity, person=table.encode(), digest_size=8).digest()
        self._key = int.from_bytes(key, "little") >> 1
        # Keep one packer, because making one takes longer than packing a row.
        self._pack = msgpack.Packer(use_bin_type=True, unicode_errors="surrogatepass").pack

    def seal(self, row: tuple[Any, ...]) -> int:
        """Return the seal of a row, given without its seal, as an integer in SQLite's range."""
        return checksum(self._pack(row), self._key)


def added(total: int, seals: int) -> int:
    """Add seals to a 64-bit sum, or subtract them."""
    return (total + seals) % _SUM
