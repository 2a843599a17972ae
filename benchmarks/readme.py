"""Write the figures of the results into the README.

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
_BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- /figures -->)", re.DOTALL)


def main() -> None:
    """Fill the README in."""
    arguments(__doc__)
    README.write_text(filled(README.read_text(encoding="utf-8")), encoding="utf-8")
    console.print(f"{README.name} holds the figures of {RESULTS.name}")


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


BLOCKS: dict[str, tuple[str, Callable[[dict[str, Any]], list[str]]]] = {
    "archive": ("quality", _archive),
    "pairs": ("quality", _pairs),
    "rest": ("quality", _rest),
}


if __name__ == "__main__":
    main()
