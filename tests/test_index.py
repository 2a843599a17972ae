"""The story index as users see it, in memory and in a file."""

import json
from collections.abc import Iterator
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from benchmarks.faults import partition
from sahel_dedup import Article, ArticleError, SahelError, Settings, cluster
from sahel_dedup.evaluation.metrics import evaluate
from sahel_dedup.index import Assignment, Match, StoryIndex, kept_arrays

Row = dict[str, Any]
START = datetime(2025, 3, 2, tzinfo=UTC)

ATTACK = {
    "id": "a",
    "title": "Nine soldiers killed at Tessarit",
    "text": "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers, the "
    "governor said. The attackers came on forty motorcycles before dawn.",
    "published": "2025-03-03T10:00:00Z",
    "source": "one",
}
ATTACK_REWORDED = {
    "id": "b",
    "title": "Army camp attacked in Tessarit, nine dead",
    "text": "Nine soldiers were killed on Monday when gunmen attacked an army camp at Tessarit, "
    "according to the governor. Forty motorcycles carried the attackers before dawn.",
    "published": "2025-03-03T12:00:00Z",
    "source": "two",
}
PRICES = {
    "id": "c",
    "title": "Millet prices rise",
    "text": "Millet prices rose in Maradi as the lean season began, traders at the grain market "
    "told a radio station.",
    "published": "2025-03-04T08:00:00Z",
    "source": "one",
}


