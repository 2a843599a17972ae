"""How a story spread: who had it first, who else, when, and from whom as far as texts tell.

The likely source of an article is the earlier article that holds most of its three-word
shingles. Two copies of a third that is not in the archive look like copies of each
other: the source is the best guess among what is there, no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.relation import shingles
from sahel_dedup.settings import CanonicalPolicy
from sahel_dedup.terms import tokenize
from sahel_dedup.wording import MAX_CHARACTERS

# An article that shares less of its text with every earlier one was written anew.
LEAST_SHARED = 0.1
# Beyond, sources are only sought among the first: the work grows with this times the size.
MAX_SOURCES = 300
_SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Step:
    """One article on a story's way.

    Attributes
    ----------
    article : Article
    hours : float or None
        Hours since the first article; ``None`` without a date.
    likely_source : str or None
        Id of the earlier article that holds most of its text, if one holds at least a
        tenth of its three-word shingles.
    shared : float
        Share of its shingles that the likely source has, or any earlier one at most.
    """

    article: Article
    hours: float | None
    likely_source: str | None
    shared: float


@dataclass(frozen=True, slots=True)
class Spread:
    """How a story spread.

    Attributes
    ----------
    first_seen, last_seen : datetime or None
        Publication of its first and last dated article.
    outlets : dict of str to int
        Articles by outlet, in the order in which the outlets had the story.
    steps : tuple of Step
        Its articles in order of time, those without a date last.
    """

    first_seen: datetime | None
    last_seen: datetime | None
    outlets: dict[str, int]
    steps: tuple[Step, ...]

    @property
    def hours(self) -> float | None:
        """Hours between the first article and the last."""
        if self.first_seen is None or self.last_seen is None:
            return None
        return _hours(self.first_seen, self.last_seen)


def spread(articles: Sequence[Article]) -> Spread:
    """Tell how a story spread.

    Parameters
    ----------
    articles : sequence of Article
        The articles of one story, in any order.

    Returns
    -------
    Spread

    Raises
    ------
    ValueError
        If there are no articles.
    """
    if not articles:
        raise ValueError("articles: empty, no story")
    ordered = sorted(articles, key=_by_time)
    dates = [article.published for article in ordered if article.published is not None]
    first = dates[0] if dates else None
    source, shared = _likely_sources(ordered)
    return Spread(
        first_seen=first,
        last_seen=dates[-1] if dates else None,
        outlets=dict(Counter(a.source for a in ordered if a.source is not None)),
        steps=tuple(
            Step(
                article,
                None if first is None or article.published is None
                else _hours(first, article.published),
                None if place < 0 else ordered[place].id,
                held,
            )
            for article, place, held in zip(ordered, source, shared, strict=True)
        ),
    )  # fmt: skip


def canonical(
    articles: Sequence[Article],
    policy: CanonicalPolicy = "earliest",
    *,
    preferred_sources: Sequence[str] = (),
    similarity: NDArray[np.float64] | None = None,
) -> Article:
    """Choose the article that stands for a story.

    Parameters
    ----------
    articles : sequence of Article
        The articles of one story. Of equals, the earlier wins, then the lesser id.
    policy
        ``"earliest"``; ``"longest"``: the most words; ``"central"``: the greatest sum of
        similarities to the others.
    preferred_sources
        Outlets whose article comes before any other's, best first.
    similarity : ndarray of float64, shape (n, n), optional
        Between the articles. ``"central"`` takes the share of three-word shingles in
        common where it is not given.

    Returns
    -------
    Article

    Raises
    ------
    ValueError
        If there are no articles.
    """
    if not articles:
        raise ValueError("articles: empty, no story")
    worst = len(preferred_sources)
    rank = {name: place for place, name in enumerate(preferred_sources)}
    merit = np.zeros(len(articles))
    if policy == "longest":
        merit = np.diff(tokenize([article.text for article in articles]).offsets).astype(float)
    elif policy == "central":
        near = _jaccard(_holdings(articles)) if similarity is None else similarity
        merit = near.sum(axis=1) - near.diagonal()
    order = sorted(
        range(len(articles)),
        key=lambda i: (
            rank.get(articles[i].source or "", worst), -merit[i], *_by_time(articles[i])
        ),
    )  # fmt: skip
    return articles[order[0]]


def _by_time(article: Article) -> tuple[bool, float, str]:
    moment = article.published
    return moment is None, 0.0 if moment is None else moment.timestamp(), article.id


def _hours(first: datetime, last: datetime) -> float:
    return (last - first).total_seconds() / _SECONDS_AN_HOUR


def _likely_sources(ordered: Sequence[Article]) -> tuple[list[int], list[float]]:
    """For each article in order of time, the place of its source, or -1, and the share."""
    holdings = _holdings(ordered)
    common = (holdings @ holdings[:MAX_SOURCES].T).toarray()
    sizes = np.maximum(np.asarray(holdings.sum(axis=1)).ravel(), 1.0)
    share = common / sizes[:, None]
    times = [a.published.timestamp() if a.published else np.nan for a in ordered]
    # Neither does an article copy one of the same moment, nor is one without a date earlier.
    earlier = np.array(times[:MAX_SOURCES])[None, :] < np.array(times)[:, None]
    share[~earlier] = 0.0
    best = share.max(axis=1)
    source = np.where(best >= LEAST_SHARED, share.argmax(axis=1), -1)
    return source.tolist(), best.tolist()


def _holdings(articles: Sequence[Article]) -> sp.csr_array:
    """Articles by three-word shingles: 1 where the one has the other."""
    tokens = tokenize([article.text[:MAX_CHARACTERS] for article in articles])
    ends = tokens.offsets.tolist()
    held = [shingles(tokens.hashes[i:j]) for i, j in pairwise(ends)]
    distinct, column = np.unique(np.concatenate(held), return_inverse=True)
    indptr = np.cumsum([0, *map(len, held)])
    shape = (len(articles), max(1, len(distinct)))
    return sp.csr_array((np.ones(len(column)), column, indptr), shape)


def _jaccard(holdings: sp.csr_array) -> NDArray[np.float64]:
    common = (holdings @ holdings.T).toarray()
    sizes = common.diagonal()
    union = sizes[:, None] + sizes[None, :] - common
    shares: NDArray[np.float64] = common / np.maximum(union, 1.0)
    return shares
