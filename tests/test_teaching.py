"""Teaching: constants fitted to answers, pairs to ask about, and a model wherever it is given."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import check_grad
from typer.testing import CliRunner

import sahel_dedup
from sahel_dedup import EvidenceModel, Settings, StoryClusterer, StoryIndex
from sahel_dedup.cli import app
from sahel_dedup.errors import FileError, SahelError, SettingsError
from sahel_dedup.evaluation import JudgedPair
from sahel_dedup.evaluation.teaching import ask, teach
from sahel_dedup.evaluation.teaching.asking import draw_doubtful
from sahel_dedup.evaluation.teaching.expectation import Unasked, expect, left_out_odds
from sahel_dedup.evaluation.teaching.fitting import (
    Judged,
    fit_weights,
    log_odds,
    probabilities,
    spreads,
)
from sahel_dedup.index.maintenance import settings_of
from sahel_dedup.scoring.features import FEATURES
from sahel_dedup.scoring.log_odds import WEIGHTS, weights_of

BASE, WORDING = FEATURES.index("base"), FEATURES.index("wording")


def model(**changes: Any) -> EvidenceModel:
    dated, undated = (tuple(row) for row in WEIGHTS.tolist())
    made = EvidenceModel(
        features=FEATURES, dated=dated, undated=undated, shipped_dated=dated,
        shipped_undated=undated, same=3, different=7,
    )  # fmt: skip
    return replace(made, **changes)


def never() -> EvidenceModel:
    """Return a model by which nothing is one event."""
    base = tuple(-900.0 if name == "base" else 0.0 for name in FEATURES)
    return model(dated=base, undated=base)


def pairs(count: int, seed: int = 0) -> Judged:
    """Draw pairs that are of one event by other constants than those of the release."""
    draw = np.random.default_rng(seed)
    features = draw.normal(size=(count, len(FEATURES)))
    features[:, BASE] = 1
    dated = draw.random(count) < 0.7
    truth = WEIGHTS.copy()
    truth[:, WORDING] *= 4
    same = draw.random(count) < probabilities(log_odds(features, dated, truth))
    return Judged(features, dated, same)


ONES = np.ones_like(WEIGHTS)


# -------------------------------------------------------------------------------------- fitting


def test_without_answers_nothing_is_learnt() -> None:
    assert (fit_weights(pairs(0), WEIGHTS, ONES) == WEIGHTS).all()


def test_many_answers_show_what_is_so() -> None:
    found = fit_weights(pairs(30_000), WEIGHTS, ONES)
    for row in (0, 1):
        assert 2 * WEIGHTS[row, WORDING] < found[row, WORDING] < 5 * WEIGHTS[row, WORDING]


@given(st.integers(0, 30), st.integers(0, 10**6))
def test_few_answers_change_little(count: int, seed: int) -> None:
    """No answer, right or wrong, can pull further than the prior lets it."""
    draw = np.random.default_rng(seed)
    judged = pairs(count, seed)
    judged = judged._replace(same=draw.random(count) < 0.5)
    found = fit_weights(judged, WEIGHTS, ONES)
    # At the optimum the pull of the prior is that of the answers, at most 1 for each feature.
    pull = np.abs(judged.features).sum(axis=0)
    moved = np.abs(found - WEIGHTS)
    assert (10 * moved[:, 1:] <= pull[1:] + 1e-3).all()
    # What a piece of evidence speaks for stays; what speaks for nothing is not used.
    assert (np.sign(found[:, 1:]) * np.sign(WEIGHTS[:, 1:]) >= 0).all()
    assert (found[:, 1:][WEIGHTS[:, 1:] == 0] == 0).all()


def test_constants_that_no_pair_shows_stay() -> None:
    judged = pairs(200)
    spread = ONES.copy()
    spread[:, WORDING] = 0
    found = fit_weights(judged, WEIGHTS, spread)
    assert (found[:, WORDING] == WEIGHTS[:, WORDING]).all()
    assert (found[:, BASE] != WEIGHTS[:, BASE]).all()


def test_what_is_fitted_is_the_mode_of_the_posterior() -> None:
    """The same constants as by steps along the slope, written anew."""
    judged = pairs(120)
    found = fit_weights(judged, WEIGHTS, ONES)
    for row, chosen in enumerate((judged.dated, ~judged.dated)):
        features, same = judged.features[chosen], judged.same[chosen]
        strength = np.where(np.arange(len(FEATURES)) == BASE, 0.5, 10.0)
        slope = features.T @ (probabilities(features @ found[row]) - same)
        slope += strength * (found[row] - WEIGHTS[row])
        inside = (np.abs(found[row]) > 1e-6) & (WEIGHTS[row] != 0)
        assert np.abs(slope[inside]).max() < 0.01
    assert check_grad(
        lambda x: np.logaddexp(0, x).sum(), lambda x: probabilities(x), np.zeros(3)
    ) == pytest.approx(0, abs=1e-6)


def test_spreads() -> None:
    judged = pairs(500)
    found = spreads(judged.features, judged.dated, np.ones(500))
    assert found[0, WORDING] == pytest.approx(judged.features[judged.dated, WORDING].std())
    assert (found[:, BASE] == 1).all()
    nobody = spreads(judged.features, np.ones(500, dtype=bool), np.ones(500))
    assert (nobody[1, 1:] == 0).all()


# --------------------------------------------------------------------------------------- asking


@given(
    chance=st.lists(st.floats(0, 1), min_size=1, max_size=60),
    count=st.integers(1, 80),
    seed=st.integers(0, 99),
)
def test_each_pair_is_drawn_once(chance: list[float], count: int, seed: int) -> None:
    places, inclusion = draw_doubtful(
        np.array(chance), np.arange(len(chance)) % 4, count, np.random.default_rng(seed)
    )
    assert len(places) == len(set(places.tolist())) == len(inclusion) == min(count, len(chance))
    assert ((inclusion > 0) & (inclusion <= 1 + 1e-9)).all()


def test_doubtful_pairs_are_drawn_more_often_and_weigh_less() -> None:
    chance = np.concatenate([np.full(50, 0.5), np.full(950, 0.02)])
    drawn = [
        draw_doubtful(chance, np.zeros(1000, dtype=np.int64), 40, np.random.default_rng(seed))
        for seed in range(200)
    ]
    doubtful = np.mean([(places < 50).sum() for places, _ in drawn])
    expected = 40 * 50 * 0.25 / (50 * 0.25 + 950 * 0.0196)
    assert doubtful == pytest.approx(expected, rel=0.05)
    # Weighted, they stand for all.
    assert np.mean([(1 / share).sum() for _, share in drawn]) == pytest.approx(1000, rel=0.05)


# --------------------------------------------------------------------------------- expectation


def test_expectation_of_a_better_and_of_no_other_model() -> None:
    judged = pairs(400)
    before = log_odds(judged.features, judged.dated, WEIGHTS)
    same = expect(before, before, judged.same, np.ones(400), 0.0)
    assert same.precision_change == same.recall_change == (0, 0, 0)
    reached = before >= 0
    assert same.precision_before.value == pytest.approx(judged.same[reached].mean())
    assert same.precision_before.low < same.precision_before.value < same.precision_before.high
    after = left_out_odds(judged, WEIGHTS, ONES)
    better = expect(before, after, judged.same, np.ones(400), 0.0)
    assert better.precision_change.low > 0
    none = expect(before - 1000, before, judged.same, np.ones(400), 0.0)
    assert none.to_dict()["precision_before"]["value"] is None
    json.dumps(none.to_dict(), allow_nan=False)


def test_what_answers_happen_not_to_show_is_still_possible() -> None:
    # All pairs of one event reach the threshold, as it happens; the archive has others.
    judged = pairs(60)
    before = log_odds(judged.features, judged.dated, WEIGHTS)
    same = judged.same & (before >= 0)
    alone = expect(before, before, same, np.ones(60), 0.0)
    assert alone.recall_before == (1, 1, 1)
    rest = log_odds(pairs(500, 1).features, pairs(500, 1).dated, WEIGHTS)
    unasked = Unasked(rest, rest, np.ones(500))
    found = expect(before, before, same, np.ones(60), 0.0, unasked)
    assert found.recall_before.low < found.recall_before.value < 1
    assert found.recall_change == found.precision_change == (0, 0, 0)
    # How many pairs each answer represents does not matter if it is the same for all.
    scaled = expect(
        before, before, same, np.full(60, 7.0), 0.0, unasked._replace(weight=rest * 0 + 3)
    )
    for name in ("precision_before", "recall_after"):
        assert getattr(scaled, name) == pytest.approx(getattr(found, name))
    # Without any pair left nothing is imagined.
    none = Unasked(rest[:0], rest[:0], rest[:0])
    assert expect(before, before, same, np.ones(60), 0.0, none) == alone


@pytest.mark.parametrize("measure", ["precision", "recall"])
def test_imagined_answers_are_what_the_constants_expect(measure: str) -> None:
    rest = np.repeat([-1.0, 2.0], 250)
    unasked = Unasked(rest, rest, np.ones(500))
    nothing = np.zeros(1)
    found = expect(nothing - 9, nothing - 9, nothing > 0, np.ones(1), 0.0, unasked)
    low, high = probabilities(np.array([-1.0, 2.0])).tolist()
    expected = {"precision": high, "recall": high / (low + high)}
    stated = getattr(found, f"{measure}_after")
    assert stated.value == pytest.approx(expected[measure])
    assert stated.low < stated.value < stated.high


def test_answers_are_tried_on_constants_that_do_not_know_them() -> None:
    judged = pairs(40)
    flipped = judged._replace(same=judged.same ^ (np.arange(40) == 0))
    one, other = (left_out_odds(j, WEIGHTS, ONES) for j in (judged, flipped))
    assert one[0] == other[0]
    assert (one[1:] != other[1:]).any()


# ------------------------------------------------------------------------------------ the model


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "model.json"
    learnt = never()
    learnt.write(path)
    assert EvidenceModel.read(path) == learnt
    told = json.loads(path.read_text("utf-8"))
    assert told["dated"]["base"] == {"shipped": WEIGHTS[0, BASE], "learnt": -900.0}
    assert told["answers"] == {"same": 3, "different": 7}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "not an evidence model"),
        ({"version": 99}, "version 99"),
        ({"checksum": "0"}, "checksum"),
        ({"dated": {}}, "checksum|constants"),
        ({"answers": {}}, "missing"),
        ({"undated": {"base": {"learnt": "x"}}}, "missing or not a number"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(json.dumps(model().to_dict() | change), "utf-8")
    with pytest.raises(SettingsError, match=message) as caught:
        EvidenceModel.read(path)
    assert "model.json" in str(caught.value)


def test_faulty_files_and_constants(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot read"):
        EvidenceModel.read(tmp_path / "none.json")
    (tmp_path / "m.json").write_text("{", "utf-8")
    with pytest.raises(SettingsError, match="not JSON"):
        EvidenceModel.read(tmp_path / "m.json")
    with pytest.raises(SettingsError, match="finite"):
        model(dated=(float("nan"),) * len(FEATURES))
    with pytest.raises(SettingsError, match="constants"):
        model(dated=(1.0,))
    with pytest.raises(SettingsError, match="not an EvidenceModel"):
        Settings(model="model.json")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="topics"):
        Settings(model=model(), granularity="topic")


# -------------------------------------------------------------------------- wherever it is given

REPORTS = [
    {"id": f"{event}{outlet}", "source": outlet, "published": f"2025-03-0{day}T0{hour}:00:00Z",
     "title": title, "text": f"{text} {outlet} reported it from the place."}
    for event, day, title, text in (
        ("camp", 1, "Gunmen attack Tessarit camp",
         "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers, the "
         "governor said. The attackers fled towards the northern border."),
        ("mine", 2, "Gold mine collapses at Kouroussa",
         "A gold mine collapsed at Kouroussa after heavy rain, and rescuers searched for "
         "eleven miners through the night, the prefect said."),
        ("vote", 3, "Assembly passes water bill",
         "The national assembly passed the water bill on Wednesday after a debate of two days "
         "on tariffs for farmers along the river."),
    )
    for hour, outlet in enumerate(("Wire", "Post", "Radio", "Times"))
]  # fmt: skip


def answers() -> list[JudgedPair]:
    ids = [report["id"] for report in REPORTS]
    return [
        JudgedPair(first=a, second=b, same=a[:4] == b[:4])
        for place, a in enumerate(ids)
        for b in ids[place + 1 :]
    ]


def test_a_model_reaches_batch_stream_and_estimator(tmp_path: Path) -> None:
    settings = Settings(model=never())
    assert len(sahel_dedup.cluster(REPORTS)) == 3
    apart = sahel_dedup.cluster(REPORTS, settings)
    assert len(apart) == len(REPORTS)
    apart.save(tmp_path / "stories.npz")
    assert sahel_dedup.Stories.load(tmp_path / "stories.npz").settings == settings
    assert len(set(StoryClusterer(model=never()).fit_predict(REPORTS).tolist())) == len(REPORTS)
    path = tmp_path / "news.index"
    with StoryIndex.open(path, settings) as index:
        for report in REPORTS:
            index.add(report)
        assert len(index) == len(REPORTS)
    assert settings_of(path).model == settings.model
    with StoryIndex.open(path) as index:
        assert index.settings.model == settings.model
    with pytest.raises(SettingsError, match="model"):
        StoryIndex.open(path, Settings())


def test_a_model_of_another_release_is_refused_before_anything_is_read() -> None:
    other = Settings(model=replace(model(), features=(*FEATURES[:-1], "smell")))
    with pytest.raises(SettingsError, match="teach again"):
        weights_of(other)
    with pytest.raises(SettingsError, match="teach again"):
        sahel_dedup.cluster([], other)
    with pytest.raises(SettingsError, match="teach again"):
        StoryIndex(other)


def test_teach_and_ask() -> None:
    lesson = teach(REPORTS, [*answers(), JudgedPair(first="x", second="campWire", same=True)])
    assert (lesson.model.same, lesson.model.different) == (18, 48)
    assert lesson.not_found == 1
    assert lesson.model.shipped_dated == tuple(WEIGHTS[0])
    stories = sahel_dedup.cluster(REPORTS, Settings(model=lesson.model))
    assert len(stories) == 3
    rows = ask(iter(REPORTS), 4, pairs=answers()[:3])
    known = {(pair.first, pair.second) for pair in answers()[:3]}
    assert 0 < len(rows) <= 4
    for row in rows:
        assert (row["a"], row["b"]) not in known
        assert row["same"] is None
        assert float(str(row["weight"])) >= 1
    with pytest.raises(SahelError, match="nothing to learn"):
        teach(REPORTS, answers()[:3])
    with pytest.raises(SahelError, match="nothing to learn"):
        teach(REPORTS, [pair for pair in answers() if pair.same])


def test_the_command(tmp_path: Path) -> None:
    archive, sheet = tmp_path / "news.jsonl", tmp_path / "sheet.jsonl"
    archive.write_text("".join(f"{json.dumps(report)}\n" for report in REPORTS), "utf-8")
    run = CliRunner().invoke
    assert run(app, ["teach", str(archive), "--ask", "5", "--sheet", str(sheet)]).exit_code == 0
    assert 0 < len(sheet.read_text("utf-8").splitlines()) <= 5
    told = tmp_path / "answers.jsonl"
    told.write_text(
        "".join(
            json.dumps({"a": pair.first, "b": pair.second, "same": int(bool(pair.same))}) + "\n"
            for pair in answers()
        ),
        "utf-8",
    )
    out = tmp_path / "model.json"
    done = run(app, ["teach", str(archive), "--pairs", str(told), "-o", str(out), "--json"])
    assert done.exit_code == 0
    assert EvidenceModel.read(out).same == 18
    shown = run(app, ["teach", str(archive), "--pairs", str(told), "-o", str(out)])
    assert "expected precision" in shown.output
    stories = tmp_path / "stories.jsonl"
    assert run(
        app, ["cluster", str(archive), "--model", str(out), "-o", str(stories)]
    ).exit_code == 0  # fmt: skip
    never().write(out)
    # Every command that scores pairs takes it: the sample and the pages of review are by it.
    sample, index, review = (tmp_path / name for name in ("s.jsonl", "news.index", "r.csv"))
    for command in (
        ["sample-pairs", str(stories), str(archive), "-o", str(sample)],
        ["review", str(stories), str(archive), "--sheet", str(review)],
        ["audit", str(archive)],
        ["index", "load", str(stories), str(archive), "--index", str(index)],
        ["index", "rebuild", str(index), str(tmp_path / "again.index")],
        ["ingest", str(archive), "--index", str(tmp_path / "fresh.index")],
    ):
        assert run(app, [*command, "--model", str(out)]).exit_code == 0, command
    for made in ("news", "again", "fresh"):
        assert settings_of(tmp_path / f"{made}.index").model == never()
    on_sheet = csv.DictReader(review.read_text("utf-8").splitlines())
    assert max(float(row["probability"]) for row in on_sheet) < 0.1
    drawn = map(json.loads, sample.read_text("utf-8").splitlines())
    assert max(row["probability"] for row in drawn) < 0.1
    for wrong in (["--ask", "5"], ["-o", str(out)], []):
        assert run(app, ["teach", str(archive), *wrong]).exit_code != 0
