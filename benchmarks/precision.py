"""Precision in a real archive: judged pairs, templates, look-alikes.

Prints the tables of docs/precision.md and docs/granularity.md:

judged       Judged pairs of six archives at the default setting, with constants fitted without the
             archive and its family, and with the shipped ones, which were fitted on all pairs:
             precision and recall of "in one story", precision by size of the story, predicted
             probabilities and observed shares; written to results/judged.json.
drawn        Pairs drawn from the stories themselves, which took no part in any fit, at the default
             setting; written to results/drawn.json.
missing      The same pairs as in `judged` after articles lost their dates or outlets; written to
             results/missing.json.
smaller      The same pairs in a third and in a tenth of their archives, and in parts of 30 days,
             a week and a day; written to results/smaller.json.
default      Templates, look-alikes and labelled sets at the default setting; written to
             results/precision.json.
granularity  Judged pairs of lk_news_en and B-cubed of the archive benchmark at each granularity;
             written to results/granularity.json.

    python -m benchmarks.precision [--data FOLDER] [judged] [drawn] [missing] [smaller]
        [default] [granularity]
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

import sahel_dedup
from benchmarks.common import LABELLED, Row, archive, arguments, console, read, save
from benchmarks.fit_evidence import Known, calibration
from benchmarks.judged import (
    Set,
    cut,
    judged_sets,
    other_sets,
    sets_without,
    short_sets,
    smaller_sets,
)
from benchmarks.quality import bcubed
from sahel_dedup import Settings
from sahel_dedup.articles import Article
from sahel_dedup.clustering.date_precision import estimate_precision
from sahel_dedup.evaluation.judged_pairs import JudgedPair
from sahel_dedup.evaluation.pair_scores import PairScore, evaluate_pairs
from sahel_dedup.scoring.log_odds import WEIGHTS
from sahel_dedup.settings import Granularity

# Archives over which judged pairs are averaged.
CORE = ("reuters21578_en", "lk_news_en", "saudi_ar", "lk_ta", "senate2007")
# Pairs that a later reading judged: ids, answers and weights, no texts.
DRAWN = Path(__file__).parent / "drawn.pairs.jsonl.gz"
ESTIMATED = {"reuters21578_en": (0.985, 0.85), "lk_news_en": (0.995, 0.90)}


# An earnings flash: company and ticker, then what is reported.
_FLASH = re.compile(r"(?P<company>[^<]*)<(?P<ticker>[^>]+)>.*\b(QTR|YEAR|NET|LOSS|HALF|MTHS?)\b")


def main() -> None:
    """Run the requested parts."""
    data, chosen = arguments(
        __doc__, ["judged", "drawn", "missing", "smaller", "default", "granularity"]
    )
    if "judged" in chosen:
        judged(data)
    if "drawn" in chosen:
        drawn(data)
    if "missing" in chosen:
        missing(data)
    if "smaller" in chosen:
        smaller(data)
    if "default" in chosen:
        default(data)
    if "granularity" in chosen:
        granularity(data)


def judged(data: Path) -> None:
    """Score the stories of archives with judged pairs."""
    sets = dict(judged_sets(data))
    known = Known.read(data, sets, dict(other_sets(data)))
    left_out = {name: known.weights(name) for name in sets}
    shipped = dict.fromkeys(sets, WEIGHTS)
    results: dict[str, Any] = {}
    for kind, weights in (("left out", left_out), ("shipped", shipped)):
        found = {
            name: score_pairs(kept.pairs, kept.stories(weights[name], Settings().merge_threshold))
            for name, kept in sets.items()
        }
        found["mean"] = mean_scores(found)
        odds = [(known.dated[name], known.dated[name].features @ weights[name][0]) for name in CORE]
        stated = calibration(odds)
        results[kind] = {"pairs": found, "stated": [list(pair) for pair in stated]}
        _show(kind, found)
        console.print(
            "probability stated, share found, five bins:  "
            + "  ".join(f"{p:.2f} {q:.2f}" for p, q in stated)
        )
    save("judged", _without_nan(results))


def score_pairs(judged: Sequence[Row], stories: dict[str, str]) -> dict[str, float]:
    """Score "in one story" on the judged pairs of the second round.

    Weights are given as they are, and cut at 20 times the median of the archive.
    """
    pairs = [pair for pair in judged if pair["round"] == 2]
    together = np.array([stories[pair["a"]] == stories[pair["b"]] for pair in pairs])
    same = np.array([pair["same"] == 1 for pair in pairs])
    weight = np.array([float(pair["weight"]) for pair in pairs])
    sizes = Counter(stories.values())
    size = np.array([sizes[stories[pair["a"]]] for pair in pairs])
    found = {}
    for note, mass in (("", weight), (", cut", cut(weight))):
        found[f"precision{note}"] = _share(mass, same, together)
        found[f"recall{note}"] = _share(mass, together, same)
    for name, low, high in (("2", 2, 2), ("3-4", 3, 4), ("5-9", 5, 9), ("10+", 10, np.inf)):
        inside = together & (size >= low) & (size <= high)
        found[f"size {name}"] = _share(weight, same, inside)
    return found


def drawn(data: Path) -> None:
    """Score the stories of archives on pairs drawn from such stories with `sample_pairs`.

    The file holds ids and answers. Pairs were drawn twice from the output of commit af1e830, and a
    language model read them one by one without knowing what the product said. It repeated all 140
    earlier answers that were mixed in and of which their judges were sure.
    """
    pairs = read(DRAWN)
    results: dict[str, Any] = {}
    for name in dict.fromkeys(pair["set"] for pair in pairs):
        stories = story_ids(read(data / "bulk" / f"{name}.jsonl.gz"))
        found = [pair for pair in pairs if pair["set"] == name]
        draws = Counter(pair["draw"] for pair in found)
        # Each draw represents the archive, and counts for as much as it has pairs.
        part = {draw: count / len(found) for draw, count in draws.items()}
        scores: dict[str, Any] = {"pairs": len(found)}
        for note, kept in (("", found), (", sure", [pair for pair in found if pair["sure"]])):
            total = scored([{**p, "weight": p["weight"] * part[p["draw"]]} for p in kept], stories)
            scores[f"precision{note}"], scores[f"recall{note}"] = total.precision, total.recall
        results[name] = scores
    table = Table("drawn from the stories", "pairs", *list(scores)[1:])
    for name, scores in results.items():
        intervals = [f"{v.value:.2f} ({v.low:.2f}-{v.high:.2f})" for v in list(scores.values())[1:]]
        table.add_row(name, str(scores["pairs"]), *intervals)
    console.print(table)
    save("drawn", results)


def missing(data: Path) -> None:
    """Score the stories of archives whose articles lost their dates or outlets."""
    known = _known(data)
    results: dict[str, Any] = {}
    for field, one_in in (("published", 4), ("source", 4), ("source", 1)):
        found: dict[str, dict[str, float]] = {}
        for name, kept in sets_without(data, field, one_in):
            stories = kept.stories(known.weights(name), Settings().merge_threshold)
            lost = {row["id"] for row in kept.rows if row[field] is None}
            some = [pair for pair in kept.pairs if pair["a"] in lost or pair["b"] in lost]
            found[name] = {
                f"{measure}, {part}": value
                for part, pairs in (("all", kept.pairs), ("missing", some))
                for measure, value in score_pairs(pairs, stories).items()
                if measure in ("precision", "recall")
            }
        found["mean"] = mean_scores(found)
        lacking = f"{field}, 1 in {one_in}"
        _show(f"without {lacking}", found)
        results[lacking] = found
    save("missing", _without_nan(results))


def smaller(data: Path) -> None:
    """Score the stories of smaller archives, in which less is known about what recurs."""
    known = _known(data)
    results: dict[str, Any] = {}
    for one_in in (3, 10):
        found = {
            name: _score_parts([kept], known.weights(name))
            for name, kept in smaller_sets(data, one_in)
        }
        found["mean"] = mean_scores(found)
        _show(f"1 article in {one_in}", found)
        results[f"1 in {one_in}"] = found
    for days in (30, 7, 1):
        found = {
            name: _score_parts(parts, known.weights(name)) for name, parts in short_sets(data, days)
        }
        found["mean"] = mean_scores(found)
        _show(f"parts of {days} days", found)
        results[f"{days} days"] = found
    save("smaller", _without_nan(results))


def _score_parts(parts: Sequence[Set], weights: NDArray[np.float64]) -> dict[str, float]:
    """Score the stories of the parts of an archive, with the median of their sizes."""
    stories: dict[str, str] = {}
    for number, part in enumerate(parts):
        some = part.stories(weights, Settings().merge_threshold)
        stories |= {article: f"{number} {story}" for article, story in some.items()}
    scores = score_pairs([pair for part in parts for pair in part.pairs], stories)
    size = float(np.median([len(part.rows) for part in parts]))
    return {"articles": size} | {name: scores[name] for name in ("precision", "recall")}


@functools.cache
def _known(data: Path) -> Known:
    """Read what constants are fitted on, once for all parts."""
    return Known.read(data, dict(judged_sets(data)), dict(other_sets(data)))


def _show(title: str, found: dict[str, dict[str, float]]) -> None:
    """Print the scores of each archive, and their means."""
    table = Table(title, *found["mean"])
    for name, scores in found.items():
        table.add_row(name, *(f"{value:.2f}" for value in scores.values()))
    console.print(table)


def mean_scores(found: dict[str, dict[str, float]]) -> dict[str, float]:
    """Average the scores over the archives that have goals."""
    names = list(found["lk_news_en"])
    return {name: float(np.nanmean([found[part][name] for part in CORE])) for name in names}


def _share(
    weight: NDArray[np.float64], right: NDArray[np.bool_], chosen: NDArray[np.bool_]
) -> float:
    total = weight[chosen].sum()
    return float(weight[chosen & right].sum() / total) if total else np.nan


def _without_nan(value: Any) -> Any:
    """Replace NaN, which JSON lacks."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and np.isnan(value) else value


