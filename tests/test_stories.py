"""Stories: every query on the result."""

from __future__ import annotations

import itertools
import random
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

import sahel_dedup
from sahel_dedup import (
    Article,
    SahelError,
    SahelWarning,
    Settings,
    Stories,
    Story,
    cluster,
    fingerprints,
)
from sahel_dedup.batch import Archive
from sahel_dedup.cli.terminal import note_stories
from sahel_dedup.clustering.story_ids import story_id
from sahel_dedup.explain.overlap import NEAR_JACCARD, estimated_overlap
from sahel_dedup.scoring.breakdown import ScoreBreakdown
from sahel_dedup.settings import CanonicalPolicy
from sahel_dedup.sketch.sketcher import Sketcher

DAY = datetime(2025, 7, 1, tzinfo=UTC)
ATTACK = (
    "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers and wounding "
    "fourteen, the governor said. The attackers came on motorcycles before dawn and burned four "
    "vehicles. No group has claimed the attack, the third on the camp since January."
)
TRIMMED = ATTACK.replace(", the third on the camp since January", "") + " An inquiry was opened."
REWORDED = (
    "Nine soldiers were killed and fourteen wounded on Monday when gunmen on motorcycles attacked "
    "the army camp at Tessarit, according to the governor. Four vehicles were burned before dawn."
)
PRICES = "Millet prices rose in Maradi as the lean season began, traders at the market reported."


def article(name: str, text: str, hours: float, source: str | None) -> Article:
    published = DAY + timedelta(hours=hours)
    title = "Millet prices" if text == PRICES else "Soldiers killed at Tessarit"
    return Article(name, text, title, published, source, "en", {"n": name})


ARTICLES = [
    article("reworded", REWORDED, 6, "Daily"),
    article("prices", PRICES, 1, "Wire"),
    article("first", ATTACK, 0, "Wire"),
    article("trimmed", TRIMMED, 4, None),
    article("copy", ATTACK, 2, "Herald"),
]
IN_TIME = ("first", "copy", "trimmed", "reworded")


@pytest.fixture(scope="module")
def stories() -> Stories:
    return cluster(ARTICLES)


@pytest.fixture(scope="module")
def many(wire: list[dict[str, Any]]) -> Stories:
    return cluster(wire)


def scored(stories: Stories, first: str, second: str) -> ScoreBreakdown:
    return stories._breakdown(stories._row(first), stories._row(second))


def test_stories_come_largest_first(stories: Stories, many: Stories) -> None:
    assert len(stories) == 2
    assert [len(story) for story in stories] == [4, 1]
    assert repr(stories) == "<Stories: 5 articles, 2 stories, 1 with copies>"
    sizes = [len(story) for story in many]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == len(many.labels)


def test_labels_are_in_input_order(stories: Stories, many: Stories) -> None:
    assert stories.labels.tolist() == [0, 1, 0, 0, 0]
    assert stories.labels.dtype == np.int64
    assert list(dict.fromkeys(many.labels.tolist())) == list(range(len(many)))


def test_all_that_is_told_of_articles_is_in_one_order(stories: Stories, many: Stories) -> None:
    assert list(stories.ids) == [a.id for a in ARTICLES]
    assert np.round(24 * (stories.days - stories.days.min())).tolist() == [6, 1, 0, 4, 2]
    for found in (stories, many):
        rows = list(found.rows())
        assert [row["id"] for row in rows] == list(found.ids)
        assert len(rows) == len(found.days) == len(found.recurrence) == len(found.labels)
        label_of = dict(zip(found.ids, found.labels.tolist(), strict=True))
        for story in found:
            (label,) = {label_of[article] for article in story.articles}
            assert [found.ids[place] for place in found.members[label]] == list(story.articles)
            times = found.days[found.members[label]]
            assert (np.diff(times[~np.isnan(times)]) >= 0).all()


def test_the_order_of_the_input_changes_nothing_that_is_told_of_an_article(
    wire: list[dict[str, Any]], many: Stories
) -> None:
    shuffled = random.Random(3).sample(wire, len(wire))
    other = cluster(shuffled)
    for told in ("days", "recurrence"):
        ours = dict(zip(many.ids, getattr(many, told).tolist(), strict=True))
        theirs = dict(zip(other.ids, getattr(other, told).tolist(), strict=True))
        assert ours == theirs


