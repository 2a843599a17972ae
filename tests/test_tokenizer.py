"""The chunk tokeniser against a twin that looks at one character after the other."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sahel_dedup.text import unicode_tables
from sahel_dedup.text.tokenizer import hash_word, tokenize
from sahel_dedup.text.unicode_tables import BIGRAM, DIGIT, FOURGRAM, IGNORED, SEPARATOR, WORD

BIGRAM_RANGES = unicode_tables._SPACELESS_BIGRAM
FOURGRAM_RANGES = unicode_tables._SPACELESS_FOURGRAM


def slow_kind(char: str) -> int:
    code = ord(char)
    if 0x20000 <= code < 0x33480:
        return BIGRAM
    if code >= 0x20000 or 0xD800 <= code <= 0xF8FF:
        return SEPARATOR
    if code not in unicode_tables._IGNORED and not char.isprintable():
        return SEPARATOR
    kind = unicode_tables._classify(char, code)
    if kind == WORD and any(low <= code <= high for low, high in BIGRAM_RANGES):
        return BIGRAM
    if kind == WORD and any(low <= code <= high for low, high in FOURGRAM_RANGES):
        return FOURGRAM
    return kind


def slow_fold(char: str) -> str:
    return char if ord(char) >= 0x20000 else unicode_tables._fold(char)


def slow_tokenize(text: str) -> list[str]:
    """Read the words of a text as the module's own words describe them."""
    text = unicodedata.normalize("NFC", text) + "\0"
    kinds = [slow_kind(char) for char in text]

    def digit(place: int) -> bool:
        return 0 <= place < len(kinds) and kinds[place] == DIGIT

    def thousands(i: int) -> bool:
        around = digit(i - 1) and digit(i + 1) and digit(i + 2) and digit(i + 3)
        return kinds[i] == unicode_tables.COMMA and around and not digit(i + 4)

    def beside_arabic(place: int) -> bool:
        letter = place >= 0 and kinds[place] in (WORD, IGNORED)
        return letter and any(
            low <= ord(text[place]) <= high for low, high in unicode_tables.ARABIC
        )

    parting = [
        i for i in range(len(text))
        if text[i] == "\u200c" and beside_arabic(i - 1) and beside_arabic(i + 1)
    ]  # fmt: skip
    for i in parting:
        kinds[i] = SEPARATOR
    kept = [i for i in range(len(text)) if kinds[i] != IGNORED and not thousands(i)]
    text, kinds = "".join(text[i] for i in kept), [kinds[i] for i in kept]
    for i in range(len(text)):
        if kinds[i] == unicode_tables.POINT and digit(i - 1) and digit(i + 1):
            kinds[i] = -1
    words, run, run_kind = [], "", SEPARATOR
    for char, kind in zip(text, kinds, strict=True):
        kind = {DIGIT: WORD, -1: WORD}.get(kind, kind)
        if kind != run_kind:
            size = {WORD: len(run), BIGRAM: 2, FOURGRAM: 4}.get(run_kind)
            if size:
                grams = max(1, len(run) - size + 1)
                words += [run[start : start + size] for start in range(grams)]
            run, run_kind = "", kind
        run += slow_fold(char)
    return words


MIXED = st.lists(
    st.one_of(
        st.sampled_from(list("aZéÉßİıſΣς09٣५๕,.٬٫'’-_ \n\t\0")),
        st.sampled_from(list("أإىةکیہـֳًאבקגก่ขကខ政变东京アイｱ가ᄀ각힣नमस्तेɓƘሓጸ")),
        st.sampled_from(["\u00ad", "\u200b", "\u200c", "\u200d", "\ufeff", "\ufe0f", "\u0301"]),
        st.sampled_from(["\ud800", "\udfff", "\ue000", "\U0001f600", "\U00020000", "\U0002f800",
                         "\U00033000", "\U000e0041", "\U0010ffff", "½", "²", "ﬁ", "Ａ", "１"]),
        st.sampled_from(["1,200", "12,000,000", "3,4", "1,2345", "3.5", "1.2.3", "U.S.", "Mali's"]),
        st.characters(),
    ),
    max_size=30,
).map("".join)  # fmt: skip


def words_of(texts: Sequence[str]) -> list[list[str]]:
    tokens = tokenize(texts)
    words = tokens.words(np.arange(len(tokens.hashes)))
    return [
        words[low:high] for low, high in zip(tokens.offsets[:-1], tokens.offsets[1:], strict=True)
    ]


