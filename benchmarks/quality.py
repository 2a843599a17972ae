"""Quality of stories: against known stories, pairs and planted copies.

Prints a table for each question and writes them all to ``benchmarks/results/quality.json``:

kayes      Are two reworded reports of one attack one story, alone and in each bulk file?
archive    Six labelled sets among three archives of bulk news, 56,000 articles in total, are
           grouped in one run at the default setting. Each set is scored on its own articles
           (B-cubed), and so is a typical script.
pairs      Precision and recall of planted copies (mccormick) and of judged pairs (semeval22_en).
lsh        The loss from comparing only the pairs that LSH proposes.
recall     How many pairs of a cosine LSH proposes, and how many it is expected to propose.

groundnews2025_en_clean was labelled by another system's clustering, which split some events:
two articles of one `family` but different stories are neither right nor wrong, so each
article's predicted story is counted without the articles of its family that the labels put
elsewhere.
"""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray

from benchmarks import obvious
from benchmarks.common import (
    BULK,
    LABELLED,
    Row,
    Stopwatch,
    answer,
    archive,
    console,
    read,
    read_named,
)
from sahel_dedup import Article, Settings, batch, cluster
from sahel_dedup.candidates.lsh import candidate_pairs
from sahel_dedup.evaluation.metrics import evaluate
from sahel_dedup.scoring import proposals
from sahel_dedup.scoring.tfidf import Similarity

ALL_BULK = (*BULK, "saudi_ar", "hkcnews_zh", "masakha_fr_ha_sw_pcm")
ALL_LABELLED = (*LABELLED, "cstnews", "multiling2011_fr", "multiling2011_ar", "scoop_feed_items",
                "mccormick_plagiarism_1000")  # fmt: skip


def main() -> None:
    """Run every part, or those named on the command line."""
    questions = {"kayes": kayes, "archive": archive_benchmark, "pairs": judged_pairs,
                 "lsh": lsh_loss, "recall": lsh_recall}  # fmt: skip
    answer("quality", __doc__, questions)


def kayes(folder: Path) -> dict[str, bool]:
    """Group the two reports alone and in each bulk file."""
    reports = read_named(folder, ".", "kayes")
    together = {}
    for name in (None, *ALL_BULK):
        crowd = [] if name is None else read_named(folder, "bulk", name)
        stories = cluster([*crowd, *reports])
        together[name or "alone"] = len({stories.story_of(row["id"]).id for row in reports}) == 1
        size = len(stories.story_of(reports[0]["id"]))
        one = "one story" if together[name or "alone"] else "APART"
        console.print(f"{name or 'alone':26} {one}, of {size} articles")
    return together


def archive_benchmark(folder: Path) -> dict[str, Any]:
    """Group the archive, and score each labelled set in it, also with the typical script."""
    rows = list(archive(folder))
    stopwatch = Stopwatch()
    start = time.perf_counter()
    stories = cluster(rows, progress=stopwatch)
    seconds = time.perf_counter() - start
    ours = dict(zip((row["id"] for row in rows), stories.labels.tolist(), strict=True))
    start = time.perf_counter()
    labels = obvious.group([f"{row['title'] or ''}\n{row['text']}" for row in rows])
    obvious_seconds = time.perf_counter() - start
    theirs = dict(zip((row["id"] for row in rows), labels.tolist(), strict=True))
    console.print(f"{'B-cubed':28}{'precision':>10}{'recall':>8}{'F1':>8}{'script':>9}")
    sets = {}
    for name in LABELLED:
        known = read_named(folder, "labelled", name)
        p, r, f1 = bcubed([ours[row["id"]] for row in known], known)
        script = bcubed([theirs[row["id"]] for row in known], known)[2]
        sets[name] = {"precision": p, "recall": r, "f1": f1, "obvious_f1": script}
        console.print(f"{name:28}{p:10.3f}{r:8.3f}{f1:8.3f}{script:9.3f}")
    mean = {
        score: float(np.mean([found[score] for found in sets.values()]))
        for score in ("precision", "recall", "f1", "obvious_f1")
    }
    console.print("{:28}{:10.3f}{:8.3f}{:8.3f}{:9.3f}".format("mean", *mean.values()))
    sizes = [len(story) for story in stories]
    script_sizes = np.bincount(labels)
    console.print(
        f"\n{len(rows):,} articles, {len(stories):,} stories, the largest of "
        f"{', '.join(map(str, sizes[:5]))} articles (script: {script_sizes.max():,})\n"
        f"{seconds:.0f} s (script: {obvious_seconds:.0f} s): "
        + ", ".join(f"{stage} {took:.1f}" for stage, took in stopwatch.seconds.items())
    )
    return {
        "sets": sets,
        "mean": mean,
        "articles": len(rows),
        "stories": len(stories),
        "largest": sizes[0],
        "obvious_largest": int(script_sizes.max()),
        "seconds": seconds,
        "obvious_seconds": obvious_seconds,
        "stages": stopwatch.seconds,
    }


