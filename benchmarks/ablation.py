"""The contribution of each piece of evidence: results with it and without it.

    python -m benchmarks.ablation [--data FOLDER]

Without a piece, the others are fitted again, for each archive without it and its family. Columns:
precision and recall of "in one story" on the judged pairs of each archive at the default setting,
their means over the five archives of `benchmarks.precision`, and the mean B-cubed F1 of the
archive benchmark with constants fitted on all archives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.common import LABELLED, arguments, console, save
from benchmarks.fit_evidence import Known
from benchmarks.judged import ARCHIVE, FAMILY, Set, judged_sets, other_sets
from benchmarks.precision import mean_scores, score_pairs
from benchmarks.quality import bcubed
from sahel_dedup.settings import Settings

PIECES = {
    "nothing left out": (),
    "recurring": ("contrast", "recurring"),
    "same outlet, and what is measured within it": (
        "same_outlet", "other_length", "untitled", "numbers_conflicting",
    ),
    "other length within one outlet": ("other_length",),
    "untitled within one outlet": ("untitled",),
    "figures in conflict within one outlet": ("numbers_conflicting",),
    "hours": ("hours",),
    "figures shared": ("numbers_shared",),
    "title": ("title",),
    "opening": ("opening",),
    "headline": ("headline",),
}  # fmt: skip


def main() -> None:
    """Leave out one piece of evidence at a time."""
    data, _ = arguments(__doc__)
    sets = dict(judged_sets(data))
    others = dict(other_sets(data))
    known = Known.read(data, sets, others)
    rows = {}
    for name, pieces in PIECES.items():
        rows[name] = measure(known, sets, others[ARCHIVE], frozenset(pieces))
        console.print(name, rows[name])
    table = Table("without", *rows["hours"])
    for name, found in rows.items():
        table.add_row(name, *found.values())
    console.print(table)
    save("ablation", rows)


def measure(
    known: Known, sets: dict[str, Set], kept: Set, unused: frozenset[str]
) -> dict[str, Any]:
    """Group all archives without some pieces, and score the stories."""
    threshold = Settings().merge_threshold
    scores = {
        name: score_pairs(found.pairs, found.stories(known.weights(name, unused), threshold))
        for name, found in sets.items()
    }
    scores["mean"] = mean_scores(scores)
    row = {
        name: f"{scores[name]['precision, cut']:.2f} / {scores[name]['recall, cut']:.2f}"
        for name in (*FAMILY, "mean")
    }
    return row | {
        "B³ F1": f"{labelled_f1(kept, kept.stories(known.weights(None, unused), threshold)):.3f}"
    }


def labelled_f1(kept: Set, stories: dict[str, str]) -> float:
    """Mean B-cubed F1 over the labelled sets."""
    found = []
    for name in LABELLED:
        rows = [row for row in kept.rows if row["id"].startswith(f"{name}/")]
        found.append(bcubed([stories[row["id"]] for row in rows], rows)[2])
    return float(np.mean(found))


if __name__ == "__main__":
    main()
