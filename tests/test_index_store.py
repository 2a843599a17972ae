"""The file of an index: killed processes, damage, and several processes at once."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults import partition
from sahel_dedup import SahelError, Settings
from sahel_dedup.errors import FileError
from sahel_dedup.index import StoryIndex, kept_arrays
from sahel_dedup.index.ingest import ingest
from sahel_dedup.index.maintenance import check, compact, export
from sahel_dedup.index.side_files import KeptOpen
from sahel_dedup.io.readers import SkipReport

Row = dict[str, Any]

# Adds what stands in a file to an index, and tells of each article once that is done.
PROGRAM = """
import json, sys
from sahel_dedup.index import StoryIndex
from sahel_dedup.index.ingest import ingest
with StoryIndex.open(sys.argv[1]) as index:
    for answer in ingest(index, sys.argv[2], batch_size=int(sys.argv[3])):
        print(json.dumps(answer), flush=True)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "news.index"


@pytest.fixture
def filled(path: Path, wire: list[Row]) -> Path:
    with StoryIndex.open(path) as index:
        index.add_many(wire)
    return path


@pytest.fixture(params=["rows", "arrays"])
def of_rows_or_arrays(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let small indexes be read from their arrays too, as only large ones are."""
    if request.param == "arrays":
        monkeypatch.setattr(kept_arrays, "LEAST_ARTICLES", 0)


def open_files() -> int:
    """Count the files that this process has open."""
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("this system does not list the open files of a process")
    return len(list(folder.iterdir()))


@pytest.mark.parametrize("batch_size", [1, 7])
def test_no_kill_loses_what_was_acknowledged(
    path: Path, sample: Path, wire: list[Row], batch_size: int
) -> None:
    with StoryIndex() as index:
        whole = list(ingest(index, sample, batch_size=batch_size))
        expected, events = partition(index), index.events()
    dice = random.Random(5)
    acknowledged: set[str] = set()
    for _ in range(5):
        command = [sys.executable, "-c", PROGRAM, str(path), str(sample), str(batch_size)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for _ in range(dice.randrange(len(wire))):
                acknowledged.add(json.loads(process.stdout.readline())["id"])
            process.kill()
        assert check(path) == []
        with StoryIndex.open(path, readonly=True) as index:
            kept = partition(index)
        assert acknowledged <= kept.keys()
        assert kept.keys() == {row["id"] for row in wire[: len(kept)]}
    with StoryIndex.open(path) as index:
        again = list(ingest(index, sample, batch_size=batch_size))
        assert partition(index) == expected
        assert index.events() == events
    assert [answer["id"] for answer in again] == [answer["id"] for answer in whole]


@pytest.mark.usefixtures("of_rows_or_arrays")
def test_a_file_goes_on_where_it_was_left(path: Path, wire: list[Row]) -> None:
    with StoryIndex() as memory:
        for start in range(0, len(wire), 10):
            expected = memory.add_many(wire[start : start + 10])
            with StoryIndex.open(path) as index:
                assert index.add_many(wire[start : start + 10]) == expected
        with StoryIndex.open(path) as index:
            assert partition(index) == partition(memory)
            assert replace(index.stats(), file_bytes=0) == memory.stats()
            assert index.query(wire[3]) == memory.query(wire[3])


@pytest.mark.usefixtures("of_rows_or_arrays")
def test_expiry_and_compaction_survive(path: Path, wire: list[Row]) -> None:
    moment = datetime(2025, 3, 20, tzinfo=UTC)
    with StoryIndex.open(path) as index:
        index.add_many(wire[:60])
        index.remove(wire[59]["id"])
        index.expire(moment)
        expected = partition(index)
    before = path.stat().st_size
    assert check(path) == []
    assert compact(path)[1] <= before
    assert check(path) == []
    with StoryIndex.open(path) as index:
        assert partition(index) == expected
        assert index.stats().past > 0
        # Older than what has expired.
        assert not index.add(wire[0]).kept
        assert wire[0]["id"] not in index
        index.add_many(wire[60:])
    with StoryIndex.open(path) as index:
        assert "expired" in {event.kind for event in index.events()}
        assert wire[-1]["id"] in index


def test_texts_are_in_the_file(path: Path, wire: list[Row]) -> None:
    strange = {"id": "\ud800", "text": "lone \ud800 surrogates \0 and زيت", "title": "\udc00"}
    with StoryIndex.open(path) as index:
        index.add_many(wire[:40])
    with StoryIndex.open(path) as index:
        index.add_many([*wire[20:60], strange])  # some of them again
        index.update({**wire[5], "text": "A correction of the text."})
        index.remove(wire[6]["id"])
        index.expire(datetime(2025, 3, 20, tzinfo=UTC))
        left = [row for row in wire if row["id"] in index and row != wire[5]]
    assert check(path) == []
    with StoryIndex.open(path, readonly=True) as index:
        odd = index.article("\ud800")
        assert (odd.title, odd.text) == (strange["title"], strange["text"])
        for row in left:
            article = index.article(row["id"])
            assert (article.text, article.title) == (row["text"], row.get("title"))
            assert article.source == row["source"]
            assert article.published == datetime.fromisoformat(row["published"])
            assert article.lang
        for row in wire:
            if row["id"] not in index:
                with pytest.raises(SahelError, match="no article"):
                    index.article(row["id"])
        assert index.stats().past > 0
        with closing(sqlite3.connect(path)) as connection:
            ((texts,),) = connection.execute("SELECT count(*) FROM texts")
        # Not those of expired articles, whatever else is kept of them.
        assert texts == index.stats().articles < len(wire)


def test_an_update_changes_the_text(path: Path, wire: list[Row]) -> None:
    with StoryIndex.open(path) as index:
        index.add_many(wire[:10])
        index.update({**wire[5], "text": "A correction of the text."})
    with StoryIndex.open(path) as index:
        assert index.article(wire[5]["id"]).text == "A correction of the text."


def test_explain_from_the_file(filled: Path) -> None:
    with StoryIndex.open(filled, readonly=True) as index:
        story = next(story for story in index.stories() if len(story) > 1)
        told = index.explain(*story.articles[:2])
        assert told.one_story
        assert told.passages
        assert told.breakdown is not None
        assert told.breakdown.score > told.breakdown.needed
        other = next(s for s in index.stories() if s != story)
        assert index.explain(story.canonical, other.canonical).one_story is False


def test_an_index_may_do_without_texts(path: Path, wire: list[Row]) -> None:
    StoryIndex.open(path, keep_texts=False).close()
    with StoryIndex.open(path) as index:
        index.add_many(wire[:9])
        with pytest.raises(SahelError, match=r"news\.index' was made without them"):
            index.article(wire[0]["id"])
        with pytest.raises(SahelError, match="no article 'x'"):
            index.article("x")
    with StoryIndex() as index:
        index.add(wire[0])
        with pytest.raises(SahelError, match="in memory does not keep them"):
            index.explain(wire[0]["id"], wire[0]["id"])


def test_one_writes_at_a_time(filled: Path, wire: list[Row]) -> None:
    with StoryIndex.open(filled) as index:
        with pytest.raises(SahelError, match="another process"):
            StoryIndex.open(filled)
        program = "import sys; import sahel_dedup.index as i; i.StoryIndex.open(sys.argv[1])"
        command = [sys.executable, "-c", program, str(filled)]
        other = subprocess.run(command, capture_output=True, text=True, check=False)
        assert "being written by another process" in other.stderr
        index.add({"id": "new", "text": "it still works"})
    StoryIndex.open(filled).close()


@pytest.mark.usefixtures("of_rows_or_arrays")
def test_readers_see_what_a_writer_does(path: Path, wire: list[Row]) -> None:
    with StoryIndex.open(path) as writer, StoryIndex.open(path, readonly=True) as reader:
        assert reader.stats().articles == 0
        for start in range(0, 90, 15):
            writer.add_many(wire[start : start + 15])
            assert partition(reader) == partition(writer)
            assert reader.query(wire[start]) == writer.query(wire[start])
            assert reader.events() == writer.events()
        writer.remove(wire[0]["id"])
        writer.expire(datetime(2025, 3, 20, tzinfo=UTC))
        writer.add_many(wire[90:])
        assert partition(reader) == partition(writer)
        assert reader.stats() == writer.stats()
        with pytest.raises(SahelError, match="read-only"):
            reader.add(wire[0])


@pytest.mark.usefixtures("of_rows_or_arrays")
def test_readers_and_writers_at_once(path: Path, wire: list[Row]) -> None:
    StoryIndex.open(path).close()
    done, faults = threading.Event(), []

    def look() -> None:
        try:
            with StoryIndex.open(path, readonly=True) as reader:
                seen = 0
                while not done.is_set():
                    stories = list(reader.stories())
                    articles = [article for story in stories for article in story.articles]
                    assert len(articles) == len(set(articles)) >= seen
                    seen = len(articles)
        except BaseException as error:
            faults.append(error)

    readers = [threading.Thread(target=look) for _ in range(4)]
    for thread in readers:
        thread.start()
    with StoryIndex.open(path) as index:
        for row in wire:
            index.add(row)
            with pytest.raises(SahelError, match="one writes at a time"):
                StoryIndex.open(path)
    done.set()
    for thread in readers:
        thread.join()
    assert faults == []
    assert check(path) == []


def test_threads_share_an_index(path: Path, wire: list[Row]) -> None:
    with StoryIndex.open(path) as index:
        threads = [
            threading.Thread(target=index.add_many, args=(wire[start::4],)) for start in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert partition(index).keys() == {row["id"] for row in wire}


def test_settings_are_remembered(path: Path) -> None:
    broad = Settings(granularity="topic", window=None)
    StoryIndex.open(path, broad).close()
    StoryIndex.open(path).close()
    StoryIndex.open(path, Settings(granularity="topic", window=None, canonical="longest")).close()
    with pytest.raises(SahelError, match="granularity topic, not event"):
        StoryIndex.open(path, Settings())
    # Topics have no window, whichever way that is said.
    StoryIndex.open(path, Settings(granularity="topic")).close()


def test_retention_is_remembered(path: Path, wire: list[Row]) -> None:
    StoryIndex.open(path, retention=timedelta(days=8)).close()
    with StoryIndex.open(path) as index:
        index.add_many(wire)
        assert index.stats().articles < len(wire)
    assert check(path) == []


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.99])
def test_a_truncated_file_is_refused(filled: Path, share: float) -> None:
    os.truncate(filled, int(filled.stat().st_size * share))
    with pytest.raises(SahelError, match=r"damaged|not an index"):
        StoryIndex.open(filled)
    assert check(filled)


def test_other_files_are_refused(tmp_path: Path) -> None:
    text = tmp_path / "news.jsonl"
    text.write_text('{"id": "a", "text": "one"}\n' * 50)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE t (x)")
    for path in (text, other, tmp_path):
        with pytest.raises(SahelError):
            StoryIndex.open(path)
    with pytest.raises(SahelError, match="no index at"):
        StoryIndex.open(tmp_path / "none", readonly=True)
    with pytest.raises(SahelError, match="there is no folder"):
        StoryIndex.open(tmp_path / "none" / "news.index")
    with pytest.raises(SahelError, match="no index at"):
        compact(tmp_path / "none")
    assert check(tmp_path / "none") == [f"no index at {str(tmp_path / 'none')!r}"]


def test_export(filled: Path, wire: list[Row]) -> None:
    rows = list(export(filled))
    assert sorted(str(row["id"]) for row in rows) == sorted(row["id"] for row in wire)
    with StoryIndex.open(filled, readonly=True) as index:
        assert {row["id"]: row["story_id"] for row in rows} == partition(index)
        for story in index.stories():
            told = [row["id"] for row in rows if row["canonical"] and row["story_id"] == story.id]
            assert told == [story.canonical]
    first = next(row for row in rows if row["id"] == wire[0]["id"])
    assert first["source"] == wire[0]["source"]
    assert first["published"] == datetime.fromisoformat(wire[0]["published"])


def test_ingest_tells_where_a_fault_is(tmp_path: Path) -> None:
    source = tmp_path / "news.jsonl"
    lines = [
        {"id": "a", "text": "one two three"},
        {"id": "b"},
        {"id": "a", "text": "four five six"},
        {"id": "c", "text": "seven eight nine"},
    ]
    source.write_text("\n".join(map(json.dumps, lines)))
    for size in (1, 4):
        with StoryIndex() as index:
            skipped = SkipReport()
            answers = list(ingest(index, source, skipped=skipped, batch_size=size))
            assert [answer["id"] for answer in answers] == ["a", "c"]
            assert skipped.total == 2
            assert "line 3, field 'id': other words than before" in skipped.examples[1]
        with StoryIndex() as index, pytest.raises(SahelError, match="line 2"):
            list(ingest(index, source, batch_size=size))


def test_a_failed_write_closes_the_index(filled: Path, wire: list[Row]) -> None:
    copy = filled.with_name("copy.index")
    shutil.copy(filled, copy)
    with StoryIndex.open(copy) as index:
        spoil_while_open = sqlite3.connect(copy, isolation_level=None)
        spoil_while_open.execute("DROP TABLE journal")
        spoil_while_open.close()
        with pytest.raises(SahelError, match="no such table"):
            index.add({"id": "new", "text": "cannot be written"})
        with pytest.raises(SahelError, match="open it again"):
            index.add(wire[0])


@pytest.mark.usefixtures("of_rows_or_arrays")
def test_readers_see_what_moves_though_nothing_comes(path: Path, wire: list[Row]) -> None:
    with StoryIndex.open(path) as writer, StoryIndex.open(path, readonly=True) as reader:
        writer.add_many(wire[:40])
        assert partition(reader) == partition(writer)
        apart = [story.canonical for story in writer.stories()][:3]
        for other in apart[1:]:
            writer.join(apart[0], other)
            assert partition(reader) == partition(writer)
        for article in (*apart, wire[3]["id"]):
            writer.remove(article)
            assert partition(reader) == partition(writer)
            assert len(reader) == len(writer)
            assert article not in reader
        writer.add(wire[3])
        assert partition(reader) == partition(writer)
        assert reader.query(wire[5]) == writer.query(wire[5])
        assert reader.stats() == writer.stats()


def test_a_writer_that_closes_leaves_readers_their_log(filled: Path, wire: list[Row]) -> None:
    """A process that closes a file loses all its locks on it, and SQLite then deletes the log."""
    program = """
import sys
from sahel_dedup import StoryIndex
with StoryIndex.open(sys.argv[1]) as index:
    index.add({"id": sys.argv[2], "text": "An article of another process."})
"""
    with StoryIndex.open(filled, readonly=True) as reader:
        for name in ("one", "two"):
            # What opens and closes the file in this process must not matter.
            StoryIndex.open(filled, readonly=True).close()
            subprocess.run([sys.executable, "-c", program, str(filled), name], check=True)
            assert Path(f"{filled}-shm").exists()
            assert name in reader
            assert partition(reader).keys() == {row["id"] for row in wire} | {"one", name}
    StoryIndex.open(filled).close()
    assert not Path(f"{filled}-shm").exists()


def test_opening_again_and_again_keeps_one_file_open(filled: Path) -> None:
    """While it is open somewhere, a file must not be closed, so it must not be opened twice."""
    with StoryIndex.open(filled, readonly=True):
        for _ in range(3):
            StoryIndex.open(filled, readonly=True).close()
        before = open_files()
        for _ in range(20):
            StoryIndex.open(filled, readonly=True).close()
        assert open_files() == before
    assert open_files() < before


def test_a_file_that_has_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"cannot read '.*gone': No such file"):
        KeptOpen(str(tmp_path / "gone"))
