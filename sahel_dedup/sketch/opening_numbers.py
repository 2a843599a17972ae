"""Opening numbers: the numbers in the title and the opening of an article, in eight bytes.

Reports of one event often have a number in common there: the dead, the price, the score. If both
have numbers and none in common, they more likely report two events that share a name. Numbers are
read in digits of any script and in words (`sahel_dedup.text.number_tables`), so that "four killed"
and "4 killed" agree. In other languages a number in words would be missed, and two reports would
seem to disagree; their articles therefore have no opening numbers. Every article is read, so this
is a compiled loop that knows only plain numbers; `sahel_dedup.explain.number_words` reads whole
texts, with bounds and ranges.

0, 1, 2 and the years from 1900 to 2099 say too little. Of more than eight numbers, the eight with
the least hashes are kept. Two different numbers have the same byte once in 255 times.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.text.number_tables import LANGUAGES, NumberPart, number_parts
from sahel_dedup.text.tokenizer import Tokens, hash_words
from sahel_dedup.util.hashing import splitmix64_one
from sahel_dedup.util.jit import compiled

_PLACES = {lang: place for place, lang in enumerate(LANGUAGES)}
NO_NUMBERS = np.uint64(0)
_BYTE = np.uint64(0xFF)
_KEPT = 8
# In UTF-8, Arabic letters begin with this byte or the next.
_ARABIC = 0xD8
_ZERO, _NINE, _POINT = b"09."
_NUMBER, _SCALE, _AND, _LATE = map(int, NumberPart)
_LEAST = 3
# Two openings with more numbers than this, none in common, disagree completely.
_ENOUGH = 3
_LONG = 10**15
_FIRST_YEAR, _LAST_YEAR = 1900, 2099
# As a NumPy number, because for a 0 of Python Numba would compile loops once more.
_NONE: Any = np.int64(0)


def opening_numbers(tokens: Tokens, langs: Sequence[str], size: int) -> NDArray[np.uint64]:
    """Read the opening numbers of some articles.

    Parameters
    ----------
    tokens : Tokens
        Those of titles and texts: title, text, title, text, ...
    langs : sequence of str, length n_articles
        Language codes.
    size : int
        Number of words of the text that are its opening.

    Returns
    -------
    ndarray of uint64, shape (n_articles,)
        Hashes of up to eight numbers, eight bits each, the lowest first; 0 for an article without
        numbers.
    """
    found = np.zeros(len(langs), dtype=np.uint64)
    table = np.array([_PLACES.get(lang, -1) for lang in langs], dtype=np.int64)
    seen = np.zeros(int(_BYTE) + 1, dtype=np.bool_)
    _read_all(
        tokens.hashes, tokens.letters, tokens.letter_starts, tokens.offsets, table, size,
        *_tables(), seen, found,
    )  # fmt: skip
    return found


@compiled
def how_far_apart(one: np.uint64, other: np.uint64) -> float:
    """Return how clearly the opening numbers of two articles disagree, from 0 to 1.

    0 if one of them has none, or both have one in common. Otherwise a third for two numbers, two
    thirds for three, and 1 for more.
    """
    if one == NO_NUMBERS or other == NO_NUMBERS:
        return 0.0
    numbers = _count(one) + _count(other)
    while one > NO_NUMBERS:
        rest = other
        while rest > NO_NUMBERS:
            if rest & _BYTE == one & _BYTE:
                return 0.0
            rest >>= np.uint64(8)
        one >>= np.uint64(8)
    return 1.0 if numbers > _ENOUGH else (numbers - 1) / _ENOUGH


@compiled
def _count(numbers: np.uint64) -> int:
    count = 0
    while numbers > NO_NUMBERS:
        numbers >>= np.uint64(8)
        count += 1
    return count


@functools.cache
def _tables() -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return hashes, ascending in each language, values and parts of words; and where each starts.

    Words of the language at place i of `LANGUAGES` are from ``starts[i]`` to ``starts[i + 1]``.
    """
    hashes, values, parts, starts = [], [], [], [0]
    for lang in LANGUAGES:
        words = number_parts(lang)
        hashed = hash_words(list(words))
        order = np.argsort(hashed)
        hashes.append(hashed[order])
        values.append(np.array([value for value, _ in words.values()])[order])
        parts.append(np.array([int(part) for _, part in words.values()])[order])
        starts.append(starts[-1] + len(words))
    return (
        np.concatenate(hashes), np.concatenate(values), np.concatenate(parts), np.array(starts)
    )  # fmt: skip


