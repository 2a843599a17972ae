"""``audit``: what can be said of an archive's stories without labels."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from sahel_dedup.audit import Audit
from sahel_dedup.audit import audit as look_at
from sahel_dedup.batch import Archive
from sahel_dedup.cli.options import (
    GranularityOption,
    Inputs,
    OnError,
    Window,
    Workers,
    make_settings,
    open_inputs,
)
from sahel_dedup.cli.terminal import note_faults, output_console, progress
from sahel_dedup.reading import read_articles
from sahel_dedup.rows import SkipReport


def audit(
    inputs: Inputs,
    on_error: OnError = "raise",
    granularity: GranularityOption = "event",
    window: Window = "7",
    workers: Workers = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Group articles into stories and look at the result without labels.

    Prints the estimated precision, the largest and the longest stories, articles that
    recur (bulletins, forms), the share of articles alone, and the weakest links.
    """
    settings = make_settings(granularity, window, workers)
    skipped = SkipReport() if on_error == "skip" else None
    with open_inputs(inputs) as paths, progress(paths) as tell:
        archive = Archive.read(read_articles(paths, skipped=skipped), settings, tell)
        found = look_at(archive.stories())
    note_faults(skipped, archive.sketcher.implausible_dates)
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        _show(found)


def _show(found: Audit) -> None:
    console = output_console()
    precision = found.estimated_precision
    facts = Table("articles", "stories", "alone", "recurring", "estimated precision")
    facts.add_row(
        f"{found.articles:,}",
        f"{found.stories:,}",
        f"{found.singletons:.1%}",
        f"{found.template_share:.1%}",
        "unknown" if precision is None else f"{precision:.3f}",
    )
    console.print(facts)
    largest = Table("largest stories", "articles", "canonical article")
    for story in found.largest:
        largest.add_row(story.id, str(len(story)), story.canonical)
    console.print(largest)
    longest = Table("longest stories", "days", "articles")
    for story, days in found.longest:
        longest.add_row(story.id, f"{days:.1f}", str(len(story)))
    console.print(longest)
    recurring = Table("articles most like texts of other events", "likeness")
    for article, likeness in found.templates:
        recurring.add_row(article, f"{likeness:.2f}")
    console.print(recurring)
    weakest = Table("weakest links", "", "similarity", "log-odds")
    for link in found.weakest:
        weakest.add_row(link.first, link.second, f"{link.similarity:.2f}", f"{link.score:+.1f}")
    console.print(weakest)
