"""``ingest`` and ``index``: articles into a durable index, and care for its file."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from sahel_dedup.cli.options import GranularityOption, OnError, Window, make_settings
from sahel_dedup.cli.terminal import Commands, note
from sahel_dedup.rows import SkipReport, expand_paths

File = Annotated[str, typer.Argument(metavar="FILE", help="File of an index.", show_default=False)]

index = typer.Typer(
    cls=Commands,
    help="Look after the file of an index.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def ingest(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT]...",
            help="Files of articles, as for cluster; JSON lines on standard input if not given.",
            show_default=False,
        ),
    ] = None,
    index_file: Annotated[
        str, typer.Option("--index", metavar="FILE", help="File of the index, made if missing.")
    ] = "stories.index",
    on_error: OnError = "raise",
    granularity: GranularityOption = "event",
    window: Window = "7",
    keep_texts: Annotated[
        bool,
        typer.Option(
            "--texts/--no-texts", help="Keep the texts in a new index, for explain; it remembers."
        ),
    ] = True,
    batch: Annotated[int, typer.Option(min=1, help="Articles that are added at once.")] = 1,
) -> None:
    """Add articles to an index; one JSON line out for each, once it is safely in.

    It may be killed and run again on the same input.
    """
    from sahel_dedup.index.ingest import ingest as add
    from sahel_dedup.index.story_index import StoryIndex

    skipped = SkipReport() if on_error == "skip" else None
    settings = make_settings(granularity, window, 1)
    with StoryIndex.open(index_file, settings, keep_texts=keep_texts) as opened:
        paths = expand_paths(inputs or ["-"])
        for row in add(opened, paths, skipped=skipped, batch_size=batch):
            typer.echo(json.dumps(row, ensure_ascii=False))
            sys.stdout.flush()
    if skipped is not None and skipped.total:
        note(skipped.summary())


@index.command()
def check(file: File) -> None:
    """Look for damage; exit with 1 if there is any."""
    from sahel_dedup.index import maintenance

    faults = maintenance.check(file)
    for fault in faults:
        typer.echo(fault)
    if faults:
        raise typer.Exit(1)
    typer.echo("no damage found")


@index.command()
def compact(file: File) -> None:
    """Make the file as small as it can be."""
    from sahel_dedup.index import maintenance

    before, after = maintenance.compact(file)
    typer.echo(f"{before:,} bytes before, {after:,} now")


@index.command()
def export(
    file: File,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="OUT", help="As for cluster.", show_default=False),
    ] = None,
) -> None:
    """Write the articles of an index with their stories, one row each."""
    from sahel_dedup.index import maintenance
    from sahel_dedup.writing import check_output, write_rows

    check_output(output)
    write_rows(output, maintenance.export(file))
