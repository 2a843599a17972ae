"""A matcher that backtracks as `re` does and counts the characters that it looks at.

`re` does not tell how much it tries, so patterns are tried with this one instead.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest

# What is repeated "up to 1500 times" is linear in a text however it is written; so that small
# texts show what grows, no bounded repetition is tried more often than this.
_FEW = 6
# With this bound, a matcher finds what `re` finds.
EXACT = 10_000
CHARACTERS = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: str.isdecimal,
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
}

Items = tuple[tuple[Any, Any], ...]


@functools.cache
def _tree(pattern: str, flags: int) -> Items:
    """Parse a pattern; the same tree each time, so that what is known of its parts stays."""
    tree: Items = _plain(parser.parse(pattern, flags))
    return tree


def _plain(value: Any) -> Any:
    """Make tuples of the parser's own sequences, which are slow to go through."""
    if isinstance(value, parser.SubPattern):
        return tuple((kind, _operand(kind, operand)) for kind, operand in value)
    if isinstance(value, list | tuple):
        return tuple(_plain(part) for part in value)
    return value


def _operand(kind: Any, operand: Any) -> Any:
    if kind in (sre.ASSERT, sre.ASSERT_NOT):
        # A look back begins as many characters earlier as its pattern is wide.
        direction, inner = operand
        return 0 if direction > 0 else inner.getwidth()[0], _plain(inner)
    return _plain(operand)


