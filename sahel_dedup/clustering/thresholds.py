"""The stories of an archive at several probabilities, as a table and a plot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from numbers import Real
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.errors import SettingsError
from sahel_dedup.util.values import show

if TYPE_CHECKING:
    import polars as pl


_HEAD = ("probability", "stories", "with copies", "singletons", "largest", "expected precision")


class Measured(Protocol):
    """The part of `Stories` that is needed here, because this module must not import it."""

    @property
    def members(self) -> Sequence[NDArray[np.int64]]:
        """Rows of the articles of each story."""

    @property
    def expected_precision(self) -> float:
        """See `Stories.expected_precision`."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """The stories of an archive at one probability.

    Attributes
    ----------
    min_probability : float
    stories : int
        Number of all stories.
    with_copies : int
        Number of stories with two or more articles.
    singletons : int
        Number of stories with one article.
    largest : int
        Number of articles in the largest story.
    expected_precision : float
        `Stories.expected_precision`; NaN without pairs.
    """

    min_probability: float
    stories: int
    with_copies: int
    singletons: int
    largest: int
    expected_precision: float


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The stories of an archive at several probabilities.

    Attributes
    ----------
    rows : tuple of Threshold
        In ascending order of probability.
    """

    rows: tuple[Threshold, ...]

    @classmethod
    def of(cls, probabilities: Iterable[float], group: Callable[[float], Measured]) -> Thresholds:
        """Describe the results of several probabilities."""
        rows = (_describe(each, group(each)) for each in _several(probabilities))
        return cls(tuple(sorted(rows, key=lambda row: row.min_probability)))

    def to_frame(self) -> pl.DataFrame:
        """Return a polars frame with one row per probability."""
        import polars as pl

        return pl.DataFrame([asdict(row) for row in self.rows])

    def __str__(self) -> str:
        cells = [_HEAD, *(_cells(row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in cells
        )

    def _repr_html_(self) -> str:
        from sahel_dedup.util.templating import templates

        most = max((row.with_copies for row in self.rows), default=0) or 1
        return templates().get_template("thresholds.html").render(rows=self.rows, most=most)


def _several(probabilities: Iterable[float]) -> list[float]:
    if isinstance(probabilities, Real):
        raise SettingsError(
            f"probabilities: {probabilities!r} is one number; write [{probabilities!r}]"
        )
    if not isinstance(probabilities, Iterable) or isinstance(probabilities, str | bytes):
        raise SettingsError(
            f"probabilities: {show(probabilities)} is not a list of numbers; write [0.5, 0.7, 0.9]"
        )
    found = list(probabilities)
    for probability in found:
        if not isinstance(probability, Real):
            raise SettingsError(f"probabilities: {show(probability)} is not a number")
    return found


def _describe(probability: float, stories: Measured) -> Threshold:
    sizes = _sizes(stories)
    return Threshold(
        min_probability=probability,
        stories=len(sizes),
        with_copies=int((sizes > 1).sum()),
        singletons=int((sizes == 1).sum()),
        largest=int(sizes.max(initial=0)),
        expected_precision=stories.expected_precision,
    )


def _sizes(stories: Measured) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([len(members) for members in stories.members], dtype=np.int64)


def _cells(row: Threshold) -> tuple[str, ...]:
    precision = "" if np.isnan(row.expected_precision) else f"{row.expected_precision:.3f}"
    counts = (row.stories, row.with_copies, row.singletons, row.largest)
    return (f"{row.min_probability:.2f}", *(f"{count:,}" for count in counts), precision)
