"""Export of the articles of an index as rows of a table, story by story."""

from __future__ import annotations

from collections.abc import Iterator

from sahel_dedup.errors import MissingTextsError
from sahel_dedup.index.kept_texts import find_text
from sahel_dedup.index.result_builder import all_rows
from sahel_dedup.index.session import Session

COLUMNS = ("id", "story_id", "canonical", "published", "source", "lang")
TEXT_COLUMNS = ("title", "text")


def table_rows(session: Session, *, texts: bool = False) -> Iterator[dict[str, object]]:
    """Yield the articles; see `sahel_dedup.index.maintenance.export`.

    Raises
    ------
    MissingTextsError
        If texts are requested but not kept.
    """
    with session.looking() as engine:
        keeper = session.keeper
        if texts and (keeper is None or not keeper.keeps_texts):
            raise MissingTextsError("no texts: the index does not keep them")
        for found in all_rows(engine.live):
            if not texts or keeper is None:
                yield found
                continue
            text = find_text(keeper, engine.live.row_of[str(found["id"])])
            # An article that another process has removed meanwhile is no longer in the index.
            if text is not None:
                further = {name: text.extra[name] for name in text.extra if name not in found}
                yield {**found, "title": text.title, "text": text.text, **further}
