"""Score breakdown: how two articles of an archive were scored, for people to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.scoring.evidence import Evidence
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.profiles import Traits
from sahel_dedup.text.words import Words

TOP_TERMS = 12


class SharedTerm(NamedTuple):
    """A word of both articles, and its share of their similarity."""

    term: str
    share: float


class Comparing(Protocol):
    """Knows the terms that make up a cosine."""

    def shared_terms(
        self, first: int, second: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the terms that two articles share, and what each adds to their cosine."""


@dataclass(frozen=True, slots=True)
class ScoreBreakdown:
    """The evidence for and against two articles reporting one event.

    Attributes
    ----------
    similarity : float
        TF-IDF cosine with the term weights of the archive.
    score : float
        Log-odds, from all the evidence, that the two report one event. Bounded.
    needed : float
        Merge threshold: the mean log-odds at which two stories become one.
    in_window : bool
        Whether they are near enough in time. Outside the window the score is always -4.
    pieces : mapping of str to float
        What each piece of evidence adds to the log-odds, by name; ``base`` is the log-odds without
        any evidence.
    terms : tuple of SharedTerm
        The terms that contribute most to the similarity, largest first.
    """

    similarity: float
    score: float
    needed: float
    in_window: bool
    pieces: Mapping[str, float]
    terms: tuple[SharedTerm, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return plain values that JSON can hold."""
        return {
            "similarity": round(self.similarity, 4),
            "score": round(self.score, 4),
            "needed": self.needed,
            "in_window": self.in_window,
            "pieces": {name: round(value, 4) for name, value in self.pieces.items()},
        }


def score_breakdown(
    evidence: Evidence,
    similarity: Comparing,
    words: Words,
    traits: Traits,
    settings: Settings,
    pair: tuple[int, int],
) -> ScoreBreakdown:
    """Break down the score of two articles of an archive.

    Parameters
    ----------
    evidence : Evidence
        Must include the recurrence of the two.
    similarity : Comparing
        The object that compared them.
    words : Words
        The terms by number.
    traits : Traits
    settings : Settings
    pair : tuple of int
        Rows of the articles.

    Returns
    -------
    ScoreBreakdown
    """
    first, second = pair
    a, b = np.array([first]), np.array([second])
    found = evidence.score_pairs(a, b)
    apart = abs(traits.day[first] - traits.day[second])
    return ScoreBreakdown(
        similarity=1.0 if are_copies(traits, first, second) else float(found.cosine[0]),
        score=float(found.score[0]),
        needed=settings.merge_threshold,
        in_window=not apart > settings.window_days,
        pieces=evidence.pieces(a, b)[0],
        terms=heaviest_terms(similarity, words, first, second),
    )


def are_copies(traits: Traits, first: int, second: int) -> bool:
    """Whether two articles have the same words in title and text, so that their cosine is 1.

    Computed, it is 1 up to rounding.
    """
    same = traits.same_text(np.array([first]), np.array([second]))[0]
    return bool(same and traits.headline[first] == traits.headline[second])


def heaviest_terms(
    similarity: Comparing, words: Words, first: int, second: int
) -> tuple[SharedTerm, ...]:
    """Return the twelve terms that contribute most to the cosine of two articles, largest first.

    Parameters
    ----------
    similarity : Comparing
    words : Words
        The terms by number.
    first, second : int
        Rows of the articles.

    Returns
    -------
    tuple of SharedTerm
    """
    terms, products = similarity.shared_terms(first, second)
    whole = float(products.sum())
    # Term numbers depend on the order of arrival, so ties are ordered by spelling.
    heavy = (
        np.flatnonzero(products >= np.partition(products, -TOP_TERMS)[-TOP_TERMS])
        if (len(products) > TOP_TERMS)
        else np.arange(len(products))
    )
    found = zip(words.take(terms[heavy].tolist()), products[heavy].tolist(), strict=True)
    shares = [SharedTerm(word, product / whole) for word, product in found if product > 0]
    return tuple(sorted(shares, key=lambda term: (-term.share, term.term))[:TOP_TERMS])
