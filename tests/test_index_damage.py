"""Files of an index that are damaged, crafted, of another release, or next to a foreign log."""

import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sahel_dedup import IndexFileError, SahelError, StoryIndex
from sahel_dedup.index.journal import MOST_TRANSACTIONS, JournalEntry, unpack
from sahel_dedup.index.maintenance import backup, check, rebuild, restore
from sahel_dedup.index.sqlite_file import FORMAT_VERSION, TABLES
from sahel_dedup.index.sqlite_store import Store
from tests.forging import change, forge, forge_header, header_of

Row = dict[str, Any]
# Only a part: what is done to the file is done to a copy, many times.
SIZE = 40


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory, wire: list[Row]) -> Path:
    """An index with articles, copies, several stories, events and expired articles."""
    path = tmp_path_factory.mktemp("sound") / "news.index"
    with StoryIndex.open(path) as index:
        index.add_many(wire[:SIZE])
        index.remove(wire[SIZE - 1]["id"])
        index.compact()
    assert check(path) == []
    return path


@pytest.fixture
def path(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound, tmp_path / "news.index"))


def partition(index: StoryIndex) -> dict[str, str]:
    return {article: story.id for story in index for article in story.articles}


def refused(path: Path) -> str:
    """Return why a file is refused; everything else fails."""
    for readonly in (True, False):
        with pytest.raises(IndexFileError) as caught:
            StoryIndex.open(path, readonly=readonly).close()
    assert check(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("PRAGMA user_version = 9", f"format 9; this release reads format {FORMAT_VERSION}.*"
         "index rebuild OLD NEW"),
        ("PRAGMA application_id = 7", "not an index"),
        ("DELETE FROM standing WHERE serial = 9", "standing has lost rows"),
        ("DELETE FROM articles WHERE serial = 9", "articles has lost rows"),
        ("DELETE FROM terms WHERE first = 0", "terms has lost rows"),
        ("DELETE FROM header WHERE name = 'state'", "damaged"),
        ("DELETE FROM header", "damaged"),
        ("UPDATE header SET value = '{' WHERE name = 'made'", "header 'made' has changed"),
        ("UPDATE header SET value = x'80' WHERE name = 'state'", "'state' has changed"),
        ("UPDATE articles SET id = x'61' WHERE serial = 9", "row 9 of its table articles"),
        ("UPDATE articles SET counts = substr(counts, 1, 3) WHERE serial = 9", "has changed"),
        ("UPDATE articles SET day = 'x' WHERE serial = 9", "has changed"),
        ("DROP TABLE terms", "schema"),
        ("CREATE TABLE more (x)", "schema"),
        ("CREATE TRIGGER t AFTER INSERT ON texts BEGIN DELETE FROM texts; END", "schema"),
        ("ALTER TABLE header RENAME TO h; CREATE VIEW header AS SELECT name, seal, value FROM h",
         "schema"),
        ("DROP TABLE articles; CREATE VIEW articles AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL "
         "SELECT x + 1 FROM n) SELECT x FROM n", "schema"),
    ],
)  # fmt: skip
def test_damage_is_named(path: Path, sql: str, message: str) -> None:
    change(path, sql)
    assert re.search(message, refused(path))


def test_what_only_a_check_finds(path: Path) -> None:
    change(path, "UPDATE texts SET text = x'61' WHERE serial = 9")
    StoryIndex.open(path).close()
    assert "row 9 of its table texts has changed" in check(path)[0]
    change(path, "DELETE FROM texts WHERE serial = 9")
    assert "texts has lost rows" in check(path)[0]


