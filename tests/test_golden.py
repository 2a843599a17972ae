"""The stories of an invented archive, article by article, in batch and stream.

Stories may change on purpose: ``python -m tests.make_golden`` writes them again.
"""

from __future__ import annotations

from collections import Counter

import pytest

from sahel_dedup.evaluation import evaluate
from tests import make_golden
from tests.archive import CASES, archive, in_order_of_arrival

GOLDEN = make_golden.read_golden()
TRUTH = {row["id"]: row["story"] for row in archive()}


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, str]]:
    return {"batch": make_golden.batch(), "stream": make_golden.stream()}


@pytest.mark.parametrize("engine", make_golden.ENGINES)
def test_every_article_is_in_the_story_it_was_in(
    engine: str, found: dict[str, dict[str, str]]
) -> None:
    golden, stories = GOLDEN[engine], found[engine]
    moved = [
        f"{name}: with {stories[name]}, was with {golden[name]}"
        for name in golden
        if stories[name] != golden[name]
    ]
    assert stories.keys() == golden.keys()
    assert not moved, f"{len(moved)} moved; if that is meant: python -m tests.make_golden"


def test_the_archive_is_what_it_says() -> None:
    rows = archive()
    assert {row["case"] for row in rows} == {case.__name__ for case in CASES}
    assert 2000 <= len(rows) == len(TRUTH)
    assert sorted(row["id"] for row in in_order_of_arrival()) == sorted(TRUTH)
    assert {row["lang"] for row in rows} == {"en", "fr", "pt", "ar"}
    # Stories in every group of sizes that a report tells apart, but the largest.
    sizes = Counter(Counter(TRUTH.values()).values())
    assert {1, 2, 3, 4, 5, 6} <= sizes.keys()


@pytest.mark.parametrize("engine", make_golden.ENGINES)
def test_golden_stories_are_good(engine: str) -> None:
    """Make sure that a fault does not become golden."""
    result = evaluate(GOLDEN[engine], TRUTH)
    assert result.bcubed.precision > 0.93
    assert result.bcubed.recall > 0.8
    # A stream cannot know a page of unknown outlets before it has seen many of its headlines.
    pages = 0.95 if engine == "batch" else 0.8
    for case, precision in {"bulletins": 0.93, "look_alikes": 0.95, "pages": pages}.items():
        gold = {row["id"]: row["story"] for row in archive() if row["case"] == case}
        assert evaluate(GOLDEN[engine], gold).bcubed.precision > precision, case


def test_batch_and_stream_agree() -> None:
    assert evaluate(GOLDEN["stream"], GOLDEN["batch"]).bcubed.f1 > 0.93
