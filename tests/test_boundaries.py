"""Every comparison of days, scores and counts that decides about stories, at its very boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from sahel_dedup import Article, Settings, StoryIndex, cluster
from sahel_dedup.batch import Archive
from sahel_dedup.candidates.exact_copies import (
    LEAST_ECHO,
    MANY_HEADLINES,
    MANY_HEADLINES_ANYWHERE,
    exact_duplicates,
    is_placeholder,
    placeholder_pages,
)
from sahel_dedup.candidates.lsh import agree, candidate_pairs
from sahel_dedup.clustering import large_components
from sahel_dedup.clustering.average_linkage import (
    DATED_JOIN,
    UNDATED_JOIN,
    UNDATED_START,
    average_link,
    link_stories,
    parts_held,
)
from sahel_dedup.clustering.large_components import is_large
from sahel_dedup.clustering.window import Times, fit
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.index import candidates, online_recurrence
from sahel_dedup.index.online_linkage import join_stories, join_surplus, split_story
from sahel_dedup.index.online_tfidf import ComparedPairs
from sahel_dedup.scoring.background import GAP_DAYS, background_pairs, weight_of
from sahel_dedup.scoring.copies import COPY_COSINE, is_copy, is_filling
from sahel_dedup.scoring.evidence import Evidence
from sahel_dedup.scoring.features import FEATURES, WORDING
from sahel_dedup.scoring.log_odds import (
    DISTINCT_COSINE,
    FLOOR,
    LEAST_COSINE,
    LEAST_COSINE_UNDATED,
    LIMIT,
    known_dates,
    least_cosine,
    row_of_constants,
    scores,
)
from sahel_dedup.scoring.meetings import neighbours
from sahel_dedup.scoring.recurrence import LOWEST_RECURRENCE, RANK
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.layout import Layout
from tests.test_linkage import Known, every_pair, partition

NOON = datetime(2024, 3, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
WEEK = timedelta(days=7)
REPORTS = (
    "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers and wounding "
    "fourteen, the governor said. The attackers came on motorcycles and burned four vehicles.",
    "Nine soldiers were killed and fourteen wounded on Monday when gunmen on motorcycles "
    "attacked the army camp at Tessarit, according to the governor. Four vehicles were burned.",
)
Group = Callable[[Iterable[dict[str, Any]], Settings], int]


def _in_batch(rows: Iterable[dict[str, Any]], settings: Settings) -> int:
    return len(cluster(rows, settings))


def _in_a_stream(rows: Iterable[dict[str, Any]], settings: Settings) -> int:
    with StoryIndex(settings) as index:
        for row in rows:
            index.add(row)
        return len(list(index.stories()))


def _at_once_in_a_stream(rows: Iterable[dict[str, Any]], settings: Settings) -> int:
    with StoryIndex(settings) as index:
        index.add_many(rows)
        return len(list(index.stories()))


def _times(*days: float | None) -> Times:
    day = np.array([np.nan if day is None else day for day in days], dtype=np.float64)
    return Times(day, day, 7.0)


def _above(value: float) -> float:
    return float(np.nextafter(value, np.inf))


def _below(value: float) -> float:
    return float(np.nextafter(value, -np.inf))


# Days ---------------------------------------------------------------------------------


@pytest.mark.parametrize("group", [_in_batch, _in_a_stream, _at_once_in_a_stream])
@pytest.mark.parametrize("window", [WEEK, timedelta(hours=30)])
@pytest.mark.parametrize("texts", [REPORTS, (REPORTS[0], REPORTS[0])], ids=["reworded", "copies"])
def test_articles_as_far_apart_as_the_window_are_one_story(
    group: Group, window: timedelta, texts: tuple[str, str]
) -> None:
    settings = Settings(window=window)
    for apart, stories in ((window - SECOND, 1), (window, 1), (window + SECOND, 2)):
        rows = [
            {"id": str(n), "text": text, "published": NOON + n * apart, "source": str(n)}
            for n, text in enumerate(texts)
        ]
        assert group(rows, settings) == stories, apart


def test_copies_as_far_apart_as_the_window_are_exact_duplicates() -> None:
    body, headline = np.full(4, 7, np.uint64), np.full(4, 5, np.uint64)

    def firsts(*days: float) -> list[int]:
        return list(map(int, exact_duplicates(body, headline, np.array(days), 7.0)))

    assert firsts(0, 7, 14, 21) == [0, 0, 2, 2]
    assert firsts(0, _above(7), 14, 21) == [0, 1, 1, 3]
    assert firsts(0, 7, _above(7), 14) == [0, 0, 2, 2]


def test_a_whole_story_lies_within_the_window() -> None:
    every = np.full(3, 2.0)
    for days, stories in (
        ((0, 3.5, 7), 1),
        ((0, 3.5, _above(7)), 2),
        ((0, None, 7), 1),
        ((0, None, _above(7)), 2),
    ):
        times = _times(*days)
        assert times.within() == (stories == 1)
        assert bool(fit(0, 2, *times)) == (stories == 1)
        assert len(partition(average_link(every, 0.0, times))) == stories


@pytest.mark.parametrize("group", [_in_batch, _in_a_stream, _at_once_in_a_stream])
def test_three_articles_of_one_event_lie_within_the_window(group: Group) -> None:
    for days, stories in (((0, 3.5, 7), 1), ((0, 3.5, 7.5), 2), ((0, None, 7), 1)):
        rows = [
            {"id": str(n), "text": text, "source": str(n)}
            | ({} if day is None else {"published": NOON + timedelta(days=day)})
            for n, (text, day) in enumerate(zip((*REPORTS, REPORTS[0]), days, strict=True))
        ]
        assert group(rows, Settings()) == stories, days


def test_candidates_as_far_apart_as_the_window_are_proposed() -> None:
    salience = np.tile(np.arange(128, dtype=np.uint32), (2, 1))
    for apart, pairs in ((7.0, 1), (_above(7.0), 0)):
        first, _ = candidate_pairs(salience, np.array([0.0, apart]), 7.0, Layout(64, 2))
        assert len(first) == pairs


def test_evidence_holds_up_to_the_window() -> None:
    for apart, outside in ((WEEK, False), (WEEK + SECOND, True)):
        articles = [
            Article(str(n), text, published=NOON + n * apart) for n, text in enumerate(REPORTS)
        ]
        archive = Archive.read(articles, Settings(), lambda *_: None)
        similarity = Similarity(archive.profiles, archive.sketcher)
        evidence = Evidence(archive.profiles, similarity, np.full(2, LOWEST_RECURRENCE), Settings())
        one, two = np.array([0]), np.array([1])
        for pairs in (evidence.score_pairs(one, two), evidence.score_unlikely_pairs(one, two)):
            assert (pairs.score.tolist() == [-LIMIT]) == outside


def test_background_articles_lie_beyond_the_gap() -> None:
    for apart, meets in ((_below(GAP_DAYS), False), (GAP_DAYS, False), (GAP_DAYS + 1e-6, True)):
        place = np.array([0.0, apart])
        keys = np.array([9, 9], np.uint64) << np.uint64(40)
        one, two = neighbours(keys, place, GAP_DAYS, np.ones(2, dtype=bool))
        pairs = set(zip(one.tolist(), two.tolist(), strict=True))
        assert pairs == ({(0, 1), (1, 0)} if meets else set()), apart


def test_a_stream_tells_relatives_and_background_apart_at_the_same_boundaries() -> None:
    days = (GAP_DAYS, _above(GAP_DAYS), 7.0, _above(7.0))
    day = np.array([*days, 0.0])
    first, second = np.full(4, 4), np.arange(4)
    pairs, story = (first, second, np.full(4, 20)), np.ones(5, np.uint64)
    near, far = np.zeros((2, 4), dtype=np.bool_)
    room = np.empty(SLOTS + 1, dtype=np.int64)
    assert candidates._keep_sides(pairs, day, story, 7.0, near, far, room) == 4
    assert second.tolist() == [0, 1, 2, 3]
    assert near.tolist() == [True, True, True, False]
    assert far.tolist() == [False, True, True, True]
    # An expired article cannot be joined.
    story[1] = 0
    assert candidates._keep_sides(pairs, day, story, 7.0, near, far, room) == 4
    assert near.tolist() == [True, False, True, False]


def test_recurrence_rises_within_the_window_and_above_its_least_value() -> None:
    day = np.array([7.0, _above(7.0), 0.0])
    story = np.ones(3, np.uint64)
    arriving = np.int64(2)
    matter = [
        online_recurrence._matters(arriving, row, day, story, 7.0) for row in np.array([0, 1])
    ]
    assert matter == [True, False]

    index = StoryIndex()
    index.add_many(Article(str(n), text) for n, text in enumerate(REPORTS))
    live = index._session.engine.live
    pair, no, yes = np.array([0]), np.array([False]), np.array([True])
    live.profiles.day[:2] = 0.0, 5.0
    for cosine, raises in ((_above(LOWEST_RECURRENCE), 1), (LOWEST_RECURRENCE, 0)):
        found = ComparedPairs(pair + 1, pair, np.array([cosine]), pair, live.similarity)
        _, background, _ = candidates.judge(live, found, no, yes)
        assert len(background.first) == raises


def test_stories_expire_when_all_came_before_the_day() -> None:
    for before, expired in ((NOON, 0), (NOON + SECOND, 1)):
        with StoryIndex() as index:
            index.add({"id": "a", "text": REPORTS[0], "published": NOON - 3 * WEEK})
            index.add({"id": "b", "text": REPORTS[1], "published": NOON})
            index.add({"id": "c", "text": "Millet prices rose.", "published": NOON + WEEK})
            assert len(index.expire(NOON - 2 * WEEK)) == 1
            assert len(index.expire(before)) == expired
            assert ("b" in index, "c" in index) == (not expired, True)


# Scores -------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.0, 0.75, 2.5])
def test_a_pair_that_reaches_the_threshold_is_a_story(threshold: float) -> None:
    for score, stories in ((threshold, 1), (_below(threshold), 2)):
        scores = np.array([[0.0, score], [score, 0.0]])
        labels, _ = link_stories(every_pair(scores), _times(1, 1), Known(scores), threshold)
        assert len(partition(labels)) == stories


def test_stories_whose_mean_reaches_the_bar_are_one() -> None:
    # The mean of the third article's scores is exactly the threshold; powers of two are not
    # rounded.
    for third, stories in ((-1.0, 1), (-1.0 - 2**-30, 2)):
        labels = average_link(np.array([2.0, 1.0, third]), 0.0, _times(1, 1, 1))
        assert len(partition(labels)) == stories


def test_a_story_without_dates_may_start_at_the_very_threshold() -> None:
    for score, stories in ((UNDATED_START, 1), (_below(UNDATED_START), 2)):
        scores = np.array([[0.0, score], [score, 0.0]])
        evidence = Known(scores, times_known=False)
        labels, _ = link_stories(every_pair(scores), _times(None, None), evidence, 0.0)
        assert len(partition(labels)) == stories


def test_words_that_differ_rule_out_one_event_of_dated_articles() -> None:
    """Just below the least cosine even the best other evidence does not count."""
    features = np.zeros((2, len(FEATURES)))
    features[:, WORDING] = np.log(DISTINCT_COSINE), np.log(_below(DISTINCT_COSINE))
    features[:, FEATURES.index("headline")] = 100
    first, second = np.array([0, 0]), np.array([1, 1])
    topics = Settings(granularity="topic")
    for day, settings, found in (
        ([1.0, 1.0], Settings(), [LIMIT, FLOOR]),
        ([1.0, np.nan], Settings(), [LIMIT, LIMIT]),
        ([1.0, 1.0], topics, scores(features, first, second, np.array([np.nan] * 2), topics)),
    ):
        assert scores(features, first, second, np.array(day), settings).tolist() == list(found)


def test_a_missing_date_matters_within_one_outlet_or_if_both_are_missing() -> None:
    features = np.zeros((3, len(FEATURES)))
    day = np.array([1.0, 2.0, np.nan, np.nan])
    first, second = np.array([0, 0, 2]), np.array([1, 2, 3])
    assert known_dates(day, first, second).tolist() == [2, 1, 0]
    assert row_of_constants(features, day, first, second).tolist() == [0, 0, 1]
    features[:, FEATURES.index("same_outlet")] = 1
    assert row_of_constants(features, day, first, second).tolist() == [0, 1, 1]


def test_the_largest_component_is_not_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_components, "MAX_COMPONENT", 3)
    assert is_large(np.array([0, 0, 0])).tolist() == [False] * 3
    assert is_large(np.array([0, 0, 0, 0])).tolist() == [True] * 4


def test_scores_are_cut_at_their_bounds() -> None:
    articles = [
        Article("a", REPORTS[0]),
        Article("b", "Millet prices rose."),
        Article("c", "Rain."),
    ]
    articles += [Article("d", REPORTS[0], title="Raid"), Article("e", REPORTS[0], title="Raid")]
    archive = Archive.read(articles, Settings(), lambda *_: None)
    similarity = Similarity(archive.profiles, archive.sketcher)
    evidence = Evidence(archive.profiles, similarity, np.full(5, LOWEST_RECURRENCE), Settings())
    rows = {name: row for row, name in enumerate(archive.ids)}
    pairs = [(rows["a"], rows["b"]), (rows["d"], rows["e"])]
    first, second = (np.array(side) for side in zip(*map(sorted, pairs), strict=True))
    assert evidence.score_pairs(first, second).score.tolist() == [FLOOR, LIMIT]
    assert evidence.score_unlikely_pairs(first, second).score.tolist() == [FLOOR, LIMIT]


def test_less_alike_is_worth_no_look() -> None:
    assert least_cosine(np.array([True, False])).tolist() == [LEAST_COSINE, LEAST_COSINE_UNDATED]


# Undated articles of a stream ---------------------------------------------------------


class Scores:
    """Replaces scores between rows."""

    def __init__(self, scores: dict[tuple[int, int], float]) -> None:
        self.scores = scores

    def score_pairs(self, pairs: Iterable[tuple[int, int]]) -> None:
        assert set(pairs) <= self.scores.keys()

    def get(self, one: int, other: int) -> tuple[float, float]:
        return self.scores[min(one, other), max(one, other)], 0.5

    def mean_score(self, one: list[int], others: list[int]) -> float:
        return float(np.mean([self.get(a, b)[0] for a in one for b in others]))


class Live:
    """Replaces the live articles of a stream."""

    def __init__(self, *days: float | None) -> None:
        self.settings = Settings(min_probability=0.5)
        self.window = 7.0
        self.corrections = Corrections()
        day = np.array([np.nan if day is None else day for day in days])
        self.profiles = SimpleNamespace(day=day, source=np.full(len(days), -1))
        n = len(days)
        self.standing = SimpleNamespace(story=np.arange(1, n + 1), duplicate_of=np.arange(n))

    def members(self, row: int) -> list[int]:
        same = np.flatnonzero(self.standing.story == self.standing.story[row]).tolist()
        return [row, *(other for other in same if other != row)]

    def story_of(self, row: int) -> SimpleNamespace:
        return SimpleNamespace(first=self.members(row))

    def first_rows(self, rows: list[int]) -> list[int]:
        return rows

    def fit(self, *_: int) -> bool:
        return True

    def join(self, row: int, other: int) -> tuple[int, int]:
        self.standing.story[row] = self.standing.story[other]
        return other, row


def _join(live: Any, scores: Any) -> int:
    join_stories(live, 1, [0], scores)
    return len(set(live.standing.story.tolist()))


def _surplus(live: Any, scores: Any) -> float:
    return join_surplus(live, [0], [1], scores)


@pytest.mark.parametrize(
    ("days", "needed"),
    [((1, 2), 0.0), ((None, 2), DATED_JOIN), ((1, None), DATED_JOIN),
     ((None, None), UNDATED_START)],
)  # fmt: skip
def test_an_article_joins_at_the_very_threshold(days: tuple[Any, Any], needed: float) -> None:
    """Where a date is missing, one pair decides."""
    assert _surplus(Live(*days), Scores({(0, 1): needed})) == 0
    assert _join(Live(*days), Scores({(0, 1): needed})) == 1
    assert _join(Live(*days), Scores({(0, 1): _below(needed)})) == 2


@pytest.mark.parametrize("days", [(1, 2, None), (1, None, None), (None, None, None)])
def test_an_article_without_a_date_stays_by_a_strong_pair(days: tuple[Any, ...]) -> None:
    """A story of two dates needs no strong pair itself; others start with one."""

    def groups(first: float, second: float) -> list[list[int]]:
        live: Any = Live(*days)
        scores: Any = Scores({(0, 1): first, (0, 2): second, (1, 2): 0.25})
        found = split_story(live, [0, 1, 2], scores)
        if days[1] is not None:
            # The batch falls apart in the same way.
            pairs = np.array([0, 0, 1]), np.array([1, 2, 2])
            part = parts_held(*pairs, np.array([first, second, 0.25]), np.array([2, 1, 1]), 3, 0.0)
            assert len(set(part.tolist())) == len(found)
        return found

    start, join = {
        (1, 2, None): (0.5, DATED_JOIN),
        (1, None, None): (DATED_JOIN, DATED_JOIN),
        (None, None, None): (UNDATED_START, UNDATED_JOIN),
    }[days]
    assert groups(start, join) == [[0, 1, 2]]
    assert groups(start, _below(join)) == [[0, 1], [2]]
    if days == (1, None, None):
        assert groups(_below(start), join) == [[0, 2], [1]]
    if days == (None, None, None):
        assert groups(_below(start), join) == [[0], [1], [2]]


def test_two_stories_join_by_a_strong_pair_if_one_has_no_date() -> None:
    for days, needed in (((1, 2, None), DATED_JOIN), ((None, None, None), UNDATED_JOIN)):
        live: Any = Live(*days)
        scores: Any = Scores({(0, 2): needed, (1, 2): 0.5})
        assert join_surplus(live, [0, 1], [2], scores) == 0
    live = Live(1, None, 3)
    assert join_surplus(live, [0, 1], [2], scores) == (UNDATED_JOIN + 0.5) / 2


MARGINS = (UNDATED_JOIN, DATED_JOIN, UNDATED_START)


@examples(max_examples=200)
@given(
    dated=st.lists(st.booleans(), min_size=2, max_size=6),
    mine=st.integers(1, 3),
    data=st.data(),
)
def test_stories_join_where_the_batch_would_leave_them_whole(
    dated: list[bool], mine: int, data: st.DataObject
) -> None:
    n, mine = len(dated), min(mine, len(dated) - 1)
    first, second = np.triu_indices(n, 1)
    inside = (first < mine) == (second < mine)
    score = np.empty(len(first))
    for chosen, values in ((inside, MARGINS), (~inside, (0.0, *map(_below, MARGINS), *MARGINS))):
        size = int(chosen.sum())
        score[chosen] = data.draw(st.lists(st.sampled_from(values), min_size=size, max_size=size))
    live: Any = Live(*(1 if each else None for each in dated))
    known = known_dates(live.profiles.day, first, second)

    def whole(pairs: Any, members: slice) -> bool:
        """Whether the batch leaves a story whole."""
        found = parts_held(first[pairs], second[pairs], score[pairs], known[pairs], n, 0.0)
        return len(set(found[members].tolist())) == 1

    assume(whole(inside, slice(mine)) and whole(inside, slice(mine, n)))
    pairs = zip(first.tolist(), second.tolist(), strict=True)
    scores: Any = Scores(dict(zip(pairs, score.tolist(), strict=True)))
    surplus = join_surplus(live, range(mine), range(mine, n), scores)
    assert (surplus >= 0) == whole(slice(None), slice(None))


# Counts -------------------------------------------------------------------------------


def test_pairs_are_compared_if_they_share_enough_slots() -> None:
    salience = np.arange(3 * 128, dtype=np.uint32).reshape(3, 128)
    for day, least in ((0.0, 6), (np.nan, 10)):
        for shared, compared in ((least, True), (least - 1, False)):
            other = salience.copy()
            other[1, :shared] = other[0, :shared]
            days = np.array([day, 1.0, 2.0])
            found = agree(other, days, np.array([0]), np.array([1]))
            assert found.tolist() == [compared]


@pytest.mark.parametrize(("source", "many"), [(3, MANY_HEADLINES), (-1, MANY_HEADLINES_ANYWHERE)])
def test_a_page_is_known_by_the_number_of_its_headlines(source: int, many: int) -> None:
    for headlines, page in ((many, True), (many - 1, False)):
        text = np.full(headlines, 9, np.uint64)
        headline = np.arange(1, headlines + 1, dtype=np.uint64)
        sources = np.full(headlines, source, np.int32)
        found = placeholder_pages(text, headline, sources, lambda rows: np.zeros(len(rows)))
        assert found.tolist() == [page] * headlines


def test_headlines_that_share_so_much_are_those_of_a_text() -> None:
    assert not is_placeholder(np.array([LEAST_ECHO]))
    assert is_placeholder(np.array([_below(LEAST_ECHO)]))


@pytest.mark.parametrize(
    ("number_count", "shared", "strange"),
    [(3, 1, True), (3, 2, False), (2, 0, False), (6, 2, True), (6, 3, False)],
)
def test_undated_texts_conflict_by_their_numbers(
    number_count: int, shared: int, strange: bool
) -> None:
    source = np.full(2, -1, np.int32)

    def found(day: float, copy: bool = False) -> bool:
        return bool(
            background_pairs(
                np.array([0]), np.array([1]), np.array([shared]), np.array([copy]),
                np.array([day, 1.0]), source, np.full(2, number_count),
            )[0]
        )  # fmt: skip

    assert found(np.nan) == strange
    assert found(3.0)
    assert not found(3.0, copy=True)
    source[:] = 4
    assert found(np.nan)


def test_a_filling_of_the_same_time_counts_twice() -> None:
    day = np.array([0.0, GAP_DAYS, _above(GAP_DAYS)])
    assert weight_of(np.array([0, 0]), np.array([1, 2]), day).tolist() == [2, 1]


def test_two_background_articles_are_not_enough() -> None:
    for met, expected in ((RANK - 1, LOWEST_RECURRENCE), (RANK, 0.75)):
        nearest = np.zeros((1, RANK), np.float32)
        nearest[0, :met] = 0.75
        assert online_recurrence.recurrence_of_nearest(nearest, np.zeros(1)).tolist() == [expected]


def test_a_copy_is_as_alike_as_a_copy_must_be() -> None:
    def copy(cosine: float = COPY_COSINE, conflicts: int = 0, common: int = 2) -> bool:
        return bool(is_copy(cosine, 128, conflicts, 4, common, 90, 90))

    assert copy()
    assert not copy(cosine=_below(COPY_COSINE))
    assert not copy(conflicts=1)
    assert not copy(common=1)
    # 96 of 128 slots of texts of one length are six sevenths of either's shingles.
    assert is_filling(COPY_COSINE, 96, 0, 90, 90)
    assert not is_filling(_above(COPY_COSINE), 96, 0, 90, 90)
