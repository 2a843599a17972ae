"""Fields that all or many articles lack, and what that costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sahel_dedup.util.field_names import find_alias, remedy

if TYPE_CHECKING:
    from sahel_dedup.io.summary import ReadSummary

# A field that one in so many articles lacks costs enough for a warning (docs/precision.md).
_ONE_IN = 10
# The count of the articles that have a field, its name in words, and what it costs if all articles
# lack it, or some.
_COSTS = {
    "title": (
        "titled",
        "title",
        "headlines cannot confirm copies",
        "headlines cannot confirm their copies",
    ),
    "published": (
        "dated",
        "date",
        "stories are not kept apart by time",
        "they are compared with the whole archive, and some match by chance",
    ),
    "source": (
        "sourced",
        "source",
        "an outlet's own templates are not recognised",
        "templates of their outlets are not recognised",
    ),
}


def lacking(summary: ReadSummary, *, costs: bool) -> list[str]:
    """Name the fields that no article has, with the remedy, and the cost if wanted."""
    found = []
    for name, (attribute, noun, cost, _) in _COSTS.items():
        if summary.read and not getattr(summary, attribute):
            reason = f"no article has a {noun} (field {name!r})" + f": {cost}" * costs
            alias = find_alias(name, sorted(summary.columns))
            found.append(f"{reason}; {remedy(name, alias)}" if alias else reason)
    # A language is detected if none is given, which costs nothing to speak of.
    alias = find_alias("lang", sorted(summary.columns))
    if alias and summary.read and not summary.tagged and not summary.unknown_languages:
        hint = remedy("lang", alias)
        found.append(f"no article has a language (field 'lang'), so it is detected; {hint}")
    return found


def partly_lacking(summary: ReadSummary) -> list[str]:
    """Name the fields that many of the articles lack, with the cost."""
    found = []
    for name, (attribute, noun, _, cost) in _COSTS.items():
        without = summary.read - getattr(summary, attribute)
        if summary.read <= _ONE_IN * without and without < summary.read:
            share = f"{without:,} of {summary.read:,} articles have"
            found.append(f"{share} no {noun} (field {name!r}): {cost}")
    return found
