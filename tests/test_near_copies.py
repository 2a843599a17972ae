"""Near copies: many variants of one text, alone in an archive or among other news."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sahel_dedup import StoryIndex, cluster
from sahel_dedup.articles import Article
from sahel_dedup.scoring.copies import COPY_COSINE
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.sketcher import Sketcher

Row = dict[str, Any]
START = datetime(2025, 3, 1, 6, tzinfo=UTC)
REPORT = (
    "Divers found the bell of the steamer Halvard on Thursday, a fisherman called {} told the "
    "radio of Orvik, and the museum wants to hang it in the square before the summer."
)
LONG = (
    "The wreck lies in forty metres of cold water off the cape of Skarnes, where the Halvard went "
    "down in a winter storm with a load of timber and a crew of nineteen. Nobody had seen her "
    "since. A trawler caught its net on the mast two years ago, and a club of divers has searched "
    "the sound every summer. The bell was lying in the sand beside the bow, its name still to be "
    "read. The club handed it to the museum, which will clean it and let schools ring it. Lawyers "
    "of the former owners said that they would not claim the cargo."
)
WORDS = [a + b + c for a in ("ba", "de", "ki", "mo") for b in "lnrst" for c in ("an", "io", "ul")]
BULLETIN = (
    "The harbour board counted {0} boats at noon, {1} fewer than a day before. Cod was sold at {2} "
    "crowns and haddock at {3} crowns a crate at the auction of Orvik, traders said. Wind from "
    "the west at {4} knots is expected in the sound, and high water at {5} minutes past the hour."
)


def rows(size: int, days: int | None, source: str | None = None) -> list[Row]:
    """Write variants of one report, each with a word of its own."""
    found = []
    for number in range(size):
        row: Row = {"id": f"v{number:04}", "text": REPORT.format("abcdefghij"[number % 10] * (
            number // 10 + 2
        ))}  # fmt: skip
        if days is not None:
            row["published"] = (START + timedelta(days=number % days, hours=number % 5)).isoformat()
        if source:
            row["source"] = source.format(number)
        found.append(row)
    return found


def sizes(articles: Sequence[Row]) -> list[int]:
    return sorted(len(story.articles) for story in cluster(articles))


@pytest.mark.parametrize("size", [2, 60, 400, 1300])
@pytest.mark.parametrize(("days", "source"), [(None, None), (1, "paper-{}"), (5, None)])
def test_alone_in_an_archive_they_are_one_story(
    size: int, days: int | None, source: str | None
) -> None:
    assert sizes(rows(size, days, source)) == [size]


@pytest.mark.parametrize("days", [None, 5])
def test_so_they_are_in_the_stream(days: int | None) -> None:
    with StoryIndex() as index:
        index.add_many(rows(300, days))
        assert [len(story.articles) for story in index.stories()] == [300]


@pytest.mark.parametrize("share", [0.25, 0.35, 0.45])
@pytest.mark.parametrize("dated", [True, False])
def test_hostile_variants_break_no_story(share: float, dated: bool) -> None:
    draw = random.Random(7)

    def varied(part: float) -> str:
        words = LONG.split()
        for place in draw.sample(range(len(words)), int(part * len(words))):
            words[place] = draw.choice(WORDS)
        return " ".join(words)

    def row(name: str, text: str, hour: int) -> Row:
        published = (START + timedelta(hours=hour)).isoformat() if dated else None
        return {"id": name, "text": text, "source": name, "published": published, "lang": "en"}

    archive = [row(f"true-{i}", varied(0.12), i) for i in range(8)]
    archive += [row(f"variant-{i}", varied(share), i % 12) for i in range(1100)]
    for number in range(1500):
        text = " ".join(draw.choices(WORDS, k=20) + draw.sample(LONG.split(), 20))
        archive.append(row(f"other-{number}", text, number % 24))
    stories = cluster(archive)
    assert len({stories.story_of(f"true-{i}").id for i in range(8)}) == 1


@pytest.mark.parametrize("source", ["board", None])
@pytest.mark.parametrize("dated", [True, False])
@pytest.mark.parametrize("size", [8, 40])
def test_issues_of_a_bulletin_are_no_near_copies(
    source: str | None, dated: bool, size: int
) -> None:
    draw = random.Random(3)
    issues = [
        {
            "id": str(day),
            "text": BULLETIN.format(*(draw.randrange(20, 900) for _ in range(6))),
            "source": source,
            "published": (START + timedelta(days=day)).isoformat() if dated else None,
        }
        for day in range(size)
    ]
    assert sizes(issues) == [1] * size


def cosine(pair: Sequence[Article], others: Sequence[Article] = ()) -> float:
    """Compare two articles of an archive that holds further ones."""
    sketcher = Sketcher()
    profiles = sketcher.sketch([*pair, *others])
    similarity = Similarity(profiles, sketcher)
    (found,) = similarity.cosines(np.array([0]), np.array([1]))
    return float(found)


def article(name: str, text: str, title: str | None = None) -> Article:
    return Article(name, text, title, lang="en")


def crowd(text: str) -> list[Article]:
    return [article(f"c{i}", text.format("xyz"[i % 3] * (i // 3 + 2), i)) for i in range(900)]


def test_what_fills_an_archive_is_no_less_alike_for_it() -> None:
    pair = [article(name, REPORT.format(name)) for name in ("Anders", "Brodin")]
    assert cosine(pair) > COPY_COSINE
    assert cosine(pair, crowd(REPORT)) == COPY_COSINE


@pytest.mark.parametrize(
    ("titles", "near"),
    [
        (("Divers find the bell of the Halvard", "Museum of Orvik wants bell of steamer"), True),
        (("Divers find bell", None), True),
        # A page that is served instead of what the headlines speak of.
        (("Cotton harvest begins late", "Teachers end their strike"), False),
        # A form: each title names what its text has and the other has not.
        (("Anders told the radio", "Brodin told the radio"), False),
    ],
)
def test_titles_tell_copies_from_pages_and_forms(
    titles: tuple[str | None, str | None], near: bool
) -> None:
    text = f"{REPORT} {LONG}"
    pair = [
        article(name, text.format(name), title)
        for name, title in zip(("Anders", "Brodin"), titles, strict=True)
    ]
    assert (cosine(pair, crowd(text)) >= COPY_COSINE) == near


def test_other_numbers_make_no_near_copy() -> None:
    text = REPORT.replace("the summer", "the summer of {}")
    same, other = (
        [article("a", text.format("Anders", 2019)), article("b", text.format("Brodin", year))]
        for year in (2019, 2020)
    )
    assert cosine(same, crowd(text)) >= COPY_COSINE
    assert cosine(other, crowd(text)) < COPY_COSINE


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=3, max_size=40), st.integers(0, 3))
def test_no_cosine_is_lowered(words: list[str], left_out: int) -> None:
    one, other = article("a", " ".join(words)), article("b", " ".join(words[left_out:]))
    sketcher = Sketcher()
    profiles = sketcher.sketch([one, other])
    similarity = Similarity(profiles, sketcher)
    first, second = np.array([0]), np.array([1])
    (found,) = similarity.cosines(first, second)
    plain = (similarity._vectors[[0]] @ similarity._vectors[[1]].T).toarray()[0, 0]
    assert found == pytest.approx(min(plain, 1.0)) or (found == COPY_COSINE > plain)
    if found > plain + 1e-6:
        agreed = (profiles.shingles[0] == profiles.shingles[1]).sum()
        assert agreed >= 0.7 * SLOTS
