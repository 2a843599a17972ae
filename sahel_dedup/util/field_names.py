"""Names of the fields of an article, and their usual names in other data."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from functools import lru_cache

from sahel_dedup.errors import SettingsError

FIELDS = ("id", "text", "title", "published", "source", "lang")

# Usual other names of the fields, without case and punctuation, the most likely first. They are
# suggested but never used: in one archive, `date` is the time when the page was fetched.
_ALIASES = {
    "id": ("guid", "uuid", "articleid", "docid", "identifier", "url", "link"),
    "text": ("body", "content", "articletext", "fulltext", "maintext", "articlebody", "article",
             "description", "summary"),
    "title": ("headline", "header", "heading", "articletitle"),
    "published": ("publishedat", "publicationdate", "datepublished", "publishdate", "publisheddate",
                  "pubdate", "publisheddatetime", "publishedparsed", "date", "datetime",
                  "timestamp", "time", "createdat", "seendate"),
    "source": ("outlet", "publisher", "sourcename", "publication", "newspaper", "domain", "site",
               "sitename", "provider", "feed"),
    "lang": ("language", "langcode", "languagecode", "locale"),
}  # fmt: skip


def find_alias(field: str, columns: Iterable[str]) -> str | None:
    """Find the column that most likely contains a field under another name, or in capitals."""
    # Under the name of the field it is there, and has no value.
    by_name = {_bare(column): column for column in reversed(list(columns)) if column != field}
    return next((by_name[name] for name in (field, *_ALIASES[field]) if name in by_name), None)


@lru_cache(1000)
def usual_field(column: str) -> tuple[str, int] | None:
    """Return the field that a column of this name usually contains, and 0 if most likely."""
    bare = _bare(column)
    for field, aliases in _ALIASES.items():
        if bare in (names := (field, *aliases)):
            return field, names.index(bare)
    return None


def remedy(field: str, column: str) -> str:
    """Say how to read a column as a field, in Python and on the command line."""
    option = shlex.quote(f"{field}={column}")
    return f"columns={{{field!r}: {column!r}}} (--column {option}) reads it"


def check_columns(columns: Mapping[str, str] | None) -> dict[str, str]:
    """Check a mapping from fields to the columns to read.

    Parameters
    ----------
    columns
        The name of the column, by field.

    Returns
    -------
    dict of str to str

    Raises
    ------
    SettingsError
        If a field is unknown, or a name is not a string.
    """
    if columns is None:
        return {}
    if not isinstance(columns, Mapping):
        raise SettingsError(f"columns: {columns!r} is not a mapping; write {{'text': 'body'}}")
    for field, column in columns.items():
        if field not in FIELDS:
            turned = f"; {remedy(str(column), str(field))}" if column in FIELDS else ""
            raise SettingsError(f"columns: {field!r} is not one of {', '.join(FIELDS)}{turned}")
        if not isinstance(column, str):
            raise SettingsError(f"columns: {column!r} is not the name of a column")
    return dict(columns)


def _bare(name: str) -> str:
    return "".join(filter(str.isalnum, name.lower()))
