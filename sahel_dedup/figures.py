"""Figures: the numbers of two texts, where they agree and where they conflict.

A figure is read together with the words beside it: "12 killed" and "47 killed" conflict,
"seven positions" and "7 positions" do not. A conflict is a hint for a reader, no proof.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sahel_dedup.alignment import Alignment
from sahel_dedup.wording import Span, Wording

# Words this light ("of", "were", "at") do not tell what a figure counts.
_LIGHT = 1.0
# Nor is it worth showing a word before a figure that is lighter than this ("than 80").
_TELLING = 2.5
_WORDS_AHEAD = 3
_REACH = 6
_MOST = 300
_CLAUSE_END = re.compile(r"[.,;:!?()\[\]\n،؛؟。！？；：、।—–«»“”\"]|\s[-/]\s")
# 7:30, 2-1, 2025-07-01 and 1/4 are one figure each.
_NUMERAL = r"(?P<numeral>\d+(?:[.,٫٬]\d+)*+(?:[:/–-]\d+)*+)"
_THOUSANDS = re.compile(r"[,٬](?=\d{3}(?!\d))")
# "BAMAKO, March 4 (SWS) - ": when a report was filed counts nothing.
_DATELINE = re.compile(r"\W{0,3}[^\W\d_][^.!?\n]{0,70}?\s[-–—]{1,2}\s")
_AND = frozenset(["and", "y", "et", "e", "und", "o", "or", "ou", "و", "أو"])

# Written numbers, by language. One is left out: it is an article or a pronoun in all of
# them. Compounds are, too: "twenty-one" is read as no figure.
_WRITTEN = {
    "en": """two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
        sixteen seventeen eighteen nineteen twenty""",
    "fr": """deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize
        dix-sept dix-huit dix-neuf vingt""",
    "es": """dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince
        dieciséis diecisiete dieciocho diecinueve veinte""",
    "pt": """dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis
        dezessete dezoito dezenove vinte""",
}
_NUMBERS = {
    lang: {word: str(value) for value, word in enumerate(words.split(), start=2)}
    for lang, words in _WRITTEN.items()
}


@functools.cache
def _figure_pattern(lang: str) -> re.Pattern[str]:
    """Match numerals, and the numbers that a language writes out."""
    written = "|".join(_NUMBERS.get(lang, ()))
    if not written:
        return re.compile(_NUMERAL)
    return re.compile(rf"{_NUMERAL}|(?<![\w-])(?:{written})(?![\w-])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number and what it counts.

    Attributes
    ----------
    value : str
        In western digits, without thousands separators.
    span : Span
        Where it stands.
    told : Span
        The figure and the words beside it, for showing.
    context : frozenset of int
        Hashes of the words beside it that are not light.
    sentence : int
        Number of its sentence.
    """

    value: str
    span: Span
    told: Span
    context: frozenset[int]
    sentence: int


