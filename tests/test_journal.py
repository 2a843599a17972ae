"""The journal of an index: its rows take the place of older ones, and what is no row is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sahel_dedup.index import StoryIndex
from sahel_dedup.index.article_rows import article_rows, standing_rows
from sahel_dedup.index.journal import (
    MOST_TRANSACTIONS,
    TABLES_OF_ARTICLES,
    Journal,
    JournalEntry,
    pack,
    unpack,
    unpack_former,
)
from sahel_dedup.index.sqlite_file import TABLES

KEYS = st.integers(0, 12)
# Key, and a number by which rows are sought.
ROWS = st.lists(st.tuples(KEYS, st.integers(0, 9)), max_size=5)


@settings(max_examples=300)
@given(
    table=st.dictionaries(KEYS, st.integers(0, 4)),
    transactions=st.lists(st.tuples(st.sampled_from(["standing", "events"]), ROWS), max_size=4),
    many=st.integers(1, 4),
    since=st.none() | st.tuples(st.sampled_from([0, 1]), st.integers(-1, 9)),
)
def test_rows_are_those_of_the_table_and_the_newest_of_the_journal(
    table: dict[int, int],
    transactions: list[tuple[str, list[tuple[int, int]]]],
    many: int,
    since: tuple[int, int] | None,
) -> None:
    journal = Journal(30, "token")
    newest: dict[int, int] = {}
    for number, (name, written) in enumerate(transactions):
        journal.add({"number": number}, [("texts", [(99, "text")]), (name, written)])
        newest |= dict(written) if name == "standing" else {}
    assert (len(journal), journal.last) == (len(transactions), 30 + len(transactions))
    assert journal.state == ({"number": len(transactions) - 1} if transactions else None)
    assert journal.of("standing") == {key: (key, value) for key, value in newest.items()}
    rows = sorted(table.items())
    if since is not None:
        newest = {k: value for k, value in newest.items() if (k, value)[since[0]] > since[1]}
    parts = [rows[place : place + many] for place in range(0, len(rows), many)]
    found = list(journal.merged("standing", parts, since))
    assert [row for part in found for row in part] == sorted((table | newest).items())
    assert all(found)
    # What is new is read only once: a further call gives the same.
    assert list(journal.merged("standing", parts, since)) == found


def row(table: str, key: Any = 7) -> tuple[Any, ...]:
    """Return a row as long as those of a table, without its seal."""
    return (key, *[None] * (TABLES[table][1] - 2))


def test_what_was_packed_is_unpacked() -> None:
    # Texts may have lone surrogates, which have no form in UTF-8.
    texts = (7, "\ud800", *row("texts")[2:])
    written: tuple[Any, ...] = (("texts", (texts,)), ("events", ()))
    written += tuple((table, (row(table), row(table, -1))) for table in TABLES_OF_ARTICLES)
    for entry in (
        JournalEntry("token", {"serial": 7, "clock": None}, written),
        JournalEntry("", {}, ()),
    ):
        assert unpack(pack(entry)) == entry
        assert unpack_former(msgpack.packb(entry.written, unicode_errors="surrogatepass")) == (
            entry.written
        )


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ([("corrections", [row("corrections")])], "no rows of 'corrections' can be in it"),
        ([("journal", [])], "no rows of 'journal' can be in it"),
        ([("no table", [])], "no rows of 'no table' can be in it"),
        ([("events", [row("events")[:-1]])], "no row of 'events'"),
        ([("events", [(*row("events"), None)])], "no row of 'events'"),
        ([("events", [()])], "no row of 'events'"),
        ([("events", ["four"])], "no row of 'events'"),
        ([("events", [dict.fromkeys("four")])], "no row of 'events'"),
        ([("events", [row("events", "7")])], "no row of 'events'"),
        ([("events", [row("events", 7.0)])], "no row of 'events'"),
        ([("events", [row("events", True)])], "no row of 'events'"),
        ([("events", [row("events"), row("events", None)])], "no row of 'events'"),
    ],
)
def test_what_is_no_row_of_an_article_is_refused(written: Any, reason: str) -> None:
    for read, value in ((unpack, ("token", {}, written)), (unpack_former, written)):
        with pytest.raises(ValueError, match=f"^journal: {reason}$"):
            read(msgpack.packb(value))


@pytest.mark.parametrize("value", [(), ("token", {}), ("token", {}, [], []), 5, None])
def test_what_is_no_transaction_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        unpack(msgpack.packb(value))


@pytest.mark.parametrize("start", [(5, {}), (None, {}), ("token", []), ("token", None)])
def test_a_transaction_without_token_or_state_is_refused(start: Any) -> None:
    with pytest.raises(ValueError, match=r"^journal: no token or state$"):
        unpack(msgpack.packb((*start, [])))


@pytest.mark.parametrize("data", [None, 5, "text", bytearray(b"\x90"), memoryview(b"\x90")])
def test_what_is_not_bytes_is_refused(data: Any) -> None:
    for read in (unpack, unpack_former):
        with pytest.raises(ValueError, match=r"^journal: not bytes$"):
            read(data)


def test_rows_of_articles_are_the_same_one_by_one(
    tmp_path: Path, wire: list[dict[str, Any]]
) -> None:
    bare = [{"id": "\ud800", "text": "Rain."}, {"id": "empty", "text": ""}]
    with StoryIndex.open(tmp_path / "news.index") as index:
        index.add_many([*wire[:20], *bare])
        keeper = index._session.keeper
        assert keeper is not None
        live, terms = keeper.engine.live, keeper.terms
        whole = list(article_rows(live, 0, len(live), terms))
        assert len(whole) == 22
        for few in (1, 2, 3):
            for row in range(len(live) - few + 1):
                assert list(article_rows(live, row, row + few, terms)) == whole[row : row + few]
        standing = list(standing_rows(live.standing, range(len(live)), 7))
        assert standing == list(standing_rows(live.standing, np.arange(len(live)), 7))
        for some in (range(4, 5), range(5, 8)):
            assert list(standing_rows(live.standing, some, 7)) == [standing[row] for row in some]
        assert list(standing_rows(live.standing, np.array([3, 9]), 7)) == standing[3:10:6]


def test_an_article_that_arrives_alone_is_one_statement(
    tmp_path: Path, wire: list[dict[str, Any]]
) -> None:
    """The work of a transaction, counted: each statement and each page takes time."""
    path = tmp_path / "news.index"
    articles = [row | {"id": f"{turn}/{row['id']}"} for turn in range(2) for row in wire]
    statements: list[str] = []
    with StoryIndex.open(path) as index:
        store = index._session.store
        assert store is not None
        store._connection.set_trace_callback(statements.append)
        counts, pages = [], []
        for article in articles:
            before = Path(f"{path}-wal").stat().st_size
            statements.clear()
            index.add(article)
            pages.append((Path(f"{path}-wal").stat().st_size - before) / 8192)
            if len(store._journal):
                (statement,) = statements
                assert statement.startswith("INSERT OR REPLACE INTO journal ")
            counts.append(len(statements))
    # One more moves the journal to the tables.
    assert counts.count(1) == len(articles) - len(articles) // (MOST_TRANSACTIONS + 1)
    assert max(counts) < 8 * MOST_TRANSACTIONS
    alone = [size for size, count in zip(pages, counts, strict=True) if count == 1]
    assert sum(alone) / len(alone) < 1.85
