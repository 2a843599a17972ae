"""Someone who packs the library into an image: start-up, code that is compiled once, processes.

python packager.py
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

from common import ROWS, works

import sahel_dedup


def run(*arguments: str, **variables: str) -> str:
    """Run a command with some variables and return all that it prints."""
    done = subprocess.run(
        [sys.executable, *arguments], env={**os.environ, **variables}, check=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    return done.stdout


def start() -> None:
    """Start without what is slow to import and may not be needed."""
    source = "import sys, sahel_dedup; print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in run("-c", source).split()}
    slow = {"numba", "scipy", "polars", "pandas", "sklearn", "datasketch", "wordfreq", "numpy"}
    works("import", not loaded & slow)
    works("--help", "warmup" in run("-m", "sahel_dedup", "--help"))
    works("--version", run("-m", "sahel_dedup", "--version"))


def compile_once(folder: Path) -> None:
    """Compile while an image is made, and never again."""
    cache = str(folder / "code")
    first = run("-m", "sahel_dedup", "warmup", NUMBA_CACHE_DIR=cache)
    works("first warmup", "compiling" in first and cache in first)
    later = run("-m", "sahel_dedup", "demo", NUMBA_CACHE_DIR=cache)
    works("demo after it", "compiling" not in later and "story" in later)


def read_only(folder: Path) -> None:
    """Run where no folder for machine code can be made: a warning names the remedy."""
    (folder / "file").touch()
    source = f"import sahel_dedup; print(sahel_dedup.cluster({ROWS[:1]!r}))"
    said = run("-c", source, NUMBA_CACHE_DIR=str(folder / "file" / "code"))
    works("no folder for machine code", "Set NUMBA_CACHE_DIR" in said and said)


def size(_: int) -> int:
    """Group in a process of its own."""
    return len(sahel_dedup.cluster(ROWS))


def processes() -> None:
    """Use other processes and threads."""
    for method in multiprocessing.get_all_start_methods():
        with multiprocessing.get_context(method).Pool(1) as pool:
            works(method, pool.map(size, [0]) == [2])
    threads = [threading.Thread(target=size, args=(0,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    start()
    with TemporaryDirectory() as folder:
        compile_once(Path(folder))
        read_only(Path(folder))
    processes()


if __name__ == "__main__":
    main()
