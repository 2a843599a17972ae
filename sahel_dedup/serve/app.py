"""The HTTP interface of an index: what each request does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from sahel_dedup.articles import Article
from sahel_dedup.errors import (
    ArticleError,
    IndexStateError,
    NotFoundError,
    RequestError,
    SahelError,
    ServerError,
    SettingsError,
)
from sahel_dedup.index.queries import rows_of
from sahel_dedup.index.remote import wire
from sahel_dedup.index.results import Assignment, Event
from sahel_dedup.index.story_index import StoryIndex
from sahel_dedup.serve import requests
from sahel_dedup.serve.answers import LINES, failure, success
from sahel_dedup.serve.metrics import Metrics
from sahel_dedup.serve.requests import Bodies, TooLarge, TooSlow
from sahel_dedup.serve.writing import Answer, Overloaded, Writer

Handler = Callable[[Request], Awaitable[Response]]

# Lines of a listing that are read from the index at a time, and seconds between keep-alive
# messages.
_LINES_AT_ONCE = 200
_SILENCE = 10.0
_STREAMS = 64


@dataclass(slots=True)
class Service:
    """The objects that answer requests.

    Attributes
    ----------
    index : StoryIndex
    writer : Writer
    bodies : Bodies
    metrics : Metrics
    stopping : asyncio.Event
        Set when the server shuts down, which ends streams.
    failed : bool
        Whether the index has failed.
    """

    index: StoryIndex
    writer: Writer
    bodies: Bodies
    metrics: Metrics
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    failed: bool = False
    _streams: int = 0

    def application(self) -> Starlette:
        """Make the application."""
        posts: dict[str, Handler] = {
            "/add": self._add, "/add_many": self._add_many, "/upsert": self._upsert,
            "/update": self._update, "/query": self._query, "/remove": self._remove,
            "/join": self._join, "/part": self._part, "/correct": self._correct,
            "/withdraw": self._withdraw, "/expire": self._expire, "/compact": self._compact,
        }  # fmt: skip
        gets: dict[str, Handler] = {
            "/story": self._story, "/stories": self._stories, "/article": self._article,
            "/contains": self._contains, "/explain": self._explain, "/table": self._table,
            "/corrections": self._corrections,
            "/events": self._events, "/events/stream": self._event_stream,
            "/stats": self._stats, "/settings": self._settings, "/health": self._health,
            "/metrics": self._metrics,
        }  # fmt: skip
        routes = [
            Route(path, self._answer(path, do), methods=["POST"]) for path, do in posts.items()
        ]
        routes += [
            Route(path, self._answer(path, do), methods=["GET"]) for path, do in gets.items()
        ]
        return Starlette(
            routes=routes, exception_handlers={HTTPException: _no_route, Exception: _fault}
        )

    def _answer(self, path: str, handle: Handler) -> Handler:
        """Convert errors of a handler to answers, and count all answers."""

        async def answered(request: Request) -> Response:
            begun = time.perf_counter()
            try:
                answer = await handle(request)
            except TooLarge as error:
                answer = failure(error, 413)
            except TooSlow as error:
                answer = failure(error, 408)
            except SahelError as error:
                answer = failure(error)
            except ClientDisconnect:
                # The client has gone.
                answer = Response(status_code=400)
            self.metrics.answered(path, answer.status_code, time.perf_counter() - begun)
            return answer

        return answered

    async def _add(self, request: Request) -> Response:
        return await self._add_one(request, update=False)

    async def _upsert(self, request: Request) -> Response:
        return await self._add_one(request, update=True)

    async def _add_one(self, request: Request, *, update: bool) -> Response:
        article = requests.article_of(await self.bodies.read(request))
        (answer,) = await self.writer.add([article], update=update)
        if isinstance(answer, ArticleError):
            raise answer
        assert answer is not None
        return success(wire.assignment_to_json(answer))

    async def _add_many(self, request: Request) -> Response:
        body = await self.bodies.read(request)
        requests.only(body, "articles", "on_changed", "whole")
        update = requests.choice(body, "on_changed", ("raise", "update")) == "update"
        whole = requests.choice(body, "whole", (False, True))
        read = requests.articles_of(body)
        good = [item for item in read if isinstance(item, Article)]
        answers: list[Answer]
        if whole and len(good) < len(read):
            answers = [item if isinstance(item, ArticleError) else None for item in read]
        else:
            added = iter(await self.writer.add(good, update=update, whole=whole))
            answers = [item if isinstance(item, ArticleError) else next(added) for item in read]
        return success({"answers": [_answer_to_json(answer) for answer in answers]})

    async def _update(self, request: Request) -> Response:
        article = requests.article_of(await self.bodies.read(request))
        found = await self.writer.run(lambda: self.index.update(article), writes=True)
        return success(wire.assignment_to_json(found))

    async def _query(self, request: Request) -> Response:
        article = requests.article_of(await self.bodies.read(request))
        found = await self.writer.run(lambda: self.index.query(article))
        return success(wire.assignment_to_json(found))

    async def _remove(self, request: Request) -> Response:
        body = await self.bodies.read(request)
        requests.only(body, "id")
        name = requests.text_of(body, "id")
        return _events(await self.writer.run(lambda: self.index.remove(name), writes=True))

    async def _join(self, request: Request) -> Response:
        return await self._say(request, self.index.join)

    async def _part(self, request: Request) -> Response:
        return await self._say(request, self.index.part)

    async def _say(self, request: Request, say: Callable[..., tuple[Event, ...]]) -> Response:
        body = await self.bodies.read(request)
        requests.only(body, "a", "b", "who", "why")
        a, b = requests.text_of(body, "a"), requests.text_of(body, "b")
        named = {name: requests.text_of(body, name) for name in ("who", "why") if body.get(name)}
        return _events(await self.writer.run(lambda: say(a, b, **named), writes=True))

    async def _correct(self, request: Request) -> Response:
        body = await self.bodies.read(request)
        requests.only(body, "corrections")
        said = requests.corrections_of(body)
        return _events(await self.writer.run(lambda: self.index.corrections.add(said), writes=True))

    async def _withdraw(self, request: Request) -> Response:
        body = await self.bodies.read(request)
        requests.only(body, "a", "b")
        a, b = requests.text_of(body, "a"), requests.text_of(body, "b")
        withdraw = self.index.corrections.withdraw
        return _events(await self.writer.run(lambda: withdraw(a, b), writes=True))

    async def _corrections(self, request: Request) -> Response:
        requests.params_of(request)
        said = await self.writer.run(lambda: list(self.index.corrections))
        unknown = await self.writer.run(lambda: self.index.corrections.unknown)
        return success({"corrections": [item.to_row() for item in said], "unknown": unknown})

    async def _expire(self, request: Request) -> Response:
        body = await self.bodies.read(request)
        requests.only(body, "before")
        moment = requests.moment_of(body, "before")
        if moment is None:
            raise SettingsError("before: missing")
        return _events(await self.writer.run(lambda: self.index.expire(moment), writes=True))

    async def _compact(self, request: Request) -> Response:
        requests.only(await self.bodies.read(request))
        await self.writer.run(self.index.compact)
        return success({})

    async def _story(self, request: Request) -> Response:
        given = requests.params_of(request, "id", "article")
        if len(given) != 1:
            raise SettingsError(
                "id: give the id of a story as id, or that of an article as article"
            )
        ask = self.index.story if "id" in given else self.index.story_of
        (name,) = given.values()
        return success(wire.story_to_json(await self.writer.run(lambda: ask(name))))

    async def _stories(self, request: Request) -> Response:
        since = requests.moment_of(requests.params_of(request, "since"), "since")
        found = await self.writer.run(lambda: list(self.index.stories(since)))

        async def rows(part: Sequence[Any]) -> list[wire.Json]:
            return [wire.story_to_json(story) for story in part]

        return _listing(found, rows)

    async def _table(self, request: Request) -> Response:
        given = requests.params_of(request, "texts")
        texts = requests.choice(given, "texts", ("0", "1")) == "1"
        if texts and len(self.index):
            # Fail here if no texts are kept, because an answer that has begun can no longer report
            # an error.
            await self.writer.run(lambda: self.index.article(next(iter(self.index)).canonical))
        found = await self.writer.run(lambda: list(rows_of(self.index)))

        async def rows(part: Sequence[Any]) -> list[wire.Json]:
            return await self.writer.run(lambda: _table_rows(self.index, part, texts))

        return _listing(found, rows)

    async def _article(self, request: Request) -> Response:
        (name,) = _named(request, "id")
        found = await self.writer.run(lambda: self.index.article(name))
        return success(wire.article_to_json(found))

    async def _contains(self, request: Request) -> Response:
        (name,) = _named(request, "id")
        return success({"contains": await self.writer.run(lambda: name in self.index)})

    async def _explain(self, request: Request) -> Response:
        names = _named(request, "first", "second")
        found = await self.writer.run(lambda: self.index.explain(*names))
        articles = [await self.writer.run(lambda n=n: self.index.article(n)) for n in names]  # type: ignore[misc]
        return success({
            "articles": [wire.article_to_json(article) for article in articles],
            "one_story": found.one_story,
            "breakdown": found.breakdown and wire.breakdown_to_json(found.breakdown),
        })  # fmt: skip

    async def _events(self, request: Request) -> Response:
        cursor = requests.cursor_of(requests.params_of(request, "cursor"))
        return _events(await self.writer.run(lambda: self.index.events(cursor)))

    async def _event_stream(self, request: Request) -> Response:
        given = requests.params_of(request, "cursor")
        cursor = requests.cursor_of(given, request.headers.get("last-event-id"))
        if self._streams >= _STREAMS:
            raise Overloaded(f"{_STREAMS} streams of events are open already: close one")
        # An error in the cursor is reported before the stream begins.
        first = await self.writer.run(lambda: self.index.events(cursor))
        return StreamingResponse(
            self._stream(cursor, first),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    async def _stream(self, cursor: int, events: Sequence[Event]) -> AsyncIterator[bytes]:
        self._streams += 1
        changed = self.writer.listen()
        try:
            # A first keep-alive message, which also sends the headers.
            yield b":\n\n"
            while True:
                for event in events:
                    cursor = event.cursor
                    yield b"id: %d\ndata: %s\n\n" % (cursor, wire.encode(wire.event_to_json(event)))
                await self._wait(changed)
                if self.stopping.is_set():
                    raise ServerError(f"the server has stopped; the last event was {cursor}")
                if not changed.is_set():
                    yield b":\n\n"
                changed.clear()
                after = cursor
                events = await self.writer.run(lambda: self.index.events(after))  # noqa: B023
        except SahelError as error:
            yield _last_words(error)
        finally:
            self.writer.forget(changed)
            self._streams -= 1

    async def _wait(self, changed: asyncio.Event) -> None:
        """Wait for a change, the end, or the time for a keep-alive message."""
        waits = {asyncio.ensure_future(event.wait()) for event in (changed, self.stopping)}
        try:
            await asyncio.wait(waits, timeout=_SILENCE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _stats(self, request: Request) -> Response:
        requests.params_of(request)
        return success(wire.stats_to_json(await self.writer.run(self.index.stats)))

    async def _settings(self, request: Request) -> Response:
        requests.params_of(request)
        return success(wire.settings_to_json(self.index.settings))

    async def _health(self, _request: Request) -> Response:
        if self.failed or self.stopping.is_set():
            return failure(IndexStateError("the index cannot be used"), 503)
        return success({"status": "ok"})

    async def _metrics(self, request: Request) -> Response:
        requests.params_of(request)
        stats = await self.writer.run(self.index.stats)
        text = self.metrics.text(stats, self.writer.waiting)
        return Response(text, media_type="text/plain; version=0.0.4")


def _named(request: Request, *names: str) -> list[str]:
    """Return the parameters of a request that needs all of them."""
    given = requests.params_of(request, *names)
    for name in names:
        if name not in given:
            raise SettingsError(f"{name}: missing")
    return [given[name] for name in names]


def _answer_to_json(answer: Answer) -> wire.Json | None:
    if isinstance(answer, Assignment):
        return wire.assignment_to_json(answer)
    return None if answer is None else wire.error_to_json(answer)


def _events(events: Sequence[Event]) -> Response:
    return success({"events": [wire.event_to_json(event) for event in events]})


def _table_rows(index: StoryIndex, part: Sequence[Any], texts: bool) -> list[wire.Json]:
    rows = []
    for found in part:
        published = found["published"]
        row = {**found, "published": None if published is None else published.isoformat()}
        if texts:
            try:
                article = index.article(row["id"])
            except NotFoundError:
                # Removed in the meantime.
                continue
            further = {name: value for name, value in article.extra.items() if name not in row}
            row |= {"title": article.title, "text": article.text, **further}
        rows.append(row)
    return rows


def _listing(
    found: Sequence[Any], rows: Callable[[Sequence[Any]], Awaitable[list[wire.Json]]]
) -> Response:
    """Answer with one line per item, reading some items at a time."""

    async def lines() -> AsyncIterator[bytes]:
        try:
            for start in range(0, len(found), _LINES_AT_ONCE):
                part = await rows(found[start : start + _LINES_AT_ONCE])
                yield b"".join(wire.encode(row) + b"\n" for row in part)
        except SahelError as error:
            yield wire.encode(wire.error_to_json(error)) + b"\n"

    return StreamingResponse(lines(), media_type=LINES)


def _last_words(error: SahelError) -> bytes:
    return b"event: error\ndata: %s\n\n" % wire.encode(wire.error_to_json(error))


def _no_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    where = f"{request.method} {request.url.path}"
    return failure(RequestError(f"{where}: {error.detail}"), error.status_code)


def _fault(_request: Request, _error: Exception) -> Response:
    # Details are in the log; clients must not learn how the server works inside.
    return failure(ServerError("the server has failed; its log has the reason"), 500)
