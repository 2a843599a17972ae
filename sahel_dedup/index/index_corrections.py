"""The corrections of an index, and the ways to change them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from sahel_dedup.corrections.corrections import Correction, Corrections
from sahel_dedup.index.results import Event
from sahel_dedup.index.session import Session


class IndexCorrections:
    """What people said of the articles of an index: `StoryIndex.corrections`.

    Iterating gives every `Correction`. They are kept in the file, also those on articles that
    have not come yet, and followed as articles come.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def __iter__(self) -> Iterator[Correction]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def __bool__(self) -> bool:
        return len(self) > 0

    def __repr__(self) -> str:
        return repr(self._now())

    @property
    def unknown(self) -> tuple[str, ...]:
        """Ids that corrections name and no article has, or not yet."""
        with self._session.looking() as engine:
            names = engine.live.corrections.names
            return tuple(sorted(name for name in names if name not in engine.live.row_of))

    def add(self, corrections: Corrections | Iterable[Any] | Any) -> tuple[Event, ...]:
        """Add corrections; stories follow them at once.

        Parameters
        ----------
        corrections
            Whatever `Corrections.read` reads.

        Returns
        -------
        tuple of Event
            The stories that were joined or fell apart. A joined story has the id of the one
            that began first; the part with the oldest article keeps the id of its story.

        Raises
        ------
        ArticleError
            If one is no correction.
        CorrectionError
            If they contradict each other or those that are there; nothing has changed then.
        """
        added = Corrections.read(corrections)
        with self._session.writing() as engine:
            # Before anything is changed: an error here leaves the index as it is.
            _ = engine.live.corrections | added
            with self._session.saving():
                return tuple(engine.correct(added))

    def withdraw(self, a: str, b: str) -> tuple[Event, ...]:
        """Take back what was said of two articles; their stories are grouped anew.

        Returns
        -------
        tuple of Event
            See `add`; none if nothing was said of the two.
        """
        with self._session.writing() as engine:
            if len(engine.live.corrections.without(a, b)) == len(engine.live.corrections):
                return ()
            with self._session.saving():
                return tuple(engine.withdraw(a, b))

    def _now(self) -> Corrections:
        with self._session.looking() as engine:
            return engine.live.corrections


def said_now(a: str, b: str, same: bool, who: str | None, why: str | None) -> Correction:
    """Return a correction that is made at this moment."""
    return Correction(a, b, same, who, datetime.now(UTC).isoformat(timespec="seconds"), why)
