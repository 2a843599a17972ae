"""Reading rows from files: formats, lines and faults, but no idea of an article.

A row is a mapping of names to values, whatever the format. Everything streams; at most
one batch of rows is in memory.
"""

from __future__ import annotations

import csv
import glob
import gzip
import io
import json
import os
import shutil
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, TypeAlias, cast

import polars as pl

from sahel_dedup.errors import ArticleError, SahelError, place_name

Row: TypeAlias = Mapping[str, object]
InputPath: TypeAlias = str | os.PathLike[str]
Reporter: TypeAlias = Callable[[ArticleError], None]
_NumberedRows: TypeAlias = Iterator[tuple[int, Row]]

STDIN = "-"

_GZIP_MAGIC = b"\x1f\x8b"
_UTF8_BOM = b"\xef\xbb\xbf"
# A slice of the file at a time, because polars' `collect_batches` runs ahead of its
# reader: 454 MB against 77 MB on a file of 400 MB of text, and no faster.
_PARQUET_BATCH = 2000
_EXAMPLES = 5


class Place(NamedTuple):
    """Where a row came from: the file as the user named it, and the line from 1."""

    file: str | None
    line: int

    def __str__(self) -> str:
        return place_name(self.file, self.line)


@dataclass(slots=True)
class SkipReport:
    """What was left out while reading, and why.

    Attributes
    ----------
    counts
        How many rows were skipped for each kind of fault.
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

    def summary(self) -> str:
        """Describe the faults in a few lines of plain text, the commonest kind first."""
        lines = [f"{self.total} {'row' if self.total == 1 else 'rows'} skipped"]
        lines += [f"  {count} x {kind}" for kind, count in self.counts.most_common()]
        if self.examples:
            lines += ["for example", *(f"  {example}" for example in self.examples)]
        return "\n".join(lines)


def read_rows(
    paths: InputPath | Sequence[InputPath], *, skipped: SkipReport | None = None
) -> Iterator[tuple[Place, Row]]:
    """Read the rows of files, unchecked.

    JSON lines (``.jsonl``, ``.ndjson``) and CSV are UTF-8, with or without a byte order
    mark, plain or gzip; lines end at a line feed only, so that U+2028 within a text
    does not shift the count. CSV follows RFC 4180 strictly; every cell is a string.
    Parquet is read in batches of bounded size.

    Parameters
    ----------
    paths
        File names, glob patterns (expanded in sorted order) and ``-`` for JSON lines on
        standard input, plain or gzip. A file named twice is read once.
    skipped
        When given, broken rows are counted here and left out; otherwise the first one
        is raised. Of a truncated file the complete rows are kept.

    Yields
    ------
    place : Place
    row : Mapping

    Raises
    ------
    ArticleError
        If a row is broken.
    SahelError
        If a pattern matches nothing, an ending is unknown or a file cannot be opened.
        Names are checked by the call itself, before anything is read.
    """
    return _rows(expand_paths(paths), reporter(skipped))


def expand_paths(paths: InputPath | Sequence[InputPath]) -> list[InputPath]:
    """Expand glob patterns and check that every file can be there and be read.

    Raises
    ------
    SahelError
        If a name or pattern matches no file, or the ending of a file is unknown.
    """
    found: list[InputPath] = []
    for path in [paths] if isinstance(paths, str | os.PathLike) else paths:
        # A file that exists under the very name comes first: brackets are common in
        # file names, and `news[1].jsonl` as a pattern would not match itself.
        if path == STDIN or os.path.exists(path):
            found.append(path)
        elif matches := sorted(glob.glob(os.fspath(path), recursive=True)):
            found += matches
        else:
            raise SahelError(f"no file matches {os.fspath(path)!r}")
    for path in found:
        _format_of(path)
    return list(dict.fromkeys(found))


def count_rows(paths: Sequence[InputPath]) -> int | None:
    """Count about how many rows files hold: the line feeds of text, the rows of Parquet.

    Parameters
    ----------
    paths
        Files, as `expand_paths` gives them.

    Returns
    -------
    int or None
        None if that takes unpacking, or a file cannot be read.
    """
    rows = 0
    for path in paths:
        try:
            if _format_of(path) is _parquet_rows:
                rows += (
                    pl.scan_parquet(os.fspath(path), glob=False).select(pl.len()).collect().item()
                )
                continue
            with open(path, "rb") as file:
                if file.peek(2).startswith(_GZIP_MAGIC):
                    return None
                rows += sum(block.count(b"\n") for block in iter(partial(file.read, 1 << 20), b""))
        except (OSError, pl.exceptions.PolarsError):
            return None
    return rows


@contextmanager
def spool_stdin() -> Iterator[os.PathLike[str]]:
    """Copy standard input to a temporary file, for input that is read more than once.

    Yields
    ------
    os.PathLike
        A path for `read_rows` and its kin. Errors call it "standard input". The file is
        removed at the end of the block.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "stdin.jsonl")
        with open(path, "wb") as spool:
            shutil.copyfileobj(sys.stdin.buffer, spool)
        yield _SpooledInput(path)


@dataclass(frozen=True, slots=True)
class _SpooledInput(os.PathLike[str]):
    path: str

    def __fspath__(self) -> str:
        return self.path

    def __str__(self) -> str:
        return "standard input"


def reporter(skipped: SkipReport | None) -> Reporter:
    """Return what is to be done with a fault: raise it, or count it where there is a report."""
    return _raise if skipped is None else skipped.add


def _raise(error: ArticleError) -> None:
    raise error from None


