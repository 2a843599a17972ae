"""The files next to the file of an index: the log, its map, and the lock."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections import Counter
from contextlib import suppress
from io import FileIO
from typing import ClassVar
from urllib.parse import quote

from sahel_dedup.errors import FileError, IndexBusyError, IndexFileError

# SQLite's write-ahead log, and its map, which processes share.
LOG = "-wal"
# The arrays of the index, and those that are being written.
ARRAYS = "-arrays"
_SIDE_FILES = (LOG, "-shm", "-journal", ARRAYS, ARRAYS + "~")
_LOCK = "-lock"
_LONGEST_NAME = 255
# Seconds between attempts to get a lock that another process has.
_NAP = 0.05


class Lock:
    """The right to write an index, until it is released or the process ends.

    Parameters
    ----------
    path : str
        The index, for messages.
    real : str
        The index without symbolic links, so that one file has one lock.
    timeout : float
        Seconds to wait for another process.

    Raises
    ------
    IndexBusyError
        If another process, or another `StoryIndex` in this process, writes the index.
    FileError
        If no lock can be created.
    """

    def __init__(self, path: str, real: str, timeout: float) -> None:
        end = time.monotonic() + timeout
        name = real + _LOCK
        if os.path.lexists(name) and (os.path.islink(name) or not os.path.isfile(name)):
            raise FileError(f"cannot lock {path!r}: {path + _LOCK!r} is not a regular file")
        while True:
            try:
                self._connection = _lock(name)
                return
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                    raise FileError(f"cannot lock {path!r}: {error}") from error
            if time.monotonic() >= end:
                raise IndexBusyError(
                    f"{path!r} is being written by another process or another StoryIndex: one "
                    "writes at a time; wait for it with timeout=, or open it with readonly=True "
                    "to read"
                )
            time.sleep(_NAP)

    def release(self) -> None:
        """Release the lock."""
        self._connection.close()


class KeptOpen:
    """A file of an index that this process has open beside SQLite.

    If a process closes a file, it loses all its locks on that file, also those of SQLite's
    connections. Another process then deletes the log that these still read. So the file is closed
    after the last of them. https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_

    Parameters
    ----------
    real : str
        The file.

    Raises
    ------
    FileError
        If it cannot be read.
    """

    # Those that are open, and the number of their users.
    _opened: ClassVar[dict[tuple[int, int], FileIO]] = {}
    _users: ClassVar[Counter[tuple[int, int]]] = Counter()
    _turn: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, real: str) -> None:
        with self._turn:
            # Opened once for all, because none can be closed before the last.
            try:
                file = self._opened.get(_key(os.stat(real))) or FileIO(real)
            except OSError as error:
                raise FileError(f"cannot read {real!r}: {error.strerror}") from error
            self._key = _key(os.fstat(file.fileno()))
            self._opened.setdefault(self._key, file)
            self._users[self._key] += 1

    def head(self) -> bytes:
        """Return the first hundred bytes."""
        with self._turn:
            file = self._opened[self._key]
            file.seek(0)
            return file.read(100)

    def release(self) -> None:
        """Close the file, once no other object of this process needs it."""
        with self._turn:
            self._users[self._key] -= 1
            if not self._users[self._key]:
                del self._users[self._key]
                self._opened.pop(self._key).close()


def _key(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def check_path(path: str | os.PathLike[str]) -> tuple[str, str]:
    """Check the name of an index.

    Parameters
    ----------
    path
        The given name.

    Returns
    -------
    name : str
        The name for messages.
    real : str
        Absolute, without symbolic links.

    Raises
    ------
    FileError
        If no file can have that name, its folder does not exist, or it names something else.
    """
    try:
        name = os.fsdecode(path)
    except TypeError:
        raise FileError(f"an index is named by a path, not by {path!r}") from None
    if name == ":memory:":
        raise FileError(
            "':memory:' would be the name of a file; StoryIndex() makes an index in memory"
        )
    if not name or "\0" in name:
        raise FileError(f"{name!r} cannot be the name of a file")
    try:
        real = os.path.realpath(name)
        length = len(os.fsencode(os.path.basename(real)))
    except ValueError as error:
        raise FileError(f"{name!r} cannot be the name of a file: {error}") from None
    if length + len("-journal") > _LONGEST_NAME:
        raise FileError(
            f"the name {name[:40]!r}... is too long: {length} bytes, and SQLite adds up to eight"
        )
    folder = os.path.dirname(real)
    if not os.path.isdir(folder):
        raise FileError(f"cannot open {name!r}: there is no folder {folder!r}")
    if os.path.lexists(real) and not os.path.isfile(real):
        raise FileError(f"cannot open {name!r}: it exists and is not a file")
    return name, real


def size_of(path: str) -> int:
    """Return the size of a file; 0 if it does not exist."""
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def remove_side_files(real: str) -> None:
    """Remove the log of an index that no longer exists, and the map of the log."""
    for end in _SIDE_FILES:
        with suppress(FileNotFoundError):
            os.unlink(real + end)


def _lock(name: str) -> sqlite3.Connection:
    uri = f"file://{quote(os.fsencode(name))}?mode=rwc"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("BEGIN EXCLUSIVE")
    except BaseException:
        connection.close()
        raise
    return connection


def foreign_log(path: str) -> IndexFileError:
    """Return the error of a log that does not belong to the file."""
    log, shm = path + LOG, path + "-shm"
    return IndexFileError(
        f"{log!r} does not belong to the present {path!r}: a process that died left it, "
        "and the file was replaced since. Nothing was changed. To continue with the file, "
        f"remove {log!r} and {shm!r}; `sahel-dedup index restore` does so"
    )
