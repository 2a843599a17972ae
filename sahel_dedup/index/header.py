"""What the file of an index remembers of how it was opened."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sahel_dedup.errors import SahelError
from sahel_dedup.settings import Settings

_DAY = timedelta(days=1)
# What a story is depends on these; the other settings may change between runs.
_BINDING = ("granularity", "window", "recall", "recall_similarity")


def make_header(settings: Settings, retention: timedelta | None) -> dict[str, Any]:
    """Describe an index, in JSON's types."""
    values = {name: getattr(settings, name) for name in _BINDING}
    values["window"] = _days(settings.window)
    return {"settings": values, "retention": _days(retention)}


def read_settings(header: dict[str, Any], given: Settings | None, path: str) -> Settings:
    """Return the settings to go on with.

    Parameters
    ----------
    header : dict
        What the file says.
    given : Settings or None
        What the caller asks for.
    path : str
        The file, for messages.

    Returns
    -------
    Settings
        Those given, or those of the file.

    Raises
    ------
    SahelError
        If the caller asks for what the file is not made for.
    """
    try:
        values = dict(header["settings"])
        values["window"] = _time(values["window"])
        stored = Settings(**values)
    except (KeyError, TypeError, ValueError) as error:
        raise SahelError(f"{path!r} is damaged: its settings cannot be read ({error})") from error
    for name in _BINDING if given is not None else ():
        have, want = getattr(stored, name), getattr(given, name)
        if have != want:
            raise SahelError(
                f"{path!r} was made with {name} {have}, not {want}: open it without settings, "
                "or make another from the articles"
            )
    return given or stored


def read_retention(header: dict[str, Any]) -> timedelta | None:
    """Return the retention of a file."""
    return _time(header["retention"])


def check_retention(retention: timedelta | None, settings: Settings) -> None:
    """Refuse to let go of articles that may still find relatives.

    Raises
    ------
    ValueError
        If the retention is shorter than the window.
    """
    if retention is not None and settings.window is not None and retention < settings.window:
        raise ValueError(f"retention: {retention} is shorter than the window, {settings.window}")


def _days(time: timedelta | None) -> float | None:
    return None if time is None else time / _DAY


def _time(days: float | None) -> timedelta | None:
    return None if days is None else timedelta(days=days)
