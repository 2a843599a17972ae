"""Articles to terms: a whole-chunk tokeniser that never makes a Python object per token.

A chunk of texts is joined, encoded to UTF-32 and looked at as one array of code
points. Table look-ups give each code point a class (separator, word, ideograph, ...)
and a random 64-bit value of its case-folded form; token boundaries are the places
where the class changes, and the hash of a token is a polynomial of those values.

Words are maximal runs of letters, marks and digits, lower-cased, the apostrophe being
a separator (so *l'armée* holds *armée* and *Mali's* holds *mali*). Scripts written
without spaces give character n-grams: bigrams for Chinese and Japanese, four-grams for
Thai, Lao, Khmer and Burmese.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.compiled import compiled

U64 = NDArray[np.uint64]

SHINGLE_WORDS = 3

# Classes of code points. Everything from WORD up belongs to a token.
SEPARATOR, IGNORED, COMMA, POINT, WORD, DIGIT, BIGRAM, FOURGRAM = range(8)

_TABLE_SIZE = 0x110000
# Set in the class of a code point that composition (NFC) may alter or join to another.
_UNSETTLED = 0x80
# Past the second plane lie only rare ideographs, private use and tags.
_DESCRIBED = 0x20000
_BASE = np.uint64(0x9E3779B97F4A7C15)

_IGNORED = {0x00AD, 0x0640, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF}
# Arabic harakat and Koranic marks, Hebrew points: written or left out at will.
_IGNORED |= {*range(0x064B, 0x0660), 0x0670, *range(0x06D6, 0x06DD), *range(0x0591, 0x05BE)}
# Persian joins and parts the same two words with a space or a ZWNJ, as the outlet likes.
_ZWNJ = 0x200C
_ARABIC = ((0x0600, 0x06FF), (0x0750, 0x077F), (0x08A0, 0x08FF), (0xFB50, 0xFDFF),
           (0xFE70, 0xFEFC))  # fmt: skip
# Letter variants that news writes interchangeably: in Arabic script, ...
_VARIANTS = {
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه",
    "ک": "ك", "ی": "ي", "ې": "ي", "ہ": "ه", "ھ": "ه", "ۀ": "ه",
}  # fmt: skip
# ... in Hausa, whose hooked letters many keyboards lack, ...
_VARIANTS |= {"ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y"}
# ... and in Ethiopic, where Amharic says each of these series, seven vowels long, like another.
_VARIANTS |= {
    chr(ord(homophone) + order): chr(ord(letter) + order)
    for homophone, letter in ("ሐሀ", "ኀሀ", "ሠሰ", "ዐአ", "ፀጸ")
    for order in range(7)
}
# It says the fourth vowel of the two gutturals like the first.
_VARIANTS |= dict.fromkeys("ሃሓኃ", "ሀ") | dict.fromkeys("ኣዓ", "አ")
# The decimal point of Arabic figures.
_VARIANTS["٫"] = "."
_SPACELESS_BIGRAM = ((0x3005, 0x3007), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
                     (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F))  # fmt: skip
# A syllable of these takes three or four code points: shorter pieces are shared by strangers.
_SPACELESS_FOURGRAM = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0xAA60, 0xAA7F))


def mix64(x: U64) -> U64:
    """Scramble 64-bit values by the SplitMix64 finalizer (Steele et al., OOPSLA 2014).

    Parameters
    ----------
    x : ndarray of uint64
        Any shape.

    Returns
    -------
    ndarray of uint64
        A bijection of the input, same shape.
    """
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


# The same of one value, for compiled loops.
mix_one: Callable[[np.uint64], np.uint64] = compiled(cast("Any", mix64))


def _fold(char: str) -> str:
    """Fold one character to its comparison form, or itself where that is no single character."""
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    compatible = unicodedata.normalize("NFKC", char)
    lower = (compatible if len(compatible) == 1 else char).lower()
    folded = lower if len(lower) == 1 else char
    return _VARIANTS.get(folded, folded)


def _classify(char: str, code: int) -> int:
    if code in _IGNORED:
        return IGNORED
    if char in ",٬":
        return COMMA
    if char in ".٫":
        return POINT
    category = unicodedata.category(char)
    if category[0] == "N":
        return DIGIT if category == "Nd" else WORD
    if category[0] not in "LM":
        return SEPARATOR
    if 0xFE00 <= code <= 0xFE0F:  # variation selectors
        return IGNORED
    return WORD


def _composes(char: str, code: int) -> bool:
    """Whether NFC may replace a character, or join or reorder it with its neighbours."""
    jamo = 0x1100 <= code <= 0x11FF
    marks = unicodedata.category(char)[0] == "M"
    return jamo or marks or not unicodedata.is_normalized("NFC", char)


@dataclass(frozen=True, slots=True)
class _Tables:
    """What the tokeniser knows of each code point."""

    folded: NDArray[np.uint32]
    classes: NDArray[np.uint8]
    values: U64


@functools.cache
def _tables() -> _Tables:
    folded = np.arange(_TABLE_SIZE, dtype=np.uint32)
    classes = np.zeros(_TABLE_SIZE, dtype=np.uint8)
    unsettled = np.zeros(_TABLE_SIZE, dtype=bool)
    for code in range(_DESCRIBED):
        if 0xD800 <= code <= 0xF8FF:  # surrogates and private use
            continue
        char = chr(code)
        if not char.isprintable() and code not in _IGNORED:
            continue
        folded[code] = ord(_fold(char))
        classes[code] = _classify(char, code)
        unsettled[code] = _composes(char, code)
    classes[0x20000:0x33480] = BIGRAM
    unsettled[0x2F800:0x2FA20] = True  # compatibility ideographs
    for ranges, kind in ((_SPACELESS_BIGRAM, BIGRAM), (_SPACELESS_FOURGRAM, FOURGRAM)):
        for low, high in ranges:
            span = classes[low : high + 1]
            span[span == WORD] = kind
    values = mix64((folded.astype(np.uint64) + np.uint64(1)) * _BASE)
    values[classes < POINT] = 0
    classes[unsettled] |= _UNSETTLED
    return _Tables(folded, classes, values)


@compiled
def hash_runs(values: U64, starts: NDArray[np.int64], ends: NDArray[np.int64]) -> U64:
    """Hash runs of a sequence of 64-bit values.

    Parameters
    ----------
    values : ndarray of uint64, shape (n,)
    starts, ends : ndarray of int64, shape (n_runs,)
        Run ``i`` is ``values[starts[i]:ends[i]]``.

    Returns
    -------
    ndarray of uint64, shape (n_runs,)
        ``mix64`` of a polynomial of the values; 0 for an empty run.
    """
    found = np.zeros(len(starts), dtype=np.uint64)
    for i in range(len(starts)):
        total, power = np.uint64(0), np.uint64(1)
        for value in values[starts[i] : ends[i]]:
            total += value * power
            power *= _BASE
        found[i] = mix_one(total)
    return found


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of a chunk of texts, in reading order.

    Attributes
    ----------
    hashes : ndarray of uint64, shape (n_tokens,)
        Hash of each token's case-folded form.
    offsets : ndarray of int64, shape (n_texts + 1,)
        Text ``i`` owns the tokens ``offsets[i]:offsets[i + 1]``.
    starts, ends : ndarray of int64, shape (n_tokens,)
        Place of each token in `joined`, in code points.
    joined : str
        The texts, one after the other, NFC-normalised.
    codes : ndarray of uint32, shape (len(joined),)
        Its code points.
    text_starts : ndarray of int64, shape (n_texts + 1,)
        Place of each text in `joined`.
    """

    hashes: U64
    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    joined: str
    codes: NDArray[np.uint32]
    text_starts: NDArray[np.int64]

    def in_twos(self) -> Tokens:
        """Return the same with every two texts, a title and what it stands above, as one."""
        return Tokens(
            self.hashes,
            self.offsets[::2].copy(),
            self.starts,
            self.ends,
            self.joined,
            self.codes,
            self.text_starts[::2].copy(),
        )

    def words(self, tokens: NDArray[np.int64]) -> list[str]:
        """Return the case-folded forms of some tokens."""
        tables = _tables()
        spelt = _spell(tokens, self.starts, self.ends, self.codes, tables.folded, tables.values)
        joined: str = spelt.tobytes().decode("utf-32-le")
        return joined.split("\0")[:-1]

    def word(self, token: int) -> str:
        """Return the case-folded form of one token; of many, `words` is faster."""
        return self.words(np.array([token]))[0]


