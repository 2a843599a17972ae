"""The index on disk: one SQLite file in write-ahead mode.

Every change is one transaction. What a committed transaction holds survives the death of
the process at any moment; after a power cut the last transactions may be missing, and the
file is sound. One process writes, kept apart from others by a lock on a second, empty file
beside the first; any number may read meanwhile.

This module knows tables, not articles: `sahel_dedup.index.saving` fills them. Texts are in
a table of their own, which is read when somebody asks for one and never otherwise.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any
from urllib.parse import quote

from sahel_dedup.errors import SahelError
from sahel_dedup.fingerprint import FINGERPRINT_VERSION

FORMAT_VERSION = 5
# "SDIX": tells the file from any other SQLite database.
_APPLICATION = 0x53444958
_SQLITE = b"SQLite format 3\0"
_LOCK = "-lock"
_READ_AT_ONCE = 2000

_SCHEMA = """
CREATE TABLE header (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE terms (number INTEGER PRIMARY KEY, hash INTEGER NOT NULL, word BLOB NOT NULL);
CREATE TABLE articles (
    serial INTEGER PRIMARY KEY, id BLOB NOT NULL, day REAL, source BLOB, lang TEXT NOT NULL,
    body INTEGER NOT NULL, headline INTEGER NOT NULL, length INTEGER NOT NULL,
    terms BLOB NOT NULL, counts BLOB NOT NULL, title_terms BLOB NOT NULL,
    salience BLOB NOT NULL, shingles BLOB NOT NULL, tallies BLOB NOT NULL
);
CREATE TABLE texts (serial INTEGER PRIMARY KEY, title BLOB, text BLOB NOT NULL);
CREATE TABLE standing (
    serial INTEGER PRIMARY KEY, story INTEGER NOT NULL, twin INTEGER NOT NULL,
    day REAL NOT NULL, nearest BLOB NOT NULL, changed INTEGER NOT NULL
);
CREATE TABLE events (
    cursor INTEGER PRIMARY KEY, kind TEXT NOT NULL, story TEXT NOT NULL, other TEXT
);
CREATE TABLE forgotten (
    lang TEXT PRIMARY KEY, articles INTEGER NOT NULL, terms BLOB NOT NULL, counts BLOB NOT NULL
) WITHOUT ROWID;
"""


class Store:
    """A file of an index.

    Parameters
    ----------
    path
        The file.
    readonly
        Whether only to read.
    header
        What a new file says about itself; without it a file that is not there is an error.

    Raises
    ------
    SahelError
        If the file is not an index of this version, is damaged, or is being written by
        somebody else.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        readonly: bool = False,
        header: dict[str, Any] | None = None,
    ) -> None:
        self.path = os.fspath(path)
        self.readonly = readonly
        folder = os.path.dirname(os.path.abspath(self.path))
        if not os.path.isdir(folder):
            raise SahelError(f"cannot open {self.path!r}: there is no folder {folder!r}")
        self._lock = None if readonly else _locked(self.path)
        try:
            if not os.path.exists(self.path):
                if header is None or readonly:
                    raise SahelError(f"no index at {self.path!r}")
                _create(self.path, header)
            self._connection = self._connect()
        except BaseException:
            if self._lock is not None:
                self._lock.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        if self._lock is not None:
            self._lock.close()

    def read(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        return [row for part in self.read_parts(sql, *values) for row in part]

    def read_parts(self, sql: str, *values: object) -> Iterator[list[tuple[Any, ...]]]:
        """Yield the rows of a query, many at a time."""
        with self._explained():
            cursor = self._connection.execute(sql, values)
        while True:
            with self._explained():
                rows = cursor.fetchmany(_READ_AT_ONCE)
            if not rows:
                return
            yield rows

    def write(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Run a statement for each of some rows."""
        self._connection.executemany(sql, rows)

    def header(self) -> dict[str, Any]:
        """Return what the file says about itself."""
        rows = self.read("SELECT name, value FROM header")
        with self._explained():
            return {name: json.loads(value) for name, value in rows}

    def set_header(self, **values: Any) -> None:
        """Change what the file says about itself."""
        rows = [(name, json.dumps(value)) for name, value in values.items()]
        self.write("INSERT OR REPLACE INTO header VALUES (?, ?)", rows)

    def last(self, table: str, column: str) -> int:
        """Return the highest number in a column, 0 if there is none."""
        ((highest,),) = self.read(f"SELECT max({column}) FROM {table}")
        return highest or 0

    def version(self) -> int:
        """Return a number that changes when another process has written."""
        ((number,),) = self.read("PRAGMA data_version")
        return int(number)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Do everything or nothing; a reader sees one state of the file throughout."""
        with self._explained():
            self._connection.execute("BEGIN" if self.readonly else "BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                # After some faults SQLite has rolled back by itself.
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def faults(self) -> list[str]:
        """Return what SQLite finds wrong with the file."""
        rows = [text for (text,) in self.read("PRAGMA integrity_check(20)")]
        return [] if rows == ["ok"] else rows

    def shrink(self) -> None:
        """Give unused space back to the file system."""
        with self._explained():
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _connect(self) -> sqlite3.Connection:
        with self._explained():
            connection = _open(self.path, "ro" if self.readonly else "rw")
            try:
                self._check(connection)
                if not self.readonly:
                    self._check_size(connection)
                    connection.execute("PRAGMA journal_mode = WAL")
                    # The log is not forced to the disk at each commit: that would survive
                    # power cuts too, and take 3 ms an article.
                    connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA busy_timeout = 10000")
            except BaseException:
                connection.close()
                raise
            return connection

    def _check(self, connection: sqlite3.Connection) -> None:
        """Refuse what is no index, or not one of ours."""
        ((application,),) = connection.execute("PRAGMA application_id")
        ((version,),) = connection.execute("PRAGMA user_version")
        if application != _APPLICATION:
            raise SahelError(f"{self.path!r} is not an index of sahel_dedup")
        if version != FORMAT_VERSION:
            raise SahelError(
                f"{self.path!r} is an index of format {version}; this release reads format "
                f"{FORMAT_VERSION}: build it again from the articles"
            )
        (found,) = connection.execute("SELECT value FROM header WHERE name = 'fingerprint'")
        if json.loads(found[0]) != FINGERPRINT_VERSION:
            raise SahelError(
                f"{self.path!r} holds fingerprints of version {found[0]}; this release makes "
                f"version {FINGERPRINT_VERSION}: build it again from the articles"
            )

    def _check_size(self, connection: sqlite3.Connection) -> None:
        """Refuse a file that was cut off, of which SQLite would read the rest as zeros."""
        log = self.path + "-wal"
        if os.path.exists(log) and os.path.getsize(log):
            # The missing pages may be in the log: a checkpoint was cut short.
            return
        with open(self.path, "rb") as file:
            head = file.read(100)
        ((page,),) = connection.execute("PRAGMA page_size")
        if os.path.getsize(self.path) < page * int.from_bytes(head[28:32], "big"):
            raise sqlite3.DatabaseError("the end of the file is missing")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise SahelError(f"cannot use {self.path!r}: {error}") from error
        except (sqlite3.DatabaseError, json.JSONDecodeError) as error:
            raise SahelError(
                f"{self.path!r} is no index or is damaged ({error}): restore a copy, or build "
                "it again from the articles"
            ) from error


def is_index(path: str | os.PathLike[str]) -> bool:
    """Whether a file is there and is a database, which no file of rows is."""
    try:
        with open(path, "rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def _open(path: str, mode: str) -> sqlite3.Connection:
    # Transactions are begun by hand; threads take turns in StoryIndex.
    uri = f"file:{quote(path)}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)


def _create(path: str, header: dict[str, Any]) -> None:
    """Make a file that appears under its name only when it is whole."""
    draft = path + "-new"
    with suppress(FileNotFoundError):
        os.unlink(draft)
    with closing(_open(draft, "rwc")) as connection:
        # Two articles to a page, where one of SQLite's own size holds one and a gap.
        connection.executescript(
            f"PRAGMA page_size = 8192; PRAGMA application_id = {_APPLICATION};"
            f"PRAGMA user_version = {FORMAT_VERSION};" + _SCHEMA
        )
        values = {"fingerprint": FINGERPRINT_VERSION, "generation": 0, **header}
        connection.executemany(
            "INSERT INTO header VALUES (?, ?)",
            [(name, json.dumps(value)) for name, value in values.items()],
        )
    os.replace(draft, path)


def _locked(path: str) -> sqlite3.Connection:
    """Lock an index for writing, until the process ends or the connection is closed."""
    lock = _open(path + _LOCK, "rwc")
    try:
        lock.execute("PRAGMA busy_timeout = 0")
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise SahelError(
                f"{path!r} is being written by another process or another StoryIndex: one "
                "writes at a time; open it with readonly=True to look"
            ) from None
        raise SahelError(f"cannot lock {path!r}: {error}") from error
    return lock
