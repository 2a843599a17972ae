"""The Spark engine compared with the local one: the same stories, and their cost in shuffles.

agreement  The archive benchmark's input through both engines: B-cubed F1 between their stories.
shuffle    A dated archive of 50,000 and of 200,000 articles (benchmarks/scale.py): seconds, and
           shuffle bytes per article in each stage, by Spark's event log; and to how many
           blocks an article is shipped where rows meet, which most of them are.
hot        20,000 articles of which one in twenty shares the keys of one text, once as a form that
           is filled in all the time and once as one event, a component of as many articles as
           there may be: the longest task of each stage against the median one.

Runs on ``local[2]``; results go to ``benchmarks/results/spark.json``.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from pyspark.sql import SparkSession

from benchmarks.common import Row, answer, archive, console
from benchmarks.scale import BEGIN, articles, bulk
from sahel_dedup import Settings, cluster
from sahel_dedup.evaluation.metrics import evaluate
from sahel_dedup.spark.engine import Run
from sahel_dedup.spark.session import local_session

SIZES = (50_000, 200_000)
HOT_ARTICLES = 20_000
HOT_SHARE = 20
PARTITIONS = 32
_SCHEMA = "id string, text string, title string, published string, source string, lang string"


def main() -> None:
    """Run every part, or those named on the command line."""
    questions = {"agreement": agreement, "shuffle": shuffle, "hot": hot}
    answer("spark", __doc__, questions)


def agreement(folder: Path) -> dict[str, Any]:
    """Group the archive benchmark's input with both engines."""
    rows = list(archive(folder))
    start = time.perf_counter()
    ours = {str(row["id"]): str(row["story_id"]) for row in cluster(rows).rows()}
    seconds = time.perf_counter() - start
    with measured(rows) as run:
        theirs = {row["id"]: row["story_id"] for row in run.stories}
    found = evaluate(theirs, ours)
    same = sum(ours[name] == theirs[name] for name in ours)
    console.print(
        f"{len(rows):,} articles: B-cubed F1 {found.bcubed.f1:.5f}, {len(rows) - same} articles "
        f"in another story; local {seconds:.0f} s, Spark {run.seconds:.0f} s"
    )
    return {
        "articles": len(rows),
        "bcubed_f1": found.bcubed.f1,
        "articles_in_another_story": len(rows) - same,
        "local_seconds": seconds,
        "spark_seconds": run.seconds,
    }


def shuffle(folder: Path) -> dict[str, Any]:
    """Measure shuffle bytes per article at two sizes."""
    texts = bulk(folder)
    results: dict[str, Any] = {}
    for size in SIZES:
        with measured(articles(texts, size)) as run:
            stories = {row["story_id"] for row in run.stories}
        stages = {name: stage.shuffled / size for name, stage in run.stages.items()}
        results[str(size)] = {
            "seconds": run.seconds,
            "stories": len(stories),
            "shuffle_bytes_an_article": sum(stages.values()),
            "stages": stages,
            "blocks_an_article": {stage: count / size for stage, count in run.shipped.items()},
            "stage_seconds": {name: stage.seconds for name, stage in run.stages.items()},
        }
        console.print(f"{size:,} articles, {len(stories):,} stories, {run.seconds:.0f} s")
        for name, stage in run.stages.items():
            console.print(f"  {name:28}{stage.shuffled / size:10,.0f} B{stage.seconds:8.1f} s")
        for name, count in run.shipped.items():
            console.print(f"  {name}: an article goes to {count / size:.2f} blocks")
    few, many = (results[str(size)]["shuffle_bytes_an_article"] for size in SIZES)
    console.print(f"shuffle bytes per article: {few:,.0f}, {many:,.0f}, ratio {many / few:.3f}")
    return {**results, "ratio": many / few}


def hot(folder: Path) -> dict[str, Any]:
    """Compare the longest task of each stage with the median one."""
    # Keep every partition, because few tasks would all be long.
    apart = {"spark.sql.adaptive.coalescePartitions.enabled": "false"}
    results: dict[str, Any] = {"articles": HOT_ARTICLES, "share": 1 / HOT_SHARE}
    for name, one_event in (("form", False), ("event", True)):
        rows = hot_key(articles(bulk(folder), HOT_ARTICLES), one_event)
        with measured(rows, apart) as run:
            largest = max(Counter(row["story_id"] for row in run.stories).values())
        worst: dict[str, Any] = {}
        for stage, took in run.stages.items():
            times, tasks = max((ratio(tasks), len(tasks)) for tasks in took.tasks.values())
            worst[stage] = {"longest_against_median": times, "tasks": tasks}
            console.print(f"{name} {stage:28}{times:6.2f} times the median of {tasks} tasks")
        console.print(f"{name}: {largest} articles in the largest story")
        results[name] = {"largest_story": largest, "stages": worst}
    return results


