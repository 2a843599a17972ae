"""``review``: lets a person judge pairs and stories, in a browser or on a sheet."""

from __future__ import annotations

from typing import Annotated

import typer

from sahel_dedup.cli.options import (
    Columns,
    GranularityOption,
    ModelFile,
    Window,
    make_settings,
    parse_columns,
)
from sahel_dedup.cli.terminal import note, note_left_out, say
from sahel_dedup.errors import SettingsError, missing_package
from sahel_dedup.io.article_reader import read_articles
from sahel_dedup.io.collisions import check_apart
from sahel_dedup.io.summary import ReadSummary
from sahel_dedup.io.writers import check_folder, check_output, check_stdout, write_rows
from sahel_dedup.util.values import counted

_ANSWERS = "answers.jsonl"


def review(
    stories: Annotated[
        str,
        typer.Argument(metavar="STORIES", help="Output of cluster.", show_default=False),
    ],
    archive: Annotated[
        list[str],
        typer.Argument(metavar="ARCHIVE", help="The articles, as for cluster.", show_default=False),
    ],
    answers: Annotated[
        str,
        typer.Option(
            metavar="FILE",
            help="File of answers, as JSON lines; existing answers are kept. evaluate --pairs and "
            "--corrections read it.",
        ),
    ] = _ANSWERS,
    who: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of the person who answers, to be stored with each answer.",
            show_default=False,
        ),
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Number of pairs, most uncertain first.")] = 200,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on this machine; 0 chooses a free one.")
    ] = 0,
    sheet: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Write the pairs to a sheet (.csv) to fill in, instead of serving a page.",
            show_default=False,
        ),
    ] = None,
    granularity: GranularityOption = "event",
    window: Window = "7",
    model: ModelFile = None,
    column: Columns = None,
) -> None:
    """Judge in a browser whether pairs of articles report one event, and split stories.

    Prints the address of a page that only this machine can reach. Every answer is in the file
    before the page shows the next pair. Interrupt the command to end.
    """
    if sheet is not None and (port or answers != _ANSWERS):
        raise SettingsError("--sheet: serves no page; leave out --port and --answers")
    check_apart([stories, *archive, model], {"--answers": answers, "--sheet": sheet})
    check_folder(answers)
    settings, columns = make_settings(granularity, window, 0, model=model), parse_columns(column)
    from sahel_dedup.clustering.crosswalk import read_previous
    from sahel_dedup.review.questions import Questions

    if sheet is not None:
        check_output(sheet)
    else:
        check_stdout()
        # Imported before any work, because neither is a dependency.
        try:
            from sahel_dedup.review.app import Review
            from sahel_dedup.review.server import serve_review
        except ImportError as error:
            raise missing_package("review without --sheet", error, "serve") from None
    placed, summary = read_previous(stories), ReadSummary()
    articles = list(read_articles(archive, columns=columns, summary=summary))
    asked = Questions.of(articles, placed, settings, count, summary)
    note_left_out(asked.without_story, asked.without_article)
    note(
        f"{counted(len(asked.pairs), 'pair')} and "
        f"{counted(len(asked.stories), 'story', 'stories')} to review"
    )
    if sheet is not None:
        write_rows(sheet, asked.sheet(who))
        return
    from sahel_dedup.review.answers import Answers

    given = Answers(answers)
    try:
        serve_review(Review(asked, given, who), port, say)
    finally:
        given.close()
        note(f"{counted(len(given.rows), 'row')} of answers in {answers}")
