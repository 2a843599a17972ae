"""Messages about what is probably a mistake in the articles."""

from __future__ import annotations

from sahel_dedup.util.values import show


def unknown_ids(count: int, example: str | None) -> str:
    """Report ids in corrections that no article has."""
    return f"ids in corrections that no article has: {count:,}, for example {example!r}"


def alike_names(count: int, example: str | None) -> str:
    """Report outlets that may be one under several names."""
    return (
        f"outlets that may have several names: {count:,}, for example {example}; each name counts "
        "as a separate outlet, so use one name if they are the same"
    )


def unknown_languages(count: int, example: str | None) -> str:
    """Report values of `lang` that name no language."""
    return (
        f"languages that are not recognised, so they are detected: {count:,}, for example "
        f"{show(example)}; write a tag such as 'pt-BR' or an English name"
    )


def repeated_words(count: int, example: str | None) -> str:
    """Report outlets whose texts repeat a large share of their words."""
    return (
        f"outlets whose texts repeat the same words: {count:,}, for example {example}, probably a "
        "menu or a disclaimer; remove it from the texts, because it hides copies at other outlets"
    )
