"""What differs between an engine in memory and its file."""

from __future__ import annotations

from dataclasses import dataclass, field

from sahel_dedup.corrections.corrections import Correction


@dataclass(slots=True)
class Changes:
    """What differs from what was last saved.

    Attributes
    ----------
    added : list of int
        Rows that are new.
    moved : set of int
        Older rows whose story, duplicate or recurrence changed.
    left : list of int
        Serials of articles that were removed.
    corrected : list of Correction
        Corrections that are new.
    withdrawn : bool
        Whether corrections were taken back.
    compacted : bool
        Whether removed articles were dropped, so that what counted them has to be saved.
    """

    added: list[int] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)
    left: list[int] = field(default_factory=list)
    corrected: list[Correction] = field(default_factory=list)
    withdrawn: bool = False
    compacted: bool = False
