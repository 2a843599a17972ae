"""``warmup``: compiles everything before it is needed, for instance while an image is built."""

from __future__ import annotations

from sahel_dedup.cli.terminal import say


def warmup() -> None:
    """Compile all loops of the batch and the stream, and store the machine code.

    Run it once after an installation, for example as the last step of building an image. The
    machine code is stored next to the package, in the user's cache if the package is read-only, or
    in NUMBA_CACHE_DIR if that is set.
    """
    from sahel_dedup.util.jit import code_cache, is_warm, mark_warm

    if not is_warm():
        _use_everything()
        mark_warm()
    folder = code_cache().folder
    say("machine code is not stored" if folder is None else f"machine code is stored in {folder}")


def _use_everything() -> None:
    """Call every loop with every combination of types that occurs."""
    import json
    from importlib import resources
    from pathlib import Path
    from tempfile import TemporaryDirectory

    import numpy as np

    from sahel_dedup.batch import Archive, cluster
    from sahel_dedup.clustering.large_components import (
        MAX_COMPONENT,
        bounded_components,
        join_groups,
    )
    from sahel_dedup.clustering.window import Times
    from sahel_dedup.index.story_index import StoryIndex
    from sahel_dedup.io.checkpoint import Checkpoint
    from sahel_dedup.io.kept_reading import KeptReading
    from sahel_dedup.scoring.evidence import Pairs
    from sahel_dedup.settings import Settings

    sample = resources.files("sahel_dedup") / "sample" / "wire.jsonl"
    with sample.open(encoding="utf-8") as lines:
        dated = [json.loads(line) for line in lines]
    undated = [{"id": f"{row['id']}, undated", "text": row["text"]} for row in dated]
    stories = cluster(dated + undated)
    stories.check_recall()
    with StoryIndex() as index:
        index.add(dated[0])
        for row in undated[:5]:
            index.add(row)
        list(index.add_many(dated[1:] + undated[5:]))
    with TemporaryDirectory() as folder:
        paths = [Path(folder, name) for name in ("old.jsonl", "new.jsonl")]
        parts = dated[1:] + undated[1:], dated[:1] + undated[:1]
        for path, rows in zip(paths, parts, strict=True):
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        for some in (paths[:1], paths):
            kept = KeptReading(Checkpoint(str(Path(folder, "kept"))), some)
            Archive.read(kept, Settings(), lambda *_: None).stories()
        # Arrays that come from a file may be read-only.
        taken = str(Path(folder, "news.index"))
        StoryIndex.from_stories(stories, taken).close()
        with StoryIndex.open(taken) as index:
            index.add({"id": "new", "text": dated[0]["text"]})
    first = np.arange(MAX_COMPONENT)
    ones = np.ones(len(first))
    bounded_components(Pairs(first, first + 1, ones, ones), len(first) + 1, 0.0)
    one = np.ones(1, dtype=np.int64)
    days = np.zeros(2)
    join_groups(np.ones(2, dtype=np.int64), Times(days, days, 1.0), one - 1, one, ones[:1], 0.0)
