"""Shared passages and counterparts of sentences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sahel_dedup.explain.document import MAX_CHARACTERS, Document, Weigher, read_document
from sahel_dedup.explain.passages import Passage, shared_passages, tiles
from sahel_dedup.explain.sentence_alignment import align
from sahel_dedup.util.runs import places_in_runs

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


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Sizes of the lists of places that texts are compared at, as they are made."""
    sizes: list[int] = []

    def counted(runs: NDArray[np.int64]) -> NDArray[np.int64]:
        sizes.append(int(runs.sum()))
        return places_in_runs(runs)

    for module in ("passages", "sentence_alignment"):
        monkeypatch.setattr(f"sahel_dedup.explain.{module}.places_in_runs", counted)
    return sizes


def random_words(vocabulary: int, size: int, sentence: int) -> str:
    words = np.random.default_rng(1).integers(0, vocabulary, size)
    return " ".join(f"W{n:x}" + "." * (i % sentence == 0) for i, n in enumerate(words.tolist()))


def test_a_text_of_two_megabytes_takes_no_more_work_than_its_beginning(places: list[int]) -> None:
    text = random_words(20_000, 170_000, 20)
    other = text[300_000:] + text[:300_000]
    work = []
    for size in (len(text), MAX_CHARACTERS):
        places.clear()
        a, b = read(text[:size]), read(other[:size])
        shared_passages(a, b)
        align(a, b)
        work.append(sum(places))
        assert a.cut == (size == len(text))
    assert work[0] == work[1] > 0


@pytest.mark.parametrize("vocabulary", [1, 2, 5, 50, 1000])
def test_places_of_passages_grow_with_the_text(vocabulary: int, places: list[int]) -> None:
    work = []
    for size in (4000, 8000):
        places.clear()
        text = read(random_words(vocabulary, size, 20))
        shared_passages(text, text)
        work.append(sum(places))
    assert 0 < work[1] <= 3 * work[0]


@pytest.mark.parametrize("words", [3, 20])
def test_words_of_all_sentences_are_not_counted(words: int, places: list[int]) -> None:
    # A sentence may meet each of 500 others in each of its words, and no more of them.
    text = read(random_words(3, 1000 * words, words))
    assert len(text.sentences) > 900
    align(text, text)
    assert sum(places) <= 4 * 500 * 3 * len(text.sentences)
