"""Conflicts: numbers, dates and names that differ between similarly worded texts."""

from __future__ import annotations

import dataclasses
import itertools
import string
from collections.abc import Iterator

import pytest

from sahel_dedup import Article, SahelError, cluster
from sahel_dedup.batch import Archive
from sahel_dedup.explain.conflicts import Conflict, find_conflicts
from sahel_dedup.explain.confusable_names import confusable_names
from sahel_dedup.explain.document import Weigher, read_document
from sahel_dedup.explain.explanation import explain
from sahel_dedup.explain.sentence_alignment import align
from sahel_dedup.settings import Settings

TOLD = "Gunmen killed 12 soldiers in {} on 3 June, the army said in a statement from Bamako."


def conflicts(one: str, other: str, lang: str = "en") -> list[tuple[str, str, str]]:
    found = find_conflicts(Article("a", one, lang=lang), Article("b", other, lang=lang))
    return [(conflict.kind, conflict.first, conflict.second) for conflict in found]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("killed 12 soldiers", "killed 47 soldiers",
         [("quantity", "killed 12 soldiers", "killed 47 soldiers")]),
        ("on 3 June", "on 9 June", [("quantity", "3 June", "9 June")]),
        ("in Nioro", "in Niono", [("name", "Nioro", "Niono")]),
        ("in Nioro", "in Nioro", []),
        # Spelling, and an ending.
        ("in Nioro", "in Nyoro", []),
        ("in Nioro", "in Niorro", []),
        ("in Nioro", "in Niore", []),
        ("in Nioro", "in Bandiagara", []),
        # No name: it is written small. And a name that both texts hold.
        ("in Nioro", "in niono", []),
        ("statement from Bamako", "statement from Bamako, not from Nioro", []),
    ],
)  # fmt: skip
def test_conflicts(one: str, other: str, expected: list[tuple[str, str, str]]) -> None:
    text = TOLD.format("Nioro")
    assert one in text
    assert conflicts(text, text.replace(one, other)) == expected
    assert conflicts(text.replace(one, other), text) == [
        (kind, second, first) for kind, first, second in expected
    ]


def test_a_name_in_both_texts_is_no_look_alike() -> None:
    text = TOLD.format("Nioro")
    assert conflicts(text, TOLD.format("Niono") + " Calm held at Nioro.") == []


def test_names_elsewhere_are_not_compared() -> None:
    one = TOLD.format("Nioro") + " Fishermen sold their catch at Fanaye market."
    other = TOLD.format("Nioro") + " The minister opened a school for Fanage pupils."
    assert conflicts(one, other) == []


@pytest.mark.parametrize("name", ["İIII", "ẞaßa", "Éé\u0301éé", "A" * 5000])
def test_strange_letters(name: str) -> None:
    assert conflicts(TOLD.format(name), TOLD.format(name)) == []
    assert len(conflicts(TOLD.format(name), TOLD.format(name[:-1] + "q"))) <= 1


class CountedPairs(frozenset[tuple[int, int]]):
    """Pairs of sentences that count how often they are asked for."""

    asked = 0

    def __contains__(self, pair: object) -> bool:
        self.asked += 1
        return super().__contains__(pair)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        self.asked += len(self)
        return super().__iter__()


def test_few_of_many_names_are_compared() -> None:
    # One sentence of thousands of names, of which a third are a letter away from another.
    names = [f"In Na{a}{b}{c}" for a, b, c in itertools.product(string.ascii_lowercase, repeat=3)]
    weigher = Weigher()
    asked = []
    for many in (1500, 3000):
        one, other = (
            read_document(" ".join(names[:many] + names[many + i : 2 * many : 2]), weigher)
            for i in (0, 1)
        )
        alignment = align(one, other)
        pairs = CountedPairs(alignment.pairs)
        assert confusable_names(one, other, dataclasses.replace(alignment, pairs=pairs))
        asked.append(pairs.asked)
    # Three hundred names of each text, however many there are.
    assert asked[0] == asked[1] <= 300 * 300


@pytest.fixture(scope="module")
def articles() -> list[Article]:
    text = TOLD.format("Nioro") + " It was the fourth attack on the camp since the rains began."
    texts = [text, text.replace("12 soldiers", "47 soldiers"), "Rain fell on the millet fields."]
    return [Article(str(i), text, source=f"outlet {i}", lang="en") for i, text in enumerate(texts)]


def test_the_pair_record_says_so(articles: list[Article]) -> None:
    stories = cluster(articles)
    expected = (Conflict("quantity", "killed 12 soldiers", "killed 47 soldiers"),)
    with pytest.deprecated_call(match="find_conflicts"):
        (link,) = stories.pairs(conflicts=True)
    assert link.conflicts == expected
    with pytest.deprecated_call(match="find_conflicts"):
        assert stories.weakest_links(conflicts=True) == [link]
    (silent,) = stories.pairs()
    assert silent.conflicts is None
    told = explain(articles[0], articles[1])
    assert told.conflicts == expected
    assert told.to_dict()["conflicts"] == [
        {"kind": "quantity", "first": "killed 12 soldiers", "second": "killed 47 soldiers"}
    ]


def test_without_texts(articles: list[Article]) -> None:
    stories = Archive.read(articles, Settings(), lambda *_: None).stories()
    with pytest.raises(SahelError, match="texts were not kept"):
        stories.explain("0", "1")
