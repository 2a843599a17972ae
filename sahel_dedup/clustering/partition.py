"""The result of clustering: which articles form which stories, and how they are related."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.clustering.canonical import canonical_place, merits, outlet_ranks
from sahel_dedup.clustering.story import Story
from sahel_dedup.clustering.story_ids import kept_names, story_ids
from sahel_dedup.corrections.corrections import Correction, Corrections
from sahel_dedup.corrections.reasons import reasons
from sahel_dedup.errors import NotFoundError, no_article
from sahel_dedup.explain.overlap import Relation, relations
from sahel_dedup.scoring.evidence import Pairs
from sahel_dedup.scoring.log_odds import LIMIT
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.profiles import Traits

# The columns of `StoryPartition.rows`.
FOUND = ("id", "story_id", "canonical", "relation", "similarity")


class Grouped(NamedTuple):
    """The output of clustering, with one row per article, in order of time.

    Attributes
    ----------
    ids : sequence of str
        Ids of the articles.
    position : ndarray of int64, shape (n,)
        Position of each in the input.
    traits : Traits
    duplicate_of : ndarray of int64, shape (n,)
        For each article, the first exact copy with the same title, or itself.
    labels : ndarray of int64, shape (n,)
        Number of the story of each article; the values of later copies are ignored.
    parts : ndarray of int64, shape (n,)
        The same before corrections joined stories (`sahel_dedup.clustering.corrected`).
    inside : Pairs
        All pairs inside stories, without later copies.
    settings : Settings
    sources : mapping of str to int
        Numbers of the outlets by name.
    corrections : Corrections
        Corrections by people.
    previous : mapping of str to str
        The former story of each article (`sahel_dedup.clustering.crosswalk`).
    """

    ids: Sequence[str]
    position: NDArray[np.int64]
    traits: Traits
    duplicate_of: NDArray[np.int64]
    labels: NDArray[np.int64]
    parts: NDArray[np.int64]
    inside: Pairs
    settings: Settings
    sources: Mapping[str, int]
    corrections: Corrections
    previous: Mapping[str, str] = {}


class StoryPartition:
    """Articles grouped into stories.

    Iteration yields every `Story`, largest first, and ``len`` counts them. ``"a" in stories`` and
    ``stories["a"]`` take the id of an article. `ids`, `labels`, `days` and `rows` are in input
    order.

    Parameters
    ----------
    grouped : Grouped

    Attributes
    ----------
    settings : Settings
    ids : sequence of str
        Ids of the articles.
    labels : ndarray of int64, shape (n,)
        Number of the story of each article.
    days : ndarray of float64, shape (n,)
        Times of publication in days since 1970; NaN where unknown.
    corrections : Corrections
        The corrections that the stories follow.
    held_by_corrections : tuple of str
        Ids of the stories that would be several without corrections that join articles.
    """

    def __init__(self, grouped: Grouped) -> None:
        self.settings = grouped.settings
        self.corrections = grouped.corrections
        self._previous = grouped.previous
        self._ids = grouped.ids
        self._position = grouped.position
        self._traits = grouped.traits
        self._duplicate_of = grouped.duplicate_of
        self._inside = grouped.inside
        self._sources = grouped.sources
        pairs = Pairs.concatenate([grouped.inside, _copies(grouped.duplicate_of)])
        self._pairs = pairs.where(np.lexsort((pairs.second, pairs.first)))
        # Stories are numbered in order of time of their first article.
        self._story = _by_appearance(grouped.labels[grouped.duplicate_of])
        members = np.argsort(self._story, kind="stable")
        bounds = [0, *np.cumsum(np.bincount(self._story)).tolist()]
        # Most stories are single articles, and `np.split` takes ten times as long.
        self._members = [members[start:end] for start, end in pairwise(bounds)]
        # Row of each article of the input.
        self._rows = np.argsort(self._position)
        self.ids: Sequence[str] = [self._ids[row] for row in self._rows.tolist()]
        self.labels = _by_appearance(self._story[self._rows])
        self.days = self._traits.day[self._rows]
        self._parts = grouped.parts[grouped.duplicate_of]
        self.held_by_corrections: tuple[str, ...] = ()
        if self.corrections:
            kinds = np.unique(np.stack([self._story, self._parts]), axis=1)[0]
            held = np.flatnonzero(np.bincount(kinds) > 1)
            self.held_by_corrections = tuple(self._name(int(story)) for story in held)

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Story]:
        order = sorted(range(len(self)), key=lambda s: -len(self._members[s]))
        return (self._make(s) for s in order)

    def __contains__(self, article: object) -> bool:
        return isinstance(article, str) and article in self._rows_by_id

    def __getitem__(self, article: str) -> Story:
        return self.story_of(article)

    def __repr__(self) -> str:
        several = sum(len(m) > 1 for m in self._members)
        name = type(self).__name__
        return f"<{name}: {len(self._ids)} articles, {len(self)} stories, {several} with copies>"

    @functools.cached_property
    def members(self) -> Sequence[NDArray[np.int64]]:
        """Positions in `ids` of each story's articles, in order of time; stories as in `labels`."""
        stories = dict.fromkeys(self._story[self._rows].tolist())
        return [self._position[self._members[story]] for story in stories]

    def story_of(self, article: str) -> Story:
        """Return the story of an article.

        Raises
        ------
        NotFoundError
            If no article has that id.
        """
        return self._make(int(self._story[self._row(article)]))

    def story(self, story_id: str) -> Story:
        """Return a story by its id.

        Raises
        ------
        NotFoundError
            If there is no such story.
        """
        try:
            return self._make(self._story_numbers[story_id])
        except KeyError:
            raise NotFoundError(f"no story {story_id!r}") from None
        except TypeError:
            kind = type(story_id).__name__
            raise NotFoundError(f"no such story: an id is text, not {kind}") from None

    def relation(self, article: str) -> Relation | None:
        """Return how an article relates to the closest other one of its story.

        Returns
        -------
        str or None
            ``"exact"``: the same words in the same order as another, without boilerplate.
            ``"near"``: half of all three-word shingles in common, or four fifths of the shorter
            article's. ``"reworded"``: less. ``None`` for a single article.
        """
        return self._relations[self._row(article)]

    def similarity(self, article: str) -> float | None:
        """Return the cosine of an article to the closest other one of its story, or ``None``."""
        value = self._closest[0][self._row(article)]
        return None if np.isnan(value) else float(value)

    def duplicate_ratio(self) -> float:
        """Return the share of articles that repeat the story of another; 0 without articles."""
        return 1 - len(self) / len(self.ids) if self.ids else 0.0

    def rows(self) -> Iterator[dict[str, object]]:
        """Yield the result for each article.

        Yields
        ------
        dict
            ``id``, ``story_id``, ``canonical``, ``relation`` and ``similarity``.
        """
        names, story, relation = self._story_names, self._story.tolist(), self._relations
        canonical = self._is_canonical.tolist()
        similarity = np.round(self._closest[0], 4).tolist()
        for row in self._rows.tolist():
            yield {
                "id": self._ids[row],
                "story_id": names[story[row]],
                "canonical": canonical[row],
                "relation": relation[row],
                "similarity": None if math.isnan(similarity[row]) else similarity[row],
            }

    @functools.cached_property
    def _rows_by_id(self) -> Mapping[str, int]:
        return {article: row for row, article in enumerate(self._ids)}

    @functools.cached_property
    def _story_names(self) -> Sequence[str]:
        if not self._previous:
            return story_ids(self._ids[rows[0]] for rows in self._members)
        articles = [[self._ids[row] for row in rows] for rows in self._members]
        return kept_names(articles, self._previous)

    @functools.cached_property
    def _story_numbers(self) -> Mapping[str, int]:
        return {name: story for story, name in enumerate(self._story_names)}

    def _row(self, article: str) -> int:
        try:
            return self._rows_by_id[article]
        except (KeyError, TypeError):
            raise no_article(article) from None

    def _reasons(self, a: int, b: int) -> tuple[Correction, ...]:
        """Return the corrections that decide on two articles."""
        ids, ours, theirs = (
            self._ids,
            *(
                {
                    self._ids[row]: int(self._parts[row])
                    for row in self._members[self._story[article]]
                }
                for article in (a, b)
            ),
        )
        return reasons(self.corrections, ours, theirs, ids[a], ids[b])

    def _make(self, story: int) -> Story:
        rows = self._members[story]
        return Story(
            id=self._name(story),
            canonical=self._ids[self._canonical(story)],
            articles=tuple(self._ids[row] for row in rows),
            details=self._details(rows),
        )

    def _details(self, rows: NDArray[np.int64]) -> tuple[Article, ...]:
        """Return the articles of some rows, if they were kept."""
        return ()

    def _name(self, story: int) -> str:
        return self._story_names[story]

    @property
    def _is_canonical(self) -> NDArray[np.bool_]:
        """Whether each article represents its story, by row."""
        sizes = np.bincount(self._story)
        found: NDArray[np.bool_] = sizes[self._story] == 1
        found[[self._canonical(story) for story in np.flatnonzero(sizes > 1).tolist()]] = True
        return found

    def _canonical(self, story: int) -> int:
        """Return the row of the article that represents a story."""
        rows, traits = self._members[story], self._traits
        if len(rows) == 1:
            return int(rows[0])
        ranks = None if self._ranks is None else self._ranks[traits.source[rows]]
        merit = merits(self.settings.canonical, traits.length[rows], self._centrality[rows])
        return int(rows[canonical_place(traits.day[rows], merit, ranks)])

    @functools.cached_property
    def _ranks(self) -> NDArray[np.int64] | None:
        return outlet_ranks(self.settings.preferred_sources, self._sources)

    @functools.cached_property
    def _centrality(self) -> NDArray[np.float64]:
        """Sum the cosines of each article to all others of its story."""
        inside, n = self._inside, len(self._ids)
        copies = np.bincount(self._duplicate_of, minlength=n)
        total = (copies - 1).astype(np.float64)
        total += np.bincount(inside.first, inside.cosine * copies[inside.second], n)
        total += np.bincount(inside.second, inside.cosine * copies[inside.first], n)
        return total[self._duplicate_of]

    @functools.cached_property
    def _closest(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Return the cosine of each article to its closest one, and the pair that they form."""
        n, pairs = len(self._ids), self._pairs
        row = np.concatenate([pairs.first, pairs.second])
        cosine = np.concatenate([pairs.cosine, pairs.cosine])
        index = np.tile(np.arange(len(pairs)), 2)
        # Sort by article only, because sorting by cosine too takes three times as long.
        order = np.argsort(row, kind="stable")
        start = np.flatnonzero(np.diff(row[order], prepend=-1))
        present = row[order][start]
        closest: NDArray[np.float64] = np.full(n, np.nan)
        pair: NDArray[np.int64] = np.full(n, -1)
        if len(present):
            closest[present] = np.maximum.reduceat(cosine[order], start)
            best = np.flatnonzero(cosine[order] == closest[row[order]])
            pair[present] = index[order][best[np.searchsorted(best, start)]]
        return closest, pair

    @functools.cached_property
    def _relations(self) -> list[Relation | None]:
        pairs, pair = self._pairs, self._closest[1]
        several = np.flatnonzero(pair >= 0)
        first, second = pairs.first[pair[several]], pairs.second[pair[several]]
        found: list[Relation | None] = [None] * len(self._ids)
        for row, relation in zip(
            several.tolist(), relations(self._traits, first, second), strict=True
        ):
            found[row] = relation
        # A copy may have a closer relative than its duplicate, because the cosine includes titles.
        exact = np.flatnonzero(self._traits.same_text(pairs.first, pairs.second))
        for row in np.concatenate([pairs.first[exact], pairs.second[exact]]).tolist():
            found[row] = "exact"
        return found


def _copies(duplicate_of: NDArray[np.int64]) -> Pairs:
    """Pair every later exact copy with the first, with full similarity and score."""
    later = np.flatnonzero(duplicate_of != np.arange(len(duplicate_of)))
    ones = np.ones(len(later))
    return Pairs(duplicate_of[later], later, ones, ones * LIMIT)


def _by_appearance(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Assign numbers to groups in the order of their first appearance."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]
