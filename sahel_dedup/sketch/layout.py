"""The layout of LSH: how slots are cut into bands, and the recall that results."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sahel_dedup.errors import SettingsError
from sahel_dedup.sketch.fingerprint import SLOTS

# The most bands, by their rows. A second hundred bands of two rows propose far fewer pairs than
# bands of one row would.
_MOST_BANDS = {1: SLOTS, 2: 2 * SLOTS}
# Cosines, and the agreement per slot that explains the recall measured at each. The mean agreement
# is higher, but it varies between pairs of one cosine, which costs recall. Measured by `python -m
# benchmarks.quality recall`.
_COSINES = (0, 0.125, 0.175, 0.225, 0.275, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 1)
_AGREEMENT = (0, 0.058, 0.092, 0.122, 0.148, 0.17, 0.22, 0.28, 0.36, 0.44, 0.55, 0.75, 1)


def slot_agreement(similarity: float) -> float:
    """Return the effective share of salience slots in which two articles of a given cosine agree.

    Parameters
    ----------
    similarity : float
        TF-IDF cosine, 0 to 1.

    Returns
    -------
    float
        Interpolated between measurements.
    """
    return float(np.interp(similarity, _COSINES, _AGREEMENT))


@dataclass(frozen=True, slots=True)
class Layout:
    """How the slots are cut into bands.

    Attributes
    ----------
    bands, rows : int
        Number of bands, and slots in each.
    """

    bands: int
    rows: int

    def slots(self, band: int, extra: int = 0) -> list[int]:
        """Return the slots of a band and a few extra ones.

        Once all slots have been used, the next bands begin one slot further on. Once those have
        been used too, bands take every second slot, and so on. No two bands of two slots are the
        same.
        """
        lap, place = divmod(band * self.rows, SLOTS)
        stride, shift = 1 + lap // self.rows, lap % self.rows
        block, offset = divmod(place // self.rows, stride)
        first = block * stride * self.rows + offset + shift * stride
        return [(first + k * stride) % SLOTS for k in range(self.rows + extra)]

    def recall_at_agreement(self, agreement: float) -> float:
        """Return the probability that articles with this share of equal slots share a bucket."""
        return float(1 - (1 - agreement**self.rows) ** self.bands)

    def expected_recall(self, similarity: float) -> float:
        """Return the probability that two articles of a given cosine are proposed as a pair.

        Parameters
        ----------
        similarity : float
            TF-IDF cosine, 0 to 1.

        Returns
        -------
        float
        """
        return self.recall_at_agreement(slot_agreement(similarity))


def layout_for(recall: float, similarity: float) -> Layout:
    """Choose bands and rows: the most rows, and so the fewest candidates, that reach the recall.

    Parameters
    ----------
    recall, similarity : float
        A pair with this cosine must be proposed with this probability.

    Returns
    -------
    Layout

    Raises
    ------
    SettingsError
        If 128 slots cannot reach that recall.
    """
    for rows in range(8, 0, -1):
        missed = 1 - slot_agreement(similarity) ** rows
        if missed == 1:
            # Slots agree so rarely that no number of bands would be enough.
            continue
        bands = max(1, math.ceil(math.log(1 - recall) / math.log(missed)))
        if bands <= _MOST_BANDS.get(rows, SLOTS):
            return Layout(bands, rows)
    best = Layout(SLOTS, 1).expected_recall(similarity)
    raise SettingsError(
        f"{SLOTS} slots find a pair of similarity {similarity} with probability {best:.3f} at "
        f"most: ask for less recall than {recall}, or for a higher similarity"
    )
