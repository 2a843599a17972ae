"""``audit``: estimates the quality of an archive's stories without labelled data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from sahel_dedup.cli.options import (
    Columns,
    CorrectionsFile,
    GranularityOption,
    Inputs,
    ModelFile,
    OnBadDateOption,
    OnErrorOption,
    Window,
    Workers,
    make_settings,
    open_inputs,
    parse_columns,
)
from sahel_dedup.cli.terminal import note, note_faults, note_stories, output_console, show_progress
from sahel_dedup.io.article_reader import read_articles
from sahel_dedup.io.collisions import check_apart
from sahel_dedup.io.readers import SkipReport
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.io.writers import check_stdout, write_line
from sahel_dedup.plain_text import plain
from sahel_dedup.util.values import counted

if TYPE_CHECKING:
    from sahel_dedup.evaluation.audit import Audit


def audit(
    inputs: Inputs,
    on_error: OnErrorOption = "raise",
    on_bad_date: OnBadDateOption = "drop",
    granularity: GranularityOption = "event",
    window: Window = "7",
    workers: Workers = 0,
    column: Columns = None,
    corrections: CorrectionsFile = None,
    model: ModelFile = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Group articles into stories and estimate their quality without labelled data.

    Prints the estimated precision, the largest and the longest stories, articles that
    recur (bulletins, forms), the share of articles without copies, and the weakest links.
    """
    from sahel_dedup.batch import Archive
    from sahel_dedup.corrections.corrections import Corrections
    from sahel_dedup.evaluation.audit import audit as look_at
    from sahel_dedup.scoring.background import MANY, ONE_DAY

    check_apart([*inputs, corrections, model], {})
    check_stdout()
    settings = make_settings(granularity, window, workers, model=model)
    skipped = SkipReport() if on_error == "skip" else None
    columns, summary = parse_columns(column), ReadSummary()
    followed = Corrections.read(corrections)
    with open_inputs(inputs) as paths, show_progress(paths) as on_progress:
        articles = read_articles(
            paths, skipped=skipped, columns=columns, on_bad_date=on_bad_date, summary=summary
        )
        archive = Archive.read(
            articles, settings, on_progress, summary=summary, corrections=followed
        )
        stories = archive.stories()
        found = look_at(stories)
    if as_json:
        write_line(found.to_dict())
    else:
        _show(found)
    note_faults(skipped)
    # Reading more articles said so already.
    if found.lacks_other_days and found.articles < MANY:
        note(ONE_DAY)
    note_stories(summary, stories)


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
        largest.add_row(_name(story.id), str(len(story)), _name(story.canonical))
    console.print(largest)
    longest = Table("longest stories", "days", "articles")
    for story, days in found.longest:
        longest.add_row(_name(story.id), f"{days:.1f}", str(len(story)))
    console.print(longest)
    recurring = Table("articles with the highest recurrence", "recurrence")
    for article, likeness in found.templates:
        recurring.add_row(_name(article), f"{likeness:.2f}")
    console.print(recurring)
    weakest = Table("weakest links", "", "similarity", "log-odds")
    for link in found.weakest:
        names = (_name(link.first), _name(link.second))
        weakest.add_row(*names, f"{link.similarity:.2f}", f"{link.score:+.1f}")
    console.print(weakest)
    if found.corrections:
        held = Table(
            f"{counted(found.corrections, 'correction')}; stories that only corrections "
            "hold together",
            "articles",
        )
        for story in found.held_by_corrections:
            held.add_row(_name(story.id), str(len(story)))
        console.print(held)


def _name(name: str) -> Text:
    """Escape an id, which is untrusted: no markup and no control characters."""
    return Text(plain(name))
