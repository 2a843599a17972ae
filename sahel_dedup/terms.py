"""Articles to terms: a whole-chunk tokeniser that never makes a Python object per token.

A chunk of texts is joined, encoded to UTF-32 and looked at as one array of code
points. Table look-ups give each code point a class (separator, word, ideograph, ...)
and a random 64-bit value of its case-folded form; token boundaries are the places
where the class changes, and the hash of a token is a polynomial of those values, the
difference of two running sums.

Words are maximal runs of letters, marks and digits, lower-cased, the apostrophe being
a separator (so *l'armée* holds *armée* and *Mali's* holds *mali*). Scripts written
without spaces give character n-grams: bigrams for Chinese and Japanese, four-grams for
Thai, Lao, Khmer and Burmese.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


# Powers of the hash that are kept, 16 MB; a text that is longer has its own made.
_MOST_KEPT = 1 << 20


class _Powers:
    """Powers of the polynomial's base and of its inverse modulo 2**64, as many as were needed."""

    def __init__(self) -> None:
        self._made = np.ones((2, 1), dtype=np.uint64)

    def first(self, size: int) -> U64:
        """Return the first powers of both, shape (2, at least size)."""
        # Taken once: another thread may put more in its place.
        made = self._made
        if made.shape[1] < size:
            made = np.ones((2, 1 << max(16, size.bit_length())), dtype=np.uint64)
            made[:, 1:] = [[_BASE], [np.uint64(pow(int(_BASE), -1, 1 << 64))]]
            made = made.cumprod(axis=1, dtype=np.uint64)
            if size <= _MOST_KEPT:
                self._made = made
        return made


_POWERS = _Powers()


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
    power, inverse = _POWERS.first(len(values) + 1)
    # Differences of running sums: `np.add.reduceat` takes six times as long on short runs.
    sums = np.empty(len(values) + 1, dtype=np.uint64)
    sums[0] = 0
    np.multiply(values, power[: len(values)], out=sums[1:])
    np.cumsum(sums[1:], out=sums[1:])
    return mix64((sums[ends] - sums[starts]) * inverse[starts])


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
    codes : ndarray of intp, shape (len(joined),)
        Its code points.
    text_starts : ndarray of int64, shape (n_texts + 1,)
        Place of each text in `joined`.
    """

    hashes: U64
    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    joined: str
    codes: NDArray[np.intp]
    text_starts: NDArray[np.int64]

    def words(self, tokens: NDArray[np.int64]) -> list[str]:
        """Return the case-folded forms of some tokens."""
        if not len(tokens):
            return []
        tables = _tables()
        # Each token with the code point behind it, which becomes the mark to split at.
        sizes = self.ends[tokens] - self.starts[tokens] + 1
        marks = np.cumsum(sizes) - 1
        places = np.arange(marks[-1] + 1) + np.repeat(self.ends[tokens] - marks, sizes)
        folded = tables.folded[self.codes[places]]
        kept = tables.values[self.codes[places]] != 0
        folded[marks], kept[marks] = 0, True
        joined: str = folded[kept].tobytes().decode("utf-32-le")
        return joined.split("\0")[:-1]

    def word(self, token: int) -> str:
        """Return the case-folded form of one token; of many, `words` is faster."""
        return self.words(np.array([token]))[0]


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
    classes = tables.classes.take(codes)
    if len(classes) and classes.max() >= _UNSETTLED:
        joined, codes, text_starts = _join([unicodedata.normalize("NFC", t) for t in texts])
        classes = tables.classes.take(codes) & np.uint8(_UNSETTLED - 1)
    dropped, kept = _dropped(codes, classes), codes
    if len(dropped):
        keep = np.ones(len(codes), dtype=bool)
        keep[dropped] = False
        kept, classes = codes[keep], classes[keep]
    classes[_inside_figures(classes, POINT)] = DIGIT
    starts, ends, hashes = _spans(kept, classes, tables.values)
    if len(dropped):
        starts, ends = _original(starts, dropped), _original(ends - 1, dropped) + 1
    return Tokens(
        hashes=hashes,
        offsets=starts.searchsorted(text_starts),
        starts=starts,
        ends=ends,
        joined=joined,
        codes=codes,
        text_starts=text_starts,
    )


def _join(texts: Sequence[str]) -> tuple[str, NDArray[np.intp], NDArray[np.int64]]:
    """Lay texts end to end: the whole, its code points, and where each text starts."""
    # One NUL behind each text keeps the last token of one from touching the next.
    joined = "\0".join([*texts, ""])
    starts = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(t) + 1 for t in texts], out=starts[1:])
    raw = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    # NumPy looks up by intp: another index is cast again at each look-up, for thrice the time.
    return joined, raw.astype(np.intp), starts


def _dropped(codes: NDArray[np.intp], classes: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Find the marks that carry no meaning, and the thousands separators."""
    ignored: NDArray[np.int64] = (classes == IGNORED).nonzero()[0]
    if len(ignored):
        # Where it is not dropped, its class parts words like a separator.
        ignored = ignored[~_parts_words(codes, classes, ignored)]
    commas = _inside_figures(classes, COMMA)
    if not len(commas):
        return ignored
    commas = commas[commas < len(classes) - 4]
    # 1,200 and 12,000,000 but not the list 3,4: three digits must follow, and no fourth.
    follow = classes[commas[:, None] + [2, 3, 4]] == DIGIT
    thousands = commas[follow[:, 0] & follow[:, 1] & ~follow[:, 2]]
    return np.sort(np.concatenate([ignored, thousands])) if len(ignored) else thousands


