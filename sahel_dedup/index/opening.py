"""Opening of the file of an index, and the check that it fits the request."""

from __future__ import annotations

import os
from contextlib import closing
from datetime import timedelta

from sahel_dedup.errors import IndexFileError, SahelError, SettingsError
from sahel_dedup.index.engine import Engine
from sahel_dedup.index.metadata import (
    check_kept,
    check_settings_fit,
    make_header,
    stored_settings,
    warn_of_versions,
)
from sahel_dedup.index.session import Session
from sahel_dedup.index.side_files import foreign_log
from sahel_dedup.index.sqlite_store import Store
from sahel_dedup.settings import Settings, check_seconds, check_settings, to_time


def open_session(
    path: str | os.PathLike[str],
    settings: Settings | None,
    *,
    retention: timedelta | float | None,
    keep_texts: bool,
    keep_fields: bool,
    readonly: bool,
    timeout: float,
) -> Session:
    """Open a file, or create it; see `StoryIndex.open`."""
    asked = check_settings(settings)
    age = to_time("retention", retention)
    if readonly and age is not None:
        raise SettingsError("retention: cannot be set for an index that is opened read-only")
    header = make_header(asked, keep_texts, keep_fields)
    store = Store(path, readonly=readonly, header=header, timeout=check_seconds("timeout", timeout))
    try:
        stored = stored_settings(store.made, store.path)
        if settings is not None:
            check_settings_fit(stored, settings, store.path)
        check_kept(store.made, keep_texts, keep_fields, store.path)
        with store.checked():
            warn_of_versions(store.made, store.path)
        session = _load(Engine(settings or stored), store)
        session.set_retention(age)
    except BaseException:
        store.close()
        raise
    return session


def _load(engine: Engine, store: Store) -> Session:
    """Load an index from its file; an error names a log that does not belong to the file."""
    try:
        return Session(engine, store)
    except IndexFileError as error:
        if store.has_log and _is_sound_alone(store.path, engine.settings):
            raise foreign_log(store.path) from error
        raise


def _is_sound_alone(path: str, settings: Settings) -> bool:
    """Whether a file is an index without its log."""
    try:
        with closing(Store(path, readonly=True, alone=True)) as store:
            Session(Engine(settings), store)
    except SahelError:
        return False
    return True
