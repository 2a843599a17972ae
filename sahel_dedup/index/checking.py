"""Looking for damage in the file of an index: ``sahel-dedup index check``."""

from __future__ import annotations

import os
from contextlib import closing

from sahel_dedup.errors import SahelError
from sahel_dedup.index.engine import Engine
from sahel_dedup.index.metadata import check_retention, stored_settings, to_length, warn_of_versions
from sahel_dedup.index.persistence import Keeper
from sahel_dedup.index.sqlite_store import Store

# What must not be found, and what it would mean. All else is checked whenever an index is
# opened.
_RULES = {
    "SELECT count(*) FROM standing WHERE serial NOT IN (SELECT serial FROM articles)":
        "places in stories belong to no article",
    "SELECT count(*) FROM standing AS a JOIN standing AS b ON a.twin = b.serial "
    "WHERE b.twin != b.serial":
        "articles are copies of one that is a copy itself",
    "SELECT count(*) FROM standing AS a JOIN standing AS b ON a.twin = b.serial "
    "WHERE a.story != b.story":
        "copies are in another story than their original",
}  # fmt: skip


def check(path: str | os.PathLike[str]) -> list[str]:
    """Look for damage in the file of an index.

    Every row is read, with the texts, and compared with its checksum.

    Parameters
    ----------
    path
        The file. Another process may be writing it.

    Returns
    -------
    list of str
        What is wrong, in sentences; nothing if all is well.
    """
    try:
        with closing(Store(path, readonly=True)) as store:
            if faults := store.faults():
                return [f"{store.path!r} is damaged: {fault}" for fault in faults]
            with store.transaction(), store.checked():
                warn_of_versions(store.made, store.path)
                store.read_state()
                settings = stored_settings(store.made, store.path)
                keeper = Keeper(store, Engine(settings))
                check_retention(to_length(keeper.load().retention), settings)
                keeper.check_texts()
                counts = {meaning: store.count(sql) for sql, meaning in _RULES.items()}
    except SahelError as error:
        return [str(error)]
    return [f"{count:,} {meaning}" for meaning, count in counts.items() if count]
