"""``cluster``: groups the articles of files into stories."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import typer

from sahel_dedup.articles import Article
from sahel_dedup.cli.options import (
    Canonical,
    Columns,
    CorrectionsFile,
    GranularityOption,
    Inputs,
    ModelFile,
    OnBadDateOption,
    OnErrorOption,
    Output,
    Prefer,
    Probability,
    Window,
    Workers,
    make_settings,
    open_inputs,
    parse_columns,
)
from sahel_dedup.cli.terminal import note, note_faults, note_stories, show_progress
from sahel_dedup.errors import FileError, SettingsError
from sahel_dedup.io.article_reader import read_records
from sahel_dedup.io.collisions import STDOUT, check_apart
from sahel_dedup.io.frames import Row
from sahel_dedup.io.lines import InputPath
from sahel_dedup.io.readers import SkipReport
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.io.writers import check_folder, check_output, is_lines, write_lines, write_rows
from sahel_dedup.util.values import counted

if TYPE_CHECKING:
    from sahel_dedup.batch import Progress
    from sahel_dedup.clustering.stories import Stories
    from sahel_dedup.corrections.corrections import Corrections
    from sahel_dedup.settings import Settings

_T = TypeVar("_T")
_PROGRESS_EVERY = 256


def cluster(
    inputs: Inputs,
    output: Output = None,
    on_error: OnErrorOption = "raise",
    on_bad_date: OnBadDateOption = "drop",
    granularity: GranularityOption = "event",
    min_probability: Probability = None,
    window: Window = "7",
    canonical: Canonical = "earliest",
    prefer: Prefer = None,
    workers: Workers = 0,
    column: Columns = None,
    corrections: CorrectionsFile = None,
    previous: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Output of cluster before the archive grew; stories that continue keep their ids.",
            show_default=False,
        ),
    ] = None,
    changes: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Also write which stories of --previous merged, split, grew, shrank or "
            "vanished, and which are new; the extension names the format.",
            show_default=False,
        ),
    ] = None,
    model: ModelFile = None,
    report: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Also write an HTML page that shows the stories.",
            show_default=False,
        ),
    ] = None,
    save: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Also write the whole result, without texts, for recut.",
            show_default=False,
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "spark"],
        typer.Option(help="Run in this process, or on Apache Spark (docs/spark.md)."),
    ] = "local",
    master: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Address of the Spark master, such as local[2].", show_default=False
        ),
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Store the sketches of each file in this folder; a later run reads only files "
            "that are new or have changed.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Group articles into stories.

    Writes one row per article, in input order: id, story_id, canonical, relation and
    similarity, then the other columns of the input, those of --column under the names of
    their fields.
    """
    read = [*inputs, corrections, previous, model]
    named = {"--checkpoint": checkpoint, "--save": save, "--changes": changes}
    check_apart(read, {"--output": output or STDOUT, "--report": report} | named)
    if changes is not None and previous is None:
        raise SettingsError("--changes needs --previous, the stories of the earlier run")
    if master is not None and engine != "spark":
        raise SettingsError("--master: only with --engine spark")
    settings = make_settings(
        granularity, window, workers, canonical, prefer, min_probability, model
    )
    columns = parse_columns(column)
    from sahel_dedup.corrections.corrections import Corrections

    if engine == "spark":
        if on_bad_date != "drop":
            raise SettingsError("--on-bad-date: the Spark engine drops dates that cannot be read")
        if on_error != "raise":
            raise SettingsError("--on-error: the Spark engine stops at the first faulty row")
        if report is not None:
            raise SettingsError(
                "--report: not available with the Spark engine; run sahel-dedup report OUT"
            )
        if workers:
            raise SettingsError(
                "--workers: Spark decides how many tasks run at once; give --master 'local[N]'"
            )
        _refuse_for_spark({"--save": save, "--previous": previous})
        # Neither Spark nor Arrow is a dependency.
        from sahel_dedup.spark.files import cluster_files

        cluster_files(
            inputs, output, settings, columns=columns, master=master, checkpoint=checkpoint,
            corrections=Corrections.read(corrections),
        )  # fmt: skip
        return
    from sahel_dedup.clustering.crosswalk import changed, read_previous

    reading = _Reading(on_error, on_bad_date, columns)
    followed, former = Corrections.read(corrections), read_previous(previous)
    if changes is not None:
        check_output(changes)
    stories = _cluster_here(
        inputs, output, report, checkpoint, save, reading, settings, followed, former
    )
    if changes is not None:
        write_rows(changes, changed(former, stories))


