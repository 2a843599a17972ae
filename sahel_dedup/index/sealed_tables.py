"""Tables in an open SQLite file whose rows each have a seal.

The header of the file has the sum of the seals of each table, so that changed, lost or restored
rows are detected (`sahel_dedup.index.seals`). The rows of the journal are numbered instead.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sahel_dedup.errors import IndexFileError, SahelError
from sahel_dedup.index.file_header import Header
from sahel_dedup.index.journal import (
    MOST_ROWS,
    MOST_TRANSACTIONS,
    TABLES_OF_ARTICLES,
    Journal,
    JournalEntry,
    pack,
    unpack,
)
from sahel_dedup.index.seals import added
from sahel_dedup.index.sqlite_file import TABLES, TableRow, damaged, named_error

# Earlier versions of SQLite would check the whole file.
_CHECKS_TABLES = sqlite3.sqlite_version_info >= (3, 33)
_READ_AT_ONCE = 2000
_KEYS_AT_ONCE = 64
_SEALS = {
    table: f"SELECT seal FROM {table} WHERE {key} IN (?{', ?' * (_KEYS_AT_ONCE - 1)})"
    for table, (key, _) in TABLES.items()
}
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
        # Whether transactions may write, and whether the open one has written, also to tables.
        self._writing = self._changed = self._direct = False
        self._journal = Journal(-1, "")
        # The rows that the open transaction has yet to write, and whether they may replace others.
        self._waiting: list[tuple[str, list[TableRow], bool]] = []

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
        connection, before, journal = self._connection, self._header, self._journal
        try:
            # A row of the journal is a transaction by itself, and nobody else can write meanwhile.
            if not self._writing:
                connection.execute("BEGIN")
            try:
                self._changed = self._direct = False
                self._header, self._waiting = before.following(), []
                yield
                if self._changed:
                    self._write_changes()
                if connection.in_transaction:
                    connection.execute("COMMIT")
            except BaseException:
                if self._writing:
                    self._header, self._journal = before, journal
                # After some faults SQLite has already rolled back.
                with suppress(sqlite3.Error):
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise named_error(error, self.path) from error

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
        self._waiting.append((table, rows, replace))
        self._changed = True
        if self._direct or len(rows) > MOST_ROWS or table not in TABLES_OF_ARTICLES:
            # Many rows would be written twice, and take memory until the end of the transaction.
            self._settle()

    def _settle(self) -> None:
        """Move everything from the journal to the tables, in the open transaction."""
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")
        # The header is written by this transaction, and says where the next journal begins.
        journal, self._journal = self._journal, Journal(-1, "")
        waiting, self._waiting = self._waiting, []
        self._changed = self._direct = True
        if len(journal):
            # Done first, so that the tables can grow into the freed pages.
            self._connection.execute("DELETE FROM journal")
            for table in TABLES_OF_ARTICLES:
                rows = list(journal.of(table).values())
                self._write(table, rows, replace=table == "standing")
        for table, rows, replace in waiting:
            self._write(table, rows, replace=replace)

    def _write_changes(self) -> None:
        """Write what waits, and the state, to the journal or to the tables and the header."""
        header = self._header
        header.count_transaction()
        if len(self._journal) >= MOST_TRANSACTIONS:
            self._settle()
        if self._direct:
            header.write(self._connection)
            self._journal = Journal(header.transaction, header.token)
            return
        written = [(table, rows) for table, rows, _ in self._waiting]
        packed = pack(JournalEntry(header.token, header.state, written))
        seal = header.sealers["journal"].seal((header.transaction, packed))
        self._connection.execute(_INSERT["journal"], (header.transaction, seal, packed))
        self._journal.add(header.state, written)

    def _write(self, table: str, rows: Sequence[TableRow], *, replace: bool = False) -> None:
        """Write rows to a table, with their seals."""
        if not rows:
            return
        if replace:
            self._subtract(table, (row[0] for row in rows))
        seals, sums = list(map(self._header.sealers[table].seal, rows)), self._header.sums
        sealed = [(row[0], seal, *row[1:]) for row, seal in zip(rows, seals, strict=True)]
        self._connection.executemany(_INSERT[table], sealed)
        sums[table] = added(sums[table], sum(seals))

    def drop(self, table: str, keys: Iterable[int]) -> None:
        """Delete rows, in the open transaction; some may not exist."""
        keys = list(keys)
        if not keys:
            return
        self._settle()
        self._subtract(table, keys)
        name = TABLES[table][0]
        self._connection.executemany(
            f"DELETE FROM {table} WHERE {name} = ?", ((key,) for key in keys)
        )

    def drop_until(self, table: str, last: int) -> None:
        """Delete the rows up to a number, in the open transaction."""
        self._settle()
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
        if since is None:
            yield from self._journal.merged(table, self._table(table))
            return
        (column, last), key = since, TABLES[table][0]
        sql = f"SELECT * FROM {table} WHERE {column} > ? ORDER BY {key}"
        found = (self._unsealed(table, rows) for rows in self._read(sql, last))
        # The other numbers by which rows are sought are those of the last column.
        yield from self._journal.merged(table, found, (0 if column == key else -1, last))

    def _table(self, table: str) -> Iterator[list[TableRow]]:
        """Yield all rows of a table, without those in the journal, and check their sum."""
        total = 0
        for rows in self._read(f"SELECT * FROM {table} ORDER BY {TABLES[table][0]}"):
            yield self._unsealed(table, rows)
            total = added(total, sum(row[1] for row in rows))
        self._check_sum(table, total)

    def keys(self, table: str) -> list[int]:
        """Return the numbers of all rows of a table."""
        found = self._all(f"SELECT {TABLES[table][0]} FROM {table}")
        waiting = (row[0] for name, rows, _ in self._waiting if name == table for row in rows)
        return sorted({key for (key,) in found}.union(self._journal.of(table), waiting))

    def row(self, table: str, key: int) -> TableRow | None:
        """Return one row without its seal, or ``None`` if it does not exist."""
        if (new := self._journal.of(table).get(key)) is not None:
            return new
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
        """Read the header and the journal of the file again, in the open transaction."""
        self._read_header()
        header, journal = self._header, self._journal
        if (header.transaction, header.token) == (journal.base, journal.token):
            rows = self._all("SELECT * FROM journal WHERE number > ? ORDER BY number", journal.last)
        else:
            # What was read before has been moved to the tables, or nothing was.
            journal = self._journal = Journal(header.transaction, header.token)
            rows = self._all("SELECT * FROM journal ORDER BY number")
            # It finds what no number tells, the loss of the last row by a flipped bit.
            if _CHECKS_TABLES and self._all("PRAGMA quick_check(journal)") != [("ok",)]:
                raise damaged(self.path, "the pages of its table journal are damaged")
        for number, written in self._unsealed("journal", rows):
            entry = unpack(written)
            if (number, entry.token) != (journal.last + 1, header.token):
                raise _incomplete(self.path, "journal")
            journal.add(entry.state, entry.written)
        if journal.state is not None:
            header.follow(journal.last, journal.state)

    def _read_header(self) -> None:
        self._header = Header.read(self._all("SELECT * FROM header"), self.path)

    def _last_token(self) -> str | None:
        """Return the token of the last transaction in the journal; None if it is empty."""
        rows = self._all("SELECT * FROM journal ORDER BY number DESC LIMIT 1")
        for _, written in self._unsealed("journal", rows):
            return unpack(written).token
        return None

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

    def _subtract(self, table: str, keys: Iterable[int | str | None]) -> None:
        """Subtract the seals of rows that are about to be deleted from the sum."""
        keys, find, sums = list(keys), _SEALS[table], self._header.sums
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            wanted = keys[start : start + _KEYS_AT_ONCE]
            # No row has the key NULL.
            found = self._connection.execute(find, wanted + [None] * (_KEYS_AT_ONCE - len(wanted)))
            sums[table] = added(sums[table], -sum(seal for (seal,) in found))

    def _check_sum(self, table: str, total: int) -> None:
        if total != self._header.sums[table]:
            raise _incomplete(self.path, table)

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


def _incomplete(path: str, table: str) -> IndexFileError:
    return damaged(path, f"its table {table} has lost rows, or has rows of other states")
