"""Files of arrays, as NumPy writes them: read without pickle, and only if they are whole."""

from __future__ import annotations

import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_arrays(path: str) -> dict[str, NDArray[Any]]:
    """Read all arrays of a file.

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
        If it is damaged, or holds anything else.
    """
    with open(path, "rb") as file:
        # NumPy takes anything else for a pickle, and says how to have it run.
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no archive of arrays")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as found:
                return {name: found[name] for name in found.files}
        except OSError:
            raise
        # What NumPy, zipfile and the parser of headers raise on damage is listed nowhere.
        except Exception as error:
            raise ValueError(str(error)) from error
