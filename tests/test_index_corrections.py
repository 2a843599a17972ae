"""Corrections in an index: followed in any order of corrections and articles."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from sahel_dedup import CorrectionError, SahelError, StoryIndex
from sahel_dedup.cli import app
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.index import maintenance
from tests.test_corrections import (
    ARTICLES,
    NATURAL,
    SAID,
    assert_followed,
    contradicted,
    grouped,
    partition,
)

BY_ID = {str(article["id"]): article for article in ARTICLES}


@settings(max_examples=1000)
@given(
    said=SAID,
    random=st.randoms(use_true_random=False),
    cuts=st.lists(st.integers(1, 7), max_size=2, unique=True).map(sorted),
)
def test_the_stream_follows_all_corrections_in_any_order(
    said: Any, random: Any, cuts: list[int]
) -> None:
    articles = random.sample(ARTICLES, len(ARTICLES))
    batches = [articles[i:j] for i, j in itertools.pairwise([0, *cuts, len(articles)])]
    steps: list[Any] = [*said, *batches]
    random.shuffle(steps)
    with StoryIndex() as index:
        given_so_far: list[tuple[str, str, int]] = []
        for step in steps:
            if isinstance(step, list):
                index.add_many(step)
            elif contradicted([*given_so_far, step]):
                before = partition(index)
                with pytest.raises(CorrectionError, match="contradict"):
                    index.corrections.add([step])
                assert partition(index) == before
            else:
                given_so_far.append(step)
                index.corrections.add([step])
            assert_followed(given_so_far, partition(index))
        assert index.corrections.unknown == tuple(
            sorted({name for a, b, _ in given_so_far for name in (a, b)} - BY_ID.keys())
        )
        assert len(index.corrections) == len(Corrections.read(given_so_far))


@given(said=SAID, gone=st.lists(st.sampled_from(sorted(BY_ID)), max_size=3, unique=True))
def test_what_is_removed_and_edited_leaves_the_others_as_they_were_told(
    said: Any, gone: list[str]
) -> None:
    if contradicted(said):
        return
    with StoryIndex() as index:
        index.add_many(ARTICLES)
        index.corrections.add(said)
        for number, name in enumerate(gone):
            if number % 2:
                index.update({**BY_ID[name], "text": f"{BY_ID[name]['text']} So said two others."})
            else:
                index.remove(name)
            assert_followed(said, partition(index))
        index.compact()
        assert_followed(said, partition(index))


@pytest.fixture
def index() -> Any:
    with StoryIndex() as index:
        index.add_many(ARTICLES)
        yield index


def test_join_and_part(index: StoryIndex) -> None:
    assert partition(index) == NATURAL
    attack, millet = index["a"].id, index["d"].id
    (event,) = index.join("c", "e", who="Awa", why="one dispatch")
    assert (event.kind, event.story, event.other) == ("merged", millet, attack)
    assert index["e"].id == attack
    (event,) = index.part("a", "c")
    assert (event.kind, event.story) == ("split", attack)
    assert index["a"].id == attack
    assert partition(index) == {frozenset("ab"), frozenset("cde"), frozenset("f"), frozenset("gh")}
    assert [c.who for c in index.corrections] == [None, "Awa"]
    assert repr(index.corrections) == "<Corrections: 1 that join, 1 that separate>"
    with pytest.raises(CorrectionError, match=r"'c' and 'a' .*one story|'a' and 'c'"):
        index.join("c", "a")


def test_a_copy_of_an_article_comes_to_its_side_of_a_joined_story(index: StoryIndex) -> None:
    index.join("a", "f")
    copy = {**BY_ID["c"], "id": "copy", "text": f"{BY_ID['c']['text']} So it was."}
    assert index.query(copy).story_id == index["a"].id
    assert index.add(copy).story_id == index["a"].id
    # The window still bounds what comes by evidence: three weeks after all of its like.
    late = {**copy, "id": "late", "published": "2024-03-27"}
    assert index.add(late).is_new_story


def test_what_comes_later_is_placed_as_was_said(index: StoryIndex) -> None:
    index.join("new", "g")
    index.part("other", "a")
    new = {"id": "new", "text": "Rain is expected in Zinder.", "published": "2024-03-01"}
    assert index.query(new).story_id == index["g"].id
    assert index.add(new).story_id == index["g"].id
    assert index.query({**BY_ID["a"], "id": "other"}).is_new_story
    found = index.add({**BY_ID["a"], "id": "other"})
    assert found.story_id != index["a"].id
    assert index.corrections.unknown == ()


def test_withdrawn_corrections_are_followed_no_more(index: StoryIndex) -> None:
    index.corrections.add([("a", "d", 1), ("g", "h", 0)])
    assert index.corrections.withdraw("x", "y") == ()
    assert [event.kind for event in index.corrections.withdraw("d", "a")] == ["split"]
    assert [event.kind for event in index.corrections.withdraw("g", "h")] == ["merged"]
    assert partition(index) == NATURAL
    assert not index.corrections


def test_the_file_keeps_them(tmp_path: Path) -> None:
    path = tmp_path / "news.index"
    with StoryIndex.open(path) as index:
        index.add_many(ARTICLES[:4])
        index.join("a", "d", who="Awa", why="one dispatch \udcff")
        index.part("b", "e")
        with StoryIndex.open(path, readonly=True) as reader:
            assert list(reader.corrections) == list(index.corrections)
            index.add_many(ARTICLES[4:])
            index.part("g", "h")
            assert partition(reader) == partition(index)
            index.corrections.withdraw("g", "h")
            assert list(reader.corrections) == list(index.corrections)
            assert partition(reader) == partition(index)
            with pytest.raises(SahelError, match="read-only"):
                reader.join("a", "c")
        explained = index.explain("a", "d")
        assert [c.why for c in explained.corrections] == ["one dispatch \udcff"]
        assert not index.explain("b", "e").corrections[0].same
        found, said = partition(index), list(index.corrections)
    assert maintenance.check(path) == []
    with StoryIndex.open(path) as index:
        assert (partition(index), list(index.corrections)) == (found, said)
        index.join("f", "later")
    maintenance.backup(path, tmp_path / "copy.index")
    maintenance.rebuild(path, tmp_path / "new.index")
    for name in ("copy.index", "new.index"):
        with StoryIndex.open(tmp_path / name) as index:
            assert len(index.corrections) == 3
            assert partition(index) == found


def test_a_correction_that_was_changed_in_the_file_is_noticed(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "news.index"
    with StoryIndex.open(path) as index:
        index.join("a", "b")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE corrections SET same = 0")
    connection.close()
    assert "row 1 of its table corrections has changed" in maintenance.check(path)[0]


def test_a_grouped_archive_brings_its_corrections_along() -> None:
    stories = grouped(ARTICLES, [("b", "d", 1), ("g", "h", 0), ("b", "later", 1)])
    with StoryIndex.from_stories(stories) as index:
        assert partition(index) == partition(stories)
        assert {story.id for story in index} == {story.id for story in stories}
        assert json.dumps([c.to_row() for c in index.corrections]) == json.dumps(
            [c.to_row() for c in stories.corrections]
        )
        assert index.add({"id": "later", "text": "Rain in Zinder."}).story_id == index["b"].id


def test_the_command_line_adds_and_writes_them(tmp_path: Path) -> None:
    path, said, out = (tmp_path / name for name in ("news.index", "said.csv", "out.jsonl"))
    with StoryIndex.open(path) as index:
        index.add_many(ARTICLES)
    said.write_text("a,b,same,who\na,d,1,Awa\nd,nobody,1,\n", "utf-8")
    result = CliRunner().invoke(app, ["index", "correct", str(path), str(said)])
    assert result.exit_code == 0, result.output
    assert "2 corrections; stories that merged or split: 1; ids" in result.output
    result = CliRunner().invoke(app, ["index", "corrections", str(path), "-o", str(out)])
    assert result.exit_code == 0, result.output
    assert [c.to_row() for c in Corrections.read(out)] == [
        c.to_row() for c in Corrections.read(said)
    ]
    news, fresh = tmp_path / "news.jsonl", tmp_path / "fresh.index"
    news.write_text("".join(json.dumps(row) + "\n" for row in ARTICLES), "utf-8")
    command = ["ingest", str(news), "--index", str(fresh), "--corrections", str(said)]
    for _ in range(2):
        # It may be killed and run again: the same corrections are no others.
        result = CliRunner().invoke(app, command)
        assert result.exit_code == 0, result.output
        with StoryIndex.open(fresh) as index:
            assert [c.to_row() for c in index.corrections] == [
                c.to_row() for c in Corrections.read(said)
            ]
            assert index["a"].id == index["d"].id
    said.write_text("a,b,same\na,d,0\n", "utf-8")
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert "corrections contradict each other" in result.stderr
    missing = CliRunner().invoke(app, ["index", "correct", str(tmp_path / "no"), str(said)])
    assert missing.exit_code != 0
    assert not (tmp_path / "no").exists()