@compiled
def _spell(
    tokens: NDArray[np.int64],
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    codes: NDArray[np.uint32],
    folded: NDArray[np.uint32],
    values: U64,
) -> NDArray[np.uint32]:
    """Lay the case-folded forms of some tokens end to end, with a NUL behind each."""
    size = len(tokens)
    for token in tokens:
        size += ends[token] - starts[token]
    spelt = np.empty(size, dtype=np.uint32)
    size = 0
    for token in tokens:
        for code in codes[starts[token] : ends[token]]:
            if values[code]:
                spelt[size] = folded[code]
                size += 1
        spelt[size] = 0
        size += 1
    return spelt[:size]


def tokenize(texts: Sequence[str]) -> Tokens:
    """Split texts into tokens, all at once.

    Parameters
    ----------
    texts : sequence of str
        Any Unicode; lone surrogates and NUL count as separators. About 50 to 100 news
        articles at a time keep the arrays in the processor's cache.

    Returns
    -------
    Tokens
        The tokens of all texts.
    """
    tables = _tables()
    joined, codes, text_starts = _join(texts)
    settled, starts, ends, hashes = _spans(codes, tables.classes, tables.values, False)
    if not settled:
        joined, codes, text_starts = _join([unicodedata.normalize("NFC", t) for t in texts])
        _, starts, ends, hashes = _spans(codes, tables.classes, tables.values, True)
    return Tokens(
        hashes=hashes,
        offsets=starts.searchsorted(text_starts),
        starts=starts,
        ends=ends,
        joined=joined,
        codes=codes,
        text_starts=text_starts,
    )


