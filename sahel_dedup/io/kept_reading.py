"""Reading of files with a checkpoint: only files that it does not contain are read.

The result is that of reading all files: articles, counts, faults, and duplicate ids.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError, FileError, SahelError
from sahel_dedup.io.article_reader import ArticleReader, Entry, OnBadDate, check_seen
from sahel_dedup.io.checkpoint import Checkpoint, Part, concatenated, file_key
from sahel_dedup.io.frames import Row
from sahel_dedup.io.lines import InputPath, source_name
from sahel_dedup.io.readers import Place, SkipReport, file_rows
from sahel_dedup.io.seen_ids import SeenIds
from sahel_dedup.io.sources import Located
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.io.writers import json_line, json_lines
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher, latest_day
from sahel_dedup.util.days import to_days
from sahel_dedup.util.field_names import check_columns
from sahel_dedup.util.parallel import slices

# About forty megabytes, and two to five seconds of work.
PART_ARTICLES = 1 << 14
_HAS_DATE = 2
_LINES_AT_ONCE = 256


class _Given(NamedTuple):
    """A part that was yielded, and which of its articles were left out."""

    key: str
    number: int
    dropped: set[int]


@dataclass(frozen=True, slots=True)
class _File:
    """A file as it was when its key was computed."""

    path: InputPath
    name: str
    key: str
    status: tuple[int, int, int]

    @classmethod
    def at(cls, path: InputPath) -> _File:
        status = _status(path)
        return cls(path, source_name(path), file_key(path), status)

    def check(self) -> None:
        if _status(self.path) != self.status:
            raise FileError(f"{self.name} changed while it was read: run again once it is final")


class KeptReading:
    """Articles of files, sketched once and kept in a checkpoint.

    Parameters
    ----------
    checkpoint : Checkpoint
    paths : sequence of path
        Files from `sahel_dedup.io.paths.expand_paths`.
    columns, on_bad_date, skipped, summary
        See `sahel_dedup.io.article_reader.ArticleReader`.
    results : collection of str, optional
        If given, the columns of the articles are also kept, except those with these names, so that
        they can be written without reading the files again (`lines`).
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        paths: Sequence[InputPath],
        *,
        columns: Mapping[str, str] | None = None,
        on_bad_date: OnBadDate = "drop",
        skipped: SkipReport | None = None,
        summary: ReadSummary | None = None,
        results: Collection[str] = (),
    ) -> None:
        self._checkpoint = checkpoint
        self._paths = paths
        self._columns = columns
        self._on_bad_date = on_bad_date
        self._skipped = skipped
        self._summary = summary or ReadSummary()
        self._results = frozenset(results)
        self._given: list[_Given] = []
        # File and line of each article that was given out.
        self._places: list[tuple[str, NDArray[np.int64]]] = []

    def sketch_all(
        self, sketcher: Sketcher, workers: int = 0
    ) -> Iterator[tuple[list[str], Profiles]]:
        """Sketch the articles of all files, in order, except those that are done already.

        Parameters
        ----------
        sketcher : Sketcher
            A new sketcher, which takes over the terms, outlets and languages of the checkpoint.
        workers : int
            Number of threads; 0 uses all processors.

        Yields
        ------
        ids : list of str
        profiles : Profiles

        Raises
        ------
        ArticleError
            If a row is not an article or repeats an id, and such rows are not left out.
        FileError
            If a file changes while it is read, or the checkpoint is damaged.
        """
        self._checkpoint.start(sketcher)
        seen = SeenIds()
        unseen = set(check_columns(self._columns).values())
        implausible, wordless, keys = 0, 0, set[str]()
        for file in map(_File.at, self._paths):
            keys.add(file.key)
            for number, start, part in self._parts(file, sketcher, workers):
                if not start:
                    self._given.append(_Given(file.key, number, set()))
                once = self._once(file, part, seen)
                if not once.all():
                    self._given[-1].dropped.update((start + np.flatnonzero(~once)).tolist())
                    part = part.take(np.flatnonzero(once))
                self._places.append((file.key, part.places))
                self._summary.add_flags(part.flags)
                implausible += int(np.count_nonzero(_without_day(part)))
                wordless += int(np.count_nonzero(part.profiles.body == 0))
                yield part.ids, part.profiles
            found = self._checkpoint.reading(file.key) or {}
            self._summary.add_notes(found["notes"])
            unseen.intersection_update(found["unseen"])
            if self._skipped is not None:
                self._skipped.add_all(found["skipped"], found["examples"])
        sketcher.implausible_dates, sketcher.wordless = implausible, wordless
        check_seen(unseen, self._summary)
        self._checkpoint.keep_only(keys)

    @property
    def checkpoint(self) -> Checkpoint:
        """Where everything is kept."""
        return self._checkpoint

    def places(self) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
        """Return where the articles were read: keys of files, number of the file, and line."""
        keys = list(dict.fromkeys(key for key, _ in self._places))
        number = {key: i for i, key in enumerate(keys)}
        none = [np.zeros(0, dtype=np.int64)]
        files = [np.full(len(lines), number[key]) for key, lines in self._places]
        lines = [lines for _, lines in self._places]
        return keys, np.concatenate(none + files), np.concatenate(none + lines)

    def lines(
        self, found: Iterator[Mapping[str, object]], replaced: Counter[str]
    ) -> Iterator[bytes] | None:
        """Return lines of JSON with the results for each article, followed by its columns.

        Parameters
        ----------
        found : iterator of mapping
            Results for each article, in order.
        replaced : Counter of str
            Counts the columns that have the name of a result.

        Returns
        -------
        iterator of bytes or None
            Several lines at a time. None if the columns of some articles were not kept.
        """
        if not all(self._checkpoint.has_lines(part.key, part.number) for part in self._given):
            return None
        return self._lines(found, replaced)

    def _lines(
        self, found: Iterator[Mapping[str, object]], replaced: Counter[str]
    ) -> Iterator[bytes]:
        for part in self._given:
            lines, columns = self._checkpoint.lines(part.key, part.number)
            for name, rows in columns.items():
                replaced[name] += len(set(rows) - part.dropped)
            for span in slices(len(lines), _LINES_AT_ONCE):
                rest = [
                    line
                    for row, line in enumerate(lines[span], span.start)
                    if row not in part.dropped
                ]
                if rest:
                    yield json_lines(list(islice(found, len(rest))), rest)

    def _parts(
        self, file: _File, sketcher: Sketcher, workers: int
    ) -> Iterator[tuple[int, int, Part]]:
        """Yield the articles of a file, with the number of the part and the position in it."""
        checkpoint, key = self._checkpoint, file.key
        known = checkpoint.reading(key)
        if known is not None and not _holds(known, file):
            checkpoint.forget(key)
            known = None
        if known is None:
            yield from self._read(file, sketcher, workers)
            return
        for number in range(known["parts"]):
            part = checkpoint.part(key, number)
            if part is None:
                raise checkpoint.damaged(key, "a part is missing")
            yield number, 0, part

    def _read(
        self, file: _File, sketcher: Sketcher, workers: int
    ) -> Iterator[tuple[int, int, Part]]:
        """Sketch a file, starting with the part at which an earlier run ended, and store it."""
        skipped = None if self._skipped is None else SkipReport()
        reader = ArticleReader(self._columns, on_bad_date=self._on_bad_date, skipped=skipped)
        rows = file_rows([file.path], reader.count_fault)
        entries = reader.entries((Located(place, row) for place, row in rows), whole=False)
        future: list[float] = []
        number = 0
        while (part := self._checkpoint.part(file.key, number)) is not None:
            for name in part.ids:
                entry = next(entries, None)
                if entry is None or entry.article.id != name:
                    raise self._checkpoint.damaged(file.key, "it contains other articles")
                _note_future(entry, future)
            yield number, 0, part
            number += 1
        waiting: deque[Entry] = deque()
        held: list[Part] = []
        for ids, profiles in sketcher.sketch_all(_watched(entries, waiting), workers):
            part = self._sketched(ids, profiles, [waiting.popleft() for _ in ids], future)
            yield number, sum(map(len, held)), part
            held.append(part)
            if sum(map(len, held)) >= PART_ARTICLES:
                self._checkpoint.save_part(file.key, number, concatenated(held))
                number, held = number + 1, []
        file.check()
        if held:
            self._checkpoint.save_part(file.key, number, concatenated(held))
            number += 1
        found = {
            "parts": number, "name": file.name, "future": min(future, default=None),
            "notes": reader.summary.notes(), "unseen": sorted(reader.unseen),
            "skipped": dict(skipped.counts) if skipped else {},
            "examples": skipped.examples if skipped else [],
        }  # fmt: skip
        self._checkpoint.save_reading(file.key, found)

    def _sketched(
        self, ids: list[str], profiles: Profiles, entries: list[Entry], future: list[float]
    ) -> Part:
        for entry in entries:
            _note_future(entry, future)
        rows = [{} if isinstance(entry.row, Article) else entry.row for entry in entries]
        flags = [
            ReadSummary.flags(entry.article, row["id"])
            for entry, row in zip(entries, rows, strict=True)
        ]
        replaced: dict[str, list[int]] = {}
        for place, row in enumerate(rows):
            for name in self._results.intersection(row):
                if name != "id":
                    replaced.setdefault(name, []).append(place)
        return Part(
            ids, profiles, np.array([entry.place.line for entry in entries], dtype=np.int64),
            np.array(flags, dtype=np.uint8), replaced, self._encoded(rows),
        )  # fmt: skip

    def _encoded(self, rows: list[Row]) -> list[bytes] | None:
        """Return the columns of rows that are not results, as the rest of a line of JSON."""
        if not self._results:
            return None
        try:
            lines = [
                json_line({name: row[name] for name in row if name not in self._results})
                for row in rows
            ]
        except SahelError:
            # Nested too deeply, which matters only if the line is written.
            return None
        return [line[1:] if line == b"{}\n" else b", " + line[1:] for line in lines]

    def _once(self, file: _File, part: Part, seen: SeenIds) -> NDArray[np.bool_]:
        """Mark the articles whose id no earlier article has; the others are faults."""
        once, lines = np.ones(len(part), dtype=np.bool_), part.places.tolist()
        if seen.add_all(part.ids, file.name, lines):
            return once
        for row, (name, line) in enumerate(zip(part.ids, lines, strict=True)):
            place = Place(file.name, line)
            try:
                seen.add(name, place)
            except ArticleError as error:
                fault = error.at(*place)
                if self._skipped is None:
                    raise fault from None
                self._skipped.add(fault)
                self._summary.add_fault(fault)
                once[row] = False
        return once


def _watched(entries: Iterator[Entry], waiting: deque[Entry]) -> Iterator[Article]:
    for entry in entries:
        waiting.append(entry)
        yield entry.article


def _without_day(part: Part) -> NDArray[np.bool_]:
    """Mark the articles whose date cannot be right."""
    return ((part.flags & _HAS_DATE) > 0) & np.isnan(part.profiles.day)


def _note_future(entry: Entry, future: list[float]) -> None:
    """Record a date that is impossible today but will be possible later."""
    if entry.article.published is not None:
        day = to_days(entry.article.published)
        if day > latest_day():
            future.append(day)


def _holds(known: dict[str, Any], file: _File) -> bool:
    """Whether the notes on a file are what reading it would give now."""
    # Messages of faults contain the name of the file.
    faults = known["examples"] or known["notes"]["first_fault"]
    if faults and known["name"] != file.name:
        return False
    return known["future"] is None or known["future"] > latest_day()


def _status(path: InputPath) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns, status.st_ino
