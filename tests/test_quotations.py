"""Quotations in all their marks."""

from __future__ import annotations

import pytest

from sahel_dedup.explain.document import Weigher, read_document
from sahel_dedup.explain.quotations import find_quotations, shared_quotations


def shared(a: str, b: str) -> list[tuple[str, str]]:
    found = shared_quotations(read_document(a, Weigher()), read_document(b, Weigher()))
    return [(q.a.of(a), q.b.of(b)) for q in found]


@pytest.mark.parametrize("marks", ["“”", "«»", '""', "„“", "„”", "‘’", "''", "「」"])
def test_every_style_of_marks(marks: str) -> None:
    text = f"He called it {marks[0]}a long night{marks[1]} of fire."
    assert [span.of(text) for span in find_quotations(text)] == ["a long night"]


def test_spaced_guillemets() -> None:
    text = "« Je dédie cette victoire à ma mère », a-t-il dit."
    assert [span.of(text) for span in find_quotations(text)] == [
        "Je dédie cette victoire à ma mère"
    ]


@pytest.mark.parametrize(
    "text",
    ["The soldiers' camp and Mali's army", "It's the traders’ market, isn’t it", 'A 5" gun', "“”"],
)
def test_apostrophes_and_lone_marks_quote_nothing(text: str) -> None:
    assert find_quotations(text) == []


def test_apostrophes_inside_a_quotation() -> None:
    text = "'We don't know who's there,' he said."
    assert [span.of(text) for span in find_quotations(text)] == ["We don't know who's there,"]


def test_an_open_mark_does_not_swallow_the_next_paragraph() -> None:
    text = 'He said: "We ran.\n\nShe said: "We stayed."'
    assert [span.of(text) for span in find_quotations(text)] == ["We stayed."]


def test_quotations_are_matched_across_marks_and_case() -> None:
    a = 'A resident spoke of "intense" gunfire. The army said "we hold the town".'
    b = "The mayor: «We hold the town.» The gunfire was “Intense”, he said."
    assert shared(a, b) == [("intense", "Intense"), ("we hold the town", "We hold the town.")]


def test_a_quotation_inside_a_longer_one() -> None:
    assert shared("“We woke up in shock this morning.”", "They “woke up in shock”.") == [
        ("We woke up in shock this morning.", "woke up in shock")
    ]


def test_the_context_is_the_sentence() -> None:
    a, b = (
        "It was dawn. The fire was “intense” here. Then it stopped.",
        "They heard “intense” fire.",
    )
    (quotation,) = shared_quotations(read_document(a, Weigher()), read_document(b, Weigher()))
    assert quotation.a_context.of(a) == "The fire was “intense” here."
    assert quotation.b_context.of(b) == b
