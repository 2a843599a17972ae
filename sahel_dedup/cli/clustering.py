"""``cluster`` and ``evaluate``: files of articles to stories, and stories to figures."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Annotated, Literal

import typer

from sahel_dedup.articles import Article
from sahel_dedup.audit import audit
from sahel_dedup.batch import Archive, Progress
from sahel_dedup.checkpoint import Checkpoint
from sahel_dedup.cli.options import (
    Canonical,
    GranularityOption,
    Inputs,
    OnError,
    Output,
    Prefer,
    Window,
    Workers,
    make_settings,
    open_inputs,
)
from sahel_dedup.cli.terminal import note, note_faults, progress
from sahel_dedup.errors import SahelError
from sahel_dedup.reading import read_articles, read_records
from sahel_dedup.rows import STDIN, Row, SkipReport
from sahel_dedup.stories import Stories
from sahel_dedup.writing import check_folder, check_output, write_rows

_TOLD_EVERY = 256


def cluster(
    inputs: Inputs,
    output: Output = None,
    on_error: OnError = "raise",
    granularity: GranularityOption = "event",
    window: Window = "7",
    canonical: Canonical = "earliest",
    prefer: Prefer = None,
    workers: Workers = 0,
    report: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Page to look at the stories with: HTML.", show_default=False
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "spark"],
        typer.Option(help="Where to work: in this process, or on Apache Spark (docs/spark.md)."),
    ] = "local",
    master: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Spark's master, such as local[2].", show_default=False),
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Keep what was made of the articles here; the same command goes on from it.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Group articles into stories.

    Writes one row an article, in input order: id, story_id, canonical, relation and
    similarity, then the columns of the input as they were.
    """
    if report is not None:
        check_folder(report)
    if checkpoint is not None and STDIN in inputs:
        raise SahelError("--checkpoint: standard input cannot be read again, name a file")
    settings = make_settings(granularity, window, workers, canonical, prefer)
    if engine == "spark":
        if on_error != "raise":
            raise SahelError("on-error: the Spark engine stops at the first faulty row")
        if report is not None:
            raise SahelError("report: the Spark engine makes none; use sahel-dedup report OUT")
        # Neither Spark nor Arrow is a dependency.
        from sahel_dedup.spark.files import cluster_files

        cluster_files(inputs, output, settings, master=master, checkpoint=checkpoint)
        return
    check_output(output)
    skipped = SkipReport() if on_error == "skip" else None
    with open_inputs(inputs) as paths, progress(paths) as tell:
        kept = None if checkpoint is None else Checkpoint(checkpoint, paths, on_error)
        archive = Archive.read(read_articles(paths, skipped=skipped), settings, tell, kept)
        stories = archive.stories()

        def rows(stage: str) -> Iterator[Row]:
            # Texts are not kept: the input is read again for the columns that it carries.
            # Its faults are known by now.
            again = read_records(paths, skipped=SkipReport() if skipped else None)
            return _told(_joined(again, stories), stage, tell)

        written = write_rows(output, rows("writing"))
        if report is not None:
            _report(rows("report"), report, stories)
    note_faults(skipped, archive.sketcher.implausible_dates)
    if sys.stderr.isatty():
        several = sum(len(story) > 1 for story in stories)
        note(f"{written:,} articles, {len(stories):,} stories, {several:,} with copies")


def evaluate(
    out: Annotated[
        str, typer.Argument(metavar="OUT", help="What cluster wrote.", show_default=False)
    ],
    gold: Annotated[
        str,
        typer.Option(
            metavar="FILE", help="Known stories: id and story of each article.", show_default=False
        ),
    ],
) -> None:
    """Compare stories with known ones: pairwise, B-cubed, adjusted Rand, sizes."""
    # It needs scikit-learn, which would double the time that every command takes to start.
    from sahel_dedup.evaluation import evaluate as score
    from sahel_dedup.evaluation import read_labels

    known = read_labels(gold, fields=("story", "story_id"))
    typer.echo(str(score(read_labels(out), known)))


def _joined(records: Iterable[tuple[Row, Article]], stories: Stories) -> Iterator[Row]:
    """Put what was found about each article before the columns of its row."""
    for record, found in zip_longest(records, stories.rows()):
        if record is None or found is None or record[1].id != found["id"]:
            raise SahelError("the input changed while it was read: run again when it is at rest")
        yield {**found, **{name: value for name, value in record[0].items() if name not in found}}


def _told(rows: Iterable[Row], stage: str, tell: Progress) -> Iterator[Row]:
    for number, row in enumerate(rows):
        if number % _TOLD_EVERY == 0:
            tell(stage, number, None)
        yield row


def _report(rows: Iterable[Row], path: str, stories: Stories) -> None:
    # Only here: it needs the template engine, which is slow to start.
    from sahel_dedup.report import write_report

    # Articles that are alone are counted and not shown; the report holds what it is given.
    shown = (row if row["relation"] else {**row, "text": None} for row in rows)
    write_report(shown, path, audit=audit(stories).to_dict())
