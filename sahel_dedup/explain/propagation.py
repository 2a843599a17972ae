"""Propagation: which outlet published a story first, which others followed, and likely sources.

The likely source of an article is the earlier article that contains most of its three-word
shingles. Two copies of a third article that is not in the archive look like copies of each other,
so the source is only the best guess among the articles that are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from sahel_dedup.articles import Article, check_story
from sahel_dedup.explain.document import MAX_CHARACTERS
from sahel_dedup.explain.overlap import shingle_hashes
from sahel_dedup.text.tokenizer import tokenize
from sahel_dedup.util.days import hours_between
from sahel_dedup.util.lazy import LazyModule

if TYPE_CHECKING:
    import scipy.sparse as sp
else:
    sp = LazyModule("scipy.sparse")

# An article that shares less of its text with every earlier one has no source.
LEAST_SHARED = 0.1
# In larger stories, sources are searched only among the first articles, because the work grows with
# this times the size.
MAX_SOURCES = 300


@dataclass(frozen=True, slots=True)
class PropagationStep:
    """One step in the propagation of a story.

    Attributes
    ----------
    article : Article
    hours : float or None
        Hours since the first article; ``None`` without a date.
    likely_source : str or None
        Id of the earlier article that contains most of its text, if one contains at least a tenth
        of its three-word shingles.
    shared : float
        Share of its shingles that the likely source contains, or, without one, the highest share in
        any earlier article.
    """

    article: Article
    hours: float | None
    likely_source: str | None
    shared: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The propagation of a story.

    Attributes
    ----------
    first_seen, last_seen : datetime or None
        Publication of its first and last dated article.
    outlets : dict of str to int
        Number of articles by outlet, in the order in which the outlets published the story.
    steps : tuple of PropagationStep
        Its articles in order of time, with undated ones last.
    """

    first_seen: datetime | None
    last_seen: datetime | None
    outlets: dict[str, int]
    steps: tuple[PropagationStep, ...]

    @property
    def hours(self) -> float | None:
        """Hours between the first article and the last."""
        if self.first_seen is None or self.last_seen is None:
            return None
        return hours_between(self.first_seen, self.last_seen)


def spread(articles: Sequence[Article]) -> Spread:
    """Reconstruct how a story spread.

    Parameters
    ----------
    articles : sequence of Article
        The articles of one story, in any order.

    Returns
    -------
    Spread

    Raises
    ------
    SettingsError
        If there are no articles.
    ArticleError
        If an item is not an `Article`.
    """
    articles = check_story(articles)
    ordered = sorted(articles, key=_by_time)
    dates = [article.published for article in ordered if article.published is not None]
    first = dates[0] if dates else None
    source, shared = _likely_sources(ordered)
    return Spread(
        first_seen=first,
        last_seen=dates[-1] if dates else None,
        outlets=dict(Counter(a.source for a in ordered if a.source is not None)),
        steps=tuple(
            PropagationStep(
                article,
                None if first is None or article.published is None
                else hours_between(first, article.published),
                None if place < 0 else ordered[place].id,
                held,
            )
            for article, place, held in zip(ordered, source, shared, strict=True)
        ),
    )  # fmt: skip


def _by_time(article: Article) -> tuple[bool, float, str]:
    moment = article.published
    return moment is None, 0.0 if moment is None else moment.timestamp(), article.id


def _likely_sources(ordered: Sequence[Article]) -> tuple[list[int], list[float]]:
    """Return the position of each article's source, or -1, and the share; in order of time."""
    holdings = _holdings(ordered)
    common = (holdings @ holdings[:MAX_SOURCES].T).toarray()
    sizes = np.maximum(np.asarray(holdings.sum(axis=1)).ravel(), 1.0)
    share = common / sizes[:, None]
    times = [a.published.timestamp() if a.published else np.nan for a in ordered]
    # An article does not copy one of the same moment, and undated articles are not earlier.
    earlier = np.array(times[:MAX_SOURCES])[None, :] < np.array(times)[:, None]
    share[~earlier] = 0.0
    best = share.max(axis=1)
    source = np.where(best >= LEAST_SHARED, share.argmax(axis=1), -1)
    return source.tolist(), best.tolist()


def _holdings(articles: Sequence[Article]) -> sp.csr_array:
    """Return a matrix of articles by three-word shingles: 1 where the article has the shingle."""
    tokens = tokenize([article.text[:MAX_CHARACTERS] for article in articles])
    ends = tokens.offsets.tolist()
    held = [shingle_hashes(tokens.hashes[i:j]) for i, j in pairwise(ends)]
    distinct, column = np.unique(np.concatenate(held), return_inverse=True)
    indptr = np.cumsum([0, *map(len, held)])
    shape = (len(articles), max(1, len(distinct)))
    return sp.csr_array((np.ones(len(column)), column, indptr), shape)
