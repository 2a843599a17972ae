"""Numbers in a text: in digits of any script, or written out in six languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from sahel_dedup.explain.document import Span
from sahel_dedup.text.number_tables import AND, ARABIC_PREFIXES, fold, words_of

Bound = Literal["exact", "at least", "at most", "about"]

_HALF = frozenset(["half", "demi", "media", "meia", "halbes"])
_SEVERAL = frozenset(["several", "few", "plusieurs", "varias", "varios", "mehrere"])

# Arabic "one" is written as "and" with another form of it.
_ONE_OR_AND_ONE = "واحد"

_MARKS = "\u0300-\u036f\u064b-\u065f\u0670"
# 7:30, 2-1, 2025-07-01 and 1/4 are one number each. So is 12 000 in French, or with non-breaking
# spaces.
_TOKEN = re.compile(
    rf"(?P<numeral>\d+(?:[.,٫٬\u00a0\u202f]\d+)*(?:[:/–-]\d+)*)|[^\W\d_][^\W\d_{_MARKS}]*+"
    rf"(?:[{_MARKS}]++[^\W\d_]*+)*"
)
_GROUPED = re.compile(r"\d{1,3}(?:([.,٬\u00a0\u202f])\d{3})(?:\1\d{3}){0,3}\Z")
_DECIMAL = re.compile(r"\d{1,9}[.,٫]\d{1,9}\Z")
_RANGE = re.compile(r"(\d{1,7})[–-](\d{1,7})\Z")
# Longer numbers are not counts.
_LONGEST = 12
_LONGEST_WORD = 40


class Token(NamedTuple):
    """A word or a numeral of a text.

    Attributes
    ----------
    span : Span
        Its position.
    word : str
        The word as `fold` returns it.
    numeral : bool
        Whether it is written in digits.
    """

    span: Span
    word: str
    numeral: bool


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a text.

    Attributes
    ----------
    first, last : int
        Positions of its first and its last token.
    value : str
        The number in Western digits, without thousands separators.
    count : int or None
        The number, if it can be a count; dates, results and decimals cannot.
    high : int or None
        The upper end of a range in digits, 12-15; the lower one is `count`.
    bound : str
        ``"about"`` and ``"at least"`` for words such as "a dozen" and "dozens".
    written : bool
        Whether it is written out.
    """

    first: int
    last: int
    value: str
    count: int | None
    high: int | None = None
    bound: Bound = "exact"
    written: bool = False


def bare(word: str, known: Container[str], lang: str) -> tuple[str, bool] | None:
    """Find a folded word in a table, in Arabic also without its prefixes.

    Returns
    -------
    word : str
        The word as in the table.
    joined : bool
        Whether a prefix says "and".
    """
    if word in known:
        return word, word == _ONE_OR_AND_ONE
    if lang == "ar":
        for prefix in ARABIC_PREFIXES:
            rest = word.removeprefix(prefix)
            if rest is not word and rest in known:
                return rest, prefix.startswith(("و", "ف"))
    return None


def read_tokens(text: str, start: int = 0, end: int | None = None) -> list[Token]:
    """Split a stretch of a text into words and numerals.

    Parameters
    ----------
    text : str
    start, end : int
        The stretch; by default the whole text.

    Returns
    -------
    list of Token
    """
    return [
        Token(Span(*match.span()), fold(match[0][:_LONGEST_WORD]), match["numeral"] is not None)
        for match in _TOKEN.finditer(text, start, len(text) if end is None else end)
    ]


def find_numbers(text: str, tokens: Sequence[Token], lang: str) -> list[Number]:
    """Find the numbers among tokens.

    Parameters
    ----------
    text : str
    tokens : sequence of Token
        The result of `read_tokens`.
    lang : str
        Primary tag; numbers in words are known for `number_tables.LANGUAGES`.

    Returns
    -------
    list of Number
        In order.
    """
    reader = _NumberReader(text, tokens, lang)
    numbers = []
    place = 0
    while place < len(tokens):
        number = reader.numeral(place) if tokens[place].numeral else reader.written(place)
        if number is not None:
            numbers.append(number)
            place = number.last
        place += 1
    return numbers


