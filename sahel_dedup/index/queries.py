"""Queries on an index: its stories, articles, events and statistics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from sahel_dedup.articles import Article
from sahel_dedup.clustering.story import Story
from sahel_dedup.corrections.reasons import reasons
from sahel_dedup.errors import NotFoundError
from sahel_dedup.index.engine import Engine
from sahel_dedup.index.export import COLUMNS, TEXT_COLUMNS, table_rows
from sahel_dedup.index.kept_texts import article_at
from sahel_dedup.index.live import memory_of
from sahel_dedup.index.result_builder import story_of
from sahel_dedup.index.results import Assignment, Event, IndexStats
from sahel_dedup.index.session import Session
from sahel_dedup.index.standing import NO_STORY
from sahel_dedup.io.article_reader import Record, read_article
from sahel_dedup.io.tabular import to_frame
from sahel_dedup.scoring.breakdown import score_breakdown
from sahel_dedup.scoring.evidence import Evidence
from sahel_dedup.settings import check_count
from sahel_dedup.util.days import to_day, to_moment

if TYPE_CHECKING:
    import polars as pl

    from sahel_dedup.explain.explanation import Explanation


class StoryQueries:
    """The queries on an index, which change nothing; a subclass provides its session."""

    _session: Session

    def __len__(self) -> int:
        with self._session.looking() as engine:
            return len(_sizes(engine))

    def __bool__(self) -> bool:
        # An index without stories is still true.
        return True

    def __iter__(self) -> Iterator[Story]:
        return self.stories()

    def __contains__(self, article: object) -> bool:
        with self._session.looking() as engine:
            return isinstance(article, str) and article in engine.live.row_of

    def __getitem__(self, article: str) -> Story:
        return self.story_of(article)

    def query(self, article: Record, *, columns: Mapping[str, str] | None = None) -> Assignment:
        """Return where an article would belong, without adding it.

        Parameters
        ----------
        article, columns
            As for `add`.

        Returns
        -------
        Assignment
            `story_id` is the id that the story would have if the article started one.
        """
        return self._session.query(read_article(article, columns))

    def story(self, story_id: str | None) -> Story:
        """Return a story by its id.

        Raises
        ------
        NotFoundError
            If there is no such story, or it was merged into another or expired.
        """
        with self._session.looking() as engine:
            row = None if story_id is None else engine.live.find_story(story_id)
            if row is None:
                raise NotFoundError(f"no story {story_id!r}")
            return story_of(engine.live, row)

    def story_of(self, article: str) -> Story:
        """Return the story of an article.

        Raises
        ------
        NotFoundError
            If there is no article with that id.
        """
        with self._session.looking() as engine:
            return story_of(engine.live, self._session.row(article))

    def stories(self, since: datetime | None = None) -> Iterator[Story]:
        """Yield the stories, in the order in which they began.

        Parameters
        ----------
        since : datetime, optional
            Only stories with an article published then or later.

        Yields
        ------
        Story
        """
        with self._session.looking() as engine:
            rows = engine.live.stories(-np.inf if since is None else to_day("since", since))
            found = [story_of(engine.live, members[0]) for members in rows]
        return iter(found)

    def article(self, article: str) -> Article:
        """Return an article from the file.

        Parameters
        ----------
        article : str
            Its id.

        Returns
        -------
        Article
            Has the language that was used for it, and its further fields if they are kept.

        Raises
        ------
        NotFoundError
            If there is no article with that id.
        MissingTextsError
            If texts are not kept.
        """
        with self._session.looking() as engine:
            return article_at(engine.live, self._session.row(article), self._session.keeper)

    def explain(self, first: str, second: str) -> Explanation:
        """Explain why two articles are in one story or not, and where they differ.

        Parameters
        ----------
        first, second : str
            Ids of any two articles.

        Returns
        -------
        Explanation
            Has the present evidence, which depends on the other articles of the index.

        Raises
        ------
        NotFoundError, MissingTextsError
            See `article`.
        """
        # Imported only here, because it needs the template engine, which is slow to start.
        from sahel_dedup.explain.explanation import explain

        a, b = self.article(first), self.article(second)
        with self._session.looking() as engine:
            standing, similarity = engine.live.standing, engine.live.similarity
            story = standing.story
            one, other = self._session.row(first), self._session.row(second)
            profiles = engine.live.profiles
            return explain(
                a,
                b,
                one_story=bool(story[one] == story[other]),
                corrections=(
                    reasons(
                        engine.live.corrections,
                        engine.parts(one),
                        engine.parts(other),
                        first,
                        second,
                    )
                    if engine.live.corrections
                    else ()
                ),
                breakdown=score_breakdown(
                    # Only the first of exact copies was compared.
                    Evidence(
                        profiles,
                        similarity,
                        standing.recurrence[standing.duplicate_of],
                        engine.settings,
                    ),
                    similarity,
                    engine.live.sketcher.vocabulary.words,
                    profiles,
                    engine.settings,
                    (one, other),
                ),
            )

    def events(self, cursor: int = 0) -> tuple[Event, ...]:
        """Return the events after a given one.

        Parameters
        ----------
        cursor : int
            `Event.cursor` of the last known event; 0 for none.

        Returns
        -------
        tuple of Event
            Oldest first.

        Raises
        ------
        SettingsError
            If the cursor is not a number.
        NotFoundError
            If events after it are no longer kept.
        """
        check_count("cursor", cursor, least=0)
        with self._session.looking() as engine:
            if (keeper := self._session.keeper) is not None:
                keeper.read_earlier_events()
            first = engine.events[0].cursor if engine.events else engine.cursor + 1
            if 0 < cursor < first - 1:
                raise NotFoundError(
                    f"the events after {cursor} are no longer kept, only those from {first}: "
                    "read the stories again"
                )
            return tuple(engine.events_after(cursor))

    def to_frame(self, *, texts: bool = False) -> pl.DataFrame:
        """Return a polars frame with one row per article, story by story.

        Parameters
        ----------
        texts : bool
            Whether to add title and text, and further fields if they are kept.

        Returns
        -------
        polars.DataFrame
            ``id``, ``story_id``, ``canonical`` (whether the article represents its story),
            ``published``, ``source`` and ``lang``, then the requested columns.

        Raises
        ------
        MissingTextsError
            If texts are requested but not kept.
        """
        columns = COLUMNS + TEXT_COLUMNS if texts else COLUMNS
        return to_frame(rows_of(self, texts=texts), columns)

    def stats(self) -> IndexStats:
        """Return statistics of the index."""
        with self._session.looking() as engine:
            live, store, sizes = engine.live, self._session.store, _sizes(engine)
            tally = self._session.tally
            median, high = tally.latencies() or (None, None)
            return IndexStats(
                articles=len(live.row_of),
                stories=len(sizes),
                stories_with_copies=int((sizes > 1).sum()),
                past=int(live.ids.present(len(live)).sum()) - len(live.row_of),
                newest=None if np.isnan(live.clock) else to_moment(live.clock),
                cursor=engine.cursor,
                file_bytes=0 if store is None else store.size(),
                retention=self._session.retention,
                memory_bytes=memory_of(live),
                articles_per_second=tally.rate(),
                median_seconds=median,
                p99_seconds=high,
                **asdict(tally.counts),
            )


def rows_of(index: StoryQueries, *, texts: bool = False) -> Iterator[dict[str, object]]:
    """Yield the rows of `StoryQueries.to_frame`."""
    return table_rows(index._session, texts=texts)


def _sizes(engine: Engine) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the number of articles of each story."""
    story = engine.live.standing.story[: len(engine.live)]
    return np.unique(story[story != NO_STORY], return_counts=True)[1]
