from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.text import idf_prior
from sahel_dedup.text.function_words import FUNCTION_WORDS
from sahel_dedup.text.tokenizer import tokenize
from sahel_dedup.text.words import Words

DATA = Path(__file__).with_name("data") / "scripts.jsonl"
FIXTURES = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
LANGUAGES = sorted({*idf_prior.LISTS, *FUNCTION_WORDS, "und"})


def idf(lang: str, text: str) -> dict[str, float]:
    tokens = tokenize([text])
    words = tokens.words(np.arange(len(tokens.hashes)))
    values = idf_prior.quantised_idf(lang, tokens.hashes, words) / idf_prior.IDF_UNITS
    return dict(zip(words, values.tolist(), strict=True))


def test_idf_of_a_word_is_that_of_its_frequency_in_wordfreq() -> None:
    frequency = dict(idf_prior.word_list("en"))["spokesman"]
    p = 1 - np.exp(-300 * 10 ** (frequency / 100))
    assert idf("en", "Spokesman")["spokesman"] == pytest.approx(
        np.log(1001 / (1000 * p + 1)), abs=1 / 128
    )


def test_function_words_weigh_little_and_rare_names_most() -> None:
    weights = idf("en", "the of and said Kayes")
    assert all(weights[word] < 1.5 for word in ("the", "of", "and", "said"))
    assert weights["kayes"] == 425 / 64


def test_parts_of_an_elided_word_carry_its_frequency() -> None:
    weights = idf("fr", "l'armée aujourd'hui")
    assert weights["l"] < 0.1
    assert weights["aujourd"] == weights["hui"] < 3


def test_spellings_that_the_tokeniser_folds_add_up() -> None:
    listed = dict(idf_prior.word_list("ar"))
    assert {"أن", "ان"} <= listed.keys()
    hashes = tokenize(["ان"]).hashes
    together = idf_prior._centibels("ar", np.zeros(1, np.int64), hashes, Words(["ان"]))[0]
    expected = 100 * np.log10(
        sum(10 ** (listed[w] / 100) for w in ("أن", "إن", "ان", "آن", "اٰن") if w in listed)
    )
    assert together >= round(expected) > max(listed["أن"], listed["ان"])


@pytest.mark.parametrize("lang", ["en", "fr", "ar", "zh", "ha", "und"])
def test_figures_by_length(lang: str) -> None:
    weights = idf(lang, "7 12 47 340 1987 2025 1200 8431 12345678")
    assert weights["12"] == weights["47"]
    assert weights["7"] < weights["12"] < weights["340"] < weights["8431"]
    assert weights["1987"] == weights["2025"] < weights["1200"] == weights["8431"]
    assert weights["12345678"] == 425 / 64


def test_figures_in_other_digits_count_alike() -> None:
    assert idf("ar", "٣٤ ٢٠٢٥") == pytest.approx({"34": 3.5, "2025": 4.7}, abs=0.3)
    assert idf("hi", "²²²²")


@pytest.mark.parametrize(
    ("lang", "common", "rare"),
    [
        ("zh", ["在一", "他们", "的人"], ["马拉", "凌晨", "卡车"]),
        ("ja", ["ている", "した", "から"], ["土砂", "宮崎", "集落"]),
        ("ko", ["있는", "했다", "것으로"], ["군산시의", "가구공장에서"]),
        ("th", ["ที่", "การ"], ["แม่", "ลิก"]),
    ],
)
def test_scripts_without_spaces(lang: str, common: list[str], rare: list[str]) -> None:
    weights = [max(idf(lang, text).values()) for text in common]
    assert max(weights) < min(max(idf(lang, text).values()) for text in rare)


def test_traditional_characters_weigh_as_simplified_ones() -> None:
    simple = idf("zh", "国会选举委员会发言人说")
    traditional = idf("zh", "國會選舉委員會發言人說")
    assert list(traditional.values()) == list(simple.values())


def test_language_without_a_list_weighs_short_words_low() -> None:
    weights = idf("und", "ya ta kuma jihar rundunar hatsarin")
    assert weights["ya"] < 1 < weights["jihar"] < weights["rundunar"]
    assert idf("xx", "ya ta kuma jihar rundunar hatsarin") == weights