def _rows(paths: list[InputPath], report: Reporter) -> Iterator[tuple[Place, Row]]:
    for path in paths:
        name = "standard input" if path == STDIN else str(path)
        try:
            for line, row in _format_of(path)(path, name, report):
                yield Place(name, line), row
        except OSError as error:
            raise SahelError(f"cannot read {name}: {error.strerror or error}") from error


def _json_rows(path: InputPath, name: str, report: Reporter) -> _NumberedRows:
    decode = json.JSONDecoder().decode
    for number, line in _lines(path, name, report):
        if not (stripped := line.strip()):
            continue
        try:
            row = decode(stripped.decode())
        except UnicodeDecodeError as error:
            report(ArticleError(f"not UTF-8: {error.reason}", None, number, name))
        except json.JSONDecodeError as error:
            # Not its own text, which would speak of another "line 1".
            reason = f"broken JSON: {error.msg} at character {error.pos + 1}"
            report(ArticleError(reason, None, number, name))
        except (ValueError, RecursionError) as error:
            report(ArticleError(f"broken JSON: {error}", None, number, name))
        else:
            if isinstance(row, dict):
                yield number, row
            else:
                kind = type(row).__name__
                report(ArticleError(f"not a JSON object: {kind}", None, number, name))


def _csv_rows(path: InputPath, name: str, report: Reporter) -> _NumberedRows:
    header: list[str] | None = None
    for start, cells in _csv_records(path, name, report):
        if header is None:
            # Without its header a table is lost, whoever counts faults.
            if isinstance(cells, ArticleError):
                raise cells
            header = cells
            if twice := [column for column, count in Counter(header).items() if count > 1]:
                raise ArticleError(f"column named twice: {twice[0]!r}", None, start, name)
        elif isinstance(cells, ArticleError):
            report(cells)
        elif len(cells) != len(header):
            reason = f"wrong number of cells: {len(cells)} in a table of {len(header)} columns"
            report(ArticleError(reason, None, start, name))
        else:
            yield start, dict(zip(header, cells, strict=True))


def _csv_records(
    path: InputPath, name: str, report: Reporter
) -> Iterator[tuple[int, list[str] | ArticleError]]:
    """Yield the cells of each record, or what is wrong with it, by its first line."""
    # The limit of the csv module is global and low (128 KB); it is only ever raised.
    csv.field_size_limit(max(csv.field_size_limit(), 2**31 - 1))
    undecodable: list[int] = []

    def decoded() -> Iterator[str]:
        for number, line in _lines(path, name, report):
            try:
                yield line.decode()
            except UnicodeDecodeError:
                # The line is passed on all the same, so that the quotes in it count and
                # only the record it belongs to is lost.
                undecodable.append(number)
                yield line.decode(errors="surrogateescape")

    reader = csv.reader(decoded(), strict=True)
    while True:
        start = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            until = f", lines {start} to {reader.line_num}" if reader.line_num > start else ""
            yield start, ArticleError(f"broken CSV: {error}{until}", None, start, name)
            continue
        if undecodable:
            yield start, ArticleError("not UTF-8", None, undecodable[0], name)
            undecodable.clear()
        elif len(cells) > 1 or "".join(cells).strip():
            yield start, cells


def _parquet_rows(path: InputPath, name: str, report: Reporter) -> _NumberedRows:
    frame = pl.scan_parquet(os.fspath(path), glob=False)
    done = 0
    while True:
        try:
            batch = frame.slice(done, _PARQUET_BATCH).collect()
        except pl.exceptions.PolarsError as error:
            reason = str(error).partition("\n")[0]
            report(ArticleError(f"broken Parquet: {reason}", None, done + 1, name))
            return
        if batch.is_empty():
            return
        yield from enumerate(batch.iter_rows(named=True), start=done + 1)
        done += batch.height


def _lines(path: InputPath, name: str, report: Reporter) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file, plain or gzip, with their numbers from 1."""
    number = 0
    with ExitStack() as stack:
        try:
            for number, line in enumerate(_open(path, stack), start=1):
                yield number, line.removeprefix(_UTF8_BOM) if number == 1 else line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            reason = f"broken gzip: {error}"
            report(ArticleError(reason, None, number + 1, name))


def _open(path: InputPath, stack: ExitStack) -> Iterable[bytes]:
    if path == STDIN:
        # Read as it comes: a stream may never end.
        file = cast(io.BufferedReader, sys.stdin.buffer)
    else:
        file = stack.enter_context(open(path, "rb"))  # noqa: SIM115
    # The first bytes decide and not the ending: standard input has none, and programs
    # that fetch files tend to unpack a `.gz` without renaming it.
    if file.peek(2).startswith(_GZIP_MAGIC):
        return stack.enter_context(gzip.GzipFile(fileobj=file))
    return file


_FORMATS = {
    ".jsonl": _json_rows,
    ".jsonl.gz": _json_rows,
    ".ndjson": _json_rows,
    ".ndjson.gz": _json_rows,
    ".csv": _csv_rows,
    ".csv.gz": _csv_rows,
    ".parquet": _parquet_rows,
}


def _format_of(path: InputPath) -> Callable[[InputPath, str, Reporter], _NumberedRows]:
    if path == STDIN:
        return _json_rows
    name = os.path.basename(path).lower()
    for ending, read in _FORMATS.items():
        if name.endswith(ending):
            return read
    raise SahelError(f"unknown ending: {os.fspath(path)!r}; known are {', '.join(_FORMATS)}")