# What no index writes, and what would be read or written outside of arrays if it were taken.
CRAFTED = [
    "UPDATE articles SET counts = substr(counts, 1, 3) WHERE serial = 20",
    "UPDATE articles SET counts = x'ffffffffffffffffffff' WHERE serial = 20",
    "UPDATE articles SET counts = zeroblob(length(counts)) WHERE serial = 20",
    "UPDATE articles SET counts = replace(hex(counts), '02', 'FF') WHERE serial = 20",
    "UPDATE articles SET terms = substr(terms, 1, 7) WHERE serial = 20",
    "UPDATE articles SET terms = x'', counts = x'01' WHERE serial = 20",
    "UPDATE articles SET terms = x'ffffff7f', counts = x'01' WHERE serial = 20",
    "UPDATE articles SET terms = x'ffffffff', counts = x'01' WHERE serial = 20",
    "UPDATE articles SET terms = x'0100000000000000', counts = x'0101' WHERE serial = 20",
    "UPDATE articles SET title_terms = x'ffffffff' WHERE serial = 20",
    "UPDATE articles SET title_terms = x'0100' WHERE serial = 20",
    "UPDATE articles SET salience = x'00' WHERE serial = 20",
    "UPDATE articles SET salience = 'text' WHERE serial = 20",
    "UPDATE articles SET shingles = zeroblob(127) WHERE serial = 20",
    "UPDATE articles SET number_contexts = zeroblob(66) WHERE serial = 20",
    "UPDATE articles SET day = 9e999 WHERE serial = 20",
    "UPDATE articles SET day = -9e999 WHERE serial = 20",
    "UPDATE articles SET day = 1e300 WHERE serial = 20",
    "UPDATE articles SET day = 'soon' WHERE serial = 20",
    "UPDATE articles SET source = 7 WHERE serial = 20",
    "UPDATE articles SET source = x'ff' WHERE serial = 20",
    "UPDATE articles SET lang = 'no language' WHERE serial = 20",
    "UPDATE articles SET lang = x'00' WHERE serial = 20",
    "UPDATE articles SET lang = char(97 + serial % 26, 97 + serial / 26, 97)",
    "UPDATE articles SET body = 1.5 WHERE serial = 20",
    "UPDATE articles SET headline = 'x' WHERE serial = 20",
    "UPDATE articles SET length = -1 WHERE serial = 20",
    "UPDATE articles SET length = 4294967296 WHERE serial = 20",
    "UPDATE articles SET id = x'' WHERE serial = 20",
    "UPDATE articles SET id = x'ff' WHERE serial = 20",
    "UPDATE articles SET id = (SELECT id FROM articles WHERE serial = 1) WHERE serial = 2",
    "UPDATE articles SET serial = -5 WHERE serial = 20",
    "DELETE FROM articles WHERE serial = 20",
    "DELETE FROM standing WHERE serial = 20",
    "UPDATE standing SET twin = 77777 WHERE serial = 2",
    "UPDATE standing SET twin = -1 WHERE serial = 2",
    "UPDATE standing SET twin = 'x' WHERE serial = 2",
    "UPDATE standing SET story = 'x' WHERE serial = 2",
    "UPDATE standing SET day = 'x' WHERE serial = 2",
    "UPDATE standing SET day = 9e999 WHERE serial = 2",
    "UPDATE standing SET nearest = x'00' WHERE serial = 2",
    "UPDATE standing SET nearest = x'0000c07f0000c07f0000c07f' WHERE serial = 2",
    "UPDATE standing SET nearest = x'0000803f0000803f00000044' WHERE serial = 2",
    "UPDATE standing SET changed = 'x' WHERE serial = 2",
    "UPDATE standing SET serial = 77777 WHERE serial = 2",
    "UPDATE terms SET first = 2000000000",
    "UPDATE terms SET first = 3000000000, numbers = x'ffffffff'",
    "UPDATE terms SET first = -1, numbers = x'ffffffff'",
    "UPDATE terms SET first = 5",
    "UPDATE terms SET numbers = x''",
    "UPDATE terms SET numbers = substr(numbers, 1, 7)",
    "UPDATE terms SET numbers = substr(numbers, 1, 4)",
    "UPDATE terms SET numbers = zeroblob(length(numbers))",
    "UPDATE terms SET numbers = CAST(x'00000000ffffff7f' || substr(numbers, 9) AS BLOB)",
    "UPDATE terms SET numbers = CAST(x'00000000ffffffff' || substr(numbers, 9) AS BLOB)",
    "UPDATE terms SET numbers = 5",
    "UPDATE terms SET hashes = 'x'",
    "UPDATE terms SET hashes = substr(hashes, 9)",
    "UPDATE terms SET hashes = "
    "CAST(substr(hashes, 1, 8) || substr(hashes, 1, length(hashes) - 8) AS BLOB)",
    "UPDATE terms SET words = CAST(x'ff' || substr(words, 2) AS BLOB)",
    "UPDATE terms SET words = CAST(x'00' || words AS BLOB)",
    "UPDATE terms SET words = x''",
    "UPDATE terms SET words = 5",
    "INSERT INTO terms SELECT 900000, 0, x'a0bb0d00', substr(hashes, 1, 8), x'61' FROM terms",
    "DELETE FROM terms WHERE first = 0",
    "INSERT OR REPLACE INTO events VALUES (1, 0, 'eaten', 's0000000000000000', NULL)",
    "INSERT INTO events VALUES (900, 0, 'merged', 'x', NULL)",
    "INSERT INTO events VALUES (900, 0, x'00', 's0000000000000000', NULL)",
    "INSERT INTO events VALUES (-900, 0, 'merged', 's0000000000000000', NULL)",
    "UPDATE forgotten SET articles = -1",
    "UPDATE forgotten SET articles = 1e300",
    "INSERT OR REPLACE INTO forgotten VALUES ('fr', 0, 1, x'01000000', x'')",
    "INSERT OR REPLACE INTO forgotten VALUES ('fr', 0, 1, x'ffffff7f', x'01000000')",
    "INSERT OR REPLACE INTO forgotten VALUES ('fr', 0, 1, x'01000000', x'ffffffff')",
    "INSERT OR REPLACE INTO forgotten VALUES ('..', 0, 1, x'', x'')",
]


