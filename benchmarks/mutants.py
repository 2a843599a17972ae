"""Mutants: single changes of the values that decide about stories, which tests must detect.

Applies each change to its own copy of the package, runs the tests that guard values there without
any real news, and prints whether they failed (killed) or not (survived). Fails if a text to change
is not found exactly once, if the tests fail without a change, or if more than two changes survive.

    python -m benchmarks.mutants [--list] [NAME ...]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from rich.markup import escape
from rich.table import Table

from benchmarks.common import console

ROOT = Path(__file__).parents[1]
TESTS = ("tests/test_boundaries.py", "tests/test_golden.py")
MOST_SURVIVORS = 2
# Machine code is compiled again for each copy, which takes most of the time.
_SECONDS = 900


class Mutant(NamedTuple):
    """One change: `old`, which the module contains exactly once, becomes `new`."""

    name: str
    module: str
    old: str
    new: str


MUTANTS = (
    Mutant(
        "typical-recurrence",
        "scoring/recurrence.py",
        "TYPICAL_RECURRENCE = 0.19",
        "TYPICAL_RECURRENCE = 0.25",
    ),
    Mutant("gap-days", "scoring/background.py", "GAP_DAYS = 1.5", "GAP_DAYS = 3.0"),
    Mutant(
        "undated-start",
        "clustering/average_linkage.py",
        "UNDATED_START = 2.55",
        "UNDATED_START = 1.25",
    ),
    Mutant("floor", "scoring/log_odds.py", "\nFLOOR = -3.0", "\nFLOOR = -4.0"),
    Mutant(
        "recurring-from", "scoring/features.py", "_RECURRING_FROM = 0.3", "_RECURRING_FROM = 0.45"
    ),
    Mutant(
        "duplicates-at-window",
        "candidates/exact_copies.py",
        "day[rows[i]] - start > window",
        "day[rows[i]] - start >= window",
    ),
    Mutant(
        "one-undated-joins",
        "index/online_linkage.py",
        "any(_dated(live, mine)) and any(_dated(live, theirs))",
        "any(_dated(live, mine)) or any(_dated(live, theirs))",
    ),
    Mutant("expire-at-day", "index/engine.py", "old = newest < before", "old = newest <= before"),
    Mutant("stream-bands", "index/live.py", "_MOST_BANDS = 64", "_MOST_BANDS = 24"),
    Mutant("lead-tokens", "sketch/sketcher.py", "LEAD_TOKENS = 80", "LEAD_TOKENS = 40"),
)


def main() -> None:
    """Run the tests on each mutant."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="only print the changes")
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of the changes")
    given = parser.parse_args()
    if unknown := set(given.names) - {mutant.name for mutant in MUTANTS}:
        parser.error(f"no mutant {', '.join(sorted(unknown))}")
    for mutant in MUTANTS:
        mutate(mutant)
    chosen = [mutant for mutant in MUTANTS if not given.names or mutant.name in given.names]
    if given.list:
        console.print(_table((mutant, "") for mutant in chosen))
        return
    if not passes(None):
        sys.exit("the tests fail without any change")
    results = []
    for mutant in chosen:
        results.append((mutant, "survived" if passes(mutant) else "killed"))
        console.print(f"{mutant.name}: {results[-1][1]}")
    console.print(_table(results))
    survivors = sum(result == "survived" for _, result in results)
    if survivors > MOST_SURVIVORS:
        sys.exit(f"{survivors} changes survive; {MOST_SURVIVORS} may")


def mutate(mutant: Mutant) -> str:
    """Return the changed text of the module.

    Raises
    ------
    LookupError
        If the text to change does not occur exactly once, because the table is out of date.
    """
    source = (ROOT / "sahel_dedup" / mutant.module).read_text(encoding="utf-8")
    if (count := source.count(mutant.old)) != 1:
        raise LookupError(
            f"{mutant.name}: {mutant.old!r} is {count} times in {mutant.module}, not once; "
            "bring the table of benchmarks/mutants.py up to date"
        )
    return source.replace(mutant.old, mutant.new)


def passes(mutant: Mutant | None) -> bool:
    """Whether the tests pass on a copy of the package, with or without a change."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("sahel_dedup", "tests"):
            shutil.copytree(
                ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        shutil.copy(ROOT / "pyproject.toml", folder)
        if mutant:
            (folder / "sahel_dedup" / mutant.module).write_text(mutate(mutant), encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *TESTS]
        # Machine code of the original must not be used.
        environment = os.environ | {"PYTHONPATH": name, "NUMBA_CACHE_DIR": str(folder / "code")}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_SECONDS,
            check=False,
        )  # fmt: skip
        if done.returncode > 1:
            raise RuntimeError(f"pytest did not run:\n{done.stdout}\n{done.stderr}")
        return done.returncode == 0


def _table(rows: Iterable[tuple[Mutant, str]]) -> Table:
    table = Table("change", "module", "from", "to", "result")
    for mutant, result in rows:
        change = (escape(text.strip()) for text in (mutant.old, mutant.new))
        table.add_row(mutant.name, mutant.module, *change, result)
    return table


if __name__ == "__main__":
    main()
