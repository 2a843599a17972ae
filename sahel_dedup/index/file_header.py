"""The header of the file of an index: how it was made, its state, and its log.

The rows of the journal have the states since (`sahel_dedup.index.journal`).
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable
from typing import Any, Self

import msgpack  # type: ignore[import-untyped]

from sahel_dedup.errors import IndexFileError
from sahel_dedup.index.seals import HeaderSealer, Sealer
from sahel_dedup.index.sqlite_file import FORMAT_VERSION, TABLES, TableRow
from sahel_dedup.sketch.fingerprint import FINGERPRINT_VERSION

REBUILD = "make it again with `sahel-dedup index rebuild OLD NEW`, or from the articles"
_pack = msgpack.Packer().pack
# The rows of the journal are counted by their numbers instead.
_SUMMED = [table for table in TABLES if table != "journal"]


class Header:
    """The header of a file, in two rows.

    One is permanent. The other is as of the last transaction that wrote to the tables, and `follow`
    adds those that are in the journal.

    Attributes
    ----------
    made : dict
        How it was made.
    state : dict
        How far it has come.
    sums : dict of str to int
        The sum of the seals of the rows of each table, except the journal.
    sealers : dict of str to Sealer
        The sealer of the rows of each table.
    """

    def __init__(self, made: dict[str, Any]) -> None:
        self.made = made
        self.state: dict[str, Any] = {}
        self.sums = dict.fromkeys(_SUMMED, 0)
        # The transaction of the state, and its process: see `begin_log`.
        self._log: dict[str, Any] = {"token": None, "opened": 0, "transaction": 0}
        identity = bytes.fromhex(made["identity"])
        self.sealers = {table: Sealer(identity, table) for table in TABLES}
        self._sealer = HeaderSealer(identity)

    @classmethod
    def new(cls, made: dict[str, Any], state: dict[str, Any]) -> Self:
        """Make the header of a new file."""
        identity = secrets.token_hex(16)
        header = cls({"identity": identity, "fingerprint": FINGERPRINT_VERSION, **made})
        header.state = state
        header.renew_token()
        return header

    @classmethod
    def read(cls, rows: Iterable[TableRow], path: str) -> Self:
        """Read the rows of the table of the header.

        Raises
        ------
        IndexFileError
            If it is of another version.
        LookupError, TypeError, ValueError
            If it is damaged.
        """
        found = {name: (seal, value) for name, seal, value in rows}
        header = cls(_value(found, "made", HeaderSealer(b"")))
        if (version := header.made["fingerprint"]) != FINGERPRINT_VERSION:
            raise IndexFileError(
                f"{path!r} has fingerprints of version {version}; this release makes version "
                f"{FINGERPRINT_VERSION}: {REBUILD}"
            )
        state = _value(found, "state", header._sealer)
        header.state, header._log = state["index"], state["log"]
        header.sums = {table: state["sums"][table] for table in _SUMMED}
        counted = [*header.sums.values(), header._log["transaction"], header._log["opened"]]
        if {type(number) for number in counted} != {int}:
            raise ValueError("its transactions are not counted")
        return header

    def write(self, connection: sqlite3.Connection, *, made: bool = False) -> None:
        """Write the state, and for a new file also how it was made."""
        if made:
            made_so = json.dumps(self.made, allow_nan=False)
            _put(connection, "made", made_so, HeaderSealer(b""))
        state = {"log": self._log, "sums": self.sums, "index": self.state}
        _put(connection, "state", _pack(state), self._sealer)

    def following(self) -> Header:
        """Return a copy for the next transaction, which may fail."""
        header = Header.__new__(Header)
        header.__dict__ |= self.__dict__
        header.sums = dict(self.sums)
        return header

    @property
    def transaction(self) -> int:
        """Number of the last transaction."""
        return int(self._log["transaction"])

    @property
    def token(self) -> str:
        """The token of the process that wrote last."""
        return str(self._log["token"])

    def count_transaction(self) -> None:
        """Count a transaction that is about to be committed."""
        self._log = self._log | {"transaction": self._log["transaction"] + 1}

    def follow(self, transaction: int, state: dict[str, Any]) -> None:
        """Continue with a later transaction, which is in the journal."""
        self._log = self._log | {"transaction": transaction}
        self.state = state

    def begin_log(self) -> None:
        """Take a new token, that of the process that starts to write, and of its log."""
        before, opened = self._log["token"], self._log["transaction"] + 1
        self._log = self._log | {
            "token": secrets.token_hex(8), "before": before, "opened": opened,
        }  # fmt: skip

    def renew_token(self) -> None:
        """Take a new token, so that no existing log belongs to the file."""
        self._log = self._log | {"token": secrets.token_hex(8), "before": None}

    def is_log_of(self, file: Header, token: str | None) -> bool:
        """Whether what was read through a log belongs to the header of the file alone.

        Parameters
        ----------
        file : Header
            The header of the file alone.
        token : str or None
            The token of the last transaction in the journal, also read through the log.
        """
        if token not in (None, self.token):
            return False
        # The transaction with which a process opens the file changes only the token.
        opening = token is None and self._log["opened"] == self._log["transaction"]
        tokens = [self.token, self._log["before"] if opening else None]
        return file.made == self.made and file._log["token"] in tokens


def format_fault(version: int, path: str) -> IndexFileError:
    """Return the error of a file of another format."""
    return IndexFileError(
        f"{path!r} is an index of format {version}; this release reads format {FORMAT_VERSION}: "
        f"{REBUILD}"
    )


def _value(
    found: dict[str, tuple[int, str | bytes]], name: str, sealer: HeaderSealer
) -> dict[str, Any]:
    seal, written = found[name]
    if sealer.seal((name, written)) != seal:
        raise ValueError(f"its header {name!r} has changed")
    value = header_value(written)
    if not isinstance(value, dict):
        raise ValueError(f"its header {name!r} is not an object")
    return value


def header_value(written: str | bytes) -> Any:
    """Read a value of the header: packed, or in JSON, as in earlier formats.

    Raises
    ------
    ValueError
        If it is damaged.
    """
    if isinstance(written, bytes):
        return msgpack.unpackb(written)
    return json.loads(written, parse_constant=_refuse)


def _put(
    connection: sqlite3.Connection, name: str, value: str | bytes, sealer: HeaderSealer
) -> None:
    row = name, sealer.seal((name, value)), value
    connection.execute("INSERT OR REPLACE INTO header VALUES (?, ?, ?)", row)


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not a number")
