"""Files of NumPy arrays, read without pickle and only if they are complete."""

from __future__ import annotations

import zipfile
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_arrays(
    path: str, only: Collection[str] = (), leave_out: Collection[str] = ()
) -> dict[str, NDArray[Any]]:
    """Read the arrays of a file.

    Parameters
    ----------
    path : str
    only : collection of str
        Names of the arrays that are wanted, if they are there; all if empty.
    leave_out : collection of str
        Names of those that are not.

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
        # NumPy treats any other file as a pickle, and its error says how to execute that.
        if not zipfile.is_zipfile(file):
            raise ValueError("it is not an archive of arrays")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as found:
                return {
                    name: found[name]
                    for name in found.files
                    if name not in leave_out and (not only or name in only)
                }
        except OSError:
            raise
        # NumPy, zipfile and the header parser do not document what they raise on damaged files.
        except Exception as error:
            raise ValueError(str(error)) from error


def array_names(path: str) -> list[str]:
    """Return the names of the arrays of a file that `read_arrays` has read."""
    with zipfile.ZipFile(path) as found:
        return [name.removesuffix(".npy") for name in found.namelist()]
