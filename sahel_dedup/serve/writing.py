"""Concurrent adds, which are added to the index together: one transaction for all that wait.

Only one thread uses the index, so nothing waits for a lock, and queries take turns with batches.
While it works on one batch, the next one collects; a single article does not wait for others. An
add is answered once its batch has been committed.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError, IndexBusyError
from sahel_dedup.index.feed import add_batch
from sahel_dedup.index.results import Assignment
from sahel_dedup.index.story_index import StoryIndex

logger = logging.getLogger("sahel_dedup.serve")

_T = TypeVar("_T")
# An answer without a result: the article is in a batch that is added as a whole or not at all, and
# was refused.
Answer: TypeAlias = Assignment | ArticleError | None

# Larger batches are hardly faster, and a query waits for as long as a batch takes.
BATCH_ARTICLES = 256


class Overloaded(IndexBusyError):
    """Too many articles are waiting."""


class Stopping(IndexBusyError):
    """The server is shutting down."""


@dataclass(slots=True)
class _Work:
    """The articles of one request."""

    articles: Sequence[Article]
    update: bool
    whole: bool
    done: asyncio.Future[list[Answer]]


class _RefusedWhole(Exception):
    """A request that is refused as a whole."""

    def __init__(self, work: _Work, answers: list[Answer]) -> None:
        super().__init__()
        self.work = work
        self.answers = answers


class Writer:
    """The one thread that uses an index, and the work that waits for it.

    Parameters
    ----------
    index : StoryIndex
    room : int
        Most articles that may wait.
    on_batch : callable
        Called with the number of articles in each batch.
    on_failure : callable
        Called when the index has failed.

    Attributes
    ----------
    waiting : int
        Number of articles that wait or are being added.
    """

    def __init__(
        self,
        index: StoryIndex,
        room: int,
        on_batch: Callable[[int], None],
        on_failure: Callable[[Exception], None],
    ) -> None:
        self.waiting = 0
        self._index = index
        self._room = room
        self._on_batch = on_batch
        self._on_failure = on_failure
        self._thread = ThreadPoolExecutor(1, "index")
        self._queue: deque[_Work] = deque()
        self._adding: asyncio.Task[None] | None = None
        self._closed = False
        self._listeners: set[asyncio.Event] = set()

    async def add(
        self, articles: Sequence[Article], *, update: bool, whole: bool = False
    ) -> list[Answer]:
        """Add the articles of one request.

        Parameters
        ----------
        articles : sequence of Article
        update : bool
            Whether a known id with other words is a corrected article.
        whole : bool
            Whether to add none of them if one is refused.

        Returns
        -------
        list of Answer
            One answer per article, once they are in the file.

        Raises
        ------
        Overloaded
            If there is no room for them. A request larger than all the room is accepted when
            nothing else waits.
        Stopping
            If the server is shutting down.
        """
        if self._closed:
            raise Stopping("the server is shutting down")
        if not articles:
            return []
        if self.waiting and self.waiting + len(articles) > self._room:
            raise Overloaded(f"{self.waiting:,} articles are already waiting: try again later")
        done = asyncio.get_running_loop().create_future()
        self._queue.append(_Work(articles, update, whole, done))
        self.waiting += len(articles)
        if self._adding is None:
            self._adding = asyncio.create_task(self._add_all())
        # A client that stops waiting must not affect the others of the batch.
        return await asyncio.shield(done)

    async def run(self, function: Callable[[], _T], *, writes: bool = False) -> _T:
        """Run a function on the index when it is its turn.

        Raises
        ------
        Stopping
            If the server has shut down.
        """
        try:
            waiting = asyncio.get_running_loop().run_in_executor(self._thread, function)
        except RuntimeError:
            raise Stopping("the server is shutting down") from None
        found = await asyncio.shield(waiting)
        if writes:
            self._notify()
        return found

    def listen(self) -> asyncio.Event:
        """Return an event that is set whenever the index changes; call `forget` when done."""
        listener = asyncio.Event()
        self._listeners.add(listener)
        return listener

    def forget(self, listener: asyncio.Event) -> None:
        """Stop notifying a listener."""
        self._listeners.discard(listener)

    async def close(self) -> None:
        """Finish the waiting work."""
        self._closed = True
        if self._adding is not None:
            await self._adding
        await asyncio.to_thread(self._thread.shutdown)

    async def _add_all(self) -> None:
        """Add the waiting articles, batch by batch."""
        try:
            while self._queue:
                works = self._next()
                size = sum(len(work.articles) for work in works)
                try:
                    answers = await self.run(lambda batch=works: self._add(batch))  # type: ignore[misc]
                except Exception as error:
                    logger.exception("a batch of %d articles failed", size)
                    for work in works:
                        if not work.done.done():
                            work.done.set_exception(error)
                            # The client may be gone.
                            work.done.exception()
                    self._on_failure(error)
                else:
                    for work, answer in zip(works, answers, strict=True):
                        if not work.done.done():
                            work.done.set_result(answer)
                    self._on_batch(size)
                    self._notify()
                finally:
                    self.waiting -= size
        finally:
            self._adding = None

    def _next(self) -> list[_Work]:
        """Take the next requests that can form one batch, in their order."""
        works = [self._queue.popleft()]
        size = len(works[0].articles)
        while self._queue and self._queue[0].update == works[0].update:
            size += len(self._queue[0].articles)
            if size > BATCH_ARTICLES:
                break
            works.append(self._queue.popleft())
        return works

    def _add(self, works: Sequence[_Work]) -> list[list[Answer]]:
        """Add a batch, in the thread of the index."""
        refused: dict[int, list[Answer]] = {}
        while True:
            waiting = [work for work in works if id(work) not in refused]
            if not waiting:
                return [refused[id(work)] for work in works]
            try:
                added = self._add_together(waiting)
            except _RefusedWhole as refusal:
                # Nothing has been added yet.
                refused[id(refusal.work)] = refusal.answers
                continue
            answers = dict(zip(map(id, waiting), added, strict=True)) | refused
            return [answers[id(work)] for work in works]

    def _add_together(self, works: Sequence[_Work]) -> list[list[Answer]]:
        articles = [article for work in works for article in work.articles]
        owners = [(work, place) for work in works for place in range(len(work.articles))]
        errors: dict[int, ArticleError] = {}

        def refuse(error: ArticleError, i: int) -> None:
            errors[i] = error
            work, place = owners[i]
            if work.whole:
                answers: list[Answer] = [None] * len(work.articles)
                answers[place] = error
                raise _RefusedWhole(work, answers)

        found = add_batch(self._index, articles, refuse, update=works[0].update)
        outcomes = iter([errors.get(i) or answer for i, answer in enumerate(found)])
        return [list(itertools.islice(outcomes, len(work.articles))) for work in works]

    def _notify(self) -> None:
        for listener in self._listeners:
            listener.set()
