"""Looking after the file of an index: ``sahel-dedup index check``, ``compact``, ``export``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing

from sahel_dedup.errors import SahelError
from sahel_dedup.index.store import Store
from sahel_dedup.index.story_index import StoryIndex

# What must not be found, and what it would mean.
_RULES = {
    "SELECT count(*) FROM articles WHERE serial NOT IN (SELECT serial FROM standing)":
        "articles belong to no story and no past",
    "SELECT count(*) FROM standing WHERE serial NOT IN (SELECT serial FROM articles)":
        "places in stories belong to no article",
    "SELECT count(*) - count(DISTINCT id) FROM articles JOIN standing USING (serial) "
    "WHERE story != 0":
        "articles are there twice",
    "SELECT count(*) FROM standing WHERE twin NOT IN (SELECT serial FROM standing)":
        "articles are copies of one that is not there",
    "SELECT count(*) FROM standing AS a JOIN standing AS b ON a.twin = b.serial "
    "WHERE a.story != b.story":
        "copies are in another story than their original",
    "SELECT count(*) FROM texts WHERE serial NOT IN (SELECT serial FROM standing WHERE story != 0)":
        "texts belong to no article",
    "SELECT count(*) - count(DISTINCT hash) FROM terms":
        "terms are there twice",
}  # fmt: skip


def check(path: str | os.PathLike[str]) -> list[str]:
    """Look for damage in the file of an index.

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
            found = []
            for sql, meaning in _RULES.items():
                ((count,),) = store.read(sql)
                if count:
                    found.append(f"{count:,} {meaning}")
        with StoryIndex.open(path, readonly=True) as index:
            index.stats()
    except SahelError as error:
        return [str(error)]
    return found


def compact(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Make the file of an index as small as it can be.

    Parameters
    ----------
    path
        The file. Nobody else may be writing it.

    Returns
    -------
    before, after : int
        Its size in bytes.

    Raises
    ------
    SahelError
        If it cannot be opened for writing.
    """
    if not os.path.exists(path):
        raise SahelError(f"no index at {os.fspath(path)!r}")
    with StoryIndex.open(path) as index:
        before = _size(path)
        index.compact()
        return before, _size(path)


def export(path: str | os.PathLike[str]) -> Iterator[dict[str, object]]:
    """Tell of the articles of an index, story by story.

    Parameters
    ----------
    path
        The file. Another process may be writing it.

    Yields
    ------
    dict
        ``id``, ``story_id``, ``canonical`` (whether the article stands for its story),
        ``published``, ``source`` and ``lang``. Texts are left out.
    """
    with StoryIndex.open(path, readonly=True) as index:
        yield from index.rows()


def _size(path: str | os.PathLike[str]) -> int:
    name = os.fspath(path)
    return sum(os.path.getsize(name + end) for end in ("", "-wal") if os.path.exists(name + end))
