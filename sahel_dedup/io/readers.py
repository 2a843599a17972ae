"""Reading rows from files: formats, lines and faults. This module knows nothing of articles.

A row is a mapping of names to values, in any format. Everything streams; at most one batch of rows
is in memory.
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from sahel_dedup.errors import ArticleError, place_name
from sahel_dedup.io.frames import Row, parquet_height, parquet_rows
from sahel_dedup.io.lines import (
    GZIP_MAGIC,
    MAX_LINE,
    InputPath,
    Reporter,
    read_lines,
    source_name,
    too_long,
)
from sahel_dedup.io.paths import expand_paths, format_of, unreadable
from sahel_dedup.util.values import counted

_NumberedRows: TypeAlias = Iterator[tuple[int, Row]]

_EXAMPLES = 5


class Place(NamedTuple):
    """The origin of a row: the file as the user named it, and the line, counted from 1."""

    file: str | None
    line: int

    def __str__(self) -> str:
        return place_name(self.file, self.line)


@dataclass(slots=True)
class SkipReport:
    """The rows that were left out while reading, and why.

    Attributes
    ----------
    counts
        Number of rows skipped for each kind of fault.
    examples
        The first few faults in full.
    """

    counts: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Number of rows skipped."""
        return self.counts.total()

    def add(self, error: ArticleError) -> None:
        """Count one fault."""
        self.counts[error.kind] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(str(error))

    def add_all(self, counts: Mapping[str, int], examples: Iterable[str]) -> None:
        """Count the faults of another report."""
        self.counts.update(counts)
        self.examples = [*self.examples, *examples][:_EXAMPLES]

    def summary(self) -> str:
        """Describe the faults in a few lines of plain text, the most common kind first."""
        lines = [f"{counted(self.total, 'row')} skipped"]
        lines += [f"  {count} x {kind}" for kind, count in self.counts.most_common()]
        if self.examples:
            lines += ["for example", *(f"  {example}" for example in self.examples)]
        return "\n".join(lines)


def read_rows(
    paths: InputPath | Sequence[InputPath], *, skipped: SkipReport | None = None
) -> Iterator[tuple[Place, Row]]:
    """Read the rows of files without checking them.

    JSON lines (``.jsonl``, ``.ndjson``) and CSV are UTF-8, with or without a byte order
    mark, plain or gzip; lines end at a line feed only, so that U+2028 within a text
    does not shift the count. A JSON object that names a field twice is broken. CSV follows RFC 4180
    strictly; every cell is a string. A line, or a record of CSV, may have at most 64 MB. Parquet is
    read in batches of bounded size.

    Parameters
    ----------
    paths
        File names, folders (all files in them, and in folders in them, with a known
        ending), glob patterns (expanded in sorted order) and ``-`` for JSON lines on
        standard input, plain or gzip. A pipe without a known ending is read like standard input. A
        file that is named twice, also by a link or in a folder, is read once, and a notice says so.
    skipped
        If given, broken rows are counted here and left out; otherwise the first one is raised. The
        complete rows of a truncated file are kept.

    Yields
    ------
    place : Place
    row : Mapping

    Raises
    ------
    ArticleError
        If a row is broken.
    FileError
        If a pattern matches nothing, an ending is unknown or a file cannot be opened.
        Names are checked immediately, before anything is read.
    """
    return file_rows(expand_paths(paths), reporter(skipped))


def count_rows(paths: Sequence[InputPath]) -> int | None:
    """Estimate the number of rows in files: line feeds of text files, rows of Parquet files.

    Parameters
    ----------
    paths
        Files from `expand_paths`.

    Returns
    -------
    int or None
        None if a file is compressed or cannot be read.
    """
    rows = 0
    for path in paths:
        try:
            if format_of(path) == "parquet":
                rows += parquet_height(os.fspath(path))
                continue
            with open(path, "rb") as file:
                if file.peek(2).startswith(GZIP_MAGIC):
                    return None
                rows += sum(block.count(b"\n") for block in iter(partial(file.read, 1 << 20), b""))
        except (OSError, ArticleError):
            return None
    return rows


def reporter(skipped: SkipReport | None) -> Reporter:
    """Return the handler of faults: raise them, or count them if there is a report."""
    return _raise if skipped is None else skipped.add


def _raise(error: ArticleError) -> None:
    raise error from None


def file_rows(paths: list[InputPath], report: Reporter) -> Iterator[tuple[Place, Row]]:
    """Yield the rows of files from `expand_paths`; see `read_rows`."""
    for path in paths:
        name = source_name(path)
        try:
            for line, row in _READERS[format_of(path)](path, name, report):
                yield Place(name, line), row
        except OSError as error:
            raise unreadable(name, error) from error


