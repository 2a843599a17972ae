"""Members of stories and tables of names: fast for stories and tables of any size."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.index.story_members import Members, StoryMembers
from sahel_dedup.util.names import NameTable

JOINS = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=15)
DAYS = st.lists(st.one_of(st.just(np.nan), st.integers(-9, 9).map(float)), min_size=12, max_size=12)


@given(JOINS, DAYS, st.integers(1, 12))
def test_members_are_those_of_sets(
    joins: list[tuple[int, int]], days: list[float], window: int
) -> None:
    stories, number = StoryMembers(window), list(range(1, 13))

    def of(row: int) -> Members:
        return stories.of(number[row], row, days[row])

    groups = {row: {row} for row in range(12)}
    for a, b in joins:
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
    stories.put(1, rows, np.arange(1001, dtype=np.int32), day)
    held = stories.of(1, 0, 0.0).rows
    stories.join(1, stories.of(1, 0, 0.0), stories.of(2, 1000, 0.0), (2,))
    assert stories.of(1, 0, 0.0).rows is held
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
