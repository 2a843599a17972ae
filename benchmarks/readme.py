"""Insert the figures of the results into the README and the pages of docs.

Each block between ``<!-- figures: NAME -->`` and ``<!-- /figures -->`` is written again from
``benchmarks/results``; blocks without results stay as they are. The pages stay plain Markdown, with
neither code nor macros in them, so that they can be read without being built.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import tables
from benchmarks.common import RESULTS, arguments, console

README = Path(__file__).parents[1] / "README.md"
PAGES = (README, *sorted(README.parent.glob("docs/*.md")))
_BLOCK = re.compile(r"(<!-- figures: (\w+) -->\n).*?(<!-- /figures -->)", re.DOTALL)


def main() -> None:
    """Update all pages."""
    arguments(__doc__)
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if (new := filled(text)) != text:
            page.write_text(new, encoding="utf-8")
            console.print(f"{page.name} has new figures")


def filled(text: str) -> str:
    """Return a text with its blocks filled in."""

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


def _archive_mean(results: dict[str, Any]) -> list[str]:
    archive = results["archive"]
    mean, sets = archive["mean"], len(archive["sets"])
    return [
        f"On {sets} labelled sets among {archive['articles']:,} articles, grouped in one run "
        f"(`python -m benchmarks.quality`), the mean B-cubed F1 is {mean['f1']:.3f}. A typical "
        "script (datasketch at Jaccard 0.5, `TfidfVectorizer` at cosine 0.6, connected "
        f"components) reaches {mean['obvious_f1']:.3f}. These sets were collected as clusters and "
        "are easier than a real archive."
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
    """Show judged pairs, constants fitted without the archive first, shipped ones after."""
    rows = [
        "| in one story at the default: precision / recall | left out of the fit | in the fit |",
        "|---|---|---|",
    ]
    for name in results["left out"]["pairs"]:
        cells = []
        for kind in ("left out", "shipped"):
            found = results[kind]["pairs"][name]
            whole = f"{found['precision']:.2f} / {found['recall']:.2f}"
            cells.append(f"{whole} ({found['precision, cut']:.2f} / {found['recall, cut']:.2f})")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return rows


def _by_size(results: dict[str, Any]) -> list[str]:
    """Show precision by the size of the story, archives left out of the fit."""
    found = results["left out"]["pairs"]
    sizes = [name for name in found["mean"] if name.startswith("size")]
    rows = [f"| archive | {' | '.join(sizes)} |", "|---" * (1 + len(sizes)) + "|"]
    for name, scores in found.items():
        shown = ("–" if scores[size] is None else f"{scores[size]:.2f}" for size in sizes)
        rows.append(f"| {name} | {' | '.join(shown)} |")
    return rows


def _stated(results: dict[str, Any]) -> list[str]:
    """Show stated probabilities beside the shares found, archives left out of the fit."""
    rows = ["| probability stated | share found |", "|---|---|"]
    return rows + [f"| {p:.2f} | {q:.2f} |" for p, q in results["left out"]["stated"]]


def _drawn(results: dict[str, Any]) -> list[str]:
    """Show pairs drawn from the stories, with their intervals."""
    rows = [
        "| archive | pairs | precision | recall | precision, sure | recall, sure |",
        "|---" * 6 + "|",
    ]
    for name, found in results.items():
        if name != "about":
            values = (v for key, v in found.items() if key != "pairs")
            cells = (f"{value:.2f} ({low:.2f}–{high:.2f})" for value, low, high in values)
            rows.append(f"| {name} | {found['pairs']} | {' | '.join(cells)} |")
    return rows


def _precision(results: dict[str, Any]) -> list[str]:
    rows = ["| measure | result | target |", "|---|---|---|"]
    for name, line in results.items():
        if name == "about":
            continue
        found, goal = line["found"], line["to reach"]
        # Sizes and counts must stay below their goals, everything else above.
        at_most = "(at most" in name or "(none)" in name
        reached = found <= goal if at_most else found >= goal
        shown = f"{found:.0f}" if at_most else f"{found:.3f}"
        rows.append(f"| {name} | {shown if reached else f'**{shown}**'} | {goal:g} |")
    return rows


def _ablation(results: dict[str, Any]) -> list[str]:
    rows = {name: row for name, row in results.items() if name != "about"}
    columns = list(next(iter(rows.values())))
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


def _spark(results: dict[str, Any]) -> list[str]:
    agreed, shuffle = results["agreement"], results["shuffle"]
    lines = [
        f"- {agreed['articles']:,} articles, the archive benchmark's input: B-cubed F1 "
        f"{agreed['bcubed_f1']:.3f} between the stories of the two engines, "
        f"{agreed['articles_in_another_story']} articles in another story; the local engine took "
        f"{agreed['local_seconds']:.0f} s, Spark {agreed['spark_seconds']:.0f} s.",
        *(
            f"- {int(size):,} dated articles, {shuffle[size]['stories']:,} stories: "
            f"{shuffle[size]['seconds']:,.0f} s."
            for size in _sizes(shuffle)
        ),
    ]
    for name, what in (
        ("form", "forms of one kind, published all the time"),
        ("event", "reports of one event on two days"),
    ):
        stages = results["hot"][name]["stages"]
        times = {stage: row["longest_against_median"] for stage, row in stages.items()}
        worst, second = sorted(times, key=times.__getitem__, reverse=True)[:2]
        lines.append(
            f"- Of {results['hot']['articles']:,} articles, one in twenty has the keys of the same "
            f"text: {what} (largest story: {results['hot'][name]['largest_story']:,}). "
            f"The longest task of a stage takes at most {times[worst]:.1f} times as long as the "
            f"median one (`{worst}`; then `{second}`, {times[second]:.1f}), with 32 partitions."
        )
    return lines


def _shuffle(results: dict[str, Any]) -> list[str]:
    shuffle = results["shuffle"]
    sizes = _sizes(shuffle)
    stages = [stage for stage, written in shuffle[sizes[-1]]["stages"].items() if written >= 1]
    columns = {
        **{
            f"`{stage}`": [f"{shuffle[n]['stages'][stage]:,.0f}" for n in sizes] for stage in stages
        },
        "all": [f"{shuffle[n]['shuffle_bytes_an_article']:,.0f}" for n in sizes],
        **{
            f"blocks per article in `{stage}`": [
                f"{shuffle[n]['blocks_an_article'][stage]:.2f}" for n in sizes
            ]
            for stage in shuffle[sizes[-1]]["blocks_an_article"]
        },
    }
    return [
        f"| | {' | '.join(f'{int(size):,}' for size in sizes)} |",
        "|---" * (len(sizes) + 1) + "|",
        *(f"| {name} | {' | '.join(row)} |" for name, row in columns.items()),
        "",
        f"{shuffle['ratio']:.2f} times the bytes per article, with {int(sizes[-1]):,} instead of "
        f"{int(sizes[0]):,} articles.",
    ]


def _hundred_million(results: dict[str, Any]) -> list[str]:
    shuffle = results["shuffle"]
    size = _sizes(shuffle)[-1]
    measured, stages = shuffle[size]["blocks_an_article"], shuffle[size]["stages"]
    undated = measured | {"agreeing": 30.0, "surviving": 30.0, "recurrence": 8.0}
    lines = ["| 100 million articles | blocks as measured | many blocks |", "|---|---|---|"]
    columns = []
    for blocks in (measured, undated):
        # An article travels to the join itself, and from there to each block.
        each = {name: written * (1 + blocks.get(name, 0)) / (1 + measured.get(name, 0))
                for name, written in stages.items()}  # fmt: skip
        largest = max(each, key=each.__getitem__)
        columns.append((
            ", ".join(f"{name} {count:.1f}" for name, count in blocks.items()),
            f"{sum(each.values()) / 1e3:,.0f} KB",
            f"{sum(each.values()) / 1e4:,.1f} TB",
            f"`{largest}`, {each[largest] / 1e4:.2f} TB",
        ))  # fmt: skip
    names = ("blocks per article", "shuffled per article", "all shuffles", "largest stage")
    rows = zip(names, *columns, strict=True)
    hours = shuffle[size]["seconds"] * 2 / int(size) * 1e8 / 3600
    return [
        *lines,
        *(f"| {' | '.join(row)} |" for row in rows),
        "",
        f"At the speed measured here ({int(size):,} articles in {shuffle[size]['seconds']:,.0f} s "
        f"on two cores), this takes about {hours:,.0f} core-hours.",
    ]


def _sizes(shuffle: dict[str, Any]) -> list[str]:
    return sorted(filter(str.isdigit, shuffle), key=int)


BLOCKS: dict[str, tuple[str, Callable[[dict[str, Any]], list[str]]]] = {
    "archive": ("quality", _archive),
    "archive_mean": ("quality", _archive_mean),
    "pairs": ("quality", _pairs),
    "rest": ("quality", _rest),
    "judged": ("judged", _judged),
    "by_size": ("judged", _by_size),
    "stated": ("judged", _stated),
    "drawn": ("drawn", _drawn),
    "precision": ("precision", _precision),
    "ablation": ("ablation", _ablation),
    "granularity": ("granularity", _granularity),
    "languages": ("languages", _languages),
    "spark": ("spark", _spark),
    "shuffle": ("spark", _shuffle),
    "hundred_million": ("spark", _hundred_million),
    **tables.BLOCKS,
}


if __name__ == "__main__":
    main()
