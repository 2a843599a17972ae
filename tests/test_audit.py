"""The audit against slow definitions and small archives."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sahel_dedup
from sahel_dedup.clustering.date_precision import estimate_precision
from sahel_dedup.evaluation.audit import audit
from sahel_dedup.scoring.background import MANY, ONE_DAY

SAMPLE = Path(sahel_dedup.__file__).parent / "sample" / "wire.jsonl"
# Eighths of days add up exactly.
DAYS = st.lists(
    st.integers(0, 480).map(lambda n: n / 8) | st.just(float("nan")), min_size=1, max_size=6
)


def slowly(stories: list[list[float]]) -> float | None:
    days = [day for story in stories for day in story if day == day]
    every = [abs(a - b) for a, b in combinations(days, 2)]
    inside = [
        abs(a - b)
        for story in stories
        for a, b in combinations([day for day in story if day == day], 2)
    ]
    span = max(every, default=0)
    week, fortnight = min(7, span / 4), min(14, span / 2)
    near, far = sum(d <= week for d in inside), sum(d > fortnight for d in inside)
    chance_near, chance_far = sum(d <= week for d in every), sum(d > fortnight for d in every)
    if not near or not chance_far:
        return None
    return max(0.0, 1 - far * chance_near / chance_far / near)


@given(st.lists(DAYS, max_size=6))
def test_estimate_follows_its_definition(stories: list[list[float]]) -> None:
    found = estimate_precision([np.array(story) for story in stories])
    expected = slowly(stories)
    assert found == (None if expected is None else pytest.approx(expected))


def test_audit_of_an_archive() -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    text = "Dealers at Niamey paid {} francs for a bag of millet and {} francs for sorghum."
    bulletins = [
        {"id": f"b{n}", "text": text.format(200 + 7 * n, 150 + 11 * n), "source": "Prices",
         "published": start + timedelta(days=3 * n)}
        for n in range(12)
    ]  # fmt: skip
    copies = [
        {"id": f"c{n}", "source": f"outlet {n}", "published": start + timedelta(days=n),
         "text": "Gunmen ambushed a convoy near Dourgama on Tuesday and killed eleven guards."}
        for n in range(4)
    ]  # fmt: skip
    found = audit(sahel_dedup.cluster([*bulletins, *copies]), count=3)
    assert (found.articles, len(found.largest[0])) == (16, 4)
    assert found.longest[0][1] == pytest.approx(3.0)
    assert all(article.startswith("b") for article, _ in found.templates)
    assert found.template_share > 0.5
    assert json.loads(json.dumps(found.to_dict()))["stories"] == found.stories


@pytest.mark.parametrize(("hours", "lacks"), [(36, True), (37, False)])
def test_an_archive_of_one_day_has_no_other_days(hours: int, lacks: bool) -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [
        {"id": "a", "text": "Rain fell on Gao.", "published": start},
        {"id": "b", "text": "The ferry sank.", "published": start + timedelta(hours=hours)},
        {"id": "c", "text": "Millet is dear."},
    ]
    found = audit(sahel_dedup.cluster(rows))
    assert found.span == pytest.approx(hours / 24)
    assert found.lacks_other_days == lacks
    assert ("within 1.5 days" in found._repr_html_()) == lacks
    undated = audit(sahel_dedup.cluster(rows[2:]))
    assert (undated.span, undated.lacks_other_days) == (None, False)


@pytest.mark.parametrize(
    ("number", "hours", "said"), [(MANY, 1, True), (MANY - 1, 1, False), (MANY, 40, False)]
)
def test_a_larger_archive_of_one_day_is_reported(
    number: int, hours: int, said: bool, caplog: pytest.LogCaptureFixture
) -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rows = [
        {"id": str(n), "text": f"Rain fell on Gao {n}.", "published": start} for n in range(number)
    ]
    rows[0]["published"] = start + timedelta(hours=hours)
    sahel_dedup.cluster(rows)
    assert (ONE_DAY in caplog.messages) == said


def test_the_command_says_that_there_are_no_other_days(tmp_path: Path) -> None:
    path = tmp_path / "day.csv"
    path.write_text("id,text,published\na,Rain fell.,2025-01-01\nb,The ferry sank.,2025-01-02\n")
    command = [sys.executable, "-m", "sahel_dedup", "audit", str(path)]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    assert "all articles were published within 1.5 days" in done.stderr


def test_audit_of_nothing() -> None:
    found = audit(sahel_dedup.cluster([]))
    assert isinstance(found, sahel_dedup.Audit)
    assert (found.articles, found.stories, found.estimated_precision) == (0, 0, None)


def test_command() -> None:
    command = [sys.executable, "-m", "sahel_dedup", "audit", str(SAMPLE), "--json"]
    done = subprocess.run(command, capture_output=True, check=True, encoding="utf-8")
    assert json.loads(done.stdout)["articles"] == 98
