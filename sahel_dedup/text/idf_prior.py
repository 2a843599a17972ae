"""The IDF prior: how common a term is in a language, before any article is seen.

`wordfreq <https://github.com/rspeer/wordfreq>`_ knows the frequencies of the words of 42
languages. Its lists go through this package's tokeniser, so that they count the same terms as
articles do. In languages it lacks, `FUNCTION_WORDS` get a frequency by rank and all other words by
length.

Frequencies are kept in whole centibels (hundredths of log10 f), which is wordfreq's own
grid. An IDF therefore has one of 601 values, and no difference between two machines'
logarithms can change a fingerprint that is built from it.
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgpack  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray

from sahel_dedup.text.function_words import FUNCTION_WORDS
from sahel_dedup.text.tokenizer import tokenize
from sahel_dedup.text.words import Words
from sahel_dedup.util.jit import compiled

# The prior counts as this many pseudo-articles of this many words.
PRIOR_ARTICLES = 1000.0
PRIOR_WORDS = 300
IDF_UNITS = 64

# wordfreq's file for each language. Importing wordfreq would take as long as everything else that
# an article needs.
_WORDFREQ = importlib.util.find_spec("wordfreq")
LISTS = {
    path.name.removeprefix("small_").removesuffix(".msgpack.gz"): path
    for folder in (_WORDFREQ and _WORDFREQ.submodule_search_locations) or ()
    for path in Path(folder, "data").glob("small_*.msgpack.gz")
}
# One in a million, where wordfreq's small lists end.
FLOOR = -600

# Scripts without spaces: terms are parts of words or cross word boundaries. Korean
# has spaces, but wordfreq counts its morphemes.
_GLUED = {"zh", "ja", "ko", "th", "lo", "km", "my"}
_PIECE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff]")
_LONGEST_PIECE = 5
_DECIMAL = re.compile(r"\d")
_ZERO, _NINE = b"09"
# An n-gram in a language of which only a handful of words are known.
_UNKNOWN_PIECE = -500

# Pidgin shares its content words with English.
_LEXIFIER = {"pcm": "en"}
# Words of a language without any list, by length: the mean over the distinct words of an article,
# measured on the lists of those wordfreq languages that put spaces between words.
_BY_LENGTH = (-250, -260, -310, -360, -390, -420, -440, -460)
# The same without the 150 most frequent words of each language: -390 - 10 per letter.
_CONTENT, _PER_LETTER = -390, -10

# The median over wordfreq's languages, for languages it lacks.
_NUMBERS = {"0": -320, "00": -208, "000": -268, "0000": -240, "00000": -420, "000000": -465}
_NUMBERS |= {"0.0": -390, "00.0": -450, "0.00": -431, "00.00": -423}
# wordfreq.numbers: nine in ten numbers of four digits are years.
_YEARS = range(1900, 2051)
_A_YEAR, _NO_YEAR = -222, -499


def word_list(lang: str) -> Iterator[tuple[str, int]]:
    """Read the words of a language, the most frequent first.

    Parameters
    ----------
    lang : str
        Language code.

    Yields
    ------
    word : str
    centibels : int
        100 log10 of the word's frequency. `FUNCTION_WORDS` get the Zipf-Mandelbrot law
        0.1 / (rank + 2.7), which all of wordfreq's languages follow within a few
        centibels up to rank 2000.
    """
    if lang in FUNCTION_WORDS:
        for rank, word in enumerate(dict.fromkeys(FUNCTION_WORDS[lang].split()), start=1):
            yield word, round(100 * math.log10(0.1 / (rank + 2.7)))
    elif lang in LISTS:
        # Read only as far as the caller wants: the head of a list takes 0.2 ms, the whole list 20.
        # wordfreq.read_cBpack documents the format, "cBpack".
        with gzip.open(LISTS[lang]) as file:
            levels = msgpack.Unpacker(file, read_size=4096)
            size = levels.read_array_header()
            levels.skip()
            for level in range(size - 1):
                for word in levels.unpack():
                    yield word, -level


def quantised_idf(
    lang: str, hashes: NDArray[np.uint64], words: Sequence[str]
) -> NDArray[np.uint16]:
    """Return the prior IDF of each term, ln((n0 + 1) / (n0 p + 1)) with n0 = 1000 articles.

    Here p = 1 - exp(-300 f) is the chance that an article of 300 words holds a term of
    frequency f.

    Parameters
    ----------
    lang : str
        Language code as `sahel_dedup.text.language.detect` gives it.
    hashes : ndarray of uint64, shape (n,)
        Hashes of the terms.
    words : sequence of str
        The terms, as `Tokens.words` gives them.

    Returns
    -------
    ndarray of uint16, shape (n,)
        In units of 1/64, from 0 for a word of every article to 425 for a word on no list. The
        values are the same on every machine.
    """
    return idf_of_terms(lang, np.arange(len(hashes)), hashes, Words(words))


def idf_of_terms(
    lang: str, terms: NDArray[np.int64], hashes: NDArray[np.uint64], words: Words
) -> NDArray[np.uint16]:
    """Return the same for the terms at some positions among `hashes` and `words`."""
    return _idf_table()[-_centibels(lang, terms, hashes, words)]


@functools.cache
def _idf_table() -> NDArray[np.uint16]:
    """IDF in units of 1/64 at 0, -1, ..., -600 centibels."""
    p = -np.expm1(-PRIOR_WORDS * 10.0 ** (-np.arange(1 - FLOOR) / 100))
    idf = np.log((PRIOR_ARTICLES + 1) / (PRIOR_ARTICLES * p + 1))
    return np.round(IDF_UNITS * idf).astype(np.uint16)


@dataclass(frozen=True, slots=True)
class _Table:
    """What is known of one language's terms.

    Attributes
    ----------
    hashes, centibels
        Hashes of the listed terms, rising, and their frequencies.
    numbers
        Centibels of all numbers of one form together. A form is the number with its digits as
        zeros.
    starts, ends
        Frequency of the words that start or end with a piece of a word.
    simplified
        Simplified characters by traditional ones.
    """

    hashes: NDArray[np.uint64]
    centibels: NDArray[np.int64]
    numbers: dict[str, int]
    starts: dict[str, float]
    ends: dict[str, float]
    simplified: dict[int, str]


@functools.cache
def _table(lang: str) -> _Table:
    listed = dict(word_list(lang))
    if lang in _LEXIFIER:
        listed = dict(word_list(_LEXIFIER[lang])) | listed
    words = list(listed)
    frequency = 10.0 ** (np.array(list(listed.values())) / 100)
    tokens = tokenize(words)
    # If the tokeniser splits a word, each part gets the word's frequency, and spellings that it
    # folds into one term are added up, because that is how often the term occurs in a text.
    owner = np.repeat(np.arange(len(words)), np.diff(tokens.offsets))
    hashes, place, inverse = np.unique(tokens.hashes, return_index=True, return_inverse=True)
    centibels = _round(np.bincount(inverse, frequency[owner], len(hashes)).astype(np.float64))
    # "00" stands for all numbers of two digits; single digits stand for themselves.
    initials = [tokens.joined[k] for k in tokens.starts[place]]
    numeric = [i for i, c in enumerate(initials) if c.isdecimal()]
    numbers = dict(zip(numeric, tokens.words(place[numeric]), strict=True))
    smashed = [i for i, number in numbers.items() if sum(map(str.isdecimal, number)) > 1]
    starts: defaultdict[str, float] = defaultdict(float)
    ends: defaultdict[str, float] = defaultdict(float)
    if lang in _GLUED:
        for word, f in zip(words, frequency.tolist(), strict=True):
            if _PIECE.match(word):
                for size in range(1, min(len(word), _LONGEST_PIECE) + 1):
                    starts[word[:size]] += f
                    ends[word[-size:]] += f
    return _Table(
        hashes=np.delete(hashes, smashed),
        centibels=np.delete(centibels, smashed),
        numbers={numbers[i]: int(centibels[i]) for i in smashed} or _NUMBERS,
        starts=dict(starts),
        ends=dict(ends),
        simplified=_simplified() if lang == "zh" else {},
    )


def _simplified() -> dict[int, str]:
    """Return wordfreq's map, without the Chinese segmenter that importing it would need."""
    with gzip.open(LISTS["zh"].with_name("_chinese_mapping.msgpack.gz")) as file:
        return dict(msgpack.load(file, strict_map_key=False))


