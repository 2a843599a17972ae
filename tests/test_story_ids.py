"""Ids of stories differ even if article ids were made to have the same 64-bit hash."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sahel_dedup
from sahel_dedup import StoryIndex
from sahel_dedup.clustering import story_ids
from sahel_dedup.index import live

Row = dict[str, Any]
REAL = story_ids.story_id
REPORTS = (
    "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers, an officer said.",
    "Millet prices rose in Maradi as the lean season began, traders at the grain market told us.",
    "The ferry to Gao sank in the night with forty people aboard, the harbour master said.",
)


def by_initial(article: str, attempt: int = 0) -> str:
    """Name a story after one letter, as if all ids with that letter were forged."""
    return REAL(article[:1], attempt)


@pytest.fixture
def _forged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story_ids, "story_id", by_initial)
    monkeypatch.setattr(live, "story_id", by_initial)


def rows(count: int) -> list[Row]:
    """Articles of three stories, all of whose ids have the same hash."""
    return [
        {"id": f"x{number}", "text": REPORTS[number % 3], "published": f"2025-03-0{1 + number}"}
        for number in range(count)
    ]


def grouped(stories: dict[str, Any]) -> set[frozenset[str]]:
    """Return which articles have the same name of a story."""
    names = set(stories.values())
    return {frozenset(a for a, other in stories.items() if other == name) for name in names}


@pytest.mark.usefixtures("_forged")
def test_a_batch_names_each_story_differently() -> None:
    stories = sahel_dedup.cluster(rows(6))
    names = {str(row["id"]): str(row["story_id"]) for row in stories.rows()}
    assert grouped(names) == {frozenset({f"x{n}", f"x{n + 3}"}) for n in range(3)}
    # The first story keeps the name that it has alone, whatever comes after it.
    assert names["x0"] == by_initial("x")
    for article, name in names.items():
        assert stories.story_of(article).id == name
        assert article in stories.story(name).articles


@given(initials=st.lists(st.sampled_from("abcde"), max_size=12))
def test_names_differ_and_depend_on_the_former_ones_alone(initials: list[str]) -> None:
    ids = [f"{letter}{number}" for number, letter in enumerate(initials)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(story_ids, "story_id", lambda a, n=0: f"{a[:1]}{n}" if n < 2 else f"{a}{n}")
        names = story_ids.story_ids(ids)
    assert len(set(names)) == len(names)
    for number, (letter, name) in enumerate(zip(initials, names, strict=True)):
        assert (name == f"{letter}0") == (letter not in initials[:number])


def test_a_name_of_a_second_choice_takes_no_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {("a", 0): "s1", ("b", 0): "s1", ("b", 1): "s2", ("c", 0): "s2", ("b", 2): "s3"}
    monkeypatch.setattr(story_ids, "story_id", lambda a, n=0: chosen[a, n])
    assert story_ids.story_ids("abc") == ["s1", "s3", "s2"]


@pytest.mark.usefixtures("_forged")
def test_a_new_run_names_each_story_differently() -> None:
    found = story_ids.kept_names([["x0"], ["x1", "x2"], ["x3"]], {"x2": by_initial("x", 1)})
    assert found == [by_initial("x", attempt) for attempt in (0, 1, 2)]


@pytest.mark.usefixtures("_forged")
@pytest.mark.parametrize("batch", [1, 6])
def test_a_stream_names_each_story_differently(batch: int, tmp_path: Path) -> None:
    path, given_rows = tmp_path / "news.index", rows(6)
    with StoryIndex.open(path) as index:
        answers = list(index.follow(given_rows, batch_size=batch))
        names = {answer.id: answer.story_id for answer in answers}
        expected = {frozenset({f"x{n}", f"x{n + 3}"}) for n in range(3)}
        assert grouped(names) == expected
        index.compact()
        # What has left gives its name back; what comes again takes none that is borne.
        index.remove("x0")
        assert index.add(given_rows[0]).story_id == index.story_of("x3").id
        assert grouped({a: s.id for s in index.stories() for a in s.articles}) == expected
    with StoryIndex.open(path) as index:
        new = index.add({"id": "x9", "text": "Rain fell on the desert for a week, to general joy."})
        assert new.is_new_story
        assert index.story_of("x9").articles == ("x9",)
        held = {a: s.id for s in index.stories() for a in s.articles}
        assert grouped(held) == expected | {frozenset({"x9"})}
        assert all(index.story(name).id == name for name in held.values())
