"""Composition (NFC) in linear time, and the origin of each composed character.

Sorting a run of marks takes time quadratic in its length, and the author of a text decides how long
a run is. No language has a letter with thirty marks, so longer runs are cut into parts that are
composed one by one (as in the Stream-Safe Text Format, UAX 15).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.text.unicode_tables import ATTACHED, MARK, UNSETTLED, character_tables
from sahel_dedup.util.jit import compiled

LONGEST_RUN = 30


def compose(text: str) -> str:
    """Compose a text (NFC), with runs of more than 30 marks in parts.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    return _composed(text, _cuts(_flags(text)).tolist())


def composed_places(text: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where each character of the composed form of a text comes from.

    The text is cut where composition cannot cross. Within a piece nothing more is known: each of
    its characters comes from the whole piece.

    Parameters
    ----------
    text : str

    Returns
    -------
    starts, ends : ndarray of int64, shape (len(compose(text)),)
        Offsets into `text`; ends are exclusive.
    """
    flags = _flags(text)
    first = (flags & ATTACHED) == 0
    # Nothing composes with a space, and no word may begin with one.
    first[1:] |= np.fromiter(map(str.isspace, text[:-1]), dtype=bool, count=max(0, len(text) - 1))
    first[:1] = True
    first[_cuts(flags)] = True
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], len(text))[: len(starts)]
    sizes = ends - starts
    unsettled = np.add.reduceat(flags & UNSETTLED > 0, starts) if len(starts) else sizes
    for piece in np.flatnonzero(unsettled).tolist():
        sizes[piece] = len(unicodedata.normalize("NFC", text[starts[piece] : ends[piece]]))
    return starts.repeat(sizes), ends.repeat(sizes)


def _flags(text: str) -> NDArray[np.uint8]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return character_tables().classes[codes]


def _composed(text: str, cuts: Sequence[int]) -> str:
    if not cuts:
        return unicodedata.normalize("NFC", text)
    parts = zip([0, *cuts], [*cuts, len(text)], strict=True)
    return "".join(unicodedata.normalize("NFC", text[start:end]) for start, end in parts)


def _cuts(flags: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Find the positions before which runs of marks are cut."""
    cuts = np.empty(len(flags) // LONGEST_RUN, dtype=np.int64)
    return cuts[: _find_cuts(flags, cuts)]


@compiled
def _find_cuts(flags: NDArray[np.uint8], cuts: NDArray[np.int64]) -> int:
    """Fill in what `_cuts` returns, and count it."""
    size = run = 0
    for i in range(len(flags)):
        if not flags[i] & MARK:
            run = 0
            continue
        if run == LONGEST_RUN:
            cuts[size] = i
            size += 1
            run = 0
        run += 1
    return size
