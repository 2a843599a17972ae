"""The language of an article: as given, otherwise from its script and its commonest words.

If only one language of the wires uses a script, the script decides. Where languages share a script,
the first words of the article are looked up among the most frequent words of each language, and the
most likely one wins (naive Bayes) if it wins clearly.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sahel_dedup.text.function_words import FUNCTION_WORDS
from sahel_dedup.text.idf_prior import LISTS, word_list
from sahel_dedup.text.tokenizer import Tokens, tokenize
from sahel_dedup.util.jit import compiled
from sahel_dedup.util.languages import UNKNOWN, is_language

# Tags of languages that use the word list of another; langcodes knows the outdated tags.
_ALIASES = {"no": "nb", "nn": "nb", "sr": "sh", "hr": "sh", "bs": "sh", "yue": "zh", "arz": "ar"}
_ALIASES |= dict.fromkeys(("mul", "mis", "zxx"), UNKNOWN)

# Code points of the scripts that several languages share, ...
_SHARED_SCRIPTS = {
    "Latin": [(0x41, 0x5A), (0x61, 0x7A), (0xC0, 0x2AF), (0x1E00, 0x1EFF)],
    "Cyrillic": [(0x400, 0x52F)],
    "Arabic": [(0x620, 0x64A), (0x66E, 0x6D5), (0x6EE, 0x77F), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC)],
    "Ethiopic": [(0x1200, 0x135A), (0x2D80, 0x2DDE)],
}
# ... and of those that only one language of the wires uses.
_OWN_SCRIPTS = {
    "el": [(0x370, 0x3FF), (0x1F00, 0x1FFF)], "hy": [(0x531, 0x587)], "he": [(0x5D0, 0x5F2)],
    "nqo": [(0x7CA, 0x7F5)], "hi": [(0x900, 0x963)], "bn": [(0x980, 0x9FE)],
    "pa": [(0xA00, 0xA7F)], "gu": [(0xA80, 0xAFF)], "or": [(0xB00, 0xB7F)],
    "ta": [(0xB80, 0xBFF)], "te": [(0xC00, 0xC7F)], "kn": [(0xC80, 0xCFF)],
    "ml": [(0xD00, 0xD7F)], "si": [(0xD80, 0xDFF)], "th": [(0xE00, 0xE4E)],
    "lo": [(0xE80, 0xEFF)], "bo": [(0xF00, 0xFFF)], "my": [(0x1000, 0x109F), (0xAA60, 0xAA7F)],
    "ka": [(0x10A0, 0x10FF), (0x1C90, 0x1CBF)], "km": [(0x1780, 0x17D3)],
    "zgh": [(0x2D30, 0x2D7F)], "ko": [(0x1100, 0x11FF), (0x3130, 0x318F), (0xAC00, 0xD7AF)],
    "ja": [(0x3041, 0x30FA), (0xFF66, 0xFF9D)],
    "zh": [(0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)], "ff": [(0x1E900, 0x1E943)],
}  # fmt: skip
_RANGES = _SHARED_SCRIPTS | _OWN_SCRIPTS
# Script number 0 is for everything else.
_SCRIPTS = ("", *_RANGES)
# Every language costs the engine a row as long as the vocabulary, and feeds can name any language.
# Those of which nothing is known share one row. Their prior is the same, so no fingerprint depends
# on it.
KNOWN = frozenset({*LISTS, *FUNCTION_WORDS, *_OWN_SCRIPTS})
# No tag is longer than 35 characters (RFC 5646, 4.4.1).
_LONGEST_TAG = 64
_OWNERS = [name if name in _OWN_SCRIPTS else UNKNOWN for name in _SCRIPTS]
_KANA, _HAN = _SCRIPTS.index("ja"), _SCRIPTS.index("zh")
# Every second character of Japanese news is kana; Chinese has a few in the names of shops.
_KANA_SHARE = 0.1

# The title and the first sentences.
_LEAD_TOKENS = 128
_LISTED_WORDS = 250
# Weights are in twentieths of a bel, so that sums fit into 16 bits. In these units, a word that is
# not on a language's list has the probability
_UNIT, _UNLISTED = 5, -110
# The winner must make its words more likely than a language without lists would, by this much per
# word (Arabic news, with its prefixed particles, reaches about 12, English 30), ...
_EVIDENCE = 8
# ... and more likely than the second-best language does, by this much per word and in total.
_MARGIN, _LEAST_MARGIN = 0.75, 60

_SLOTS = 1 << 16


def detect(tokens: Tokens, given: Sequence[str | None], *, parts: int = 1) -> list[str]:
    """Name the language of each text of a chunk.

    Parameters
    ----------
    tokens : Tokens
        The chunk.
    given : sequence of (str or None)
        Language tag of each text where its source names one, such as ``pt-BR``. A value that does
        not name exactly one language counts as None. A language that has neither a word list nor a
        script of its own is ``und``.
    parts : int
        How many texts of the chunk form one article, such as a title and the text below it.

    Returns
    -------
    list of str
        ISO 639-1 code where there is one, otherwise ISO 639-3. ``und`` for a text that is too short
        or too mixed to decide, or in a language without a list. A language without a list may be
        reported as its closest relative: Estonian as Finnish.
    """
    langs = [UNKNOWN if tag is None else _primary(tag[:_LONGEST_TAG]) for tag in given]
    if UNKNOWN in langs:
        rows = [i for i, lang in enumerate(langs) if lang == UNKNOWN]
        for row, lang in zip(rows, _detect(tokens, np.array(rows), parts), strict=True):
            langs[row] = lang
    # Not detected, because a language without a list would be mistaken for its closest relative.
    return [lang if lang in KNOWN else UNKNOWN for lang in langs]


@functools.lru_cache(maxsize=1024)
def _primary(tag: str) -> str:
    """Return the primary subtag, in its current form and without national varieties."""
    if tag in KNOWN:  # most are, and langcodes is slow to import
        return tag
    if not is_language(tag):
        return UNKNOWN
    import langcodes

    primary = langcodes.standardize_tag(tag, macro=True).partition("-")[0]
    return _ALIASES.get(primary, primary)


def _detect(tokens: Tokens, rows: NDArray[np.int64], parts: int) -> list[str]:
    """Detect the language of some texts of a chunk."""
    lists, found = _lists(), np.empty(len(rows), dtype=np.int64)
    counts = np.empty(len(_SCRIPTS), dtype=np.int64)
    scores = np.empty(len(lists.names), dtype=np.int16)
    _detect_all(
        rows, parts, tokens.offsets, tokens.hashes, tokens.codes, tokens.starts, _script_table(),
        lists.slots, lists.hashes, lists.weights, lists.readers, counts, scores, found,
    )  # fmt: skip
    scripts = len(_SCRIPTS)
    return [
        _OWNERS[number] if number < scripts else lists.names[number - scripts]
        for number in found.tolist()
    ]


@compiled
def _detect_all(
    rows: NDArray[np.int64],
    parts: int,
    offsets: NDArray[np.int64],
    hashes: NDArray[np.uint64],
    codes: NDArray[np.uint32],
    starts: NDArray[np.int64],
    script_of: NDArray[np.int64],
    slots: NDArray[np.int16],
    listed: NDArray[np.uint64],
    weights: NDArray[np.int16],
    readers: NDArray[np.bool_],
    counts: NDArray[np.int64],
    scores: NDArray[np.int16],
    found: NDArray[np.int64],
) -> None:
    """Find the script of each text, or the language that wins clearly, numbered after all scripts.

    The script of a token is that of its first code point. `counts` and `scores` are room for one
    text: the tokens of each script, and the weights of the words in each language.
    """
    for k in range(len(rows)):
        first, last = offsets[rows[k] * parts], offsets[(rows[k] + 1) * parts]
        size = last - first if last - first < _LEAD_TOKENS else _LEAD_TOKENS
        for script in range(len(counts)):
            counts[script] = 0
        for lang in range(len(scores)):
            scores[lang] = 0
        for i in range(first, first + size):
            code = codes[starts[i]]
            if code < len(script_of):
                counts[script_of[code]] += 1
            word = slots[hashes[i] & np.uint64(_SLOTS - 1)]
            if listed[word] == hashes[i]:
                for lang in range(len(scores)):
                    scores[lang] += weights[word, lang]
        script = _main_script(counts)
        winner = _clear_winner(scores, readers, script, size)
        found[k] = script if winner < 0 else len(counts) + winner


@compiled
def _clear_winner(
    scores: NDArray[np.int16], readers: NDArray[np.bool_], script: int, size: int
) -> int:
    """Find the language that uses a script and wins clearly by so many words; -1 if none does."""
    best, second, winner = np.int64(0), np.int64(0), -1
    for lang in range(len(scores)):
        score = np.int64(scores[lang])
        if not readers[script, lang] or score <= second:
            continue
        if score > best:
            best, second, winner = score, best, lang
        else:
            second = score
    clear = best >= _EVIDENCE * size and best - second >= _MARGIN * size + _LEAST_MARGIN
    return winner if clear else -1


@compiled
def _main_script(counts: NDArray[np.int64]) -> int:
    """Find the script of most tokens of a text; changes the counts."""
    counts[0] = 0
    both = counts[_HAN] + counts[_KANA]
    counts[_KANA] = both if counts[_KANA] > _KANA_SHARE * both else 0
    counts[_HAN] = both - counts[_KANA]
    most = 0
    for script in range(len(counts)):
        most = script if counts[script] > counts[most] else most
    return most


@functools.cache
def _script_table() -> NDArray[np.int64]:
    """Return the script number of each code point below the rare planes."""
    table = np.zeros(0x20000, dtype=np.int64)
    for number, name in enumerate(_SCRIPTS[1:], start=1):
        for low, high in _RANGES[name]:
            table[low : high + 1] = number
    return table


@dataclass(frozen=True, slots=True)
class _Lists:
    """The most frequent words of all languages of the shared scripts.

    Attributes
    ----------
    names : list of str
        The languages, in alphabetical order.
    readers : ndarray of bool, shape (n_scripts, n_languages)
        Which languages use which script.
    slots : ndarray of int16, shape (65536,)
        Word number by the last 16 bits of the word's hash.
    hashes : ndarray of uint64, shape (n_words,)
        Hash by word number.
    weights : ndarray of int16, shape (n_words, n_languages)
        How much more likely a word makes a language.
    """

    names: list[str]
    readers: NDArray[np.bool_]
    slots: NDArray[np.int16]
    hashes: NDArray[np.uint64]
    weights: NDArray[np.int16]


@functools.cache
def _lists() -> _Lists:
    table = _script_table()
    entries: list[tuple[str, int, int]] = []
    names: list[str] = []
    scripts: list[int] = []
    for lang in sorted({*LISTS, *FUNCTION_WORDS}):
        head = itertools.islice(word_list(lang), _LISTED_WORDS)
        words = [(word, centibels) for word, centibels in head if not word[0].isdigit()]
        script = int(np.bincount(table[[ord(word[0]) for word, _ in words]]).argmax())
        if _SCRIPTS[script] in _SHARED_SCRIPTS:
            entries += [(word, c // _UNIT - _UNLISTED, len(names)) for word, c in words]
            names.append(lang)
            scripts.append(script)
    tokens = tokenize([word for word, _, _ in entries])
    # The tokeniser may split a word; each part then counts as the word.
    owner = np.repeat(np.arange(len(entries)), np.diff(tokens.offsets))
    weight = np.array([weight for _, weight, _ in entries], dtype=np.int16)[owner]
    column = np.array([column for _, _, column in entries])[owner]
    hashes, number = np.unique(tokens.hashes, return_inverse=True)
    weights = np.zeros((len(hashes), len(names)), dtype=np.int16)
    np.maximum.at(weights, (number, column), weight)
    # Where two words fall into one slot, the one with more weight stays.
    order = np.argsort(weights.max(axis=1), kind="stable")
    slots = np.zeros(_SLOTS, dtype=np.int16)
    slots[hashes[order] & np.uint64(_SLOTS - 1)] = order
    readers = np.arange(len(_SCRIPTS))[:, None] == np.array(scripts)
    return _Lists(names, readers, slots, hashes, weights)