@compiled
def _read_all(
    hashes: NDArray[np.uint64],
    letters: NDArray[np.uint8],
    letter_starts: NDArray[np.int64],
    offsets: NDArray[np.int64],
    table: NDArray[np.int64],
    size: int,
    known: NDArray[np.uint64],
    values: NDArray[np.int64],
    parts: NDArray[np.int64],
    starts: NDArray[np.int64],
    seen: NDArray[np.bool_],
    found: NDArray[np.uint64],
) -> None:
    """Fill in what `opening_numbers` returns, which is 0; `seen` is room for one article."""
    for row in range(len(found)):
        if table[row] < 0:
            continue
        low, high = starts[table[row]], starts[table[row] + 1]
        text, end = offsets[2 * row + 1], offsets[2 * row + 2]
        if text + size < end:
            end = text + size
        # The number in words that has been read so far; 0 if there is none.
        number = _NONE
        for i in range(offsets[2 * row], end):
            if i == text:
                number = _enter(number, _NONE, seen)
            digit = _first_digit(letters, letter_starts[i])
            if digit >= 0:
                number = _enter(number, _NONE, seen)
                _enter(*_digits(letters, digit), seen)
                continue
            place = _find(hashes[i], known, low, high)
            if place >= 0:
                number = _go_on(number, values[place], parts[place], seen)
            else:
                number = _enter(number, _NONE, seen)
        _enter(number, _NONE, seen)
        found[row] = _packed(seen)


@compiled
def _find(sought: np.uint64, known: NDArray[np.uint64], low: int, high: int) -> int:
    """Return the place of a hash among ascending ones, some of many; -1 if it is not there."""
    end = high
    while low < high:
        middle = (low + high) >> 1
        if known[middle] < sought:
            low = middle + 1
        else:
            high = middle
    return low if low < end and known[low] == sought else -1


@compiled
def _go_on(number: int, value: int, part: int, seen: NDArray[np.bool_]) -> int:
    """Read the next word of a number; return the number so far."""
    if part == _AND:
        # As in "two hundred and five", but not in "four and five".
        return number if number >= 20 else _enter(number, _NONE, seen)
    if part == _SCALE:
        if value == 100:
            return value * number if number > 0 else value
        return _enter(number * value, _NONE, seen)
    if part == _NUMBER and value == 20 and number % 100 == 4:
        # Four twenties, in French.
        return number + 76
    if _adds_up(number, value, part):
        return number + value
    _enter(number, _NONE, seen)
    return value


@compiled
def _adds_up(number: int, value: int, part: int) -> bool:
    """Whether a word is added to the number before it, as in "twenty-three", "dix-sept"."""
    if part == _LATE and number % 100 < 10:
        return True
    if number >= 100 and number % 100 == 0:
        return value < 100
    tens = number % 100
    whole = tens >= 20 and tens % 10 == 0 and value < 20
    return whole or (tens == 10 and 7 <= value < 10)


@compiled
def _first_digit(letters: NDArray[np.uint8], place: int) -> int:
    """Return the place of the first digit of a token that is written in digits; -1 for others.

    Arabic attaches a word of one letter, such as *and*, to the digits.
    """
    if _ARABIC <= letters[place] <= _ARABIC + 1:
        place += 2
    return place if _ZERO <= letters[place] <= _NINE else -1


@compiled
def _digits(letters: NDArray[np.uint8], place: int) -> tuple[int, int]:
    """Read the digits at the start of a token; return them, and how many follow a point.

    Of a long row of digits, the first ones are enough.
    """
    value, decimals, beyond = 0, 0, False
    while _ZERO <= letters[place] <= _NINE or (letters[place] == _POINT and not beyond):
        if letters[place] == _POINT:
            beyond = True
        elif value < _LONG:
            value = value * 10 + int(letters[place]) - _ZERO
            decimals += beyond
        place += 1
    return value, decimals


@compiled
def _enter(value: int, decimals: int, seen: NDArray[np.bool_]) -> int:
    """Enter a number, unless it says too little; return 0, which stands for no number."""
    year = decimals == 0 and _FIRST_YEAR <= value <= _LAST_YEAR
    if value >= _LEAST and not year:
        byte = splitmix64_one(np.uint64(value * 16 + decimals)) >> np.uint64(56)
        seen[byte if byte > 0 else np.uint64(1)] = True
    return 0


@compiled
def _packed(seen: NDArray[np.bool_]) -> np.uint64:
    """Return the eight least bytes that were seen, and forget all."""
    packed, kept = NO_NUMBERS, 0
    for byte in range(len(seen)):
        if seen[byte] and kept < _KEPT:
            packed |= np.uint64(byte) << np.uint64(8 * kept)
            kept += 1
        seen[byte] = False
    return packed
