"""Metadata in the file of an index: how it was made, and its state."""

from __future__ import annotations

import logging
import math
import operator
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any

from sahel_dedup.errors import IndexFileError, SettingsError
from sahel_dedup.evidence_model import EvidenceModel
from sahel_dedup.index.row_checks import DAYS, MOST
from sahel_dedup.settings import Settings
from sahel_dedup.util.days import length_in_days, length_in_words
from sahel_dedup.util.version import data_versions

logger = logging.getLogger("sahel_dedup.index")

# These settings define what a story is; the others may change between runs.
BINDING = ("granularity", "window", "recall", "recall_similarity", "model")


@dataclass(slots=True)
class Counts:
    """Counts of the events of an index since it was made; `IndexStats` describes each."""

    exact: int = 0
    near: int = 0
    reworded: int = 0
    updated: int = 0
    late: int = 0
    refused: int = 0
    merged: int = 0
    split: int = 0

    def add(self, name: str, number: int = 1) -> None:
        """Increase a count."""
        setattr(self, name, getattr(self, name) + number)


@dataclass(slots=True)
class State:
    """The state of an index as of its last transaction.

    Attributes
    ----------
    generation : int
        Rises when the index is compacted: who loaded another generation starts anew.
    removals : int
        Rises when an article is removed or a correction withdrawn: who loaded another number
        looks for what is gone.
    serial : int
        Number of the last article that was added. None is used again.
    change : int
        Number of the last transaction by which articles came or moved.
    arrays : str or None
        What the file of arrays is known by that contains all up to some transaction.
    clock : float or None
        Latest day of publication seen at the last deletion.
    horizon : float or None
        Day before which stories have expired.
    retention : float or None
        Age in days at which stories expire.
    counts : Counts
    """

    generation: int = 0
    removals: int = 0
    serial: int = 0
    change: int = 0
    arrays: str | None = None
    clock: float | None = None
    horizon: float | None = None
    retention: float | None = None
    counts: Counts = field(default_factory=Counts)

    @classmethod
    def read(cls, values: dict[str, Any]) -> State:
        """Read the state of a file.

        Raises
        ------
        ValueError
            If a value has another type or is out of range.
        """
        counts = {name: _whole(values["counts"], name) for name in _COUNTED}
        return cls(
            generation=_whole(values, "generation"),
            removals=_whole(values, "removals"),
            serial=_whole(values, "serial"),
            change=_whole(values, "change"),
            arrays=_digest(values, "arrays"),
            clock=_real(values, "clock", *DAYS),
            horizon=_real(values, "horizon", *DAYS),
            retention=_real(values, "retention", 0.0, timedelta.max.days),
            counts=Counts(**counts),
        )

    def values(self) -> dict[str, Any]:
        """Return the state in types of JSON."""
        found = dict(zip(_STATED, _stated(self), strict=True))
        found["counts"] = dict(zip(_COUNTED, _counted(self.counts), strict=True))
        return found


# Looked up once, because every transaction writes the state.
_COUNTED, _STATED = ([item.name for item in fields(table)] for table in (Counts, State))
_counted, _stated = operator.attrgetter(*_COUNTED), operator.attrgetter(*_STATED)


def make_header(settings: Settings, keep_texts: bool, keep_fields: bool) -> dict[str, Any]:
    """Describe a new index in types of JSON: the permanent part, and its first state."""
    values = {name: getattr(settings, name) for name in BINDING}
    values["window"] = length_in_days(settings.window)
    values["model"] = None if settings.model is None else settings.model.to_dict()
    if keep_fields and not keep_texts:
        raise SettingsError(
            "keep_fields needs keep_texts=True, because fields are stored with the texts"
        )
    kept = {"texts": keep_texts, "fields": keep_fields}
    made = {"settings": values, **kept, "versions": data_versions()}
    return {"made": made, "state": State().values()}


def warn_of_versions(made: dict[str, Any], path: str) -> None:
    """Warn if the file was made with other data than is installed, because articles then differ."""
    for name, have in data_versions().items():
        if (had := made["versions"].get(name)) != have:
            logger.warning(
                "%r was made with %s %s, but %s is installed: its articles and new ones may match "
                "slightly less well; `sahel-dedup index rebuild` fixes that",
                path, name, had, have,
            )  # fmt: skip


def stored_settings(header: dict[str, Any], path: str) -> Settings:
    """Return the settings that a file was made with.

    Raises
    ------
    IndexFileError
        If they cannot be read.
    """
    try:
        values = {name: header["settings"][name] for name in BINDING if name != "model"}
        taught = header["settings"].get("model")
        values["model"] = None if taught is None else EvidenceModel.from_dict(taught)
        if values["granularity"] == "topic":
            # Earlier releases accepted a window, and did not use it.
            del values["window"]
        return Settings(**values)
    except (LookupError, TypeError, ValueError) as error:
        raise IndexFileError(
            f"{path!r} is damaged: its settings cannot be read ({error})"
        ) from error


def check_settings_fit(stored: Settings, given: Settings, path: str) -> None:
    """Refuse settings that differ from those of a file.

    Raises
    ------
    SettingsError
        If they define a story differently.
    """
    for name in BINDING:
        if name == "window" and stored.window_days == given.window_days:
            continue
        have, want = (_named(getattr(settings, name)) for settings in (stored, given))
        if have != want:
            raise SettingsError(
                f"{path!r} was made with {name} {have}, not {want}: open it without settings, or "
                "make a new index with `sahel-dedup index rebuild`"
            )


def check_kept(made: dict[str, Any], keep_texts: bool, keep_fields: bool, path: str) -> None:
    """Refuse to open a file for less or more of each article than it keeps; see `make_header`.

    Raises
    ------
    SettingsError
        If other than the default was asked for, and the file was made otherwise.
    """
    for kept, asked, made_so, option in (
        (made["texts"], keep_texts, "with texts", "keep_texts=False (--no-texts)"),
        (not made["fields"], not keep_fields, "without fields", "keep_fields=True (--fields)"),
    ):
        if kept and not asked:
            raise SettingsError(
                f"{path!r} was made {made_so}, which cannot change: leave out {option}"
            )


def _named(value: object) -> object:
    """Return a setting for a message; a model is shown by its checksum."""
    if isinstance(value, EvidenceModel):
        return value.checksum
    return length_in_words(value) if isinstance(value, timedelta) else value


def check_retention(retention: timedelta | None, settings: Settings) -> None:
    """Refuse a retention that is shorter than the window.

    Raises
    ------
    SettingsError
        If the retention is shorter than the window.
    """
    if settings.granularity == "topic" or settings.window is None:
        return
    if retention is not None and retention < settings.window:
        raise SettingsError(
            f"retention: {length_in_words(retention)} is shorter than the window, "
            f"{length_in_words(settings.window)}"
        )


def _whole(values: dict[str, Any], name: str) -> int:
    value = values[name]
    if type(value) is not int or not 0 <= value <= MOST:
        raise ValueError(f"{name}: {value!r} is not a count")
    return value


def _digest(values: dict[str, Any], name: str) -> str | None:
    value = values[name]
    if not (value is None or (isinstance(value, str) and value)):
        raise ValueError(f"{name}: {value!r} is not a digest")
    return value


def _real(values: dict[str, Any], name: str, least: float, most: float) -> float | None:
    value = values[name]
    if value is None:
        return None
    if type(value) not in (int, float) or not least <= value <= most or math.isnan(value):
        raise ValueError(f"{name}: {value!r} is not a number between {least} and {most}")
    return float(value)
