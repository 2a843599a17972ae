"""What a story index says: assignments, matches, events and figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sahel_dedup.relation import Relation

EventKind = Literal["merged", "split", "expired", "removed"]


@dataclass(frozen=True, slots=True)
class Event:
    """A change of stories that were already told of.

    Attributes
    ----------
    cursor : int
        Number of the event, rising; `StoryIndex.events` resumes behind it.
    kind : str
        ``"merged"``: `story` is now part of `other`. ``"split"``: `other` left `story`.
        ``"expired"``: `story` was let go by its age. ``"removed"``: its last article was
        removed.
    story : str
        Id of the story.
    other : str or None
        Id of the other story, where there is one.
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
        Log-odds, by all the evidence, that the two report one event.
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
    story_id : str
        Id of its story.
    relation : str or None
        How it relates to the closest article of its story: ``"exact"``, ``"near"`` or
        ``"reworded"`` (see `Stories.relation`); ``None`` if it is alone.
    similarity : float or None
        TF-IDF cosine to the closest; ``None`` if it is alone.
    matches : tuple of Match
        The articles of its story that it was compared with, most evidence first, ten at
        most.
    is_new_story : bool
        Whether no other article of the story came before it.
    events : tuple of Event
        What it changed: the stories that it joined together.
    """

    id: str
    story_id: str
    relation: Relation | None
    similarity: float | None
    matches: tuple[Match, ...]
    is_new_story: bool
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexStats:
    """Figures of an index.

    Attributes
    ----------
    articles, stories : int
        How many there are.
    stories_with_copies : int
        Stories of two articles or more.
    past : int
        Expired articles kept for comparison with recurring texts.
    newest : datetime or None
        Latest time of publication seen.
    cursor : int
        Number of the last event.
    """

    articles: int
    stories: int
    stories_with_copies: int
    past: int
    newest: datetime | None
    cursor: int
