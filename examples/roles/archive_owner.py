"""The owner of an archive: the command line over files, DuckDB over its output, a daily run.

python archive_owner.py
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl
from common import ROWS, works

import sahel_dedup
from sahel_dedup import StoryIndex


def run(folder: Path, *arguments: str, status: int = 0) -> str:
    """Run a command and return what it says on standard error, or else on standard output."""
    command = [sys.executable, "-m", "sahel_dedup", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stderr.strip() or done.stdout.strip()


def group(folder: Path) -> None:
    """Group a folder of files, and say what was read: without a terminal too."""
    said = run(folder, "cluster", "news", "-o", "stories.parquet", "--save", "stories.npz")
    works("closing line", "4 articles read" in said and said)
    renamed = [{"id": row["id"], "body": row["text"], "date": row["published"]} for row in ROWS]
    (folder / "other.jsonl").write_text("\n".join(map(json.dumps, renamed)))
    said = run(folder, "cluster", "other.jsonl", "-o", "other.csv", status=2)
    works("columns under other names", "--column text=body" in said and said)
    said = run(folder, "cluster", "other.jsonl", "--column", "text=body", "-o", "other.csv")
    works("a column that was missed", "--column published=date" in said and said)
    works("an ending it cannot write",
          "extensions are" in run(folder, "cluster", "news", "-o", "x.xlsx", status=2))  # fmt: skip
    works("version", sahel_dedup.__version__ in run(folder, "--version"))


def look(folder: Path) -> None:
    """Ask the output with DuckDB, and write the report."""
    stories, first = str(folder / "stories.parquet"), str(folder / "news" / "a.jsonl")
    query = f"select story_id, count(*) from '{stories}' join '{first}' using (id) group by all"
    works("DuckDB", duckdb.execute(query).fetchall())
    run(folder, "report", "stories.parquet", "-o", "report.html")
    works("report", (folder / "report.html").stat().st_size > 10_000)
    works("explain", run(folder, "explain", "stories.parquet", "herald-1", "radio-4"))


def daily(folder: Path) -> None:
    """Add what came today."""
    run(folder, "cluster", "news/a.jsonl", "--checkpoint", "kept", "-o", "a.jsonl")
    both = ["cluster", "news/a.jsonl", "news/b.parquet", "--checkpoint", "kept", "-o", "b.jsonl"]
    run(folder, *both)
    run(folder, "cluster", "news/a.jsonl", "news/b.parquet", "-o", "c.jsonl")
    works(
        "a checkpoint that grows",
        (folder / "b.jsonl").read_text() == (folder / "c.jsonl").read_text(),
    )
    for file in ("news/a.jsonl", "news/b.parquet", "news/b.parquet"):
        works(f"ingest {file}", run(folder, "ingest", "--index", "news.index", file))
    with StoryIndex.open(folder / "news.index", readonly=True) as index:
        works("nothing twice", len(index.to_frame()) == len(ROWS))
    run(folder, "index", "export", "news.index", "-o", "export.parquet")
    works("export", pl.read_parquet(folder / "export.parquet").columns)


def main() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "news").mkdir()
        pl.DataFrame(ROWS[:2]).write_ndjson(folder / "news" / "a.jsonl")
        pl.DataFrame(ROWS[2:]).write_parquet(folder / "news" / "b.parquet")
        group(folder)
        look(folder)
        daily(folder)


if __name__ == "__main__":
    main()
