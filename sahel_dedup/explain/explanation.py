"""Explanation: why two articles are in one story or not, and where they differ.

>>> from sahel_dedup.articles import Article
>>> a = Article("a", "Gunmen killed 12 soldiers at a camp near Gao on Monday, the army said.")
>>> b = Article("b", "Gunmen killed 47 soldiers at a camp near Gao on Monday, the army said.")
>>> explanation = explain(a, b)
>>> explanation.relation, [fact.b.phrase.of(b.text) for fact in explanation.quantities.conflicts]
('near', ['killed 47 soldiers'])
"""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO

import numpy as np
from rich.console import Console, ConsoleOptions, RenderResult

from sahel_dedup.articles import Article, check_article
from sahel_dedup.corrections.corrections import Correction, check_corrections
from sahel_dedup.errors import SettingsError
from sahel_dedup.explain import view
from sahel_dedup.explain.comparison import ComparedArticles, compare_articles
from sahel_dedup.explain.confusable_names import confusable_names
from sahel_dedup.explain.document import MAX_CHARACTERS, TermWeights, Weigher, read_document
from sahel_dedup.explain.findings import Findings
from sahel_dedup.explain.negation import find_negations
from sahel_dedup.explain.overlap import (
    NEAR_CONTAINMENT,
    NEAR_JACCARD,
    Overlap,
    Relation,
    estimated_overlap,
    overlap,
    relations,
)
from sahel_dedup.explain.passages import shared_passages
from sahel_dedup.explain.quantities import compare_quantities
from sahel_dedup.explain.quotations import shared_quotations
from sahel_dedup.explain.reported_quantities import find_reported_quantities
from sahel_dedup.explain.sentence_alignment import align
from sahel_dedup.explain.undated import why_undated
from sahel_dedup.scoring.breakdown import ScoreBreakdown, are_copies, heaviest_terms
from sahel_dedup.text.boilerplate import find_boilerplate, strip_boilerplate
from sahel_dedup.text.tokenizer import tokenize
from sahel_dedup.util.days import hours_between
from sahel_dedup.util.languages import known_language
from sahel_dedup.util.values import counted, show

# Two articles below this cosine that are not near copies count as unrelated. Of judged pairs
# between .1 and .2, weighted to their archives, 1.3 % were one event.
RELATED = 0.2
# Characters per line when printed as text.
_WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Explanation(Findings):
    """What two articles share, and what only one of them says.

    All positions are offsets into the texts of `a` and `b`, in code points. ``print`` shows
    everything, rich prints it in colour, and a notebook shows it as a table.

    Attributes
    ----------
    a, b : Article
        The articles.
    similarity : float
        TF-IDF cosine of title and text, with the term weights of the archive if the two were
        compared in one, and otherwise those of general news.
    terms : tuple of SharedTerm
        The terms that contribute most to it, largest first.
    relation : str or None
        ``"exact"``, ``"near"`` or ``"reworded"`` as `sahel_dedup.explain.overlap` defines them, or
        ``None`` for articles that are not in one story, not near copies, and not at least 0.2
        similar. ``"reworded"`` is about wording only. Clustering decides whether two similar
        reports are about one event, because it also uses the rest of the archive.
    why : str
        A sentence with the measurements that decide the relation.
    overlap : Overlap
        Three-word shingles in common, without boilerplate: Jaccard, and containment in each
        direction. Counted, not estimated.
    hours : float or None
        Hours from the publication of `a` to that of `b`; None if one is taken as undated.
    passages : tuple of Passage
        Shared passages, verbatim and lightly edited.
    quotations : tuple of Quotation
        Quotations that both contain.
    quantities : Quantities
        Quantities in common, in conflict, and in one article only.
    title_numbers : tuple of (tuple of str)
        Numbers in the title of each article.
    reported : tuple of (tuple of ReportedQuantity)
        How many people each article says were killed, wounded and so on.
    confusable_names : tuple of NamePair
        Names that are almost the same, in the same place: Nioro, Niono.
    negations : tuple of Negation
        Sentences that say the same except for a "no".
    only_a, only_b : tuple of Span
        Sentences without a counterpart.
    cut : bool
        Whether a text was too long to be compared to its end; see
        `sahel_dedup.explain.document.MAX_CHARACTERS`. The relation ``"exact"`` always compares
        whole texts.
    one_story : bool or None
        Whether clustering put them into one story, if known.
    breakdown : ScoreBreakdown or None
        How the archive scored them, if known.
    corrections : tuple of Correction
        The corrections that decided about them: see
        `sahel_dedup.corrections.corrections.Corrections`.
    """

    def __repr__(self) -> str:
        relation = self.relation or "unrelated"
        decision = {None: "", True: ", one story", False: ", not one story"}[self.one_story]
        return (
            f"<Explanation: {self.a.id!r} and {self.b.id!r}, {relation}, "
            f"similarity {self.similarity:.2f}{decision}>"
        )

    def __str__(self) -> str:
        console = Console(file=StringIO(), width=_WIDTH)
        with console.capture() as shown:
            console.print(self)
        return shown.get().rstrip()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield view.for_terminal(self)

    def _repr_html_(self) -> str:
        return view.for_notebook(self)


