"""Tables of speed, growth and the stream, as lines of Markdown, from the results.

A row is one join of strings, so no library of tables is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.planted import KINDS

_KEPT = ("arrays", "rows")
_SETS = ("lk_news_en", "reuters21578_en")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Format a table.

    Parameters
    ----------
    head : sequence of str
    rows : iterable of sequences of str
        Rows with as many cells.
    """
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def compared(results: dict[str, Any]) -> list[str]:
    """Show the whole way from text to stories, compared with alternatives."""
    heads = ("articles / CPU-s", "MB / s", "peak MB", "recall", "heavy", "precision")
    return table(
        ("", *heads),
        (
            (
                name,
                f"{row['articles_per_cpu_second']:,.0f}",
                f"{row['mb_per_cpu_second']:.1f}",
                f"{row['peak_mb']:,.0f}",
                *(f"{row[key]:.3f}" for key in heads[3:]),
            )
            for name, row in results["grouping"].items()
        ),
    )


def ratios(results: dict[str, Any]) -> list[str]:
    """Show the ratio of articles per second to another contestant, in one run."""
    grouping, signing = results["grouping"], results["signing"]
    speed = {name: row["articles_per_cpu_second"] for name, row in (grouping | signing).items()}
    return table(
        ("articles per CPU-second", "ratio", "target"),
        (
            (f"against {other}", f"{speed[one] / speed[other]:.2f}", goal)
            for one, other, goal in (
                ("sahel_dedup", "datasketch + TfidfVectorizer", "2.5"),
                ("sahel_dedup", "TF-IDF (df <= 2 %) + sparse_dot_topn", "1.3"),
                ("MinHash: sahel_dedup", "MinHash: datasketch.MinHash.bulk", "4"),
            )
        ),
    )


def signing(results: dict[str, Any]) -> list[str]:
    """Show fingerprints alone."""
    return table(
        ("", "articles / CPU-s", "MB / s"),
        (
            (name, f"{row['articles_per_cpu_second']:,.0f}", f"{row['mb_per_cpu_second']:.1f}")
            for name, row in results["signing"].items()
        ),
    )


def growth(results: dict[str, Any]) -> list[str]:
    """Show a growing archive, through the command line."""
    sizes = sorted(filter(str.isdigit, results), key=int)
    runs = [results[size] for size in sizes]
    costs = [run["cpu_seconds"] / int(size) * 1e6 for run, size in zip(runs, sizes, strict=True)]
    stages = dict.fromkeys(stage for run in runs for stage in run["stages"])
    return table(
        ("", *(f"{int(size):,}" for size in sizes)),
        (
            *((f"{s}, s", *(f"{run['stages'].get(s, 0):.1f}" for run in runs)) for s in stages),
            ("wall, s", *(f"{run['wall_seconds']:,.0f}" for run in runs)),
            ("CPU, s", *(f"{run['cpu_seconds']:,.0f}" for run in runs)),
            ("CPU per article, µs", *(f"{cost:.0f}" for cost in costs)),
            ("... against the first", *(f"{cost / costs[0]:.2f}" for cost in costs)),
            ("peak memory, MB", *(f"{run['peak_mb']:,.0f}" for run in runs)),
            *((name, *(f"{run[name]:.4f}" for run in runs)) for name in ("recall", *KINDS)),
            ("precision", *(f"{run['precision']:.4f}" for run in runs)),
        ),
    )


def stages(results: dict[str, Any]) -> list[str]:
    """Show the time of each stage."""
    total = sum(row["us"] for row in results["stages"].values())
    rows = [
        (
            name,
            f"{row['us']:.0f}",
            f"{row['us'] / total:.0%}",
            "" if row["floor_us"] is None else f"{row['floor_us']:.0f}",
            row["floor"],
        )
        for name, row in results["stages"].items()
    ]
    head = ("stage", "µs per article", "share", "floor, µs", "the floor is")
    return table(head, [*rows, ("all", f"{total:.0f}", "", "", "")])


def stream_speed(results: dict[str, Any]) -> list[str]:
    """Show articles per second, and the ratio to the loop over datasketch."""
    speed = results["speed"]
    return table(
        ("", *(cell for name in _SETS for cell in (name, "to datasketch"))),
        (
            (
                kind,
                *(
                    cell
                    for name in _SETS
                    for cell in (
                        f"{speed[name][kind]['articles per second']:,.0f}",
                        f"{speed[name][kind]['to datasketch']:.2f}",
                    )
                ),
            )
            for kind in speed[_SETS[0]]
        ),
    )


