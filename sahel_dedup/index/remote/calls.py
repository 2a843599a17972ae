"""The calls of the HTTP interface: the path and body of each, and how to read its answer.

Both clients, the blocking one and the one for asyncio, use this module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, NoReturn, TypeVar
from urllib.parse import urlencode, urlsplit

from sahel_dedup.articles import Article
from sahel_dedup.clustering.story import Story
from sahel_dedup.corrections.corrections import Correction
from sahel_dedup.errors import (
    IndexBusyError,
    IndexStateError,
    NotFoundError,
    SahelError,
    ServerError,
    SettingsError,
    missing_package,
    no_article,
)
from sahel_dedup.index.remote import wire
from sahel_dedup.index.results import Assignment, Event, IndexStats
from sahel_dedup.settings import Settings, check_count, check_seconds
from sahel_dedup.util.lazy import LazyModule

if TYPE_CHECKING:
    from sahel_dedup.explain.explanation import Explanation

_T = TypeVar("_T")

# Seconds between attempts if the server does not say.
NAP = 0.2
# Seconds without data after which a listing counts as interrupted.
SILENCE = 30.0
_WAIT = (429, 503)
_LONGEST_WAIT = 1e6


@dataclass(frozen=True, slots=True)
class Call(Generic[_T]):
    """One request, and how to read its answer."""

    method: str
    path: str
    read: Any
    body: Any = None
    params: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Path and parameters; ids may contain lone surrogates."""
        query = urlencode(self.params, errors="surrogatepass")
        return f"{self.path}?{query}" if query else self.path


def post(path: str, read: Any, **body: Any) -> Call[Any]:
    """Make a call with a JSON body."""
    return Call("POST", path, read, body)


def get(path: str, read: Any, **params: str) -> Call[Any]:
    """Make a call without a body."""
    return Call("GET", path, read, params=params)


def named(kind: str, name: object) -> str:
    """Return the id of a story or an article.

    Raises
    ------
    NotFoundError
        If it is not an id.
    """
    if isinstance(name, str):
        return name
    raise no_article(name) if kind == "article" else NotFoundError(f"no {kind} {name!r}")


def add(article: Article) -> Call[Assignment]:
    """Add an article."""
    return post("/add", wire.assignment_from_json, article=wire.article_to_json(article))


def upsert(article: Article) -> Call[Assignment]:
    """Add an article or replace the one with its id."""
    return post("/upsert", wire.assignment_from_json, article=wire.article_to_json(article))


def update(article: Article) -> Call[Assignment]:
    """Replace an article by a corrected version."""
    return post("/update", wire.assignment_from_json, article=wire.article_to_json(article))


def query(article: Article) -> Call[Assignment]:
    """Request where an article would belong."""
    return post("/query", wire.assignment_from_json, article=wire.article_to_json(article))


def add_many(
    articles: Sequence[Article], on_changed: str, *, whole: bool
) -> Call[list[Assignment | SahelError | None]]:
    """Add articles; with `whole` none of them if one is refused: the others have no answer."""
    rows = [wire.article_to_json(article) for article in articles]
    return post("/add_many", _answers, articles=rows, on_changed=on_changed, whole=whole)


def remove(article: str) -> Call[tuple[Event, ...]]:
    """Remove an article."""
    return post("/remove", _events, id=named("article", article))


class Said(NamedTuple):
    """The corrections of an index, and the ids in them that no article has."""

    said: tuple[Correction, ...]
    unknown: tuple[str, ...]


def corrections() -> Call[Said]:
    """Request the corrections."""
    return get("/corrections", _said)


def correct(said: Iterable[Correction]) -> Call[tuple[Event, ...]]:
    """Add corrections."""
    return post("/correct", _events, corrections=[correction.to_row() for correction in said])


def withdraw(a: str, b: str) -> Call[tuple[Event, ...]]:
    """Withdraw the corrections on two articles."""
    return post("/withdraw", _events, a=named("article", a), b=named("article", b))


def join_or_part(path: str, pair: tuple[str, str], who: str | None, why: str | None) -> Call[Any]:
    """Say that two articles are one story, or that they are not: ``/join`` or ``/part``.

    Raises
    ------
    ArticleError
        If they are not the ids of two articles.
    """
    said = Correction(*pair, same=path == "/join")
    return post(path, _events, a=said.a, b=said.b, who=who, why=why)


def expire(before: datetime) -> Call[tuple[Event, ...]]:
    """Expire stories."""
    if not isinstance(before, datetime):
        raise SettingsError(f"before: {before!r} is not a datetime")
    return post("/expire", _events, before=before.isoformat())


def compact() -> Call[None]:
    """Discard the remains of removed articles."""
    return post("/compact", lambda _row: None)


def story(story_id: str | None) -> Call[Story]:
    """Request a story by its id."""
    return get("/story", wire.story_from_json, id=named("story", story_id))


def story_of(article: str) -> Call[Story]:
    """Request the story of an article."""
    return get("/story", wire.story_from_json, article=named("article", article))


def article(name: str) -> Call[Article]:
    """Request an article."""
    return get("/article", wire.article_from_json, id=named("article", name))


def contains(name: str) -> Call[bool]:
    """Request whether an article is there."""
    return get("/contains", lambda row: row["contains"], id=name)


def explain(first: str, second: str) -> Call[Explanation]:
    """Request the data of an explanation."""
    names = {"first": named("article", first), "second": named("article", second)}
    return get("/explain", _explanation, **names)


def events(cursor: int) -> Call[tuple[Event, ...]]:
    """Request the events after a given one."""
    return get("/events", _events, cursor=str(check_count("cursor", cursor, least=0)))