@pytest.mark.parametrize("sql", CRAFTED)
def test_crafted_rows_are_refused(path: Path, sql: str) -> None:
    forge(path, sql)
    refused(path)


def test_crafted_texts_are_found(path: Path) -> None:
    for sql in (
        "UPDATE texts SET text = 5 WHERE serial = 9",
        "UPDATE texts SET title = 5, text = x'00' WHERE serial = 9",
        "UPDATE texts SET title = NULL, text = x'ff' WHERE serial = 9",
        "UPDATE texts SET extra = 5 WHERE serial = 9",
        "UPDATE texts SET extra = x'5b5d' WHERE serial = 9",
        "INSERT INTO texts VALUES (77777, 0, NULL, x'00', NULL)",
        "DELETE FROM texts",
    ):
        forge(path, sql)
        assert check(path), sql


def test_a_missing_text_is_no_index_without_texts(path: Path, wire: list[Row]) -> None:
    forge(path, "DELETE FROM texts")
    with StoryIndex.open(path) as index, pytest.raises(IndexFileError, match="a text is missing"):
        index.article(wire[0]["id"])


NO_DAYS: list[Any] = ["soon", True, 1e308, -1e308, [], {}]


@pytest.mark.parametrize(
    ("name", "change_to"),
    [
        ("made", {"settings": {}}),
        ("made", {"settings": None}),
        ("made", {"settings": {"granularity": "x", "window": 7, "recall": 0.9,
                               "recall_similarity": 0.3}}),
        ("made", {"settings": {"granularity": "event", "window": 1e308, "recall": 0.9,
                               "recall_similarity": 0.3}}),
        ("made", {"settings": {"granularity": "event", "window": 7, "recall": 0.9,
                               "recall_similarity": 1e-9}}),
        ("made", {"settings": {"granularity": "event", "window": "7", "recall": "x",
                               "recall_similarity": 0.3}}),
        ("made", {"fingerprint": 99}),
        ("made", {"identity": "xyz"}),
        ("made", {"identity": None}),
        ("made", {"versions": 5}),
        ("state", {"index": None}),
        ("state", {"sums": {}}),
        ("state", {"sums": {table: "x" for table in TABLES}}),
        ("state", {"log": {}}),
        *(("state", {"index": {name: value}}) for name in ("clock", "horizon", "retention")
          for value in NO_DAYS),
        *(("state", {"index": {"generation": value}}) for value in (-1, 1.5, None, "x", 1 << 63)),
        ("state", {"index": {"counts": {"exact": -1}}}),
        ("state", {"index": {"counts": None}}),
        ("state", {"index": {"retention": 1}}),
    ],
)  # fmt: skip
def test_crafted_headers_are_refused(path: Path, name: str, change_to: dict[str, Any]) -> None:
    value: dict[str, Any] = header_of(path, name)
    for key, new in change_to.items():
        merged = isinstance(new, dict) and isinstance(value[key], dict) and key == "index"
        value[key] = value[key] | new if merged else new
    forge_header(path, name, json.dumps(value) if name == "made" else msgpack.packb(value))
    assert check(path)
    with pytest.raises(SahelError):
        StoryIndex.open(path).close()
    with pytest.raises(SahelError):
        StoryIndex.open(path, readonly=True).close()


TEXTS = ["", "5", "[]", "NaN", '{"index": NaN}', "[" * 5000, "\ud7ff"]
PACKED = [b"", b"\x05", b"\x90", b"\xc1", b"\x80", b"\x81\xa1a", b"\x81\x90\x01", b"\x91" * 5000]


@pytest.mark.parametrize("written", [*TEXTS, *PACKED])
@pytest.mark.parametrize("name", ["made", "state"])
def test_headers_that_are_none_are_refused(path: Path, name: str, written: str | bytes) -> None:
    forge_header(path, name, written)
    refused(path)


