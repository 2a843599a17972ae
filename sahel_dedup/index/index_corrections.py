"""The corrections of an index, and the ways to change them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sahel_dedup.corrections.corrections import Correction, Corrections
from sahel_dedup.corrections.current import CurrentCorrections
from sahel_dedup.errors import no_article
from sahel_dedup.index.results import Event
from sahel_dedup.index.session import Session


class IndexCorrections(CurrentCorrections):
    """The corrections of an index: `StoryIndex.corrections`.

    Iteration yields every `Correction`. They are stored in the file, including those on articles
    that have not arrived yet, and apply as articles arrive.

    Parameters
    ----------
    session : Session
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def unknown(self) -> tuple[str, ...]:
        """Ids that corrections name but no article has so far."""
        with self._session.looking() as engine:
            names = engine.live.corrections.names
            return tuple(sorted(name for name in names if name not in engine.live.row_of))

    def add(self, corrections: Corrections | Iterable[Any] | Any) -> tuple[Event, ...]:
        """Add corrections, and apply them to stories immediately.

        Parameters
        ----------
        corrections
            Anything that `Corrections.read` accepts.

        Returns
        -------
        tuple of Event
            The stories that merged or split. A merged story has the id of the one that began first.
            If a story splits, the part with the oldest article keeps the id.

        Raises
        ------
        ArticleError
            If an item is not a correction.
        CorrectionError
            If they contradict each other or existing ones; then nothing is changed.
        """
        added = Corrections.read(corrections)
        with self._session.writing() as engine:
            # Checked before anything is changed, so that an error leaves the index as it is.
            _ = engine.live.corrections | added
            with self._session.saving():
                return tuple(engine.correct(added))

    def withdraw(self, a: str, b: str) -> tuple[Event, ...]:
        """Withdraw the corrections on two articles, and group their stories again.

        Returns
        -------
        tuple of Event
            See `add`; empty if there was no correction on the two.

        Raises
        ------
        NotFoundError
            If one of the two is not an id.
        """
        for article in (a, b):
            if not isinstance(article, str):
                raise no_article(article)
        with self._session.writing() as engine:
            if len(engine.live.corrections.without(a, b)) == len(engine.live.corrections):
                return ()
            with self._session.saving():
                return tuple(engine.withdraw(a, b))

    def _now(self) -> Corrections:
        with self._session.looking() as engine:
            return engine.live.corrections


def said_now(a: str, b: str, same: bool, who: str | None, why: str | None) -> Correction:
    """Return a correction with the present time."""
    return Correction(a, b, same, who, datetime.now(UTC).isoformat(timespec="seconds"), why)
