"""Pairs drawn to be judged: their strata and weights, and what they estimate of a known archive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup import SahelError, Settings, cluster
from sahel_dedup.batch import Archive
from sahel_dedup.evaluation import JudgedPair, evaluate_pairs, pair_sample, sample_pairs
from sahel_dedup.evaluation.pair_sample import (
    GroupedRows,
    Lottery,
    RankedPairs,
    allocate,
    draw,
    equal_parts,
    growing_parts,
    pairs_inside,
    pairs_outside,
)
from sahel_dedup.evaluation.pair_scores import Interval
from sahel_dedup.io.article_reader import iter_articles
from tests.archive import Row, archive

CASES = ("reports", "sagas", "languages", "copies", "look_alikes", "bulletins")
ROWS = [row for row in archive() if row["case"] in CASES]
TRUTH = {row["id"]: row["story"] for row in ROWS}


def articles() -> list[Row]:
    return [{name: row[name] for name in row if name not in ("story", "case")} for row in ROWS]


def faulty(truth: dict[str, str]) -> dict[str, str]:
    """Return stories of which some are two events, and some events two stories."""
    names = sorted(set(truth.values()))
    partner = {name: names[number - number % 2] for number, name in enumerate(names)}
    return {
        article: f"{partner[event] if hash_of(partner[event]) % 3 == 0 else event}"
        f"/{hash_of(article) % 5 == 0}"
        for article, event in truth.items()
    }


def hash_of(name: str) -> int:
    return sum(ord(letter) * (place + 7) for place, letter in enumerate(name))


STORIES = faulty(TRUTH)


class Drawing:
    """The archive, compared once, from which many samples are drawn."""

    def __init__(self) -> None:
        self.archive = Archive.read(iter_articles(articles()), Settings(), lambda *_: None)
        self.compared = self.archive.compare()
        numbers: dict[str, int] = {}
        self.story = np.array(
            [numbers.setdefault(STORIES[name], len(numbers)) for name in self.archive.ids]
        )

    def kinds(self, lottery: Lottery) -> tuple[RankedPairs, RankedPairs]:
        return (
            pairs_inside(self.archive, self.story, self.compared, lottery),
            pairs_outside(self.archive, self.story, self.compared, lottery),
        )

    def draw(self, count: int, salt: str) -> list[JudgedPair]:
        lottery = Lottery(self.archive.ids, salt)
        drawn = draw(self.archive, *self.kinds(lottery), count, lottery)
        ids = self.archive.ids
        return [
            JudgedPair(
                first=ids[a], second=ids[b], same=TRUTH[ids[a]] == TRUTH[ids[b]], weight=weight
            )
            for a, b, weight in zip(
                drawn.pairs.first.tolist(), drawn.pairs.second.tolist(), drawn.weight.tolist(),
                strict=True,
            )
        ]  # fmt: skip

    def shares(self, count: int, salt: str) -> tuple[Interval, Interval]:
        total = evaluate_pairs(STORIES, self.draw(count, salt)).all_pairs.total
        assert total.precision is not None
        assert total.recall is not None
        return total.precision, total.recall


@pytest.fixture(scope="module")
def drawing() -> Drawing:
    return Drawing()


def test_estimates_agree_with_the_truth(drawing: Drawing) -> None:
    everything = drawing.draw(10**6, "")
    assert {pair.weight for pair in everything} == {1.0}
    truth = [interval.value for interval in drawing.shares(10**6, "")]
    assert all(0.3 < share < 0.95 for share in truth)
    found = [drawing.shares(120, f"sample {n}") for n in range(40)]
    for place, share in enumerate(truth):
        values = np.array([interval[place].value for interval in found])
        inside = np.mean([one[place].low <= share <= one[place].high for one in found])
        # The estimate is a ratio: its bias is of the order of 1 / n.
        error = values.std() / np.sqrt(len(values))
        assert abs(values.mean() - share) < 3 * error + 0.02
        assert inside >= 0.88
        # An interval that says nothing would hold the truth too.
        assert np.mean([one[place].high - one[place].low for one in found]) < 0.45


def test_weights_count_the_pairs_of_the_archive(drawing: Drawing) -> None:
    total = {True: 0.0, False: 0.0}
    for pair in drawing.draw(100, "x"):
        total[STORIES[pair.first] == STORIES[pair.second]] += pair.weight
    inside, outside = drawing.kinds(Lottery(drawing.archive.ids, "x"))
    assert total[True] == pytest.approx(len(inside.pairs))
    assert total[False] == pytest.approx(len(outside.pairs))


def test_a_thinned_archive_has_the_same_total(
    drawing: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = [len(kept.pairs) for kept in drawing.kinds(Lottery(drawing.archive.ids, "y"))]
    monkeypatch.setattr(pair_sample, "MOST_PAIRS", 600)
    monkeypatch.setattr(pair_sample, "_AT_ONCE", 100)
    thinned = drawing.kinds(Lottery(drawing.archive.ids, "y"))
    for kept, size in zip(thinned, whole, strict=True):
        assert kept.rate < 1
        assert 450 < len(kept.pairs) < 750
        assert len(kept.pairs) / kept.rate == pytest.approx(size, rel=0.15)
    assert sum(pair.weight for pair in drawing.draw(100, "y")) == pytest.approx(
        sum(len(kept.pairs) / kept.rate for kept in thinned)
    )


def test_all_pairs_in_stories_are_there_and_copies_have_their_pairs(drawing: Drawing) -> None:
    inside, outside = drawing.kinds(Lottery(drawing.archive.ids, ""))
    sizes = np.bincount(drawing.story)
    assert len(inside.pairs) == int((sizes * (sizes - 1) // 2).sum())
    for kept, together in ((inside, True), (outside, False)):
        first, second = kept.pairs.first, kept.pairs.second
        assert (first < second).all()
        assert len(set(zip(first.tolist(), second.tolist(), strict=True))) == len(first)
        assert ((drawing.story[first] == drawing.story[second]) == together).all()
    twin = drawing.compared.duplicate_of
    copied = np.flatnonzero(twin != np.arange(len(twin)))
    met = set(zip(outside.pairs.first.tolist(), outside.pairs.second.tolist(), strict=True))
    day, story = drawing.archive.profiles.day, drawing.story
    seen = 0
    for copy in copied.tolist():
        for one, two in met:
            near = not abs(day[two] - day[copy]) > 7
            if near and twin[copy] == one and story[two] != story[copy]:
                assert (min(copy, two), max(copy, two)) in met
                seen += 1
    assert seen > 10


def test_the_same_pairs_whatever_the_order_of_the_input() -> None:
    rows = articles()[:300]
    one = sample_pairs(STORIES, rows, 40)
    other = sample_pairs(STORIES, rows[::-1], 40)
    assert one.rows == other.rows
    salted = sample_pairs(STORIES, rows, 40, salt="again")
    assert {(row["a"], row["b"]) for row in one.rows} != {
        (row["a"], row["b"]) for row in salted.rows
    }


def test_rows_hold_what_a_reader_needs(wire: list[dict[str, Any]]) -> None:
    stories = cluster(wire)
    sample = sample_pairs(stories, (row for row in wire), 50)
    articles = {row["id"]: row for row in wire}
    assert len(sample.rows) == 50
    assert (sample.without_story, sample.without_article) == (0, 0)
    for row in sample.rows:
        assert list(row) == [
            "a", "b", "same", "weight", "title_a", "title_b", "published_a", "published_b",
            "source_a", "source_b", "text_a", "text_b", "probability",
        ]  # fmt: skip
        assert row["same"] is None
        for side in "ab":
            article = articles[row[side]]
            assert row[f"text_{side}"] == article["text"]
            assert row[f"title_{side}"] == article["title"]
            assert row[f"source_{side}"] == article["source"]
        assert isinstance(row["weight"], float)
        assert row["weight"] >= 1


def test_what_one_side_alone_knows_is_counted(wire: list[dict[str, Any]]) -> None:
    stories = {row["id"]: row["story"] for row in wire[:-3]} | {"gone": "s"}
    sample = sample_pairs(stories, wire, 1000)
    assert (sample.without_story, sample.without_article) == (3, 1)
    unknown = {row["id"] for row in wire[-3:]} | {"gone"}
    assert not unknown & {row[side] for row in sample.rows for side in "ab"}


def test_too_small_a_sample_and_nothing_to_draw_from(wire: list[dict[str, Any]]) -> None:
    with pytest.raises(SahelError, match="count: 19 is less than 20"):
        sample_pairs({}, wire, 19)
    with pytest.raises(SahelError, match="no article of the archive is in the stories"):
        sample_pairs({"x": "y"}, wire)
    alone = {"a": "1"}
    assert sample_pairs(alone, [{"id": "a", "text": "Rain in Kidal"}]).rows == []


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=10), st.integers(10, 400))
def test_every_stratum_is_drawn_from(sizes: list[int], count: int) -> None:
    size = np.array(sizes)
    draws = allocate(size, min(count, int(size.sum())))
    assert draws.sum() == min(count, size.sum())
    assert (draws <= size).all()
    assert ((draws > 0) == (size > 0)).all()
    # Larger strata have no fewer.
    order = np.lexsort((draws, size))
    assert (np.diff(draws[order]) >= 0).all()


@given(st.integers(0, 10**6))
def test_strata_take_every_pair(size: int) -> None:
    equal, growing = equal_parts(size), growing_parts(size)
    assert equal.sum() == growing.sum() == size
    assert equal.max() - equal.min() <= 1
    assert (np.diff(growing) >= 0).all()


@given(st.lists(st.integers(-1, 4), max_size=12))
def test_members_of_groups_in_pairs(labels: list[int]) -> None:
    groups = GroupedRows.of(np.array(labels, dtype=np.int64))
    there = sorted(set(labels) - {-1})
    pairs = [(one, two) for one in there for two in there]
    one, two = (np.array([p[side] for p in pairs], dtype=np.int64) for side in (0, 1))
    found: Iterator[Any] = groups.pairs(one, two)
    met = [
        (place, a, b)
        for block in found
        for place, a, b in zip(*(column.tolist() for column in block), strict=True)
    ]
    assert met == [
        (place, a, b)
        for place, (x, y) in enumerate(pairs)
        for a, label in enumerate(labels)
        if label == x
        for b, other in enumerate(labels)
        if other == y
    ]
