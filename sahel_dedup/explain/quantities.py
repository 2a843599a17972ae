"""Quantities: the numbers of two texts, and where they agree or conflict.

A number is read together with the words next to it: "12 killed" and "47 killed" conflict, "seven
positions" and "7 positions" do not. A conflict is a hint for a reader and not a proof.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sahel_dedup.explain.document import DISTINCTIVE, Document, Span
from sahel_dedup.explain.number_words import find_numbers, read_tokens
from sahel_dedup.explain.sentence_alignment import Alignment

# Words this common ("of", "were", "at") do not say what a number counts.
_LIGHT = 1.0
# A word before a number that is more common than this is not worth showing ("than 80").
_WORDS_AHEAD = 3
_REACH = 6
_MOST = 300
_CLAUSE_END = re.compile(r"[.,;:!?()\[\]\n،؛؟。！？；：、।—–«»“”\"]|\s[-/]\s")
# "BAMAKO, March 4 (SWS) - ": the date of filing is not a quantity.
_DATELINE = re.compile(r"\W{0,3}[^\W\d_][^.!?\n]{0,70}?\s[-–—]{1,2}\s")
_AND = frozenset(["and", "y", "et", "e", "und", "o", "or", "ou", "و", "أو"])


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and what it counts.

    Attributes
    ----------
    value : str
        The number in Western digits, without thousands separators.
    span : Span
        Its position.
    phrase : Span
        The number and the words next to it, for display.
    context : frozenset of int
        Hashes of the less common words next to it.
    sentence : int
        Number of its sentence.
    """

    value: str
    span: Span
    phrase: Span
    context: frozenset[int]
    sentence: int


@dataclass(frozen=True, slots=True)
class QuantityPair:
    """Quantities of two texts that count the same thing, equal or in conflict."""

    a: Quantity
    b: Quantity


@dataclass(frozen=True, slots=True)
class Quantities:
    """The numbers of two texts.

    Attributes
    ----------
    common : tuple of QuantityPair
        Equal numbers, each listed once. They are next to the same word, or in sentences that are
        counterparts.
    conflicts : tuple of QuantityPair
        Different numbers next to the same word, in sentences that are counterparts; neither occurs
        in the other text.
    only_a, only_b : tuple of Quantity
        Quantities that count something and do not occur in the other text, without those in
        conflict.
    """

    common: tuple[QuantityPair, ...]
    conflicts: tuple[QuantityPair, ...]
    only_a: tuple[Quantity, ...]
    only_b: tuple[Quantity, ...]


def find_quantities(document: Document, lang: str | None) -> list[Quantity]:
    """Find the numbers of a text, in digits or written out.

    Parameters
    ----------
    document : Document
    lang : str or None
        Language tag; English if unknown. Numbers in words are known for the languages of
        `sahel_dedup.text.number_tables`. The word for one is left out, because in all of them it
        is also an article or a pronoun, and so are "a dozen" and the like.

    Returns
    -------
    list of Quantity
        At most the first 300, in order, without those in the dateline.
    """
    if not len(document):
        return []
    text, primary = document.text, (lang or "en").partition("-")[0]
    dateline = _DATELINE.match(text)
    tokens = read_tokens(text, dateline.end() if dateline else 0, int(document.ends[-1]))
    quantities: list[Quantity] = []
    for number in find_numbers(text, tokens, primary):
        if number.written and (number.count == 1 or number.bound != "exact"):
            continue
        start, end = tokens[number.first].span.start, tokens[number.last].span.end
        # An Arabic prefix and a numeral form one word of the document.
        token = int(np.searchsorted(document.starts, start, side="right")) - 1
        if token >= 0 and start < document.ends[token]:
            quantities.append(_quantity(document, token, end, number.value))
        if len(quantities) == _MOST:
            break
    return quantities


