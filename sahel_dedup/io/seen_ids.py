"""The ids that were read, and where each was first seen."""

from __future__ import annotations

from collections.abc import Sequence

from sahel_dedup.errors import ArticleError
from sahel_dedup.io.readers import Place


class SeenIds:
    """The place where each id was first seen.

    One integer per id instead of a `Place`, which would take three times the memory and, being a
    tuple, be tracked by the garbage collector.
    """

    _LINE_BITS = 40

    def __init__(self) -> None:
        self._first: dict[str, int] = {}
        self._files: list[str | None] = []

    def add(self, article_id: str, place: Place) -> None:
        """Record an id.

        Raises
        ------
        ArticleError
            If it was seen before. The error names the first place.
        """
        here = self._start(place.file) + place.line
        first = self._first.setdefault(article_id, here)
        if first != here:
            file = self._files[first >> self._LINE_BITS]
            line = first & (1 << self._LINE_BITS) - 1
            # The colon comes before the id, so that all duplicates count as one kind of fault.
            raise ArticleError(
                f"duplicate id: {article_id!r}, first seen at {Place(file, line)}", "id"
            )

    def add_all(self, ids: Sequence[str], file: str, lines: Sequence[int]) -> bool:
        """Record ids from the lines of a file, unless one was seen before or occurs twice.

        Returns
        -------
        bool
            Whether they were recorded; otherwise `add` finds the first that repeats another.
        """
        start = self._start(file)
        here = {name: start + line for name, line in zip(ids, lines, strict=True)}
        if len(here) < len(ids) or not self._first.keys().isdisjoint(here.keys()):
            return False
        self._first.update(here)
        return True

    def _start(self, file: str | None) -> int:
        """Return what is added to lines of a file."""
        if not self._files or self._files[-1] != file:
            self._files.append(file)
        return len(self._files) - 1 << self._LINE_BITS
