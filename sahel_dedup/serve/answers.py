"""Answers of the server: JSON values, and errors that name the field."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from sahel_dedup.errors import (
    ArticleError,
    IndexBusyError,
    NotFoundError,
    SahelError,
    SettingsError,
)
from sahel_dedup.index.remote import wire
from sahel_dedup.serve.writing import Overloaded

JSON = "application/json"
LINES = "application/x-ndjson"
# Seconds after which a client should try again.
_RETRY = "1"


def success(value: object) -> Response:
    """Answer with a value."""
    return Response(wire.encode(value), media_type=JSON)


def failure(
    error: SahelError, status: int | None = None, *, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer with an error; its kind decides the status unless one is given."""
    chosen = _status(error) if status is None else status
    more = {"Retry-After": _RETRY} if chosen in (429, 503) else {}
    content = wire.encode(wire.error_to_json(error))
    return Response(content, chosen, media_type=JSON, headers={**more, **(headers or {})})


def _status(error: SahelError) -> int:
    if isinstance(error, ArticleError):
        return 422
    if isinstance(error, SettingsError):
        return 400
    if isinstance(error, NotFoundError):
        return 404
    if isinstance(error, Overloaded):
        return 429
    return 503 if isinstance(error, IndexBusyError) else 409
