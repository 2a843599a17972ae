"""The arrays beside an index: it opens with them as without, and no others are believed."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup import StoryIndex, cluster
from sahel_dedup.index import kept_arrays
from sahel_dedup.index.array_file import Column, Draft, read, write
from sahel_dedup.index.checksums import checksum
from sahel_dedup.index.maintenance import backup, check, compact, restore
from sahel_dedup.index.sealed_tables import SealedTables
from tests.forging import change, forge_header, header_of

Row = dict[str, Any]
SIZE = 60


@pytest.fixture(autouse=True)
def _of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_arrays, "LEAST_ARTICLES", 0)


@pytest.fixture
def path(tmp_path: Path, wire: list[Row]) -> Path:
    """An index with arrays: copies, several stories, a removed article, and expired ones."""
    path = tmp_path / "news.index"
    with StoryIndex.open(path) as index:
        index.add_many(wire[: SIZE // 2])
        index.add_many(wire[SIZE // 2 : SIZE])
        index.remove(wire[SIZE - 1]["id"])
        index.join(wire[0]["id"], wire[7]["id"])
        index.compact()
    assert arrays_of(path).exists()
    assert check(path) == []
    return path


def arrays_of(path: Path) -> Path:
    return Path(f"{path}-arrays")


def digest_of(path: Path) -> str:
    return str(header_of(path, "state")["index"]["arrays"])


def identity_of(path: Path) -> bytes:
    return bytes.fromhex(header_of(path, "made")["identity"])


def seen(index: StoryIndex, row: Row) -> Any:
    """Return all that an index tells."""
    stories = [(story.id, story.canonical, story.articles) for story in index]
    stats = index.stats()
    counted = (stats.articles, stats.stories, stats.past, stats.newest, stats.cursor, stats.exact)
    found = index.query({**row, "id": "asked"})
    return stories, counted, index.events(), found.story_id, found.relation, list(index.corrections)


def opened(path: Path, row: Row, *, readonly: bool = True) -> tuple[Any, bool]:
    """Return what an index tells, and whether it was read from its rows."""
    tables = []
    rows = SealedTables.rows

    def noted(self: SealedTables, table: str, **since: Any) -> Any:
        for part in rows(self, table, **since):
            tables.append(table)
            yield part

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SealedTables, "rows", noted)
        index = StoryIndex.open(path, readonly=readonly)
    with index:
        return seen(index, row), "articles" in tables


@pytest.mark.parametrize("readonly", [True, False])
def test_arrays_hold_what_rows_hold(path: Path, wire: list[Row], readonly: bool) -> None:
    found, from_rows = opened(path, wire[3], readonly=readonly)
    assert not from_rows
    arrays_of(path).unlink()
    expected, from_rows = opened(path, wire[3], readonly=readonly)
    assert from_rows
    assert found == expected


def test_what_came_after_the_arrays_is_read_as_rows(
    path: Path, wire: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_arrays, "_BEHIND", 1e9)
    monkeypatch.setattr(kept_arrays, "_BEHIND_CLOSED", 1e9)
    before = arrays_of(path).read_bytes()
    with StoryIndex.open(path) as index:
        index.add_many(wire[SIZE : SIZE + 30])
        index.remove(wire[1]["id"])
        index.remove(wire[SIZE + 2]["id"])
        index.update({**wire[4], "text": wire[5]["text"]})
        index.corrections.withdraw(wire[0]["id"], wire[7]["id"])
        index.part(wire[SIZE]["id"], wire[SIZE + 1]["id"])
        index.add(wire[1])
        expected = seen(index, wire[3])
    assert arrays_of(path).read_bytes() == before
    assert check(path) == []
    for readonly in (True, False):
        found, from_rows = opened(path, wire[3], readonly=readonly)
        assert from_rows
        assert found == expected
    arrays_of(path).unlink()
    assert opened(path, wire[3])[0] == expected
    with StoryIndex.open(path) as index:
        index.add_many(wire[SIZE + 30 :])
        assert len(index) == len(list(index))


def test_a_reader_takes_newer_arrays_over(path: Path, wire: list[Row]) -> None:
    with StoryIndex.open(path) as writer, StoryIndex.open(path, readonly=True) as reader:
        for start in range(SIZE, len(wire), 10):
            writer.add_many(wire[start : start + 10])
            assert seen(reader, wire[3]) == seen(writer, wire[3])
        engine, digest = reader._session.engine, digest_of(path)
        writer.add({"id": "one more", "text": "Rain fell in Kidal on Monday night."})
        assert "one more" in reader
        assert digest_of(path) == digest
        assert reader._session.engine is engine
        writer.add_many([{**row, "id": f"2 {row['id']}"} for row in wire])
        assert seen(reader, wire[3]) == seen(writer, wire[3])
        assert digest_of(path) != digest
        assert reader._session.engine is not engine


def test_from_stories_and_maintenance(tmp_path: Path, wire: list[Row]) -> None:
    path, copy = tmp_path / "news.index", tmp_path / "copy.index"
    StoryIndex.from_stories(cluster(wire), path).close()
    found, from_rows = opened(path, wire[3])
    assert not from_rows
    backup(path, copy)
    assert not arrays_of(copy).exists()
    assert check(copy) == []
    # The arrays of the original are those of the copy, until one of them changes.
    shutil.copy(arrays_of(path), arrays_of(copy))
    assert opened(copy, wire[3]) == (found, False)
    with StoryIndex.open(copy) as index:
        index.add_many([{**row, "id": f"2 {row['id']}"} for row in wire])
    restore(copy, path)
    assert not arrays_of(path).exists()
    shutil.copy(arrays_of(copy), arrays_of(path))
    assert opened(path, wire[3]) == opened(copy, wire[3])
    compact(path)
    assert check(path) == []
    assert not opened(path, wire[3])[1]


def test_a_new_index_takes_no_arrays_of_a_former_one(path: Path, wire: list[Row]) -> None:
    path.unlink()
    with StoryIndex.open(path) as index:
        assert not arrays_of(path).exists()
        index.add_many(wire[:10])
    assert len(opened(path, wire[3])[0][0]) > 0


@pytest.mark.parametrize("kind", ["older", "of another index", "cut off", "longer", "empty"])
def test_other_arrays_are_ignored(path: Path, tmp_path: Path, wire: list[Row], kind: str) -> None:
    arrays = arrays_of(path)
    data = arrays.read_bytes()
    if kind == "older":
        with StoryIndex.open(path) as index:
            index.add_many(wire[SIZE:])
    elif kind == "of another index":
        with StoryIndex.open(tmp_path / "other.index") as index:
            index.add_many(wire[:SIZE])
        data = arrays_of(tmp_path / "other.index").read_bytes()
    elif kind == "cut off":
        data = data[: 2 * len(data) // 3]
    elif kind == "longer":
        data = data[:16] + data
    else:
        data = b""
    arrays.write_bytes(data)
    found, from_rows = opened(path, wire[3])
    assert from_rows
    arrays.unlink()
    assert opened(path, wire[3])[0] == found


def test_each_bit_of_the_head_of_the_arrays(path: Path, wire: list[Row]) -> None:
    expected, _ = opened(path, wire[3])
    arrays = arrays_of(path)
    data = arrays.read_bytes()
    head = 16 + int.from_bytes(data[8:16], "little")
    dice = random.Random(1)
    bits = [*range(16 * 8), *dice.sample(range(16 * 8, 8 * head), 150)]
    for bit in bits:
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        arrays.write_bytes(changed)
        with pytest.raises((OSError, LookupError, TypeError, ValueError)):
            read(str(arrays), identity_of(path), digest_of(path))
    assert opened(path, wire[3]) == (expected, True)


def test_no_changed_byte_of_an_array_goes_unnoticed(
    path: Path, wire: list[Row], caplog: pytest.LogCaptureFixture
) -> None:
    expected, _ = opened(path, wire[3])
    arrays = arrays_of(path)
    data = arrays.read_bytes()
    found = read(str(arrays), identity_of(path), digest_of(path))
    dice = random.Random(2)
    for name, array in found.columns.items():
        used = array[: found.rows[name]].tobytes()
        if not any(used):
            continue
        (at,) = [n for n in range(0, len(data), 4096) if data[n : n + len(used)] == used][:1]
        changed = bytearray(data)
        changed[at + dice.randrange(len(used))] ^= 1 << dice.randrange(8)
        arrays.write_bytes(changed)
        with pytest.raises(ValueError, match="has changed"):
            read(str(arrays), identity_of(path), digest_of(path))
    with caplog.at_level(logging.WARNING, "sahel_dedup.index"):
        assert opened(path, wire[3]) == (expected, True)
    assert "is damaged and is not used" in caplog.text
    assert "is damaged and is not used" in check(path)[0]


def _set(name: str, value: Any, at: Any = 0) -> Callable[[Any, dict[str, Any]], None]:
    def changed(_about: dict[str, Any], columns: dict[str, Any]) -> None:
        columns[name][at] = value

    changed.__name__ = f"{name} {value}"
    return changed


def _say(name: str, value: object) -> Callable[[Any, dict[str, Any]], None]:
    def changed(about: dict[str, Any], _columns: dict[str, Any]) -> None:
        about[name] = value

    changed.__name__ = f"{name} {value}"
    return changed


def _shape(name: str, change_to: Callable[[Any], Any]) -> Callable[[Any, dict[str, Any]], None]:
    def changed(_about: dict[str, Any], columns: dict[str, Any]) -> None:
        columns[name] = change_to(columns[name])

    changed.__name__ = f"shape of {name}"
    return changed


WRONG: dict[str, list[Any]] = {
    "articles": [0, 5, -1, 1 << 40, "x", None, 1.5],
    "terms": [0, 5, 1 << 30, "x", None],
    "bucket_room": [0, 1, 1 << 20, None],
    "last_term": [-2, 5, 1 << 40, None],
    "clock": [1e300, np.inf, "x", []],
    "langs": [[], ["xx"], ["en"] * 50, "en", None],
    "sources": [[], [5], [b"a", b"a"], None],
    "counted": [[], [-1], ["x"], [1] * 9, None],
    "before": [[], [-1.0], ["x"], None],
    "term_salt": [-1, 1.5, "x"],
    "id_salt": [-1, 1.5, "x"],
    "progress": [[], [1], [1, 2, 3, 4, "x"], None, [-1] * 5],
    "versions": [{}, None],
}
# What no index writes, and what would be read or written outside of arrays if it were taken.
CRAFTED = [
    _set("indptr", -1), _set("indptr", 1 << 40, -1), _set("indptr", 1 << 40, 3),
    _set("title_indptr", 7), _set("title_indptr", 1 << 40, -2),
    _set("words", 0x01FFFFFF), _set("title_terms", -5), _set("title_terms", 1 << 30),
    _set("lang", 99), _set("lang", -1), _set("source", 1 << 20), _set("source", -2),
    _set("length", -1), _set("day", np.inf), _set("when", np.nan), _set("when", 1e300),
    _set("nearest", np.nan), _set("nearest", 7.0), _set("recurrence", np.nan),
    _set("duplicate_of", 1 << 20), _set("duplicate_of", -1),
    _set("serial", 0), _set("serial", 1, 5), _set("buckets", 0x00FFFF00),
    _set("term_table", 1 << 30), _set("term_table", -2), _set("term_table", 5, slice(None)),
    _set("term_ends", -1), _set("term_ends", 1 << 40, -1),
    _set("term_letters", 0xFF), _set("term_filed", -1), _set("term_filed", 1 << 30),
    _set("term_number", -1), _set("term_number", 1 << 30), _set("seen", -1),
    _set("id_ends", 1 << 40, -1), _set("id_ends", 1 << 40, 2), _set("id_letters", 0xFF),
    _set("id_rows", 1 << 20), _set("id_rows", -1), _set("id_table", 1 << 20),
    _set("id_table", 0, slice(None)), _set("member_rows", 1 << 20), _set("member_rows", -1),
    _set("prior en", 5000),
    *(_shape(name, lambda array: array[:-1]) for name in
      ("salience", "indptr", "story", "buckets", "term_table", "term_hashes", "term_ends",
       "term_filed", "term_number", "log_seen", "log_articles", "number_count", "id_ends",
       "id_hashes", "member_story")),
    *(_shape(name, lambda array: array[:, 1:].copy()) for name in
      ("salience", "shingles", "number_contexts", "nearest", "buckets", "log_seen")),
    *(_shape(name, lambda array: array.astype(np.float64)) for name in
      ("salience", "words", "serial", "term_table", "seen", "id_rows")),
    _shape("seen", lambda array: array[:, :5].copy()),
    _shape("words", lambda array: array.reshape(-1, 1)),
    *(_say(name, value) for name, values in WRONG.items() for value in values),
]  # fmt: skip


@pytest.mark.parametrize("craft", CRAFTED, ids=lambda craft: craft.__name__)
def test_crafted_arrays_are_not_used(
    path: Path, wire: list[Row], craft: Callable[[Any, dict[str, Any]], None]
) -> None:
    expected, _ = opened(path, wire[3])
    forge_arrays(path, craft)
    assert opened(path, wire[3]) == (expected, True)


def forge_arrays(path: Path, craft: Callable[[Any, dict[str, Any]], None]) -> None:
    """Change arrays, and let the index name them."""
    found = read(str(arrays_of(path)), identity_of(path), digest_of(path))
    columns = {name: array[: found.rows[name]].copy() for name, array in found.columns.items()}
    craft(found.about, columns)
    kept = {
        name: Column(array, grows=len(found.columns[name]) > found.rows[name])
        for name, array in columns.items()
    }
    draft = write(str(arrays_of(path)), 0o600, identity_of(path), found.about, kept)
    draft.publish()
    state = header_of(path, "state")
    state["index"]["arrays"] = draft.digest
    forge_header(path, "state", msgpack.packb(state))


def test_arrays_that_are_forged_unchanged_are_used(path: Path, wire: list[Row]) -> None:
    expected = opened(path, wire[3])
    forge_arrays(path, lambda *_: None)
    assert opened(path, wire[3]) == expected


def test_arrays_that_say_something_else_are_found_by_a_check(path: Path, wire: list[Row]) -> None:
    forge_arrays(path, _set("headline", 1, 3))
    assert "differs from the index: remove it" in check(path)[0]


@pytest.mark.parametrize("digest", ["", 5, [], {}])
def test_a_digest_that_is_none_is_refused(path: Path, digest: Any) -> None:
    state = header_of(path, "state")
    state["index"]["arrays"] = digest
    forge_header(path, "state", msgpack.packb(state))
    assert "is not a digest" in check(path)[0]


KILLED = """
import json, os, signal, sys
from sahel_dedup import StoryIndex
from sahel_dedup.index import kept_arrays
from sahel_dedup.index.array_file import Draft
kept_arrays.LEAST_ARTICLES = 0
index = StoryIndex.open(sys.argv[1])
if sys.argv[2] == "after":
    publish = Draft.publish
    Draft.publish = lambda draft: (publish(draft), os.kill(os.getpid(), signal.SIGKILL))
