"""Meetings that a checkpoint keeps, so that few are found anew in an archive that has grown.

Whom an article meets changes where a new article lies between it and whom it met. What it meets
besides can only take a place among the few that agree with it best. Where one of these few is lost,
the next best is not known, and all its meetings are found anew. The result is that of
`sahel_dedup.scoring.meetings.closest`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.buckets import ArchiveBuckets
from sahel_dedup.candidates.grown import MOST_MOVED, without
from sahel_dedup.candidates.lsh import distinct
from sahel_dedup.scoring.meetings import (
    BANDS,
    Line,
    closest,
    closest_met,
    neighbours_in,
    packed,
    unpacked,
)
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.layout import Layout

ARRAYS = ("met_asked", "met_first", "met_second", "met_apart")


class KeptMeetings:
    """The meetings of the last run over an archive, and those of this run.

    Parameters
    ----------
    n : int
        Number of articles.
    row : ndarray of int64, optional
        The present row of each former article, rising; None if nothing was kept.
    arrays : mapping of str to ndarray
        What `arrays` returned in the last run.
    """

    def __init__(
        self, n: int, row: NDArray[np.int64] | None = None, arrays: Mapping[str, Any] | None = None
    ) -> None:
        self._old = np.zeros(n, dtype=np.bool_)
        self._asked = np.zeros(n, dtype=np.bool_)
        self._former: NDArray[np.int64] | None = None
        if row is not None and arrays is not None:
            self._old[row] = True
            self._asked[row] = arrays["met_asked"]
            first, second = row[arrays["met_first"]], row[arrays["met_second"]]
            self._former = packed(first, arrays["met_apart"].astype(np.int64), second, n)
        self._found = [np.zeros(0, dtype=np.int64)]
        self._asking = np.zeros(n, dtype=np.bool_)

    def closest(
        self,
        salience: NDArray[np.uint32],
        line: Line,
        need: NDArray[np.bool_],
        layout: Layout,
        workers: int,
    ) -> NDArray[np.int64]:
        """Do what `sahel_dedup.scoring.meetings.closest` does, and keep the result."""
        ranked = self._recall(salience, line, need, layout, workers)
        if ranked is None:
            ranked = closest(salience, line, need, layout, workers)
        self._found.append(ranked)
        self._asking[line.rows] = need[line.rows]
        return ranked

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what the next run needs to know."""
        first, apart, second = unpacked(np.concatenate(self._found), len(self._asking))
        return {
            "met_asked": self._asking, "met_first": first.astype(np.int32),
            "met_second": second.astype(np.int32), "met_apart": apart.astype(np.uint8),
        }  # fmt: skip

    def _recall(
        self,
        salience: NDArray[np.uint32],
        line: Line,
        need: NDArray[np.bool_],
        layout: Layout,
        workers: int,
    ) -> NDArray[np.int64] | None:
        """Return the result, or None if finding all meetings anew costs less."""
        if self._former is None:
            return None
        n = len(salience)
        on_line = np.zeros(n, dtype=np.bool_)
        on_line[line.rows] = True
        known = need & self._asked & on_line
        unknown = need & on_line & ~known
        ranked = self._former[known[self._former // (n * (SLOTS + 1))]]
        looked_at = np.flatnonzero(unknown | (on_line & ~self._old))
        if len(looked_at) > MOST_MOVED:
            return None
        inside = _Inside.of(salience, line, looked_at, layout, workers)
        now, before = inside.met(known), inside.where(self._old).met(known)
        found = [inside.met(unknown)]
        first, _, second = unpacked(ranked, n)
        lost = np.isin(first * n + second, without(before, now))
        if lost.any():
            again = np.zeros(n, dtype=np.bool_)
            again[first[lost]] = True
            known &= ~again
            inside = _Inside.of(salience, line, np.flatnonzero(again), layout, workers)
            found.append(inside.met(again))
        more = without(now, before)
        found.append(more[known[more // n]])
        return closest_met(salience, np.concatenate(found), ranked[known[first]])


class _Inside(NamedTuple):
    """The articles of a line in some buckets.

    Attributes
    ----------
    line : Line
    n : int
        Number of all articles.
    bucket, order : ndarray of int64, shape (n_members,)
        Number of a bucket, and a position on the line of an article in it, both rising.
    """

    line: Line
    n: int
    bucket: NDArray[np.int64]
    order: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        salience: NDArray[np.uint32],
        line: Line,
        rows: NDArray[np.int64],
        layout: Layout,
        workers: int,
    ) -> _Inside:
        """Find who is in the buckets of some articles."""
        buckets = ArchiveBuckets.of(salience, layout, rows, min(layout.bands, BANDS))
        bucket, row = buckets.members(line.rows, workers)
        position = np.zeros(len(salience), dtype=np.int64)
        position[line.rows] = np.arange(len(line.rows))
        order = position[row]
        if (np.diff(line.rows) < 0).any():
            # Members are in order of rows, which is that of the line only for articles with dates.
            again = np.lexsort((order, bucket))
            bucket, order = bucket[again], order[again]
        return cls(line, len(salience), bucket, order)

    def where(self, there: NDArray[np.bool_]) -> _Inside:
        """Leave out articles that are not there."""
        kept = there[self.line.rows][self.order]
        return self._replace(bucket=self.bucket[kept], order=self.order[kept])

    def met(self, asking: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return whom asking articles meet: pairs, the first times n plus the second, sorted."""
        rows, place, gap = self.line
        one, two = neighbours_in(self.bucket, self.order, place, gap, asking[rows])
        return distinct(rows[one] * self.n + rows[two])
