"""A result as tables with a row per article or story, as data frames and in notebooks."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.clustering.partition import FOUND
from sahel_dedup.clustering.story import Story
from sahel_dedup.errors import MissingPackageError, SahelWarning
from sahel_dedup.explain.overview import TextTable, moment, render, share, text
from sahel_dedup.explain.plots import overview
from sahel_dedup.explain.reported_quantities import quantity_rows
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.io.tabular import escape_surrogates, to_frame
from sahel_dedup.util.days import to_moment
from sahel_dedup.util.lazy import LazyModule

if TYPE_CHECKING:
    import polars as pl
else:
    pl = LazyModule("polars")

# The fields of an article that become columns of the frame.
_DESCRIPTION = ("title", "published", "source", "lang")
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class StoryRow:
    """A row of a table of stories.

    Attributes
    ----------
    story_id : str
    size : int
        Number of its articles.
    first, last : datetime or None
        Times of its first and last dated article.
    outlets : tuple of str
        Its outlets, in the order in which they published it.
    canonical : str
        Id of the article that represents it.
    title : str or None
        Title of that article, if titles were kept.
    """

    story_id: str
    size: int
    first: datetime | None
    last: datetime | None
    outlets: tuple[str, ...]
    canonical: str
    title: str | None


def story_row(story: Story, days: NDArray[np.float64], sources: Sequence[str | None]) -> StoryRow:
    """Describe a story as a row.

    Parameters
    ----------
    story : Story
    days : ndarray of float64, shape (n,)
        Times of publication of its articles in days since 1970; NaN where unknown.
    sources : sequence of (str or None)
        Their outlets.

    Returns
    -------
    StoryRow
    """
    dated = days[~np.isnan(days)]
    title = None
    if story.details:
        title = story.details[story.articles.index(story.canonical)].title
    return StoryRow(
        story.id,
        len(story),
        to_moment(float(dated.min())) if len(dated) else None,
        to_moment(float(dated.max())) if len(dated) else None,
        tuple(dict.fromkeys(source for source in sources if source is not None)),
        story.canonical,
        title,
    )


def article_frame(
    rows: Iterator[dict[str, object]], articles: Sequence[Article] | None
) -> pl.DataFrame:
    """Put the results for articles into a frame, together with the articles' own fields.

    Parameters
    ----------
    rows : iterator of dict
        See `sahel_dedup.clustering.partition.StoryPartition.rows`.
    articles : sequence of Article or None
        The articles in the same order, if they were kept.

    Returns
    -------
    polars.DataFrame

    Warns
    -----
    SahelWarning
        If articles have fields with the name of a result.
    """
    if articles is None:
        return to_frame(rows, FOUND)
    if replaced := sorted({name for article in articles for name in article.extra} & {*FOUND}):
        names = ", ".join(replaced)
        warnings.warn(
            f"columns of the articles replaced by results of the same name: {names}",
            SahelWarning,
            stacklevel=3,
        )
    described = (
        {**article.extra, **{name: getattr(article, name) for name in _DESCRIPTION}, **found}
        for article, found in zip(articles, rows, strict=True)
    )
    return to_frame(described, FOUND + _DESCRIPTION)


def story_frame(rows: Iterable[StoryRow]) -> pl.DataFrame:
    """Put stories into a frame, with one row for each."""
    schema = {
        "story_id": pl.String(),
        "size": pl.Int64(),
        "first": pl.Datetime("us", "UTC"),
        "last": pl.Datetime("us", "UTC"),
        "outlets": pl.List(pl.String()),
        "canonical": pl.String(),
        "title": pl.String(),
    }
    return pl.DataFrame([_without_surrogates(asdict(row)) for row in rows], schema=schema)


def quantity_frame(stories: Iterable[tuple[str, Iterable[Article]]]) -> pl.DataFrame:
    """Put the quantities in articles into a frame, story by story and in order of time."""
    schema = {
        "story_id": pl.String(),
        "kind": pl.String(),
        "value": pl.Int64(),
        "high": pl.Int64(),
        "bound": pl.String(),
        "role": pl.String(),
        "id": pl.String(),
        "source": pl.String(),
        "published": pl.Datetime("us", "UTC"),
        "sentence": pl.String(),
    }
    return pl.DataFrame(list(map(_without_surrogates, quantity_rows(stories))), schema=schema)


def to_pandas(frame: pl.DataFrame) -> Any:
    """Convert a frame to pandas, with or without pyarrow.

    Raises
    ------
    MissingPackageError
        If pandas is not installed.
    """
    try:
        import pandas as pd
    except ModuleNotFoundError:
        raise MissingPackageError(
            "to_pandas needs pandas: pip install pandas, or use to_frame, which gives polars"
        ) from None
    columns = {}
    for name, dtype in frame.schema.items():
        values = frame[name].to_list()
        aware = isinstance(dtype, pl.Datetime) and dtype.time_zone is not None
        columns[name] = pd.Series(values, dtype="datetime64[us, UTC]") if aware else values
    return pd.DataFrame(columns)


def with_numbers(frame: pl.DataFrame, name: str, summary: ReadSummary) -> pl.DataFrame:
    """Convert a column of ids back to integers, if all of them were integers."""
    if not summary.is_numbered:
        return frame
    # A summary that was loaded from a file may be wrong.
    numbers = frame[name].cast(pl.Int64(), strict=False)
    return frame if numbers.null_count() else frame.with_columns(numbers)


class StoryResult(Protocol):
    """The part of `Stories` that is needed here, because this module must not import it."""

    @property
    def members(self) -> Sequence[NDArray[np.int64]]:
        """Positions of the articles of each story."""

    @property
    def days(self) -> NDArray[np.float64]:
        """Times of publication of the articles."""

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Probabilities of the pairs inside stories."""

    @property
    def expected_precision(self) -> float:
        """Mean of the probabilities."""

    def duplicate_ratio(self) -> float:
        """Return the share of articles that repeat another one."""


def stories_html(stories: StoryResult, rows: Iterable[StoryRow]) -> str:
    """Render a result, with its largest stories, as HTML.

    Parameters
    ----------
    stories : Stories
    rows : iterable of StoryRow
        The rows of its stories, largest first.

    Returns
    -------
    str
    """
    sizes = [len(places) for places in stories.members]
    facts = [
        ("articles", f"{len(stories.days):,}"),
        ("stories", f"{len(sizes):,}"),
        ("with copies", f"{sum(size > 1 for size in sizes):,}"),
        ("duplicate ratio", share(stories.duplicate_ratio())),
        ("expected precision", share(stories.expected_precision)),
    ]
    shown = [
        (
            f"{row.size:,}",
            moment(row.first),
            moment(row.last),
            text(", ".join(row.outlets)),
            text(row.title),
            text(row.canonical),
            row.story_id,
        )
        for row in islice(rows, _SHOWN)
    ]
    columns = ("articles", "first", "last", "outlets", "title", "canonical article", "story")
    table = TextTable("The largest stories", columns, shown, len(sizes) - len(shown))
    plots = overview(sizes, stories.days, stories.probabilities)
    return render("Stories", facts, plots, [table])


def _without_surrogates(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _escaped(value) for name, value in row.items()}


def _escaped(value: Any) -> Any:
    if isinstance(value, tuple):
        return [escape_surrogates(name) for name in value]
    return escape_surrogates(value) if isinstance(value, str) else value
