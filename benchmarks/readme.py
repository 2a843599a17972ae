"""Write the figures of the results into the README and the pages of docs.

Each block between ``<!-- figures: NAME -->`` and ``<!-- /figures -->`` is made anew from
``benchmarks/results``; blocks whose results are not there stay as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.common import RESULTS, arguments, console

README = Path(__file__).parents[1] / "README.md"
PAGES = (README, *sorted(README.parent.glob("docs/*.md")))
_BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- /figures -->)", re.DOTALL)


def main() -> None:
    """Fill the pages in."""
    arguments(__doc__)
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if (new := filled(text)) != text:
            page.write_text(new, encoding="utf-8")
            console.print(f"{page.name} has new figures")


def filled(text: str) -> str:
    """Return a text with the figures in its blocks."""

    def fill(block: re.Match[str]) -> str:
        benchmark, show = BLOCKS[block[2]]
        path = RESULTS / f"{benchmark}.json"
        if not path.exists():
            return block[0]
        return block[1] + "\n".join(show(json.loads(path.read_text()))) + "\n" + block[3]

    return _BLOCK.sub(fill, text)


def _archive(results: dict[str, Any]) -> list[str]:
    scores = [(name, results["archive"]["sets"][name]) for name in results["archive"]["sets"]]
    return [
        "| set | precision | recall | F1 | script, F1 |",
        "|---|---|---|---|---|",
        *(
            f"| {name} | {score['precision']:.3f} | {score['recall']:.3f} | {score['f1']:.3f} | "
            f"{score['obvious_f1']:.3f} |"
            for name, score in [*scores, ("**mean**", results["archive"]["mean"])]
        ),
    ]


def _pairs(results: dict[str, Any]) -> list[str]:
    names = {
        "mccormick_plagiarism_1000": "mccormick_plagiarism_1000, planted copies",
        "semeval22_en": "semeval22_en, judged pairs",
    }
    return [
        "| | precision | recall | F1 |",
        "|---|---|---|---|",
        *(
            "| {} | {precision:.3f} | {recall:.3f} | {f1:.3f} |".format(
                title, **results["pairs"][name]
            )
            for name, title in names.items()
        ),
    ]


def _rest(results: dict[str, Any]) -> list[str]:
    kayes, archive = results["kayes"], results["archive"]
    together = [name for name, one in kayes.items() if one]
    where = "alone and in each of six bulk archives" if len(together) == len(kayes) else together
    lost = [f1["all_pairs"] - f1["lsh"] for f1 in results["lsh"].values()]
    stages = ", ".join(f"{name} {seconds:.0f}" for name, seconds in archive["stages"].items())
    return [
        "- Two reworded AFP reports of one attack (3-word-shingle Jaccard 0.10) are one story: "
        f"{where}.",
        "- Lost by comparing only what LSH proposes (mean B-cubed F1 over "
        f"{len(lost)} labelled sets): {sum(lost) / len(lost):.4f}; at most {max(lost):.3f}.",
        f"- Time for the {archive['articles']:,} articles of the table: {archive['seconds']:.0f} s "
        f"on {results['about']['machine']} ({stages}); the script: "
        f"{archive['obvious_seconds']:.0f} s.",
    ]


def _judged(results: dict[str, Any]) -> list[str]:
    names = {
        "lk_news_en": "lk_news_en, 14 outlets",
        "reuters21578_en": "reuters21578_en",
        "saudi_ar": "saudi_ar",
        "allsides_en": "allsides_en",
    }
    rows = ["| in one story at the default | precision | recall |", "|---|---|---|"]
    for name, title in names.items():
        p, r = (results[f"judged pairs, {name}: {x}"]["found"] for x in ("precision", "recall"))
        rows.append(f"| {title} | {p:.2f} | {r:.2f} |")
    return rows


def _precision(results: dict[str, Any]) -> list[str]:
    rows = ["| measure | found | to reach |", "|---|---|---|"]
    for name, line in results.items():
        if name == "about":
            continue
        found, goal = line["found"], line["to reach"]
        # Sizes and counts are to stay below, all else above.
        at_most = "(at most" in name or "(none)" in name
        reached = found <= goal if at_most else found >= goal
        shown = f"{found:.0f}" if at_most else f"{found:.3f}"
        rows.append(f"| {name} | {shown if reached else f'**{shown}**'} | {goal:g} |")
    return rows


def _ablation(results: dict[str, Any]) -> list[str]:
    rows = {name: row for name, row in results.items() if name != "about"}
    columns = list(rows["shipped"])
    return [
        f"| without | {' | '.join(columns)} |",
        "|---" * (len(columns) + 1) + "|",
        *(f"| {name} | {' | '.join(row.values())} |" for name, row in rows.items()),
    ]


def _granularity(results: dict[str, Any]) -> list[str]:
    head = "| name | judged pairs, lk_news_en: P / R | archive benchmark, mean B³ F1 (P of it) |"
    return [
        head,
        "|---|---|---|",
        *(
            f"| `{name}` | {row['precision']:.2f} / {row['recall']:.2f} | "
            f"{row['b3_f1']:.3f} ({row['b3_precision']:.2f}) |"
            for name, row in results.items()
            if name != "about"
        ),
    ]


def _languages(results: dict[str, Any]) -> list[str]:
    return [
        "| planted copies | articles | recall | precision |",
        "|---|---|---|---|",
        *(
            f"| {lang} | {row['articles']:,} | {row['recall']:.3f} | {row['precision']:.3f} |"
            for lang, row in results["planted"].items()
        ),
        "",
        "| set | setting | B-cubed F1 |",
        "|---|---|---|",
        *(
            f"| {name} | {row['granularity']} | {row['f1']:.3f} |"
            for name, row in results["labelled"].items()
        ),
        "",
        f"saudi_ar: {results['saudi']['several_outlets']:.0%} of the articles are in stories of "
        "several outlets; on judged pairs, weighted, precision is "
        f"{results['saudi']['judged_precision']:.2f} and recall "
        f"{results['saudi']['judged_recall']:.2f}; the precision estimated from dates is "
        f"{results['saudi']['estimated_precision'] or 0:.3f}. hkcnews_zh: "
        f"{results['reprints']['found']:,} of "
        f"{results['reprints']['pairs']:,} pairs of one text within the window are in one story.",
    ]


def _compare(results: dict[str, Any]) -> list[str]:
    rows = results["grouping"]
    return [
        "| text to stories | articles per CPU-second | MB/s | peak MB | recall | heavy copies |",
        "|---|---|---|---|---|---|",
        *(
            f"| {name} | {row['articles_per_cpu_second']:,.0f} | {row['mb_per_cpu_second']:.1f} | "
            f"{row['peak_mb']:,.0f} | {row['recall']:.3f} | {row['heavy']:.3f} |"
            for name, row in rows.items()
        ),
    ]


BLOCKS: dict[str, tuple[str, Callable[[dict[str, Any]], list[str]]]] = {
    "archive": ("quality", _archive),
    "pairs": ("quality", _pairs),
    "rest": ("quality", _rest),
    "judged": ("precision", _judged),
    "precision": ("precision", _precision),
    "ablation": ("ablation", _ablation),
    "granularity": ("granularity", _granularity),
    "languages": ("languages", _languages),
    "compare": ("compare", _compare),
}


if __name__ == "__main__":
    main()
