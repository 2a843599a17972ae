"""An index forgets words that its articles no longer have, and stays the same otherwise."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sahel_dedup import StoryIndex
from sahel_dedup.index import forgetting, session
from sahel_dedup.index.maintenance import check
from sahel_dedup.index.term_numbers import TermNumbers
from sahel_dedup.text.vocabulary import Vocabulary

Row = dict[str, Any]


@pytest.fixture
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget whatever can be forgotten, also in a small index."""
    monkeypatch.setattr(forgetting, "_FEWEST_TERMS", 0)
    monkeypatch.setattr(forgetting, "_SPARE_TERMS", 1.0)


def terms(index: StoryIndex) -> int:
    """Count the terms that an index knows."""
    return len(index._session.engine.live.sketcher.vocabulary)


def partition(index: StoryIndex) -> dict[str, str]:
    return {article: story.id for story in index for article in story.articles}


def outcome(path: Path, wire: list[Row], reopened: bool) -> tuple[float, list[Any]]:
    """Return the share of terms that remain when articles leave, and what happens after that."""
    leaving, later = wire[::3], wire[2::3]
    found: list[Any] = []

    def ask(index: StoryIndex) -> None:
        answers = [index.query({**row, "id": "asked"}) for row in wire]
        found.append([(answer.story_id, answer.relation) for answer in answers])
        found.append(partition(index))

    def go_on(index: StoryIndex) -> None:
        ask(index)
        # Further words, and some that come back.
        for rows in (later, leaving):
            index.add_many(rows)
            found.append(partition(index))

    with StoryIndex.open(path) as index:
        # Mixed, so that the terms that remain are spread over all numbers.
        index.add_many([row for row in wire if row not in later])
        before = terms(index)
        for row in leaving:
            index.remove(row["id"])
        index.compact()
        left = terms(index) / before
        if not reopened:
            go_on(index)
    if reopened:
        assert check(path) == []
        with StoryIndex.open(path) as index:
            go_on(index)
    assert check(path) == []
    with StoryIndex.open(path, readonly=True) as index:
        ask(index)
        found.append([index.explain(a["id"], b["id"]).breakdown for a, b in pairwise(wire[-20:])])
    return left, found


@pytest.mark.parametrize("reopened", [False, True])
def test_stories_are_as_if_nothing_was_forgotten(
    tmp_path: Path, wire: list[Row], reopened: bool, request: pytest.FixtureRequest
) -> None:
    left, expected = outcome(tmp_path / "full.index", wire, reopened)
    assert left == 1
    request.getfixturevalue("_eager")
    left, found = outcome(tmp_path / "small.index", wire, reopened)
    # The articles that left had words of their own.
    assert left < 0.9
    assert found[:-1] == expected[:-1]
    for one, other in zip(found[-1], expected[-1], strict=True):
        assert one.score == pytest.approx(other.score, abs=0.05)
        assert one.similarity == pytest.approx(other.similarity, abs=0.02)


@pytest.mark.usefixtures("_eager")
@pytest.mark.parametrize("readonly", [False, True])
def test_words_that_only_queries_had_are_forgotten(
    tmp_path: Path, wire: list[Row], monkeypatch: pytest.MonkeyPatch, readonly: bool
) -> None:
    monkeypatch.setattr(session, "_ASKED_TERMS", 100)
    path = tmp_path / "news.index"
    with StoryIndex.open(path) as index:
        index.add_many(wire[::2])
        expected, known = partition(index), terms(index)
    most = 0
    with StoryIndex.open(path, readonly=readonly) as index:
        for number in range(40):
            text = " ".join(f"unheard{number}x{word}" for word in range(20))
            index.query({"id": "asked", "text": text})
            most = max(most, terms(index))
        assert partition(index) == expected
        asked = index.query({**wire[0], "id": "asked"})
        assert asked.story_id == expected[wire[0]["id"]]
    # 40 queries have 800 words.
    assert most <= known + 200
    assert check(path) == []


def test_terms_keep_their_numbers_in_the_file_when_others_are_forgotten() -> None:
    words = ["ford", "goat", "hill", "inn", "jar", "kiln"]
    hashes = np.arange(1, 7, dtype=np.uint64)
    large, small = Vocabulary(), Vocabulary()
    large.enter(hashes, words)
    small.enter(hashes[1::2], words[1::2])
    numbers = TermNumbers(large)
    numbers.new_rows()
    rows = numbers.follow(small)
    assert numbers.filed(np.arange(3)).tolist() == [1, 3, 5]
    assert numbers.in_memory(np.array([5, 1, 3], dtype=np.int32)).tolist() == [2, 0, 1]
    for gone in (0, 2, 4):
        with pytest.raises(ValueError, match="unknown number"):
            numbers.in_memory(np.array([gone], dtype=np.int32))
    # Another process that reads the file has the same.
    other = TermNumbers(Vocabulary())
    other.read(rows)
    for mine, theirs in zip(numbers.arrays(), other.arrays(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
