"""From articles to terms: a tokeniser of whole chunks that creates no Python object per token.

A chunk of texts is joined, encoded as UTF-32 and treated as one array of code points. Token
boundaries are the places where the class of code points changes
(`sahel_dedup.text.unicode_tables`), and the hash of a token is a polynomial of the values of its
code points.

Words are maximal runs of letters, marks and digits, lower-cased. The apostrophe is a separator, so
*l'armée* contains *armée* and *Mali's* contains *mali*. Scripts written without spaces give
character n-grams: bigrams for Chinese and Japanese, four-grams for Thai, Lao, Khmer and Burmese.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.text.normalization import compose
from sahel_dedup.text.unicode_tables import (
    ARABIC,
    BASE,
    BIGRAM,
    CLASS_BITS,
    COMMA,
    DIGIT,
    IGNORED,
    POINT,
    SEPARATOR,
    UNSETTLED,
    WORD,
    ZWNJ,
    character_tables,
)
from sahel_dedup.util.hashing import U64, splitmix64, splitmix64_one
from sahel_dedup.util.jit import compiled

SHINGLE_WORDS = 3


@dataclass(slots=True)
class Tokens:
    """The tokens of a chunk of texts, in reading order.

    Attributes
    ----------
    hashes : ndarray of uint64, shape (n_tokens,)
        Hash of each token's case-folded form.
    offsets : ndarray of int64, shape (n_texts + 1,)
        Text ``i`` owns the tokens ``offsets[i]:offsets[i + 1]``.
    starts, ends : ndarray of int64, shape (n_tokens,)
        Position of each token in `joined`, in code points.
    joined : str
        The texts, one after another, NFC-normalised (`sahel_dedup.text.normalization`).
    codes : ndarray of uint32, shape (len(joined),)
        Its code points.
    text_starts : ndarray of int64, shape (n_texts + 1,)
        Position of each text in `joined`.
    letters : ndarray of uint8
        The case-folded forms of all tokens in UTF-8, with a NUL after each.
    letter_starts : ndarray of int64, shape (n_tokens + 1,)
        Position of each token in `letters`, and where the last one ends.
    """

    hashes: U64
    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    joined: str
    codes: NDArray[np.uint32]
    text_starts: NDArray[np.int64]
    letters: NDArray[np.uint8]
    letter_starts: NDArray[np.int64]

    def words(self, tokens: NDArray[np.int64]) -> list[str]:
        """Return the case-folded forms of some tokens."""
        starts, ends = self.letter_starts[tokens].tolist(), self.letter_starts[tokens + 1].tolist()
        letters = self.letters.data
        words = [bytes(letters[start:end]) for start, end in zip(starts, ends, strict=True)]
        return b"".join(words).decode().split("\0")[:-1]

    def word(self, token: int) -> str:
        """Return the case-folded form of one token; for many, `words` is faster."""
        return self.words(np.array([token]))[0]


def tokenize(texts: Sequence[str]) -> Tokens:
    """Split all texts of a chunk into tokens.

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
    joined, codes, text_starts = _join(texts)
    places, kinds, unsettled = _kept(codes, text_starts)
    if unsettled:
        composed = list(texts)
        for text in unsettled:
            composed[text] = compose(texts[text])
        if composed != texts:
            joined, codes, text_starts = _join(composed)
            places, kinds, _ = _kept(codes, text_starts)
    return _cut(joined, codes, text_starts, places, kinds)


def _join(texts: Sequence[str]) -> tuple[str, NDArray[np.uint32], NDArray[np.int64]]:
    """Concatenate texts; return the result, its code points, and where each text starts."""
    # A NUL after each text separates its last token from the next text.
    joined = "\0".join([*texts, ""])
    starts = list(accumulate((len(t) + 1 for t in texts), initial=0))
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    return joined, codes, np.array(starts, dtype=np.int64)


def _kept(
    codes: NDArray[np.uint32], text_starts: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint8], list[int]]:
    """Return what `_keep` finds, and the texts that may have to be composed."""
    places, kinds = np.empty(len(codes), np.int64), np.empty(len(codes), np.uint8)
    unsettled = np.zeros(len(text_starts), np.bool_)
    size = _keep(codes, text_starts, character_tables().classes, places, kinds, unsettled)
    # The last of these, which is no text, tells whether there is any.
    texts = unsettled[:-1].nonzero()[0].tolist() if unsettled[-1] else []
    return places, kinds[:size], texts


