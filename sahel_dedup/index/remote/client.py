"""A client of an index over HTTP, with the methods and results of a local index."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Never, Self, TypeVar

from sahel_dedup.articles import Article
from sahel_dedup.clustering.story import Story
from sahel_dedup.errors import ArticleError
from sahel_dedup.index.export import COLUMNS, TEXT_COLUMNS
from sahel_dedup.index.feed import BATCH_ARTICLES, OnChanged, check_on_changed
from sahel_dedup.index.remote import calls, wire
from sahel_dedup.index.remote.corrections import RemoteCorrections
from sahel_dedup.index.results import Assignment, Event, IndexStats
from sahel_dedup.io.article_reader import (
    ArticleReader,
    Entry,
    OnBadDate,
    OnError,
    Record,
    fault_handler,
    read_article,
)
from sahel_dedup.io.sources import Fault
from sahel_dedup.io.tabular import to_frame
from sahel_dedup.settings import Settings, check_count, check_keywords
from sahel_dedup.util.not_copied import NotCopied

if TYPE_CHECKING:
    import polars as pl

    from sahel_dedup.explain.explanation import Explanation

_T = TypeVar("_T")


class RemoteIndex(NotCopied):
    """An index that `sahel-dedup serve` serves; `StoryIndex.connect` makes one.

    Its methods are those of `StoryIndex`. Several threads may use it. Rows that are not articles
    are refused by the client, so the statistics of the index do not count them. If the server is
    full, calls are repeated for `timeout` seconds.

    Parameters
    ----------
    url : str
        Its address, such as ``http://127.0.0.1:8750``.
    token : str, optional
        The token that the server requires.
    timeout : float
        Seconds to wait for an answer.

    Attributes
    ----------
    settings : Settings
        How the index groups articles.
    corrections : RemoteCorrections
        The corrections of its stories.

    Raises
    ------
    ServerError
        If there is no index at the address.
    RequestError
        If the server requires another token.
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
        self._client = self._httpx.Client(
            base_url=url, headers=calls.headers(token), timeout=self._timeout, trust_env=False
        )
        try:
            self.settings: Settings = self._send(calls.settings())
            self.corrections = RemoteCorrections(self._send)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<RemoteIndex {self._url!r}>"

    def __len__(self) -> int:
        return self.stats().stories

    def __bool__(self) -> bool:
        # An index without stories is still an index.
        return True

    def __iter__(self) -> Iterator[Story]:
        return self.stories()

    def __contains__(self, article: object) -> bool:
        return isinstance(article, str) and self._send(calls.contains(article))

    def __getitem__(self, article: str) -> Story:
        return self.story_of(article)

    def close(self) -> None:
        """Close the connection. Everything that was answered is in the index."""
        self._client.close()

    def add(self, article: Record, *, columns: Mapping[str, str] | None = None) -> Assignment:
        """Add an article; see `StoryIndex.add`."""
        return self._send(calls.add(read_article(article, columns, stacklevel=2)))

    def upsert(self, article: Record, *, columns: Mapping[str, str] | None = None) -> Assignment:
        """Add an article or replace the one with its id; see `StoryIndex.upsert`."""
        return self._send(calls.upsert(read_article(article, columns, stacklevel=2)))

    def update(self, article: Record, *, columns: Mapping[str, str] | None = None) -> Assignment:
        """Replace an article by a corrected version; see `StoryIndex.update`."""
        return self._send(calls.update(read_article(article, columns, stacklevel=2)))

    def add_many(
        self,
        articles: Iterable[Record] | Any,
        *,
        columns: Mapping[str, str] | None = None,
        on_error: OnError = "raise",
        on_bad_date: OnBadDate = "drop",
        on_changed: OnChanged = "raise",
    ) -> list[Assignment]:
        """Add articles in batches; see `StoryIndex.add_many`."""
        found = self.follow(
            articles, columns=columns, batch_size=BATCH_ARTICLES, on_error=on_error,
            on_bad_date=on_bad_date, on_changed=on_changed,
        )  # fmt: skip
        return list(found)

    def follow(
        self,
        articles: Iterable[Record] | Any,
        *,
        columns: Mapping[str, str] | None = None,
        batch_size: int = 1,
        on_error: OnError = "raise",
        on_bad_date: OnBadDate = "drop",
        on_changed: OnChanged = "update",
    ) -> Iterator[Assignment]:
        """Add articles as they arrive, and yield where they belong; see `StoryIndex.follow`."""
        size = check_count("batch_size", batch_size)
        check_on_changed(on_changed)
        fault = fault_handler(on_error)
        reader = ArticleReader(columns, on_error=fault, on_bad_date=on_bad_date)
        entries = reader.entries(reader.located(articles), unique=False)

        def added() -> Iterator[Assignment]:
            while batch := list(itertools.islice(entries, size)):
                yield from self._add(batch, fault, on_changed, whole=on_error == "raise")
            reader.warn()

        return added()

    def query(self, article: Record, *, columns: Mapping[str, str] | None = None) -> Assignment:
        """Return where an article would belong; see `StoryIndex.query`."""
        return self._send(calls.query(read_article(article, columns)))

    def remove(self, article: str) -> tuple[Event, ...]:
        """Remove an article; see `StoryIndex.remove`."""
        return self._send(calls.remove(article))

    def join(
        self, a: str, b: str, *, who: str | None = None, why: str | None = None
    ) -> tuple[Event, ...]:
        """Say that two articles are one story; see `StoryIndex.join`."""
        return self._send(calls.join_or_part("/join", (a, b), who, why))

    def part(
        self, a: str, b: str, *, who: str | None = None, why: str | None = None
    ) -> tuple[Event, ...]:
        """Say that two articles are not one story; see `StoryIndex.part`."""
        return self._send(calls.join_or_part("/part", (a, b), who, why))

    def expire(self, before: datetime) -> tuple[Event, ...]:
        """Expire the stories from before a time; see `StoryIndex.expire`."""
        return self._send(calls.expire(before))

    def compact(self) -> None:
        """Discard the remains of removed and expired articles; see `StoryIndex.compact`."""
        self._send(calls.compact())

    def story(self, story_id: str | None) -> Story:
        """Return a story by its id; see `StoryIndex.story`."""
        return self._send(calls.story(story_id))

    def story_of(self, article: str) -> Story:
        """Return the story of an article; see `StoryIndex.story_of`."""
        return self._send(calls.story_of(article))

    def stories(self, since: datetime | None = None) -> Iterator[Story]:
        """Yield the stories, in the order in which they began; see `StoryIndex.stories`."""
        return self._lines(calls.stories(since))

    def article(self, article: str) -> Article:
        """Return an article from the file; see `StoryIndex.article`."""
        return self._send(calls.article(article))

    def explain(self, first: str, second: str) -> Explanation:
        """Explain why two articles are in one story or not; see `StoryIndex.explain`."""
        return self._send(calls.explain(first, second))

    def events(self, cursor: int = 0) -> tuple[Event, ...]:
        """Return what happened to stories after an event; see `StoryIndex.events`."""
        return self._send(calls.events(cursor))

    def to_frame(self, *, texts: bool = False) -> pl.DataFrame:
        """Return a polars frame with one row per article; see `StoryIndex.to_frame`."""
        columns = COLUMNS + TEXT_COLUMNS if texts else COLUMNS
        rows: Iterator[Mapping[str, object]] = self._lines(calls.table(texts=texts))
        return to_frame(rows, columns)

    def stats(self) -> IndexStats:
        """Return statistics of the index."""
        return self._send(calls.stats())

    def _add(
        self, batch: list[Entry], fault: Fault, on_changed: OnChanged, *, whole: bool
    ) -> Iterator[Assignment]:
        call = calls.add_many([entry.article for entry in batch], on_changed, whole=whole)
        answers = self._send(call)
        for entry, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Assignment):
                yield answer
            elif isinstance(answer, ArticleError):
                fault(answer.at(*entry.place), entry.row)
            elif answer is not None:
                raise answer

    def _send(self, call: calls.Call[_T]) -> _T:
        calls.check_open(self._client)
        content = None if call.body is None else wire.encode(call.body)
        deadline = time.monotonic() + self._timeout
        while True:
            try:
                answer = self._client.request(call.method, call.url, content=content)
            except self._httpx.HTTPError as error:
                raise calls.unreachable(self._url, error) from error
            if answer.is_success:
                return calls.read_answer(call, answer.content, self._url)
            left = deadline - time.monotonic()
            nap = calls.wait_of(answer.status_code, answer.headers.get("Retry-After"), left)
            if nap is None:
                calls.raise_error(answer.status_code, answer.content, self._url)
            time.sleep(nap)

    def _lines(self, call: calls.Call[_T]) -> Iterator[_T]:
        """Yield the items of a listing, line by line."""
        calls.check_open(self._client)
        try:
            patience = max(self._timeout, calls.SILENCE)
            with self._client.stream(call.method, call.url, timeout=patience) as answer:
                if not answer.is_success:
                    calls.raise_error(answer.status_code, answer.read(), self._url)
                for line in answer.iter_lines():
                    if line and (found := calls.read_answer(call, line, self._url)) is not None:
                        yield found
        except self._httpx.HTTPError as error:
            raise calls.unreachable(self._url, error) from error
