# %% [markdown]
# # An archive in DuckDB and Parquet
#
# A relation goes in, Parquet files come out, and SQL asks both. The articles are those of the
# sample archive that comes with the package; all of them are invented.

# %%
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

import sahel_dedup

folder = TemporaryDirectory()
archive, grouped = f"{folder.name}/archive", f"{folder.name}/stories.parquet"
Path(archive).mkdir()
with resources.as_file(resources.files("sahel_dedup") / "sample" / "wire.jsonl") as sample:
    for month in ("2025-03", "2025-04"):
        duckdb.execute(
            f"copy (select id, title, text as body, published, source as outlet, lang "
            f"from read_json('{sample}') where strftime(published, '%Y-%m') = '{month}') "
            f"to '{archive}/{month}.parquet'"
        )

# %% [markdown]
# ## Group a relation
#
# A query chooses and renames; `cluster` reads its result.

# %%
relation = duckdb.sql(
    f"select id, title, body as text, published, outlet as source, lang from '{archive}/*.parquet'"
)
stories = sahel_dedup.cluster(relation)
stories

# %% [markdown]
# A folder of Parquet files does as well, here and on the command line:
#
# ```
# sahel-dedup cluster archive --column text=body --column source=outlet --output stories.parquet
# ```

# %%
columns = {"text": "body", "source": "outlet"}
assert sahel_dedup.cluster(archive, columns=columns).labels.tolist() == stories.labels.tolist()

# %% [markdown]
# ## Write and join

# %%
stories.to_frame().select("id", "story_id", "canonical", "relation").write_parquet(grouped)
duckdb.execute(
    f"""
    select story_id, count(*) as articles, count(distinct outlet) as outlets,
           min(published) as first, any_value(title) filter (canonical) as title
    from '{archive}/*.parquet' join '{grouped}' using (id)
    group by story_id order by articles desc, first limit 5
    """
).df()

# %% [markdown]
# DuckDB sees the frames too, without a file:

# %%
largest = stories.stories_frame()
duckdb.execute("select size, count(*) as stories from largest group by size order by size").df()

# %% [markdown]
# ## Keep the result
#
# The whole result goes to a file and comes back, evidence and all. It can be grouped more strictly
# later, without comparing anything again.

# %%
stories.save(f"{folder.name}/stories.npz")
again = sahel_dedup.Stories.load(f"{folder.name}/stories.npz")
again.recut(min_probability=0.9)

# %%
again.weakest_links(3)

# %%
folder.cleanup()
