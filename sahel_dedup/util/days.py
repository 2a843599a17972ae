"""Conversion of times to days since 1970, and of lengths of time to days."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from sahel_dedup.errors import SettingsError

SECONDS_A_DAY = 86_400.0

DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_days(moment: datetime) -> float:
    """Convert a time to days; one without a zone is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) / DAY


def to_day(name: str, moment: datetime) -> float:
    """Convert a time that was given as an argument to days.

    Raises
    ------
    SettingsError
        If it is not a datetime.
    """
    if not isinstance(moment, datetime):
        raise SettingsError(f"{name}: {moment!r} is not a datetime")
    return to_days(moment)


def to_moment(days: float) -> datetime:
    """Convert days to a time."""
    return _EPOCH + days * DAY


def length_in_days(length: timedelta | None) -> float | None:
    """Convert a length of time to days."""
    return None if length is None else length / DAY


def length_in_words(length: timedelta | None) -> str:
    """Express a length of time in days, for messages."""
    return "None" if length is None else f"{length / DAY:g} days"


def length_of(days: float | None) -> timedelta | None:
    """Convert days to a length of time."""
    return None if days is None else days * DAY


def today() -> float:
    """Return the present time in days."""
    return time.time() / SECONDS_A_DAY


def hours_between(first: datetime, last: datetime) -> float:
    """Return the hours from one time to another."""
    return (last - first) / _HOUR
