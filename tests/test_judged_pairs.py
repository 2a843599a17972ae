"""Stories against judged pairs: figures by their definition, intervals, and faulty files."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from sahel_dedup import ArticleError, SahelError, cluster
from sahel_dedup.evaluation import (
    JudgedPair,
    PairEvaluation,
    evaluate_pairs,
    judged_pairs,
    read_pairs,
    read_stories,
)
from sahel_dedup.evaluation.pair_scores import BINS, Interval, PairScore
from sahel_dedup.io.writers import write_rows

STORIES = st.dictionaries(st.integers(0, 9).map(str), st.sampled_from("stu"), max_size=10)
PAIRS = st.lists(
    st.builds(
        JudgedPair,
        first=st.integers(0, 4).map(str),
        second=st.integers(5, 11).map(str),
        same=st.none() | st.booleans(),
        weight=st.sampled_from([0.5, 1.0, 3.0, 400.0]),
        probability=st.none() | st.floats(0, 1),
    ),
    max_size=30,
)


def slow(pairs: list[JudgedPair], stories: dict[str, str]) -> tuple[float | None, float | None]:
    """Weighted precision and recall, pair by pair."""
    found = joined = same = 0.0
    for pair in pairs:
        together = stories[pair.first] == stories[pair.second]
        joined += pair.weight * together
        same += pair.weight * bool(pair.same)
        found += pair.weight * bool(together and pair.same)
    return found / joined if joined else None, found / same if same else None


def agrees(score: PairScore, pairs: list[JudgedPair], stories: dict[str, str]) -> None:
    assert score.pairs == len(pairs)
    for interval, value in zip((score.precision, score.recall), slow(pairs, stories), strict=True):
        if value is None:
            assert interval is None
        else:
            assert interval is not None
            assert interval.value == pytest.approx(value)
            assert 0 <= interval.low <= interval.value <= interval.high <= 1


@settings(max_examples=30)
@given(PAIRS, STORIES)
def test_every_figure_by_its_definition(pairs: list[JudgedPair], stories: dict[str, str]) -> None:
    judged = [p for p in pairs if p.same is not None]
    known = [p for p in judged if p.first in stories and p.second in stories]
    if not known:
        with pytest.raises(SahelError, match=f"of {len(pairs)} pairs, {len(judged)} are judged"):
            evaluate_pairs(stories, pairs)
        return
    result = evaluate_pairs(stories, pairs)
    assert (result.judged, result.not_judged) == (len(known), len(pairs) - len(judged))
    assert result.not_found == len(judged) - len(known)
    limit = 20 * float(np.median([p.weight for p in known]))
    assert result.heavy == sum(p.weight > limit for p in known)
    sizes = {story: list(stories.values()).count(story) for story in stories.values()}
    groups = {"1": (1, 1), "2": (2, 2), "3-4": (3, 4), "5-9": (5, 9), "10-19": (10, 19),
              "20+": (20, 99)}  # fmt: skip
    for scores, chosen in (
        (result.all_pairs, known),
        (result.without_heavy, [p for p in known if p.weight <= limit]),
    ):
        agrees(scores.total, chosen, stories)
        assert scores.by_size.keys() == groups.keys()
        for name, (least, most) in groups.items():
            larger = [max(sizes[stories[p.first]], sizes[stories[p.second]]) for p in chosen]
            group = [p for p, n in zip(chosen, larger, strict=True) if least <= n <= most]
            agrees(scores.by_size[name], group, stories)
        for n, score in enumerate(scores.by_probability):
            group = [
                p
                for p in chosen
                if p.probability is not None
                and BINS[n] <= p.probability
                and (p.probability < BINS[n + 1] or n == 4)
            ]
            agrees(score, group, stories)
            if group:
                weights = [p.weight for p in group]
                stated = np.average([p.probability or 0 for p in group], weights=weights)
                assert score.stated == pytest.approx(stated)
                assert score.observed is not None
                share = np.average([bool(p.same) for p in group], weights=weights)
                assert score.observed.value == pytest.approx(share)


@pytest.mark.parametrize(("right", "pairs"), [(0, 12), (3, 12), (40, 50), (25, 25)])
def test_with_equal_weights_intervals_are_those_of_jeffreys(right: int, pairs: int) -> None:
    stories = {str(n): "s" for n in range(pairs + 1)}
    judged = [
        JudgedPair(first="0", second=str(n + 1), same=n < right, weight=7.0) for n in range(pairs)
    ]
    found = evaluate_pairs(stories, judged).all_pairs.total.precision
    assert found is not None
    low, high = beta.ppf((0.025, 0.975), right + 0.5, pairs - right + 0.5)
    assert found.low == pytest.approx(low if right else 0.0, abs=0.01)
    assert found.high == pytest.approx(high if right < pairs else 1.0, abs=0.01)


def test_the_same_pairs_give_the_same_interval() -> None:
    stories = {"a": "s", "b": "s", "c": "s"}
    judged = [JudgedPair(first="a", second=b, same=b == "b", weight=2.0) for b in "bc"]
    assert evaluate_pairs(stories, judged) == evaluate_pairs(stories, judged)


def test_heavier_pairs_make_intervals_wider() -> None:
    stories = {str(n): "s" for n in range(41)}

    def width(weights: list[float]) -> float:
        pairs = [
            JudgedPair(first="0", second=str(n + 1), same=n % 2 == 0, weight=weight)
            for n, weight in enumerate(weights)
        ]
        found = evaluate_pairs(stories, pairs).all_pairs.total.precision
        assert found is not None
        return found.high - found.low

    assert width([1.0] * 38 + [30.0] * 2) > 1.5 * width([1.0] * 40)


class TestProbabilities:
    PAIRS = (
        JudgedPair(first="a", second="b", same=True, probability=0.3),
        JudgedPair(first="a", second="c", same=False, probability=0.1),
    )
    STORIES = {"a": "s", "b": "s", "c": "t"}  # noqa: RUF012

    def found(self, **options: Any) -> tuple[str, list[int]]:
        result = evaluate_pairs(self.STORIES, self.PAIRS, **options)
        return result.probabilities, [s.pairs for s in result.all_pairs.by_probability]

    def test_those_of_stories_come_first(self) -> None:
        # Of the two articles the lower one; no pair of two stories has any.
        assert self.found(probabilities={"a": 1.0, "b": 0.5}) == (
            "stories: probability", [0, 0, 1, 0, 0],
        )  # fmt: skip

    def test_similarities_stand_in(self) -> None:
        given: dict[str, Any] = {
            "probabilities": {"a": 1.0, "b": 0.9},
            "probabilities_name": "similarity",
        }
        assert self.found(**given) == ("pairs: probability", [1, 1, 0, 0, 0])
        bare = [JudgedPair(first="a", second="b", same=True)]
        result = evaluate_pairs(self.STORIES, bare, **given)
        assert result.probabilities == "stories: similarity"
        assert [s.pairs for s in result.all_pairs.by_probability] == [0, 0, 0, 0, 1]

    def test_without_any(self) -> None:
        bare = [JudgedPair(first="a", second="b", same=True)]
        assert evaluate_pairs(self.STORIES, bare).probabilities == "none"


def test_a_result_of_clustering_is_taken_as_it_is(wire: list[dict[str, Any]]) -> None:
    stories = cluster(wire)
    rows = {row["id"]: row for row in stories.rows()}
    pairs = [
        JudgedPair(first=a["id"], second=b["id"], same=a["story"] == b["story"])
        for a in wire[::7]
        for b in wire
        if a is not b
    ]
    found = evaluate_pairs(stories, pairs)
    labels = {str(name): str(row["story_id"]) for name, row in rows.items()}
    assert found.all_pairs.total == evaluate_pairs(labels, pairs).all_pairs.total
    assert found.probabilities.startswith("stories: ")


def test_as_plain_values() -> None:
    found = evaluate_pairs({"a": "s", "b": "s"}, [JudgedPair(first="a", second="b", same=True)])
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert told["all_pairs"]["total"]["precision"].keys() == set(Interval._fields)
    assert told["all_pairs"]["by_size"]["1"]["precision"] is None
    assert len(told["without_heavy"]["by_probability"]) == 5
    assert isinstance(found, PairEvaluation)


# Files --------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["jsonl", "jsonl.gz", "csv", "parquet"])
def test_pairs_from_files(ending: str, tmp_path: Path) -> None:
    path = str(tmp_path / f"pairs.{ending}")
    rows: list[dict[str, object]] = [
        {"a": "1", "b": "2", "same": 1, "weight": 2.5, "kind": "copy", "probability": 0.75},
        {"a": "1", "b": "3", "same": 0, "weight": 1.0, "kind": None, "probability": None},
        {"a": "2", "b": "3", "same": None, "weight": None, "kind": "", "probability": None},
    ]
    write_rows(path, rows)
    assert read_pairs(path) == [
        JudgedPair(first="1", second="2", same=True, weight=2.5, kind="copy", probability=0.75),
        JudgedPair(first="1", second="3", same=False),
        JudgedPair(first="2", second="3", same=None),
    ]


@pytest.mark.parametrize(
    ("value", "same"),
    [(1, True), (0, False), (True, True), (False, False), (1.0, True), (0.0, False), ("1", True),
     ("0", False), ("TRUE", True), (" false ", False), ("", None), (None, None),
     (math.nan, None), ("  ", None)],
)  # fmt: skip
def test_every_way_to_say_yes_no_and_nothing(value: object, same: bool | None) -> None:
    pair = judged_pairs._read_pair({"id_a": 7, "id_b": "8", "same": value})
    assert pair == JudgedPair(first="7", second="8", same=same)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"b": "2", "same": 1}, "line 2, field 'a': missing: the row has b, same"),
        ({"a": "", "b": "2", "same": 1}, "line 2, field 'a': empty"),
        ({"a": "1", "b": 2.5, "same": 1}, "line 2, field 'b': neither a string nor an integer"),
        ({"a": "1", "b": 1, "same": 1}, "line 2, field 'b': the same article twice: '1'"),
        ({"a": "1", "b": "2"}, "line 2, field 'same': missing: the row has a, b"),
        ({"a": "1", "b": "2", "same": 2}, "line 2, field 'same': not 1, 0, true, false"),
        ({"a": "1", "b": "2", "same": "yes"}, "line 2, field 'same': not 1, 0"),
        ({"a": "1", "b": "2", "same": 1, "weight": 0}, "field 'weight': not positive: 0"),
        ({"a": "1", "b": "2", "same": 1, "weight": -3}, "field 'weight': not positive: -3"),
        ({"a": "1", "b": "2", "same": 1, "weight": "x"}, "field 'weight': not a number: 'x'"),
        ({"a": "1", "b": "2", "same": 1, "weight": [1]}, r"field 'weight': not a number: \[1\]"),
        ({"a": "1", "b": "2", "same": 1, "weight": "inf"}, "'weight': not a finite number"),
        ({"a": "1", "b": "2", "same": 1, "probability": 1.5}, "'probability': not between 0 and"),
    ],
)
def test_faulty_pairs_are_named(row: dict[str, object], message: str, tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"a": "1", "b": "2", "same": 1}\n' + json.dumps(row) + "\n")
    with pytest.raises(ArticleError, match=f"pairs.jsonl, {message}|{message}"):
        read_pairs(path)


def test_one_of_several_sets(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    write_rows(
        str(path),
        [
            {"set": "lk", "a": "1", "b": "2", "same": 1},
            {"set": "saudi", "a": "3", "b": "4", "same": 0},
            {"set": "lk", "a": "5", "b": "6", "same": 0},
        ],
    )
    assert [pair.first for pair in read_pairs(path, chosen="lk")] == ["1", "5"]
    with pytest.raises(SahelError, match=r"choose one: lk \(2\), saudi \(1\)"):
        read_pairs(path)
    with pytest.raises(SahelError, match="has no set 'reuters', only lk"):
        read_pairs(path, chosen="reuters")


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_stories_with_what_they_say_of_each_article(ending: str, tmp_path: Path) -> None:
    path = str(tmp_path / f"stories.{ending}")
    rows: list[dict[str, object]] = [
        {"id": "1", "story_id": "s", "similarity": 0.5},
        {"id": "2", "story_id": "s", "similarity": 0.5},
        {"id": "3", "story_id": "t", "similarity": None},
    ]
    stories = {"1": "s", "2": "s", "3": "t"}
    write_rows(path, rows)
    assert read_stories(path) == (stories, {"1": 0.5, "2": 0.5}, "similarity")
    write_rows(path, [{**row, "probability": 0.875} for row in rows])
    assert read_stories(path) == (stories, dict.fromkeys("123", 0.875), "probability")
    write_rows(path, [{**row, "similarity": "much"} for row in rows])
    with pytest.raises(ArticleError, match=r"line .*, field 'similarity': not a number"):
        read_stories(path)
