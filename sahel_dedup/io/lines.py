"""Lines of a file, plain or gzip, of bounded length, and input that can be read only once."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TypeAlias, cast

from sahel_dedup.errors import ArticleError, FileError

InputPath: TypeAlias = str | os.PathLike[str]
Reporter: TypeAlias = Callable[[ArticleError], None]

STDIN = "-"
GZIP_MAGIC = b"\x1f\x8b"
# No article is longer. A hostile gzip file of zeros would otherwise be an endless line.
MAX_LINE = 64 << 20
_UTF8_BOM = b"\xef\xbb\xbf"


def too_long(what: str, line: int, name: str) -> ArticleError:
    """Return the error for a line or record of more than `MAX_LINE` bytes."""
    return ArticleError(f"{what} too long: more than {MAX_LINE >> 20} MB", None, line, name)


def read_lines(
    path: InputPath, name: str, report: Reporter
) -> Iterator[tuple[int, bytes | ArticleError]]:
    """Yield the lines of a file with their numbers from 1.

    Parameters
    ----------
    path
        A file, or ``-`` for standard input.
    name
        Name of the file in messages.
    report
        Called for broken gzip data; the lines before it are read.

    Yields
    ------
    number : int
    line : bytes or ArticleError
        An error stands for a line that is too long.
    """
    number = 0
    with ExitStack() as stack:
        try:
            file = _open(path, stack)
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    yield number, too_long("line", number, name)
                    while line and not line.endswith(b"\n"):
                        line = file.readline(MAX_LINE)
                else:
                    yield number, line.removeprefix(_UTF8_BOM) if number == 1 else line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            report(ArticleError(f"broken gzip: {error}", None, number + 1, name))


def comes_once(path: InputPath) -> bool:
    """Whether a path is a stream that can be read only once: standard input or a pipe."""
    if path == STDIN:
        return True
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


@contextmanager
def spool(path: InputPath, ending: str = ".jsonl") -> Iterator[os.PathLike[str]]:
    """Copy a stream to a temporary file, so that it can be read more than once.

    Parameters
    ----------
    path
        A path for which `comes_once` is true.
    ending
        Ending of the temporary file, which gives its format.

    Yields
    ------
    os.PathLike
        A path for `sahel_dedup.io.readers.read_rows` and the like. Errors use the name that the
        user gave. The file is removed at the end of the block.
    """
    name = source_name(path)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        copy = os.path.join(folder, f"stdin{ending}")
        try:
            source = standard_input() if path == STDIN else stack.enter_context(open(path, "rb"))
        except OSError as error:
            raise FileError(f"cannot read {name}: {error.strerror or error}") from error
        try:
            with open(copy, "wb") as target:
                shutil.copyfileobj(source, target)
        except OSError as error:
            # Usually the folder for temporary files is full.
            error.filename = error.filename or copy
            raise
        yield _Spooled(copy, name)


def source_name(path: InputPath) -> str:
    """Return the name of an input for messages."""
    return "standard input" if path == STDIN else str(path)


def standard_input() -> io.BufferedReader:
    """Return standard input, in bytes.

    Raises
    ------
    FileError
        If it is closed.
    """
    # Python has none if the descriptor was closed before it started.
    if sys.stdin is None or sys.stdin.closed:
        raise FileError("cannot read standard input: it is closed")
    return cast(io.BufferedReader, sys.stdin.buffer)


@dataclass(frozen=True, slots=True)
class _Spooled(os.PathLike[str]):
    path: str
    name: str

    def __fspath__(self) -> str:
        return self.path

    def __str__(self) -> str:
        return self.name


def _open(path: InputPath, stack: ExitStack) -> IO[bytes]:
    # Standard input is read as it arrives, because a stream may never end.
    file = standard_input() if path == STDIN else stack.enter_context(open(path, "rb"))  # noqa: SIM115
    # The first bytes decide and not the ending, because standard input has none, and download
    # programs may unpack a `.gz` without renaming it.
    if file.peek(2).startswith(GZIP_MAGIC):
        return cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=file)))
    return file
