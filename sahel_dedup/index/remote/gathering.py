"""Gathering of articles that tasks of one program add at the same time into one request."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from sahel_dedup.articles import Article
from sahel_dedup.errors import ServerError
from sahel_dedup.index.feed import OnChanged
from sahel_dedup.index.remote import calls
from sahel_dedup.index.results import Assignment

# The most articles per request, as a server takes as many at once, and the most bytes of a body.
_ARTICLES = 128
_CHARACTERS = 1 << 20


class _Waiting(NamedTuple):
    article: Article
    on_changed: OnChanged
    done: asyncio.Future[Assignment]

    @property
    def size(self) -> int:
        return len(self.article.text) + len(self.article.title or "")


class Gathering:
    """Sends what has collected while the previous request was answered; one article does not wait.

    Parameters
    ----------
    send : callable
        Sends a call of `sahel_dedup.index.remote.calls`.
    """

    def __init__(self, send: Callable[[calls.Call[Any]], Awaitable[Any]]) -> None:
        self._send = send
        self._waiting: deque[_Waiting] = deque()
        self._sending: asyncio.Task[None] | None = None

    async def add(self, article: Article, on_changed: OnChanged) -> Assignment:
        """Add an article, together with those that other tasks add now.

        Raises
        ------
        SahelError
            If it is refused, or the request fails.
        """
        done: asyncio.Future[Assignment] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(article, on_changed, done))
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())
        return await done

    async def close(self) -> None:
        """Wait for the answers to what was sent."""
        if self._sending is not None:
            await self._sending

    async def _send_all(self) -> None:
        try:
            # Let other tasks add their articles first.
            await asyncio.sleep(0)
            while self._waiting:
                await self._send_some(self._next())
        finally:
            self._sending = None

    def _next(self) -> list[_Waiting]:
        """Take the next articles that can be sent together, in their order."""
        batch = [self._waiting.popleft()]
        size = batch[0].size
        while self._waiting and len(batch) < _ARTICLES:
            following = self._waiting[0]
            size += following.size
            if following.on_changed != batch[0].on_changed or size > _CHARACTERS:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _send_some(self, batch: list[_Waiting]) -> None:
        articles, on_changed = [item.article for item in batch], batch[0].on_changed
        try:
            answers = await self._send(calls.add_many(articles, on_changed, whole=False))
            if len(answers) != len(batch):
                raise ServerError("the server did not answer for every article")
        except BaseException as error:
            failed = error if isinstance(error, Exception) else asyncio.CancelledError()
            for item in batch:
                if not item.done.done():
                    item.done.set_exception(failed)
                    # The task that waited for it may be gone.
                    item.done.exception()
            if not isinstance(error, Exception):
                raise
            return
        for item, answer in zip(batch, answers, strict=True):
            if item.done.done():
                continue
            if isinstance(answer, Assignment):
                item.done.set_result(answer)
            else:
                item.done.set_exception(answer or ServerError("the server gave no answer"))
