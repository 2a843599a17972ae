"""The batch, the index and an explanation agree on each article, by name and by number."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sahel_dedup import Article, Settings, Stories, StoryIndex, cluster
from sahel_dedup.clustering.canonical import canonical
from sahel_dedup.explain import explain
from sahel_dedup.explain.overlap import estimated_overlap, relations
from sahel_dedup.settings import CanonicalPolicy
from sahel_dedup.sketch.sketcher import Sketcher

NOON = datetime(2025, 7, 1, 12, tzinfo=UTC)
BODY = (
    "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers and wounding "
    "fourteen, the governor said. The attackers came on motorcycles before dawn and burned four "
    "vehicles. No group has claimed the attack, the third on the camp since January."
)
TRIMMED = BODY[: BODY.index(" No group")]
REWORDED = (
    "Nine soldiers were killed and fourteen wounded on Monday when gunmen on motorcycles attacked "
    "the army camp at Tessarit, according to the governor. Four vehicles were burned before dawn."
)
ARTICLES = [
    Article("wire", f"TESSARIT, Mali (AFP) - {BODY}", "Camp attacked", NOON, "Wire", "en"),
    Article("dateline", f"BAMAKO, July 1 (Reuters) - {BODY}", "Camp attacked",
            NOON + timedelta(hours=1), "Post", "en"),
    Article("markup", f"<p>{BODY.upper()}</p>", "Nine killed", NOON + timedelta(hours=2), "Herald",
            "en"),
    Article("trimmed", TRIMMED, "Camp attacked", NOON + timedelta(hours=3), "Daily", "en"),
    Article("reworded", REWORDED, "Nine soldiers killed", NOON + timedelta(hours=4), None, "en"),
]  # fmt: skip
RELATIONS = dict(zip(
    [a.id for a in ARTICLES], ["exact", "exact", "exact", "near", "reworded"], strict=True
))  # fmt: skip


def closest(stories: Stories, article: str) -> str:
    """Return the article of the same story that is the most similar."""
    others = [name for name in stories[article].articles if name != article]
    return max(others, key=lambda other: stories.explain(article, other).similarity)


def test_boilerplate_makes_no_difference_anywhere(tmp_path: Path) -> None:
    stories = cluster(ARTICLES)
    assert len(stories) == 1
    assert {name: stories.relation(name) for name in RELATIONS} == RELATIONS
    with StoryIndex.open(tmp_path / "news.index") as index:
        streamed = {article.id: index.add(article).relation for article in ARTICLES}
        # The first met nobody.
        assert streamed == RELATIONS | {"wire": None}
        for one, other in itertools.combinations(ARTICLES, 2):
            found = {
                explain(one, other).relation,
                stories.explain(one.id, other.id).relation,
                index.explain(one.id, other.id).relation,
            }
            assert len(found) == 1
    exact = explain(*ARTICLES[:2])
    assert exact.relation == "exact"
    assert exact.overlap.jaccard == 1
    assert exact.why.startswith("the same 42 words")


def test_an_explanation_agrees_with_the_stories(wire: list[dict[str, Any]]) -> None:
    stories = cluster(wire)
    several = [story for story in stories if len(story) > 1]
    assert len(several) > 10
    for article in itertools.chain.from_iterable(story.articles for story in several):
        told = stories.explain(article, closest(stories, article))
        assert told.similarity == pytest.approx(stories.similarity(article), abs=1e-6)
        assert told.relation == stories.relation(article)
        assert told.breakdown is not None
        assert told.breakdown.similarity == told.similarity
        # One number, under whatever name.
        plain = json.loads(told.to_json())
        assert plain["similarity"] == plain["breakdown"]["similarity"]
        assert sum(term.share for term in told.terms) <= 1 + 1e-6


def test_an_explanation_agrees_with_the_index(wire: list[dict[str, Any]], tmp_path: Path) -> None:
    compared = 0
    with StoryIndex.open(tmp_path / "news.index") as index:
        for row in wire[:60]:
            added = index.add(row)
            if added.similarity is None:
                continue
            compared += 1
            told = [index.explain(added.id, match.id) for match in added.matches]
            assert max(e.similarity for e in told) == pytest.approx(added.similarity, abs=1e-3)
            best = max(told, key=lambda e: e.similarity)
            assert "exact" in (best.relation, added.relation) or best.relation == added.relation
            assert all(sum(term.share for term in e.terms) <= 1 + 1e-6 for e in told)
    assert compared > 10


@pytest.mark.parametrize("preferred", [(), ("Nobody", "Daily"), ("Herald", "Post", "Herald")])
@pytest.mark.parametrize("policy", ["earliest", "longest", "central"])
def test_one_article_stands_for_a_story(
    policy: CanonicalPolicy, preferred: tuple[str, ...]
) -> None:
    settings = Settings(canonical=policy, preferred_sources=preferred)
    undated = Article("a", BODY, "Camp attacked", None, "Wire", "en")
    for articles in (ARTICLES, ARTICLES[2:], [undated, *ARTICLES], ARTICLES[::-1]):
        expected = canonical(articles, policy, preferred_sources=preferred).id
        assert cluster(articles, settings)[articles[0].id].canonical == expected
        with StoryIndex(settings) as index:
            for article in articles:
                index.add(article)
            assert index.story_of(articles[0].id).canonical == expected


def test_slots_of_eight_bits_and_of_32_give_one_relation(wire: list[dict[str, Any]]) -> None:
    profiles = Sketcher().sketch([Article.from_mapping(row) for row in wire])
    first, second = (places.ravel() for places in np.indices((len(wire), len(wire))))
    whole = relations(profiles, first, second), estimated_overlap(profiles, first, second)
    profiles.shingles = profiles.shingles.astype(np.uint8)
    assert relations(profiles, first, second) == whole[0]
    again = estimated_overlap(profiles, first, second)
    assert np.array_equal(again, whole[1])
    assert set(whole[0]) == {"exact", "near", "reworded"}
