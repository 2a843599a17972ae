"""Quotations that two texts share, whatever quotation marks they use."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz

from sahel_dedup.explain.document import Document, Span

# Two quotations are one if their words are this similar (Indel), or if they have three or more
# words and one contains the other.
ALIKE = 0.85
_LONG = 3
# A straight quotation mark that is never closed must not match the rest of the article.
_LONGEST = 1500
_MOST = 400

_WORD = re.compile(r"\w+")
# No alternative reads past the next mark of its kind, which keeps the search linear.
_QUOTED = re.compile(
    rf"""
    “(?P<double>[^“”]{{1,{_LONGEST}}})”
  | «(?P<angle>[^«»]{{1,{_LONGEST}}})»
  | „(?P<low>[^„“”"]{{1,{_LONGEST}}})[“”"]
  | "(?P<straight>[^"\n]{{1,{_LONGEST}}})"
  | 「(?P<corner>[^「」]{{1,{_LONGEST}}})」
  | (?<!\w)[‘'](?=\S)(?P<single>(?:[^‘’'\n]|(?<=\w)[’'](?=\w)){{1,{_LONGEST}}})(?<=\S)[’'](?!\w)
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Quotation:
    """A quotation that both texts have.

    Attributes
    ----------
    a, b : Span
        Its words in each text, without the marks.
    a_context, b_context : Span
        The sentences around it.
    """

    a: Span
    b: Span
    a_context: Span
    b_context: Span


def find_quotations(text: str) -> list[Span]:
    """Find quoted text: “ ” « » " " ‘ ’ ' ' „ “ 「 」.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of Span
        At most 400, in order, without the marks. An apostrophe inside a word is not a mark.
    """
    found: list[Span] = []
    for match in _QUOTED.finditer(text):
        start, end = match.span(match.lastgroup or 0)
        inner = text[start:end]
        start += len(inner) - len(inner.lstrip())
        if _WORD.search(inner):
            found.append(Span(start, start + len(inner.strip())))
        if len(found) == _MOST:
            break
    return found


def shared_quotations(a: Document, b: Document) -> list[Quotation]:
    """Find the quotations that two texts have in common.

    Parameters
    ----------
    a, b : Document

    Returns
    -------
    list of Quotation
        In the order of `a`; each quotation is listed once.
    """
    theirs = [(span, _plain(span.of(b.text))) for span in _quotations(b)]
    shared: list[Quotation] = []
    used: set[Span] = set()
    for span in _quotations(a):
        words = _plain(span.of(a.text))
        alike = [(_alike(words, other), place) for place, other in theirs if place not in used]
        best, place = max(alike, key=lambda pair: pair[0], default=(0.0, span))
        if best >= ALIKE:
            used.add(place)
            shared.append(Quotation(span, place, _around(a, span), _around(b, place)))
    return shared


def _quotations(document: Document) -> Sequence[Span]:
    """Return the quotations in the part of a text that is compared."""
    if not document.sentences:
        return []
    return find_quotations(document.text[: document.sentences[-1].end])


def _plain(quotation: str) -> str:
    return " ".join(_WORD.findall(quotation.lower()))


def _alike(one: str, other: str) -> float:
    if one == other:
        return 1.0
    shorter, longer = sorted((one, other), key=len)
    if shorter.count(" ") + 1 >= _LONG and f" {shorter} " in f" {longer} ":
        return 0.95
    return fuzz.ratio(one, other, score_cutoff=100 * ALIKE) / 100


def _around(document: Document, span: Span) -> Span:
    """Return the sentences that a quotation touches."""
    sentences = document.sentences
    first = max(0, bisect_right(sentences, span.start, key=lambda s: s.start) - 1)
    last = max(first, bisect_right(sentences, span.end - 1, key=lambda s: s.start) - 1)
    return Span(sentences[first].start, sentences[last].end)
