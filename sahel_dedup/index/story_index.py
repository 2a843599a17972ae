"""The story index: it groups articles as they arrive, and has their stories at any time."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Never, Self

from sahel_dedup.clustering.stories import Stories, parts_of
from sahel_dedup.errors import no_result
from sahel_dedup.index.engine import Engine
from sahel_dedup.index.feed import ArticleFeed
from sahel_dedup.index.index_corrections import IndexCorrections, said_now
from sahel_dedup.index.opening import open_session
from sahel_dedup.index.queries import StoryQueries
from sahel_dedup.index.remote.client import RemoteIndex
from sahel_dedup.index.results import Assignment, Event
from sahel_dedup.index.session import Session
from sahel_dedup.index.takeover import from_parts
from sahel_dedup.io.article_reader import ArticleReader, Record, read_article
from sahel_dedup.settings import Settings, check_keywords, check_settings, to_time
from sahel_dedup.util.days import to_day
from sahel_dedup.util.not_copied import NotCopied


class StoryIndex(ArticleFeed, StoryQueries, NotCopied):
    """Groups a stream of articles into stories, in a file or in memory.

    `StoryIndex.open` opens a file; `StoryIndex()` keeps the index in memory. Several threads may
    use an index, one at a time. A forked process must open the file again. Use it as a context
    manager to close it.

    As with `Stories`, ``len`` counts stories, iteration yields them (oldest first), and ``id in
    index`` and ``index[id]`` take the id of an article. The latter returns its story.

    Parameters
    ----------
    settings : Settings, optional
        How to group.
    retention : timedelta or float, optional
        See `open`.

    Attributes
    ----------
    settings : Settings
        How the index groups articles.
    corrections : IndexCorrections
        The corrections of its stories.

    Examples
    --------
    >>> from sahel_dedup import StoryIndex
    >>> with StoryIndex() as index:
    ...     one = index.add({"id": "a", "text": "Gunmen attacked the army camp at Tessarit on "
    ...         "Monday, killing nine soldiers, the governor said."})
    ...     two = index.add({"id": "b", "text": "Nine soldiers were killed on Monday when gunmen "
    ...         "attacked an army camp at Tessarit, according to the governor."})
    >>> one.is_new_story, two.is_new_story, two.relation, one.story_id == two.story_id
    (True, False, 'reworded', True)
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        retention: timedelta | float | None = None,
        **misplaced: Never,
    ) -> None:
        check_keywords("StoryIndex", misplaced)
        self._session = Session(Engine(check_settings(settings)), None)
        self._session.set_retention(to_time("retention", retention))
        self._attach()

    @classmethod
    def in_memory(
        cls,
        settings: Settings | None = None,
        *,
        retention: timedelta | float | None = None,
    ) -> Self:
        """Make an index in memory; deprecated, because `StoryIndex()` does the same."""
        warnings.warn(
            "StoryIndex.in_memory() is deprecated: call StoryIndex()",
            DeprecationWarning,
            stacklevel=2,
        )
        return cls(settings, retention=retention)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        settings: Settings | None = None,
        *,
        retention: timedelta | float | None = None,
        keep_texts: bool = True,
        keep_fields: bool = False,
        readonly: bool = False,
        timeout: float = 0.0,
        **misplaced: Never,
    ) -> Self:
        """Open an index in a file, which is created if it does not exist.

        Parameters
        ----------
        path
            The file.
        settings : Settings, optional
            How to group. A file stores its settings; those that decide what a story is
            (`granularity`, `window`, `recall`, `recall_similarity`) cannot change.
        retention : timedelta or float, optional
            A timedelta or a number of days: stories expire when their latest article is older than
            the latest article of the index by more than this. A file stores the value until another
            is given. Without one, no story expires.
        keep_texts : bool
            Whether a new file keeps the texts for `article` and `explain`. They are never held
            in memory.
        keep_fields : bool
            Whether a new file also keeps the other fields of articles (`Article.extra`), as
            JSON.
        readonly : bool
            Open read-only; another process may be writing.
        timeout : float
            Seconds to wait for another process that writes the index.
        **misplaced
            Not allowed; the error says where settings go.

        Returns
        -------
        StoryIndex

        Raises
        ------
        IndexFileError
            If the file is not an index of this version, or is damaged.
        IndexBusyError
            If another process is still writing it after `timeout` seconds.
        SettingsError
            If the file was made with other settings.
        FileError
            If the file cannot be opened for another reason.
        """
        check_keywords(f"{cls.__name__}.open", misplaced)
        index = cls.__new__(cls)
        index._session = open_session(
            path, settings, retention=retention, keep_texts=keep_texts, keep_fields=keep_fields,
            readonly=readonly, timeout=timeout,
        )  # fmt: skip
        index._attach()
        return index

    @classmethod
    def from_stories(
        cls,
        stories: Stories,
        path: str | os.PathLike[str] | None = None,
        *,
        articles: Iterable[Record] | Any = None,
        retention: timedelta | float | None = None,
        keep_texts: bool = True,
        keep_fields: bool = False,
        **misplaced: Never,
    ) -> Self:
        """Make an index from a grouped archive, with its stories and their ids.

        No story changes. Later articles are added as if those of the archive had been added in
        order of time. Counts of `stats` and events start at zero.

        Parameters
        ----------
        stories : Stories
            The result of `sahel_dedup.cluster`. The index gets its settings.
        path : path, optional
            A file that must not exist yet; by default, the index is in memory.
        articles : optional
            The articles, as for `sahel_dedup.cluster`, if `stories` does not have them because it
            was loaded from a file of ``cluster --save``.
        retention, keep_texts, keep_fields
            As for `open`. An article without a date counts as published on the latest day of the
            archive.
        **misplaced
            Not allowed: the settings are those of `stories`.

        Returns
        -------
        StoryIndex

        Raises
        ------
        SettingsError
            If `stories` is anything else, or has ids of earlier runs that no index can keep.
        NotFoundError, MissingTextsError
            If an article is missing.
        IndexStateError
            If the file exists and contains articles.
        """
        advice = "the index uses the settings of the stories: give it to sahel_dedup.cluster"
        check_keywords("StoryIndex.from_stories", misplaced, advice)
        if not isinstance(stories, Stories):
            raise no_result(stories, "StoryIndex.from_stories(cluster(articles))")
        given = None if articles is None else ArticleReader().articles(articles)
        archive = from_parts(parts_of(stories), given)
        index = (
            cls(stories.settings, retention=retention)
            if path is None
            else cls.open(
                path, stories.settings, retention=retention, keep_texts=keep_texts,
                keep_fields=keep_fields,
            )
        )  # fmt: skip
        try:
            index._session.take_over(archive)
            if stories.corrections:
                index.corrections.add(stories.corrections)
        except BaseException:
            index.close()
            raise
        return index

    def _attach(self) -> None:
        """Set the attributes of an index from its session."""
        self.settings = self._session.engine.settings
        self.corrections = IndexCorrections(self._session)

    @classmethod
    def connect(
        cls, url: str, *, token: str | None = None, timeout: float = 60.0, **misplaced: Never
    ) -> RemoteIndex:
        """Connect to an index that `sahel-dedup serve` serves.

        Parameters
        ----------
        url : str
            Its address, such as ``http://127.0.0.1:8750``.
        token : str, optional
            The token that the server requires.
        timeout : float
            Seconds to wait for an answer, and for the server to accept requests if it is full.
        **misplaced
            Not allowed: the settings are those of the served index.

        Returns
        -------
        RemoteIndex
            An object with the methods and results of this class. It is a context manager.

        Raises
        ------
        SettingsError
            If the address is invalid.
        ServerError
            If there is no index at the address.
        RequestError
            If the server requires another token.
        MissingPackageError
            If httpx is not installed.
        """
        return RemoteIndex(url, token, timeout, **misplaced)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, which already contains everything that was added."""
        self._session.close()

    def __repr__(self) -> str:
        store = self._session.store
        name = "in memory" if store is None else repr(store.path)
        return f"<StoryIndex {name}>"

    def join(
        self, a: str, b: str, *, who: str | None = None, why: str | None = None
    ) -> tuple[Event, ...]:
        """Make two articles one story, regardless of the evidence and the window.

        Parameters
        ----------
        a, b : str
            Ids of the articles. An article that has not arrived yet joins when it arrives.
        who, why : str, optional
            Who makes the correction, and for what reason.

        Returns
        -------
        tuple of Event
            See `IndexCorrections.add`.

        Raises
        ------
        CorrectionError
            If other corrections keep the two apart.
        """
        return self.corrections.add(said_now(a, b, True, who, why))

    def part(
        self, a: str, b: str, *, who: str | None = None, why: str | None = None
    ) -> tuple[Event, ...]:
        """Keep two articles in different stories; see `join`."""
        return self.corrections.add(said_now(a, b, False, who, why))

    def update(self, article: Record, *, columns: Mapping[str, str] | None = None) -> Assignment:
        """Replace an article by a corrected version.

        It is compared again and may join another story. A story of this article alone keeps its id
        unless it joins another.

        Parameters
        ----------
        article, columns
            As for `add`, with the id of the article that it corrects.

        Returns
        -------
        Assignment

        Raises
        ------
        NotFoundError
            If there is no article with that id.
        """
        return self._session.update(read_article(article, columns))

    def remove(self, article: str) -> tuple[Event, ...]:
        """Remove an article.

        Parameters
        ----------
        article : str
            Its id.

        Returns
        -------
        tuple of Event
            What happened to its story, if it ended or was split.

        Raises
        ------
        NotFoundError
            If there is no article with that id.
        """
        with self._session.writing() as engine:
            row = self._session.row(article)
            with self._session.saving():
                return tuple(engine.remove(row))

    def expire(self, before: datetime) -> tuple[Event, ...]:
        """Expire the stories all of whose articles were published before a time.

        An article without a date counts as published on the day on which it arrived. Some recurring
        texts are kept to recognise others of their kind, at most as many as there are live
        articles.

        Parameters
        ----------
        before : datetime
            The time; UTC if it has no zone.

        Returns
        -------
        tuple of Event
            An ``expired`` event for each story.
        """
        day = to_day("before", before)
        with self._session.writing():
            return tuple(self._session.expire(day))

    def compact(self) -> None:
        """Discard the remains of removed and expired articles, also in the file."""
        with self._session.writing() as engine:
            with self._session.saving():
                engine.compact()
            self._session.shrink()
