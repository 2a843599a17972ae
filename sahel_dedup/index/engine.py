"""The engine of the index, in memory: from articles to assignments."""

from __future__ import annotations

import bisect
import itertools
import operator
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.corrections.corrections import Corrections
from sahel_dedup.corrections.placing import has_rivals
from sahel_dedup.index.candidates import (
    are_placeholders,
    find_candidates,
    judge,
    mark_exact_duplicates,
    with_same_text,
)
from sahel_dedup.index.changes import Changes
from sahel_dedup.index.live import Live
from sahel_dedup.index.online_corrections import (
    fellows,
    groups_among,
    must_be_apart,
    placed,
    present_rows,
)
from sahel_dedup.index.online_linkage import (
    ScoredPairs,
    divide_story,
    doubtful,
    evidence_groups,
    join_stories,
    may_join,
    representatives,
    score_neighbourhoods,
    split_story,
    story_surplus,
)
from sahel_dedup.index.online_recurrence import raise_recurrence, set_recurrence
from sahel_dedup.index.online_tfidf import ComparedPairs
from sahel_dedup.index.result_builder import describe
from sahel_dedup.index.results import Assignment, Event, EventKind
from sahel_dedup.index.standing import NO_STORY, story_name
from sahel_dedup.scoring.evidence import Comparison, Evidence, Pairs
from sahel_dedup.scoring.log_odds import weights_of
from sahel_dedup.scoring.recurrence import TYPICAL_RECURRENCE
from sahel_dedup.settings import Settings
from sahel_dedup.sketch.profiles import Profiles

# Past articles that are kept as background: as many as live ones, but at least this many.
_FEWEST_PAST = 1000
EVENTS_KEPT = 100_000
_CURSOR = operator.attrgetter("cursor")
# The id of an article in a query, which no other article has.
_NO_ARTICLE = ""
_NO_PAIRS = Pairs.concatenate([])


