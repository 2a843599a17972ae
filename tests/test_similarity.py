"""Cosines against dictionaries, and against scikit-learn."""

from __future__ import annotations

import itertools
import math
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics.pairwise import cosine_similarity

from sahel_dedup.articles import Article
from sahel_dedup.scoring.copies import COPY_COSINE
from sahel_dedup.scoring.tfidf import Similarity
from sahel_dedup.sketch.profiles import MAX_KEPT, OPENING, Profiles
from sahel_dedup.sketch.sketcher import LEAD_TOKENS, OPENING_TOKENS, Sketcher, count_tokens
from sahel_dedup.text.idf_prior import PRIOR_ARTICLES
from sahel_dedup.text.tokenizer import tokenize

WORDS = ["kayes", "nioro", "attack", "army", "the", "of", "in", "killed", "12", "47", "3.5", "june",
         "gouvernement", "les", "pluie", "armée", "政变", "الجيش", "1899", "1900", "2099", "2100",
         "٢٠٢٤"]  # fmt: skip
YEARS = {str(year) for year in range(1900, 2100)}
TEXT = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join)
ARTICLES = st.lists(
    st.tuples(TEXT, st.none() | TEXT, st.sampled_from(["en", "fr", None])), min_size=1, max_size=7
)


def sketched(rows: list[tuple[str, str | None, str | None]]) -> tuple[Profiles, Sketcher]:
    sketcher = Sketcher()
    articles = [Article(str(n), text, title, lang=lang)
                for n, (text, title, lang) in enumerate(rows)]  # fmt: skip
    return sketcher.sketch(articles), sketcher


def bag(profiles: Profiles, row: int) -> dict[int, int]:
    """Return the count of each term of an article."""
    places = slice(profiles.indptr[row], profiles.indptr[row + 1])
    counts = profiles.counts[places] & MAX_KEPT
    return dict(zip(profiles.terms[places].tolist(), counts.tolist(), strict=True))


def opening_bag(profiles: Profiles, row: int) -> dict[int, int]:
    places = slice(profiles.indptr[row], profiles.indptr[row + 1])
    return dict.fromkeys(profiles.terms[places][profiles.counts[places] >= OPENING].tolist(), 1)


def title_bag(profiles: Profiles, row: int) -> dict[int, int]:
    places = slice(profiles.title_indptr[row], profiles.title_indptr[row + 1])
    return dict.fromkeys(profiles.title_terms[places].tolist(), 1)


class SlowSimilarity:
    """TF-IDF with dictionaries, as the module's own words describe it."""

    def __init__(self, profiles: Profiles, sketcher: Sketcher) -> None:
        self.bags = [bag(profiles, row) for row in range(len(profiles))]
        self.titles = [title_bag(profiles, row) for row in range(len(profiles))]
        self.openings = [opening_bag(profiles, row) for row in range(len(profiles))]
        self.lang = profiles.lang.tolist()
        every = np.arange(len(sketcher.vocabulary))
        self.prior = {lang: np.exp(sketcher.vocabulary.prior_idf(name, every) / -64)
                      for name, lang in sketcher.langs.items()}  # fmt: skip

    def idf(self, lang: int, term: int) -> float:
        bags = [b for b, other in zip(self.bags, self.lang, strict=True) if other == lang]
        df = sum(term in b for b in bags)
        pseudo = PRIOR_ARTICLES + 1
        return max(0.0, math.log((len(bags) + pseudo) / (df + pseudo * self.prior[lang][term])))

    def vector(self, counts: dict[int, int], lang: int) -> dict[int, float]:
        return {t: math.log1p(count) * self.idf(lang, t) for t, count in counts.items()}

    def cosine(self, bags: list[dict[int, int]], i: int, j: int) -> float:
        one, other = self.vector(bags[i], self.lang[i]), self.vector(bags[j], self.lang[j])
        norms = math.hypot(*one.values()) * math.hypot(*other.values())
        shared = sum(one[term] * other[term] for term in one.keys() & other.keys())
        return shared / norms if norms else 0.0

    def headline(self, i: int, j: int) -> float:
        """Mean part of the terms of a title that are in the other's opening, by their IDF."""
        parts = []
        for one, other in ((i, j), (j, i)):
            idf = {term: self.idf(self.lang[one], term) for term in self.titles[one]}
            held = sum(idf[term] for term in idf.keys() & self.openings[other].keys())
            parts.append(held / sum(idf.values()) if sum(idf.values()) else 0.0)
        return sum(parts) / 2

    def amounts(self, i: int, j: int, words: Sequence[str]) -> float:
        """Part of the numbers that are not years, of the article with fewer, that both have."""
        one, other = (
            {t for t in self.bags[row] if words[t][0].isdigit() and words[t] not in YEARS}
            for row in (i, j)
        )
        return len(one & other) / (min(len(one), len(other)) + 1)