def test_pidgin_knows_english_words() -> None:
    weights = idf("pcm", "Di goment don arrest five pipo wey dey Lagos")
    assert max(weights[word] for word in ("di", "don", "pipo", "wey", "dey")) < 1.5
    assert weights["arrest"] == idf("en", "arrest")["arrest"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_gives_a_usable_scale(lang: str) -> None:
    commonest = [word for word, _ in zip(idf_prior.word_list(lang), range(20), strict=False)]
    text = " ".join(word for word, _ in commonest) or "ya ta da"
    weights = list(idf(lang, text).values())
    assert np.median(weights) < 1.5
    assert max(idf(lang, "Bassoumtenga 12345678").values()) > 4.5


@pytest.mark.parametrize("row", FIXTURES, ids=lambda row: str(row["id"]))
def test_an_article_has_light_and_heavy_words(row: dict[str, str]) -> None:
    weights = list(idf(row["lang"], row["text"]).values())
    low, high = np.percentile(weights, [10, 90])
    # Four-grams of Thai: a light one may reach over a border of words.
    assert low < (4.0 if row["lang"] == "th" else 3.5)
    assert high > 3.5


def test_no_idf_is_near_a_rounding_border() -> None:
    p = 1 - np.exp(-300 * 10 ** (-np.arange(601) / 100))
    exact = 64 * np.log(1001 / (1000 * p + 1))
    assert np.abs(exact % 1 - 0.5).min() > 1e-6
    assert np.array_equal(idf_prior._idf_table(), np.round(exact))


@pytest.mark.parametrize("lang", ["ar", "en", "fr", "zh", "ja", "ha", "pcm"])
def test_no_frequency_is_near_a_rounding_border(lang: str, monkeypatch: pytest.MonkeyPatch) -> None:
    distance = []
    whole = idf_prior._round

    def watch(frequency: np.ndarray) -> np.ndarray:
        exact = 100 * np.log10(np.clip(frequency, 1e-6, 1.0))
        distance.append(np.abs(exact % 1 - 0.5).min(initial=1))
        return whole(frequency)

    monkeypatch.setattr(idf_prior, "_round", watch)
    idf_prior._table.__wrapped__(lang)
    assert min(distance) > 1e-9


def test_ranks_of_function_words_are_not_near_a_rounding_border() -> None:
    exact = 100 * np.log10(0.1 / (np.arange(1, 301) + 2.7))
    assert np.abs(exact % 1 - 0.5).min() > 1e-9


def test_function_words_are_within_the_law_of_ranks() -> None:
    for lang in FUNCTION_WORDS:
        words = dict(idf_prior.word_list(lang))
        assert len(words) > 50
        assert all(-400 < centibels < -150 for centibels in words.values())


@given(st.sampled_from(["en", "zh", "ko", "th", "ha", "und"]), st.lists(st.text(), max_size=5))
def test_any_text_has_weights_in_range(lang: str, texts: list[str]) -> None:
    tokens = tokenize(texts)
    words = tokens.words(np.arange(len(tokens.hashes)))
    values = idf_prior.quantised_idf(lang, tokens.hashes, words)
    assert values.dtype == np.uint16
    assert ((values >= 0) & (values <= 425)).all()
    # One term at a time gives the same.
    single = [
        idf_prior.quantised_idf(lang, tokens.hashes[i : i + 1], [word])[0]
        for i, word in enumerate(words)
    ]
    assert values.tolist() == single


class Counting(dict[str, float]):
    """A dictionary that counts how often it is asked."""

    asked = 0

    def get(self, key: str, default: Any = None) -> Any:
        self.asked += 1
        return super().get(key, default)


@given(st.text(st.sampled_from("가나"), min_size=1, max_size=14))
def test_a_word_is_cut_wherever_two_listed_words_may_meet(word: str) -> None:
    pieces = ["".join(p) for k in range(1, 6) for p in itertools.product("가나", repeat=k)]
    ends = {piece: 1.0 + place for place, piece in enumerate(pieces)}
    starts = {piece: 2.0 + place for place, piece in enumerate(pieces)}
    table = idf_prior._Table(np.zeros(0, np.uint64), np.zeros(0, np.int64), {}, starts, ends, {})
    everywhere = (ends.get(word[:k], 0.0) * starts.get(word[k:], 0.0) for k in range(1, len(word)))
    assert idf_prior._across(word, table) == sum(everywhere)


def test_a_long_word_is_not_cut_everywhere() -> None:
    ends = Counting()
    table = idf_prior._Table(np.zeros(0, np.uint64), np.zeros(0, np.int64), {}, {}, ends, {})
    for size in (10, 1_000, 100_000):
        idf_prior._across("\uac00" * size, table)
    assert ends.asked <= 3 * 5
