"""Numbers that belong together: the parts of a total, and the total of parts that are joined.

"31 people, including four officers", "eight of them", "two have died, bringing the toll to ten":
four, eight and two are parts of another number. "Three soldiers and two civilians were killed" are
five, which nobody writes down.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from sahel_dedup.explain.number_words import Bound
from sahel_dedup.explain.toll_clauses import Clauses

# Words between "including" and its number, and between a verb of change and the total.
_REACH = 3
_CHANGE_REACH = 5


def range_ends(clauses: Clauses, counted: Sequence[int]) -> dict[int, int]:
    """Find ranges (between 12 and 15, 12 to 15); map the lower end to the upper one."""
    between, middle, to = clauses.words.ranges
    ends = {}
    for low, high in pairwise(counted):
        gap = {unit.word for unit in clauses.units[low + 1 : high]}
        one, other = clauses.units[low].number, clauses.units[high].number
        if one is None or other is None or high - low > 2 or clauses.units[high].broken:
            continue
        if one.count is None or other.count is None or not one.count < other.count:
            continue
        before = clauses.words_before(low)
        joined = gap & middle or clauses.units[high].joined
        if (before & between and joined) or (gap & to and not before & clauses.words.from_to[0]):
            ends[low] = high
    return ends


def find_parts(
    clauses: Clauses,
    kinds: Mapping[int, str],
    alike: Mapping[int, int],
    ends: Mapping[int, int],
) -> set[int]:
    """Find numbers that are contained in another one.

    Parameters
    ----------
    clauses : Clauses
        A sentence.
    kinds : mapping of int to str
        What each of its numbers counts, by place.
    alike : mapping of int to int
        The number that each is joined to by "and".
    ends : mapping of int to int
        The upper end of each range.

    Returns
    -------
    set of int
        Places of the numbers.
    """
    numbers = sorted(set(kinds) - set(ends.values()))
    parts = {i for i in numbers if _is_included(clauses, i) or clauses.is_of_them(i)}
    for i in sorted(alike):
        if i in parts and alike[i] in kinds:
            parts.add(alike[i])
    totals: dict[str, int] = {}
    for i in numbers:
        changed = clauses.rises[i]
        if changed is not None and i - changed <= _CHANGE_REACH:
            totals[kinds[i]] = max(_count(clauses, i), totals.get(kinds[i], 0))
    return parts | {i for i in numbers if _count(clauses, i) < totals.get(kinds[i], 0)}


def _is_included(clauses: Clauses, i: int) -> bool:
    """Whether "including" or the like comes before a number."""
    start = clauses.bound(i)[1]
    for k in range(start - 1, max(start - 1 - _REACH, -1), -1):
        if clauses.word(k) in clauses.words.including:
            return True
        if clauses.units[k].number is not None or clauses.units[k + 1].broken:
            return False
    return False


def find_sums(
    clauses: Clauses, kinds: Mapping[int, str], alike: Mapping[int, int], apart: set[int]
) -> Iterator[list[int]]:
    """Find numbers that are joined by "and", each with its own people, and count the same.

    Parameters
    ----------
    clauses : Clauses
    kinds : mapping of int to str
        What each number counts, by place.
    alike : mapping of int to int
        See `find_parts`.
    apart : set of int
        Numbers that are not summed.

    Yields
    ------
    list of int
        Places of the numbers of one sum, two or more.
    """
    seen: set[int] = set()
    for first in sorted(alike):
        if first in seen:
            continue
        chain = [first]
        while (following := alike.get(chain[-1])) is not None and following not in chain:
            chain.append(following)
        told = {kinds.get(i) for i in chain}
        fit = len(told) == 1 and None not in told and not apart.intersection(chain)
        if len(chain) > 1 and fit and all(_names(clauses, i) for i in chain):
            yield chain
        seen.update(chain)


def sum_of(clauses: Clauses, chain: Sequence[int]) -> tuple[int, Bound]:
    """Add numbers up; the sum is as exact as the least exact of them."""
    bounds = set()
    for i in chain:
        number, bound = clauses.units[i].number, clauses.bound(i)[0]
        bounds.add(bound if number is None or bound != "exact" else number.bound)
    order: tuple[Bound, ...] = ("at least", "at most", "about", "exact")
    found = next(bound for bound in order if bound in bounds)
    return sum(_count(clauses, i) for i in chain), found


def _names(clauses: Clauses, i: int) -> bool:
    """Whether the next word says who is counted, and not what became of them."""
    if i + 1 >= len(clauses.units) or clauses.units[i + 1].broken or clauses.units[i + 1].joined:
        return False
    word, words = clauses.word(i + 1), clauses.words
    plain = words.ands | words.stops | words.rises | words.links | words.things
    return bool(word) and word not in plain and clauses.kind_after(i + 1) is None


def _count(clauses: Clauses, i: int) -> int:
    number = clauses.units[i].number
    return 0 if number is None or number.count is None else number.count