class Engine:
    """Assigns articles to stories.

    Parameters
    ----------
    settings : Settings

    Attributes
    ----------
    live : Live
    events : list of Event
        The latest events, oldest first.
    cursor : int
        Number of the last event.
    changes : Changes
        Changes since the last save.
    """

    def __init__(self, settings: Settings) -> None:
        weights_of(settings)  # Refuse a model of another release before anything is read.
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
            Ids that are not in the index.
        profiles : Profiles
        now : float
            Today, in days since 1970.

        Returns
        -------
        list of Assignment
        """
        live = self.live
        rows = live.enter(ids, profiles, now)
        surviving, background, news = self._compare(rows)
        noted, risen = raise_recurrence(live, background, news)
        self.changes.moved |= noted
        if risen:
            self._doubt(risen)
        strong, scored = self._score(surviving)
        partners: dict[int, list[int]] = {}
        for row, partner in zip(strong.first.tolist(), strong.second.tolist(), strict=True):
            partners.setdefault(row, []).append(partner)
        assignments = []
        for row in rows:
            cursor, head = self.cursor, int(live.standing.duplicate_of[row])
            merged = []
            if head != row and (not live.fit(head, row) or must_be_apart(live, head, row)):
                # Copies that came with it have filled the window, or a correction says so.
                live.standing.duplicate_of[row] = row
            elif head != row:
                if groups_among(live, [row]):
                    # From now on it is compared on its own.
                    live.standing.duplicate_of[row] = row
                    scored.score_pairs([(row, head)])
                live.join(head, row)
            elif row in partners:
                merged = join_stories(live, row, partners[row], scored)
            for pair in merged:
                self.changes.moved |= set(live.members(row))
                self._report("merged", pair[1], pair[0])
            if live.corrections:
                self._settle(row, row)
            number, members = int(live.standing.story[row]), live.story_of(row).rows
            oldest = members[0] if len(members) > 1 else None
            assignment = describe(live, row, live.ids[row], number, oldest, scored)
            events = self.events_after(cursor)
            assignments.append(replace(assignment, events=tuple(events)) if events else assignment)
        live.enter_buckets(np.arange(rows.start, rows.stop))
        self.changes.moved -= set(rows)
        self.changes.added += rows
        return assignments

    def probe(self, article: str, profiles: Profiles, now: float) -> Assignment:
        """Find where an article would belong, without keeping it."""
        live, s = self.live, self.live.standing
        clock = live.clock
        rows = live.enter([_NO_ARTICLE], profiles, now)
        (row,) = rows
        surviving, _, _ = self._compare(rows)
        strong, scored = self._score(surviving)
        # Use its real id, because corrections may name it.
        live.ids[row] = article
        partners = [p for p in strong.second.tolist() if may_join(live, row, p, scored)]
        head = int(s.duplicate_of[row])
        best: int | None = None if head == row or must_be_apart(live, head, row) else head
        if partners and best is None:
            surplus, best = max((story_surplus(live, row, p, scored), p) for p in partners)
            best = best if surplus >= 0 else None
        best = min(fellows(live, row, row - 1), default=best)
        number = live.name(article) if best is None else int(s.story[best])
        oldest = None if best is None else live.story_of(best).rows[0]
        assignment = describe(live, row, article, number, oldest, scored)
        live.ids[row] = _NO_ARTICLE
        live.withdraw(rows)
        live.clock = clock
        return assignment

    def recall(self, row: int) -> Assignment:
        """Describe again where an article belongs."""
        live, s = self.live, self.live.standing
        scored = ScoredPairs(self.evidence)
        if s.duplicate_of[row] == row:
            scored.score_pairs((row, other) for other in representatives(live, row) if other != row)
        rows = live.story_of(row).rows
        assignment = describe(live, row, live.ids[row], int(s.story[row]), rows[0], scored)
        copied = assignment.relation is not None and (s.duplicate_of[rows] == row).sum() > 1
        return replace(assignment, relation="exact") if copied else assignment

    def update(self, row: int, profiles: Profiles, now: float) -> Assignment:
        """Replace an article by a corrected version."""
        live = self.live
        article, former = live.ids[row], int(live.standing.story[row])
        cursor = self.cursor
        rest = self._take_out(row)
        if rest:
            self._part(former, rest, ScoredPairs(self.evidence))
        (assignment,) = self.add([article], profiles, now)
        if not rest and len(live.members(live.row_of[article])) == 1:
            live.bear(live.row_of[article], former)
            assignment = replace(assignment, story_id=story_name(former))
        elif not rest:
            self._report("merged", former, int(live.standing.story[live.row_of[article]]))
        return replace(assignment, events=tuple(self.events_after(cursor)))

    def correct(self, corrections: Corrections) -> list[Event]:
        """Apply further corrections to stories.

        Raises
        ------
        CorrectionError
            If they contradict each other or existing ones.
        """
        live, cursor, known = self.live, self.cursor, set(self.live.corrections)
        live.corrections |= corrections
        self.changes.corrected += [c for c in live.corrections if c not in known]
        groups = {live.corrections.group(name) for name in corrections.names} - {None}
        rows = sorted(present_rows(live, [group for group in groups if group is not None]))
        for row in rows:
            if live.standing.duplicate_of[row] != row:
                live.single_out(row)
                self.changes.moved.add(row)
        scored = ScoredPairs(self.evidence)
        for row in rows:
            members = live.members(row)
            if has_rivals(list(groups_among(live, members).values()), live.corrections):
                self._rearrange(members, divide_story(live, members, scored))
        for row in rows:
            self._settle(row, len(live))
        return self.events_after(cursor)

    def withdraw(self, a: str, b: str) -> list[Event]:
        """Withdraw the corrections on a pair of articles, and group their stories again."""
        live, cursor, scored = self.live, self.cursor, ScoredPairs(self.evidence)
        rows = [live.row_of[name] for name in (a, b) if name in live.row_of]
        live.corrections = live.corrections.without(a, b)
        self.changes.withdrawn = True
        for row in rows:
            self._part(int(live.standing.story[row]), live.members(row), scored)
        story = live.standing.story
        one, other = rows if len(rows) == 2 else (0, 0)
        if story[one] != story[other] and may_join(live, one, other, scored):
            scored.score_pairs(
                itertools.product(representatives(live, one), representatives(live, other))
            )
            if story_surplus(live, one, other, scored) >= 0:
                members = sorted({*live.members(one), *live.members(other)})
                self._rearrange(members, [members])
        return self.events_after(cursor)

    def events_after(self, cursor: int) -> list[Event]:
        """Return the events after one, oldest first."""
        if cursor == self.cursor:
            return []
        return self.events[bisect.bisect_right(self.events, cursor, key=_CURSOR) :]

    def parts(self, row: int) -> dict[str, int]:
        """Return the articles of a row's story, each with its part by evidence alone."""
        live = self.live
        groups = evidence_groups(live, live.members(row), ScoredPairs(self.evidence))
        return {live.ids[r]: number for number, group in enumerate(groups) for r in group}

    def remove(self, row: int) -> list[Event]:
        """Remove an article; the rest of its story may fall apart."""
        story = int(self.live.standing.story[row])
        rest = self._take_out(row)
        if not rest:
            return [self._report("removed", story)]
        return self._part(story, rest, ScoredPairs(self.evidence))

    def expire(self, before: float) -> list[Event]:
        """Expire the stories whose articles are all from before a day.

        Some of their articles stay as past articles, to recognise recurring texts.
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
        events = [self._report("expired", int(number)) for number in numbers[old]]
        s.story[rows[old[story]]] = NO_STORY
        self.compact()
        self.changes.moved |= set(np.flatnonzero(s.story[: len(live)] == NO_STORY).tolist())
        return events

    def compact(self) -> None:
        """Drop removed articles and surplus past ones."""
        live, n = self.live, len(self.live)
        s, p = live.standing, live.profiles
        present = s.story[:n] != NO_STORY
        recurring = (s.recurrence[:n] > TYPICAL_RECURRENCE) & (s.duplicate_of[:n] == np.arange(n))
        past = np.flatnonzero(~present & recurring & ~np.isnan(p.day[:n]))
        past = past[-max(_FEWEST_PAST, int(present.sum())) :]
        kept = np.union1d(np.flatnonzero(present), past)
        lost = np.setdiff1d(np.arange(n), kept)
        self.changes.left += s.serial[lost].tolist()
        self.changes.compacted = True
        live.compact(kept)

    def _doubt(self, rows: set[int]) -> None:
        """Re-evaluate stories whose articles were later found to be recurring."""
        live, number = self.live, self.live.standing.story
        found = [live.story_of(row) for row in {int(number[r]): r for r in rows}.values()]
        stories = [members.rows for members in found if len(members.first) > 1]
        scored = ScoredPairs(self.evidence)
        for members in doubtful(live, stories, scored):
            self._part(int(number[members[0]]), members, scored)

    def _settle(self, row: int, last: int) -> None:
        """Put the articles of a row's group of corrections, up to a row, into one story."""
        live, story = self.live, self.live.standing.story
        together = fellows(live, row, last)
        if len({int(story[r]) for r in together}) > 1:
            members = sorted({other for r in together for other in live.members(r)})
            labels = np.unique(story[members], return_inverse=True)[1].astype(np.int64)
            self._rearrange(members, placed(live, members, labels))

    def _rearrange(self, members: Sequence[int], groups: Sequence[Sequence[int]]) -> None:
        """Regroup the articles of some stories, and report what became of these."""
        live, story = self.live, self.live.standing.story
        label = {row: number for number, group in enumerate(groups) for row in group}
        held: dict[int, dict[int, list[int]]] = {}
        for row in sorted(members):
            held.setdefault(int(story[row]), {}).setdefault(label[row], []).append(row)
        for number, pieces in held.items():
            if len(pieces) > 1:
                for other in live.part(list(pieces.values()))[1:]:
                    self._report("split", number, other)
        for group in groups:
            for row in sorted(group)[1:]:
                if story[row] != story[group[0]]:
                    older, younger = live.join(group[0], row)
                    self._report("merged", younger, older)
        self.changes.moved |= set(members)

    def _take_out(self, row: int) -> list[int]:
        self.changes.left.append(int(self.live.standing.serial[row]))
        rest = self.live.leave(row)
        self.changes.moved |= set(rest)
        return rest

    def _part(self, story: int, members: Sequence[int], scored: ScoredPairs) -> list[Event]:
        """Split a story that its evidence no longer holds together."""
        groups = split_story(self.live, members, scored)
        if len(groups) == 1:
            return []
        numbers = self.live.part(groups)
        self.changes.moved |= set(members)
        return [self._report("split", story, number) for number in numbers[1:]]

    def evidence(self, comparison: Comparison | None = None) -> Evidence:
        """Return a scorer of pairs of articles in the present state."""
        live = self.live
        similarity = comparison or live.similarity
        return Evidence(live.profiles, similarity, live.standing.recurrence, self.settings)

    def _compare(self, rows: range) -> tuple[ComparedPairs, ComparedPairs, NDArray[np.bool_]]:
        """Compare arriving articles with their candidates, and set their recurrence.

        Returns
        -------
        surviving : ComparedPairs
            Pairs that may report one event, without exact copies.
        background : ComparedPairs
            Pairs that must be about something else.
        news : ndarray of bool
            Marks those whose arriving article is not a copy.
        """
        live = self.live
        candidates = find_candidates(live, rows)
        near, same = candidates.near, with_same_text(live, candidates)
        if len(same):
            near = mark_exact_duplicates(live, candidates, same)
            near &= ~are_placeholders(live, candidates, same)
        found = live.similarity.compare(candidates.first, candidates.second)
        surviving, background, news = judge(live, found, near, candidates.far)
        set_recurrence(live, background, rows)
        return surviving, background, news

    def _score(self, surviving: ComparedPairs) -> tuple[Pairs, ScoredPairs]:
        """Score pairs of arriving articles, and all further pairs that the strong ones require."""
        scored = ScoredPairs(self.evidence)
        if not len(surviving.first):
            return _NO_PAIRS, scored
        pairs = self.evidence().score_compared(surviving)
        strong = (pairs.score >= self.settings.merge_threshold).nonzero()[0]
        # Articles without a strong pair stay alone, unless a correction moves them.
        scored.enter(pairs if self.live.corrections else pairs.beside(strong))
        if not len(strong):
            return _NO_PAIRS, scored
        chosen = pairs.where(strong)
        score_neighbourhoods(self.live, chosen, scored)
        return chosen, scored

    def _report(self, kind: EventKind, story: int, other: int | None = None) -> Event:
        self.cursor += 1
        name = None if other is None else story_name(other)
        event = Event(self.cursor, kind, story_name(story), name)
        self.events.append(event)
        # An eighth more than are kept, so that the list is rarely shortened.
        if len(self.events) > EVENTS_KEPT * 9 // 8:
            del self.events[:-EVENTS_KEPT]
        return event
