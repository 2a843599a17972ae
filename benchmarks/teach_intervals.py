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
_WITHOUT = "drawn, without imagined answers"


def main() -> None:
    """Give lessons in both worlds and compare what they state with the truth."""
    data, _ = arguments(__doc__, [])
    pools, priors = measured(data)
    show({name: lessons(pool, priors[name]) for name, pool in pools.items()})


def show(found: dict[str, dict[str, dict[str, float]]]) -> None:
    """Print and save what `lessons` returned for each archive."""
    table = Table("archive", "world", *(name.replace("_", " ") for name in NAMES))
    for name, worlds in found.items():
        for world, held in worlds.items():
            table.add_row(name, world, *(f"{held[key]:.2f}" for key in NAMES))
    console.print(table)
    save("teach_intervals", found)


def lessons(pool: Judged, prior: Floats) -> dict[str, dict[str, float]]:
    """Return the share of the lessons about an archive whose intervals hold the truth.

    Returns
    -------
    dict of str to dict of str to float
        By world, and by what the intervals are of.
    """
    chance = probabilities(log_odds(pool.features, pool.dated, prior))
    spread = spreads(pool.features, pool.dated, chance * (1 - chance) + 1e-9)
    truth = fit_weights(pool, prior, spread)
    found: dict[str, list[list[bool]]] = {"judged": [], "drawn": [], _WITHOUT: []}
    for number in range(LESSONS):
        for world in ("judged", "drawn"):
            generator = np.random.default_rng(number)
            pairs = pool if world == "judged" else drawn(pool, truth, generator)
            held = lesson(pairs, prior, generator)
            if held is not None:
                found[world].append(held[0])
                if world == "drawn":
                    found[_WITHOUT].append(held[1])
    return {
        world: dict(zip(NAMES, np.mean(held, axis=0).round(3).tolist(), strict=True))
        for world, held in found.items()
    }


def drawn(pool: Judged, truth: Floats, generator: np.random.Generator) -> Judged:
    """Draw pairs with the evidence of judged ones, and whether they are of one event."""
    rows = generator.integers(0, len(pool.same), DRAWN)
    chance = probabilities(log_odds(pool.features[rows], pool.dated[rows], truth))
    same = generator.random(DRAWN) < chance
    return Judged(pool.features[rows], pool.dated[rows], same)


def lesson(
    pairs: Judged, prior: Floats, generator: np.random.Generator
) -> tuple[list[bool], list[bool]] | None:
    """Say which intervals hold the truth, with imagined answers and without."""
    asked, weight, constants, spread = asked_in_rounds(pairs, prior, generator)
    answers = pairs.where(asked)
    if answers.same.all() or not answers.same.any():
        return None  # `teach` refuses these.
    rest = pairs.where(np.setdiff1d(np.arange(len(pairs.same)), asked))
    odds = [log_odds(rest.features, rest.dated, by) for by in (prior, constants)]
    before = log_odds(answers.features, answers.dated, prior)
    after = left_out_odds(answers, prior, spread)
    true = truth_of(pairs, prior, constants)
    held: list[list[bool]] = []
    for unasked in (Unasked(odds[0], odds[1], np.ones(len(rest.same))), None):
        stated = expect(before, after, answers.same, weight, _THRESHOLD, unasked)
        intervals = [getattr(stated, key) for key in NAMES]
        held.append([
            found.low - 1e-9 <= true[key] <= found.high + 1e-9
            for key, found in zip(NAMES, intervals, strict=True)
        ])  # fmt: skip
    return held[0], held[1]


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