def test_articles_are_asked_for_by_id(stories: Stories) -> None:
    assert "copy" in stories
    assert "x" not in stories
    assert stories.story_of("copy").id not in stories
    assert stories["copy"] == stories.story_of("copy")
    with pytest.raises(SahelError, match="no article 'x'"):
        stories["x"]
    assert all(isinstance(story, Story) for story in stories)


def test_a_story_by_its_article_and_by_its_id(stories: Stories) -> None:
    story = stories.story_of("reworded")
    assert story == Story(story_id("first"), "first", IN_TIME)
    assert stories.story(story.id) == story
    assert stories.story_of("prices").articles == ("prices",)


@pytest.mark.parametrize("ask", ["story_of", "relation", "similarity"])
def test_an_article_that_is_not_there(ask: str, stories: Stories) -> None:
    with pytest.raises(SahelError, match="no article 'x'"):
        getattr(stories, ask)("x")
    with pytest.raises(SahelError, match="no article 'x'"):
        stories.explain("first", "x")
    with pytest.raises(SahelError, match="no story 's0'"):
        stories.story("s0")


def test_evidence_of_a_pair_that_was_not_joined(many: Stories, wire: list[dict[str, Any]]) -> None:
    # As if every pair had been looked at.
    archive = Archive.read(map(Article.from_mapping, wire), Settings(), lambda *_: None)
    pairs = archive.compare().pairs
    apart = 0
    for first, second, score in zip(pairs.first, pairs.second, pairs.score, strict=True):
        one, other = archive.ids[first], archive.ids[second]
        apart += many.story_of(one) != many.story_of(other)
        assert scored(many, one, other).score == pytest.approx(score, abs=1e-6)
    assert apart > 20


def test_explain(many: Stories, wire: list[dict[str, Any]]) -> None:
    link = next(many.pairs())
    told = many.explain(link.first, link.second)
    assert told.one_story
    assert (told.a.id, told.b.id) == (link.first, link.second)
    assert {row["id"]: row["text"] for row in wire}[told.b.id] == told.b.text
    assert told.breakdown is not None
    assert told.breakdown.score == pytest.approx(link.score, abs=1e-6)
    parted = many.explain(many.ids[0], many.ids[-1])
    assert parted.one_story is False
    assert parted.breakdown is not None
    assert not parted.breakdown.in_window
    assert parted.breakdown.score == -4
    plain = parted.to_dict()
    assert plain["breakdown"]["pieces"].keys() >= {"base", "wording", "contrast", "hours"}
    assert plain["one_story"] is False


def test_relations(stories: Stories) -> None:
    assert [stories.relation(name) for name in (*IN_TIME, "prices")] == [
        "exact", "exact", "near", "reworded", None,
    ]  # fmt: skip


def test_similarity_is_to_the_closest(stories: Stories, many: Stories) -> None:
    assert stories.similarity("copy") == pytest.approx(1, abs=1e-3)
    assert stories.similarity("prices") is None
    best: dict[str, float] = {}
    for link in many.pairs():
        for name in (link.first, link.second):
            best[name] = max(best.get(name, 0), link.similarity)
    for story in many:
        for name in story.articles:
            assert many.similarity(name) == best.get(name)


def test_pairs_are_all_there_are_inside_stories(stories: Stories, many: Stories) -> None:
    assert [(link.first, link.second) for link in stories.pairs()] == [
        ("first", "copy"), ("first", "trimmed"), ("first", "reworded"), ("trimmed", "reworded"),
    ]  # fmt: skip
    for link in many.pairs():
        assert many.story_of(link.first) == many.story_of(link.second) == many.story(link.story)
        told = scored(many, link.first, link.second)
        assert told.similarity == pytest.approx(link.similarity, abs=1e-6)
        if link.similarity < 1:
            assert told.score == pytest.approx(link.score, abs=1e-6)
    linked = {frozenset((link.first, link.second)) for link in many.pairs()}
    for story in many:
        twins = {name for name in story.articles if many.relation(name) == "exact"}
        for pair in itertools.combinations(story.articles, 2):
            assert frozenset(pair) in linked or twins & set(pair)


