"""Time to start: importing, help, the demo, and compiling in the first run.

CPU seconds of whole processes, the lowest of some runs. Compiling is measured once, with an empty
folder for machine code. ``--loops`` lists the compile time of each loop instead, without the loops
that it calls.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from typing import Any

from rich.table import Table

from benchmarks.common import console, save

_RUNS = 3
_CLI = [sys.executable, "-m", "sahel_dedup"]
# The command, the number of runs, and the most CPU seconds that it should take.
STARTS: dict[str, tuple[list[str], int, float]] = {
    "warmup, first run": ([*_CLI, "warmup"], 1, 15.0),
    "python": ([sys.executable, "-c", "pass"], _RUNS, 0.4),
    "import sahel_dedup": ([sys.executable, "-c", "import sahel_dedup"], _RUNS, 0.4),
    "sahel-dedup --help": ([*_CLI, "--help"], _RUNS, 0.4),
    "sahel-dedup demo, second run": ([*_CLI, "demo"], _RUNS, 2.5),
}


def cpu_seconds(command: list[str]) -> float:
    """Return the CPU seconds of a process that should succeed, its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def starts() -> dict[str, float]:
    """Measure every start, with a folder for machine code that is empty at first."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NUMBA_CACHE_DIR"] = folder
        return {
            name: round(min(cpu_seconds(command) for _ in range(runs)), 2)
            for name, (command, runs, _) in STARTS.items()
        }


def loops() -> dict[str, list[float]]:
    """Compile everything in this process: CPU seconds of each loop, by combination of types."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NUMBA_CACHE_DIR"] = folder
        # Imported only now, because Numba reads the variable on import.
        from numba.core import event

        from sahel_dedup.cli.warmup import warmup

        seconds: dict[str, list[float]] = defaultdict(list)
        running: list[list[float]] = []

        class Compilations(event.Listener):  # type: ignore[misc]
            def on_start(self, started: Any) -> None:
                running.append([time.process_time(), 0.0])

            def on_end(self, ended: Any) -> None:
                start, inside = running.pop()
                took = time.process_time() - start
                if running:
                    running[-1][1] += took
                function = ended.data["dispatcher"].py_func
                module = function.__module__
                name = function.__qualname__ if module.startswith("sahel_dedup") else "NumPy's"
                seconds[f"{module}.{name}"].append(took - inside)

        with event.install_listener("numba:compile", Compilations()):
            warmup()
        return seconds


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--loops", action="store_true", help="list what each loop costs")
    if parser.parse_args().loops:
        seconds = loops()
        table = Table("loop", "combinations of types", "CPU, s")
        for name, each in sorted(seconds.items(), key=lambda item: -sum(item[1])):
            table.add_row(name, str(len(each)), f"{sum(each):.2f}")
        console.print(table)
        console.print(f"{sum(map(sum, seconds.values())):.1f} s in all")
        return
    measured = starts()
    table = Table("", "CPU, s", "at most")
    for name, took in measured.items():
        table.add_row(name, f"{took:.2f}", f"{STARTS[name][2]:g}")
    console.print(table)
    save("startup", measured)


if __name__ == "__main__":
    main()
