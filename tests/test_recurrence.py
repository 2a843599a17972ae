"""Recurrence: high for bulletins, low for news of one day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.scoring.background import GAP_DAYS, couples
from sahel_dedup.scoring.recurrence import LOWEST_RECURRENCE, TYPICAL_RECURRENCE, recurrence_scores
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.sketch.layout import layout_for
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher

LAYOUT = layout_for(0.9, 0.3)
START = datetime(2025, 1, 1, tzinfo=UTC)

BULLETIN = (
    "The rupee closed at {a} to the dollar on the interbank market, dealers said, with exporters "
    "selling and banks buying towards {b} in late trade, while forward premiums stood at {c}."
)
NEWS = (
    "Gunmen attacked the village of Tessarit and burned its market, the governor said.",
    "A bus fell from a bridge near Zorbila in heavy rain, killing its driver and two children.",
    "The festival of puppets opened in Segou with troupes from fourteen villages on the river.",
)


def archive(dated: bool = True) -> tuple[Profiles, Similarity]:
    draw = np.random.default_rng(1)
    articles = []
    for day in range(24):
        a, b, c = draw.integers(100, 999, 3)
        text = BULLETIN.format(a=a, b=b, c=c)
        if day % 8 == 0:
            text = NEWS[day // 8]
        published = START + timedelta(days=day) if dated else None
        articles.append(Article(str(day), text, published=published, source="Wire", lang="en"))
    sketcher = Sketcher()
    profiles = sketcher.sketch(articles)
    return profiles, Similarity(profiles, sketcher)


def slow_recurrence(profiles: Profiles, similarity: Similarity) -> NDArray[np.float64]:
    """Return the third-highest cosine to any article further away than the gap."""
    n = len(profiles)
    found = np.empty(n)
    for article in range(n):
        others = np.flatnonzero(np.abs(profiles.day - profiles.day[article]) > GAP_DAYS)
        cosine = similarity.cosines(np.full(len(others), article), others)
        found[article] = max(LOWEST_RECURRENCE, np.sort(cosine)[-3])
    return found


def test_bulletins_have_a_high_bar_and_news_a_low_one() -> None:
    profiles, similarity = archive()
    recurrence = recurrence_scores(profiles, np.arange(24), similarity, LAYOUT)
    exact = slow_recurrence(profiles, similarity)
    news = np.arange(0, 24, 8)
    assert (recurrence[news] == LOWEST_RECURRENCE).all()
    bulletins = np.setdiff1d(np.arange(24), news)
    assert (recurrence[bulletins] > 0.5).all()
    # Only the most likely few are checked, so the value is never above the truth and not far below
    # it.
    assert (recurrence <= exact + 1e-6).all()
    assert (recurrence[bulletins] >= exact[bulletins] - 0.1).all()


def test_without_dates_a_template_is_known_by_its_figures() -> None:
    profiles, similarity = archive(dated=False)
    recurrence = recurrence_scores(profiles, np.arange(24), similarity, LAYOUT)
    news = np.arange(0, 24, 8)
    assert (recurrence[news] == TYPICAL_RECURRENCE).all()
    assert (np.delete(recurrence, news) > 0.5).all()


@pytest.mark.parametrize("wanted", [[], [3], [5, 9]])
def test_only_the_wanted_are_measured(wanted: list[int]) -> None:
    profiles, similarity = archive()
    rows = np.array(wanted, dtype=np.int64)
    recurrence = recurrence_scores(profiles, rows, similarity, LAYOUT)
    assert (np.delete(recurrence, rows) == TYPICAL_RECURRENCE).all()
    everything = recurrence_scores(profiles, np.arange(24), similarity, LAYOUT)
    assert recurrence[rows] == pytest.approx(everything[rows])


@given(st.lists(st.integers(0, 3), max_size=12))
def test_the_places_of_each_run_are_paired(values: list[int]) -> None:
    expected = [
        (one, two)
        for two in range(len(values))
        for one in range(two)
        if len(set(values[one : two + 1])) == 1
    ]
    one, two = couples(np.array(values, dtype=np.int64))
    assert list(zip(one.tolist(), two.tolist(), strict=True)) == expected
