"""The live articles: what is in memory of a stream, and who is in which story.

Rows are added at the end and never change place until `compact` closes the gaps. A row is
live while it has a story; a row without one is *past*: an expired article kept as a
comparison for recurring texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.clustering.story_ids import story_id
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import SahelError
from sahel_dedup.index.growable_profiles import LiveProfiles
from sahel_dedup.index.lsh_table import MAX_ROWS, Buckets
from sahel_dedup.index.online_tfidf import OnlineTfidf
from sahel_dedup.index.standing import NO_STORY, Standing, story_number
from sahel_dedup.index.story_members import Members, StoryMembers
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher
from sahel_dedup.text.vocabulary import Vocabulary
from sahel_dedup.util.names import NameTable

# Of 189 bands: each slot in one. B-cubed between stream and batch is the same to a thousandth.
_MOST_BANDS = 64
# A vocabulary this many times as large as the terms in use is cut down to them.
_SPARE_TERMS = 2.0
_FEWEST_TERMS = 50_000
# Terms that no article holds any more are remembered while they were this frequent: the
# IDF of rarer ones is hardly moved by forgetting them.
_REMEMBERED = 1e-4


class Live:
    """The live articles of an index.

    Parameters
    ----------
    settings : Settings

    Attributes
    ----------
    window : float
        The window in days.
    sketcher : Sketcher
    profiles : LiveProfiles
    standing : Standing
    similarity : OnlineTfidf
    buckets : Buckets
    ids : list of str
        Id of each row, empty for removed articles.
    row_of : dict of str to int
        Row of each live article.
    corrections : Corrections
        What the stories follow.
    clock : float
        Latest day of publication seen, NaN before the first.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.window = settings.window_days
        self.layout = _layout(settings)
        self.sketcher = Sketcher()
        self.profiles = LiveProfiles.empty()
        self.standing = Standing.empty()
        self.similarity = OnlineTfidf(self.profiles, self.sketcher)
        self.buckets = Buckets(self.layout)
        self.ids: list[str] = []
        self.row_of: dict[str, int] = {}
        self.clock = np.nan
        self.corrections = Corrections()
        self._next_serial = 1
        self._members = StoryMembers(self.window)
        # All numbers that stories bear, and some that none bears any more.
        self._numbers: set[int] = set()

    def __len__(self) -> int:
        return len(self.ids)

    def memory(self) -> int:
        """Return how many bytes the tables take."""
        columns = [
            getattr(table, item.name)
            for table in (self.profiles, self.standing)
            for item in fields(table)
        ]
        arrays = [column for column in columns if isinstance(column, np.ndarray)]
        held = sum(array.nbytes for array in arrays)
        return held + self.buckets.memory() + self.similarity.memory()

    def enter(self, ids: Sequence[str], profiles: Profiles, now: float) -> range:
        """Add articles, each a story of its own for the time being.

        Parameters
        ----------
        ids : sequence of str
        profiles : Profiles
        now : float
            The day, for a stream that had no dates yet.

        Returns
        -------
        range
            Their rows.
        """
        rows = self.append(ids, profiles)
        s = self.standing
        self.clock = float(np.fmax.reduce(profiles.day, initial=self.clock))
        today = now if math.isnan(self.clock) else self.clock
        for row, article in zip(rows, ids, strict=True):
            self.bear(row, self.name(article))
        s.stand_alone(rows.start, profiles.day, today, self._next_serial)
        self._next_serial += len(rows)
        self.row_of.update(zip(ids, rows, strict=True))
        return rows

    def withdraw(self, rows: range) -> None:
        """Take back the last articles that were entered, before anything was compared with them."""
        p = self.profiles
        for row in rows:
            self._uncount(row)
            del self.row_of[self.ids[row]]
        del self.ids[rows.start :]
        p.rows = rows.start

    def append(self, ids: Sequence[str], profiles: Profiles) -> range:
        """Add the profiles of articles and count their terms; where they stand is left open."""
        first = len(self.ids)
        if first + len(ids) > MAX_ROWS:
            raise SahelError(f"an index holds {MAX_ROWS:,} articles at most: expire older ones")
        self.profiles.append(profiles)
        self.similarity.learn(profiles, first)
        self.standing.reserve(first + len(ids))
        self.ids += ids
        return range(first, first + len(ids))

    def enter_buckets(self, rows: NDArray[np.int64]) -> None:
        """Let later articles find these; exact duplicates are found by their first."""
        first = self.profiles.findable(rows, self.standing.duplicate_of)
        self.buckets.add(self.profiles.salience, first)
        # At once, so that the table depends on the articles alone: an index that is
        # opened again goes on as if it had never been closed.
        if self.buckets.full:
            self.rebuild_buckets()

    def rebuild_buckets(self) -> None:
        """Enter all articles anew, past ones first."""
        self.buckets.rebuild(self.profiles.salience, findable(self, len(self)))

    def members(self, row: int) -> list[int]:
        """Return the rows of an article's story, rising."""
        return list(self.story_of(row).rows)

    def story_of(self, row: int) -> Members:
        """Return the members of an article's story."""
        number = int(self.standing.story[row])
        return self._members.of(number, row, float(self.profiles.day[row]))

    def fit(self, row: int, other: int) -> bool:
        """Whether the stories of two articles, taken together, lie within the window."""
        return self._members.fit(self.story_of(row), self.story_of(other))

    def first_rows(self, members: Sequence[int]) -> list[int]:
        """Return the members that are not later copies of other members."""
        duplicate_of = self.standing.duplicate_of
        return [row for row in members if duplicate_of[row] == row]

    def find_story(self, name: str) -> int | None:
        """Return the row of an article of a story, ``None`` if there is no such story."""
        try:
            number = story_number(name)
        except ValueError:
            return None
        found = np.flatnonzero(self.standing.story[: len(self)] == number)
        return int(found[0]) if number and len(found) else None

    def stories(self, since: float = -np.inf) -> Iterator[list[int]]:
        """Yield the rows of each story, stories in order of their first article.

        Parameters
        ----------
        since : float
            Only those with an article of this day or later.
        """
        story = self.standing.story[: len(self)]
        recent = story[self.standing.when[: len(self)] >= since]
        live = np.flatnonzero((story != NO_STORY) & np.isin(story, recent))
        order = live[np.argsort(story[live], kind="stable")]
        parts = np.split(order, np.flatnonzero(np.diff(story[order])) + 1)
        yield from sorted((p.tolist() for p in parts if len(p)), key=lambda p: p[0])

    def join(self, row: int, other: int) -> tuple[int, int]:
        """Make two stories one.

        Parameters
        ----------
        row, other : int
            An article of each.

        Returns
        -------
        older, younger : int
            Numbers of the stories; the older one's is kept.
        """
        one, two = self.story_of(row), self.story_of(other)
        if two.rows[0] < one.rows[0]:
            one, two = two, one
        s = self.standing
        older, younger = int(s.story[one.rows[0]]), int(s.story[two.rows[0]])
        s.story[two.rows] = older
        self._numbers.discard(younger)
        # A later copy of an article that is there is not compared.
        two.first = [row for row in two.first if s.duplicate_of[row] == row]
        self._members.join(older, one, two, (younger,))
        return older, younger

    def part(self, groups: Sequence[Sequence[int]]) -> list[int]:
        """Make one story several.

        Parameters
        ----------
        groups : sequence of sequence of int
            Rows of the story's articles, the group that keeps its number first.

        Returns
        -------
        list of int
            Number of each group's story.
        """
        s, numbers = self.standing, []
        for i, group in enumerate(groups):
            if i:
                number = self.name(self.ids[min(group)])
                for row in group:
                    self.bear(row, number)
            numbers.append(int(s.story[group[0]]))
            self._members.put(numbers[-1], group, s.duplicate_of, self.profiles.day)
        return numbers

    def single_out(self, row: int) -> None:
        """Let an article no longer count as a copy of another."""
        self.standing.duplicate_of[row] = row
        self.part([self.members(row)])
        self.enter_buckets(np.array([row]))

    def leave(self, row: int) -> list[int]:
        """Take an article out.

        Returns
        -------
        list of int
            The other articles of its story.
        """
        s, p = self.standing, self.profiles
        rest = [other for other in self.members(row) if other != row]
        duplicates = [other for other in rest if s.duplicate_of[other] == row]
        if duplicates:
            s.duplicate_of[duplicates] = duplicates[0]
            self.enter_buckets(np.array(duplicates[:1]))
        if rest:
            self.part([rest])
        self._uncount(row)
        del self.row_of[self.ids[row]]
        # Found neither as a duplicate (it has no story) nor as background (it has no date).
        self.ids[row], s.story[row], p.day[row] = "", NO_STORY, np.nan
        return rest

    def compact(self, rows: NDArray[np.int64]) -> None:
        """Keep some rows, and the terms that they need."""
        self.ids = [self.ids[row] for row in rows]
        live = np.flatnonzero(self.standing.story[rows])
        self.row_of = {self.ids[row]: row for row in live.tolist()}
        self.profiles.keep(rows)
        self._forget_outlets()
        self.standing.keep(rows)
        self.similarity.renumber(self._forget_terms(), rows)
        self._know_numbers()
        self._gather()
        self.rebuild_buckets()

    def resume(self, first: int) -> None:
        """Go on after articles were read from elsewhere, with where they stand.

        Parameters
        ----------
        first : int
            The first row that is new.
        """
        n, s = len(self), self.standing
        self._gather()
        for row in np.flatnonzero(s.story[first:n]).tolist():
            self.row_of[self.ids[first + row]] = first + row
        self._know_numbers()
        self._next_serial = int(s.serial[:n].max(initial=0)) + 1
        self.rebuild_buckets()

    def _gather(self) -> None:
        """Find out who is in which story."""
        self._members.clear()
        for rows in self.stories():
            number = int(self.standing.story[rows[0]])
            self._members.put(number, rows, self.standing.duplicate_of, self.profiles.day)

    def _uncount(self, row: int) -> None:
        held, _, _ = self.profiles.body_entries(np.array([row]))
        lang = int(self.profiles.lang[row])
        self.similarity.count(lang, -1, held.astype(np.int32), np.full(len(held), -1))

    def _know_numbers(self) -> None:
        self._numbers = set(self.standing.story[: len(self)].tolist()) - {NO_STORY}

    def name(self, article: str) -> int:
        """Return the number of the story that an article would found.

        Another story may bear the first choice: one that the article founded and left, or one of an
        article whose id was made to have the same hash.
        """
        number, attempt = story_number(story_id(article)), 0
        while number == NO_STORY or (number in self._numbers and self._borne(number)):
            attempt += 1
            number = story_number(story_id(article, attempt))
        return number

    def bear(self, row: int, number: int) -> None:
        """Put an article into the story of a number."""
        self.standing.story[row] = number
        self._numbers.add(number)

    def _borne(self, number: int) -> bool:
        return bool((self.standing.story[: len(self)] == number).any())

    def _forget_outlets(self) -> None:
        """Keep the outlets of the rows that are left."""
        sources = self.profiles.source
        used = np.unique(sources[sources >= 0])
        names = self.sketcher.sources.names
        sources[sources >= 0] = np.searchsorted(used, sources[sources >= 0])
        self.sketcher.sources = NameTable(names[number] for number in used.tolist())

    def _forget_terms(self) -> NDArray[np.int64] | None:
        """Cut the vocabulary down; return the former number of each term that stays."""
        vocabulary, p = self.sketcher.vocabulary, self.profiles
        used = np.zeros(len(vocabulary), dtype=bool)
        used[p.terms()] = used[p.title_terms] = True
        if len(used) < max(_FEWEST_TERMS, _SPARE_TERMS * int(used.sum())):
            return None
        for counts in self.similarity.counted():
            used |= counts.seen[: len(used)] > max(1, _REMEMBERED * counts.articles)
        kept = np.flatnonzero(used)
        number = np.zeros(len(used), dtype=np.int32)
        number[kept] = np.arange(len(kept))
        smaller = Vocabulary()
        smaller.enter(vocabulary.hashes[kept], vocabulary.words.take(kept.tolist()))
        self.sketcher.vocabulary = smaller
        p.renumber(number)
        return kept


def findable(live: Live, end: int) -> NDArray[np.int64]:
    """Return the rows before `end` by which others may be found."""
    rows = np.flatnonzero(np.fromiter(map(bool, live.ids[:end]), bool, end))
    return live.profiles.findable(rows, live.standing.duplicate_of)


def _layout(settings: Settings) -> Layout:
    """Take fewer bands than the batch, which has to find every pair of a story.

    An article finds its story by any of its members, and all other pairs are scored.
    """
    layout = settings.layout
    return Layout(min(layout.bands, _MOST_BANDS), layout.rows)
