"""Words and sentences, and their positions in the original text."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.explain.document import (
    MAX_CHARACTERS,
    MAX_SENTENCES,
    Weigher,
    read_document,
    split_sentences,
)
from sahel_dedup.text.tokenizer import tokenize
from tests.backtracking import count_steps


def sentences(text: str) -> list[str]:
    return [span.of(text) for span in split_sentences(text)]


@pytest.mark.parametrize(
    "expected",
    [
        ["It rained.", "Nobody came!", "Why?"],
        ["“We ran.”", "They stayed (all of them).", "Then…", "Nothing."],
        ["Gen. J. Traoré met Mr. Kaba of the U.S. Army.", "He left at 7 a.m. on foot."],
        ["The rate is 3.5 percent.", "It was 3.75."],
        ["قُتل سبعة جنود.", "هل أعلنت جماعة مسؤوليتها؟", "لا."],
        ["جنگ ختم ہو گئی۔", "فوج واپس آ گئی۔"],
        ["सात सैनिक मारे गए।", "सेना ने पुष्टि की।"],
    ],
)
def test_sentences_end_in_every_script(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected


def test_sentences_without_spaces() -> None:
    text = "军方确认七处阵地遭袭。“我们被吓醒了。”居民说！还有吗？"
    assert sentences(text) == ["军方确认七处阵地遭袭。", "“我们被吓醒了。”", "居民说！", "还有吗？"]


def test_lines_end_sentences_unless_the_text_is_wrapped() -> None:
    assert sentences("A heading\nThe army said\nit had won.\n\nno more") == [
        "A heading",
        "The army said\nit had won.",
        "no more",
    ]


@given(st.text())
def test_sentences_hold_all_that_is_not_space(text: str) -> None:
    spans = split_sentences(text)
    assert all(text[a.end : b.start].strip() == "" for a, b in pairwise(spans))
    assert "".join("".join(span.of(text).split()) for span in spans) == "".join(text.split())


@pytest.mark.parametrize(
    "text", ["Kidal: déjà vu à Ségou", "각하 말리 군", "ἄνδρα Ὅμηρος", "क़लम ज़मीन"]
)
def test_words_stand_where_they_stood_before_normalisation(text: str) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    document = read_document(f"x {decomposed}", Weigher())
    words = [unicodedata.normalize("NFC", document.word(i)) for i in range(1, len(document))]
    assert words == [unicodedata.normalize("NFC", word).strip(":") for word in decomposed.split()]


@given(st.text(st.sampled_from("aé e\u0301\u0323한\u1112\u1161\u11abש\u05b8.,1\u0344\U0001f600")))
def test_words_are_never_empty_and_in_order(text: str) -> None:
    document = read_document(text, Weigher(lambda words: [1.0] * len(words)))
    assert document.hashes.tolist() == tokenize([text]).hashes.tolist()
    assert (document.starts < document.ends).all()
    assert (np.diff(document.starts) >= 0).all()
    for token in range(len(document)):
        sentence = document.sentences[document.sentence[token]]
        assert sentence.start <= document.starts[token] < sentence.end


def test_long_texts_are_cut_and_say_so() -> None:
    assert not read_document("word " * 100, Weigher()).cut
    long = read_document("word " * 200_000, Weigher())
    assert long.cut
    assert long.ends[-1] <= MAX_CHARACTERS
    many = read_document("Go. " * 3000, Weigher())
    assert many.cut
    assert len(many.sentences) == MAX_SENTENCES == many.sentence[-1] + 1


@pytest.mark.parametrize(
    "piece",
    [".", "a.", "\n", " \n", "'a ", "“", "1:", "1,", "a\u0301", "\0", "A. ", "A.\n", ". ", "! “",
     "AAAAAAAAAAAAAAAA. ", "。", "。」"],
)  # fmt: skip
def test_work_grows_with_a_hostile_text(piece: str, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = count_steps(monkeypatch, "sahel_dedup.explain.document")
    work = []
    for size in (200, 400):
        steps.clear()
        split_sentences((piece * size)[:size])
        work.append(sum(steps))
    assert work[1] <= 2.5 * work[0]


def test_given_weights_are_asked_once_a_word() -> None:
    asked: list[str] = []

    def weights(words: object) -> list[float]:
        assert isinstance(words, list)
        asked.extend(words)
        return [float(len(word)) for word in words]

    weigher = Weigher(weights)
    first = read_document("Mali, mali MALI army", weigher)
    read_document("army of Mali", weigher)
    assert first.weights.tolist() == [4.0, 4.0, 4.0, 4.0]
    assert sorted(asked) == ["army", "mali", "of"]