@pytest.fixture(params=["memory", "file"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoryIndex]:
    path = tmp_path / "news.index"
    with StoryIndex() if request.param == "memory" else StoryIndex.open(path) as opened:
        yield opened


def test_an_article_joins_the_story_it_rewords(index: StoryIndex) -> None:
    first, second, third = (index.add(row) for row in (ATTACK, ATTACK_REWORDED, PRICES))
    assert first.is_new_story
    assert (first.relation, first.similarity) == (None, None)
    assert not second.is_new_story
    assert second.story_id == first.story_id
    assert second.relation == "reworded"
    assert second.similarity == second.matches[0].similarity > 0.3
    assert [match.id for match in second.matches] == ["a"]
    assert third.is_new_story
    assert third.story_id != first.story_id
    story = index.story(first.story_id)
    assert story.articles == ("a", "b")
    assert story.canonical == "a"
    assert index.story_of("b") == story
    assert index.stats().articles == 3
    assert "b" in index
    assert "d" not in index


def test_the_same_words_are_an_exact_copy(index: StoryIndex) -> None:
    first = index.add(ATTACK)
    copy = index.add({**ATTACK, "id": "copy", "source": "two"})
    assert copy.relation == "exact"
    assert copy.similarity == 1
    assert copy.story_id == first.story_id
    assert index.story(copy.story_id).articles == ("a", "copy")


def test_names_and_stories_are_those_of_the_batch(wire: list[Row], index: StoryIndex) -> None:
    for row in wire:
        index.add(row)
    batch = {article: story.id for story in cluster(wire) for article in story.articles}
    found = partition(index)
    assert evaluate(found, batch).bcubed.f1 >= 0.97
    assert sum(found[article] == story for article, story in batch.items()) >= 0.9 * len(wire)


def test_many_at_once_are_nearly_the_same(wire: list[Row]) -> None:
    one, many = StoryIndex(), StoryIndex()
    for row in wire:
        one.add(row)
    answers = many.add_many(wire)
    assert [answer.id for answer in answers] == [row["id"] for row in wire]
    assert evaluate(partition(many), partition(one)).bcubed.f1 >= 0.95


def test_a_query_changes_nothing(wire: list[Row], index: StoryIndex) -> None:
    index.add_many(wire[:50])
    before = partition(index), index.stats()
    asked = [index.query(row) for row in wire[40:60]]
    assert (partition(index), index.stats()) == before
    assert [index.query(row) for row in wire[40:60]] == asked
    assert asked[0].relation == "exact"
    added = index.add(wire[50])
    assert added.story_id == asked[10].story_id
    assert added.similarity == pytest.approx(asked[10].similarity, abs=1e-6)


def test_adding_again_changes_nothing(wire: list[Row], index: StoryIndex) -> None:
    index.add_many(wire)
    before = partition(index), index.stats()
    again = index.add_many(wire) + [index.add(row) for row in wire[:20]]
    assert (partition(index), index.stats()) == before
    for answer in again:
        assert answer.story_id == before[0][answer.id]
        assert (answer.relation is None) == (len(index.story(answer.story_id)) == 1)


def test_an_id_stands_for_one_text(index: StoryIndex) -> None:
    index.add(ATTACK)
    with pytest.raises(ArticleError, match="update"):
        index.add({**PRICES, "id": "a"})
    with pytest.raises(ArticleError, match="'x' is in the index"):
        index.add_many([PRICES, {"id": "x", "text": "one two"}, {"id": "x", "text": "three"}])
    # Of the batch with the fault nothing was kept, and the index is of use.
    assert partition(index).keys() == {"a"}
    index.add(ATTACK_REWORDED)
    assert index.stats().articles == 2


def test_a_corrected_version_takes_the_place(index: StoryIndex) -> None:
    index.add_many([ATTACK, ATTACK_REWORDED, PRICES])
    joined = index.update({**ATTACK, "id": "c"})
    assert joined.story_id == index.story_of("a").id
    assert index.story_of("a").articles == ("a", "c", "b")
    assert [event.kind for event in joined.events] == ["merged"]
    alone = index.update(PRICES)
    assert len(index.story(alone.story_id)) == 1
    kept = index.update({**PRICES, "title": "Millet prices soar"})
    assert kept.story_id == alone.story_id
    assert kept.events == ()
    with pytest.raises(SahelError, match="no article 'x'"):
        index.update({**PRICES, "id": "x"})


def test_the_article_that_named_a_story_may_leave(index: StoryIndex) -> None:
    story = index.add(ATTACK).story_id
    index.add(ATTACK_REWORDED)
    assert index.remove("a") == ()
    assert index.story(story).articles == ("b",)
    # It comes back alone: another event under the same id gets another name.
    back = index.add({**PRICES, "id": "a"})
    assert back.story_id != story
    (event,) = index.remove("b")
    assert (event.kind, event.story) == ("removed", story)
    with pytest.raises(SahelError, match="no story"):
        index.story(story)
    with pytest.raises(SahelError, match="no article 'b'"):
        index.remove("b")


def test_what_one_article_held_together_falls_apart(index: StoryIndex) -> None:
    copies = [{**ATTACK, "id": name} for name in "pqr"]
    index.add_many([ATTACK, *copies, ATTACK_REWORDED])
    index.remove("a")
    assert index.story_of("p").articles == ("p", "q", "r", "b")
    assert index.add({**ATTACK, "id": "s"}).relation == "exact"


def test_a_late_article_joins_stories() -> None:
    words = [f"word{n}" for n in range(60)]
    day = {"published": "2025-03-03T10:00:00Z"}
    left = {"id": "left", "text": " ".join(words[:30]), **day}
    right = {"id": "right", "text": " ".join(words[30:]), **day}
    both = {"id": "both", "text": " ".join(words), **day}
    with StoryIndex(Settings(granularity="topic")) as index:
        older, younger = index.add(left), index.add(right)
        assert older.story_id != younger.story_id
        bridge = index.add(both)
        assert bridge.story_id == older.story_id
        (event,) = bridge.events
        assert (event.kind, event.story, event.other) == (
            "merged",
            younger.story_id,
            older.story_id,
        )
        assert index.events() == (event,)
        assert index.events(event.cursor) == ()
        assert index.story_of("right").articles == ("left", "right", "both")


def test_stories_expire_whole(index: StoryIndex) -> None:
    late = {**ATTACK_REWORDED, "published": "2025-03-06T10:00:00Z"}
    index.add_many([ATTACK, PRICES, late])
    together = index.story_of("a").id == index.story_of("b").id
    assert together
    events = index.expire(before=datetime(2025, 3, 5, tzinfo=UTC))
    assert [event.kind for event in events] == ["expired"]
    assert partition(index).keys() == {"a", "b"}
    assert index.expire(before=datetime(2025, 3, 5, tzinfo=UTC)) == ()
    again = index.add(PRICES)
    assert (again.kept, again.story_id, again.is_new_story) == (False, None, False)
    assert index.stats().late == 1
    assert index.stats().articles == 2
    assert [event.kind for event in index.events()] == ["expired"]


def test_the_former_constructor_still_works() -> None:
    chosen = Settings(window=3)
    with pytest.deprecated_call(match="call StoryIndex"):
        index = StoryIndex.in_memory(chosen, retention=9)
    with index:
        assert index.add(ATTACK).is_new_story
        assert index.settings == chosen


def test_retention_bounds_an_endless_stream() -> None:
    with StoryIndex(retention=timedelta(days=8)) as index:
        for day in range(60):
            moment = START + timedelta(days=day)
            index.add({
                "id": f"bulletin {day}",
                "text": f"The franc bought {day + 400} units in early trade at the market of "
                f"Niamey as dealers waited for the central bank, which left rates at {day}.",
                "published": moment,
            })  # fmt: skip
            index.add({"id": f"undated {day}", "text": f"event{day} place{day} person{day}"})
        assert index.stats().articles < 25
        stats = index.stats()
        assert stats.newest == START + timedelta(days=59)
        # What recurs is remembered: it takes no new bulletin for another copy of the last.
        assert 0 < stats.past < 60
        assert len(index.story_of("bulletin 59")) == 1
        # The first ones were taken for one story, until more of them came.
        assert {event.kind for event in index.events()} == {"expired", "split"}


def test_retention_is_no_shorter_than_the_window() -> None:
    with pytest.raises(ValueError, match="retention"):
        StoryIndex(retention=timedelta(days=1))


def test_stories_since(index: StoryIndex) -> None:
    index.add_many([ATTACK, ATTACK_REWORDED, PRICES])
    assert len(list(index.stories())) == 2
    (story,) = index.stories(since=datetime(2025, 3, 4))
    assert story.articles == ("c",)
    assert list(index.stories(since=datetime(2025, 4, 1))) == []


def test_articles_with_nothing_to_compare(index: StoryIndex) -> None:
    rows = [
        Article(name, text)
        for name, text in (
            ("e", ""),
            ("f", "..."),
            ("g", ""),
            ("h", "\ud800"),
            ("\ud800", "lone surrogate"),
        )
    ]
    for answer in index.add_many(rows):
        assert answer.is_new_story
        assert answer.relation is None
    assert index.query(rows[0]).is_new_story
    assert len({*partition(index).values()}) == 5
    assert index.remove("\ud800")[0].kind == "removed"


def test_an_empty_index(index: StoryIndex) -> None:
    assert index.stats().articles == 0
    assert list(index.stories()) == []
    assert index.events() == ()
    assert index.add_many([]) == []
    assert index.expire(before=START) == ()
    assert index.stats().newest is None
    assert index.query(ATTACK).is_new_story
    for name in ("s0000000000000000", "s000000000000000x", "none"):
        with pytest.raises(SahelError, match="no story"):
            index.story(name)


def test_follow_takes_no_more_than_is_asked_for(wire: list[Row]) -> None:
    taken = 0

    def source() -> Iterator[Row]:
        nonlocal taken
        for row in wire:
            taken += 1
            yield row

    with StoryIndex() as index:
        answers = index.follow(source())
        for expected in (1, 2, 3):
            next(answers)
            assert taken == index.stats().articles == expected


@pytest.mark.parametrize("cursor", ["x", None, -1, 1.5])
def test_a_cursor_is_a_whole_number(cursor: Any, index: StoryIndex) -> None:
    with pytest.raises(SahelError, match="cursor"):
        index.events(cursor)


def test_a_closed_index_says_so(index: StoryIndex) -> None:
    index.close()
    index.close()
    with pytest.raises(SahelError, match="closed"):
        index.add(ATTACK)
    with pytest.raises(SahelError, match="closed"):
        index.stats()


@pytest.mark.parametrize(
    ("chosen", "canonical"),
    [
        (Settings(), "a"),
        (Settings(preferred_sources=("two",)), "b"),
        (Settings(canonical="longest"), "b"),
        (Settings(canonical="central"), "a"),
    ],
)
def test_which_article_stands_for_a_story(chosen: Settings, canonical: str) -> None:
    longer = {**ATTACK_REWORDED, "text": ATTACK_REWORDED["text"] + " It was still dark."}
    with StoryIndex(chosen) as index:
        index.add_many([ATTACK, longer, {**ATTACK, "id": "z", "source": "three"}])
        assert index.story_of("a").canonical == canonical


def near(answer: Any) -> Any:
    """What equals `answer` but for the last of its digits.

    Sums in single precision depend on the order in which words were met.  Nothing is rounded:
    two numbers that are next to each other may be rounded apart.
    """
    if isinstance(answer, float):
        return pytest.approx(answer, rel=1e-5, abs=1e-5)
    if isinstance(answer, tuple):
        return tuple(map(near, answer))
    return answer


def laid_out(answer: Any) -> Any:
    """Assignments, in whatever tuples, as tuples of their fields."""
    if isinstance(answer, tuple):
        return tuple(map(laid_out, answer))
    return laid_out(astuple(answer)) if isinstance(answer, Assignment | Match) else answer


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["add", "add", "add", "many", "remove", "update", "query", "expire", "open"]
        ),
        st.integers(0, 30),
    ),
    max_size=40,
)