def _parts_words(
    codes: NDArray[np.intp], classes: NDArray[np.uint8], places: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Whether a ZWNJ stands between two Arabic letters or their marks at each place."""
    parts: NDArray[np.bool_] = codes[places] == _ZWNJ
    if not parts.any():
        return parts
    # The NUL behind each text is a neighbour to its last character.
    for step in (-1, 1):
        beside = np.maximum(places + step, 0)
        letter = (classes[beside] == WORD) | (classes[beside] == IGNORED)
        code = codes[beside]
        parts &= letter & np.any([(low <= code) & (code <= high) for low, high in _ARABIC], axis=0)
    return parts


def _inside_figures(classes: NDArray[np.uint8], mark: int) -> NDArray[np.int64]:
    """Find the marks of a class that stand between two digits."""
    digit = classes == DIGIT
    inside = (classes[1:-1] == mark) & digit[:-2] & digit[2:]
    places: NDArray[np.int64] = inside.nonzero()[0]
    return places + 1


def _original(places: NDArray[np.int64], dropped: NDArray[np.int64]) -> NDArray[np.int64]:
    """Turn rising places among the code points that were kept into places among all."""
    before = np.searchsorted(places, dropped - np.arange(len(dropped)))
    shifts: NDArray[np.int64] = np.bincount(before, minlength=len(places) + 1)[:-1].cumsum()
    return places + shifts


def _spans(
    codes: NDArray[np.intp], classes: NDArray[np.uint8], values: U64
) -> tuple[NDArray[np.int64], NDArray[np.int64], U64]:
    """Find and hash the tokens: words by their run, spaceless scripts by n-grams."""
    word = (classes == WORD) | (classes == DIGIT)
    edge = word.copy()
    np.not_equal(word[1:], word[:-1], out=edge[1:])
    edges = edge.nonzero()[0]
    starts, ends = edges[::2], edges[1::2]
    hashes = hash_runs(values.take(codes), starts, ends)
    if not len(classes) or classes.max() < BIGRAM:
        return starts, ends, hashes
    grams = [_ngrams(codes, classes, values, kind, n) for kind, n in ((BIGRAM, 2), (FOURGRAM, 4))]
    all_starts = np.concatenate([starts, *(g[0] for g in grams)])
    order = np.argsort(all_starts, kind="stable")
    return (
        all_starts[order],
        np.concatenate([ends, *(g[1] for g in grams)])[order],
        np.concatenate([hashes, *(g[2] for g in grams)])[order],
    )


def _ngrams(
    codes: NDArray[np.intp], classes: NDArray[np.uint8], values: U64, kind: int, n: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], U64]:
    """Character n-grams inside runs of one class; a run shorter than n is one token."""
    inside = np.concatenate([classes == kind, [False]])
    edge = np.flatnonzero(np.diff(inside, prepend=False))
    run_starts, run_ends = edge[::2], edge[1::2]
    lengths = run_ends - run_starts
    counts = np.maximum(lengths - n + 1, np.minimum(lengths, 1))
    first = np.repeat(run_starts, counts)
    step = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    starts = first + step
    ends = np.minimum(starts + n, np.repeat(run_ends, counts))
    hashes = np.zeros(len(starts), dtype=np.uint64)
    for k in range(n):
        within = starts + k < ends
        place = np.where(within, starts + k, 0)
        factor = np.uint64(pow(int(_BASE), k, 1 << 64))
        hashes += np.where(within, values[codes[place]] * factor, np.uint64(0))
    return starts, ends, mix64(hashes)


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
