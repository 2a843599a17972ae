"""What the DAG in story_dag.py does, as plain functions.

Each can be killed and run again: a file leaves the folder of incoming files when all of it is in
the index, and known articles are not added twice.
"""

import json
import os
from pathlib import Path
from typing import Any

from sahel_dedup import ArticleError, StoryIndex


def ingest(incoming: str, done: str, index: str) -> int:
    """Add the waiting files, and return how many articles they contained.

    Whoever writes them should use another ending until a file is complete.
    """
    count = 0
    Path(done).mkdir(parents=True, exist_ok=True)
    # One process writes an index: another waits for its turn.
    with StoryIndex.open(index, timeout=600) as stories:
        for path in sorted(Path(incoming).glob("*.jsonl")):
            # A file of the same name may come again.
            target = Path(done) / f"{path.stat().st_mtime_ns}-{path.name}"
            count += ingest_file(path, stories, target.with_suffix(".left-out"))
            path.replace(target)
    return count


def ingest_file(path: Path, stories: StoryIndex, left_out: Path) -> int:
    """Add a file; rows that are not articles are listed in another, with the reason."""
    faults: list[dict[str, Any]] = []

    def refuse(error: ArticleError, row: object) -> None:
        # It names the file and the line.
        faults.append({"reason": str(error), "row": row})

    count = sum(1 for _ in stories.follow(path, batch_size=128, on_error=refuse))
    if faults:
        lines = (json.dumps(fault, default=str) + "\n" for fault in faults)
        left_out.write_text("".join(lines), encoding="utf-8")
    return count


def export(index: str, output: str) -> None:
    """Write a row for each article, with its story; the file appears when it is complete."""
    with StoryIndex.open(index, readonly=True) as stories:
        frame = stories.to_frame()
    part = f"{output}.part"
    frame.write_parquet(part)
    os.replace(part, output)
