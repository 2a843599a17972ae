"""Time of each stage, compared with the least that it could take.

Groups planted copies (benchmarks/compare.py) on one core. Every stage is timed without the
stages inside it, in processor time of its thread. A floor is the simplest code that does the
essential work of a stage: parsing JSON for reading, ``str.split`` of the lower-cased text for
tokenising, which gives words but neither hashes nor positions, and so on.
"""

from __future__ import annotations

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from unittest import mock

import numpy as np
from rich.table import Table

from benchmarks.common import arguments, console, save
from benchmarks.compare import make_archive
from sahel_dedup import Settings, batch, cluster
from sahel_dedup.articles import Article
from sahel_dedup.scoring import evidence, proposals
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.sketch import sketcher
from sahel_dedup.sketch.fingerprint import RACERS, SLOTS
from sahel_dedup.text.vocabulary import Vocabulary

ARTICLES = 20_000
_SHINGLES = 330
_REPEATS = 5

STAGES: dict[str, tuple[Any, str]] = {
    "reading: mapping to article": (Article, "from_mapping"),
    "boilerplate": (sketcher, "find_boilerplate"),
    "tokenising": (sketcher, "tokenize"),
    "vocabulary": (Vocabulary, "look_up"),
    "prior IDF": (Vocabulary, "prior_idf"),
    "language": (sketcher, "detect"),
    "counting terms": (sketcher, "count_tokens"),
    "salience fingerprint": (sketcher, "salience_slots"),
    "shingle fingerprint": (sketcher, "shingle_slots"),
    "sketching, the rest": (sketcher.Sketcher, "sketch"),
    "candidate pairs": (proposals, "candidate_pairs"),
    "TF-IDF vectors": (Similarity, "__init__"),
    "cosines": (Similarity, "cosines"),
    "surviving pairs": (batch, "surviving_pairs"),
    "recurrence": (batch, "recurrence_scores"),
    "evidence": (evidence.Evidence, "score_pairs"),
    "linking": (batch, "group_compared"),
    "everything else": (batch, "cluster"),
}


class Clock:
    """Processor time by stage, without the stages inside each."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._inside: dict[int, list[float]] = defaultdict(list)

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Wrap a function."""

        def wrapped(*given: Any, **named: Any) -> Any:
            inside = self._inside[threading.get_ident()]
            inside.append(0.0)
            start = time.thread_time()
            try:
                return function(*given, **named)
            finally:
                took = time.thread_time() - start
                self.seconds[stage] += took - inside.pop()
                if inside:
                    inside[-1] += took

        return wrapped


def main() -> None:
    """Time all stages and print them."""
    folder, _ = arguments(__doc__)
    texts = [article.text for article in make_archive(folder)[0][:ARTICLES]]
    rows = [{"id": str(i), "text": text} for i, text in enumerate(texts)]
    # Loads word lists, tables, modules and machine code, which cost a process and not an article.
    cluster(rows[:2000], Settings(workers=1))
    clock = Clock()
    with ExitStack() as stack:
        for stage, (owner, name) in STAGES.items():
            function = getattr(owner, name)
            stack.enter_context(mock.patch.object(owner, name, clock.timed(stage, function)))
        batch.cluster(rows, Settings(workers=1))
    floors = dict(_floors(texts))
    total = sum(clock.seconds.values())
    results: dict[str, Any] = {"articles": len(rows), "stages": {}}
    table = Table("stage", "µs per article", "share", "floor, µs", "the floor is")
    for stage in STAGES:
        took = clock.seconds[stage] / len(rows) * 1e6
        what, least = floors.get(stage, ("", None))
        results["stages"][stage] = {"us": took, "floor_us": least, "floor": what}
        least_text = "" if least is None else f"{least:.1f}"
        share = f"{clock.seconds[stage] / total:.0%}"
        table.add_row(stage, f"{took:.1f}", share, least_text, what)
    table.add_row("all", f"{total / len(rows) * 1e6:.1f}")
    console.print(table)
    save("stages", results)


def _floors(texts: list[str]) -> Iterator[tuple[str, tuple[str, float]]]:
    """Time the essential work of stages, in µs per article."""
    some = texts[:2000]
    lines = [json.dumps({"id": str(i), "text": text}) for i, text in enumerate(some)]
    draw = np.random.default_rng(0)
    block = 32
    values = draw.integers(0, 2**32, (block, _SHINGLES), dtype=np.uint32)
    draws = draw.integers(0, 2**16, (block, RACERS, SLOTS))
    table = draw.random(2**16, dtype=np.float32)
    words = np.sort(draw.integers(0, 2**63, 200_000))
    tokens = draw.choice(words, block * _SHINGLES)
    keys = draw.integers(0, 2**63, len(texts))

    def sign() -> None:
        for k in range(SLOTS):
            (values * np.uint32(2 * k + 1)).min(axis=1)

    yield "reading: mapping to article", ("json.loads", _least(
        lambda: [json.loads(line) for line in lines], len(some)))  # fmt: skip
    yield "tokenising", ("text.lower().split()", _least(
        lambda: [text.lower().split() for text in some], len(some)))  # fmt: skip
    yield "vocabulary", ("set of the words", _least(lambda: set(tokens.tolist()), block))
    yield "counting terms", ("np.sort of the tokens", _least(lambda: np.sort(tokens), block))
    yield "salience fingerprint", ("48 × 128 look-ups, minimum", _least(
        lambda: table.take(draws).min(axis=1), block))  # fmt: skip
    yield "shingle fingerprint", ("128 products and minima", _least(sign, block))
    yield "candidate pairs", ("np.sort, once a band", _least(
        lambda: [np.sort(keys) for _ in range(Settings().layout.bands)], len(keys)))  # fmt: skip


def _least(work: Callable[[], Any], articles: int) -> float:
    best = float("inf")
    for _ in range(_REPEATS):
        start = time.thread_time()
        work()
        best = min(best, time.thread_time() - start)
    return best / articles * 1e6


if __name__ == "__main__":
    main()
