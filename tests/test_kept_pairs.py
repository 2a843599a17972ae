"""Candidate pairs of an archive that has grown: what the last run knew changes no result."""

from __future__ import annotations

import logging
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sahel_dedup.articles import Article
from sahel_dedup.batch import Archive
from sahel_dedup.candidates import grown, lsh
from sahel_dedup.candidates.buckets import ArchiveBuckets, bucket_keys
from sahel_dedup.candidates.grown import changed_pairs
from sahel_dedup.candidates.lsh import band_keys, candidate_pairs
from sahel_dedup.candidates.pair_table import PairTable
from sahel_dedup.clustering.recut import Compared
from sahel_dedup.io.checkpoint import Checkpoint
from sahel_dedup.io.kept_reading import KeptReading
from sahel_dedup.scoring import kept_pairs, proposals
from sahel_dedup.scoring.log_odds import least_cosine
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.fingerprint import EMPTY_SLOT, SLOTS
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.sketch.sketcher import Sketcher
from tests.test_checkpoint import write

SETTINGS = Settings(workers=1)
SHORT = replace(SETTINGS, window=timedelta(days=2))


@given(st.data())
def test_pairs_change_as_if_they_were_proposed_anew(data: st.DataObject) -> None:
    n = data.draw(st.integers(0, 60))
    draw = np.random.default_rng(data.draw(st.integers(0, 1000)))
    # Few values for each slot: buckets are crowded.
    values = data.draw(st.integers(2, 6))
    salience = draw.integers(1, values, (n, SLOTS), dtype=np.uint32)
    salience[draw.random(n) < 0.05] = EMPTY_SLOT
    day = np.sort(draw.uniform(0, 20, n))
    day[: draw.integers(0, n // 3 + 1)] = np.nan
    window, layout = data.draw(st.sampled_from([1.0, 7.0, np.inf])), Layout(12, 3)
    alive = salience[:, 0] != EMPTY_SLOT
    before, now = (alive & (draw.random(n) < share) for share in (0.8, 0.9))

    def pairs(member: Any) -> tuple[Any, Any]:
        rows = np.flatnonzero(member)
        one, two = candidate_pairs(salience[rows], day[rows], window, layout)
        return rows[one], rows[two]

    with (
        mock.patch.object(lsh, "BUCKET_REACH", data.draw(st.integers(1, 6))),
        mock.patch.object(lsh, "_LEAST_AGREEMENT", (20, 30)),
    ):
        former, expected = pairs(before), pairs(now)
        table = PairTable.of(*former, np.zeros(len(former[0]), np.uint16), n)
        found = changed_pairs(salience, day, window, layout, (before, now), table)
        assert found is not None
        merged = table.changed(*found, 7)
    kept = {*zip(*(np.delete(side, found.lost).tolist() for side in former), strict=True)}
    fresh = {*zip(found.first.tolist(), found.second.tolist(), strict=True)}
    assert not kept & fresh
    assert sorted(kept | fresh) == list(zip(*(s.tolist() for s in expected), strict=True))
    value = np.array([7 * ((i, j) in fresh) for i, j in zip(*expected, strict=True)], np.uint16)
    whole = PairTable.of(*expected, value, n)
    for name in PairTable._fields:
        assert np.array_equal(getattr(merged, name), getattr(whole, name)), name


def test_values_without_others() -> None:
    values, others = np.array([1, 3, 5, 9]), np.array([3, 4, 9])
    assert grown.without(values, others).tolist() == [1, 5]
    assert grown.without(values, others[:0]).tolist() == values.tolist()
    assert grown.without(values[:0], others).tolist() == []


def texts(draw: np.random.Generator, size: int) -> list[dict[str, Any]]:
    """Invent articles of few events, some copied word by word, some without date."""
    words = [f"word{number}" for number in range(120)]
    rows: list[dict[str, Any]] = []
    for number in range(size):
        event = np.random.default_rng(int(draw.integers(0, 8)))
        base = list(event.choice(words, 30))
        for place in draw.integers(0, 30, int(draw.integers(0, 25))).tolist():
            base[place] = str(draw.choice(words))
        row: dict[str, Any] = {
            "id": f"a{number}", "text": " ".join(base), "title": f"{base[0]} {number % 3}",
            "published": f"2024-01-{1 + int(draw.integers(0, 12)):02}",
            "source": f"s{int(draw.integers(0, 4))}", "lang": str(draw.choice(["en", "en", "fr"])),
        }  # fmt: skip
        if draw.random() < 0.2:
            row["published"] = None
        if rows and draw.random() < 0.15:
            row["text"] = rows[int(draw.integers(0, len(rows)))]["text"]
        rows.append(row)
    return rows


def compared(source: Any, chosen: Settings) -> tuple[Archive, Compared]:
    archive = Archive.read(source, chosen, lambda *_: None)
    return archive, archive.compare(chosen.merge_threshold)


def reading(folder: Path, paths: list[Path]) -> KeptReading:
    return KeptReading(Checkpoint(str(folder / "kept")), list(paths))


@settings(max_examples=8)
@given(st.data())
def test_what_is_scored_is_the_same(data: st.DataObject) -> None:
    draw = np.random.default_rng(data.draw(st.integers(0, 10_000)))
    rows = texts(draw, data.draw(st.integers(10, 60)))
    cuts = sorted(draw.integers(0, len(rows), 4).tolist())
    chosen = data.draw(st.sampled_from([
        SETTINGS, SHORT, replace(SETTINGS, granularity="topic"),
        replace(SETTINGS, min_probability=0.9),
    ]))  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = [
            write(folder / f"{i}.jsonl", rows[start:end])
            for i, (start, end) in enumerate(zip([0, *cuts], [*cuts, len(rows)], strict=True))
        ]
        # Files come, go, and come in another order.
        for some in ([0, 1], [0, 1, 2], [2, 1, 0, 3], [0, 1, 3], [0, 1, 2, 3, 4]):
            paths = [files[i] for i in some]
            articles = [Article.from_mapping(row) for i in some
                        for row in rows[([0, *cuts])[i] : ([*cuts, len(rows)])[i]]]  # fmt: skip
            archive, found = compared(reading(folder, paths), chosen)
            fresh, expected = compared(articles, chosen)
            assert archive.ids == fresh.ids
            for name in ("first", "second", "cosine", "score"):
                one, two = (getattr(c.pairs, name) for c in (found, expected))
                assert np.array_equal(one, two), (some, name)
            one, two = (c.evidence.recurrence for c in (found, expected))
            assert np.array_equal(one, two)
            one, two = (
                [(s.id, s.articles, s.canonical) for s in a.stories()] for a in (archive, fresh)
            )
            assert one == two


def test_no_bound_is_too_low(tmp_path: Path) -> None:
    draw = np.random.default_rng(3)
    rows = texts(draw, 120)
    files = [write(tmp_path / f"{i}.jsonl", rows[30 * i : 30 * i + 30]) for i in range(4)]
    compared(reading(tmp_path, files[:1]), SETTINGS)
    raise_bounds, spared = kept_pairs.raise_bounds, []

    def watched(table: Any, turn: Any, rough: Any, *more: Any) -> Any:
        likely = raise_bounds(table, turn, rough, *more)
        first = np.repeat(np.arange(len(turn)), np.diff(table.indptr))
        second = table.second.astype(np.int64)
        dropped = np.ones(len(second), dtype=np.bool_)
        dropped[likely[1]] = False
        bound = (table.value + rough[first] + rough[second]) / 8192
        spared.append((first, second, bound, dropped))
        return likely

    with mock.patch.object(kept_pairs, "raise_bounds", watched):
        for some in (2, 3, 4):
            archive, found = compared(reading(tmp_path, files[:some]), SETTINGS)
            first, second, bound, dropped = spared[-1]
            cosine = found.similarity.cosines(first, second)
            assert (cosine <= bound).all()
            dated = ~np.isnan(archive.profiles.day[first] - archive.profiles.day[second])
            assert (cosine < least_cosine(dated))[dropped].all()
    assert len(spared) == 3
    assert any(dropped.any() for *_, dropped in spared)


def test_little_is_compared_again(tmp_path: Path) -> None:
    draw = np.random.default_rng(5)
    rows = texts(draw, 200)
    files = [write(tmp_path / "old.jsonl", rows[:195]), write(tmp_path / "new.jsonl", rows[195:])]
    compared(reading(tmp_path, files[:1]), SETTINGS)
    with (
        mock.patch.object(proposals, "candidate_pairs", side_effect=AssertionError),
        mock.patch.object(Similarity, "cosines", autospec=True, side_effect=Similarity.cosines)
        as cosines,
    ):  # fmt: skip
        compared(reading(tmp_path, files), SETTINGS)
    again = len(cosines.call_args_list[0].args[1])
    archive, _ = compared([Article.from_mapping(row) for row in rows], SETTINGS)
    everything, _ = candidate_pairs(archive.profiles.salience, archive.profiles.day, 7.0,
                                    SETTINGS.layout)  # fmt: skip
    assert again < len(everything)


def test_other_settings_are_told_and_proposed_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rows = texts(np.random.default_rng(1), 30)
    path = write(tmp_path / "a.jsonl", rows)
    compared(reading(tmp_path, [path]), SETTINGS)
    with caplog.at_level(logging.INFO, "sahel_dedup"):
        for chosen, told in ((replace(SETTINGS, min_probability=0.8), 0),
                               (SHORT, 1), (SETTINGS, 2)):  # fmt: skip
            compared(reading(tmp_path, [path]), chosen)
            assert sum("other articles or settings" in text for text in caplog.messages) == told


def test_pairs_of_other_names_are_not_used(tmp_path: Path) -> None:
    rows = texts(np.random.default_rng(1), 30)
    paths = [write(tmp_path / "a.jsonl", rows[:15]), write(tmp_path / "b.jsonl", rows[15:])]
    compared(reading(tmp_path, paths), SETTINGS)
    pairs = (tmp_path / "kept" / "pairs.npz").read_bytes()
    other = Checkpoint(str(tmp_path / "other"))
    compared(KeptReading(other, paths[::-1]), SETTINGS)
    (tmp_path / "other" / "pairs.npz").write_bytes(pairs)
    other.start(Sketcher())
    assert other.load_pairs(["second"]) is None


def test_large_archives_keep_no_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_pairs, "_MOST_ARTICLES", 10)
    path = write(tmp_path / "a.jsonl", texts(np.random.default_rng(1), 20))
    for _ in range(2):
        compared(reading(tmp_path, [path]), SETTINGS)
        assert not (tmp_path / "kept" / "pairs.npz").exists()


@given(st.integers(0, 30), st.integers(0, 1000), st.integers(1, 3))
def test_members_of_buckets_are_those_with_equal_keys(n: int, seed: int, values: int) -> None:
    draw = np.random.default_rng(seed)
    salience = draw.integers(0, 1 + values, (n, SLOTS), dtype=np.uint32)
    layout = Layout(7, 2)
    some = np.flatnonzero(draw.random(n) < 0.2)
    rows = np.flatnonzero(draw.random(n) < 0.8)
    buckets = ArchiveBuckets.of(salience, layout, some, 5)
    found = buckets.members(rows, 1)
    keys = [band_keys(salience, layout, band) >> lsh.KEY_SHIFT for band in range(5)]
    expected = sorted(
        (band, int(keys[band][row]), int(row))
        for band in range(5)
        for row in rows
        if keys[band][row] in keys[band][some]
    )
    bands = buckets.band[found.bucket].tolist()
    assert sorted(
        (band, int(keys[band][row]), row)
        for band, row in zip(bands, found.row.tolist(), strict=True)
    ) == expected  # fmt: skip
    assert len(set(found.bucket.tolist())) == len({place[:2] for place in expected})
    for extra in (0, 1, 2):
        band = np.full(n, 3)
        one = bucket_keys(salience, layout, np.arange(n), band, extra)
        two = band_keys(salience, layout, 3, extra) >> lsh.KEY_SHIFT
        assert np.array_equal(one, two + np.uint64(1))


def test_much_that_has_changed_is_proposed_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rows = texts(np.random.default_rng(2), 60)
    paths = [write(tmp_path / "a.jsonl", rows[:30]), write(tmp_path / "b.jsonl", rows[30:])]
    compared(reading(tmp_path, paths[:1]), SETTINGS)
    monkeypatch.setattr(grown, "MOST_MOVED", 10)
    with caplog.at_level(logging.INFO, "sahel_dedup"):
        _, found = compared(reading(tmp_path, paths), SETTINGS)
    assert any("all pairs are proposed" in text for text in caplog.messages)
    _, expected = compared([Article.from_mapping(row) for row in rows], SETTINGS)
    assert np.array_equal(found.pairs.score, expected.pairs.score)
