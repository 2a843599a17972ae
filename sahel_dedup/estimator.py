"""A scikit-learn estimator with the same engine."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_is_fitted

from sahel_dedup.articles import Article
from sahel_dedup.batch import group
from sahel_dedup.clustering.stories import Stories
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.evidence_model import EvidenceModel
from sahel_dedup.io.article_reader import ArticleReader, OnBadDate, OnError
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.settings import CanonicalPolicy, Granularity, Settings

_DEFAULTS = Settings()


class StoryClusterer(ClusterMixin, BaseEstimator):  # type: ignore[misc]
    """Groups articles into stories, as scikit-learn's clusterers do.

    Parameters
    ----------
    window : float, timedelta or None
        A number of days or a timedelta: articles published further apart are not in one story.
    granularity, min_probability, recall, recall_similarity, canonical, preferred_sources, model,
    workers
        See `sahel_dedup.Settings`. They are checked by `fit`.
    columns, on_error, on_bad_date, corrections
        See `sahel_dedup.cluster`. With ``on_error="skip"`` there are fewer labels than rows.
        Corrections may also name new articles of `predict`.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n_articles,)
        Story of each article, as a number.
    stories_ : Stories
        The full result. Articles without an id are named by their position in the input, from
        ``"0"``.
    articles_ : list of Article
        The articles that were read, in the order of the labels.
    corrections_ : Corrections
        The corrections that the stories follow.

    Notes
    -----
    Stories depend on the other articles, so `predict` groups new articles together with those of
    the fit. ``GridSearchCV`` accepts any scorer of labels and any split. To score the whole
    archive, put all articles into both parts of one split, ``cv=[(everything, everything)]``; then
    nothing is grouped twice.

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
    articles_: list[Article]
    corrections_: Corrections

    def __init__(
        self,
        *,
        granularity: Granularity = _DEFAULTS.granularity,
        min_probability: float | None = _DEFAULTS.min_probability,
        window: float | timedelta | None = _DEFAULTS.window_days,
        recall: float = _DEFAULTS.recall,
        recall_similarity: float = _DEFAULTS.recall_similarity,
        canonical: CanonicalPolicy = _DEFAULTS.canonical,
        preferred_sources: Sequence[str] = _DEFAULTS.preferred_sources,
        model: EvidenceModel | None = None,
        workers: int = _DEFAULTS.workers,
        columns: Mapping[str, str] | None = None,
        on_error: OnError = "raise",
        on_bad_date: OnBadDate = "drop",
        corrections: Corrections | Iterable[Any] | Any | None = None,
    ) -> None:
        self.granularity = granularity
        self.min_probability = min_probability
        self.window = window
        self.recall = recall
        self.recall_similarity = recall_similarity
        self.canonical = canonical
        self.preferred_sources = preferred_sources
        self.model = model
        self.workers = workers
        self.columns = columns
        self.on_error = on_error
        self.on_bad_date = on_bad_date
        self.corrections = corrections

    def __sklearn_tags__(self) -> Any:
        """Declare the input: texts or records, and not a matrix of numbers."""
        tags = super().__sklearn_tags__()
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.input_tags.dict = True
        tags.input_tags.allow_nan = True
        return tags

    def fit(
        self, X: Iterable[str | Mapping[str, Any] | Article] | Any, y: Any = None
    ) -> StoryClusterer:
        """Group articles.

        Parameters
        ----------
        X
            Texts, or anything that `sahel_dedup.cluster` accepts. An ``id`` is not required.
        y
            Ignored.

        Returns
        -------
        StoryClusterer

        Raises
        ------
        ArticleError
            If a row is not an article or repeats an id, or a row of corrections is not a
            correction.
        CorrectionError
            If corrections contradict each other.
        SettingsError
            If a parameter is out of its range.
        """
        settings = self._settings()
        self.corrections_ = Corrections.read(self.corrections)
        self.articles_, reader = self._read(X)
        self.stories_ = group(
            self.articles_, settings, reader.summary, corrections=self.corrections_
        )
        self.labels_ = self.stories_.labels
        reader.warn()
        return self

    def predict(self, X: Iterable[str | Mapping[str, Any] | Article] | Any) -> NDArray[np.int64]:
        """Return the story of each article.

        An article of the fit keeps its label. Others are grouped together with those of the fit,
        and get the label of the story that they join, or a new one.

        Parameters
        ----------
        X
            See `fit`.

        Returns
        -------
        ndarray of int64, shape (n_articles,)
        """
        check_is_fitted(self)
        articles, reader = self._read(X)
        reader.warn()
        known: defaultdict[object, list[int]] = defaultdict(list)
        for row in reversed(range(len(self.articles_))):
            known[_content(self.articles_[row])].append(row)
        row_of = [rows.pop() if (rows := known.get(_content(a))) else -1 for a in articles]
        labels = np.array([-1 if row < 0 else self.labels_[row] for row in row_of], dtype=np.int64)
        if (labels < 0).any():
            fresh = [article for article, row in zip(articles, row_of, strict=True) if row < 0]
            labels[labels < 0] = self._label(fresh)
        return labels

    def _label(self, fresh: list[Article]) -> list[int]:
        """Group new articles together with those of the fit, and number their stories."""
        # Articles named by their position have the same ids as others.
        read = [*self.articles_, *fresh]
        everything = [replace(article, id=str(number)) for number, article in enumerate(read)]
        # Of two articles with one id, corrections are about that of the fit.
        named = {article.id: str(number) for number, article in reversed([*enumerate(read)])}
        said = self.corrections_.renamed(named)
        grouped = group(everything, self._settings(), ReadSummary(), corrections=said)
        together = grouped.labels.tolist()
        members: defaultdict[int, Counter[int]] = defaultdict(Counter)
        for story, label in zip(together, self.labels_.tolist(), strict=False):
            members[story][label] += 1
        # A new article may join stories; the one with the most articles gives the label.
        label_of = {
            story: max((count, -label) for label, count in counts.items())[1] * -1
            for story, counts in members.items()
        }
        unused = int(self.labels_.max(initial=-1)) + 1
        for story in together[len(self.articles_) :]:
            if story not in label_of:
                label_of[story] = unused
                unused += 1
        return [label_of[story] for story in together[len(self.articles_) :]]

    def _settings(self) -> Settings:
        return Settings(
            granularity=self.granularity,
            min_probability=self.min_probability,
            window=self.window,
            recall=self.recall,
            recall_similarity=self.recall_similarity,
            canonical=self.canonical,
            preferred_sources=self.preferred_sources,
            model=self.model,
            workers=self.workers,
        )

    def _read(self, X: Any) -> tuple[list[Article], ArticleReader]:
        reader = ArticleReader(
            self.columns, on_error=self.on_error, on_bad_date=self.on_bad_date, unnamed=True
        )
        return list(reader.articles(X)), reader


def _content(article: Article) -> object:
    return article.text, article.title, article.published, article.source, article.lang
