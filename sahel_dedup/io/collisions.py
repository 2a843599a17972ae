"""Collisions: no command may write to a file that it reads, or twice to one file.

A file can have many names: relative ones, symbolic links, hard links, and the standard streams that
a shell has redirected to it. The files themselves are compared.
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
# Endings of the files that an index and SQLite keep next to the file.
_BESIDE = ("-wal", "-shm", "-journal", "-lock", "-arrays", "-arrays~", "-new")


class _Target(NamedTuple):
    """A file as a command names it, with keys to recognise the same file under another name.

    `keys` has the device and inode of an existing file, and the path without links, for a file that
    does not exist yet.
    """

    name: str
    keys: frozenset[object]
    path: str


def check_apart(reads: Iterable[_Path | None], writes: Mapping[str, _Path | None]) -> None:
    """Check, before any work, that writing destroys nothing.

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
    SettingsError
        If an input would be overwritten, under whatever name; if an input is inside an output
        folder, or the reverse; or if two outputs are one file.
    """
    sources = [target for name in reads if name is not None for target in _read_targets(name)]
    outputs = [(option, _write_target(path)) for option, path in writes.items() if path is not None]
    # Messages and the results of most commands go there.
    streams = [
        ("standard output", _stream("standard output", sys.stdout)),
        ("standard error", _stream("standard error", sys.stderr)),
    ]
    for option, output in outputs + streams:
        for source in sources:
            if output.keys & source.keys:
                fault = f"{output.name} is the same file as {source.name}, which this command reads"
                if output.name == source.name:
                    fault = f"this command reads {source.name}"
                raise SettingsError(f"{option}: {fault}; name another file")
            if _nested(output.path, source.path):
                raise SettingsError(
                    f"{option}: one of {output.name} and {source.name}, which this command reads, "
                    "contains the other; write elsewhere"
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
    """Return the path of a local file URL, as Spark accepts them."""
    name = os.fspath(path)
    return f"/{name[5:].lstrip('/')}" if name.startswith("file:/") else name


def _file(path: str) -> _Target:
    real = os.path.realpath(path)
    keys: set[object] = {real}
    for name in (path, *(real + ending for ending in _BESIDE)):
        # Not just the names of files next to it, because the file need not be an index.
        with suppress(OSError, ValueError):
            status = os.stat(name)
            keys.add((status.st_dev, status.st_ino))
    return _Target(repr(path), frozenset(keys), real)


def _stream(name: str, stream: IO[str] | None) -> _Target:
    """Return the file to which a standard stream is redirected, if it is a regular one."""
    keys: set[object] = set()
    # None if it is closed; in a notebook or a test it has no descriptor.
    if stream is not None:
        with suppress(OSError, ValueError, AttributeError):
            status = os.fstat(stream.fileno())
            if stat.S_ISREG(status.st_mode):
                keys.add((status.st_dev, status.st_ino))
    return _Target(name, frozenset(keys), "")


def _nested(one: str, other: str) -> bool:
    """Whether one of two paths is inside the other."""
    if not one or not other:
        return False
    return one.startswith(other + os.sep) or other.startswith(one + os.sep)
