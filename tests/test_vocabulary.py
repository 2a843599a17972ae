"""The vocabulary, beside a dictionary."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.text.tokenizer import tokenize
from sahel_dedup.text.vocabulary import Vocabulary
from sahel_dedup.text.words import Words, decoded, laid_out
from sahel_dedup.util.hashing import splitmix64


@given(st.lists(st.lists(st.integers(0, 40), max_size=12), max_size=8), st.integers(0, 20))
def test_a_term_keeps_the_number_it_was_given(chunks: list[list[int]], shift: int) -> None:
    vocabulary = Vocabulary()
    known: dict[int, int] = {}
    for chunk in chunks:
        # Most of these want one place of the table or its neighbour.
        wanted = sorted(set(chunk))
        hashes = np.array([(n << 24 | n % 2) << shift for n in wanted], dtype=np.uint64)
        numbers = vocabulary.enter(hashes, [str(n) for n in wanted]).tolist()
        for n, number in zip(wanted, numbers, strict=True):
            assert known.setdefault(n, number) == number
    assert sorted(known.values()) == list(range(len(vocabulary)))
    assert {vocabulary.words[number] for number in known.values()} == set(map(str, known))


def test_a_vocabulary_grows() -> None:
    vocabulary = Vocabulary()
    words = [f"w{n}" for n in range(40_000)]
    for start in range(0, len(words), 5000):
        vocabulary.look_up(tokenize(words[start : start + 5000]))
    numbers = vocabulary.look_up(tokenize([" ".join(words)]))
    assert len(vocabulary) == len(words)
    assert [vocabulary.words[number] for number in numbers.tolist()] == words


def test_words_are_a_sequence() -> None:
    words = Words()
    words.extend(["Mali", "", "ማሊ", "\U00020bb7"])
    assert list(words) == words[:] == ["Mali", "", "ማሊ", "\U00020bb7"]
    assert words[1:3] == ["", "ማሊ"]
    for place in (-1, 4):
        with pytest.raises(IndexError):
            words[place]


def test_terms_come_in_the_order_of_their_last_tokens_from_the_end() -> None:
    vocabulary = Vocabulary()
    vocabulary.look_up(tokenize(["b a"]))
    numbers = vocabulary.look_up(tokenize(["d a c", "", "c ❶ d 7 e"]))
    assert list(vocabulary.words) == ["a", "b", "e", "7", "d", "❶", "c"]
    assert [vocabulary.words[n] for n in numbers.tolist()] == list("dacc❶d7e")
    assert vocabulary.is_number.tolist() == [False, False, False, True, False, True, False]
    assert vocabulary.enter(vocabulary.hashes[[2, 0, 2]], ["e", "a", "e"]).tolist() == [2, 0, 2]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))))
def test_words_are_laid_out_in_utf_8(words: list[str]) -> None:
    letters, starts = laid_out(words)
    assert letters.tobytes() == "\0".join([*words, ""]).encode()
    assert [chr(decoded(letters, place)) for place in starts[:-1].tolist()] == [
        word[:1] or "\0" for word in words
    ]


def test_what_starts_with_a_digit_of_any_kind_is_a_number() -> None:
    chars = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000]
    vocabulary = Vocabulary()
    vocabulary.enter(np.arange(len(chars), dtype=np.uint64), chars)
    assert vocabulary.is_number.tolist() == [char.isdigit() for char in chars]


def test_threads_may_add_the_same_terms() -> None:
    texts = [[f"w{(n * k) % 4001} x{n}" for n in range(3000)] for k in range(1, 17)]
    vocabulary = Vocabulary()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: vocabulary.look_up(tokenize(text)), texts))
    assert len(set(vocabulary.words)) == len(vocabulary) == 4001 + 3000
    for text, numbers in zip(texts, found, strict=True):
        assert vocabulary.words.take(numbers.tolist()) == " ".join(text).split()


def probes(vocabulary: Vocabulary) -> float:
    """Return how many slots it takes to find a term, in the mean."""
    table = vocabulary._table
    place = np.flatnonzero(table >= 0)
    home = splitmix64(vocabulary.hashes[table[place]] ^ vocabulary._salt).astype(np.int64)
    return float(np.mean((place - home) % len(table))) + 1


def test_terms_that_want_one_place_are_spread() -> None:
    # The lower bits of these hashes, by which a slot was once chosen, are nearly the same.
    draw = np.random.default_rng(0)
    upper = draw.integers(0, 1 << 40, 50_000, dtype=np.uint64) << np.uint64(24)
    hashes = np.unique(upper | draw.integers(0, 512, 50_000, dtype=np.uint64))
    vocabulary = Vocabulary()
    numbers = vocabulary.enter(hashes, [str(n) for n in range(len(hashes))])
    assert numbers.tolist() == list(range(len(hashes)))
    assert probes(vocabulary) < 2
    assert vocabulary._salt != Vocabulary()._salt
