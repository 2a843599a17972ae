"""Members of stories and tables of names: fast for stories and tables of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.index.standing import NO_STORY
from sahel_dedup.index.story_members import MemberArrays, Members, StoryMembers
from sahel_dedup.util.names import NameTable

JOINS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=15)
DAYS = st.lists(st.one_of(st.just(np.nan), st.integers(-9, 9).map(float)), min_size=12, max_size=12)


@given(JOINS, DAYS, st.integers(1, 12), st.none() | st.integers(0, 15))
def test_members_are_those_of_sets(
    joins: list[tuple[int, int]], days: list[float], window: int, reopened: int | None
) -> None:
    """Also of an index that is opened again after some joins."""
    stories, number = StoryMembers(window), list(range(1, 13))
    day, duplicate_of = np.array(days), np.arange(12, dtype=np.int32)

    def of(row: int) -> Members:
        return stories.of(number[row], row, duplicate_of, day)

    groups = {row: {row} for row in range(12)}
    for place, (a, b) in enumerate(joins):
        if place == reopened:
            base = MemberArrays.of(np.array(number, dtype=np.uint64), NO_STORY)
            stories = StoryMembers(window, base)
            assert all(stories.had(n) == (n in number) for n in range(14))
        if groups[a] is groups[b]:
            continue
        union = groups[a] | groups[b]
        known = [days[row] for row in union if not np.isnan(days[row])]
        assert stories.fit(of(a), of(b)) == (not known or max(known) - min(known) <= window)
        kept, gone = number[a], number[b]
        stories.join(kept, of(a), of(b), (gone,))
        for row in union:
            groups[row], number[row] = union, kept
    for row in range(12):
        assert of(row).rows == of(row).first == sorted(groups[row])


def test_to_join_one_article_touches_no_other() -> None:
    stories = StoryMembers(np.inf)
    rows, day = list(range(1000)), np.zeros(1001)
    duplicate_of = np.arange(1001, dtype=np.int32)
    stories.put(1, rows, duplicate_of, day)
    held = stories.of(1, 0, duplicate_of, day).rows
    stories.join(
        1, stories.of(1, 0, duplicate_of, day), stories.of(2, 1000, duplicate_of, day), (2,)
    )
    assert stories.of(1, 0, duplicate_of, day).rows is held
    assert held[-1] == 1000


@given(st.lists(st.text(max_size=3)))
def test_names_are_looked_up_either_way(names: list[str]) -> None:
    table = NameTable()
    for name in names:
        number = table.setdefault(name, len(table))
        assert table.names[number] == name
    assert list(table) == table.names == list(dict.fromkeys(names))


def test_numbers_of_names_leave_no_gap() -> None:
    with pytest.raises(ValueError, match="'b' must be number 1, not 5"):
        NameTable(["a"])["b"] = 5
