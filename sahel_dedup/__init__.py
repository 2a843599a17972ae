"""Groups reworded copies of one news event into stories.

MinHash and LSH propose pairs of articles, TF-IDF similarity and the evidence beside it
confirm them, average linkage makes stories of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sahel_dedup.articles import Article
from sahel_dedup.audit import Audit, audit
from sahel_dedup.batch import cluster, fingerprints
from sahel_dedup.conflicts import Conflict, find_conflicts
from sahel_dedup.errors import ArticleError, SahelError
from sahel_dedup.fingerprint import FINGERPRINT_VERSION, Fingerprint
from sahel_dedup.furniture import Cut, find_furniture
from sahel_dedup.index import StoryIndex
from sahel_dedup.recall import RecallCheck
from sahel_dedup.settings import Settings
from sahel_dedup.stories import Link, Stories, Story

if TYPE_CHECKING:
    from sahel_dedup.estimator import StoryClusterer

__all__ = [
    "FINGERPRINT_VERSION",
    "Article",
    "ArticleError",
    "Audit",
    "Conflict",
    "Cut",
    "Fingerprint",
    "Link",
    "RecallCheck",
    "SahelError",
    "Settings",
    "Stories",
    "Story",
    "StoryClusterer",
    "StoryIndex",
    "audit",
    "cluster",
    "find_conflicts",
    "find_furniture",
    "fingerprints",
]


def __getattr__(name: str) -> Any:
    # scikit-learn takes as long to import as all the rest together.
    if name == "StoryClusterer":
        from sahel_dedup.estimator import StoryClusterer

        return StoryClusterer
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
