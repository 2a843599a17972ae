"""Unicode tables: what the tokeniser knows about each code point.

Tables give each code point a class (separator, word, ideograph, ...), a case-folded form, and a
random 64-bit value of that form. Letter variants that news uses interchangeably are folded into
one.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.util.hashing import GOLDEN_RATIO, U64, splitmix64

# Classes of code points. Everything from WORD up belongs to a token.
SEPARATOR, IGNORED, COMMA, POINT, WORD, DIGIT, BIGRAM, FOURGRAM = range(8)

_TABLE_SIZE = 0x110000
# Set in the class of a code point that composition (NFC) may alter or merge with another, ...
UNSETTLED = 0x80
# ... of a mark that it may move past other marks, ...
MARK = 0x40
# ... and of one that it may merge with the preceding character.
ATTACHED = 0x20
# Set in the class of a digit of any kind, such as a circled one: what starts with it is a number.
NUMERAL = 0x08
CLASS_BITS = 0x07
# Beyond the second plane there are only rare ideographs, private use and tags.
_DESCRIBED = 0x20000
BASE = GOLDEN_RATIO

_IGNORED = {0x00AD, 0x0640, 0x200B, 0x200C, 0x200D, 0x2060, 0xFEFF}
# Arabic harakat and Koranic marks, Hebrew points: written or left out at will.
_IGNORED |= {*range(0x064B, 0x0660), 0x0670, *range(0x06D6, 0x06DD), *range(0x0591, 0x05BE)}
# Persian outlets separate the same two words by a space or by a ZWNJ.
ZWNJ = 0x200C
ARABIC = ((0x0600, 0x06FF), (0x0750, 0x077F), (0x08A0, 0x08FF), (0xFB50, 0xFDFF),
           (0xFE70, 0xFEFC))  # fmt: skip
# Letter variants that news uses interchangeably: in Arabic script, ...
_VARIANTS = {
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه",
    "ک": "ك", "ی": "ي", "ې": "ي", "ہ": "ه", "ھ": "ه", "ۀ": "ه",
}  # fmt: skip
# ... in Hausa, whose hooked letters many keyboards lack, ...
_VARIANTS |= {"ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y"}
# ... and in Ethiopic, where Amharic pronounces each of these series of seven vowels like another.
_VARIANTS |= {
    chr(ord(homophone) + order): chr(ord(letter) + order)
    for homophone, letter in ("ሐሀ", "ኀሀ", "ሠሰ", "ዐአ", "ፀጸ")
    for order in range(7)
}
# It pronounces the fourth vowel of the two gutturals like the first.
_VARIANTS |= dict.fromkeys("ሃሓኃ", "ሀ") | dict.fromkeys("ኣዓ", "አ")
# The decimal point of Arabic numbers.
_VARIANTS["٫"] = "."
_SPACELESS_BIGRAM = ((0x3005, 0x3007), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF),
                     (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F))  # fmt: skip
# A syllable here takes three or four code points; unrelated words share shorter n-grams.
_SPACELESS_FOURGRAM = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0xAA60, 0xAA7F))


def _fold(char: str) -> str:
    """Fold a character to its comparison form, or to itself if that form is several characters."""
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
    """Whether NFC may replace a character, merge it with a neighbour or reorder the two."""
    jamo = 0x1100 <= code <= 0x11FF
    marks = unicodedata.category(char)[0] == "M"
    return jamo or marks or not unicodedata.is_normalized("NFC", char)


def _flag(char: str, seconds: set[str]) -> int:
    """Return what composition may do with a character, and whether it is a digit, as flags."""
    decomposed = unicodedata.normalize("NFD", char)
    flags = UNSETTLED if _composes(char, ord(char)) else 0
    flags |= NUMERAL if char.isdigit() else 0
    if all(map(unicodedata.combining, decomposed)):
        return flags | MARK | ATTACHED
    return flags | (ATTACHED if decomposed[0] in seconds else 0)


def _seconds(chars: Iterable[str]) -> set[str]:
    """Find the starters that composition may merge with the preceding character."""
    # Hangul vowels and finals are composed by arithmetic.
    seconds = {*map(chr, range(0x1161, 0x1176)), *map(chr, range(0x11A8, 0x11C3))}
    for char in chars:
        parts = unicodedata.decomposition(char).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            seconds.add(chr(int(parts[1], 16)))
    return seconds


@dataclass(frozen=True, slots=True)
class Characters:
    """Tables with an entry for each code point.

    Attributes
    ----------
    folded : ndarray of uint32, shape (1114112,)
        Its case-folded form.
    classes : ndarray of uint8, shape (1114112,)
        Its class in `CLASS_BITS`, with the flags `UNSETTLED`, `MARK`, `ATTACHED` and `NUMERAL`.
    values : ndarray of uint64, shape (1114112,)
        Random value of the folded form; 0 for a character that is not part of a word.
    """

    folded: NDArray[np.uint32]
    classes: NDArray[np.uint8]
    values: U64


@functools.cache
def character_tables() -> Characters:
    """Return the tables, built once per process."""
    folded = np.arange(_TABLE_SIZE, dtype=np.uint32)
    classes = np.zeros(_TABLE_SIZE, dtype=np.uint8)
    flags = np.zeros(_TABLE_SIZE, dtype=np.uint8)
    chars = [
        char
        for code in range(_DESCRIBED)
        # Skip surrogates and private use.
        if not 0xD800 <= code <= 0xF8FF and ((char := chr(code)).isprintable() or code in _IGNORED)
    ]
    seconds = _seconds(chars)
    for char in chars:
        code = ord(char)
        folded[code] = ord(_fold(char))
        classes[code] = _classify(char, code)
        flags[code] = _flag(char, seconds)
    classes[0x20000:0x33480] = BIGRAM
    flags[0x2F800:0x2FA20] = UNSETTLED  # compatibility ideographs
    for ranges, kind in ((_SPACELESS_BIGRAM, BIGRAM), (_SPACELESS_FOURGRAM, FOURGRAM)):
        for low, high in ranges:
            span = classes[low : high + 1]
            span[span == WORD] = kind
    values = splitmix64((folded.astype(np.uint64) + np.uint64(1)) * BASE)
    values[classes < POINT] = 0
    classes |= flags
    return Characters(folded, classes, values)
