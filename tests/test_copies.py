"""Copies and fillings of a form, and what they mean for recurrence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sahel_dedup import StoryIndex, cluster
from sahel_dedup.articles import Article
from sahel_dedup.scoring.copies import copies, fillings, is_copy, is_filling, shared_part
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.sketcher import Sketcher

START = datetime(2025, 3, 1, tzinfo=UTC)
COLUMN = [
    "The last keeper of the light at Varnish Rock handed in his keys and took the mail boat home.",
    "Oskar Tremmel had lived on the rock for half of his life with a cat and a wireless set.",
    "The lamp turns by itself since engineers of the harbour board fitted a bank of batteries.",
    "The cat, whose name is Bosun, will move to the mainland with its master.",
    "Many of the lights that marked the channel have been dark since the fleet left for the south.",
    "The board means to let the house to painters and to people who count birds.",
]
FORM = (
    "The district court of {0} gives notice that the property {1}, entered in the name of {2}, is "
    "to be sold by public auction on {3} in the main hall of the court. Who holds a claim on the "
    "property is asked to state it in writing no later than two weeks before the day of the sale; "
    "claims that are not stated will not be taken into account when the proceeds are shared out."
)
FILLINGS = [
    ("Karso", "14 Mill Lane", "Edda Brandt", "August 12"),
    ("Fadara", "3 Harbour Steps", "Joao Pinheiro", "September 3"),
    ("Ostrow", "221 Foundry Road", "Lund and Sons", "August 27"),
    ("Selim", "7 Orchard Close", "Miriam Okoye", "October 1"),
]


Told = tuple[str | None, str]


def filled(filling: tuple[str, ...]) -> Told:
    return f"Court of {filling[0]}: sale of {filling[1]}", FORM.format(*filling)


def pair(one: Told, other: Told, dated: bool = True) -> tuple[bool, float]:
    """Whether two articles, title and text, are copies, and how alike as fillings."""
    sketcher = Sketcher()
    profiles = sketcher.sketch(
        [
            Article(name, text, title, START if dated else None, lang="en")
            for name, (title, text) in (("a", one), ("b", other))
        ]
    )
    similarity = Similarity(profiles, sketcher)
    a, b = np.array([0]), np.array([1])
    cosine, common = similarity.cosines(a, b), similarity.shared_numbers(a, b)
    (copy,) = copies(a, b, cosine, common, similarity.number_count, profiles)
    (form,) = fillings(a, b, cosine, 1.5, profiles, similarity)
    return bool(copy), float(form)


@pytest.mark.parametrize("left_out", range(len(COLUMN)))
@pytest.mark.parametrize("dated", [True, False])
def test_what_is_cut_from_a_copy_leaves_it_one(left_out: int, dated: bool) -> None:
    cut = " ".join(sentence for i, sentence in enumerate(COLUMN) if i != left_out)
    assert pair(("Keeper goes", " ".join(COLUMN)), ("Bosun moves", cut), dated) == (True, 0)


def test_an_exact_copy_of_a_filling_is_explained_like_the_first(tmp_path: Path) -> None:
    rows = [
        {"id": f"{name}{i}", "title": title, "text": text, "source": f"{name} Gazette",
         "published": START + timedelta(minutes=len(name)), "lang": "en"}
        for i, (title, text) in enumerate(map(filled, FILLINGS))
        for name in ("County", "Provincial")
    ]  # fmt: skip
    stories = cluster(rows)
    recurrence = dict(zip(stories.ids, stories.recurrence.tolist(), strict=True))
    assert recurrence["County0"] > 0.5
    assert recurrence["Provincial0"] == recurrence["County0"]
    with StoryIndex.open(tmp_path / "index") as index:
        index.add_many(rows)
        for one, other in (("County0", "County1"), ("Provincial0", "County1")):
            for found in (stories.explain(one, other), index.explain(one, other)):
                assert found.breakdown is not None
                assert not found.one_story
                assert found.breakdown.score < found.breakdown.needed


def test_texts_cut_in_different_places_are_no_form() -> None:
    one, other = (" ".join(s for s in COLUMN if s != out) for out in (COLUMN[0], COLUMN[2]))
    assert pair(("The rock falls silent", one), ("The house is let", other))[1] == 0
    assert pair((None, one), (None, other))[1] == 0


def test_fillings_of_a_form_are_no_copies() -> None:
    for other in FILLINGS[1:]:
        copy, form = pair(filled(FILLINGS[0]), filled(other))
        assert not copy
        assert form > 0.5


def test_other_figures_in_one_text_make_no_copy() -> None:
    text = "The rupee closed at {} to the dollar, and at {} to the euro, on the interbank market."
    assert not pair((None, text.format(291, 318)), (None, text.format(293, 321)))[0]


@given(st.integers(0, SLOTS), st.integers(1, 4000), st.integers(1, 4000))
def test_the_part_that_is_shared_is_a_share(shingles: int, one: int, other: int) -> None:
    part = shared_part(shingles, one, other)
    assert shingles / SLOTS - 1e-12 <= part <= 1
    assert part == shared_part(shingles, other, one)


@given(
    st.floats(0, 1), st.integers(0, SLOTS), st.integers(0, 9), st.integers(1, 999),
    st.integers(1, 999),
)  # fmt: skip
def test_no_pair_is_both(
    cosine: float, shingles: int, conflicts: int, one: int, other: int
) -> None:
    copy = is_copy(cosine, shingles, conflicts, 0, 0, one, other)
    assert not (copy and is_filling(cosine, shingles, conflicts, one, other) and cosine > 0.8)


# Papers cut a text at its end, and sometimes leave out how it begins. Short texts that lack
# different sentences in the middle can be as different as two fillings of a form.
CUTS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 23), st.sampled_from([-1, 0, len(COLUMN) - 1])),
    min_size=2,
    max_size=9,
)


@settings(max_examples=15, deadline=None)
@given(CUTS)
def test_a_further_copy_never_parts_copies(cuts: list[tuple[int, int, int]]) -> None:
    rows = [
        {
            "id": str(i),
            "text": " ".join(s for k, s in enumerate(COLUMN) if k != left_out),
            "title": f"{COLUMN[i % 6].split()[3]} number {'i' * (i + 1)}",
            "source": f"Paper {i}",
            "published": START + timedelta(days=day, hours=hour),
        }
        for i, (day, hour, left_out) in enumerate(cuts)
    ]
    for count in range(2, len(rows) + 1):
        assert len(cluster(rows[:count])) == 1
    with StoryIndex() as index:
        for row in rows:
            assert index.add(row).story_id == index.story_of("0").id


TEXTS = [" ".join(COLUMN), " ".join(COLUMN[1:]), FORM.format(*FILLINGS[0])]
ARRIVALS = st.lists(
    st.tuples(st.sampled_from(TEXTS), st.one_of(st.none(), st.integers(0, 30)), st.booleans()),
    min_size=2,
    max_size=14,
)


@settings(max_examples=25, deadline=None)
@given(ARRIVALS, st.integers(1, 3))
def test_no_story_is_longer_than_the_window(
    arrivals: list[tuple[str, int | None, bool]], at_once: int
) -> None:
    rows = [
        {
            "id": str(i),
            "text": text,
            "title": "Light" if titled else None,
            "published": None if day is None else START + timedelta(days=day),
        }
        for i, (text, day, titled) in enumerate(arrivals)
    ]
    day = {str(i): day for i, (_, day, _) in enumerate(arrivals)}
    found = [list(story.articles) for story in cluster(rows)]
    with StoryIndex() as index:
        for first in range(0, len(rows), at_once):
            index.add_many(rows[first : first + at_once])
        found += [list(story.articles) for story in index.stories()]
        index.remove("0")
        found += [list(story.articles) for story in index.stories()]
    for articles in found:
        known = [number for article in articles if (number := day[article]) is not None]
        assert not known or max(known) - min(known) <= 7
