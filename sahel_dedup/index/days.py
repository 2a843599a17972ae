"""Times as days since 1970, the unit of the engine."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_days(moment: datetime) -> float:
    """Turn a time into days; one without a zone is UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) / _DAY


def to_moment(days: float) -> datetime:
    """Turn days into a time."""
    return _EPOCH + days * _DAY


def today() -> float:
    """Return the present time."""
    return time.time() / 86_400
