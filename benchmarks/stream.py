"""The story index: agreement with the batch, speed, latency, memory.

Prints a table for each question and writes it to ``benchmarks/results/stream.json``, where parts
that are not run keep their earlier results:

agreement  B-cubed between stream and batch on the same articles, against known stories, and
           between streams that differ in the order of articles within a day.
speed      Articles per second of processor time, compared with a loop over datasketch's
           MinHashLSH in alternating turns, so that other load affects all equally.
latency    Milliseconds of one `add`, and memory, at 100,000 live articles.
endless    300,000 articles, 1,000 a day, with a retention of seven days: what grows? Draws
           ``docs/images/stream-endless.svg``.
"""

from __future__ import annotations

import gc
import random
import re
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import combinations, count, islice
from pathlib import Path
from typing import Any

import numpy as np
from datasketch import MinHash, MinHashLSH

from benchmarks.chart import Line, chart
from benchmarks.common import LABELLED, Row, answer, console, read_named
from benchmarks.quality import bcubed
from sahel_dedup import Article, cluster
from sahel_dedup.evaluation.metrics import evaluate
from sahel_dedup.index import StoryIndex
from sahel_dedup.sketch.sketcher import Sketcher

WORD = re.compile(r"\w+")
CAPITAL = re.compile(r"\b[A-Z]\w+")
SLICE = 256
_IMAGE = Path(__file__).parents[1] / "docs" / "images" / "stream-endless.svg"


def main() -> None:
    """Run every part, or those named on the command line."""
    questions = {"agreement": agreement, "speed": speed, "latency": latency, "endless": endless}
    answer("stream", __doc__, questions)


def agreement(folder: Path) -> dict[str, Any]:
    """Compare stream and batch."""
    results: dict[str, Any] = {}
    for name in ("lk_news_en", "reuters21578_en"):
        articles = in_order(read_named(folder, "bulk", name))
        batch = stories_of(cluster(articles))
        results[name] = {
            kind: evaluate(stories_of(stream(articles, size)), batch).bcubed.f1
            for kind, size in (("one at a time", 1), ("add_many", 64))
        }
        console.print(name, results[name])
        part = articles[:8000]
        runs = [stories_of(stream(shuffled_days(part, seed), 64)) for seed in range(5)]
        scores = [evaluate(one, two).bcubed.f1 for one, two in combinations(runs, 2)]
        results[name]["shuffled, least of ten pairs"] = min(scores)
        console.print(name, "shuffled within days:", min(scores), statistics.mean(scores))
    labelled = {name: read_named(folder, "labelled", name) for name in LABELLED}
    mixed = [row for rows in labelled.values() for row in rows]
    mixed += read_named(folder, "bulk", "lk_news_en")
    articles = in_order(mixed)
    ways = {"batch": cluster(articles), "stream": stream(articles, 64)}
    for kind, found in ways.items():
        label = stories_of(found)
        scores_of = {
            name: bcubed([_number(label[str(row["id"])]) for row in rows], rows)[2]
            for name, rows in labelled.items()
        }
        results[f"labelled mix, {kind}, against known stories"] = {
            "mean": statistics.mean(scores_of.values()),
            **scores_of,
        }
        console.print(kind, results[f"labelled mix, {kind}, against known stories"])
    batch, streamed = (stories_of(found) for found in ways.values())
    results["labelled mix"] = {"add_many": evaluate(streamed, batch).bcubed.f1}
    console.print("labelled mix", results["labelled mix"])
    return results