def _json_rows(path: InputPath, name: str, report: Reporter) -> _NumberedRows:
    decode = json.JSONDecoder(object_pairs_hook=_object).decode
    for number, line in read_lines(path, name, report):
        if isinstance(line, ArticleError):
            report(line)
            continue
        if not (stripped := line.strip()):
            continue
        try:
            row = decode(stripped.decode())
        except UnicodeDecodeError as error:
            reason = f"not UTF-8: {error.reason}; write the file as UTF-8"
            report(ArticleError(reason, None, number, name))
        except json.JSONDecodeError as error:
            # Not the error's own text, which would mention a different "line 1".
            reason = f"broken JSON: {error.msg} at character {error.pos + 1}"
            report(ArticleError(reason + _per_line(number, stripped), None, number, name))
        except ArticleError as error:
            report(error.at(name, number))
        except (ValueError, RecursionError) as error:
            report(ArticleError(f"broken JSON: {error}", None, number, name))
        else:
            if isinstance(row, dict):
                yield number, row
            else:
                reason = f"not a JSON object: {type(row).__name__}{_per_line(number, stripped)}"
                report(ArticleError(reason, None, number, name))


def _per_line(number: int, line: bytes) -> str:
    """Return a hint if a file seems to be one array of all articles, or indented."""
    return "; write one object per line" if number == 1 and line[:1] in (b"[", b"{") else ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Make a JSON object; refuse equal names, of which Python would keep only the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ArticleError(f"field named twice: {twice!r}")
    return found


def _csv_rows(path: InputPath, name: str, report: Reporter) -> _NumberedRows:
    header: list[str] | None = None
    for start, cells in _csv_records(path, name, report):
        if header is None:
            # Without its header a table cannot be read, even if faults are counted.
            if isinstance(cells, ArticleError):
                raise cells
            header = cells
            if twice := [column for column, count in Counter(header).items() if count > 1]:
                raise ArticleError(f"column named twice: {twice[0]!r}", None, start, name)
            if other := _other_separator(header):
                reason = f"columns separated by {other!r}: write the table with commas"
                raise ArticleError(reason, None, start, name)
        elif isinstance(cells, ArticleError):
            report(cells)
        elif len(cells) != len(header):
            reason = f"wrong number of cells: {len(cells)} in a table of {len(header)} columns"
            report(ArticleError(reason, None, start, name))
        else:
            yield start, dict(zip(header, cells, strict=True))


def _other_separator(header: list[str]) -> str | None:
    """Return what separates the columns of a header that has no comma, as spreadsheets write it."""
    return next((mark for mark in ";\t|" if len(header) == 1 and mark in header[0]), None)


class _RecordTooLongError(Exception):
    """A record of CSV that is too long."""


class _CsvLines:
    """The lines of a CSV file for Python's csv module, which may continue after an error."""

    def __init__(self, lines: Iterator[tuple[int, bytes | ArticleError]]) -> None:
        self._lines = lines
        self.number = 0
        # Length of the current record in bytes, and its first line that is not UTF-8.
        self.size = 0
        self.undecodable: int | None = None

    def __iter__(self) -> _CsvLines:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        if isinstance(line, ArticleError):
            raise _RecordTooLongError
        self.size += len(line)
        if self.size > MAX_LINE:
            raise _RecordTooLongError
        try:
            return line.decode()
        except UnicodeDecodeError:
            # The line is passed on anyway, so that its quotes count and only its own record is
            # lost.
            self.undecodable = self.undecodable or self.number
            return line.decode(errors="surrogateescape")

    def start_record(self) -> int:
        """Return the number of the first line of the next record."""
        self.size, self.undecodable = 0, None
        return self.number + 1


def _csv_records(
    path: InputPath, name: str, report: Reporter
) -> Iterator[tuple[int, list[str] | ArticleError]]:
    """Yield the cells of each record, or its error, with the number of its first line."""
    # The limit of the csv module is global and low (128 KB); it is only ever increased.
    csv.field_size_limit(max(csv.field_size_limit(), MAX_LINE))
    lines = _CsvLines(read_lines(path, name, report))
    reader = csv.reader(lines, strict=True)
    while True:
        start = lines.start_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except _RecordTooLongError:
            yield start, too_long("record", start, name)
        except csv.Error as error:
            if lines.undecodable:
                yield start, _not_utf8(lines.undecodable, name)
                continue
            until = f", lines {start} to {lines.number}" if lines.number > start else ""
            # Python's own message tells programmers how to open a file.
            alone = "a carriage return ends a line: write a line feed"
            reason = alone if "new-line character" in str(error) else str(error)
            yield start, ArticleError(f"broken CSV: {reason}{until}", None, start, name)
        else:
            if lines.undecodable:
                yield start, _not_utf8(lines.undecodable, name)
            elif len(cells) > 1 or "".join(cells).strip():
                yield start, cells


def _not_utf8(line: int, name: str) -> ArticleError:
    return ArticleError("not UTF-8: write the table as UTF-8", None, line, name)


def _parquet_rows(path: InputPath, name: str, report: Reporter) -> _NumberedRows:
    for number, row in parquet_rows(os.fspath(path)):
        if isinstance(row, ArticleError):
            report(row.at(name, number))
        else:
            yield number, row


_READERS = {"json": _json_rows, "csv": _csv_rows, "parquet": _parquet_rows}
