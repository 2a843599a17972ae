"""Articles that are compared without a date, and why."""

from __future__ import annotations

import math

from sahel_dedup.articles import Article
from sahel_dedup.sketch.sketcher import day_of


def why_undated(article: Article) -> str | None:
    """Say why an article is taken as undated; None if it has a date that is used."""
    if article.published is None:
        # What follows in the fault says how to write dates.
        fault = (article.date_fault or "").partition("; ")[0]
        return f"undated ({fault})" if fault else "undated"
    if math.isnan(day_of(article.published)):
        return f"undated (impossible date: {article.published:%Y-%m-%d})"
    return None