def stats() -> Call[IndexStats]:
    """Request statistics."""
    return get("/stats", wire.stats_from_json)


def settings() -> Call[Settings]:
    """Request the settings of the index."""
    return get("/settings", wire.settings_from_json)


def stories(since: datetime | None) -> Call[Story]:
    """List stories, one per line."""
    if since is not None and not isinstance(since, datetime):
        raise SettingsError(f"since: {since!r} is not a datetime")
    params = {} if since is None else {"since": since.isoformat()}
    return get("/stories", _line, **params)


def table(*, texts: bool) -> Call[Mapping[str, object]]:
    """List articles with their stories, one per line."""
    return get("/table", _row, texts=str(int(texts)))


def event_stream(cursor: int) -> Call[Event]:
    """Follow the events after a given one, as server-sent events."""
    return get("/events/stream", _event, cursor=str(check_count("cursor", cursor, least=0)))


def check_timeout(timeout: float) -> float:
    """Check the seconds to wait for an answer.

    Raises
    ------
    SettingsError
        If it is not a number of seconds.
    """
    # Sockets cannot wait for ever.
    return min(check_seconds("timeout", timeout), _LONGEST_WAIT)


def headers(token: str | None) -> dict[str, str]:
    """Return the headers of all calls.

    Raises
    ------
    SettingsError
        If no header can hold the token. The message does not contain it.
    """
    if token is not None and not (
        isinstance(token, str) and token.isascii() and token.isprintable()
    ):
        raise SettingsError("token: not a text of printable ASCII characters")
    known = {"Authorization": f"Bearer {token}"} if token else {}
    return {"Content-Type": "application/json", **known}


def wait_of(status: int, retry_after: str | None, left: float) -> float | None:
    """Return the seconds to wait before a retry, or ``None`` if there is none."""
    if status not in _WAIT:
        return None
    nap = float(retry_after) if retry_after and retry_after.isdigit() else NAP
    return nap if nap <= left else None


def raise_error(status: int, content: bytes, url: str) -> NoReturn:
    """Raise the error that an answer describes."""
    try:
        error = wire.error_from_json(wire.decode(content))
    except (ValueError, LookupError, TypeError):
        text = content[:200].decode("utf-8", "replace")
        error = ServerError(f"{url} answered {status}, so it is not an index: {text}")
    if status in _WAIT:
        error = IndexBusyError(str(error))
    raise error


def read_answer(call: Call[_T], content: bytes | str, url: str) -> _T:
    """Read an answer, or a line of one.

    Raises
    ------
    ServerError
        If it is not an answer.
    SahelError
        The error that it describes.
    """
    try:
        found: _T = call.read(content if isinstance(content, str) else wire.decode(content))
    except SahelError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise ServerError(f"{url} did not answer like an index: {error}") from error
    return found


def check_url(url: str) -> str:
    """Check the address of an index.

    Raises
    ------
    SettingsError
        If it is not an address.
    """
    try:
        parts = urlsplit(url) if isinstance(url, str) else urlsplit("")
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return url
    except (ValueError, AttributeError):
        pass
    raise SettingsError(f"url: {url!r} is not an address such as http://127.0.0.1:8750")


def check_open(client: Any) -> None:
    """Check that a connection has not been closed.

    Raises
    ------
    IndexStateError
        If it has.
    """
    if client.is_closed:
        raise IndexStateError("the connection to the index is closed")


def unreachable(url: str, error: Exception) -> ServerError:
    """Return the error of a connection that failed."""
    reason = str(error) or type(error).__name__
    return ServerError(
        f"no answer from the index at {url}: {reason}; what was not answered may be in it, and can "
        "be added again"
    )


def http() -> Any:
    """Import the HTTP library.

    Raises
    ------
    MissingPackageError
        If it is not installed.
    """
    try:
        import httpx
    except ImportError as error:
        raise missing_package("a served index", error, "serve") from None
    return httpx


def _line(line: str) -> Story:
    row = _parse_line(line)
    return wire.story_from_json(row)


def _row(line: str) -> dict[str, object]:
    row = _parse_line(line)
    if (published := row["published"]) is not None:
        row["published"] = datetime.fromisoformat(published)
    return row


def _event(line: str) -> Event | None:
    """Read a line of a stream of events; only lines of data contain one."""
    if not line.startswith("data: "):
        return None
    return Event(**_parse_line(line.removeprefix("data: ")))


def _parse_line(line: str) -> dict[str, Any]:
    """Read a line of a listing, which may end with an error."""
    row: dict[str, Any] = wire.decode(line)
    if "error" in row:
        raise wire.error_from_json(row)
    return row


def _answers(row: dict[str, Any]) -> list[Assignment | SahelError | None]:
    return [None if item is None else _answer(item) for item in row["answers"]]


def _answer(item: dict[str, Any]) -> Assignment | SahelError:
    return wire.error_from_json(item) if "error" in item else wire.assignment_from_json(item)


def _events(row: dict[str, Any]) -> tuple[Event, ...]:
    return wire.events_from_json(row["events"])


def _said(row: dict[str, Any]) -> Said:
    said = [Correction(**{**found, "same": bool(found["same"])}) for found in row["corrections"]]
    return Said(tuple(said), tuple(row["unknown"]))


def _explanation(row: dict[str, Any]) -> Explanation:
    # Imported only here, because it needs the template engine, which is slow to start.
    explanation = LazyModule("sahel_dedup.explain.explanation")
    made: Explanation = explanation.explain(
        *map(wire.article_from_json, row["articles"]),
        one_story=row["one_story"],
        breakdown=wire.breakdown_from_json(row["breakdown"]),
    )
    return made
