"""A sentence as words and numbers, and what its words say about the numbers next to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sahel_dedup.explain.document import Span
from sahel_dedup.explain.number_words import Bound, Number, Token, bare
from sahel_dedup.explain.toll_words import Lexicon, Phrases
from sahel_dedup.text.number_tables import words_of

# Words between a number and what it counts.
REACH = 12
# Words of a subject that stands between a verb and its number.
_SUBJECT = 2
_CLAUSE_END = frozenset('.,;:!?()[]\n،؛؟«»“”"—–…|')


class Unit(NamedTuple):
    """A word or a number of a sentence.

    `broken`: a punctuation mark ends a clause before it; `joined`: an Arabic prefix says "and".
    """

    word: str
    span: Span
    broken: bool
    joined: bool
    number: Number | None


class Clauses:
    """One sentence, with look-ups.

    Parameters
    ----------
    text : str
    tokens : list of Token
        The tokens of the sentence.
    numbers : list of Number
        The numbers among them.
    lang : str
        Primary tag of the language.
    words : Lexicon
        Its words.

    Attributes
    ----------
    units : list of Unit
    heads, rises, earlier : list of (int or None)
        The last toll, verb of change and word such as "earlier" up to each unit.
    kinds : list of ((int, str) or None)
        The last word that says what is counted, and the kind.
    """

    def __init__(
        self,
        text: str,
        tokens: Sequence[Token],
        numbers: Sequence[Number],
        lang: str,
        words: Lexicon,
    ) -> None:
        self.words = words
        self.units = _units(text, tokens, numbers, lang, words)
        self.heads: list[int | None] = []
        self.kinds: list[tuple[int, str] | None] = []
        self.rises: list[int | None] = []
        self.earlier: list[int | None] = []
        self._look_back()

    def _look_back(self) -> None:
        head: int | None = None
        kind: tuple[int, str] | None = None
        rise: int | None = None
        earlier: int | None = None
        for i, unit in enumerate(self.units):
            if unit.number is None:
                head = i if unit.word in self.words.heads else head
                rise = i if unit.word in self.words.rises else rise
                earlier = i if unit.word in self.words.earlier else earlier
                found = self.kind_after(i) or self.kind_before(i)
                kind = (i, found) if found else kind
            self.heads.append(head)
            self.kinds.append(kind)
            self.rises.append(rise)
            self.earlier.append(earlier)

    def word(self, place: int) -> str:
        """Return the word at a position; empty for numbers and beyond the ends."""
        if not 0 <= place < len(self.units) or self.units[place].number is not None:
            return ""
        return self.units[place].word

    def _is_number(self, place: int) -> bool:
        return place < len(self.units) and self.units[place].number is not None

    def kind_at(self, place: int) -> str | None:
        """Return what a number counts, given the position of the word that follows it."""
        if place >= len(self.units) or self.units[place].broken or self.units[place].joined:
            return None
        return self.kind_after(place)

    def kind_after(self, place: int) -> str | None:
        """Return what the number before a word counts, according to the word."""
        found = self._phrase(self.words.after, place, forward=True)
        if found is not None:
            return found[0]
        if self.word(place) in self.words.lives:
            before = {self.word(k) for k in range(max(0, place - REACH), place)}
            return "killed" if before & self.words.losing else None
        return None

    def kind_before(self, place: int) -> str | None:
        """Return what the number after a word counts, according to the word."""
        found = self._phrase(self.words.before, place, forward=False)
        return found[0] if found is not None else None

    def verb_before_subject(self, place: int) -> str | None:
        """Return what a verb says of the number after its subject, if the verb comes first."""
        if not self.words.verb_first:
            return None
        for k in range(place, max(place - _SUBJECT, 0), -1):
            unit = self.units[k]
            if (
                unit.broken
                or unit.number is not None
                or unit.joined
                or unit.word in self.words.stops
            ):
                return None
            if (kind := self.kind_before(k - 1)) is not None:
                return kind
        return None

    def _phrase(self, phrases: Phrases, place: int, *, forward: bool) -> tuple[str, int] | None:
        """Find a word or phrase that begins, or ends, at a position, and its other end."""
        word = self.word(place)
        for rest, meaning in phrases.get(word, ()):
            if not rest:
                return meaning, place
            low = place + 1 if forward else place - len(rest)
            if tuple(self.word(k) for k in range(low, low + len(rest))) == rest:
                return meaning, place + len(rest) if forward else low
        return None

    def is_of_them(self, i: int) -> bool:
        """Whether "of them" or the like follows a number."""
        behind = i + 1 < len(self.units) and not self.units[i + 1].broken
        return behind and self._phrase(self.words.of_them, i + 1, forward=True) is not None

    def after_insertion(self, k: int) -> int:
        """Return the place where a clause continues after "including four officers", or `k`."""
        if self.units[k].word not in self.words.including:
            return k
        for place in range(k + 1, min(k + REACH, len(self.units))):
            if self.units[place].broken:
                return place
        return k

    def words_before(self, i: int) -> set[str]:
        """Return the words before a number and its bound, including those that `_bound` skips."""
        return {self.word(k) for k in range(self.bound(i)[1] - 1, i)}

    def bound(self, i: int) -> tuple[Bound, int]:
        """Read "at least" and the like around a number; return it, and where its words begin."""
        words = self.words
        bound: Bound = "exact"
        for k in range(i + 1, min(i + 4, len(self.units))):
            unit = self.units[k]
            if unit.broken or unit.number is not None or unit.word in words.ands:
                break
            behind = self._phrase(words.bounds_behind, k, forward=True)
            # "Six dead, at least 40 wounded": a bound before a number belongs to that number.
            if behind is not None and not self._is_number(behind[1] + 1):
                bound = behind[0]  # type: ignore[assignment]
                break
        start = i
        while start > 0 and not self.units[start].broken and i - start < REACH:
            found = self._phrase(words.bounds, start - 1, forward=False)
            if found is not None:
                if bound == "exact":
                    bound = found[0]  # type: ignore[assignment]
                start = found[1]
            elif self.word(start - 1) in words.determiners | words.earlier | words.further and (
                self.kind_before(start - 1) is None
            ):
                start -= 1
            else:
                break
        return bound, start

    def active(self, k: int) -> bool:
        """Whether a verb is active: "gunmen killed 12", not "12 killed"."""
        words, unit = self.words, self.units[k]
        if self.kind_before(k) is None:
            return False
        aux = {self.word(place) for place in range(max(0, k - 3), k)}
        if aux & words.passive:
            return False
        for place in range(k + 1, min(k + 5, len(self.units))):
            following = self.units[place]
            if following.broken:
                return False
            if following.number is not None:
                return not following.joined
            if following.word in words.people and place <= k + 2:
                return unit.word not in words.light
            if following.word in words.stops or following.word in words.ands:
                return False
        return False


def _units(
    text: str, tokens: Sequence[Token], numbers: Sequence[Number], lang: str, words: Lexicon
) -> list[Unit]:
    """Combine the tokens of each number."""
    starts = {number.first: number for number in numbers}
    units: list[Unit] = []
    place = 0
    while place < len(tokens):
        token, number = tokens[place], starts.get(place)
        last = place if number is None else number.last
        span = Span(token.span.start, tokens[last].span.end)
        gap = text[tokens[place - 1].span.end : span.start] if place else ""
        broken = not _CLAUSE_END.isdisjoint(gap) or (" - " in gap) or (" -- " in gap)
        known = bare(token.word, words.known, lang)
        word, joined = known if known is not None else (token.word, False)
        if number is not None and (numeral := bare(token.word, words_of(lang).all, lang)):
            joined = numeral[1]
        if number is None and word in words.duals:
            number = Number(place, place, "2", 2, written=True)
        units.append(Unit(word, span, broken, joined, number))
        # The dual expresses both the number two and what it counts.
        if number is not None and word in words.duals:
            units.append(Unit(_singular(word), span, broken=False, joined=False, number=None))
        place = last + 1
    return units


def _singular(dual: str) -> str:
    return dual[:-2]
