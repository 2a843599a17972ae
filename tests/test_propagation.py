"""How stories spread, and which article represents one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from sahel_dedup.articles import Article
from sahel_dedup.clustering.canonical import canonical
from sahel_dedup.explain.overlap import overlap, shingle_hashes
from sahel_dedup.explain.propagation import MAX_SOURCES, spread

START = datetime(2025, 3, 4, 6, tzinfo=UTC)
AGENCY = "Gunmen ambushed a supply convoy near Dourgama on Monday and killed fourteen soldiers."
ANEW = "A column of army lorries was torn apart by an explosive device, residents told us."


def article(name: str, text: str, hours: float | None, source: str | None = None) -> Article:
    published = None if hours is None else START + timedelta(hours=hours)
    return Article(name, text, published=published, source=source)


STORY = [
    article("undated", AGENCY, None),
    article("paper", f"{AGENCY} The mayor wept.", 5, "Paper"),
    article("agency", AGENCY, 0, "Agency"),
    article("blog", f"{AGENCY} The mayor wept. We wept too.", 30, "Blog"),
    article("witness", ANEW, 7, "Agency"),
]


def test_spread_of_a_story() -> None:
    way = spread(STORY)
    assert (way.first_seen, way.last_seen) == (START, START + timedelta(hours=30))
    assert way.hours == 30
    assert list(way.outlets.items()) == [("Agency", 2), ("Paper", 1), ("Blog", 1)]
    assert [(s.article.id, s.hours, s.likely_source) for s in way.steps] == [
        ("agency", 0, None),
        ("paper", 5, "agency"),
        ("witness", 7, None),
        ("blog", 30, "paper"),
        ("undated", None, None),
    ]
    assert way.steps[3].shared == pytest.approx(14 / 17)


def test_articles_of_one_moment_copy_nobody() -> None:
    way = spread([article("a", AGENCY, 0), article("b", AGENCY, 0)])
    assert [step.likely_source for step in way.steps] == [None, None]


def test_a_story_without_dates() -> None:
    way = spread([article("b", AGENCY, None), article("a", AGENCY, None)])
    assert (way.first_seen, way.last_seen, way.hours) == (None, None, None)
    assert [step.article.id for step in way.steps] == ["a", "b"]


def test_empty_texts_and_no_articles() -> None:
    assert spread([article("a", "", 0), article("b", "", 1)]).steps[1].likely_source is None
    with pytest.raises(ValueError, match="articles: empty"):
        spread([])
    with pytest.raises(ValueError, match="articles: empty"):
        canonical([])


def test_large_stories_seek_sources_among_the_first() -> None:
    count = MAX_SOURCES + 20
    way = spread([article(f"{i:04}", AGENCY, i) for i in range(count)])
    assert {step.likely_source for step in way.steps[1:]} == {"0000"}


def test_canonical_policies() -> None:
    assert canonical(STORY).id == "agency"
    assert canonical(STORY, "longest").id == "blog"
    assert canonical(STORY, "central").id == "paper"
    assert canonical([STORY[0]]).id == "undated"


def test_preferred_sources_come_first() -> None:
    assert canonical(STORY, preferred_sources=["Nobody", "Blog", "Agency"]).id == "blog"
    assert canonical(STORY, "longest", preferred_sources=["Agency"]).id == "witness"
    # Of a name that is given twice, the first place counts.
    assert canonical(STORY, preferred_sources=["Paper", "Agency", "Paper"]).id == "paper"


def test_of_equal_articles_the_lesser_id_represents_them() -> None:
    equal = [article(name, AGENCY, 0, "Agency") for name in ("b", "c", "a")]
    assert canonical(equal).id == canonical(equal, "longest").id == "a"
    assert canonical(equal, "central", similarity=np.ones((3, 3))).id == "a"


def test_central_takes_given_similarities() -> None:
    similarity = np.eye(5)
    similarity[4, :] = similarity[:, 4] = 0.9
    assert canonical(STORY, "central", similarity=similarity).id == "witness"
    # How similar an article is to itself does not count.
    similarity[0, 0] = 9
    assert canonical(STORY, "central", similarity=similarity).id == "witness"


def test_shingles_know_the_order_of_words() -> None:
    words = np.array([1, 2, 3, 4], dtype=np.uint64)
    assert len(shingle_hashes(words)) == 2
    assert overlap(words, words[::-1]).jaccard == 0
    assert overlap(words, words[:3]).b_in_a == 1
    assert overlap(words[:2], words[:2]).jaccard == 1
    assert overlap(words, words[:0]).jaccard == 0
