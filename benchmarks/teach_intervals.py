"""How often the intervals that `teach` states hold the truth, in simulated lessons.

    python -m benchmarks.teach_intervals [--data FOLDER]

For each archive the prior is fitted without the archive and its family, sixty pairs are asked about
in three rounds, and `expect` states precision and recall of the pairs of the archive before and
after, and their change, with intervals of 95 %. This is repeated in two worlds:

- judged: the archive is its judged pairs, and an answer is the judgement of a person.
- drawn: the archive is 3,000 pairs with the evidence of judged pairs, and whether a pair is of one
  event is drawn with the probability by constants that all judged pairs of the archive teach.

The truth is counted over all pairs of the world. Prints the share of the lessons whose interval
holds it, with imagined answers and, in the drawn world, without.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.common import arguments, console, save
from benchmarks.teach import asked_in_rounds, measured
from sahel_dedup.evaluation.teaching.expectation import (
    Expectation,
    Unasked,
    expect,
    left_out_odds,
)
from sahel_dedup.evaluation.teaching.fitting import (
    Judged,
    fit_weights,
    log_odds,
    probabilities,
    spreads,
)
from sahel_dedup.settings import Settings

LESSONS, DRAWN = 100, 3_000
_THRESHOLD = Settings().merge_threshold
NAMES = tuple(field.name for field in fields(Expectation))
Floats = NDArray[np.float64]
World = Callable[[np.random.Generator], Judged]


def main() -> None:
    """Give lessons in both worlds and compare what they state with the truth."""
    data, _ = arguments(__doc__, [])
    pools, priors = measured(data)
    table = Table("archive", "world", "imagined", *(name.replace("_", " ") for name in NAMES))
    results: dict[str, dict[str, float]] = {}
    for name, pool in pools.items():
        prior = priors[name]
        chance = probabilities(log_odds(pool.features, pool.dated, prior))
        truth = fit_weights(
            pool, prior, spreads(pool.features, pool.dated, chance * (1 - chance) + 1e-9)
        )

        def drawn(generator: np.random.Generator, pool: Judged = pool,
                  truth: Floats = truth) -> Judged:  # fmt: skip
            rows = generator.integers(0, len(pool.same), DRAWN)
            chance = probabilities(log_odds(pool.features[rows], pool.dated[rows], truth))
            same = generator.random(DRAWN) < chance
            return Judged(pool.features[rows], pool.dated[rows], same)

        def judged(_generator: np.random.Generator, pool: Judged = pool) -> Judged:
            return pool

        worlds: tuple[tuple[str, World, bool], ...] = (
            ("judged", judged, True), ("drawn", drawn, True), ("drawn", drawn, False),
        )  # fmt: skip
        for label, world, imagined in worlds:
            held = coverage(world, prior, imagined)
            table.add_row(
                name, label, "yes" if imagined else "no", *(f"{held[key]:.2f}" for key in NAMES)
            )
            results[f"{name} {label}{'' if imagined else ' without imagined answers'}"] = held
    console.print(table)
    save("teach_intervals", results)


def coverage(world: World, prior: Floats, imagined: bool) -> dict[str, float]:
    """Return the share of the lessons whose intervals hold the truth, by what they are of."""
    held: list[list[bool]] = []
    for number in range(LESSONS):
        generator = np.random.default_rng(number)
        pairs = world(generator)
        asked, weight, constants, spread = asked_in_rounds(pairs, prior, generator)
        answers = pairs.where(asked)
        if answers.same.all() or not answers.same.any():
            continue  # `teach` refuses these.
        rest = pairs.where(np.setdiff1d(np.arange(len(pairs.same)), asked))
        odds = [log_odds(rest.features, rest.dated, by) for by in (prior, constants)]
        stated = expect(
            log_odds(answers.features, answers.dated, prior),
            left_out_odds(answers, prior, spread), answers.same, weight, _THRESHOLD,
            Unasked(odds[0], odds[1], np.ones(len(rest.same))) if imagined else None,
        )  # fmt: skip
        true = truth_of(pairs, prior, constants)
        held.append([
            (found := getattr(stated, key)).low - 1e-9 <= true[key] <= found.high + 1e-9
            for key in NAMES
        ])  # fmt: skip
    return dict(zip(NAMES, np.mean(held, axis=0).round(3).tolist(), strict=True))


def truth_of(pairs: Judged, prior: Floats, constants: Floats) -> dict[str, float]:
    """Count precision and recall over all pairs, before and after."""
    found: dict[str, float] = {}
    for when, weights in (("before", prior), ("after", constants)):
        reached = log_odds(pairs.features, pairs.dated, weights) >= _THRESHOLD
        both = int(np.count_nonzero(reached & pairs.same))
        found[f"precision_{when}"] = both / max(int(np.count_nonzero(reached)), 1)
        found[f"recall_{when}"] = both / max(int(np.count_nonzero(pairs.same)), 1)
    for name in ("precision", "recall"):
        found[f"{name}_change"] = found[f"{name}_after"] - found[f"{name}_before"]
    return found


if __name__ == "__main__":
    main()