def speed(folder: Path) -> dict[str, Any]:
    """Time the ways to add articles."""
    results: dict[str, Any] = {}
    for name in ("lk_news_en", "reuters21578_en"):
        articles = in_order(read_named(folder, "bulk", name))[: 20 * SLICE]
        with tempfile.TemporaryDirectory() as place:
            ways = _ways(Path(place))
            seconds: dict[str, list[float]] = defaultdict(list)
            for start in range(0, len(articles), SLICE):
                for kind, take in ways.items():
                    begun = time.process_time()
                    take(articles[start : start + SLICE])
                    seconds[kind].append(time.process_time() - begun)
        # The first third warms up: tables grow, words are new. What else the machine does
        # changes from second to second: ratios are those of neighbours.
        warm = {kind: np.array(times[len(times) // 3 :]) for kind, times in seconds.items()}
        results[name] = {
            kind: {
                "articles per second": float(SLICE / np.median(times)),
                "to datasketch": float(np.median(warm["datasketch"] / times)),
                "to memory": float(np.median(warm[kind.removesuffix(", durable")] / times)),
            }
            for kind, times in warm.items()
        }
        for kind, figures in results[name].items():
            console.print(f"{name:18}{kind:22}", *(f"{value:9.2f}" for value in figures.values()))
    return results


def _ways(place: Path) -> dict[str, Callable[[Sequence[Article]], object]]:
    lsh = MinHashLSH(threshold=0.5, num_perm=128)

    def datasketch(articles: Sequence[Article]) -> None:
        for article in articles:
            words = WORD.findall(f"{article.title or ''} {article.text}".lower())
            shingles = {" ".join(words[i : i + 3]).encode() for i in range(max(1, len(words) - 2))}
            minhash = next(MinHash.generator([shingles], num_perm=128, scheme="affine32"))
            lsh.query(minhash)
            lsh.insert(article.id, minhash)

    def one_by_one(index: StoryIndex) -> Callable[[Sequence[Article]], object]:
        return lambda articles: [index.add(article) for article in articles]

    sketcher = Sketcher()
    return {
        "datasketch": datasketch,
        "sketch alone": lambda articles: [sketcher.sketch([article]) for article in articles],
        "add": one_by_one(StoryIndex()),
        "add_many": StoryIndex().add_many,
        "add, durable": one_by_one(StoryIndex.open(place / "one.index")),
        "add_many, durable": StoryIndex.open(place / "many.index").add_many,
    }


def latency(folder: Path) -> dict[str, Any]:
    """Time single adds at 100,000 live articles."""
    rows = read_named(folder, "bulk", "lk_news_en")
    news = repeated(rows, 0)
    # The word lists of the languages are read once and do not grow with the articles, nor do
    # the articles that are repeated here.
    StoryIndex().add_many(islice(news, 200))
    gc.collect()
    before = resident()
    index = StoryIndex()
    index.add_many(islice(news, 100_000))
    gc.collect()
    bytes_each = (resident() - before) / 100_000
    # By the clock, including other load, and in processor time.
    clocks = {"clock": time.perf_counter, "processor": time.process_time}
    times: dict[str, list[float]] = {name: [] for name in clocks}
    for article in islice(news, 3000):
        begun = {name: clock() for name, clock in clocks.items()}
        index.add(article)
        for name, clock in clocks.items():
            times[name].append(1000 * (clock() - begun[name]))
    result: dict[str, Any] = {"bytes per article": bytes_each, "articles": index.stats().articles}
    for name, taken in times.items():
        middle, *high = (float(np.percentile(taken, p)) for p in (50, 99, 99.9))
        result[f"{name}, ms"] = {"p50": middle, "p99": high[0], "p99.9": high[1]}
        result[f"{name}, p99 to p50"] = high[0] / middle
    console.print(result)
    return result


def endless(folder: Path) -> dict[str, Any]:
    """Measure what grows during a long stream."""
    rows = read_named(folder, "bulk", "lk_news_en")
    news = repeated(rows, 1000)
    course = []
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "news.index"
        with StoryIndex.open(path, retention=timedelta(days=7)) as index:
            for done in range(10_000, 300_001, 10_000):
                index.add_many(islice(news, 10_000))
                stats = index.stats()
                size = sum(file.stat().st_size for file in Path(place).iterdir())
                course.append({
                    "done": done, "articles": stats.articles, "past": stats.past,
                    "resident MB": resident() / 1e6, "file MB": size / 1e6,
                })  # fmt: skip
                console.print(course[-1])
    _draw(course)
    return {"course": course}


def _draw(course: Sequence[dict[str, float]]) -> None:
    """Draw each quantity as a share of its highest value."""
    lines = []
    for name in ("articles", "past", "resident MB", "file MB"):
        values = [point[name] for point in course]
        label = f"{name}: {max(values):,.0f} at most"
        lines.append(Line(label, [value / max(values) for value in values]))
    done = [point["done"] / 1000 for point in course]
    title = "An endless stream: 1,000 articles a day, kept for 7 days"
    text = chart(title, "thousand articles so far", done, lines)
    _IMAGE.write_text(text, encoding="utf-8")


def in_order(rows: Iterable[Row]) -> list[Article]:
    """Convert rows to articles in order of time, with undated ones first."""
    articles = [Article.from_mapping(row) for row in rows]
    return sorted(articles, key=lambda a: a.published.timestamp() if a.published else 0.0)


def shuffled_days(articles: Sequence[Article], seed: int) -> list[Article]:
    """Shuffle articles within each day."""
    dice = random.Random(seed)
    return sorted(articles, key=lambda a: (str(a.published or "")[:10], dice.random()))


def repeated(rows: Sequence[Row], per_day: int) -> Iterator[Article]:
    """Yield articles endlessly, each round with other ids and dates.

    Capitalised words change in each round, so that no text recurs. There are `per_day` articles per
    day, or as many as originally.
    """
    articles = in_order(rows)
    days = [a.published for a in articles if a.published]
    span = days[-1] - days[0]
    start = days[0] - 4000 * timedelta(days=1) if per_day else days[0] - 25 * span
    for number in count():
        turn, place = divmod(number, len(articles))
        article = articles[place]
        moment = (
            start + timedelta(days=number / per_day)
            if per_day
            else start + turn * span + (days[place] - days[0])
        )
        text, title = (
            CAPITAL.sub(rf"\g<0>{turn}" if turn else r"\g<0>", part or "")
            for part in (article.text, article.title)
        )
        yield Article(f"{turn}/{article.id}", text, title or None, moment, article.source)


def stream(articles: Sequence[Article], size: int) -> StoryIndex:
    """Add articles to an index."""
    index = StoryIndex()
    for _ in index.follow(articles, batch_size=size):
        pass
    return index


def stories_of(found: Any) -> dict[str, str]:
    """Return the story of each article of a batch or an index."""
    stories = found.stories() if isinstance(found, StoryIndex) else found
    return {article: story.id for story in stories for article in story.articles}


def resident() -> int:
    """Return the resident memory of the process in bytes, on Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def _number(story: str) -> int:
    return int(story[1:], 16)


if __name__ == "__main__":
    main()
