"""Small rounds of the benchmarks of the stream: their counts, but no times."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta
from itertools import combinations, islice
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from benchmarks import faults
from benchmarks.chart import Line, chart
from benchmarks.stream import in_order, repeated, shuffled_days, stories_of, stream
from sahel_dedup import Article, cluster
from sahel_dedup.evaluation.metrics import evaluate
from sahel_dedup.index import StoryIndex

Row = dict[str, Any]


@pytest.fixture(scope="module")
def articles(wire: list[Row]) -> list[Article]:
    return in_order(wire)


def test_a_killed_ingest_ends_like_an_unbroken_one(tmp_path: Path) -> None:
    found = faults.kills(tmp_path / "killed.index", 4)
    assert found["kills"] == 4
    assert found["articles missing"] == found["faults"] == found["runs with other stories"] == 0


def test_two_write_and_four_read(tmp_path: Path) -> None:
    found = faults.several(tmp_path / "shared.index", 2)
    assert found["processes that failed"] == found["faults"] == 0
    assert found["articles"]


@pytest.mark.parametrize("size", [1, 64])
def test_a_stream_agrees_with_the_batch(articles: list[Article], size: int) -> None:
    found = stories_of(stream(articles, size))
    assert evaluate(found, stories_of(cluster(articles))).bcubed.f1 >= 0.97


def test_the_order_within_a_day_hardly_matters(articles: list[Article]) -> None:
    runs = [stories_of(stream(shuffled_days(articles, seed), 8)) for seed in range(5)]
    scores = [evaluate(one, other).bcubed.f1 for one, other in combinations(runs, 2)]
    assert min(scores) >= 0.98


def test_an_endless_stream_levels_off(wire: list[Row]) -> None:
    news = repeated(wire, 40)
    held = []
    with StoryIndex(retention=timedelta(days=7)) as index:
        for _ in range(5):
            index.add_many(islice(news, 400))
            held.append(index.stats().articles)
            stats = index.stats()
            assert stats.past <= 1000
    # A week, and an eighth of it until the next turn.
    assert max(held) <= 40 * 7 * 9 / 8 + 64
    assert held[-1] <= max(held[:-1])


def test_live_articles_are_small(wire: list[Row]) -> None:
    """Arrays alone, as they grow in steps; benchmarks/stream.py takes all that is resident."""
    with StoryIndex() as index:
        index.add_many(islice(repeated(wire, 40), 2000))
        live = index._session._engine.live
        columns = [
            getattr(part, item.name)
            for part in (live.profiles, live.standing)
            for item in fields(part)
        ]
        columns += vars(live.buckets).values()
        held = sum(column.nbytes for column in columns if isinstance(column, np.ndarray))
        assert held / index.stats().articles <= 3000


def test_a_chart_is_svg() -> None:
    lines = [Line("articles: 5 < 6", [0.1, 1.0]), Line("file", [0.5, 0.25])]
    drawn = ElementTree.fromstring(chart("a & b", "thousands", [1.0, 2.0], lines))
    shapes = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    assert [shape.get("points") for shape in shapes] == [
        "280.0,247.0 510.0,40.0",
        "280.0,155.0 510.0,212.5",
    ]
