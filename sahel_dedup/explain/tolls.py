"""Tolls: how many people a text says were killed, wounded, displaced or taken.

The words next to a number make it a toll: "12 soldiers killed", "killing 12", "the toll rose to
12". The rules look at a bounded number of words around each number, so the work is linear in the
length of the text. Results are hints for a reader and not proofs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sahel_dedup.explain.document import MAX_CHARACTERS, Span, split_sentences
from sahel_dedup.explain.number_words import Bound, Number, Token, bare, find_numbers, read_tokens
from sahel_dedup.explain.toll_clauses import REACH, Clauses
from sahel_dedup.explain.toll_parts import find_parts, find_sums, range_ends, sum_of
from sahel_dedup.explain.toll_words import Lexicon, lexicon

# The most numbers of a text that are read, and the most characters of a sentence that are shown.
MOST = 300
_SHOWN = 300
# Most words between a number and what it counts, without common ones.
_FREE = 4
# Most words between a toll and its number, and between a verb and the word that links it to one.
_HEAD_REACH, _VERB_REACH = 30, 5
_YEARS = range(1900, 2100)
# Roles within this module: a sum of parts, and what was added up.
_SUM, _ADDED = "sum", "added"
_UNITS = ("%", "٪", "$", "€", "£", "°")


@dataclass(frozen=True, slots=True)
class Toll:
    """A number of people in a text, and what happened to them.

    Attributes
    ----------
    kind : str
        One of `sahel_dedup.explain.toll_words.KINDS`.
    value : int
        The number; the lower end of a range.
    high : int or None
        The upper end of a range.
    bound : str
        ``"exact"``, ``"at least"``, ``"at most"`` or ``"about"``.
    role : str
        ``"current"``; ``"former"`` for one that, according to the text, was reported before (up
        from 23); ``"further"`` for one to be added (3 more bodies); ``"part"`` for one that another
        number contains (31, four of them officers).
    span : Span
        Position of the number.
    sentence : Span
        Its sentence, or the part of a long sentence around the number.
    """

    kind: str
    value: int
    high: int | None
    bound: Bound
    role: str
    span: Span
    sentence: Span


def find_tolls(text: str, lang: str) -> list[Toll]:
    """Find the tolls of a text.

    Parameters
    ----------
    text : str
        Its first 100,000 characters are read.
    lang : str
        Primary tag of English, French, Spanish, Portuguese, German or Arabic.

    Returns
    -------
    list of Toll
        In order; the first of equal ones.
    """
    words = lexicon(lang)
    if words is None:
        return []
    found: list[Toll] = []
    carried: str | None = None
    read = 0
    for span in split_sentences(text[:MAX_CHARACTERS]):
        tokens = read_tokens(text, span.start, span.end)
        numbers = find_numbers(text, tokens, lang)
        duals = words.duals and any(bare(token.word, words.duals, lang) for token in tokens)
        if not numbers and not duals:
            # Most sentences have no tolls and need no further work.
            carried = "killed" if any(token.word in words.heads for token in tokens) else None
            continue
        sentence = _Sentence(text, span, (tokens, numbers), lang, words, carried)
        found += sentence.tolls()
        carried = sentence.last_kind
        read += len(numbers)
        if read >= MOST:
            break
    return list(_distinct(_in_context(found)))


def _in_context(tolls: Sequence[Toll]) -> Iterator[Toll]:
    """Decide on roles by the other numbers of the text.

    A sum is the current number unless the text has the total. A former or further toll is the
    current one if there is no other of its kind.
    """
    stated: dict[str, int] = {}
    for toll in tolls:
        if toll.role == "current":
            stated[toll.kind] = max(toll.value, stated.get(toll.kind, 0))
    known = stated.keys() | {toll.kind for toll in tolls if toll.role == _SUM}
    for toll in tolls:
        if toll.role == _SUM:
            if toll.value > stated.get(toll.kind, 0):
                yield replace(toll, role="current")
        elif toll.role == _ADDED:
            yield replace(toll, role="part")
        else:
            yield toll if toll.kind in known else replace(toll, role="current")


def _distinct(tolls: Iterator[Toll]) -> Iterator[Toll]:
    seen = set()
    for toll in tolls:
        key = (toll.kind, toll.value, toll.high, toll.bound, toll.role)
        if key not in seen:
            seen.add(key)
            yield toll


class _Sentence(Clauses):
    """The tolls of one sentence; `carried` is the kind that the previous sentence counted."""

    def __init__(
        self,
        text: str,
        span: Span,
        read: tuple[list[Token], list[Number]],
        lang: str,
        words: Lexicon,
        carried: str | None,
    ) -> None:
        super().__init__(text, *read, lang, words)
        self._text = text
        self._span = span
        self._carried = carried
        self.numbers = [i for i, unit in enumerate(self.units) if unit.number is not None][:MOST]

    @property
    def last_kind(self) -> str | None:
        """The kind that the sentence counted last, for a sentence that continues with it."""
        last = self.kinds[-1] if self.kinds else None
        if last is None:
            return "killed" if self.heads and self.heads[-1] is not None else None
        return last[1]

    def tolls(self) -> Iterator[Toll]:
        """Yield the tolls of the sentence."""
        counted = [i for i in self.numbers if self._counts(i)]
        ends = range_ends(self, counted)
        kinds, alike = self._kinds_of(counted, ends)
        former = self._former(counted, kinds)
        roles = dict.fromkeys(find_parts(self, kinds, alike, ends), "part")
        roles |= {i: "further" for i in kinds if self._is_further(i)}
        roles |= dict.fromkeys(former, "former")
        sums = list(find_sums(self, kinds, alike, {*roles, *ends, *ends.values()}))
        for chain in sums:
            yield self._sum(chain, kinds[chain[0]])
        roles |= {i: _ADDED for chain in sums for i in chain}
        for i in counted:
            if i in kinds and i not in ends.values():
                yield self._toll(i, kinds[i], roles.get(i, "current"), ends.get(i))

    def _kinds_of(
        self, counted: list[int], ends: dict[int, int]
    ) -> tuple[dict[int, str], dict[int, int]]:
        """Return what each number counts, for those that count people, and what it is joined to."""
        kinds: dict[int, str] = {}
        # Twelve soldiers and three civilians were killed: the kind of one number applies to the
        # other.
        alike = dict(ends)
        for i in counted:
            kind, follower = self._kind_of(i)
            if kind is not None:
                kinds[i] = kind
            if follower is not None and follower in counted and not self.is_of_them(follower):
                alike.setdefault(i, follower)
        for one in reversed(counted):
            if alike.get(one) in kinds:
                kinds.setdefault(one, kinds[alike[one]])
        for one in counted:
            if one in kinds and one in alike:
                kinds.setdefault(alike[one], kinds[one])
        return kinds, alike

    def _sum(self, chain: list[int], kind: str) -> Toll:
        """Add up numbers that are joined."""
        value, bound = sum_of(self, chain)
        span = Span(self.units[chain[0]].span.start, self.units[chain[-1]].span.end)
        return Toll(kind, value, None, bound, _SUM, span, self._shown(span))

    def _toll(self, i: int, kind: str, role: str, end: int | None) -> Toll:
        number = self.units[i].number
        assert number is not None
        assert number.count is not None
        high = number.high
        if end is not None and (upper := self.units[end].number) is not None:
            high = upper.count
        bound = self.bound(i)[0]
        bound = number.bound if bound == "exact" else bound
        span = self.units[i].span
        return Toll(kind, number.count, high, bound, role, span, self._shown(span))

    def _shown(self, span: Span) -> Span:
        if self._span.end - self._span.start <= _SHOWN:
            return self._span
        return Span(
            max(self._span.start, span.start - _SHOWN // 2),
            min(self._span.end, span.end + _SHOWN // 2),
        )

    # ------------------------------------------------------------------ what a number counts

    def _counts(self, i: int) -> bool:
        """Whether a number may count people, so is not a date, year, share, price or age."""
        unit = self.units[i]
        number = unit.number
        assert number is not None
        before = self._text[unit.span.start - 1 : unit.span.start]
        after = self._text[unit.span.end : unit.span.end + 2].strip()
        if not number.count or before in tuple("$€£#+") or after.startswith(_UNITS):
            return False
        following, previous = self.word(i + 1), self.word(i - 1)
        if following in self.words.things or {following, previous} & self.words.months:
            return False
        # A year has no separator.
        year = number.count in _YEARS and unit.span.end - unit.span.start == 4
        return number.written or not year or following in self.words.people

    def _kind_of(self, i: int) -> tuple[str | None, int | None]:
        """Return what a number counts, and the number that "and" joins to it."""
        if (kind := self.kind_at(i + 1)) is not None and not self.active(i + 1):
            return kind, None
        start = self.bound(i)[1]
        previous = start - 1
        kind, follower = self._ahead(i)
        beside = previous >= 0 and not self.units[start].broken and self._may_count(i)
        told = self.kind_before(previous) or self.verb_before_subject(previous)
        if beside and told is not None:
            return told, follower
        if kind is None and self._may_count(i):
            kind = self._by_toll(i, start)
        return kind, follower

    def _may_count(self, i: int) -> bool:
        """Whether a number may count without a word for people: "one" and "a" may not."""
        number = self.units[i].number
        assert number is not None
        alone = number.count == 1 and number.written
        return not alone or self.word(i + 1) in self.words.people

    def _ahead(self, i: int) -> tuple[str | None, int | None]:
        """Find what is counted among the words that follow, or a number joined by "and"."""
        words, free, people = self.words, 0, False
        k = i
        while (k := k + 1) < min(i + 1 + REACH, len(self.units)):
            unit = self.units[k]
            if unit.broken and (further := self.after_insertion(k)) > k:
                k, unit = further, self.units[further]._replace(broken=False)
            if unit.number is not None:
                joined = unit.joined or self.word(k - 1) in words.ands
                joined = self._is_list(i, k) if unit.broken else joined
                return None, k if joined else None
            if unit.broken:
                return None, None
            if (kind := self.kind_after(k)) is not None:
                told = not (unit.joined or self.active(k)) and (people or self._may_count(i))
                return kind if told else None, None
            if self._ends_count(k):
                return None, None
            if unit.word not in words.light and unit.word not in words.ands:
                free += 1
                people |= unit.word in words.people
                if free > _FREE:
                    break
        return None, None

    def _ends_count(self, k: int) -> bool:
        """Whether a word ends the search for what the number before it counts."""
        words, unit = self.words, self.units[k]
        if unit.joined or unit.word in words.ands:
            return bool(self.kind_at(k + 1) or self.kind_before(k + 1) or self.kind_before(k))
        return unit.word in words.stops or unit.word in words.things

    def _is_list(self, i: int, k: int) -> bool:
        """Whether only a comma and one or two words are between two numbers."""
        gap = self._text[self.units[k - 1].span.end : self.units[k].span.start]
        return k - i <= 3 and gap.strip() in (",", "،")

    def _by_toll(self, i: int, start: int) -> str | None:
        """Read "the toll rose to 31", "the number of dead stands at 31", "toll: 31"."""
        place = start - 1
        if place < 0 or self._is_thing_behind(i):
            return None
        words, word = self.words, self.word(place)
        if word in words.heads:
            return self._qualified(place)
        kind, rise = self.kinds[place], self.rises[place]
        rising = rise is not None and place - rise <= _VERB_REACH
        near = kind[1] if kind is not None and place - kind[0] <= _HEAD_REACH else None
        if kind is not None and kind[0] == place:
            return near if rising else None
        if word not in words.links and word not in words.rises:
            return None
        head = self.heads[place]
        if head is not None and place - head <= _HEAD_REACH:
            return self._qualified(head)
        if rising and near is not None:
            return near
        # It has since risen to 31.
        return self._carried if rise is not None and place <= 2 * _VERB_REACH else None

    def _is_thing_behind(self, i: int) -> bool:
        """Whether the next word of the clause is a thing, or an unknown word."""
        if i + 1 >= len(self.units) or self.units[i + 1].broken:
            return False
        word, words = self.units[i + 1].word, self.words
        known = words.light | words.people | words.stops | words.ands | words.rises | words.links
        return self.units[i + 1].number is None and (
            word in words.things or not (word in known or self.units[i + 1].joined)
        )

    def _qualified(self, head: int) -> str:
        """Return whom a toll counts: the dead, unless a word next to it says otherwise."""
        for place in (head + 1, head + 2, head + 3, head - 1):
            if (kind := self.kind_after(place)) is not None:
                return kind
        return "killed"

    # ------------------------------------------------------------- former tolls and bounds

    def _former(self, counted: list[int], kinds: dict[int, str]) -> set[int]:
        """Find numbers that were reported before, and give them the kind of the new one."""
        words, former = self.words, set()
        for place, i in enumerate(counted):
            before = self.words_before(i)
            later = counted[place + 1] if place + 1 < len(counted) else -1
            from_, to = words.from_to
            near = later in kinds and before & from_ and later - i <= 6
            if near and self.words_before(later) & to:
                kinds[i] = kinds[later]
                former.add(i)
                continue
            told = [k for k in counted if k != i and k in kinds]
            change = self.rises[i] is not None or self.heads[i] is not None
            if before & words.former and (i in kinds or (told and change)):
                kinds.setdefault(i, kinds[told[0]] if told else "killed")
                former.add(i)
            elif self._was_earlier(i):
                headed = told or self.heads[i] is not None
                if i not in kinds and headed and self._may_count(i):
                    kinds[i] = kinds[told[0]] if told else "killed"
                if i in kinds:
                    former.add(i)
        return former

    def _was_earlier(self, i: int) -> bool:
        """Whether the clause says that a number was reported before."""
        last = self.earlier[i]
        if last is not None and i - last <= REACH and self._one_clause(last, i):
            return not any(unit.number for unit in self.units[last:i])
        for k in range(i + 1, min(i + 6, len(self.units))):
            unit = self.units[k]
            if unit.broken or unit.number is not None or unit.word in self.words.stops:
                return False
            if unit.word in self.words.earlier:
                return True
        return False

    def _one_clause(self, first: int, last: int) -> bool:
        return not any(unit.broken for unit in self.units[first + 1 : last + 1])

    def _is_further(self, i: int) -> bool:
        nearby = (self.word(i + 1), self.word(i - 1))
        return any(word in self.words.further for word in nearby)
