"""Between the engine in memory and its file.

Terms have numbers of their own in the file, which are never used twice: the numbers in
memory change when the vocabulary is cut down, and differ between processes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.articles import Article
from sahel_dedup.errors import SahelError
from sahel_dedup.fingerprint import SLOTS
from sahel_dedup.index.answers import Event
from sahel_dedup.index.engine import EVENTS_KEPT, Changes, Engine
from sahel_dedup.index.growing import TERM, TERM_BITS, with_room
from sahel_dedup.index.live import NO_STORY
from sahel_dedup.index.meeting import bar_of
from sahel_dedup.index.store import Store
from sahel_dedup.profiles import Profiles
from sahel_dedup.tallies import SLOTS as TALLIES


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
        Rises when anything is deleted: who loaded another generation starts anew.
    keeps_texts : bool
        Whether the texts of articles are in the file.
    """

    def __init__(self, store: Store, engine: Engine) -> None:
        self.store = store
        self.engine = engine
        self.generation = 0
        self.keeps_texts = bool(store.header()["texts"])
        self._serial = 0
        self._cursor = 0
        self._vocabulary = engine.live.sketcher.vocabulary
        # Number in the file of each term in memory.
        self._filed = np.zeros(0, dtype=np.int32)
        self._terms = 0
        # The other way round; terms that were deleted have no meaning.
        self._number = np.zeros(0, dtype=np.int32)
        self._last_filed = -1

    def load(self) -> None:
        """Take over what was written since the last time.

        Raises
        ------
        SahelError
            If the file is damaged.
        """
        try:
            self._load()
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            raise SahelError(f"{self.store.path!r} is damaged: {error}") from error

    def save(self, articles: Sequence[Article] = ()) -> None:
        """Write what has changed, in the transaction that is open.

        Parameters
        ----------
        articles : sequence of Article
            Those that were added, in order.
        """
        engine, store, changes = self.engine, self.store, self.engine.changes
        live = engine.live
        if changes.added:
            self._save_terms()
            # The last rows.
            first, last = changes.added[0], changes.added[-1] + 1
            store.write(f"INSERT INTO articles VALUES (?{', ?' * 13})", self._articles(first, last))
            serials = live.standing.serial[first:last].tolist()
            if self.keeps_texts:
                # As they are: packing them takes longer than writing all the rest.
                titles = (None if a.title is None else _bytes(a.title) for a in articles)
                texts = (_bytes(a.text) for a in articles)
                store.write(
                    "INSERT INTO texts VALUES (?, ?, ?)", zip(serials, titles, texts, strict=True)
                )
            self._serial = serials[-1]
        if moved := [*changes.added, *sorted(changes.moved)]:
            store.write(
                "INSERT OR REPLACE INTO standing VALUES (?, ?, ?, ?, ?, ?)",
                self._standing(np.array(moved)),
            )
            # Past articles are compared with, and not shown any more.
            past = [row for row in moved if live.standing.story[row] == NO_STORY]
            self._delete("texts", live.standing.serial[past].tolist())
        if changes.left:
            for table in ("articles", "standing", "texts"):
                self._delete(table, changes.left)
            self.generation += 1
            clock = None if np.isnan(live.clock) else live.clock
            store.set_header(generation=self.generation, clock=clock)
        events = [
            (e.cursor, e.kind, e.story, e.other) for e in engine.events if e.cursor > self._cursor
        ]
        store.write("INSERT INTO events VALUES (?, ?, ?, ?)", events)
        self._cursor = engine.cursor
        engine.changes = Changes()

    def text(self, row: int) -> tuple[str | None, str] | None:
        """Return title and text of an article, ``None`` if they are not in the file."""
        serial = int(self.engine.live.standing.serial[row])
        found = self.store.read("SELECT title, text FROM texts WHERE serial = ?", serial)
        try:
            return _told(*found[0]) if found else None
        except (ValueError, AttributeError) as error:
            raise SahelError(f"{self.store.path!r} is damaged: {error}") from error

    def _delete(self, table: str, serials: Sequence[int]) -> None:
        rows = ((serial,) for serial in serials)
        self.store.write(f"DELETE FROM {table} WHERE serial = ?", rows)

    def save_forgotten(self) -> None:
        """Write, after articles were let go, what remains of them: counts for the IDF."""
        live, store = self.engine.live, self.store
        self._follow_vocabulary()
        p, n, size = live.profiles, len(live), self._terms
        lang_of = np.repeat(p.lang[:n], np.diff(p.indptr[: n + 1]))
        terms = p.terms()
        names = list(live.sketcher.langs)
        for lang, counts in enumerate(live.similarity.counted()):
            held = np.bincount(terms[lang_of == lang], minlength=size)[:size]
            lost = counts.seen[:size] - held
            some = np.flatnonzero(lost)
            articles = counts.articles - int((p.lang[:n] == lang).sum())
            row = names[lang], articles, _blob(self._filed[some], "<i4"), _blob(lost[some], "<i4")
            store.write("INSERT OR REPLACE INTO forgotten VALUES (?, ?, ?, ?)", [row])
        store.write("DELETE FROM events WHERE cursor <= ?", [(self._cursor - EVENTS_KEPT,)])

    def _save_terms(self) -> None:
        vocabulary = self.engine.live.sketcher.vocabulary
        numbers = np.arange(self._terms, len(vocabulary), dtype=np.int32)
        filed = numbers - self._terms + self._last_filed + 1
        hashes = vocabulary.hashes[numbers].view(np.int64).tolist()
        words = vocabulary.words.encoded(self._terms)
        rows = zip(filed.tolist(), hashes, words, strict=True)
        self.store.write("INSERT INTO terms VALUES (?, ?, ?)", rows)
        self._note(numbers, filed)

    def _note(self, numbers: NDArray[np.int32], filed: NDArray[np.int32]) -> None:
        """Note terms with their numbers in memory and in the file."""
        if len(filed):
            self._terms = len(self._vocabulary)
            self._last_filed = int(filed[-1])
            self._filed = with_room(self._filed, self._terms)
            self._filed[numbers] = filed
            self._number = with_room(self._number, self._last_filed + 1)
            self._number[filed] = numbers

    def _follow_vocabulary(self) -> None:
        """Follow the engine to a smaller vocabulary."""
        before, now = self._vocabulary, self.engine.live.sketcher.vocabulary
        if before is now:
            return
        former = before.enter(now.hashes, now.words)
        # Terms that only a query brought were never filed, nor kept here.
        filed = self._filed[former]
        gone = np.setdiff1d(self._filed[: self._terms], filed)
        self.store.write("DELETE FROM terms WHERE number = ?", ((int(n),) for n in gone))
        self._vocabulary, self._terms, self._filed = now, len(now), filed
        self._number[filed] = np.arange(len(filed))

    def _articles(self, first: int, last: int) -> Iterator[tuple[object, ...]]:
        """Rows of the table of articles, from one live row to another."""
        live, p, here = self.engine.live, self.engine.live.profiles, slice(first, last)
        sources, langs = list(live.sketcher.sources), list(live.sketcher.langs)
        entries = p.indptr[first : last + 1]
        words = p.words[entries[0] : entries[-1]]
        titles = p.title_indptr[first : last + 1]
        title_terms = p.title_terms[titles[0] : titles[-1]]
        return zip(
            live.standing.serial[here].tolist(),
            map(_bytes, live.ids[here]),
            [None if math.isnan(day) else day for day in p.day[here].tolist()],
            [None if place < 0 else _bytes(sources[place]) for place in p.source[here].tolist()],
            [langs[lang] for lang in p.lang[here].tolist()],
            # SQLite's integers have a sign.
            p.body[here].view(np.int64).tolist(),
            p.headline[here].view(np.int64).tolist(),
            p.length[here].tolist(),
            _blobs(self._filed.take(words & TERM), "<i4", entries - entries[0]),
            _blobs(words >> TERM_BITS, "u1", entries - entries[0]),
            _blobs(self._filed.take(title_terms), "<i4", titles - titles[0]),
            _blobs(p.salience[here], "<u2"),
            _blobs(p.shingles[here], "u1"),
            _blobs(p.tallies[here], "<u2"),
            strict=True,
        )

    def _standing(self, rows: NDArray[np.int64]) -> Iterator[tuple[object, ...]]:
        """Rows of the table of where articles stand."""
        s = self.engine.live.standing
        return zip(
            s.serial[rows].tolist(),
            s.story[rows].view(np.int64).tolist(),
            s.serial[s.twin[rows]].tolist(),
            s.when[rows].tolist(),
            _blobs(s.nearest[rows], "<f4"),
            itertools.repeat(self._serial, len(rows)),
            strict=True,
        )

    def _load(self) -> None:
        store, live = self.store, self.engine.live
        header = store.header()
        self.generation = header["generation"]
        self._load_terms()
        if not self._serial:
            self._load_forgotten()
        since, first = self._serial, len(live)
        self._load_articles()
        self._load_standing(since, first)
        clocks = [live.clock, *live.profiles.day[first : len(live)].tolist()]
        if header.get("clock") is not None:
            clocks.append(header["clock"])
        live.clock = float(np.fmax.reduce(clocks))
        for event in store.read(
            "SELECT * FROM events WHERE cursor > ? ORDER BY cursor", self._cursor
        ):
            self.engine.events.append(Event(*event))
            self._cursor = self.engine.cursor = event[0]

    def _load_terms(self) -> None:
        sql = "SELECT * FROM terms WHERE number > ? ORDER BY number"
        for rows in self.store.read_parts(sql, self._last_filed):
            filed, hashes, words = zip(*rows, strict=True)
            unsigned = np.array(hashes, dtype=np.int64).view(np.uint64)
            numbers = self._vocabulary.enter(unsigned, [_text(word) for word in words])
            self._note(numbers, np.array(filed, dtype=np.int32))

    def _load_forgotten(self) -> None:
        live = self.engine.live
        for lang, articles, terms, counts in self.store.read("SELECT * FROM forgotten"):
            number = live.sketcher.langs.setdefault(lang, len(live.sketcher.langs))
            filed, lost = np.frombuffer(terms, "<i4"), np.frombuffer(counts, "<i4")
            live.similarity.count(number, articles, self._number[filed], lost.astype(np.int64))

    def _load_articles(self) -> None:
        live = self.engine.live
        sql = "SELECT * FROM articles WHERE serial > ? ORDER BY serial"
        for rows in self.store.read_parts(sql, self._serial):
            columns = list(zip(*rows, strict=True))
            new = live.append([_text(data) for data in columns[1]], self._profiles(columns))
            live.standing.serial[new.start : new.stop] = columns[0]
            self._serial = columns[0][-1]

    def _profiles(self, columns: list[tuple[Any, ...]]) -> Profiles:
        sketcher = self.engine.live.sketcher
        _, _, day, source, lang, body, headline, length, *blobs = columns
        terms, counts, title_terms, salience, shingles, tallies = map(b"".join, blobs)
        n = len(day)
        return Profiles(
            indptr=_offsets(blobs[1], 1),
            terms=self._number[np.frombuffer(terms, "<i4")],
            counts=np.frombuffer(counts, "u1"),
            title_indptr=_offsets(blobs[2], 4),
            title_terms=self._number[np.frombuffer(title_terms, "<i4")],
            salience=np.frombuffer(salience, "<u2").reshape(n, SLOTS),
            shingles=np.frombuffer(shingles, "u1").reshape(n, SLOTS),
            tallies=np.frombuffer(tallies, "<u2").reshape(n, TALLIES),
            day=np.array(day, dtype=np.float64),
            source=np.array(
                [-1 if s is None else _number(sketcher.sources, _text(s)) for s in source],
                dtype=np.int32,
            ),
            lang=np.array([_number(sketcher.langs, name) for name in lang], dtype=np.int16),
            body=np.array(body, dtype=np.int64).view(np.uint64),
            headline=np.array(headline, dtype=np.int64).view(np.uint64),
            length=np.array(length, dtype=np.int32),
        )

    def _load_standing(self, since: int, first: int) -> None:
        """Read where articles stand that came or moved after a serial."""
        live, s, n = self.engine.live, self.engine.live.standing, len(self.engine.live)
        sql = "SELECT * FROM standing WHERE changed > ? ORDER BY serial"
        for rows in self.store.read_parts(sql, since):
            serial, story, twin, day, nearest, _ = zip(*rows, strict=True)
            at = np.searchsorted(s.serial[:n], serial)
            if (s.serial[at] != serial).any():
                raise ValueError("articles are missing")
            s.story[at] = np.array(story, dtype=np.int64).view(np.uint64)
            s.twin[at] = np.searchsorted(s.serial[:n], twin)
            s.when[at] = day
            s.nearest[at] = np.frombuffer(b"".join(nearest), "<f4").reshape(-1, 3)
            s.bar[at] = bar_of(s.nearest[at], live.profiles.day[at])
        if (s.when[first:n] == 0).any():
            raise ValueError("articles stand nowhere")
        live.resume(first)


def _number(numbers: dict[str, int], name: str) -> int:
    return numbers.setdefault(name, len(numbers))


def _offsets(blobs: tuple[bytes, ...], size: int) -> NDArray[np.int64]:
    return np.cumsum([0, *(len(blob) // size for blob in blobs)])


def _blob(values: NDArray[np.generic], dtype: str) -> bytes:
    return values.astype(dtype).tobytes()


def _blobs(
    values: NDArray[Any], dtype: str, offsets: NDArray[np.int64] | None = None
) -> list[bytes]:
    """Turn the rows of an array into bytes; a ragged one tells where its rows start."""
    data = values.astype(dtype).tobytes()
    if offsets is None:
        offsets = np.arange(len(values) + 1) * math.prod(values.shape[1:])
    ends = (offsets * np.dtype(dtype).itemsize).tolist()
    return [data[start:end] for start, end in itertools.pairwise(ends)]


def _told(title: bytes | None, text: bytes) -> tuple[str | None, str]:
    return None if title is None else _text(title), _text(text)


def _bytes(text: str) -> bytes:
    """Ids may hold anything, also lone surrogates, which SQLite's texts may not."""
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")