@given(STEPS, st.booleans())
@example([("add", 0), ("remove", 0), ("expire", 0), ("open", 0)], True)
@settings(max_examples=25)
def test_a_file_holds_what_memory_holds(
    tmp_path_factory: pytest.TempPathFactory,
    sample: Path,
    steps: list[tuple[str, int]],
    arrays: bool,
) -> None:
    """Read from its rows, or from its arrays as large ones are."""
    with mock.patch.object(kept_arrays, "LEAST_ARTICLES", 0 if arrays else 1 << 30):
        _compare(tmp_path_factory.mktemp("index") / "news.index", sample, steps)


def _compare(path: Path, sample: Path, steps: list[tuple[str, int]]) -> None:
    wire: list[Row] = [json.loads(line) for line in sample.read_text("utf-8").splitlines()]
    memory, file = StoryIndex(), StoryIndex.open(path)
    for step, n in steps:
        both = (memory, file)
        row, there = wire[n], wire[n]["id"] in memory
        if step == "add" and not there:
            one, two = (index.add(row) for index in both)
        elif step == "many":
            new = [row for row in wire[n : n + 3] if row["id"] not in memory]
            one, two = (tuple(index.add_many(new)) for index in both)  # type: ignore[assignment]
        elif step == "remove" and there:
            one, two = (index.remove(row["id"]) for index in both)  # type: ignore[assignment]
        elif step == "update" and there:
            one, two = (index.update(row) for index in both)
        elif step == "query":
            one, two = (index.query(row) for index in both)
        elif step == "expire":
            moment = datetime(2025, 3, 1, tzinfo=UTC) + timedelta(days=n)
            one, two = (index.expire(moment) for index in both)  # type: ignore[assignment]
        elif step == "open":
            file.close()
            file = StoryIndex.open(path)
            continue
        else:
            continue
        assert laid_out(one) == near(laid_out(two))
        assert partition(memory) == partition(file)
        assert memory.events() == file.events()
        assert sorted(partition(file)) == sorted(
            memory.story_of(a).id and a for a in partition(file)
        )
    assert memory.stats() == replace(file.stats(), file_bytes=0)
    file.close()
