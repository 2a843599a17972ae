"""Tables in an open SQLite file whose rows each have a seal.

The header of the file has the sum of the seals of each table, so that changed, lost or restored
rows are detected (`sahel_dedup.index.seals`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sahel_dedup.errors import SahelError
from sahel_dedup.index.file_header import Header
from sahel_dedup.index.seals import added
from sahel_dedup.index.sqlite_file import TABLES, TableRow, damaged, named_error

_READ_AT_ONCE = 2000
_INSERT = {
    table: f"INSERT OR REPLACE INTO {table} VALUES (?{', ?' * (columns - 1)})"
    for table, (_, columns) in TABLES.items()
}


class SealedTables:
    """Reads and writes the tables of a file.

    Parameters
    ----------
    path : str
        The file, for messages. A subclass opens it, sets the connection and reads the header.
    """

    _connection: sqlite3.Connection
    _header: Header

    def __init__(self, path: str) -> None:
        self.path = path
        # Whether transactions may write, and whether the open one has written.
        self._writing = self._changed = False

    @property
    def made(self) -> dict[str, Any]:
        """The permanent part of the header."""
        return self._header.made

    @property
    def state(self) -> dict[str, Any]:
        """The state as of the last transaction that was read or written."""
        return self._header.state

    @state.setter
    def state(self, values: dict[str, Any]) -> None:
        # Within the open transaction.
        self._header.state = values
        self._changed = True

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run a transaction: all or nothing when writing, one state of the file when reading."""
        with self._explained():
            self._connection.execute("BEGIN IMMEDIATE" if self._writing else "BEGIN")
            before = self._header
            try:
                self._changed, self._header = False, before.following()
                yield
                if self._changed:
                    self._header.count_transaction()
                    self._header.write(self._connection)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._writing:
                    self._header = before
                # After some faults SQLite has already rolled back.
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def put(self, table: str, rows: Iterable[TableRow], *, replace: bool = False) -> None:
        """Write rows, in the open transaction.

        Parameters
        ----------
        table : str
        rows : iterable of tuple
            The key of the row, and all columns after the seal.
        replace : bool
            Whether rows with the same keys may exist.
        """
        rows = list(rows)
        if not rows:
            return
        if replace:
            self._subtract(table, (row[0] for row in rows))
        seal_of, sums, total, sealed = self._header.sealers[table].seal, self._header.sums, 0, []
        for row in rows:
            seal = seal_of(row)
            total += seal
            sealed.append((row[0], seal, *row[1:]))
        self._connection.executemany(_INSERT[table], sealed)
        sums[table] = added(sums[table], total)
        self._changed = True

    def drop(self, table: str, keys: Iterable[int]) -> None:
        """Delete rows, in the open transaction; some may not exist."""
        keys = list(keys)
        if not keys:
            return
        self._subtract(table, keys)
        name = TABLES[table][0]
        self._connection.executemany(
            f"DELETE FROM {table} WHERE {name} = ?", ((key,) for key in keys)
        )
        self._changed = True

    def clear(self, table: str) -> None:
        """Delete all rows, in the open transaction."""
        self._connection.execute(f"DELETE FROM {table}")
        self._header.sums[table] = 0
        self._changed = True

    def drop_until(self, table: str, last: int) -> None:
        """Delete the rows up to a number, in the open transaction."""
        name = TABLES[table][0]
        found = self._connection.execute(f"SELECT {name} FROM {table} WHERE {name} <= ?", (last,))
        self.drop(table, [key for (key,) in found.fetchall()])

    def rows(self, table: str, *, since: tuple[str, int] | None = None) -> Iterator[list[TableRow]]:
        """Yield the rows of a table in order, many at a time, without their seals.

        Parameters
        ----------
        table : str
        since : tuple of str and int, optional
            Only rows with a greater number in this column. Without it, all rows are read and their
            sum is checked.

        Raises
        ------
        IndexFileError
            If a row was changed, or rows are missing or left over.
        """
        order = f"ORDER BY {TABLES[table][0]}"
        if since is not None:
            column, last = since
            for rows in self._read(f"SELECT * FROM {table} WHERE {column} > ? {order}", last):
                yield self._unsealed(table, rows)
            return
        total = 0
        for rows in self._read(f"SELECT * FROM {table} {order}"):
            yield self._unsealed(table, rows)
            total = added(total, sum(row[1] for row in rows))
        self._check_sum(table, total)

    def keys(self, table: str) -> list[int]:
        """Return the numbers of all rows of a table."""
        return [key for (key,) in self._all(f"SELECT {TABLES[table][0]} FROM {table}")]

    def row(self, table: str, key: int) -> TableRow | None:
        """Return one row without its seal, or ``None`` if it does not exist."""
        found = self._all(f"SELECT * FROM {table} WHERE {TABLES[table][0]} = ?", key)
        return self._unsealed(table, found)[0] if found else None

    def check_texts(self) -> None:
        """Check that all texts exist, without reading them.

        Raises
        ------
        IndexFileError
            If some are missing or left over.
        """
        seals = self._read("SELECT seal FROM texts")
        self._check_sum("texts", sum(seal for rows in seals for (seal,) in rows) % (1 << 64))

    def read_state(self) -> None:
        """Read the header of the file again."""
        self._header = Header.read(self._all("SELECT * FROM header"), self.path)

    def count(self, sql: str) -> int:
        """Return the single number that a query finds."""
        ((number,),) = self._all(sql)
        return int(number)

    @contextmanager
    def checked(self) -> Iterator[None]:
        """Convert all errors from reading a damaged or crafted file to one class of error."""
        try:
            with self._explained():
                yield
        except SahelError:
            raise
        except (
            LookupError, TypeError, ValueError, ArithmeticError, AttributeError, RecursionError,
            MemoryError, OSError,
        ) as error:  # fmt: skip
            raise damaged(self.path, str(error) or type(error).__name__) from error

    @contextmanager
    def _explained(self, path: str | None = None) -> Iterator[None]:
        """Convert errors of SQLite to errors that name the file and the cause."""
        try:
            yield
        except sqlite3.Error as error:
            raise named_error(error, path or self.path) from error

    def _subtract(self, table: str, keys: Iterable[int | str]) -> None:
        """Subtract the seals of rows that are about to be deleted from the sum."""
        find = f"SELECT seal FROM {table} WHERE {TABLES[table][0]} = ?"
        for key in keys:
            for (seal,) in self._connection.execute(find, (key,)):
                self._header.sums[table] = added(self._header.sums[table], -seal)

    def _check_sum(self, table: str, total: int) -> None:
        if total != self._header.sums[table]:
            raise damaged(
                self.path, f"its table {table} has lost rows, or has rows of other states"
            )

    def _unsealed(self, table: str, rows: Sequence[TableRow]) -> list[TableRow]:
        seal, found = self._header.sealers[table].seal, []
        for row in rows:
            content = (row[0], *row[2:])
            if seal(content) != row[1]:
                raise damaged(self.path, f"row {row[0]!r} of its table {table} has changed")
            found.append(content)
        return found

    def _all(self, sql: str, *values: object) -> list[TableRow]:
        return [row for rows in self._read(sql, *values) for row in rows]

    def _read(self, sql: str, *values: object) -> Iterator[list[TableRow]]:
        """Yield the rows of a query, many at a time."""
        with self._explained():
            cursor = self._connection.execute(sql, values)
        while True:
            with self._explained():
                rows = cursor.fetchmany(_READ_AT_ONCE)
            if not rows:
                return
            yield rows