def _cut(
    joined: str,
    codes: NDArray[np.uint32],
    text_starts: NDArray[np.int64],
    places: NDArray[np.int64],
    kinds: NDArray[np.uint8],
) -> Tokens:
    """Find and hash the tokens: runs of word characters, and n-grams in scripts without spaces."""
    n, tables = len(codes), character_tables()
    starts, hashes = np.empty(n, np.int64), np.empty(n, np.uint64)
    # A character takes four bytes at most, and three if it is part of four n-grams. Room that is
    # never written to takes no time.
    room = n if joined.isascii() else 13 * n
    letters, letter_starts = np.empty(room, np.uint8), np.empty(n + 1, np.int64)
    offsets = np.empty(len(text_starts), np.int64)
    size = _cut_all(
        codes, text_starts, kinds, tables.values, tables.folded, places, starts, hashes,
        letters, letter_starts, offsets,
    )  # fmt: skip
    return Tokens(
        hashes[:size], offsets, starts[:size], places[:size], joined, codes, text_starts,
        letters, letter_starts[: size + 1],
    )  # fmt: skip


@compiled
def _cut_all(
    codes: NDArray[np.uint32],
    text_starts: NDArray[np.int64],
    kinds: NDArray[np.uint8],
    values: U64,
    folded: NDArray[np.uint32],
    places: NDArray[np.int64],
    starts: NDArray[np.int64],
    hashes: U64,
    letters: NDArray[np.uint8],
    letter_starts: NDArray[np.int64],
    offsets: NDArray[np.int64],
) -> int:
    """Fill in the arrays of `Tokens`, and count the tokens.

    Their ends replace the places of the characters: there are at most as many tokens as characters
    before them, so an end is only written where a place has been read.
    """
    ends, kept = places, len(kinds)
    letter_starts[0] = size = first = text = 0
    while first < kept:
        kind = kinds[first]
        if kind < WORD:
            first += 1
            continue
        longest = kept if kind == WORD else 2 if kind == BIGRAM else 4
        beyond = first + longest if first + longest < kept else kept
        last, total, power = first, np.uint64(0), np.uint64(1)
        letter = letter_starts[size]
        while last < beyond and kinds[last] == kind:
            code = codes[places[last]]
            total += values[code] * power
            power *= BASE
            letter = _encode(folded[code], letters, letter)
            last += 1
        # A run that is shorter than an n-gram is a token, but not the end of a longer one.
        if last - first == longest or first == 0 or kinds[first - 1] != kind:
            start = places[first]
            while text_starts[text] <= start:
                offsets[text] = size
                text += 1
            starts[size], ends[size] = start, places[last - 1] + 1
            hashes[size] = splitmix64_one(total)
            letters[letter] = 0
            size += 1
            letter_starts[size] = letter + 1
        first = last if kind == WORD else first + 1
    for rest in range(text, len(offsets)):
        offsets[rest] = size
    return size


@compiled
def _encode(char: np.uint32, letters: NDArray[np.uint8], place: int) -> int:
    """Write a character in UTF-8 at a place; return the next place."""
    if char < 0x80:
        letters[place] = char
        return place + 1
    if char < 0x800:
        letters[place] = 0xC0 | char >> 6
        place += 1
    else:
        if char < 0x10000:
            letters[place] = 0xE0 | char >> 12
        else:
            letters[place] = 0xF0 | char >> 18
            letters[place + 1] = 0x80 | char >> 12 & 0x3F
            place += 1
        letters[place + 1] = 0x80 | char >> 6 & 0x3F
        place += 2
    letters[place] = 0x80 | char & 0x3F
    return place + 1


