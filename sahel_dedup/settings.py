"""Settings: every choice a user can make, in one frozen place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sahel_dedup.lsh import Layout, layout_for

Granularity = Literal["copies", "event", "topic"]
CanonicalPolicy = Literal["earliest", "longest", "central"]

# Log-odds that the mean evidence between two stories must reach for them to be one.
_BARS: dict[Granularity, float] = {"copies": 2.5, "event": 0.0, "topic": 0.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How articles are grouped into stories.

    Parameters
    ----------
    granularity
        What a story is. ``"event"``: reports of one event, reworded or not. ``"copies"``:
        near-verbatim copies only. ``"topic"``: an event with its sequels and background,
        told by the wording alone. docs/granularity.md tells what each was measured to give.
    window
        Articles published further apart are never one story. ``None`` switches the window
        off. An article without a date may match any other, and topics have no window.
    recall, recall_similarity
        LSH is laid out so that a pair of articles with this cosine is proposed with at
        least this probability.
    canonical
        Which article stands for its story.
    preferred_sources
        Outlets whose article stands for the story before any other's, best first.
    workers
        Threads that sketch and compare; 0 takes all processors. The result is the same
        for any number.

    Raises
    ------
    ValueError
        If a value is out of its range. The message names the setting.
    """

    granularity: Granularity = "event"
    window: timedelta | None = timedelta(days=7)
    recall: float = 0.99
    recall_similarity: float = 0.3
    canonical: CanonicalPolicy = "earliest"
    preferred_sources: tuple[str, ...] = ()
    workers: int = 0

    def __post_init__(self) -> None:
        if self.granularity not in _BARS:
            raise ValueError(f"granularity: {self.granularity!r} is none of {', '.join(_BARS)}")
        if self.window is not None and self.window <= timedelta(0):
            raise ValueError(f"window: {self.window} is not a positive time")
        for name in ("recall", "recall_similarity"):
            if not 0 < getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is not between 0 and 1")
        if self.canonical not in ("earliest", "longest", "central"):
            raise ValueError(f"canonical: {self.canonical!r} is no policy")
        if self.workers < 0:
            raise ValueError(f"workers: {self.workers} is negative")
        # A list read from a configuration file is as good as a tuple.
        object.__setattr__(self, "preferred_sources", tuple(self.preferred_sources))

    @property
    def bar(self) -> float:
        """Mean log-odds that makes two stories one."""
        return _BARS[self.granularity]

    @property
    def layout(self) -> Layout:
        """How LSH cuts fingerprints into bands."""
        return layout_for(self.recall, self.recall_similarity)

    def expected_recall(self, similarity: float) -> float:
        """Return the probability that a pair of articles of some TF-IDF cosine is compared.

        Examples
        --------
        >>> settings = Settings()
        >>> settings.expected_recall(settings.recall_similarity) >= settings.recall
        True
        """
        return self.layout.expected_recall(similarity)

    @property
    def window_days(self) -> float:
        """The window in days, infinite when it is off."""
        if self.window is None or self.granularity == "topic":
            return float("inf")
        return self.window / timedelta(days=1)
