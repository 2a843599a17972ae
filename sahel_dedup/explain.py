"""Why two articles are one story, and where they differ: the evidence, for a reader.

>>> from sahel_dedup.articles import Article
>>> a = Article("a", "Gunmen killed 12 soldiers at a camp near Gao on Monday, the army said.")
>>> b = Article("b", "Gunmen killed 47 soldiers at a camp near Gao on Monday, the army said.")
>>> explanation = explain(a, b)
>>> explanation.relation, [fact.b.told.of(b.text) for fact in explanation.figures.conflicts]
('near', ['killed 47 soldiers'])
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult

from sahel_dedup import explain_view
from sahel_dedup.alignment import align
from sahel_dedup.articles import Article
from sahel_dedup.conflicts import Conflict, told
from sahel_dedup.denials import Denial, find_denials
from sahel_dedup.figures import Figure, FigurePair, Figures, compare_figures
from sahel_dedup.names import NamePair, look_alikes
from sahel_dedup.passages import Passage, shared_passages
from sahel_dedup.quotations import Quotation, shared_quotations
from sahel_dedup.relation import (
    HOLDS,
    NEAR_CONTAINMENT,
    NEAR_JACCARD,
    Overlap,
    Relation,
    overlap,
)
from sahel_dedup.sketching import LEAD_TOKENS
from sahel_dedup.terms import tokenize
from sahel_dedup.weighing import Weighing
from sahel_dedup.wording import MAX_CHARACTERS, Span, TermWeights, Weigher, read_wording

# Below this cosine, and no near copies, two articles are taken for strangers. Of judged
# pairs between .1 and .2, weighted to their archives, 1.3 % were one event.
RELATED = 0.2
TOP_TERMS = 12
_SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class SharedTerm:
    """A word of both articles, and the share of their similarity that it carries."""

    term: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What two articles share, and what only one of them says.

    All places are offsets into the texts of `a` and `b`, in code points. It shows itself
    as rich text in a terminal and as a table in a notebook.

    Attributes
    ----------
    a, b : Article
        The articles.
    similarity : float
        TF-IDF cosine of title and text.
    terms : tuple of SharedTerm
        The terms that carry most of it, heaviest first.
    relation : str or None
        ``"exact"``, ``"near"`` or ``"reworded"`` as `sahel_dedup.relation` defines them,
        ``None`` for articles that are neither near copies nor at least 0.2 similar.
        ``"reworded"`` is about wording: whether two alike reports are of one event is for
        the clustering, which knows the archive.
    why : str
        The measurements behind the relation, in a sentence.
    overlap : Overlap
        Three-word shingles in common: Jaccard, and containment in each direction.
    hours : float or None
        Hours from the publication of `a` to that of `b`.
    passages : tuple of Passage
        Shared passages, verbatim and lightly edited.
    quotations : tuple of Quotation
        Quotations of both.
    figures : Figures
        Figures in common, in conflict, and of one alone.
    names : tuple of NamePair
        Names that are all but the same, in the same place: Nioro, Niono.
    denials : tuple of Denial
        Sentences that tell the same but for a "no".
    only_a, only_b : tuple of Span
        Sentences without a counterpart.
    cut : bool
        Whether a text was too long to be compared to its end; see
        `sahel_dedup.wording.MAX_CHARACTERS`. The relation ``"exact"`` is about all of it.
    one_story : bool or None
        Whether clustering made one story of them, where that is known.
    weighing : Weighing or None
        How it weighed them, where that is known.
    """

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
    figures: Figures
    names: tuple[NamePair, ...]
    denials: tuple[Denial, ...]
    only_a: tuple[Span, ...]
    only_b: tuple[Span, ...]
    cut: bool
    one_story: bool | None = None
    weighing: Weighing | None = None

    @property
    def contains(self) -> Literal["a in b", "b in a", "both"] | None:
        """Which article holds the other: nine tenths of its three-word shingles."""
        in_b, in_a = self.overlap.a_in_b >= HOLDS, self.overlap.b_in_a >= HOLDS
        if in_b and in_a:
            return "both"
        return "a in b" if in_b else "b in a" if in_a else None

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """Figures and names in which the two conflict, in their own words."""
        return told(self.a, self.b, self.figures.conflicts, self.names)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists, strings and numbers, fit for JSON."""
        a, b = self.a.text, self.b.text
        return {
            "a": self.a.id,
            "b": self.b.id,
            "similarity": round(self.similarity, 4),
            "relation": self.relation,
            "why": self.why,
            "hours": self.hours,
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
            "figures": {
                "common": [_told_pair(pair, a, b) for pair in self.figures.common],
                "conflicts": [_told_pair(pair, a, b) for pair in self.figures.conflicts],
                "only_a": [_told(figure, a) for figure in self.figures.only_a],
                "only_b": [_told(figure, b) for figure in self.figures.only_b],
            },
            "conflicts": [asdict(conflict) for conflict in self.conflicts],
            "names": [{"a": _place(pair.a, a), "b": _place(pair.b, b)} for pair in self.names],
            "denials": [
                {"by": denial.denied_by, "a": _place(denial.a, a), "b": _place(denial.b, b)}
                for denial in self.denials
            ],
            "only_a": [_place(span, a) for span in self.only_a],
            "only_b": [_place(span, b) for span in self.only_b],
            "cut": self.cut,
            "one_story": self.one_story,
            "weighing": None if self.weighing is None else self.weighing.to_dict(),
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON; characters beyond ASCII are escaped."""
        return json.dumps(self.to_dict(), indent=2)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield explain_view.for_terminal(self)

    def _repr_html_(self) -> str:
        return explain_view.for_notebook(self)


