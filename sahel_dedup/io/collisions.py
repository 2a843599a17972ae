"""No command writes to a file that it reads, or twice to one file.

A file has many names: relative ones, symbolic links, hard links, and the standard streams that a
shell has opened on it. What counts is the file itself.
"""

from __future__ import annotations

import glob
import os
import stat
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import combinations
from typing import IO, NamedTuple, TypeAlias

from sahel_dedup.errors import SettingsError

_Path: TypeAlias = str | os.PathLike[str]

# As a name of what is read, standard input; of what is written, standard output.
_STREAM = "-"
STDOUT = _STREAM
# What SQLite, and the lock of an index, keep next to the file.
_BESIDE = ("-wal", "-shm", "-journal", "-lock", "-new")


class _Target(NamedTuple):
    """A file as a command names it, and what tells whether another is the same.

    `keys` has the device and inode of what is there, and its path without links, for what is
    not there yet.
    """

    name: str
    keys: frozenset[object]
    path: str


def check_apart(reads: Iterable[_Path | None], writes: Mapping[str, _Path | None]) -> None:
    """Check, before any work is done, that writing destroys nothing.

    Parameters
    ----------
    reads
        What a command reads: files, folders, glob patterns, ``-`` for standard input; ``None``
        for an option that was not given.
    writes
        What it writes by the name of the option: files, folders, the file of an index, `STDOUT`
        for standard output; ``None`` for an option that was not given.

    Raises
    ------
    SahelError
        If a file that is read would be written, under whatever name, or lies in a folder that
        is written or the other way round; or if two outputs are one file.
    """
    sources = [target for name in reads if name is not None for target in _read_targets(name)]
    outputs = [(option, _write_target(path)) for option, path in writes.items() if path is not None]
    # Messages and results of most commands go there.
    streams = [
        ("standard output", _stream("standard output", sys.stdout)),
        ("standard error", _stream("standard error", sys.stderr)),
    ]
    for option, output in outputs + streams:
        for source in sources:
            if output.keys & source.keys:
                same = "" if output.name == source.name else f"{output.name} is the same file as "
                raise SettingsError(
                    f"{option}: {same}{source.name}, which this command reads; name another file"
                )
            if _nested(output.path, source.path):
                raise SettingsError(
                    f"{option}: {output.name} and {source.name}, which this command reads, lie one "
                    "inside the other; write elsewhere"
                )
    for (option, output), (other, second) in combinations(outputs, 2):
        if output.keys & second.keys or _nested(output.path, second.path):
            raise SettingsError(f"{option} and {other} are both {output.name}: name two files")


def _read_targets(name: _Path) -> list[_Target]:
    if name == _STREAM:
        return [_stream("standard input", sys.stdin)]
    path = _local(name)
    found = [path] if os.path.exists(path) else glob.glob(path, recursive=True)
    return [_file(path) for path in found or [path]]


def _write_target(path: _Path) -> _Target:
    if path == STDOUT:
        return _stream("standard output", sys.stdout)
    return _file(_local(path))


def _local(path: _Path) -> str:
    """Return the path in a URL of this machine's files, as Spark takes them."""
    name = os.fspath(path)
    return f"/{name[5:].lstrip('/')}" if name.startswith("file:/") else name


def _file(path: str) -> _Target:
    real = os.path.realpath(path)
    keys: set[object] = {real}
    for name in (path, *(real + ending for ending in _BESIDE)):
        # Not the mere names of files beside it: it need not be an index.
        with suppress(OSError, ValueError):
            status = os.stat(name)
            keys.add((status.st_dev, status.st_ino))
    return _Target(repr(path), frozenset(keys), real)


def _stream(name: str, stream: IO[str] | None) -> _Target:
    """Return the file that a standard stream was opened on, if it is a regular one."""
    keys: set[object] = set()
    # None where it is closed; in a notebook or a test it has no descriptor.
    if stream is not None:
        with suppress(OSError, ValueError, AttributeError):
            status = os.fstat(stream.fileno())
            if stat.S_ISREG(status.st_mode):
                keys.add((status.st_dev, status.st_ino))
    return _Target(name, frozenset(keys), "")


def _nested(one: str, other: str) -> bool:
    """Whether one of two paths lies in the folder that is the other."""
    if not one or not other:
        return False
    return one.startswith(other + os.sep) or other.startswith(one + os.sep)
