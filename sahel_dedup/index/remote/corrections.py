"""The corrections of a served index."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.corrections.current import CurrentCorrections
from sahel_dedup.index.remote import calls
from sahel_dedup.index.results import Event


class RemoteCorrections(CurrentCorrections):
    """The corrections of people to a served index: `RemoteIndex.corrections`.

    Its methods do what those of `sahel_dedup.index.index_corrections.IndexCorrections` do.

    Parameters
    ----------
    send : callable
        Makes a call of `sahel_dedup.index.remote.calls`.
    """

    def __init__(self, send: Callable[[calls.Call[Any]], Any]) -> None:
        self._send = send

    @property
    def unknown(self) -> tuple[str, ...]:
        """Ids that corrections name but no article has so far."""
        unknown: tuple[str, ...] = self._send(calls.corrections()).unknown
        return unknown

    def add(self, corrections: Corrections | Iterable[Any] | Any) -> tuple[Event, ...]:
        """Add corrections; see `IndexCorrections.add`."""
        events: tuple[Event, ...] = self._send(calls.correct(Corrections.read(corrections)))
        return events

    def withdraw(self, a: str, b: str) -> tuple[Event, ...]:
        """Withdraw the corrections on two articles; see `IndexCorrections.withdraw`."""
        events: tuple[Event, ...] = self._send(calls.withdraw(a, b))
        return events

    def _now(self) -> Corrections:
        return Corrections(self._send(calls.corrections()).said)