def test_the_weakest_links_come_weakest_first(stories: Stories, many: Stories) -> None:
    scores = [link.score for link in many.weakest_links(1000)]
    assert scores == sorted(link.score for link in many.pairs())
    assert many.weakest_links(3) == many.weakest_links(1000)[:3]
    assert all(isinstance(link, sahel_dedup.Link) for link in many.weakest_links(3))
    assert len(many.weakest_links()) == 10
    assert stories.weakest_links(1)[0].second == "reworded"


# The article that stands for a story ---------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "canonical"), [("earliest", "first"), ("longest", "trimmed"), ("central", "first")]
)
def test_canonical_policies(policy: CanonicalPolicy, canonical: str) -> None:
    rows = [ARTICLES[3], *ARTICLES[:3], ARTICLES[4]]
    longer = [*rows[1:], article("trimmed", TRIMMED + " It is at work.", 4, None)]
    assert cluster(longer, Settings(canonical=policy)).story_of("copy").canonical == canonical


def test_the_undated_are_never_the_earliest() -> None:
    rows = [Article("a", ATTACK), *ARTICLES]
    story = cluster(rows).story_of("a")
    assert story.canonical == "first"
    assert cluster([Article("a", ATTACK), Article("b", ATTACK)]).story_of("b").canonical == "a"


@pytest.mark.parametrize(
    ("preferred", "canonical"),
    [((), "first"), (("Herald",), "copy"), (("Nobody", "Daily", "Herald"), "reworded"),
     (("Nobody",), "first"), (("Daily", "Wire"), "reworded")],
)  # fmt: skip
def test_preferred_sources_come_first(preferred: tuple[str, ...], canonical: str) -> None:
    settings = Settings(preferred_sources=preferred)
    with pytest.warns(SahelWarning) if preferred == ("Nobody",) else nullcontext():
        assert cluster(ARTICLES, settings).story_of("first").canonical == canonical
    # The same where the articles are not kept.
    archive = Archive.read(ARTICLES, settings, lambda *_: None)
    assert archive.stories().story_of("first").canonical == canonical


# Tables -------------------------------------------------------------------------------


def test_rows_are_in_input_order(stories: Stories) -> None:
    rows = list(stories.rows())
    assert [row["id"] for row in rows] == [a.id for a in ARTICLES]
    assert rows[1] == {
        "id": "prices", "story_id": story_id("prices"), "canonical": True, "relation": None,
        "similarity": None,
    }  # fmt: skip
    assert [row["canonical"] for row in rows] == [False, True, True, False, False]
    for row in rows[2:]:
        assert row["story_id"] == story_id("first")
        assert isinstance(row["similarity"], float)


def test_the_frame_has_what_the_articles_brought(stories: Stories) -> None:
    frame = stories.to_frame()
    assert frame.columns == ["id", "story_id", "canonical", "relation", "similarity", "title",
                             "published", "source", "lang", "n"]  # fmt: skip
    assert frame["n"].to_list() == frame["id"].to_list()
    assert frame["published"].to_list() == [a.published for a in ARTICLES]
    assert frame["similarity"].dtype == pl.Float64
    archive = Archive.read(ARTICLES, Settings(), lambda *_: None)
    assert archive.stories().to_frame().equals(frame.select(frame.columns[:5]))


def test_columns_of_the_frame_are_typed_whatever_is_in_them() -> None:
    rows: list[dict[str, Any]] = [
        {"id": 1, "text": "", "size": 1, "tags": ["x"], "similarity": "mine", "odd": 1},
        {"id": "\ud800", "text": "", "size": 2.5, "odd": "b"},
    ]
    with pytest.warns(SahelWarning, match="results of the same name: similarity$"):
        frame = cluster(rows).to_frame()
    assert frame.columns[9:] == ["size", "tags", "odd"]
    assert frame.schema["relation"] == pl.String
    assert frame["similarity"].to_list() == [None, None]
    assert frame["size"].to_list() == [1.0, 2.5]
    assert frame["tags"].to_list() == [["x"], None]
    assert frame["odd"].to_list() == ["1", "b"]
    assert frame["id"].to_list() == ["1", "\\ud800"]