else:
    Draft.publish = lambda draft: os.kill(os.getpid(), signal.SIGKILL)
index.add_many([json.loads(line) for line in sys.stdin])
"""


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_beside_the_arrays(path: Path, wire: list[Row], when: str) -> None:
    lines = "\n".join(map(json.dumps, wire[SIZE:]))
    command = [sys.executable, "-c", KILLED, str(path), when]
    done = subprocess.run(command, input=lines, text=True, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert check(path) == []
    found, from_rows = opened(path, wire[3])
    assert from_rows == (when == "before")
    assert opened(path, wire[3], readonly=False)[0] == found
    # The one that closed it has written its arrays.
    assert opened(path, wire[3]) == (found, False)
    assert not Path(f"{arrays_of(path)}~").exists()
    assert check(path) == []


def test_arrays_that_cannot_be_written_are_done_without(
    path: Path, wire: list[Row], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    for name in ("chmod", "replace"):
        with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
            patch.setattr(os, name, full)
            with StoryIndex.open(path) as index:
                index.add_many([{**row, "id": f"{name} {row['id']}"} for row in wire])
                expected = seen(index, wire[3])
        assert "No space left" in caplog.text
        caplog.clear()
        assert opened(path, wire[3])[0] == expected
        assert check(path) == []


def test_a_reader_of_a_folder_that_cannot_be_written_uses_them(path: Path, wire: list[Row]) -> None:
    folder = path.parent
    folder.chmod(0o500)
    try:
        assert not opened(path, wire[3])[1]
    finally:
        folder.chmod(0o700)


def test_arrays_are_as_private_as_the_index(path: Path, wire: list[Row]) -> None:
    path.chmod(0o640)
    with StoryIndex.open(path) as index:
        index.add_many(wire[SIZE:])
    assert arrays_of(path).stat().st_mode & 0o777 == 0o640


def test_small_indexes_have_none(
    tmp_path: Path, wire: list[Row], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    path = tmp_path / "small.index"
    with StoryIndex.open(path) as index:
        index.add_many(wire)
    assert not arrays_of(path).exists()


def test_damaged_rows_are_found_by_a_check(path: Path) -> None:
    change(path, "UPDATE articles SET day = day + 1 WHERE serial = 9")
    StoryIndex.open(path).close()
    assert "row 9 of its table articles has changed" in check(path)[0]


# The file -----------------------------------------------------------------------------

VALUES = st.sampled_from(["|b1", "|u1", "<u2", "<i4", "<f4", "<u8", "<f8"])


@given(st.lists(st.tuples(VALUES, st.integers(0, 9), st.integers(0, 3), st.booleans())), st.data())
def test_arrays_come_back_with_room(
    tmp_path_factory: pytest.TempPathFactory,
    kinds: list[tuple[str, int, int, bool]],
    data: st.DataObject,
) -> None:
    path = str(tmp_path_factory.mktemp("file") / "some")
    draw = np.random.default_rng(data.draw(st.integers(0, 99)))
    columns = {
        str(n): Column(draw.integers(0, 2, (rows, *[wide] * (wide > 0))).astype(dtype), grows)
        for n, (dtype, rows, wide, grows) in enumerate(kinds)
    }
    draft = write(path, 0o600, b"key", {"a": 1}, columns)
    draft.publish()
    found = read(path, b"key", draft.digest)
    assert found.about == {"a": 1}
    assert found.columns.keys() == columns.keys()
    for name, (values, grows) in columns.items():
        rows = found.rows[name]
        assert rows == len(values)
        np.testing.assert_array_equal(found.columns[name][:rows], values)
        assert found.columns[name].dtype == values.dtype
        assert len(found.columns[name]) - rows >= (64 if grows else 0)
        assert not found.columns[name][rows:].any()
        # What is written there stays in this process.
        found.columns[name][:] = 1
    assert read(path, b"key", draft.digest).rows == found.rows
    for key, digest in ((b"yek", draft.digest), (b"key", "00")):
        with pytest.raises(LookupError):
            read(path, key, digest)


@given(st.binary(max_size=70), st.data())
def test_a_checksum_changes_with_each_bit_and_with_the_length(
    content: bytes, data: st.DataObject
) -> None:
    values = np.frombuffer(content, dtype=np.uint8).copy()
    expected = checksum(values)
    assert checksum(np.append(values, np.uint8(0))) != expected
    if content:
        bit = data.draw(st.integers(0, 8 * len(content) - 1))
        values[bit // 8] ^= np.uint8(1 << bit % 8)
        assert checksum(values) != expected


def test_nothing_else_is_written_to_nor_waited_for(tmp_path: Path) -> None:
    path, other = tmp_path / "some", tmp_path / "other"
    other.write_bytes(b"dear")
    (tmp_path / "some~").symlink_to(other)
    path.symlink_to(other)
    draft = write(str(path), 0o600, b"", {}, {})
    draft.publish()
    assert other.read_bytes() == b"dear"
    assert read(str(path), b"", draft.digest).about == {}
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(FileNotFoundError):
        read(str(path), b"", draft.digest)


def test_a_draft_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write(str(tmp_path / "some"), 0o600, b"", {"a": object()}, {})
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        Draft(str(tmp_path / "none"), "").publish()
