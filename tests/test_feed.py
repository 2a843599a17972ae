"""Real-world feeds: edited entries, faulty rows, late articles, and counts."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sahel_dedup import (
    ArticleError,
    IndexBusyError,
    NotFoundError,
    SahelError,
    Settings,
    SettingsError,
    StoryIndex,
)
from sahel_dedup.index.ingest import ingest
from sahel_dedup.index.maintenance import check, rebuild
from sahel_dedup.io.readers import SkipReport

Row = dict[str, Any]

BRIDGE = {
    "id": "guid-1",
    "title": "Bridge closed after lorry hits pier",
    "text": "The Karso bridge was closed on Monday morning after a lorry laden with cement struck "
    "a pier, police said. Engineers are checking the damage.",
}
CLINIC = {
    "id": "guid-2",
    "title": "Mayor opens clinic in Old Tembe",
    "text": "Mayor Lucia Abeni on Monday opened a clinic with twelve beds in Old Tembe, the first "
    "in the district.",
}
THEFT = {
    "id": "guid-3",
    "title": "Two held over market theft",
    "text": "Police in Karso arrested two men on Monday on suspicion of stealing goods from the "
    "flooded market.",
}
EDITED = {**BRIDGE, "title": "Bridge closed after truck hits pier"}


@pytest.fixture(params=["memory", "file"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoryIndex]:
    memory = request.param == "memory"
    with StoryIndex() if memory else StoryIndex.open(tmp_path / "news.index") as opened:
        yield opened


def test_an_edited_entry_does_not_stop_a_feed(index: StoryIndex) -> None:
    first = list(index.follow([BRIDGE, CLINIC]))
    second = list(index.follow([EDITED, CLINIC, THEFT]))
    assert [found.updated for found in second] == [True, False, False]
    assert second[0].story_id == first[0].story_id
    assert "guid-3" in index
    assert index.stats().updated == 1
    # The same poll once more changes nothing.
    assert not any(found.updated for found in index.follow([EDITED, CLINIC, THEFT]))


@pytest.mark.parametrize("size", [1, 2, 128])
def test_edits_within_a_batch(index: StoryIndex, size: int) -> None:
    rows = [BRIDGE, CLINIC, EDITED, EDITED, THEFT, BRIDGE]
    found = list(index.follow(rows, batch_size=size))
    assert [f.id for f in found] == [row["id"] for row in rows]
    assert [f.updated for f in found] == [False, False, True, False, False, True]
    assert index.stats().updated == 2
    assert index.stats().articles == 3


def test_what_follow_does_with_faults(index: StoryIndex) -> None:
    rows: list[Any] = [BRIDGE, {"id": "x"}, None, "text", EDITED, THEFT]
    with pytest.raises(ArticleError, match="row 2, field 'text': missing"):
        list(index.follow(rows))
    left: list[tuple[str, Any]] = []
    found = list(
        index.follow(
            rows,
            batch_size=4,
            on_error=lambda error, row: left.append((str(error), row)),
            on_changed="raise",
        )
    )
    assert [f.id for f in found] == ["guid-1", "guid-3"]
    assert [row for _, row in left] == [{"id": "x"}, None, "text", EDITED]
    assert left[1][0].startswith("row 3: neither a mapping nor an article: NoneType; write ")
    assert left[3][0].startswith("row 5, field 'id': other words than before: 'guid-1'")
    assert [f.id for f in index.follow(rows, on_error="skip")] == ["guid-1", "guid-1", "guid-3"]
    assert index.stats().refused == 1 + 4 + 3


def test_of_a_batch_with_a_fault_nothing_is_added(index: StoryIndex) -> None:
    index.add(BRIDGE)
    with pytest.raises(ArticleError, match="row 2, field 'id'"):
        index.add_many([CLINIC, EDITED, THEFT])
    assert index.stats().articles == 1
    assert len(index.add_many([CLINIC, EDITED, THEFT], on_error="skip")) == 2
    assert index.add_many([EDITED], on_changed="update")[0].updated


@pytest.mark.parametrize(
    "given",
    [{"batch_size": 0}, {"batch_size": -1}, {"batch_size": 1.5}, {"batch_size": None},
     {"on_error": "ignore"}, {"on_error": None}, {"on_changed": "skip"}],
)  # fmt: skip
def test_arguments_that_would_lose_articles(index: StoryIndex, given: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(given))):
        index.follow([BRIDGE], **given)


def test_what_is_no_article_is_refused_in_one_way(index: StoryIndex) -> None:
    for row in (None, "text", 5, ["id"], {"text": "no id"}):
        for method in (index.add, index.upsert, index.query, index.update):
            with pytest.raises(ArticleError):
                method(row)


LATER = {"published": "2025-03-03T10:00:00Z", "source": "Karso Herald", "title": "Bridge closed"}


@pytest.mark.parametrize("name", LATER)
def test_what_arrives_later_is_taken_over(index: StoryIndex, name: str) -> None:
    bare = {"id": "guid-1", "text": BRIDGE["text"]}
    index.add(bare)
    assert not index.add(bare).updated
    found = index.add({**bare, name: LATER[name]})
    assert found.updated
    assert not index.add({**bare, name: LATER[name]}).updated
    # What the next one leaves out stays, but for the title: it is part of the words.
    if name != "title":
        assert not index.add(bare).updated
        (row,) = index.to_frame().rows(named=True)
        assert row[name] == (
            datetime(2025, 3, 3, 10, tzinfo=UTC) if name == "published" else LATER[name]
        )
        both = index.add({**bare, "title": LATER["title"]})
        assert both.updated
        assert index.to_frame().row(0, named=True)[name] == row[name]
    assert index.stats().articles == 1


def test_another_date_or_outlet_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "news.index"
    with StoryIndex.open(path) as index:
        index.add({**BRIDGE, **LATER, "title": BRIDGE["title"]})
        index.add({**BRIDGE, "published": "2025-03-04T10:00:00Z"})
        index.add({**BRIDGE, "source": "Tembe Post"})
        index.add({**BRIDGE, "lang": "fr"})
    with StoryIndex.open(path, readonly=True) as index:
        article = index.article("guid-1")
        assert article.published == datetime(2025, 3, 4, 10, tzinfo=UTC)
        assert (article.source, article.lang) == ("Tembe Post", "fr")
        assert index.stats().updated == 3
    assert check(path) == []


def test_a_late_article_is_not_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "news.index"
    day = datetime(2025, 3, 1, tzinfo=UTC)
    with StoryIndex.open(path, retention=8) as index:
        for n in range(30):
            index.add({"id": f"n{n}", "text": f"event{n} place{n}", "published": day})
            day += timedelta(days=1)
        with caplog.at_level(logging.INFO, logger="sahel_dedup.index"):
            found = index.add({"id": "late", "text": "event1", "published": "2025-03-01"})
        assert (found.kept, found.story_id, found.matches) == (False, None, ())
        assert "'late' is from before the retention" in caplog.text
        assert "late" not in index
        with pytest.raises(NotFoundError):
            index.story(found.story_id)
        undated = index.add({"id": "undated", "text": "event1 without a date"})
        assert undated.kept
    with StoryIndex.open(path) as index:
        assert index.stats().late == 1
        assert index.stats().retention == timedelta(days=8)


def test_counts_are_those_of_all_runs(tmp_path: Path, wire: list[Row]) -> None:
    path = tmp_path / "news.index"
    found = []
    for start in range(0, len(wire), 30):
        with StoryIndex.open(path) as index:
            found += index.add_many(wire[start : start + 30])
    with StoryIndex.open(path, readonly=True) as index:
        stats = index.stats()
        for relation in ("exact", "near", "reworded"):
            assert getattr(stats, relation) == sum(f.relation == relation for f in found) > 0
        for kind in ("merged", "split"):
            assert getattr(stats, kind) == sum(event.kind == kind for event in index.events())
        assert stats.file_bytes == path.stat().st_size


def test_an_index_counts_stories_and_names_articles(index: StoryIndex, wire: list[Row]) -> None:
    assert not list(index)
    assert index
    index.add_many(wire[:40])
    stories = list(index)
    assert len(index) == len(stories) == index.stats().stories < index.stats().articles == 40
    for story in stories:
        for article in story.articles:
            assert article in index
            assert index[article] == story
    assert stories[0] not in index
    assert None not in index
    with pytest.raises(NotFoundError, match="no article 'none'"):
        index["none"]
    with pytest.raises(KeyError):
        index["none"]
    assert len(repr(index)) < 200
    frame = index.to_frame()
    assert frame.columns == ["id", "story_id", "canonical", "published", "source", "lang"]
    assert dict(zip(frame["id"], frame["story_id"], strict=True)) == {
        article: story.id for story in stories for article in story.articles
    }
    assert StoryIndex().to_frame().columns == frame.columns


def test_everything_that_cluster_reads(tmp_path: Path, sample: Path, wire: list[Row]) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps(BRIDGE) + "\n")
    frame = pl.DataFrame([{name: row.get(name) for name in ("id", "text")} for row in wire])
    sources: list[Any] = [
        sample, str(sample), [sample, other], frame, frame.to_pandas(), iter(wire), tuple(wire),
    ]  # fmt: skip
    for source in sources:
        with StoryIndex() as index:
            index.add_many(source)
            assert index.stats().articles == len(wire) + isinstance(source, list)
    other.write_text(json.dumps(BRIDGE) + "\n{")
    with StoryIndex() as index, pytest.raises(ArticleError, match=r"other\.jsonl, line 2"):
        index.add_many(other)
    assert isinstance(frame.to_pandas(), pd.DataFrame)


def test_a_length_of_time_may_be_days() -> None:
    with StoryIndex(retention=30) as index:
        assert index.stats().retention == timedelta(days=30)
    for retention in (0, -1, "30", True, float("nan")):
        with pytest.raises(SettingsError, match="retention"):
            StoryIndex(retention=retention)  # type: ignore[arg-type]
    with StoryIndex() as index:
        for before in ("2025", 5, None):
            with pytest.raises(SettingsError, match="before"):
                index.expire(before)  # type: ignore[arg-type]


class Clock:
    """Stands for `time`: it passes only while somebody sleeps."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_second_writer_may_wait(tmp_path: Path) -> None:
    path = tmp_path / "news.index"
    first = StoryIndex.open(path)
    with pytest.raises(IndexBusyError, match="timeout="):
        StoryIndex.open(path)
    clock = Clock()
    with mock.patch("sahel_dedup.index.side_files.time", clock), pytest.raises(IndexBusyError):
        StoryIndex.open(path, timeout=30)
    assert 30 <= clock.now < 31
    thread = threading.Timer(0.2, first.close)
    thread.start()
    with StoryIndex.open(path, timeout=60) as second:
        assert len(second) == 0
    thread.join()
    with pytest.raises(SettingsError, match="timeout"):
        StoryIndex.open(path, timeout=-1)


