"""Counts of the events of an index, and the duration of calls."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sahel_dedup.index.metadata import Counts
from sahel_dedup.index.results import Event

# Latencies are those of the last calls; the rate is that of the last minute.
_CALLS = 1000
_MINUTE = 60.0


class _Call(NamedTuple):
    ended: float
    seconds: float
    articles: int


class Tally:
    """Counts since the index was made, some of which may not be in the file yet.

    Parameters
    ----------
    counts : Counts
        The counts in the state of the index, which are increased.

    Attributes
    ----------
    is_saved : bool
        Whether all counts are in the file.
    """

    def __init__(self, counts: Counts) -> None:
        self.counts = counts
        self.is_saved = True
        self._calls = deque[_Call](maxlen=_CALLS)

    def add(self, name: str) -> None:
        """Count something by its name in `Counts`."""
        self.counts.add(name)
        self.is_saved = False

    def add_events(self, events: Sequence[Event]) -> None:
        """Count events."""
        for event in events:
            if event.kind in ("merged", "split"):
                self.add(event.kind)

    def answered(self, articles: int, begun: float) -> None:
        """Record a call that added articles, and began at a time of `time.perf_counter`."""
        ended = time.perf_counter()
        self._calls.append(_Call(ended, ended - begun, articles))

    def rate(self) -> float:
        """Return the articles answered per second in the last minute, or in the last calls."""
        now = time.perf_counter()
        recent = [call for call in self._calls if call.ended > now - _MINUTE]
        if not recent:
            return 0.0
        # If there were more calls than are remembered, use the time span of the remembered ones.
        full = len(recent) == _CALLS
        span = now - (recent[0].ended - recent[0].seconds) if full else _MINUTE
        return sum(call.articles for call in recent) / span

    def latencies(self) -> tuple[float, float] | None:
        """Return the median and the 99th percentile of the durations of calls, in seconds."""
        if not self._calls:
            return None
        middle, high = np.percentile([call.seconds for call in self._calls], (50, 99))
        return float(middle), float(high)
