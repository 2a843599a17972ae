"""Every pattern of the package takes time proportional to the text, even for hostile texts.

`re` does not tell how much it tries, so the patterns are tried here by a small matcher that
backtracks as `re` does and counts the characters that it looks at.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sahel_dedup

# What is repeated "up to 1500 times" is linear in a text however it is written; so that small
# texts show what grows, no bounded repetition is tried more often than this.
_FEW = 6
_CHARACTERS = (sre.LITERAL, sre.NOT_LITERAL, sre.ANY, sre.IN)
_CATEGORIES: dict[Any, Callable[[str], bool]] = {
    sre.CATEGORY_DIGIT: str.isdecimal,
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_WORD: lambda char: char.isalnum() or char == "_",
}


class Matcher:
    """Matches a pattern by backtracking, and counts the characters that it looks at."""

    def __init__(self, pattern: re.Pattern[str], text: str, few: int = _FEW) -> None:
        self.tree = parser.parse(pattern.pattern, pattern.flags)
        self.flags = pattern.flags
        self.text = text
        self.few = few
        self.steps = 0
        self.groups: dict[int | None, str] = {}

    def spans(self) -> Iterator[tuple[int, int]]:
        """Yield the matches that `finditer` finds."""
        start = 0
        while start <= len(self.text):
            end = next(self._sequence(list(self.tree), start, self.flags), None)
            if end is not None:
                yield start, end
            start = end if end is not None and end > start else start + 1

    def _sequence(self, items: Sequence[Any], at: int, flags: int) -> Iterator[int]:
        if not items:
            yield at
            return
        kind, value = items[0]
        for end in self._one(kind, value, at, flags):
            yield from self._sequence(items[1:], end, flags)

    def _one(self, kind: Any, value: Any, at: int, flags: int) -> Iterator[int]:
        if kind in _CHARACTERS:
            self.steps += 1
            if at < len(self.text) and _is_of(kind, value, self.text[at], flags):
                yield at + 1
        elif kind is sre.BRANCH:
            for branch in value[1]:
                yield from self._sequence(list(branch), at, flags)
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
            for end in self._sequence(list(inner), at, (flags | more) & ~less):
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
            found = next(self._sequence(list(value), at, flags), None)
        elif kind is sre.POSSESSIVE_REPEAT:
            found = next(self._repeat(*self._bounds(value), at, flags, greedy=True), None)
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            direction, inner = value
            start = at if direction > 0 else at - inner.getwidth()[0]
            there = start >= 0 and next(self._sequence(list(inner), start, flags), None) is not None
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
        items = list(inner)
        stack = [(at, self._sequence(items, at, flags) if high else iter(()))]
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
            stack.append((end, self._sequence(items, end, flags) if count < high else iter(())))

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


def patterns() -> dict[str, re.Pattern[str]]:
    found: dict[str, re.Pattern[str]] = {}
    for info in pkgutil.walk_packages(sahel_dedup.__path__, "sahel_dedup."):
        # These import Spark, or run the command line.
        if ".spark" in info.name or info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            held: Any = value.items() if isinstance(value, dict) else [("", value)]
            held = enumerate(value) if isinstance(value, tuple | list) else held
            for key, pattern in held:
                if isinstance(pattern, re.Pattern) and isinstance(pattern.pattern, str):
                    found[f"{info.name.removeprefix('sahel_dedup.')}.{name}{key}"] = pattern
    return found


# Never given more than a line, a date or a window of bounded length.
BOUNDED = {
    "text.boilerplate._BYLINE", "text.boilerplate._STAMP", "text.boilerplate._DATE",
    "text.boilerplate._DATELINE", "text.boilerplate._ARABIC_DATELINE",
    "text.boilerplate._SIGNATURE", "text.boilerplate._COPYRIGHT_TAIL",
    "text.boilerplate._CONTRIBUTED", "explain.document._WORD_AT_END",
    "util.date_parser._BEFORE_OFFSET", "util.date_parser._UTC",
    "util.date_parser._NAMED0", "util.date_parser._NAMED1", "util.date_parser._NAMED2",
}  # fmt: skip
PATTERNS = patterns()
UNITS = [
    'n', 'N', '1', '1,', '1.', '1,000 ', '1:', '-1', ' 1', 'é', '国', '国会', 'กา', '가', 'م',
    'م ', "n'", "n't", "n't ", "'a", "' ", "'a ", "a'a ", '"', '“', '«', '“«', '‘a ', '„',
    '「', 'a. ', '..', '。', '!', "\n", "\n ", "a\n", " \n", ' ', "\t", 'A ', 'Aa Bb ',
    '12 killed ', 'not only ', 'no more than ', 'Mr. ', 'x-', '- ', '--', '(a', '(a) ',
    ')', '<a ', '<', '<!--', '<p>', '&amp;', '&', '[a b=', '[', '{{', '{', 'By A ',
    "\nBy A", "\nShare this ", '© ', 'Reuters ', '/', '_', '@a', 'a@b.c ', 'http://a',
    '2025-01-01T', '+05:30', 'Mon, ', "\x1b[", '\\', "\u200c", "e\u0301",
]  # fmt: skip
ENDS = ["", "x", "\n"]


@pytest.mark.parametrize("name", sorted(PATTERNS.keys() - BOUNDED))
def test_work_grows_with_the_text(name: str) -> None:
    pattern = PATTERNS[name]
    for unit in UNITS:
        for end in ENDS:
            work = []
            for size in (40, 80):
                matcher = Matcher(pattern, (unit * size)[:size] + end)
                list(matcher.spans())
                work.append(matcher.steps)
            assert work[1] <= 2.5 * work[0] + 150, (unit, end, work)


@pytest.mark.parametrize("name", sorted(BOUNDED))
def test_work_in_a_window_is_at_most_quadratic(name: str) -> None:
    whole = re.compile(rf"(?:{PATTERNS[name].pattern})\Z", PATTERNS[name].flags)
    for unit in [*UNITS, "marmarmar 1 ", "AFP/", "AFP - "]:
        for end in [*ENDS, "/!"]:
            work = []
            for size in (20, 40):
                matcher = Matcher(whole, (unit * size)[:size] + end)
                list(matcher.spans())
                work.append(matcher.steps)
            assert work[1] <= 5 * work[0] + 150, (unit, end, work)


@pytest.mark.parametrize(
    ("slow", "unit"), [(r"\w+n['’]t\b", "n"), (r"\s+\n", " "), ("a.*b", "a"), ("(?:ab?)+c", "a")]
)
def test_the_matcher_sees_what_is_not_linear(slow: str, unit: str) -> None:
    few, many = (Matcher(re.compile(slow), unit * size) for size in (40, 80))
    assert [*few.spans(), *many.spans()] == []
    assert many.steps > 3 * few.steps


def _inner(value: Any) -> Iterator[Any]:
    """Yield the parsed patterns that the value of an item contains."""
    if isinstance(value, parser.SubPattern):
        yield value
    elif isinstance(value, (tuple, list)):
        for part in value:
            yield from _inner(part)


def _possessive_groups(tree: Any, *, possessive: bool = False) -> list[Any]:
    """Return what is neither a character nor a place inside a possessive repetition."""
    found = []
    for kind, value in tree:
        if possessive and kind not in (*_CHARACTERS, sre.AT):
            found.append(kind)
        inside = possessive or kind in (sre.POSSESSIVE_REPEAT, sre.ATOMIC_GROUP)
        for inner in _inner(value):
            found += _possessive_groups(inner, possessive=inside)
    return found


# Until 3.11.5, Python matched possessive repetitions and atomic groups wrongly if they contained
# groups, alternatives or repetitions: it missed texts that match. Those versions are supported and
# common (Debian 12 has 3.11.2), but the tests rarely run on them.
@pytest.mark.parametrize("name", sorted(PATTERNS))
def test_only_characters_are_repeated_possessively(name: str) -> None:
    pattern = PATTERNS[name]
    assert _possessive_groups(parser.parse(pattern.pattern, pattern.flags)) == []


@pytest.mark.parametrize(
    "wrong",
    ["x(ab?)*+", "(?:a|bc)?+", "(?:a++){2}+", "(?>a*)", "(?=(?>(a)))", "(?:[ab]|c.)*+"],
)
def test_possessive_groups_are_seen(wrong: str) -> None:
    assert _possessive_groups(parser.parse(wrong))
    assert not _possessive_groups(parser.parse(r"(?:[ab]++|\d{1,3}+)*(?=((?:a|b)+))\1"))


_TEXTS = st.lists(st.sampled_from([*UNITS, *"aZ9. '\n"]), max_size=5).map("".join)


@given(st.sampled_from(sorted(PATTERNS)), _TEXTS)
def test_the_matcher_finds_what_re_finds(name: str, text: str) -> None:
    text = unicodedata.normalize("NFC", text)
    found = list(Matcher(PATTERNS[name], text, few=10_000).spans())
    assert found == [match.span() for match in PATTERNS[name].finditer(text)]