def _join(texts: Sequence[str]) -> tuple[str, NDArray[np.uint32], NDArray[np.int64]]:
    """Lay texts end to end: the whole, its code points, and where each text starts."""
    # One NUL behind each text keeps the last token of one from touching the next.
    joined = "\0".join([*texts, ""])
    starts = list(accumulate((len(t) + 1 for t in texts), initial=0))
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    return joined, codes, np.array(starts, dtype=np.int64)


@compiled
def _spans(
    codes: NDArray[np.uint32], table: NDArray[np.uint8], values: U64, composed: bool
) -> tuple[bool, NDArray[np.int64], NDArray[np.int64], U64]:
    """Find and hash the tokens: words by their run, spaceless scripts by n-grams.

    Nothing is found, and told so first, if the texts may have to be composed before.
    """
    classes = np.empty(len(codes), dtype=np.uint8)
    highest = np.uint8(0)
    for i in range(len(codes)):
        classes[i] = table[codes[i]] & np.uint8(_UNSETTLED - 1)
        highest = max(highest, table[codes[i]])
    if highest >= _UNSETTLED and not composed:
        nowhere = np.empty(0, dtype=np.int64)
        return False, nowhere, nowhere, np.empty(0, dtype=np.uint64)
    places, kinds = _kept(codes, classes)
    starts = np.empty(len(places), dtype=np.int64)
    ends = np.empty(len(places), dtype=np.int64)
    hashes = np.empty(len(places), dtype=np.uint64)
    size = first = 0
    while first < len(places):
        kind, last = kinds[first], first + 1
        if kind < WORD:
            first = last
            continue
        while last < len(places) and kinds[last] == kind:
            last += 1
        width = last - first
        if kind != WORD:
            width = min(width, 2 if kind == BIGRAM else 4)
        for start in range(first, last - width + 1):
            total, power = np.uint64(0), np.uint64(1)
            for place in places[start : start + width]:
                total += values[codes[place]] * power
                power *= _BASE
            starts[size] = places[start]
            ends[size] = places[start + width - 1] + 1
            hashes[size] = mix_one(total)
            size += 1
        first = last
    return True, starts[:size], ends[:size], hashes[:size]


@compiled
def _kept(
    codes: NDArray[np.uint32], classes: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Drop the marks that carry no meaning; tell what runs the others are part of.

    Returns the places that are kept and the class of each, digits and the points inside
    figures being parts of words.
    """
    places = np.empty(len(codes), dtype=np.int64)
    kinds = np.empty(len(codes), dtype=np.uint8)
    size = 0
    # Behind the last character stands a NUL, so that each has a neighbour there.
    for i in range(len(codes)):
        kind = classes[i]
        if kind == IGNORED:
            if not _parts_words(codes, classes, i):
                continue
            kind = SEPARATOR
        elif kind == COMMA and _groups_thousands(classes, i):
            continue
        places[size], kinds[size] = i, kind
        size += 1
    within = False
    for i in range(size):
        kind = kinds[i]
        point = within and kind == POINT and i + 1 < size and kinds[i + 1] == DIGIT
        within = kind == DIGIT
        if within or point:
            kinds[i] = WORD
    return places[:size], kinds[:size]


@compiled
def _groups_thousands(classes: NDArray[np.uint8], i: int) -> bool:
    """Whether a comma is that of 1,200 and 12,000,000, but not of the list 3,4."""
    # Three digits must follow, and no fourth.
    if i == 0 or i + 4 >= len(classes) or classes[i - 1] != DIGIT or classes[i + 4] == DIGIT:
        return False
    return bool(classes[i + 1] == classes[i + 2] == classes[i + 3] == DIGIT)


@compiled
def _parts_words(codes: NDArray[np.uint32], classes: NDArray[np.uint8], i: int) -> bool:
    """Whether a mark is a ZWNJ between two Arabic letters or their marks."""
    if codes[i] != _ZWNJ or i == 0:
        return False
    return _is_arabic(codes[i - 1], classes[i - 1]) and _is_arabic(codes[i + 1], classes[i + 1])


@compiled
def _is_arabic(code: np.uint32, kind: np.uint8) -> bool:
    """Whether a code point is an Arabic letter or mark."""
    if kind != WORD and kind != IGNORED:
        return False
    arabic = False
    for low, high in _ARABIC:
        arabic = arabic or bool(low <= code <= high)
    return arabic


def hash_word(word: str) -> int:
    """Hash one token of case-folded characters: the slow, readable twin of the chunk hash.

    Parameters
    ----------
    word : str
        A token as `Tokens.word` gives it.

    Returns
    -------
    int
        The 64-bit hash that `tokenize` gives the same token.
    """
    values = _tables().values
    total = sum(int(values[ord(c)]) * pow(int(_BASE), i, 1 << 64) for i, c in enumerate(word))
    return int(mix64(np.array([total % (1 << 64)], dtype=np.uint64))[0])
