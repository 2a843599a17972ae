"""Between the engine in memory and its file."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.corrections.corrections import Correction, Corrections
from sahel_dedup.index.article_rows import (
    article_rows,
    check_langs,
    fields_to_bytes,
    read_articles,
    read_fields,
    to_blobs,
    to_bytes,
    to_text,
)
from sahel_dedup.index.changes import Changes
from sahel_dedup.index.correction_rows import correction_rows, read_corrections
from sahel_dedup.index.engine import EVENTS_KEPT, Engine
from sahel_dedup.index.metadata import State
from sahel_dedup.index.online_recurrence import recurrence_of_nearest
from sahel_dedup.index.results import Event, EventKind
from sahel_dedup.index.row_checks import (
    DAYS,
    MOST_32,
    blobs,
    real_numbers,
    rising_numbers,
    strings,
    whole_numbers,
)
from sahel_dedup.index.sqlite_file import Row, damaged
from sahel_dedup.index.sqlite_store import Store
from sahel_dedup.index.standing import NO_STORY
from sahel_dedup.index.term_numbers import TermNumbers

_STORY = re.compile("s[0-9a-f]{16}")
_KINDS = frozenset(get_args(EventKind))
_NEAREST_BYTES = 12
# Articles that are packed for the file at a time: some 30 MB.
_SAVED_AT_ONCE = 4096
# Cosines in single precision may be a little above 1.
_HIGHEST_COSINE = 1.001


class Text(NamedTuple):
    """What is kept of an article for people."""

    title: str | None
    text: str
    extra: Mapping[str, object]


class Keeper:
    """Keeps an engine and its file in step.

    Parameters
    ----------
    store : Store
    engine : Engine
        Empty; `load` fills it.

    Attributes
    ----------
    generation : int
        The `State.generation` that was loaded, -1 before.
    keeps_texts, keeps_fields : bool
        Whether the texts of articles are in the file, and their further fields.
    """

    def __init__(self, store: Store, engine: Engine) -> None:
        self.store = store
        self.engine = engine
        self.generation = -1
        self.keeps_texts = store.made["texts"] is True
        self.keeps_fields = store.made["fields"] is True
        self._serial = 0
        self._cursor = 0
        # The number of the last correction in the file.
        self._correction = 0
        self._terms = TermNumbers(engine.live.sketcher.vocabulary)

    def load(self) -> State:
        """Take over what was written since the last time, in the transaction that is open.

        Raises
        ------
        IndexFileError
            If the file is damaged.
        """
        with self.store.checked():
            state = State.read(self.store.state)
            self._load(state)
            self.generation = state.generation
            return state

    def save(self, state: State, articles: Sequence[Article] = ()) -> None:
        """Write what has changed, in the transaction that is open.

        Parameters
        ----------
        state : State
            It is brought up to date.
        articles : sequence of Article
            Those that were added, in order.
        """
        engine, store, changes = self.engine, self.store, self.engine.changes
        live = engine.live
        if changes.added:
            store.put("terms", self._terms.new_rows())
            # The last rows, and in parts, as an archive is added at once.
            first, last = changes.added[0], changes.added[-1] + 1
            for start in range(first, last, _SAVED_AT_ONCE):
                end = min(start + _SAVED_AT_ONCE, last)
                self._save_added(start, end, articles[start - first : end - first])
        if moved := sorted(changes.moved):
            store.put("standing", self._standing(np.array(moved)), replace=True)
            # Past articles are compared with, and not shown any more.
            past = [row for row in moved if live.standing.story[row] == NO_STORY]
            store.drop("texts", live.standing.serial[past].tolist())
        if changes.left:
            for table in ("articles", "standing", "texts"):
                store.drop(table, changes.left)
            state.generation += 1
            state.clock = None if np.isnan(live.clock) else live.clock
        self._save_corrections(state)
        self.generation = state.generation
        events = [event for event in engine.events if event.cursor > self._cursor]
        store.put("events", [(e.cursor, e.kind, e.story, e.other) for e in events])
        self._cursor = engine.cursor
        store.state = store.state | state.values()
        engine.changes = Changes()

    def save_forgotten(self) -> None:
        """Write, after articles were removed, what remains of them: counts for the IDF."""
        live, store, terms = self.engine.live, self.store, self._terms
        store.drop("terms", terms.follow(live.sketcher.vocabulary))
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

    def text(self, row: int) -> Text | None:
        """Return what is kept of an article for people, ``None`` if the file keeps no texts.

        Raises
        ------
        IndexFileError
            If they are damaged or missing.
        """
        if not self.keeps_texts:
            return None
        found = self.find_text(row)
        if found is None:
            raise damaged(self.store.path, "a text is missing")
        return found

    def find_text(self, row: int) -> Text | None:
        """Return the same, ``None`` also where another process has removed the article."""
        with self.store.checked():
            found = self.store.row("texts", int(self.engine.live.standing.serial[row]))
            return None if found is None else _read_text(found)

    def check_texts(self) -> None:
        """Read all texts.

        Raises
        ------
        IndexFileError
            If one is damaged, missing, or of no live article.
        """
        s, n = self.engine.live.standing, len(self.engine.live)
        missing = set(s.serial[:n][s.story[:n] != NO_STORY].tolist() if self.keeps_texts else ())
        with self.store.checked():
            for rows in self.store.rows("texts"):
                for row in rows:
                    _read_text(row)
                    if row[0] not in missing:
                        raise ValueError("texts belong to no article")
                    missing.remove(row[0])
            if missing:
                raise ValueError(f"{len(missing):,} texts are missing")

    def _save_added(self, first: int, last: int, articles: Sequence[Article]) -> None:
        """Write rows that are new."""
        live, store = self.engine.live, self.store
        store.put("articles", article_rows(live, first, last, self._terms))
        serials = live.standing.serial[first:last].tolist()
        if self.keeps_texts:
            # As they are: packing them takes longer than writing all the rest.
            titles = (None if a.title is None else to_bytes(a.title) for a in articles)
            texts = (to_bytes(a.text) for a in articles)
            extra = (fields_to_bytes(a) if self.keeps_fields else None for a in articles)
            store.put("texts", zip(serials, titles, texts, extra, strict=True))
        self._serial = serials[-1]
        store.put("standing", self._standing(np.arange(first, last)))

    def _save_corrections(self, state: State) -> None:
        """Write the corrections that are new, or all of them if some were taken back."""
        store, changes = self.store, self.engine.changes
        said: Iterable[Correction] = changes.corrected
        if changes.withdrawn:
            store.drop_until("corrections", self._correction)
            said = self.engine.live.corrections
            state.generation += 1
        rows = list(correction_rows(said, self._correction + 1))
        store.put("corrections", rows)
        self._correction += len(rows)

    def _load_corrections(self, whole: bool) -> None:
        live = self.engine.live
        for rows in self._rows("corrections", "number", self._correction, whole):
            numbers = rising_numbers("number", [row[0] for row in rows], self._correction)
            live.corrections |= Corrections(read_corrections(rows))
            self._correction = int(numbers[-1])

    def _standing(self, rows: NDArray[np.int64]) -> Iterator[Row]:
        """Rows of the table of where articles stand."""
        s = self.engine.live.standing
        return zip(
            s.serial[rows].tolist(),
            s.story[rows].view(np.int64).tolist(),
            s.serial[s.duplicate_of[rows]].tolist(),
            s.when[rows].tolist(),
            to_blobs(s.nearest[rows], "<f4"),
            itertools.repeat(self._serial, len(rows)),
            strict=True,
        )

    def _load(self, state: State) -> None:
        live = self.engine.live
        # Nothing was ever loaded: all rows are read, and must be those of the last state.
        whole = self.generation < 0
        for rows in self._rows("terms", "number", self._terms.last, whole):
            self._terms.read(rows)
        if whole:
            if self._terms.size != self._terms.read_so_far:
                raise ValueError("terms are there twice")
            self._load_forgotten()
        since, first = self._serial, len(live)
        self._load_articles(whole)
        self._load_standing(whole, since, first)
        if len(live.row_of) != np.count_nonzero(live.standing.story[: len(live)]):
            raise ValueError("articles are there twice")
        clocks = [live.clock, *live.profiles.day[first : len(live)].tolist()]
        if state.clock is not None:
            clocks.append(state.clock)
        live.clock = float(np.fmax.reduce(clocks))
        self._load_corrections(whole)
        self._load_events(whole)

    def _rows(self, table: str, column: str, last: int, whole: bool) -> Iterator[list[Row]]:
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
                    raise ValueError("forgotten terms and their counts do not fit")
                found = self._terms.in_memory(np.frombuffer(terms[i], "<i4"))
                number = live.sketcher.langs.setdefault(lang, len(live.sketcher.langs))
                live.similarity.count(number, articles[i], found, lost)

    def _load_articles(self, whole: bool) -> None:
        live = self.engine.live
        for rows in self._rows("articles", "serial", self._serial, whole):
            serial, *columns = zip(*rows, strict=True)
            serials = rising_numbers("serial", serial, self._serial)
            new = live.append(*read_articles(columns, live, self._terms))
            live.standing.serial[new.start : new.stop] = serials
            self._serial = int(serials[-1])

    def _load_standing(self, whole: bool, since: int, first: int) -> None:
        """Read where articles stand that came or moved after a serial."""
        live, s, n = self.engine.live, self.engine.live.standing, len(self.engine.live)
        placed = np.arange(n) < first
        before = 0
        for rows in self._rows("standing", "changed", since, whole):
            serial, story, duplicate_of, day, nearest, changed = zip(*rows, strict=True)
            serials = rising_numbers("serial", serial, before)
            before = int(serials[-1])
            at = self._rows_of(serials)
            blobs("nearest", nearest, _NEAREST_BYTES)
            cosines = np.frombuffer(b"".join(nearest), "<f4").reshape(len(rows), -1)
            # NaN is in no range.
            if not ((cosines >= 0) & (cosines <= _HIGHEST_COSINE)).all():
                raise ValueError("nearest: a number out of range")
            whole_numbers("changed", changed, 0)
            s.story[at] = whole_numbers("story", story).view(np.uint64)
            s.duplicate_of[at] = self._rows_of(whole_numbers("twin", duplicate_of))
            s.when[at] = real_numbers("day", day, *DAYS)
            s.nearest[at] = cosines
            s.recurrence[at] = recurrence_of_nearest(s.nearest[at], live.profiles.day[at])
            placed[at] = True
        if not placed.all():
            raise ValueError("articles belong to no story and no past")
        live.resume(first)

    def _rows_of(self, serials: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of articles by their numbers in the file."""
        known = self.engine.live.standing.serial[: len(self.engine.live)]
        rows = np.searchsorted(known, serials)
        if len(serials) and (rows.max() >= len(known) or (known[rows] != serials).any()):
            raise ValueError("articles are missing")
        return rows

    def _load_events(self, whole: bool) -> None:
        for rows in self._rows("events", "cursor", self._cursor, whole):
            cursors, kinds, stories, others = zip(*rows, strict=True)
            rising_numbers("cursor", cursors, self._cursor)
            strings("story", stories)
            strings("other", others, missing=True)
            names = {*stories, *others} - {None}
            if set(kinds) - _KINDS or not all(_STORY.fullmatch(name) for name in names):
                raise ValueError("an event of an unknown kind or story")
            self.engine.events += [Event(*row) for row in rows]
            self._cursor = self.engine.cursor = cursors[-1]


def _read_text(row: Row) -> Text:
    _, title, text, extra = row
    blobs("title", [title], missing=True)
    blobs("text", [text])
    blobs("extra", [extra], missing=True)
    return Text(None if title is None else to_text(title), to_text(text), read_fields(extra))
