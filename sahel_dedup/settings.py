"""Settings: every choice that a user can make."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, cast, get_args

from sahel_dedup.errors import SettingsError
from sahel_dedup.evidence_model import EvidenceModel
from sahel_dedup.util.days import DAY
from sahel_dedup.util.outlet_names import outlet_name
from sahel_dedup.util.values import show

if TYPE_CHECKING:
    from sahel_dedup.sketch.layout import Layout

Granularity = Literal["copies", "event", "topic"]
CanonicalPolicy = Literal["earliest", "longest", "central"]

_WINDOW = timedelta(days=7)
# Probability that two stories must reach, on average over their pairs, to become one.
_PROBABILITIES: dict[Granularity, float] = {"copies": 0.92, "event": 0.34, "topic": 0.5}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How articles are grouped into stories.

    Parameters
    ----------
    granularity
        What a story is. ``"event"``: reports of one event, reworded or not. ``"copies"``:
        near-verbatim copies only. ``"topic"``: an event with its sequels and background,
        decided by the wording alone. docs/granularity.md has measurements of each.
    min_probability
        Two groups of articles become one story if the mean log-odds over all pairs between them
        reach this probability of reporting one event. A higher value gives fewer wrong pairs and
        misses more true ones. ``None`` uses the value of the granularity: .92 for copies, .34
        for events, .5 for topics.
    window
        A number of days or a timedelta; stored as a timedelta. Only corrections join articles
        published further apart. ``None`` disables the window. An article without a date may
        match any other, and topics have no window.
    recall, recall_similarity
        LSH proposes a pair of articles whose cosine is `recall_similarity` with at least the
        probability `recall`.
    canonical
        Which article represents its story.
    preferred_sources
        Outlets whose article represents a story if the story has one, best first.
    model
        Constants that were learnt for this archive (`EvidenceModel.read`); ``None`` uses those of
        the release. Topics are decided by wording alone and accept no model.
    workers
        Number of threads; 0 uses all processors. The result does not depend on it.

    Raises
    ------
    SettingsError
        If a value has the wrong type or is out of range. The message names the setting.
    """

    granularity: Granularity = "event"
    min_probability: float | None = None
    window: timedelta | None = _WINDOW
    recall: float = 0.99
    recall_similarity: float = 0.3
    canonical: CanonicalPolicy = "earliest"
    preferred_sources: tuple[str, ...] = ()
    model: EvidenceModel | None = None
    workers: int = 0

    if TYPE_CHECKING:
        # Some settings accept more types than their fields can declare.
        def __init__(
            self,
            *,
            granularity: Granularity = "event",
            min_probability: float | None = None,
            window: timedelta | float | None = _WINDOW,
            recall: float = 0.99,
            recall_similarity: float = 0.3,
            canonical: CanonicalPolicy = "earliest",
            preferred_sources: Sequence[str] = (),
            model: EvidenceModel | None = None,
            workers: int = 0,
        ) -> None: ...

    def __post_init__(self) -> None:
        hint = "; min_probability takes a number"
        check_choice("granularity", self.granularity, get_args(Granularity), hint)
        check_choice("canonical", self.canonical, get_args(CanonicalPolicy))
        for name in ("recall", "recall_similarity", "min_probability"):
            value = getattr(self, name)
            if name != "min_probability" or value is not None:
                object.__setattr__(self, name, _share(name, value))
        if self.model is not None and not isinstance(self.model, EvidenceModel):
            raise SettingsError(
                "model: not an EvidenceModel; write EvidenceModel.read('model.json')"
            )
        if self.model is not None and self.granularity == "topic":
            raise SettingsError("model: topics are decided by wording alone and accept no model")
        object.__setattr__(self, "window", to_time("window", self.window))
        if self.granularity == "topic" and self.window not in (None, _WINDOW):
            raise SettingsError("window: topics have no window; leave it out")
        object.__setattr__(self, "preferred_sources", check_sources(self.preferred_sources))
        object.__setattr__(self, "workers", check_workers(self.workers))

    @property
    def probability(self) -> float:
        """The probability at which two stories become one: `min_probability`, or its default."""
        if self.min_probability is None:
            return _PROBABILITIES[self.granularity]
        return self.min_probability

    @property
    def counts_outlets(self) -> bool:
        """Whether outlets count: an outlet may report on one topic any number of times."""
        return self.granularity != "topic"

    @property
    def merge_threshold(self) -> float:
        """The merge threshold: `probability` as log-odds."""
        return math.log(self.probability / (1 - self.probability))

    @property
    def layout(self) -> Layout:
        """How LSH cuts fingerprints into bands."""
        # Imported only here, because every command imports the settings.
        from sahel_dedup.sketch.layout import layout_for

        return layout_for(self.recall, self.recall_similarity)

    def expected_recall(self, similarity: float) -> float:
        """Return the probability that a pair of articles with a given TF-IDF cosine is compared.

        Examples
        --------
        >>> settings = Settings()
        >>> settings.expected_recall(settings.recall_similarity) >= settings.recall
        True
        """
        if not isinstance(similarity, Real) or not 0 <= float(similarity) <= 1:
            raise SettingsError(f"similarity: {show(similarity)} is not a number from 0 to 1")
        return self.layout.expected_recall(similarity)

    @property
    def window_days(self) -> float:
        """The window in days; infinite if it is disabled."""
        if self.window is None or self.granularity == "topic":
            return float("inf")
        return self.window / DAY


