"""Reading articles from files, data frames and any other iterable of rows.

It streams: besides the article at hand there is one integer in memory for each id.
Nothing is lost silently. A fault is an `ArticleError` that names the file, the line and
the field, or, for a caller who passes a `SkipReport`, an entry in that report.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import polars as pl

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError
from sahel_dedup.rows import InputPath, Place, Row, SkipReport, read_rows, reporter


@runtime_checkable
class PandasFrame(Protocol):
    """What a pandas data frame is recognised by; importing pandas would make it a dependency."""

    @property
    def columns(self) -> Iterable[Any]:
        """Names of the columns."""

    def itertuples(self, *, index: bool, name: str | None) -> Iterable[tuple[Any, ...]]:
        """Rows as tuples."""


def iter_articles(
    source: Iterable[Row | Article] | pl.DataFrame | PandasFrame | InputPath,
) -> Iterator[Article]:
    """Read articles from whatever holds them.

    Parameters
    ----------
    source
        An iterable of mappings or articles, a pandas or polars data frame, or the path
        of a file that `read_articles` can read.

    Yields
    ------
    Article

    Raises
    ------
    ArticleError
        If a row is not an article, or repeats an id. The error names the row.
    """
    if isinstance(source, str | os.PathLike):
        return read_articles(source)
    return _checked(iter_rows(source))


def iter_rows(source: Iterable[Any] | pl.DataFrame | PandasFrame) -> Iterable[Any]:
    """Iterate over the rows of a data frame, or over an iterable as it is, unchecked."""
    if isinstance(source, pl.DataFrame):
        return source.iter_rows(named=True)
    if isinstance(source, PandasFrame):
        names = [str(name) for name in source.columns]
        rows = source.itertuples(index=False, name=None)
        return (dict(zip(names, row, strict=True)) for row in rows)
    return source


def read_articles(
    paths: InputPath | Sequence[InputPath], *, skipped: SkipReport | None = None
) -> Iterator[Article]:
    """Read articles from files.

    Parameters
    ----------
    paths
        See `sahel_dedup.rows.read_rows`.
    skipped
        When given, faulty rows are counted here and left out; otherwise the first one
        is raised.

    Yields
    ------
    Article
        In the order of the files, and of the rows in them.

    Raises
    ------
    ArticleError
        If a row is not an article or repeats an id of any of the files.
    SahelError
        If a file cannot be read at all, with or without `skipped`.
    """
    records = read_records(paths, skipped=skipped)
    return (article for _, article in records)


def read_records(
    paths: InputPath | Sequence[InputPath], *, skipped: SkipReport | None = None
) -> Iterator[tuple[Row, Article]]:
    """Read articles from files, each beside the row it was read from.

    The rows are the input as it was, for writing it out again. Reading the same files
    twice gives the same articles, so results of a first pass fit the rows of a second.

    Parameters
    ----------
    paths, skipped
        See `read_articles`, which also lists the errors.

    Yields
    ------
    row : Mapping
    article : Article
    """
    return _records(read_rows(paths, skipped=skipped), skipped)


def _records(
    rows: Iterator[tuple[Place, Row]], skipped: SkipReport | None
) -> Iterator[tuple[Row, Article]]:
    report = reporter(skipped)
    seen = _SeenIds()
    for place, row in rows:
        try:
            article = Article.from_mapping(row)
            seen.add(article.id, place)
        except ArticleError as error:
            report(error.at(*place))
        else:
            yield row, article


class _SeenIds:
    """Where each id was first seen.

    One integer an id instead of a `Place`, which would cost three times the memory and,
    being a tuple, the attention of the garbage collector.
    """

    _LINE_BITS = 40

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._files: list[str | None] = []

    def add(self, article_id: str, place: Place) -> None:
        if not self._files or self._files[-1] != place.file:
            self._files.append(place.file)
        here = (len(self._files) - 1 << self._LINE_BITS) + place.line
        first = self._first.setdefault(article_id, here)
        if first != here:
            file = self._files[first >> self._LINE_BITS]
            line = first & (1 << self._LINE_BITS) - 1
            # The colon comes before the id, so that all duplicates are one kind of fault.
            raise ArticleError(
                f"duplicate id: {article_id!r}, first seen at {Place(file, line)}", "id"
            )


def _checked(rows: Iterable[Row | Article]) -> Iterator[Article]:
    seen = _SeenIds()
    for number, row in enumerate(rows, start=1):
        try:
            if isinstance(row, Article):
                article = row
            elif isinstance(row, Mapping):
                article = Article.from_mapping(row)
            else:
                raise ArticleError(f"neither a mapping nor an article: {type(row).__name__}")
            seen.add(article.id, Place(None, number))
        except ArticleError as error:
            raise error.at(None, number) from None
        yield article
