"""Composition in linear time, beside `unicodedata`."""

from __future__ import annotations

import unicodedata
from typing import Any, Literal
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.explain.document import Weigher, read_document
from sahel_dedup.text import normalization
from sahel_dedup.text.normalization import LONGEST_RUN, compose, composed_places
from sahel_dedup.text.tokenizer import tokenize
from sahel_dedup.text.unicode_tables import MARK, character_tables

# Letters, marks of several classes, marks that decompose, what composes with a starter.
_TRICKY = (
    "a\u00e9 \n\u0300\u0327\u0345\u0344\u0f71\u0f73\u0f81\u0958\u093c\u09c7\u09be"
    "\u1100\u1161\u11a8가각\u212b\u0b47\u0b56가\u3099か"
)
TEXTS = st.text(st.sampled_from(_TRICKY) | st.characters(max_codepoint=0x1FFFF), max_size=60)


@given(TEXTS)
def test_texts_are_composed_as_by_unicodedata(text: str) -> None:
    composed = compose(text)
    assert composed == unicodedata.normalize("NFC", text)
    starts, ends = composed_places(text)
    assert len(starts) == len(ends) == len(composed)
    pieces = sorted(set(zip(starts.tolist(), ends.tolist(), strict=True)))
    assert "".join(text[start:end] for start, end in pieces) == text
    for start, end in pieces:
        mine = "".join(c for c, s in zip(composed, starts.tolist(), strict=True) if s == start)
        assert mine == unicodedata.normalize("NFC", text[start:end])


@given(st.text(st.sampled_from("ae\u0300\u0327\u0323\u0344\u0f73"), max_size=400))
def test_places_are_those_of_the_composed_text_however_long_a_run_is(text: str) -> None:
    starts, ends = composed_places(text)
    assert len(starts) == len(compose(text))
    assert np.all(starts < ends)
    document = read_document(text, Weigher())
    assert document.hashes.tolist() == tokenize([text]).hashes.tolist()


def test_no_code_point_reaches_to_the_one_before_unnoticed() -> None:
    marks = character_tables().classes & MARK > 0
    for code in range(0x30000):
        char = chr(code)
        if 0xD800 <= code < 0xE000:
            continue
        if unicodedata.combining(char):
            assert marks[code], hex(code)


HOSTILE = {
    "two marks": "\u0300\u0327",
    "marks in order": "\u0327\u0300",
    "a mark that is two": "\u0f73\u0f71",
    "letters and marks": "a\u0300\u0327\u0323",
    "Hangul": "\uac00",
    "vowels": "\u1161",
    "jamo": "\u1100\u1161\u11a8",
    "starters that join": "\u09c7\u09be",
    "Devanagari": "\u0915\u093c\u094d",
}


@pytest.mark.parametrize("shape", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("read", [tokenize, lambda t: read_document(t[0], Weigher())])
def test_the_work_grows_with_the_text(shape: str, read: Any) -> None:
    work = [_work(read, "a" + shape * (size // len(shape))) for size in (4_000, 8_000, 16_000)]
    assert work[1] <= 2.1 * work[0] + 100
    assert work[2] <= 2.1 * work[1] + 100


def _work(read: Any, text: str) -> int:
    """Comparisons of marks that `unicodedata` makes: each run of them is sorted by insertion."""
    work = 0

    def normalize(form: Literal["NFC"], text: str) -> str:
        nonlocal work
        work += len(text)
        run = 0
        for char in unicodedata.normalize("NFD", text):
            run = run + 1 if unicodedata.combining(char) else 0
            work += run
        return unicodedata.normalize(form, text)

    with mock.patch.object(normalization, "unicodedata", mock.Mock(normalize=normalize)):
        read([text])
    return work


def test_only_runs_longer_than_any_language_has_are_cut() -> None:
    longest = "e" + "\u0323\u0302" * (LONGEST_RUN // 2)
    assert compose(longest) == unicodedata.normalize("NFC", longest)
    longer = "e" + "\u0302" * LONGEST_RUN + "\u0323"
    assert compose(longer) == unicodedata.normalize("NFC", longer[:-1]) + "\u0323"
