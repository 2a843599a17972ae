"""A story and a confirmed pair of its articles, as users receive them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sahel_dedup.articles import Article
from sahel_dedup.explain.conflicts import Conflict
from sahel_dedup.explain.overview import story_html


@dataclass(frozen=True, slots=True, repr=False)
class Story:
    """The articles that report one event.

    ``len``, ``in`` and iteration refer to the ids of its articles.

    Attributes
    ----------
    id : str
        Id of the story; the same in every run, whatever the order of the input.
    canonical : str
        Id of the article that represents it.
    articles : tuple of str
        Ids of all its articles, in order of time.
    details : tuple of Article
        The articles themselves, in the same order; empty if they were not kept in memory. Ignored
        in comparisons.
    """

    id: str
    canonical: str
    articles: tuple[str, ...]
    details: tuple[Article, ...] = field(default=(), compare=False)

    def __len__(self) -> int:
        return len(self.articles)

    def __iter__(self) -> Iterator[str]:
        return iter(self.articles)

    def __contains__(self, article: object) -> bool:
        return article in self.articles

    def __repr__(self) -> str:
        return f"<Story {self.id}: {len(self)} articles, canonical {self.canonical!r}>"

    def _repr_html_(self) -> str:
        return story_html(self.id, self.articles, self.canonical, self.details)


@dataclass(frozen=True, slots=True)
class Link:
    """A confirmed pair: two articles of one story.

    Attributes
    ----------
    first, second : str
        Ids of the articles, in order of time.
    story : str
        Id of their story.
    similarity : float
        TF-IDF cosine.
    score : float
        Log-odds, from all the evidence, that the two report one event. It may be negative,
        because the average over a story decides.
    conflicts : tuple of Conflict or None
        Deprecated: see `sahel_dedup.find_conflicts`.
    """

    first: str
    second: str
    story: str
    similarity: float
    score: float
    conflicts: tuple[Conflict, ...] | None = None
