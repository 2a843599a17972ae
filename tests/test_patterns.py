"""Every pattern of the package takes time proportional to the text, even for hostile texts."""

from __future__ import annotations

import importlib
import pkgutil
import re
import unicodedata
from collections.abc import Iterator
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sahel_dedup
from tests.backtracking import CHARACTERS, EXACT, Matcher


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
    "util.date_parser._BEFORE_OFFSET", "util.date_parser._PLACE", "util.date_parser._ZONE_AT_END",
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
        if possessive and kind not in (*CHARACTERS, sre.AT):
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
    found = list(Matcher(PATTERNS[name], text, EXACT).spans())
    assert found == [match.span() for match in PATTERNS[name].finditer(text)]