def compare_quantities(
    a: Document, b: Document, alignment: Alignment, lang: str | None
) -> Quantities:
    """Find the numbers that two texts share, and those that differ.

    Parameters
    ----------
    a, b : Document
    alignment : Alignment
    lang : str or None
        Language of the two.

    Returns
    -------
    Quantities
    """
    ours, theirs = find_quantities(a, lang), find_quantities(b, lang)
    values_a, values_b = ({quantity.value for quantity in side} for side in (ours, theirs))
    common: dict[tuple[str, Span], QuantityPair] = {}
    conflicts: dict[tuple[str, str], QuantityPair] = {}
    for one in ours:
        for other in theirs:
            if one.context.isdisjoint(other.context):
                continue
            if one.value == other.value:
                common.setdefault((one.value, one.phrase), QuantityPair(one, other))
            elif (
                one.value not in values_b
                and other.value not in values_a
                and (one.sentence, other.sentence) in alignment.pairs
            ):
                conflicts.setdefault((one.value, other.value), QuantityPair(one, other))
    for pair in _repeated(ours, theirs, alignment, {value for value, _ in common}):
        common.setdefault((pair.a.value, pair.a.phrase), pair)
    return Quantities(
        common=tuple(common.values()),
        conflicts=tuple(conflicts.values()),
        only_a=_unmatched(ours, values_b | {value for value, _ in conflicts}),
        only_b=_unmatched(theirs, values_a | {value for _, value in conflicts}),
    )


def _repeated(
    ours: list[Quantity], theirs: list[Quantity], alignment: Alignment, known: set[str]
) -> Iterator[QuantityPair]:
    """Yield equal numbers in counterparts that are not next to the same word.

    For example "killed 23 civilians" and "risen to 31, up from the 23", which repeats the former
    toll.
    """
    for one, other in itertools.product(ours, theirs):
        counterparts = (one.sentence, other.sentence) in alignment.pairs
        if one.value == other.value and counterparts and one.value not in known:
            known.add(one.value)
            yield QuantityPair(one, other)


def _unmatched(quantities: list[Quantity], known: set[str]) -> tuple[Quantity, ...]:
    """Return the quantities with other values, each value once."""
    first = {
        quantity.value: quantity
        for quantity in reversed(quantities)
        if quantity.value not in known and quantity.context
    }
    return tuple(sorted(first.values(), key=lambda quantity: quantity.span))


def _quantity(document: Document, first: int, end: int, value: str) -> Quantity:
    token = int(np.searchsorted(document.starts, end)) - 1
    start = int(document.starts[first])
    span = Span(start, int(document.ends[token]))
    ahead = list(_ahead(document, token))
    distinctive = [i for i in ahead if document.weights[i] >= DISTINCTIVE] or ahead[-1:]
    phrase = Span(start, int(document.ends[distinctive[0]])) if distinctive else span
    context = {int(document.hashes[i]) for i in ahead}
    before = first - 1
    if before >= 0 and _joined(document, before, first) and _is_distinctive(document, before):
        context.add(int(document.hashes[before]))
        if document.weights[before] >= DISTINCTIVE:
            phrase = Span(int(document.starts[before]), phrase.end)
    if not context and (verb := _distinctive_before(document, first)) is not None:
        context.add(int(document.hashes[verb]))
        phrase = Span(int(document.starts[verb]), phrase.end)
    return Quantity(value, span, phrase, frozenset(context), int(document.sentence[token]))


def _ahead(document: Document, token: int) -> Iterator[int]:
    """Yield the next less common words of the clause."""
    found = 0
    for place in range(token + 1, min(token + 1 + _REACH, len(document))):
        if not _joined(document, place - 1, place) or document.word(place) in _AND:
            return
        if _is_distinctive(document, place):
            yield place
            found += 1
            if found == _WORDS_AHEAD:
                return


def _distinctive_before(document: Document, first: int) -> int | None:
    """Return the word before a number across common words, in the same clause: risen to 31."""
    for place in range(first - 1, max(-1, first - 1 - _WORDS_AHEAD), -1):
        if not _joined(document, place, place + 1):
            return None
        if _is_distinctive(document, place):
            return place
    return None


def _joined(document: Document, one: int, other: int) -> bool:
    """Whether no punctuation mark ends a clause between two words."""
    between = document.text[document.ends[one] : document.starts[other]]
    return not _CLAUSE_END.search(between)


def _is_distinctive(document: Document, token: int) -> bool:
    return bool(document.weights[token] >= _LIGHT) and not document.word(token)[0].isdigit()
