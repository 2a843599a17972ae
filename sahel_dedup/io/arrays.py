"""Files of NumPy arrays, read without pickle and only if they are complete."""

from __future__ import annotations

import io
import math
import mmap
import struct
import zipfile
import zlib
from collections.abc import Collection, Mapping
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

# The header of a member: what is there before its name, and what is added for large members.
_BEFORE_NAME, _FOR_SIZES = 30, 20
# Data begin at multiples of this, because loops are compiled for arrays that are aligned.
_ALIGNMENT = 64
_PADDING = 0xD935
_LONGEST_HEADER = 1 << 12


def read_arrays(path: str) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file.

    Parameters
    ----------
    path : str

    Returns
    -------
    dict of str to ndarray

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged, or contains anything else.
    """
    with open(path, "rb") as file:
        _check_kind(file)
        try:
            with np.load(file, allow_pickle=False) as found:
                return {name: found[name] for name in found.files}
        except OSError:
            raise
        # NumPy, zipfile and the header parser do not document what they raise on damaged files.
        except Exception as error:
            raise ValueError(str(error)) from error


def write_arrays(file: IO[bytes], arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write arrays to a new file so that `map_arrays` need not copy them; see `numpy.savez`."""
    with zipfile.ZipFile(file, "w") as out:
        for name, values in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy")
            start = file.tell() + _BEFORE_NAME + len(member.filename) + _FOR_SIZES + 4
            padding = -start % _ALIGNMENT
            member.extra = struct.pack("<HH", _PADDING, padding) + bytes(padding)
            with out.open(member, "w", force_zip64=True) as to:
                npy.write_array(to, values, allow_pickle=False)


def map_arrays(path: str, names: Collection[str]) -> dict[str, NDArray[Any]]:
    """Map arrays of a file that `write_arrays` wrote into memory, after checking each.

    The file must not change as long as the arrays are used.

    Parameters
    ----------
    path : str
    names : collection of str
        Names of the arrays that are wanted.

    Returns
    -------
    dict of str to ndarray
        They cannot be changed.

    Raises
    ------
    OSError
        If the file cannot be read.
    ValueError
        If it is damaged or contains anything else, or one of the arrays is missing.
    """
    with open(path, "rb") as file:
        _check_kind(file)
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        try:
            with zipfile.ZipFile(file) as found:
                return {name: _array(mapped, found.getinfo(f"{name}.npy")) for name in names}
        except OSError:
            raise
        except Exception as error:  # As in `read_arrays`.
            raise ValueError(str(error)) from error


def array_names(path: str) -> list[str]:
    """Return the names of the arrays of a file that `map_arrays` has read."""
    with zipfile.ZipFile(path) as found:
        return [name.removesuffix(".npy") for name in found.namelist()]


def _check_kind(file: IO[bytes]) -> None:
    # NumPy treats any other file as a pickle, and its error says how to execute that.
    if not zipfile.is_zipfile(file):
        raise ValueError("it is not an archive of arrays")
    file.seek(0)


def _array(mapped: memoryview, member: zipfile.ZipInfo) -> NDArray[Any]:
    """Return a member of an archive in memory as an array, if its checksum is right."""
    if member.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{member.filename} is compressed")
    name, extra = struct.unpack_from("<HH", mapped, member.header_offset + _BEFORE_NAME - 4)
    start = member.header_offset + _BEFORE_NAME + name + extra
    data = mapped[start : start + member.file_size]
    if zlib.crc32(data) != member.CRC:
        raise ValueError(f"the checksum of {member.filename} is different")
    header = io.BytesIO(bytes(data[:_LONGEST_HEADER]))
    if npy.read_magic(header) != (1, 0):
        raise ValueError(f"{member.filename} has another format")
    shape, by_column, dtype = npy.read_array_header_1_0(header)
    if dtype.hasobject or (by_column and len(shape) > 1):
        raise ValueError(f"{member.filename} has another layout")
    values = np.frombuffer(data, dtype, math.prod(shape), header.tell()).reshape(shape)
    return values if values.flags.aligned else values.copy()
