"""The use of SQLite: the schema, connections, and errors that name their cause."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any
from urllib.parse import quote

from sahel_dedup.errors import FileError, IndexBusyError, IndexFileError, SahelError

FORMAT_VERSION = 12
# "SDIX" distinguishes the file from other SQLite databases.
APPLICATION = 0x53444958
_SQLITE = b"SQLite format 3\0"

_SCHEMA = """
CREATE TABLE header (name TEXT PRIMARY KEY, seal INTEGER NOT NULL, value BLOB NOT NULL)
WITHOUT ROWID;
CREATE TABLE journal (number INTEGER PRIMARY KEY, seal INTEGER NOT NULL, written BLOB NOT NULL);
CREATE TABLE terms (
    first INTEGER PRIMARY KEY, seal INTEGER NOT NULL, numbers BLOB NOT NULL, hashes BLOB NOT NULL,
    words BLOB NOT NULL
);
CREATE TABLE articles (
    serial INTEGER PRIMARY KEY, seal INTEGER NOT NULL, id BLOB NOT NULL, day REAL, source BLOB,
    lang TEXT NOT NULL, body INTEGER NOT NULL, body_check INTEGER NOT NULL,
    headline INTEGER NOT NULL, length INTEGER NOT NULL, opening_numbers INTEGER NOT NULL,
    terms BLOB NOT NULL, counts BLOB NOT NULL, title_terms BLOB NOT NULL,
    salience BLOB NOT NULL, shingles BLOB NOT NULL, number_contexts BLOB NOT NULL
);
CREATE TABLE texts (
    serial INTEGER PRIMARY KEY, seal INTEGER NOT NULL, title BLOB, text BLOB NOT NULL,
    extra BLOB
);
CREATE TABLE standing (
    serial INTEGER PRIMARY KEY, seal INTEGER NOT NULL, story INTEGER NOT NULL,
    twin INTEGER NOT NULL, day REAL NOT NULL, nearest BLOB NOT NULL, changed INTEGER NOT NULL
);
CREATE TABLE events (
    cursor INTEGER PRIMARY KEY, seal INTEGER NOT NULL, kind TEXT NOT NULL, story TEXT NOT NULL,
    other TEXT
);
CREATE TABLE corrections (
    number INTEGER PRIMARY KEY, seal INTEGER NOT NULL, a BLOB NOT NULL, b BLOB NOT NULL,
    same INTEGER NOT NULL, who BLOB, said BLOB, why BLOB
);
CREATE TABLE forgotten (
    lang TEXT PRIMARY KEY, seal INTEGER NOT NULL, articles INTEGER NOT NULL,
    terms BLOB NOT NULL, counts BLOB NOT NULL
) WITHOUT ROWID;
"""
_DESCRIBE = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"
# Tables by name, with the key column and the number of columns.
TABLES = {
    "journal": ("number", 3),
    "terms": ("first", 5),
    "articles": ("serial", 17),
    "texts": ("serial", 5),
    "standing": ("serial", 7),
    "events": ("cursor", 5),
    "corrections": ("number", 8),
    "forgotten": ("lang", 5),
}

TableRow = tuple[Any, ...]


def is_index(path: str | os.PathLike[str]) -> bool:
    """Whether a file exists and is a database and not a file of rows."""
    try:
        with open(path, "rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False


def connect(path: str, mode: str) -> sqlite3.Connection:
    """Open a database with the precautions that SQLite recommends for untrusted files.

    Parameters
    ----------
    path : str
    mode : str
        ``ro``, ``rw`` or ``rwc``, and further parameters of SQLite's URIs.
    """
    # Transactions are started explicitly; threads take turns in StoryIndex.
    uri = f"file://{quote(os.fsencode(path))}?mode={mode}"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA busy_timeout = 10000")
    except BaseException:
        connection.close()
        raise
    return connection


def make_tables(connection: sqlite3.Connection) -> None:
    """Turn an empty database into an index without a header."""
    # A page has two articles; with SQLite's default size it would have one and a gap.
    connection.executescript(
        f"PRAGMA page_size = 8192; PRAGMA application_id = {APPLICATION};"
        f"PRAGMA user_version = {FORMAT_VERSION};" + _SCHEMA
    )


def has_schema(connection: sqlite3.Connection) -> bool:
    """Whether a database has the tables of an index and nothing else: no view, no trigger."""
    with closing(sqlite3.connect(":memory:")) as expected:
        expected.executescript(_SCHEMA)
        ours = expected.execute(_DESCRIBE).fetchall()
    return connection.execute(_DESCRIBE).fetchall() == ours


@contextmanager
def draft(path: str) -> Iterator[str]:
    """Yield the name of a file that appears as `path` when it is complete.

    Raises
    ------
    FileError
        If it cannot be written.
    """
    name = os.path.join(os.path.dirname(path), f".{secrets.token_hex(8)}.tmp")
    try:
        yield name
        with open(name, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError as error:
        raise FileError(f"cannot write {path!r}: {error.strerror or error}") from error
    finally:
        for end in ("", "-journal"):
            with suppress(OSError):
                os.unlink(name + end)


def named_error(error: sqlite3.Error, path: str) -> SahelError:
    """Convert an error of SQLite to one that names the cause."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return FileError(
            f"no space left for {path!r}: free some and open it again; what was acknowledged is "
            "in the file"
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return IndexBusyError(f"{path!r} is in use: {error}")
    if code in (
        sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_IOERR, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_INTERRUPT,
    ):  # fmt: skip
        return FileError(f"cannot use {path!r}: {error}")
    return damaged(path, error)


def damaged(path: str, reason: object) -> IndexFileError:
    """Return the error for a file that cannot be an index of this release."""
    return IndexFileError(
        f"{path!r} is not an index or is damaged ({reason}): restore a copy with `sahel-dedup "
        "index restore`, or make a new one from the articles"
    )
