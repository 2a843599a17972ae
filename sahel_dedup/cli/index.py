"""``ingest`` and ``index``: adds articles to a durable index, and maintains its file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import IO, Annotated

import typer

from sahel_dedup.cli.index_options import (
    DeadLetters,
    Fields,
    File,
    IndexGranularity,
    IndexWindow,
    OnChangedOption,
    Retention,
    Texts,
    Wait,
)
from sahel_dedup.cli.options import (
    Columns,
    CorrectionsFile,
    ModelFile,
    OnBadDateOption,
    OnErrorOption,
    parse_columns,
    parse_days,
)
from sahel_dedup.cli.terminal import Commands, note, note_faults, say
from sahel_dedup.errors import FileError
from sahel_dedup.evidence_model import EvidenceModel
from sahel_dedup.io.collisions import STDOUT, check_apart
from sahel_dedup.io.lines import STDIN
from sahel_dedup.io.paths import expand_paths
from sahel_dedup.io.readers import SkipReport
from sahel_dedup.io.writers import check_output, check_stdout, write_line, write_rows
from sahel_dedup.plain_text import plain
from sahel_dedup.settings import Granularity, Settings
from sahel_dedup.util.values import counted

index = typer.Typer(
    cls=Commands,
    help="Check, compact, export, load, copy and correct an index.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def ingest(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT]...",
            help="Files of articles, as for cluster; by default, JSON lines on standard input.",
            show_default=False,
        ),
    ] = None,
    index_file: Annotated[
        str,
        typer.Option("--index", metavar="FILE", help="File of the index, created if missing."),
    ] = "stories.index",
    on_error: OnErrorOption = "raise",
    on_bad_date: OnBadDateOption = "drop",
    dead_letters: DeadLetters = None,
    on_changed: OnChangedOption = "raise",
    column: Columns = None,
    corrections: CorrectionsFile = None,
    granularity: IndexGranularity = None,
    window: IndexWindow = None,
    model: ModelFile = None,
    retention: Retention = None,
    keep_texts: Texts = True,
    keep_fields: Fields = False,
    batch: Annotated[int, typer.Option(min=1, help="Number of articles added in one step.")] = 1,
    wait: Wait = 0,
) -> None:
    """Add articles to an index, and print one JSON line for each once it is stored.

    You can kill it and run it again on the same input. Corrections are added before the articles,
    and the index keeps them.
    """
    from sahel_dedup.corrections.corrections import Corrections
    from sahel_dedup.index.ingest import ingest as add
    from sahel_dedup.index.story_index import StoryIndex

    names = inputs or [STDIN]
    check_apart(
        [*names, model, corrections], {"--index": index_file, "--dead-letters": dead_letters}
    )
    check_stdout()
    # Check this before an empty index is created.
    paths = expand_paths(names)
    skipped = SkipReport() if on_error == "skip" or dead_letters is not None else None
    settings = settings_for(index_file, granularity, window, model)
    columns, said = parse_columns(column), Corrections.read(corrections)
    with (
        _dead_letters(dead_letters) as letters,
        StoryIndex.open(
            index_file,
            settings,
            retention=retention,
            keep_texts=keep_texts,
            keep_fields=keep_fields,
            timeout=wait,
        ) as opened,
        _summary(skipped) as counts,
    ):
        opened.corrections.add(said)
        for row in add(
            opened,
            paths,
            skipped=skipped,
            dead_letters=letters,
            on_changed=on_changed,
            batch_size=batch,
            columns=columns,
            on_bad_date=on_bad_date,
        ):
            write_line(row)
            counts.articles += 1
            counts.updated += row["updated"] is True
            counts.late += row["kept"] is False


@dataclass(slots=True)
class _Counts:
    """Counts of the answers so far."""

    articles: int = 0
    updated: int = 0
    late: int = 0


@contextmanager
def _summary(skipped: SkipReport | None) -> Iterator[_Counts]:
    """Report at the end what has been done, whether or not it was interrupted."""
    counts = _Counts()
    try:
        yield counts
    finally:
        parts = [f"{counted(counts.articles, 'article')} answered"]
        parts += [f"{counts.updated:,} of them updated"] * (counts.updated > 0)
        parts += [f"{counts.late:,} from before the retention and not kept"] * (counts.late > 0)
        note_faults(skipped)
        note(", ".join(parts))


@contextmanager
def _dead_letters(path: str | None) -> Iterator[IO[str] | None]:
    """Open the file for rows that are left out."""
    if path is None:
        yield None
        return
    with ExitStack() as stack:
        try:
            letters = stack.enter_context(open(path, "a", encoding="utf-8"))
        except OSError as error:
            raise FileError(f"cannot write {path!r}: {error.strerror or error}") from error
        yield letters


def settings_for(
    path: str,
    granularity: Granularity | None,
    window: str | None,
    model: str | None = None,
) -> Settings | None:
    """Return the requested settings; options that were not given are as in the index."""
    from sahel_dedup.index.maintenance import settings_of

    given: dict[str, object] = {}
    if granularity is not None:
        given["granularity"] = granularity
    if window is not None:
        given["window"] = parse_days("--window", window)
    if model is not None:
        given["model"] = EvidenceModel.read(model)
    if not given:
        return None
    stored = settings_of(path) if os.path.exists(path) else Settings()
    return replace(stored, **given)  # type: ignore[arg-type]


@index.command()
def check(file: File) -> None:
    """Look for damage; the exit status is 1 if there is any."""
    from sahel_dedup.index import maintenance

    check_apart([file], {})
    faults = maintenance.check(file)
    for fault in faults:
        say(plain(fault))
    if faults:
        raise typer.Exit(1)
    say("no damage found")


@index.command()
def compact(file: File) -> None:
    """Make the file as small as possible."""
    from sahel_dedup.index import maintenance

    check_apart([file], {})

    before, after = maintenance.compact(file)
    say(f"{before:,} bytes before, {after:,} now")


@index.command()
def export(
    file: File,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="STORIES",
            help="File to write, as for cluster.",
            show_default=False,
        ),
    ] = None,
    texts: Annotated[
        bool,
        typer.Option(
            "--texts", help="Add title and text, and all other fields if the index keeps them."
        ),
    ] = False,
) -> None:
    """Write the articles of an index with their stories, one row per article."""
    from sahel_dedup.index import maintenance

    check_apart([file], {"--output": output or STDOUT})
    check_output(output)
    write_rows(output, maintenance.export(file, texts=texts))


@index.command()
def load(
    stories: Annotated[
        str,
        typer.Argument(
            metavar="STORIES",
            help="Output of cluster (rows with id and story_id), or what cluster --save wrote "
            "(the whole result with its corrections).",
            show_default=False,
        ),
    ],
    archive: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ARCHIVE]...",
            help="The articles that were grouped, as for cluster; by default STORIES, if it has "
            "texts.",
            show_default=False,
        ),
    ] = None,
    index_file: Annotated[
        str,
        typer.Option("--index", metavar="FILE", help="File to write, which must not exist yet."),
    ] = "stories.index",
    column: Columns = None,
    granularity: IndexGranularity = None,
    window: IndexWindow = None,
    model: ModelFile = None,
    corrections: CorrectionsFile = None,
    retention: Retention = None,
    keep_texts: Texts = True,
    keep_fields: Fields = False,
) -> None:
    """Make an index from a grouped archive, with its stories and their ids.

    No story changes. Granularity, window and model should be those of cluster; a file of cluster
    --save contains them.
    """
    from sahel_dedup.cli.loading import load as load_archive

    check_apart([stories, *(archive or ()), model, corrections], {"--index": index_file})
    articles = load_archive(
        stories,
        expand_paths(archive or ()),
        index_file,
        settings_for(index_file, granularity, window, model),
        columns=parse_columns(column),
        retention=retention,
        keep_texts=keep_texts,
        keep_fields=keep_fields,
        corrections=corrections,
    )
    say(counted(articles, "article"))


@index.command()
def backup(
    file: File,
    copy: Annotated[
        str,
        typer.Argument(
            metavar="COPY", help="File to write, which must not exist yet.", show_default=False
        ),
    ],
) -> None:
    """Write a copy of an index, even while another process writes the index."""
    from sahel_dedup.index import maintenance

    check_apart([file], {"COPY": copy})
    maintenance.backup(file, copy)


@index.command()
def restore(
    copy: Annotated[
        str, typer.Argument(metavar="COPY", help="What backup wrote.", show_default=False)
    ],
    file: File,
) -> None:
    """Check a copy, and replace an index with it."""
    from sahel_dedup.index import maintenance

    check_apart([copy], {"FILE": file})
    maintenance.restore(copy, file)


@index.command()
def rebuild(
    file: File,
    new: Annotated[
        str,
        typer.Argument(
            metavar="NEW", help="File to write, which must not exist yet.", show_default=False
        ),
    ],
    granularity: IndexGranularity = None,
    window: IndexWindow = None,
    model: ModelFile = None,
    retention: Retention = None,
) -> None:
    """Make a new index from the texts of one that has an older format or other settings.

    Options that are not given keep the values of the old index.
    """
    from sahel_dedup.index import maintenance

    check_apart([file, model], {"NEW": new})
    settings = settings_for(file, granularity, window, model)
    articles = maintenance.rebuild(file, new, settings, retention=retention)
    say(counted(articles, "article"))