def hot_key(rows: Iterable[Row], one_event: bool) -> Iterator[Row]:
    """Give one article in twenty the words of one text, a few of them changed."""
    rng = random.Random(0)
    form: list[str] = []
    for number, row in enumerate(rows):
        form = form or row["text"].split()
        if number % HOT_SHARE == 0:
            words = list(form)
            for _ in range(3):
                words[rng.randrange(len(words))] = str(rng.randrange(10**6))
            row = {**row, "text": " ".join(words), "title": f"Bulletin {number}"}
            if one_event:
                when = BEGIN + timedelta(days=rng.uniform(10, 12))
                row |= {"title": " ".join(form[:10]), "published": when.isoformat()}
        yield row


def ratio(tasks: list[float]) -> float:
    """Divide the longest by the median; tasks of less than a fifth of a second are all alike."""
    return max(tasks) / max(median(tasks), 0.2)


@dataclass
class Stage:
    """The cost of one of our stages, from the event log.

    Attributes
    ----------
    shuffled : int
        Bytes written to shuffles.
    seconds : float
        From the first of its jobs to the end of its last.
    tasks : dict of int to list of float
        Seconds of each task, by Spark's stage.
    """

    shuffled: int = 0
    seconds: float = 0.0
    tasks: defaultdict[int, list[float]] = field(default_factory=lambda: defaultdict(list))


@dataclass
class Measured:
    """One run.

    Attributes
    ----------
    stories : list of Row
    seconds : float
    stages : dict of str to Stage
    shipped : dict of str to int
        Articles that were sent to blocks, by the stage in which they met there.
    """

    stories: list[Any] = field(default_factory=list)
    seconds: float = 0.0
    stages: dict[str, Stage] = field(default_factory=dict)
    shipped: dict[str, int] = field(default_factory=dict)


@contextmanager
def measured(rows: Iterable[Row], options: Mapping[str, str] | None = None) -> Iterator[Measured]:
    """Group articles in a session of their own, and remove its files at the end."""
    with TemporaryDirectory() as folder:
        source, log = Path(folder) / "in.jsonl", Path(folder) / "log"
        log.mkdir()
        with source.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps(row) + "\n")
        spark = session(log, options or {})
        found = Measured()
        start = time.perf_counter()
        df = spark.read.schema(_SCHEMA).json(str(source))
        stories = Run.of(df, Settings(), Path(folder) / "stages").stories()
        found.seconds = time.perf_counter() - start
        found.stories = stories.collect()
        spark.stop()
        found.stages = stages_of(next(log.iterdir()))
        found.shipped = shipped(next((Path(folder) / "stages").iterdir()))
        yield found


def session(log: Path, options: Mapping[str, str]) -> SparkSession:
    """Start Spark on this machine, with an event log."""
    return local_session(
        "local[2]",
        {
            "spark.sql.shuffle.partitions": str(PARTITIONS),
            "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": log.as_uri(),
            "spark.eventLog.compress": "false",
            "spark.eventLog.rolling.enabled": "false",
            **options,
        },
    )


def shipped(stages: Path) -> dict[str, int]:
    """Count the articles that blocks asked for, from what lies in the stages before."""
    surviving = pl.read_parquet(stages / "surviving" / "*.parquet", columns=["first", "second"])
    asking = np.unique(surviving.to_numpy())
    counts: dict[str, int] = {}
    for name, before, column in (
        ("agreeing", "proposals", "ahead"),
        ("surviving", "agreeing", "pairs"),
        ("closest", "proposals", "background"),
        ("recurrence", "closest", "pairs"),
    ):
        # One row per block.
        blocks = pl.read_parquet(stages / before / "*.parquet", columns=[column])[column]
        counts[name] = 0
        for block in blocks:
            pairs = np.frombuffer(block, np.int64).reshape(-1, 2)
            if name == "closest":
                pairs = pairs[np.isin(pairs[:, 0], asking)]
            counts[name] += len(np.unique(pairs))
    return counts


def stages_of(log: Path) -> dict[str, Stage]:
    """Read the cost of each of our stages from Spark's event log."""
    ours: dict[int, str] = {}
    begun: dict[int, tuple[str, float]] = {}
    stages: defaultdict[str, Stage] = defaultdict(Stage)
    with log.open(encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            if event["Event"] == "SparkListenerJobStart":
                description = (event["Properties"] or {}).get("spark.job.description", "")
                name = description.removeprefix("sahel_dedup: ").partition("/")[0] or "checks"
                begun[event["Job ID"]] = name, event["Submission Time"]
                for stage in event["Stage IDs"]:
                    ours.setdefault(stage, name)
            elif event["Event"] == "SparkListenerJobEnd":
                name, start = begun[event["Job ID"]]
                stages[name].seconds += (event["Completion Time"] - start) / 1000
            elif event["Event"] == "SparkListenerTaskEnd" and "Task Metrics" in event:
                metrics, stage = event["Task Metrics"], stages[ours[event["Stage ID"]]]
                stage.shuffled += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
                stage.tasks[event["Stage ID"]].append(metrics["Executor Run Time"] / 1000)
    return dict(stages)


if __name__ == "__main__":
    main()
