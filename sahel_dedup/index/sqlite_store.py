"""The index on disk: one SQLite file in write-ahead mode.

Every change is one transaction. Committed transactions survive the death of the process at any
moment. After a power cut, the last transactions may be missing, but the file is sound. Only one
process can write, which has a lock on a second, empty file in the same folder; any number can read
meanwhile.

A file may be damaged or come from elsewhere. Its schema must be exactly ours, so that no view or
trigger runs. Every row has a seal (`sahel_dedup.index.seals`). Each process that opens the file for
writing writes a new token to the main file, which its transactions repeat in the header or in the
journal, so a log with another token belongs to another process. A file is opened read-only until it
has been checked, because SQLite would otherwise merge a log into it.

This module knows tables and not articles; `sahel_dedup.index.persistence` fills them. Texts are in
a table of their own, which is read only on request.
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
    KeptOpen,
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

# A log may be merged into the file while a reader reads.
_LOOKS = 20
_NAP = 0.05

# Connections of the parent process before a fork, which must not be closed here.
_INHERITED: list[sqlite3.Connection] = []


class Store(SealedTables):
    """The file of an index.

    Parameters
    ----------
    path
        The file.
    readonly
        Whether to open it read-only.
    header
        The header of a new file: `made` and `state`. Without it, a missing file is an error.
    timeout
        Seconds to wait for another process that writes.
    alone
        Whether to read the file without its log, in its state when the log began.

    Attributes
    ----------
    arrays_path : str
        The file that may have the arrays of the index.
    has_log : bool
        Whether there was a log, because another process writes or has died.

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
            self._kept = KeptOpen(self._real)
            try:
                with self._explained():
                    self._connection = self._connect()
                try:
                    with self.checked():
                        self._begin()
                except BaseException:
                    self._connection.close()
                    raise
            except BaseException:
                self._kept.release()
                raise
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise

    @property
    def is_inherited(self) -> bool:
        """Whether another process opened the file, so that this one must not use it."""
        return os.getpid() != self._process

    def close(self) -> None:
        """Close the file."""
        if self.is_inherited:
            # Closing it here would merge the log of the process that opened it.
            _INHERITED.append(self._connection)
            return
        if self._writing:
            # SQLite does not merge the log while another process reads, but a closed index should
            # be one file.
            with suppress(sqlite3.Error, SahelError):
                if len(self._journal):
                    with self.transaction():
                        self._settle()
                self._connection.execute("PRAGMA busy_timeout = 100")
                self._merge()
        self._connection.close()
        self._kept.release()
        if self._lock is not None:
            self._lock.release()

    def begin_writing(self) -> None:
        """Switch to writing, after the file has been checked; a log is merged into it."""
        with self._explained():
            self._connection.close()
            self._connection = connect(self._real, "rw")
            self._connection.execute("PRAGMA journal_mode = WAL")
            # The log is not forced to disk at each commit, which would survive power cuts too but
            # take 3 ms per article.
            self._connection.execute("PRAGMA synchronous = NORMAL")
            self._merge()
            self._writing = True
            with self.transaction():
                self._header.begin_log()
                self._settle()
            # From here on the file says to which process its log belongs.
            self._merge()

    def faults(self) -> list[str]:
        """Return the faults that SQLite finds in the file."""
        rows = [text for (text,) in self._all("PRAGMA integrity_check(20)")]
        return [] if rows == ["ok"] else rows

    def size(self) -> int:
        """Return the size of the file and its log in bytes."""
        return size_of(self._real) + size_of(self._real + LOG)

    def shrink(self) -> None:
        """Return unused space to the file system."""
        with self._explained():
            self._connection.execute("VACUUM")
            self._merge()

    def copy(self, path: str) -> None:
        """Write the index as it is now to a file, as small as possible.

        Parameters
        ----------
        path : str
            The file, without symbolic links. An existing file is replaced.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        with draft(path) as name:
            with self._explained():
                self._connection.execute("VACUUM INTO ?", (name,))
            with closing(_Copy(name, path)) as made:
                made.finish()

    def _create(self, header: dict[str, Any]) -> None:
        """Create a file that appears under its name only when it is complete."""
        if size_of(self._real + LOG):
            raise IndexFileError(
                f"no index at {self.path!r}, but its log {self.path + LOG!r} exists: put back the "
                "file to which the log belongs, or remove the log"
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
        """Open the file for reading, even if nothing can be written next to it."""
        folder = os.path.dirname(self._real)
        if self._alone:
            return connect(self._real, "ro&immutable=1")
        if self.readonly and not os.access(folder, os.W_OK):
            if not self.has_log:
                # No process writes, and SQLite cannot create the files with which it would check
                # that.
                return connect(self._real, "ro&immutable=1")
            if not os.path.exists(self._real + "-shm"):
                raise FileError(
                    f"cannot read {self.path!r}: a process that wrote it has died, and its last "
                    f"articles are in {self.path + LOG!r}: open it once as a user who may write "
                    f"to {folder!r}"
                )
        return connect(self._real, "ro")

    def _begin(self) -> None:
        """Refuse a file that is not an index of this release, is cut off, or has a foreign log."""
        if self.count("PRAGMA application_id") != APPLICATION:
            raise IndexFileError(f"{self.path!r} is not an index of sahel_dedup")
        if (version := self.count("PRAGMA user_version")) != FORMAT_VERSION:
            raise format_fault(version, self.path)
        if not has_schema(self._connection):
            raise ValueError("its schema is not that of an index")
        self._check_file()
        self._read_header()
        if self.has_log:
            self._check_log()

    def _check_file(self) -> None:
        """Refuse a file that SQLite would read but could not write, or would read only in part."""
        head = self._kept.head()
        # The versions for writing and reading. With a later version for writing, SQLite can only
        # read. https://www.sqlite.org/fileformat2.html#file_format_version_numbers
        if not {head[18], head[19]} <= {1, 2}:
            raise ValueError("its header names a version of SQLite's format that does not exist")
        # SQLite reads missing parts as zeros. With a log, the missing pages may be in the log,
        # because a checkpoint was interrupted.
        pages = int.from_bytes(head[28:32], "big")
        if (
            not self.readonly
            and not self.has_log
            and os.path.getsize(self._real) < pages * self.count("PRAGMA page_size")
        ):
            raise ValueError("the end of the file is missing")

    def _check_log(self) -> None:
        """Refuse a log that belongs to another file, or to another state of this one."""
        for look in range(1 if self._lock is not None else _LOOKS):
            if look:
                # A writer may be merging its log into the file at this moment.
                time.sleep(_NAP)
                self._read_header()
            with suppress(SahelError), closing(Store(self.path, readonly=True, alone=True)) as file:
                if self._header.is_log_of(file._header, self._last_token()):
                    return
        raise foreign_log(self.path)

    def _merge(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class _Copy(SealedTables):
    """A copy of a file that is not in use yet.

    Parameters
    ----------
    name : str
        The copy.
    path : str
        The name that it gets, for messages.
    """

    def __init__(self, name: str, path: str) -> None:
        super().__init__(path)
        with self._explained():
            self._connection = connect(name, "rw")
        self._writing = True

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def finish(self) -> None:
        """Move its journal to the tables, and disown a log that belongs to the former file."""
        with self.checked():
            self.read_state()
            settles = len(self._journal) > 0
            with self.transaction():
                self._header.renew_token()
                self._settle()
            if settles:
                self._connection.execute("VACUUM")
