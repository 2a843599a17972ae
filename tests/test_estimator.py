"""The estimator behaves as scikit-learn's do, over the same engine."""

from __future__ import annotations

import pickle
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.validation import check_is_fitted

from sahel_dedup import Article, ArticleError, Settings, StoryClusterer, cluster

TEXTS = [
    "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers, officials said.",
    "Millet prices rose in Maradi as the lean season began, traders at the market reported.",
    "Nine soldiers were killed on Monday when gunmen attacked the army camp at Tessarit.",
]


def test_parameters_are_those_of_the_settings() -> None:
    parameters = StoryClusterer().get_params()
    defaults = {field.name: getattr(Settings(), field.name) for field in fields(Settings)}
    assert set(parameters) == set(defaults)
    assert parameters == defaults


def test_labels_and_stories(wire: list[dict[str, Any]]) -> None:
    estimator = StoryClusterer()
    with pytest.raises(NotFittedError):
        check_is_fitted(estimator)
    assert estimator.fit(wire, y=None) is estimator
    expected = cluster(wire)
    assert (estimator.labels_ == expected.labels).all()
    assert list(estimator.stories_.rows()) == list(expected.rows())
    assert (StoryClusterer().fit_predict(wire) == expected.labels).all()


@pytest.mark.parametrize(
    "articles",
    [
        TEXTS,
        tuple(TEXTS),
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        pd.Series(TEXTS, index=[7, 8, 9]),
        pl.Series(TEXTS),
        [{"text": text} for text in TEXTS],
        [{"id": 5 + n, "text": text} for n, text in enumerate(TEXTS)],
        [Article(str(n), text) for n, text in enumerate(TEXTS)],
        pd.DataFrame({"text": TEXTS}),
        pl.DataFrame({"text": TEXTS, "title": [None, "Prices", "Attack"]}),
        (text for text in TEXTS),
    ],
    ids=lambda articles: type(articles).__name__,
)
def test_every_kind_of_input(articles: Any) -> None:
    assert StoryClusterer().fit_predict(articles).tolist() == [0, 1, 0]


def test_articles_without_an_id_are_named_by_their_place() -> None:
    stories = StoryClusterer().fit(TEXTS).stories_
    assert stories.story_of("2").articles == ("0", "2")


def test_a_path(wire: list[dict[str, Any]], sample: Path) -> None:
    assert (StoryClusterer().fit_predict(sample) == cluster(wire).labels).all()


def test_faults_are_named() -> None:
    with pytest.raises(ArticleError, match="row 2, field 'text': missing"):
        StoryClusterer().fit([{"text": "a"}, {"title": "b"}])


@pytest.mark.parametrize("window", [7, 7.0, timedelta(days=7)])
def test_the_window_in_days_or_as_a_time(window: Any, wire: list[dict[str, Any]]) -> None:
    estimator = StoryClusterer(window=window)
    assert estimator.get_params()["window"] is window
    assert (estimator.fit_predict(wire) == cluster(wire).labels).all()


def test_parameters_are_checked_by_fit() -> None:
    estimator = StoryClusterer(window=-1)
    with pytest.raises(ValueError, match="window"):
        estimator.fit(TEXTS)
    assert len(StoryClusterer(window=None).fit(TEXTS).stories_) == 2


def test_set_params_and_clone(wire: list[dict[str, Any]]) -> None:
    estimator = StoryClusterer(canonical="longest", preferred_sources=["Wire"]).fit(TEXTS)
    twin = clone(estimator)
    assert twin.get_params() == estimator.get_params()
    assert not hasattr(twin, "labels_")
    twin.set_params(granularity="copies", workers=1)
    labels = twin.fit_predict(wire)
    assert (labels == cluster(wire, Settings(granularity="copies")).labels).all()
    assert repr(StoryClusterer(window=3)) == "StoryClusterer(window=3)"


def test_pickle(wire: list[dict[str, Any]]) -> None:
    estimator = StoryClusterer(window=3).fit(wire)
    back = pickle.loads(pickle.dumps(estimator))
    assert (back.labels_ == estimator.labels_).all()
    assert list(back.stories_.rows()) == list(estimator.stories_.rows())
    link = back.stories_.weakest_links(1)[0]
    assert back.stories_.evidence(link.first, link.second)["score"] == pytest.approx(link.score)
    assert back.get_params() == estimator.get_params()


def test_in_a_pipeline() -> None:
    def without_markup(texts: list[str]) -> list[str]:
        return [text.replace("<p>", "") for text in texts]

    pipeline = Pipeline(
        [("clean", FunctionTransformer(without_markup)), ("stories", StoryClusterer())]
    )
    assert pipeline.fit_predict([f"<p>{text}" for text in TEXTS]).tolist() == [0, 1, 0]


def test_in_a_parameter_search(wire: list[dict[str, Any]]) -> None:
    gold = [row["story"] for row in wire]
    everything = np.arange(len(wire))

    def score(estimator: StoryClusterer, _articles: Any, known: Any) -> float:
        return float(adjusted_rand_score(known, estimator.labels_))

    search = GridSearchCV(
        StoryClusterer(),
        {"granularity": ["copies", "event", "topic"], "window": [None, 7]},
        scoring=score,
        cv=[(everything, everything)],
    ).fit(wire, gold)
    scores = dict(zip(map(str, search.cv_results_["params"]), search.cv_results_["mean_test_score"],
                      strict=True))  # fmt: skip
    assert len(scores) == 6
    assert search.best_score_ == max(scores.values()) == score(search.best_estimator_, wire, gold)
