"""Opening an index of 200,000 articles: seconds, and the memory of each reader.

Prints and writes ``benchmarks/results/opening.json``:

open     A process that has loaded its libraries opens the file to read, and to write: seconds and
         CPU seconds, the best of three, with the arrays beside the file and without them, when all
         rows are read. The files are in the memory of the system.
readers  Three readers at once, and what each holds that it shares with no other process, above
         what one of an empty index holds: as opened, and after it has followed a writer that
         added 1,000 articles. How long it takes to follow them.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.common import arguments, console, save
from benchmarks.scale import articles as planted
from benchmarks.scale import bulk
from sahel_dedup import Article, StoryIndex, cluster

ARCHIVE = 200_000
READERS = 3
MORE = 1000
TURNS = 3

# Opens an index when asked, looks at it when asked, and tells what that took.
READER = """
import json, sys, time
from sahel_dedup import StoryIndex

def private():
    with open("/proc/self/smaps_rollup") as file:
        sizes = dict(line.split()[:2] for line in list(file)[1:])
    return (int(sizes["Private_Clean:"]) + int(sizes["Private_Dirty:"])) / 1024

# Libraries, and what is compiled.
warm = StoryIndex()
warm.add({"id": "a", "text": "Nine soldiers were killed at Tessarit on Monday."})
warm.close()
with StoryIndex.open(sys.argv[1], readonly=True) as empty:
    list(empty)
index = None
for line in sys.stdin:
    wall, cpu = time.perf_counter(), time.process_time()
    if index is None:
        index = StoryIndex.open(sys.argv[2], readonly=sys.argv[3] == "read")
    articles = index.stats().articles
    taken = time.perf_counter() - wall, time.process_time() - cpu
    print(json.dumps([*taken, articles, private()]), flush=True)
if index is not None:
    index.close()
"""


def main() -> None:
    """Measure everything."""
    folder, _ = arguments(__doc__)
    with _index(folder) as (path, more):
        result = {"open": opening(path)}
        console.print(result)
        result["readers"] = readers(path, more)
    console.print(result)
    save("opening", result)


def opening(path: Path) -> dict[str, Any]:
    """Open an index in new processes."""
    result: dict[str, Any] = {}
    kept = Path(f"{path}-arrays")
    result["file MB"] = path.stat().st_size / 1e6
    result["arrays MB"] = 512 * kept.stat().st_blocks / 1e6
    for whole, how in itertools.product((True, False), ("read", "write")):
        times = []
        for _ in range(TURNS):
            if not whole:
                # One that wrote has written them again.
                kept.unlink(missing_ok=True)
            with _process(path, how) as process:
                times.append(_asked(process))
        seconds, cpu, articles, _ = min(times)
        named = f"{how}, {'arrays' if whole else 'rows'}"
        result |= {"articles": articles, named: {"seconds": seconds, "CPU seconds": cpu}}
    return result


def readers(path: Path, more: list[Article]) -> dict[str, Any]:
    """Let several processes read an index at once, while one writes."""
    result: dict[str, Any] = {"readers": READERS}
    with ExitStack() as stack:
        empty = path.with_name("empty.index")
        StoryIndex.open(empty).close()
        alone = [stack.enter_context(_process(empty, "read")) for _ in range(READERS)]
        for process in alone:
            _asked(process)
        processes = [stack.enter_context(_process(path, "read")) for _ in range(READERS)]
        for process in processes:
            _asked(process)
        result["MB of a reader of an empty index"] = max(_asked(p)[3] for p in alone)
        result["MB of each reader"] = max(_asked(p)[3] for p in processes)
        with StoryIndex.open(path) as writer:
            writer.add_many(more)
            follow = [_asked(process) for process in processes]
            result["seconds to follow"] = max(seconds for seconds, *_ in follow)
            result["MB of each reader, followed"] = max(_asked(p)[3] for p in processes)
    return result


@contextmanager
def _index(folder: Path) -> Iterator[tuple[Path, list[Article]]]:
    """Make an index, and yield its file with articles that are not in it."""
    rows = itertools.islice(planted(bulk(folder), ARCHIVE + MORE), ARCHIVE + MORE)
    given = [Article.from_mapping(row) for row in rows]
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "news.index"
        StoryIndex.from_stories(cluster(given[:ARCHIVE]), path).close()
        yield path, given[ARCHIVE:]


@contextmanager
def _process(path: Path, how: str) -> Iterator[subprocess.Popen[str]]:
    empty = path.with_name("warm.index")
    if not empty.exists():
        StoryIndex.open(empty).close()
    command = [sys.executable, "-c", READER, str(empty), str(path), how]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        # Until it has loaded its libraries.
        time.sleep(5)
        yield process


def _asked(process: subprocess.Popen[str]) -> list[float]:
    """Let a process look at its index; return seconds, CPU seconds, articles and MB."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return list(json.loads(process.stdout.readline()))


if __name__ == "__main__":
    main()
