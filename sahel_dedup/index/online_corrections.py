"""Corrections in a stream: which live articles they name, and which stories they keep apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.corrections.placing import place_groups
from sahel_dedup.index.live import Live


def groups_among(live: Live, rows: Iterable[int]) -> dict[int, str]:
    """Return the groups of the rows whose articles corrections name, by row."""
    if not live.corrections:
        return {}
    found = ((row, live.corrections.group(live.ids[row])) for row in rows)
    return {row: group for row, group in found if group is not None}


def must_be_apart(live: Live, row: int, other: int) -> bool:
    """Whether corrections keep the stories of two rows apart."""
    if not live.corrections:
        return False
    groups = (groups_among(live, live.members(r)).values() for r in (row, other))
    return live.corrections.are_rivals(*groups)


def is_held(live: Live, row: int) -> bool:
    """Whether the story of a row may be one by corrections: it has two articles of a group."""
    groups = list(groups_among(live, live.members(row)).values()) if live.corrections else []
    return len(set(groups)) < len(groups)


def placed(live: Live, rows: Sequence[int], labels: NDArray[np.int64]) -> list[list[int]]:
    """Bring the articles of each group of corrections together.

    Parameters
    ----------
    live : Live
    rows : sequence of int
        The articles of some stories, rising.
    labels : ndarray of int64, shape (n,)
        A number for each, the same for those of one story.

    Returns
    -------
    list of list of int
        Rows of each story, that of the oldest article first.
    """
    place = {row: i for i, row in enumerate(rows)}
    groups = {place[row]: group for row, group in groups_among(live, rows).items()}
    labels = place_groups(labels, groups, live.corrections)
    # Later copies go where the first of their text goes.
    originals = [place[int(live.standing.duplicate_of[row])] for row in rows]
    found: dict[int, list[int]] = {}
    for row, label in zip(rows, labels[originals].tolist(), strict=True):
        found.setdefault(label, []).append(row)
    return list(found.values())
