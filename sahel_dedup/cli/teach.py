"""``teach``: fits the evidence to an archive with the answers of a person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sahel_dedup.cli.options import (
    Columns,
    Inputs,
    Window,
    Workers,
    make_settings,
    open_inputs,
    parse_columns,
)
from sahel_dedup.cli.terminal import note, output_console, say, show_progress
from sahel_dedup.errors import SettingsError
from sahel_dedup.io.article_reader import read_articles
from sahel_dedup.io.collisions import check_apart
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.io.writers import check_folder, check_output, write_rows
from sahel_dedup.util.values import counted

if TYPE_CHECKING:
    from sahel_dedup.evaluation.pair_scores import Interval
    from sahel_dedup.evaluation.teaching.lesson import Lesson


def teach(
    archive: Inputs,
    pairs: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Answers: a, b (ids of articles), same (1, 0 or empty), weight.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="MODEL",
            help="Model to write, a JSON file for --model.",
            show_default=False,
        ),
    ] = None,
    ask: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Choose the N pairs to judge next.", show_default=False
        ),
    ] = None,
    sheet: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="File to which --ask writes the pairs: .jsonl, or .csv for a spreadsheet.",
            show_default=False,
        ),
    ] = None,
    window: Window = "7",
    column: Columns = None,
    workers: Workers = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print what was learnt as one JSON object.")
    ] = False,
) -> None:
    """Fit the evidence to an archive from your answers, and choose the pairs to judge next.

    With --ask N --sheet FILE: writes the pairs whose answers are the most informative. Fill in the
    column 'same': 1 if the two articles report one event, 0 if they do not.

    With --pairs FILE -o MODEL: learns from the answers, and prints how much precision and recall
    are expected to change. Give MODEL to cluster, audit and ingest as --model. Learning starts from
    the constants of the release, so a few answers change little.
    """
    check_apart([*archive, pairs], {"--output": output, "--sheet": sheet})
    if (ask is None) != (sheet is None):
        raise SettingsError("teach: --ask N and --sheet FILE go together")
    if output is not None and pairs is None:
        raise SettingsError("teach: --output needs answers: --pairs FILE")
    if as_json and output is None:
        raise SettingsError("--json: nothing is learnt without --pairs FILE and -o MODEL")
    if output is None and sheet is None:
        raise SettingsError("teach: give --pairs FILE and -o MODEL, or --ask N and --sheet FILE")
    if output is not None:
        check_folder(output)
    if sheet is not None:
        check_output(sheet)
    # Imported only here, because they need SciPy.
    from sahel_dedup.evaluation.judged_pairs import read_pairs
    from sahel_dedup.evaluation.teaching.lesson import Classroom

    known = read_pairs(pairs) if pairs is not None else []
    settings, columns = make_settings("event", window, workers), parse_columns(column)
    with open_inputs(archive) as paths, show_progress(paths) as on_progress:
        summary = ReadSummary()
        articles = read_articles(paths, columns=columns, summary=summary)
        room = Classroom.of(articles, settings, on_progress, summary)
        lesson = room.teach(known) if output is not None else None
        rows = None
        if ask is not None:
            rows = room.ask(ask, known, lambda: read_articles(paths, columns=columns))
    if rows is not None and sheet is not None:
        write_rows(sheet, rows)
        note(f"{counted(len(rows), 'pair')} to be judged: {sheet}")
    if lesson is not None and output is not None:
        lesson.model.write(output)
        _show(lesson, as_json)


def _show(lesson: Lesson, as_json: bool) -> None:
    import json

    if as_json:
        say(json.dumps(lesson.to_dict(), indent=2))
        return
    model, expected = lesson.model, lesson.expectation
    table = Table(f"{model.same + model.different:,} answers", "before", "after", "change")
    for name in ("precision", "recall"):
        values = (getattr(expected, f"{name}_{when}") for when in ("before", "after", "change"))
        table.add_row(f"expected {name} of pairs", *map(_format, values))
    console = output_console()
    console.print(table)
    weights = Table("constants", "dated, shipped", "learnt", "undated, shipped", "learnt")
    for row in zip(
        model.features, model.shipped_dated, model.dated, model.shipped_undated, model.undated,
        strict=True,
    ):  # fmt: skip
        weights.add_row(row[0], *(f"{value:.2f}" for value in row[1:]))
    console.print(weights)
    for count, reason in (
        (lesson.not_judged, "they are not judged"),
        (lesson.not_found, "an article is not in the archive"),
        (lesson.outside, "the articles are further apart than the window"),
    ):
        if count:
            note(f"pairs left out because {reason}: {count:,}")


def _format(found: Interval) -> str:
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