class _NumberReader:
    """Reads the numbers of one text."""

    def __init__(self, text: str, tokens: Sequence[Token], lang: str) -> None:
        self._text = text
        self._tokens = tokens
        self._lang = lang
        self._words = words_of(lang)

    def numeral(self, place: int) -> Number | None:
        """Read a number in digits, with the word that multiplies it: 2.5 million."""
        token = self._tokens[place]
        before = self._text[token.span.start - 1 : token.span.start]
        after = self._text[token.span.end : token.span.end + 1]
        if _is_latin(before) or _is_latin(after):  # A320, 2nd, 4x4
            return None
        digits = _in_western_digits(token.span.of(self._text))
        last, scale = place, 1
        if (found := self._next(place, self._words.scales)) is not None:
            last, scale = place + 1, self._words.scales[found[0]]
        elif self._lang == "fr" and (group := self._group(place)):
            last, digits = group
        if (both := _RANGE.match(digits)) and (low := int(both[1])) < (high := int(both[2])):
            return Number(place, last, digits, low * scale, high * scale)
        if _GROUPED.match(digits):
            digits = re.sub(r"\D", "", digits)
        if digits.isdecimal() and len(digits) <= _LONGEST:
            count = int(digits) * scale
            return Number(place, last, str(count), count)
        if _DECIMAL.match(digits) and scale > 1 and len(digits) <= _LONGEST:
            count = round(float(re.sub("[,٫]", ".", digits)) * scale)
            return Number(place, last, str(count), count)
        return Number(place, place, re.sub("[,٫]", ".", digits), None)

    def written(self, place: int) -> Number | None:
        """Read a number in words."""
        tables = self._words
        start = bare(self._tokens[place].word, tables.all, self._lang)
        if start is None:
            return None
        word = start[0]
        if word in tables.plurals and not (self._lang == "ar" and word in tables.values):
            base = tables.plurals[word]
            return Number(place, place, str(2 * base), 2 * base, None, "at least", written=True)
        if word in tables.rounds:
            return self._about(place, place, 1, tables.rounds[word])
        last, value = self._compose(place, word)
        if value is None:
            return None
        after = self._next(last, tables.rounds) or self._next(last, tables.plurals)
        if after is not None and after[0] not in tables.scales:
            base = (tables.rounds | tables.plurals)[after[0]]
            return self._about(place, last + 1, value, base)
        return Number(place, last, str(value), value, written=True)

    def _about(self, first: int, last: int, times: int, base: int) -> Number | None:
        """Return the value of "a dozen", "two dozen", "half a dozen" or "several dozen"."""
        if base >= 100 and self._lang == "en" and times == 1 and not self._after_article(first):
            return None  # "hundred" alone
        before = {token.word for token in self._tokens[max(0, first - 2) : first]}
        if times == 1 and before & _HALF:
            return Number(first, last, str(base // 2), base // 2, None, "about", written=True)
        if times == 1 and before & _SEVERAL:
            return Number(first, last, str(2 * base), 2 * base, None, "at least", written=True)
        value = times * base
        return Number(first, last, str(value), value, None, "about", written=True)

    def _after_article(self, place: int) -> bool:
        return place > 0 and self._tokens[place - 1].word in ("a", "some", "several", "few")

    def _compose(self, place: int, word: str) -> tuple[int, int | None]:
        """Read the words of one number; return the position of its last token, and the number."""
        tables = self._words
        total, part, least = 0, 0, 10**10
        last = place
        if word in tables.scales and self._lang == "en":
            return place, None
        while True:
            scale = tables.scales.get(word, 0)
            if scale >= 1000 and scale < least:
                total, part, least = total + max(part, 1) * scale, 0, scale
            elif scale == 100 and part < 100:
                part = max(part, 1) * 100
            elif scale == 0 and (joined := self._joined(part, tables.values[word])):
                part = joined
            else:
                return last, total + part
            last = place
            following = self._next(last, tables.values | tables.scales, through_and=True)
            if following is None or not self._goes_on(part, *following):
                return last, total + part
            word, place = following[0], following[2]

    def _goes_on(self, part: int, word: str, joined: bool, _place: int) -> bool:
        """Whether a word continues a number, apart from the conditions of `_joined`."""
        tables = self._words
        if word in tables.scales:
            return not joined or self._lang in ("ar", "pt")
        value, tens = tables.values[word], part % 100
        if self._lang == "ar":
            return joined != (value == 10 and 0 < tens < 10)
        if not joined:
            return self._lang != "es" or not 30 <= tens < 100
        if self._lang == "fr":
            return value in (1, 11)
        if self._lang == "en":
            return tens == 0
        return True

    def _joined(self, part: int, value: int) -> int:
        """Add a word to a number below a thousand; return 0 if the two cannot be combined."""
        tens = part % 100
        if part == 0 or (value < 100 and tens == 0):
            return part + value
        if value >= 100:
            return 0
        if self._lang == "ar":
            fits = tens < 10 and value % 10 == 0 and value < 100
            return part + value if fits else 0
        if self._lang == "fr":
            if tens == 4 and value == 20:
                return part + 76
            if tens in (60, 80) and value < 20:
                return part + value
            if tens in (10, 70, 90) and 7 <= value <= 9:
                return part + value
        return part + value if tens >= 20 and tens % 10 == 0 and value < 10 else 0

    def _next(
        self, place: int, table: Mapping[str, int], *, through_and: bool = False
    ) -> tuple[str, bool, int] | None:
        """Find the next token in a table, if nothing but a space or a hyphen is between."""
        joined = False
        for ahead in (place + 1, place + 2):
            if ahead >= len(self._tokens) or not self._adjoins(ahead):
                return None
            token = self._tokens[ahead]
            if (found := bare(token.word, table, self._lang)) is not None:
                return found[0], found[1] or joined, ahead
            if not through_and or token.word != AND.get(self._lang):
                return None
            joined = True
        return None

    def _adjoins(self, place: int) -> bool:
        before, token = self._tokens[place - 1], self._tokens[place]
        return self._text[before.span.end : token.span.start] in ("", " ", "-", "‑", "\u00a0")

    def _group(self, place: int) -> tuple[int, str] | None:
        """Read 12 000 and 1 250 000, which French writes with spaces."""
        digits, last = self._tokens[place].span.of(self._text), place
        while len(digits) <= _LONGEST and len(digits) - len(digits.lstrip("0")) == 0:
            nxt = last + 1
            if nxt >= len(self._tokens) or not self._tokens[nxt].numeral or not self._adjoins(nxt):
                break
            more = self._tokens[nxt].span.of(self._text)
            if len(more) != 3 or not more.isdecimal() or not digits.isdecimal():
                break
            if last == place and len(digits) > 3:
                break
            digits, last = digits + more, nxt
        return (last, _in_western_digits(digits)) if last > place else None


def _is_latin(char: str) -> bool:
    return char.isalpha() and char < "\u0250"


def _in_western_digits(numeral: str) -> str:
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in numeral)
