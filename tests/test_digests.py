"""Digests that recognise exact copies, against a slow twin and two texts made to deceive."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup import ArticleError, StoryIndex, cluster
from sahel_dedup.explain import explain
from sahel_dedup.io.article_reader import iter_articles
from sahel_dedup.sketch.digests import text_digests, text_numbers
from sahel_dedup.text.tokenizer import tokenize
from sahel_dedup.text.unicode_tables import BASE

# The second says the opposite and has the same 64-bit polynomial of its token hashes: sixteen
# nonsense words were chosen for that (Wagner's k-tree, 2002).
TRUE = "The army killed no civilians in the village on Monday, the governor said."
FORGED = (
    "The army killed forty civilians in the village on Monday, the governor said. nuvosegu "
    "vudevifi rekelazu zasilego zeleditu lunukumi ligozuku sekufemo kosakulu popekama bodomogo "
    "luzusuzu seziluku zavazemi ramedega vukifoge"
)


@given(st.lists(st.text(st.characters() | st.sampled_from("aé\u0640\u0300国ไ𞤨 ,1.")), max_size=4))
def test_a_digest_is_that_of_the_words(texts: list[str]) -> None:
    tokens = tokenize(texts)
    for text, digest in enumerate(text_digests(tokens)):
        words = tokens.words(np.arange(*tokens.offsets[text : text + 2]))
        spelt = "".join(f"{word}\0" for word in words).encode()
        expected = hashlib.blake2b(spelt, digest_size=16).digest() if words else bytes(16)
        assert digest.astype("<u8").tobytes() == expected


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12))
def test_texts_have_one_number_if_both_halves_are_the_same(halves: list[tuple[int, int]]) -> None:
    # Without words both halves are 0.
    halves = [(one, other if one else 0) for one, other in halves]
    body, check = (
        (np.array(side, dtype=np.uint64) for side in zip(*halves, strict=True))
        if (halves)
        else (np.zeros(0, np.uint64), np.zeros(0, np.uint64))
    )
    numbers = text_numbers(body, check).tolist()
    for half, number in zip(halves, numbers, strict=True):
        assert (number == 0) == (half[0] == 0)
        for other, its in zip(halves, numbers, strict=True):
            assert (half == other) == (number == its)


def polynomial(text: str) -> int:
    hashes = tokenize([text]).hashes.tolist()
    return reduce(lambda total, value: (total * int(BASE) + value) % 2**64, reversed(hashes), 0)


def test_a_forged_text_is_no_exact_copy() -> None:
    assert polynomial(TRUE) == polynomial(FORGED)
    now = datetime(2025, 3, 4, 12, tzinfo=UTC)
    rows = [
        {"id": "true", "text": TRUE, "published": now},
        {"id": "forged", "text": FORGED, "published": now - timedelta(hours=1)},
        {"id": "copy", "text": TRUE.upper(), "published": now + timedelta(hours=1)},
    ]
    stories = cluster(rows)
    assert stories.relation("forged") != "exact"
    assert stories.relation("true") == stories.relation("copy") == "exact"
    true, forged, copy = iter_articles(rows)
    assert explain(true, forged).relation != "exact"
    assert explain(true, copy).relation == "exact"
    with StoryIndex() as index:
        assert index.add(rows[0]).relation is None
        assert index.add(rows[1]).relation != "exact"
        assert index.add(rows[2]).relation == "exact"
        with pytest.raises(ArticleError, match="other words"):
            index.add(rows[1] | {"id": "true"})
