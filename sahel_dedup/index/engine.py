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
from sahel_dedup.stories import NEAR_CONTAINMENT, NEAR_JACCARD, Relation, shingle_overlap

MATCHES = 10
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
        strong, weighed, strangers = self._weigh(rows)
        self.changes.moved |= raise_bars(live, *strangers)
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
        strong, weighed, _ = self._weigh(rows)
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

    def remove(self, row: int) -> list[Event]:
        """Remove an article; what is left of its story may fall apart."""
        live = self.live
        story, serial = int(live.standing.story[row]), int(live.standing.serial[row])
        rest = live.leave(row)
        self.changes.left.append(serial)
        self.changes.moved |= set(rest)
        if not rest:
            return [self._tell("removed", story)]
        groups = split_story(live, rest, Weighed(self._evidence()))
        numbers = live.part(groups)
        return [self._tell("split", story, number) for number in numbers[1:]]

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

    def _evidence(self) -> Evidence:
        live = self.live
        return Evidence(
            live.profiles, live.similarity, live.standing.bar, self.settings.window_days
        )

    def _weigh(self, rows: range) -> tuple[Pairs, Weighed, tuple[Met, NDArray[np.float64]]]:
        """Find and weigh the pairs of arriving articles.

        Returns
        -------
        strong : Pairs
            Those that reach the bar; twins are set aside.
        weighed : Weighed
            All that may matter.
        strangers, cosine
            For the bars of others.
        """
        live = self.live
        relatives, strangers = meet(live, rows)
        twins = self._find_twins(relatives.first, relatives.second)
        first, second = relatives.first[~twins], relatives.second[~twins]
        cosine = live.similarity.cosines(
            np.concatenate([first, strangers.first]), np.concatenate([second, strangers.second])
        )
        cosine, strange = cosine[: len(first)], cosine[len(first) :]
        set_bars(live, strangers, strange, rows)
        close = cosine >= MIN_COSINE
        evidence = self._evidence()
        pairs = evidence.weigh(first[close], second[close])
        weighed = Weighed(evidence)
        weighed.enter(pairs)
        strong = pairs.where(pairs.score >= self.settings.bar)
        weigh_neighbourhoods(live, strong, weighed)
        return strong, weighed, (strangers, strange)

    def _find_twins(
        self, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Note who is a verbatim copy of whom; mark the pairs that need no weighing."""
        p, twin = self.live.profiles, self.live.standing.twin
        same = (p.body[first] == p.body[second]) & (p.headline[first] == p.headline[second])
        same &= p.body[first] > 0
        for row, head in zip(first[same].tolist(), second[same].tolist(), strict=True):
            if twin[row] == row:
                twin[row] = twin[head]
        return (twin[first] != first) | (twin[second] != second)

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
