"""The story index under faults: kills at any moment, and several processes on one file.

Kills an ingest at random moments, `--kills` times (200), checks the file after each, and compares
the stories with those of an uninterrupted run. Then two writers and four readers use one file for
`--seconds` (60). Writes ``benchmarks/results/faults.json``.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.common import console, save
from sahel_dedup.index import StoryIndex
from sahel_dedup.index.ingest import ingest
from sahel_dedup.index.maintenance import check

SAMPLE = Path(__file__).parents[1] / "sahel_dedup" / "sample" / "wire.jsonl"

INGEST = """
import json, sys
from sahel_dedup.index import StoryIndex
from sahel_dedup.index.ingest import ingest
with StoryIndex.open(sys.argv[1]) as index:
    for answer in ingest(index, sys.argv[2], batch_size=int(sys.argv[3])):
        print(json.dumps(answer), flush=True)
"""

# Opens, adds what is missing, and closes, again and again, and counts refusals.
WRITE = """
import sys, time
from sahel_dedup import SahelError
from sahel_dedup.index import StoryIndex
end, refused, added = time.time() + float(sys.argv[3]), 0, 0
while time.time() < end:
    try:
        with StoryIndex.open(sys.argv[1]) as index:
            for _ in range(20):
                text = f"report {added} of {sys.argv[2]} on place{added % 97} and thing{added % 89}"
                index.add({"id": f"{sys.argv[2]}/{added}", "text": text})
                added += 1
    except SahelError as error:
        assert "one writes at a time" in str(error), error
        refused += 1
        time.sleep(0.05)
print(added, refused)
"""

READ = """
import sys, time
from sahel_dedup.index import StoryIndex
end, looks, seen = time.time() + float(sys.argv[3]), 0, 0
with StoryIndex.open(sys.argv[1], readonly=True) as index:
    while time.time() < end:
        articles = [article for story in index.stories() for article in story.articles]
        assert len(articles) == len(set(articles)) >= seen
        seen, looks = len(articles), looks + 1
print(seen, looks)
"""


def main() -> None:
    """Run both rounds."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        results = {
            "kills": kills(Path(place) / "killed.index", given.kills),
            "several": several(Path(place) / "shared.index", given.seconds),
        }
    save("faults", results)


def kills(path: Path, times: int) -> dict[str, Any]:
    """Kill an ingest again and again; it starts from an empty index every few kills."""
    dice, missing, faults, different, doubled = random.Random(1), 0, 0, 0, 0
    expected = {}
    for size in (1, 8):
        with StoryIndex() as index:
            list(ingest(index, SAMPLE, batch_size=size))
            expected[size] = partition(index)
    done = rounds = 0
    while done < times:
        for file in path.parent.glob(path.name + "*"):
            file.unlink()
        size, acknowledged = dice.choice([1, 8]), set[str]()
        for _ in range(min(dice.randint(1, 8), times - done)):
            command = [sys.executable, "-c", INGEST, str(path), str(SAMPLE), str(size)]
            # Some are killed before they write anything, most while they write.
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
                assert process.stdout is not None
                if dice.random() < 0.2:
                    time.sleep(dice.uniform(0, 2))
                else:
                    for _ in range(dice.randrange(1, 98)):
                        acknowledged |= {
                            json.loads(line)["id"] for line in [process.stdout.readline()] if line
                        }
                    time.sleep(dice.uniform(0, 0.005))
                process.kill()
            done += 1
            faults += len(check(path)) if path.exists() else 0
            if path.exists():
                with StoryIndex.open(path, readonly=True) as index:
                    missing += len(acknowledged - partition(index).keys())
                    held = [article for story in index.stories() for article in story.articles]
                    doubled += len(held) - len(set(held))
        with StoryIndex.open(path) as index:
            list(ingest(index, SAMPLE, batch_size=size))
            different += partition(index) != expected[size]
        rounds += 1
        result = {
            "kills": done,
            "runs": rounds,
            "articles missing": missing,
            "articles in two stories": doubled,
            "faults": faults,
            "runs with other stories": different,
        }
        console.print(result)
    return result


def several(path: Path, seconds: float) -> dict[str, Any]:
    """Let two processes write and four read."""
    StoryIndex.open(path).close()
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path), name, str(seconds)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for program, name in [(WRITE, "one"), (WRITE, "two"), *[(READ, "reader")] * 4]
    ]
    said = [process.communicate()[0].split() for process in started]
    failed = sum(process.returncode != 0 for process in started)
    with StoryIndex.open(path) as index:
        kept = index.stats().articles
    result = {
        "processes that failed": failed, "faults": len(check(path)), "articles": kept,
        "refusals of a second writer": sum(int(words[1]) for words in said[:2] if words),
        "looks": sum(int(words[1]) for words in said[2:] if words),
    }  # fmt: skip
    console.print(result)
    return result


def partition(index: StoryIndex) -> dict[str, str]:
    """Return the story of each article."""
    return {article: story.id for story in index.stories() for article in story.articles}


if __name__ == "__main__":
    main()