@dataclass(frozen=True, slots=True)
class FigurePair:
    """Figures of two texts that count the same thing: equal, or in conflict."""

    a: Figure
    b: Figure


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of two texts.

    Attributes
    ----------
    common : tuple of FigurePair
        Equal figures with a word beside them in common, each once.
    conflicts : tuple of FigurePair
        Different figures with a word beside them in common, in sentences that are
        counterparts; neither stands anywhere in the other text.
    only_a, only_b : tuple of Figure
        Figures that count something and that the other text does not have anywhere, those
        in conflict left out.
    """

    common: tuple[FigurePair, ...]
    conflicts: tuple[FigurePair, ...]
    only_a: tuple[Figure, ...]
    only_b: tuple[Figure, ...]


def find_figures(wording: Wording, lang: str | None) -> list[Figure]:
    """Find the figures of a text, in digits or written out.

    Parameters
    ----------
    wording : Wording
    lang : str or None
        Language tag; numbers written out are known from two to twenty in English (also
        where the language is not known), French, Spanish and Portuguese.

    Returns
    -------
    list of Figure
        In order; at most the first 300. The dateline is left out.
    """
    primary = (lang or "en").partition("-")[0]
    written = _NUMBERS.get(primary, {})
    dateline = _DATELINE.match(wording.text)
    figures: list[Figure] = []
    for match in _figure_pattern(primary).finditer(wording.text, dateline.end() if dateline else 0):
        token = int(np.searchsorted(wording.starts, match.start()))
        if token == len(wording) or len(figures) == _MOST:
            break
        # 2nd, 4x4 and A320 are no figures.
        if wording.starts[token] == match.start() and wording.ends[token] <= match.end():
            value = _plain(match["numeral"]) if match["numeral"] else written[match[0].lower()]
            figures.append(_figure(wording, token, match.end(), value))
    return figures


def compare_figures(a: Wording, b: Wording, alignment: Alignment, lang: str | None) -> Figures:
    """Find the figures that two texts share, and those in which they differ.

    Parameters
    ----------
    a, b : Wording
    alignment : Alignment
    lang : str or None
        Language of the two.

    Returns
    -------
    Figures
    """
    ours, theirs = find_figures(a, lang), find_figures(b, lang)
    values_a, values_b = ({figure.value for figure in side} for side in (ours, theirs))
    common: dict[tuple[str, Span], FigurePair] = {}
    conflicts: dict[tuple[str, str], FigurePair] = {}
    for one in ours:
        for other in theirs:
            if one.context.isdisjoint(other.context):
                continue
            if one.value == other.value:
                common.setdefault((one.value, one.told), FigurePair(one, other))
            elif (
                one.value not in values_b
                and other.value not in values_a
                and (one.sentence, other.sentence) in alignment.pairs
            ):
                conflicts.setdefault((one.value, other.value), FigurePair(one, other))
    return Figures(
        common=tuple(common.values()),
        conflicts=tuple(conflicts.values()),
        only_a=_unmatched(ours, values_b | {value for value, _ in conflicts}),
        only_b=_unmatched(theirs, values_a | {value for _, value in conflicts}),
    )


def _unmatched(figures: list[Figure], known: set[str]) -> tuple[Figure, ...]:
    """Figures of other values, each value once."""
    first = {
        figure.value: figure
        for figure in reversed(figures)
        if figure.value not in known and figure.context
    }
    return tuple(sorted(first.values(), key=lambda figure: figure.span))


def _plain(numeral: str) -> str:
    return "".join(
        str(unicodedata.decimal(c)) if c.isdecimal() else c.replace(",", ".").replace("٫", ".")
        for c in _THOUSANDS.sub("", numeral)
    )


def _figure(wording: Wording, first: int, end: int, value: str) -> Figure:
    token = int(np.searchsorted(wording.starts, end)) - 1
    start = int(wording.starts[first])
    span = Span(start, int(wording.ends[token]))
    ahead = list(_ahead(wording, token))
    telling = [i for i in ahead if wording.weights[i] >= _TELLING] or ahead[-1:]
    told = Span(start, int(wording.ends[telling[0]])) if telling else span
    context = {int(wording.hashes[i]) for i in ahead}
    before = first - 1
    if before >= 0 and _joined(wording, before, first) and _tells(wording, before):
        context.add(int(wording.hashes[before]))
        if wording.weights[before] >= _TELLING:
            told = Span(int(wording.starts[before]), told.end)
    return Figure(value, span, told, frozenset(context), int(wording.sentence[token]))


def _ahead(wording: Wording, token: int) -> Iterator[int]:
    """Yield the next words of the clause that tell something."""
    found = 0
    for place in range(token + 1, min(token + 1 + _REACH, len(wording))):
        if not _joined(wording, place - 1, place) or wording.word(place) in _AND:
            return
        if _tells(wording, place):
            yield place
            found += 1
            if found == _WORDS_AHEAD:
                return


def _joined(wording: Wording, one: int, other: int) -> bool:
    """Whether no mark ends a clause between two words."""
    between = wording.text[wording.ends[one] : wording.starts[other]]
    return not _CLAUSE_END.search(between)


def _tells(wording: Wording, token: int) -> bool:
    return bool(wording.weights[token] >= _LIGHT) and not wording.word(token)[0].isdigit()
