"""Results of a story index: assignments, matches, events and statistics."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from sahel_dedup.explain.overlap import Relation

EventKind = Literal["merged", "split", "expired", "removed"]


@dataclass(frozen=True, slots=True)
class Event:
    """A change of existing stories.

    Attributes
    ----------
    cursor : int
        Number of the event, ascending; `StoryIndex.events` resumes after it.
    kind : str
        ``"merged"``: `story` is now part of `other`. ``"split"``: `other` was separated from
        `story`. ``"expired"``: `story` became older than the retention. ``"removed"``: its last
        article was removed.
    story : str
        Id of the story.
    other : str or None
        Id of the other story, if there is one.
    """

    cursor: int
    kind: EventKind
    story: str
    other: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """An article of the same story.

    Attributes
    ----------
    id : str
        Id of the article.
    similarity : float
        TF-IDF cosine.
    score : float
        Log-odds, from all the evidence, that the two report one event.
    """

    id: str
    similarity: float
    score: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """Where an article belongs.

    Attributes
    ----------
    id : str
        Id of the article.
    story_id : str or None
        Id of its story; ``None`` for an article that was not kept.
    relation : str or None
        How it relates to the closest article of its story: ``"exact"``, ``"near"`` or
        ``"reworded"`` (see `Stories.relation`); ``None`` for a single article.
    similarity : float or None
        TF-IDF cosine to the closest article; ``None`` for a single article.
    matches : tuple of Match
        At most ten articles of its story with which it was compared, strongest evidence first.
    is_new_story : bool
        Whether no other article of the story came before it.
    events : tuple of Event
        The stories that it merged.
    kept : bool
        Whether the article is in the index. An article older than the retention is not, and
        belongs to no story.
    updated : bool
        Whether it was in the index before and was changed.
    """

    id: str
    story_id: str | None
    relation: Relation | None
    similarity: float | None
    matches: tuple[Match, ...]
    is_new_story: bool
    events: tuple[Event, ...] = ()
    kept: bool = True
    updated: bool = False


@dataclass(frozen=True, slots=True)
class IndexStats:
    """Statistics of an index.

    The counts from `exact` on start when the index is made. The last few refused and late articles
    may be missing after a crash.

    Attributes
    ----------
    articles, stories : int
        Number of live articles, and of their stories.
    stories_with_copies : int
        Number of stories with two or more articles.
    past : int
        Number of expired articles kept for comparison with recurring texts.
    newest : datetime or None
        Latest time of publication seen.
    cursor : int
        Number of the last event.
    file_bytes : int
        Size of the file with its log; 0 in memory.
    retention : timedelta or None
        Age at which stories expire, ``None`` if they never do.
    exact, near, reworded : int
        Articles that were exact, near or reworded copies when they were added.
    updated : int
        Articles that were changed: corrected, edited, or given a date, outlet or title.
    late : int
        Articles older than the retention, which were not kept.
    refused : int
        Rows that were not articles, or had a known id with other words.
    merged, split : int
        Events of these kinds.
    memory_bytes : int
        Size of the tables in memory, which is most of the memory of an index, without ids and
        words.
    articles_per_second : float
        Articles per second that this process answered in the last minute.
    median_seconds, p99_seconds : float or None
        Duration of the last 1,000 calls that added articles, singly or in batches; ``None``
        before the first.
    """

    articles: int
    stories: int
    stories_with_copies: int
    past: int
    newest: datetime | None
    cursor: int
    file_bytes: int = 0
    retention: timedelta | None = None
    exact: int = 0
    near: int = 0
    reworded: int = 0
    updated: int = 0
    late: int = 0
    refused: int = 0
    merged: int = 0
    split: int = 0
    # Properties of the process and the moment, not of the index.
    memory_bytes: int = field(default=0, compare=False)
    articles_per_second: float = field(default=0.0, compare=False)
    median_seconds: float | None = field(default=None, compare=False)
    p99_seconds: float | None = field(default=None, compare=False)
