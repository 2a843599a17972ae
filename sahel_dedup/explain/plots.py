"""Bar charts of a result, as data: story sizes, articles over time, probabilities of pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.util.days import to_moment

_SIZES = (1, 2, 3, 4, 5, 6, 11, 21, 51, 101)
# Possible widths of the bars of a timeline, in days, and the most bars.
_WIDTHS = (1 / 24, 1 / 4, 1, 7, 28, 91, 365.25, 3652.5)
_MOST_BARS = 20


@dataclass(frozen=True, slots=True)
class Plot:
    """A bar chart.

    Attributes
    ----------
    name, note : str
        The heading, and a note for the reader.
    unit : str
        What the bars count.
    bars : sequence of (str, int)
        Labels and values of the bars.
    """

    name: str
    note: str
    unit: str
    bars: Sequence[tuple[str, int]]

    @property
    def most(self) -> int:
        """The highest value, at least 1, which sets the scale of the bars."""
        return max([1, *(value for _, value in self.bars)])


def overview(
    sizes: Iterable[int], days: NDArray[np.float64], probabilities: NDArray[np.float64]
) -> tuple[Plot, ...]:
    """Make the plots of a result.

    Parameters
    ----------
    sizes : iterable of int
        Number of articles in each story.
    days : ndarray of float64, shape (n,)
        Times of the articles in days since 1970; NaN where unknown.
    probabilities : ndarray of float64, shape (p,)
        Of the pairs inside stories.

    Returns
    -------
    tuple of Plot
    """
    return story_sizes(sizes), timeline(days), pair_probabilities(probabilities)


def story_sizes(sizes: Iterable[int]) -> Plot:
    """Count stories by their number of articles."""
    return Plot(
        "Story sizes",
        "Articles a story; singletons are stories of one article.",
        "stories",
        binned(sizes, _SIZES, _size_labels()),
    )


def timeline(days: NDArray[np.float64]) -> Plot:
    """Count articles by the time of publication."""
    dated = days[~np.isnan(days)]
    undated = len(days) - len(dated)
    note = f"{undated:,} without a date." if undated else "By time of publication, UTC."
    if not len(dated):
        return Plot("Timeline", note, "articles", [])
    width = _width(float(np.ptp(dated)))
    first = np.floor(dated.min() / width)
    counts = np.bincount((np.floor(dated / width) - first).astype(np.int64))
    return Plot("Timeline", note, "articles", [
        (_label(to_moment(float(first + place) * width), width), int(count))
        for place, count in enumerate(counts)
    ])  # fmt: skip


def pair_probabilities(probabilities: NDArray[np.float64]) -> Plot:
    """Count pairs inside stories by the probability that both report one event."""
    tenths = np.minimum(probabilities * 10, 9).astype(np.int64).tolist()
    return Plot("Probability", "Of the pairs inside stories.", "pairs",
                binned(tenths, range(10), tenth_labels()))  # fmt: skip


def tenth_labels() -> list[str]:
    """Return labels of bars for the tenths between 0 and 1."""
    return [f".{i}–{'1' if i == 9 else f'.{i + 1}'}" for i in range(10)]


def binned(
    values: Iterable[float], bounds: Sequence[int], labels: Sequence[str]
) -> list[tuple[str, int]]:
    """Count values by the last bound that they reach."""
    places = np.searchsorted(bounds, np.fromiter(values, dtype=np.float64), side="right") - 1
    counts = np.bincount(places, minlength=len(bounds)).tolist()
    return list(zip(labels, counts, strict=True))


def _width(span: float) -> float:
    """Choose the smallest width, in days, that gives few enough bars."""
    # One more than fits into the span, because bars begin at whole multiples of their width.
    fitting = (width for width in _WIDTHS if span / width < _MOST_BARS - 1)
    return next(fitting, span / (_MOST_BARS - 2))


def _label(start: datetime, width: float) -> str:
    return start.strftime("%m-%d %H:%M" if width < 1 else "%Y-%m-%d")


def _size_labels() -> list[str]:
    ranges = [
        str(low) if high == low + 1 else f"{low}–{high - 1}" for low, high in pairwise(_SIZES)
    ]
    return [*ranges, f"over {_SIZES[-1] - 1}"]