# Names and overlaps -------------------------------------------------------------------


def test_story_ids_are_the_same_in_every_run() -> None:
    assert story_id("wire-001") == "s8c5b524dc23797d0"
    assert story_id("\ud800") != story_id("\ufffd")


def test_fingerprints_estimate_what_is_shared() -> None:
    draw = random.Random(7)
    words = [f"w{n}" for n in range(5000)]
    sketcher = Sketcher()
    for shared in (0, 60, 120, 180):
        common = draw.sample(words, shared)
        one, other = (common + draw.sample(words, 200 - shared) for _ in range(2))
        profiles = sketcher.sketch([Article("1", " ".join(one)), Article("2", " ".join(other))])
        jaccard, containment = estimated_overlap(profiles, np.array([0]), np.array([1]))
        sets = [{tuple(text[i : i + 3]) for i in range(198)} for text in (one, other)]
        true = len(sets[0] & sets[1]) / len(sets[0] | sets[1])
        assert abs(jaccard[0] - true) < 4 * 0.045
        assert abs(containment[0] - len(sets[0] & sets[1]) / 198) < 0.2
    ((_, one_print), (_, other_print)) = fingerprints(
        [{"id": "1", "text": " ".join(one)}, {"id": "2", "text": " ".join(other)}]
    )
    # By eight bits of each slot instead of 32.
    assert one_print.shingle_jaccard(other_print) == pytest.approx(jaccard[0], abs=0.02)
    assert jaccard[0] > NEAR_JACCARD
    nothing = np.zeros(0, dtype=np.int64)
    assert [len(part) for part in estimated_overlap(profiles, nothing, nothing)] == [0, 0]


# What LSH missed ----------------------------------------------------------------------


def test_a_sample_check_of_lsh(wire: list[dict[str, Any]]) -> None:
    settings = Settings()
    assert settings.expected_recall(0.2) < settings.expected_recall(0.5) <= 1
    stories = cluster(wire, settings)
    check = stories.check_recall()
    assert isinstance(check, sahel_dedup.RecallCheck)
    assert check.articles == len(wire)
    # All of them with all others: each pair once.
    assert 0 < check.proposed <= check.confirmed < check.compared
    assert check.compared <= len(wire) * (len(wire) - 1) // 2
    assert check.recall == check.proposed / check.confirmed > 0.9
    few = stories.check_recall(pairs=200)
    assert 1 <= few.articles < 98
    assert few.compared <= 200
    blind = cluster(wire, Settings(recall=0.05, recall_similarity=0.9))
    assert blind.check_recall().recall < check.recall


def test_a_sample_check_where_nothing_is_alike() -> None:
    assert cluster([]).check_recall().recall == 1
    check = cluster([{"id": "a", "text": ATTACK}, {"id": "b", "text": PRICES}]).check_recall()
    assert (check.articles, check.compared, check.confirmed, check.recall) == (2, 1, 0, 1.0)


def test_the_former_evidence_warns(wire: list[dict[str, Any]]) -> None:
    stories = cluster(wire)
    link = next(stories.pairs())
    breakdown = stories.explain(link.first, link.second).breakdown
    assert breakdown is not None
    with pytest.warns(DeprecationWarning, match="use explain"):
        found = stories.evidence(link.first, link.second)
    assert found == {
        "similarity": breakdown.similarity,
        "score": breakdown.score,
        **breakdown.pieces,
    }
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = stories.nothing


def test_outlets_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"id": str(number), "text": f"Rain fell {number}."} for number in range(4)]
    for sources, said in (
        ([None] * 4, "; 1 story, 1 with copies, the largest of 4 articles\n"),
        (["wire"] * 4, " of 1 outlet, "),
        (["BBC", "N/A", None, "AFP"], " of 2 outlets, "),
    ):
        given = [{**row, "source": source} for row, source in zip(rows, sources, strict=True)]
        found = cluster(given)
        assert found.read_summary.outlets == len(set(sources) - {None, "N/A"})
        note_stories(found.read_summary, found)
        assert said in capsys.readouterr().err