def opening(results: dict[str, Any]) -> list[str]:
    """Show how long it takes to open an index, and what readers hold."""
    seconds = results["open"]
    rows = (
        (f"open to {how}", *(_taken(seconds[f"{how}, {kept}"]) for kept in _KEPT))
        for how in ("read", "write")
    )
    lines = table((f"{seconds['articles']:,.0f} articles", "with arrays", "without"), rows)
    held = results["readers"]
    empty = held["MB of a reader of an empty index"]
    # The sizes vary by some MB between processes.
    names = "MB of each reader", "MB of each reader, followed"
    opened, followed = (max(0.0, held[name] - empty) for name in names)
    return [
        *lines,
        "",
        f"A reader of an empty index holds {empty:.0f} MB that it shares with no other process. "
        f"Each of {held['readers']} readers of this one holds {opened:.0f} MB more, and "
        f"{followed:.0f} MB more after it has followed a writer that added 1,000 articles, which "
        f"took {held['seconds to follow']:.1f} s. The arrays take {seconds['arrays MB']:,.0f} MB "
        f"beside {seconds['file MB']:,.0f} MB of rows and texts (`python -m benchmarks.opening`).",
    ]


def grown(results: dict[str, Any]) -> list[str]:
    """Show what a run costs that has a checkpoint of the day before."""
    seconds = results["cpu_seconds"]
    old, new = results["articles"], results["new"]
    return [
        *table(
            ["", "processor seconds"],
            [
                (f"the first run over {old:,} articles, which makes the checkpoint",
                 f"{seconds['first run']:.1f}"),
                (f"with {new:,} more, with the checkpoint", f"{seconds['grown']:.1f}"),
                (f"with {new:,} more, without it", f"{seconds['without']:.1f}"),
            ],
        ),
        "",
        f"The second run takes {results['grown to without']:.0%} of the processor time of a run "
        "without a checkpoint, and writes the same bytes (`python -m benchmarks.grown`).",
    ]  # fmt: skip


def _taken(taken: dict[str, float]) -> str:
    return f"{taken['seconds']:.2f} s ({taken['CPU seconds']:.2f} s of the processor)"


def stream_latency(results: dict[str, Any]) -> list[str]:
    """Show milliseconds of a single add, and memory."""
    latency = results["latency"]
    rows = (
        (
            f"by the {clock}" if clock == "clock" else f"of the {clock}'s time",
            *(f"{value:.1f}" for value in latency[f"{clock}, ms"].values()),
            f"{latency[f'{clock}, p99 to p50']:.1f}",
        )
        for clock in ("processor", "clock")
    )
    return [
        *table(("", "p50", "p99", "p99.9", "p99 to p50"), rows),
        "",
        f"Resident memory is {latency['bytes per article'] / 1000:.1f} KB per live article, at "
        f"{latency['articles']:,} of them.",
    ]


def stream_agreement(results: dict[str, Any]) -> list[str]:
    """Show B-cubed F1 between stream and batch, and against known stories."""
    agreement = results["agreement"]
    heads = ("one at a time", "add_many", "shuffled, least of ten pairs")
    gold = {way: agreement[f"labelled mix, {way}, against known stories"]["mean"]
            for way in ("stream", "batch")}  # fmt: skip
    return [
        *table(
            ("", *heads),
            (
                (
                    name,
                    *(
                        f"{agreement[name][head]:.4f}" if head in agreement[name] else ""
                        for head in heads
                    ),
                )
                for name in (*_SETS, "labelled mix")
            ),
        ),
        "",
        "Against the known stories of the labelled mix, six sets among lk_news_en, the stream "
        f"reaches a mean B-cubed F1 of {gold['stream']:.4f}, the batch {gold['batch']:.4f}.",
    ]


def stream_endless(results: dict[str, Any]) -> list[str]:
    """Show the size of an endless stream at a few points in time."""
    course = results["endless"]["course"]
    step = max(1, len(course) // 6)
    names = ("done", "articles", "past", "resident MB", "file MB")
    return table(
        ("articles so far", "live", *names[2:]),
        ([f"{point[name]:,.0f}" for name in names] for point in course[step - 1 :: step]),
    )


BLOCKS: dict[str, tuple[str, Callable[[dict[str, Any]], list[str]]]] = {
    "compared": ("compare", compared),
    "ratios": ("compare", ratios),
    "signing": ("compare", signing),
    "growth": ("scale", growth),
    "stages": ("stages", stages),
    "stream_speed": ("stream", stream_speed),
    "opening": ("opening", opening),
    "grown": ("grown", grown),
    "stream_latency": ("stream", stream_latency),
    "stream_agreement": ("stream", stream_agreement),
    "stream_endless": ("stream", stream_endless),
}
