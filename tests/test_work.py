"""Work and memory per article, counted and not timed, which make a million articles feasible.

The bounds are a tenth above the values measured when they were set, so that a change that
multiplies the work fails here and not in a user's archive.
"""

from __future__ import annotations

import dataclasses
from typing import Any
from unittest import mock

import numpy as np
import pytest
from wordfreq import get_frequency_dict

from sahel_dedup.articles import Article
from sahel_dedup.batch import Archive
from sahel_dedup.candidates.lsh import candidate_pairs
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import blocks_of, chunked

A_DAY = 60
WORDS = 200
# Articles that report the events of a day share some words that are rare elsewhere.
EVENT_WORDS = 20
REPORTS = 5


def news(days: int, *, dated: bool = True) -> list[Article]:
    """Write news of words as frequent as in English, each event reported a few times."""
    draw = np.random.default_rng(0)
    listed = get_frequency_dict("en", wordlist="small")
    words = np.array(list(listed))
    share = np.array(list(listed.values()))
    articles = []
    for number in range(days * A_DAY):
        if number % REPORTS == 0:
            event = draw.choice(words, EVENT_WORDS)
        text = draw.choice(words, WORDS, p=share / share.sum())
        text[draw.choice(WORDS, EVENT_WORDS, replace=False)] = event
        day = np.datetime64("2024-01-01", "m") + number * 1440 // A_DAY
        articles.append(
            Article(
                f"a{number}",
                " ".join(text),
                published=day.item() if dated else None,
                source=f"s{number % 7}",
                lang="en",
            )
        )
    return articles


def archive(articles: list[Article]) -> Archive:
    return Archive.read(articles, Settings(), lambda *_: None)


@pytest.fixture(scope="module")
def month() -> Archive:
    return archive(news(30))


def candidates(archive: Archive) -> float:
    """Count the candidate pairs an article."""
    p, settings = archive.profiles, archive.settings
    first, _ = candidate_pairs(p.salience, p.day, settings.window_days, settings.layout)
    return len(first) / len(p)


def compared(archive: Archive) -> float:
    """Count the exact cosines an article, in all stages."""
    counts = []
    cosines = Similarity.cosines

    def counted(self: Similarity, first: Any, second: Any) -> Any:
        counts.append(len(first))
        return cosines(self, first, second)

    with mock.patch.object(Similarity, "cosines", counted):
        archive.stories()
    return sum(counts) / len(archive.profiles)


def test_candidates_are_few(month: Archive) -> None:
    assert candidates(month) < 6.4


def test_exact_cosines_are_few(month: Archive) -> None:
    assert compared(month) < 18.4


def test_a_longer_archive_costs_an_article_no_more(month: Archive) -> None:
    longer = archive(news(60))
    assert candidates(longer) < 1.1 * candidates(month)
    # Recurrence compares eight others, which a month does not always have.
    assert compared(longer) < 1.25 * compared(month)


def test_without_dates_candidates_grow_slowly() -> None:
    few, many = (candidates(archive(news(days, dated=False))) for days in (10, 40))
    assert many < 2.0 * few


def test_memory_an_article(month: Archive) -> None:
    profiles = month.profiles
    n, entries = len(profiles), len(profiles.terms)
    fixed = ragged = 0
    for field in dataclasses.fields(Profiles):
        array = getattr(profiles, field.name)
        if len(array) in (n, n + 1):
            fixed += array.nbytes
        else:
            ragged += array.nbytes
    # Two fingerprints of 512 bytes, 64 of number contexts, 8 of opening numbers, and some numbers.
    assert fixed / n < 1160
    # A term and its count; titles hold a few terms more.
    assert ragged / entries < 5.5
    # The vectors add a weight to each and share the rest.
    vectors = Similarity(profiles, month.sketcher)._vectors
    assert np.shares_memory(vectors.indices, profiles.terms)
    assert vectors.data.nbytes / entries == 4


def test_titles_count_where_chunks_are_cut() -> None:
    title, extra = "x" * 300_000, {"html": "y" * 300_000}
    for article in (Article("a", "Rain", title), Article("a", "Rain", extra=extra)):
        chunks = list(chunked([article] * 20))
        assert max(map(len, chunks)) <= 4
    blocks = list(blocks_of([Article("a", "Rain", title)] * 20))
    assert [len(block) for block in blocks] == [1] * 20
