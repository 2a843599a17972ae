"""The live articles: what is in memory of a stream, and who is in which story.

Rows are added at the end and never change place until `compact` closes the gaps. A row is
live while it has a story; a row without one is *past*: an expired article kept as a
comparison for recurring texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.compiled import compiled
from sahel_dedup.contrast import TYPICAL_BAR
from sahel_dedup.errors import SahelError
from sahel_dedup.index.buckets import MAX_ROWS, Buckets
from sahel_dedup.index.growing import LiveProfiles, with_room
from sahel_dedup.index.moving import MovingSimilarity
from sahel_dedup.lsh import Layout
from sahel_dedup.profiles import Profiles
from sahel_dedup.settings import Settings
from sahel_dedup.sketching import Sketcher
from sahel_dedup.stories import story_id
from sahel_dedup.vocabulary import Vocabulary

NO_STORY = 0
_NO_ROW = -1
# Of 189 bands: each slot in one. B-cubed between stream and batch is the same to a thousandth.
_MOST_BANDS = 64
# A vocabulary this many times as large as the terms in use is cut down to them.
_SPARE_TERMS = 2.0
_FEWEST_TERMS = 50_000
# Terms that no article holds any more are remembered while they were this frequent: the
# IDF of rarer ones is hardly moved by forgetting them.
_REMEMBERED = 1e-4


@dataclass(slots=True)
class Standing:
    """Where the live articles stand, as arrays with a row each and room for more.

    Attributes
    ----------
    story : ndarray of uint64
        Number of the story; 0 for past articles.
    next : ndarray of int32
        Next article of the same story, the last one leading back to the first.
    twin : ndarray of int32
        Row of the first article with the same words, its own if there is none.
    when : ndarray of float64
        Day of publication, or the stream's when it came, if it has none.
    nearest : ndarray of float32, shape (n, 3)
        Highest cosines to articles that must be about something else.
    bar : ndarray of float64
        What `sahel_dedup.contrast` makes of them.
    serial : ndarray of int64
        Number that the article has on disk, rising.
    """

    story: NDArray[np.uint64]
    next: NDArray[np.int32]
    twin: NDArray[np.int32]
    when: NDArray[np.float64]
    nearest: NDArray[np.float32]
    bar: NDArray[np.float64]
    serial: NDArray[np.int64]

    @classmethod
    def empty(cls) -> Standing:
        """Make columns without rows."""
        return cls(
            story=np.zeros(0, dtype=np.uint64),
            next=np.zeros(0, dtype=np.int32),
            twin=np.zeros(0, dtype=np.int32),
            when=np.zeros(0),
            nearest=np.zeros((0, 3), dtype=np.float32),
            bar=np.zeros(0),
            serial=np.zeros(0, dtype=np.int64),
        )

    def reserve(self, size: int) -> None:
        """Make room for a number of rows."""
        if len(self.story) < size:
            for item in fields(self):
                setattr(self, item.name, with_room(getattr(self, item.name), size))

    def keep(self, rows: NDArray[np.int64]) -> None:
        """Let go of all rows but some."""
        place = np.full(len(self.story), _NO_ROW, dtype=np.int32)
        place[rows] = np.arange(len(rows))
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name)[rows])
        # Stories go as a whole, so that rings close; a past article stands alone.
        own = np.arange(len(rows), dtype=np.int32)
        for name in ("next", "twin"):
            moved = place[getattr(self, name)]
            setattr(self, name, np.where(moved == _NO_ROW, own, moved))


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
    similarity : MovingSimilarity
    buckets : Buckets
    ids : list of str
        Id of each row, empty for removed articles.
    row_of : dict of str to int
        Row of each live article.
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
        self.similarity = MovingSimilarity(self.profiles, self.sketcher)
        self.buckets = Buckets(self.layout)
        self.ids: list[str] = []
        self.row_of: dict[str, int] = {}
        self.clock = np.nan
        self._next_serial = 1
        # Names that a story may still bear after the article that gave it has left.
        self._given_away: set[int] = set()

    def __len__(self) -> int:
        return len(self.ids)

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
        s.story[rows.start : rows.stop] = [self.name(article) for article in ids]
        _stand_alone(
            rows.start, profiles.day, today, self._next_serial,
            s.next, s.twin, s.when, s.nearest, s.bar, s.serial,
        )  # fmt: skip
        self._next_serial += len(rows)
        self.row_of.update(zip(ids, rows, strict=True))
        return rows

    def withdraw(self, rows: range) -> None:
        """Take back the last articles that were entered, before anyone met them."""
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
        """Let articles be found by those to come; twins are found by their first."""
        first = self.profiles.findable(rows, self.standing.twin)
        self.buckets.add(self.profiles.salience, first)
        # At once, so that the table depends on the articles alone: an index that is
        # opened again goes on as if it had never been closed.
        if self.buckets.full:
            self.rebuild_buckets()

    def rebuild_buckets(self) -> None:
        """Enter all articles anew, past ones first."""
        rows = np.flatnonzero(np.fromiter(map(bool, self.ids), bool, len(self)))
        rows = self.profiles.findable(rows, self.standing.twin)
        self.buckets.rebuild(self.profiles.salience, rows)

    def members(self, row: int) -> list[int]:
        """Return the rows of an article's story, the article itself first."""
        found = [row]
        following = self.standing.next
        at = int(following[row])
        while at != row:
            found.append(at)
            at = int(following[at])
        return found

    def first_rows(self, members: Sequence[int]) -> list[int]:
        """Return the members that are nobody's later twin."""
        twin = self.standing.twin
        return [row for row in members if twin[row] == row]

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
        one, two = self.members(row), self.members(other)
        if min(two) < min(one):
            one, two = two, one
        s = self.standing
        older, younger = int(s.story[one[0]]), int(s.story[two[0]])
        s.story[two] = older
        s.next[one[0]], s.next[two[0]] = s.next[two[0]], s.next[one[0]]
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
                s.story[list(group)] = self.name(self.ids[min(group)])
            s.next[list(group)] = [*group[1:], group[0]]
            numbers.append(int(s.story[group[0]]))
        return numbers

    def leave(self, row: int) -> list[int]:
        """Take an article out.

        Returns
        -------
        list of int
            The other articles of its story.
        """
        s, p = self.standing, self.profiles
        rest = self.members(row)[1:]
        if rest:
            self.part([rest])
            self._given_away.add(int(s.story[row]))
        twins = [other for other in rest if s.twin[other] == row]
        if twins:
            s.twin[twins] = twins[0]
            self.enter_buckets(np.array(twins[:1]))
        self._uncount(row)
        del self.row_of[self.ids[row]]
        # Neither found as a relative (it has no story) nor for contrast (it has no date).
        self.ids[row], s.story[row], p.day[row], s.next[row] = "", NO_STORY, np.nan, row
        return rest

    def compact(self, rows: NDArray[np.int64]) -> None:
        """Let go of all rows but some, and of the terms that nobody needs any more."""
        self.ids = [self.ids[row] for row in rows]
        live = np.flatnonzero(self.standing.story[rows])
        self.row_of = {self.ids[row]: row for row in live.tolist()}
        self.profiles.keep(rows)
        self.standing.keep(rows)
        self.similarity.renumber(self._forget_terms(), rows)
        self.rebuild_buckets()

    def resume(self, first: int) -> None:
        """Go on after articles were read from elsewhere, with where they stand.

        Parameters
        ----------
        first : int
            The first row that is new.
        """
        n, s = len(self), self.standing
        s.next[:n] = np.arange(n)
        for group in self.stories():
            s.next[group] = [*group[1:], group[0]]
        for row in np.flatnonzero(s.story[first:n]).tolist():
            self.row_of[self.ids[first + row]] = first + row
        names = [story_number(story_id(article)) for article in self.ids]
        borrowed = s.story[:n] != np.array(names, dtype=np.uint64)
        self._given_away = set(s.story[:n][borrowed].tolist()) - {NO_STORY}
        self._next_serial = int(s.serial[:n].max(initial=0)) + 1
        self.rebuild_buckets()

    def _uncount(self, row: int) -> None:
        held, _, _ = self.profiles.body_entries(np.array([row]))
        lang = int(self.profiles.lang[row])
        self.similarity.count(lang, -1, held.astype(np.int32), np.full(len(held), -1))

    def name(self, article: str) -> int:
        """Return the number of the story that an article would found."""
        number, attempt = story_number(story_id(article)), 0
        while number == NO_STORY or (number in self._given_away and self._borne(number)):
            attempt += 1
            number = story_number(story_id(f"{article}\0{attempt}"))
        return number

    def _borne(self, number: int) -> bool:
        return bool((self.standing.story[: len(self)] == number).any())

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


@compiled
def _stand_alone(
    first: int,
    day: NDArray[np.float64],
    today: float,
    serial: int,
    following: NDArray[np.int32],
    twin: NDArray[np.int32],
    when: NDArray[np.float64],
    nearest: NDArray[np.float32],
    bar: NDArray[np.float64],
    serials: NDArray[np.int64],
) -> None:
    """Let rows from one on, with some days, stand alone: see `Standing`."""
    for i in range(len(day)):
        row = first + i
        following[row] = twin[row] = row
        when[row] = today if np.isnan(day[i]) else day[i]
        nearest[row] = 0
        bar[row] = TYPICAL_BAR
        serials[row] = serial + i


def _layout(settings: Settings) -> Layout:
    """Take fewer bands than the batch, which has to find every pair of a story.

    An article finds its story by any of its members, and all other pairs are weighed.
    """
    layout = settings.layout
    return Layout(min(layout.bands, _MOST_BANDS), layout.rows)


def story_number(name: str) -> int:
    """Turn the id of a story into its number."""
    if len(name) != 17 or name[0] != "s":
        raise ValueError(name)
    return int(name[1:], 16)


def story_name(number: int) -> str:
    """Turn the number of a story into its id."""
    return f"s{number:016x}"
