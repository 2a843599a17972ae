"""Counts of reading that only the whole archive shows: outlets, and what texts repeat."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sahel_dedup.io.probable_mistakes import alike_names, repeated_words
from sahel_dedup.util.outlet_names import alike_outlets
from sahel_dedup.util.values import shorten, show

if TYPE_CHECKING:
    from sahel_dedup.sketch.repetition import Repetition


@dataclass(slots=True, kw_only=True)
class ArchiveCounts:
    """Counts of an archive; `sahel_dedup.io.summary.ReadSummary` adds those of its articles.

    Attributes
    ----------
    empty : int
        Number of articles whose text is empty.
    wordless : int
        Number of further articles whose text has no words besides markup and boilerplate.
    outlets : int
        Number of different sources.
    alike : int
        Number of groups of outlets that may be one under several names: see
        `sahel_dedup.util.outlet_names.alike_outlets`.
    first_alike : str or None
        The names of one group.
    repeating : int
        Number of outlets whose texts repeat a large share of their words: see
        `sahel_dedup.sketch.repetition`.
    first_repeating : str or None
        One of these, and the share.
    preferred : int
        Number of preferred outlets that no article has, probably by mistake.
    first_preferred : str or None
        One of these, with the outlet that was probably meant.
    """

    empty: int = 0
    wordless: int = 0
    outlets: int = 0
    alike: int = 0
    first_alike: str | None = None
    repeating: int = 0
    first_repeating: str | None = None
    preferred: int = 0
    first_preferred: str | None = None

    def add_outlets(self, outlets: Set[str], preferred: Sequence[str]) -> None:
        """Count outlets, and preferred ones that no article has if that is probably a mistake.

        A list for many archives names outlets that one archive lacks, but not all of them, and not
        under another spelling.
        """
        self.outlets = len(outlets)
        self.add_alike(outlets, outlets)
        written = {name.lower(): name for name in sorted(outlets, reverse=True)}
        unknown = [name for name in dict.fromkeys(preferred) if name not in outlets]
        misspelt = [name for name in unknown if name.lower() in written]
        doubtful = misspelt or (unknown if outlets.isdisjoint(preferred) else [])
        self.preferred += len(doubtful)
        if doubtful and self.first_preferred is None:
            there = written.get(doubtful[0].lower())
            hint = f"; there is {show(there)}" if there is not None else ""
            self.first_preferred = show(doubtful[0]) + hint

    def add_alike(self, outlets: Collection[str], new: Collection[str]) -> None:
        """Count outlets that may be one under several names, if one of the names is new."""
        alike = alike_outlets(outlets) if new else []
        alike = [group for group in alike if not set(new).isdisjoint(group)]
        self.alike += len(alike)
        if alike:
            self.first_alike = shorten(", ".join(map(repr, alike[0])))

    def add_texts(
        self, wordless: int, repeating: Sequence[Repetition], outlets: Sequence[str]
    ) -> None:
        """Count texts without words, empty or not, and outlets that repeat theirs."""
        self.wordless = max(0, wordless - self.empty)
        self.repeating += len(repeating)
        if repeating:
            outlet, share, texts = repeating[0]
            whose = show(outlets[outlet]) if outlet >= 0 else "unknown outlets"
            self.first_repeating = f"{share:.0%} of the words of {texts:,} texts of {whose}"

    def _doubts(self) -> list[str]:
        """Return what is probably a mistake about outlets."""
        found = []
        if self.preferred:
            found.append(
                f"preferred sources that no article has: {self.preferred:,}, for example "
                f"{self.first_preferred}"
            )
        if self.repeating:
            found.append(repeated_words(self.repeating, self.first_repeating))
        if self.alike:
            found.append(alike_names(self.alike, self.first_alike))
        return found
