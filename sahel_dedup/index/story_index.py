"""The story index: articles in one at a time, stories at any time."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from sahel_dedup.articles import Article
from sahel_dedup.errors import SahelError
from sahel_dedup.index.answers import Assignment, Event, IndexStats
from sahel_dedup.index.days import to_days, to_moment, today
from sahel_dedup.index.engine import Engine
from sahel_dedup.index.header import check_retention, make_header, read_retention, read_settings
from sahel_dedup.index.live import NO_STORY
from sahel_dedup.index.session import Session
from sahel_dedup.index.store import Store
from sahel_dedup.index.telling import article_rows, story_of
from sahel_dedup.settings import Settings
from sahel_dedup.stories import Story
from sahel_dedup.weighing import weigh

if TYPE_CHECKING:
    from sahel_dedup.explain import Explanation

BATCH_ARTICLES = 128


class StoryIndex:
    """Groups a stream of articles into stories, in memory or in a file.

    Made by `StoryIndex.open` or `StoryIndex.in_memory`. It may be used from several
    threads, which take turns. As a context manager it closes itself.

    Examples
    --------
    >>> from sahel_dedup import StoryIndex
    >>> with StoryIndex.in_memory() as index:
    ...     one = index.add({"id": "a", "text": "Gunmen attacked the army camp at Tessarit on "
    ...         "Monday, killing nine soldiers, the governor said."})
    ...     two = index.add({"id": "b", "text": "Nine soldiers were killed on Monday when gunmen "
    ...         "attacked an army camp at Tessarit, according to the governor."})
    >>> one.is_new_story, two.is_new_story, two.relation, one.story_id == two.story_id
    (True, False, 'reworded', True)
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        settings: Settings | None = None,
        *,
        retention: timedelta | None = None,
        keep_texts: bool = True,
        readonly: bool = False,
    ) -> Self:
        """Open an index in a file, making the file if it is not there.

        Parameters
        ----------
        path
            The file.
        settings : Settings, optional
            How to group. A file remembers its own; those that decide what a story is
            (`granularity`, `window`, `recall`, `recall_similarity`) cannot change.
        retention : timedelta, optional
            Stories expire when their latest article is this much older than the latest of
            all. A file remembers it until another is given; without any, all stay.
        keep_texts : bool
            Whether a new file keeps the texts for `article` and `explain`. It
            remembers. They are never held in memory.
        readonly : bool
            Only look, while another process may write.

        Returns
        -------
        StoryIndex

        Raises
        ------
        SahelError
            If the file is not an index of this version, is damaged, is being written by
            somebody else or has other settings.
        """
        fresh = make_header(settings or Settings(), retention) | {"texts": keep_texts}
        store = Store(path, readonly=readonly, header=fresh)
        try:
            header = store.header()
            settings = read_settings(header, settings, store.path)
            if retention is None:
                retention = read_retention(header)
            check_retention(retention, settings)
            if not readonly:
                store.set_header(retention=make_header(settings, retention)["retention"])
            session = Session(Engine(settings), store, retention)
        except BaseException:
            store.close()
            raise
        return cls(session)

    @classmethod
    def in_memory(
        cls, settings: Settings | None = None, *, retention: timedelta | None = None
    ) -> Self:
        """Make an index that is gone when it is closed.

        Parameters
        ----------
        settings : Settings, optional
            How to group.
        retention : timedelta, optional
            See `open`.

        Returns
        -------
        StoryIndex
        """
        settings = settings or Settings()
        check_retention(retention, settings)
        return cls(Session(Engine(settings), None, retention))

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
        """Let go of the file. Everything that was added is in it already."""
        self._session.close()

    def __len__(self) -> int:
        with self._session.looking() as engine:
            return len(engine.live.row_of)

    def __contains__(self, article: object) -> bool:
        with self._session.looking() as engine:
            return article in engine.live.row_of

    def add(self, article: Article | Mapping[str, Any]) -> Assignment:
        """Add an article and tell where it belongs.

        Once this returns, the article is in the file. Adding the same words under the
        same id again changes nothing and gives the article's present place. An article
        from before the retention is answered as by `query`, and not kept.

        Parameters
        ----------
        article : Article or mapping
            See `Article`.

        Returns
        -------
        Assignment

        Raises
        ------
        ArticleError
            If it is no article, or its id is that of an article with other words.
        """
        return self._session.add([_article(article)])[0]

    def add_many(self, articles: Iterable[Article | Mapping[str, Any]]) -> list[Assignment]:
        """Add articles in batches, which is several times faster.

        Parameters
        ----------
        articles : iterable of Article or mapping

        Returns
        -------
        list of Assignment
            One an article, in order.

        Raises
        ------
        ArticleError
            See `add`. Of the batch with the fault nothing is added.
        """
        return list(self.follow(articles, batch_size=BATCH_ARTICLES))

    def follow(
        self, articles: Iterable[Article | Mapping[str, Any]], *, batch_size: int = 1
    ) -> Iterator[Assignment]:
        """Add articles as they come and yield where they belong.

        Nothing is read ahead of what was asked for but the rest of a batch, so a slow
        consumer slows the source down.

        Parameters
        ----------
        articles : iterable of Article or mapping
            May be endless.
        batch_size : int
            Articles that are added at once. More are faster, and wait for each other.

        Yields
        ------
        Assignment
            One an article, in order, once it is in the file.
        """
        for batch in _batches(map(_article, articles), batch_size):
            yield from self._session.add(batch)

    def query(self, article: Article | Mapping[str, Any]) -> Assignment:
        """Tell where an article would belong, without adding it.

        Parameters
        ----------
        article : Article or mapping

        Returns
        -------
        Assignment
            `story_id` is what the story would be called if the article founded one.
        """
        return self._session.query(_article(article))

    def update(self, article: Article | Mapping[str, Any]) -> Assignment:
        """Put a corrected version in the place of an article.

        It is compared afresh and may come to another story; one that it was alone in
        keeps its id, unless it joins another.

        Parameters
        ----------
        article : Article or mapping
            With the id of the article that it corrects.

        Returns
        -------
        Assignment

        Raises
        ------
        SahelError
            If there is no article with that id.
        """
        new = _article(article)
        with self._session.writing() as engine:
            row = self._session.row(new.id)
            profiles = engine.live.sketcher.sketch([new])
            with self._session.saving([new]):
                return engine.update(row, profiles, today())

    def remove(self, article: str) -> tuple[Event, ...]:
        """Remove an article.

        Parameters
        ----------
        article : str
            Its id.

        Returns
        -------
        tuple of Event
            What became of its story, if that is gone or fell apart.

        Raises
        ------
        SahelError
            If there is no article with that id.
        """
        with self._session.writing() as engine:
            row = self._session.row(article)
            with self._session.saving():
                return tuple(engine.remove(row))

    def expire(self, before: datetime) -> tuple[Event, ...]:
        """Let go of the stories all of whose articles were published before a time.

        An article without a date counts as of the day on which it came. Some texts that
        recur are kept to tell their like by, at most as many as there are live articles.

        Parameters
        ----------
        before : datetime
            The time; UTC if it names no zone.

        Returns
        -------
        tuple of Event
            An ``expired`` event for each story.
        """
        with self._session.writing():
            return tuple(self._session.expire(to_days(before)))

    def story(self, story_id: str) -> Story:
        """Return a story by its id.

        Raises
        ------
        SahelError
            If there is no such story, or it was merged into another or expired.
        """
        with self._session.looking() as engine:
            row = engine.live.find_story(story_id)
            if row is None:
                raise SahelError(f"no story {story_id!r}")
            return story_of(engine.live, row)

    def story_of(self, article: str) -> Story:
        """Return the story of an article.

        Raises
        ------
        SahelError
            If there is no article with that id.
        """
        with self._session.looking() as engine:
            return story_of(engine.live, self._session.row(article))

    def article(self, article: str) -> Article:
        """Return an article from the file.

        Parameters
        ----------
        article : str
            Its id.

        Returns
        -------
        Article
            With the language that was taken for it; extra fields are not kept.

        Raises
        ------
        SahelError
            If there is no article with that id, or texts are not kept.
        """
        return self._session.article(article)

    def explain(self, first: str, second: str) -> Explanation:
        """Tell why two articles are one story, or are not, and where they differ.

        Parameters
        ----------
        first, second : str
            Ids of any two articles.

        Returns
        -------
        Explanation
            With the evidence as it is now: it moves with what else is in the index.

        Raises
        ------
        SahelError
            See `article`.
        """
        # Only here: it needs the template engine, which is slow to start.
        from sahel_dedup.explain import explain

        a, b = self._session.article(first), self._session.article(second)
        with self._session.looking() as engine:
            story = engine.live.standing.story
            one, other = self._session.row(first), self._session.row(second)
            profiles = engine.live.profiles
            return explain(
                a,
                b,
                one_story=bool(story[one] == story[other]),
                weighing=weigh(engine.evidence(), profiles, engine.settings, one, other),
            )

    def stories(self, since: datetime | None = None) -> Iterator[Story]:
        """Yield the stories, in the order in which they began.

        Parameters
        ----------
        since : datetime, optional
            Only those with an article published then or later.

        Yields
        ------
        Story
        """
        with self._session.looking() as engine:
            rows = engine.live.stories(-np.inf if since is None else to_days(since))
            found = [story_of(engine.live, members[0]) for members in rows]
        return iter(found)

    def events(self, cursor: int = 0) -> tuple[Event, ...]:
        """Return what happened to stories after an event.

        Parameters
        ----------
        cursor : int
            `Event.cursor` of the last one known; 0 for none.

        Returns
        -------
        tuple of Event
            Oldest first.

        Raises
        ------
        SahelError
            If events after that one are no longer kept.
        """
        with self._session.looking() as engine:
            first = engine.events[0].cursor if engine.events else engine.cursor + 1
            if 0 < cursor < first - 1:
                raise SahelError(
                    f"the events after {cursor} are no longer kept, only those from {first}: "
                    "read the stories again"
                )
            return tuple(event for event in engine.events if event.cursor > cursor)

    def rows(self) -> Iterator[dict[str, object]]:
        """Yield what is known of each article, story by story.

        Yields
        ------
        dict
            ``id``, ``story_id``, ``canonical`` (whether it stands for its story),
            ``published``, ``source`` and ``lang``.
        """
        with self._session.looking() as engine:
            found = [article_rows(engine.live, members) for members in engine.live.stories()]
        return itertools.chain.from_iterable(found)

    def compact(self) -> None:
        """Let go of what removed and expired articles left behind, in the file too."""
        with self._session.writing() as engine:
            with self._session.saving(letting_go=True):
                engine.compact()
            self._session.shrink()

    def stats(self) -> IndexStats:
        """Return figures of the index."""
        with self._session.looking() as engine:
            live = engine.live
            story = live.standing.story[: len(live)]
            sizes = np.unique(story[story != NO_STORY], return_counts=True)[1]
            past = sum(map(bool, live.ids)) - len(live.row_of)
            newest = None if np.isnan(live.clock) else to_moment(live.clock)
            return IndexStats(
                articles=len(live.row_of),
                stories=len(sizes),
                stories_with_copies=int((sizes > 1).sum()),
                past=past,
                newest=newest,
                cursor=engine.cursor,
            )


def _article(row: Article | Mapping[str, Any]) -> Article:
    return row if isinstance(row, Article) else Article.from_mapping(row)


def _batches(articles: Iterable[Article], size: int) -> Iterator[list[Article]]:
    articles = iter(articles)
    while batch := list(itertools.islice(articles, size)):
        yield batch
