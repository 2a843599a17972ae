"""A growing archive on the command line: from JSON lines to JSON lines with stories.

100,000, 300,000 and 1,000,000 articles, 1,000 a day, each of three passages of bulk news. All bulk
articles are used before one is used again, ten days later, so that passages recur but rarely within
the window. One article in ten is a planted copy (benchmarks/planted.py) that another outlet
publishes within a day.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import numpy as np
from rich.table import Table

from benchmarks.common import Stopwatch, arguments, console, peak_mb, read, save
from benchmarks.planted import KINDS, LARGEST_GROUP, SENTENCE, SHARES, WORDS, pairs_within, reword
from sahel_dedup.cli import app
from sahel_dedup.cli import cluster as cluster_command

SIZES = (100_000, 300_000, 1_000_000)
A_DAY = 1_000
COPIES = 0.1
OUTLETS = 40
BEGIN = datetime(2021, 1, 1, tzinfo=UTC)
_PASSAGES = 3
_BULK = ("allsides_en", "lk_news_en")


def main() -> None:
    """Make, group and score the archives, or those of the given sizes."""
    if sys.argv[1:2] == ["--child"]:
        _child(*sys.argv[2:])
        return
    folder, chosen = arguments(__doc__, [str(size) for size in SIZES])
    texts = bulk(folder)
    results: dict[str, Any] = {}
    for size in map(int, chosen):
        with TemporaryDirectory() as scratch:
            source, target = Path(scratch) / "in.jsonl", Path(scratch) / "out.jsonl"
            with source.open("w", encoding="utf-8") as file:
                for article in articles(texts, size):
                    file.write(json.dumps(article) + "\n")
            console.print(f"{size:,} articles, {source.stat().st_size / 1e6:,.0f} MB ...")
            results[str(size)] = group(source, target) | score(target)
    _print(results)
    if len(results) == len(SIZES):
        save("scale", results)


def bulk(folder: Path) -> list[str]:
    """Read the texts that articles are made of."""
    return [row["text"] for name in _BULK for row in read(folder / "bulk" / f"{name}.jsonl.gz")]


def articles(texts: Sequence[str], size: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Make a dated archive: originals in order of time, with copies directly after their original.

    Yields
    ------
    dict
        ``group`` and ``kind`` say what was planted.
    """
    rng = random.Random(seed)
    sources = [sentences for text in texts if len(sentences := SENTENCE.split(text)) > 3]
    words = [word for text in rng.sample(list(texts), 500) for word in text.split()]
    deck: list[list[str]] = []
    number = 0
    while number < size:
        if len(deck) < _PASSAGES:
            deck = rng.sample(sources, len(sources))
        picked = [deck.pop() for _ in range(_PASSAGES)]
        text = " ".join(_passage(sentences, WORDS // _PASSAGES, rng) for sentences in picked)
        title = " ".join(picked[0][0].split()[:10])
        published = BEGIN + timedelta(days=number / A_DAY)
        group = number
        yield _article(number, title, text, published, group, "original", rng)
        number += 1
        # Groups have 4.5 copies on average.
        if rng.random() < COPIES / (1 - COPIES) / ((1 + LARGEST_GROUP) / 2):
            for _ in range(min(rng.randint(1, LARGEST_GROUP), size - number)):
                kind = rng.choices(KINDS, SHARES)[0]
                later = published + timedelta(hours=rng.uniform(0, 24))
                copy = reword(text, kind, words, rng)
                headline = reword(title, "heavy", words, rng)
                yield _article(number, headline, copy, later, group, kind, rng)
                number += 1


def group(source: Path, target: Path) -> dict[str, Any]:
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale", "--child", str(source), str(target)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def score(target: Path) -> dict[str, float]:
    """Measure how many planted pairs are in one story, and how many others are."""
    story: dict[str, int] = {}
    groups, stories, kinds = [], [], []
    with target.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            groups.append(row["group"])
            kinds.append(row["kind"])
            stories.append(story.setdefault(row["story_id"], len(story)))
    group, label = np.array(groups), np.array(stories)
    kind = np.array(kinds)
    # An original has the number of its group, which is its own.
    home = label[group]
    both = pairs_within(label * len(group) + group)
    return {
        "recall": both / pairs_within(group),
        **{name: float((home == label)[kind == name].mean()) for name in KINDS},
        "precision": both / max(pairs_within(label), 1),
        "largest": int(np.bincount(label).max()),
    }


def _passage(sentences: Sequence[str], words: int, rng: random.Random) -> str:
    """Take sentences from a random position in a text, with about a given number of words."""
    start = rng.randrange(len(sentences))
    taken, size = [], 0
    for sentence in sentences[start:]:
        taken.append(sentence)
        size += sentence.count(" ") + 1
        if size >= words:
            break
    return " ".join(taken)


def _article(
    number: int,
    title: str,
    text: str,
    published: datetime,
    group: int,
    kind: str,
    rng: random.Random,
) -> dict[str, Any]:
    return {
        "id": f"a{number}",
        "title": title,
        "text": text,
        "published": published.isoformat(timespec="seconds"),
        "source": f"outlet {rng.randrange(OUTLETS)}",
        "lang": "en",
        "group": group,
        "kind": kind,
    }


def _child(source: str, target: str) -> None:
    """Run the command and write its cost as JSON."""
    watch = Stopwatch()

    @contextmanager
    def watched(_paths: object) -> Iterator[Stopwatch]:
        yield watch

    wall, cpu = time.perf_counter(), time.process_time()
    with mock.patch.object(cluster_command, "show_progress", watched):
        app(["cluster", source, "--output", target], standalone_mode=False)
    measured = {
        "wall_seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mb": peak_mb(),
        "stages": watch.seconds,
        "load": os.getloadavg()[0],
    }
    json.dump(measured, sys.stdout)


def _print(results: dict[str, Any]) -> None:
    table = Table("", *(f"{int(size):,}" for size in results))
    runs = list(results.values())
    counts: Counter[str] = Counter()
    for run in runs:
        counts.update(run["stages"].keys())
    for stage in counts:
        table.add_row(f"{stage}, s", *(f"{run['stages'].get(stage, 0):.1f}" for run in runs))
    for name in ("wall_seconds", "cpu_seconds", "peak_mb"):
        table.add_row(name.replace("_", " "), *(f"{run[name]:,.0f}" for run in runs))
    costs = [run["cpu_seconds"] / int(size) for size, run in results.items()]
    table.add_row("CPU µs per article", *(f"{cost * 1e6:.0f}" for cost in costs))
    table.add_row("... against the first", *(f"{cost / costs[0]:.2f}" for cost in costs))
    for name in ("recall", *KINDS, "precision", "largest"):
        table.add_row(name, *(f"{run[name]:,.4g}" for run in runs))
    console.print(table)


if __name__ == "__main__":
    main()
