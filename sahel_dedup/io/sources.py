"""Sources of articles, as rows: files, frames, tables, and iterables of many kinds."""

from __future__ import annotations

import dataclasses
import io
import os
import sys
from collections import Counter
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeAlias

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError, SettingsError
from sahel_dedup.io.frames import PandasFrame, Row, pandas_rows, polars_frame, polars_rows
from sahel_dedup.io.paths import ENDINGS, expand_paths
from sahel_dedup.io.readers import Place, file_rows
from sahel_dedup.util.field_names import find_alias, remedy
from sahel_dedup.util.lazy import LazyModule
from sahel_dedup.util.values import shorten, show

if TYPE_CHECKING:
    import polars as pl
else:
    pl = LazyModule("polars")

# What an iterable of articles has, for messages.
ARTICLES = "{'id': ..., 'text': ...} for each article"
# Handles an error and its row, which is None if it could not be read.
Fault: TypeAlias = Callable[[ArticleError, object], None]


class Located(NamedTuple):
    """A row, or an article that needs no reading, and its place."""

    place: Place
    row: Row | Article


def is_path(source: object) -> bool:
    """Whether a value names a file."""
    return isinstance(source, str | os.PathLike)


def located_rows(
    source: Any,
    columns: Mapping[str, str],
    report: Fault,
    *,
    texts: bool = False,
    wanted: str = ARTICLES,
) -> Iterator[Located]:
    """Yield the rows of a source of articles.

    Parameters
    ----------
    source
        See `sahel_dedup.cluster`.
    columns
        Columns to read as fields, by field; frames and tables must have them.
    report
        Called for a faulty row, which is left out.
    texts
        Whether a string in an iterable is a text rather than a path.
    wanted
        What to write instead of an item that is no row, for messages.

    Raises
    ------
    ArticleError
        If it contains no articles; the error says what to give instead.
    SettingsError
        If a column in `columns` does not exist.
    """
    paths = [source] if is_path(source) else _paths(source, texts=texts)
    if paths is not None:
        return (
            Located(place, row)
            for place, row in file_rows(expand_paths(paths), lambda error: report(error, None))
        )
    if type(source).__module__.startswith("pyspark."):
        _refuse("a Spark data frame; pass it to sahel_dedup.spark.cluster")
    table = _table(source, columns, unnamed=texts)
    if table is not None:
        return _numbered(table, report, texts=False, wanted=wanted)
    _check_iterable(source)
    items = _unpacked(source, columns, unnamed=texts)
    return _numbered(items, report, texts=texts, wanted=wanted)


def _unpacked(source: Iterable[Any], columns: Mapping[str, str], *, unnamed: bool) -> Iterator[Any]:
    """Replace tables among the items, such as record batches, with their rows."""
    for item in source:
        table = _table(item, columns, unnamed=unnamed) if _speaks_arrow(item) else None
        if table is None:
            yield item
        else:
            yield from table


def to_row(item: object, *, texts: bool = False, wanted: str = ARTICLES) -> Row | Article:
    """Convert an item of an iterable to a row.

    Mappings, articles, dataclasses, named tuples, rows of sqlite3 and models of pydantic are
    accepted.

    Raises
    ------
    ArticleError
        If it is anything else; the error says what to give instead.
    """
    # First a dict, because asking an abstract class takes long.
    if isinstance(item, (dict, Article, Mapping)):
        return item
    if isinstance(item, str):
        if texts:
            return {"text": item}
        hint = ", or give the texts to StoryClusterer" if wanted == ARTICLES else ""
        raise ArticleError(f"a text without an id: {show(item)}; write {wanted}{hint}")
    found = _fields_of(item)
    if found is not None:
        return found
    if isinstance(item, os.PathLike):
        raise ArticleError(f"a path among articles: {show(item)}; give only paths")
    raise ArticleError(f"neither a mapping nor an article: {type(item).__name__}; write {wanted}")


def _fields_of(item: Any) -> Row | None:
    """Return the fields of a record, or None if it is not one."""
    if isinstance(item, type):
        return None
    if dataclasses.is_dataclass(item):
        # Take the fields as they are; `asdict` would copy their contents.
        return {field.name: getattr(item, field.name) for field in dataclasses.fields(item)}
    # Named tuples, models of pydantic and rows of Spark; the last two are not dependencies.
    for method in ("_asdict", "model_dump", "asDict"):
        if callable(getattr(item, method, None)):
            found = getattr(item, method)()
            return found if isinstance(found, Mapping) else None
    # Rows of sqlite3, and other objects that behave like mappings without being declared as such.
    if callable(getattr(item, "keys", None)) and hasattr(item, "__getitem__"):
        keys = list(item.keys())
        if twice := [key for key, count in Counter(keys).items() if count > 1]:
            raise ArticleError(f"column named twice: {twice[0]!r}")
        return {key: item[key] for key in keys}
    return None


