"""A scikit-learn estimator over the same engine."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin

from sahel_dedup.articles import Article
from sahel_dedup.batch import cluster
from sahel_dedup.reading import iter_rows
from sahel_dedup.settings import CanonicalPolicy, Granularity, Settings
from sahel_dedup.stories import Stories

_DEFAULTS = Settings()


class StoryClusterer(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Groups articles into stories, as scikit-learn's clusterers do.

    Parameters
    ----------
    window : float, timedelta or None
        Days, or a time: articles published further apart are never one story.
    granularity, recall, recall_similarity, canonical, preferred_sources, workers
        See `sahel_dedup.Settings`. They are checked by `fit`.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n_articles,)
        Number of the story of each article.
    stories_ : Stories
        The result in full. Articles that came without an id are named by their place in
        the input, from ``"0"``.

    Notes
    -----
    As with every clustering that is not of points in a space there is no ``predict``: an
    article belongs to a story among other articles. For a parameter search give
    ``GridSearchCV`` one split, of all articles for both parts, and a scorer that compares
    ``labels_`` with the known stories.

    Examples
    --------
    >>> from sahel_dedup import StoryClusterer
    >>> StoryClusterer(window=3).fit_predict([
    ...     "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers, the "
    ...     "governor said.",
    ...     "Millet prices rose in Maradi as the lean season began.",
    ...     "Nine soldiers were killed on Monday when gunmen attacked an army camp at Tessarit, "
    ...     "according to the governor.",
    ... ]).tolist()
    [0, 1, 0]
    """

    labels_: NDArray[np.int64]
    stories_: Stories

    def __init__(
        self,
        *,
        granularity: Granularity = _DEFAULTS.granularity,
        window: float | timedelta | None = _DEFAULTS.window,
        recall: float = _DEFAULTS.recall,
        recall_similarity: float = _DEFAULTS.recall_similarity,
        canonical: CanonicalPolicy = _DEFAULTS.canonical,
        preferred_sources: Sequence[str] = _DEFAULTS.preferred_sources,
        workers: int = _DEFAULTS.workers,
    ) -> None:
        self.granularity = granularity
        self.window = window
        self.recall = recall
        self.recall_similarity = recall_similarity
        self.canonical = canonical
        self.preferred_sources = preferred_sources
        self.workers = workers

    def fit(
        self, X: Iterable[str | Mapping[str, Any] | Article] | Any, y: Any = None
    ) -> StoryClusterer:
        """Group articles.

        Parameters
        ----------
        X
            Texts, mappings or articles, a pandas or polars frame, or a path; see
            `sahel_dedup.cluster`. Except in a file an ``id`` is not required.
        y
            Ignored.

        Returns
        -------
        StoryClusterer

        Raises
        ------
        ArticleError
            If a row is not an article or repeats an id.
        ValueError
            If a parameter is out of its range.
        """
        window = self.window
        settings = Settings(
            granularity=self.granularity,
            window=timedelta(days=window) if isinstance(window, float | int) else window,
            recall=self.recall,
            recall_similarity=self.recall_similarity,
            canonical=self.canonical,
            preferred_sources=tuple(self.preferred_sources),
            workers=self.workers,
        )
        path = isinstance(X, str | os.PathLike)
        self.stories_ = cluster(X if path else _named(iter_rows(X)), settings)
        self.labels_ = self.stories_.labels
        return self


def _named(rows: Iterable[Any]) -> Iterator[Any]:
    """Give an id to rows that have none."""
    for number, row in enumerate(rows):
        if isinstance(row, str):
            yield Article(str(number), row)
        elif isinstance(row, Mapping) and "id" not in row:
            yield {"id": number, **row}
        else:
            yield row