@dataclass(frozen=True, slots=True)
class _Reading:
    """How to read the input."""

    on_error: Literal["raise", "skip"]
    on_bad_date: Literal["drop", "raise"]
    columns: dict[str, str]

    def records(
        self, paths: list[InputPath], skipped: SkipReport | None, summary: ReadSummary
    ) -> Iterator[tuple[Row, Article]]:
        """Read articles, each with its row."""
        return read_records(
            paths,
            skipped=skipped,
            columns=self.columns,
            on_bad_date=self.on_bad_date,
            summary=summary,
        )


def _cluster_here(
    inputs: list[str],
    output: str | None,
    report: str | None,
    checkpoint: str | None,
    save: str | None,
    reading: _Reading,
    settings: Settings,
    corrections: Corrections,
    previous: Mapping[str, str],
) -> Stories:
    """Group articles in this process; see `cluster`."""
    from sahel_dedup.batch import Archive
    from sahel_dedup.clustering.partition import FOUND
    from sahel_dedup.io.checkpoint import Checkpoint
    from sahel_dedup.io.kept_reading import KeptReading

    check_output(output)
    for path in (report, save):
        if path is not None:
            check_folder(path)
    skipped = SkipReport() if reading.on_error == "skip" else None
    replaced: Counter[str] = Counter()
    lasting = "--checkpoint" if checkpoint is not None else None
    with open_inputs(inputs, lasting) as paths, show_progress(paths) as on_progress:
        summary = ReadSummary()
        articles = (article for _, article in reading.records(paths, skipped, summary))
        kept: KeptReading | None = None
        if checkpoint is not None:
            given = json.dumps(asdict(reading), sort_keys=True)
            kept = KeptReading(
                Checkpoint(checkpoint, given), paths, columns=reading.columns,
                on_bad_date=reading.on_bad_date, skipped=skipped, summary=summary,
                results=FOUND if is_lines(output) else (),
            )  # fmt: skip
        archive = Archive.read(kept or articles, settings, on_progress, summary, corrections)
        stories = archive.stories(previous=previous)

        def rows(stage: str, replaced: Counter[str]) -> Iterator[Row]:
            # Texts are not kept, so the input is read again for its other columns. Its faults have
            # been reported by now.
            again = reading.records(paths, SkipReport() if skipped else None, ReadSummary())
            return _watched(_joined(again, stories, replaced), stage, on_progress)

        found = _watched(stories.rows(), "writing", on_progress)
        lines = kept.lines(found, replaced) if kept and is_lines(output) else None
        if output is not None and lines is not None:
            write_lines(output, lines)
        else:
            write_rows(output, rows("writing", replaced))
        if save is not None:
            stories.save(save)
        if report is not None:
            _report(rows("report", Counter()), report, stories)
    note_faults(skipped)
    if replaced:
        names = ", ".join(f"{name} ({counted(count, 'row')})" for name, count in replaced.items())
        note(f"input columns replaced by results of the same name: {names}")
    note_stories(summary, stories)
    return stories


def _refuse_for_spark(options: Mapping[str, str | None]) -> None:
    for option, path in options.items():
        if path is not None:
            raise SettingsError(f"{option}: not available with the Spark engine")


def _joined(
    records: Iterable[tuple[Row, Article]], stories: Stories, replaced: Counter[str]
) -> Iterator[Row]:
    """Put the results for each article before the columns of its row.

    Columns of the input that have the name of a result are counted in `replaced`.
    """
    for record, found in zip_longest(records, stories.rows()):
        if record is None or found is None or record[1].id != found["id"]:
            raise FileError("the input changed while it was read: run again once it is final")
        replaced.update(name for name in record[0] if name in found and name != "id")
        yield {**found, **{name: value for name, value in record[0].items() if name not in found}}


def _watched(rows: Iterable[_T], stage: str, on_progress: Progress) -> Iterator[_T]:
    for number, row in enumerate(rows):
        if number % _PROGRESS_EVERY == 0:
            on_progress(stage, number, None)
        yield row


def _report(rows: Iterable[Row], path: str, stories: Stories) -> None:
    # Imported only here, because it needs the template engine, which is slow to start.
    from sahel_dedup.evaluation.audit import audit
    from sahel_dedup.report import write_report

    # Articles without copies are counted but not shown, because the report keeps in memory what it
    # gets.
    shown = (row if row["relation"] else {**row, "text": None} for row in rows)
    found = audit(stories).to_dict()
    write_report(shown, path, audit=found, corrections=stories.corrections)
