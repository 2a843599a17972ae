"""Meetings of an archive that has grown: what the last run knew changes none."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sahel_dedup.scoring import kept_meetings, meetings
from sahel_dedup.scoring.kept_meetings import KeptMeetings
from sahel_dedup.scoring.meetings import Line, closest, neighbours_in
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.layout import Layout

LAYOUT = Layout(12, 3)


@given(st.data())
def test_meetings_are_found_as_if_they_were_found_anew(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 60))
    draw = np.random.default_rng(data.draw(st.integers(0, 1000)))
    # Few values for each slot: buckets are crowded.
    salience = draw.integers(1, data.draw(st.integers(2, 5)), (n, SLOTS), dtype=np.uint32)
    gap = data.draw(st.sampled_from([0.0, 1.5]))
    # Articles of one place, and in no order if they are outlets.
    place = draw.integers(0, 20, n) / 2
    if gap:
        place.sort()
    need = draw.random(n) < data.draw(st.sampled_from([0.3, 0.9, 1.0]))
    size = 0
    kept = KeptMeetings(0)
    with (
        mock.patch.object(meetings, "COMPARED", data.draw(st.integers(1, 6))),
        mock.patch.object(kept_meetings, "MOST_MOVED", data.draw(st.sampled_from([3, 1000]))),
    ):
        alive = np.zeros(n, dtype=np.bool_)
        for _ in range(3):
            before, alive = alive, alive | (draw.random(n) < 0.6)
            row = np.cumsum(alive)[before] - 1
            size = int(alive.sum())
            kept = KeptMeetings(size, row, kept.arrays())
            line = Line.of(np.arange(size), place[alive], gap)
            asking = need[alive] & (draw.random(size) < 0.9)
            some = salience[alive]
            found = kept.closest(some, line, asking, LAYOUT, 1)
            assert np.array_equal(found, closest(some, line, asking, LAYOUT, 1))


def test_little_is_found_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(1)
    salience = draw.integers(1, 40, (400, SLOTS), dtype=np.uint32)
    place = np.arange(400) / 10
    everyone = np.ones(400, dtype=np.bool_)
    first = KeptMeetings(390)
    line = Line.of(np.arange(390), place[:390], 1.5)
    first.closest(salience[:390], line, everyone[:390], LAYOUT, 1)
    kept = KeptMeetings(400, np.arange(390), first.arrays())
    asked: list[int] = []
    met = kept_meetings._Inside.met

    def watched(self: kept_meetings._Inside, asking: NDArray[np.bool_]) -> NDArray[np.int64]:
        asked.append(int(np.count_nonzero(asking)))
        return met(self, asking)

    monkeypatch.setattr(kept_meetings._Inside, "met", watched)
    monkeypatch.setattr(kept_meetings, "closest", None)
    kept.closest(salience, Line.of(np.arange(400), place, 1.5), everyone, LAYOUT, 1)
    assert asked[:3] == [390, 390, 10]
    assert sum(asked[3:]) < 30


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.booleans()), max_size=25),
       st.sampled_from([0.0, 1.5]))  # fmt: skip
def test_neighbours_are_the_nearest_beyond_the_gap(
    members: list[tuple[int, int, bool]], gap: float
) -> None:
    members.sort()
    bucket = np.array([m[0] for m in members], dtype=np.int64)
    place = np.array([m[1] / 2 for m in members])
    asking = np.array([m[2] for m in members], dtype=np.bool_)
    order = np.arange(len(members))
    expected = set()
    for i in np.flatnonzero(asking).tolist():
        same = np.flatnonzero(bucket == bucket[i])
        later = same[same > i] if not gap else same[place[same] > place[i] + gap]
        sooner = same[same < i] if not gap else same[place[same] < place[i] - gap]
        expected |= {(i, int(side)) for side in (*later[:1], *sooner[-1:])}
    one, two = neighbours_in(bucket, order, place, gap, asking)
    assert sorted(zip(one.tolist(), two.tolist(), strict=True)) == sorted(expected)
