# %% [markdown]
# # An archive in pandas
#
# A frame of articles becomes stories, and the stories become a frame again. The articles are those
# of the sample archive that comes with the package; all of them are invented.

# %%
from importlib import resources

import pandas as pd

import sahel_dedup

sample = resources.files("sahel_dedup") / "sample" / "wire.jsonl"
with sample.open(encoding="utf-8") as lines:
    news = pd.read_json(lines, lines=True)
# As most frames have it: columns under other names, and ids that are numbers.
news = news.rename(columns={"title": "headline", "text": "body", "source": "outlet"})
news["id"] = range(len(news))
news[["id", "headline", "outlet", "published"]].head()

# %% [markdown]
# ## Group the articles
#
# Columns with other names are mapped. Nothing is guessed: without `columns=` a warning names the
# likely ones.

# %%
stories = sahel_dedup.cluster(
    news, columns={"title": "headline", "text": "body", "source": "outlet"}
)
stories

# %% [markdown]
# What was read, and what was left out:

# %%
print(stories.read_summary)

# %% [markdown]
# ## Stories as a frame
#
# `stories_frame` has a row for each story, largest first:

# %%
stories.stories_frame().head()

# %% [markdown]
# `to_pandas` has a row for each article, in input order. Its ids are numbers again, so it merges
# with the input:

# %%
found = news.merge(stories.to_pandas()[["id", "story_id", "relation", "canonical"]], on="id")
found["relation"].value_counts(dropna=False)

# %% [markdown]
# Which outlets copy each other?

# %%
copies = found[found["relation"].notna()]
pd.crosstab(copies["outlet"], copies["relation"])

# %% [markdown]
# ## Why are two articles one story?

# %%
story = stories[str(found["id"][2])]
story

# %%
first, second, *_ = story.articles
stories.explain(first, second)

# %% [markdown]
# ## More or less strict
#
# Nothing is compared again, so this is fast:

# %%
stories.thresholds([0.4, 0.6, 0.8, 0.95])

# %% [markdown]
# ## An archive without copies
#
# One article stands for each story:

# %%
kept = stories.without_copies()
print(f"{len(kept)} of {len(news)} articles stay; {stories.duplicate_ratio():.0%} were copies")

# %% [markdown]
# The audit says where to look first:

# %%
sahel_dedup.audit(stories)
