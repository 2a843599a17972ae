"""Requests to the server, which are untrusted: bounded bodies, and fields by name."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request

from sahel_dedup.articles import Article
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import ArticleError, SettingsError
from sahel_dedup.index.remote import wire
from sahel_dedup.serve.writing import Overloaded

# Seconds for the rest of a body that is too large.
_DISCARD_SECONDS = 2.0


class TooLarge(SettingsError):
    """A body that is too large."""


class TooSlow(SettingsError):
    """A body that takes too long to arrive."""


@dataclass(slots=True)
class Bodies:
    """Reads the bodies of requests.

    Attributes
    ----------
    most : int
        Most bytes of a body.
    seconds : float
        Most seconds that a body may take to arrive.
    room : int
        Most bytes of all bodies that arrive at the same time.
    """

    most: int
    seconds: float
    room: int
    _arriving: int = 0

    async def read(self, request: Request) -> dict[str, Any]:
        """Read the body of a request, which must be a JSON object.

        Raises
        ------
        TooLarge, TooSlow, Overloaded
            See `Bodies`.
        SettingsError
            If it is not a JSON object.
        """
        try:
            async with asyncio.timeout(self.seconds):
                data = await self._receive(request)
        except TimeoutError:
            raise TooSlow(f"body: did not arrive within {self.seconds:g} seconds") from None
        except TooLarge:
            await self._discard(request)
            raise
        try:
            found = wire.decode(data)
        except ValueError as error:
            raise SettingsError(f"body: not JSON: {error}") from None
        if not isinstance(found, dict):
            raise SettingsError("body: not a JSON object")
        return found

    async def _discard(self, request: Request) -> None:
        """Read and discard the rest of a body, because its sender reads no answer before that."""
        size = 0
        # A body that has arrived completely cannot be read again.
        with suppress(TimeoutError, ClientDisconnect, RuntimeError):
            async with asyncio.timeout(_DISCARD_SECONDS):
                async for part in request.stream():
                    size += len(part)
                    if size > self.room:
                        return

    async def _receive(self, request: Request) -> bytes:
        length = request.headers.get("content-length", "")
        if length.isdigit() and int(length) > self.most:
            raise TooLarge(f"body: more than {self.most:,} bytes")
        parts, size = [], 0
        try:
            async for part in request.stream():
                size += len(part)
                self._arriving += len(part)
                if size > self.most:
                    raise TooLarge(f"body: more than {self.most:,} bytes")
                if self._arriving > self.room and self._arriving > size:
                    raise Overloaded("too many large bodies arrive at once: try again later")
                parts.append(part)
        finally:
            self._arriving -= size
        return b"".join(parts)


def only(body: dict[str, Any], *names: str) -> None:
    """Refuse unknown fields.

    Raises
    ------
    SettingsError
        It names the field.
    """
    for name in body:
        if name not in names:
            raise SettingsError(f"{name}: unknown field; known fields are {', '.join(names)}")


def article_of(body: dict[str, Any]) -> Article:
    """Read the article of a request.

    Raises
    ------
    ArticleError
        If it is not an article.
    SettingsError
        If there is no article.
    """
    only(body, "article")
    row = body.get("article")
    if not isinstance(row, dict):
        raise SettingsError("article: not a JSON object")
    return wire.article_from_json(row)


def articles_of(body: dict[str, Any]) -> list[Article | ArticleError]:
    """Read the articles of a request, with an error in place of each item that is not one."""
    rows = body.get("articles")
    if not isinstance(rows, list):
        raise SettingsError("articles: not a list")
    return [_article(row) for row in rows]


def corrections_of(body: dict[str, Any]) -> Corrections:
    """Read the corrections of a request.

    Raises
    ------
    ArticleError
        If one is none.
    CorrectionError
        If they contradict each other.
    """
    rows = body.get("corrections")
    if not isinstance(rows, list):
        raise SettingsError("corrections: not a list")
    return Corrections.read(rows)


def choice(body: dict[str, Any], name: str, values: tuple[Any, ...]) -> Any:
    """Return a field that has one of some values, or the first value if the field is missing."""
    value = body.get(name, values[0])
    if not any(value is known or (type(value) is str and value == known) for known in values):
        raise SettingsError(f"{name}: {value!r} is not one of {', '.join(map(repr, values))}")
    return value


def text_of(body: dict[str, Any], name: str) -> str:
    """Return a field that is a string."""
    value = body.get(name)
    if not isinstance(value, str):
        raise SettingsError(f"{name}: {value!r} is not a string")
    return value


def params_of(request: Request, *names: str) -> dict[str, str]:
    """Read the parameters of a request; ids in them may hold lone surrogates.

    Raises
    ------
    SettingsError
        It names the parameter.
    """
    query = request.scope["query_string"].decode("latin-1")
    try:
        found = parse_qs(
            query, keep_blank_values=True, errors="surrogatepass", max_num_fields=len(names) + 1
        )
    except ValueError as error:
        raise SettingsError(f"query: {error}") from None
    values = {name: given[0] for name, given in found.items()}
    only(values, *names)
    if twice := [name for name, given in found.items() if len(given) > 1]:
        raise SettingsError(f"{twice[0]}: given twice")
    return values


def moment_of(values: dict[str, Any], name: str) -> datetime | None:
    """Return a time in ISO 8601, or ``None`` if it is missing."""
    value = values.get(name)
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise SettingsError(f"{name}: {value!r} is not a time in ISO 8601") from None


def cursor_of(values: dict[str, str], last: str | None = None) -> int:
    """Return the cursor of events, 0 if missing; `last` is that of a stream that resumes."""
    value = last or values.get("cursor", "0")
    if not (value.isascii() and value.isdigit() and len(value) < 20):
        raise SettingsError(f"cursor: {value!r} is not the number of an event")
    return int(value)


def _article(row: object) -> Article | ArticleError:
    if not isinstance(row, dict):
        return ArticleError("not a JSON object")
    try:
        return wire.article_from_json(row)
    except ArticleError as error:
        return error
