"""From compared pairs to stories, for the first time or with other settings.

`group_compared` is the last step of the batch. Because it needs only the scored pairs, the same
archive can be grouped again at a higher probability or with a shorter window. The result is that of
a run with those settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.exact_copies import exact_duplicates, spans
from sahel_dedup.clustering.average_linkage import link_stories, scorer
from sahel_dedup.clustering.corrected import Linked, correct, single_out
from sahel_dedup.clustering.partition import Grouped
from sahel_dedup.clustering.window import Times
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import SettingsError
from sahel_dedup.scoring.evidence import Evidence, Pairs
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.settings import Settings, check_keywords, to_time
from sahel_dedup.sketch.digests import text_numbers
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.util.days import length_in_words


class Compared(NamedTuple):
    """The scored pairs of an archive that are worth a closer look.

    Attributes
    ----------
    duplicate_of : ndarray of int64, shape (n,)
        For each article, the first with the same text and title, or itself.
    times : Times
        Times of publication; those of later copies are included in the first.
    similarity : Similarity
        Compares further pairs.
    evidence : Evidence
        Scores them.
    pairs : Pairs
        Pairs that LSH proposed and that have at least the least cosine, without later copies.
    """

    duplicate_of: NDArray[np.int64]
    times: Times
    similarity: Similarity
    evidence: Evidence
    pairs: Pairs


def group_compared(
    ids: Sequence[str],
    position: NDArray[np.int64],
    profiles: Profiles,
    sources: Mapping[str, int],
    compared: Compared,
    settings: Settings,
    corrections: Corrections,
) -> Grouped:
    """Group compared articles into stories.

    Parameters
    ----------
    ids, position, sources
        See `Grouped`.
    profiles : Profiles
        In order of time.
    compared : Compared
        Compared at a probability not above that of `settings`, and with the same window.
    settings : Settings
    corrections : Corrections
        Those with which the articles were compared.

    Returns
    -------
    Grouped
    """
    pairs, times, evidence, duplicate_of = (
        compared.pairs, compared.times, compared.evidence, compared.duplicate_of
    )  # fmt: skip
    labels, inside = link_stories(pairs, times, evidence, settings.merge_threshold)
    linked = Linked(labels, labels, inside)
    if corrections:
        score_pairs = scorer(pairs, len(ids), evidence.score_unlikely_pairs)
        linked = correct(
            linked,
            ids,
            profiles,
            duplicate_of,
            score_pairs,
            times,
            settings.merge_threshold,
            corrections,
        )
    return Grouped(
        ids, position, profiles, duplicate_of, *linked, settings, sources, corrections
    )  # fmt: skip


def stricter(
    settings: Settings,
    min_probability: float | None,
    window: timedelta | float | None,
    misplaced: Mapping[str, object],
) -> Settings:
    """Return settings with a higher probability or a shorter window; ``None`` keeps a value.

    Other settings, and other arguments, are refused.

    Raises
    ------
    SettingsError
        If a value is out of its range, or would need pairs that were not compared.
    """
    advice = "recut changes min_probability and window only: group the articles again"
    check_keywords("recut", misplaced, advice)
    found = settings
    if min_probability is not None:
        found = replace(found, min_probability=min_probability)
        if found.merge_threshold < settings.merge_threshold:
            raise SettingsError(
                f"min_probability: {min_probability} is below {settings.probability:.2f}, at which "
                "these articles were compared: group them again with this value"
            )
    if window is not None:
        found = replace(found, window=to_time("window", window))
        if found.window_days > settings.window_days:
            raise SettingsError(
                f"window: {length_in_words(found.window)} is longer than "
                f"{length_in_words(settings.window)}, within which these articles were compared: "
                "group them again with this value"
            )
    return found


def narrow(
    ids: Sequence[str],
    profiles: Profiles,
    compared: Compared,
    settings: Settings,
    corrections: Corrections,
) -> Compared:
    """Leave out the pairs of articles that are outside a shorter window.

    Exact copies that are further apart than the window no longer count as one article. The later
    one then gets the pairs of the first.

    Parameters
    ----------
    ids : sequence of str
    profiles : Profiles
        In order of time.
    compared : Compared
    settings : Settings
        Settings with the shorter window.
    corrections : Corrections

    Returns
    -------
    Compared
    """
    window, day, everything = settings.window_days, profiles.day, np.arange(len(profiles))
    text = text_numbers(profiles.body, profiles.body_check)
    duplicate_of = single_out(
        exact_duplicates(text, profiles.headline, day, window), ids, corrections
    )
    _, copies = np.unique(np.stack([text, profiles.headline]), axis=1, return_inverse=True)
    released = np.flatnonzero((duplicate_of == everything) & (compared.duplicate_of != everything))
    recurrence = compared.evidence.recurrence.copy()
    recurrence[released] = recurrence[compared.duplicate_of[released]]
    evidence = Evidence(profiles, compared.similarity, recurrence, settings)

    def near(first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        single = (duplicate_of[first] == first) & (duplicate_of[second] == second)
        return np.asarray(single & ~(np.abs(day[first] - day[second]) > window))

    old = compared.pairs
    pairs = old.where(near(old.first, old.second))
    if len(released):
        first, second = _of_released(released, copies, old)
        kept = near(first, second)
        pairs = Pairs.concatenate([pairs, evidence.score_pairs(first[kept], second[kept])])
    times = Times(*spans(duplicate_of, day), window)
    return Compared(duplicate_of, times, compared.similarity, evidence, pairs)


def _of_released(
    released: NDArray[np.int64], copies: NDArray[np.int64], pairs: Pairs
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pair each released copy with everything paired with a copy of it, and with their copies."""
    rows: dict[int, set[int]] = {}
    partners: dict[int, set[int]] = {}
    for row in released.tolist():
        rows.setdefault(int(copies[row]), set()).add(row)
    for a, b in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
        for one, other in ((a, b), (b, a)):
            if copies[one] in rows:
                others = partners.setdefault(int(copies[one]), set())
                others |= {other} | rows.get(int(copies[other]), set())
    found = {
        (min(row, other), max(row, other))
        for text, members in rows.items()
        for row in members
        for other in partners.get(text, ())
    }
    both = np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]
