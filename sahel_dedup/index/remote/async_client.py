"""A client of an index over HTTP for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Never, Self, TypeVar

from sahel_dedup.articles import Article
from sahel_dedup.clustering.story import Story
from sahel_dedup.errors import IndexStateError, SahelError
from sahel_dedup.index.feed import OnChanged, check_on_changed
from sahel_dedup.index.remote import calls, wire
from sahel_dedup.index.remote.gathering import Gathering
from sahel_dedup.index.results import Assignment, Event, IndexStats
from sahel_dedup.io.article_reader import ArticleReader, Record, read_article
from sahel_dedup.settings import check_keywords
from sahel_dedup.util.not_copied import NotCopied

if TYPE_CHECKING:
    from sahel_dedup.explain.explanation import Explanation

_T = TypeVar("_T")


class AsyncStoryIndex(NotCopied):
    """An index that `sahel-dedup serve` serves, for asyncio; use it with ``async with``.

    Its methods are those of `StoryIndex` that programs need while articles arrive; for the others,
    such as `compact` and `to_frame`, use `StoryIndex.connect`. Articles that tasks add at the same
    time are sent in one request, which takes a fraction of the time of separate requests. It
    belongs to the event loop in which it is first used.

    Parameters
    ----------
    url, token, timeout
        See `StoryIndex.connect`.

    Raises
    ------
    MissingPackageError
        If httpx is not installed.
    """

    def __init__(
        self, url: str, token: str | None = None, timeout: float = 60.0, **misplaced: Never
    ) -> None:
        check_keywords("connect", misplaced, "a served index keeps the settings it was made with")
        self._httpx = calls.http()
        self._url = calls.check_url(url)
        self._timeout = calls.check_timeout(timeout)
        self._client = self._httpx.AsyncClient(
            base_url=url, headers=calls.headers(token), timeout=self._timeout, trust_env=False
        )

        self._gathering = Gathering(self._send)
        # Connections belong to the event loop in which they were opened.
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<AsyncStoryIndex {self._url!r}>"

    async def aclose(self) -> None:
        """Close the connections. Everything that was answered is in the index."""
        if self._client.is_closed:
            return
        self._check_usable()
        await self._gathering.close()
        await self._client.aclose()

    async def add(self, article: Record, *, columns: Mapping[str, str] | None = None) -> Assignment:
        """Add an article; see `StoryIndex.add`."""
        return await self._gathering.add(read_article(article, columns), "raise")

    async def upsert(
        self, article: Record, *, columns: Mapping[str, str] | None = None
    ) -> Assignment:
        """Add an article or replace the one with its id; see `StoryIndex.upsert`."""
        return await self._gathering.add(read_article(article, columns), "update")

    async def update(
        self, article: Record, *, columns: Mapping[str, str] | None = None
    ) -> Assignment:
        """Replace an article by a corrected version; see `StoryIndex.update`."""
        return await self._send(calls.update(read_article(article, columns)))

    async def add_many(
        self,
        articles: Iterable[Record] | Any,
        *,
        columns: Mapping[str, str] | None = None,
        on_changed: OnChanged = "raise",
    ) -> list[Assignment]:
        """Add articles as one batch, all of them or none.

        Parameters
        ----------
        articles, columns
            See `sahel_dedup.cluster`.
        on_changed
            See `StoryIndex.add_many`.

        Returns
        -------
        list of Assignment

        Raises
        ------
        ArticleError
            If one of them is refused.
        """
        check_on_changed(on_changed)
        read = ArticleReader(columns).articles(articles, unique=False)
        call = calls.add_many(list(read), on_changed, whole=True)
        answers = await self._send(call)
        for answer in answers:
            if isinstance(answer, SahelError):
                raise answer
        return [answer for answer in answers if isinstance(answer, Assignment)]

    async def query(
        self, article: Record, *, columns: Mapping[str, str] | None = None
    ) -> Assignment:
        """Return where an article would belong; see `StoryIndex.query`."""
        return await self._send(calls.query(read_article(article, columns)))

    async def remove(self, article: str) -> tuple[Event, ...]:
        """Remove an article; see `StoryIndex.remove`."""
        return await self._send(calls.remove(article))

    async def join(
        self, a: str, b: str, *, who: str | None = None, why: str | None = None
    ) -> tuple[Event, ...]:
        """Say that two articles are one story; see `StoryIndex.join`."""
        return await self._send(calls.join_or_part("/join", (a, b), who, why))

    async def part(
        self, a: str, b: str, *, who: str | None = None, why: str | None = None
    ) -> tuple[Event, ...]:
        """Say that two articles are not one story; see `StoryIndex.part`."""
        return await self._send(calls.join_or_part("/part", (a, b), who, why))

    async def contains(self, article: str) -> bool:
        """Return whether an article is there: ``article in index`` of `StoryIndex`."""
        return await self._send(calls.contains(article))

    async def story(self, story_id: str | None) -> Story:
        """Return a story by its id; see `StoryIndex.story`."""
        return await self._send(calls.story(story_id))

    async def story_of(self, article: str) -> Story:
        """Return the story of an article; see `StoryIndex.story_of`."""
        return await self._send(calls.story_of(article))

    def stories(self, since: datetime | None = None) -> AsyncIterator[Story]:
        """Yield the stories, in the order in which they began; see `StoryIndex.stories`."""
        return self._lines(calls.stories(since))

    async def article(self, article: str) -> Article:
        """Return an article from the file; see `StoryIndex.article`."""
        return await self._send(calls.article(article))

    async def explain(self, first: str, second: str) -> Explanation:
        """Explain why two articles are in one story or not; see `StoryIndex.explain`."""
        return await self._send(calls.explain(first, second))

    async def events(self, cursor: int = 0) -> tuple[Event, ...]:
        """Return what happened to stories after an event; see `StoryIndex.events`."""
        return await self._send(calls.events(cursor))

    def follow_events(self, cursor: int = 0) -> AsyncIterator[Event]:
        """Yield the events after a given one, and then each new event as it happens, endlessly.

        Parameters
        ----------
        cursor : int
            The last event that is known; 0 for all that are kept.

        Yields
        ------
        Event

        Raises
        ------
        ServerError
            When the server stops. Call it again with the cursor of the last event.
        NotFoundError
            If events after the cursor are no longer kept.
        """
        return self._lines(calls.event_stream(cursor))

    async def stats(self) -> IndexStats:
        """Return statistics of the index."""
        return await self._send(calls.stats())

    def _check_usable(self) -> None:
        calls.check_open(self._client)
        loop = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = loop
        elif self._loop is not loop:
            raise IndexStateError(
                "an AsyncStoryIndex can be used in one event loop only: connect again in this one"
            )

    async def _send(self, call: calls.Call[_T]) -> _T:
        self._check_usable()
        content = None if call.body is None else wire.encode(call.body)
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                answer = await self._client.request(call.method, call.url, content=content)
            except self._httpx.HTTPError as error:
                raise calls.unreachable(self._url, error) from error
            if answer.is_success:
                return calls.read_answer(call, answer.content, self._url)
            left = deadline - time.monotonic()
            nap = calls.wait_of(answer.status_code, answer.headers.get("Retry-After"), left)
            if nap is None:
                calls.raise_error(answer.status_code, answer.content, self._url)
            await asyncio.sleep(nap)

    async def _lines(self, call: calls.Call[_T]) -> AsyncIterator[_T]:
        self._check_usable()
        try:
            patience = max(self._timeout, calls.SILENCE)
            async with self._client.stream(call.method, call.url, timeout=patience) as answer:
                if not answer.is_success:
                    calls.raise_error(answer.status_code, await answer.aread(), self._url)
                async for line in answer.aiter_lines():
                    if line and (found := calls.read_answer(call, line, self._url)) is not None:
                        yield found
        except self._httpx.HTTPError as error:
            raise calls.unreachable(self._url, error) from error
