"""Precision in a real archive: judged pairs, templates, look-alikes.

Prints the tables of docs/precision.md and docs/granularity.md:

default      What is to be reached at the default setting; written to results/precision.json.
granularity  Judged pairs of lk_news_en and B-cubed of the archive benchmark at each granularity;
             written to results/granularity.json.

    python -m benchmarks.precision [--data FOLDER] [default] [granularity]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

import numpy as np
from rich.table import Table

import sahel_dedup
from benchmarks.common import LABELLED, Row, archive, arguments, console, read, save
from benchmarks.quality import bcubed
from sahel_dedup import Settings
from sahel_dedup.articles import Article
from sahel_dedup.audit import estimate_precision
from sahel_dedup.settings import Granularity

JUDGED = {
    "lk_news_en": (0.75, 0.65),
    "reuters21578_en": (0.70, 0.65),
    "saudi_ar": (0.75, 0.70),
    "allsides_en": (0.50, 0.70),
}
ESTIMATED = {"reuters21578_en": (0.985, 0.85), "lk_news_en": (0.995, 0.90)}


# An earnings flash: company and ticker, then what is reported.
_FLASH = re.compile(r"(?P<company>[^<]*)<(?P<ticker>[^>]+)>.*\b(QTR|YEAR|NET|LOSS|HALF|MTHS?)\b")


def main() -> None:
    """Do what is asked for."""
    data, chosen = arguments(__doc__, ["default", "granularity"])
    if "default" in chosen:
        default(data)
    if "granularity" in chosen:
        granularity(data)


def default(data: Path) -> None:
    """Measure everything at the default setting."""
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
            lines.append((f"largest story, {name} (at most 50)", float(sizes.max()), 50))
            several = float(mixed_earnings(rows, stories))
            lines.append((f"stories of two companies' earnings, {name} (none)", several, 0))
        if name == "lk_news_en":
            lines.append(("lk_news_en, in a story of several outlets", shared(rows, stories), 0.15))
    lines.append(("archive benchmark, mean B³ F1", archive_scores(data, Settings())[0], 0.89))
    lines += muc(data)
    table = Table("measure", "found", "to reach")
    for name, value, goal in lines:
        table.add_row(name, f"{value:.3f}", f"{goal:g}")
    console.print(table)
    save("precision", {name: {"found": value, "to reach": goal} for name, value, goal in lines})


def granularity(data: Path) -> None:
    """Measure what a story is at each granularity."""
    judged = [p for p in read(data / "pairs" / "judged.pairs.jsonl.gz") if p["set"] == "lk_news_en"]
    rows = read(data / "bulk" / "lk_news_en.jsonl.gz")
    results = {}
    table = Table("granularity", "lk_news_en: precision", "recall", "mean B³ F1", "its precision")
    for name in get_args(Granularity):
        settings = Settings(granularity=name)
        p, r = weighted(judged, story_ids(rows, settings))
        f1, exact = archive_scores(data, settings)
        results[name] = {"precision": p, "recall": r, "b3_f1": f1, "b3_precision": exact}
        table.add_row(name, *(f"{value:.3f}" for value in results[name].values()))
    console.print(table)
    save("granularity", results)


def mixed_earnings(rows: Iterable[Row], stories: dict[str, str]) -> int:
    """Count the stories in which two companies report their earnings.

    Names and tickers both have variants ("CORRECTED - ...", a ticker with its exchange):
    companies are two if both differ.
    """
    companies: dict[str, tuple[set[str], set[str]]] = {}
    for row in rows:
        flash = _FLASH.match(row["title"] or "")
        if flash and "shr " in row["text"][:200].lower():
            name = re.sub(r"CORRECTED|RPT|\bTHE\b|\W", "", flash["company"] or flash["ticker"])
            names, tickers = companies.setdefault(stories[row["id"]], (set(), set()))
            names.add(name[:3].upper())
            tickers.add(flash["ticker"].partition(".")[0])
    return sum(min(map(len, both)) > 1 for both in companies.values())


def story_ids(rows: Iterable[Row], settings: Settings | None = None) -> dict[str, str]:
    """Cluster articles; the story of each, by id."""
    stories = sahel_dedup.cluster(rows, settings)
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


def archive_scores(data: Path, settings: Settings) -> tuple[float, float]:
    """Mean B³ F1 and precision over the labelled sets, lying in the bulk news."""
    rows = list(archive(data))
    stories = story_ids(rows, settings)
    scores = []
    for name in LABELLED:
        known = [row for row in rows if row["id"].startswith(f"{name}/")]
        scores.append(bcubed([stories[row["id"]] for row in known], known))
    precision, _, f1 = np.mean(scores, axis=0)
    return float(f1), float(precision)


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
