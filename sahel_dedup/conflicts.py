"""Conflicts: what two texts that agree in wording differ in and should not.

12 killed and 47 killed, 3 June and 9 June, Nioro and Niono. A conflict is a hint for a
reader, no proof: a toll rises, and a date may be a slip.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sahel_dedup.alignment import align
from sahel_dedup.articles import Article
from sahel_dedup.figures import FigurePair, compare_figures
from sahel_dedup.names import NamePair, look_alikes
from sahel_dedup.wording import Weigher, read_wording


@dataclass(frozen=True, slots=True)
class Conflict:
    """What one text has in the place of another.

    Attributes
    ----------
    kind : str
        ``"figure"``: different numbers of the same thing, dates among them. ``"name"``:
        names that are all but the same.
    first, second : str
        The words of either text.
    """

    kind: Literal["figure", "name"]
    first: str
    second: str


def find_conflicts(first: Article, second: Article) -> tuple[Conflict, ...]:
    """Find figures and names in which two articles conflict.

    Parameters
    ----------
    first, second : Article
        The language of the first, or else of the second, is taken for both.

    Returns
    -------
    tuple of Conflict

    Examples
    --------
    >>> a = Article("a", "Gunmen killed 12 soldiers near Nioro on 3 June, the army said.")
    >>> b = Article("b", "Gunmen killed 12 soldiers near Niono on 9 June, the army said.")
    >>> [(conflict.first, conflict.second) for conflict in find_conflicts(a, b)]
    [('3 June', '9 June'), ('Nioro', 'Niono')]
    """
    lang = first.lang or second.lang
    weigher = Weigher(None, lang)
    a, b = read_wording(first.text, weigher), read_wording(second.text, weigher)
    alignment = align(a, b)
    figures = compare_figures(a, b, alignment, lang).conflicts
    return told(first, second, figures, look_alikes(a, b, alignment))


def told(
    first: Article, second: Article, figures: Iterable[FigurePair], names: Iterable[NamePair]
) -> tuple[Conflict, ...]:
    """Put conflicts into the words of the articles."""
    a, b = first.text, second.text
    return (
        *(Conflict("figure", pair.a.told.of(a), pair.b.told.of(b)) for pair in figures),
        *(Conflict("name", pair.a.of(a), pair.b.of(b)) for pair in names),
    )
