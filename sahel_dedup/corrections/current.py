"""The corrections of an index, as they are at the moment."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from sahel_dedup.corrections.corrections import Correction, Corrections


class CurrentCorrections(ABC):
    """Corrections that change: iteration, ``len`` and ``repr`` show those of the moment."""

    def __iter__(self) -> Iterator[Correction]:
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def __bool__(self) -> bool:
        return len(self) > 0

    def __repr__(self) -> str:
        return repr(self._now())

    @abstractmethod
    def _now(self) -> Corrections:
        """Return the corrections."""
