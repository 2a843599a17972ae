"""Corrections: pairs of articles that a person puts into one story, or keeps apart.

All statements apply together, in any order. Articles that are one story by a chain of statements
form a *group*. A statement that two articles are not one story keeps their groups apart. A
statement that keeps two articles of one group apart is therefore a contradiction.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any

from sahel_dedup.articles import Article
from sahel_dedup.errors import ArticleError, CorrectionError, SettingsError
from sahel_dedup.io.pair_rows import check_pair_ids, read_pair_ids, read_same
from sahel_dedup.io.readers import Place
from sahel_dedup.io.sources import located_rows, raise_fault
from sahel_dedup.util.groups import Groups
from sahel_dedup.util.values import is_missing, show

# The most contradictions that an error describes in full.
_NAMED = 5
_WANTED = "a mapping or a tuple (a, b, same) for each pair"


@dataclass(frozen=True, slots=True)
class Correction:
    """A person's statement about two articles.

    Attributes
    ----------
    a, b : str
        Ids of the articles.
    same : bool
        Whether they belong in one story.
    who, when, why : str or None
        Who made the statement, when, and for what reason.
    place : Place or None
        The place where it was read.

    Raises
    ------
    ArticleError
        If an id is not a non-empty string, both are the same, `same` is not a truth value, or
        another field is not a string.
    """

    a: str
    b: str
    same: bool
    who: str | None = None
    when: str | None = None
    why: str | None = None
    place: Place | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_pair_ids(self.a, self.b)
        if not isinstance(self.same, bool):
            raise ArticleError(f"neither True nor False: {show(self.same)}", "same")
        for name in ("who", "when", "why"):
            if not isinstance(value := getattr(self, name), str | None):
                raise ArticleError(f"not a string: {show(value)}", name)

    def __str__(self) -> str:
        """Return it as a sentence, with its origin if known."""
        said = f"{self.a!r} and {self.b!r} are {'one story' if self.same else 'not one story'}"
        origin = [f"by {self.who}"] * bool(self.who) + [f"on {self.when}"] * bool(self.when)
        origin += [str(self.place)] * (self.place is not None)
        said += f" ({', '.join(origin)})" if origin else ""
        return f"{said}: {self.why}" if self.why else said

    def to_row(self) -> dict[str, object]:
        """Return it as a row for `Corrections.read`: a, b, same, who, when, why."""
        return {
            "a": self.a, "b": self.b, "same": int(self.same),
            "who": self.who, "when": self.when, "why": self.why,
        }  # fmt: skip


class Corrections:
    """Corrections without contradictions.

    Iteration yields every `Correction`, in an order that does not depend on the order of input.

    Parameters
    ----------
    corrections : iterable of Correction

    Raises
    ------
    CorrectionError
        If two articles must be one story and must be apart. The error names the corrections.
    """

    def __init__(self, corrections: Iterable[Correction] = ()) -> None:
        # A repeated statement counts once; the first one is kept, ordered by who, when and why.
        found: dict[tuple[str, str, bool], Correction] = {}
        for correction in sorted(check_corrections(corrections), key=_order):
            found.setdefault((*_ends(correction), correction.same), correction)
        self._all = tuple(found.values())
        self._groups: Groups[str] = Groups()
        for correction in self._all:
            self._groups.enter(correction.a)
            self._groups.enter(correction.b)
            if correction.same:
                self._groups.join(correction.a, correction.b)
        self._refuse_contradictions()

    @classmethod
    def read(cls, source: Corrections | Iterable[Any] | Any | None) -> Corrections:
        """Read corrections from a file, a frame or rows.

        Parameters
        ----------
        source
            A path (JSON lines, CSV or Parquet), a frame or table, or an iterable of mappings,
            `Correction` or tuples ``(a, b, same)``. Rows have ``a`` and ``b`` (or ``id_a`` and
            ``id_b``), ids of articles, ``same`` (1, 0, true, false), and optionally ``who``,
            ``when`` and ``why``. A row whose ``same`` is empty is not a correction and is left out.
            ``None`` stands for no corrections.

        Raises
        ------
        ArticleError
            If a row is not a correction. The error names file, line and field.
        CorrectionError
            If two of them contradict each other.
        """
        if source is None:
            return cls()
        if isinstance(source, Corrections):
            return source
        if isinstance(source, Correction):
            return cls([source])
        if isinstance(source, Sequence | set | frozenset | Iterator) and not _is_whole(source):
            source = map(_named, source)
        rows = located_rows(source, {}, raise_fault, texts=True, wanted=_WANTED)
        return cls(filter(None, (_read(row, place) for place, row in rows)))

    def __iter__(self) -> Iterator[Correction]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Corrections) and self._all == other._all

    def __hash__(self) -> int:
        return hash(self._all)

    def __repr__(self) -> str:
        joins = sum(correction.same for correction in self._all)
        return f"<Corrections: {joins:,} that join, {len(self) - joins:,} that separate>"

    def __or__(self, other: Corrections) -> Corrections:
        """Return the union of two sets of corrections.

        Raises
        ------
        CorrectionError
            If they contradict each other.
        """
        return Corrections(itertools.chain(self, other)) if other else self

    def without(self, a: str, b: str) -> Corrections:
        """Return all corrections except those on one pair of articles."""
        pair = {a, b}
        return Corrections(c for c in self._all if {c.a, c.b} != pair)

    def renamed(self, names: Mapping[str, str]) -> Corrections:
        """Return the same corrections on articles that have other ids.

        Parameters
        ----------
        names : mapping of str to str
            The new id by the old one. Corrections of articles without a new id are kept, under a
            name that no article has.
        """

        def new(old: str) -> str:
            return names.get(old, f"no article: {old}")

        return Corrections(replace(c, a=new(c.a), b=new(c.b)) for c in self._all)

    @property
    def names(self) -> Iterable[str]:
        """Ids of all articles that are named."""
        return self._groups.members()

    def group(self, article: str) -> str | None:
        """Return the name of an article's group; ``None`` if no correction names the article."""
        return self._groups.find(article)

    def members(self, group: str) -> Sequence[str]:
        """Return the ids of a group's articles, sorted."""
        return self._by_group[group]

    def rivals(self, group: str) -> frozenset[str]:
        """Return the groups that a group must be kept apart from."""
        return self._rivals.get(group, frozenset())

    def are_rivals(self, groups: Iterable[str], others: Iterable[str]) -> bool:
        """Whether any of some groups must be kept apart from any of others."""
        others = frozenset(others)
        return any(not others.isdisjoint(self.rivals(group)) for group in groups)

    def chain(self, a: str, b: str) -> tuple[Correction, ...]:
        """Return the fewest corrections by which two articles are one story, none if none do."""
        came: dict[str, Correction | None] = {a: None}
        waiting = deque([a])
        while waiting and b not in came:
            article = waiting.popleft()
            for correction in self._joins.get(article, ()):
                other = correction.b if correction.a == article else correction.a
                if other not in came:
                    came[other] = correction
                    waiting.append(other)
        found: list[Correction] = []
        while (step := came.get(b)) is not None:
            found.append(step)
            b = step.a if step.b == b else step.b
        return tuple(reversed(found))

    @cached_property
    def _by_group(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for article in sorted(self._groups.members()):
            found.setdefault(self._groups[article], []).append(article)
        return found

    @cached_property
    def _rivals(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        for correction in self._all:
            if not correction.same:
                a, b = self._groups[correction.a], self._groups[correction.b]
                found.setdefault(a, set()).add(b)
                found.setdefault(b, set()).add(a)
        return {group: frozenset(others) for group, others in found.items()}

    @cached_property
    def _joins(self) -> Mapping[str, Sequence[Correction]]:
        """Return for each article the corrections that join it to others."""
        found: dict[str, list[Correction]] = {}
        for correction in self._all:
            if correction.same:
                found.setdefault(correction.a, []).append(correction)
                found.setdefault(correction.b, []).append(correction)
        return found

    def _refuse_contradictions(self) -> None:
        groups = self._groups
        broken = [c for c in self._all if not c.same and groups[c.a] == groups[c.b]]
        if not broken:
            return
        named = []
        for correction in broken[:_NAMED]:
            chain = "; ".join(map(str, self.chain(correction.a, correction.b)))
            named.append(f"{correction}, but {chain}")
        more = f" (and {len(broken) - _NAMED:,} more)" if len(broken) > _NAMED else ""
        raise CorrectionError(
            f"corrections contradict each other: {'. '.join(named)}{more}. Remove one of them",
            tuple((c, self.chain(c.a, c.b)) for c in broken),
        )


def check_corrections(given: Iterable[Correction]) -> list[Correction]:
    """Return corrections that were given as an argument.

    Raises
    ------
    SettingsError
        If they are not several `Correction`. The error gives the right call.
    """
    if isinstance(given, Correction):
        raise SettingsError("corrections: one Correction; write [correction]")
    found = list(given) if isinstance(given, Iterable) else [given]
    for item in found:
        if not isinstance(item, Correction):
            raise SettingsError(
                f"corrections: {show(item)} is not a Correction; Corrections.read also reads "
                "tuples (a, b, same), mappings, frames and files"
            )
    return found


def _order(correction: Correction) -> tuple[Any, ...]:
    rest = (correction.who, correction.when, correction.why)
    return *_ends(correction), correction.same, *((value or "") for value in rest)


def _ends(correction: Correction) -> tuple[str, str]:
    a, b = correction.a, correction.b
    return (a, b) if a < b else (b, a)


def _is_whole(source: object) -> bool:
    """Whether it is a path or a table, although it can be iterated over."""
    return isinstance(source, str) or hasattr(source, "__arrow_c_stream__")


def _named(item: object) -> object:
    """Turn a tuple into a row with names."""
    if isinstance(item, Correction):
        return item.to_row()
    if type(item) in (tuple, list) and 3 <= len(item) <= 6:  # type: ignore[arg-type]
        return dict(zip(("a", "b", "same", "who", "when", "why"), item, strict=False))  # type: ignore[call-overload]
    return item


def _read(row: Mapping[str, object] | Article, place: Place) -> Correction | None:
    try:
        if isinstance(row, Article):
            raise ArticleError("an article; give rows with a, b and same")
        a, b = read_pair_ids(row)
        same = read_same(row)
        if same is None:
            return None
        who, when, why = (_text(row, name) for name in ("who", "when", "why"))
    except ArticleError as error:
        raise error.at(*place) from None
    return Correction(a, b, same, who, when, why, place)


def _text(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    if is_missing(value) or value == "":
        return None
    return value.isoformat() if isinstance(value, date) else str(value)
