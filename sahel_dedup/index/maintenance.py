"""Maintenance of the file of an index: the commands of ``sahel-dedup index``."""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Never

from sahel_dedup.articles import Article
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import FileError, IndexFileError, MissingTextsError
from sahel_dedup.index.article_rows import read_fields, to_text
from sahel_dedup.index.checking import check
from sahel_dedup.index.correction_rows import read_corrections
from sahel_dedup.index.export import table_rows
from sahel_dedup.index.file_header import header_value
from sahel_dedup.index.journal import Journal, JournalEntry, unpack, unpack_former
from sahel_dedup.index.metadata import stored_settings
from sahel_dedup.index.opening import open_session
from sahel_dedup.index.session import Session
from sahel_dedup.index.side_files import Lock, check_path, remove_side_files, size_of
from sahel_dedup.index.sqlite_file import (
    APPLICATION,
    FORMAT_VERSION,
    connect,
    damaged,
    is_index,
    named_error,
)
from sahel_dedup.index.sqlite_store import Store
from sahel_dedup.index.story_index import StoryIndex
from sahel_dedup.settings import Settings, check_keywords, check_settings
from sahel_dedup.util.days import length_of, to_moment

__all__ = ["backup", "check", "compact", "export", "rebuild", "restore", "settings_of"]

# The oldest format whose texts can still be read.
_OLDEST = 5
# The first format with corrections.
_CORRECTED = 8
# The first format with a journal, and the first that has states in it.
_JOURNALED = 10
_STATED = 12
_TEXTS = (
    "SELECT id, text, title, day, source, lang, {} FROM articles JOIN texts USING (serial) "
    "ORDER BY serial"
)


@dataclass(frozen=True, slots=True)
class _Former:
    """How a file was made, in any format."""

    settings: Settings
    retention: timedelta | None
    texts: bool
    fields: bool