def jaccard(one: str, other: str) -> float:
    """Jaccard similarity of the three-word shingles of two texts."""
    sets = []
    for text in (one, other):
        words = text.split()
        sets.append({tuple(words[at : at + 3]) for at in range(max(1, len(words) - 2))})
    return len(sets[0] & sets[1]) / len(sets[0] | sets[1])


def all_pairs(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    first, second = np.array(list(itertools.product(range(n), repeat=2)), dtype=np.int64).T
    return first, second


@given(ARTICLES)
def test_cosines_are_those_of_the_slow_twin(rows: list[tuple[str, str | None, str | None]]) -> None:
    profiles, sketcher = sketched(rows)
    slow = SlowSimilarity(profiles, sketcher)
    first, second = all_pairs(len(rows))
    fast = Similarity(profiles, sketcher)
    ((_, shared),) = fast.shared(first, second)
    figure, words = sketcher.vocabulary.is_number, sketcher.vocabulary.words[:]
    for pair, (i, j) in enumerate(zip(first.tolist(), second.tolist(), strict=True)):
        expected = slow.cosine(slow.bags, i, j)
        if shared.cosine[pair] == COPY_COSINE:
            # Near copies whose words all are common; the vectors' grid has no such value.
            assert expected < COPY_COSINE
            assert jaccard(*(rows[at][0] or rows[at][1] or "" for at in (i, j))) >= 0.5
        else:
            assert shared.cosine[pair] == pytest.approx(expected, abs=1e-3)
        expected = slow.cosine(slow.titles, i, j)
        assert shared.title[pair] == pytest.approx(expected, abs=1e-3)
        expected = slow.cosine(slow.openings, i, j)
        assert shared.opening[pair] == pytest.approx(expected, abs=1e-3)
        assert shared.headline[pair] == pytest.approx(slow.headline(i, j), abs=1e-3)
        assert shared.amounts[pair] == pytest.approx(slow.amounts(i, j, words))
        both = slow.bags[i].keys() & slow.bags[j].keys()
        assert shared.number_count[pair] == sum(bool(figure[term]) for term in both)
    assert fast.cosines(first, second) == pytest.approx(shared.cosine, abs=1e-6)


@given(ARTICLES)
def test_cosines_behave(rows: list[tuple[str, str | None, str | None]]) -> None:
    profiles, sketcher = sketched(rows)
    first, second = all_pairs(len(rows))
    cosine = Similarity(profiles, sketcher).cosines(first, second).reshape(len(rows), len(rows))
    assert (cosine >= 0).all()
    assert (cosine <= 1 + 1e-6).all()
    assert cosine == pytest.approx(cosine.T, abs=1e-6)
    words = np.diff(profiles.indptr) > 0
    assert np.diag(cosine)[~words].max(initial=0) == 0


def test_cosines_are_those_of_scikit_learn(wire: list[dict[str, Any]]) -> None:
    sketcher = Sketcher()
    profiles = sketcher.sketch([Article.from_mapping(row | {"lang": "en"}) for row in wire])
    n = len(profiles)
    idf = np.zeros(len(sketcher.vocabulary))
    df = np.bincount(profiles.terms, minlength=len(idf))
    prior = np.exp(sketcher.vocabulary.prior_idf("en", np.arange(len(idf))) / -64)
    idf = np.log((n + PRIOR_ARTICLES + 1) / (df + prior * (PRIOR_ARTICLES + 1))).clip(0)
    vectors = np.zeros((n, len(idf)))
    for row in range(n):
        counts = bag(profiles, row)
        vectors[row, list(counts)] = np.log1p(list(counts.values())) * idf[list(counts)]
    first, second = all_pairs(n)
    found = Similarity(profiles, sketcher).cosines(first, second).reshape(n, n)
    assert found == pytest.approx(cosine_similarity(vectors), abs=2e-3)


def test_pairs_by_the_block_are_those_one_by_one(wire: list[dict[str, Any]]) -> None:
    sketcher = Sketcher()
    profiles = sketcher.sketch([Article.from_mapping(row) for row in wire])
    similarity = Similarity(profiles, sketcher)
    draw = np.random.default_rng(1)
    first, second = draw.integers(0, len(profiles), (2, 20_000))
    cosine = similarity.cosines(first, second)
    assert len(cosine) == 20_000
    for pair in range(0, 20_000, 1999):
        alone = similarity.cosines(first[pair : pair + 1], second[pair : pair + 1])
        assert cosine[pair] == pytest.approx(alone[0], abs=1e-6)
    # Sorted by the first article each has many partners, which is another way to multiply.
    order = np.argsort(first, kind="stable")
    assert (similarity.cosines(first[order], second[order]) == cosine[order]).all()
    nothing = np.zeros(0, dtype=np.int64)
    assert len(similarity.cosines(nothing, nothing)) == 0


# What the vectors are made of ---------------------------------------------------------


@given(TEXT, st.none() | TEXT, st.integers(0, 3))
def test_counts_are_those_of_the_words(text: str, title: str | None, repeats: int) -> None:
    text = " ".join([text] * (1 + 10 * repeats))
    profiles, sketcher = sketched([(text, title, "en")])
    heading, body = ([t.words(np.arange(len(t.hashes))) for t in (tokenize([title or ""]),
                                                                   tokenize([text]))])  # fmt: skip
    expected: dict[str, int] = {}
    for place, word in enumerate([*heading, *body]):
        weight = 2 if place < len(heading) + LEAD_TOKENS else 1
        expected[word] = min(int(MAX_KEPT), expected.get(word, 0) + weight)
    words = sketcher.vocabulary.words
    assert {words[term]: count for term, count in bag(profiles, 0).items()} == expected
    assert {words[term] for term in title_bag(profiles, 0)} == set(heading)
    assert profiles.length.tolist() == [len(heading) + len(body)]


@given(ARTICLES, st.randoms(use_true_random=False))
def test_profiles_in_parts_are_the_profiles_together(
    rows: list[tuple[str, str | None, str | None]], draw: random.Random
) -> None:
    sketcher = Sketcher()
    articles = [Article(str(n), text, title, lang=lang)
                for n, (text, title, lang) in enumerate(rows)]  # fmt: skip
    whole = sketcher.sketch(articles)
    parts = Profiles.concatenate([sketcher.sketch([article]) for article in articles])
    order = list(range(len(rows)))
    draw.shuffle(order)
    taken = whole.take(np.array(order, dtype=np.int64))
    for row, source in enumerate(order):
        assert bag(parts, row) == bag(whole, row)
        assert bag(taken, row) == bag(whole, source)
        assert title_bag(taken, row) == title_bag(whole, source)
        for name in ("salience", "shingles", "body", "headline", "lang", "length"):
            assert (getattr(parts, name)[row] == getattr(whole, name)[row]).all()
            assert (getattr(taken, name)[row] == getattr(whole, name)[source]).all()


NUMBERS = st.lists(st.integers(0, 9), max_size=8)


@given(st.lists(st.tuples(NUMBERS, NUMBERS), max_size=5), st.sampled_from([1, 2**28, 2**31 - 10]))
def test_terms_are_counted_whatever_their_numbers(
    articles: list[tuple[list[int], list[int]]], first: int
) -> None:
    texts = [(title, text * 20) for title, text in articles]
    parts = [part for pair in texts for part in pair]
    numbers = np.array([first + number for part in parts for number in part], dtype=np.int32)
    offsets = np.cumsum([0, *map(len, parts)])
    terms, counts, kept, indptr = count_tokens(numbers, first + 10, offsets)
    rows = [2 * title + text + text[:LEAD_TOKENS] for title, text in texts]
    rows += [title for title, _ in texts]
    for row, own in enumerate(rows):
        expected = Counter(first + number for number in own)
        span = slice(indptr[row], indptr[row + 1])
        assert list(zip(terms[span].tolist(), counts[span].tolist(), strict=True)) == sorted(
            expected.items()
        )
        title, text = texts[row % len(texts)]
        first_words = {first + number for number in title + text[:OPENING_TOKENS]}
        assert (kept[span] & MAX_KEPT == np.minimum(counts[span], MAX_KEPT)).all()
        marked = set(terms[span][kept[span] & OPENING > 0].tolist())
        assert marked == (first_words if row < len(texts) else set())
