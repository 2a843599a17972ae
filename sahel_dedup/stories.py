"""Stories: the result of clustering, and what one asks of it next."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.columns import to_frame
from sahel_dedup.conflicts import Conflict, find_conflicts
from sahel_dedup.contrast import bars
from sahel_dedup.errors import SahelError
from sahel_dedup.evidence import LIMIT, Evidence, Pairs
from sahel_dedup.profiles import Profiles, Traits
from sahel_dedup.recall import RecallCheck, check_recall
from sahel_dedup.relation import NEAR_CONTAINMENT, NEAR_JACCARD, Relation
from sahel_dedup.settings import Settings
from sahel_dedup.similarity import Similarity
from sahel_dedup.weighing import Weighing, weigh

if TYPE_CHECKING:
    from sahel_dedup.explain import Explanation

# Columns of the frame: what is found of each article, and what the article tells.
_FOUND: dict[str, pl.DataType] = {
    "id": pl.String(),
    "story_id": pl.String(),
    "canonical": pl.Boolean(),
    "relation": pl.String(),
    "similarity": pl.Float64(),
}
_DESCRIPTION: dict[str, pl.DataType] = {
    "title": pl.String(),
    "published": pl.Datetime("us", "UTC"),
    "source": pl.String(),
    "lang": pl.String(),
}


@dataclass(frozen=True, slots=True)
class Story:
    """The articles that report one event.

    Attributes
    ----------
    id : str
        Name of the story: the same in every run, whatever the order of the input.
    canonical : str
        Id of the article that stands for it.
    articles : tuple of str
        Ids of all its articles, in order of time.
    """

    id: str
    canonical: str
    articles: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.articles)


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
        Log-odds, by all the evidence, that the two report one event. It may be negative:
        a story holds together in the mean.
    conflicts : tuple of Conflict or None
        Figures and look-alike names in which the texts differ, where that was asked for.
    """

    first: str
    second: str
    story: str
    similarity: float
    score: float
    conflicts: tuple[Conflict, ...] | None = None