def compact(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Make the file of an index as small as possible.

    Parameters
    ----------
    path
        The file, which no other process may be writing.

    Returns
    -------
    before, after : int
        Its size in bytes, before and after.

    Raises
    ------
    SahelError
        If it cannot be opened for writing.
    """
    _, real = check_path(path)
    if not os.path.exists(real):
        raise FileError(f"no index at {os.fspath(path)!r}")
    with StoryIndex.open(path) as index:
        before = index.stats().file_bytes
        index.compact()
        return before, index.stats().file_bytes


def export(path: str | os.PathLike[str], *, texts: bool = False) -> Iterator[dict[str, object]]:
    """Yield the articles of an index, story by story.

    Parameters
    ----------
    path
        The file. Another process may be writing it.
    texts
        Whether to add ``title`` and ``text``, and all other fields if the index keeps them.

    Yields
    ------
    dict
        ``id``, ``story_id``, ``canonical`` (whether the article represents its story),
        ``published``, ``source`` and ``lang``, then the requested columns.

    Raises
    ------
    MissingTextsError
        If texts are requested but not kept.
    """
    with closing(_read(path)) as session:
        yield from table_rows(session, texts=texts)


def backup(path: str | os.PathLike[str], copy: str | os.PathLike[str]) -> None:
    """Write the present state of an index to another file, which needs no log.

    The file of an open index must not be copied by other means, because the latest articles are in
    its log.

    Parameters
    ----------
    path
        The index. This or another process may be writing it.
    copy
        A file that is not there yet.

    Raises
    ------
    IndexFileError
        If the index is damaged.
    FileError
        If `copy` exists already, or cannot be written.
    """
    name, real = check_path(copy)
    if os.path.lexists(real):
        raise FileError(f"cannot write a backup to {name!r}: it already exists")
    with closing(_read(path)) as session:
        assert session.store is not None
        session.store.copy(real)


def restore(copy: str | os.PathLike[str], path: str | os.PathLike[str]) -> None:
    """Replace an index by a backup.

    The backup is checked first. Files that a dead process left next to the index are removed,
    because they belong to the replaced file.

    Parameters
    ----------
    copy
        A file that `backup` wrote, or a copy of an index that was closed.
    path
        The index, which need not exist.

    Raises
    ------
    IndexFileError
        If the backup is damaged.
    IndexBusyError
        If a process is writing the index.
    """
    name, real = check_path(path)
    if size_of(real) and not is_index(real):
        raise FileError(f"cannot restore {name!r}: it is not an index; remove it first")
    if faults := check(copy):
        raise IndexFileError(f"the backup cannot be restored: {faults[0]}")
    with closing(Store(copy, readonly=True)) as store:
        if os.path.exists(real) and os.path.samefile(store.path, real):
            raise FileError(f"{name!r} is the backup itself")
        lock = Lock(name, real, 0.0)
        try:
            # Done before the file is replaced, because a left-over log would be used for the
            # backup.
            remove_side_files(real)
            store.copy(real)
        finally:
            lock.release()


def settings_of(path: str | os.PathLike[str]) -> Settings:
    """Return the settings that an index was made with.

    Raises
    ------
    FileError
        If there is no index, or it cannot be read.
    """
    with closing(Store(path, readonly=True)) as store:
        return stored_settings(store.made, store.path)


def rebuild(
    path: str | os.PathLike[str],
    new: str | os.PathLike[str],
    settings: Settings | None = None,
    *,
    retention: timedelta | float | None = None,
    **misplaced: Never,
) -> int:
    """Make a new index from the articles of another, which may have an older format.

    Parameters
    ----------
    path
        The index, which must have texts. It is not changed.
    new
        A file that is not there yet.
    settings : Settings, optional
        How to group; by default as before.
    retention : timedelta or float, optional
        As for `StoryIndex.open`; by default as before.
    **misplaced
        Not allowed; the error says where settings go.

    Returns
    -------
    int
        Number of articles. They are added in the order in which they arrived, so stories and their
        ids may differ from the former ones.

    Raises
    ------
    SahelError
        If the index cannot be read or has no texts, or if `new` exists already.
    """
    check_keywords("rebuild", misplaced)
    check_settings(settings)
    name, real = check_path(path)
    if not os.path.exists(real):
        raise FileError(f"no index at {name!r}")
    if os.path.lexists(check_path(new)[1]):
        raise FileError(f"cannot write {os.fspath(new)!r}: it already exists")
    with closing(_open_any(real, name)) as connection:
        former = _former(connection, name)
        if not former.texts:
            raise MissingTextsError(
                f"{name!r} was made without texts: make a new index from the articles"
            )
        chosen = former.settings if settings is None else settings
        age = former.retention if retention is None else retention
        kept = _articles(connection, name, former.fields)
        with StoryIndex.open(new, chosen, retention=age, keep_fields=former.fields) as index:
            index.corrections.add(_corrections(connection, name))
            added = index.follow(kept, batch_size=128)
            return sum(found.kept for found in added)


def _read(path: str | os.PathLike[str]) -> Session:
    return open_session(
        path, None, retention=None, keep_texts=True, keep_fields=False, readonly=True, timeout=0.0
    )  # fmt: skip


def _open_any(real: str, name: str) -> sqlite3.Connection:
    """Open an index of this format or of an older one that can be read."""
    try:
        connection = connect(real, "ro")
    except sqlite3.Error as error:
        raise named_error(error, name) from error
    try:
        # One state of the file, though another process may be writing it.
        connection.execute("BEGIN")
        ((application,),) = connection.execute("PRAGMA application_id")
        ((version,),) = connection.execute("PRAGMA user_version")
        others = connection.execute("SELECT 1 FROM sqlite_master WHERE type IN ('view', 'trigger')")
        if application != APPLICATION:
            raise IndexFileError(f"{name!r} is not an index of sahel_dedup")
        if not _OLDEST <= version <= FORMAT_VERSION:
            raise IndexFileError(
                f"{name!r} is an index of format {version}, which this release cannot read: make "
                "a new one from the articles"
            )
        if others.fetchone():
            raise damaged(name, "its schema is not that of an index")
    except sqlite3.Error as error:
        connection.close()
        raise named_error(error, name) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _former(connection: sqlite3.Connection, name: str) -> _Former:
    try:
        rows = connection.execute("SELECT name, value FROM header").fetchall()
        header: dict[str, Any] = {key: header_value(value) for key, value in rows}
        made = header.get("made", header)
        state = header["state"]["index"] if "state" in header else header
        if entries := _journal(connection):
            state = entries[-1].state or state
        retention = length_of(state.get("retention"))
        # Formats before 7 kept no further fields.
        kept = made["texts"] is True, made.get("fields") is True
        return _Former(stored_settings(made, name), retention, *kept)
    except sqlite3.Error as error:
        raise named_error(error, name) from error
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise damaged(name, error) from error


def _corrections(connection: sqlite3.Connection, name: str) -> Corrections:
    """Read the corrections of an index; formats before 8 have none."""
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] < _CORRECTED:
            return Corrections()
        rows = connection.execute("SELECT * FROM corrections").fetchall()
        return Corrections(read_corrections([(row[0], *row[2:]) for row in rows]) if rows else ())
    except sqlite3.Error as error:
        raise named_error(error, name) from error
    except ValueError as error:
        raise damaged(name, error) from error


def _journal(connection: sqlite3.Connection) -> list[JournalEntry]:
    """Read the transactions in the journal, in any format."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version < _JOURNALED:
        return []
    rows = connection.execute("SELECT written FROM journal ORDER BY number")
    if version < _STATED:
        return [JournalEntry("", {}, unpack_former(written)) for (written,) in rows]
    return [unpack(written) for (written,) in rows]


def _in_journal(connection: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """Yield the articles that are not in the tables yet, as the query of the tables does."""
    journal = Journal(0, "")
    for entry in _journal(connection):
        journal.add(entry.state, entry.written)
    texts = journal.of("texts")
    for serial, (_, article, day, source, lang, *_) in sorted(journal.of("articles").items()):
        if serial in texts:
            _, title, text, extra = texts[serial]
            yield article, text, title, day, source, lang, extra


def _articles(connection: sqlite3.Connection, name: str, fields: bool) -> Iterator[Article]:
    query = _TEXTS.format("extra" if fields else "NULL")
    try:
        rows = itertools.chain(connection.execute(query), _in_journal(connection))
        for article, text, title, day, source, lang, extra in rows:
            yield Article(
                to_text(article),
                to_text(text),
                None if title is None else to_text(title),
                None if day is None else to_moment(day),
                None if source is None else to_text(source),
                lang,
                read_fields(extra),
            )
    except sqlite3.Error as error:
        raise named_error(error, name) from error
    except (TypeError, AttributeError, ArithmeticError, ValueError, RecursionError) as error:
        raise damaged(name, error) from error
