"""Near copies: texts that share most of their shingles, whatever their TF-IDF cosine is.

Where copies fill an archive, none of their words is rare there, and their cosine can be low.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.candidates.lsh import count_agreeing
from sahel_dedup.scoring.copies import COPY_COSINE, Titles, TitlesAndNumbers, titles_differ
from sahel_dedup.sketch.fingerprint import SLOTS
from sahel_dedup.sketch.number_contexts import conflicts
from sahel_dedup.sketch.profiles import Traits
from sahel_dedup.util.jit import compiled

# Near copies agree in at least this part of their shingles.
_NEAR_JACCARD = 0.7


def floor_near_copies(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    traits: Traits,
    similarity: TitlesAndNumbers,
) -> None:
    """Raise the cosines of near copies to at least `COPY_COSINE`.

    Near copies share most of their shingles and all numbers, and their titles agree.

    Parameters
    ----------
    first, second : ndarray of int64, shape (n,)
        Rows of the articles.
    cosine : ndarray of float64, shape (n,)
        Their TF-IDF cosines; changed in place.
    traits : Traits
    similarity : TitlesAndNumbers
    """
    t, likely = traits, np.empty(len(first), dtype=np.int64)
    likely = likely[: _list_near(first, second, cosine, t.shingles, t.length, likely)]
    if len(likely):
        likely = likely[conflicts(t.number_contexts, first[likely], second[likely]) == 0]
    if not len(likely):
        return
    a, b = first[likely], second[likely]
    fewer = np.minimum(similarity.number_count[a], similarity.number_count[b])
    likely = likely[similarity.shared_numbers(a, b) == fewer]
    for pair in likely.tolist():
        one, other = int(first[pair]), int(second[pair])
        if not (t.headline[one] and t.headline[other]) or _titles_agree(one, other, similarity):
            cosine[pair] = COPY_COSINE


@compiled
def _list_near(
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    cosine: NDArray[np.float64],
    shingles: NDArray[Any],
    length: NDArray[np.int32],
    likely: NDArray[np.int64],
) -> int:
    """List the pairs of a low cosine that share the shingles of near copies; count them."""
    size = 0
    for i in range(len(first)):
        a, b = first[i], second[i]
        # Texts without words have no shingles, so the signatures agree in all slots.
        if cosine[i] < COPY_COSINE and length[a] > 0 and length[b] > 0:
            likely[size] = i
            size += count_agreeing(shingles, a, b) >= _NEAR_JACCARD * SLOTS
    return size


def _titles_agree(one: int, other: int, titles: Titles) -> bool:
    """Whether both titles are about the texts and do not distinguish them."""
    if not (titles.echoes_text(one) and titles.echoes_text(other)):
        return False
    return not titles_differ(one, other, titles)