class Stories:
    """Articles grouped into stories.

    Made by `sahel_dedup.cluster`; iterating gives every `Story`, largest first.

    Parameters
    ----------
    ids : sequence of str
        Ids of the articles, in order of time.
    position : ndarray of int64, shape (n,)
        Place of each in the input.
    profiles : Profiles
    labels : ndarray of int64, shape (n,)
        Number of the story of each article.
    pairs : Pairs
        All pairs inside stories; of verbatim twins only the pair with the first.
    evidence : Evidence
        What weighed them.
    similarity : Similarity
        What compared them.
    settings : Settings
    sources : mapping of str to int
        Numbers of the outlets in `profiles`, by name.
    articles : sequence of Article, optional
        The articles in input order, where they are at hand.
    """

    def __init__(
        self,
        ids: Sequence[str],
        position: NDArray[np.int64],
        profiles: Profiles,
        labels: NDArray[np.int64],
        pairs: Pairs,
        evidence: Evidence,
        similarity: Similarity,
        settings: Settings,
        sources: Mapping[str, int],
        articles: Sequence[Article] | None = None,
    ) -> None:
        self.settings = settings
        self._ids = ids
        self._position = position
        self._profiles = profiles
        self._pairs = pairs
        self._evidence = evidence
        self._similarity = similarity
        self._sources = sources
        self._articles = articles
        # Stories numbered in order of time of their first article.
        _, first, story = np.unique(labels, return_index=True, return_inverse=True)
        rank = np.empty(len(first), dtype=np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        self._story = rank[story]
        members = np.argsort(self._story, kind="stable")
        sizes = np.bincount(self._story, minlength=len(first))
        self._members = np.split(members, np.cumsum(sizes)[:-1]) if len(first) else []

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Story]:
        order = sorted(range(len(self)), key=lambda s: -len(self._members[s]))
        return (self._make(s) for s in order)

    def __repr__(self) -> str:
        several = sum(len(m) > 1 for m in self._members)
        return f"<Stories: {len(self._ids)} articles, {len(self)} stories, {several} with copies>"

    @functools.cached_property
    def labels(self) -> NDArray[np.int64]:
        """Number of the story of each article, in input order, shape (n,)."""
        by_input = np.empty(len(self._ids), dtype=np.int64)
        by_input[self._position] = self._story
        _, first, inverse = np.unique(by_input, return_index=True, return_inverse=True)
        rank = np.empty(len(first), dtype=np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        return rank[inverse]

    @property
    def ids(self) -> Sequence[str]:
        """Ids of the articles, in order of time."""
        return self._ids

    @property
    def days(self) -> NDArray[np.float64]:
        """Times of publication in days since 1970, in order of time; NaN where unknown."""
        return self._profiles.day

    @functools.cached_property
    def recurrence(self) -> NDArray[np.float64]:
        """How alike each article is to texts that cannot be the same event, 0 to 1.

        In order of time. Daily bulletins and forms stand high (`sahel_dedup.contrast`).
        """
        everything = np.arange(len(self._ids))
        return bars(self._profiles, everything, self._similarity, self.settings.layout)

    @property
    def members(self) -> Sequence[NDArray[np.int64]]:
        """Places of each story's articles in `ids`, stories in order of time."""
        return self._members

    def story_of(self, article: str) -> Story:
        """Return the story of an article.

        Raises
        ------
        SahelError
            If no article has that id.
        """
        return self._make(int(self._story[self._row(article)]))

    def story(self, story_id: str) -> Story:
        """Return a story by its id.

        Raises
        ------
        SahelError
            If there is no such story.
        """
        try:
            return self._make(self._story_numbers[story_id])
        except KeyError:
            raise SahelError(f"no story {story_id!r}") from None

    def relation(self, article: str) -> Relation | None:
        """Return how an article relates to the closest other of its story.

        Returns
        -------
        str or None
            ``"exact"``: the same words in the same order. ``"near"``: half of all
            three-word shingles in common, or four fifths of the shorter one's.
            ``"reworded"``: less. ``None`` for an article that is alone.
        """
        return self._relations[self._row(article)]

    def similarity(self, article: str) -> float | None:
        """Return the cosine of an article to the closest other of its story, or ``None``."""
        value = self._closest[0][self._row(article)]
        return None if np.isnan(value) else float(value)

    def pairs(self, *, conflicts: bool = False) -> Iterator[Link]:
        """Yield the confirmed pairs: all pairs inside stories, in order of time.

        Of verbatim twins only the pair with the first of them is given.

        Parameters
        ----------
        conflicts : bool
            Whether to compare the texts of each pair, which takes some 7 ms.

        Raises
        ------
        SahelError
            If texts are to be compared and are not at hand.
        """
        return (self._link(i, conflicts) for i in range(len(self._pairs)))

    def weakest_links(self, count: int = 10, *, conflicts: bool = False) -> list[Link]:
        """Return the confirmed pairs with the least evidence, weakest first.

        Scores are bounded; among equals the less similar comes first. `conflicts` is as
        for `pairs`.
        """
        order = np.lexsort((self._pairs.cosine, self._pairs.score))[:count]
        return [self._link(int(i), conflicts) for i in order]

    def check_recall(self, pairs: int = 1_000_000) -> RecallCheck:
        """Compare a sample of the articles with all others, to see what LSH has missed.

        Parameters
        ----------
        pairs : int
            How many pairs to compare: the more, the surer.

        Returns
        -------
        RecallCheck
        """
        return check_recall(self._profiles, self._evidence, self.settings, pairs)

    def evidence(self, first: str, second: str) -> dict[str, float]:
        """Tell what speaks for and against two articles being one event.

        Parameters
        ----------
        first, second : str
            Ids of any two articles.

        Returns
        -------
        dict
            ``similarity`` (TF-IDF cosine), ``score`` (log-odds) and, by name, what each
            piece of evidence adds to it; ``base`` is what no evidence at all would give.
        """
        weighing = self._weigh(self._row(first), self._row(second))
        return {
            "similarity": weighing.similarity,
            "score": weighing.score,
            **weighing.pieces,
        }

    def explain(self, first: str, second: str) -> Explanation:
        """Tell why two articles are one story, or are not, and where they differ.

        Parameters
        ----------
        first, second : str
            Ids of any two articles.

        Returns
        -------
        Explanation
            With what clustering made of the two, and by what evidence.

        Raises
        ------
        SahelError
            If no article has that id, or texts are not at hand.
        """
        # Only here: it needs the template engine, which is slow to start.
        from sahel_dedup.explain import explain

        a, b = self._row(first), self._row(second)
        return explain(
            self._article(a),
            self._article(b),
            one_story=bool(self._story[a] == self._story[b]),
            weighing=self._weigh(a, b),
        )

    def rows(self) -> Iterator[dict[str, object]]:
        """Yield, in input order, what is known of each article.

        Yields
        ------
        dict
            ``id``, ``story_id``, ``canonical``, ``relation`` and ``similarity``.
        """
        names = list(self._story_numbers)
        canonical = {self._canonical(s) for s in range(len(self))}
        similarity = self._closest[0]
        for row in np.argsort(self._position).tolist():
            yield {
                "id": self._ids[row],
                "story_id": names[self._story[row]],
                "canonical": row in canonical,
                "relation": self._relations[row],
                "similarity": None if np.isnan(similarity[row]) else round(similarity[row], 4),
            }

    def to_frame(self) -> pl.DataFrame:
        """Return a polars frame with one row an article, in input order.

        Columns are those of `rows`, then, where the articles are at hand, title, time of
        publication, outlet, language and whatever else came with the articles.
        """
        if self._articles is None:
            return to_frame(self.rows(), _FOUND)
        described = (
            {**article.extra, **{name: getattr(article, name) for name in _DESCRIPTION}, **found}
            for article, found in zip(self._articles, self.rows(), strict=True)
        )
        return to_frame(described, _FOUND | _DESCRIPTION)

    @functools.cached_property
    def _evidence_of_all(self) -> Evidence:
        # What clustering used knows the bars of articles with hopeful pairs only.
        return Evidence(self._profiles, self._similarity, self.recurrence, self.settings)

    def _weigh(self, first: int, second: int) -> Weighing:
        return weigh(self._evidence_of_all, self._profiles, self.settings, first, second)

    def _article(self, row: int) -> Article:
        if self._articles is None:
            raise SahelError("the texts are not at hand: the articles were read from a stream")
        return self._articles[int(self._position[row])]

    @functools.cached_property
    def _rows_by_id(self) -> Mapping[str, int]:
        return {article: row for row, article in enumerate(self._ids)}

    @functools.cached_property
    def _story_numbers(self) -> Mapping[str, int]:
        return {story_id(self._ids[rows[0]]): s for s, rows in enumerate(self._members)}

    def _row(self, article: str) -> int:
        try:
            return self._rows_by_id[article]
        except KeyError:
            raise SahelError(f"no article {article!r}") from None

    def _make(self, story: int) -> Story:
        rows = self._members[story]
        return Story(
            id=story_id(self._ids[rows[0]]),
            canonical=self._ids[self._canonical(story)],
            articles=tuple(self._ids[row] for row in rows),
        )

    def _canonical(self, story: int) -> int:
        """Row of the article that stands for a story."""
        rows = self._members[story]
        if len(rows) == 1:
            return int(rows[0])
        if self._preference is not None:
            preferred = self._preference[rows]
            rows = rows[preferred == preferred.min()]
        if self.settings.canonical == "longest":
            return int(rows[np.argmax(self._profiles.length[rows])])
        if self.settings.canonical == "central":
            return int(rows[np.argmax(self._closest[1][rows])])
        day = self._profiles.day[rows]
        return int(rows[np.argmin(np.where(np.isnan(day), np.inf, day))])

    @functools.cached_property
    def _preference(self) -> NDArray[np.int64] | None:
        """Rank of each article's outlet among the preferred, the same for all others."""
        preferred = self.settings.preferred_sources
        if not preferred:
            return None
        # One place more than there are outlets: that of -1, no outlet.
        rank = np.full(len(self._sources) + 1, len(preferred))
        for place, name in enumerate(preferred):
            if name in self._sources:
                rank[self._sources[name]] = place
        return rank[self._profiles.source]

    @functools.cached_property
    def _closest(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
        """Of each article: cosine to its closest, sum of its cosines, pair with the closest."""
        n, pairs = len(self._ids), self._pairs
        row = np.concatenate([pairs.first, pairs.second])
        cosine = np.concatenate([pairs.cosine, pairs.cosine])
        index = np.tile(np.arange(len(pairs)), 2)
        # By article only: to sort by cosine too takes three times as long.
        order = np.argsort(row, kind="stable")
        start = np.flatnonzero(np.diff(row[order], prepend=-1))
        present = row[order][start]
        closest: NDArray[np.float64] = np.full(n, np.nan)
        pair: NDArray[np.int64] = np.full(n, -1)
        if len(present):
            closest[present] = np.maximum.reduceat(cosine[order], start)
            best = np.flatnonzero(cosine[order] == closest[row[order]])
            pair[present] = index[order][best[np.searchsorted(best, start)]]
        total = np.asarray(np.bincount(row, weights=cosine, minlength=n), dtype=np.float64)
        return closest, total, pair

    @functools.cached_property
    def _relations(self) -> list[Relation | None]:
        profiles, pairs = self._profiles, self._pairs
        kinds = np.full(len(self._ids), "", dtype="U8")
        pair = self._closest[2]
        several = np.flatnonzero(pair >= 0)
        a, b = pairs.first[pair[several]], pairs.second[pair[several]]
        jaccard, containment = shingle_overlap(profiles, a, b)
        near = (jaccard >= NEAR_JACCARD) | (containment >= NEAR_CONTAINMENT)
        kinds[several] = np.where(near, "near", "reworded")
        # A copy may have a closer relative than its twin: titles count in the cosine.
        exact = (profiles.body[pairs.first] == profiles.body[pairs.second]) & (
            profiles.body[pairs.first] > 0
        )
        kinds[pairs.first[exact]] = kinds[pairs.second[exact]] = "exact"
        return [kind or None for kind in kinds.tolist()]

    def _link(self, pair: int, conflicts: bool) -> Link:
        first, second = int(self._pairs.first[pair]), int(self._pairs.second[pair])
        found = find_conflicts(self._article(first), self._article(second)) if conflicts else None
        return Link(
            first=self._ids[first],
            second=self._ids[second],
            story=story_id(self._ids[self._members[self._story[first]][0]]),
            similarity=float(self._pairs.cosine[pair]),
            score=float(self._pairs.score[pair]),
            conflicts=found,
        )


def shingle_overlap(
    traits: Traits, first: NDArray[np.int64], second: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimate from the shingle fingerprints how much text pairs of articles share.

    Parameters
    ----------
    traits : Traits
    first, second : ndarray of int64, shape (n,)

    Returns
    -------
    jaccard : ndarray of float64, shape (n,)
        Shared share of all their three-word shingles; standard error at most 0.045.
    containment : ndarray of float64, shape (n,)
        Shared share of the shorter one's.
    """
    agree = traits.shingles[first] == traits.shingles[second]
    agree &= (traits.length[first] > 0)[:, None]
    jaccard = agree.mean(axis=1) if len(first) else np.zeros(0)
    one, two = traits.length[first], traits.length[second]
    shared = jaccard * (one + two) / (1 + jaccard)
    return jaccard, np.minimum(shared / np.maximum(np.minimum(one, two), 1), 1.0)


def twin_pairs(twin_of: NDArray[np.int64]) -> Pairs:
    """Pair every verbatim twin with the first of them, at full similarity and score."""
    later = np.flatnonzero(twin_of != np.arange(len(twin_of)))
    ones = np.ones(len(later))
    return Pairs(twin_of[later], later, ones, ones * LIMIT)


def story_id(first_article: str) -> str:
    """Name a story after its first article, the same in every run.

    Parameters
    ----------
    first_article : str
        Id of the article.

    Returns
    -------
    str
        ``s`` and sixteen hexadecimal digits.
    """
    data = first_article.encode("utf-8", "surrogatepass")
    return "s" + hashlib.blake2b(data, digest_size=8).hexdigest()
