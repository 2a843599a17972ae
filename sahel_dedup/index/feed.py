"""Articles in: one at a time, in batches, or as a stream."""

from __future__ import annotations

import itertools
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
from sahel_dedup.settings import check_count

BATCH_ARTICLES = 128
# Articles after which a stream is looked at for what most likely was not meant.
_EARLY = 1000

OnChanged: TypeAlias = Literal["raise", "update"]


def check_on_changed(on_changed: str) -> None:
    """Refuse what is no way to deal with an id that comes again with other words."""
    if on_changed not in ("raise", "update"):
        raise SettingsError(f"on_changed: {on_changed!r} is neither 'raise' nor 'update'")


def add_batch(
    index: ArticleFeed,
    articles: Sequence[Article],
    refuse: Callable[[ArticleError, int], None],
    *,
    update: bool,
) -> list[Assignment | None]:
    """Add articles that are known to be good, in as few transactions as can be.

    Parameters
    ----------
    index : ArticleFeed
    articles : sequence of Article
    refuse : callable
        Given an error and the place of its article, before anything is added; it may raise.
    update : bool
        Whether an id that comes again with other words is a corrected article, and no fault.

    Returns
    -------
    list of (Assignment or None)
        One per article, ``None`` for those that were refused.
    """
    return index._session.add(articles, refuse, update=update)


class ArticleFeed:
    """The ways to add articles to an index; a subclass opens its session."""

    _session: Session

    def add(self, article: Record, *, columns: Mapping[str, str] | None = None) -> Assignment:
        """Add an article and return where it belongs.

        Once this returns, the article is in the file. If it was there before with the same
        words, a date, outlet, language or title that is new or different is taken over, and
        the article is compared afresh; what the new version leaves out stays. Otherwise
        nothing changes, and the answer is the article's present place.

        An article from before the retention is not kept: see `Assignment.kept`.

        Parameters
        ----------
        article : Article, mapping or record
            See `Article`, and `sahel_dedup.cluster` for what is a record.
        columns : mapping of str to str, optional
            See `sahel_dedup.cluster`.

        Returns
        -------
        Assignment

        Raises
        ------
        ArticleError
            If it is no article, or its id is that of an article with other words.
        """
        return self._add_one(article, columns, update=False)

    def upsert(self, article: Record, *, columns: Mapping[str, str] | None = None) -> Assignment:
        """Add an article, or put it in the place of the one with its id.

        Parameters
        ----------
        article, columns
            As for `add`, but an id that comes again with other words is a corrected version.
            A date, outlet or language that it leaves out stays.

        Returns
        -------
        Assignment
            With `updated`, if the article was there and says anything else now.

        Raises
        ------
        ArticleError
            If it is no article.
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
            As for `follow`; an id that comes again with other words is a fault here.

        Returns
        -------
        list of Assignment
            One per article, in order, without those that were left out.

        Raises
        ------
        ArticleError
            See `follow`. Of the batch with the fault nothing is added.
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
        """Add articles as they come and yield where they belong.

        Nothing is read ahead of what was asked for but the rest of a batch, so a slow
        consumer slows the source down.

        Parameters
        ----------
        articles, columns, on_bad_date
            As for `sahel_dedup.cluster`. An iterable may be endless.
        batch_size : int
            Articles that are added at once. More are faster, and wait for each other.
        on_error : {"raise", "skip"} or callable
            What is done with a row that cannot be used: it ends the iteration, or is left out
            and counted, or is given to a function of the error and the row and left out. The
            row is ``None`` if it could not even be read.
        on_changed : {"update", "raise"}
            Whether an id that comes again with other words is an article that was edited, which
            takes the place of the former (`upsert`), or a fault.

        Yields
        ------
        Assignment
            One per article, in order, once it is in the file.

        Raises
        ------
        ArticleError
            If a row cannot be used and `on_error` is ``"raise"``. It names the place.
        SettingsError
            If an argument is none of its values.
        """
        size = check_count("batch_size", batch_size)
        reader, refuse = self._reader(columns, on_error, on_bad_date)
        return self._follow(articles, reader, refuse, on_changed, size)

    def _reader(
        self, columns: Mapping[str, str] | None, on_error: OnError, on_bad_date: OnBadDate
    ) -> tuple[ArticleReader, Fault]:
        """Return what reads a stream, and what is done with rows that the index refuses."""
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
        # What holds no articles is refused now, and not when the first is asked for.
        entries = reader.entries(reader.located(source), unique=False)
        summary = reader.summary

        def added() -> Iterator[Assignment]:
            warned = False
            while batch := list(itertools.islice(entries, size)):
                found = self._session.add(
                    [entry.article for entry in batch],
                    lambda error, i: refuse(error.at(*batch[i].place), batch[i].row),
                    update=on_changed == "update",
                )
                yield from (assignment for assignment in found if assignment is not None)
                # A stream without end is warned of in time.
                if not warned and summary.read >= _EARLY:
                    warned = True
                    summary.warn()
            summary.log()
            summary.warn()

        return added()

    def _add_one(
        self, row: Record, columns: Mapping[str, str] | None, *, update: bool
    ) -> Assignment:
        try:
            article = read_article(row, columns, stacklevel=3)
        except ArticleError as error:
            self._session.refused(error)
            raise
        found = self._session.add([article], _raise, update=update)[0]
        assert found is not None
        return found


def _raise(error: ArticleError, _place: int) -> None:
    raise error
