"""Persistence: keeps the engine in memory and its file in step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.corrections.corrections import Correction, Corrections
from sahel_dedup.index.article_rows import (
    article_rows,
    articles_of_rows,
    check_langs,
    standing_rows,
    text_rows,
)
from sahel_dedup.index.changes import Changes
from sahel_dedup.index.correction_rows import correction_rows, read_corrections
from sahel_dedup.index.engine import EVENTS_KEPT, Engine
from sahel_dedup.index.kept_arrays import ArraysState, KeptArrays
from sahel_dedup.index.metadata import State
from sahel_dedup.index.online_recurrence import recurrence_of_nearest
from sahel_dedup.index.results import Event, EventKind
from sahel_dedup.index.row_checks import (
    DAYS,
    HIGHEST_COSINE,
    MOST_32,
    blobs,
    real_numbers,
    rising_numbers,
    strings,
    whole_numbers,
)
from sahel_dedup.index.sqlite_file import TableRow
from sahel_dedup.index.sqlite_store import Store
from sahel_dedup.index.standing import NO_STORY
from sahel_dedup.index.term_numbers import TermNumbers

_STORY = re.compile("s[0-9a-f]{16}")
_KINDS = frozenset(get_args(EventKind))
_NEAREST_BYTES = 12
# Number of articles that are packed for the file at a time: about 30 MB.
_SAVED_AT_ONCE = 4096


class Keeper:
    """Keeps an engine and its file in step.

    Parameters
    ----------
    store : Store
    engine : Engine
        An empty engine, which `load` fills.
    arrays : bool
        Whether to load its arrays from their file.

    Attributes
    ----------
    generation, removals : int
        Those of the loaded `State`; -1 before.
    terms : TermNumbers
        The terms that are in the file.
    arrays : KeptArrays or None
        The arrays next to the file, if they are used.
    keeps_texts, keeps_fields : bool
        Whether the file has the texts of articles, and their further fields.
    """

    def __init__(self, store: Store, engine: Engine, *, arrays: bool = True) -> None:
        self.store = store
        self.engine = engine
        self.generation = self.removals = -1
        self.keeps_texts = store.made["texts"] is True
        self.keeps_fields = store.made["fields"] is True
        self._serial = 0
        self._change = 0
        self._cursor = 0
        # Number of the last correction in the file.
        self._correction = 0
        self.terms = TermNumbers(engine.live.sketcher.vocabulary)
        self.arrays = KeptArrays(store) if arrays else None
        # Whether the file has events that have not been read.
        self._earlier = False

    @property
    def is_outdated(self) -> bool:
        """Whether everything must, or should better, be read again than updated from the file."""
        state = State.read(self.store.state)
        if self.generation < 0:
            return False
        arrays = self.arrays
        newer = arrays is not None and state.arrays not in (None, arrays.digest)
        return newer or state.generation != self.generation

    @property
    def is_behind(self) -> bool:
        """Whether arrays should be written before the file is closed."""
        return self.arrays is not None and self.arrays.is_due(len(self.engine.live), closing=True)

    def load(self) -> State:
        """Load what was written since the last time, in the open transaction.

        Raises
        ------
        IndexFileError
            If the file is damaged.
        """
        with self.store.checked():
            state = State.read(self.store.state)
            if self.generation < 0 and self.arrays is not None:
                self._take_arrays_over(self.arrays, state)
            self._load(state)
            self.generation, self.removals = state.generation, state.removals
            return state

    def save(self, state: State, articles: Sequence[Article] = ()) -> None:
        """Write all changes, in the open transaction.

        Parameters
        ----------
        state : State
            The state, which is updated.
        articles : sequence of Article
            The added articles, in order.
        """
        engine, store, changes = self.engine, self.store, self.engine.changes
        live = engine.live
        if changes.added or changes.moved:
            state.change = self._change = state.change + 1
        if changes.added:
            store.put("terms", self.terms.new_rows())
            # The last rows, in parts, because a whole archive may be added at once.
            first, last = changes.added[0], changes.added[-1] + 1
            for start in range(first, last, _SAVED_AT_ONCE):
                end = min(start + _SAVED_AT_ONCE, last)
                self._save_added(start, end, articles[start - first : end - first])
            state.serial = self._serial
        if changes.moved:
            moved = np.array(sorted(changes.moved))
            store.put("standing", standing_rows(live.standing, moved, self._change), replace=True)
            past = live.standing.story[moved] == NO_STORY
            if past.any():
                # They are still compared but no longer shown.
                store.drop("texts", live.standing.serial[moved][past].tolist())
        if changes.left:
            for table in ("articles", "standing", "texts"):
                store.drop(table, changes.left)
            state.removals += 1
            state.generation += changes.compacted
            state.clock = None if np.isnan(live.clock) else live.clock
        if changes.corrected or changes.withdrawn:
            self._save_corrections(state)
        self._note(len(changes.added) + len(changes.moved) + len(changes.left))
        if changes.compacted:
            self._note(len(live))
        self.generation, self.removals = state.generation, state.removals
        events = engine.events_after(self._cursor)
        store.put("events", [(e.cursor, e.kind, e.story, e.other) for e in events])
        self._cursor = engine.cursor
        store.state = state.values()
        engine.changes = Changes()

    def save_forgotten(self) -> None:
        """Write what remains of removed articles: counts for the IDF."""
        live, store, terms = self.engine.live, self.store, self.terms
        if rows_of_terms := terms.follow(live.sketcher.vocabulary):
            store.drop("terms", store.keys("terms"))
            store.put("terms", rows_of_terms)
        p, n, size = live.profiles, len(live), terms.size
        lang_of = np.repeat(p.lang[:n], np.diff(p.indptr[: n + 1]))
        held_terms = p.terms()
        names = live.sketcher.langs.names
        rows = []
        for lang, counts in enumerate(live.similarity.counted()):
            held = np.bincount(held_terms[lang_of == lang], minlength=size)[:size]
            lost = counts.seen[:size] - held
            some = np.flatnonzero(lost)
            articles = counts.articles - int((p.lang[:n] == lang).sum())
            filed = terms.filed(some).astype("<i4").tobytes()
            rows.append((names[lang], articles, filed, lost[some].astype("<i4").tobytes()))
        store.put("forgotten", rows, replace=True)
        store.drop_until("events", self._cursor - EVENTS_KEPT)

    def save_arrays(self, state: State, *, closing: bool) -> None:
        """Write the arrays, if that is due, in the open transaction.

        From then on the file names them; `publish_arrays` makes them available.
        """
        arrays, live = self.arrays, self.engine.live
        if arrays is None or not arrays.is_due(len(live), closing=closing):
            return
        self.store.put("terms", self.terms.new_rows())
        progress = ArraysState(
            self.generation, self.removals, self._change, self._serial, self.engine.cursor
        )
        state.arrays = arrays.save(live, self.terms, progress) or state.arrays
        self.store.state = state.values()

    def publish_arrays(self) -> None:
        """Make the arrays available, after the transaction that names them."""
        if self.arrays is not None:
            self.arrays.publish()

    def read_earlier_events(self) -> None:
        """Read the events that are older than the arrays."""
        if self._earlier:
            with self.store.checked():
                until = self.engine.events[0].cursor if self.engine.events else self._cursor + 1
                found = list(self._read_events(0, whole=False))
                self.engine.events[:0] = [event for event in found if event.cursor < until]
            self._earlier = False

    def _take_arrays_over(self, arrays: KeptArrays, state: State) -> None:
        found = arrays.load(self.engine.live, state)
        if found is not None:
            self.terms, progress = found
            self.generation, self.removals, self._change, self._serial, self._cursor = progress
            self.engine.cursor = self._cursor
            self._earlier = True

    def _save_added(self, first: int, last: int, articles: Sequence[Article]) -> None:
        """Write new rows."""
        live, store = self.engine.live, self.store
        store.put("articles", article_rows(live, first, last, self.terms))
        serials = live.standing.serial[first:last].tolist()
        if self.keeps_texts:
            store.put("texts", text_rows(serials, articles, fields=self.keeps_fields))
        self._serial = serials[-1]
        store.put("standing", standing_rows(live.standing, range(first, last), self._change))

    def _save_corrections(self, state: State) -> None:
        """Write new corrections, or all of them if some were withdrawn."""
        store, changes = self.store, self.engine.changes
        said: Iterable[Correction] = changes.corrected
        if changes.withdrawn:
            store.drop_until("corrections", self._correction)
            said = self.engine.live.corrections
            state.removals += 1
        rows = list(correction_rows(said, self._correction + 1))
        store.put("corrections", rows)
        self._correction += len(rows)

    def _load_corrections(self, whole: bool) -> None:
        live = self.engine.live
        if whole:
            self._correction, live.corrections = 0, Corrections()
        for rows in self._rows("corrections", "number", self._correction, whole):
            numbers = rising_numbers("number", [row[0] for row in rows], self._correction)
            live.corrections |= Corrections(read_corrections(rows))
            self._correction = int(numbers[-1])

    def _load(self, state: State) -> None:
        live = self.engine.live
        # Nothing has been loaded yet: all rows are read and must be those of the last state.
        whole = self.generation < 0
        for rows in self._rows("terms", "first", self.terms.last, whole):
            self.terms.read(rows)
        if whole:
            if self.terms.size != self.terms.read_so_far:
                raise ValueError("a term occurs twice")
            self._load_forgotten()
        first, s = len(live), live.standing
        story, duplicate_of = s.story[:first].copy(), s.duplicate_of[:first].copy()
        removed = self.removals != state.removals
        if removed and not whole:
            self._lose_removed()
        self._load_articles(whole, state.serial)
        self._serial = state.serial
        live.next_serial = state.serial + 1
        self._load_standing(whole, first)
        self._change = state.change
        live.follow(story, duplicate_of, apart=self.store.readonly)
        if len(live.row_of) != np.count_nonzero(live.standing.story[: len(live)]):
            raise ValueError("an article occurs twice")
        clocks = [live.clock, *live.profiles.day[first : len(live)].tolist()]
        if state.clock is not None:
            clocks.append(state.clock)
        live.clock = float(np.fmax.reduce(clocks))
        self._load_corrections(removed)
        self._load_events(whole)

    def _rows(self, table: str, column: str, last: int, whole: bool) -> Iterator[list[TableRow]]:
        return self.store.rows(table, since=None if whole else (column, last))

    def _load_forgotten(self) -> None:
        live = self.engine.live
        for rows in self.store.rows("forgotten"):
            langs, articles, terms, counts = zip(*rows, strict=True)
            check_langs(langs)
            whole_numbers("articles", articles, 0, MOST_32)
            blobs("terms", terms)
            blobs("counts", counts)
            for i, lang in enumerate(langs):
                lost = np.frombuffer(counts[i], "<i4").astype(np.int64)
                if len(terms[i]) != len(counts[i]) or (lost < 1).any():
                    raise ValueError("forgotten terms and their counts do not match")
                found = self.terms.in_memory(np.frombuffer(terms[i], "<i4"))
                number = live.sketcher.langs.setdefault(lang, len(live.sketcher.langs))
                live.similarity.count_former(number, articles[i], found, lost)

    def _load_articles(self, whole: bool, last: int) -> None:
        live = self.engine.live
        for rows in self._rows("articles", "serial", self._serial, whole):
            serial, *columns = zip(*rows, strict=True)
            serials = rising_numbers("serial", serial, self._serial, last)
            self._note(len(rows))
            new = live.append(*articles_of_rows(columns, live, self.terms))
            live.standing.serial[new.start : new.stop] = serials
            self._serial = int(serials[-1])

    def _load_standing(self, whole: bool, first: int) -> None:
        """Read the standing of articles that arrived or moved since the last time."""
        live, s, n = self.engine.live, self.engine.live.standing, len(self.engine.live)
        placed = np.arange(n) < first
        before = 0
        for rows in self._rows("standing", "changed", self._change, whole):
            serial, story, duplicate_of, day, nearest, changed = zip(*rows, strict=True)
            self._note(len(rows))
            serials = rising_numbers("serial", serial, before)
            before = int(serials[-1])
            at = self._rows_of(serials)
            blobs("nearest", nearest, _NEAREST_BYTES)
            cosines = np.frombuffer(b"".join(nearest), "<f4").reshape(len(rows), -1)
            # NaN is not in any range.
            if not ((cosines >= 0) & (cosines <= HIGHEST_COSINE)).all():
                raise ValueError("nearest: a number out of range")
            whole_numbers("changed", changed, 0)
            s.story[at] = whole_numbers("story", story).view(np.uint64)
            s.duplicate_of[at] = self._rows_of(whole_numbers("twin", duplicate_of))
            s.when[at] = real_numbers("day", day, *DAYS)
            s.nearest[at] = cosines
            s.recurrence[at] = recurrence_of_nearest(s.nearest[at], live.profiles.day[at])
            placed[at] = True
        if not placed.all():
            raise ValueError("an article is neither in a story nor past")

    def _note(self, rows: int) -> None:
        """Count rows that were read or written and are not in the arrays."""
        if self.arrays is not None:
            self.arrays.behind += rows

    def _lose_removed(self) -> None:
        """Remove the articles that are no longer in the file."""
        live, n = self.engine.live, len(self.engine.live)
        kept = np.array(self.store.keys("standing"), dtype=np.int64)
        there = live.standing.story[:n] != NO_STORY
        for row in np.flatnonzero(there & ~np.isin(live.standing.serial[:n], kept)).tolist():
            live.lose(row)

    def _rows_of(self, serials: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of articles by their numbers in the file."""
        known = self.engine.live.standing.serial[: len(self.engine.live)]
        rows = np.searchsorted(known, serials)
        if len(serials) and (rows.max() >= len(known) or (known[rows] != serials).any()):
            raise ValueError("articles are missing")
        return rows

    def _load_events(self, whole: bool) -> None:
        for event in self._read_events(self._cursor, whole=whole):
            self.engine.events.append(event)
            self._cursor = self.engine.cursor = event.cursor

    def _read_events(self, last: int, *, whole: bool) -> Iterator[Event]:
        """Yield the events after a given one."""
        for rows in self._rows("events", "cursor", last, whole):
            cursors, kinds, stories, others = zip(*rows, strict=True)
            rising_numbers("cursor", cursors, last)
            strings("story", stories)
            strings("other", others, missing=True)
            names = {*stories, *others} - {None}
            if set(kinds) - _KINDS or not all(_STORY.fullmatch(name) for name in names):
                raise ValueError("an event of an unknown kind or story")
            last = cursors[-1]
            yield from (Event(*row) for row in rows)
