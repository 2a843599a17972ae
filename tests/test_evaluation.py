"""Evaluation: every figure against its definition, computed the slow way."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from sahel_dedup.errors import ArticleError, SahelError
from sahel_dedup.evaluation.metrics import Score, evaluate, read_labels
from sahel_dedup.io.writers import write_rows

LABELS = st.dictionaries(st.integers(0, 15).map(str), st.sampled_from("stuvw"), max_size=16)


def slow_pairs(predicted: dict[str, str], gold: dict[str, str]) -> tuple[float, float]:
    """Precision and recall by asking of every pair."""
    found = known = both = 0
    for a, b in combinations(predicted.keys() & gold.keys(), 2):
        together, belong = predicted[a] == predicted[b], gold[a] == gold[b]
        found += together
        known += belong
        both += together and belong
    return both / found if found else 1.0, both / known if known else 1.0


def slow_bcubed(predicted: dict[str, str], gold: dict[str, str]) -> tuple[float, float]:
    """Precision and recall by the definition, article by article."""
    ids = predicted.keys() & gold.keys()
    precisions, recalls = [], []
    for a in ids:
        found = {b for b in ids if predicted[a] == predicted[b]}
        known = {b for b in ids if gold[a] == gold[b]}
        precisions.append(len(found & known) / len(found))
        recalls.append(len(found & known) / len(known))
    return float(np.mean(precisions)), float(np.mean(recalls))


@given(LABELS, LABELS)
def test_every_figure_by_its_definition(predicted: dict[str, str], gold: dict[str, str]) -> None:
    ids = sorted(predicted.keys() & gold.keys())
    if not ids:
        with pytest.raises(SahelError, match="no article is in both"):
            evaluate(predicted, gold)
        return
    result = evaluate(predicted, gold)
    for score, slow in (
        (result.pairwise, slow_pairs(predicted, gold)),
        (result.bcubed, slow_bcubed(predicted, gold)),
    ):
        assert (score.precision, score.recall) == pytest.approx(slow)
        harmonic = 2 * slow[0] * slow[1] / sum(slow) if any(slow) else 0.0
        assert score.f1 == pytest.approx(harmonic)
    assert result.adjusted_rand == pytest.approx(
        adjusted_rand_score([gold[a] for a in ids], [predicted[a] for a in ids])
    )
    assert result.articles == len(ids)
    assert result.only_predicted == len(predicted.keys() - gold.keys())
    assert result.only_gold == len(gold.keys() - predicted.keys())
    assert result.predicted_stories == len({predicted[a] for a in ids})
    assert result.gold_stories == len({gold[a] for a in ids})
    assert sum(size * n for size, n in result.predicted_sizes.items()) == len(ids)
    assert sum(result.gold_sizes.values()) == result.gold_stories


@given(LABELS.filter(bool))
def test_the_same_stories_under_other_names_are_perfect(gold: dict[str, str]) -> None:
    result = evaluate({a: f"other {story}" for a, story in gold.items()}, gold)
    assert result.pairwise == result.bcubed == Score(1.0, 1.0, 1.0)
    assert result.adjusted_rand == 1.0


def test_a_known_example() -> None:
    # One story of four split in two, and an article of another put with the first half.
    gold = {"a": "x", "b": "x", "c": "x", "d": "x", "e": "y"}
    predicted = {"a": "1", "b": "1", "c": "2", "d": "2", "e": "1", "f": "9"}
    result = evaluate(predicted, gold)
    assert result.pairwise == Score(2 / 4, 2 / 6, 2 / 5)
    assert result.bcubed.precision == pytest.approx((2 / 3 + 2 / 3 + 1 + 1 + 1 / 3) / 5)
    assert result.bcubed.recall == pytest.approx((4 * 2 / 4 + 1) / 5)
    assert (result.predicted_sizes, result.gold_sizes) == ({2: 1, 3: 1}, {1: 1, 4: 1})
    assert (result.only_predicted, result.only_gold) == (1, 0)


def test_counts_beyond_32_bits_do_not_overflow() -> None:
    # 100,000 articles in one story: 10 billion ordered pairs.
    gold = {str(n): "x" for n in range(100_000)}
    predicted = gold | {"0": "y"}
    result = evaluate(predicted, gold)
    assert result.pairwise.precision == 1.0
    assert result.pairwise.recall == pytest.approx(99_999 * 99_998 / (100_000 * 99_999))


def test_many_single_articles_raise_no_warning() -> None:
    result = evaluate({str(n): str(n) for n in range(1000)}, {str(n): "x" for n in range(1000)})
    assert result.pairwise == Score(1.0, 0.0, 0.0)
    assert result.bcubed.recall == pytest.approx(1 / 1000)


def test_as_a_dictionary_and_as_a_table() -> None:
    result = evaluate({"a": "1", "b": "1", "c": "2"}, {"a": "x", "b": "x", "c": "x", "d": "y"})
    told = json.loads(json.dumps(result.to_dict()))
    assert told["bcubed"] == {"precision": 1.0, "recall": pytest.approx(5 / 9), "f1": 5 / 7}
    assert told["predicted_sizes"] == {"1": 1, "2": 1}
    table = str(result).splitlines()
    assert table[0] == "3 articles; left out: 0 without a known story, 1 without a predicted one"
    assert table[3].split() == ["pairs", "1.000", "0.333", "0.500"]
    assert table[4].split() == ["B-cubed", "1.000", "0.556", "0.714"]
    assert table[-1].split() == ["largest", "2", "3"]


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_labels_from_files(ending: str, tmp_path: Path) -> None:
    path = str(tmp_path / f"labels.{ending}")
    write_rows(
        path,
        [
            {"id": 1, "story": "x", "story_id": "s1"},
            {"id": 2, "story": 7, "story_id": None},
            {"id": 3, "story": None, "story_id": "s2"},
        ],
    )
    assert read_labels(path) == {"1": "s1", "3": "s2"}
    assert read_labels(path, fields=("story", "story_id")) == {"1": "x", "2": "7"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"story": "x"}, "line 2, field 'id': missing"),
        ({"id": "b"}, "line 2, field 'story_id': missing: the row has none of story_id, story"),
        ({"id": "a", "story": "y"}, "line 2, field 'id': duplicate id: 'a'"),
    ],
)
def test_faulty_labels_are_named(row: dict[str, str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    write_rows(str(path), [{"id": "a", "story": "x"}, row])
    with pytest.raises(ArticleError, match=message):
        read_labels(path)
