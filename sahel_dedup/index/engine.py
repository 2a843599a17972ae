"""The engine of the index: articles in, assignments out, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.batch import MIN_COSINE
from sahel_dedup.contrast import TYPICAL_BAR
from sahel_dedup.evidence import LIMIT, Evidence, Pairs
from sahel_dedup.index.answers import Assignment, Event, EventKind, Match
from sahel_dedup.index.joining import (
    Weighed,
    compared,
    join_stories,
    split_story,
    weigh_neighbourhoods,
)
from sahel_dedup.index.live import NO_STORY, Live, story_name
from sahel_dedup.index.meeting import Met, meet, raise_bars, set_bars
from sahel_dedup.settings import Settings
from sahel_dedup.sketching import Profiles
from sahel_dedup.stories import (
    NEAR_CONTAINMENT,
    NEAR_JACCARD,
    Relation,
    Story,
    shingle_overlap,
)

MATCHES = 10
_Rows = NDArray[np.int64]
# Past articles kept for contrast: as many as are live, and at least so many.
_FEWEST_PAST = 1000
EVENTS_KEPT = 100_000
# Stands for an article that only asks; no article has this id.
_NOBODY = ""


@dataclass(slots=True)
class Changes:
    """What differs from what was last saved.

    Attributes
    ----------
    added : list of int
        Rows that are new.
    moved : set of int
        Older rows of which story, twin or bar changed.
    left : list of int
        Serials of articles that were removed.
    """

    added: list[int] = field(default_factory=list)
    moved: set[int] = field(default_factory=set)
    left: list[int] = field(default_factory=list)


class Engine:
    """Assigns articles to stories.

    Parameters
    ----------
    settings : Settings

    Attributes
    ----------
    live : Live
    events : list of Event
        The latest ones, oldest first.
    cursor : int
        Number of the last event.
    changes : Changes
        Since they were last saved.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.live = Live(settings)
        self.events: list[Event] = []
        self.changes = Changes()
        self.cursor = 0

    def add(self, ids: Sequence[str], profiles: Profiles, now: float) -> list[Assignment]:
        """Add new articles.

        Parameters
        ----------
        ids : sequence of str
            None of them in the index.
        profiles : Profiles
        now : float
            Today, in days since 1970.

        Returns
        -------
        list of Assignment
        """
        live = self.live
        rows = live.enter(ids, profiles, now)
        first, second, strangers, cosine = self._compare(rows)
        risen = raise_bars(live, strangers, cosine)
        self.changes.moved |= risen
        self._doubt(risen)
        strong, weighed = self._weigh(first, second)
        partners: dict[int, list[int]] = {}
        for row, partner in zip(strong.first.tolist(), strong.second.tolist(), strict=True):
            partners.setdefault(row, []).append(partner)
        assignments = []
        for row in rows:
            head = int(live.standing.twin[row])
            merged = []
            if head != row:
                live.join(head, row)
            elif row in partners:
                merged = join_stories(live, row, partners[row], weighed)
            for pair in merged:
                self.changes.moved |= set(live.members(row))
                self._tell("merged", pair[1], pair[0])
            _, *others = live.members(row)
            number = int(live.standing.story[row])
            assignment = self._describe(row, live.ids[row], number, others, weighed)
            events = self.events[len(self.events) - len(merged) :]
            assignments.append(replace(assignment, events=tuple(events)) if events else assignment)
        live.enter_buckets(np.arange(rows.start, rows.stop))
        self.changes.moved -= set(rows)
        self.changes.added += rows
        return assignments

    def probe(self, article: str, profiles: Profiles, now: float) -> Assignment:
        """Tell where an article would belong, without keeping it."""
        live, s = self.live, self.live.standing
        clock = live.clock
        rows = live.enter([_NOBODY], profiles, now)
        (row,) = rows
        first, second, _, _ = self._compare(rows)
        strong, weighed = self._weigh(first, second)
        partners = strong.second.tolist()
        head = int(s.twin[row])
        best: int | None = None if head == row else head
        if partners and best is None:
            score, best = max((weighed.mean_score([row], compared(live, p)), p) for p in partners)
            best = best if score >= self.settings.bar else None
        number = live.name(article) if best is None else int(s.story[best])
        members = [] if best is None else live.members(best)
        assignment = self._describe(row, article, number, members, weighed)
        live.withdraw(rows)
        live.clock = clock
        return assignment

    def recall(self, row: int) -> Assignment:
        """Tell again where an article belongs."""
        live, s = self.live, self.live.standing
        weighed = Weighed(self._evidence())
        members = live.members(row)[1:]
        if s.twin[row] == row:
            weighed.weigh((row, other) for other in compared(live, row) if other != row)
        return self._describe(row, live.ids[row], int(s.story[row]), members, weighed)

    def update(self, row: int, profiles: Profiles, now: float) -> Assignment:
        """Put a corrected article in the place of one."""
        live = self.live
        article, former = live.ids[row], int(live.standing.story[row])
        cursor = self.cursor
        rest = self._take_out(row)
        if rest:
            self._part(former, rest)
        (assignment,) = self.add([article], profiles, now)
        if not rest and len(live.members(live.row_of[article])) == 1:
            live.standing.story[live.row_of[article]] = former
            assignment = replace(assignment, story_id=story_name(former))
        elif not rest:
            self._tell("merged", former, int(live.standing.story[live.row_of[article]]))
        told = tuple(event for event in self.events if event.cursor > cursor)
        return replace(assignment, events=told)

    def remove(self, row: int) -> list[Event]:
        """Remove an article; what is left of its story may fall apart."""
        story = int(self.live.standing.story[row])
        rest = self._take_out(row)
        return self._part(story, rest) if rest else [self._tell("removed", story)]

    def story(self, row: int) -> Story:
        """Return the story of an article."""
        live, p = self.live, self.live.profiles
        rows = np.array(live.members(row))
        day = np.where(np.isnan(p.day[rows]), -np.inf, p.day[rows])
        rows = rows[np.lexsort((rows, day))]
        return Story(
            id=story_name(int(live.standing.story[row])),
            canonical=live.ids[self._canonical(rows)],
            articles=tuple(live.ids[member] for member in rows),
        )

    def expire(self, before: float) -> list[Event]:
        """Let go of the stories whose articles all came before a day.

        Some of their articles stay as past ones: what recurs is told by them.
        """
        live, n = self.live, len(self.live)
        s = live.standing
        rows = np.flatnonzero(s.story[:n])
        numbers, story = np.unique(s.story[rows], return_inverse=True)
        newest = np.full(len(numbers), -np.inf)
        np.maximum.at(newest, story, s.when[rows])
        old = newest < before
        if not old.any():
            return []
        events = [self._tell("expired", int(number)) for number in numbers[old]]
        s.story[rows[old[story]]] = NO_STORY
        self.compact()
        self.changes.moved |= set(np.flatnonzero(s.story[: len(live)] == NO_STORY).tolist())
        return events

    def compact(self) -> None:
        """Let go of removed articles and of the past ones that are too many."""
        live, n = self.live, len(self.live)
        s, p = live.standing, live.profiles
        present = s.story[:n] != NO_STORY
        recurring = (s.bar[:n] > TYPICAL_BAR) & (s.twin[:n] == np.arange(n))
        past = np.flatnonzero(~present & recurring & ~np.isnan(p.day[:n]))
        past = past[-max(_FEWEST_PAST, int(present.sum())) :]
        kept = np.union1d(np.flatnonzero(present), past)
        lost = np.setdiff1d(np.arange(n), kept)
        self.changes.left += s.serial[lost].tolist()
        live.compact(kept)

    def _doubt(self, rows: set[int]) -> None:
        """Look again at the stories of articles that turned out to be of a recurring kind."""
        story = self.live.standing.story
        for row in {int(story[row]): row for row in rows}.values():
            members = self.live.members(row)
            if len(self.live.first_rows(members)) > 1:
                self._part(int(story[row]), members)

    def _take_out(self, row: int) -> list[int]:
        self.changes.left.append(int(self.live.standing.serial[row]))
        rest = self.live.leave(row)
        self.changes.moved |= set(rest)
        return rest

    def _part(self, story: int, rest: Sequence[int]) -> list[Event]:
        """Let the articles of a story fall apart that one article held together."""
        groups = split_story(self.live, rest, Weighed(self._evidence()))
        numbers = self.live.part(groups)
        if len(groups) > 1:
            self.changes.moved |= set(rest)
        return [self._tell("split", story, number) for number in numbers[1:]]

    def _canonical(self, rows: NDArray[np.int64]) -> int:
        """Row of the article that stands for a story; see `Stories`."""
        live, settings = self.live, self.settings
        p = live.profiles
        names = list(live.sketcher.sources)
        preferred = settings.preferred_sources
        rank = [
            preferred.index(names[s]) if s >= 0 and names[s] in preferred else len(preferred)
            for s in p.source[rows].tolist()
        ]
        rows = rows[np.array(rank) == min(rank)]
        if settings.canonical == "longest":
            return int(rows[np.argmax(p.length[rows])])
        if settings.canonical == "central" and len(rows) > 2:
            i, j = np.nonzero(~np.eye(len(rows), dtype=bool))
            cosine = live.similarity.cosines(rows[i], rows[j])
            return int(rows[np.argmax(np.bincount(i, weights=cosine))])
        return int(rows[np.argmin(np.where(np.isnan(p.day[rows]), np.inf, p.day[rows]))])

    def _evidence(self) -> Evidence:
        live = self.live
        return Evidence(
            live.profiles, live.similarity, live.standing.bar, self.settings.window_days
        )

    def _compare(self, rows: range) -> tuple[_Rows, _Rows, Met, NDArray[np.float64]]:
        """Find whom arriving articles resemble, and set their bars.

        Returns
        -------
        first, second : ndarray of int64
            Pairs that are alike, within the window; twins are set aside.
        strangers : Met
        cosine : ndarray of float64
            Of the strangers.
        """
        live = self.live
        relatives, strangers = meet(live, rows)
        single = self._set_twins(relatives.first, relatives.second)
        first, second = relatives.first[single], relatives.second[single]
        cosine = live.similarity.cosines(
            np.concatenate([first, strangers.first]), np.concatenate([second, strangers.second])
        )
        close = cosine[: len(first)] >= MIN_COSINE
        strange = cosine[len(first) :]
        set_bars(live, strangers, strange, rows)
        return first[close], second[close], strangers, strange

    def _weigh(self, first: _Rows, second: _Rows) -> tuple[Pairs, Weighed]:
        """Weigh pairs of arriving articles, and all that the strong ones among them call for."""
        weighed = Weighed(self._evidence())
        pairs = weighed.evidence.weigh(first, second)
        weighed.enter(pairs)
        strong = pairs.where(pairs.score >= self.settings.bar)
        weigh_neighbourhoods(self.live, strong, weighed)
        return strong, weighed

    def _set_twins(self, first: _Rows, second: _Rows) -> NDArray[np.bool_]:
        """Note who is a verbatim copy of whom; mark the pairs that need weighing."""
        p, twin = self.live.profiles, self.live.standing.twin
        same = (p.body[first] == p.body[second]) & (p.headline[first] == p.headline[second])
        same &= p.body[first] > 0
        for row, head in zip(first[same].tolist(), second[same].tolist(), strict=True):
            if twin[row] == row:
                twin[row] = twin[head]
        return np.asarray((twin[first] == first) & (twin[second] == second))

    def _describe(
        self, row: int, article: str, story: int, others: Sequence[int], weighed: Weighed
    ) -> Assignment:
        """Put an assignment into words.

        Parameters
        ----------
        row : int
            The article.
        article : str
            Its id.
        story : int
            Number of its story.
        others : sequence of int
            Rows of the other articles there.
        weighed : Weighed
            Evidence on the pairs they form.
        """
        ids, body = self.live.ids, self.live.profiles.body
        known = weighed.known(row, others)
        twin = int(self.live.standing.twin[row])
        if twin != row:
            known.append((LIMIT, 1.0, twin))
        known.sort(key=lambda pair: (-pair[0], -pair[1], pair[2]))
        relation: Relation | None = None
        similarity = None
        if known:
            _, similarity, closest = max(known, key=lambda pair: (pair[1], -pair[2]))
            relation = self._relation(row, closest)
            if body[row] and (body[others] == body[row]).any():
                relation = "exact"
        return Assignment(
            id=article,
            story_id=story_name(story),
            relation=relation,
            similarity=similarity,
            matches=tuple(Match(ids[o], cosine, score) for score, cosine, o in known[:MATCHES]),
            is_new_story=not others or row < min(others),
        )

    def _relation(self, row: int, closest: int) -> Relation:
        jaccard, containment = shingle_overlap(
            self.live.profiles, np.array([row]), np.array([closest])
        )
        near = jaccard[0] >= NEAR_JACCARD or containment[0] >= NEAR_CONTAINMENT
        return "near" if near else "reworded"

    def _tell(self, kind: EventKind, story: int, other: int | None = None) -> Event:
        self.cursor += 1
        event = Event(
            self.cursor, kind, story_name(story), None if other is None else story_name(other)
        )
        self.events.append(event)
        return event
