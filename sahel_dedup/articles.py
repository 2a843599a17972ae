"""The article: what the rest of the library reads.

Only the id and the text are required. Everything is checked here, once, so that the
stages behind may rely on it: ids are non-empty strings, dates are aware and in UTC,
and what is missing is ``None`` whatever the source called it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from sahel_dedup.errors import ArticleError

_FIELDS = frozenset({"id", "text", "title", "published", "source", "lang"})

# pandas marks missing values with singletons of these types. They are known by name
# because pandas is not a dependency, and because NaT passes for a datetime.
_PANDAS_MISSING = frozenset({"NaTType", "NAType"})


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
        Time of publication. A naive time is taken as UTC; it is kept in UTC.
    source
        The outlet.
    lang
        Language tag (BCP 47) such as ``en`` or ``pt-BR``.
    extra
        Whatever else came with the article, unchanged.

    Raises
    ------
    ArticleError
        If the id is not a non-empty string, the text is not a string or the date cannot
        be expressed in UTC.
    """

    id: str
    text: str
    title: str | None = None
    published: datetime | None = None
    source: str | None = None
    lang: str | None = None
    extra: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not self.id:
            raise ArticleError(f"not a non-empty string: {_show(self.id)}", "id")
        if not isinstance(self.text, str):
            raise ArticleError(f"not a string: {_show(self.text)}", "text")
        moment = self.published
        if moment is not None and not (type(moment) is datetime and moment.tzinfo is UTC):
            object.__setattr__(self, "published", parse_published(moment))

    @classmethod
    def from_mapping(cls, row: Mapping[str, object]) -> Article:
        """Read an article from a mapping such as a JSON object.

        ``None``, NaN and the missing values of pandas count as missing everywhere, and
        so do empty strings except in ``text``. Keys that are not fields go to ``extra``.

        Parameters
        ----------
        row
            The fields by name. ``id`` may be an integer; ``published`` may be an
            ISO 8601 string, a date or a datetime.

        Returns
        -------
        Article

        Raises
        ------
        ArticleError
            If a field cannot be used. The error names the field.
        """
        text = row.get("text")
        if not isinstance(text, str):
            if is_missing(text):
                raise _missing("text", row)
            raise ArticleError(f"not a string: {_show(text)}", "text")
        lang = _string(row, "lang")
        return cls(
            id=read_id(row),
            text=text,
            title=_string(row, "title"),
            published=parse_published(row.get("published")),
            source=_string(row, "source"),
            lang=None if lang is None else _language_tag(lang),
            extra={name: value for name, value in row.items() if name not in _FIELDS},
        )


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
        # Takes NumPy's integers too, and no floats: 17.0 is most often a 17 from a
        # column with gaps, but 1e22 would name an article nobody knows.
        return str(operator.index(value))  # type: ignore[arg-type]
    except TypeError:
        raise ArticleError(f"neither a string nor an integer: {_show(value)}", "id") from None


def parse_published(value: object) -> datetime | None:
    """Read a time of publication.

    Parameters
    ----------
    value
        An ISO 8601 string (a date alone, any offset, ``Z``, fractions of a second), a
        date or a datetime, or a missing value. Times without an offset are UTC.

    Returns
    -------
    datetime or None
        Aware, in UTC, with a resolution of a microsecond; ``None`` if missing.

    Raises
    ------
    ArticleError
        If the value is not a date, or has no place on the calendar of `datetime`.
    """
    if isinstance(value, str):
        if not (text := value.strip()):
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise ArticleError(f"not an ISO 8601 date: {_show(value)}", "published") from None
    elif is_missing(value):
        return None
    elif isinstance(value, datetime):
        # A plain datetime even from a subclass: pandas counts nanoseconds.
        moment = datetime.combine(value.date(), value.time(), tzinfo=value.tzinfo)
    elif isinstance(value, date):
        moment = datetime(value.year, value.month, value.day)
    else:
        raise ArticleError(f"not an ISO 8601 date: {_show(value)}", "published")
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ArticleError(f"outside the calendar: {_show(value)}", "published") from None


def is_missing(value: object) -> bool:
    """Whether a value stands for "no value": ``None``, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    if isinstance(value, float):
        return math.isnan(value)
    return type(value).__name__ in _PANDAS_MISSING


def _string(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, str):
        return value
    if is_missing(value):
        return None
    raise ArticleError(f"not a string: {_show(value)}", name)


def _language_tag(lang: str) -> str | None:
    """Lower-case the language; ``pt_BR`` becomes ``pt-BR``."""
    primary, dash, rest = lang.strip().replace("_", "-").partition("-")
    return primary.lower() + dash + rest or None


def _missing(name: str, row: Mapping[str, object]) -> ArticleError:
    if name in row:
        return ArticleError("missing", name)
    there = ", ".join(map(str, row)) or "nothing"
    return ArticleError(f"missing: the row has {_shorten(there)}", name)


def _show(value: object) -> str:
    """Repeat a faulty value in a message, without repeating five megabytes of it."""
    return _shorten(repr(value))


def _shorten(text: str) -> str:
    return text if len(text) <= 80 else text[:77] + "..."
