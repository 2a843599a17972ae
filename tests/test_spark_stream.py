"""Spark Structured Streaming into a served index, on a real Spark."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sahel_dedup import StoryIndex
from sahel_dedup.index.maintenance import check
from tests.examples import EXAMPLES, ROOT
from tests.needs_spark import MARKS
from tests.served import serving

pytestmark = [pytest.mark.slow, *MARKS]
Row = dict[str, Any]


def test_the_page_shows_the_example() -> None:
    page = (ROOT / "docs" / "serving.md").read_text()
    assert f"```python\n{(EXAMPLES / 'feeds' / 'spark_stream.py').read_text()}```" in page


def put(path: Path, rows: list[Row]) -> None:
    # Spark leaves a file out that is still being written under another name.
    draft = path.with_name(f".{path.name}")
    draft.write_text("".join(json.dumps(row) + "\n" for row in rows))
    draft.rename(path)


def test_articles_of_a_stream_come_to_stories(wire: list[Row], tmp_path: Path) -> None:
    incoming, answers, checkpoint = (tmp_path / name for name in ("in", "out", "checkpoint"))
    incoming.mkdir()
    program = EXAMPLES / "feeds" / "spark_stream.py"
    told: list[Row] = []
    with serving(tmp_path / "news.index") as running:
        for turn, part in enumerate((wire[:60], wire[60:])):
            put(incoming / f"{turn}a.json", part[::2])
            put(incoming / f"{turn}b.json", [*part[1::2], {"id": f"empty-{turn}"}])
            places = [running.url, incoming, answers, checkpoint, "--once"]
            variables = {**os.environ, "PYSPARK_PYTHON": sys.executable, "PYTHONPATH": str(ROOT)}
            done = subprocess.run(
                [sys.executable, str(program), *map(str, places)],
                env=variables, capture_output=True, text=True, timeout=600, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
        for file in answers.glob("batch=*/*.json"):
            told += [json.loads(line) for line in file.read_text().splitlines()]
        with StoryIndex.connect(running.url) as index:
            story_of = {name: story.id for story in index for name in story.articles}
            assert index.stats().articles == len(wire)
    found = {row["id"]: row.get("story_id") for row in told}
    assert found.keys() == {row["id"] for row in wire} | {"empty-0", "empty-1"}
    assert all("'text': missing" in row["error"] for row in told if row["id"].startswith("empty"))
    # What merged later has the id of the older story.
    kept = [name for name in story_of if story_of[name] == found[name]]
    assert len(kept) > 0.9 * len(wire)
    assert check(tmp_path / "news.index") == []
