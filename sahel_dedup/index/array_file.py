"""Named arrays in one file, which processes map into memory and share.

If a process writes to an array, or to the room after it, it gets its own copy of the page; the file
never changes. A new version is written as a whole and appears under its name only when it is
complete.

The file begins with `_MAGIC`, the length of a head in eight bytes, and the head in MessagePack: a
description, and the type, shape, position and checksum of each array. Arrays begin at page
boundaries. The digest of the head identifies a file: a process that got it from elsewhere can
verify the file, the head and the arrays.
"""

from __future__ import annotations

import hashlib
import math
import mmap
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgpack  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from sahel_dedup.index.checksums import checksum

_MAGIC = b"SDARRAY1"
_PAGE = 4096
_LONGEST_HEAD = 1 << 28
_DTYPES = frozenset(("|b1", "|u1", "<u2", "<i2", "<u4", "<i4", "<f4", "<u8", "<i8", "<f8"))
# Size of a part that is written at a time. A part of zeros is skipped and takes no space on disk.
_PART = 1 << 18
_DRAFT = "~"


class Column(NamedTuple):
    """An array to write.

    Attributes
    ----------
    values : ndarray
    grows : bool
        Whether to leave room for more rows.
    """

    values: NDArray[Any]
    grows: bool = True


@dataclass(frozen=True, slots=True)
class Arrays:
    """The content of a file.

    Attributes
    ----------
    about : dict
        Description of the arrays.
    columns : dict of str to ndarray
        The arrays, with the room after them.
    rows : dict of str to int
        Number of used rows of each.
    """

    about: dict[str, Any]
    columns: dict[str, NDArray[Any]]
    rows: dict[str, int]


@dataclass(frozen=True, slots=True)
class Draft:
    """A complete file that does not have its name yet.

    Attributes
    ----------
    path : str
        Its future name.
    digest : str
        The digest that identifies it.
    """

    path: str
    digest: str

    def publish(self) -> None:
        """Rename it to its name, and replace an earlier file.

        Raises
        ------
        OSError
            If that is impossible.
        """
        os.replace(self.path + _DRAFT, self.path)


def write(
    path: str, mode: int, key: bytes, about: Mapping[str, Any], columns: Mapping[str, Column]
) -> Draft:
    """Write arrays to a file next to the one that it will replace.

    Parameters
    ----------
    path : str
        The name that `Draft.publish` gives it.
    mode : int
        Its permissions.
    key : bytes
        The digest depends on it.
    about : dict
        Description, in the types of MessagePack.
    columns : dict of str to Column

    Returns
    -------
    Draft

    Raises
    ------
    OSError
        If it cannot be written.
    """
    table = dict[str, tuple[Any, ...]]()
    end = 0
    for name, (values, grows) in columns.items():
        rows = len(values)
        room = rows + rows // 4 + 64 if grows else rows
        shape = list(values.shape[1:])
        table[name] = values.dtype.str, rows, room, shape, end, checksum(_bytes(values))
        end += -(-room * math.prod(shape) * values.itemsize // _PAGE) * _PAGE
    head = msgpack.packb({"about": dict(about), "columns": table})
    start = _data_start(len(head))
    name = path + _DRAFT
    with suppress(FileNotFoundError):
        os.unlink(name)
    try:
        # Never write to a file that somebody else put there.
        with open(name, "xb") as file:
            os.chmod(name, mode)
            file.truncate(start + end)
            file.write(_MAGIC + len(head).to_bytes(8, "little") + head)
            for column, (*_, offset, _) in zip(columns.values(), table.values(), strict=True):
                data = _bytes(column.values)
                for at in range(0, len(data), _PART):
                    part = data[at : at + _PART]
                    if part.any():
                        file.seek(start + offset + at)
                        file.write(part.data)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
    return Draft(path, _digest(key, head))


def read(path: str, key: bytes, digest: str) -> Arrays:
    """Map the arrays of a file into memory, where they may be changed.

    Parameters
    ----------
    path : str
    key, digest
        As when the file was written.

    Returns
    -------
    Arrays

    Raises
    ------
    OSError
        If it cannot be read.
    LookupError, TypeError, ValueError
        If it is a different file, or damaged.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"there is no file {path!r}")
    with open(path, "rb") as file:
        magic, size = file.read(len(_MAGIC)), int.from_bytes(file.read(8), "little")
        if magic != _MAGIC or size > _LONGEST_HEAD:
            raise ValueError("it does not begin like one")
        head = file.read(size)
        if _digest(key, head) != digest:
            raise LookupError("it belongs to another index, or to another state of this one")
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    found = msgpack.unpackb(head)
    arrays = Arrays(found["about"], {}, {})
    for name, (dtype, rows, room, shape, offset, seal) in found["columns"].items():
        array = _mapped(memory, dtype, (room, *shape), _data_start(size) + offset)
        if not 0 <= rows <= room or checksum(_bytes(array[:rows])) != seal:
            raise ValueError(f"its array {name} has changed")
        arrays.columns[name], arrays.rows[name] = array, rows
    return arrays


def _mapped(memory: mmap.mmap, dtype: str, shape: tuple[int, ...], offset: int) -> NDArray[Any]:
    if dtype not in _DTYPES or not np.dtype(dtype).isnative:
        raise ValueError(f"an array of type {dtype!r}")
    if not all(type(n) is int and 0 <= n < 1 << 40 for n in (*shape, offset)) or offset % _PAGE:
        raise ValueError("the shape of an array")
    size = math.prod(shape)
    if offset + size * np.dtype(dtype).itemsize > len(memory):
        raise ValueError("its end is missing")
    return np.frombuffer(memory, dtype=dtype, count=size, offset=offset).reshape(shape)


def _bytes(values: NDArray[Any]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(values).reshape(-1).view(np.uint8)


def _data_start(head: int) -> int:
    return -(-(len(_MAGIC) + 8 + head) // _PAGE) * _PAGE


def _digest(key: bytes, head: bytes) -> str:
    return hashlib.blake2b(head, key=key, digest_size=16).hexdigest()
