"""Removal of the outlets and terms of former articles."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.index.growable_profiles import LiveProfiles
from sahel_dedup.index.term_counts import TermCounts
from sahel_dedup.sketch.sketcher import Sketcher
from sahel_dedup.text.vocabulary import Vocabulary
from sahel_dedup.util.names import NameTable

# A vocabulary this many times as large as the used terms is reduced to them.
_SPARE_TERMS = 2.0
_FEWEST_TERMS = 50_000
# Terms that no article contains any more are kept if they were this frequent, because removing
# rarer ones hardly changes their IDF.
_REMEMBERED = 1e-4


def forget_outlets(profiles: LiveProfiles, sketcher: Sketcher) -> None:
    """Keep only the outlets of the remaining rows."""
    sources = profiles.source
    used = np.unique(sources[sources >= 0])
    names = sketcher.sources.names
    sources[sources >= 0] = np.searchsorted(used, sources[sources >= 0])
    sketcher.sources = NameTable(names[number] for number in used.tolist())


def forget_terms(
    profiles: LiveProfiles, sketcher: Sketcher, counted: Iterable[TermCounts]
) -> NDArray[np.int64] | None:
    """Reduce the vocabulary if it is much larger than the terms of the remaining rows.

    Parameters
    ----------
    profiles : LiveProfiles
    sketcher : Sketcher
    counted : iterable of TermCounts
        Frequencies of the terms, by language.

    Returns
    -------
    ndarray of int64 or None
        The former number of each kept term; ``None`` if all keep their numbers.
    """
    vocabulary = sketcher.vocabulary
    used = np.zeros(len(vocabulary), dtype=bool)
    # Those of titles are among them.
    used[profiles.terms()] = True
    if len(used) < max(_FEWEST_TERMS, _SPARE_TERMS * int(used.sum())):
        return None
    for counts in counted:
        used |= counts.seen[: len(used)] > max(1, _REMEMBERED * counts.articles)
    kept = np.flatnonzero(used)
    number = np.zeros(len(used), dtype=np.int32)
    number[kept] = np.arange(len(kept))
    smaller = Vocabulary()
    smaller.enter(vocabulary.hashes[kept], vocabulary.words.take(kept.tolist()))
    sketcher.vocabulary = smaller
    profiles.renumber(number)
    return kept
