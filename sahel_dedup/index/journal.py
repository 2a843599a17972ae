"""The journal: rows of small transactions, which are moved to their tables many at a time.

An article that arrives alone would add a row to several tables, and change the header, each with a
seal and a page of its own. Its transaction therefore writes all of them as one row of the journal.

The rows are numbered without gaps, from the transaction after that of the header, and repeat its
token. So a row that is missing before others, or left from another time, is detected. Without its
last rows, a journal is that of an earlier state, like a log that is cut off.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import msgpack  # type: ignore[import-untyped]

from sahel_dedup.index.sqlite_file import TABLES, TableRow

# The tables to which an arriving article adds rows. Their keys are integers.
TABLES_OF_ARTICLES = ("terms", "articles", "texts", "standing", "events")
# Numbers of rows of a table that one transaction adds to it, and of transactions in it.
MOST_ROWS = 16
MOST_TRANSACTIONS = 64

_KEY = operator.itemgetter(0)
_pack = msgpack.Packer(unicode_errors="surrogatepass").pack

# What a transaction writes: for each table, some rows without their seals.
Written = Sequence[tuple[str, Sequence[TableRow]]]


class JournalEntry(NamedTuple):
    """A transaction in the journal.

    Attributes
    ----------
    token : str
        That of the header, which is the process that writes.
    state : dict
        The state of the index from then on.
    written : sequence
        What it writes to tables.
    """

    token: str
    state: dict[str, Any]
    written: Written


class Journal:
    """The rows in the journal of a file, by table and key.

    Attributes
    ----------
    base, last : int
        Numbers of the transactions before its first and of its last; the same if it is empty.
    token : str
        The token of its transactions.
    state : dict or None
        The state as of its last transaction; None if it is empty.
    """

    def __init__(self, base: int, token: str) -> None:
        self.base = self.last = base
        self.token = token
        self.state: dict[str, Any] | None = None
        self._rows: dict[str, dict[int, TableRow]] = {table: {} for table in TABLES_OF_ARTICLES}

    def __len__(self) -> int:
        return self.last - self.base

    def add(self, state: dict[str, Any], written: Written) -> None:
        """Add the next transaction."""
        self.last += 1
        self.state = state
        for table, rows in written:
            self._rows[table].update(zip(map(_KEY, rows), rows, strict=True))

    def of(self, table: str) -> dict[int, TableRow]:
        """Return the rows of a table; they take the place of those with the same keys."""
        return self._rows.get(table, {})

    def merged(
        self, table: str, parts: Iterable[list[TableRow]], since: tuple[int, int] | None = None
    ) -> Iterator[list[TableRow]]:
        """Yield the rows of a table and those of the journal, in order of their keys.

        Parameters
        ----------
        table : str
        parts : iterable of list of tuple
            The rows of the table in that order, many at a time.
        since : tuple of int and int, optional
            Only rows of the journal with a greater number in this column.
        """
        new = dict(sorted(self.of(table).items()))
        if since is not None:
            column, last = since
            new = {key: row for key, row in new.items() if row[column] > last}
        for part in parts:
            here = [key for key in new if key <= part[-1][0]]
            if here:
                rows = {row[0]: row for row in part} | {key: new.pop(key) for key in here}
                yield [rows[key] for key in sorted(rows)]
            else:
                yield part
        if new:
            yield list(new.values())


def pack(entry: JournalEntry) -> bytes:
    """Pack a transaction."""
    return bytes(_pack(entry))


def unpack(data: object) -> JournalEntry:
    """Unpack a transaction.

    Raises
    ------
    TypeError, ValueError
        If it cannot be one.
    """
    entry = JournalEntry(*_unpack(data))
    if not (isinstance(entry.token, str) and isinstance(entry.state, dict)):
        raise ValueError("journal: no token or state")
    return entry._replace(written=_checked(entry.written))


def unpack_former(data: object) -> Written:
    """Unpack what a transaction of formats 10 and 11 wrote, whose state is in the header.

    Raises
    ------
    TypeError, ValueError
        If it cannot be rows of these tables.
    """
    return _checked(_unpack(data))


def _unpack(data: object) -> Any:
    if not isinstance(data, bytes):
        raise ValueError("journal: not bytes")
    return msgpack.unpackb(data, use_list=False, unicode_errors="surrogatepass")


def _checked(written: Any) -> Written:
    for table, rows in written:
        if table not in TABLES_OF_ARTICLES:
            raise ValueError(f"journal: no rows of {table!r} can be in it")
        for row in rows:
            # A row in a table has a seal too.
            if (
                type(row) is not tuple
                or len(row) != TABLES[table][1] - 1
                or type(row[0]) is not int
            ):
                raise ValueError(f"journal: no row of {table!r}")
    return tuple(written)
