"""Ways to add articles: one at a time, in batches, or as a stream."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError, SettingsError
from sahel_dedup.index.results import Assignment
from sahel_dedup.index.session import Session
from sahel_dedup.io.article_reader import (
    ArticleReader,
    OnBadDate,
    OnError,
    Record,
    fault_handler,
    read_article,
)
from sahel_dedup.io.sources import Fault
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.settings import check_count
from sahel_dedup.sketch.repetition import LEAST_TEXTS, repeating_outlets
from sahel_dedup.sketch.sketcher import day_of

BATCH_ARTICLES = 128
# Number of articles after which a stream is checked for probable mistakes.
_EARLY = 1000

OnChanged: TypeAlias = Literal["raise", "update"]


def check_on_changed(on_changed: str) -> None:
    """Refuse an unknown way to handle a known id with other words."""
    if on_changed not in ("raise", "update"):
        raise SettingsError(f"on_changed: {on_changed!r} is neither 'raise' nor 'update'")


def add_batch(
    index: ArticleFeed,
    articles: Sequence[Article],
    refuse: Callable[[ArticleError, int], None],
    *,
    update: bool,
) -> list[Assignment | None]:
    """Add articles that have been checked, in as few transactions as possible.

    Parameters
    ----------
    index : ArticleFeed
    articles : sequence of Article
    refuse : callable
        Called with an error and the position of its article, before anything is added; it may
        raise.
    update : bool
        Whether a known id with other words is a corrected article and not a fault.

    Returns
    -------
    list of (Assignment or None)
        One per article; ``None`` for refused ones.
    """
    return index._session.add(articles, refuse, update=update)


class ArticleFeed:
    """The ways to add articles to an index; a subclass provides its session."""

    _session: Session

    def add(self, article: Record, *, columns: Mapping[str, str] | None = None) -> Assignment:
        """Add an article and return where it belongs.

        Once this returns, the article is in the file. If it was already there with the same words,
        a new or different date, outlet, language or title is adopted, and the article is compared
        again; values that the new version omits are kept. Otherwise nothing changes, and the
        article's present place is returned.

        An article from before the retention is not kept: see `Assignment.kept`.

        Parameters
        ----------
        article : Article, mapping or record
            See `Article`, and `sahel_dedup.cluster` for records.
        columns : mapping of str to str, optional
            See `sahel_dedup.cluster`.

        Returns
        -------
        Assignment

        Raises
        ------
        ArticleError
            If it is not an article, or its id is that of an article with other words.
        """
        return self._add_one(article, columns, update=False)

    def upsert(self, article: Record, *, columns: Mapping[str, str] | None = None) -> Assignment:
        """Add an article, or replace the one with its id.

        Parameters
        ----------
        article, columns
            As for `add`, but a known id with other words is a corrected version. A date, outlet or
            language that it omits is kept.

        Returns
        -------
        Assignment
            Has `updated` if the article was there and has changed.

        Raises
        ------
        ArticleError
            If it is not an article.
        """
        return self._add_one(article, columns, update=True)

    def add_many(
        self,
        articles: Iterable[Record] | Any,
        *,
        columns: Mapping[str, str] | None = None,
        on_error: OnError = "raise",
        on_bad_date: OnBadDate = "drop",
        on_changed: OnChanged = "raise",
    ) -> list[Assignment]:
        """Add articles in batches, which is several times faster.

        Parameters
        ----------
        articles, columns, on_bad_date
            As for `sahel_dedup.cluster`.
        on_error, on_changed
            As for `follow`, but here a known id with other words is a fault by default.

        Returns
        -------
        list of Assignment
            One per article, in order, without those that were left out.

        Raises
        ------
        ArticleError
            See `follow`. Nothing is added from the batch with the fault.
        """
        reader, refuse = self._reader(columns, on_error, on_bad_date)
        return list(self._follow(articles, reader, refuse, on_changed, BATCH_ARTICLES))

    def follow(
        self,
        articles: Iterable[Record] | Any,
        *,
        columns: Mapping[str, str] | None = None,
        batch_size: int = 1,
        on_error: OnError = "raise",
        on_bad_date: OnBadDate = "drop",
        on_changed: OnChanged = "update",
    ) -> Iterator[Assignment]:
        """Add articles as they arrive, and yield where they belong.

        At most the rest of a batch is read ahead, so a slow consumer slows the source down.

        Parameters
        ----------
        articles, columns, on_bad_date
            As for `sahel_dedup.cluster`. An iterable may be endless.
        batch_size : int
            Number of articles that are added together. Larger batches are faster, but articles wait
            for each other.
        on_error : {"raise", "skip"} or callable
            What to do with a row that cannot be used: raise an error; leave it out and count it; or
            pass the error and the row to a function and leave it out. The row is ``None`` if it
            could not be read at all.
        on_changed : {"update", "raise"}
            Whether a known id with other words is an edited article, which replaces the former one
            (`upsert`), or a fault.

        Yields
        ------
        Assignment
            One per article, in order, once it is in the file.

        Raises
        ------
        ArticleError
            If a row cannot be used and `on_error` is ``"raise"``. The error names the place.
        SettingsError
            If an argument has an unknown value.
        """
        size = check_count("batch_size", batch_size)
        reader, refuse = self._reader(columns, on_error, on_bad_date)
        return self._follow(articles, reader, refuse, on_changed, size)

    def _reader(
        self, columns: Mapping[str, str] | None, on_error: OnError, on_bad_date: OnBadDate
    ) -> tuple[ArticleReader, Fault]:
        """Return the reader of a stream, and the handler of rows that the index refuses."""
        fault = fault_handler(on_error)

        def unreadable(error: ArticleError, row: object) -> None:
            self._session.refused(error)
            fault(error, row)

        reader = ArticleReader(columns, on_error=unreadable, on_bad_date=on_bad_date)

        def refuse(error: ArticleError, row: object) -> None:
            fault(error, row)
            reader.summary.add_fault(error)

        return reader, refuse

    def _follow(
        self,
        source: Any,
        reader: ArticleReader,
        refuse: Fault,
        on_changed: OnChanged,
        size: int,
    ) -> Iterator[Assignment]:
        check_on_changed(on_changed)
        # Refuse a source without articles now, and not when the first one is requested.
        entries = reader.entries(reader.located(source), unique=False)
        summary = reader.summary

        def added() -> Iterator[Assignment]:
            warned, noted = False, self._noted()
            while batch := list(itertools.islice(entries, size)):
                found = self._session.add(
                    [entry.article for entry in batch],
                    lambda error, i: refuse(error.at(*batch[i].place), batch[i].row),
                    update=on_changed == "update",
                )
                yield from (assignment for assignment in found if assignment is not None)
                # For an endless stream, warn early.
                if not warned and summary.read >= _EARLY:
                    warned = True
                    summary.warn()
            self._note(summary, noted)
            summary.log()
            summary.warn()

        return added()

    def _noted(self) -> tuple[int, int, int]:
        """Return how many outlets, impossible dates and texts without words were seen so far."""
        with self._session.looking() as engine:
            sketcher = engine.live.sketcher
            return len(sketcher.sources), sketcher.implausible_dates, sketcher.wordless

    def _note(self, summary: ReadSummary, before: tuple[int, int, int]) -> None:
        """Count what sketching showed about the articles of a stream; see `_noted`."""
        outlets, implausible, wordless = before
        with self._session.looking() as engine:
            sketcher = engine.live.sketcher
            summary.drop_dates(sketcher.implausible_dates - implausible)
            summary.add_alike(names := sketcher.sources.names, names[outlets:])
            # Only what was just read: the whole index would be looked at again with every call.
            profiles = engine.live.profiles
            since = max(0, len(profiles) - summary.read)
            enough = summary.read >= LEAST_TEXTS
            found = repeating_outlets(profiles, since) if enough else []
            summary.add_texts(sketcher.wordless - wordless, found, names)

    def _add_one(
        self, row: Record, columns: Mapping[str, str] | None, *, update: bool
    ) -> Assignment:
        try:
            article = read_article(row, columns, stacklevel=3)
        except ArticleError as error:
            self._session.refused(error)
            raise
        if article.published is not None and math.isnan(day_of(article.published)):
            ReadSummary(dates_unusable=1).warn(3)
        found = self._session.add([article], _raise, update=update)[0]
        assert found is not None
        return found


def _raise(error: ArticleError, _place: int) -> None:
    raise error
