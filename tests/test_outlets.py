"""Stories in which outlets repeat themselves, in batch and stream."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sahel_dedup import Settings, StoryIndex, cluster
from sahel_dedup.clustering.outlets import (
    ARTICLES_AN_OUTLET,
    LEAST_ARTICLES,
    count_outlets,
    divide_series,
    surcharge,
)
from sahel_dedup.scoring.log_odds import LIMIT
from tests.test_linkage import partition, some_scores

START = datetime(2025, 3, 3, 9, tzinfo=UTC)


def divided(scores: NDArray[np.float64], source: list[int], threshold: float) -> NDArray[np.int64]:
    one, two = np.triu_indices(len(scores), 1)
    labels = np.zeros(len(scores), dtype=np.int64)
    outlets = np.array(source, dtype=np.int32)
    return divide_series(labels, one, two, scores[one, two], outlets, threshold)


@given(st.integers(1, 300), st.data())
def test_the_surcharge_rises_with_what_each_outlet_has(outlets: int, data: st.DataObject) -> None:
    articles = data.draw(st.integers(outlets, 40 * outlets))
    asked = surcharge(articles, outlets)
    few = articles < LEAST_ARTICLES or articles <= ARTICLES_AN_OUTLET * outlets
    assert (asked == 0) == few
    assert surcharge(articles + 1, outlets) >= asked >= surcharge(articles, outlets + 1)


def test_near_copies_of_one_outlet_are_one_story_however_many() -> None:
    size = 400
    assert len(set(divided(np.full((size, size), LIMIT), [3] * size, 1.0).tolist())) == 1


@given(st.lists(st.integers(-1, 4), max_size=12))
def test_outlets_are_counted(source: list[int]) -> None:
    known = {number for number in source if number >= 0}
    assert count_outlets(np.array(source, dtype=np.int32)) == len(known) + source.count(-1)


@given(
    st.integers(0, 2**32 - 1), st.lists(st.integers(-1, 3), min_size=2, max_size=9),
    st.sampled_from([-0.66, 0.0, 1.0]),
)  # fmt: skip
def test_stories_are_cut_where_their_mean_is_too_low(
    seed: int, source: list[int], threshold: float
) -> None:
    scores = some_scores(seed, len(source))
    labels = divided(scores, source, threshold)
    if surcharge(len(source), count_outlets(np.array(source))) == 0:
        assert len(set(labels.tolist())) == 1
        return
    # Slowly: join the two nearest groups until one is left; then cut from the top.
    groups: list[tuple[float, list[Any]]] = [(LIMIT, [i]) for i in range(len(source))]

    def leaves(group: tuple[float, list[Any]]) -> list[int]:
        return [
            row
            for part in group[1]
            for row in (leaves(part) if isinstance(part, tuple) else [part])
        ]

    while len(groups) > 1:
        mean, i, j = max(
            (scores[np.ix_(leaves(groups[i]), leaves(groups[j]))].mean(), i, j)
            for i in range(len(groups))
            for j in range(i)
        )
        merged = (float(mean), [groups[i], groups[j]])
        groups = [group for k, group in enumerate(groups) if k not in (i, j)] + [merged]
    found: list[frozenset[int]] = []
    while groups:
        group = groups.pop()
        rows = leaves(group)
        outlets = count_outlets(np.array(source)[rows])
        if len(rows) == 1 or group[0] >= threshold + surcharge(len(rows), outlets):
            found.append(frozenset(rows))
        else:
            groups += group[1]
    assert partition(labels) == set(found)


def test_a_story_of_which_pairs_are_missing_stays_whole() -> None:
    one, two = np.triu_indices(12, 1)
    inside = (one < 6) == (two < 6)
    inside[0] = False  # one pair of the first story
    one, two = one[inside], two[inside]
    labels = np.repeat([0, 1], 6)
    source = np.zeros(12, dtype=np.int32)
    found = divide_series(labels, one, two, np.full(len(one), -3.0), source, 0.0)
    assert found[:6].tolist() == [0] * 6
    assert len(set(found[6:].tolist())) == 6


def reports(outlets: int) -> list[dict[str, Any]]:
    """Write six reports of a market, of one morning: what is said last is another thing each."""
    ends = (
        "Barley was traded in small lots, as mills stayed away, and malt found no bids",
        "Exporters bought for shipment from the northern port, where two ships wait for cargo",
        "A dry spell in the plains held sellers back, and farmers count on better offers in June",
        "Brokers spoke of a large order from overseas that a state agency may place soon",
        "Oats followed without much trade, while maize was bid up by makers of starch",
        "Funds sold towards the close, gains were lost, and the pit emptied early",
    )
    return [
        {
            "id": f"r{number}",
            "title": f"Arlen grain at {9 + number}:10",
            "text": "Wheat for May and July was firm on the Arlen board this morning, dealers of "
            f"the house of Tamm said by telephone, and little was sold. {end}.",
            "published": (START + timedelta(minutes=50 * number)).isoformat(),
            "source": f"paper {number % outlets}",
        }
        for number, end in enumerate(ends)
    ]


@pytest.mark.parametrize(("outlets", "most"), [(6, 6), (1, 4)])
def test_what_one_outlet_tells_all_day_is_a_series(outlets: int, most: int) -> None:
    rows = reports(outlets)
    batch = max(len(story.articles) for story in cluster(rows))
    with StoryIndex() as index:
        index.add_many(rows)
        stream = max(len(story.articles) for story in index.stories())
    assert batch <= most
    assert stream <= most
    assert outlets == 1 or batch == stream == most


def reports_of_a_topic() -> list[dict[str, str]]:
    """Eight reports on one affair by one outlet, over weeks."""
    what = (
        "Judge Marta Illen opened the hearings with a minute of silence.",
        "Minister Poul Egge denied that his office had ignored warnings from geologists.",
        "Engineers disagreed over cracks that a diver had photographed in November.",
        "Members walked along the valley, past ruined sawmills and a chapel without a roof.",
        "Lawyers for the bank asked for contracts signed by a former treasurer.",
        "Builder Karl Ostrem wept when he was shown pictures of the concrete.",
        "Letters found in a cellar mention bribes for an inspector named Dahl.",
        "Families lit candles as the final report blamed haste and thrift.",
    )
    return [
        {
            "id": f"t{n}",
            "source": "Gazette",
            "published": f"2025-03-{3 * n + 1:02d}",
            "title": " ".join(sentence.split()[:5]),
            "text": f"{sentence} The inquiry into the Orvane dam goes on.",
        }
        for n, sentence in enumerate(what)
    ]


def test_an_outlet_may_report_on_a_topic_as_often_as_it_likes() -> None:
    rows, topic = reports_of_a_topic(), Settings(granularity="topic")
    assert len(cluster(rows, topic)) == 1
    with StoryIndex(topic) as index:
        for row in rows:
            index.add(row)
        assert len(list(index.stories())) == 1