IDS = st.text(st.sampled_from("a\x001é"), min_size=1, max_size=4)


@given(steps=st.lists(st.tuples(st.sampled_from(["add", "remove"]), IDS), max_size=40))
@settings(max_examples=30)
def test_no_two_stories_have_one_id(
    steps: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("ids") / "news.index"
    with StoryIndex.open(path) as index:
        for n, (step, name) in enumerate(steps):
            if step == "remove":
                if name in index:
                    index.remove(name)
            elif name not in index:
                # Half of them are copies, so that stories outlive those who gave the name.
                text = BRIDGE["text"] if n % 2 else f"event{n} place{n} person{n} thing{n}"
                index.add({"id": name, "text": text})
            stories = [story.id for story in index]
            assert len(stories) == len(set(stories))
        before = {frozenset(story.articles) for story in index}
    with StoryIndex.open(path) as index:
        assert {frozenset(story.articles) for story in index} == before


def test_ids_with_a_separator_name_two_stories(index: StoryIndex) -> None:
    index.add_many([{**BRIDGE, "id": "a"}, {**BRIDGE, "id": "b"}])
    index.remove("a")
    one = index.add({**CLINIC, "id": "a"})
    two = index.add({**THEFT, "id": "a\x001"})
    assert one.story_id != two.story_id
    assert len(index) == 3


def test_outlets_are_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "news.index"
    with StoryIndex.open(path) as index:
        for n in range(200):
            index.add({"id": f"n{n}", "text": f"event{n} place{n}", "source": f"outlet {n}"})
        for n in range(195):
            index.remove(f"n{n}")
        index.query({"id": "q", "text": "asks", "source": "an outlet that only asks"})
        index.compact()
        assert len(index._session.engine.live.sketcher.sources) == 5
        assert [row["source"] for row in index.to_frame().rows(named=True)] == [
            f"outlet {n}" for n in range(195, 200)
        ]
        index.add({"id": "new", "text": "another event", "source": "outlet 3"})
        expected = index.to_frame().rows(named=True)
    with StoryIndex.open(path) as index:
        assert index.to_frame().rows(named=True) == expected


def test_dead_letters(tmp_path: Path) -> None:
    source = tmp_path / "news.jsonl"
    lines = [json.dumps(row) for row in (BRIDGE, {"id": "x", "title": "\ud800"}, EDITED, THEFT)]
    source.write_text("\n".join([lines[0], "{broken", *lines[1:]]))
    letters, skipped = io.StringIO(), SkipReport()
    with StoryIndex() as index:
        found = list(ingest(index, source, skipped=skipped, dead_letters=letters, batch_size=3))
    assert [answer["id"] for answer in found] == ["guid-1", "guid-3"]
    written = [json.loads(line) for line in letters.getvalue().splitlines()]
    assert [letter["line"] for letter in written] == [2, 3, 4]
    assert [letter["row"] for letter in written] == [None, {"id": "x", "title": "\ud800"}, EDITED]
    assert written[1]["field"] == "text"
    assert skipped.total == 3


def test_an_index_is_made_again(tmp_path: Path, wire: list[Row]) -> None:
    path, new, copies = (tmp_path / f"{name}.index" for name in ("old", "new", "copies"))
    with StoryIndex.open(path, retention=40) as index:
        for row in wire:
            index.add(row)
        expected = {frozenset(story.articles) for story in index}
        kept, first = index.stats().articles, next(iter(index)).canonical
    assert rebuild(path, new) == kept
    with StoryIndex.open(new) as index:
        assert index.stats().retention == timedelta(days=40)
        found = {frozenset(story.articles) for story in index}
        assert len(found & expected) >= 0.9 * len(expected)
        assert index.article(first).text == next(r["text"] for r in wire if r["id"] == first)
    with pytest.raises(SahelError, match="it already exists"):
        rebuild(path, new)
    rebuild(path, copies, Settings(granularity="copies"))
    with StoryIndex.open(copies) as index:
        assert index.settings.granularity == "copies"
        assert len(index) > len(expected)
