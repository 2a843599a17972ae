"""The estimator behaves like those of scikit-learn, with the same engine."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks as checks
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from sklearn.utils.validation import check_is_fitted

from sahel_dedup import (
    Article,
    ArticleError,
    CorrectionError,
    SahelWarning,
    Settings,
    StoryClusterer,
    cluster,
)

TEXTS = [
    "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers, officials said.",
    "Millet prices rose in Maradi as the lean season began, traders at the market reported.",
    "Nine soldiers were killed on Monday when gunmen attacked the army camp at Tessarit.",
]


def test_parameters_are_those_of_the_settings() -> None:
    parameters = StoryClusterer().get_params()
    # scikit-learn wants plain types there.
    assert Settings(window=parameters["window"]).window == Settings().window
    parameters["window"] = Settings().window
    defaults = {field.name: getattr(Settings(), field.name) for field in fields(Settings)}
    reading = {"columns": None, "on_error": "raise", "on_bad_date": "drop", "corrections": None}
    assert parameters == defaults | reading


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
    preferred = [wire[0]["source"]]
    estimator = StoryClusterer(canonical="longest", preferred_sources=preferred).fit(wire)
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
    breakdown = back.stories_.explain(link.first, link.second).breakdown
    assert breakdown is not None
    assert breakdown.score == pytest.approx(link.score)
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


def test_the_checks_of_scikit_learn_are_for_matrices_and_pass_by() -> None:
    # As with its own CountVectorizer: they feed matrices of numbers, and this takes texts.
    with pytest.warns(SkipTestWarning, match=r"requires input +of type"):
        found = list(estimator_checks_generator(StoryClusterer()))
    for estimator, check in found:
        check(estimator)
    tags = get_tags(StoryClusterer())
    assert tags.estimator_type == "clusterer"
    assert tags.input_tags.string
    assert tags.input_tags.one_d_array
    assert not tags.input_tags.two_d_array


@pytest.mark.parametrize(
    "check",
    [
        checks.check_estimator_cloneable,
        checks.check_estimator_tags_renamed,
        checks.check_valid_tag_types,
        checks.check_estimator_repr,
        checks.check_no_attributes_set_in_init,
        checks.check_parameters_default_constructible,
        checks.check_get_params_invariance,
        checks.check_set_params,
        checks.check_mixin_order,
    ],
    ids=lambda check: check.__name__,
)
def test_the_checks_without_data_pass(check: Callable[[str, Any], None]) -> None:
    check("StoryClusterer", StoryClusterer())


class OfNumbers(StoryClusterer):
    """Takes the rows of the matrices of scikit-learn's checks for texts, and numbers for words."""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        tags.input_tags.one_d_array = False
        return tags

    def fit(self, X: Any, y: Any = None) -> OfNumbers:
        super().fit(self._texts(X))
        return self

    def predict(self, X: Any) -> Any:
        check_is_fitted(self)
        return super().predict(self._texts(X))

    def _texts(self, X: Any) -> list[str]:
        return [" ".join(f"w{number:.3f}" for number in row) for row in np.atleast_2d(X).tolist()]


NO_MATRIX = "it looks at the shape or the numbers of a matrix, which articles do not have"
NO_FEATURES = "articles have no columns that could be counted"
EXPECTED_FAILURES = {
    "check_n_features_in": NO_FEATURES,
    "check_n_features_in_after_fitting": NO_FEATURES,
    "check_complex_data": NO_MATRIX,
    "check_fit1d": NO_MATRIX,
    "check_fit2d_predict1d": NO_MATRIX,
    "check_estimator_sparse_tag": NO_MATRIX,
    "check_estimator_sparse_array": NO_MATRIX,
    "check_estimator_sparse_matrix": NO_MATRIX,
    "check_estimators_empty_data_messages": "no articles are no stories, and no error",
    "check_clustering": "clouds of points are no texts that share words",
}


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [OfNumbers(workers=1)], expected_failed_checks=lambda _: EXPECTED_FAILURES
)
def test_the_checks_of_scikit_learn_on_texts_made_of_numbers(estimator: Any, check: Any) -> None:
    check(estimator)


