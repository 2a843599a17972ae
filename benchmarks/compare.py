"""Speed, memory and quality compared with alternatives, on planted copies.

45,000 pieces of bulk news of about 350 words with 5,000 planted copies (benchmarks/planted.py),
without date and source. Every contestant runs in a process of its own, pinned to one core; ours
also runs on two. Install the others with ``pip install -r benchmarks/requirements-peers.txt``.

Recall is that of planted pairs: all pairs within a group, and by kind the pairs of an original
with a copy of that kind. Precision counts every other pair as wrong, except two pieces of one
article, which do report one event. It is a lower bound, because the news contains real copies too.
Compare the ratios, because seconds depend on the machine.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.common import arguments, console, peak_mb, read, save
from benchmarks.peers import PEERS, datasketch_signatures
from benchmarks.planted import KINDS, Planted, pairs_within, plant, segments
from sahel_dedup import Settings, cluster, fingerprints
from sahel_dedup.sketch.fingerprint import shingle_slots
from sahel_dedup.text.tokenizer import tokenize

ORIGINALS, COPIES = 45_000, 5_000
# Signatures take about the same work for each text, so fewer texts are enough.
SIGNED = 10_000
OURS, OURS_TWO = "sahel_dedup", "sahel_dedup, two cores"
_ONE_BLOCK = 32

Work = Callable[[Sequence[str], int], Any]


def our_groups(texts: Sequence[str], cores: int) -> Any:
    """Group texts as a user would, without dates, outlets and languages."""
    rows = ({"id": str(i), "text": text} for i, text in enumerate(texts))
    return cluster(rows, Settings(workers=cores)).labels


def our_fingerprints(texts: Sequence[str], cores: int) -> None:
    """Compute both signatures of each text: salience and shingles."""
    rows = ({"id": str(i), "text": text} for i, text in enumerate(texts))
    for _ in fingerprints(rows, workers=cores):
        pass


def our_minhashes(texts: Sequence[str], _: int) -> None:
    """Compute only the shingle signature, as datasketch does."""
    for start in range(0, len(texts), _ONE_BLOCK):
        tokens = tokenize(texts[start : start + _ONE_BLOCK])
        shingle_slots(tokens.hashes, tokens.offsets)


def their_minhashes(texts: Sequence[str], _: int) -> None:
    """Compute shingle signatures with datasketch, in bulk."""
    for _signature in datasketch_signatures(texts):
        pass


def _peer(group: Callable[[Sequence[str]], Any]) -> Work:
    return lambda texts, _: group(texts)


GROUPING: dict[str, Work] = {
    OURS: our_groups,
    OURS_TWO: our_groups,
    **{name: _peer(group) for name, group in PEERS.items()},
}
SIGNING: dict[str, Work] = {
    "MinHash: datasketch.MinHash.bulk": their_minhashes,
    "MinHash: sahel_dedup": our_minhashes,
    "both fingerprints: sahel_dedup": our_fingerprints,
}


def main() -> None:
    """Run all contestants and print the tables."""
    if sys.argv[1:2] == ["--child"]:
        _child(*sys.argv[2:])
        return
    folder, _ = arguments(__doc__)
    archive, article_of = make_archive(folder)
    results: dict[str, Any] = {"articles": len(archive), "grouping": {}, "signing": {}}
    with TemporaryDirectory() as scratch:
        path = Path(scratch) / "texts.json"
        path.write_text(json.dumps([article.text for article in archive]), encoding="utf-8")
        for name in GROUPING:
            if measured := _measure(name, path):
                labels = np.array(measured.pop("labels"))
                results["grouping"][name] = measured | quality(archive, article_of, labels)
        path.write_text(json.dumps([article.text for article in archive[:SIGNED]]))
        for name in SIGNING:
            if measured := _measure(name, path):
                results["signing"][name] = measured
    _print(results)
    save("compare", results)


def make_archive(folder: Path) -> tuple[list[Planted], list[str]]:
    """Cut the bulk news into originals and plant copies of some.

    Returns
    -------
    archive : list of Planted
    article_of : list of str
        The article from which each original was cut.
    """
    pieces = [
        [
            (f"{name}/{row['id']}", piece)
            for row in read(folder / "bulk" / f"{name}.jsonl.gz")
            for piece in segments(row["text"])
        ]
        for name in ("allsides_en", "lk_news_en")
    ]
    # The first has almost no real copies, so all of it is used, and as much of the second as
    # needed.
    random.Random(1).shuffle(pieces[1])
    originals = (pieces[0] + pieces[1])[:ORIGINALS]
    return plant([piece for _, piece in originals], COPIES), [name for name, _ in originals]


def quality(
    archive: Sequence[Planted], article_of: Sequence[str], labels: np.ndarray[Any, Any]
) -> dict[str, float]:
    """Measure recall of planted pairs, in total and by kind, and precision."""
    original = {a.group: i for i, a in enumerate(archive) if a.kind == "original"}
    found: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for article, label in zip(archive, labels, strict=True):
        if article.kind != "original":
            total[article.kind] += 1
            found[article.kind] += bool(label == labels[original[article.group]])
    groups = np.array([article.group for article in archive])
    articles = np.unique([article_of[group] for group in groups], return_inverse=True)[1]
    right, neutral = (pairs_within(labels * len(archive) + owner) for owner in (groups, articles))
    return {
        "recall": right / pairs_within(groups),
        "precision": right / max(pairs_within(labels) - neutral + right, 1),
        **{kind: found[kind] / total[kind] for kind in KINDS},
        "largest": int(np.bincount(labels).max()),
    }


def _measure(name: str, texts: Path) -> dict[str, Any] | None:
    """Run one contestant in a process of its own."""
    console.print(f"{name} ...")
    single = {f"{kind}_NUM_THREADS": "1" for kind in ("OMP", "OPENBLAS", "MKL", "RAYON", "POLARS")}
    command = [sys.executable, "-m", "benchmarks.compare", "--child", name, str(texts)]
    done = subprocess.run(
        command, env=os.environ | single, stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        console.print(f"  left out: it ended with status {done.returncode}")
        return None
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured


def _child(name: str, path: str) -> None:
    """Do the work of one contestant, and write its cost and its groups as JSON."""
    cores = 2 if name == OURS_TWO else 1
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-cores:])
    work = (GROUPING | SIGNING)[name]
    texts = json.loads(Path(path).read_text(encoding="utf-8"))
    size = sum(len(text.encode()) for text in texts)
    # Data that is loaded on first use (word lists, tables) is a cost per process, not per article.
    work(texts[:50], cores)
    before = peak_mb()
    wall, cpu = time.perf_counter(), _processor_seconds()
    labels = work(texts, cores)
    wall, cpu = time.perf_counter() - wall, _processor_seconds() - cpu
    peak = peak_mb()
    measured = {
        "cpu_seconds": cpu,
        "wall_seconds": wall,
        "articles_per_cpu_second": len(texts) / cpu,
        "mb_per_cpu_second": size / cpu / 1e6,
        "peak_mb": peak,
        "added_mb": peak - before,
    }
    if labels is not None:
        measured["labels"] = np.asarray(labels).tolist()
    json.dump(measured, sys.stdout)


def _processor_seconds() -> float:
    """Return the processor time of this process and of its finished children."""
    return sum(os.times()[:4])


def _print(results: dict[str, Any]) -> None:
    table = Table("", "articles/CPU-s", "MB/s", "wall s", "peak MB", "recall", *KINDS, "precision")
    for name, r in results["grouping"].items():
        table.add_row(
            name,
            f"{r['articles_per_cpu_second']:,.0f}",
            f"{r['mb_per_cpu_second']:.1f}",
            f"{r['wall_seconds']:.1f}",
            f"{r['peak_mb']:,.0f}",
            *(f"{r[key]:.3f}" for key in ("recall", *KINDS, "precision")),
        )
    console.print(table)
    table = Table("", "articles/CPU-s", "MB/s", "added MB")
    for name, r in results["signing"].items():
        speed, rate = r["articles_per_cpu_second"], r["mb_per_cpu_second"]
        table.add_row(name, f"{speed:,.0f}", f"{rate:.1f}", f"{r['added_mb']:,.0f}")
    console.print(table)


if __name__ == "__main__":
    main()
