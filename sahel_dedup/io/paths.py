"""Names of input files: patterns, folders, endings, and the formats of the endings."""

from __future__ import annotations

import errno
import glob
import logging
import os
import stat
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext

from sahel_dedup.errors import FileError, SahelError
from sahel_dedup.io.lines import STDIN, InputPath, comes_once, source_name, spool
from sahel_dedup.util.notices import warn
from sahel_dedup.util.values import counted, show

_LOGGER = logging.getLogger("sahel_dedup")

ENDINGS = {
    ".jsonl": "json",
    ".jsonl.gz": "json",
    ".ndjson": "json",
    ".ndjson.gz": "json",
    ".csv": "csv",
    ".csv.gz": "csv",
    ".parquet": "parquet",
}


def expand_paths(paths: InputPath | Sequence[InputPath]) -> list[InputPath]:
    """Expand folders and glob patterns, and check that every file exists and can be read.

    A file that is named more than once, also by a link or in a folder, is read once, and a notice
    says so.

    Raises
    ------
    FileError
        If a name or pattern matches no file, or a file has an unknown ending.
    """
    if not isinstance(paths, str | os.PathLike | Sequence):
        raise FileError(f"not a path: {show(paths)}")
    found: list[InputPath] = []
    for path in [paths] if isinstance(paths, str | os.PathLike) else paths:
        # A file with exactly this name takes precedence, because brackets are common in file names,
        # and the pattern `news[1].jsonl` does not match itself.
        found += [path] if path == STDIN or _is_there(path) else _matches(path)
    files: list[InputPath] = []
    for path in found:
        if path != STDIN and os.path.isdir(path):
            files += _files_in(path)
        else:
            format_of(path)
            files.append(path)
    return _once(files)


def _once(paths: Sequence[InputPath]) -> list[InputPath]:
    """Leave out files that were named before, also in another way, and report them."""
    first: dict[object, InputPath] = {}
    again: list[tuple[InputPath, InputPath]] = []
    for path in paths:
        status = None if path == STDIN else os.stat(path)
        # Links to a file are that file. Some file systems do not number their files.
        known = status is not None and status.st_ino and stat.S_ISREG(status.st_mode)
        key = (status.st_dev, status.st_ino) if status and known else os.fspath(path)
        if key in first:
            again.append((path, first[key]))
        first.setdefault(key, path)
    if again:
        path, before = map(source_name, again[0])
        what = path if path == before else f"{path} is {before}"
        count = counted(len(again), "file")
        warn(_LOGGER, "%s given more than once, but read once: %s", count, what)
    return list(first.values())


def open_repeatable(path: InputPath) -> AbstractContextManager[InputPath]:
    """Make a path readable more than once.

    Parameters
    ----------
    path
        A path from `expand_paths`.

    Returns
    -------
    context manager of path
        Standard input or a pipe is copied to a temporary file, which is removed at the end of the
        block.
    """
    if not comes_once(path):
        return nullcontext(path)
    return spool(path, _known_ending(path) or ".jsonl")


def _is_there(path: InputPath) -> bool:
    try:
        os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError as error:
        # A name may be too long for a file but still be a pattern.
        if error.errno == errno.ENAMETOOLONG:
            return False
        raise unreadable(path, error) from error
    return True


def _matches(pattern: InputPath) -> list[InputPath]:
    """Return the files that match a pattern, in sorted order."""
    name = os.fspath(pattern)
    found: list[InputPath] = list(sorted(glob.glob(name, recursive=True)))
    if found:
        return found
    # glob silently ignores a folder that it may not read.
    folder = os.path.dirname(name) or "."
    if not glob.has_magic(folder) and os.path.isdir(folder):
        try:
            os.listdir(folder)
        except OSError as error:
            raise unreadable(folder, error) from error
    raise FileError(f"no file matches {show(name)}")


def _files_in(folder: InputPath) -> list[InputPath]:
    """Return the files of known endings in a folder and those in it, in sorted order."""

    def refuse(error: OSError) -> None:
        raise unreadable(error.filename, error) from error

    found: list[InputPath] = []
    others: list[InputPath] = []
    for inside, folders, names in os.walk(folder, onerror=refuse):
        # Spark and others leave marker files such as _SUCCESS and .part.crc.
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(names):
            if not name.startswith((".", "_")):
                (found if _known_ending(name) else others).append(os.path.join(inside, name))
    if not found:
        raise FileError(f"no file in folder {os.fspath(folder)!r} ends in {', '.join(ENDINGS)}")
    if others:
        count = counted(len(others), "file")
        warn(_LOGGER, "%s with unknown extensions left out, for example %s", count, others[0])
    return found


def unreadable(name: object, error: OSError) -> SahelError:
    """Return the error for a file that the system does not allow to be read."""
    return FileError(f"cannot read {name}: {error.strerror or error}")


def format_of(path: InputPath) -> str:
    """Return the format of a file by its ending: ``json``, ``csv`` or ``parquet``.

    Raises
    ------
    FileError
        If the ending is unknown.
    """
    if ending := _known_ending(path):
        return ENDINGS[ending]
    # The shell names the pipe of `<(command)` /dev/fd/63.
    if comes_once(path):
        return "json"
    # Usually one array of all articles.
    hint = "; write one JSON object per line" if str(path).lower().endswith(".json") else ""
    known = ", ".join(ENDINGS)
    raise FileError(
        f"unknown file extension: {os.fspath(path)!r}; known extensions are {known}{hint}"
    )


def _known_ending(path: InputPath) -> str | None:
    name = os.path.basename(path).lower()
    return next((ending for ending in ENDINGS if name.endswith(ending)), None)
