"""What each piece of evidence and each rule earns: everything else equal, with it and without.

    python -m benchmarks.ablation [--data FOLDER] [pieces] [rules]

pieces     Without a piece of evidence the others are fitted anew by the logistic regression of
           benchmarks/fit_evidence.py, so the row to compare with is ``regression``.
rules      Without a rule the shipped constants stay; the row to compare with is ``shipped``.

Columns: judged pairs of four archives (precision / recall), estimated precision without dates
of two, mean B-cubed F1 of the archive benchmark, look-alike attacks (precision / recall),
judged pairs of semeval22_en (F1), planted copies of mccormick_plagiarism_1000 (precision).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from benchmarks.common import arguments, console, save
from benchmarks.fit_evidence import (
    ARCHIVE,
    GOALS,
    MCCORMICK,
    SEMEVAL,
    UNDATED,
    Sample,
    Set,
    chance_free,
    compared_sets,
    fit,
    labelled_f1,
    samples,
)
from benchmarks.precision import ESTIMATED, weighted
from sahel_dedup import Settings, batch, evidence, linkage, sketching
from sahel_dedup.evaluation import evaluate
from sahel_dedup.evidence import WEIGHTS
from sahel_dedup.features import FEATURES

PIECES = {
    "contrast": ("contrast", "recurring"),
    "recurring": ("recurring",),
    "outlets": ("same_outlet", "other_outlet"),
    "hours": ("hours",),
    "figures": ("figures_shared", "figures_lacking", "figures_conflicting"),
    "figures in conflict": ("figures_conflicting",),
    "title": ("title", "title_figures", "no_title"),
    "figures of the titles": ("title_figures",),
    "verbatim": ("verbatim",),
    "all but wording": FEATURES[2:],
}
Rule = Callable[[], AbstractContextManager[Any]]


def no_pages(body: NDArray[np.uint64], *_: Any) -> NDArray[np.bool_]:
    """Stand in for `hollow`: no text is a mere page."""
    return np.zeros(len(body), dtype=bool)


def no_furniture(_text: str) -> list[Any]:
    """Stand in for `find_furniture`: nothing is cut."""
    return []


RULES: dict[str, Rule] = {
    "window": partial(mock.patch.object, Settings, "window_days", float("inf")),
    "furniture": partial(mock.patch.object, sketching, "find_furniture", no_furniture),
    "pages under many headlines": partial(mock.patch.object, batch, "hollow", no_pages),
    "strong start of undated stories": partial(
        mock.patch.object, linkage, "UNDATED_START", -np.inf
    ),
    "floor of scores": partial(mock.patch.object, evidence, "FLOOR", -evidence.LIMIT),
}


def main() -> None:
    """Do what is asked for."""
    data, chosen = arguments(__doc__, ["pieces", "rules"])
    sets = dict(compared_sets(data))
    shipped = measure(sets, WEIGHTS)
    rows = {"shipped": shipped}
    if "pieces" in chosen:
        rows |= pieces(sets)
    if "rules" in chosen:
        rows |= rules(data)
    table = Table("without", *shipped)
    for name, found in rows.items():
        table.add_row(name, *found.values())
    console.print(table)
    if len(chosen) == 2:
        save("ablation", rows)


def pieces(sets: dict[str, Set]) -> dict[str, dict[str, str]]:
    """Leave out one piece of evidence at a time."""
    known = {name: part for set_, kept in sets.items() for name, part in samples(set_, kept)}
    found = {"regression": measure(sets, regression(known, ()))}
    for name, left_out in PIECES.items():
        found[name] = measure(sets, regression(known, left_out))
    return found


def regression(known: dict[str, Sample], left_out: tuple[str, ...]) -> NDArray[np.float64]:
    """Fit both rows of weights without some pieces."""
    columns = [FEATURES.index(name) for name in left_out]
    weights = []
    for row in range(len(WEIGHTS)):
        parts = {name: sample.row(row) for name, sample in known.items()}
        for part in parts.values():
            part.features[:, columns] = 0.0
        weights.append(fit({name: part for name, part in parts.items() if len(part.same)}, row))
    return np.array(weights)


def rules(data: Path) -> dict[str, dict[str, str]]:
    """Leave out one rule at a time; all archives are read and compared anew."""
    found = {}
    for name, without in RULES.items():
        with without():
            found[name] = measure(dict(compared_sets(data)), WEIGHTS)
    return found


def measure(sets: dict[str, Set], weights: NDArray[np.float64]) -> dict[str, str]:
    """Group all archives, and score the stories."""
    stories = {name: kept.stories(weights, 0.0) for name, kept in sets.items()}
    found = {}
    for name in (*GOALS, SEMEVAL):
        p, r = weighted(sets[name].pairs, stories[name])
        found[name] = f"{2 * p * r / (p + r):.3f}" if name == SEMEVAL else f"{p:.2f} / {r:.2f}"
    undated = [name + UNDATED for name in ESTIMATED]
    found["undated"] = " / ".join(f"{chance_free(sets[n], stories[n]):.2f}" for n in undated)
    found["B³ F1"] = f"{labelled_f1(sets[ARCHIVE].rows, stories[ARCHIVE]):.3f}"
    gold = {row["id"]: row["story"] for row in sets[MCCORMICK].rows}
    found["mccormick"] = f"{evaluate(stories[MCCORMICK], gold).pairwise.precision:.2f}"
    return found


if __name__ == "__main__":
    main()
