"""A session: one index in use, with its engine, its file, and the turns of threads."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import timedelta

import numpy as np

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError, IndexStateError, NotFoundError, no_article
from sahel_dedup.index.changes import Changes
from sahel_dedup.index.engine import Engine
from sahel_dedup.index.metadata import State, check_retention
from sahel_dedup.index.persistence import Keeper
from sahel_dedup.index.planning import Step, plan
from sahel_dedup.index.result_builder import origin
from sahel_dedup.index.results import Assignment, Event
from sahel_dedup.index.row_checks import DAYS
from sahel_dedup.index.sqlite_store import Store
from sahel_dedup.index.takeover import GroupedArchive, fill
from sahel_dedup.index.tally import Tally
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.util.days import length_in_days, length_of, today
from sahel_dedup.util.languages import known_language

logger = logging.getLogger("sahel_dedup.index")

_CLOSED = "the index is closed"
_FAILED = "a change of the index failed half-way: open it again"
# Number of words from queries alone at which they are removed: about 30 MB.
_ASKED_TERMS = 1 << 18
# Stories expire in groups, because removing some costs as much as reading all that stay.
_TURNS = 8

Refuse = Callable[[ArticleError, int], None]


class Session:
    """An engine that is kept in step with a file, by one thread at a time.

    Parameters
    ----------
    engine : Engine
        An empty engine.
    store : Store or None
        The file, whose content is loaded. Without one, nothing is stored.

    Attributes
    ----------
    tally : Tally
        Counts of what has happened so far.
    """

    def __init__(self, engine: Engine, store: Store | None) -> None:
        self._engine = engine
        self._keeper = None if store is None else Keeper(store, engine)
        self._state = State()
        self.tally = Tally(self._state.counts)
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._version = -1
        self._asked_terms = 0
        self._unusable: str | None = None
        self._load()
        if store is not None and not store.readonly:
            if store.has_log:
                with store.checked():
                    store.check_texts()
            store.begin_writing()

    @property
    def engine(self) -> Engine:
        """The engine, for callers that need no turn."""
        return self._engine

    @property
    def keeper(self) -> Keeper | None:
        """The object that keeps the engine and the file in step."""
        return self._keeper

    @property
    def store(self) -> Store | None:
        """The file."""
        return None if self._keeper is None else self._keeper.store

    @property
    def retention(self) -> timedelta | None:
        """Age at which stories expire."""
        return length_of(self._state.retention)

    def set_retention(self, retention: timedelta | None) -> None:
        """Set the age at which stories expire; ``None`` keeps the present one.

        Raises
        ------
        SettingsError
            If it is shorter than the window.
        """
        check_retention(retention or self.retention, self._engine.settings)
        days = length_in_days(retention)
        if days is not None and days != self._state.retention:
            self._state.retention = days
            if self._keeper is not None and not self._keeper.store.readonly:
                with self.saving():
                    pass

    def add(
        self, articles: Sequence[Article], refuse: Refuse, *, update: bool
    ) -> list[Assignment | None]:
        """Add a batch of articles; see `StoryIndex.follow`.

        Parameters
        ----------
        articles : sequence of Article
        refuse : callable
            Called with an error and the position of the article in the batch, before anything is
            added; it may raise.
        update : bool
            Whether a known id with other words is a corrected article and not a fault.

        Returns
        -------
        list of (Assignment or None)
            One per article; ``None`` for refused ones.
        """
        with self._turn():
            begun = time.perf_counter()
            engine = self._writable()
            profiles = engine.live.sketcher.sketch(articles)
            steps = plan(articles, profiles, engine.live, self._state.horizon, update=update)
            self._refuse_changed(articles, steps, refuse)
            found: list[Assignment | None] = [None] * len(articles)
            latest: dict[str, Assignment] = {}
            waiting: list[int] = []
            for i, step in enumerate(steps):
                if step is Step.ADD:
                    waiting.append(i)
                elif step is Step.UPDATE:
                    self._add(articles, profiles, waiting, found)
                    found[i] = self._change(articles[i], profiles.take(np.array([i])))
                elif step is Step.LATE:
                    found[i] = self._too_late(articles[i])
            self._add(articles, profiles, waiting, found)
            for assignment in found:
                if assignment is not None:
                    latest[assignment.id] = assignment
            for i, step in enumerate(steps):
                if step is Step.NOTHING:
                    name = articles[i].id
                    if name not in latest:
                        latest[name] = engine.recall(engine.live.row_of[name])
                    found[i] = replace(latest[name], updated=False)
            self._expire_by_age()
            self.tally.answered(len(articles), begun)
            return found

    def take_over(self, archive: GroupedArchive) -> None:
        """Take over a grouped archive; see `StoryIndex.from_stories`."""
        with self.writing() as engine:
            if len(engine.live) or engine.cursor:
                raise IndexStateError("the index already has articles: name a new file")
            with self.saving(archive.articles):
                fill(engine, archive)
            self._expire_by_age()

    def update(self, article: Article) -> Assignment:
        """Replace an article by a corrected version; see `StoryIndex.update`."""
        with self.writing() as engine:
            if article.id not in engine.live.row_of:
                raise NotFoundError(f"no article {article.id!r} to update; upsert() adds it")
            return self._replace(article, engine.live.sketcher.sketch([article]))

    def query(self, article: Article) -> Assignment:
        """Find where an article would belong; see `StoryIndex.query`."""
        with self.looking() as engine:
            known = len(engine.live.sketcher.vocabulary)
            profiles = engine.live.sketcher.sketch([article])
            assignment = engine.probe(article.id, profiles, today())
            self._asked_terms += len(engine.live.sketcher.vocabulary) - known
            if self._asked_terms > _ASKED_TERMS:
                self._asked_terms = 0
                self._forget_terms()
            return assignment

    def refused(self, error: ArticleError) -> None:
        """Count a row that was refused."""
        logger.info("refused: %s", error)
        self.tally.add("refused")

    def close(self) -> None:
        """Close the file."""
        keeper = self._keeper
        if keeper is not None and keeper.store.is_inherited:
            keeper.store.close()
            return
        with self._lock:
            if keeper is not None and self._unusable != _CLOSED:
                try:
                    if self._unusable is None and (not self.tally.is_saved or keeper.is_behind):
                        with self.saving(closing=True):
                            pass
                finally:
                    keeper.store.close()
            self._unusable = _CLOSED

    def shrink(self) -> None:
        """Return unused space of the file to the system."""
        if self._keeper is not None:
            self._keeper.store.shrink()

    def expire(self, before: float) -> list[Event]:
        """Expire the stories from before a day."""
        horizon = DAYS[0] if self._state.horizon is None else self._state.horizon
        self._state.horizon = max(horizon, before)
        with self.saving():
            events = self._engine.expire(before)
        if events:
            logger.info("%d stories expired", len(events))
        return events

    def row(self, article: str) -> int:
        """Return the row of an article."""
        try:
            return self._engine.live.row_of[article]
        except (KeyError, TypeError):
            raise no_article(article) from None

    @contextmanager
    def looking(self) -> Iterator[Engine]:
        """Take a turn to read the index as it is now."""
        with self._turn():
            self._check_usable()
            if self._keeper is not None and self._keeper.store.readonly:
                self._load()
            yield self._engine

    @contextmanager
    def writing(self) -> Iterator[Engine]:
        """Take a turn to change the index."""
        with self._turn():
            yield self._writable()

    @contextmanager
    def saving(self, added: Sequence[Article] = (), *, closing: bool = False) -> Iterator[None]:
        """Change the engine and, as one transaction, the file."""
        keeper, cursor = self._keeper, self._engine.cursor
        try:
            if keeper is None:
                yield
                self.tally.add_events(self._engine.events_after(cursor))
                self._engine.changes = Changes()
                return
            with keeper.store.transaction():
                yield
                self.tally.add_events(self._engine.events_after(cursor))
                # Until then the rows of removed articles exist but no longer count.
                compacted = self._engine.changes.compacted
                keeper.save(self._state, added)
                if compacted:
                    keeper.save_forgotten()
                keeper.save_arrays(self._state, closing=closing)
            keeper.publish_arrays()
            self.tally.is_saved = True
        except BaseException:
            # The engine may be ahead of the file now.
            self._unusable = _FAILED
            raise

    def _turn(self) -> AbstractContextManager[bool]:
        """Return the lock, which whoever has the turn holds."""
        keeper = self._keeper
        # Check this before taking the lock, which another thread may have held during the fork.
        if keeper is not None and keeper.store.is_inherited:
            raise IndexStateError(
                f"{keeper.store.path!r} was opened by process {self._process} and cannot be used "
                f"in process {os.getpid()}, which was forked from it: open it after the fork"
            )
        return self._lock

    def _check_usable(self) -> None:
        if self._unusable:
            raise IndexStateError(self._unusable)

    def _writable(self) -> Engine:
        """Return the engine to a caller that has the turn to change the index."""
        self._check_usable()
        if self._keeper is not None and self._keeper.store.readonly:
            raise IndexStateError(f"{self._keeper.store.path!r} was opened read-only")
        return self._engine

    def _refuse_changed(
        self, articles: Sequence[Article], steps: Sequence[Step], refuse: Refuse
    ) -> None:
        """Refuse articles whose ids are known with other words."""
        for i, step in enumerate(steps):
            if step is Step.REFUSED:
                error = ArticleError(
                    f"other words than before: {articles[i].id!r} is in the index; for a "
                    "corrected version use upsert() or on_changed='update' (--on-changed update)",
                    "id",
                )
                self.refused(error)
                refuse(error, i)

    def _add(
        self,
        articles: Sequence[Article],
        profiles: Profiles,
        waiting: list[int],
        found: list[Assignment | None],
    ) -> None:
        """Add the waiting articles as one transaction."""
        if not waiting:
            return
        part = profiles
        if len(waiting) < len(articles):
            part = profiles.take(np.array(waiting))
        chosen = [articles[i] for i in waiting]
        with self.saving(chosen):
            added = self._engine.add([article.id for article in chosen], part, today())
            for i, assignment in zip(waiting, added, strict=True):
                found[i] = assignment
                if assignment.relation is not None:
                    self.tally.add(assignment.relation)
        waiting.clear()

    def _change(self, article: Article, profiles: Profiles) -> Assignment:
        """Change an article; values that its new version omits are kept."""
        live = self._engine.live
        published, source, lang = origin(live, self.row(article.id))
        known = replace(
            article,
            published=published if np.isnan(profiles.day[0]) else article.published,
            source=article.source or source,
            lang=known_language(article.lang) or lang,
        )
        if known != article:
            profiles = live.sketcher.sketch([known])
        return self._replace(known, profiles)

    def _replace(self, article: Article, profiles: Profiles) -> Assignment:
        logger.debug("updated: %r", article.id)
        self.tally.add("updated")
        with self.saving([article]):
            found = self._engine.update(self.row(article.id), profiles, today())
        return replace(found, updated=True)

    def _too_late(self, article: Article) -> Assignment:
        logger.info("not kept: %r is from before the retention", article.id)
        self.tally.add("late")
        return Assignment(article.id, None, None, None, (), is_new_story=False, kept=False)

    def _expire_by_age(self) -> None:
        clock, days = self._engine.live.clock, self._state.retention
        if days is not None and not np.isnan(clock):
            horizon = -np.inf if self._state.horizon is None else self._state.horizon
            if clock - days >= horizon + days / _TURNS:
                self.expire(clock - days)

    def _forget_terms(self) -> None:
        """Remove the words that only came from queries."""
        keeper = self._keeper
        if keeper is not None and keeper.store.readonly:
            self._engine = Engine(self._engine.settings)
            self._keeper = Keeper(keeper.store, self._engine)
            self._version = -1
        else:
            with self.saving():
                self._engine.compact()

    def _load(self) -> None:
        """Load what another process has written."""
        keeper = self._keeper
        # A number that changes when another process has written.
        if (
            keeper is None
            or (version := keeper.store.count("PRAGMA data_version")) == self._version
        ):
            return
        try:
            with keeper.store.transaction(), keeper.store.checked():
                keeper.store.read_state()
                if keeper.is_outdated:
                    self._engine = Engine(self._engine.settings)
                    keeper = self._keeper = Keeper(keeper.store, self._engine)
                self._state = keeper.load()
                self.tally.counts = self._state.counts
        except BaseException as error:
            # Rows may have been loaded in part.
            self._unusable = str(error)
            raise
        self._version = version
