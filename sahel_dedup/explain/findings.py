"""The findings about two articles, as data; `sahel_dedup.explain.view` shows them to people."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sahel_dedup.articles import Article
from sahel_dedup.corrections.corrections import Correction
from sahel_dedup.explain.conflicts import Conflict, in_words
from sahel_dedup.explain.confusable_names import NamePair
from sahel_dedup.explain.document import Span
from sahel_dedup.explain.negation import Negation
from sahel_dedup.explain.overlap import HOLDS, Overlap, Relation
from sahel_dedup.explain.passages import Passage
from sahel_dedup.explain.quantities import Quantities, Quantity, QuantityPair
from sahel_dedup.explain.quotations import Quotation
from sahel_dedup.explain.reported_quantities import ReportedQuantity
from sahel_dedup.explain.undated import why_undated
from sahel_dedup.scoring.breakdown import ScoreBreakdown, SharedTerm


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """The findings about two articles: see `sahel_dedup.explain.explanation.Explanation`."""

    a: Article
    b: Article
    similarity: float
    terms: tuple[SharedTerm, ...]
    relation: Relation | None
    why: str
    overlap: Overlap
    hours: float | None
    passages: tuple[Passage, ...]
    quotations: tuple[Quotation, ...]
    quantities: Quantities
    title_numbers: tuple[tuple[str, ...], tuple[str, ...]]
    reported: tuple[tuple[ReportedQuantity, ...], tuple[ReportedQuantity, ...]]
    confusable_names: tuple[NamePair, ...]
    negations: tuple[Negation, ...]
    only_a: tuple[Span, ...]
    only_b: tuple[Span, ...]
    cut: bool
    one_story: bool | None = None
    breakdown: ScoreBreakdown | None = None
    corrections: tuple[Correction, ...] = ()

    @property
    def contains(self) -> Literal["a in b", "b in a", "both"] | None:
        """The article that contains at least nine tenths of the other's three-word shingles."""
        in_b, in_a = self.overlap.a_in_b >= HOLDS, self.overlap.b_in_a >= HOLDS
        if in_b and in_a:
            return "both"
        return "a in b" if in_b else "b in a" if in_a else None

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Quantities and names that conflict, in the words of the articles."""
        return in_words(self.a, self.b, self.quantities.conflicts, self.confusable_names)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists, strings and numbers that JSON can hold."""
        a, b = self.a.text, self.b.text
        return {
            "a": self.a.id,
            "b": self.b.id,
            "similarity": round(self.similarity, 4),
            "relation": self.relation,
            "why": self.why,
            "hours": self.hours,
            "undated": {"a": why_undated(self.a), "b": why_undated(self.b)},
            "jaccard": round(self.overlap.jaccard, 4),
            "a_in_b": round(self.overlap.a_in_b, 4),
            "b_in_a": round(self.overlap.b_in_a, 4),
            "contains": self.contains,
            "terms": [{"term": t.term, "share": round(t.share, 4)} for t in self.terms],
            "passages": [
                {
                    "kind": "edited" if passage.edited else "verbatim",
                    "words": passage.words,
                    "similarity": round(passage.similarity, 4),
                    "a": _place(passage.a, a),
                    "b": _place(passage.b, b),
                }
                for passage in self.passages
            ],
            "quotations": [
                {
                    "a": _place(quotation.a, a) | {"context": quotation.a_context.of(a)},
                    "b": _place(quotation.b, b) | {"context": quotation.b_context.of(b)},
                }
                for quotation in self.quotations
            ],
            "quantities": {
                "common": [_pair(pair, a, b) for pair in self.quantities.common],
                "conflicts": [_pair(pair, a, b) for pair in self.quantities.conflicts],
                "only_a": [_quantity(quantity, a) for quantity in self.quantities.only_a],
                "only_b": [_quantity(quantity, b) for quantity in self.quantities.only_b],
            },
            "title_numbers": {
                "a": list(self.title_numbers[0]),
                "b": list(self.title_numbers[1]),
            },
            "reported": {
                name: [_reported(quantity) for quantity in quantities]
                for name, quantities in zip("ab", self.reported, strict=True)
            },
            "conflicts": [asdict(conflict) for conflict in self.conflicts],
            "confusable_names": [
                {"a": _place(pair.a, a), "b": _place(pair.b, b)} for pair in self.confusable_names
            ],
            "negations": [
                {"by": negation.denied_by, "a": _place(negation.a, a), "b": _place(negation.b, b)}
                for negation in self.negations
            ],
            "only_a": [_place(span, a) for span in self.only_a],
            "only_b": [_place(span, b) for span in self.only_b],
            "cut": self.cut,
            "one_story": self.one_story,
            "breakdown": None if self.breakdown is None else self.breakdown.to_dict(),
            "corrections": [correction.to_row() for correction in self.corrections],
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON; characters beyond ASCII are escaped."""
        return json.dumps(self.to_dict(), indent=2)


def _place(span: Span, text: str) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "text": span.of(text)}


def _quantity(quantity: Quantity, text: str) -> dict[str, Any]:
    return {"value": quantity.value, **_place(quantity.phrase, text)}


def _reported(quantity: ReportedQuantity) -> dict[str, Any]:
    published = quantity.published
    moment = None if published is None else published.isoformat()
    return {**quantity.to_dict(), "published": moment}


def _pair(pair: QuantityPair, a: str, b: str) -> dict[str, Any]:
    return {"a": _quantity(pair.a, a), "b": _quantity(pair.b, b)}
