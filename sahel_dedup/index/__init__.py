"""The story index: the engine of the batch, for articles that come one at a time."""

from sahel_dedup.index.answers import Assignment, Event, IndexStats, Match
from sahel_dedup.index.story_index import StoryIndex

__all__ = ["Assignment", "Event", "IndexStats", "Match", "StoryIndex"]
