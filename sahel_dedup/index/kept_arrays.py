"""The arrays of an index in a file next to it, so that it opens immediately.

The tables of the index are authoritative. A file of arrays is used only if the index names it by a
digest of all its content. If it is missing, damaged, older or from elsewhere, it is ignored and all
rows are read instead. Changes after the arrays were written are read as rows.
"""

from __future__ import annotations

import logging
import os
import stat
import time
from typing import NamedTuple

from sahel_dedup.index.array_columns import columns_of, fill_live
from sahel_dedup.index.array_file import Draft, read, write
from sahel_dedup.index.live import Live
from sahel_dedup.index.metadata import State
from sahel_dedup.index.row_checks import whole_numbers
from sahel_dedup.index.sqlite_store import Store
from sahel_dedup.index.term_numbers import TermNumbers

logger = logging.getLogger("sahel_dedup.index")

# Reading the rows of fewer articles is fast.
LEAST_ARTICLES = 2000
# Rows that opening the index would have to read one by one, as a share of the articles. Writing the
# arrays of 200,000 articles takes a second of processor time, and longer on slow disks.
_BEHIND = 0.25
_BEHIND_CLOSED = 0.02
# A writer names its arrays first and publishes them a moment later.
_LOOKS = 5
_NAP = 0.02


class ArraysState(NamedTuple):
    """The state up to which the arrays go."""

    generation: int
    removals: int
    change: int
    serial: int
    cursor: int


class KeptArrays:
    """Writes and reads the arrays.

    Parameters
    ----------
    store : Store
        The file of the index.

    Attributes
    ----------
    digest : str or None
        The digest in the index when its arrays were last written or searched for.
    behind : int
        Number of rows read or written that are not in the arrays.
    fault : str or None
        The damage of the arrays that the index names.
    """

    def __init__(self, store: Store) -> None:
        self.digest: str | None = None
        self.behind = 0
        self.fault: str | None = None
        self._store = store
        self._key = bytes.fromhex(store.made["identity"])
        self._draft: Draft | None = None

    def is_due(self, articles: int, *, closing: bool = False) -> bool:
        """Whether it is time to write the arrays, given the number of articles."""
        if self._store.readonly or articles < LEAST_ARTICLES:
            return False
        if closing:
            return self.behind > _BEHIND_CLOSED * articles
        return self.behind > max(LEAST_ARTICLES, _BEHIND * articles)

    def save(self, live: Live, terms: TermNumbers, progress: ArraysState) -> str | None:
        """Write the arrays; `publish` makes them available.

        Returns
        -------
        str or None
            Their digest; ``None`` if they cannot be written.
        """
        about, columns = columns_of(live, terms)
        about["progress"] = list(progress)
        store, self.behind = self._store, 0
        try:
            mode = stat.S_IMODE(os.stat(store.path).st_mode)
            self._draft = write(store.arrays_path, mode, self._key, about, columns)
        except OSError as error:
            # The index works without them.
            logger.warning("cannot write %r: %s", store.arrays_path, error)
            return None
        self.digest = self._draft.digest
        return self.digest

    def publish(self) -> None:
        """Make the written arrays available."""
        if self._draft is not None:
            try:
                self._draft.publish()
            except OSError as error:
                logger.warning("cannot write %r: %s", self._store.arrays_path, error)
            self._draft = None

    def load(self, live: Live, state: State) -> tuple[TermNumbers, ArraysState] | None:
        """Fill an empty engine from the arrays that a state of the index names.

        Returns
        -------
        terms : TermNumbers
            The terms in the arrays.
        progress : ArraysState
            The state up to which they go. Both are ``None`` if there are no such arrays; nothing
            has been filled then.
        """
        self.digest = state.arrays
        if state.arrays is None:
            return None
        path = self._store.arrays_path
        for look in range(_LOOKS):
            try:
                arrays = read(path, self._key, state.arrays)
                progress = ArraysState(
                    *whole_numbers("progress", arrays.about["progress"], 0).tolist()
                )
                if progress.generation != state.generation:
                    return None
                return fill_live(live, arrays), progress
            except (FileNotFoundError, LookupError) as error:
                logger.info("%r is not used: %s", path, error)
                time.sleep(_NAP * (look < _LOOKS - 1))
            except (
                TypeError, ValueError, ArithmeticError, AttributeError, OSError,
            ) as error:  # fmt: skip
                logger.warning("%r is damaged and is not used: %s", path, error)
                self.fault = str(error)
                return None
        return None
