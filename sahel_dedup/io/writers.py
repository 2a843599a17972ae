"""Writing of rows to JSON lines, CSV or Parquet.

A file appears under its name only when it is complete: rows go to a temporary file in the same
folder, which is renamed at the end. Rows stream; at most one chunk is in memory.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, repeat
from typing import IO, TYPE_CHECKING, TypeAlias, cast

from sahel_dedup.errors import FileError
from sahel_dedup.io.tabular import CHUNK_ROWS, Row, escape_surrogates, spooled, to_json
from sahel_dedup.plain_text import UNSAFE
from sahel_dedup.util.lazy import LazyModule

if TYPE_CHECKING:
    import polars as pl
else:
    pl = LazyModule("polars")

_Writer: TypeAlias = Callable[[IO[bytes], Iterable[Row], str], None]

STDOUT = "-"


def write_rows(path: str | None, rows: Iterable[Row]) -> int:
    r"""Write rows to a file whose extension names the format.

    Missing values are null. Dates are ISO 8601 strings, except in Parquet. Nested values stay as
    they are in JSON lines; in Parquet, lists stay lists, and mappings with the same keys in every
    row become structs. Other nested values become JSON strings, and so do values nested more than
    50 levels deep and, in a Parquet column of several types, values that are not strings. JSON
    lines have null for NaN and infinities. Lone surrogates are written as ``\udXXX``, which only
    JSON restores.

    Parameters
    ----------
    path
        A name ending in ``.jsonl``, ``.jsonl.gz``, ``.csv``, ``.csv.gz`` or
        ``.parquet``; ``None`` or ``-`` for JSON lines on standard output.
    rows
        The rows, which need not have the same keys. Columns appear in the order in which they first
        occur.

    Returns
    -------
    int
        Number of rows written.

    Raises
    ------
    FileError
        If nothing can be written there; see `check_output`.
    OSError
        If writing fails, for instance on a full disk. The error names the file.

    Notes
    -----
    After any failure, including a keyboard interrupt, the temporary file is removed and an earlier
    file at `path` is unchanged. If the reader of standard output stops early, writing ends without
    an error.
    """
    check_output(path)
    counted = _Counted(rows)
    if path is None or path == STDOUT:
        _write_stdout(counted)
    else:
        with replacing(path) as (out, folder):
            _writer_of(path)(out, counted, folder)
    return counted.number


def write_lines(path: str, lines: Iterable[bytes]) -> None:
    """Write what `json_line` made of rows to a file of JSON lines; see `write_rows`."""
    with replacing(path) as (out, _):
        out.writelines(lines)


def is_lines(path: str | None) -> bool:
    """Whether a path names a file of JSON lines, and not standard output."""
    return path not in (None, STDOUT) and _writer_of(str(path)) is _write_jsonl


def check_output(path: str | None) -> None:
    """Check, before any work, that rows can be written to `path`.

    Raises
    ------
    FileError
        If the ending is unknown, if no file can be created there (see `check_folder`), or if there
        is no standard output.
    """
    if path is None or path == STDOUT:
        check_stdout()
        return
    _writer_of(path)
    check_folder(path)


def check_folder(path: str) -> None:
    """Check, before any work, that a file can be created at `path`.

    Raises
    ------
    FileError
        If the folder does not exist or is not writable, or if the name belongs to something that is
        not a file or is write-protected.
    """
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise FileError(f"cannot write {path!r}: there is no folder {folder!r}")
    if not os.access(folder, os.W_OK):
        raise FileError(f"cannot write {path!r}: the folder {folder!r} is not writable")
    if os.path.islink(os.path.realpath(path)):
        raise FileError(f"cannot write {path!r}: it is a symbolic link to itself")
    if os.path.exists(path):
        if not os.path.isfile(path):
            raise FileError(f"cannot write {path!r}: it exists and is not a file")
        if not os.access(path, os.W_OK):
            raise FileError(f"cannot write {path!r}: the file is write-protected")


class _Counted:
    """Count rows as they pass."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._rows = rows
        self.number = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.number += 1
            yield row


@contextmanager
def replacing(path: str) -> Iterator[tuple[IO[bytes], str]]:
    """Yield a file that replaces `path` if nothing fails, and its folder.

    Until it is complete, the file has a name that nobody can guess. It gets the permissions of the
    file that it replaces and, as far as the system allows, its owner and group. If `path` is a
    symbolic link, its target is replaced and the link stays.

    Raises
    ------
    OSError
        If writing fails. The error names the file.
    """
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    # The name of the file may already be as long as the system allows, but needs a suffix.
    start = os.fsdecode(os.fsencode(name)[:200])
    temporary = os.path.join(folder, f".{start}.{secrets.token_hex(8)}.tmp")
    try:
        with _create(temporary, target) as file:
            if name.lower().endswith(".gz"):
                # The header has neither name nor time, so that the same rows give the same bytes.
                with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as out:
                    yield cast(IO[bytes], out), folder
            else:
                yield file, folder
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.filename in (None, temporary):
            # The error of a failed write ("No space left on device") does not name the file, and
            # nobody knows the temporary one.
            error.filename = path
        raise