def explain(
    a: Article,
    b: Article,
    *,
    weights: TermWeights | None = None,
    one_story: bool | None = None,
    breakdown: ScoreBreakdown | None = None,
    corrections: tuple[Correction, ...] = (),
) -> Explanation:
    """Explain why two articles are in one story or not, and where they differ.

    Parameters
    ----------
    a, b : Article
        Any two articles. The language of `a`, or otherwise of `b`, is used for both.
    weights : callable, optional
        Returns the weights (IDF) of words in their folded form. The default weights are those of
        general news in the language.
    one_story, breakdown, corrections
        Whether clustering put them into one story, the evidence, and the corrections, if known;
        `sahel_dedup.Stories.explain` and `sahel_dedup.StoryIndex.explain` fill them in.

    Returns
    -------
    Explanation

    Raises
    ------
    ArticleError
        If one is not an `Article`.
    SettingsError
        If `one_story` or `corrections` is something else.
    """
    if not isinstance(one_story, bool | None):
        raise SettingsError(f"one_story: {show(one_story)} is neither True nor False nor None")
    lang = known_language(check_article(a).lang) or known_language(check_article(b).lang)
    compared = compare_articles((a, b), weights, lang)
    pair = np.array([0]), np.array([1])
    if breakdown is None:
        cosine = float(compared.similarity.cosines(*pair)[0])
        similarity = 1.0 if are_copies(compared.profiles, 0, 1) else cosine
        terms = heaviest_terms(compared.similarity, compared.words, 0, 1)
    else:
        similarity, terms = breakdown.similarity, breakdown.terms
    (kind,) = relations(compared.profiles, *pair)
    related = kind != "reworded" or similarity >= RELATED or bool(one_story)
    relation = kind if related else None
    shared, words = _overlap(a, b)
    weigher = Weigher(weights, lang)
    one, other = read_document(a.text, weigher), read_document(b.text, weigher)
    alignment = align(one, other)
    return Explanation(
        a=a,
        b=b,
        similarity=similarity,
        terms=terms,
        relation=relation,
        why=_why(relation, compared, similarity, words),
        overlap=shared,
        hours=_hours(a, b),
        passages=tuple(shared_passages(one, other)),
        quotations=tuple(shared_quotations(one, other)),
        quantities=compare_quantities(one, other, alignment, lang),
        title_numbers=(compared.title_numbers(0), compared.title_numbers(1)),
        reported=(tuple(find_reported_quantities(a)), tuple(find_reported_quantities(b))),
        confusable_names=confusable_names(one, other, alignment),
        negations=find_negations(one, other, alignment, lang),
        only_a=alignment.only_a,
        only_b=alignment.only_b,
        cut=one.cut or other.cut,
        one_story=one_story,
        breakdown=breakdown,
        corrections=tuple(check_corrections(corrections)),
    )


def _overlap(a: Article, b: Article) -> tuple[Overlap, int]:
    """Measure what two texts share without boilerplate, and count the words of the first."""
    texts = [strip_boilerplate(c.text, find_boilerplate(c.text))[:MAX_CHARACTERS] for c in (a, b)]
    words = tokenize(texts)
    end = int(words.offsets[1])
    return overlap(words.hashes[:end], words.hashes[end:]), end


def _why(
    relation: Relation | None, compared: ComparedArticles, similarity: float, words: int
) -> str:
    first, second = np.array([0]), np.array([1])
    (jaccard,), (containment,) = estimated_overlap(compared.profiles, first, second)
    measured = (
        f"about {jaccard:.0%} of all three-word shingles in common, {containment:.0%} of those of "
        "the shorter text"
    )
    if relation == "exact":
        return f"the same {counted(words, 'word')} in the same order"
    if relation == "near":
        return f"{measured} (near: {NEAR_JACCARD:.0%} or {NEAR_CONTAINMENT:.0%})"
    if relation == "reworded":
        return f"similarity {similarity:.2f} (related: {RELATED:.2f}), but only {measured}"
    return f"similarity {similarity:.2f}, below {RELATED:.2f}, and only {measured}"


def _hours(a: Article, b: Article) -> float | None:
    if a.published is None or b.published is None or why_undated(a) or why_undated(b):
        return None
    return hours_between(a.published, b.published)
