"""The parts of the live engine, each against a slow twin."""

import tracemalloc
from collections import defaultdict
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sahel_dedup import Article
from sahel_dedup.candidates.lsh import band_keys as keys_of_band
from sahel_dedup.errors import SahelError
from sahel_dedup.index import online_recurrence, online_tfidf
from sahel_dedup.index.growable_profiles import LiveProfiles
from sahel_dedup.index.lsh_table import WIDTH, Buckets, band_key
from sahel_dedup.index.online_tfidf import OnlineTfidf
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.sketch.layout import Layout
from sahel_dedup.sketch.profiles import Profiles, Traits, take_ragged
from sahel_dedup.sketch.sketcher import Sketcher


@pytest.fixture(scope="module")
def sketched(wire: list[dict[str, Any]]) -> tuple[Sketcher, Profiles]:
    sketcher = Sketcher()
    rows = [*wire, {"id": "empty", "text": ""}, {"id": "short", "text": "one word"}]
    return sketcher, sketcher.sketch([Article.from_mapping(row) for row in rows])


def grown(profiles: Profiles, sketcher: Sketcher) -> tuple[LiveProfiles, OnlineTfidf]:
    """Enter profiles three at a time."""
    live = LiveProfiles.empty()
    similarity = OnlineTfidf(live, sketcher)
    for start in range(0, len(profiles), 3):
        part = profiles.take(np.arange(start, min(start + 3, len(profiles))))
        live.append(part)
        similarity.learn(part, start)
    return live, similarity


def test_profiles_grow_to_what_they_are_at_once(sketched: tuple[Sketcher, Profiles]) -> None:
    sketcher, profiles = sketched
    live, _ = grown(profiles, sketcher)
    everything = np.arange(len(profiles))
    for kept in (everything, everything[::-2]):
        expected = profiles.take(kept)
        live.keep(kept)
        rows = np.arange(len(live))
        for item in fields(Traits):
            column = getattr(live, item.name)
            # Of the slots of fingerprints the lower bits are kept.
            np.testing.assert_array_equal(column, getattr(expected, item.name).astype(column.dtype))
        terms, counts, offsets = live.body_entries(rows)
        np.testing.assert_array_equal(terms, expected.terms)
        np.testing.assert_array_equal(counts, expected.counts)
        np.testing.assert_array_equal(offsets, expected.indptr)
        np.testing.assert_array_equal(live.terms(), terms)
        titles, offsets = take_ragged(live.title_terms, live.title_indptr, rows)
        np.testing.assert_array_equal(titles, expected.title_terms)
        np.testing.assert_array_equal(offsets, expected.title_indptr)


def test_terms_take_other_numbers(sketched: tuple[Sketcher, Profiles]) -> None:
    sketcher, profiles = sketched
    live, _ = grown(profiles, sketcher)
    number = np.arange(len(sketcher.vocabulary), dtype=np.int32)[::-1].copy()
    live.renumber(number)
    rows = np.arange(len(profiles))
    terms, counts, _ = live.body_entries(rows)
    np.testing.assert_array_equal(terms, number[profiles.terms])
    np.testing.assert_array_equal(counts, profiles.counts)
    titles, _ = take_ragged(live.title_terms, live.title_indptr, rows)
    np.testing.assert_array_equal(titles, number[profiles.title_terms])


def test_more_terms_than_have_numbers_are_refused(sketched: tuple[Sketcher, Profiles]) -> None:
    _, profiles = sketched
    live = LiveProfiles.empty()
    with pytest.raises(SahelError, match="16,777,215 terms"):
        live.append(replace(profiles, terms=profiles.terms + (1 << 24)))
    assert len(live) == 0


