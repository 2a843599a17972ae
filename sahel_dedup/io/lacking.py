"""Fields that all or many articles lack, and what that costs."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sahel_dedup.util.field_names import FIELDS, find_alias, remedy, usual_field
from sahel_dedup.util.values import counted, is_missing, show, stands_for_missing

if TYPE_CHECKING:
    from sahel_dedup.articles import Article

# A field that one in so many articles lacks costs enough for a warning (docs/precision.md).
_ONE_IN = 10
# The name of each field in words, and what it costs if all articles lack it, or some.
_COSTS = {
    "title": (
        "title",
        "headlines cannot confirm copies",
        "headlines cannot confirm their copies",
    ),
    "published": (
        "date",
        "stories are not kept apart by time",
        "they are compared with the whole archive, and some match by chance",
    ),
    "source": (
        "source",
        "an outlet's own templates are not recognised",
        "templates of their outlets are not recognised",
    ),
}


def lacking(
    read: int, having: Mapping[str, int], columns: Collection[str], *, costs: bool
) -> list[str]:
    """Name the fields that no article has, with the remedy, and the cost if wanted.

    Parameters
    ----------
    read : int
        Number of articles.
    having : mapping of str to int
        Number of articles that have a field, by field.
    columns : collection of str
        Names of the columns of the input.
    costs : bool

    Returns
    -------
    list of str
        One text for each field.
    """
    found = []
    for name, (noun, cost, _) in _COSTS.items():
        if read and not having[name]:
            reason = f"no article has a {noun} (field {name!r})" + f": {cost}" * costs
            alias = find_alias(name, sorted(columns))
            found.append(f"{reason}; {remedy(name, alias)}" if alias else reason)
    # A language is detected if none is given, which costs nothing to speak of.
    alias = find_alias("lang", sorted(columns))
    if alias and read and not having["lang"]:
        hint = remedy("lang", alias)
        found.append(f"no article has a language (field 'lang'), so it is detected; {hint}")
    return found


def partly_lacking(read: int, having: Mapping[str, int]) -> list[str]:
    """Name the fields that many of the articles lack, with the cost; see `lacking`."""
    found = []
    for name, (noun, _, cost) in _COSTS.items():
        without = read - having[name]
        if read <= _ONE_IN * without and without < read:
            share = f"{without:,} of {read:,} articles have"
            found.append(f"{share} no {noun} (field {name!r}): {cost}")
    return found


def found_elsewhere(
    row: Mapping[str, Any], article: Article, mapped: Mapping[str, str]
) -> list[str]:
    """Find fields that an article lacks, and its row has under another usual name.

    Files of several sources often differ in their columns, and nobody notices, because most
    articles have the field.

    Parameters
    ----------
    row : mapping
        As it was read.
    article : Article
    mapped : mapping of str to str
        The columns that are read as fields of another name, by field.

    Returns
    -------
    list of str
        Field and most likely column, as in ``source=outlet``.
    """
    likely: dict[str, tuple[int, str]] = {}
    for column, value in row.items():
        usual = usual_field(column) if isinstance(column, str) else None
        if usual is None:
            continue
        name, rank = usual
        if getattr(article, name) or mapped.get(name, name) == column:
            continue
        if not (stands_for_missing(value) if isinstance(value, str) else is_missing(value)):
            likely[name] = min(likely.get(name, (rank, column)), (rank, column))
    return [f"{name}={column}" for name, (_, column) in likely.items()]


def elsewhere_notes(
    read: int, having: Mapping[str, int], columns: Collection[str], elsewhere: Mapping[str, int]
) -> list[str]:
    """Name the columns whose values are not read, though their rows lack the field; see `lacking`.

    Parameters
    ----------
    read, having, columns
        See `lacking`, which names the column that contains a field of all articles.
    elsewhere : mapping of str to int
        Number of articles, by what `found_elsewhere` returns.

    Returns
    -------
    list of str
    """
    found = []
    for pair in sorted(elsewhere, key=lambda pair: (FIELDS.index(pair.partition("=")[0]), pair)):
        name, _, column = pair.partition("=")
        if having.get(name, 1) or column != find_alias(name, sorted(columns)):
            which = f"{elsewhere[pair]:,} of {counted(read, 'article')}"
            found.append(
                f"{which}: no value in the field {name!r}, but one in the column {show(column)}, "
                "which is not read: use one name in all rows"
            )
    return found
