"""Ids that are kept between runs, and the changes between two runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from sahel_dedup import ArticleError, SahelError, Stories, StoryIndex, cluster, story_changes
from sahel_dedup.cli import app
from sahel_dedup.clustering.crosswalk import read_previous
from sahel_dedup.clustering.story_ids import kept_names
from tests.test_corrections import ARTICLES

NAMES = st.sampled_from(["s1", "s2", "s3"])


@given(
    groups=st.lists(st.integers(0, 4), min_size=1, max_size=9),
    former=st.lists(st.none() | NAMES, min_size=9, max_size=9),
)
def test_names_are_kept_by_the_largest_overlap(groups: list[int], former: list[str | None]) -> None:
    previous = {str(i): name for i, name in enumerate(former[: len(groups)]) if name is not None}
    stories = [
        [str(i) for i, g in enumerate(groups) if g == group] for group in dict.fromkeys(groups)
    ]
    names = kept_names(stories, previous)
    assert len(set(names)) == len(names)

    def shared(articles: list[str], name: str) -> int:
        return sum(previous.get(article) == name for article in articles)

    for articles, name in zip(stories, names, strict=True):
        if name in previous.values():
            assert shared(articles, name)
        for wanted in set(previous.values()):
            # Who has to do without a name gave way to one that shares as much at least.
            if shared(articles, wanted) > shared(articles, name):
                holder = stories[names.index(wanted)]
                assert shared(holder, wanted) >= shared(articles, wanted)
    mapping = dict(zip(map(tuple, stories), names, strict=True))
    again = kept_names(stories[::-1], previous)
    assert {tuple(s): n for s, n in zip(stories[::-1], again, strict=True)}.keys() == mapping.keys()


def test_a_grown_archive_keeps_its_ids() -> None:
    # The first article of a story decides on its id, and an earlier one came late.
    former = cluster(ARTICLES[2:7])
    plain, stories = cluster(ARTICLES), cluster(ARTICLES, previous=former)
    assert plain["c"].id != former["c"].id
    assert [stories[name].id for name in "cdfg"] == [former[name].id for name in "cdfg"]
    assert stories.story(former["c"].id).articles == ("a", "b", "c")
    assert story_changes(former, stories).rows() == sorted([
        ("grew", former["c"].id, None, 2), ("grew", former["g"].id, None, 1),
    ])  # fmt: skip
    assert story_changes(stories, stories).height == 0
    assert stories.recut(window=3).story_of("c").id == former["c"].id


def test_what_has_changed_is_told() -> None:
    former = {
        "a": "s1", "b": "s2", "c": "s2", "d": "s3", "e": "s3", "f": "s3", "x": "s3", "y": "s4",
    }  # fmt: skip
    stories = cluster(ARTICLES, previous=former)
    assert stories["a"].id == stories["c"].id == "s2"
    assert stories["d"].id == "s3"
    assert story_changes(former, stories).rows() == [
        ("new", stories["g"].id, None, 2),
        ("merged", "s1", "s2", 1),
        ("split", stories["f"].id, "s3", 1),
        ("shrank", "s3", None, 1),
        ("vanished", "s4", None, 1),
    ]


@pytest.mark.parametrize(
    ("merged", "into", "count"), [("abg", "s", 2), ("ag", "r", 1)], ids=["most", "equal"]
)
def test_a_former_story_went_where_most_of_it_is(merged: str, into: str, count: int) -> None:
    """In case of doubt it went to the story whose name comes first."""
    former = dict.fromkeys("cde", "s") | {"h": "r"} | dict.fromkeys(merged, "t")
    stories = cluster(ARTICLES, corrections=[("a", "d", 1)], previous=former)
    assert (stories["a"].id, stories["g"].id) == ("s", "r")
    rows = story_changes(former, stories).rows()
    assert [row for row in rows if row[0] == "merged"] == [("merged", "t", into, count)]


def test_a_former_id_comes_to_mean_no_other_story() -> None:
    fresh = cluster(ARTICLES)
    # The id that the flood would have by itself was that of the attack.
    stories = cluster(ARTICLES, previous={"c": fresh["g"].id})
    assert stories["a"].id == fresh["g"].id
    assert stories["g"].id not in {story.id for story in fresh}
    # Nor does the id of one that has vanished.
    stories = cluster(ARTICLES, previous={"gone": fresh["g"].id, "a": "s1"})
    assert stories["g"].id not in {story.id for story in fresh}


def test_saved_stories_keep_them(tmp_path: Path) -> None:
    stories = cluster(ARTICLES, previous={"c": "s1"})
    stories.save(tmp_path / "stories.npz")
    assert Stories.load(tmp_path / "stories.npz")["a"].id == "s1"


def test_former_stories_are_read_from_whatever_holds_them(tmp_path: Path) -> None:
    former = cluster(ARTICLES)
    expected = {str(row["id"]): str(row["story_id"]) for row in former.rows()}
    frame = former.to_frame()
    frame.write_parquet(tmp_path / "stories.parquet")
    sources: list[Any] = [
        former, expected, frame, frame.to_pandas(), frame.to_dicts(), tmp_path / "stories.parquet",
    ]  # fmt: skip
    for source in sources:
        assert read_previous(source) == expected
    assert read_previous(None) == {}
    for row, reason in (
        ({"id": "a"}, "row 1, field 'story_id': missing"),
        ({"id": "a", "story_id": 5}, "row 1, field 'story_id': not a string: 5"),
        ({"story_id": "s1"}, "row 1, field 'id': missing"),
    ):
        with pytest.raises(ArticleError, match=reason):
            read_previous([row])
    with pytest.raises(ArticleError, match="row 2, field 'id': duplicate id: 'a'"):
        read_previous([{"id": "a", "story_id": "s1"}] * 2)


def test_the_command_line_writes_the_changes(tmp_path: Path) -> None:
    news, old, new, changes = (
        tmp_path / name for name in ("news.jsonl", "old.parquet", "new.jsonl", "changes.csv")
    )
    news.write_text("".join(json.dumps(row) + "\n" for row in ARTICLES[2:]), "utf-8")
    run = CliRunner()
    assert run.invoke(app, ["cluster", str(news), "-o", str(old)]).exit_code == 0
    news.write_text("".join(json.dumps(row) + "\n" for row in ARTICLES), "utf-8")
    command = ["cluster", str(news), "-o", str(new), "--changes", str(changes)]
    assert "--previous" in run.invoke(app, command).output
    result = run.invoke(app, [*command, "--previous", str(old)])
    assert result.exit_code == 0, result.output
    former = dict(pl.read_parquet(old).select("id", "story_id").iter_rows())
    rows = [json.loads(line) for line in new.read_text("utf-8").splitlines()]
    assert {row["id"]: row["story_id"] for row in rows}["a"] == former["c"]
    assert pl.read_csv(changes).rows() == [("grew", former["c"], None, 2)]


def test_an_index_of_a_grouped_archive_has_the_kept_ids() -> None:
    former = cluster(ARTICLES[2:7])
    stories = cluster(ARTICLES, previous=former)
    with StoryIndex.from_stories(stories) as index:
        assert {story.articles: story.id for story in index} == {
            story.articles: story.id for story in stories
        }
    with pytest.raises(SahelError, match="cannot keep the id 's1' of an earlier run"):
        StoryIndex.from_stories(cluster(ARTICLES, previous={"c": "s1"}))
