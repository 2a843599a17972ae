"""The vocabulary, beside a dictionary."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.terms import tokenize
from sahel_dedup.vocabulary import Vocabulary, Words


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
