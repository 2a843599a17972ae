"""Quantities over time: the tolls that the articles of a story report, each with its sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sahel_dedup.articles import Article, check_article
from sahel_dedup.explain.number_words import Bound
from sahel_dedup.explain.toll_kinds import KINDS
from sahel_dedup.explain.tolls import find_tolls
from sahel_dedup.text.language import detect
from sahel_dedup.text.tokenizer import tokenize
from sahel_dedup.util.languages import UNKNOWN

# This many characters of a text are enough to detect its language.
_SEEN = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedQuantity:
    """A number of people that an article reports.

    Attributes
    ----------
    kind : str
        ``"killed"``, ``"wounded"``, ``"missing"``, ``"displaced"``, ``"arrested"`` or
        ``"hostages"``.
    value : int
        The number; the lower end of a range.
    high : int or None
        The upper end of a range: between 12 and 15.
    bound : str
        ``"exact"``, ``"at least"``, ``"at most"`` or ``"about"``.
    role : str
        ``"current"``; ``"former"`` for a number that, according to the article, was reported before
        (up from 23); ``"further"`` for one to be added to it (3 more bodies); ``"part"`` for one
        that another number includes (31, four of them officers).
    id : str
        Id of the article.
    source : str or None
        Its outlet.
    published : datetime or None
        Its time of publication.
    sentence : str
        The sentence, or the part of a long sentence around the number.
    """

    kind: str
    value: int
    high: int | None
    bound: Bound
    role: str
    id: str
    source: str | None
    published: datetime | None
    sentence: str

    def __str__(self) -> str:
        number = f"{self.value:,}" if self.high is None else f"{self.value:,}-{self.high:,}"
        number = number if self.bound == "exact" else f"{self.bound} {number}"
        return number if self.role == "current" else f"{number} ({self.role})"

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dictionary; the time stays a time."""
        return asdict(self)


def find_reported_quantities(article: Article) -> list[ReportedQuantity]:
    """Find the quantities that the title and the text of an article report.

    Parameters
    ----------
    article : Article
        An article in English, French, Spanish, Portuguese, German or Arabic. Its language is
        detected if it is not given. Other languages are not read.

    Returns
    -------
    list of ReportedQuantity
        In order of reading; the first of equal ones.

    Raises
    ------
    ArticleError
        If it is not an `Article`.

    Examples
    --------
    >>> later = Article("b", "The toll rose to thirty-one, up from the 23 reported on Friday.")
    >>> [(q.kind, q.value, q.role) for q in find_reported_quantities(later)]
    [('killed', 31, 'current'), ('killed', 23, 'former')]
    """
    check_article(article)
    text = f"{article.title}\n\n{article.text}" if article.title else article.text
    (lang,) = detect(tokenize([text[:_SEEN]]), [article.lang])
    return [
        ReportedQuantity(
            kind=toll.kind,
            value=toll.value,
            high=toll.high,
            bound=toll.bound,
            role=toll.role,
            id=article.id,
            source=article.source,
            published=article.published,
            sentence=" ".join(toll.sentence.of(text).split()),
        )
        for toll in find_tolls(text, "en" if lang == UNKNOWN else lang)
    ]


def in_time(found: Iterable[ReportedQuantity]) -> list[ReportedQuantity]:
    """Sort the quantities of one story by kind and by time; undated ones come last."""

    def key(quantity: ReportedQuantity) -> tuple[int, bool, float, str]:
        moment = quantity.published
        time = 0.0 if moment is None else moment.timestamp()
        return KINDS.index(quantity.kind), moment is None, time, quantity.id

    return sorted(found, key=key)


def progress(found: Iterable[ReportedQuantity]) -> dict[str, list[str]]:
    """Return how the quantities of one story changed.

    Parameters
    ----------
    found : iterable of ReportedQuantity
        Sorted as by `in_time`, with those of one article in order of reading.

    Returns
    -------
    dict of str to list of str
        By kind: for each article in turn, the first number that is neither former, further nor
        a part.
        Repeated values are listed once.
    """
    shown: dict[str, list[str]] = {}
    seen: set[tuple[str, str]] = set()
    for quantity in found:
        article = (quantity.kind, quantity.id)
        if quantity.role != "current" or article in seen:
            continue
        seen.add(article)
        low, high = f"{quantity.value:,}", quantity.high
        value = low if high is None else f"{low}-{high:,}"
        values = shown.setdefault(quantity.kind, [])
        if not values or values[-1] != value:
            values.append(value)
    return shown


def quantity_rows(
    stories: Iterable[tuple[str, Iterable[Article]]],
) -> Iterator[dict[str, object]]:
    """Yield the table of quantities over time, story by story.

    Parameters
    ----------
    stories : iterable of (str, iterable of Article)

    Yields
    ------
    dict
        ``story_id`` and the fields of a `ReportedQuantity`.
    """
    for story, articles in stories:
        found = (quantity for article in articles for quantity in find_reported_quantities(article))
        for quantity in in_time(found):
            yield {"story_id": story, **quantity.to_dict()}
