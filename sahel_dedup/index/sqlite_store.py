"""The index on disk: one SQLite file in write-ahead mode.

Every change is one transaction. What a committed transaction holds survives the death of
the process at any moment; after a power cut the last transactions may be missing, and the
file is sound. One process writes, kept apart from others by a lock on a second, empty file
in the same folder; any number may read meanwhile.

A file may be damaged, or come from elsewhere. Its schema must be ours to the letter, so that
no view or trigger runs; every row carries a seal (`sahel_dedup.index.seals`); and each process
that opens it for writing writes a new token to the main file, which its transactions repeat: a
log with another token was left by somebody else. A file is opened for reading alone until it has
been checked, because SQLite would merge a log into it.

This module knows tables, not articles: `sahel_dedup.index.persistence` fills them. Texts are in
a table of their own, which is read when somebody asks for one and never otherwise.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing, suppress
from typing import Any

from sahel_dedup.errors import FileError, IndexFileError, SahelError
from sahel_dedup.index.file_header import Header, format_fault
from sahel_dedup.index.sealed_tables import SealedTables
from sahel_dedup.index.side_files import (
    ARRAYS,
    LOG,
    Lock,
    check_path,
    foreign_log,
    remove_side_files,
    size_of,
)
from sahel_dedup.index.sqlite_file import (
    APPLICATION,
    FORMAT_VERSION,
    connect,
    draft,
    has_schema,
    make_tables,
)

# A reader may look while a log is being merged into the file.
_LOOKS = 20
_NAP = 0.05

# Connections of the process that this one was forked from, kept from being closed.
_INHERITED: list[sqlite3.Connection] = []


class Store(SealedTables):
    """A file of an index.

    Parameters
    ----------
    path
        The file.
    readonly
        Whether only to read.
    header
        What a new file says about itself: `made` and `state`. Without it a file that is not
        there is an error.
    timeout
        Seconds to wait for another process that writes.
    alone
        Whether to read the file without its log, as it was when the log began.

    Attributes
    ----------
    arrays_path : str
        The file that may hold the arrays of the index.
    has_log : bool
        Whether there was a log: another process writes, or died.

    Raises
    ------
    IndexFileError
        If the file is not an index of this version, or is damaged.
    IndexBusyError
        If another process writes it.
    SahelError
        If there is no index, or it cannot be opened.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        readonly: bool = False,
        header: dict[str, Any] | None = None,
        timeout: float = 0.0,
        alone: bool = False,
    ) -> None:
        name, self._real = check_path(path)
        super().__init__(name)
        self.arrays_path = self._real + ARRAYS
        self.readonly = readonly
        self._process = os.getpid()
        self._alone = alone
        self._lock = None if readonly else Lock(self.path, self._real, timeout)
        try:
            if not os.path.exists(self._real):
                if header is None or readonly:
                    raise FileError(f"no index at {self.path!r}")
                self._create(header)
            self.has_log = not alone and size_of(self._real + LOG) > 0
            with self._explained():
                self._connection = self._connect()
            try:
                with self.checked():
                    self._begin()
            except BaseException:
                self._connection.close()
                raise
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise

    @property
    def is_inherited(self) -> bool:
        """Whether another process opened the file, and this one must not touch it."""
        return os.getpid() != self._process

    def close(self) -> None:
        """Close the file."""
        if self.is_inherited:
            # To close it here would merge the log of the process that opened it.
            _INHERITED.append(self._connection)
            return
        if self._writing:
            # SQLite does not while somebody reads, and a closed index should be one file.
            with suppress(sqlite3.Error):
                self._connection.execute("PRAGMA busy_timeout = 100")
                self._merge()
        self._connection.close()
        if self._lock is not None:
            self._lock.release()

    def begin_writing(self) -> None:
        """Go on to write, after the file has been checked; a log is merged into it."""
        with self._explained():
            self._connection.close()
            self._connection = connect(self._real, "rw")
            self._connection.execute("PRAGMA journal_mode = WAL")
            # The log is not forced to the disk at each commit: that would survive power
            # cuts too, and take 3 ms an article.
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._merge()
            self._writing = True
            with self.transaction():
                self._header.begin_log()
                self._changed = True
            # From here on the file says whose log it has.
            self._merge()

    def faults(self) -> list[str]:
        """Return what SQLite finds wrong with the file."""
        rows = [text for (text,) in self._all("PRAGMA integrity_check(20)")]
        return [] if rows == ["ok"] else rows

    def size(self) -> int:
        """Return how many bytes the file and its log take."""
        return size_of(self._real) + size_of(self._real + LOG)

    def shrink(self) -> None:
        """Give unused space back to the file system."""
        with self._explained():
            self._connection.execute("VACUUM")
            self._merge()

    def copy(self, path: str) -> None:
        """Write the index as it is now to a file, as small as can be.

        Parameters
        ----------
        path : str
            The file, without symbolic links; one that is there is replaced.

        Raises
        ------
        SahelError
            If it cannot be written.
        """
        with draft(path) as name:
            with self._explained():
                self._connection.execute("VACUUM INTO ?", (name,))
            with self._explained(path), closing(connect(name, "rw")) as made:
                header = Header.read(made.execute("SELECT * FROM header"), path)
                # A log that the original leaves does not belong to the copy.
                header.renew_token()
                header.write(made)

    def _create(self, header: dict[str, Any]) -> None:
        """Make a file that appears under its name only when it is whole."""
        if size_of(self._real + LOG):
            raise IndexFileError(
                f"no index at {self.path!r}, but {self.path + LOG!r} is left from one: put the "
                f"file back that it belongs to, or remove {self.path + LOG!r}"
            )
        remove_side_files(self._real)
        with (
            draft(self._real) as name,
            self._explained(),
            closing(connect(name, "rwc")) as connection,
        ):
            make_tables(connection)
            Header.new(header["made"], header["state"]).write(connection, made=True)

    def _connect(self) -> sqlite3.Connection:
        """Open the file for reading, also where nothing can be written beside it."""
        folder = os.path.dirname(self._real)
        if self._alone:
            return connect(self._real, "ro&immutable=1")
        if self.readonly and not os.access(folder, os.W_OK):
            if not self.has_log:
                # Nobody writes, and SQLite cannot make the files by which it would know.
                return connect(self._real, "ro&immutable=1")
            if not os.path.exists(self._real + "-shm"):
                raise FileError(
                    f"cannot read {self.path!r}: a process that wrote it has died, and its last "
                    f"articles are in {self.path + LOG!r}: open it once as a user who may write "
                    f"to {folder!r}"
                )
        return connect(self._real, "ro")

    def _begin(self) -> None:
        """Refuse what is no index, not one of this release, cut off, or has a foreign log."""
        if self.count("PRAGMA application_id") != APPLICATION:
            raise IndexFileError(f"{self.path!r} is not an index of sahel_dedup")
        if (version := self.count("PRAGMA user_version")) != FORMAT_VERSION:
            raise format_fault(version, self.path)
        if not has_schema(self._connection):
            raise ValueError("its schema is not that of an index")
        self._check_file()
        self.read_state()
        if self.has_log:
            self._check_log()

    def _check_file(self) -> None:
        """Refuse what SQLite would read, but could not write or would read in part."""
        with open(self._real, "rb") as file:
            head = file.read(100)
        # The versions for writing and reading. With a later one for writing SQLite reads alone.
        # https://www.sqlite.org/fileformat2.html#file_format_version_numbers
        if not {head[18], head[19]} <= {1, 2}:
            raise ValueError("its header names a version of SQLite's format that does not exist")
        # SQLite reads what was cut off as zeros. With a log the missing pages may be there: a
        # checkpoint was cut short.
        pages = int.from_bytes(head[28:32], "big")
        if (
            not self.readonly
            and not self.has_log
            and os.path.getsize(self._real) < pages * self.count("PRAGMA page_size")
        ):
            raise ValueError("the end of the file is missing")

    def _check_log(self) -> None:
        """Refuse a log that belongs to another file, or to this one at another time."""
        for look in range(1 if self._lock is not None else _LOOKS):
            if look:
                # A writer may be merging its log into the file at this moment.
                time.sleep(_NAP)
                self.read_state()
            with suppress(SahelError), closing(Store(self.path, readonly=True, alone=True)) as file:
                if self._header.is_log_of(file._header):
                    return
        raise foreign_log(self.path)

    def _merge(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