def _paths(source: Any, *, texts: bool) -> list[Any] | None:
    """Return the paths of a list of paths, or None if it is something else."""
    if not isinstance(source, list | tuple | set | frozenset) or not source:
        return None
    items = sorted(source, key=str) if isinstance(source, set | frozenset) else list(source)
    if all(isinstance(item, os.PathLike) for item in items):
        return items
    if texts or not all(map(is_path, items)):
        return None
    return items if all(map(_looks_like_path, items)) else None


def _looks_like_path(item: str | os.PathLike[str]) -> bool:
    name = os.fspath(item)
    return name == "-" or name.lower().endswith(tuple(ENDINGS)) or os.path.exists(name)


def _table(
    source: Any, columns: Mapping[str, str], *, unnamed: bool
) -> Iterator[Row | ArticleError] | None:
    """Return the rows of a frame or table, or None if it is something else."""
    rows: Iterator[Row | ArticleError]
    if _is_series(source):
        return None
    # Check for a lazy frame first, because its columns are costly to get. Somebody with a frame has
    # imported polars.
    if "polars" in sys.modules and isinstance(source, pl.LazyFrame | pl.DataFrame):
        names, rows = _polars_table(source)
    elif isinstance(source, PandasFrame):
        names, rows = pandas_rows(source, columns.values())
        if "id" not in names and "id" not in columns and not unnamed and len(source.index):
            raise _no_id(names)
    elif _speaks_arrow(source):
        names, rows = _polars_table(source)
    else:
        return None
    for field, column in columns.items():
        if column not in names:
            there = shorten(", ".join(names))
            raise SettingsError(
                f"columns: no column {column!r} for {field!r}; the columns are {there}"
            )
    return rows


def _polars_table(source: Any) -> tuple[list[str], Iterator[Row | ArticleError]]:
    frame = polars_frame(source)
    return frame.columns, polars_rows(frame)


def _no_id(names: list[str]) -> ArticleError:
    alias = find_alias("id", names)
    other = f"{remedy('id', alias)}, " if alias else ""
    there = shorten(", ".join(names)) or "none"
    return ArticleError(
        f"no column 'id'; the columns are {there}; {other}columns={{'id': 'index'}} takes the index"
    )


def _speaks_arrow(source: Any) -> bool:
    # An Arrow schema or type has such a method too, but no stream of rows.
    return hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__")


def _is_series(source: Any) -> bool:
    """Whether it is a single column, which supports Arrow too but has no names."""
    if "polars" in sys.modules and isinstance(source, pl.Series):
        return True
    return type(source).__name__ in ("Series", "Array", "ChunkedArray", "Index") and not hasattr(
        source, "columns"
    )


def _check_iterable(source: Any) -> None:
    """Refuse an object without articles, and say what to give instead."""
    kind = type(source).__name__
    if source is None:
        _refuse("no articles: None; give a list of mappings, a frame or a path")
    if isinstance(source, Article):
        _refuse("one article; give a list of articles")
    if isinstance(source, bytes | bytearray):
        _refuse("bytes; give a path as str, or a list of mappings")
    if isinstance(source, io.IOBase):
        _refuse("an open file; give its path")
    if isinstance(source, Mapping):
        if source and not any(isinstance(value, str) for value in source.values()):
            _refuse("a mapping of columns; wrap it in polars.DataFrame(...)")
        _refuse("one mapping; give a list of mappings, one for each article")
    if isinstance(source, AsyncIterable):
        _refuse(f"an asynchronous iterable: {kind}; await each article and add it")
    if not isinstance(source, Iterable) and not hasattr(source, "__getitem__"):
        _refuse(f"no articles: {kind}; give a list of mappings, a frame or a path")


def _refuse(reason: str) -> NoReturn:
    raise ArticleError(reason)


def raise_fault(error: ArticleError, _row: object = None) -> NoReturn:
    """Raise a fault, as a `Fault` that accepts none."""
    raise error from None


def _numbered(rows: Iterable[Any], report: Fault, *, texts: bool, wanted: str) -> Iterator[Located]:
    for number, item in enumerate(rows, start=1):
        try:
            if isinstance(item, ArticleError):
                raise item
            row = to_row(item, texts=texts, wanted=wanted)
        except ArticleError as error:
            report(error.at(None, number), None if isinstance(item, ArticleError) else item)
        else:
            yield Located(Place(None, number), row)
