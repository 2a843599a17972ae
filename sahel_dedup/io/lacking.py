"""Fields that all or many articles lack, and what that costs."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sahel_dedup.util.field_names import find_alias, remedy

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
