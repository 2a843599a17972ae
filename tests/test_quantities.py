"""Quantities and negations: where two texts agree, and where they do not."""

from __future__ import annotations

import pytest

from sahel_dedup.explain.document import Weigher, read_document
from sahel_dedup.explain.negation import find_negations
from sahel_dedup.explain.quantities import Quantities, compare_quantities, find_quantities
from sahel_dedup.explain.sentence_alignment import align
from sahel_dedup.text.number_tables import fold


def values(text: str, lang: str | None = None) -> list[str]:
    return [
        quantity.value
        for quantity in find_quantities(read_document(text, Weigher(None, lang)), lang)
    ]


def compare(a: str, b: str, lang: str = "en") -> Quantities:
    weigher = Weigher(None, lang)
    one, other = read_document(a, weigher), read_document(b, weigher)
    return compare_quantities(one, other, align(one, other), lang)


def conflicts(a: str, b: str, lang: str = "en") -> list[tuple[str, str]]:
    return [(pair.a.value, pair.b.value) for pair in compare(a, b, lang).conflicts]


@pytest.mark.parametrize(
    ("text", "lang", "expected"),
    [
        ("1,200 men, 12,000,000 francs and 3.5 percent", "en", ["1200", "12000000", "3.5"]),
        ("at 7:30 on 2025-07-01 it was 2-1", "en", ["7:30", "2025-07-01", "2-1"]),
        ("Seven positions and fourteen trucks", "en", ["7", "14"]),
        ("seven positions", None, ["7"]),
        ("twenty-one dead, the 2nd A320 and 4x4s", "en", ["21"]),
        ("one hundred and five of a dozen", "en", ["105"]),
        ("sept positions, dix-sept camions et 3,5 %", "fr", ["7", "17", "3.5"]),
        ("once personas", "es", ["11"]),
        ("once again", "en", []),
        ("مقتل ١٢ جنديا و٤٧ جريحا", "ar", ["12", "47"]),
        ("مقتل واحد وثلاثين", "ar", ["31"]),
        ("12 000 déplacés, quatre-vingt-onze morts", "fr", ["12000", "91"]),
        ("造成12人死亡，47人受伤", "zh", ["12", "47"]),
    ],
)
def test_figures_are_read(text: str, lang: str | None, expected: list[str]) -> None:
    assert values(text, lang) == expected


def test_the_date_of_filing_is_no_figure() -> None:
    assert values("BAMAKO, March 4 (SWS) - At least 14 soldiers died on March 3.") == ["14", "3"]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("Gunmen left 12 killed in Gao.", "Gunmen left 47 killed in Gao.", [("12", "47")]),
        ("The raid was on 3 June.", "The raid was on 9 June.", [("3", "9")]),
        ("The raid was on June 3.", "The raid was on June 9.", [("3", "9")]),
        ("Seven positions were hit.", "Nine positions were hit.", [("7", "9")]),
        ("Seven positions were hit.", "7 positions were hit.", []),
        # The figure stands elsewhere: an earlier toll is repeated, not contradicted.
        ("The blast killed 12.", "The blast killed 14, up from 12.", []),
        # Neither counts the same thing, nor do the sentences tell the same.
        ("They fired 12 shells at Gao.", "They burned 47 trucks at Gao.", []),
        ("It rained for 12 days in Oslo.", "Elephants slept for 47 days.", []),
    ],
)
def test_conflicts(a: str, b: str, expected: list[tuple[str, str]]) -> None:
    assert conflicts(a, b) == expected


def test_common_and_lone_figures() -> None:
    a = "The army said seven of its positions were hit. It killed 80 gunmen, it said."
    b = "The army said 7 of its positions were hit. No toll was given."
    found = compare(a, b)
    assert [(pair.a.phrase.of(a), pair.b.phrase.of(b)) for pair in found.common] == [
        ("seven of its positions", "7 of its positions")
    ]
    assert [quantity.phrase.of(a) for quantity in found.only_a] == ["killed 80 gunmen"]
    assert found.only_b == ()


def test_a_toll_that_rises_is_shown_with_the_one_it_replaces() -> None:
    a = "An attack on the market of Tonka on Friday killed 23 civilians, the army said."
    b = "The toll of the attack on the market of Tonka has risen to 31, the army said, from the 23."
    found = compare(a, b)
    assert [(pair.a.phrase.of(a), pair.b.value) for pair in found.common] == [
        ("killed 23 civilians", "23")
    ]
    assert [quantity.phrase.of(b) for quantity in found.only_b] == ["risen to 31"]
    assert found.conflicts == ()
    assert found.only_a == ()
    back = compare(b, a)
    assert [pair.b.value for pair in back.common] == ["23"]
    assert [quantity.value for quantity in back.only_a] == ["31"]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("No group has claimed the attack on Gao.", "A group claimed the attack on Gao.", ["a"]),
        ("The group claimed the attack.", "The group hasn’t claimed the attack.", ["b"]),
        ("Le groupe a revendiqué l'attaque.", "Le groupe n'a pas revendiqué l'attaque.", []),
        ("They hit not only Mali but also Niger.", "They hit Mali and Niger.", []),
        ("Nobody claimed the attack on Gao.", "No one has claimed the attack on Gao.", []),
    ],
)
def test_denials(a: str, b: str, expected: list[str]) -> None:
    weigher = Weigher()
    one, other = read_document(a, weigher), read_document(b, weigher)
    found = find_negations(one, other, align(one, other), "en")
    assert [negation.denied_by for negation in found] == expected


def test_denials_in_a_language_without_a_list() -> None:
    weigher = Weigher()
    one, other = read_document("No raid on Gao", weigher), read_document("A raid on Gao", weigher)
    assert find_negations(one, other, align(one, other), "ha") == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Dreißig", "dreissig"),
        ("DOS", "dos"),
        ("três", "tres"),
        ("ثـلاثة", "ثلاثه"),
        ("إحدى", "احدي"),
    ],
)
def test_spellings_of_a_number_fold_to_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)
