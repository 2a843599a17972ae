"""A data scientist in a notebook: data in many forms in, results out, settings compared.

python data_scientist.py
"""

from __future__ import annotations

import sqlite3
import time
from collections import namedtuple
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from common import BRIDGE, ROWS, refused, warned, works
from pydantic import BaseModel
from sklearn.model_selection import GridSearchCV

import sahel_dedup
from sahel_dedup import Settings, Stories, StoryClusterer, StoryIndex, audit, cluster

FRAME = pd.DataFrame(ROWS)


class Model(BaseModel):
    """An article as pydantic has it."""

    id: str
    text: str
    title: str
    published: datetime
    source: str


@dataclass
class Record:
    """An article as a dataclass."""

    id: str
    text: str


def several(stories: Stories) -> bool:
    """Whether the three reports of the bridge are one story."""
    return len(stories) == 2 and len(stories["herald-1"]) == 3


def inputs(folder: Path) -> None:
    """Read everything that holds articles."""
    arrow_table = pa.Table.from_pylist(ROWS)
    Row = namedtuple("Row", ["id", "text", "title", "published", "source"])
    database = sqlite3.connect(":memory:")
    database.row_factory = sqlite3.Row
    database.execute("create table news (id, text, title, published, source)")
    names = ("id", "text", "title", "published", "source")
    database.executemany(
        "insert into news values (?, ?, ?, ?, ?)", [[row[name] for name in names] for row in ROWS]
    )
    paths = [folder / "a.jsonl", folder / "b.parquet"]
    pl.DataFrame(ROWS[:2]).write_ndjson(paths[0])
    pl.DataFrame(ROWS[2:]).write_parquet(paths[1])
    sources: dict[str, Any] = {
        "pandas": FRAME,
        "polars": pl.DataFrame(ROWS),
        "polars LazyFrame": pl.DataFrame(ROWS).lazy(),
        "pyarrow table": arrow_table,
        "pyarrow record batches": arrow_table.to_reader(),
        "DuckDB relation": duckdb.sql("select * from arrow_table"),
        # A connection has one open result at a time.
        "DuckDB Arrow reader": duckdb.connect().sql("select * from arrow_table").to_arrow_reader(),
        "rows of sqlite3": database.execute("select * from news"),
        "named tuples": [Row(*(row[name] for name in names)) for row in ROWS],
        "pydantic models": [Model(**row) for row in ROWS],
        "list of paths": paths,
        "list of names": [str(path) for path in paths],
        "folder": folder,
    }
    for name, source in sources.items():
        works(name, several(cluster(source)))
    database.close()
    works("dataclasses", len(cluster([Record("a", BRIDGE), Record("b", BRIDGE)])) == 1)
    with StoryIndex() as index:
        for name, source in {
            "pandas": FRAME,
            "path": paths[0],
            "polars": pl.DataFrame(ROWS),
        }.items():
            works(f"add_many of {name}", index.add_many(source))


def slips() -> None:
    """Show that what cannot work says what does."""
    texts = [row["text"] for row in ROWS]
    refused("list of texts", lambda: cluster(texts), "StoryClusterer")
    works("list of texts in StoryClusterer", len(set(StoryClusterer().fit_predict(texts))) == 2)
    refused("Series of texts", lambda: cluster(FRAME["text"]), "StoryClusterer")
    unnamed = FRAME.drop(columns="id")
    refused("frame without ids", lambda: cluster(unnamed), "columns={'id': 'index'}")
    works("its index as ids", len(cluster(unnamed, columns={"id": "index"})) == 2)
    gap = pd.concat([FRAME, pd.DataFrame([{"id": "gap", "text": np.nan}])])
    refused("a text is missing", lambda: cluster(gap), "field 'text'")
    skipped = warned("it is left out", lambda: cluster(gap, on_error="skip"), "left out: 1")
    works("and counted", skipped.read_summary.skipped.total() == 1)
    arguments: Any = {"granularity": "copies"}
    refused("a setting of cluster", lambda: cluster(FRAME, **arguments), "settings=Settings(")
    half: Any = 0.5
    refused("granularity=.5", lambda: Settings(granularity=half), "min_probability")
    works("min_probability=.5", several(cluster(FRAME, Settings(min_probability=0.5))))
    works("window=3", Settings(window=3).window == timedelta(days=3))
    on: Any = True
    refused("progress=True", lambda: cluster(FRAME, progress=on), "progress=print")


