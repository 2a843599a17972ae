"""The texts of articles, which are in the file and are read only on request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sahel_dedup.articles import Article
from sahel_dedup.errors import MissingTextsError
from sahel_dedup.index.article_rows import read_fields, to_text
from sahel_dedup.index.live import Live
from sahel_dedup.index.persistence import Keeper
from sahel_dedup.index.result_builder import origin
from sahel_dedup.index.row_checks import blobs
from sahel_dedup.index.sqlite_file import TableRow, damaged
from sahel_dedup.index.standing import NO_STORY


class Text(NamedTuple):
    """The text of an article and its other fields, kept for people to read."""

    title: str | None
    text: str
    extra: Mapping[str, object]


def article_at(live: Live, row: int, keeper: Keeper | None) -> Article:
    """Return the kept fields of an article; see `StoryIndex.article`.

    Parameters
    ----------
    live : Live
    row : int
    keeper : Keeper or None
        ``None`` for an index in memory.
    """
    if keeper is None:
        raise MissingTextsError(
            "no texts: an index in memory does not keep them, one in a file does"
        )
    if not keeper.keeps_texts:
        raise MissingTextsError(
            f"no texts: {keeper.store.path!r} was made without them; `explain` also reads "
            "what `cluster` wrote"
        )
    found = find_text(keeper, row)
    if found is None:
        raise damaged(keeper.store.path, "a text is missing")
    return Article(live.ids[row], found.text, found.title, *origin(live, row), found.extra)


def find_text(keeper: Keeper, row: int) -> Text | None:
    """Return the kept text of an article, or ``None`` if another process has removed it.

    Raises
    ------
    IndexFileError
        If the text is damaged.
    """
    with keeper.store.checked():
        found = keeper.store.row("texts", int(keeper.engine.live.standing.serial[row]))
        return None if found is None else _read(found)


def check_texts(keeper: Keeper) -> None:
    """Read all texts.

    Raises
    ------
    IndexFileError
        If one is damaged, missing, or does not belong to a live article.
    """
    s, n = keeper.engine.live.standing, len(keeper.engine.live)
    missing = set(s.serial[:n][s.story[:n] != NO_STORY].tolist() if keeper.keeps_texts else ())
    with keeper.store.checked():
        for rows in keeper.store.rows("texts"):
            for row in rows:
                _read(row)
                if row[0] not in missing:
                    raise ValueError("texts belong to no article")
                missing.remove(row[0])
        if missing:
            raise ValueError(f"{len(missing):,} texts are missing")


def _read(row: TableRow) -> Text:
    _, title, text, extra = row
    blobs("title", [title], missing=True)
    blobs("text", [text])
    blobs("extra", [extra], missing=True)
    return Text(None if title is None else to_text(title), to_text(text), read_fields(extra))