class Matcher:
    """Matches a pattern by backtracking, and counts the characters that it looks at."""

    def __init__(self, pattern: re.Pattern[str], text: str, few: int = _FEW) -> None:
        self.tree = _tree(pattern.pattern, pattern.flags)
        self.flags = pattern.flags
        self.text = text
        self.few = few
        self.steps = 0
        self.groups: dict[int | None, str] = {}

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield the matches that `finditer` finds."""
        start = 0
        while start <= len(self.text):
            end = self.match_at(start)
            if end is not None:
                yield start, end
            start = end if end is not None and end > start else start + 1

    def match_at(self, start: int) -> int | None:
        """Return the end of the match that begins at a place, if there is one."""
        return next(self._sequence(self.tree, start, self.flags), None)

    def _sequence(self, items: Items, at: int, flags: int) -> Iterator[int]:
        if not items:
            yield at
            return
        kind, value = items[0]
        for end in self._one(kind, value, at, flags):
            yield from self._sequence(items[1:], end, flags)

    def _one(self, kind: Any, value: Any, at: int, flags: int) -> Iterator[int]:
        if kind in CHARACTERS:
            self.steps += 1
            if at < len(self.text) and _is_of(kind, value, self.text[at], flags):
                yield at + 1
        elif kind is sre.BRANCH:
            for branch in value[1]:
                yield from self._sequence(branch, at, flags)
        elif kind in (sre.MAX_REPEAT, sre.MIN_REPEAT):
            greedy = kind is sre.MAX_REPEAT
            yield from self._repeat(*self._bounds(value), at, flags, greedy=greedy)
        elif kind in (sre.SUBPATTERN, sre.GROUPREF):
            yield from self._group(kind, value, at, flags)
        else:
            yield from self._once(kind, value, at, flags)

    def _group(self, kind: Any, value: Any, at: int, flags: int) -> Iterator[int]:
        if kind is sre.SUBPATTERN:
            group, more, less, inner = value
            for end in self._sequence(inner, at, (flags | more) & ~less):
                self.groups[group] = self.text[at:end]
                yield end
        else:
            held = self.groups[value]
            self.steps += len(held)
            if self.text.startswith(held, at):
                yield at + len(held)

    def _once(self, kind: Any, value: Any, at: int, flags: int) -> Iterator[int]:
        """Match what is not tried again once it has been found."""
        found: int | None
        if kind is sre.ATOMIC_GROUP:
            found = next(self._sequence(value, at, flags), None)
        elif kind is sre.POSSESSIVE_REPEAT:
            found = next(self._repeat(*self._bounds(value), at, flags, greedy=True), None)
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            back, inner = value
            start = at - back
            there = start >= 0 and next(self._sequence(inner, start, flags), None) is not None
            found = at if there == (kind is sre.ASSERT) else None
        else:
            assert kind is sre.AT, kind
            self.steps += 1
            found = at if self._is_at(value, at, flags) else None
        if found is not None:
            yield found

    def _bounds(self, value: Any) -> tuple[int, int, Any]:
        low, high, inner = value
        return min(low, self.few), high if high == sre.MAXREPEAT else min(high, self.few), inner

    def _repeat(
        self, low: int, high: int, inner: Any, at: int, flags: int, *, greedy: bool
    ) -> Iterator[int]:
        if greedy and len(inner) == 1 and inner[0][0] in CHARACTERS:
            yield from self._repeat_character(low, high, inner[0], at, flags)
            return
        stack = [(at, self._sequence(inner, at, flags) if high else iter(()))]
        ends = [at]
        if not greedy and low == 0:
            yield at
        while stack:
            here, more = stack[-1]
            end = next(more, None)
            if end is None or (end == here and len(stack) > low):
                stack.pop()
                last = ends.pop()
                if greedy and len(stack) >= low:
                    yield last
                continue
            count = len(stack)
            if not greedy and count >= low:
                yield end
            ends.append(end)
            stack.append((end, self._sequence(inner, end, flags) if count < high else iter(())))

    def _repeat_character(
        self, low: int, high: int, character: tuple[Any, Any], at: int, flags: int
    ) -> Iterator[int]:
        """Do what `_repeat` does, for what is repeated most often, with fewer calls."""
        end = at
        while end - at < high:
            self.steps += 1
            if end == len(self.text) or not _is_of(*character, self.text[end], flags):
                break
            end += 1
        yield from range(end, at + low - 1, -1)

    def _is_at(self, what: Any, at: int, flags: int) -> bool:
        text, end = self.text, len(self.text)
        if what in (sre.AT_BOUNDARY, sre.AT_NON_BOUNDARY):
            word = _CATEGORIES[sre.CATEGORY_WORD]
            before, after = at > 0 and word(text[at - 1]), at < end and word(text[at])
            return (before != after) == (what is sre.AT_BOUNDARY)
        if what is sre.AT_END:
            last = at == end or text[at:] == "\n"
            return last or bool(flags & re.MULTILINE and text[at] == "\n")
        if what is sre.AT_END_STRING:
            return at == end
        return at == 0 or bool(flags & re.MULTILINE and text[at - 1] == "\n")


@functools.cache
def _is_of(kind: Any, value: Any, char: str, flags: int) -> bool:
    if kind is sre.ANY:
        return char != "\n" or bool(flags & re.DOTALL)
    items = value if kind is sre.IN else [(sre.LITERAL, value)]
    chars = {char, char.lower(), char.upper()} if flags & re.IGNORECASE else {char}
    negated, found = kind is sre.NOT_LITERAL, False
    for what, which in items:
        if what is sre.NEGATE:
            negated = True
        elif what is sre.LITERAL:
            found |= any(
                chr(which) in (c, c.lower(), c.upper())
                if flags & re.IGNORECASE
                else chr(which) == c
                for c in chars
            )
        elif what is sre.RANGE:
            found |= any(which[0] <= ord(c) <= which[1] for c in chars if len(c) == 1)
        else:
            name = str(which).removeprefix("UNI_")
            positive = getattr(sre, name.replace("NOT_", ""))
            ascii_only = bool(flags & re.ASCII) and not char.isascii()
            found |= (_CATEGORIES[positive](char) and not ascii_only) != ("NOT_" in name)
    return found != negated


class CountingPattern:
    """Stands for a compiled pattern; adds the characters that it looks at to `steps`."""

    def __init__(self, pattern: re.Pattern[str], steps: list[int]) -> None:
        self.pattern = pattern
        self.steps = steps

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        matcher = Matcher(self.pattern, text, EXACT)
        list(matcher.spans())
        self.steps.append(matcher.steps)
        return self.pattern.finditer(text)

    def match(self, text: str, start: int) -> re.Match[str] | None:
        matcher = Matcher(self.pattern, text, EXACT)
        matcher.match_at(start)
        self.steps.append(matcher.steps)
        return self.pattern.match(text, start)

    def search(self, text: str, start: int, end: int) -> re.Match[str] | None:
        # A pattern does not look beyond the end that it is given.
        matcher = Matcher(self.pattern, text[:end], EXACT)
        any(matcher.match_at(place) is not None for place in range(start, end + 1))
        self.steps.append(matcher.steps)
        return self.pattern.search(text, start, end)


def count_steps(monkeypatch: pytest.MonkeyPatch, module: str) -> list[int]:
    """Replace the patterns of a module; return the list to which each match adds its steps."""
    steps: list[int] = []
    for name, value in vars(importlib.import_module(module)).copy().items():
        if isinstance(value, re.Pattern):
            monkeypatch.setattr(f"{module}.{name}", CountingPattern(value, steps))
    return steps