def dates() -> None:
    """Read dates as feeds and tables write them."""
    second = datetime(2024, 6, 6, 20, 39, 12, tzinfo=UTC)
    for value in (
        "Thu, 06 Jun 2024 20:39:12 +0000",
        "Thu, 06 Jun 2024 20:39:12 UTC",
        "2024-06-06 20:39:12 UTC",
        "20240606203912",
        1717706352,
        time.gmtime(1717706352),
        np.datetime64("2024-06-06T20:39:12"),
        pd.Timestamp("2024-06-06 22:39:12+02:00"),
    ):
        (article,) = cluster([{**ROWS[0], "published": value}]).articles or ()
        works(f"date {value!r}", article.published == second)
    for value in ("Jun 6, 2024", date(2024, 6, 6)):
        (article,) = cluster([{**ROWS[0], "published": value}]).articles or ()
        works(f"date {value!r}", article.published == datetime(2024, 6, 6, tzinfo=UTC))
    ambiguous = [{**ROWS[0], "published": "08/22/2025"}]
    stories = warned("date '08/22/2025'", lambda: cluster(ambiguous), "write YYYY-MM-DD")
    works("the article stays", len(stories) == 1)
    refused("unless asked", lambda: cluster(ambiguous, on_bad_date="raise"), "write YYYY-MM-DD")


def silent_losses() -> None:
    """Show what was once lost without a word."""
    other = FRAME.rename(columns={"published": "date", "source": "outlet", "title": "headline"})
    remedy = "columns={'published': 'date'}"
    warned("columns under other names", lambda: cluster(other), remedy)
    names = {"published": "date", "source": "outlet", "title": "headline"}
    works("columns= names them", cluster(other, columns=names).read_summary.dated == len(ROWS))
    refused(
        "a column that is not there",
        lambda: cluster(FRAME, columns={"text": "body"}),
        "the columns are",
    )
    split = FRAME.assign(split=["train", np.nan, None, "test"])
    values = cluster(split).to_frame()["split"].to_list()
    works("missing values stay missing", values == ["train", None, None, "test"])
    days = [0, None, 20]
    undated = [
        {"id": str(day), "text": BRIDGE,
         "published": None if day is None else f"2025-03-{day + 1:02}"}
        for day in days
    ]  # fmt: skip
    found = cluster(undated)
    works("the window holds without dates", found["0"] != found["20"])


def sklearn() -> None:
    """Use the estimator in a grid search."""
    texts, labels = [row["text"] for row in ROWS] * 2, [0, 0, 0, 1] * 2
    everything = [(np.arange(len(texts)), np.arange(len(texts)))]
    search = GridSearchCV(
        StoryClusterer(), {"window": [3, 7]}, scoring="adjusted_rand_score", cv=everything
    )
    works("GridSearchCV", search.fit(texts, labels).best_score_ > 0)


def results(folder: Path) -> None:
    """Look at results, and keep them."""
    numbered = FRAME.assign(id=range(4))
    merged = numbered.merge(cluster(numbered).to_pandas()[["id", "story_id"]], on="id")
    works("number ids merge", merged["story_id"].nunique() == 2)
    stories = cluster(FRAME)
    works("stories[id]", stories["radio-4"])
    place: Any = 0
    refused("stories[0]", lambda: stories[place], "ids are text")
    works("labels by id", dict(zip(stories.ids, stories.labels, strict=True))["wire-7"] == 0)
    works("frame of stories", stories.stories_frame().height == 2)
    works("articles without copies", len(stories.without_copies()) == 2)
    works("duplicate ratio", stories.duplicate_ratio() == 0.5)
    explanation = stories.explain("herald-1", "radio-4")
    for value in (stories, stories["herald-1"], audit(stories), explanation):
        works("short repr", len(repr(value)) < 300 and repr(value))
        works("HTML", "<" in value._repr_html_())
    works("print(explanation)", len(str(explanation)) < 3000)
    check = cluster(ROWS[:3]).check_recall()
    works("pairs are counted once", check.compared == 3)
    stories.save(folder / "stories.npz")
    again = Stories.load(folder / "stories.npz")
    works("saved and loaded whole", again.weakest_links() == stories.weakest_links())
    works("thresholds", str(stories.thresholds([0.5, 0.9])))
    works("recut", stories.recut(min_probability=0.9))


def main() -> None:
    with TemporaryDirectory() as folder:
        inputs(Path(folder))
    slips()
    dates()
    silent_losses()
    sklearn()
    with TemporaryDirectory() as folder:
        results(Path(folder))
    works("version", sahel_dedup.__version__)


if __name__ == "__main__":
    main()
