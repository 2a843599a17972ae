"""Grouping the same articles again gives the result of a run with the new settings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sahel_dedup import Settings, SettingsError, Stories, cluster
from tests.archive import archive


def told(stories: Stories) -> list[tuple[str, ...]]:
    return sorted(story.articles for story in stories)


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return archive()[::3]


@pytest.fixture(scope="module")
def loose(rows: list[dict[str, Any]]) -> Stories:
    return cluster(rows, Settings(min_probability=0.3))


@pytest.mark.parametrize("probability", [0.3, 0.5, 0.8, 0.95])
def test_a_higher_probability(
    rows: list[dict[str, Any]], loose: Stories, probability: float
) -> None:
    again = loose.recut(min_probability=probability)
    assert told(again) == told(cluster(rows, Settings(min_probability=probability)))
    assert again.settings.probability == probability


@pytest.mark.parametrize("days", [6.5, 3, 1, 0.25])
def test_a_shorter_window(rows: list[dict[str, Any]], loose: Stories, days: float) -> None:
    again = loose.recut(window=days)
    fresh = cluster(rows, Settings(min_probability=0.3, window=timedelta(days=days)))
    assert told(again) == told(fresh)


def test_what_was_not_compared_is_refused(loose: Stories) -> None:
    with pytest.raises(SettingsError, match=r"min_probability: 0\.1 is below 0\.30.*group them"):
        loose.recut(min_probability=0.1)
    with pytest.raises(SettingsError, match=r"window: 8 days.* is longer than 7 days"):
        loose.recut(window=8)
    with pytest.raises(SettingsError, match="min_probability"):
        loose.recut(min_probability=1.5)


def test_thresholds(loose: Stories) -> None:
    found = loose.thresholds([0.9, 0.3, 0.6])
    assert [row.min_probability for row in found.rows] == [0.3, 0.6, 0.9]
    assert [row.stories for row in found.rows] == sorted(row.stories for row in found.rows)
    precision = [row.expected_precision for row in found.rows]
    assert precision == sorted(precision)
    for row in found.rows:
        assert row.stories == row.with_copies + row.singletons
    assert found.to_frame().height == 3
    lines = str(found).splitlines()
    assert lines[0].split() == [
        "probability", "stories", "with", "copies", "singletons", "largest", "expected",
        "precision",
    ]  # fmt: skip
    assert found._repr_html_().count("<rect") == 3


def test_the_same_settings_change_nothing(loose: Stories) -> None:
    assert told(loose.recut()) == told(loose)
