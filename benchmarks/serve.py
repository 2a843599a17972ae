"""A served index: throughput, kills under load, and a loaded archive.

Prints and writes ``benchmarks/results/serve.json``, where parts that are not run keep their earlier
results:

throughput    Four client processes into a server, turn by turn with `add_many` of one process
              into a file, so that what else the machine does falls on both; in batches, an
              article at a time, and an article at a time from many tasks of each client.
kills         The server is killed 200 times (SIGKILL and SIGTERM) while four clients add. After
              each: is all there that was acknowledged, once, and does `index check` find anything?
from_stories  200,000 articles, grouped and taken over into a file.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import signal
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import Row, answer, console, peak_mb, read_named
from benchmarks.scale import articles as planted
from benchmarks.scale import bulk
from benchmarks.stream import in_order, stories_of
from sahel_dedup import Article, SahelError, StoryIndex, cluster
from sahel_dedup.index import AsyncStoryIndex
from sahel_dedup.index.maintenance import check
from sahel_dedup.index.remote.client import RemoteIndex
from sahel_dedup.serve.server import listen, serve

CLIENTS = 4
TURNS = 4
# Articles per turn, and per request.
TURN = 1536
BATCH = 128
KILLS = 200
# A new index after so many kills, so that looking at it stays quick.
LIVES = 20
ARCHIVE = 200_000


def main() -> None:
    """Run every part, or those named on the command line."""
    parts = {"throughput": throughput, "kills": kills, "from_stories": from_stories}
    answer("serve", __doc__, parts)


def throughput(folder: Path) -> dict[str, Any]:
    """Compare four clients of a server with one process."""
    news = in_order(read_named(folder, "bulk", "lk_news_en"))
    ways = {
        "batches": (_add, BATCH),
        "one at a time": (_add, 1),
        "from tasks": (_add_from_tasks, BATCH),
    }
    taken: dict[str, list[float]] = {"add_many here": [], **{kind: [] for kind in ways}}
    waits: dict[str, list[float]] = {kind: [] for kind in ways}
    fork = multiprocessing.get_context("fork")
    with tempfile.TemporaryDirectory() as place, fork.Pool(CLIENTS) as clients:
        process, url = _start(Path(place) / "served.index")
        with StoryIndex.open(Path(place) / "here.index") as here:
            for turn in range(TURNS):
                start = len(ways) * turn * TURN
                parts = [news[start + k * TURN :][:TURN] for k in range(len(ways))]
                begun = time.perf_counter()
                here.add_many(parts[0])
                taken["add_many here"].append(time.perf_counter() - begun)
                for (kind, (add, size)), given in zip(ways.items(), parts, strict=True):
                    jobs = [(url, given[n::CLIENTS], size) for n in range(CLIENTS)]
                    begun = time.perf_counter()
                    for found in clients.starmap(add, jobs, chunksize=1):
                        waits[kind] += found if turn else []
                    taken[kind].append(time.perf_counter() - begun)
                for part in parts[1:]:
                    here.add_many(part)
        with RemoteIndex(url) as index:
            count = index.stats().articles
        _end(process, signal.SIGTERM)
    # The first turn warms up.
    seconds = {kind: np.array(times[1:]) for kind, times in taken.items()}
    result: dict[str, Any] = {"articles": count}
    for kind, times in seconds.items():
        result[kind] = {
            "articles a second": float(TURN / np.median(times)),
            "to add_many here": float(np.median(seconds["add_many here"] / times)),
        }
        if kind in waits:
            middle, high = np.percentile(waits[kind], (50, 99))
            result[kind] |= {"p50 ms": middle * 1e3, "p99 ms": high * 1e3, "ratio": high / middle}
    console.print(result)
    return result


def _add(url: str, articles: Sequence[Article], size: int) -> list[float]:
    """Add articles as one client; return the seconds that each request took."""
    waits = []
    with RemoteIndex(url) as index:
        for start in range(0, len(articles), size):
            begun = time.perf_counter()
            if size == 1:
                index.add(articles[start])
            else:
                index.add_many(articles[start : start + size])
            waits.append(time.perf_counter() - begun)
    return waits


def _add_from_tasks(url: str, articles: Sequence[Article], tasks: int) -> list[float]:
    """Add articles from tasks of one client, so many at a time; return what each add took."""

    async def add(index: AsyncStoryIndex, article: Article) -> float:
        begun = time.perf_counter()
        await index.add(article)
        return time.perf_counter() - begun

    async def add_all() -> list[float]:
        waits: list[float] = []
        async with AsyncStoryIndex(url) as index:
            for start in range(0, len(articles), tasks):
                some = articles[start : start + tasks]
                waits += await asyncio.gather(*(add(index, article) for article in some))
        return waits

    return asyncio.run(add_all())


def kills(folder: Path) -> dict[str, Any]:
    """Kill a server again and again."""
    dice = random.Random(0)
    rows = read_named(folder, "bulk", "lk_news_en")
    dice.shuffle(rows)
    acknowledged = missing = twice = faults = 0
    # Servers are forked from here: what is compiled here they need not compile.
    StoryIndex().add_many(rows[:1000])
    for life in range(0, KILLS, LIVES):
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / "news.index"
            known = set[str]()
            for kill in range(life, min(life + LIVES, KILLS)):
                how = signal.SIGTERM if kill % 4 == 3 else signal.SIGKILL
                known |= _kill_once(path, rows, kill, how, dice.uniform(0.05, 0.6))
                faults += len(check(path))
                with StoryIndex.open(path) as index:
                    there = [article for story in index for article in story.articles]
                missing += len(known - set(there))
                twice += len(there) - len(set(there))
            acknowledged += len(known)
        console.print(f"{kill + 1} kills: {acknowledged:,} acknowledged, {missing} missing")
    return {
        "kills": KILLS, "acknowledged": acknowledged, "missing": missing, "in two stories": twice,
        "faults": faults,
    }  # fmt: skip


def _kill_once(
    path: Path, rows: Sequence[Row], kill: int, how: signal.Signals, after: float
) -> set[str]:
    """Kill a server under load; return the articles that it acknowledged."""
    process, url = _start(path)
    known = set[str]()

    def add(worker: int) -> None:
        # The server may be gone before it is reached.
        with suppress(SahelError), RemoteIndex(url, timeout=10) as index:
            for n in range(100_000):
                start = 2000 * kill + 500 * worker + 5 * n
                part = [rows[place % len(rows)] for place in range(start, start + 1 + n % 5)]
                part = [{**row, "id": f"{kill}/{worker}/{n}/{row['id']}"} for row in part]
                known.update(assignment.id for assignment in index.add_many(part))

    workers = [threading.Thread(target=add, args=(n,)) for n in range(CLIENTS)]
    for worker in workers:
        worker.start()
    time.sleep(after)
    _end(process, how)
    for worker in workers:
        worker.join()
    return known


def _start(path: Path) -> tuple[int, str]:
    """Fork a server, which has all code compiled already; return its process and address."""
    ready, tell = os.pipe()
    process = os.fork()
    if not process:
        try:
            with listen("127.0.0.1", 0) as taken, StoryIndex.open(path) as index:
                serve(index, taken, on_ready=lambda url: (os.write(tell, url.encode()), None)[1])
        except BaseException as error:
            # A request to terminate is raised again in the end.
            console.print(repr(error))
        finally:
            os._exit(0)
    url = os.read(ready, 1000).decode()
    os.close(ready)
    os.close(tell)
    return process, url


def _end(process: int, how: signal.Signals) -> None:
    os.kill(process, how)
    os.waitpid(process, 0)


def from_stories(folder: Path) -> dict[str, Any]:
    """Load a large archive into an index."""
    given = [Article.from_mapping(row) for row in planted(bulk(folder), ARCHIVE)]
    # What is compiled once is not counted.
    StoryIndex.from_stories(cluster(given[:500]))
    begun = time.process_time()
    stories = cluster(given)
    grouped = time.process_time() - begun
    expected = stories_of(stories)
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "news.index"
        begun = time.process_time()
        index = StoryIndex.from_stories(stories, path)
        index.close()
        taken = time.process_time() - begun
        size = path.stat().st_size
        with StoryIndex.open(path) as opened:
            same = stories_of(opened) == expected
    result = {
        "articles": len(given), "stories": len(stories), "cluster, CPU seconds": grouped,
        "from_stories, CPU seconds": taken, "same stories and ids": same, "file MB": size / 1e6,
        "peak MB": peak_mb(),
    }  # fmt: skip
    console.print(result)
    return result


if __name__ == "__main__":
    main()
