# %% [markdown]
# # A feed
#
# Articles arrive one after another, are edited, and come again. `StoryIndex` keeps the stories in
# a file. The entries here are invented; [Recipes](../../recipes/) has programs for RSS, Kafka and
# others.

# %%
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from sahel_dedup import ArticleError, StoryIndex

folder = TemporaryDirectory()
path = Path(folder.name) / "news.index"
morning = datetime(2025, 3, 3, 8, tzinfo=UTC)
bridge = (
    "The Karso bridge was closed on Monday morning after a lorry laden with cement struck a pier, "
    "police said. Engineers are checking the damage."
)


def entry(number: int, title: str, text: str, hours: float, outlet: str) -> dict[str, object]:
    """Return an entry of a feed."""
    published = morning + timedelta(hours=hours)
    return {"id": f"{outlet}/{number}", "title": title, "text": text, "published": published,
            "source": outlet}  # fmt: skip


first_poll = [
    entry(1, "Bridge closed after lorry hits pier", bridge, 0, "Karso Herald"),
    entry(2, "Clinic opened", "Mayor Lucia Abeni opened a clinic with twelve beds in Old Tembe.", 1,
          "Karso Herald"),
    entry(1, "Lorry closes bridge", bridge.replace("on Monday morning ", ""), 2, "Radio Tembe"),
]  # fmt: skip

# %% [markdown]
# ## The first poll
#
# `follow` adds what comes and answers each article. What is answered is in the file.

# %%
with StoryIndex.open(path) as index:
    for found in index.follow(first_poll):
        print(found.id, found.story_id, found.relation or "new", sep="   ")

# %% [markdown]
# ## The second poll
#
# Feeds repeat their entries. One was edited, one has no text, one is new. The edited entry takes
# the place of the former, and the faulty one is set aside with the reason.

# %%
second_poll = [
    entry(1, "Bridge closed after truck hits pier", bridge + " It reopens on Friday.", 0,
          "Karso Herald"),
    first_poll[2],
    {"id": "Radio Tembe/2", "title": "No text"},
    entry(1, "Karso bridge shut", bridge, 5, "Wire"),
]  # fmt: skip


def set_aside(error: ArticleError, row: object) -> None:
    """Keep what cannot be used."""
    print("left out:", error)


with StoryIndex.open(path) as index:
    for found in index.follow(second_poll, on_error=set_aside):
        print(found.id, found.relation, "edited" if found.updated else "", sep="   ")

# %% [markdown]
# ## Ask the index

# %%
with StoryIndex.open(path, readonly=True) as index:
    story = index["Wire/1"]
    explanation = index.explain("Wire/1", "Radio Tembe/1")
    frame = index.to_frame()
    counts = index.stats()
story

# %%
explanation

# %%
frame.group_by("story_id").agg(pl.col("source"), pl.col("published").min().alias("first"))

# %%
counts

# %%
folder.cleanup()
