"""One index in use: the engine, its file, and whose turn it is."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import numpy as np

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError, SahelError
from sahel_dedup.index.answers import Assignment, Event
from sahel_dedup.index.days import today
from sahel_dedup.index.engine import Changes, Engine
from sahel_dedup.index.saving import Keeper
from sahel_dedup.index.store import Store
from sahel_dedup.index.telling import origin
from sahel_dedup.profiles import Profiles, Traits

_CLOSED = "the index is closed"
_FAILED = "a change to the index failed half-way: open it again"
# Words that queries alone brought, when they are let go: some 30 MB.
_ASKED_TERMS = 1 << 18
_DAY = timedelta(days=1)
# Stories expire in turns: letting go costs as much as reading all that stay.
_TURNS = 8


class Session:
    """An engine that is kept in step with a file, by one thread at a time.

    Parameters
    ----------
    engine : Engine
        Empty.
    store : Store or None
        The file; what it holds is read. Without one nothing is kept.
    retention : timedelta or None
        Age at which stories expire.
    """

    def __init__(self, engine: Engine, store: Store | None, retention: timedelta | None) -> None:
        self._engine = engine
        self._keeper = None if store is None else Keeper(store, engine)
        self._retention = retention
        # Day before which stories have expired.
        self._horizon = -np.inf
        self._lock = threading.RLock()
        self._version = -1
        self._asked_terms = 0
        self._unusable: str | None = None
        self._load()

    def add(self, articles: list[Article]) -> list[Assignment]:
        """Add a batch of articles; see `StoryIndex.add`."""
        with self._lock:
            engine = self._writable()
            profiles = engine.live.sketcher.sketch(articles)
            fresh: dict[str, int] = {}
            for i, article in enumerate(articles):
                is_new = self._is_new(article.id, i, profiles, fresh)
                if is_new and not profiles.day[i] < self._horizon:
                    fresh[article.id] = i
            chosen = list(fresh.values())
            found: dict[str, Assignment] = {}
            if chosen:
                part = profiles
                if len(chosen) < len(articles):
                    part = profiles.take(np.array(chosen))
                with self.saving([articles[i] for i in chosen]):
                    added = engine.add(list(fresh), part, today())
                found = dict(zip(fresh, added, strict=True))
            for i, article in enumerate(articles):
                if article.id not in found:
                    row = engine.live.row_of.get(article.id)
                    if row is not None:
                        found[article.id] = engine.recall(row)
                    else:
                        alone = profiles.take(np.array([i]))
                        found[article.id] = engine.probe(article.id, alone, today())
            self._expire_by_age()
            return [found[article.id] for article in articles]

    def query(self, article: Article) -> Assignment:
        """Tell where an article would belong; see `StoryIndex.query`."""
        with self.looking() as engine:
            known = len(engine.live.sketcher.vocabulary)
            profiles = engine.live.sketcher.sketch([article])
            assignment = engine.probe(article.id, profiles, today())
            self._asked_terms += len(engine.live.sketcher.vocabulary) - known
            if self._asked_terms > _ASKED_TERMS:
                self._asked_terms = 0
                self._forget_terms()
            return assignment

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._keeper is not None and self._unusable != _CLOSED:
                self._keeper.store.close()
            self._unusable = _CLOSED

    def shrink(self) -> None:
        """Give unused space of the file back."""
        if self._keeper is not None:
            self._keeper.store.shrink()

    def _is_new(self, article: str, place: int, batch: Profiles, fresh: dict[str, int]) -> bool:
        """Whether an id is new; known with other words it is an error."""
        live = self._engine.live
        row, earlier = live.row_of.get(article), fresh.get(article)
        if row is not None:
            known = _words(live.profiles, row)
        elif earlier is not None:
            known = _words(batch, earlier)
        else:
            return True
        if known != _words(batch, place):
            raise ArticleError(
                f"other words than before: {article!r} is in the index; use update() for a "
                "corrected version",
                "id",
            )
        return False

    def _expire_by_age(self) -> None:
        clock = self._engine.live.clock
        if self._retention is not None and not np.isnan(clock):
            days = self._retention / _DAY
            if clock - days >= self._horizon + days / _TURNS:
                self.expire(clock - days)

    def expire(self, before: float) -> list[Event]:
        """Let go of the stories from before a day."""
        self._horizon = max(self._horizon, before)
        with self.saving(letting_go=True):
            return self._engine.expire(before)

    def row(self, article: str) -> int:
        """Return the row of an article."""
        try:
            return self._engine.live.row_of[article]
        except KeyError:
            raise SahelError(f"no article {article!r}") from None

    def article(self, article: str) -> Article:
        """Return an article as far as it is kept; see `StoryIndex.article`."""
        with self.looking() as engine:
            row, keeper = self.row(article), self._keeper
            if keeper is None:
                raise SahelError("no texts: an index in memory keeps none, one in a file does")
            found = keeper.text(row)
            if found is None:
                raise SahelError(
                    f"no texts: {keeper.store.path!r} was made without them; `explain` also reads "
                    "what `cluster` wrote"
                )
            title, text = found
            return Article(article, text, title, *origin(engine.live, row))

    def _forget_terms(self) -> None:
        """Let go of the words that only queries brought."""
        keeper = self._keeper
        if keeper is not None and keeper.store.readonly:
            self._engine = Engine(self._engine.settings)
            self._keeper = Keeper(keeper.store, self._engine)
            self._version = -1
        else:
            with self.saving(letting_go=True):
                self._engine.compact()

    @contextmanager
    def looking(self) -> Iterator[Engine]:
        """Take a turn to look at the index as it is now."""
        with self._lock:
            if self._unusable:
                raise SahelError(self._unusable)
            if self._keeper is not None and self._keeper.store.readonly:
                self._load()
            yield self._engine

    @contextmanager
    def writing(self) -> Iterator[Engine]:
        """Take a turn to change the index."""
        with self._lock:
            yield self._writable()

    def _writable(self) -> Engine:
        """Return the engine, for whose turn it is to change the index."""
        if self._unusable:
            raise SahelError(self._unusable)
        if self._keeper is not None and self._keeper.store.readonly:
            raise SahelError(f"{self._keeper.store.path!r} was opened to look only")
        return self._engine

    @contextmanager
    def saving(self, added: Sequence[Article] = (), *, letting_go: bool = False) -> Iterator[None]:
        """Do something to the engine and, as one transaction, to the file."""
        keeper = self._keeper
        try:
            if keeper is None:
                yield
                self._engine.changes = Changes()
                return
            with keeper.store.transaction():
                yield
                keeper.save(added)
                if letting_go:
                    keeper.save_forgotten()
                    keeper.store.set_header(horizon=self._horizon)
        except BaseException:
            # The engine may be ahead of the file.
            self._unusable = _FAILED
            raise

    def _load(self) -> None:
        """Take over what another process has written."""
        keeper = self._keeper
        if keeper is None or (version := keeper.store.version()) == self._version:
            return
        with keeper.store.transaction():
            header = keeper.store.header()
            if header["generation"] != keeper.generation:
                self._engine = Engine(self._engine.settings)
                keeper = self._keeper = Keeper(keeper.store, self._engine)
            keeper.load()
        self._horizon = header.get("horizon", -np.inf)
        self._version = version


def _words(traits: Traits, row: int) -> tuple[int, int]:
    """Return hashes of the text and title of an article."""
    return int(traits.body[row]), int(traits.headline[row])
