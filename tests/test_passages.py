"""Shared passages and counterparts of sentences."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup.explain.document import Document, Weigher, read_document
from sahel_dedup.explain.passages import Passage, shared_passages, tiles
from sahel_dedup.explain.sentence_alignment import align

SEQUENCES = st.lists(st.integers(1, 4), max_size=40)


def read(text: str) -> Document:
    return read_document(text, Weigher())


def found(a: str, b: str) -> list[Passage]:
    return shared_passages(read(a), read(b))


def longest_common_run(a: list[int], b: list[int]) -> int:
    """Obviously right, and slow."""
    runs = {tuple(a[i:j]) for i in range(len(a)) for j in range(i + 3, len(a) + 1)}
    others = {tuple(b[i:j]) for i in range(len(b)) for j in range(i + 3, len(b) + 1)}
    return max(map(len, runs & others), default=0)


@given(SEQUENCES, SEQUENCES)
def test_tiles_are_common_runs_longest_first(a: list[int], b: list[int]) -> None:
    found = tiles(np.array(a, dtype=np.uint64), np.array(b, dtype=np.uint64))
    for tile in found:
        assert tile.size >= 3
        assert a[tile.a : tile.a + tile.size] == b[tile.b : tile.b + tile.size]
    for side in ("a", "b"):
        places = [getattr(t, side) + k for t in found for k in range(t.size)]
        assert len(places) == len(set(places))
    # Runs beyond the cap on frequent ones may be missed; there are none here.
    assert max((tile.size for tile in found), default=0) == longest_common_run(a, b)


@given(SEQUENCES)
def test_a_sequence_is_one_tile_of_itself(a: list[int]) -> None:
    words = np.array(a, dtype=np.uint64)
    assert [tile.size for tile in tiles(words, words)] == ([len(a)] if len(a) >= 3 else [])


def test_verbatim_passage_with_places_in_both() -> None:
    a = "On Monday, gunmen attacked the town of Nioro, officials said."
    b = "Officials: Gunmen attacked the town of NIORO at dawn."
    (passage,) = found(a, b)
    assert passage.a.of(a) == "gunmen attacked the town of Nioro"
    assert passage.b.of(b) == "Gunmen attacked the town of NIORO"
    assert (passage.words, passage.similarity, passage.edited) == (6, 1.0, False)


def test_edited_passage_tells_its_verbatim_parts() -> None:
    a = "The army said seven of its positions in the west were targeted in raids very early today."
    b = "Seven of its positions in the west had been targeted in raids very early today, it said."
    (passage,) = found(a, b)
    assert passage.edited
    assert 0.6 <= passage.similarity < 1
    assert [one.of(a) for one, _ in passage.verbatim] == [
        "seven of its positions in the west",
        "targeted in raids very early today",
    ]


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("四名士兵在尼奥罗遇袭身亡，军方说。", "军方证实，四名士兵在尼奥罗遇袭身亡。"),
        ("أعلن الجيش مقتل سبعة جنود في هجوم قرب غاو", "مقتل سبعة جنود في هجوم قرب غاو يوم الاثنين"),
    ],
)
def test_other_scripts(a: str, b: str) -> None:
    (passage,) = found(a, b)
    assert len(passage.a.of(a)) >= 10
    assert passage.a.of(a) == passage.b.of(b)


def test_offsets_hold_where_normalisation_changes_lengths() -> None:
    passage_of_a = "des hommes arme\u0301s ont attaque\u0301 un poste avance\u0301"
    a = f"Re\u0301gion de Se\u0301gou : {passage_of_a}"
    b = "Hier, des hommes armés ont attaqué un poste avancé"
    (passage,) = found(a, b)
    assert passage.a.of(a) == passage_of_a
    assert passage.b.of(b) == "des hommes armés ont attaqué un poste avancé"


def test_nothing_shared() -> None:
    assert found("Gunmen attacked the town at dawn.", "The rupee fell by two cents.") == []
    assert found("", "Gunmen attacked the town at dawn.") == []


def test_sentences_without_a_counterpart() -> None:
    a = read("Gunmen attacked the army camp in Nioro. The rupee fell against the dollar.")
    b = read("It rained. The army camp in Nioro was attacked by gunmen. Elephants are asleep.")
    alignment = align(a, b)
    assert [span.of(a.text) for span in alignment.only_a] == ["The rupee fell against the dollar."]
    assert [span.of(b.text) for span in alignment.only_b] == ["It rained.", "Elephants are asleep."]
    assert alignment.pairs == alignment.mutual == {(0, 1)}


def test_a_sentence_may_be_told_in_two() -> None:
    a = read("Gunmen on motorcycles attacked an army camp in Nioro and burned seven trucks.")
    b = read("Gunmen on motorcycles attacked. The army camp in Nioro: seven burned trucks.")
    assert align(a, b).only_a == ()


def test_alignment_with_an_empty_text() -> None:
    a, b = read("Gunmen attacked the town."), read("")
    assert len(align(a, b).only_a) == 1
    assert align(b, a).only_a == ()


def test_two_megabytes_do_not_hang() -> None:
    words = np.random.default_rng(1).integers(0, 20_000, 170_000)
    text = " ".join(f"w{n:x}" + ("." if n % 20 == 0 else "") for n in words)
    begin = time.process_time()
    a, b = read(text), read(text[300_000:] + text[:300_000])
    shared_passages(a, b)
    align(a, b)
    assert a.cut
    assert time.process_time() - begin < 30