def _centibels(
    lang: str, terms: NDArray[np.int64], hashes: NDArray[np.uint64], words: Words
) -> NDArray[np.int64]:
    """Look terms up and estimate those that are not listed."""
    table = _table(lang)
    if table.simplified:
        terms, hashes, words = _simplify(terms, hashes, words, table.simplified)
    result, special = np.empty(len(terms), np.int64), np.empty(len(terms), np.int64)
    size = _look_up(
        terms, hashes, words.letters, words.ends, table.hashes, table.centibels, lang in LISTS,
        result, special,
    )  # fmt: skip
    if size:
        places = special[:size]
        for i, word in zip(places.tolist(), words.take(terms[places].tolist()), strict=True):
            if word[:1].isdecimal():
                result[i] = max(FLOOR, _number(word, table.numbers))
            else:
                result[i] = _estimate(lang, word)
    if lang in _GLUED:
        across = [_across(word, table) for word in words.take(terms.tolist())]
        result = _round(10.0 ** (result / 100) + across)
    return result


def _simplify(
    terms: NDArray[np.int64], hashes: NDArray[np.uint64], words: Words, simplified: dict[int, str]
) -> tuple[NDArray[np.int64], NDArray[np.uint64], Words]:
    """Write some terms in simplified characters."""
    traditional = words.take(terms.tolist())
    simple = [word.translate(simplified) for word in traditional]
    changed = [i for i, word in enumerate(traditional) if word != simple[i]]
    hashes = hashes[terms]
    hashes[changed] = tokenize([simple[i] for i in changed]).hashes
    return np.arange(len(terms)), hashes, Words(simple)