def default(data: Path) -> None:
    """Measure everything at the default setting."""
    lines: list[tuple[str, float, float]] = []
    for name, (dated, undated) in ESTIMATED.items():
        rows = read(data / "bulk" / f"{name}.jsonl.gz")
        stories = story_ids(rows)
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
    lines.append(("archive benchmark, mean B³ F1", archive_scores(data, Settings())[0], 0.86))
    lines += muc(data)
    table = Table("measure", "result", "target")
    for name, value, goal in lines:
        table.add_row(name, f"{value:.3f}", f"{goal:g}")
    console.print(table)
    save("precision", {name: {"found": value, "to reach": goal} for name, value, goal in lines})


def granularity(data: Path) -> None:
    """Score stories at each granularity."""
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


def scored(pairs: Sequence[Row], stories: dict[str, str]) -> PairScore:
    """Score "in one story" on judged pairs, by their weights."""
    judged = [
        JudgedPair(first=p["a"], second=p["b"], same=p["same"] == 1, weight=float(p["weight"]))
        for p in pairs
    ]
    return evaluate_pairs(stories, judged).all_pairs.total


def weighted(pairs: Sequence[Row], stories: dict[str, str]) -> tuple[float, float]:
    """Precision and recall of "in one story" on judged pairs, by their weights."""
    total = scored(pairs, stories)
    assert total.precision is not None
    assert total.recall is not None
    return total.precision.value, total.recall.value


def estimated(rows: Sequence[Row], stories: dict[str, str]) -> float:
    """Estimate the precision of stories from dates, without labels."""
    days: dict[str, list[float]] = {}
    for row in rows:
        published = Article.from_mapping(row).published
        day = np.nan if published is None else published.timestamp() / 86_400
        days.setdefault(stories[row["id"]], []).append(day)
    found = estimate_precision([np.array(story) for story in days.values()])
    return np.nan if found is None else found


def shared(rows: Sequence[Row], stories: dict[str, str]) -> float:
    """Return the share of articles whose story has an article of another outlet."""
    outlets: dict[str, set[str]] = {}
    for row in rows:
        outlets.setdefault(stories[row["id"]], set()).add(row["source"])
    return float(np.mean([len(outlets[stories[row["id"]]]) > 1 for row in rows]))


def archive_scores(data: Path, settings: Settings) -> tuple[float, float]:
    """Return the mean B³ F1 and precision over the labelled sets among the bulk news."""
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
        ("muc4 look-alikes: precision", precision, 0.85),
        ("muc4 look-alikes: recall", recall, 0.40),
    ]


if __name__ == "__main__":
    main()