def test_predict_gives_the_labels_of_the_fit(wire: list[dict[str, Any]]) -> None:
    with pytest.raises(NotFittedError):
        StoryClusterer().predict(TEXTS)
    estimator = StoryClusterer().fit(wire)
    assert (estimator.predict(wire) == estimator.labels_).all()
    some = [5, 0, 3, 3]
    assert (estimator.predict([wire[n] for n in [5, 0, 3]]) == estimator.labels_[[5, 0, 3]]).all()
    texts = StoryClusterer().fit([row["text"] for row in wire])
    assert (texts.predict([wire[n]["text"] for n in some[:3]]) == texts.labels_[some[:3]]).all()


def test_predict_joins_new_articles_to_the_stories_of_the_fit() -> None:
    estimator = StoryClusterer().fit(TEXTS[:2])
    new = "A court in Abidjan postponed the trial of two bankers on Thursday, lawyers said."
    assert estimator.predict([TEXTS[2], new, TEXTS[1], new + " They appealed."]).tolist() == [
        0, 2, 1, 2,
    ]  # fmt: skip
    assert estimator.predict([]).tolist() == []
    assert StoryClusterer().fit([]).predict(TEXTS).tolist() == [0, 1, 0]


def test_corrections_are_followed_by_fit_and_predict() -> None:
    rows = [{"id": name, "text": text} for name, text in zip("abc", TEXTS[:3], strict=True)]
    new = {"id": "d", "text": TEXTS[0] + " So the mayor said."}
    assert StoryClusterer().fit_predict(rows).tolist() == [0, 1, 0]
    parted = StoryClusterer(corrections=[("a", "c", 0), ("b", "gone", 1), ("gone", "a", 1)])
    with pytest.warns(SahelWarning, match="no article has: 1, for example 'gone'"):
        assert parted.fit_predict(rows).tolist() == [0, 0, 1]
    joined = StoryClusterer(corrections=[("a", "c", 0), ("d", "b", 1), ("d", "a", 0)])
    with pytest.warns(SahelWarning, match="no article has: 1, for example 'd'"):
        joined.fit(rows)
    assert joined.predict([new, rows[2]]).tolist() == [1, 2]
    assert clone(joined).get_params()["corrections"] == joined.corrections
    # Texts without ids are named by their place, and those of the fit come first.
    placed = StoryClusterer(corrections=iter([("0", "2", 0)])).fit(TEXTS[:3])
    assert placed.labels_.tolist() == [0, 1, 2]
    assert placed.predict([TEXTS[1] + " At noon."]).tolist() == [1]
    contradictory = StoryClusterer(corrections=[("a", "c", 0), ("a", "c", 1)])
    with pytest.raises(CorrectionError, match="contradict"):
        contradictory.fit(rows)


@pytest.mark.parametrize("scoring", ["adjusted_rand_score", "v_measure_score"])
def test_a_scorer_of_labels_works_in_a_search(scoring: str, wire: list[dict[str, Any]]) -> None:
    gold = [row["story"] for row in wire]
    search = GridSearchCV(
        StoryClusterer(), {"granularity": ["copies", "event"]}, scoring=scoring, cv=3,
        error_score="raise",
    ).fit(wire, gold)  # fmt: skip
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_search_without_a_scorer_is_refused(wire: list[dict[str, Any]]) -> None:
    with pytest.raises(TypeError, match="'score' method"):
        GridSearchCV(StoryClusterer(), {"window": [7]}).fit(wire)


def test_columns_and_faulty_rows() -> None:
    rows = [{"body": text, "date": "2025-03-04"} for text in TEXTS]
    estimator = StoryClusterer(columns={"text": "body", "published": "date"})
    assert estimator.fit_predict(rows).tolist() == [0, 1, 0]
    assert estimator.fit(pd.DataFrame(rows)).stories_.read_summary.dated == 3
    assert clone(estimator).get_params() == estimator.get_params()
    skipping = estimator.set_params(on_error="skip")
    with pytest.warns(SahelWarning, match="^rows left out: 1 x text: missing; for example row 4"):
        assert skipping.fit_predict([*rows, {"body": None}]).tolist() == [0, 1, 0]
