"""Writing rows to JSON lines, CSV or Parquet.

A file appears under its name only when it is whole: rows go to a temporary file beside
it, which takes its place at the end. Rows stream; nothing holds more than a chunk.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import IO, TypeAlias, cast

from polars.io.plugins import register_io_source

from sahel_dedup.columns import CHUNK_ROWS, SURROGATE, Row, spooled, to_json, without_surrogates
from sahel_dedup.errors import SahelError

_Writer: TypeAlias = Callable[[IO[bytes], Iterable[Row], str], None]

STDOUT = "-"


def write_rows(path: str | None, rows: Iterable[Row]) -> int:
    """Write rows to a file whose ending names the format.

    What a row lacks is null. Dates are ISO 8601 strings except in Parquet. Nested
    values stay as they are in JSON lines; in Parquet lists stay lists, and mappings
    with the same keys in every row become structs. Other nested values become JSON
    strings, and so do the values that are not strings in a Parquet column of several
    types. JSON lines have null for NaN and infinities. Lone surrogates are escaped in
    JSON lines and replaced by U+FFFD elsewhere.

    Parameters
    ----------
    path
        A name ending in ``.jsonl``, ``.jsonl.gz``, ``.csv``, ``.csv.gz`` or
        ``.parquet``; ``None`` or ``-`` for JSON lines on standard output.
    rows
        The rows, not necessarily of the same keys. Columns appear in the order in which
        they are first met.

    Returns
    -------
    int
        Number of rows written.

    Raises
    ------
    SahelError
        If nothing can be written there; see `check_output`.

    Notes
    -----
    After any failure, including a keyboard interrupt, the temporary file is gone and
    what was at `path` before is untouched. A program that reads standard output and
    stops early ends the writing without an error.
    """
    check_output(path)
    counted = _Counted(rows)
    if path is None or path == STDOUT:
        _write_stdout(counted)
    else:
        with replacing(path) as (out, folder):
            _writer_of(path)(out, counted, folder)
    return counted.number


def check_output(path: str | None) -> None:
    """Check, before any work is done, that rows can be written to `path`.

    Raises
    ------
    SahelError
        If the ending is unknown, the folder is not there or not writable, or the name
        belongs to something that is not a file.
    """
    if path is None or path == STDOUT:
        return
    _writer_of(path)
    check_folder(path)


def check_folder(path: str) -> None:
    """Check, before any work is done, that a file can appear at `path`.

    Raises
    ------
    SahelError
        If the folder is not there or not writable, or the name belongs to something that
        is not a file.
    """
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        raise SahelError(f"cannot write {path!r}: there is no folder {folder!r}")
    if not os.access(folder, os.W_OK):
        raise SahelError(f"cannot write {path!r}: the folder {folder!r} is not writable")
    if os.path.exists(path) and not os.path.isfile(path):
        raise SahelError(f"cannot write {path!r}: it is there and not a file")


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
    """Yield a file that takes the place of `path` if all goes well, and its folder."""
    # The target of a symbolic link is replaced, not the link.
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            if name.lower().endswith(".gz"):
                # Neither name nor time in the header: the same rows give the same bytes.
                with gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as out:
                    yield cast(IO[bytes], out), folder
            else:
                yield file, folder
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _write_stdout(rows: Iterable[Row]) -> None:
    sys.stdout.flush()
    out = sys.stdout.buffer
    try:
        out.writelines(map(_json_line, rows))
        out.flush()
    except BrokenPipeError:
        # Python flushes standard output once more as it exits. It gets a place where
        # that does no harm, as the documentation of the signal module advises.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def _write_jsonl(out: IO[bytes], rows: Iterable[Row], _folder: str) -> None:
    out.writelines(map(_json_line, rows))


def _json_line(row: Row) -> bytes:
    line = to_json(row) + "\n"
    try:
        return line.encode()
    except UnicodeEncodeError:
        return SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", line).encode()


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
        return without_surrogates(lines).encode()


def _write_parquet(out: IO[bytes], rows: Iterable[Row], folder: str) -> None:
    with spooled(rows, folder) as spool:
        frames = register_io_source(lambda *_: spool.frames(), schema=spool.schema)
        # A row group is compressed as a whole: its size bounds the memory (113 MB for
        # 800 MB of text; with groups of 100,000 rows 513 MB).
        frames.sink_parquet(out, row_group_size=CHUNK_ROWS)


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
    raise SahelError(f"unknown ending: {path!r}; known are {', '.join(_FORMATS)}")
