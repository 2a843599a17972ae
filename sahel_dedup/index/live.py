"""The live articles: the part of a stream that is in memory, and the story of each article.

Rows are added at the end and keep their positions until `compact` closes the gaps. A row is live
while it has a story. A row without one is *past*: an expired article that is kept to recognise
recurring texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.clustering.story_ids import story_id
from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.errors import IndexStateError
from sahel_dedup.index.article_ids import IdArrays, Ids, RowOf
from sahel_dedup.index.forgetting import forget_outlets, forget_terms
from sahel_dedup.index.growable_profiles import LiveProfiles
from sahel_dedup.index.lsh_table import MAX_ROWS, Buckets
from sahel_dedup.index.online_tfidf import OnlineTfidf
from sahel_dedup.index.standing import NO_STORY, Standing, story_number
from sahel_dedup.index.story_members import MemberArrays, Members, StoryMembers
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.sketch.profiles import Profiles
from sahel_dedup.sketch.sketcher import Sketcher

# Of 189 bands: enough to use each slot once. B-cubed between stream and batch is the same to a
# thousandth.
_MOST_BANDS = 64


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
    ids : Ids
        Id of each row; empty for removed articles.
    row_of : RowOf
        Row of each live article.
    corrections : Corrections
        The corrections that the stories follow.
    clock : float
        Latest day of publication seen; NaN before the first.
    next_serial : int
        Number in the file of the next article.
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
        self.ids = Ids()
        self.row_of = RowOf()
        self.clock = np.nan
        self.corrections = Corrections()
        self.next_serial = 1
        self._members = StoryMembers(self.window)
        # The numbers of stories, except those from opening, and some former ones.
        self._numbers: set[int] = set()

    def __len__(self) -> int:
        return len(self.ids)

    def enter(self, ids: Sequence[str], profiles: Profiles, now: float) -> range:
        """Add articles, each as a story of its own for now.

        Parameters
        ----------
        ids : sequence of str
        profiles : Profiles
        now : float
            The present day, for a stream without dates so far.

        Returns
        -------
        range
            Their rows.
        """
        rows = self.append(ids, profiles)
        s = self.standing
        for day in profiles.day.tolist():
            if day > self.clock or math.isnan(self.clock):  # A missing day, NaN, is not later.
                self.clock = day
        today = now if math.isnan(self.clock) else self.clock
        for row, article in zip(rows, ids, strict=True):
            self.bear(row, self.name(article))
            self.row_of[article] = row
        s.stand_alone(rows.start, profiles.day, today, self.next_serial)
        self.next_serial += len(rows)
        return rows

    def withdraw(self, rows: range) -> None:
        """Remove the last articles that were added, before anything was compared with them."""
        p = self.profiles
        for row in rows:
            self._uncount(row)
            del self.row_of[self.ids[row]]
        self.ids.cut(rows.start)
        p.rows = rows.start

    def append(self, ids: Sequence[str], profiles: Profiles) -> range:
        """Add the profiles of articles and count their terms, without assigning stories."""
        first = len(self.ids)
        if first + len(ids) > MAX_ROWS:
            raise IndexStateError(
                f"an index can have at most {MAX_ROWS:,} articles: expire older ones"
            )
        self.profiles.append(profiles)
        self.similarity.learn(profiles, first)
        self.standing.reserve(first + len(ids))
        self.ids.extend(ids)
        return range(first, first + len(ids))

    def enter_buckets(self, rows: NDArray[np.int64], *, apart: bool = False) -> None:
        """Make these articles findable for later ones; exact duplicates are found by their first.

        See `Buckets.add_apart`.
        """
        first = self.profiles.findable(rows, self.standing.duplicate_of)
        if apart:
            self.buckets.add_apart(self.profiles.salience, first)
            return
        self.buckets.add(self.profiles.salience, first)
        # Done immediately, so that the table depends only on the articles, and an index that is
        # opened again continues as if it had never been closed.
        if self.buckets.full:
            self._rebuild_buckets()

    def _rebuild_buckets(self) -> None:
        """Enter all articles again, past ones first."""
        self.buckets.rebuild(self.profiles.salience, findable(self, len(self)))

    def members(self, row: int) -> list[int]:
        """Return the rows of an article's story, in ascending order."""
        return list(self.story_of(row).rows)

    def story_of(self, row: int) -> Members:
        """Return the members of an article's story."""
        number = int(self.standing.story[row])
        return self._members.of(number, row, self.standing.duplicate_of, self.profiles.day)

    def fit(self, row: int, other: int) -> bool:
        """Whether the stories of two articles together fit into the window."""
        return self._members.fit(self.story_of(row), self.story_of(other))

    def first_rows(self, members: Sequence[int]) -> list[int]:
        """Return the members that are not later copies of other members."""
        duplicate_of = self.standing.duplicate_of
        return [row for row in members if duplicate_of[row] == row]

    def find_story(self, name: str) -> int | None:
        """Return the row of an article of a story, or ``None`` if there is no such story."""
        try:
            number = story_number(name)
        except ValueError:
            return None
        found = np.flatnonzero(self.standing.story[: len(self)] == number)
        return int(found[0]) if number and len(found) else None

    def stories(self, since: float = -np.inf) -> Iterator[list[int]]:
        """Yield the rows of each story, in order of the first articles of the stories.

        Parameters
        ----------
        since : float
            Only stories with an article of this day or later.
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
            Numbers of the two stories; the older one is kept.
        """
        one, two = self.story_of(row), self.story_of(other)
        if two.rows[0] < one.rows[0]:
            one, two = two, one
        s = self.standing
        older, younger = int(s.story[one.rows[0]]), int(s.story[two.rows[0]])
        s.story[two.rows] = older
        self._numbers.discard(younger)
        # A later copy of an article in the story is not compared.
        two.first = [row for row in two.first if s.duplicate_of[row] == row]
        self._members.join(older, one, two, (younger,))
        return older, younger

    def part(self, groups: Sequence[Sequence[int]]) -> list[int]:
        """Divide a story into several.

        Parameters
        ----------
        groups : sequence of sequence of int
            Rows of the story's articles; the first group keeps the number.

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
        """Make an article no longer count as a copy of another."""
        self.standing.duplicate_of[row] = row
        self.part([self.members(row)])
        self.enter_buckets(np.array([row]))

    def leave(self, row: int) -> list[int]:
        """Remove an article.

        Returns
        -------
        list of int
            The other articles of its story.
        """
        s = self.standing
        rest = [other for other in self.members(row) if other != row]
        duplicates = [other for other in rest if s.duplicate_of[other] == row]
        if duplicates:
            s.duplicate_of[duplicates] = duplicates[0]
            self.enter_buckets(np.array(duplicates[:1]))
        if rest:
            self.part([rest])
        self.lose(row)
        return rest

    def lose(self, row: int) -> None:
        """Remove an article, without regrouping the others of its story."""
        self._uncount(row)
        del self.row_of[self.ids[row]]
        # It is then found neither as a duplicate (it has no story) nor as background (it has no
        # date).
        self.ids[row], self.standing.story[row], self.profiles.day[row] = "", NO_STORY, np.nan

    def compact(self, rows: NDArray[np.int64]) -> None:
        """Keep some rows and the terms that they need."""
        ids = [self.ids[row] for row in rows.tolist()]
        self.ids, self.row_of = Ids(), RowOf()
        self.ids.extend(ids)
        for row in np.flatnonzero(self.standing.story[rows]).tolist():
            self.row_of[ids[row]] = row
        self.profiles.keep(rows)
        forget_outlets(self.profiles, self.sketcher)
        self.standing.keep(rows)
        kept = forget_terms(self.profiles, self.sketcher, self.similarity.counted())
        self.similarity.renumber(kept, rows)
        self._gather()
        self._rebuild_buckets()

    def take_over(self, ids: IdArrays, members: MemberArrays) -> None:
        """Continue from arrays of all articles, whose standing is known."""
        self.ids, self.row_of = Ids(ids), RowOf(ids)
        self._members = StoryMembers(self.window, members)
        self._know(len(self))

    def follow(
        self, story: NDArray[np.uint64], duplicate_of: NDArray[np.int32], *, apart: bool = False
    ) -> None:
        """Continue after reading articles that arrived or moved elsewhere.

        Parameters
        ----------
        story : ndarray of uint64, shape (n,)
            Number of the story of each article that was there before, if any was.
        duplicate_of : ndarray of int32, shape (n,)
            Of which article each was an exact copy.
        apart : bool
            See `Buckets.add_apart`.
        """
        n, s, first = len(self), self.standing, len(story)
        if first == 0:
            self._know(0)
            self._gather()
            self._rebuild_buckets()
            return
        moved = np.flatnonzero(s.story[:first] != story)
        other = np.flatnonzero(s.duplicate_of[:first] != duplicate_of)
        for row in moved[s.story[moved] == NO_STORY].tolist():
            if self.row_of.get(self.ids[row]) == row:
                del self.row_of[self.ids[row]]
        self._know(first)
        now = s.story[np.concatenate([moved, other, np.arange(first, n)])]
        touched = np.setdiff1d(np.concatenate([story[moved], now]), [NO_STORY])
        self._numbers |= set(now.tolist())
        found = np.flatnonzero(np.isin(s.story[:n], touched))
        found = found[np.argsort(s.story[found], kind="stable")]
        ends = np.searchsorted(s.story[found], touched, side="right").tolist()
        for number, start, end in zip(touched.tolist(), [0, *ends], ends, strict=False):
            self._members.put(number, found[start:end].tolist(), s.duplicate_of, self.profiles.day)
        single = other[s.duplicate_of[other] == other]
        self.enter_buckets(np.concatenate([single, np.arange(first, n)]), apart=apart)

    def _gather(self) -> None:
        """Collect the members of each story."""
        self._numbers.clear()
        base = MemberArrays.of(self.standing.story[: len(self)], NO_STORY)
        self._members = StoryMembers(self.window, base)

    def _know(self, first: int) -> None:
        """Make the articles from a row on available for look-up."""
        s, n = self.standing, len(self)
        for row in (first + np.flatnonzero(s.story[first:n])).tolist():
            self.row_of[self.ids[row]] = row

    def _uncount(self, row: int) -> None:
        held, _, _ = self.profiles.body_entries(np.array([row]))
        lang = int(self.profiles.lang[row])
        self.similarity.count(lang, -1, held.astype(np.int32), -1)

    def name(self, article: str) -> int:
        """Return the number of the story that an article would start.

        Another story may already have the first choice: one that the article started and left, or
        one of an article whose id was constructed to have the same hash.
        """
        number, attempt = story_number(story_id(article)), 0
        while number == NO_STORY or (self._is_known(number) and self._borne(number)):
            attempt += 1
            number = story_number(story_id(article, attempt))
        return number

    def bear(self, row: int, number: int) -> None:
        """Put an article into the story with a number."""
        self.standing.story[row] = number
        self._numbers.add(number)

    def _is_known(self, number: int) -> bool:
        return number in self._numbers or self._members.had(number)

    def _borne(self, number: int) -> bool:
        return bool((self.standing.story[: len(self)] == number).any())


def memory_of(live: Live) -> int:
    """Return how many bytes the tables of an index take."""
    columns = [
        getattr(table, item.name)
        for table in (live.profiles, live.standing)
        for item in fields(table)
    ]
    held = sum(column.nbytes for column in columns if isinstance(column, np.ndarray))
    return held + live.buckets.memory() + live.similarity.memory()


def findable(live: Live, end: int) -> NDArray[np.int64]:
    """Return the rows before `end` that can be found by others."""
    rows = np.flatnonzero(live.ids.present(end))
    return live.profiles.findable(rows, live.standing.duplicate_of)


def _layout(settings: Settings) -> Layout:
    """Choose fewer bands than the batch, which must find every pair of a story.

    An article finds its story through any member, and all other pairs are scored.
    """
    layout = settings.layout
    return Layout(min(layout.bands, _MOST_BANDS), layout.rows)
