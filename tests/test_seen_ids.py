"""Ids that were read: recorded together or one by one, they give the same faults."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.errors import ArticleError
from sahel_dedup.io.readers import Place
from sahel_dedup.io.seen_ids import SeenIds


@given(st.lists(st.tuples(st.sampled_from("ab"), st.lists(st.sampled_from("rstuvwxyz")))))
def test_ids_can_be_recorded_together(parts: list[tuple[str, list[str]]]) -> None:
    together, singly, line = SeenIds(), SeenIds(), 0
    for file, ids in parts:
        lines = list(range(line, line := line + len(ids)))
        faults = _faults(singly, file, ids, lines)
        assert together.add_all(ids, file, lines) == (not faults)
        if faults:
            assert _faults(together, file, ids, lines) == faults


def _faults(seen: SeenIds, file: str, ids: list[str], lines: list[int]) -> list[str]:
    found = []
    for name, line in zip(ids, lines, strict=True):
        try:
            seen.add(name, Place(file, line))
        except ArticleError as error:
            found.append(str(error))
    return found