@compiled
def _keep(
    codes: NDArray[np.uint32],
    text_starts: NDArray[np.int64],
    table: NDArray[np.uint8],
    places: NDArray[np.int64],
    kinds: NDArray[np.uint8],
    unsettled: NDArray[np.bool_],
) -> int:
    """Drop the marks that carry no meaning, and find the run that each other character belongs to.

    Fills in the positions that are kept and the class of each, and counts them. Digits and the
    points inside numbers are parts of words. Marks the texts that may have to be composed, and the
    last of `unsettled` if there is any.
    """
    size = text = 0
    # A NUL follows the last character, so that each character has a right neighbour.
    for i in range(len(codes)):
        kind = table[codes[i]]
        if kind >= UNSETTLED:
            while text_starts[text + 1] <= i:
                text += 1
            unsettled[text] = unsettled[len(unsettled) - 1] = True
        kind &= np.uint8(CLASS_BITS)
        if kind == IGNORED:
            if not _parts_words(codes, table, i):
                continue
            kind = np.uint8(SEPARATOR)
        elif kind == COMMA and _groups_thousands(codes, table, i):
            continue
        elif kind == DIGIT:
            kind = np.uint8(WORD)
            if size > 1 and kinds[size - 1] == POINT and _is_digit(codes, table, places[size - 2]):
                kinds[size - 1] = WORD
        places[size], kinds[size] = i, kind
        size += 1
    return size


@compiled
def _is_digit(codes: NDArray[np.uint32], table: NDArray[np.uint8], i: int) -> bool:
    return bool(table[codes[i]] & np.uint8(CLASS_BITS) == DIGIT)


@compiled
def _groups_thousands(codes: NDArray[np.uint32], table: NDArray[np.uint8], i: int) -> bool:
    """Whether a comma groups thousands, as in 1,200 and 12,000,000 but not in the list 3,4."""
    # Exactly three digits must follow.
    if i == 0 or i + 4 >= len(codes) or not _is_digit(codes, table, i - 1):
        return False
    for k in range(1, 4):
        if not _is_digit(codes, table, i + k):
            return False
    return not _is_digit(codes, table, i + 4)


@compiled
def _parts_words(codes: NDArray[np.uint32], table: NDArray[np.uint8], i: int) -> bool:
    """Whether a mark is a ZWNJ between two Arabic letters or their marks."""
    if codes[i] != ZWNJ or i == 0:
        return False
    before, after = codes[i - 1], codes[i + 1]
    return _is_arabic(before, table[before]) and _is_arabic(after, table[after])


@compiled
def _is_arabic(code: np.uint32, kind: np.uint8) -> bool:
    """Whether a code point is an Arabic letter or mark."""
    kind &= np.uint8(CLASS_BITS)
    if kind != WORD and kind != IGNORED:
        return False
    arabic = False
    for low, high in ARABIC:
        arabic = arabic or bool(low <= code <= high)
    return arabic


def hash_word(word: str) -> int:
    """Hash one case-folded token: the slow, readable twin of the chunk hash.

    Parameters
    ----------
    word : str
        A token as `Tokens.word` returns it.

    Returns
    -------
    int
        The 64-bit hash that `tokenize` gives the same token.
    """
    values = character_tables().values
    total = sum(int(values[ord(c)]) * pow(int(BASE), i, 1 << 64) for i, c in enumerate(word))
    return int(splitmix64(np.array([total % (1 << 64)], dtype=np.uint64))[0])


def hash_words(words: Sequence[str]) -> U64:
    """Hash many case-folded tokens: see `hash_word`.

    Parameters
    ----------
    words : sequence of str
        Tokens as `Tokens.words` returns them.

    Returns
    -------
    ndarray of uint64, shape (len(words),)
    """
    joined = "\0".join([*words, ""])
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32)
    hashes = np.empty(len(words), dtype=np.uint64)
    _hash_laid_out(codes, character_tables().values, hashes)
    return hashes


@compiled
def _hash_laid_out(codes: NDArray[np.uint32], values: U64, hashes: U64) -> None:
    """Fill in the hashes of words, each of which is followed by a NUL."""
    place = 0
    for word in range(len(hashes)):
        total, power = np.uint64(0), np.uint64(1)
        while codes[place]:
            total += values[codes[place]] * power
            power *= BASE
            place += 1
        hashes[word] = splitmix64_one(total)
        place += 1
