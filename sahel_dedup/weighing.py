"""Weighing: how an archive weighed two articles, for a reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sahel_dedup.evidence import Evidence
from sahel_dedup.profiles import Traits
from sahel_dedup.settings import Settings


@dataclass(frozen=True, slots=True)
class Weighing:
    """What speaks for and against two articles being one event.

    Attributes
    ----------
    similarity : float
        TF-IDF cosine by the word weights of the archive.
    score : float
        Log-odds, by all the evidence, that the two report one event; bounded.
    needed : float
        Mean log-odds that make two stories one.
    in_window : bool
        Whether they are near enough in time. Outside, the score is -4 whatever else.
    pieces : mapping of str to float
        What each piece of evidence adds to the log-odds, by name; ``base`` is what no
        evidence at all would give.
    """

    similarity: float
    score: float
    needed: float
    in_window: bool
    pieces: Mapping[str, float]

    def to_dict(self) -> dict[str, object]:
        """Return plain values, fit for JSON."""
        return {
            "similarity": round(self.similarity, 4),
            "score": round(self.score, 4),
            "needed": self.needed,
            "in_window": self.in_window,
            "pieces": {name: round(value, 4) for name, value in self.pieces.items()},
        }


def weigh(
    evidence: Evidence, traits: Traits, settings: Settings, first: int, second: int
) -> Weighing:
    """Weigh two articles of an archive.

    Parameters
    ----------
    evidence : Evidence
        It must know the bars of the two.
    traits : Traits
    settings : Settings
    first, second : int
        Rows of the articles.

    Returns
    -------
    Weighing
    """
    a, b = np.array([first]), np.array([second])
    pair = evidence.weigh(a, b)
    apart = abs(traits.day[first] - traits.day[second])
    return Weighing(
        similarity=float(pair.cosine[0]),
        score=float(pair.score[0]),
        needed=settings.bar,
        in_window=not apart > settings.window_days,
        pieces=evidence.pieces(a, b)[0],
    )