@compiled
def _look_up(
    terms: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    letters: NDArray[np.uint8],
    ends: NDArray[np.int64],
    listed: NDArray[np.uint64],
    centibels: NDArray[np.int64],
    rare: bool,
    result: NDArray[np.int64],
    special: NDArray[np.int64],
) -> int:
    """Look terms up, by binary search; find the places of those to estimate, and count them.

    Unlisted terms are rare, if the list is long. Most are words, and each archive has many, so only
    numbers are then estimated.
    """
    size = 0
    for i in range(len(terms)):
        term = terms[i]
        low, high = 0, len(listed)
        while low < high:
            middle = (low + high) // 2
            if listed[middle] < hashes[term]:
                low = middle + 1
            else:
                high = middle
        if low < len(listed) and listed[low] == hashes[term]:
            result[i] = centibels[low]
            continue
        result[i] = FLOOR
        # Decimal digits of all scripts are folded into these ten.
        first = letters[ends[term]] if ends[term + 1] > ends[term] else 0
        if not rare or _ZERO <= first <= _NINE:
            special[size] = i
            size += 1
    return size


def _estimate(lang: str, word: str) -> int:
    """Guess the centibels of a word in a language without a list."""
    if _PIECE.match(word):
        return _UNKNOWN_PIECE
    if lang not in FUNCTION_WORDS and len(word) <= len(_BY_LENGTH):
        return _BY_LENGTH[len(word) - 1]
    return max(FLOOR, _CONTENT + _PER_LETTER * len(word))


def _number(word: str, numbers: dict[str, int]) -> int:
    """Return one number's share of the centibels of all numbers of its form."""
    form = _DECIMAL.sub("0", word)
    digits = form.count("0")
    together = numbers.get(form, FLOOR)
    if digits == 1:
        return together
    if len(word) == digits == 4:
        return together + (_A_YEAR if int(word) in _YEARS else _NO_YEAR)
    return together + 5 - 100 * digits  # 9 * 10 ** (digits - 1) of them


def _across(word: str, table: _Table) -> float:
    """Return the frequency of an n-gram that crosses the boundary between two words."""
    if not _PIECE.match(word):
        return 0.0
    ends, starts = table.ends, table.starts
    # Longer parts are not listed, so a long word need not be cut at every position.
    cuts = range(max(1, len(word) - _LONGEST_PIECE), min(len(word), _LONGEST_PIECE + 1))
    return sum(ends.get(word[:k], 0.0) * starts.get(word[k:], 0.0) for k in cuts)


def _round(frequency: NDArray[np.float64]) -> NDArray[np.int64]:
    """Convert frequencies to whole centibels."""
    return np.round(100 * np.log10(np.clip(frequency, 1e-6, 1.0))).astype(np.int64)
