"""Settings: valid values, and the errors for wrong ones."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from sahel_dedup import NotFoundError, SahelError, Settings, SettingsError
from sahel_dedup.settings import check_settings, check_workers, to_time


@pytest.mark.parametrize("days", [7, 7.0, np.int64(7), np.float32(7), timedelta(days=7)])
def test_a_window_is_days_or_a_time(days: Any) -> None:
    assert Settings(window=days) == Settings(window=timedelta(days=7))
    assert Settings(window=days).window_days == 7
    assert to_time("retention", days) == timedelta(days=7)


def test_parts_of_days_and_none() -> None:
    assert Settings(window=0.5).window == timedelta(hours=12)
    assert Settings(window=None).window is None
    assert to_time("retention", None) is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("window", "7", "'7' is neither a number of days nor a timedelta"),
        ("window", True, "True is neither a number of days nor a timedelta"),
        ("window", 0, "0 is not a positive time"),
        ("window", -1, "-1 is not a positive time"),
        ("window", timedelta(days=-1), "-1 day, 0:00:00 is not a positive time"),
        ("window", float("inf"), "inf days are not a length of time; None means no limit"),
        ("window", float("nan"), "nan days are not a length of time; None means no limit"),
        ("window", 1e12, "1000000000000.0 days are not a length of time"),
        ("granularity", "story", "'story' is not one of copies, event, topic"),
        ("granularity", 0.5, "0.5 is not one of copies, event, topic"),
        ("granularity", ["event"], r"\['event'\] is not one of copies, event, topic"),
        ("canonical", "newest", "'newest' is not one of earliest, longest, central"),
        ("canonical", None, "None is not one of earliest, longest, central"),
        ("recall", 1, "1 is not between 0 and 1"),
        ("recall", "0.9", "'0.9' is not a number"),
        ("recall", True, "True is not a number"),
        ("recall_similarity", float("nan"), "nan is not between 0 and 1"),
        ("recall_similarity", None, "None is not a number"),
        ("preferred_sources", "AFP", r"'AFP' is one string; write \['AFP'\]"),
        ("preferred_sources", {"AFP"}, r"\{'AFP'\} is not a list of outlets, best first"),
        ("preferred_sources", None, "None is not a list of outlets, best first"),
        ("preferred_sources", ["AFP", 5], "5 is not the name of an outlet"),
        ("preferred_sources", [""], "'' is not the name of an outlet"),
        ("workers", 1.5, "1.5 is not a whole number"),
        ("workers", "2", "'2' is not a whole number"),
        ("workers", None, "None is not a whole number"),
        ("workers", True, "True is not a whole number"),
        ("workers", -1, "-1 is less than 0"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: object, message: str) -> None:
    values: dict[str, Any] = {name: value}
    with pytest.raises(SettingsError, match=f"^{name}: {message}"):
        Settings(**values)


def test_lists_and_numbers_of_numpy_become_plain() -> None:
    settings = Settings(preferred_sources=["AFP", "Wire"], workers=np.int64(2))  # type: ignore[arg-type]
    assert settings.preferred_sources == ("AFP", "Wire")
    assert type(settings.workers) is int
    assert check_workers(3) == 3
    assert hash(settings) == hash(Settings(preferred_sources=("AFP", "Wire"), workers=2))


def test_settings_are_settings_or_nothing() -> None:
    assert check_settings(None) == Settings()
    with pytest.raises(SettingsError, match=r"settings: \{'window': 7\} is not Settings; write"):
        check_settings({"window": 7})  # type: ignore[arg-type]


def test_errors_keep_their_kind_and_their_words() -> None:
    error = NotFoundError("no article 'a'")
    assert isinstance(error, KeyError)
    assert isinstance(error, SahelError)
    assert str(error) == str(pickle.loads(pickle.dumps(error))) == "no article 'a'"
    assert isinstance(SettingsError("window: no"), ValueError)
