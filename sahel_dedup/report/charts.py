"""Charts of the report: the archive as a whole, as data for plots."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sahel_dedup.explain.plots import Plot, binned, story_sizes, tenth_labels
from sahel_dedup.io.tabular import without_surrogates
from sahel_dedup.report.grouping import Collected, Report
from sahel_dedup.util.days import to_days

_HOURS = (0, 1, 3, 6, 12, 24, 48, 96, 168)
_HOUR_LABELS = (
    "under 1 h", "1–3 h", "3–6 h", "6–12 h", "12–24 h", "1–2 days", "2–4 days", "4–7 days",
    "over 7 days",
)  # fmt: skip
_RELATIONS = ("exact", "near", "reworded")
_WEAKEST = 15


@dataclass(frozen=True, slots=True)
class WeakLink:
    """An article, or a pair of articles, with a weak link to its story."""

    story: str
    articles: str
    similarity: float
    score: float | None


def plots(collected: Collected) -> list[Plot]:
    """Make the plots of an archive.

    Parameters
    ----------
    collected : Collected

    Returns
    -------
    list of Plot
        Sizes of all stories; relations, similarities and time spans of those listed.
    """
    reports = [r for _, members in collected.listed if len(members) > 1 for r in members]
    relations = [(name, sum(r.relation == name for r in reports)) for name in _RELATIONS]
    similarities = [r.similarity for r in reports if r.similarity is not None]
    return [
        story_sizes(collected.sizes.elements()),
        Plot("Relations", "Of each article to the closest other one of its story.", "articles",
             relations),
        Plot("Time spread", "From the first article of a story to the last.", "stories",
             binned(_spans(collected), _HOURS, _HOUR_LABELS)),
        Plot("Similarity", "TF-IDF cosine of each article to the closest other one of its story.",
             "articles",
             binned((min(int(s * 10), 9) for s in similarities), range(10), tenth_labels())),
    ]  # fmt: skip


def weakest(collected: Collected, audit: Mapping[str, Any]) -> list[WeakLink]:
    """List the weakest links, from the audit if it has them, otherwise from the rows.

    Parameters
    ----------
    collected : Collected
    audit : Mapping
        May have ``weakest``; see `sahel_dedup.report.write_report`.

    Returns
    -------
    list of WeakLink
        At most 15, weakest first.
    """
    given = audit.get("weakest")
    if given is not None:
        return [
            WeakLink(
                without_surrogates(str(link["story"])),
                f"{link['first']} – {link['second']}",
                float(link["similarity"]),
                float(link["score"]),
            )
            for link in list(given)[:_WEAKEST]
        ]
    members = ((story, report) for story, reports in collected.listed for report in reports)
    rated = [
        (report.similarity, report.article.id, story)
        for story, report in members
        if report.similarity is not None
    ]
    return [
        WeakLink(without_surrogates(story), article, similarity, None)
        for similarity, article, story in sorted(rated)[:_WEAKEST]
    ]


def _spans(collected: Collected) -> Iterable[float]:
    for _, reports in collected.listed:
        times = [_hours(report) for report in reports if report.article.published is not None]
        if len(times) > 1:
            yield max(times) - min(times)


def _hours(report: Report) -> float:
    published = report.article.published
    return 0.0 if published is None else 24 * to_days(published)
