"""The command line of the index: feeds with faults, copies, and making an index again."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sahel_dedup import StoryIndex
from sahel_dedup.cli import app
from tests.forging import change

SAMPLE = Path(str(resources.files("sahel_dedup") / "sample" / "wire.jsonl"))
BRIDGE = {"id": "a", "title": "Bridge closed", "text": "The bridge at Karso was closed on Monday."}
CLINIC = {"id": "b", "title": "Clinic opened", "text": "The mayor opened a clinic in Old Tembe."}
EDITED = {**BRIDGE, "title": "Bridge closed for a week"}


def call(*arguments: object) -> tuple[int, list[Any], str]:
    """Run a command; return its exit status, the rows it wrote and its notes."""
    result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    rows = [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]
    return result.exit_code, rows or result.stdout.splitlines(), result.stderr


def write(path: Path, *lines: object) -> Path:
    text = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(text) + "\n")
    return path


def test_a_feed_with_faults(tmp_path: Path) -> None:
    index, letters = tmp_path / "news.index", tmp_path / "left-out.jsonl"
    feed = write(tmp_path / "feed.jsonl", BRIDGE, "{broken", {"id": "x"}, EDITED, CLINIC)
    status, rows, notes = call("ingest", feed, "--index", index, "--dead-letters", letters)
    assert (status, [row["id"] for row in rows]) == (0, ["a", "b"])
    assert "2 articles answered" in notes
    assert "3 rows skipped" in notes
    left = [json.loads(line) for line in letters.read_text().splitlines()]
    assert [(letter["line"], letter["row"]) for letter in left] == [
        (2, None),
        (3, {"id": "x"}),
        (4, EDITED),
    ]
    # What was left out before stays in the file.
    status, rows, notes = call(
        "ingest", feed, "--index", index, "--dead-letters", letters, "--on-changed", "update"
    )
    assert [row["updated"] for row in rows] == [False, True, False]
    assert "1 of them updated" in notes
    assert len(letters.read_text().splitlines()) == 5
    status, _, notes = call("ingest", feed, "--index", index)
    assert status == 2
    assert "feed.jsonl, line 1, field 'id': other words than before" in notes
    assert "(--on-changed update)" in notes


@pytest.mark.parametrize("option", ["--dead-letters"])
def test_dead_letters_overwrite_nothing(tmp_path: Path, option: str) -> None:
    feed = write(tmp_path / "feed.jsonl", BRIDGE)
    before = feed.read_bytes()
    for other in (feed, tmp_path / "news.index"):
        assert call("ingest", feed, "--index", tmp_path / "news.index", option, other)[0] == 2
    assert feed.read_bytes() == before


def test_a_missing_input_makes_no_index(tmp_path: Path) -> None:
    status, _, notes = call("ingest", tmp_path / "none.jsonl", "--index", tmp_path / "news.index")
    assert status == 2
    assert "no file matches" in notes
    assert not list(tmp_path.iterdir())


def test_too_late_is_counted(tmp_path: Path) -> None:
    rows = [{"id": f"n{n}", "text": f"event{n}", "published": f"2025-03-{n:02}"} for n in (1, 25)]
    feed = write(tmp_path / "feed.jsonl", rows[1], rows[0])
    _, found, notes = call("ingest", feed, "--index", tmp_path / "i", "--retention", "9")
    assert [(row["kept"], row["story_id"] is None) for row in found] == [
        (True, False),
        (False, True),
    ]
    assert "1 from before the retention and not kept" in notes


def test_copies(tmp_path: Path) -> None:
    index, copy, new = (tmp_path / f"{name}.index" for name in ("news", "copy", "new"))
    feed = write(tmp_path / "feed.jsonl", BRIDGE, CLINIC)
    call("ingest", feed, "--index", index)
    assert call("index", "backup", index, copy)[0] == 0
    assert call("index", "backup", index, copy)[0] == 2
    call("ingest", SAMPLE, "--index", index)
    assert call("index", "restore", copy, index)[0] == 0
    assert call("index", "check", index) == (0, ["no damage found"], "")
    with StoryIndex.open(index) as opened:
        assert opened.stats().articles == 2
    assert call("index", "rebuild", index, new, "--granularity", "copies")[:2] == (
        0,
        ["2 articles"],
    )
    status, _, notes = call("ingest", SAMPLE, "--index", new, "--granularity", "event")
    assert status == 2
    assert "was made with granularity copies, not event" in notes
    assert "index rebuild" in notes
    with StoryIndex.open(index), StoryIndex.open(copy):
        assert call("index", "restore", copy, index)[0] == 2
        assert call("ingest", feed, "--index", index, "--wait", "0.1")[0] == 2


def test_what_cannot_be_made_again_is_named(tmp_path: Path) -> None:
    bare, notes, other, new = (tmp_path / name for name in ("bare", "notes", "other", "new"))
    with StoryIndex.open(bare, keep_texts=False) as index:
        index.add(BRIDGE)
    notes.write_text("not an index")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE news (id)")
    for path, told in (
        (tmp_path / "none", "no index at"),
        (bare, "was made without texts: make a new index from the articles"),
        (notes, "'notes'|not a database"),
        (other, "is not an index of sahel_dedup"),
    ):
        status, rows, said = call("index", "rebuild", path, new)
        assert (status, rows) == (2, [])
        assert re.search(told, said)
        assert not new.exists()


def test_damage_is_printed(tmp_path: Path) -> None:
    index = tmp_path / "news.index"
    call("ingest", write(tmp_path / "feed.jsonl", BRIDGE, CLINIC), "--index", index)
    change(index, "UPDATE texts SET text = x'61'")
    status, rows, _ = call("index", "check", index)
    assert status == 1
    assert "has changed" in rows[0]


def test_letters_need_a_folder(tmp_path: Path) -> None:
    feed, letters = write(tmp_path / "feed.jsonl", BRIDGE), tmp_path / "none" / "letters"
    status, _, notes = call("ingest", feed, "--index", tmp_path / "i", "--dead-letters", letters)
    assert status == 2
    assert f"cannot write {str(letters)!r}: No such file" in notes