def to_time(name: str, value: timedelta | float | None) -> timedelta | None:
    """Read a setting that is a length of time.

    Parameters
    ----------
    name
        The setting, for messages.
    value
        A time, a number of days, or ``None`` for none.

    Returns
    -------
    timedelta or None

    Raises
    ------
    SettingsError
        If it is neither, or not positive.
    """
    if value is None:
        return None
    if type(value).__name__ == "timedelta64":
        # NumPy's, which counts as a number but has a unit.
        found = cast(Any, value).astype("timedelta64[us]").item()
        value = math.nan if found is None else found
    if isinstance(value, timedelta):
        time = value
    elif isinstance(value, Real) and not isinstance(value, bool):
        try:
            time = timedelta(days=float(value))
        except (OverflowError, ValueError):
            raise SettingsError(
                f"{name}: {value} days are not a length of time; None means no limit"
            ) from None
    else:
        raise SettingsError(f"{name}: {value!r} is neither a number of days nor a timedelta")
    if time <= timedelta(0):
        raise SettingsError(f"{name}: {value} is not a positive time")
    return time


def check_workers(value: int) -> int:
    """Check a number of threads; 0 means all processors.

    Raises
    ------
    SettingsError
        If it is not a whole number, or negative.
    """
    return check_count("workers", value, least=0)


def check_count(name: str, value: int, *, least: int = 1) -> int:
    """Check a setting that is a count.

    Parameters
    ----------
    name
        The setting, for messages.
    value
        A whole number, also one of NumPy's.
    least
        The smallest that it may be.

    Returns
    -------
    int

    Raises
    ------
    SettingsError
        If it is not a whole number, or too small.
    """
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise SettingsError(f"{name}: {value!r} is not a whole number")
    count = operator.index(value)
    if count < least:
        raise SettingsError(f"{name}: {count} is less than {least}")
    return count


def check_seconds(name: str, value: float) -> float:
    """Check a time to wait.

    Raises
    ------
    SettingsError
        If it is not a number of seconds.
    """
    if not isinstance(value, Real) or isinstance(value, bool) or not value >= 0:
        raise SettingsError(f"{name}: {show(value)} is not a number of seconds")
    return float(value)


def check_settings(settings: Settings | None) -> Settings:
    """Return the given settings, or the defaults if there are none.

    Raises
    ------
    SettingsError
        If it is something else.
    """
    if settings is None:
        return Settings()
    if not isinstance(settings, Settings):
        raise SettingsError(f"settings: {show(settings)} is not Settings; write Settings(window=7)")
    return settings


def check_keywords(function: str, given: Mapping[str, object], advice: str | None = None) -> None:
    """Refuse arguments that a function does not have, and say where settings go.

    Parameters
    ----------
    function
        Its name.
    given
        The arguments.
    advice
        What to do with a setting, if the function does not take `Settings`.

    Raises
    ------
    SettingsError
        If one is a field of `Settings`.
    TypeError
        Otherwise.
    """
    for name, value in given.items():
        if name in {field.name for field in fields(Settings)}:
            here = f"write {function}(..., settings=Settings({name}={show(value)}))"
            raise SettingsError(f"{name} is a setting; {advice or here}")
        if name == "settings" and advice is not None:
            raise SettingsError(f"settings: {advice}")
        raise TypeError(f"{function}() got an unexpected keyword argument {name!r}")


def check_choice(name: str, value: object, choices: tuple[str, ...], hint: str = "") -> None:
    """Check a setting that is one of a few words.

    Raises
    ------
    SettingsError
        If it is none of them.
    """
    if not (isinstance(value, str) and value in choices):
        raise SettingsError(f"{name}: {value!r} is not one of {', '.join(choices)}{hint}")


def _share(name: str, value: object) -> float:
    if not isinstance(value, Real) or isinstance(value, bool):
        raise SettingsError(f"{name}: {show(value)} is not a number")
    if not 0 < float(value) < 1:
        raise SettingsError(f"{name}: {value} is not between 0 and 1")
    return float(value)


def check_sources(sources: object) -> tuple[str, ...]:
    """Check the names of preferred outlets, and return them as articles have them.

    Raises
    ------
    SettingsError
        If they are not a sequence of names.
    """
    if isinstance(sources, str):
        raise SettingsError(f"preferred_sources: {sources!r} is one string; write [{sources!r}]")
    # A list, as read from a configuration file, is accepted; a set is not, because it has no order.
    if not isinstance(sources, Sequence):
        raise SettingsError(f"preferred_sources: {sources!r} is not a list of outlets, best first")
    for source in sources:
        if not isinstance(source, str) or not source:
            raise SettingsError(f"preferred_sources: {source!r} is not the name of an outlet")
    return tuple(map(outlet_name, sources))