@given(data=st.data())
@settings(max_examples=120)
def test_no_flipped_bit_goes_unnoticed(
    data: st.DataObject, sound: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """In a column: what the file says changes, or the bit decides nothing and all is the same."""
    path = tmp_path_factory.mktemp("flipped") / "news.index"
    shutil.copy(sound, path)
    table = data.draw(st.sampled_from([*TABLES, "header"]))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        key = "name" if table == "header" else TABLES[table][0]
        keys = [k for (k,) in connection.execute(f"SELECT {key} FROM {table}")]
        if not keys:
            return
        chosen = data.draw(st.sampled_from(keys))
        cursor = connection.execute(f"SELECT * FROM {table} WHERE {key} = ?", (chosen,))
        (row,) = cursor.fetchall()
        at = data.draw(st.integers(0, len(row) - 1))
        column, value = cursor.description[at][0], row[at]
        new = flipped(value, data)
        if new == value:
            return
        # A key changed into that of another row takes its place.
        connection.execute(
            f"UPDATE OR REPLACE {table} SET {column} = ? WHERE {key} = ?", (new, chosen)
        )
    assert check(path)


def flipped(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, int):
        number = value ^ (1 << data.draw(st.integers(0, 62)))
        return number
    if isinstance(value, float):
        return value + 2.0 ** data.draw(st.integers(-30, 20))
    raw = bytearray(value.encode() if isinstance(value, str) else value or b"")
    if not raw:
        return value
    bit = data.draw(st.integers(0, 8 * len(raw) - 1))
    raw[bit // 8] ^= 1 << bit % 8
    return bytes(raw) if isinstance(value, bytes) else raw.decode("utf-8", "replace")


def test_each_bit_of_the_header_of_sqlite(wire: list[Row], tmp_path: Path) -> None:
    """A file that passes the check opens for writing; one that does not open fails the check."""
    # Few articles, because the file is opened 800 times.
    sound = tmp_path / "news.index"
    with StoryIndex.open(sound) as index:
        index.add_many(wire[:8])
        index.compact()
        expected = partition(index)
    header = sound.read_bytes()[:100]
    noticed = 0
    for bit in range(8 * len(header)):
        path = Path(shutil.copy(sound, tmp_path / f"{bit}.index"))
        changed = bytearray(header)
        changed[bit // 8] ^= 1 << bit % 8
        with open(path, "r+b") as file:
            file.write(changed)
        faults = check(path)
        try:
            with StoryIndex.open(path) as index:
                assert partition(index) == expected, bit
        except SahelError:
            assert faults, bit
            noticed += 1
    assert noticed > 16 * 8


@given(data=st.data())
@settings(max_examples=120)
def test_damaged_bytes_never_crash_nor_change_what_is_read(
    data: st.DataObject, sound: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("bytes") / "news.index"
    shutil.copy(sound, path)
    size = path.stat().st_size
    kind = data.draw(st.sampled_from(["flip", "zero", "swap", "cut", "random"]))
    with open(path, "r+b") as file:
        at = data.draw(st.integers(0, size - 1))
        file.seek(at)
        if kind == "flip":
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1 << data.draw(st.integers(0, 7))]))
        elif kind == "zero":
            file.write(bytes(min(data.draw(st.integers(1, 20_000)), size - at)))
        elif kind == "random":
            file.write(data.draw(st.binary(min_size=1, max_size=64))[: size - at])
        elif kind == "swap":
            pages = size // 8192
            one, two = (8192 * data.draw(st.integers(0, pages - 1)) for _ in range(2))
            file.seek(one)
            first = file.read(8192)
            file.seek(two)
            second = file.read(8192)
            file.seek(one)
            file.write(second)
            file.seek(two)
            file.write(first)
        else:
            file.truncate(at)
    faults = check(path)
    with StoryIndex.open(sound, readonly=True) as index:
        expected = partition(index)
    try:
        with StoryIndex.open(path) as index:
            found = partition(index)
            if not faults:
                for article in found:
                    index.article(article)
    except SahelError:
        assert faults
    else:
        assert found == expected


KILLED = """
import os, signal, sys, json
from sahel_dedup import StoryIndex
index = StoryIndex.open(sys.argv[1])
for line in sys.stdin:
    index.add(json.loads(line))
os.kill(os.getpid(), signal.SIGKILL)
"""


def die_after(path: Path, rows: list[Row]) -> None:
    """Add articles in a process that dies at once, so that they are in the log alone."""
    lines = "\n".join(map(json.dumps, rows))
    command = [sys.executable, "-c", KILLED, str(path)]
    done = subprocess.run(command, input=lines, text=True, capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert Path(f"{path}-wal").stat().st_size


def test_a_log_of_a_process_that_died_is_taken_over(path: Path, wire: list[Row]) -> None:
    die_after(path, wire[SIZE:])
    assert check(path) == []
    with StoryIndex.open(path, readonly=True) as index:
        assert wire[-1]["id"] in index
    with StoryIndex.open(path) as index:
        assert wire[-1]["id"] in index
    assert not Path(f"{path}-wal").exists()
    assert check(path) == []


@pytest.fixture(scope="module")
def sound_journaled(sound: Path, tmp_path_factory: pytest.TempPathFactory, wire: list[Row]) -> Path:
    """An index with rows that are only in its journal, and no log."""
    path = Path(shutil.copy(sound, tmp_path_factory.mktemp("journaled") / "news.index"))
    die_after(path, wire[SIZE : SIZE + 9])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ((count,),) = connection.execute("SELECT count(*) FROM journal")
    assert count == 9
    return path


@pytest.fixture
def journaled(sound_journaled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(sound_journaled, tmp_path / "news.index"))


def test_a_journal_is_read_and_moved_to_the_tables(
    journaled: Path, tmp_path: Path, wire: list[Row]
) -> None:
    last = wire[SIZE + 8]
    assert check(journaled) == []
    with StoryIndex.open(journaled, readonly=True) as index:
        expected = partition(index)
        assert index.article(last["id"]).text == last["text"]
        backup(journaled, tmp_path / "copy.index")
    assert len(expected) == SIZE - 1 + 9
    assert rebuild(journaled, tmp_path / "new.index") == len(expected)
    for path in (tmp_path / "copy.index", journaled):
        with StoryIndex.open(path) as index:
            assert partition(index) == expected
            assert index.article(last["id"]).text == last["text"]
        with closing(sqlite3.connect(path)) as connection:
            assert not connection.execute("SELECT * FROM journal").fetchall()
            ((count,),) = connection.execute("SELECT count(*) FROM texts")
        assert count == len(expected)
        assert check(path) == []


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("DELETE FROM journal WHERE number = (SELECT min(number) FROM journal)", "has lost rows"),
        ("DELETE FROM journal WHERE number = (SELECT max(number) - 3 FROM journal)", "lost rows"),
        ("DELETE FROM journal WHERE number < (SELECT max(number) FROM journal)", "has lost rows"),
        ("UPDATE journal SET number = number - 1", "of its table journal has changed"),
        (
            "INSERT INTO journal SELECT -5, seal, written FROM journal LIMIT 1",
            "row -5 of its table",
        ),
        ("UPDATE journal SET written = zeroblob(9)", "of its table journal has changed"),
    ],
)
def test_damage_to_a_journal_is_named(journaled: Path, sql: str, message: str) -> None:
    change(journaled, sql)
    assert re.search(message, refused(journaled))


