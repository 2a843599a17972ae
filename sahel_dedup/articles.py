"""The article: the input of the rest of the library.

Only the id and the text are required. Everything is checked once, here, so that later stages can
rely on it: ids are non-empty strings, dates are timezone-aware and in UTC, and missing values are
``None``, whatever the source used.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sahel_dedup.errors import ArticleError, SettingsError
from sahel_dedup.util.date_parser import parse_published
from sahel_dedup.util.field_names import FIELDS, find_alias, remedy
from sahel_dedup.util.languages import language_tag
from sahel_dedup.util.outlet_names import outlet_name
from sahel_dedup.util.values import is_missing, shorten, show, stands_for_missing

__all__ = ["Article", "check_article", "check_story", "parse_published", "read_id"]


@dataclass(frozen=True, slots=True)
class Article:
    """One article.

    Parameters
    ----------
    id
        Name of the article, unique within its collection and not empty.
    text
        The body. It may be empty; an empty article resembles nothing.
    title
        The headline.
    published
        Time of publication, stored in UTC. A naive time counts as UTC.
    source
        The outlet. Spaces around it are removed, and ``https://www.BBC.com/`` is ``bbc.com``;
        see `sahel_dedup.util.outlet_names.outlet_name`.
    lang
        Language tag (BCP 47) such as ``en`` or ``pt-BR``. Codes of three letters (``eng``), locales
        (``en_US.UTF-8``) and English names (``English``) become such a tag. Anything else is kept
        and counts as missing: the language is then detected.
    extra
        All other fields of the article, unchanged.
    date_fault
        Why the date of the article could not be read; the article then counts as undated.

    Raises
    ------
    ArticleError
        If the id is not a non-empty string, the text is not a string, the title, source or
        language is neither a string nor ``None``, the date cannot be converted to UTC, or `extra`
        is not a mapping.
    """

    id: str
    text: str
    title: str | None = None
    published: datetime | None = None
    source: str | None = None
    lang: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict, hash=False)
    date_fault: str | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not self.id:
            raise ArticleError(f"not a non-empty string: {show(self.id)}", "id")
        if not isinstance(self.text, str):
            raise ArticleError(f"not a string: {show(self.text)}", "text")
        for name, value in (
            ("id", self.id), ("text", self.text), ("title", self.title), ("source", self.source),
            ("lang", self.lang),
        ):  # fmt: skip
            if value is None or type(value) is str:
                continue
            if not isinstance(value, str):
                raise ArticleError(f"not a string: {show(value)}", name)
            # A subclass, such as NumPy's, would be shown as such and could be anything.
            object.__setattr__(self, name, str.__str__(value))
        if self.source is not None:
            object.__setattr__(self, "source", outlet_name(self.source))
        if self.lang is not None:
            object.__setattr__(self, "lang", language_tag(self.lang))
        # First a dict, because asking an abstract class takes long.
        if not isinstance(self.extra, (dict, Mapping)):
            raise ArticleError(f"not a mapping: {show(self.extra)}", "extra")
        moment = self.published
        if moment is not None and not (type(moment) is datetime and moment.tzinfo is UTC):
            object.__setattr__(self, "published", parse_published(moment))

    @classmethod
    def from_mapping(cls, row: Mapping[str, object]) -> Article:
        """Read an article from a mapping such as a JSON object.

        ``None``, NaN and the missing values of pandas count as missing everywhere. A title, source
        or language that is empty or stands for a missing value, such as ``"nan"`` or ``"N/A"``,
        counts as missing too, and such a text as empty. Keys that are not fields go to ``extra``,
        where missing values are ``None``.

        Parameters
        ----------
        row
            The fields by name. ``id`` may be an integer; for ``published`` see
            `parse_published`.

        Returns
        -------
        Article

        Raises
        ------
        ArticleError
            If a field cannot be used. The error names the field. Also if `row` is not a mapping.
        """
        try:
            text = row.get("text")
        except AttributeError:
            raise ArticleError(f"not a mapping: {show(row)}") from None
        if not isinstance(text, str):
            if is_missing(text):
                raise _missing("text", row)
            raise ArticleError(f"not a string: {show(text)}", "text")
        return cls(
            id=read_id(row),
            text="" if stands_for_missing(text) else text,
            title=_string(row, "title"),
            published=parse_published(row.get("published")),
            source=_string(row, "source"),
            lang=_string(row, "lang"),
            extra={
                name: None if is_missing(value) else value
                for name, value in row.items()
                if name not in FIELDS
            },
        )


def check_article(value: object) -> Article:
    """Return an article that was given as an argument.

    Raises
    ------
    ArticleError
        If it is anything else. The error says how to make an article of it.
    """
    if isinstance(value, Article):
        return value
    raise ArticleError(
        f"not an Article: {type(value).__name__}; Article.from_mapping makes one from a row, and "
        "stories[id].details has the articles of a story"
    )


def check_story(articles: object) -> Sequence[Article]:
    """Return the articles of a story that were given as an argument.

    Raises
    ------
    ArticleError
        If an item is not an `Article`, or they are not several items.
    SettingsError
        If there are none.
    """
    if isinstance(articles, Article):
        raise ArticleError("one Article; give a list of all articles of the story")
    if not isinstance(articles, Iterable):
        raise ArticleError(f"not a list of articles: {type(articles).__name__}")
    found = [check_article(article) for article in articles]
    if not found:
        raise SettingsError("articles: empty; a story has at least one")
    return found


def read_id(row: Mapping[str, object]) -> str:
    """Read the id of a row; integers become strings.

    Raises
    ------
    ArticleError
        If there is no id, or it is neither a string nor an integer.
    """
    value = row.get("id")
    if isinstance(value, str):
        if value:
            return value
        raise ArticleError("empty", "id")
    if is_missing(value):
        raise _missing("id", row)
    if isinstance(value, bool):
        raise ArticleError(f"neither a string nor an integer: {value}", "id")
    try:
        # Accepts NumPy's integers too, but no floats: 17.0 is usually a 17 from a column with gaps,
        # but 1e22 would be the id of an unknown article.
        return str(operator.index(value))  # type: ignore[arg-type]
    except TypeError:
        raise ArticleError(f"neither a string nor an integer: {show(value)}", "id") from None


def _string(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    if isinstance(value, str):
        return None if stands_for_missing(value) else value
    if is_missing(value):
        return None
    raise ArticleError(f"not a string: {show(value)}", name)


def _missing(name: str, row: Mapping[str, object]) -> ArticleError:
    if name in row:
        return ArticleError("missing", name)
    names = [str(key) for key in row]
    reason = f"missing: the row has {shorten(', '.join(names)) or 'nothing'}"
    alias = find_alias(name, names)
    return ArticleError(f"{reason}; {remedy(name, alias)}" if alias else reason, name)
