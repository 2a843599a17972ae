"""An archive that has grown: what a run costs that has a checkpoint of the day before.

150,000 articles (benchmarks/scale.py) in five files are grouped with a checkpoint, and then again
with a sixth file of 500. That is compared with a run over all six without a checkpoint: processor
seconds of the whole command, and whether both write the same bytes.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.common import arguments, console, save
from benchmarks.scale import articles, bulk

ARTICLES, FILES, NEW = 150_000, 5, 500


def main() -> None:
    """Make the files, run the command on them, and print what each run took."""
    folder, _ = arguments(__doc__)
    made = articles(bulk(folder), ARTICLES + NEW)
    with TemporaryDirectory() as place:
        scratch = Path(place)
        old = [
            _write(scratch / f"{number}.jsonl", islice(made, ARTICLES // FILES))
            for number in range(FILES)
        ]
        new = _write(scratch / "new.jsonl", made)
        kept = ["--checkpoint", str(scratch / "kept")]
        # What is compiled once is not counted.
        subprocess.run([sys.executable, "-m", "sahel_dedup", "warmup"], check=True)
        seconds = {
            "first run": _cluster(old, scratch / "old.jsonl", kept),
            "grown": _cluster([*old, new], scratch / "grown.jsonl", kept),
            "without": _cluster([*old, new], scratch / "whole.jsonl"),
        }
        same = (scratch / "grown.jsonl").read_bytes() == (scratch / "whole.jsonl").read_bytes()
        size = sum(path.stat().st_size for path in (scratch / "kept").iterdir())
    results = {
        "articles": ARTICLES, "new": NEW, "cpu_seconds": seconds,
        "grown to without": seconds["grown"] / seconds["without"], "same output": same,
        "checkpoint MB": size / 1e6,
    }  # fmt: skip
    console.print(results)
    save("grown", results)


def _write(path: Path, rows: Iterator[dict[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def _cluster(inputs: Sequence[Path], output: Path, more: Sequence[str] = ()) -> float:
    """Run the command line; return its processor seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "sahel_dedup", "cluster", *map(str, inputs)]
    subprocess.run([*command, "--output", str(output), *more], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
