"""The effect of sixty answers: average precision on judged pairs before and after.

    python -m benchmarks.teach [--data FOLDER]

For each archive the prior is fitted without the archive and its family, as in
benchmarks/fit_evidence.py: the constants of the release were fitted on its pairs. Sixty of its
judged pairs of the second round are asked about, in three rounds of twenty, each chosen with what
was learnt before; the others are scored. There are twenty repetitions with different draws.

Prints the unweighted average precision of the pairs that were not asked about, with the prior and
with what was learnt, and the gain at other strengths of the prior. The last line prints the
strength that would be chosen for each archive on the others.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.table import Table
from sklearn.metrics import average_precision_score

from benchmarks.common import archive, arguments, console, save
from benchmarks.fit_evidence import Known
from benchmarks.judged import ARCHIVE, FAMILY, compare, judged_sets
from sahel_dedup.evaluation.teaching import fitting
from sahel_dedup.evaluation.teaching.asking import draw_doubtful
from sahel_dedup.evaluation.teaching.fitting import (
    Judged,
    fit_weights,
    log_odds,
    probabilities,
    spreads,
)
from sahel_dedup.scoring.features import FEATURES

ANSWERS, ROUNDS, REPETITIONS = 60, 3, 20
STRENGTHS = (3.0, 10.0, 30.0)
_HOURS, _SAME_OUTLET = FEATURES.index("hours"), FEATURES.index("same_outlet")


def main() -> None:
    """Teach each archive and score what was learnt."""
    data, _ = arguments(__doc__, [])
    pools, priors = measured(data)
    gains = {}
    for strength in STRENGTHS:
        fitting.STRENGTH = strength
        for name, pool in pools.items():
            gains[strength, name] = taught(pool, priors[name])
    table = Table("archive", "pairs", "before", "after", *(f"gain at {s:g}" for s in STRENGTHS))
    results = {}
    for name, pool in pools.items():
        before, after = gains[10.0, name]
        by_strength = [gains[s, name][1] - gains[s, name][0] for s in STRENGTHS]
        table.add_row(
            name, str(len(pool.same)), f"{before:.3f}", f"{after:.3f}",
            *(f"{gain:+.3f}" for gain in by_strength),
        )  # fmt: skip
        results[name] = {"before": round(before, 3), "after": round(after, 3)}
    console.print(table)
    for name in pools:
        others = [other for other in pools if FAMILY[other] != FAMILY[name]]
        mean = {s: np.mean([gains[s, o][1] - gains[s, o][0] for o in others]) for s in STRENGTHS}
        console.print(f"{name}: strength chosen on the others {max(mean, key=mean.__getitem__):g}")
    save("teach", results)


def measured(data: Path) -> tuple[dict[str, Judged], dict[str, NDArray[np.float64]]]:
    """Measure the judged pairs of each archive, and fit its prior without it."""
    sets = dict(judged_sets(data))
    known = Known.read(data, sets, {ARCHIVE: compare(list(archive(data)), [])})
    pools = {}
    for name, found in sets.items():
        sample = found.measured([pair for pair in found.pairs if pair["round"] == 2])
        pools[name] = Judged(sample.features, sample.features[:, _HOURS] != 0, sample.same)
    return pools, {name: known.weights(name) for name in pools}


def taught(pool: Judged, prior: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean average precision of the other pairs, before and after."""
    before: list[float] = []
    after: list[float] = []
    for repetition in range(REPETITIONS):
        generator = np.random.default_rng(repetition)
        asked, _, weights, _ = asked_in_rounds(pool, prior, generator)
        rest = pool.where(np.setdiff1d(np.arange(len(pool.same)), asked))
        for found, constants in ((before, prior), (after, weights)):
            odds = log_odds(rest.features, rest.dated, constants)
            found.append(average_precision_score(rest.same, odds))
    return float(np.mean(before)), float(np.mean(after))


def asked_in_rounds(
    pool: Judged, prior: NDArray[np.float64], generator: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Ask about pairs in rounds, each chosen by what was learnt before.

    Returns
    -------
    asked : ndarray of int64, shape (n,)
        Places of the pairs.
    weight : ndarray of float64, shape (n,)
        How many pairs each represents.
    constants, spread : ndarray of float64, shape (2, len(FEATURES))
        What was learnt, and what `fit_weights` was given for it.
    """
    weights, asked, weight = prior, np.zeros(0, dtype=np.int64), np.zeros(0)
    chance = probabilities(log_odds(pool.features, pool.dated, prior))
    spread = spreads(pool.features, pool.dated, chance * (1 - chance) + 1e-9)
    for _ in range(ROUNDS):
        free = np.setdiff1d(np.arange(len(pool.same)), asked)
        rest = pool.where(free)
        chance = probabilities(log_odds(rest.features, rest.dated, weights))
        kind = 2 * rest.dated + (rest.features[:, _SAME_OUTLET] > 0)
        drawn, inclusion = draw_doubtful(chance, kind, ANSWERS // ROUNDS, generator)
        asked = np.concatenate([asked, free[drawn]])
        weight = np.concatenate([weight, 1 / inclusion])
        weights = fit_weights(pool.where(asked), prior, spread)
    return asked, weight, weights, spread


if __name__ == "__main__":
    main()