@pytest.mark.parametrize("lost", [1, 4, 9])
def test_without_its_last_rows_a_journal_is_that_of_an_earlier_state(
    journaled: Path, wire: list[Row], lost: int
) -> None:
    """As a log that is cut off: what came before is whole."""
    with StoryIndex.open(journaled, readonly=True) as index:
        whole = partition(index).keys()
    change(
        journaled, f"DELETE FROM journal WHERE number > (SELECT max(number) FROM journal) - {lost}"
    )
    assert check(journaled) == []
    for readonly in (True, False):
        with StoryIndex.open(journaled, readonly=readonly) as index:
            gone = {row["id"] for row in wire[SIZE + 9 - lost : SIZE + 9]}
            assert partition(index).keys() == whole - gone
            assert index.stats().articles == len(whole) - lost


def test_no_flipped_bit_hides_rows_of_a_journal(journaled: Path) -> None:
    """The heads of its pages say how many rows are in each."""
    with closing(sqlite3.connect(journaled)) as connection:
        found = "SELECT pageno FROM dbstat WHERE name = 'journal' AND pagetype != 'overflow'"
        try:
            pages = [page for (page,) in connection.execute(found)]
        except sqlite3.OperationalError:
            pytest.skip("this SQLite does not tell which pages are those of a table")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sound, expected = journaled.read_bytes(), rows_of_journal(journaled)
    noticed = 0
    for page in pages:
        for bit in range(8 * 12):
            changed = bytearray(sound)
            changed[8192 * (page - 1) + bit // 8] ^= 1 << bit % 8
            journaled.write_bytes(changed)
            try:
                assert rows_of_journal(journaled) == expected, (page, bit)
            except IndexFileError:
                noticed += 1
    assert noticed > 48 * len(pages)


def test_no_flipped_bit_hides_the_only_row_of_a_journal(path: Path, wire: list[Row]) -> None:
    die_after(path, wire[SIZE : SIZE + 1])
    test_no_flipped_bit_hides_rows_of_a_journal(path)


def rows_of_journal(path: Path) -> list[int]:
    with closing(Store(path, readonly=True)) as store, store.transaction(), store.checked():
        store.read_state()
        return [len(store._journal), *store._journal.of("articles")]


def test_a_journal_of_an_earlier_format_is_rebuilt(
    journaled: Path, tmp_path: Path, wire: list[Row]
) -> None:
    with StoryIndex.open(journaled, readonly=True) as index:
        expected = partition(index)
    with closing(sqlite3.connect(journaled, isolation_level=None)) as connection:
        rows = connection.execute("SELECT number, written FROM journal").fetchall()
        state = {}
        for number, written in rows:
            _, state, tables = msgpack.unpackb(written)
            connection.execute(
                "UPDATE journal SET written = ? WHERE number = ?", (msgpack.packb(tables), number)
            )
        header = header_of(journaled, "state") | {"index": state}
    forge_header(journaled, "state", msgpack.packb(header))
    for version in (10, 11):
        change(journaled, f"PRAGMA user_version = {version}")
        assert re.search(f"format {version}; .*index rebuild OLD NEW", refused(journaled))
        new = tmp_path / f"new{version}.index"
        assert rebuild(journaled, new) == len(expected)
        with StoryIndex.open(new, readonly=True) as index:
            assert partition(index).keys() == expected.keys()
            assert index.article(wire[SIZE + 8]["id"]).text == wire[SIZE + 8]["text"]


def test_a_rebuilt_index_keeps_the_retention_in_a_journal(journaled: Path, tmp_path: Path) -> None:
    change_state = """
import os, signal, sys
from sahel_dedup import StoryIndex
index = StoryIndex.open(sys.argv[1], retention=400)
os.kill(os.getpid(), signal.SIGKILL)
"""
    command = [sys.executable, "-c", change_state, str(journaled)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    rebuild(journaled, tmp_path / "new.index")
    with StoryIndex.open(tmp_path / "new.index", readonly=True) as index:
        assert index._session.retention == timedelta(days=400)


@pytest.mark.parametrize("token", ["", "other"])
def test_rows_of_another_process_are_not_those_of_a_journal(journaled: Path, token: str) -> None:
    craft_last(journaled, lambda entry: entry._replace(token=token))
    assert "journal has lost rows, or has rows of other states" in refused(journaled)


def event(*row: Any) -> list[Any]:
    return [["events", [row]]]


@pytest.mark.parametrize(
    "written",
    [
        5, [5], [["header", [["state", "x"]]]], [["forgotten", []]], [["events", 5]],
        [["events", [5]]], [["articles", [[77777, b"x"]]]], [["articles", [bytes(15)]]],
        [["texts", ["text"]]], [[["events"], []]],
        event(900, "eaten", "s0000000000000000", None), event(900, "merged", b"x", None),
        event(900.5, "merged", "s0000000000000000", None), event(None, "merged", "x", None),
        [["standing", [[77777, 1, 2, 3.0, bytes(12), 9]]]],
        [["standing", [[20, 1, 2, float("nan"), bytes(12), 9]]]],
        [["standing", [[20, [], 2, 3.0, bytes(12), 9]]]],
        [["terms", [[900_000, bytes(4), bytes(8), b"word"]]]],
    ],
)  # fmt: skip
def test_crafted_rows_of_a_journal_are_refused(journaled: Path, written: Any) -> None:
    """They are beside those that the transaction wrote, which would be missed."""
    craft_last(
        journaled,
        lambda entry: entry._replace(
            written=[*entry.written, *written] if isinstance(written, list) else written
        ),
    )
    refused(journaled)


STATES: list[Any] = [5, [], {}, {"serial": -1}, {"counts": 5}, {"clock": "x"}]


@pytest.mark.parametrize("state", STATES)
def test_crafted_states_of_a_journal_are_refused(journaled: Path, state: Any) -> None:
    changes = isinstance(state, dict) and state
    craft_last(
        journaled,
        lambda entry: entry._replace(state=entry.state | state if changes else state),
    )
    refused(journaled)


WRITTEN = [5, "text", b"", b"\xc1", b"\x05", b"\x91" * 5000, msgpack.packb([5])]


@pytest.mark.parametrize("written", WRITTEN)
def test_crafted_journals_are_refused(journaled: Path, written: Any) -> None:
    craft_last(journaled, lambda _: written)
    refused(journaled)


def craft_last(path: Path, craft: Callable[[JournalEntry], Any]) -> None:
    """Change the last row of a journal, and seal it again."""
    with closing(sqlite3.connect(path)) as connection:
        ((number, written),) = connection.execute(
            "SELECT number, written FROM journal ORDER BY number DESC LIMIT 1"
        )
    new = craft(unpack(written))
    value = msgpack.packb(new) if isinstance(new, JournalEntry) else new
    forge(path, "UPDATE journal SET written = ? WHERE number = ?", (value, number))


def test_a_damaged_log_gives_an_earlier_state_or_is_refused(
    path: Path, tmp_path: Path, wire: list[Row]
) -> None:
    with StoryIndex.open(path, readonly=True) as index:
        before = partition(index).keys()
    die_after(path, wire[SIZE : SIZE + 12])
    log = Path(f"{path}-wal").read_bytes()
    states = [before | {row["id"] for row in wire[SIZE : SIZE + n]} for n in range(13)]
    dice = random.Random(3)
    for turn in range(30):
        copy = tmp_path / f"{turn}.index"
        shutil.copy(path, copy)
        damaged = bytearray(log)
        if turn % 2:
            del damaged[dice.randrange(len(log)) :]
        else:
            damaged[dice.randrange(len(log))] ^= 1 << dice.randrange(8)
        Path(f"{copy}-wal").write_bytes(damaged)
        faults = check(copy)
        try:
            with StoryIndex.open(copy) as index:
                found = partition(index).keys()
        except IndexFileError:
            assert faults
        else:
            assert found in states
            assert check(copy) == []


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("how", ["copied while closed", "written by backup", "another index"])
def test_a_log_beside_another_file_is_refused(
    path: Path, tmp_path: Path, wire: list[Row], how: str, settled: bool
) -> None:
    """Whether the log has only rows of the journal, or also a new header."""
    copy = tmp_path / "copy.index"
    if how == "copied while closed":
        shutil.copy(path, copy)
    elif how == "written by backup":
        with StoryIndex.open(path) as index:
            backup(path, copy)
            index.add({"id": "after", "text": "What came after the backup was made."})
    else:
        with StoryIndex.open(copy) as index:
            index.add_many(wire[:5])
    before = copy.read_bytes()
    others = [row | {"id": f"again {row['id']}"} for row in wire[SIZE:]] if settled else []
    die_after(path, wire[SIZE:] + others)
    assert (len(wire[SIZE:] + others) > MOST_TRANSACTIONS) == settled
    shutil.copy(copy, path)
    for readonly in (True, False):
        with pytest.raises(IndexFileError, match=r"-wal' does not belong to .*news\.index'"):
            StoryIndex.open(path, readonly=readonly)
    assert "does not belong" in check(path)[0]
    assert path.read_bytes() == before
    # One of the two remedies that the message names.
    with StoryIndex.open(copy, readonly=True) as index:
        expected = partition(index)
    if how == "another index":
        Path(f"{path}-wal").unlink()
        Path(f"{path}-shm").unlink()
    else:
        restore(copy, path)
    assert check(path) == []
    with StoryIndex.open(path) as index:
        assert partition(index) == expected
        assert "after" not in index


def test_a_new_index_takes_no_log_of_a_former_one(path: Path, wire: list[Row]) -> None:
    die_after(path, wire[SIZE:])
    path.unlink()
    with pytest.raises(IndexFileError, match="-wal' exists: put back"):
        StoryIndex.open(path)
    Path(f"{path}-wal").unlink()
    with StoryIndex.open(path) as index:
        assert len(index) == 0


def test_a_backup_is_whole_while_the_index_is_written(
    path: Path, tmp_path: Path, wire: list[Row]
) -> None:
    copy = tmp_path / "copy.index"
    with StoryIndex.open(path) as writer:
        writer.add_many(wire[SIZE:])
        backup(path, copy)
        with pytest.raises(SahelError, match="it already exists"):
            backup(path, copy)
        expected = partition(writer)
    assert check(copy) == []
    assert not list(tmp_path.glob(".*.tmp*"))
    with StoryIndex.open(copy) as index:
        assert partition(index) == expected
        assert index.article(wire[-1]["id"]).text == wire[-1]["text"]
    with pytest.raises(SahelError, match="no index at"):
        backup(tmp_path / "none.index", tmp_path / "other.index")


def test_restore_refuses_what_would_lose_something(path: Path, tmp_path: Path) -> None:
    copy, text = tmp_path / "copy.index", tmp_path / "notes.txt"
    text.write_text("not an index")
    with StoryIndex.open(path):
        backup(path, copy)
        with pytest.raises(SahelError, match="being written"):
            restore(copy, path)
    with pytest.raises(SahelError, match="is not an index"):
        restore(copy, text)
    with pytest.raises(SahelError, match="the backup itself"):
        restore(copy, copy)
    before = path.read_bytes()
    change(copy, "UPDATE texts SET text = x'61' WHERE serial = 9")
    with pytest.raises(IndexFileError, match="cannot be restored"):
        restore(copy, path)
    assert path.read_bytes() == before
    assert text.read_text() == "not an index"


def test_a_reader_of_a_folder_that_cannot_be_written(path: Path, wire: list[Row]) -> None:
    program = """
import os, sys
from sahel_dedup import SahelError
from sahel_dedup.index.sqlite_store import Store
os.chdir(sys.argv[1])
if os.geteuid() == 0:
    # The superuser may write everywhere.
    os.setuid(65534)
try:
    print(Store("news.index", readonly=True).count("SELECT count(*) FROM texts"))
except SahelError as error:
    print(error)
"""

    def look() -> str:
        command = [sys.executable, "-c", program, str(path.parent)]
        # No measurement of coverage starts: it would write where this user may not.
        env = {"PATH": os.environ["PATH"]}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
        return done.stdout + done.stderr

    # Absolute names are looked up from the root on.
    folder = path.parent
    for parent in (folder, *list(folder.parents)[:-1]):
        if parent.stat().st_uid == os.geteuid():
            parent.chmod(parent.stat().st_mode | 0o055)
    folder.chmod(0o555)
    try:
        assert look().strip() == str(SIZE - 1)
        folder.chmod(0o755)
        die_after(path, wire[SIZE : SIZE + 2])
        Path(f"{path}-shm").unlink(missing_ok=True)
        folder.chmod(0o555)
        assert "a process that wrote it has died" in look()
    finally:
        folder.chmod(0o755)


def test_names_that_no_index_can_have(tmp_path: Path) -> None:
    for name in ("", "a\0b", "x" * 252, str(tmp_path)):
        with pytest.raises(SahelError):
            StoryIndex.open(name)
    with pytest.raises(SahelError, match="named by a path"):
        StoryIndex.open(7)  # type: ignore[arg-type]
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(SahelError, match="not a file"):
        StoryIndex.open(tmp_path / "fifo")
    StoryIndex.open(os.fsencode(tmp_path / "bytes.index")).close()  # type: ignore[arg-type]
    StoryIndex.open(tmp_path / "odd?#%41\udcff.index").close()
    assert sorted(os.listdir(os.fsencode(tmp_path))) == sorted([
        b"bytes.index", b"bytes.index-lock", b"fifo",
        b"odd?#%41\xff.index", b"odd?#%41\xff.index-lock",
    ])  # fmt: skip


def test_two_names_of_one_index_have_one_lock(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.index"
    link.symlink_to(path)
    with StoryIndex.open(path), pytest.raises(SahelError, match="being written"):
        StoryIndex.open(link)


def test_a_fork_is_refused_and_harms_nothing(path: Path, wire: list[Row]) -> None:
    program = """
import os, sys
from sahel_dedup import SahelError, StoryIndex
index = StoryIndex.open(sys.argv[1])
index.add({"id": "before", "text": "An article from before the fork."})
if child := os.fork():
    assert os.waitpid(child, 0)[1] == 0
    index.add({"id": "after", "text": "An article from after the fork."})
    index.close()
else:
    for call in (len, list, StoryIndex.stats, lambda i: i.add({"id": "x", "text": "y"})):
        try:
            call(index)
        except SahelError as error:
            assert "open it after the fork" in str(error), error
        else:
            os._exit(1)
    index.close()
    sys.exit(0)
"""
    command = [sys.executable, "-W", "ignore", "-c", program, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert check(path) == []
    with StoryIndex.open(path) as index:
        assert "before" in index
        assert "after" in index


def test_a_full_disk_is_named(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with StoryIndex.open(path) as index:
        store = index._session.store
        assert store is not None
        # As a full disk does, for SQLite.
        pages = store.count("PRAGMA page_count")
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(SahelError, match=r"no space left for .*news\.index"):
            index.add({"id": "long", "text": "many words " * 20_000})
        with pytest.raises(SahelError, match="open it again"):
            index.stats()
    assert check(path) == []
    with StoryIndex.open(path) as index:
        assert "long" not in index
