"""Words that an outlet repeats in all its texts, such as menus and disclaimers.

They make texts of one outlet alike and copies at other outlets unlike, so copies are missed. In an
archive of news, recall fell from .27 to .08 when texts of 30 words got 30 more of their outlet, and
from .32 to .26 when texts of 150 words did. No fingerprint leaves them out, because it depends on
the article alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

# Of 70 outlets of real news none was above .03, and of 38 senators none above .08.
MOST_REPEATED = 0.12
# Texts that agree in more are variants of one text.
_VARIANTS = 0.8
# Bulletins of one form agree in all slots, but are seldom half of what an outlet has.
_MOST_TEXTS_AGREE = 0.5
# Fewer texts share words by chance.
LEAST_TEXTS = 100
# Shorter texts have hardly any shingles, and no menu.
_LEAST_WORDS = 10
MOST_TEXTS = 20_000


class Repetition(NamedTuple):
    """An outlet, -1 if unknown, what share of its texts repeats, and the count of its texts."""

    outlet: int
    share: float
    texts: int


class TextTraits(Protocol):
    """What `repeating_outlets` needs of articles: see `sahel_dedup.sketch.profiles.Traits`."""

    @property
    def body(self) -> NDArray[np.uint64]:
        """Digest of the words."""

    @property
    def source(self) -> NDArray[np.int32]:
        """Number of the outlet."""

    @property
    def length(self) -> NDArray[np.int32]:
        """Number of tokens."""

    @property
    def shingles(self) -> NDArray[Any]:
        """Slots of MinHash."""

    def __len__(self) -> int:
        """Return the number of articles."""


def repeating_outlets(traits: TextTraits, since: int = 0) -> list[Repetition]:
    """Find the outlets whose texts repeat a large share of their words, but not nearly all.

    A slot of MinHash is that of a random shingle of the text. In how many slots most texts of an
    outlet agree therefore estimates the share of the shingles that they have in common.

    Parameters
    ----------
    traits : TextTraits
        Of many texts a sample is looked at, and of equal ones the first.
    since : int
        Row of the first article to look at.

    Returns
    -------
    list of Repetition
        Largest share first.
    """
    rows = np.arange(since, len(traits), -(-(len(traits) - since) // MOST_TEXTS) or 1)
    rows = rows[np.unique(traits.body[rows], return_index=True)[1]]
    rows = rows[traits.length[rows] >= _LEAST_WORDS]
    found = []
    for outlet in np.unique(traits.source[rows]).tolist():
        mine = traits.shingles[rows[traits.source[rows] == outlet]]
        share = _agreement(mine) if len(mine) >= LEAST_TEXTS else 0.0
        if MOST_REPEATED <= share <= _VARIANTS:
            found.append(Repetition(outlet, share, len(mine)))
    return sorted(found, key=lambda each: (-each.share, each.outlet))


def _agreement(slots: NDArray[np.unsignedinteger[Any]]) -> float:
    """Return the part of the slots in which most texts have the same value."""
    # A value that half of the texts have is one of the two in the middle. NumPy sorts wide numbers
    # faster than it finds the middle of narrow ones.
    places = [(len(slots) - 1) // 2, len(slots) // 2]
    middle = np.sort(slots.T.astype(np.uint32), axis=1).T[places]
    most = np.max([np.count_nonzero(slots == value, axis=0) for value in middle], axis=0)
    return float(np.mean(most >= _MOST_TEXTS_AGREE * len(slots)))
