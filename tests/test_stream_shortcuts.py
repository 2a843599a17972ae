"""What the stream decides in one loop, or does not look at, against slow twins that look at all."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sahel_dedup import Article
from sahel_dedup.index import StoryIndex, candidates, engine, online_linkage, online_recurrence
from sahel_dedup.index.live import Live
from sahel_dedup.index.online_tfidf import ComparedPairs
from sahel_dedup.scoring import evidence
from sahel_dedup.scoring.background import GAP_DAYS, background_pairs
from sahel_dedup.scoring.copies import copies, fillings
from sahel_dedup.scoring.log_odds import least_cosine, rule_out
from sahel_dedup.scoring.recurrence import LOWEST_RECURRENCE

START = datetime(2024, 1, 1, tzinfo=UTC)
PLACES = ("Maradi", "Zinder", "Gao", "Kayes", "Mopti", "Segou", "Agadez", "Tahoua", "Kidal")
PERSONS = ("traders", "herders", "nurses", "judges", "drivers", "pupils", "miners", "farmers")
FORM = (
    "Prices of millet rose {0} percent to {1} francs in {place} on the {2} of the month while "
    "sorghum sold at {3}. Traders expect {4} tonnes, and {5} of {6} markets were open in {place}. "
)
TITLES = ("Market report for {place}", "UPDATE: Unrest in {place}", "{place}", "")


def bulletins(seed: int, size: int) -> list[Article]:
    """Write issues of bulletins, copies of some, and reports that have little in common."""
    draw, articles = random.Random(seed), list[Article]()
    for number in range(size):
        place = draw.choice(PLACES)
        words = FORM.format(*draw.sample(range(3, 60), 7), place=place).split()
        for _ in range(draw.choice((0, 1, 4, 30))):
            words[draw.randrange(len(words))] = draw.choice(PERSONS) + draw.choice(PLACES)
        if articles and draw.random() < 0.3:
            words = draw.choice(articles).text.split()
            words = words[: draw.randrange(len(words) * 3 // 4, len(words) + 1)]
        day = None if draw.random() < 0.15 else START + timedelta(hours=number * 4)
        title = draw.choice(TITLES).format(place=place)
        source = draw.choice(("Wire", "Radio", None))
        articles.append(Article(str(number), " ".join(words), title or None, day, source))
    return articles


def filled(seed: int, size: int = 60) -> Live:
    index = StoryIndex()
    index.add_many(bulletins(seed, size))
    return index._session.engine.live


def slowly_judged(
    live: Live, found: ComparedPairs, near: NDArray[np.bool_], far: NDArray[np.bool_]
) -> tuple[ComparedPairs, ComparedPairs, NDArray[np.bool_]]:
    """Divide compared pairs, one rule after the other."""
    p, first, second = live.profiles, found.first, found.second
    copy = copies(first, second, found.cosine, found.common, found.number_count, p)
    surviving = near & (found.cosine >= least_cosine(~np.isnan(p.day[first] - p.day[second])))
    background = far & background_pairs(
        first, second, found.common, copy, p.day, p.source, found.number_count
    )
    form = fillings(first, second, found.cosine, GAP_DAYS, p, live.similarity)
    background |= near & (form > 0)
    alike = np.where(form > 0, form, found.cosine)
    background &= alike > LOWEST_RECURRENCE
    order = np.lexsort((-alike, first))
    order = order[background[order]]
    met = replace(found, cosine=alike).where(order)
    return found.where(surviving), met, ~np.isin(met.first, first[copy])


@given(seed=st.integers(0, 2**32 - 1))
def test_pairs_are_divided_as_by_one_rule_after_the_other(seed: int) -> None:
    live, draw = filled(seed % 7), np.random.default_rng(seed)
    pairs = np.sort(draw.integers(0, len(live), (2, 80)), axis=0)
    second, first = pairs[:, np.argsort(pairs[1], kind="stable")]
    first, second = first[first != second], second[first != second]
    near, far = draw.random((2, len(first))) < 0.6
    found = live.similarity.compare(first.copy(), second.copy())
    # Equal cosines, which keep their order, and those at the bounds.
    found.cosine[:] = np.where(draw.random(len(first)) < 0.3, found.cosine.round(1), found.cosine)
    for one, other in zip(
        candidates.judge(live, found, near, far), slowly_judged(live, found, near, far), strict=True
    ):
        if isinstance(one, ComparedPairs):
            assert isinstance(other, ComparedPairs)
            for name in ("first", "second", "cosine", "common"):
                np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        else:
            np.testing.assert_array_equal(one, other)


def always(value: object) -> Callable[..., Any]:
    return lambda *_: value


def looking_at_all(settle: Callable[..., bool]) -> Callable[..., Any]:
    """Compare all background texts with each other, not only those that are recorded."""
    return lambda start, stop, pairs, fresh, look, *more: (
        not look and settle(start, stop, pairs, fresh, look, *more)
    )


def possible(first: NDArray[np.int64], *more: Any) -> tuple[NDArray[Any], ...]:
    """Rule out no pair by its wording alone."""
    _, *all_pairs = rule_out(first, *more)
    return np.arange(len(first)), *all_pairs


# What may be skipped, and a function that skips nothing.
SHORTCUTS = {
    "_set": (online_recurrence, looking_at_all(online_recurrence._set)),
    "_is_plain": (online_linkage, always(False)),
    "rule_out": (evidence, possible),
    "beside": (evidence.Pairs, lambda pairs, _: pairs),
    "doubtful": (engine, lambda _live, stories, _scored: stories),
}


def outcome(articles: list[Article], size: int) -> tuple[object, ...]:
    """Return all that a stream says and keeps."""
    index = StoryIndex()
    said = list(index.follow(articles, batch_size=size))
    said += [index.upsert(replace(a, text=a.text[: len(a.text) // 2])) for a in articles[::7]]
    live = index._session.engine.live
    n, s = len(live), live.standing
    kept = s.story[:n], s.duplicate_of[:n], s.nearest[:n], s.recurrence[:n]
    return said, index._session.engine.events, *(column.tolist() for column in kept)


@pytest.mark.parametrize("name", SHORTCUTS)
@pytest.mark.parametrize("size", [1, 16])
def test_what_is_skipped_changes_nothing(
    name: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, slow = SHORTCUTS[name]
    for seed in range(6):
        articles = bulletins(seed, 120)
        quick = outcome(articles, size)
        with monkeypatch.context() as patch:
            patch.setattr(module, name, slow)
            assert outcome(articles, size) == quick
