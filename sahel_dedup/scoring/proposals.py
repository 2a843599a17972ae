"""Proposals: the candidate pairs of an archive and their cosines."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.lsh import candidate_pairs
from sahel_dedup.scoring.kept_pairs import Candidates, KeptPairs
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher
from sahel_dedup.util.parallel import slices

_COMPARED_AT_ONCE = 1 << 20


def propose(
    profiles: Profiles,
    sketcher: Sketcher,
    single: NDArray[np.int64],
    settings: Settings,
    on_progress: Callable[[str, int, int | None], None],
    kept: KeptPairs | None = None,
) -> tuple[Similarity, Candidates]:
    """Propose the pairs of articles that are worth scoring.

    Parameters
    ----------
    profiles : Profiles
        In order of time.
    sketcher : Sketcher
        What made them.
    single : ndarray of int64, shape (m,)
        Rows of the articles that are compared, rising.
    settings : Settings
    on_progress : callable
        See `sahel_dedup.cluster`.
    kept : KeptPairs, optional
        The pairs of the last run. With them, pairs of too little cosine may be left out.

    Returns
    -------
    similarity : Similarity
        Compares further pairs.
    pairs : Candidates
    """
    if kept is not None:
        kept.load(sketcher)
        similarity = Similarity(profiles, sketcher, settings.workers)
        recalled = kept.recall(profiles, single, similarity, settings)
        if recalled is not None:
            return similarity, recalled
    first, second = candidate_pairs(
        profiles.salience[single],
        profiles.day[single],
        settings.window_days,
        settings.layout,
        settings.workers,
        partial(on_progress, "candidate pairs"),
    )
    first, second = single[first], single[second]
    on_progress("comparing", 0, len(first))
    # Not before: vectors and the search for pairs take much memory each.
    similarity = Similarity(profiles, sketcher, settings.workers)
    cosine = np.empty(len(first))
    for rows in slices(len(first), _COMPARED_AT_ONCE):
        cosine[rows] = similarity.cosines(first[rows], second[rows])
        on_progress("comparing", min(rows.stop, len(first)), len(first))
    pairs = Candidates(first, second, cosine)
    if kept is not None:
        kept.note(profiles, single, similarity, settings, pairs)
    return similarity, pairs
