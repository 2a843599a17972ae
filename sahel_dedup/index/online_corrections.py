"""Corrections in a stream: the live articles that they name, and the stories they keep apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.corrections.placing import place_groups
from sahel_dedup.index.live import Live


def groups_among(live: Live, rows: Iterable[int]) -> dict[int, str]:
    """Return the correction groups of those rows whose articles are named, by row."""
    if not live.corrections:
        return {}
    found = ((row, live.corrections.group(live.ids[row])) for row in rows)
    return {row: group for row, group in found if group is not None}


def present_rows(live: Live, groups: Iterable[str]) -> Iterator[int]:
    """Yield the rows of live articles in some groups of corrections."""
    for group in groups:
        for name in live.corrections.members(group):
            if name in live.row_of:
                yield live.row_of[name]


def fellows(live: Live, row: int, last: int) -> list[int]:
    """Return the rows, up to one, that corrections put into one story with a row."""
    group = live.corrections.group(live.ids[row]) if live.corrections else None
    return [] if group is None else [r for r in present_rows(live, [group]) if r <= last]


def must_be_apart(live: Live, row: int, other: int) -> bool:
    """Whether corrections keep the stories of two rows apart."""
    if not live.corrections:
        return False
    groups = (groups_among(live, live.members(r)).values() for r in (row, other))
    return live.corrections.are_rivals(*groups)


def is_held(live: Live, row: int) -> bool:
    """Whether corrections may hold the story of a row together: two articles are of one group."""
    groups = list(groups_among(live, live.members(row)).values()) if live.corrections else []
    return len(set(groups)) < len(groups)


def placed(live: Live, rows: Sequence[int], labels: NDArray[np.int64]) -> list[list[int]]:
    """Put the articles of each group of corrections together.

    Parameters
    ----------
    live : Live
    rows : sequence of int
        The articles of some stories, ascending.
    labels : ndarray of int64, shape (n,)
        A number for each, equal for those of one story.

    Returns
    -------
    list of list of int
        Rows of each story; the story of the oldest article comes first.
    """
    place = {row: i for i, row in enumerate(rows)}
    groups = {place[row]: group for row, group in groups_among(live, rows).items()}
    labels = place_groups(labels, groups, live.corrections)
    # Later copies follow the first article of their text.
    originals = [place[int(live.standing.duplicate_of[row])] for row in rows]
    found: dict[int, list[int]] = {}
    for row, label in zip(rows, labels[originals].tolist(), strict=True):
        found.setdefault(label, []).append(row)
    return list(found.values())
