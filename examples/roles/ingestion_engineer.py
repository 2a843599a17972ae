"""An engineer who takes articles in as they come: edits, faults, several processes, late articles.

The programs for RSS, Kafka, Scrapy and FastAPI are in ../feeds.

python ingestion_engineer.py
"""

from __future__ import annotations

import logging
import multiprocessing
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
from common import ROWS, refused, warned, works

from sahel_dedup import StoryIndex
from sahel_dedup.index.maintenance import rebuild

FIRST = ROWS[0]
EDITED = {**FIRST, "title": "Bridge closed after truck hits pier"}


def edits() -> None:
    """Take an edited article in the place of the former."""
    with StoryIndex() as index:
        index.add(FIRST)
        refused("add of an edited article", lambda: index.add(EDITED), "upsert()")
        works("upsert", index.upsert(EDITED).updated)
        refused("update of an unknown id", lambda: index.update(ROWS[1]), "upsert() adds it")
        refused("add_many of an edited article", lambda: index.add_many([FIRST]), "upsert()")
        works("or with on_changed", index.add_many([FIRST], on_changed="update")[0].updated)
        for date in ("Thu, 06 Jun 2024 20:39:12 +0000", time.gmtime(1717706352)):
            works(f"date {date!r}", index.upsert({**ROWS[1], "published": date}).story_id)
        bare = {name: ROWS[2][name] for name in ("id", "text", "title")}
        index.add(bare)
        works("a date and an outlet that come later", index.add(ROWS[2]).updated)
        works("are in the index", "Wire" in index.to_frame()["source"].to_list())


def faults() -> None:
    """Set faulty articles aside, and go on."""
    rows: list[dict[str, Any]] = [FIRST, {"id": "empty"}, EDITED, *ROWS[1:]]
    dead_letters: list[str] = []
    with StoryIndex() as index:
        refused("add_many of a faulty row", lambda: index.add_many(rows), "field 'text'")
        found = list(
            index.follow(rows, on_error=lambda error, row: dead_letters.append(str(error)))
        )
        works("follow", [assignment.story_id for assignment in found])
        works("dead letters", dead_letters)

        async def feed() -> AsyncIterator[dict[str, Any]]:
            yield FIRST

        refused("an asynchronous feed", lambda: index.follow(feed()), "await each article and add")


def add_in_turn(path: Path, rows: list[dict[str, Any]]) -> None:
    """Add some articles in a process of its own, when it is its turn."""
    with StoryIndex.open(path, timeout=60) as index:
        index.add_many(rows)


def processes(path: Path) -> None:
    """Write from four processes, and read meanwhile."""
    with StoryIndex.open(path):
        refused("a second writer", lambda: StoryIndex.open(path), "timeout=")
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=add_in_turn, args=(path, [row])) for row in ROWS]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    works("four writers in turn", [worker.exitcode for worker in workers] == [0] * 4)
    with StoryIndex.open(path) as index, StoryIndex.open(path, readonly=True) as reader:
        works("all articles are in", index.stats().articles == len(reader.to_frame()) == len(ROWS))


def late(path: Path) -> None:
    """Keep a week, and be told of what is older."""
    with StoryIndex.open(path, retention=7) as index:
        works("retention=7", index.add({**FIRST, "published": "2025-06-01"}).kept)
        old = index.add(ROWS[3])
        works("a late article", not old.kept and old.story_id is None and not old.is_new_story)
        works("is counted", index.stats().late == 1)
    with StoryIndex(retention=timedelta(days=30)) as index:
        works("retention as a timedelta", index)


def monitoring(folder: Path) -> None:
    """Look at an index, take it out and make it again."""
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("sahel_dedup.index")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    with StoryIndex.open(folder / "a.index") as index:
        index.add_many(pd.DataFrame(ROWS))
        works("stats", index.stats())
        index.add_many([{"id": "x"}], on_error="skip")
        frame = index.to_frame()
        works("to_frame", {"title", "published", "source"} <= set(frame.columns) or frame.columns)
    works("log", records)
    logger.removeHandler(handler)
    rebuild(folder / "a.index", folder / "b.index")
    with StoryIndex.open(folder / "b.index", readonly=True) as again:
        works("rebuilt from its texts", again["wire-7"].articles)


def main() -> None:
    edits()
    warned_of = {**FIRST, "published": "08/22/2025"}
    with StoryIndex() as index:
        warned("a date that cannot be read", lambda: index.add(warned_of), "write YYYY-MM-DD")
    faults()
    with TemporaryDirectory() as folder:
        processes(Path(folder) / "news.index")
        late(Path(folder) / "late.index")
        monitoring(Path(folder))


if __name__ == "__main__":
    main()
