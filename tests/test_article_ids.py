"""The ids of articles, beside a list and a dict."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.index.article_ids import IdArrays, Ids, RowOf

# Any text, lone surrogates among them; empty ids are those of removed articles.
IDS = st.lists(st.text(st.characters(exclude_categories=()), max_size=4), unique=True, max_size=20)


@given(IDS, st.integers(0, 20), st.data())
def test_ids_of_arrays_are_those_of_a_list(ids: list[str], first: int, data: st.DataObject) -> None:
    live = [row for row in range(min(first, len(ids))) if ids[row] and data.draw(st.booleans())]
    encoded = [name.encode("utf-8", "surrogatepass") for name in ids[:first]]
    base = IdArrays.of(encoded, np.array(live, dtype=np.int32))
    found, row_of = Ids(base), RowOf(base)
    found.extend(ids[first:])
    known = {ids[row]: row for row in live}
    for row in range(len(base), len(ids)):
        row_of[ids[row]] = known[ids[row]] = row
    for row in data.draw(
        st.lists(st.integers(0, len(ids) - 1), unique=True) if ids else st.just([])
    ):
        if ids[row] in known:
            del row_of[ids[row]], known[ids[row]]
        found[row] = ids[row] = ""
    assert list(found) == found[:] == ids
    assert found.encoded() == [name.encode("utf-8", "surrogatepass") for name in ids]
    assert [found[row] for row in range(len(ids))] == ids
    for end in (0, first, len(ids)):
        assert found.present(min(end, len(ids))).tolist() == [bool(name) for name in ids[:end]]
    assert dict(row_of) == known
    assert len(row_of) == len(known)
    for name in (*ids, "nobody"):
        assert (name in row_of) == (name in known)
        assert row_of.get(name) == known.get(name)


def test_ids_grow_and_shrink_at_the_end() -> None:
    ids = Ids(IdArrays.of([b"a", b"b"], np.zeros(0, dtype=np.int32)))
    ids.extend(["c", "d"])
    assert ids[1:4] == ["b", "c", "d"]
    ids.cut(3)
    assert ids[:] == ["a", "b", "c"]
    for row in (-1, 3):
        with pytest.raises(IndexError):
            ids[row]


def test_what_is_no_id_is_not_there() -> None:
    for row_of in (RowOf(), RowOf(IdArrays.of([b"5"], np.zeros(1, dtype=np.int32)))):
        number: object = 5
        assert number not in row_of
        with pytest.raises(KeyError):
            row_of["6"]
        with pytest.raises(KeyError):
            del row_of["6"]
        with pytest.raises(TypeError):
            row_of[[]]  # type: ignore[index]
