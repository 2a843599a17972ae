"""Results in a notebook: an HTML fragment with facts, bar charts and tables.

Ids, titles and names of outlets are untrusted. The template escapes them, and none of them is put
into an attribute.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from sahel_dedup.articles import Article
from sahel_dedup.explain.plots import Plot, timeline
from sahel_dedup.plain_text import plain
from sahel_dedup.util.days import to_days
from sahel_dedup.util.templating import templates

_LONGEST = 120
_LISTED = 50


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table of texts, with the number of rows that were left out."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    more: int = 0


def render(
    heading: str,
    facts: Iterable[tuple[str, str]],
    plots: Sequence[Plot] = (),
    tables: Sequence[TextTable] = (),
) -> str:
    """Render a result as an HTML fragment.

    Parameters
    ----------
    heading : str
    facts : iterable of (str, str)
        Names and values.
    plots : sequence of Plot
        Plots without bars are left out.
    tables : sequence of TextTable
        Tables without rows are left out.

    Returns
    -------
    str
    """
    template = templates().get_template("overview.html")
    return template.render(
        heading=text(heading),
        facts=[(name, text(value)) for name, value in facts],
        plots=plots,
        tables=tables,
    )


def story_html(name: str, ids: Sequence[str], canonical: str, details: Sequence[Article]) -> str:
    """Render a story.

    Parameters
    ----------
    name : str
        Its id.
    ids : sequence of str
        Ids of its articles, in order of time.
    canonical : str
        One of them.
    details : sequence of Article
        The articles in the same order; empty if they were not kept.

    Returns
    -------
    str
    """
    facts = [("articles", f"{len(ids):,}"), ("canonical article", canonical)]
    more = max(len(ids) - _LISTED, 0)
    if not details:
        table = TextTable("Articles", ("id",), [(text(one),) for one in ids[:_LISTED]], more)
        return render(f"Story {name}", facts, tables=[table])
    outlets = {article.source for article in details if article.source is not None}
    days = np.array([
        np.nan if article.published is None else to_days(article.published) for article in details
    ])  # fmt: skip
    rows = [
        (moment(one.published), text(one.source), text(one.title), text(one.id))
        for one in details[:_LISTED]
    ]
    table = TextTable("Articles, in order of time", ("time", "outlet", "title", "id"), rows, more)
    return render(
        f"Story {name}", [*facts, ("outlets", f"{len(outlets):,}")], [timeline(days)], [table]
    )


def text(value: str | None) -> str:
    """Put an untrusted text on one line and shorten it; empty for ``None``."""
    line = plain(value or "")
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def moment(value: datetime | None) -> str:
    """Format a time to the minute; empty for ``None``."""
    return "" if value is None else f"{value:%Y-%m-%d %H:%M}"


def share(value: float | None) -> str:
    """Format a share in per cent; "unknown" for ``None`` and NaN."""
    return "unknown" if value is None or value != value else f"{value:.1%}"
