"""The story index: the engine of the batch for articles that arrive one at a time."""

from sahel_dedup.index import maintenance
from sahel_dedup.index.remote.async_client import AsyncStoryIndex
from sahel_dedup.index.remote.client import RemoteIndex
from sahel_dedup.index.results import Assignment, Event, IndexStats, Match
from sahel_dedup.index.story_index import StoryIndex

__all__ = [
    "Assignment",
    "AsyncStoryIndex",
    "Event",
    "IndexStats",
    "Match",
    "RemoteIndex",
    "StoryIndex",
    "maintenance",
]