@given(st.lists(MIXED, max_size=6))
@example(["1,200", "1,200,", "1,2000", ",200", "1,20\u00ad0", "9.5.", "a.b"])
@example(["1,20 a", "a,200"])
@example(["\u0041\u030a\u0323", "e\u0301e\u0301", "\u1100\u1161\u11a8"])
@example(["a", "\U0002f800", "\U0001d15e"])
@example(["\u07ff\u0800", "\uffdc\U00010000"])
@example(["مِ\u200cش", "م\u200cِش"])
def test_tokens_are_those_of_the_slow_twin(texts: list[str]) -> None:
    assert words_of(texts) == [slow_tokenize(text) for text in texts]


@given(st.lists(MIXED, max_size=4))
def test_hashes_are_those_of_the_words(texts: list[str]) -> None:
    tokens = tokenize(texts)
    for token in range(len(tokens.hashes)):
        word = tokens.word(token)
        assert int(tokens.hashes[token]) == hash_word(word)
        assert word == tokens.words(np.array([token]))[0]


@given(st.lists(MIXED, max_size=5))
@example(["ขก" * 40])
def test_places_lie_within_their_text_in_reading_order(texts: list[str]) -> None:
    tokens = tokenize(texts)
    assert tokens.offsets[0] == 0
    assert tokens.offsets[-1] == len(tokens.hashes) == len(tokens.starts) == len(tokens.ends)
    assert (np.diff(tokens.starts) > 0).all()
    assert (tokens.starts < tokens.ends).all()
    assert tokens.letter_starts[-1] <= len(tokens.letters)
    for text in range(len(texts)):
        mine = slice(tokens.offsets[text], tokens.offsets[text + 1])
        assert (tokens.starts[mine] >= tokens.text_starts[text]).all()
        assert (tokens.ends[mine] < tokens.text_starts[text + 1]).all()


@given(MIXED, MIXED)
def test_a_text_has_the_same_tokens_in_any_company(text: str, other: str) -> None:
    assert words_of([other, text, other])[1] == words_of([text])[0]
    assert words_of([text + " " + other])[0] == words_of([text])[0] + words_of([other])[0]


@given(MIXED)
def test_case_does_not_matter_to_simple_letters(text: str) -> None:
    plain = "".join(char for char in text if char.isascii())
    assert words_of([plain.upper()]) == words_of([plain.lower()])


def test_hashes_tell_words_apart() -> None:
    draw = random.Random(5)
    distinct = {"".join(draw.choices("abcdefgé0123", k=draw.randint(1, 7))) for _ in range(50_000)}
    tokens = tokenize([" ".join(sorted(distinct))])
    assert len(tokens.hashes) == len(distinct)
    assert len(np.unique(tokens.hashes)) == len(distinct)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mali's l'armée", ["mali", "s", "l", "armée"]),
        ("12 killed, 47 wounded", ["12", "killed", "47", "wounded"]),
        ("1,200 and 3.5 and 3,4", ["1200", "and", "3.5", "and", "3", "4"]),
        ("U.S. G7 COVID-19", ["u", "s", "g7", "covid", "19"]),
        ("政变发生", ["政变", "变发", "发生"]),
        ("ニュース", ["ニュ", "ュー", "ース"]),
        ("ภาษาไทย", ["ภาษา", "าษาไ", "ษาไท", "าไทย"]),
        ("أحمد إلى مدرسة", ["احمد", "الي", "مدرسه"]),
        ("می\u200cشود کتاب\u200c", ["مي", "شود", "كتاب"]),
        ("क्\u200cष a\u200cb", ["क्ष", "ab"]),
        ("ƊAN ƙasa ya'yan ƴan", ["dan", "kasa", "ya", "yan", "yan"]),
        ("ሐኀሓ ሠሶ ዓመት አመት ፆም", ["ሀሀሀ", "ሰሶ", "አመት", "አመት", "ጾም"]),
        ("٤٧ ๑๒ ४७ １２ ٣٫٥ ١٬٢٠٠", ["47", "12", "47", "12", "3.5", "1200"]),
        ("Ａ１ ﬁ", ["a1", "ﬁ"]),
        ("", []),
        ("?! \0\ud800", []),
    ],
)
def test_examples(text: str, words: list[str]) -> None:
    assert words_of([text]) == [words]