def explain(
    a: Article,
    b: Article,
    *,
    weights: TermWeights | None = None,
    one_story: bool | None = None,
    weighing: Weighing | None = None,
) -> Explanation:
    """Tell why two articles are one story, or are not, and where they differ.

    Parameters
    ----------
    a, b : Article
        Any two articles. The language of `a`, or else of `b`, is taken for both.
    weights : callable, optional
        Tells the weights (IDF) of words in their folded form, such as those of an
        archive. By default words weigh as in general news of the language.
    one_story, weighing
        What clustering made of them, to be told along; `sahel_dedup.Stories.explain` and
        `sahel_dedup.StoryIndex.explain` fill them in.

    Returns
    -------
    Explanation
    """
    lang = a.lang or b.lang
    weigher = Weigher(weights, lang)
    similarity, terms = _similarity(a, b, weigher)
    one, other = read_wording(a.text, weigher), read_wording(b.text, weigher)
    shared = overlap(one.hashes, other.hashes)
    alignment = align(one, other)
    relation = _relation(a, b, shared, similarity)
    return Explanation(
        a=a,
        b=b,
        similarity=similarity,
        terms=terms,
        relation=relation,
        why=_why(relation, shared, similarity, len(one)),
        overlap=shared,
        hours=_hours(a, b),
        passages=tuple(shared_passages(one, other)),
        quotations=tuple(shared_quotations(one, other)),
        figures=compare_figures(one, other, alignment, lang),
        names=look_alikes(one, other, alignment),
        denials=find_denials(one, other, alignment, lang),
        only_a=alignment.only_a,
        only_b=alignment.only_b,
        cut=one.cut or other.cut,
        one_story=one_story,
        weighing=weighing,
    )


def _similarity(a: Article, b: Article, weigher: Weigher) -> tuple[float, tuple[SharedTerm, ...]]:
    """Cosine of ln(1 + count) times weight; words of title and lead count twice."""
    titles = [article.title or "" for article in (a, b)]
    heads = [article.text[:MAX_CHARACTERS] for article in (a, b)]
    tokens = tokenize([f"{title}\n{text}" for title, text in zip(titles, heads, strict=True)])
    terms, first, place = np.unique(tokens.hashes, return_index=True, return_inverse=True)
    idf = weigher.weigh(tokens)[first]
    vectors = np.zeros((2, len(terms)))
    for row, title in enumerate(titles):
        mine = slice(int(tokens.offsets[row]), int(tokens.offsets[row + 1]))
        body = int(tokens.text_starts[row]) + len(title)
        in_title = int(np.count_nonzero(tokens.starts[mine] < body))
        twice = np.arange(mine.stop - mine.start) < in_title + LEAD_TOKENS
        counts = np.bincount(place[mine], 1 + twice, minlength=len(terms))
        vectors[row] = np.log1p(counts) * idf
    norms = np.linalg.norm(vectors, axis=1)
    if not norms.all():
        return 0.0, ()
    products = vectors[0] * vectors[1] / norms.prod()
    similarity = float(products.sum())
    top = [i for i in np.argsort(-products, kind="stable")[:TOP_TERMS].tolist() if products[i] > 0]
    shown = tuple(
        SharedTerm(tokens.word(int(first[i])), float(products[i]) / similarity) for i in top
    )
    # Rounding must not make a text more than itself.
    return min(similarity, 1.0), shown


def _relation(a: Article, b: Article, shared: Overlap, similarity: float) -> Relation | None:
    if shared.near:
        words = tokenize([a.text, b.text])
        end = words.offsets[1]
        return "exact" if np.array_equal(words.hashes[:end], words.hashes[end:]) else "near"
    return "reworded" if similarity >= RELATED else None


def _why(relation: Relation | None, shared: Overlap, similarity: float, words: int) -> str:
    measured = (
        f"{shared.jaccard:.0%} of all three-word shingles in common; "
        f"{shared.a_in_b:.0%} of the first are in the second, "
        f"{shared.b_in_a:.0%} of the second in the first"
    )
    if relation == "exact":
        return f"the same {words:,} words in the same order"
    if relation == "near":
        return f"{measured} (near: {NEAR_JACCARD:.0%}, or {NEAR_CONTAINMENT:.0%} of either)"
    if relation == "reworded":
        return f"similarity {similarity:.2f} (related: {RELATED:.2f}), but only {measured}"
    return f"similarity {similarity:.2f}, below {RELATED:.2f}, and only {measured}"


def _hours(a: Article, b: Article) -> float | None:
    if a.published is None or b.published is None:
        return None
    return (b.published - a.published).total_seconds() / _SECONDS_AN_HOUR


def _place(span: Span, text: str) -> dict[str, Any]:
    return {"start": span.start, "end": span.end, "text": span.of(text)}


def _told(figure: Figure, text: str) -> dict[str, Any]:
    return {"value": figure.value, **_place(figure.told, text)}


def _told_pair(pair: FigurePair, a: str, b: str) -> dict[str, Any]:
    return {"a": _told(pair.a, a), "b": _told(pair.b, b)}
