"""The differences between an engine in memory and its file."""

from __future__ import annotations

from dataclasses import dataclass, field

from sahel_dedup.corrections.corrections import Correction


@dataclass(slots=True)
class Changes:
    """The changes since the last save.

    Attributes
    ----------
    added : list of int
        New rows.
    moved : set of int
        Older rows with another story, duplicate or recurrence.
    left : list of int
        Serials of removed articles.
    corrected : list of Correction
        New corrections.
    withdrawn : bool
        Whether corrections were withdrawn.
    compacted : bool
        Whether removed articles were dropped, so that their counts must be saved.
    """

    added: list[int] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)
    left: list[int] = field(default_factory=list)
    corrected: list[Correction] = field(default_factory=list)
    withdrawn: bool = False
    compacted: bool = False
