"""Opening numbers, against a slow and readable twin, and at their boundaries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sahel_dedup.articles import Article
from sahel_dedup.sketch.opening_numbers import how_far_apart, opening_numbers
from sahel_dedup.sketch.sketcher import OPENING_TOKENS, Sketcher
from sahel_dedup.text.tokenizer import tokenize
from sahel_dedup.util.hashing import splitmix64
from tests.spelled import arabic, english, french, german, portuguese, spanish

WRITTEN = {
    "en": english, "fr": french, "ar": arabic, "de": german, "es": spanish, "pt": portuguese,
}  # fmt: skip


def of(text: str, lang: str = "en", title: str | None = None) -> int:
    """Return the opening numbers of an article by the library's own path."""
    profiles = Sketcher().sketch([Article("a", text, title=title, lang=lang)])
    return int(profiles.opening_numbers[0])


def slowly(numbers: list[tuple[int, int]]) -> int:
    """Pack numbers, each given by its digits and how many of them are decimals."""
    kept = [
        (digits, decimals)
        for digits, decimals in numbers
        if digits >= 3 and not (decimals == 0 and 1900 <= digits <= 2099)
    ]
    hashed = splitmix64(np.array([16 * d + n for d, n in kept], dtype=np.uint64)).tolist()
    least = sorted({max(1, value >> 56) for value in hashed})[:8]
    return sum(byte << 8 * place for place, byte in enumerate(least))


def apart(one: str, other: str) -> float:
    return how_far_apart(np.uint64(of(one)), np.uint64(of(other)))


NUMBERS = st.lists(st.tuples(st.integers(0, 10**15), st.integers(0, 2)), max_size=20)


@given(st.lists(NUMBERS, min_size=1, max_size=3))
@example([[(10**15, 0)], [(10**15 + 1, 0)], []])
def test_digits_are_those_of_the_slow_twin(articles: list[list[tuple[int, int]]]) -> None:
    texts = [
        " x ".join(f"{n // 10**d}.{n % 10**d:0{d}}" if d else str(n) for n, d in numbers)
        for numbers in articles
    ]
    tokens = tokenize([part for text in texts for part in ("", text)])
    found = opening_numbers(tokens, ["en"] * len(articles), 99)
    assert found.dtype == np.uint64
    assert found.tolist() == list(map(slowly, articles))


@pytest.mark.parametrize("lang", sorted(WRITTEN))
def test_a_number_in_words_is_that_in_digits(lang: str) -> None:
    numbers = range(3, 1000)
    tokens = tokenize([part for n in numbers for part in ("", f"x {WRITTEN[lang](n)} x")])
    found = opening_numbers(tokens, [lang] * len(numbers), 99).tolist()
    assert found == [slowly([(n, 0)]) for n in numbers]


@pytest.mark.parametrize(
    ("words", "digits", "lang"),
    [
        ("treinta y uno, ciento veinte", "31 120", "es"),
        ("trinta e um, cento e vinte e três", "31 123", "pt"),
        ("einunddreißig, hundertzwanzig, dreiundvierzig", "31 120 43", "de"),
        ("Forty-three and seven, four, and five", "43 7 4 5", "en"),
        ("وأربعة وعشرون، بثلاثين", "24 30", "ar"),
        ("اربعة", "4", "ar"),
        ("٣١ و١٬٢٠٠", "31 1200", "ar"),
        ("ب٣١", "31", "ar"),
        ("1,200 killed, 2.5m, 20th, A320", "1200 2.5 20", "en"),
        ("one, two, 0, 1 and 2 of 1900, 2024 and 2099", "", "en"),
        ("five thousand seven", "5000 7", "en"),
        ("einunddreissig, einundzwanzigtausend", "31 21000", "de"),
        ("veintidos", "22", "es"),
        ("ثلاث عشرة، وللثلاثين", "13 30", "ar"),
        # What does not go on with a number ends it.
        ("خمسة وألف، ثلاثة بعشرين", "5 3 20", "ar"),
        ("twenty 47", "20 47", "en"),
        ("twenty boats, three crews", "20 3", "en"),
        ("ten and seven", "10 7", "en"),
        ("ten, four and twenty", "10 4 20", "en"),
        ("ten, twenty", "10 20", "en"),
        ("doscientos, trescientos", "200 300", "es"),
        ("14.2.3", "14.2", "en"),
        ("1" * 400, "1" * 16, "en"),
    ],
)
def test_equal_numbers(words: str, digits: str, lang: str) -> None:
    assert of(words, lang) == of(digits, lang)
    assert (of(words, lang) == 0) == (not digits)


@pytest.mark.parametrize(("number", "counts"), [
    ("1899", True), ("1900", False), ("2099", False), ("2100", True), ("1999.5", True),
])  # fmt: skip
def test_years_do_not_count(number: str, counts: bool) -> None:
    assert (of(number) != 0) == counts


def test_only_title_and_opening_count() -> None:
    word = "harbour "
    assert of(word * (OPENING_TOKENS - 1) + "47") == of("47")
    assert of(word * OPENING_TOKENS + "47") == 0
    assert of(word * OPENING_TOKENS, title="47 boats") == of("47")
    # What ends a title does not go on in the text.
    assert of("three boats", title="Twenty") == of("20 3")


def test_languages_whose_number_words_are_unknown_have_no_opening_numbers() -> None:
    assert of("Watu 47 waliuawa katika shambulio", "sw") == 0
    assert of("47", "ta") == 0


def test_the_more_numbers_the_clearer_the_disagreement() -> None:
    assert apart("47", "31") == pytest.approx(1 / 3)
    assert apart("47 killed, 12 wounded", "31") == pytest.approx(2 / 3)
    assert apart("47 killed, 12 wounded", "31 killed, 9 wounded") == 1
    assert apart("47 killed, 12 wounded, 5 cars", "31 killed, 9 wounded, 6 cars") == 1


def test_one_number_in_common_or_none_at_all_is_no_disagreement() -> None:
    assert apart("47 killed, 12 wounded", "twelve wounded, 31 killed") == 0
    assert apart("47 killed, 12 wounded", "many killed") == 0
    assert apart("many killed", "many killed") == 0
    numbers = " ".join(map(str, range(10, 40)))
    assert apart(numbers, numbers) == 0