def judged_pairs(folder: Path) -> dict[str, Any]:
    """Score pairs of articles: in one story, or not."""
    rows = read_named(folder, "labelled", "mccormick_plagiarism_1000")
    planted = evaluate(
        {str(found["id"]): str(found["story_id"]) for found in cluster(rows).rows()},
        {row["id"]: row["story"] for row in rows},
    ).pairwise
    stories = cluster(read(folder / "pairs" / "semeval22_en.jsonl.gz"))
    found: Counter[tuple[bool, bool]] = Counter()
    for pair in read(folder / "pairs" / "semeval22_en.pairs.jsonl.gz"):
        if pair["label"] is not None:
            together = stories.story_of(pair["a"]) == stories.story_of(pair["b"])
            found[together, pair["label"] == 1] += 1
    right, wrong, missed = found[True, True], found[True, False], found[False, True]
    scores = {
        "mccormick_plagiarism_1000": (planted.precision, planted.recall, planted.f1),
        "semeval22_en": (
            right / max(1, right + wrong),
            right / max(1, right + missed),
            2 * right / (2 * right + wrong + missed),
        ),
    }
    console.print(f"{'pairs':28}{'precision':>10}{'recall':>8}{'F1':>8}")
    for name, (p, r, f1) in scores.items():
        console.print(f"{name:28}{p:10.3f}{r:8.3f}{f1:8.3f}")
    return {
        name: dict(zip(("precision", "recall", "f1"), score, strict=True))
        for name, score in scores.items()
    }


def lsh_loss(folder: Path) -> dict[str, Any]:
    """Group each labelled set with LSH and with all its pairs compared."""
    console.print(f"{'B-cubed F1':28}{'LSH':>8}{'all pairs':>11}")
    results = {}
    for name in ALL_LABELLED:
        rows = read_named(folder, "labelled", name)
        with_lsh = bcubed(cluster(rows).labels.tolist(), rows)[2]
        with mock.patch.object(proposals, "candidate_pairs", _all_pairs):
            compared = bcubed(cluster(rows).labels.tolist(), rows)[2]
        results[name] = {"lsh": with_lsh, "all_pairs": compared}
        console.print(f"{name:28}{with_lsh:8.3f}{compared:11.3f}")
    return results


def lsh_recall(folder: Path) -> dict[str, Any]:
    """Count the proposed pairs by cosine, next to the expectation of the layout."""
    settings = Settings()
    cosines, found = [], []
    for name in ("groundnews2025_en_clean", "fnc1"):
        articles = map(Article.from_mapping, read_named(folder, "labelled", name))
        archive_ = batch.Archive.read(articles, settings, lambda *_: None)
        p = archive_.profiles
        first, second = _all_pairs(p.salience, p.day, settings.window_days)
        cosines.append(Similarity(p, archive_.sketcher).cosines(first, second))
        one, two = candidate_pairs(p.salience, p.day, settings.window_days, settings.layout)
        found.append(np.isin(first * len(p) + second, one * len(p) + two))
    cosine, proposed = np.concatenate(cosines), np.concatenate(found)
    console.print(f"{'cosine':12}{'pairs':>10}{'proposed':>10}{'promised':>10}")
    results = {}
    for low, high in itertools.pairwise((0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1.01)):
        inside = (cosine >= low) & (cosine < high)
        promised = np.mean([settings.expected_recall(x) for x in cosine[inside].tolist()])
        results[f"{low:g}"] = row = {
            "pairs": int(inside.sum()),
            "proposed": float(proposed[inside].mean()),
            "promised": float(promised),
        }
        console.print("{:<12g}{pairs:10,}{proposed:10.3f}{promised:10.3f}".format(low, **row))
    return results


def _all_pairs(
    _salience: NDArray[np.uint32], day: NDArray[np.float64], window: float, *_: Any
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Replace LSH: propose every pair within the window."""
    first, second = np.triu_indices(len(day), 1)
    near = ~(day[second] - day[first] > window)
    return first[near], second[near]


def bcubed(predicted: Sequence[int | str], known: Sequence[Row]) -> tuple[float, float, float]:
    """Return B-cubed precision, recall and F1.

    Parameters
    ----------
    predicted : sequence of int
        Number of the predicted story of each article.
    known : sequence of dict
        The articles: `story` and, where given, `family`.
    """
    family = [row.get("family", row["story"]) for row in known]
    story = [(name, row["story"]) for name, row in zip(family, known, strict=True)]
    both = list(zip(predicted, story, strict=True))
    in_both, in_story, in_predicted = Counter(both), Counter(story), Counter(predicted)
    of_family = Counter(zip(predicted, family, strict=True))
    precision = recall = 0.0
    for p, s in both:
        shared = in_both[p, s]
        # Articles of the same family but another story are ignored.
        elsewhere = of_family[p, s[0]] - shared
        precision += shared / (in_predicted[p] - elsewhere)
        recall += shared / in_story[s]
    precision, recall = precision / len(both), recall / len(both)
    return precision, recall, 2 * precision * recall / (precision + recall)


if __name__ == "__main__":
    main()