def test_similarity_of_a_grown_stream_is_that_of_the_batch(
    sketched: tuple[Sketcher, Profiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    sketcher, profiles = sketched
    monkeypatch.setattr(online_tfidf, "_GROWN", 0)
    _, similarity = grown(profiles, sketcher)
    batch = Similarity(profiles, sketcher)
    first, second = (place.ravel() for place in np.indices((len(profiles),) * 2))
    np.testing.assert_array_equal(similarity.number_count[: len(profiles)], batch.number_count)
    order = np.random.default_rng(3).permutation(len(first))
    ((_, one),) = similarity.shared(first[order], second[order])
    ((_, two),) = batch.shared(first[order], second[order])
    np.testing.assert_allclose(one.cosine, two.cosine, atol=1e-3)
    np.testing.assert_array_equal(one.number_count, two.number_count)
    np.testing.assert_allclose(one.title, two.title, atol=1e-3)
    np.testing.assert_allclose(one.opening, two.opening, atol=1e-3)
    np.testing.assert_allclose(one.headline, two.headline, atol=1e-3)
    np.testing.assert_allclose(one.amounts, two.amounts)
    assert (np.abs(one.opening - one.cosine) > 0.1).any()


def slowly_further(live: LiveProfiles, similarity: OnlineTfidf, pair: list[int]) -> list[float]:
    """Compare titles, openings and amounts of two articles, one word at a time."""
    vocabulary, words, opening, amounts = similarity._sketcher.vocabulary, [], [], []
    titles: list[dict[int, float]] = []
    years = set(vocabulary.years().tolist())
    for row in pair:
        lang, terms = live.lang[row], live.words[live.indptr[row] : live.indptr[row + 1]]
        idf = np.maximum(similarity._log_articles[lang] - similarity._log_seen[lang], 0)
        words.append([int(word) & 0xFFFFFF for word in terms if word >> 24 >= 128])
        opening.append({term: float(idf[term]) for term in words[-1]})
        title = live.title_terms[live.title_indptr[row] : live.title_indptr[row + 1]].tolist()
        titles.append({term: float(idf[term]) for term in title})
        numbers = {int(word) & 0xFFFFFF for word in terms if vocabulary.is_number[word & 0xFFFFFF]}
        amounts.append(numbers - years)
    headline = 0.0
    for title_of, at in zip(titles, words[::-1], strict=True):
        if sum(title_of.values()) > 0:
            held = sum(weight for term, weight in title_of.items() if term in at)
            headline += held / sum(title_of.values()) / 2
    common = len(amounts[0] & amounts[1]) / (min(map(len, amounts)) + 1)
    return [cosine_of(*titles), cosine_of(*opening), common, headline]


def cosine_of(one: dict[int, float], other: dict[int, float]) -> float:
    product = sum(weight * other.get(term, 0.0) for term, weight in one.items())
    squares = [sum(weight * weight for weight in side.values()) for side in (one, other)]
    return product / float(np.sqrt(squares[0] * squares[1])) if product > 0 else 0.0


@given(seed=st.integers(0, 2**32 - 1))
def test_titles_openings_and_amounts_are_those_of_the_slow_twin(
    sketched: tuple[Sketcher, Profiles], seed: int
) -> None:
    sketcher, profiles = sketched
    draw = np.random.default_rng(seed)
    # Two languages, whose words have other weights.
    profiles = replace(profiles, lang=draw.integers(0, 2, len(profiles)).astype(np.int16))
    live, similarity = grown(profiles, sketcher)
    pairs = draw.integers(0, len(profiles), (2, 20))
    pairs[0] = np.repeat(pairs[0, ::4], 4)
    found = similarity.further(*pairs)
    expected = [slowly_further(live, similarity, pair) for pair in pairs.T.tolist()]
    np.testing.assert_allclose(found.T, expected, rtol=1e-5)
    for room in (similarity._titled, similarity._marks, similarity._laid_out):
        assert not room.any()


def test_amounts_are_known_when_terms_arrive_or_change_their_numbers() -> None:
    sketcher = Sketcher()
    live = LiveProfiles.empty()
    similarity = OnlineTfidf(live, sketcher)
    for row, text in enumerate(["In 1999 came 12 men", "They met 47 others in 2003", "words only"]):
        part = sketcher.sketch([Article(str(row), text)])
        live.append(part)
        similarity.learn(part, row)
        words = sketcher.vocabulary.words
        known = similarity._amounts()[: len(sketcher.vocabulary)]
        assert {words[i] for i in np.flatnonzero(known).tolist()} <= {"12", "47"}
        assert known.sum() == min(row + 1, 2)
    similarity.renumber(np.arange(len(sketcher.vocabulary)), np.arange(3))
    assert similarity._amounts().sum() == 2


def test_idf_depends_on_what_was_counted_alone(
    sketched: tuple[Sketcher, Profiles], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not on the order, nor on the steps in which the weight of the prior falls."""
    sketcher, profiles = sketched
    monkeypatch.setattr(online_tfidf, "_STEP", 2)
    monkeypatch.setattr(online_tfidf, "_GROWN", 1000 + len(profiles))
    _, one = grown(profiles, sketcher)
    again = LiveProfiles.empty()
    again.append(profiles)
    other = OnlineTfidf(again, sketcher)
    other.learn(profiles, 0)
    first, second = (place.ravel() for place in np.indices((len(profiles),) * 2))
    np.testing.assert_array_equal(one.cosines(first, second), other.cosines(first, second))


def test_no_pairs(sketched: tuple[Sketcher, Profiles]) -> None:
    sketcher, profiles = sketched
    _, similarity = grown(profiles, sketcher)
    none = np.zeros(0, dtype=np.int64)
    assert len(similarity.cosines(none, none)) == 0
    assert not list(similarity.shared(none, none))


def test_bands_are_cut_as_in_the_batch(sketched: tuple[Sketcher, Profiles]) -> None:
    salience = sketched[1].salience
    for layout in (Layout(64, 2), Layout(96, 2), Layout(200, 2), Layout(42, 3)):
        slots = Buckets(layout)._slots
        for band in range(layout.bands):
            key = np.array([band_key(slots, band, signature) for signature in salience])
            expected = keys_of_band(salience, layout, band)
            np.testing.assert_array_equal(
                key[:, None] == key, expected[:, None] == expected, err_msg=f"band {band}"
            )


@given(st.lists(st.integers(0, 12), max_size=120), st.integers(1, 9))
def test_buckets_keep_the_latest(kinds: list[int], step: int) -> None:
    layout = Layout(3, 2)
    # Articles of one kind agree in every band, others in none.
    salience = np.array([[kind * 1000 + slot for slot in range(128)] for kind in kinds], np.uint32)
    salience = salience.reshape(-1, 128)
    buckets = Buckets(layout)
    before: dict[int, list[int]] = defaultdict(list)
    for start in range(0, len(kinds), step):
        rows = np.arange(start, min(start + step, len(kinds)))
        asking, found = buckets.find(salience, rows)
        for place, row in enumerate(rows.tolist()):
            assert found[asking == place].tolist() == before[kinds[row]][-WIDTH:]
        buckets.add(salience, rows)
        for row in rows.tolist():
            before[kinds[row]].append(row)
    again = Buckets(layout)
    again.rebuild(salience, np.arange(len(kinds)))
    assert met_by(again, salience) == met_by(buckets, salience)


def test_buckets_apart_are_found_with_the_others() -> None:
    rng = np.random.default_rng(0)
    salience = rng.integers(0, 9, (4000, 128), dtype=np.uint32)
    whole, parted = Buckets(Layout(3, 2)), Buckets(Layout(3, 2))
    for buckets in (whole, parted):
        buckets.rebuild(salience, np.arange(500))
    before = parted.arrays()[0].copy()
    expected = met_by(parted, salience)
    for start in range(500, 4000, 700):
        parted.add_apart(salience, np.arange(start, start + 700))
    np.testing.assert_array_equal(parted.arrays()[0], before)
    later = Buckets(Layout(3, 2))
    later.rebuild(salience, np.arange(500, 4000))
    assert met_by(parted, salience) == sorted({*expected, *met_by(later, salience)})
    assert parted.memory() > whole.memory()


def test_buckets_grow() -> None:
    rng = np.random.default_rng(0)
    salience = rng.integers(0, 2**32, (5000, 128), dtype=np.uint32)
    # Of every two neighbours the second shares the first twenty slots of the first.
    salience[1::2, :20] = salience[::2, :20]
    buckets = Buckets(Layout(64, 2))
    for start in range(0, 5000, 100):
        rows = np.arange(start, start + 100)
        buckets.add(salience, rows)
        if buckets.full:
            buckets.rebuild(salience, np.arange(start + 100))
    asking, found = buckets.find(salience, np.arange(1, 5000, 2))
    np.testing.assert_array_equal(np.unique(asking[found == 2 * asking]), np.arange(2500))
    # Few strangers share a ring and eight bits of the key.
    assert len(found) / 2500 < 64 + 10 + 5


def met_by(buckets: Buckets, salience: NDArray[np.uint32]) -> list[tuple[int, int]]:
    """Return who meets whom, wherever in the ring."""
    asking, found = buckets.find(salience, np.arange(len(salience)))
    return sorted(zip(asking.tolist(), found.tolist(), strict=True))


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.floats(0, 1, width=32), st.integers(0, 2)), max_size=20
    ),
    st.integers(0, 2**32 - 1),
)
def test_bars_rise_together_as_one_by_one(risers: list[tuple[int, float, int]], seed: int) -> None:
    draw = np.random.default_rng(seed)
    nearest = -np.sort(-draw.random((6, 3)).astype(np.float32), axis=1)
    highest, recurrence = nearest.copy(), np.full(6, 0.2)
    steps = [
        online_recurrence._enter(highest, recurrence, np.int64(row), value, often)
        for row, value, often in risers
    ]
    expected = set()
    for row, value in [(row, value) for row, value, often in risers for _ in range(often)]:
        if value > nearest[row, 2]:
            nearest[row] = sorted([*nearest[row].tolist(), value])[:0:-1]
            expected.add(row)
    rows = [row for row, _, _ in risers]
    noted = {row for row, step in zip(rows, steps, strict=True) if step > 0}
    risen = {row for row, step in zip(rows, steps, strict=True) if step > 1}
    assert noted == expected
    assert risen == set(np.flatnonzero(recurrence > 0.2).tolist())
    np.testing.assert_array_equal(highest, nearest)
    rose = np.isin(np.arange(6), list(expected))
    np.testing.assert_allclose(recurrence, np.where(rose, np.maximum(0.2, nearest[:, 2]), 0.2))


@given(seed=st.integers(0, 2**32 - 1))
def test_closeness_to_the_others_of_a_story(sketched: tuple[Sketcher, Profiles], seed: int) -> None:
    sketcher, profiles = sketched
    _, similarity = grown(profiles, sketcher)
    draw = np.random.default_rng(seed)
    rows = draw.permutation(len(profiles))[: draw.integers(1, 12)]
    expected = [
        sum(
            similarity.cosines(np.array([row]), np.array([other]))[0]
            for other in rows
            if other != row
        )
        for row in rows
    ]
    np.testing.assert_allclose(similarity.centrality(rows), expected, atol=1e-5)


def test_the_closeness_of_many_takes_little_memory(sketched: tuple[Sketcher, Profiles]) -> None:
    sketcher, profiles = sketched
    _, similarity = grown(profiles, sketcher)
    rows = np.tile(np.arange(len(profiles)), 300)
    tracemalloc.start()
    similarity.centrality(rows)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A cosine of each pair would be eight bytes.
    assert peak < len(rows) ** 2
