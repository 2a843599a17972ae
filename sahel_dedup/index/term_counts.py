"""How many articles contained each term: what the IDF of an index is computed from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class TermCounts(NamedTuple):
    """How many articles of one language contained each term.

    Attributes
    ----------
    articles : int
        Number of articles.
    seen : ndarray of int32, shape (room,)
        How many of them held each term.
    """

    articles: int
    seen: NDArray[np.int32]


class CountArrays(NamedTuple):
    """What the IDF is made of.

    Attributes
    ----------
    articles : tuple of int
        Articles of each language.
    before : tuple of float
        As if so many of general news had been read before.
    seen : ndarray of int32, shape (n_langs, room)
        How many articles held each term.
    log_articles : ndarray of float32, shape (n_langs,)
    log_seen : ndarray of float32, shape (n_langs, room)
        Logarithms of what the IDF is a ratio of.
    number_count : ndarray of int64, shape (room,)
        Distinct numbers in each article.
    """

    articles: tuple[int, ...]
    before: tuple[float, ...]
    seen: NDArray[np.int32]
    log_articles: NDArray[np.float32]
    log_seen: NDArray[np.float32]
    number_count: NDArray[np.int64]
