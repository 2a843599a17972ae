"""Negation: one of two sentences that say the same is negated.

"No group has claimed the attack" and "the group claimed the attack" share nearly all
their words. It is a hint for a reader and not a proof.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from sahel_dedup.explain.document import Document, Span
from sahel_dedup.explain.sentence_alignment import Alignment

_DENIALS = {
    "en": "no not nobody none never neither nor without denied unclear cannot",
    "fr": "ne n pas aucun aucune personne jamais ni sans nie",
    "es": "no nadie ningún ninguna ninguno nunca jamás ni sin niega",
    "pt": "não ninguém nenhum nenhuma nunca nem sem nega",
    "de": "nicht kein keine keiner keinen nie niemand ohne",
    "ar": "لا لم لن ليس ليست دون غير أي",
}
_DENYING = {lang: frozenset(words.split()) for lang, words in _DENIALS.items()}
# Tried once at each "n", because a pattern that begins with \w+ would read a long word from every
# letter.
_CONTRACTED = re.compile(r"(?<=\w)n[’']t\b")
# These phrases deny nothing.
_NOT_ONLY = re.compile(
    r"""\b(?:not\ (?:only|just|least|far)|no\ (?:more|less|fewer|later)\ than|no\ s[oó]lo|não\ só
    |nicht\ nur|(?:non|pas)\ seulement|pas\ plus)\b""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Negation:
    """Two sentences that are counterparts of each other, one of which is negated.

    Attributes
    ----------
    a, b : Span
        The sentences.
    denied_by : str
        The article whose sentence is negated.
    """

    a: Span
    b: Span
    denied_by: Literal["a", "b"]


def find_negations(
    a: Document, b: Document, alignment: Alignment, lang: str | None
) -> tuple[Negation, ...]:
    """Find sentences that are counterparts of each other, exactly one of which is negated.

    Parameters
    ----------
    a, b : Document
    alignment : Alignment
    lang : str or None
        Language of the two: English (also if unknown), French, Spanish, Portuguese, German or
        Arabic.

    Returns
    -------
    tuple of Negation
        In the order of `a`.
    """
    words = _DENYING.get((lang or "en").partition("-")[0])
    if words is None:
        return ()
    found = []
    for i, j in sorted(alignment.mutual):
        one, other = a.sentences[i], b.sentences[j]
        ours, theirs = _denies(one.of(a.text), words), _denies(other.of(b.text), words)
        if ours != theirs:
            found.append(Negation(one, other, "a" if ours else "b"))
    return tuple(found)


def _denies(sentence: str, words: frozenset[str]) -> bool:
    rest = _NOT_ONLY.sub("", sentence.lower())
    return bool(_CONTRACTED.search(rest)) or not words.isdisjoint(re.findall(r"\w+", rest))
