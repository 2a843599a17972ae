"""The batch pipeline: articles in, stories out, whatever the articles are like."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sahel_dedup import Article, ArticleError, SahelWarning, Settings, Stories, cluster
from sahel_dedup.cli import app
from sahel_dedup.estimator import StoryClusterer
from sahel_dedup.evaluation.metrics import evaluate

ATTACK = (
    "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers and wounding "
    "fourteen, the governor said. The attackers came on motorcycles and burned four vehicles."
)
REWORDED = (
    "Nine soldiers were killed and fourteen wounded on Monday when gunmen on motorcycles "
    "attacked the army camp at Tessarit, according to the governor. Four vehicles were burned."
)
PRICES = "Millet prices rose in Maradi as the lean season began, traders at the market reported."


def group(*texts: str, **options: Any) -> list[int]:
    rows = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    labels: list[int] = cluster(rows, **options).labels.tolist()
    return labels


def partition(stories: Stories) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(story.id, story.canonical, story.articles) for story in stories}


def test_reworded_copies_are_one_story() -> None:
    assert group(ATTACK, PRICES, REWORDED) == [0, 1, 0]


def test_the_sample_archive_is_grouped_well(wire: list[dict[str, Any]]) -> None:
    stories = cluster(wire)
    predicted = {str(row["id"]): str(row["story_id"]) for row in stories.rows()}
    found = evaluate(predicted, {row["id"]: row["story"] for row in wire})
    assert found.bcubed.f1 > 0.9


# What is not news ---------------------------------------------------------------------


@pytest.mark.parametrize("texts", [("", ""), (" \n", "\t"), ("...", "..."), ("?!", "\0\ud800")])
def test_articles_without_words_match_nothing(texts: tuple[str, str]) -> None:
    stories = cluster([{"id": str(n), "text": text} for n, text in enumerate(texts)])
    assert stories.labels.tolist() == [0, 1]
    assert [stories.relation(name) for name in "01"] == [None, None]
    assert [stories.similarity(name) for name in "01"] == [None, None]
    assert [stories.story_of(name).canonical for name in "01"] == ["0", "1"]


@pytest.mark.parametrize(
    "text",
    ["Coup", "Coup Mali", "1", "a \ud800 in Kayes", "a\0b", "政变", "x" * 100_000, ATTACK * 5],
)
def test_exact_copies_always_match(text: str) -> None:
    stories = cluster([{"id": str(n), "text": t} for n, t in enumerate((text, PRICES, text))])
    assert stories.labels.tolist() == [0, 1, 0]
    assert [stories.relation(name) for name in "012"] == ["exact", None, "exact"]
    assert stories.similarity("0") == pytest.approx(1, abs=1e-6)


def test_five_megabytes_in_one_article() -> None:
    draw = random.Random(1)
    words = ["".join(draw.choices("aeioubdgklmnrst", k=7)) for _ in range(2000)]
    long = " ".join(draw.choices(words, k=650_000))
    assert len(long) > 5_000_000
    assert group(long, PRICES, long, f"{long} And more.") == [0, 1, 0, 0]


def test_ten_thousand_identical_articles() -> None:
    stories = cluster({"id": str(n), "text": ATTACK} for n in range(10_000))
    assert len(stories) == 1
    assert len(next(iter(stories))) == 10_000
    assert {row["relation"] for row in stories.rows()} == {"exact"}


def test_no_articles() -> None:
    stories = cluster([])
    assert len(stories) == 0
    assert [*stories, *stories.rows(), *stories.pairs(), *stories.weakest_links()] == []
    assert stories.labels.tolist() == []
    assert stories.to_frame().height == 0


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "t"}, "row 2, field 'id': missing: the row has text"),
        ({"id": "b"}, "row 2, field 'text': missing: the row has id"),
        ({"id": "b", "text": None}, "row 2, field 'text': missing"),
        ({"id": "b", "text": 3}, "row 2, field 'text': not a string: 3"),
        ({"id": "a", "text": "t"}, "row 2, field 'id': duplicate id: 'a', first seen at row 1"),
        ({"id": "b", "text": "t", "source": 5}, "row 2, field 'source': not a string: 5"),
        (["b", "t"], "row 2: neither a mapping nor an article: list"),
    ],
)
def test_faulty_rows_are_named(row: Any, message: str) -> None:
    with pytest.raises(ArticleError, match=message):
        cluster([{"id": "a", "text": "t"}, row])


def test_input_is_not_changed(wire: list[dict[str, Any]]) -> None:
    before = json.dumps(wire)
    cluster(wire)
    assert json.dumps(wire) == before


# What articles come in ----------------------------------------------------------------


def test_every_kind_of_input(wire: list[dict[str, Any]], sample: Path) -> None:
    expected = list(cluster(wire).rows())
    inputs: list[Any] = [
        (Article.from_mapping(row) for row in wire),
        pl.DataFrame(wire),
        pd.DataFrame(wire),
        sample,
        str(sample),
    ]
    for source in inputs:
        assert list(cluster(source).rows()) == expected


def test_other_columns_are_carried_through(wire: list[dict[str, Any]]) -> None:
    frame = cluster(pd.DataFrame(wire)).to_frame()
    assert frame.columns == ["id", "story_id", "canonical", "relation", "similarity", "title",
                             "published", "source", "lang", "story"]  # fmt: skip
    assert frame["story"].to_list() == [row["story"] for row in wire]
    assert frame["id"].to_list() == [row["id"] for row in wire]


# Order, threads, chunks ---------------------------------------------------------------


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_stories_do_not_depend_on_the_order_of_the_input(
    wire: list[dict[str, Any]], draw: random.Random
) -> None:
    rows = [*wire, {"id": "empty", "text": ""}, {"id": "twin", "text": wire[5]["text"]}]
    expected = cluster(rows)
    draw.shuffle(rows)
    stories = cluster(rows)
    assert partition(stories) == partition(expected)
    for row in stories.rows():
        name = str(row["id"])
        assert row["relation"] == expected.relation(name)
        assert stories.similarity(name) == pytest.approx(expected.similarity(name), abs=1e-6)
    order = [list(dict.fromkeys(stories.labels.tolist()))]
    assert order == [list(range(len(stories)))]


def test_stories_do_not_depend_on_the_number_of_workers(wire: list[dict[str, Any]]) -> None:
    # Ten times the sample, each time under other names of people and places, so that there
    # is more than one chunk for the threads to work on.
    rows = [
        {**row, "id": f"{row['id']}-{turn}", "text": row["text"].replace("a", "ab" * turn)}
        for turn in range(10)
        for row in wire
    ]
    one, two = (cluster(rows, Settings(workers=workers)) for workers in (1, 2))
    assert partition(one) == partition(two)
    assert list(one.rows()) == list(two.rows())


def test_progress_is_told(wire: list[dict[str, Any]]) -> None:
    told: dict[str, list[int]] = {}

    def tell(stage: str, done: int, total: int | None) -> None:
        told.setdefault(stage, []).append(done)
        assert total is None or done <= total

    cluster(wire, progress=tell)
    assert told["reading"][-1] == len(wire)
    assert {"candidate pairs", "comparing", "recurrence", "linking"} < set(told)
    assert all(done == sorted(done) for done in told.values())


# Time ---------------------------------------------------------------------------------

DAY = datetime(2025, 7, 1, tzinfo=UTC)


def _pair(one: datetime | None, other: datetime | None) -> list[Article]:
    return [
        Article("a", ATTACK, "Nine soldiers killed in attack on Tessarit camp", one, "Wire"),
        Article("b", REWORDED, "Tessarit: nine soldiers die in attack on camp", other, "Daily"),
    ]


def _apart(days: float) -> list[Article]:
    return _pair(DAY, DAY + timedelta(days=days))


def test_the_window_forbids() -> None:
    assert cluster(_apart(1)).labels.tolist() == [0, 0]
    assert cluster(_apart(8)).labels.tolist() == [0, 1]
    assert cluster(_apart(2), Settings(window=timedelta(days=1))).labels.tolist() == [0, 1]


def test_copies_beyond_the_window_are_apart() -> None:
    texts = [(0, "a"), (1, "b"), (30, "c"), (31, "d")]
    rows = [Article(name, ATTACK, published=DAY + timedelta(days=day)) for day, name in texts]
    assert cluster(rows).labels.tolist() == [0, 0, 1, 1]
    assert cluster(rows, Settings(window=None)).labels.tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("published", [None, datetime(1970, 1, 1, tzinfo=UTC), DAY.replace(2999)])
def test_a_date_that_is_missing_or_wrong_forbids_nothing(published: datetime | None) -> None:
    with pytest.warns(SahelWarning, match="^1 imposs") if published else nullcontext():
        stories = cluster(_pair(DAY, published))
    assert stories.labels.tolist() == [0, 0]


def test_granularity_nests(wire: list[dict[str, Any]]) -> None:
    copies, event, topic = (
        len(cluster(wire, Settings(granularity=name))) for name in ("copies", "event", "topic")
    )
    assert copies > event > topic


# Kayes --------------------------------------------------------------------------------


def _by_function(rows: list[dict[str, Any]], _folder: Path) -> list[str]:
    stories = cluster(rows)
    return [stories.story_of(row["id"]).id for row in rows]


def _by_estimator(rows: list[dict[str, Any]], _folder: Path) -> list[str]:
    return [str(label) for label in StoryClusterer().fit_predict(rows)]


def _by_command(rows: list[dict[str, Any]], folder: Path) -> list[str]:
    path = folder / "in.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = CliRunner().invoke(app, ["cluster", str(path)], catch_exceptions=False)
    return [json.loads(line)["story_id"] for line in done.stdout.splitlines()]


@pytest.mark.parametrize("entry", [_by_function, _by_estimator, _by_command])
def test_the_kayes_reports_are_one_story(
    entry: Callable[[list[dict[str, Any]], Path], list[str]], data: Path, tmp_path: Path
) -> None:
    with gzip.open(data / "kayes.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    assert len(rows) == 2
    for rows_in_order in (rows, rows[::-1]):
        assert len(set(entry(rows_in_order, tmp_path))) == 1
    bare = [{"id": row["id"], "text": row["text"]} for row in rows]
    assert len(set(entry(bare, tmp_path))) == 1


def test_similarities_depend_on_neither_order_nor_threads(wire: list[dict[str, Any]]) -> None:
    found = [
        {link[:2]: link[3:] for link in map(astuple, cluster(rows, Settings(workers=n)).pairs())}
        for rows, n in ((wire, 1), (wire[::-1], 1), (wire[40:] + wire[:40], 3))
    ]
    assert found[0] == found[1] == found[2]
