"""The engine of the index: articles in, assignments out, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sahel_dedup.contrast import TYPICAL_BAR
from sahel_dedup.evidence import Comparison, Evidence, Pairs
from sahel_dedup.index.answers import Assignment, Event, EventKind
from sahel_dedup.index.joining import (
    Weighed,
    compared,
    join_stories,
    join_surplus,
    split_story,
    story_pairs,
    weigh_neighbourhoods,
)
from sahel_dedup.index.live import NO_STORY, Live, story_name
from sahel_dedup.index.meeting import are_pages, judge, meet, raise_bars, set_bars, set_twins
from sahel_dedup.index.moving import Compared
from sahel_dedup.index.telling import describe
from sahel_dedup.profiles import Profiles
from sahel_dedup.settings import Settings

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
        kin, strangers = self._compare(rows)
        noted, risen = raise_bars(live, strangers)
        self.changes.moved |= noted
        self._doubt(risen)
        strong, weighed = self._weigh(kin)
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
            assignment = describe(live, row, live.ids[row], number, others, weighed)
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
        kin, _ = self._compare(rows)
        strong, weighed = self._weigh(kin)
        partners = strong.second.tolist()
        head = int(s.twin[row])
        best: int | None = None if head == row else head
        if partners and best is None:
            surplus, best = max(
                (join_surplus(live, [row], compared(live, p), weighed), p) for p in partners
            )
            best = best if surplus >= 0 else None
        number = live.name(article) if best is None else int(s.story[best])
        members = [] if best is None else live.members(best)
        assignment = describe(live, row, article, number, members, weighed)
        live.withdraw(rows)
        live.clock = clock
        return assignment

    def recall(self, row: int) -> Assignment:
        """Tell again where an article belongs."""
        live, s = self.live, self.live.standing
        weighed = Weighed(self.evidence())
        members = live.members(row)[1:]
        if s.twin[row] == row:
            weighed.weigh((row, other) for other in compared(live, row) if other != row)
        return describe(live, row, live.ids[row], int(s.story[row]), members, weighed)

    def update(self, row: int, profiles: Profiles, now: float) -> Assignment:
        """Put a corrected article in the place of one."""
        live = self.live
        article, former = live.ids[row], int(live.standing.story[row])
        cursor = self.cursor
        rest = self._take_out(row)
        if rest:
            self._part(former, rest, Weighed(self.evidence()))
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
        if not rest:
            return [self._tell("removed", story)]
        return self._part(story, rest, Weighed(self.evidence()))

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
        live, number = self.live, self.live.standing.story
        stories = [live.members(row) for row in {int(number[r]): r for r in rows}.values()]
        stories = [members for members in stories if len(live.first_rows(members)) > 1]
        if not stories:
            return
        weighed = Weighed(self.evidence())
        weighed.weigh(pair for members in stories for pair in story_pairs(live, members))
        for members in stories:
            self._part(int(number[members[0]]), members, weighed)

    def _take_out(self, row: int) -> list[int]:
        self.changes.left.append(int(self.live.standing.serial[row]))
        rest = self.live.leave(row)
        self.changes.moved |= set(rest)
        return rest

    def _part(self, story: int, members: Sequence[int], weighed: Weighed) -> list[Event]:
        """Let a story fall apart that its evidence no longer holds together."""
        groups = split_story(self.live, members, weighed)
        if len(groups) == 1:
            return []
        numbers = self.live.part(groups)
        self.changes.moved |= set(members)
        return [self._tell("split", story, number) for number in numbers[1:]]

    def evidence(self, comparison: Comparison | None = None) -> Evidence:
        """Return what weighs pairs of articles, as things stand."""
        live = self.live
        similarity = comparison or live.similarity
        return Evidence(live.profiles, similarity, live.standing.bar, self.settings)

    def _compare(self, rows: range) -> tuple[Compared, Compared]:
        """Find whom arriving articles resemble, and set their bars.

        Returns
        -------
        kin : Compared
            Pairs that may be one event; twins are set aside.
        strangers : Compared
            Pairs that must be about something else.
        """
        live = self.live
        p, met = live.profiles, meet(live, rows)
        near = set_twins(met.first, met.second, met.near, p.body, p.headline, live.standing.twin)
        near &= ~are_pages(live, met)
        found = live.similarity.compare(met.first, met.second)
        kin, strangers = judge(live, found, near, met.far)
        set_bars(live, strangers, rows)
        return kin, strangers

    def _weigh(self, kin: Compared) -> tuple[Pairs, Weighed]:
        """Weigh pairs of arriving articles, and all that the strong ones among them call for."""
        weighed = Weighed(self.evidence())
        pairs = self.evidence(kin).weigh(kin.first, kin.second)
        weighed.enter(pairs)
        strong = pairs.where(pairs.score >= self.settings.bar)
        weigh_neighbourhoods(self.live, strong, weighed)
        return strong, weighed

    def _tell(self, kind: EventKind, story: int, other: int | None = None) -> Event:
        self.cursor += 1
        event = Event(
            self.cursor, kind, story_name(story), None if other is None else story_name(other)
        )
        self.events.append(event)
        # An eighth more than are kept, so that the list is seldom moved.
        if len(self.events) > EVENTS_KEPT * 9 // 8:
            del self.events[:-EVENTS_KEPT]
        return event
