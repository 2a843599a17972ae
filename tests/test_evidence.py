"""Evidence: bounded, symmetric, and robust to missing values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sahel_dedup import Article, Settings, cluster
from sahel_dedup.batch import Archive
from sahel_dedup.scoring.evidence import Evidence, Pairs
from sahel_dedup.scoring.features import (
    FEATURES,
    RANGES,
    UNKNOWN_OUTLET,
    compare_numbers,
    measure,
)
from sahel_dedup.scoring.log_odds import FLOOR, LIMIT
from sahel_dedup.scoring.recurrence import recurrence_scores
from sahel_dedup.scoring.tfidf import Similarity

WINDOW = 7.0
DAY = datetime(2025, 7, 1, tzinfo=UTC)
TEXTS = (
    "",
    "Gunmen attacked the army camp at Tessarit on Monday, killing nine soldiers.",
    "Nine soldiers were killed on Monday when gunmen attacked the army camp at Tessarit.",
    "Millet prices rose by 12 percent in Maradi, to 310 francs a kilo, traders said.",
)
ARTICLES = st.lists(
    st.builds(
        Article,
        id=st.uuids().map(str),
        text=st.sampled_from(TEXTS),
        title=st.none() | st.sampled_from((*TEXTS, f"UPDATE 2-{TEXTS[1]}", f"LIVE: {TEXTS[3]}")),
        published=st.none() | st.integers(0, 20).map(lambda days: DAY + timedelta(days=days)),
        source=st.none() | st.sampled_from(["Wire", "Daily"]),
    ),
    min_size=1,
    max_size=6,
)


def scored(articles: list[Article]) -> tuple[Archive, Evidence, Similarity]:
    archive = Archive.read(articles, Settings(), lambda *_: None)
    similarity = Similarity(archive.profiles, archive.sketcher)
    everything = np.arange(len(archive.profiles))
    recurrence = recurrence_scores(
        archive.profiles, everything, similarity, archive.settings.layout
    )
    return archive, Evidence(archive.profiles, similarity, recurrence, archive.settings), similarity


@given(ARTICLES)
def test_scores_are_bounded_symmetric_and_ruled_by_the_window(articles: list[Article]) -> None:
    archive, evidence, similarity = scored(articles)
    first, second = np.triu_indices(len(articles), 1)
    pairs, turned = evidence.score_pairs(first, second), evidence.score_pairs(second, first)
    assert np.isfinite(pairs.score).all()
    assert pairs.score == pytest.approx(turned.score, abs=1e-5)
    day = archive.profiles.day
    apart = np.abs(day[first] - day[second]) > WINDOW
    assert (pairs.score[apart] == -LIMIT).all()
    assert ((pairs.score[~apart] >= FLOOR) & (pairs.score[~apart] <= LIMIT)).all()
    cosine = similarity.cosines(first, second)
    assert np.maximum(cosine, 0.01) == pytest.approx(np.maximum(pairs.cosine, 0.01), abs=1e-5)


@given(ARTICLES)
def test_every_piece_is_told(articles: list[Article]) -> None:
    _, evidence, _ = scored(articles)
    first, second = np.triu_indices(len(articles), 1)
    blocks = evidence.features(first, second)
    assert sum(len(features) for _, features in blocks) == len(first)
    assert all(features.shape[1] == len(FEATURES) for _, features in blocks)
    assert all(np.isfinite(features).all() for _, features in blocks)


@given(ARTICLES)
def test_strangers_are_weighed_as_anyone(articles: list[Article]) -> None:
    _, evidence, similarity = scored(articles)
    first, second = np.triu_indices(len(articles), 1)
    pairs, fast = evidence.score_pairs(first, second), evidence.score_unlikely_pairs(first, second)
    assert fast.score == pytest.approx(pairs.score, abs=1e-6)
    assert fast.cosine == pytest.approx(pairs.cosine, abs=1e-6)
    most = evidence.most(first, second, similarity.cosines(first, second))
    assert (most.clip(FLOOR, LIMIT) >= pairs.score - 1e-6).all()


WITHIN_OUTLET = ("same_outlet", "other_length", "untitled", "numbers_conflicting")


def within_outlet(one: Article, other: Article) -> dict[str, float]:
    """Measure what counts within one outlet, and the rest."""
    _, evidence, _ = scored([one, other])
    ((_, (row,)),) = evidence.features(np.array([0]), np.array([1]))
    found = dict(zip(FEATURES, row.tolist(), strict=True))
    return {name: found[name] for name in WITHIN_OUTLET}


@pytest.mark.parametrize(
    ("sources", "dates", "chance"),
    [
        (("Wire", "Wire"), (DAY, DAY), 1),
        (("Wire", "Daily"), (DAY, DAY), 0),
        (("Wire", None), (DAY, DAY), UNKNOWN_OUTLET),
        ((None, "Wire"), (DAY, DAY), UNKNOWN_OUTLET),
        ((None, None), (DAY, DAY), UNKNOWN_OUTLET),
        ((None, None), (DAY, None), UNKNOWN_OUTLET),
        (("Wire", "Wire"), (None, None), 1),
        ((None, "Wire"), (None, None), UNKNOWN_OUTLET),
        ((None, None), (None, None), 0),
    ],
)
def test_what_counts_within_an_outlet_counts_in_part_if_an_outlet_is_unknown(
    sources: tuple[str | None, str | None],
    dates: tuple[datetime | None, datetime | None],
    chance: float,
) -> None:
    texts = (
        "Rates at noon: maize 310 francs a kilo, millet 220 francs, rice 415 francs.",
        "Rates at noon: maize 298 francs a kilo, millet 231 francs, rice 420 francs, said traders.",
    )

    def found(outlets: Sequence[str | None]) -> dict[str, float]:
        one, other = (
            Article(text, text, published=date, source=outlet)
            for text, date, outlet in zip(texts, dates, outlets, strict=True)
        )
        return within_outlet(one, other)

    whole = found(("Wire", "Wire"))
    if dates == (DAY, DAY):
        assert all(whole.values())
    assert found(sources) == pytest.approx({name: chance * x for name, x in whole.items()})


def test_a_copy_in_an_unknown_outlet_is_one_in_another_outlet() -> None:
    one = Article("a", TEXTS[1] + TEXTS[3], title="Raid", published=DAY, source="Wire")
    other = Article("b", TEXTS[1] + " " + TEXTS[3], title="Raid", published=DAY)
    assert set(within_outlet(one, other).values()) == {0.0}
    again = Article("c", other.text, title="Raid", published=DAY, source="Wire")
    assert within_outlet(one, again)["same_outlet"] == 1


def measured(one: Article, other: Article) -> dict[str, float]:
    """Measure two articles by all features."""
    _, evidence, _ = scored([one, other])
    ((_, (row,)),) = evidence.features(np.array([0]), np.array([1]))
    return dict(zip(FEATURES, row.tolist(), strict=True))


RAIDS = (
    "Gunmen killed 47 soldiers in a raid on the camp at Tessarit on Monday, the governor said.",
    "A raid on the camp at Tessarit on Monday killed 31 soldiers, said officers and a nurse.",
)


@pytest.mark.parametrize("mark", ["", "UPDATE 1-"])
def test_titles_and_numbers_of_a_revision_count_less(mark: str) -> None:
    one, other = (
        Article(text, text, title=title, published=DAY)
        for text, title in zip(RAIDS, (f"{mark}Raid on the camp", "Raid on the camp"), strict=True)
    )
    found = measured(one, other)
    assert found["numbers_apart"] == pytest.approx(0 if mark else 1 / 3)
    # All of a title in the opening of the other counts no more than most of it.
    assert found["headline"] == pytest.approx(0 if mark else RANGES["headline"][1])
    assert found["title"] > 0


def test_a_missing_title_is_like_no_other() -> None:
    one, other = (
        Article(text, text, title=title, published=DAY)
        for text, title in zip(RAIDS, ("Raid on the camp", None), strict=True)
    )
    assert {measured(*pair)[name] for pair in ((one, other), (other, one))
            for name in ("title", "headline")} == {0.0}  # fmt: skip


@pytest.mark.parametrize(("date", "shared"), [(DAY, 0.0), (None, 1 / 2)])
def test_a_year_in_common_counts_without_dates(date: datetime | None, shared: float) -> None:
    texts = (
        "Gunmen killed soldiers in a raid on the camp at Tessarit in 2019, with 8 or 9 guns.",
        "The camp at Tessarit was built in 2019, said officers and a nurse.",
    )
    one, other = (Article(text, text, published=date) for text in texts)
    assert measured(one, other)["numbers_shared"] == pytest.approx(shared)
    assert measured(other, one)["numbers_shared"] == pytest.approx(shared)


def test_both_articles_must_recur() -> None:
    archive, _, _ = scored([Article(text, text) for text in RAIDS])
    for others, expected in ((0.2, 0.0), (0.4, math.log(0.4 / 0.3))):
        pair = np.array([0]), np.array([1]), np.array([0.5])
        for recurrence in ([0.6, others], [others, 0.6]):
            row = measure(*pair, np.array(recurrence), archive.profiles, 100)[0]
            assert row[FEATURES.index("recurring")] == pytest.approx(expected)


def release(news: str, title: str, more: str = "") -> Article:
    about = (
        "About Halvor Grid. Halvor Grid is a leading provider of storage systems for utilities "
        "and industry with customers in many countries. The company has its headquarters in "
        "Larvik and employs engineers on every continent. This release contains statements about "
        "the future that are based on present plans. Results may differ materially from them, and "
        "the company does not undertake to correct what it has said here. Please write to the "
        "press office of the company or visit its pages for pictures that may be printed freely."
    )
    return Article(news, f"{news} {about} {more}", title=title, published=DAY, lang="en")


ORDER = release(
    "Halvor Grid won an order for a battery park near Albacete, to be delivered in autumn. The "
    "Spanish utility Levante pays 71 million euros for it. Rivals from Korea had made offers too, "
    "and drought in the province had delayed the decision of its council by half a year.",
    "Order for a battery park near Albacete",
)
FINANCE = release(
    "Halvor Grid named Philippe Garnier as finance chief, who comes from a maker of cables. He "
    "follows Anne Lund, 62, who retires in May after nine years. More than thirty candidates had "
    "been interviewed, and the board of directors chose him with one voice, its chairman said.",
    "Philippe Garnier becomes finance chief",
)
AGAIN = release(
    "Halvor Grid will deliver batteries for a park near Albacete, an order worth 71 million euros. "
    "The Spanish utility Levante had offers from rivals in Korea as well. The council of the "
    "province, where there was a drought, took half a year longer than planned to decide.",
    "Halvor Grid to build park near Albacete",
)


@pytest.mark.parametrize(("other", "form"), [(FINANCE, True), (AGAIN, False), (ORDER, False)])
def test_two_fillings_of_a_form_recur_without_others(other: Article, form: bool) -> None:
    assert (measured(ORDER, replace(other, id="other"))["recurring"] > 0) is form


def test_numbers_of_a_copy_do_not_disagree() -> None:
    archive, _, _ = scored([Article(text, text) for text in RAIDS])
    t, copy, apart = archive.profiles, np.array([True, False]), np.zeros(2)
    first, second = np.array([0, 0]), np.array([1, 1])
    compare_numbers(
        first, second, t.source, t.day, t.number_contexts, t.opening_numbers, copy,
        np.zeros(2, dtype=np.int64), apart,
    )  # fmt: skip
    assert apart.tolist() == [0.0, 1 / 3]


def test_more_alike_is_more_likely() -> None:
    texts = (TEXTS[1], TEXTS[2], TEXTS[3])
    _, evidence, _ = scored([Article(str(n), text) for n, text in enumerate(texts)])
    first, second = np.array([0, 0]), np.array([1, 2])
    reworded, strange = evidence.score_pairs(first, second).score
    assert reworded > 0 > strange


def test_what_is_told_of_a_pair_adds_up(wire: list[dict[str, Any]]) -> None:
    stories = cluster(wire)
    for link in [*stories.weakest_links(20), *list(stories.pairs())[:20]]:
        told = stories.explain(link.first, link.second).breakdown
        assert told is not None
        total = sum(told.pieces.values())
        assert np.clip(total, FLOOR, LIMIT) == pytest.approx(told.score, abs=1e-6)
        assert told.similarity == pytest.approx(link.similarity, abs=1e-6)


def test_pairs_are_cut_and_joined() -> None:
    one = Pairs(np.array([0, 1]), np.array([2, 3]), np.array([0.5, 0.6]), np.array([1.0, -1.0]))
    both = Pairs.concatenate([one, one.where(np.array([True, False]))])
    assert both.first.tolist() == [0, 1, 0]
    assert both.score.tolist() == [1.0, -1.0, 1.0]
    assert len(Pairs.concatenate([])) == 0


def test_no_piece_of_evidence_is_a_negative_zero() -> None:
    rows = [
        {"id": name, "text": f"Gunmen attacked the camp at {place} on Monday, the governor said."}
        for name, place in (("a", "Tessarit"), ("b", "Tessalit"))
    ]
    told = cluster(rows).explain("a", "b").breakdown
    assert told is not None
    assert not any(math.copysign(1, value) < 0 for value in told.pieces.values() if value == 0)
