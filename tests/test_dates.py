"""Dates: days since 1970, negative before; what no article can have counts as missing."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup import StoryIndex, cluster
from sahel_dedup.sketch.sketcher import day_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.datetimes(datetime(1400, 1, 1), datetime(1969, 12, 31, 23, 59)))
def test_dates_before_1970_count(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    assert day_of(moment) == pytest.approx((moment - EPOCH) / timedelta(days=1))


@pytest.mark.parametrize(
    "moment",
    [
        None,
        EPOCH,
        EPOCH + timedelta(hours=47),
        datetime(1399, 12, 31, tzinfo=UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime.now(UTC) + timedelta(days=4),
    ],
)
def test_impossible_dates_are_missing(moment: datetime | None) -> None:
    assert math.isnan(day_of(moment))


def test_the_window_holds_before_1970_in_batch_and_stream() -> None:
    text = "Fire destroyed the Karsten mill on the river on Monday, and two watchmen were burned."
    rows = [{"id": day, "text": text, "published": f"1926-05-{day}"} for day in ("01", "03", "20")]
    stories = cluster(rows)
    assert stories.labels.tolist() == [0, 0, 1]
    assert (stories.days < 0).all()
    with StoryIndex() as index:
        found = [index.add(row).story_id for row in rows]
    assert found[0] == found[1] != found[2]
