"""Precision in a real archive: judged pairs, templates, look-alikes, at the default setting.

Prints the table of docs/precision.md and writes it to results/precision.json:

    python -m benchmarks.precision [--data FOLDER]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from rich.table import Table

import sahel_dedup
from benchmarks.common import LABELLED, Row, archive, arguments, console, read, save
from sahel_dedup.articles import Article
from sahel_dedup.audit import estimate_precision
from sahel_dedup.evaluation import evaluate

JUDGED = {
    "lk_news_en": (0.75, 0.65),
    "reuters21578_en": (0.70, 0.65),
    "saudi_ar": (0.75, 0.70),
    "allsides_en": (0.50, 0.70),
}
ESTIMATED = {"reuters21578_en": (0.985, 0.85), "lk_news_en": (0.995, 0.90)}


def main() -> None:
    """Run the benchmark."""
    data, _ = arguments(__doc__)
    lines: list[tuple[str, float, float]] = []
    judged = read(data / "pairs" / "judged.pairs.jsonl.gz")
    for name, (precision, recall) in JUDGED.items():
        rows = read(data / "bulk" / f"{name}.jsonl.gz")
        stories = story_ids(rows)
        found = weighted([pair for pair in judged if pair["set"] == name], stories)
        lines.append((f"judged pairs, {name}: precision", found[0], precision))
        lines.append((f"judged pairs, {name}: recall", found[1], recall))
        if name in ESTIMATED:
            dated, undated = ESTIMATED[name]
            lines.append((f"estimated precision, {name}", estimated(rows, stories), dated))
            blind = story_ids([{**row, "published": None} for row in rows])
            lines.append(
                (f"estimated precision, {name}, dates removed", estimated(rows, blind), undated)
            )
        if name == "reuters21578_en":
            sizes = np.unique(list(stories.values()), return_counts=True)[1]
            lines.append(("largest story, reuters21578_en (at most 50)", float(sizes.max()), 50))
        if name == "lk_news_en":
            lines.append(("lk_news_en, in a story of several outlets", shared(rows, stories), 0.15))
    lines.append(("archive benchmark, mean B³ F1", archive_f1(data), 0.89))
    lines += muc(data)
    table = Table("measure", "found", "to reach")
    for name, value, goal in lines:
        table.add_row(name, f"{value:.3f}", f"{goal:g}")
    console.print(table)
    save("precision", {name: {"found": value, "to reach": goal} for name, value, goal in lines})


def story_ids(rows: Iterable[Row]) -> dict[str, str]:
    """Cluster articles at the default setting; the story of each, by id."""
    stories = sahel_dedup.cluster(rows)
    return {str(row["id"]): str(row["story_id"]) for row in stories.rows()}


def weighted(pairs: Sequence[Row], stories: dict[str, str]) -> tuple[float, float]:
    """Precision and recall of "in one story" on judged pairs, by their weights."""
    together = np.array([stories[pair["a"]] == stories[pair["b"]] for pair in pairs])
    same = np.array([pair["same"] == 1 for pair in pairs])
    weight = np.array([pair["weight"] for pair in pairs])
    right = weight[together & same].sum()
    return right / weight[together].sum(), right / weight[same].sum()


def estimated(rows: Sequence[Row], stories: dict[str, str]) -> float:
    """Label-free precision of stories, by the dates of their articles."""
    days: dict[str, list[float]] = {}
    for row in rows:
        published = Article.from_mapping(row).published
        day = np.nan if published is None else published.timestamp() / 86_400
        days.setdefault(stories[row["id"]], []).append(day)
    found = estimate_precision([np.array(story) for story in days.values()])
    return np.nan if found is None else found


def shared(rows: Sequence[Row], stories: dict[str, str]) -> float:
    """Share of the articles whose story holds another outlet's article."""
    outlets: dict[str, set[str]] = {}
    for row in rows:
        outlets.setdefault(stories[row["id"]], set()).add(row["source"])
    return float(np.mean([len(outlets[stories[row["id"]]]) > 1 for row in rows]))


def archive_f1(data: Path) -> float:
    """Mean B³ F1 over the labelled sets, lying in the bulk news."""
    rows = list(archive(data))
    stories = story_ids(rows)
    gold = {row["id"]: row["story"] for row in rows if "story" in row}
    scores = []
    for name in LABELLED:
        mine = {article: story for article, story in gold.items() if article.startswith(name + "/")}
        scores.append(evaluate({a: stories[a] for a in mine}, mine).bcubed.f1)
    return float(np.mean(scores))


def muc(data: Path) -> list[tuple[str, float, float]]:
    """Look-alike attacks: precision and recall of "the same"."""
    stories = story_ids(read(data / "pairs" / "muc4_derived.jsonl.gz"))
    pairs = [
        p for p in read(data / "pairs" / "muc4_derived.pairs.jsonl.gz") if p["label"] in (0, 1)
    ]
    ones = [{**pair, "same": pair["label"], "weight": 1.0} for pair in pairs]
    precision, recall = weighted(ones, stories)
    return [
        ("muc4 look-alikes: precision", precision, 0.80),
        ("muc4 look-alikes: recall", recall, 0.40),
    ]


if __name__ == "__main__":
    main()
