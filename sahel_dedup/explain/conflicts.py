"""Conflicts: numbers and names in which two similarly worded texts differ.

12 killed and 47 killed, 3 June and 9 June, Nioro and Niono. A conflict is a hint for a reader and
not a proof: a toll may have risen, and a date may be a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sahel_dedup.articles import Article, check_article
from sahel_dedup.explain.confusable_names import NamePair, confusable_names
from sahel_dedup.explain.document import Weigher, read_document
from sahel_dedup.explain.quantities import QuantityPair, compare_quantities
from sahel_dedup.explain.sentence_alignment import align
from sahel_dedup.util.languages import known_language


@dataclass(frozen=True, slots=True)
class Conflict:
    """Words of one text that contradict those of another.

    Attributes
    ----------
    kind : str
        ``"quantity"``: different numbers of the same thing, including dates. ``"name"``: names that
        are almost the same.
    first, second : str
        The words of each text.
    """

    kind: Literal["quantity", "name"]
    first: str
    second: str


def find_conflicts(first: Article, second: Article) -> tuple[Conflict, ...]:
    """Find numbers and names that conflict between two articles.

    Parameters
    ----------
    first, second : Article
        The language of the first, or otherwise of the second, is used for both.

    Returns
    -------
    tuple of Conflict

    Raises
    ------
    ArticleError
        If one is not an `Article`.

    Examples
    --------
    >>> a = Article("a", "Gunmen killed 12 soldiers near Nioro on 3 June, the army said.")
    >>> b = Article("b", "Gunmen killed 12 soldiers near Niono on 9 June, the army said.")
    >>> [(conflict.first, conflict.second) for conflict in find_conflicts(a, b)]
    [('3 June', '9 June'), ('Nioro', 'Niono')]
    """
    lang = known_language(check_article(first).lang)
    lang = lang or known_language(check_article(second).lang)
    weigher = Weigher(None, lang)
    a, b = read_document(first.text, weigher), read_document(second.text, weigher)
    alignment = align(a, b)
    quantities = compare_quantities(a, b, alignment, lang).conflicts
    return in_words(first, second, quantities, confusable_names(a, b, alignment))


def in_words(
    first: Article, second: Article, quantities: Iterable[QuantityPair], names: Iterable[NamePair]
) -> tuple[Conflict, ...]:
    """Express conflicts in the words of the articles."""
    a, b = first.text, second.text
    return (
        *(Conflict("quantity", pair.a.phrase.of(a), pair.b.phrase.of(b)) for pair in quantities),
        *(Conflict("name", pair.a.of(a), pair.b.of(b)) for pair in names),
    )