def _create(path: str, model: str) -> IO[bytes]:
    """Create a new file, with the permissions of a model if there is one."""
    try:
        status = os.stat(model)
    except FileNotFoundError:
        status = None
    # The system applies the umask. Links are not followed, and no existing file is opened.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
    mode = 0o666 if status is None else status.st_mode & 0o777
    file = os.fdopen(os.open(path, flags, 0o666 if status is None else 0o600), "wb")
    if status is not None and hasattr(os, "fchown"):
        try:
            os.fchown(file.fileno(), status.st_uid, status.st_gid)
        except PermissionError:
            # Permissions of another group must not apply to ours.
            if os.fstat(file.fileno()).st_gid != status.st_gid:
                mode &= ~0o070
        os.fchmod(file.fileno(), mode)
    return file


def _write_stdout(rows: Iterable[Row]) -> None:
    try:
        _write_lines(rows)
    except BrokenPipeError:
        discard_stdout()


def write_line(row: Row) -> None:
    """Write one row as JSON to standard output, and flush it.

    Raises
    ------
    FileError
        If there is no standard output.
    OSError
        If it cannot be written; a `BrokenPipeError` if the reader has gone.
    """
    _write_lines([row])


def _write_lines(rows: Iterable[Row]) -> None:
    check_stdout()
    encode = _terminal_line if sys.stdout.isatty() else json_line
    try:
        sys.stdout.flush()
        out = sys.stdout.buffer
        out.writelines(map(encode, rows))
        out.flush()
    except OSError as error:
        if error.filename is None:
            error.filename = "standard output"
        raise


def check_stdout() -> None:
    """Check that there is a standard output.

    Raises
    ------
    FileError
        If the process was started without one.
    """
    # None if it was closed before the process began.
    if sys.stdout is None:
        raise FileError("cannot write standard output: it is closed")


def discard_stdout() -> None:
    """Discard what is still buffered for standard output: see `discard`."""
    discard(sys.stdout)


def discard(stream: IO[str] | None) -> None:
    """Discard what is still buffered for a standard stream.

    Python flushes standard streams again when it exits. After a failed write that would fail again,
    and Python would report it and change the exit status.
    """
    with suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())  # type: ignore[union-attr]
        os.close(null)
        stream.flush()  # type: ignore[union-attr]


def _write_jsonl(out: IO[bytes], rows: Iterable[Row], _folder: str) -> None:
    out.writelines(map(json_line, rows))


def json_line(row: Row) -> bytes:
    """Return a row as a line of JSON in UTF-8; see `write_rows`."""
    return _json(row)


def json_lines(rows: Sequence[Row], rest: Sequence[bytes | memoryview]) -> bytes:
    """Return what `json_line` makes of rows, each with another end.

    Encoding rows together takes half the time.

    Parameters
    ----------
    rows : sequence of mapping
        Rows that begin with ``id`` and contain only strings, numbers, booleans and None.
    rest : sequence of bytes
        For each row, what replaces its brace and the end of the line.

    Returns
    -------
    bytes
    """
    begin = b'{"id": '
    # No string contains what separates two rows: a quote inside it follows a backslash, and after
    # the quote that ends it there is no letter.
    found = _json(rows)[len(b"[" + begin) : -len(b"}]\n")].split(b"}, " + begin)
    return b"".join(chain.from_iterable(zip(repeat(begin, len(rows)), found, rest, strict=True)))


def _json(value: object) -> bytes:
    line = to_json(value) + "\n"
    try:
        return line.encode()
    except UnicodeEncodeError:
        return escape_surrogates(line).encode()


def _terminal_line(row: Row) -> bytes:
    """Write the same JSON without control characters of terminals."""
    return (UNSAFE.sub(lambda match: json.dumps(match[0])[1:-1], to_json(row)) + "\n").encode()


def _write_csv(out: IO[bytes], rows: Iterable[Row], folder: str) -> None:
    with spooled(rows, folder) as spool:
        out.write(_csv_lines([list(spool.schema)]))
        out.writelines(map(_csv_lines, spool.cells()))


def _csv_lines(rows: Iterable[list[str]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    lines = buffer.getvalue()
    try:
        return lines.encode()
    except UnicodeEncodeError:
        return escape_surrogates(lines).encode()


def _write_parquet(out: IO[bytes], rows: Iterable[Row], folder: str) -> None:
    from polars.io.plugins import register_io_source

    with spooled(rows, folder) as spool:
        frames = register_io_source(lambda *_: spool.frames(), schema=spool.schema)
        # A row group is compressed as a whole, so its size bounds the memory: 113 MB for 800 MB of
        # text, but 513 MB with groups of 100,000 rows.
        try:
            frames.sink_parquet(out, row_group_size=CHUNK_ROWS)
        except pl.exceptions.PanicException as error:
            # Not an Exception in Python, so nothing else would catch it.
            reason = str(error).partition("\n")[0]
            raise FileError(f"Parquet cannot hold these rows: {reason}") from None


_FORMATS: dict[str, _Writer] = {
    ".jsonl": _write_jsonl,
    ".jsonl.gz": _write_jsonl,
    ".csv": _write_csv,
    ".csv.gz": _write_csv,
    ".parquet": _write_parquet,
}


def _writer_of(path: str) -> _Writer:
    name = os.path.basename(path).lower()
    for ending, write in _FORMATS.items():
        if name.endswith(ending):
            return write
    raise FileError(f"unknown file extension: {path!r}; known extensions are {', '.join(_FORMATS)}")
