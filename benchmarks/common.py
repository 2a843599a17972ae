"""Code that the benchmarks share: the location of news, the archive benchmark, and results."""

from __future__ import annotations

import argparse
import gzip
import json
import os
import platform
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from sahel_dedup import __version__
from sahel_dedup.articles import parse_published
from sahel_dedup.errors import ArticleError

Row = dict[str, Any]

# The archive benchmark: labelled sets of English news among bulk news.
LABELLED = ("basil", "ecbplus", "fnc1", "giveme5w1h_google_clusters", "groundnews2025_en_clean",
            "gvc")  # fmt: skip
BULK = ("reuters21578_en", "lk_news_en", "allsides_en")

_PACKAGES = ("numpy", "scipy", "scikit-learn", "datasketch", "polars", "wordfreq")
RESULTS = Path(__file__).parent / "results"

console = Console(highlight=False, width=110)


def arguments(description: str | None, parts: Sequence[str] = ()) -> tuple[Path, list[str]]:
    """Read the command line.

    Returns
    -------
    folder : Path
        Folder of the news.
    chosen : list of str
        Requested parts of the benchmark; all unless some are named.
    """
    default = os.environ.get("SAHEL_DATA", Path(__file__).parents[2] / "shared" / "data")
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=default, help="folder of news (%(default)s)")
    if parts:
        parser.add_argument("parts", nargs="*", help=f"only some of: {', '.join(parts)}")
    given = parser.parse_args()
    if not given.data.is_dir():
        parser.error(f"no folder {given.data}")
    chosen = getattr(given, "parts", None) or list(parts)
    if unknown := set(chosen) - set(parts):
        parser.error(f"no part {', '.join(sorted(unknown))}")
    return given.data, chosen


def answer(
    name: str, description: str | None, questions: Mapping[str, Callable[[Path], dict[str, Any]]]
) -> None:
    """Run every part, or those named on the command line, and save the results.

    Parts that are not run keep their earlier results.
    """
    folder, chosen = arguments(description, list(questions))
    path = RESULTS / f"{name}.json"
    for question in chosen:
        console.rule(question)
        found = questions[question](folder)
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        answers = {asked: known[asked] for asked in questions if asked in known}
        save(name, answers | {question: found})


def read(path: Path) -> list[Row]:
    """Read gzipped JSON lines; an impossible date, such as 2019-12-88, is left out."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows: list[Row] = [json.loads(line) for line in file]
    for row in rows:
        try:
            parse_published(row.get("published"))
        except ArticleError:
            row["published"] = None
    return rows


def read_named(folder: Path, kind: str, name: str) -> list[Row]:
    """Read a set of articles; the name of the set makes their ids unique."""
    rows = read(folder / kind / f"{name}.jsonl.gz")
    return [{**row, "id": f"{name}/{row['id']}"} for row in rows]


def archive(folder: Path) -> Iterator[Row]:
    """Yield the articles of the archive benchmark."""
    for kind, names in (("labelled", LABELLED), ("bulk", BULK)):
        for name in names:
            yield from read_named(folder, kind, name)


class Stopwatch:
    """Measures the time of each stage; a ``progress`` function for `sahel_dedup.cluster`.

    Attributes
    ----------
    seconds : dict of str to float
        Seconds by stage.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def __call__(self, stage: str, _done: int, _all: int | None) -> None:
        """Add the time since the last call to a stage."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now


def peak_mb() -> float:
    """Return the peak memory of this process, in megabytes."""
    try:
        # `ru_maxrss` would include the memory of the process that started this one.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def save(name: str, results: dict[str, Any]) -> None:
    """Write results as JSON, with the machine and the versions."""
    RESULTS.mkdir(exist_ok=True)
    about = {
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, {platform.system()}",
        "python": platform.python_version(),
        "versions": {
            "sahel-dedup": __version__,
            **{package: version(package) for package in _PACKAGES},
        },
    }
    text = json.dumps({"about": about, **_rounded(results)}, indent=1, ensure_ascii=False)
    (RESULTS / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def _rounded(value: Any) -> Any:
    """Round to four decimals, because more would differ between runs."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    return [_rounded(item) for item in value] if isinstance(value, list) else value
