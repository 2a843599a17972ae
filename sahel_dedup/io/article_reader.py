"""Reading articles from files, data frames, tables and any other iterable of rows.

Reading streams: only the current article and one integer per id are in memory. Nothing is lost
silently. A fault is an `ArticleError` that names the file, the line and the field, or, if the
caller asks for it, an entry in a report. A date that cannot be used is dropped and counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, NamedTuple, TypeAlias, cast

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError, SettingsError
from sahel_dedup.io.frames import Row
from sahel_dedup.io.lines import InputPath
from sahel_dedup.io.paths import expand_paths
from sahel_dedup.io.readers import Place, SkipReport, file_rows
from sahel_dedup.io.seen_ids import SeenIds
from sahel_dedup.io.sources import Fault, Located, located_rows, raise_fault, to_row
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.util.field_names import check_columns
from sahel_dedup.util.languages import UNKNOWN, is_language
from sahel_dedup.util.values import shorten

OnError: TypeAlias = Literal["raise", "skip"] | Fault
OnBadDate: TypeAlias = Literal["drop", "raise"]
# An article, or a row of any kind; see `sahel_dedup.io.sources.to_row`.
Record: TypeAlias = Article | Mapping[str, Any] | Any


class Entry(NamedTuple):
    """An article, its place, and the row it was read from, with fields under their names."""

    article: Article
    row: Row | Article
    place: Place


class ArticleReader:
    """Makes articles from rows, and counts what was read.

    Parameters
    ----------
    columns : mapping of str to str, optional
        The columns to read as fields, by field: ``{"text": "body"}``. A column with the field's own
        name is then not read.
    on_error : {"raise", "skip"} or callable
        What to do with a row that is not an article: raise an error; leave it out and count it; or
        pass the error and the row to a function, count it and leave it out. The row is ``None`` if
        it could not be read at all.
    on_bad_date : {"drop", "raise"}
        What to do with a date that cannot be read: drop the date and count it, or treat the row as
        faulty.
    skipped : SkipReport, optional
        Counts the rows that are left out; implies ``on_error="skip"``.
    summary : ReadSummary, optional
        Counts everything.
    unnamed : bool
        Whether a row may lack an id, or be only a text. Its id is then its place.

    Attributes
    ----------
    summary : ReadSummary
        Counts of what has been read so far.
    unseen : set of str
        Those of the columns given that no row had so far.
    """

    def __init__(
        self,
        columns: Mapping[str, str] | None = None,
        *,
        on_error: OnError = "raise",
        on_bad_date: OnBadDate = "drop",
        skipped: SkipReport | None = None,
        summary: ReadSummary | None = None,
        unnamed: bool = False,
    ) -> None:
        if on_bad_date not in ("drop", "raise"):
            raise SettingsError(f"on_bad_date: {on_bad_date!r} is neither 'drop' nor 'raise'")
        self._columns = check_columns(columns)
        self._mapped = frozenset(self._columns.values())
        self.unseen = set(self._mapped)
        self._drop = on_bad_date == "drop"
        self._unnamed = unnamed
        self.summary = summary or ReadSummary()
        self.summary.mapped = self._columns
        self._fault = fault_handler(on_error)
        self._skips = on_error == "skip"
        if skipped is not None:
            self._fault = lambda error, row: skipped.add(error)

    def articles(self, source: Any, *, unique: bool = True) -> Iterator[Article]:
        """Read articles from whatever holds them.

        Parameters
        ----------
        source
            See `sahel_dedup.cluster`.
        unique
            Whether each id may occur only once.

        Returns
        -------
        iterator of Article

        Raises
        ------
        ArticleError
            If it contains no articles. During iteration: if a row is not an article or repeats an
            id. The error names the row.
        FileError, SettingsError
            If a file cannot be read, or a column does not exist.
        """
        rows = self.located(source)
        return (entry.article for entry in self.entries(rows, unique=unique))

    def located(self, source: Any) -> Iterator[Located]:
        """Yield the rows of a source of articles, for `entries`; see `articles`."""
        return located_rows(source, self._columns, self.count_fault, texts=self._unnamed)

    def entries(
        self, rows: Iterable[Located], *, unique: bool = True, whole: bool = True
    ) -> Iterator[Entry]:
        """Read the articles of rows, one at a time and none ahead; see `articles`.

        If the rows are not the whole input, columns that none of them has are not refused.
        """
        seen = SeenIds()
        for number, (place, found) in enumerate(rows):
            try:
                row = self._named(found, number)
                article = self._read(row, found, place)
                if unique:
                    seen.add(article.id, place)
            except ArticleError as error:
                self.count_fault(error.at(*place), found)
            else:
                self.summary.add(article, None if isinstance(row, Article) else row["id"])
                yield Entry(article, row, place)
        if whole:
            check_seen(self.unseen, self.summary)

    def article(self, item: Any) -> Article:
        """Read one article.

        Raises
        ------
        ArticleError
            If it is none.
        """
        found = to_row(item)
        article = self._read(self._named(found, 0), found)
        self.summary.add(article)
        check_seen(self.unseen, self.summary)
        return article

    def _named(self, row: Row | Article, number: int) -> Row | Article:
        """Give the fields of a row their names, and the row an id if it may lack one."""
        if isinstance(row, Article):
            return row
        self.summary.add_columns(row)
        if self._columns:
            self.unseen.difference_update(row)
            kept = {
                name: value
                for name, value in row.items()
                if name not in self._columns and name not in self._mapped
            }
            row = kept | {
                field: row[column] for field, column in self._columns.items() if column in row
            }
        if self._unnamed and "id" not in row and "id" not in self._columns:
            return {"id": number, **row}
        return row

    def _read(
        self, row: Row | Article, found: Row | Article, place: Place | None = None
    ) -> Article:
        """Make an article of a row whose fields have their names; `found` is the row as it came."""
        if isinstance(row, Article) or isinstance(found, Article):
            return cast(Article, row)
        try:
            article = Article.from_mapping(row)
        except ArticleError as error:
            column = self._columns.get(error.field or "")
            if column is not None and error.field not in row:
                reason = f"no column {column!r}: the row has {shorten(', '.join(map(str, row)))}"
                raise ArticleError(reason, error.field) from None
            if error.field != "published" or not self._drop:
                raise
            self.summary.add_bad_date(error.at(*place) if place else error)
            undated = Article.from_mapping({**row, "published": None})
            article = replace(undated, date_fault=error.reason)
        self.summary.add_placeholders(row, article)
        self.summary.add_elsewhere(found, article)
        return article

    def warn(self, stacklevel: int = 2) -> None:
        """Warn a caller in Python about what was dropped; see `ReadSummary.warn`."""
        # A function that receives faulty rows already knows of them.
        self.summary.warn(stacklevel + 1, rows=self._skips)

    def count_fault(self, error: ArticleError, row: object = None) -> None:
        """Raise a fault of a row, or count it if faulty rows are left out."""
        self._fault(error, row)
        self.summary.add_fault(error)


def check_seen(unseen: Collection[str], summary: ReadSummary) -> None:
    """Refuse columns that no row had: most likely a name is misspelt.

    Raises
    ------
    SettingsError
        If there are any, and there were rows.
    """
    there = sorted(summary.columns)
    for column in sorted(unseen) if there else ():
        names = shorten(", ".join(there))
        raise SettingsError(f"columns: no row has a column {column!r}; the columns are {names}")


def iter_articles(
    source: Any,
    columns: Mapping[str, str] | None = None,
    *,
    on_error: OnError = "raise",
    on_bad_date: OnBadDate = "drop",
) -> Iterator[Article]:
    """Read articles from whatever holds them.

    Parameters
    ----------
    source
        See `sahel_dedup.cluster`.
    columns, on_error, on_bad_date
        See `ArticleReader`.

    Returns
    -------
    iterator of Article

    Raises
    ------
    ArticleError
        If a row is not an article, or repeats an id. The error names the row.
    """
    return ArticleReader(columns, on_error=on_error, on_bad_date=on_bad_date).articles(source)


def read_article(
    item: Record, columns: Mapping[str, str] | None = None, *, stacklevel: int = 2
) -> Article:
    """Read one article; warn about a date or a language that cannot be used.

    Parameters
    ----------
    item
        An article, a mapping or a record; see `sahel_dedup.io.sources.to_row`.
    columns
        See `ArticleReader`.
    stacklevel
        Level of the warning, as for `warnings.warn`, counted from the caller of this function.

    Returns
    -------
    Article

    Raises
    ------
    ArticleError
        If it is none.
    """
    if isinstance(item, Article) and columns is None and is_language(item.lang or UNKNOWN):
        return item
    if isinstance(item, list | Iterator) or hasattr(item, "__arrow_c_stream__"):
        raise ArticleError(
            f"{type(item).__name__} instead of one article; give several to add_many"
        )
    reader = ArticleReader(columns)
    article = reader.article(item)
    reader.warn(stacklevel + 1)
    return article


def read_articles(
    paths: InputPath | Sequence[InputPath],
    *,
    skipped: SkipReport | None = None,
    columns: Mapping[str, str] | None = None,
    on_bad_date: OnBadDate = "drop",
    summary: ReadSummary | None = None,
) -> Iterator[Article]:
    """Read articles from files.

    Parameters
    ----------
    paths
        See `sahel_dedup.io.readers.read_rows`.
    skipped
        If given, faulty rows are counted here and left out; otherwise the first one is raised.
    columns, on_bad_date, summary
        See `ArticleReader`.

    Yields
    ------
    Article
        In the order of the files, and of the rows in them.

    Raises
    ------
    ArticleError
        If a row is not an article or repeats an id of any of the files.
    FileError
        If a file cannot be read at all, with or without `skipped`.
    """
    records = read_records(
        paths, skipped=skipped, columns=columns, on_bad_date=on_bad_date, summary=summary
    )
    return (article for _, article in records)


def read_records(
    paths: InputPath | Sequence[InputPath],
    *,
    skipped: SkipReport | None = None,
    columns: Mapping[str, str] | None = None,
    on_bad_date: OnBadDate = "drop",
    summary: ReadSummary | None = None,
) -> Iterator[tuple[Row, Article]]:
    """Read articles from files, each with the row it was read from.

    The rows are the original input, except for the names that `columns` gives, so that they can be
    written again. Reading the same files twice gives the same articles, so results of a first pass
    match the rows of a second.

    Parameters
    ----------
    paths, skipped, columns, on_bad_date, summary
        See `read_articles`, which also lists the errors.

    Yields
    ------
    row : Mapping
    article : Article
    """
    reader = ArticleReader(columns, on_bad_date=on_bad_date, skipped=skipped, summary=summary)
    rows = file_rows(expand_paths(paths), reader.count_fault)
    entries = reader.entries(Located(place, row) for place, row in rows)
    return ((cast(Row, row), article) for article, row, _ in entries)


def fault_handler(on_error: OnError) -> Fault:
    """Return the function that handles a fault and the row that has it.

    Raises
    ------
    SettingsError
        If `on_error` is not one of its values.
    """
    if on_error == "raise":
        return raise_fault
    if on_error == "skip":
        return lambda error, row: None
    if callable(on_error):
        return on_error
    raise SettingsError(
        f"on_error: {on_error!r} is neither 'raise' nor 'skip' nor a function of an error and a row"
    )
